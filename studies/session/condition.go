package session

import (
	"fmt"
	"strings"
	"time"

	"emolab/fusion/stream"
	"emolab/studies/alarm"
)

const (
	// silentAfterMs: a connected stream without data for this long is in trouble.
	silentAfterMs = 1500
	// slowBelow is the share of the nominal rate below which a stream is slow.
	slowBelow = 0.8
	// unusableAfterMs: longer than any blink or glance away.
	unusableAfterMs = 3000
	// boundLimitMs is the default of thresholds.max_sync_error_ms.
	boundLimitMs = 25
	// outsideAfterMs: skin conductance is beyond its range for a moment when somebody
	// touches the electrodes; asideAfterMs: nobody looks beside a clip for so long unseen.
	outsideAfterMs = 3000
	asideAfterMs   = 10_000
	// gapsAbove is the share of the samples of the latest lossWindow from which losses are
	// no single mishaps any more.
	gapsAbove = .05
	// behindAbove is how many chunks wait for the disk when it does not keep up: a
	// quarter of what may, some 5 s.
	behindAbove = backlog / 4
	// diskWarnHours is what is left for half a day.
	diskWarnHours = 4

	// minorDelay keeps off the board what is over before anybody could look.
	minorDelay = 2 * time.Second
	// firstSight is how long a device may take to show itself when the lab starts.
	firstSight = 10 * time.Second
)

// The panels of the console at which an alarm is to be seen.
const (
	panelStreams = "streams"
	panelPicture = "picture"
	panelGaze    = "gaze"
	panelEDA     = "eda"
	panelDisk    = "disk"
	panelStage   = "stage"
)

// panels are those of what devices deliver; that they do not is to be seen at panelStreams.
var panels = map[stream.Kind]string{
	stream.EDA: panelEDA, stream.Gaze: panelGaze, stream.Face: panelPicture,
}

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

// situation is what a look at the lab has found.
type situation struct {
	streams   []Health
	diskFree  int64
	diskHours float64
	recording bool   // a session is being recorded
	live      bool   // what is measured may be spoken of
	waiting   string // what the participant's screen waits for; "" = nothing
	behind    int    // chunks that wait for the disk
	idle      bool   // no session is prepared or recorded: what deviates harms nothing
}

// conditions lists what deviates.
func (s situation) conditions() []alarm.Condition {
	all := s.deviations()
	for i := range all {
		all[i].Idle = s.idle
	}
	return all
}

func (s situation) deviations() []alarm.Condition {
	var out []alarm.Condition
	if s.waiting != "" { // nothing is shown, and the session stands still, until somebody notices
		out = append(out, alarm.Condition{ID: "stage/waiting", Severity: Major, Panel: panelStage,
			Text: "The participant's screen waits for " + s.waiting, Advice: "Press any key there."})
	}
	number := map[stream.Kind]int{}
	for _, h := range s.streams {
		number[h.Info.Kind]++
	}
	named := func(h Health) string {
		if number[h.Info.Kind] > 1 { // two of one kind are told apart
			return names[h.Info.Kind] + " " + h.Info.ID
		}
		return names[h.Info.Kind]
	}
	busy, tooBusy := s.busy(named)
	if tooBusy {
		out = append(out, busy)
	}
	for _, h := range s.streams {
		if h.Info.Kind == stream.Trace {
			continue
		}
		name := named(h)
		if c, is := delivery(h, name); is {
			out = append(out, c)
		} else if h.slow() && !h.lossy() && !tooBusy { // what loses samples is slow by that
			out = append(out, alarm.Condition{ID: h.Info.ID + "/slow", Severity: Minor, Panel: panelStreams, Delay: minorDelay,
				Text:   fmt.Sprintf("%s: %.0f of %.0f samples a second", name, h.Rate, h.Info.Rate),
				Advice: slowAdvice(h)})
		} else if c, is := s.content(h); is {
			out = append(out, c)
		}
		if h.lossy() && !tooBusy {
			out = append(out, alarm.Condition{ID: h.Info.ID + "/gaps", Severity: Minor, Panel: panelStreams, Delay: minorDelay,
				Text:   fmt.Sprintf("%s: %.0f %% of the latest %.0f s are lost", name, 100*h.lostShare, lossWindow.Seconds()),
				Advice: lossAdvice(h)})
		}
		// A camera's stamps are as good as the camera is, from the first to the last:
		// nothing that anyone could mend during a session.
		stamped := h.Info.Clock == stream.HostClock || h.Info.Clock == stream.ArrivalClock
		if h.Connected && !stamped && h.Clock.BoundMs > boundLimit(h) {
			out = append(out, alarm.Condition{ID: h.Info.ID + "/clock", Severity: Minor, Panel: panelStreams, Delay: minorDelay,
				Text:   fmt.Sprintf("%s: time known to ±%.0f ms only", name, h.Clock.BoundMs),
				Advice: "It narrows within seconds of a connection; if it stays, the computer is too busy."})
		}
	}
	return append(out, s.disk()...)
}

// busy is the condition of several streams that are slow or lose samples at once, if they
// do: no two devices fail together, so it is the computer that does.
func (s situation) busy(named func(Health) string) (c alarm.Condition, is bool) {
	var all []string
	for _, h := range s.streams {
		if h.Info.Kind != stream.Trace && !h.silent() && (h.slow() || h.lossy()) {
			name := named(h)
			all = append(all, strings.ToLower(name[:1])+name[1:])
		}
	}
	if len(all) < 2 {
		return c, false
	}
	c = alarm.Condition{ID: "computer/busy", Severity: Minor, Panel: panelStreams, Delay: minorDelay,
		Text:   fmt.Sprintf("This computer is too busy: %s and %s are slow", strings.Join(all[:len(all)-1], ", "), all[len(all)-1]),
		Advice: "Close other programs on it, and other windows of the browser."}
	if s.behind > behindAbove {
		c.Severity, c.Delay = Major, 0
	}
	return c, true
}

// silent: a connected device that ought to deliver does not.
func (h Health) silent() bool { return h.Connected && h.Info.Rate > 0 && h.AgeMs > silentAfterMs }

// slow: it delivers, and clearly less than it should.
func (h Health) slow() bool {
	return h.Connected && h.Info.Rate > 0 && h.Rate > 0 && h.Rate < slowBelow*h.Info.Rate
}

// lossy: more of its samples are lost than by mishaps.
func (h Health) lossy() bool { return h.Connected && h.lostShare > gapsAbove }

// ofSimulated is what can be done about a simulated device: it has no cable.
const ofSimulated = "It is simulated: close other programs."

func silentAdvice(h Health) string {
	if h.Info.Simulated {
		return ofSimulated
	}
	return "Switch the device off and on; check that nothing else is using it."
}

func slowAdvice(h Health) string {
	if h.Info.Simulated {
		return ofSimulated
	}
	return "Close other programs; use a port of its own on the computer, not a hub."
}

func lossAdvice(h Health) string {
	if h.Info.Simulated || h.Info.Kind == stream.Face {
		return slowAdvice(h)
	}
	return "Bring a wireless device nearer; use a port of its own on the computer, not a hub."
}

// delivery is what keeps a device from delivering anything, if something does.
func delivery(h Health, name string) (c alarm.Condition, is bool) {
	c = alarm.Condition{Severity: Major, Panel: panelStreams}
	switch {
	case !h.Connected:
		c.ID = h.Info.ID + "/disconnected"
		if h.AgeMs < 0 { // it has not been there since the lab started
			c.Delay = firstSight
		}
		c.Text, c.Advice = name+" is not connected", "Check the cable and the power; it is picked up again by itself."
		switch {
		case h.Info.Kind == stream.Stimulus:
			c.Panel = panelStage
			c.Advice = "Open the participant's address that Emolab printed at its start, on that screen."
		case h.Info.Port != "":
			c.Advice = fmt.Sprintf("Check cable and power at %s; it is picked up again by itself.", h.Info.Port)
		}
	case h.silent():
		c.ID = h.Info.ID + "/silent"
		c.Text = fmt.Sprintf("%s: no data for %.0f s", name, h.AgeMs/1000)
		c.Advice = silentAdvice(h)
	default:
		return c, false
	}
	return c, true
}

// content is what is wrong with what a device delivers, if anything.
func (s situation) content(h Health) (c alarm.Condition, is bool) {
	u, mayBeUseless := useless[h.Info.Kind]
	c = alarm.Condition{Severity: Minor, Panel: panels[h.Info.Kind], Delay: minorDelay}
	switch {
	case h.Advice != "": // of a camera; it says more than that no face is found
		return seeing(h), true
	case mayBeUseless && h.UsableAgeMs > unusableAfterMs:
		c.ID, c.Severity, c.Delay = h.Info.ID+"/useless", Major, 0
		c.Text, c.Advice = fmt.Sprintf("%s for %.0f s", u[0], h.UsableAgeMs/1000), u[1]
	case h.Info.Kind == stream.EDA && h.outsideMs > outsideAfterMs:
		c.ID = h.Info.ID + "/range"
		c.Text = "Skin conductance is beyond what a good contact gives"
		c.Advice = "Press the electrodes on, with fresh gel; look whether the device's range fits."
	case h.Info.Kind == stream.Gaze && s.live && h.outsideMs > asideAfterMs:
		c.ID = h.Info.ID + "/aside"
		c.Text = fmt.Sprintf("Gaze beside the screen for %.0f s", h.outsideMs/1000)
		c.Advice = "Look whether the participant watches; if they do, the tracker has moved: calibrate again after this clip."
	default:
		return c, false
	}
	return c, true
}

// disk is what is wrong with the disk.
func (s situation) disk() (out []alarm.Condition) {
	if s.behind > behindAbove {
		out = append(out, alarm.Condition{ID: "recorder/behind", Severity: Major, Panel: panelDisk,
			Text:   "The disk does not keep up with the recording",
			Advice: "Stop copying files and other programs; if it lasts, the session is closed with what is safe."})
	}
	c := alarm.Condition{ID: "disk/low", Severity: Minor, Panel: panelDisk, Advice: "Move old bundles away after this participant."}
	switch {
	case s.diskFree < DiskStop:
		c.ID, c.Severity, c.Text, c.Advice = "disk/full", Major, "Disk full: no session can be started", "Move old bundles away, then continue."
		if s.recording {
			c.Text = "Disk full: the session is being closed"
		}
	case s.diskFree < DiskWarn || s.diskHours < diskWarnHours:
		c.Text = fmt.Sprintf("Disk: %.1f GB left, for %s hours", float64(s.diskFree)/(1<<30), inHours(s.diskHours))
	default:
		return out
	}
	return append(out, c)
}

// notShown is the condition of a step that the participant's screen does not show.
func notShown(step string) alarm.Condition {
	return alarm.Condition{ID: "stage/stuck", Severity: Major, Panel: panelStage,
		Text:   "The participant's screen does not go on: it does not show " + step,
		Advice: "Look at that screen: is the page in front, awake and in full screen? Reload it there (F5), or stop the session."}
}

// overslept is the condition of a session in which the computer slept.
func overslept(slept time.Duration) alarm.Condition {
	return alarm.Condition{ID: "computer/slept", Severity: Major, Panel: panelStreams,
		Text:   fmt.Sprintf("The computer slept for %.1f s in this session", slept.Seconds()),
		Advice: "Switch sleep and suspend off in its power settings; nothing was recorded meanwhile."}
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

// seeing is the condition of a camera that does not see the face as it should: what
// is wrong, and after the colon what to do.
func seeing(h Health) alarm.Condition {
	c := alarm.Condition{ID: h.Info.ID + "/view", Severity: Minor, Panel: panelPicture, Delay: minorDelay}
	text, advice, _ := strings.Cut(h.Advice, ": ")
	if advice != "" {
		advice = strings.ToUpper(advice[:1]) + advice[1:] + "."
	}
	if h.UsableAgeMs > unusableAfterMs {
		c.Severity, c.Delay = Major, 0
	}
	c.Text, c.Advice = text, advice
	return c
}
