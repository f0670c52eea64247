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

	// standstill is how long nothing comes from a host that stands still, and not
	// from a slow board. Of longer pauses no more is held against the board.
	standstill = time.Second
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
	last      stamp           // the last reading
	read      instant.Instant // arrival of the last bytes
	quiet     time.Duration   // since the last reading, while bytes came
	rate      rate
	judged    bool // that rate is
}

func newDialogue(o Options, log *connection.Log) *dialogue {
	return &dialogue{o: o, log: log, readable: make(chan struct{}), rate: rate{stated: o.Rate}}
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
	if d.connected {
		d.quiet += min(arrival.Sub(d.read), standstill)
	}
	d.read = arrival
	for _, c := range b {
		line, ok := d.lines.Put(c)
		if !ok {
			continue
		}
		if err := d.take(line, arrival); err != nil {
			return err
		}
	}
	if d.connected && d.quiet > silence {
		return fmt.Errorf("grove: bytes come, but for %v no line with a reading was among them", silence)
	}
	d.judgeRate(arrival)
	return nil
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
	if d.o.Millis > 0 {
		fits := d.clock.take(line.Columns[d.o.Millis-1], arrival)
		if !fits {
			d.damaged = true
			d.log.Fault(1, "line with a time that does not fit")
		}
		if err := d.clock.err(); err != nil || !fits {
			return err
		}
	}
	now := stamp{d.count, arrival}
	if d.o.Millis > 0 {
		now.tick = d.clock.last.tick
	}
	switch {
	case !d.connected:
		d.connected = true
		d.log.Connected(arrival, fmt.Sprintf("lines of %d numbers", len(line.Columns)))
		close(d.readable)
	case d.damaged:
		if missing := d.missing(now); missing > 0 {
			d.log.Lost(arrival, missing)
			d.count += missing
			if d.o.Millis == 0 {
				now.tick = d.count
			}
		}
	}
	d.log.Sample(now.tick, arrival, []float64{x, d.o.Microsiemens(x)})
	d.rate.take(d.count, arrival)
	d.count++
	d.damaged, d.last, d.quiet = false, now, 0
	return nil
}

// missing returns how many lines were hit by damage between the last reading and
// one now: that is told by the time that passed, the board's own where it prints it.
func (d *dialogue) missing(now stamp) int64 {
	passed := now.at.Sub(d.last.at)
	if d.o.Millis > 0 {
		passed = time.Duration(now.tick-d.last.tick) * time.Second / tickHz
	}
	return int64(math.Round(passed.Seconds()*d.o.Rate)) - 1
}

// judgeRate says, once, that lines come at another rate than the stated one. That
// does not end the conversation: alignment finds a false rate by itself.
func (d *dialogue) judgeRate(arrival instant.Instant) {
	hz, known := d.rate.measured()
	if d.judged || !known || d.o.Millis > 0 {
		return
	}
	d.judged = true
	if math.Abs(hz/d.o.Rate-1) > rateOff {
		d.log.Mark(arrival, fmt.Sprintf("%.2f lines come a second, not %v: set rate: %.2f for this device in lab.yaml", hz, d.o.Rate, hz))
	}
}
