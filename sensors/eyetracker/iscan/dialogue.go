package iscan

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

const (
	// askAgain is how often the tracker is told to begin until frames come: it
	// answers nothing, and may still be starting.
	askAgain = 2 * time.Second
	// listenFor is how long it takes to hear enough frames, at 60 Hz and with
	// pauses of the adapter.
	listenFor = time.Second
	// strangeBytes is how many bytes in which no frame is found make one fault.
	strangeBytes = 64
)

// dialogue is one conversation with the tracker.
type dialogue struct {
	o      Options
	log    *connection.Log
	begun  chan struct{} // closed by Hear with the first frame
	framer *Framer
	census *census // while no frames are found: what comes instead

	// Where the words are: index in a frame, -1 = not sent.
	h, v, pupil int

	faults    Faults // reported already
	connected bool
	count     int64 // of frames, those known to be lost included
	pace      pace
}

func newDialogue(o Options, log *connection.Log) *dialogue {
	return &dialogue{
		o: o, log: log,
		begun:  make(chan struct{}),
		framer: NewFramer(len(o.Outputs)),
		h:      slices.Index(o.Outputs, porH),
		v:      slices.Index(o.Outputs, porV),
		pupil:  slices.Index(o.Outputs, pupil),
		pace:   pace{stated: float64(o.Rate)},
	}
}

// Speak switches the tracking on, and off at the end.
func (d *dialogue) Speak(ctx context.Context, w io.Writer) error {
	if d.o.Unasked {
		<-ctx.Done()
		return nil
	}
	again := time.NewTicker(askAgain)
	defer again.Stop()
	// A failing goodbye has no one left to tell.
	defer func() { _, _ = w.Write([]byte{byte(d.o.Stop)}) }()
	for {
		if _, err := w.Write([]byte{byte(d.o.Start)}); err != nil {
			return err
		}
		select {
		case <-again.C:
		case <-d.begun:
			<-ctx.Done()
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// Hear enters the frames that b completes.
func (d *dialogue) Hear(b []byte, arrival instant.Instant) error {
	switch {
	case d.framer.Locked():
		d.census = nil
	case d.census == nil: // what is selected may have been changed
		d.census = newCensus()
	}
	if d.census != nil {
		if n := d.census.take(b); n > 0 && n != len(d.o.Outputs) {
			return fmt.Errorf("iscan: the frames hold %d outputs, the setting outputs names %d (%s): state all that are selected at the tracker's computer, in its order",
				n, len(d.o.Outputs), strings.Join(d.o.Outputs, ", "))
		}
	}
	for len(b) > 0 {
		f, rest, ok := d.framer.Next(b, arrival)
		b = rest
		if !ok {
			break
		}
		if err := d.frame(f); err != nil {
			return err
		}
	}
	d.reportFaults()
	return nil
}

func (d *dialogue) frame(f Frame) error {
	if !d.connected {
		d.connected = true
		close(d.begun)
		d.log.Connected(f.Arrival, fmt.Sprintf("frames of %d outputs", len(d.o.Outputs)))
	}
	if camera, wrong := d.pace.take(f.Lost+1, f.Arrival); wrong {
		return fmt.Errorf("iscan: %.0f frames a second come, the setting rate says %d: state the rate of this tracker's camera", camera, d.o.Rate)
	}
	if f.Lost > 0 {
		d.log.Lost(f.Arrival, f.Lost)
		d.count += f.Lost
	}
	d.log.Sample(d.count, f.Arrival, d.values(f))
	d.count++
	return nil
}

// values returns the channels of a frame. What the tracker said is kept as it
// said it, also where it saw no pupil.
func (d *dialogue) values(f Frame) []float64 {
	rawX, rawY := float64(f.Words[d.h])/d.o.Divisor, float64(f.Words[d.v])/d.o.Divisor
	x, y, valid := math.NaN(), math.NaN(), 0.0
	if d.sees(f) {
		x, y = d.o.Screen.Share(rawX, rawY)
		valid = 1
	}
	v := []float64{x, y, valid, math.NaN(), math.NaN(), rawX, rawY}
	if d.pupil >= 0 {
		v = append(v, float64(f.Words[d.pupil])/d.o.Divisor)
	}
	return v
}

// sees tells whether the tracker has a pupil: without one all words of the eye
// are 0.
func (d *dialogue) sees(f Frame) bool {
	for i, name := range d.o.Outputs {
		if name != other && f.Words[i] != 0 {
			return true
		}
	}
	return false
}

func (d *dialogue) reportFaults() {
	now, before := d.framer.Faults(), d.faults
	d.log.Fault(now.Slips-before.Slips, "frame that does not begin where the one before ends")
	d.log.Fault(now.Ambiguous-before.Ambiguous, "44 44 in several places of a frame")
	d.log.Fault(now.Strange/strangeBytes-before.Strange/strangeBytes, fmt.Sprintf("%d bytes in which no frame is found", strangeBytes))
	d.faults = now
}

// recognise tells whether a tracker was heard.
func recognise(heard []byte) (string, bool) {
	n := newCensus().take(heard)
	return fmt.Sprintf("ISCAN, frames of %d outputs", n), n > 0
}
