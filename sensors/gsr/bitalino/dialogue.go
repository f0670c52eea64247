package bitalino

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

// attempts to make the board say its version: a command is a single byte and
// easily lost.
const attempts = 3

// pace is how long a board is given.
type pace struct {
	// pause follows each command. The vendor's own library leaves 100 ms, or the
	// board misses the next one; the rest is for a link that bunches them. More
	// would not leave the time for a goodbye when the recording ends.
	pause time.Duration
	// settle is how long a board that was told to stop may go on sending.
	settle time.Duration
	// answer is how long it may take to say its version, over Bluetooth.
	answer time.Duration
	// start is how long the first frames may take, besides their own time, and
	// stray how long bytes may come later without one frame among them.
	start, stray time.Duration
}

func usual() pace {
	return pace{
		pause: 150 * time.Millisecond, settle: 200 * time.Millisecond,
		answer: time.Second, start: 2 * time.Second, stray: silence,
	}
}

const (
	// rateOver is the least time over which the rate of the frames is judged, so
	// that a link that stalls for a second or two is no slow board, and rateFrames
	// the fewest frames.
	rateOver   = 5 * time.Second
	rateFrames = 10
	// rateFactor is how far it may be off: the board's rates are 10 apart, so it is
	// another one of them that is in force, and not a slow line.
	rateFactor = 3
)

// dialogue is one conversation with the board.
type dialogue struct {
	o    Options
	pace pace
	log  *connection.Log

	identified chan struct{} // closed when the board has said its version
	started    atomic.Bool   // it is about to be told to stream
	streaming  chan struct{} // closed at the first frame

	// The rest belongs to Hear.
	text      []byte // heard before it is identified
	connected bool
	sensor    Sensor
	decoder   *Decoder
	faults    Faults     // reported already
	frames    []Received // of this read
	counted   []numbered
	counter   counter
	flows     bool            // streaming is closed
	frameAt   instant.Instant // arrival of the newest frame

	judged   instant.Instant // the rate of the frames was found right until here,
	judgedAt int64           // up to this number
}

func newDialogue(o Options, p pace, log *connection.Log) *dialogue {
	return &dialogue{
		o: o, pace: p, log: log,
		identified: make(chan struct{}), streaming: make(chan struct{}),
		decoder: NewDecoder(1), counter: counter{rate: float64(o.Rate)},
	}
}

// Speak stops the board, asks what it is, and starts it.
func (d *dialogue) Speak(ctx context.Context, w io.Writer) error {
	if err := d.identify(ctx, w); err != nil || ctx.Err() != nil {
		return err
	}
	// A failing goodbye has no one left to tell.
	defer func() { _, _ = w.Write([]byte{stop}) }()
	if err := d.command(ctx, w, rateCommand(d.o.Rate)); err != nil {
		return err
	}
	d.started.Store(true)
	if err := d.command(ctx, w, startCommand(d.o.Channel)); err != nil {
		return err
	}
	if !wait(ctx, d.pace.start+d.o.lockTime(), d.streaming) {
		return errors.New("bitalino: the board was started and sends no frames: the command may have been lost on the way")
	}
	<-ctx.Done()
	return nil
}

// identify asks for the version until it is said. A board goes on streaming when
// its host is gone, so it is stopped first.
func (d *dialogue) identify(ctx context.Context, w io.Writer) error {
	for range attempts {
		if err := d.command(ctx, w, stop); err != nil {
			return err
		}
		wait(ctx, d.pace.settle, nil)
		if err := d.command(ctx, w, idle); err != nil {
			return err
		}
		if err := d.command(ctx, w, askVersion); err != nil {
			return err
		}
		if wait(ctx, d.pace.answer, d.identified) || ctx.Err() != nil {
			return nil
		}
	}
	return errors.New("bitalino: what is on this port does not answer as a BITalino does: check that it is switched on and that it is the right port")
}

// command sends one command and leaves the board the time to take it. The pause is
// kept also when ctx ends, because the goodbye comes next.
func (d *dialogue) command(ctx context.Context, w io.Writer, c byte) error {
	if ctx.Err() != nil {
		return nil
	}
	if _, err := w.Write([]byte{c}); err != nil {
		return err
	}
	<-time.After(d.pace.pause)
	return nil
}

// wait lets t pass. It returns early when ctx ends or done is closed, and tells
// whether it was for one of these.
func wait(ctx context.Context, t time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-done:
		return true
	case <-ctx.Done():
		return true
	}
}

// Hear decodes b and enters what it brought.
func (d *dialogue) Hear(b []byte, arrival instant.Instant) error {
	if !d.started.Load() {
		d.greet(b, arrival)
		return nil
	}
	d.frames = d.decoder.Put(d.frames[:0], b, arrival)
	d.counted = d.counter.take(d.counted[:0], d.frames, arrival, d.decoder.Locked())
	for _, f := range d.counted {
		if !d.flows {
			d.flows, d.judged, d.judgedAt = true, arrival, f.number
			close(d.streaming)
		}
		if f.lost > 0 {
			d.log.Lost(f.Arrival, f.lost)
		}
		raw := f.Analog[0]
		d.log.Sample(f.number, f.Arrival, []float64{float64(raw), d.sensor.Microsiemens(raw)})
	}
	d.reportFaults()
	if len(d.frames) > 0 {
		d.frameAt = arrival
	} else if d.flows && arrival.Sub(d.frameAt) > d.pace.stray+d.o.lockTime() {
		return fmt.Errorf("bitalino: bytes come, but for %v no frame was among them: check that no other program talks to the board", arrival.Sub(d.frameAt).Round(time.Second))
	}
	if len(d.counted) == 0 {
		return nil
	}
	return d.judgeRate(arrival)
}

// lockTime is how long the frames take that must be there before any is passed.
func (o Options) lockTime() time.Duration {
	return lock * time.Second / time.Duration(o.Rate)
}

// greet looks for the board's version. What a board that still streams sends
// besides is of an earlier recording.
func (d *dialogue) greet(b []byte, arrival instant.Instant) {
	if d.connected {
		return
	}
	d.text = append(d.text, b...)
	v, ok := ParseVersion(d.text)
	if !ok {
		d.text = d.text[max(0, len(d.text)-longestGreeting):]
		return
	}
	d.connected, d.text = true, nil
	d.sensor = d.o.Sensor
	if d.sensor == "" {
		d.sensor = v.Sensor()
	}
	d.log.Connected(arrival, v.String())
	close(d.identified)
}

// judgeRate compares the frames with the time they took. A lost command leaves the
// board at the rate that it had before.
func (d *dialogue) judgeRate(arrival instant.Instant) error {
	passed := arrival.Sub(d.judged)
	due := passed.Seconds() * float64(d.o.Rate)
	if passed < rateOver || due < rateFrames {
		return nil
	}
	came := float64(d.counter.next - d.judgedAt)
	if came > due*rateFactor || came < due/rateFactor {
		return fmt.Errorf("bitalino: the board sends %.3g frames a second, it was told %d", came/passed.Seconds(), d.o.Rate)
	}
	d.judged, d.judgedAt = arrival, d.counter.next
	return nil
}

func (d *dialogue) reportFaults() {
	now, before := d.decoder.Faults(), d.faults
	d.log.Fault(now.Checksum-before.Checksum, "frame with a wrong checksum")
	d.log.Fault(now.Sequence-before.Sequence, "frame out of sequence")
	d.log.Fault(now.Skipped-before.Skipped, "byte that is in no frame")
	d.faults = now
}
