package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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

// gate is a Begin step: the participant waits, and what comes after it is recorded. Before
// they wait they count a few tones, where the study has any sound. The operator begins; in
// a simulated lab at whose console nobody watches, it begins by itself.
func (v *visit) gate(ctx context.Context, _ study.Step, on Surface) error {
	if v.recording() { // the page came back in the moment after it had begun
		return nil
	}
	begin := make(chan struct{}, 1)
	asking, stop := context.WithCancel(ctx)
	asked := make(chan error, 1)
	var leading sync.WaitGroup
	leading.Go(func() { asked <- v.prepare(asking, on, func() { v.waitFor(begin) }) })
	err := v.begun(ctx, begin, asked)
	stop()
	leading.Wait()
	v.waitFor(nil)
	if err != nil {
		return err
	}
	err = v.record()
	if errors.Is(err, errStopped) { // in the moment in which it begins: Present ends this step
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// prepare has the participant hear the sound, and then wait. It calls waits as soon as the
// operator may begin.
func (v *visit) prepare(ctx context.Context, on Surface, waits func()) error {
	if sounds(v.m.o.Study) {
		if err := v.listen(ctx, on, waits); err != nil {
			return err
		}
	}
	if _, err := on.Cue(ctx, CueBegin); err != nil {
		return err
	}
	waits()
	return nil
}

// waitFor says through which channel the operator begins; nil: nobody waits for that.
func (v *visit) waitFor(begin chan<- struct{}) {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.cur.gate = begin
}

// begun waits until the recording is to begin, and returns when nothing is asked of the
// participant any more. Who begins in the moment in which the page goes has begun: it
// comes back and finds it so.
func (v *visit) begun(ctx context.Context, begin <-chan struct{}, asked <-chan error) error {
	look := time.NewTicker(seatLook)
	defer look.Stop()
	for prepared := false; ; {
		select {
		case <-begin:
			return nil
		case err := <-asked:
			prepared, asked = true, nil
			if err == nil {
				continue
			}
			v.waitFor(nil) // from here on nobody is told that it begins
			select {
			case <-begin:
				return nil
			default:
				return err
			}
		case <-look.C:
			if prepared && v.m.virtual() && !v.m.attended() {
				return nil
			}
		case <-ctx.Done():
			v.waitFor(nil)
			select {
			case <-begin:
				return nil
			default:
				return ctx.Err()
			}
		}
	}
}

// record begins the recording: everything of the devices from now on, and the video of
// the face if the participant has allowed it. A session that was stopped in the same
// moment has no recording.
func (v *visit) record() error {
	seg, err := v.m.segment()
	if err != nil {
		return err
	}
	streams := v.m.streams()
	v.m.mu.Lock()
	overrides := slices.Clone(v.cur.overrides)
	v.m.mu.Unlock()
	o := v.m.opening(v.cur.id, overrides, seg.Start)
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
		if err := rec.Record(ctx, seg, streams); err != nil {
			return err
		}
		return keepOverrides(ctx, rec, overrides, AtBegin)
	}); err != nil {
		return err
	}
	v.m.o.Lab.recount()
	v.m.o.Log.Info("recording", "session", v.cur.id)
	v.m.measures(v.cur, o.since)
	v.film(o.since)
	return nil
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

// Begin begins the recording of the participant who waits for it. What is missing is a
// *NotReadyError, unless it says why it begins all the same.
func (m *Manager) Begin(b Beginning) error {
	checks := m.Status().Readiness
	m.mu.Lock()
	defer m.mu.Unlock()
	cur := m.current
	if cur == nil || cur.gate == nil || cur.halted || cur.ended != nil {
		if left := toCome(checks); cur != nil && left != "" {
			return fmt.Errorf("%w; still to come: %s", ErrNotReady, left)
		}
		return ErrNotReady
	}
	override, err := pass(AtBegin, checks, b.Override, m.o.Clock.Now())
	if err != nil {
		return err
	}
	if !confirms(b.Confirm, cur.participant) {
		return ErrNotConfirmed
	}
	if override != nil {
		cur.overrides = append(cur.overrides, *override)
	}
	cur.confirmed.Operator = true
	select {
	case cur.gate <- struct{}{}: // has room for the one
	default: // it has begun, and the participant is still on the way
	}
	cur.gate = nil
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
			v.found(seatFound{over: true})
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	v.found(seatFound{over: true, fault: v.m.o.Lab.hindrance()})
	return nil
}

// found notes what a Camera step came to.
func (v *visit) found(f seatFound) {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	v.cur.seated = f
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

// hindrance is what hinders the first camera to see the face, in words; "" = nothing.
func (l *Lab) hindrance() string {
	info, _ := l.first(stream.Face)
	for _, h := range l.Health() {
		if h.Info.ID == info.ID && h.Advice != "" {
			return h.Advice
		}
	}
	return "No face is seen: look where the camera points"
}

// lead leads the steps that no page can go through by itself.
func (v *visit) lead(led *leader) Procedure {
	return func(ctx context.Context, step study.Step, on Surface) error {
		switch step.Action {
		case study.Begin:
			return v.gate(ctx, step, on)
		case study.Camera:
			return v.seat(ctx, step, on)
		case study.Reshow:
			return nil // ruled settles it
		}
		if !v.recording() {
			return fmt.Errorf("step %d (%s) comes before the recording", step.Index+1, step.Action)
		}
		return led.lead(ctx, step, on)
	}
}
