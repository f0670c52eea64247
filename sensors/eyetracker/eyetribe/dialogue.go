package eyetribe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
	"emolab/sensors/device"
)

const (
	// answerWithin is how long an answer may take before the request is repeated.
	answerWithin = 500 * time.Millisecond
	// attempts per request, before the server is given up as not a tracker's.
	attempts = 8
	// maxReplies bounds the answers that wait to be looked at.
	maxReplies = 16

	// firstBeat is how often heartbeats are sent where the server does not state its
	// interval: as in the documentation's example.
	firstBeat = 250 * time.Millisecond
	// leastInterval and mostInterval bound the interval that the server may state:
	// no flood of heartbeats, and no silence until it hangs up.
	leastInterval = 100 * time.Millisecond
	mostInterval  = time.Minute

	// unfit is how many frames in a row may fit neither the one before nor the one
	// after: no damage is that thorough.
	unfit = 60
)

// What is said to the server, each on a line.
const (
	startPush = `{"category":"tracker","request":"set","values":{"push":true,"version":1}}` + "\n"
	endPush   = `{"category":"tracker","request":"set","values":{"push":false,"version":1}}` + "\n"
	askStatus = `{"category":"tracker","request":"get","values":["heartbeatinterval","trackerstate","framerate","iscalibrated","screenresw","screenresh"]}` + "\n"
	heartbeat = `{"category":"heartbeat"}` + "\n"
)

// reply is the server's answer to a request.
type reply struct {
	request string
	err     error // why it failed
}

// dialogue is one conversation with the tracker's server.
type dialogue struct {
	o   Options
	log *connection.Log

	// From Hear to Speak; what finds no place is dropped, and asked for again.
	replies  chan reply
	changed  chan struct{} // the server says that its status is another now
	interval atomic.Int64  // of heartbeats, ns
	ready    atomic.Bool   // all requests are answered

	// The rest belongs to Hear.
	splitter  Splitter
	faults    Faults // reported already
	connected bool
	status    status
	sequence  sequence
	damaged   int64 // frames in a row
}

// status is what the server says of itself.
type status struct {
	rate       int // frames per second; 0 = not said
	calibrated bool
	screen     device.Span // in px
}

func newDialogue(o Options, log *connection.Log) *dialogue {
	d := &dialogue{
		o: o, log: log,
		replies:  make(chan reply, maxReplies),
		changed:  make(chan struct{}, 1),
		sequence: sequence{rate: float64(o.nominal())},
	}
	d.interval.Store(int64(2 * firstBeat))
	return d
}

// Speak asks for the frames, and then sends heartbeats until ctx ends.
func (d *dialogue) Speak(ctx context.Context, w io.Writer) error {
	// A failing goodbye has no one left to tell.
	defer func() { _, _ = io.WriteString(w, endPush) }()
	for _, r := range []struct{ name, text string }{{"set", startPush}, {"get", askStatus}} {
		if err := d.ask(ctx, w, r.name, r.text); ctx.Err() != nil {
			return nil
		} else if err != nil {
			return err
		}
	}
	d.ready.Store(true)
	beat := time.NewTimer(0)
	defer beat.Stop()
	for {
		say := heartbeat
		select {
		case <-beat.C:
			// At half the interval, so that one that is late does no harm.
			beat.Reset(time.Duration(d.interval.Load()) / 2)
		case <-d.changed:
			say = askStatus // whose answer Hear takes up
		case <-ctx.Done():
			return nil
		}
		if _, err := io.WriteString(w, say); err != nil {
			return err
		}
	}
}

// ask sends a request until it is answered.
func (d *dialogue) ask(ctx context.Context, w io.Writer, name, text string) error {
	for range attempts {
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
		if r, ok := d.answered(ctx, name); ok {
			return r.err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.New("eyetribe: no answer: check that this is the address of the tracker's server")
}

// answered waits for the answer to a request, for as long as one may take.
func (d *dialogue) answered(ctx context.Context, name string) (reply, bool) {
	late := time.NewTimer(answerWithin)
	defer late.Stop()
	for {
		select {
		case r := <-d.replies:
			if r.request == name {
				return r, true
			}
		case <-late.C:
			return reply{}, false
		case <-ctx.Done():
			return reply{}, false
		}
	}
}

// Hear splits b and enters what it brought.
func (d *dialogue) Hear(b []byte, arrival instant.Instant) error {
	if d.ready.Load() && !d.connected {
		d.connect(arrival)
	}
	for len(b) > 0 {
		object, rest, ok := d.splitter.Next(b)
		if ok {
			if err := d.object(object, arrival); err != nil {
				return err
			}
		}
		b = rest
	}
	d.reportFaults()
	return nil
}

func (d *dialogue) connect(arrival instant.Instant) {
	d.connected = true
	d.log.Connected(arrival, fmt.Sprintf("Eye Tribe, %g frames a second", d.sequence.rate))
	if r := d.status.rate; r != 0 && r != d.o.nominal() {
		d.log.Mark(arrival, fmt.Sprintf("the tracker says that it makes %d frames a second, where %d were expected: set rate in lab.yaml", r, d.o.nominal()))
	}
	if !d.status.calibrated {
		d.log.Mark(arrival, "the tracker is not calibrated: it sends no points of gaze until it is")
	}
}

func (d *dialogue) object(object []byte, arrival instant.Instant) error {
	m, v, err := decode(object)
	if err != nil {
		d.log.Fault(1, "message that cannot be read")
		return nil
	}
	switch {
	case m.StatusCode == statusCalibrationChanged:
		d.change(arrival, "the tracker's calibration has changed")
	case m.StatusCode == statusDisplayChanged:
		d.change(arrival, "the tracker's screen has changed")
	case m.StatusCode == statusTrackerChanged:
		d.change(arrival, "the state of the tracker has changed")
	case m.Category != "tracker": // the answer to a heartbeat, a calibration of another program
	case v.Frame != nil:
		if d.connected { // otherwise not all is known yet
			return d.frame(v.Frame, arrival)
		}
	default:
		return d.reply(m, v)
	}
	return nil
}

func (d *dialogue) change(arrival instant.Instant, what string) {
	d.log.Mark(arrival, what)
	select {
	case d.changed <- struct{}{}:
	default: // it is asked for already
	}
}

// reply takes the answer to a request.
func (d *dialogue) reply(m message, v values) error {
	r := reply{request: m.Request}
	if m.StatusCode != statusOK {
		r.err = fmt.Errorf("eyetribe: the server refuses a request (status %d): %s", m.StatusCode, m.explanation())
	} else if m.Request == "get" {
		if err := d.update(v); err != nil {
			return err
		}
	}
	select {
	case d.replies <- r:
	default: // nobody waits for that many
	}
	return nil
}

// update takes the server's status.
func (d *dialogue) update(v values) error {
	if v.TrackerState != nil && *v.TrackerState != 0 {
		return fmt.Errorf("eyetribe: %s", trouble(*v.TrackerState))
	}
	if v.HeartbeatMS != nil {
		ms := min(max(*v.HeartbeatMS, float64(leastInterval.Milliseconds())), float64(mostInterval.Milliseconds()))
		d.interval.Store(int64(ms * float64(time.Millisecond)))
	}
	if v.FrameRate != nil && whole(*v.FrameRate, maxRate) {
		d.status.rate = int(*v.FrameRate)
		if d.o.Rate == 0 && d.status.rate != 0 {
			d.sequence.rate = *v.FrameRate
		}
	}
	d.status.calibrated = v.Calibrated == nil || *v.Calibrated
	if d.o.Screen != (device.Span{}) {
		d.status.screen = d.o.Screen
		return nil
	}
	if v.ScreenWidth == nil || v.ScreenHeight == nil || !(*v.ScreenWidth > 0 && *v.ScreenWidth <= maxPx && *v.ScreenHeight > 0 && *v.ScreenHeight <= maxPx) {
		return errors.New("eyetribe: the tracker does not say the size of its screen: state it in lab.yaml, for example screen: {right: 1920, bottom: 1080}")
	}
	d.status.screen = device.Span{Right: *v.ScreenWidth, Bottom: *v.ScreenHeight}
	return nil
}

// trouble says in words why the server has no tracker to serve.
func trouble(state float64) string {
	switch state {
	case 1:
		return "the server finds no tracker: plug it in"
	case 2:
		return "the tracker's firmware does not fit its server: update it"
	case 3:
		return "the tracker is on a port that is no USB 3: use another"
	case 4:
		return "no pictures come from the tracker: unplug it and plug it in again"
	}
	return fmt.Sprintf("the tracker is in state %v, which is not known", state)
}

func (d *dialogue) frame(sent *frame, arrival instant.Instant) error {
	f, err := sent.parse()
	if err != nil {
		d.log.Fault(1, "frame with a value missing or impossible")
		return nil
	}
	placed, n, damaged := d.sequence.take(f, arrival)
	d.log.Fault(damaged, "frame with a damaged time")
	if d.damaged += damaged; n > 0 {
		d.damaged = 0
	}
	if d.damaged >= unfit {
		return fmt.Errorf("eyetribe: the times of the frames do not fit %g frames a second: state the rate of this tracker (rate: in lab.yaml)", d.sequence.rate)
	}
	for _, p := range placed[:n] {
		if p.Rebased {
			d.log.Rebase(p.Arrival, "the tracker's clock began anew")
		}
		if p.Lost > 0 {
			d.log.Lost(p.Arrival, p.Lost)
		}
		d.log.Sample(p.TimeMS, p.Arrival, d.values(p.Frame))
	}
	return nil
}

// values returns the channels of a frame.
func (d *dialogue) values(f Frame) []float64 {
	x, y, valid := math.NaN(), math.NaN(), 0.
	if f.Gaze() {
		x, y = d.status.screen.Share(f.X, f.Y)
		valid = 1
	}
	return []float64{x, y, valid, math.NaN(), math.NaN(), f.X, f.Y, f.LeftPupil, f.RightPupil}
}

func (d *dialogue) reportFaults() {
	now, before := d.splitter.Faults(), d.faults
	d.log.Fault(now.Stray-before.Stray, "run of bytes outside of any message")
	d.log.Fault(now.Broken-before.Broken, "message cut off")
	d.log.Fault(now.TooLong-before.TooLong, "message too long")
	d.faults = now
}
