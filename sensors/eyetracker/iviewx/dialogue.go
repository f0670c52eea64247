package iviewx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
	"emolab/sensors/eyetracker/sequence"
)

// What is said to the tracker. It answers nothing to the first two but the stream
// itself, and takes a line feed as the end.
const (
	setFormat = "ET_FRM \"" + format + "\"\n"
	begin     = "ET_STR %d\n" // with the rate
	end       = "ET_EST\n"
	askRate   = "ET_SRT\n"
)

const (
	// streamWithin is how long the stream may take to begin before it is asked for
	// again: many times what a tracker needs, also where a datagram was lost.
	streamWithin = time.Second
	// attempts is how often it is asked for before the line is given up, with
	// better words than those that silence has for any device: sooner than that.
	attempts = 4
	// watchOver is how many samples are looked at to tell whether the tracker has
	// the stated rate, and half of them must be one period after the one before: no
	// line loses that many.
	watchOver = 240
	// rateOff is how far the mean period of those may be from the stated one, as a
	// share of it: more than cameras are off, less than 50 is from 60.
	rateOff = 0.05
)

// dialogue is one conversation with the tracker.
type dialogue struct {
	o         Options
	log       *connection.Log
	streaming chan struct{} // closed by Hear with the first sample

	// The rest belongs to Hear.
	scanner   Scanner
	faults    Faults // reported already
	started   bool   // streaming is closed
	connected bool
	judge     *sequence.Judge[Sample]
	last      int64 // tick of the last sample
	watch     watch
}

func newDialogue(o Options, log *connection.Log) *dialogue {
	return &dialogue{
		o: o, log: log,
		streaming: make(chan struct{}),
		watch:     watch{period: tickHz / float64(o.Rate)},
		judge:     sequence.NewJudge[Sample](sequence.Clock{TickHz: tickHz, Rate: float64(o.Rate)}),
	}
}

// Speak asks for the stream until it comes, and ends it at the end.
func (d *dialogue) Speak(ctx context.Context, w io.Writer) error {
	// A failing goodbye has no one left to tell.
	defer func() { _, _ = io.WriteString(w, end) }()
	for range attempts {
		for _, message := range []string{setFormat, askRate, fmt.Sprintf(begin, d.o.Rate)} {
			if _, err := io.WriteString(w, message); err != nil {
				return err
			}
		}
		late := time.NewTimer(streamWithin)
		select {
		case <-d.streaming:
			late.Stop()
			<-ctx.Done()
			return nil
		case <-ctx.Done():
			late.Stop()
			return nil
		case <-late.C:
		}
	}
	return errors.New("iviewx: no samples: check that iView X runs, and that its remote interface has this line, address and port")
}

// Hear enters the messages that b completes.
func (d *dialogue) Hear(b []byte, arrival instant.Instant) error {
	for {
		m, rest, ok := d.scanner.Next(b)
		if !ok {
			break
		}
		b = rest
		if err := d.message(m, arrival); err != nil {
			return err
		}
	}
	if d.o.datagrams() {
		if m, ok := d.scanner.End(); ok {
			if err := d.message(m, arrival); err != nil {
				return err
			}
		}
	}
	now, before := d.scanner.Faults(), d.faults
	d.log.Fault(now.Stray-before.Stray, "line, or part of one, that is no message")
	d.log.Fault(now.TooLong-before.TooLong, "message too long")
	d.faults = now
	return nil
}

func (d *dialogue) message(m []byte, arrival instant.Instant) error {
	name, rest, _ := bytes.Cut(m, []byte(" "))
	switch string(name) {
	case "ET_SPL":
		s, err := ParseSample(rest)
		if err != nil {
			d.log.Fault(1, "sample that is not in the format asked for")
			return nil
		}
		return d.sample(s, arrival)
	case "ET_CSZ":
		var w, h float64
		if _, err := fmt.Sscanf(string(rest), "%f %f", &w, &h); err == nil && !d.covers(w, h) {
			d.log.Mark(arrival, fmt.Sprintf("the tracker's calibration area is %.0f x %.0f px; the setting screen says %+v", w, h, d.o.Screen))
		}
	case "ET_CAL", "ET_CHG", "ET_FIN", "ET_VLS": // a calibration, its points, its end and its result
		d.log.Mark(arrival, string(m))
	case "ET_SRT":
		if len(bytes.TrimSpace(rest)) > 0 { // otherwise an echo of our question
			d.log.Mark(arrival, "the tracker's own rate: "+string(rest))
		}
	default:
		if !known(string(name)) {
			d.log.Fault(1, "message of unknown kind")
		}
	}
	return nil
}

// covers tells whether an area of w by h px is the one that the screen is stated as.
func (d *dialogue) covers(w, h float64) bool {
	s := d.o.Screen
	return math.Abs(s.Right-s.Left) == w && math.Abs(s.Bottom-s.Top) == h
}

// known tells whether the language has a message that says nothing to us: an
// echo of what was sent from here or from elsewhere, or what nobody asked for.
func known(name string) bool {
	switch name {
	case "ET_FRM", "ET_STR", "ET_EST", "ET_PNG", "ET_REC", "ET_STP", "ET_INC", "ET_REM", "ET_AUX",
		"ET_ACC", "ET_BRK", "ET_CPA", "ET_DEF", "ET_LEV", "ET_PNT", "ET_RCL", "ET_VLX", "ET_RES",
		"ET_FIX", "ET_EFX", "ET_AAD":
		return true
	}
	return false
}

func (d *dialogue) sample(s Sample, arrival instant.Instant) error {
	if !d.started {
		d.started = true
		close(d.streaming)
	}
	believed, damaged := d.judge.Take(s.StampUS, arrival, s)
	d.log.Fault(damaged, "sample with a damaged stamp, or out of order")
	for _, p := range believed {
		if !d.connected {
			d.connected = true
			d.log.Connected(p.Arrival, "samples of "+map[byte]string{'l': "the left eye", 'r': "the right eye", 'b': "both eyes"}[p.Frame.Eyes])
		}
		if p.Rebased {
			d.log.Rebase(p.Arrival, "the tracker's clock began anew (restart)")
		}
		if p.Lost > 0 {
			d.log.Lost(p.Arrival, p.Lost)
		}
		d.log.Sample(p.Tick, p.Arrival, d.values(p.Frame))
	}
	var step int64 // from the sample before, where none is missing between
	if len(believed) == 1 && believed[0].Lost == 0 && !believed[0].Rebased {
		step = believed[0].Tick - d.last
	}
	if len(believed) > 0 {
		d.last = believed[len(believed)-1].Tick
	}
	if hz, ok := d.watch.take(step, arrival); !ok {
		return fmt.Errorf("iviewx: %.0f samples a second come, and not at the distance of the setting rate, %d: state the tracker's rate, or less if the line is too slow for it", hz, d.o.Rate)
	}
	return nil
}

// watch looks whether samples come one period apart.
type watch struct {
	period float64 // as stated, in ticks

	n, regular int
	ticks      int64 // between the regular ones and those before them
	from       instant.Instant
}

// take counts a sample that is step ticks after the one before, 0 = not regular. ok
// is false when too few were regular, or the distance of those is not the stated
// period; perSecond is then how many came.
func (w *watch) take(step int64, arrival instant.Instant) (perSecond float64, ok bool) {
	if w.n == 0 {
		w.from = arrival
	}
	w.n++
	if step != 0 {
		w.regular++
		w.ticks += step
	}
	if w.n < watchOver {
		return 0, true
	}
	if 2*w.regular >= w.n {
		mean := float64(w.ticks) / float64(w.regular)
		perSecond, ok = tickHz/mean, math.Abs(mean/w.period-1) <= rateOff
	} else {
		perSecond = float64(w.n-1) / max(arrival.Sub(w.from).Seconds(), 1e-3)
	}
	w.n, w.regular, w.ticks = 0, 0, 0
	return perSecond, ok
}

// values returns the channels of a sample. Of two eyes the point of gaze is the
// mean of those that have one. What the tracker said is kept as it said it, also
// where it has no data; an eye that it does not watch has no values.
func (d *dialogue) values(s Sample) []float64 {
	nan := math.NaN()
	rawX, rawY, valid := 0.0, 0.0, 0.0
	for _, e := range []Eye{s.Left, s.Right} {
		if e.Gaze() {
			rawX, rawY, valid = rawX+e.X, rawY+e.Y, valid+1
		}
	}
	x, y := nan, nan
	if valid > 0 {
		rawX, rawY, valid = rawX/valid, rawY/valid, 1
		x, y = d.o.Screen.Share(rawX, rawY)
	}
	// The width: the lids cover the height first.
	left, right := s.Left.DX, s.Right.DX
	switch s.Eyes {
	case 'l':
		right = nan
	case 'r':
		left = nan
	}
	return []float64{x, y, valid, nan, nan, rawX, rawY, left, right}
}

// recognise finds in what was heard the answer to the question for the rate, or
// samples that a tracker sends already. The question itself, as an echo, has no
// number.
func recognise(heard []byte) (string, bool) {
	var s Scanner
	for {
		m, rest, ok := s.Next(heard)
		if !ok {
			if m, ok = s.End(); !ok {
				return "", false
			}
		}
		heard = rest
		var hz int
		if _, err := fmt.Sscanf(string(m), "ET_SRT %d", &hz); err == nil && hz > 0 && hz <= maxRate {
			return fmt.Sprintf("SMI iView X, %d Hz", hz), true
		}
		if bytes.HasPrefix(m, []byte("ET_SPL ")) {
			return "SMI iView X", true
		}
	}
}
