package trigger

import (
	"context"
	"fmt"
	"io"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

const (
	// rest is how long the lines are low at least between two codes: a recorder
	// at 100 Hz or faster sees it, so that two equal codes are two.
	rest = 10 * time.Millisecond
	// maxWait is how long after it was asked for, and after its onset, a code may
	// still be written. Later it would mark something else: a page that was cut off
	// reports its frames when it is back.
	maxWait = time.Second
	// maxAhead is how far ahead of now an onset can lie to be waited for. A browser
	// forecasts a frame's display by one or two refreshes; what lies farther ahead is
	// an error of the clocks, and its code is written at once, with the lag that says so.
	maxAhead = 100 * time.Millisecond
)

// Language is how a kind of device is spoken to, for the time of one connection.
// Hear is called by one goroutine, the others by another.
type Language interface {
	// Greet makes the device ready to take codes, with its lines low. It returns
	// early when ctx ends. Its error says in words what is wrong.
	Greet(ctx context.Context, w io.Writer) error
	// Code is the message that puts a code on the lines, 0 = none.
	Code(code uint8) []byte
	// EndsPulse tells whether the device takes a code off the lines by itself.
	EndsPulse() bool
	// Gap is the pause that the device needs between two bytes.
	Gap() time.Duration
	// Bye is the last message of a recording; may be empty.
	Bye() []byte
	// Hear takes what the device says. An error ends the connection.
	Hear(b []byte, arrival instant.Instant) error
}

// dialogue is one connection with a device.
type dialogue struct {
	Language
	clock    instant.Clock
	pulse    time.Duration
	orders   <-chan order
	outcomes chan<- outcome
}

// Speak readies the device and writes what is asked for until ctx ends.
func (d *dialogue) Speak(ctx context.Context, w io.Writer) error {
	if err := d.Greet(ctx, w); err != nil || ctx.Err() != nil {
		return err
	}
	ready := d.clock.Now()
	for {
		select {
		case o := <-d.orders:
			if err := d.obey(ctx, w, o, ready); err != nil {
				return err
			}
		case <-ctx.Done():
			// A failing goodbye has no one left to tell.
			_, _ = d.write(w, d.Bye())
			return nil
		}
	}
}

// obey writes one code, holds it and takes it off again.
func (d *dialogue) obey(ctx context.Context, w io.Writer, o order, ready instant.Instant) error {
	now := d.clock.Now()
	switch {
	case o.remark != nil:
		d.outcomes <- outcome{order: o}
		return nil
	case o.asked < ready:
		d.outcomes <- outcome{order: o, why: "the device was not ready"}
		return nil
	case now.Sub(o.asked) > maxWait:
		d.outcomes <- outcome{order: o, why: fmt.Sprintf("it had waited for %v", now.Sub(o.asked).Round(time.Millisecond))}
		return nil
	}
	if o.onset != NoOnset {
		ahead := o.onset.Sub(now)
		if -ahead > maxWait {
			d.outcomes <- outcome{order: o, why: fmt.Sprintf("its onset was %v ago", (-ahead).Round(time.Millisecond))}
			return nil
		}
		if ahead <= maxAhead && !connection.Wait(ctx, ahead) {
			d.outcomes <- outcome{order: o, why: "the recording ended before its onset"}
			return nil
		}
	}
	written, err := d.write(w, d.Code(o.code))
	if err != nil {
		d.outcomes <- outcome{order: o, why: err.Error()}
		return err
	}
	d.outcomes <- outcome{order: o, at: written.middle(), after: written.after}
	connection.Wait(ctx, d.pulse-d.clock.Now().Sub(written.after))
	if !d.EndsPulse() || ctx.Err() != nil { // the lines are not left high
		if _, err := d.write(w, d.Code(0)); err != nil {
			return err
		}
	}
	connection.Wait(ctx, rest)
	return nil
}

// span is the time that a write took.
type span struct{ before, after instant.Instant }

func (s span) middle() instant.Instant { return s.before.Add(s.after.Sub(s.before) / 2) }

// write writes a message and returns when its last piece was written: the one
// that has an effect. A message that was begun is ended, whatever else ends.
func (d *dialogue) write(w io.Writer, message []byte) (span, error) {
	size := len(message)
	if d.Gap() > 0 {
		size = 1
	}
	var s span
	for i := 0; i < len(message); i += size {
		if i > 0 {
			connection.Wait(context.Background(), d.Gap())
		}
		s.before = d.clock.Now()
		_, err := w.Write(message[i : i+size])
		s.after = d.clock.Now()
		if err != nil {
			return s, err
		}
	}
	return s, nil
}
