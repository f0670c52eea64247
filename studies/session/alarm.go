package session

import (
	"fmt"
	"strings"
	"time"

	"emolab/fusion/stream"
)

// Severity ranks alarms.
type Severity string

// The severities.
const (
	Minor Severity = "minor" // look at it when there is time
	Major Severity = "major" // data are being lost or will be
)

// Alarm is a deviation in words, with what to do about it.
type Alarm struct {
	ID       string   `json:"id"` // stable while it lasts: "eda/silent"
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
	Advice   string   `json:"advice"`
}

const (
	// silentAfterMs: a connected stream without data for this long is in trouble.
	silentAfterMs = 1500
	// slowBelow is the share of the nominal rate below which a stream is slow.
	slowBelow = 0.8
	// unusableAfterMs: longer than any blink or glance away.
	unusableAfterMs = 3000
	// boundLimitMs is the default of thresholds.max_sync_error_ms.
	boundLimitMs = 25
)

// names are what the experimenter calls the devices.
var names = map[stream.Kind]string{
	stream.EDA:      "Skin-conductance sensor",
	stream.Gaze:     "Eye tracker",
	stream.Face:     "Camera",
	stream.Stimulus: "Participant's screen",
	stream.Light:    "Photodiode",
	stream.Trigger:  "Trigger line",
}

// useless is what it means when a stream delivers nothing of use, and what to do.
// A stream that is not among them may be silent: no clip, no frames; no edge, no
// light; no onset, no trigger.
var useless = map[stream.Kind][2]string{
	stream.EDA:  {"No skin contact", "Check both electrodes and their cable; ask for a deep breath."},
	stream.Gaze: {"Eyes not found", "Ask the participant to face the screen; check distance and reflections on glasses."},
	stream.Face: {"No face in the picture", "Ask the participant to sit back; check the light and where the camera points."},
}

// alarms lists what deviates, the worst first. Waiting is what the participant's
// screen waits for, "" for nothing.
func alarms(streams []Health, diskFree int64, recording bool, waiting string) []Alarm {
	var major, minor []Alarm
	if waiting != "" { // nothing is shown, and the session stands still, until somebody notices
		major = append(major, Alarm{"stage/waiting", Major, "The participant's screen waits for " + waiting,
			"Press any key there."})
	}
	number := map[stream.Kind]int{}
	for _, h := range streams {
		number[h.Info.Kind]++
	}
	for _, h := range streams {
		id, name := h.Info.ID, names[h.Info.Kind]
		if number[h.Info.Kind] > 1 { // two of one kind are told apart
			name += " " + id
		}
		u, mayBeUseless := useless[h.Info.Kind]
		switch {
		case h.Info.Kind == stream.Trace:
		case !h.Connected:
			advice := "Check the cable and the power; it is picked up again by itself."
			if h.Info.Port != "" {
				advice = fmt.Sprintf("Check cable and power at %s; it is picked up again by itself.", h.Info.Port)
			}
			if h.Info.Kind == stream.Stimulus {
				advice = "Open the participant's address that Emolab printed at its start, on that screen."
			}
			major = append(major, Alarm{id + "/disconnected", Major, name + " is not connected", advice})
		case h.Info.Rate > 0 && h.AgeMs > silentAfterMs:
			major = append(major, Alarm{id + "/silent", Major,
				fmt.Sprintf("%s: no data for %.0f s", name, h.AgeMs/1000),
				"Switch the device off and on; check that nothing else is using it."})
		case h.Info.Rate > 0 && h.Rate > 0 && h.Rate < slowBelow*h.Info.Rate:
			minor = append(minor, Alarm{id + "/slow", Minor,
				fmt.Sprintf("%s: %.0f of %.0f samples a second", name, h.Rate, h.Info.Rate),
				"Close other programs; use a port of its own on the computer, not a hub."})
		case h.Advice != "": // of a camera; it says more than that no face is found
			view := seeing(h)
			if view.Severity == Major {
				major = append(major, view)
			} else {
				minor = append(minor, view)
			}
		case mayBeUseless && h.UsableAgeMs > unusableAfterMs:
			major = append(major, Alarm{id + "/useless", Major, fmt.Sprintf("%s for %.0f s", u[0], h.UsableAgeMs/1000), u[1]})
		}
		// A camera's stamps are as good as the camera is, from the first to the last:
		// nothing that anyone could mend during a session.
		stamped := h.Info.Clock == stream.HostClock || h.Info.Clock == stream.ArrivalClock
		if h.Connected && !stamped && h.Clock.BoundMs > boundLimit(h) {
			minor = append(minor, Alarm{id + "/clock", Minor,
				fmt.Sprintf("%s: time known to ±%.0f ms only", name, h.Clock.BoundMs),
				"It narrows within seconds of a connection; if it stays, the computer is too busy."})
		}
	}
	switch {
	case diskFree < DiskStop:
		text := "Disk full: no session can be started"
		if recording {
			text = "Disk full: the session is being closed"
		}
		major = append(major, Alarm{"disk/full", Major, text, "Move old bundles away, then continue."})
	case diskFree < DiskWarn:
		minor = append(minor, Alarm{"disk/low", Minor,
			fmt.Sprintf("Disk: %.1f GB left", float64(diskFree)/(1<<30)), "Move old bundles away after this participant."})
	}
	return append(major, minor...)
}

// notShown is the alarm of a step that the participant's screen does not show.
func notShown(step string) Alarm {
	return Alarm{"stage/stuck", Major, "The participant's screen does not go on: it does not show " + step,
		"Look at that screen: is the page in front, awake and in full screen? Reload it there (F5), or stop the session."}
}

// overslept is the alarm of a session in which the computer slept; none in which it
// did not.
func overslept(slept time.Duration) []Alarm {
	if slept == 0 {
		return nil
	}
	return []Alarm{{"computer/slept", Major, fmt.Sprintf("The computer slept for %.1f s in this session", slept.Seconds()),
		"Switch sleep and suspend off in its power settings; nothing was recorded meanwhile."}}
}

// boundLimit is how badly a stream's time may be known, in ms. Of a device that only
// counts its samples it is never known better than to a sample and a batch, and to
// one more when some are lost. A latency that nobody has measured is said of the
// stream, and is no alarm: it is there from the first session to the last.
func boundLimit(h Health) float64 {
	limit := boundLimitMs + h.UnseenMs
	if h.Info.Clock == stream.CountedClock && h.Info.Rate > 0 {
		limit += 2 * 1000 / h.Info.Rate
	}
	return limit
}

// seeing is the alarm of a camera that does not see the face as it should: what
// is wrong, and after the colon what to do.
func seeing(h Health) Alarm {
	text, advice, _ := strings.Cut(h.Advice, ": ")
	if advice != "" {
		advice = strings.ToUpper(advice[:1]) + advice[1:] + "."
	}
	severity := Minor
	if h.UsableAgeMs > unusableAfterMs {
		severity = Major
	}
	return Alarm{h.Info.ID + "/view", severity, text, advice}
}
