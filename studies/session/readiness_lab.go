package session

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"emolab/fusion/stream"
	"emolab/studies/study"
)

const (
	// clockSettles is for how long a stream has delivered before the error of its clock
	// counts against it: it narrows until then, and what is known of the first seconds
	// stays in the statement for a while.
	clockSettles = 30 // seconds
	// roomFor is how many sessions such as the next one there has to be room for.
	roomFor = 2
	// noted of 32 hexadecimal digits tell a text from another well enough for the eye.
	noted = 8
)

// ready is what a lab's readiness is told from.
type ready struct {
	study   *study.Study
	plan    study.Plan    // of the session; empty before there is one
	lasts   time.Duration // of a session, about
	gate    string        // that comes next
	streams []Health
	stage   bool   // the participant's screen is open
	waiting string // what it waits for
	// calibrates tells that the study calibrates the gaze, and own that the tracker does so by
	// itself; assumed, that nobody has measured the participant's screen.
	calibrates, own, assumed bool
	disk                     int64 // free bytes
}

// lab lists what the lab itself needs, in the order in which somebody puts it right: the
// participant's screen, the devices, their clocks, the calibration to come, the disk.
func (r ready) lab() []Readiness {
	all := []Readiness{r.screen()}
	for _, kind := range []stream.Kind{stream.Face, stream.Gaze, stream.EDA, stream.Light, stream.Trigger} {
		if need, min := needed(r.study, kind); need || r.has(kind) {
			all = append(all, r.device(kind, need, min))
		}
	}
	if clock := r.clock(); clock.ID != "" {
		all = append(all, clock)
	}
	if gaze := r.calibration(); gaze.ID != "" {
		all = append(all, gaze)
	}
	all = append(all, r.room())
	for i := range all {
		all[i].Gate = r.gate
	}
	return all
}

// needed tells whether a study needs devices of a kind, and how many samples a second; 0
// = as many as they deliver.
func needed(st *study.Study, kind stream.Kind) (need bool, hz float64) {
	rules, devices := st.Rules, st.Devices
	switch kind {
	case stream.Face:
		return rules.NeedsFace || devices.NeedsCamera, devices.CameraMinFPS
	case stream.Gaze:
		return rules.NeedsGaze || devices.NeedsGaze, devices.GazeMinHz
	case stream.EDA:
		return rules.NeedsEDA || devices.NeedsEDA, devices.EDAMinHz
	}
	return false, 0
}

func (r ready) has(kind stream.Kind) bool {
	return slices.ContainsFunc(r.streams, func(h Health) bool { return h.Info.Kind == kind })
}

func (r ready) screen() Readiness {
	c := Readiness{ID: "stage", Label: "Participant's screen", Level: ReadyOK, Text: "The participant's screen is open"}
	switch {
	case !r.stage:
		c.Level, c.Text = ReadyMissing, "The participant's screen is not open"
		c.Advice = "Open the participant's address that Emolab printed at its start, on that screen."
	case r.waiting != "":
		c.Level, c.Text, c.Advice = ReadyAttention, "The participant's screen waits for "+r.waiting, "Press any key there."
	}
	return c
}

// device checks the devices of a kind: the best of them tells, and the others are looked
// at. What they measure is not told, only whether they do.
func (r ready) device(kind stream.Kind, need bool, hz float64) Readiness {
	c := Readiness{ID: "device/" + string(kind), Label: names[kind], Level: ReadyMissing,
		Text: names[kind] + " is not in this lab", Advice: "Name it in lab.yaml and start Emolab again; `emolab devices` lists what is there."}
	var rest []Readiness
	for _, h := range r.streams {
		if h.Info.Kind != kind {
			continue
		}
		found := delivers(h, hz)
		found.ID, found.Label = c.ID, c.Label
		if rest == nil || worse(c.Level, found.Level) {
			c = found
		}
		rest = append(rest, found)
	}
	for _, other := range rest { // one of two is not as it should be
		if c.Level == ReadyOK && other.Level != ReadyOK {
			c = other
			c.Level = ReadyAttention
		}
	}
	if c.Level == ReadyMissing && !need {
		c.Level = ReadyAttention
		c.Text += "; this study does without it"
	}
	return c
}

// worse tells whether a is worse than b.
func worse(a, b ReadyLevel) bool {
	order := []ReadyLevel{ReadyOK, ReadyAttention, ReadyWaiting, ReadyMissing}
	return slices.Index(order, a) > slices.Index(order, b)
}

// delivers checks one device.
func delivers(h Health, hz float64) Readiness {
	name := names[h.Info.Kind]
	c := Readiness{Level: ReadyOK, Text: name + " delivers"}
	if h.Info.Rate > 0 {
		c.Text = fmt.Sprintf("%s delivers %.0f a second", name, h.Rate)
	}
	view, advice, _ := strings.Cut(h.Advice, ": ")
	switch {
	case !h.Connected:
		c.Level, c.Text = ReadyMissing, name+" is not connected"
		c.Advice = "Check the cable and the power; it is picked up again by itself."
	case h.Info.Rate > 0 && h.AgeMs > silentAfterMs:
		c.Level, c.Text = ReadyMissing, name+" delivers nothing"
		c.Advice = silentAdvice(h)
	case h.Info.Rate > 0 && h.Info.Rate < hz:
		c.Level, c.Text = ReadyMissing, fmt.Sprintf("%s delivers %.0f a second; the study needs %.0f", name, h.Info.Rate, hz)
		c.Advice = "Set it to a higher rate in lab.yaml, or take another device."
	case h.Info.Rate > 0 && h.Rate < slowBelow*max(h.Info.Rate, hz):
		c.Level, c.Text = ReadyAttention, fmt.Sprintf("%s delivers %.0f of %.0f a second", name, h.Rate, max(h.Info.Rate, hz))
		c.Advice = slowAdvice(h)
	case h.Advice != "":
		c.Level, c.Text, c.Advice = ReadyAttention, view, toDo(advice)
	}
	return c
}

// toDo makes a sentence of what is to be done.
func toDo(words string) string {
	if words == "" {
		return "Look at it."
	}
	return strings.ToUpper(words[:1]) + words[1:] + "."
}

// clock checks how well the times of the streams are known that the study needs; no ID
// where no time has to be known, or none is there.
func (r ready) clock() Readiness {
	limit := r.study.Rules.MaxSyncMs
	var c Readiness
	for _, h := range r.streams {
		need, _ := needed(r.study, h.Info.Kind)
		if !need || !h.Connected || limit == 0 {
			continue
		}
		// A camera's stamps are as good as the camera is: nobody mends them here.
		stamped := h.Info.Clock == stream.HostClock || h.Info.Clock == stream.ArrivalClock
		within := boundLimit(h) - boundLimitMs + limit
		found := Readiness{ID: "clock", Label: "Clocks", Level: ReadyOK,
			Text: fmt.Sprintf("Times are known to ±%.0f ms (%s)", h.Clock.BoundMs, strings.ToLower(names[h.Info.Kind]))}
		switch {
		case !stamped && h.Clock.BoundMs > within:
			found.Level = ReadyMissing
			found.Text = fmt.Sprintf("%s: time known to ±%.0f ms only, the study needs ±%.0f ms", names[h.Info.Kind], h.Clock.BoundMs, within)
			found.Advice = "Close other programs, then plug the device in again: the computer is too busy."
			if float64(h.Clock.Samples) < clockSettles*h.Info.Rate {
				found.Level, found.Advice = ReadyAttention, "It narrows within seconds of a connection: wait a moment."
			}
		case h.Clock.BoundMs > limit: // by what the device itself is; the sealed session will not count
			found.Level = ReadyAttention
			found.Text = fmt.Sprintf("%s: time known to ±%.0f ms; sessions of this study count within ±%.0f ms", names[h.Info.Kind], h.Clock.BoundMs, limit)
			found.Advice = boundAdvice(h)
		case stamped:
			continue
		}
		if c.ID == "" || worse(found.Level, c.Level) {
			c = found
		}
	}
	return c
}

// boundAdvice is what can be done where a device's time cannot be known as well as the study
// asks for.
func boundAdvice(h Health) string {
	const otherwise = ", or set thresholds.max_sync_error_ms in the study."
	of := measures[h.Info.Kind]
	switch {
	case h.Info.Kind == stream.Face && h.Info.Clock == stream.PingedClock:
		return "Use a camera on this computer" + otherwise
	case h.UnseenMs > 0 && of[1] != "":
		return "Measure its latency (" + of[1] + ")" + otherwise
	}
	return "Take a device that stamps its samples" + otherwise
}

// calibration says what will be done about the error of the gaze, once the recording has
// begun; no ID in a lab without an eye tracker.
func (r ready) calibration() Readiness {
	if !r.has(stream.Gaze) {
		return Readiness{}
	}
	c := Readiness{ID: "calibration", Label: "Calibration", Level: ReadyOK, Text: "This study does not calibrate the gaze"}
	need, _ := needed(r.study, stream.Gaze)
	switch limits := gazeLimits(r.study); {
	case r.calibrates && r.own:
		c.Text = "The eye tracker calibrates itself once the recording has begun"
	case r.calibrates:
		c.Text = fmt.Sprintf("The gaze is calibrated once the recording has begun: %d targets, checked on %d others", limits.CalibratePoints, limits.ValidatePoints)
	case need:
		c.Level, c.Text = ReadyAttention, "This study needs the gaze and does not calibrate it"
		c.Advice = "Calibrate in the tracker's own program first, or put a calibration into the study."
	}
	if r.assumed {
		c.Text += "; degrees are those of an assumed screen"
	}
	return c
}

// room checks the disk, in hours of recording.
func (r ready) room() Readiness {
	hours := RecordingHours(r.disk, asksForVideo(r.study))
	c := Readiness{ID: "disk", Label: "Disk", Level: ReadyOK,
		Text: fmt.Sprintf("Room for %s hours of recording", inHours(hours))}
	switch {
	case r.disk <= DiskStop || hours < roomFor*r.lasts.Hours():
		c.Level, c.Text = ReadyMissing, fmt.Sprintf("Too little room on the disk: %s hours of recording", inHours(hours))
		c.Advice = "Move old bundles away."
	case r.disk < DiskWarn || hours < diskWarnHours:
		c.Level, c.Text = ReadyAttention, fmt.Sprintf("The disk has room for %s hours of recording", inHours(hours))
		c.Advice = "Move old bundles away after this participant."
	}
	return c
}

// asksForVideo tells whether participants may be filmed.
func asksForVideo(st *study.Study) bool {
	return slices.ContainsFunc(st.Sheets, func(s study.Sheet) bool {
		return slices.ContainsFunc(s.Fields, func(f study.Field) bool { return f.Type == study.ScopeField && f.ID == FaceVideo })
	})
}
