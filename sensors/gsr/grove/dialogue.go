package grove

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

const (
	// readableWithin is how long it may take until readings come: a boot loader,
	// a sketch that greets first.
	readableWithin = 6 * time.Second

	// rateOver is the time over which the rate of the lines is measured: to 0.2 %,
	// with batches of 50 ms. The stream is placed in time by counting lines, so a
	// rate that is further off than alignment expects of a clock is said (rateOff),
	// and one that is false ends the conversation (rateFalse).
	rateOver  = 30 * time.Second
	rateOff   = 0.006
	rateFalse = 0.05
)

// dialogue is one conversation with the board: what is half read belongs to it.
type dialogue struct {
	o   Options
	log *connection.Log

	readable chan struct{} // closed at the first reading

	// The rest belongs to Hear.
	lines     Lines
	clock     millis
	connected bool
	damaged   bool // something was refused since the last reading
	count     int64
	last      instant.Instant // arrival of the last reading
	since     instant.Instant // arrival of the first one
	judged    bool            // the rate is
}

func newDialogue(o Options, log *connection.Log) *dialogue {
	return &dialogue{o: o, log: log, readable: make(chan struct{})}
}

// Speak has nothing to say to the board, but knows when it has waited for too long.
func (d *dialogue) Speak(ctx context.Context, _ io.Writer) error {
	late := time.NewTimer(readableWithin)
	defer late.Stop()
	select {
	case <-d.readable:
		<-ctx.Done()
	case <-late.C:
		return errors.New("grove: bytes come, but no lines with a reading: check baud, column and bits of this device in lab.yaml against its sketch")
	case <-ctx.Done():
	}
	return nil
}

// Hear reads the lines in b.
func (d *dialogue) Hear(b []byte, arrival instant.Instant) error {
	for _, c := range b {
		line, ok := d.lines.Put(c)
		if !ok {
			continue
		}
		if err := d.take(line, arrival); err != nil {
			return err
		}
	}
	if d.connected && arrival.Sub(d.last) > silence {
		return fmt.Errorf("grove: bytes come, but for %v no line with a reading was among them", silence)
	}
	return d.judgeRate(arrival)
}

// take enters the reading of a line.
func (d *dialogue) take(line Line, arrival instant.Instant) error {
	x, ok := d.o.reading(line)
	if !ok {
		d.damaged = true
		if d.connected && (line.Believed || line.Columns == nil) {
			d.log.Fault(1, "line without a reading")
		}
		return nil
	}
	if d.o.Millis > 0 && !d.clock.take(line.Columns[d.o.Millis-1], arrival) {
		d.damaged = true
		d.log.Fault(1, "line with a time that does not fit")
		return d.clock.err()
	}
	switch {
	case !d.connected:
		d.connected, d.since = true, arrival
		d.log.Connected(arrival, fmt.Sprintf("lines of %d numbers", len(line.Columns)))
		close(d.readable)
	case d.damaged:
		// How many lines were hit is told by the time that passed.
		missing := int64(math.Round(arrival.Sub(d.last).Seconds()*d.o.Rate)) - 1
		if missing > 0 {
			d.log.Lost(arrival, missing)
			d.count += missing
		}
	}
	tick := d.count
	if d.o.Millis > 0 {
		tick = d.clock.tick
	}
	d.log.Sample(tick, arrival, []float64{x, d.o.Microsiemens(x)})
	d.count++
	d.damaged, d.last = false, arrival
	return nil
}

// judgeRate compares the lines with the time they took, once.
func (d *dialogue) judgeRate(arrival instant.Instant) error {
	passed := arrival.Sub(d.since)
	if d.judged || !d.connected || d.o.Millis > 0 || passed < rateOver {
		return nil
	}
	d.judged = true
	hz := float64(d.count-1) / passed.Seconds()
	off := math.Abs(hz/d.o.Rate - 1)
	what := fmt.Sprintf("%.2f lines come a second, not %v: set rate: %.2f for this device in lab.yaml", hz, d.o.Rate, hz)
	if off > rateFalse {
		return fmt.Errorf("grove: %s", what)
	}
	if off > rateOff {
		d.log.Mark(arrival, what)
	}
	return nil
}
