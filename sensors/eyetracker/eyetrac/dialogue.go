package eyetrac

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
	"emolab/sensors/eyetracker/sequence"
)

const (
	// numbers is how many frame numbers there are before they begin anew.
	numbers = 1 << 16

	// enough is how many frames in a row, each numbered one more than the last,
	// make it sure that a tracker is heard.
	enough = 8
	// listenFor is how long it takes to hear them, at 60 Hz and with pauses of
	// the adapter.
	listenFor = time.Second
)

// dialogue is one conversation with the tracker, which only ever speaks: its
// output is switched on at the tracker's own computer.
type dialogue struct {
	o         Options
	log       *connection.Log
	framer    Framer
	faults    Faults // reported already
	connected bool
	judge     *sequence.Judge[Frame]
	pace      sequence.Pace
}

func newDialogue(o Options, log *connection.Log) *dialogue {
	rate := float64(o.Rate)
	return &dialogue{
		o: o, log: log,
		judge: sequence.NewJudge[Frame](sequence.Clock{TickHz: rate, Rate: rate, Modulus: numbers}),
		pace:  sequence.Pace{Rate: rate},
	}
}

// Speak has nothing to say: the tracker takes no commands on this line.
func (d *dialogue) Speak(ctx context.Context, _ io.Writer) error {
	<-ctx.Done()
	return nil
}

// Hear enters the frames that b completes.
func (d *dialogue) Hear(b []byte, arrival instant.Instant) error {
	for len(b) > 0 {
		f, at, rest, ok := d.framer.Next(b, arrival)
		b = rest
		if !ok {
			break
		}
		if err := d.frame(f, at); err != nil {
			return err
		}
	}
	now, before := d.framer.Faults(), d.faults
	d.log.Fault(now.Stray-before.Stray, "run of bytes outside of any frame")
	d.log.Fault(now.Cut-before.Cut, "frame cut off")
	d.log.Fault(now.Broken-before.Broken, "broken frame")
	d.faults = now
	return nil
}

func (d *dialogue) frame(f Frame, arrival instant.Instant) error {
	believed, damaged := d.judge.Take(int64(f.Number), arrival, f)
	d.log.Fault(damaged, "frame with a damaged number")
	for _, p := range believed {
		if !d.connected {
			d.connected = true
			d.log.Connected(p.Arrival, "frames of 12 bytes, numbered")
		}
		if p.Rebased {
			d.log.Rebase(p.Arrival, "the tracker's frame numbers began anew (restart)")
		}
		if p.Lost > 0 {
			d.log.Lost(p.Arrival, p.Lost)
		}
		d.log.Sample(p.Tick, p.Arrival, d.values(p.Frame))
		if hz, ok := d.pace.Take(p.Lost+1, p.Arrival); !ok {
			return fmt.Errorf("eyetrac: the tracker counts %.0f camera fields a second, the setting rate says %d: state the rate of its camera", hz, d.o.Rate)
		}
	}
	return nil
}

// values returns the channels of a frame. What the tracker said is kept as it
// said it, also where it is not valid.
func (d *dialogue) values(f Frame) []float64 {
	rawX, rawY := float64(f.Horizontal), float64(f.Vertical)
	x, y, valid := math.NaN(), math.NaN(), 0.0
	if f.Valid() {
		x, y = d.o.Screen.Share(rawX, rawY)
		valid = 1
	}
	return []float64{x, y, valid, math.NaN(), math.NaN(), rawX, rawY, float64(f.Pupil)}
}

// recognise tells whether a tracker was heard.
func recognise(heard []byte) (string, bool) {
	var framer Framer
	var last uint16
	row := 0
	for len(heard) > 0 {
		f, _, rest, ok := framer.Next(heard, 0)
		heard = rest
		if !ok {
			break
		}
		if row > 0 && f.Number != last+1 {
			row = 0
		}
		row++
		last = f.Number
		if row == enough {
			return "ASL Eye-Trac, Serial Out", true
		}
	}
	return "", false
}
