package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/visibility"
	"emolab/studies/study"
)

// ErrNotReady is returned by Begin when no participant waits for it.
var ErrNotReady = errors.New("the participant has not come to the end of the questions yet")

const (
	// seatPatience is how long seat and light are put right before the session goes on
	// as it is: the operator sees the same advice, and can help.
	seatPatience = 45 * time.Second
	// seatGood is how long nothing may be wrong before it counts as good: longer than
	// the watch takes to raise a fault.
	seatGood = 2 * time.Second
	// seatLook is how often the camera is asked.
	seatLook = 250 * time.Millisecond
)

// gate is a Begin step: the participant waits, and what comes after it is recorded.
// The operator begins; in a simulated lab at whose console nobody watches, it begins by
// itself.
func (v *visit) gate(ctx context.Context, _ study.Step, on Surface) error {
	if v.recording() { // the page came back in the moment after it had begun
		return nil
	}
	if _, err := on.Cue(ctx, CueBegin); err != nil {
		return err
	}
	begin := make(chan struct{}, 1)
	v.m.mu.Lock()
	v.cur.gate = begin
	v.m.mu.Unlock()
	defer func() {
		v.m.mu.Lock()
		v.cur.gate = nil
		v.m.mu.Unlock()
	}()
	look := time.NewTicker(seatLook)
	defer look.Stop()
	for waits := true; waits; {
		select {
		case <-begin:
			waits = false
		case <-look.C:
			waits = !v.m.virtual() || v.m.attended()
		case <-ctx.Done():
			v.m.mu.Lock()
			v.cur.gate = nil // from here on nobody is told that it begins
			v.m.mu.Unlock()
			select {
			case <-begin: // in the moment in which the page went: it comes back and finds it begun
				waits = false
			default:
				return ctx.Err()
			}
		}
	}
	err := v.record()
	if errors.Is(err, errStopped) { // in the moment in which it begins: Present ends this step
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// record begins the recording: everything of the devices from now on, and the video of
// the face if the participant has allowed it. A session that was stopped in the same
// moment has no recording.
func (v *visit) record() error {
	seg, err := v.m.segment()
	if err != nil {
		return err
	}
	streams := v.m.o.Lab.Streams()
	o := v.m.opening(v.cur.id, seg.Start)
	v.m.mu.Lock()
	halted := v.cur.halted || v.cur.ended != nil
	if !halted {
		seg.Number = v.cur.segment.Number
		v.cur.segment, v.cur.state = seg, Recording
	}
	v.m.mu.Unlock()
	if halted {
		o.sub.Close()
		return errStopped
	}
	if err := v.desk.open("begin the recording", o, func(ctx context.Context, rec Recorder) error {
		return rec.Record(ctx, seg, streams)
	}); err != nil {
		return err
	}
	v.m.o.Lab.recount()
	v.m.o.Log.Info("recording", "session", v.cur.id)
	v.rolls(o)
	return nil
}

// rolls tells that samples are recorded from an opening on, and films the face if the
// participant has allowed it.
func (v *visit) rolls(o *opening) {
	v.m.measures(v.cur, o.since)
	v.film(o.since)
}

// film keeps the video of the face as it was taken from since on, if the participant has
// allowed it.
func (v *visit) film(since instant.Instant) {
	if slices.Contains(v.granted, FaceVideo) {
		v.m.startFilm(v.cur, since)
	}
}

// virtual tells whether every device of the lab is simulated, the participant's screen
// aside, and so the participant.
func (m *Manager) virtual() bool {
	some := false
	for _, info := range m.o.Lab.Streams() {
		switch {
		case info.Kind == stream.Stimulus || info.Kind == stream.Trace:
		case !info.Simulated:
			return false
		default:
			some = true
		}
	}
	return some
}

// Begin begins the recording of the participant who waits for it.
func (m *Manager) Begin() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current == nil || m.current.gate == nil || m.current.halted || m.current.ended != nil {
		return ErrNotReady
	}
	m.current.gate <- struct{}{} // has room for the one
	m.current.gate = nil
	return nil
}

// seat is a Camera step: it tells the participant how to sit, until the camera sees the
// face well or patience is over. It never holds the session up for longer.
func (v *visit) seat(ctx context.Context, step study.Step, on Surface) error {
	if _, ok := v.m.o.Lab.first(stream.Face); !ok {
		v.m.o.Log.Warn("step passed over", "step", step.Index+1, "action", step.Action, "reason", "no camera in this lab")
		return nil
	}
	look := time.NewTicker(seatLook)
	defer look.Stop()
	said, good := "", time.Duration(0)
	for past := time.Duration(0); past < seatPatience; past += seatLook {
		cue := seatCue(v.m.o.Lab.view())
		if cue == CueSeatGood {
			good += seatLook
		} else {
			good = 0
		}
		if cue != said && (cue != CueSeatGood || said == "" || good >= seatGood/2) {
			if _, err := on.Cue(ctx, cue); err != nil {
				return err
			}
			said = cue
		}
		if good >= seatGood {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// seatCue is what the participant is asked for what the camera sees. What only the
// operator can mend is not said to the participant.
func seatCue(fault visibility.Mask, noFace bool) string {
	switch {
	case noFace && fault == 0:
		return CueFaceMissing
	case fault == visibility.TooDark:
		return CueMoreLight
	case fault == visibility.BackLit:
		return CueLightBehind
	case fault == visibility.Glare:
		return CueGlasses
	case fault == visibility.TooSmall:
		return CueCloser
	case fault == visibility.TurnedAway:
		return CueLookHere
	case fault == visibility.OutOfFrame:
		return CueMiddle
	case fault == visibility.MouthCovered:
		return CueHandsDown
	case fault == visibility.Several:
		return CueAlone
	}
	return CueSeatGood
}

// view is what is worst in what the first camera sees. A camera that delivers nothing
// sees no face.
func (l *Lab) view() (fault visibility.Mask, noFace bool) {
	info, ok := l.first(stream.Face)
	if !ok {
		return 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.meters[info.ID]
	if now := m.read(l.clock.Now()); !now.Connected || now.AgeMs > silentAfterMs {
		return 0, true
	}
	return m.watch.Worst()
}

// lead leads the steps that no page can go through by itself.
func (v *visit) lead(led *leader) Procedure {
	return func(ctx context.Context, step study.Step, on Surface) error {
		switch step.Action {
		case study.Begin:
			return v.gate(ctx, step, on)
		case study.Camera:
			return v.seat(ctx, step, on)
		}
		if !v.recording() {
			return fmt.Errorf("step %d (%s) comes before the recording", step.Index+1, step.Action)
		}
		return led.lead(ctx, step, on)
	}
}
