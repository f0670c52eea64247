package gazepoint

import (
	"context"
	"fmt"
	"io"
	"math"
	"sync/atomic"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

// unfit is how many records in a row may fit neither the one before nor the one
// after: no line damages that many, so it is the rate that is wrong.
const unfit = 60

// dialogue is one conversation with the tracker.
type dialogue struct {
	o    Options
	log  *connection.Log
	jobs <-chan *job

	// From Hear to Speak; what finds no place is dropped, and asked for again.
	answers      chan answer
	calibrations chan calRecord
	ready        atomic.Bool // all commands are answered

	// The rest belongs to Hear.
	scanner   Scanner
	faults    Faults // reported already
	connected bool
	product   product
	sequence  sequence
	damaged   int64 // records in a row
}

func newDialogue(o Options, log *connection.Log, jobs <-chan *job) *dialogue {
	return &dialogue{
		o: o, log: log, jobs: jobs,
		answers:      make(chan answer, maxAnswers),
		calibrations: make(chan calRecord, maxSteps),
		sequence:     sequence{rate: float64(o.nominal())},
	}
}

// Speak asks for the records, and then does the calibrations that are wanted
// until ctx ends.
func (d *dialogue) Speak(ctx context.Context, w io.Writer) error {
	// A failing goodbye has no one left to tell.
	defer func() { _, _ = w.Write(disable(enableData).text) }()
	for _, c := range setUp(d.o) {
		if _, err := d.demand(ctx, w, c); ctx.Err() != nil {
			return nil
		} else if err != nil {
			return err
		}
	}
	d.ready.Store(true)
	for {
		select {
		case j := <-d.jobs:
			j.done <- d.calibrate(ctx, w, j)
		case <-ctx.Done():
			return nil
		}
	}
}

// Hear scans b and enters what it brought.
func (d *dialogue) Hear(b []byte, arrival instant.Instant) error {
	if d.ready.Load() && !d.connected {
		d.connected = true
		d.log.Connected(arrival, d.product.String())
		if says := d.product.rate; says != 0 && says != d.o.nominal() {
			d.log.Mark(arrival, fmt.Sprintf("the tracker says that it makes %d records a second, where %d were expected: correct model or rate in lab.yaml", says, d.o.nominal()))
		}
	}
	for len(b) > 0 {
		m, rest, ok := d.scanner.Next(b)
		if ok {
			if err := d.message(m, arrival); err != nil {
				return err
			}
		}
		b = rest
	}
	d.reportFaults()
	return nil
}

func (d *dialogue) message(m Message, arrival instant.Instant) error {
	switch string(m.Tag) {
	case "ACK", "NACK":
		d.answer(m, arrival)
	case "CAL":
		d.calibration(m, arrival)
	case "REC":
		if d.connected { // otherwise the rest of an earlier recording
			return d.record(m, arrival)
		}
	}
	return nil
}

// answer takes what the tracker said to a command.
func (d *dialogue) answer(m Message, arrival instant.Instant) {
	a := answer{id: string(m.Value("ID")), ok: string(m.Tag) == "ACK", values: m.clone()}
	switch {
	case !a.ok:
	case a.id == productID:
		d.product = parseProduct(m)
		if d.o.Rate == 0 && d.product.rate != 0 {
			d.sequence.rate = float64(d.product.rate)
		}
	case a.id == "CALIBRATE_RESULT_SUMMARY":
		px, n, err := parseSummary(m)
		if err != nil {
			d.log.Fault(1, "calibration record that cannot be read")
			break
		}
		d.log.Mark(arrival, fmt.Sprintf("calibration: mean error %g px, %d valid points", px, n))
	}
	select {
	case d.answers <- a:
	default: // nobody waits for that many
	}
}

// calibration takes a step or the result of one, also of one that was started at
// the tracker.
func (d *dialogue) calibration(m Message, arrival instant.Instant) {
	c, err := parseCalibration(m)
	if err != nil {
		d.log.Fault(1, "calibration record that cannot be read")
		return
	}
	if c.result != nil {
		d.log.Mark(arrival, resultMark(c.result))
	}
	select {
	case d.calibrations <- c:
	default: // nobody calibrates
	}
}

func (d *dialogue) record(m Message, arrival instant.Instant) error {
	r, err := ParseRecord(m)
	if err != nil {
		d.log.Fault(1, "record that cannot be read")
		return nil
	}
	placed, n, damaged := d.sequence.take(r, arrival)
	d.log.Fault(damaged, "record with a damaged number or time")
	if d.damaged += damaged; n > 0 {
		d.damaged = 0
	}
	if d.damaged >= unfit {
		return fmt.Errorf("gazepoint: the numbers and times of the records do not fit %g records a second: state the rate of this tracker (rate: in lab.yaml)", d.sequence.rate)
	}
	for _, p := range placed[:n] {
		d.enter(p)
	}
	return nil
}

// enter puts a record in the log: its gaze, and with biometrics its resistance.
func (d *dialogue) enter(p placed) {
	if p.Rebased {
		d.log.Rebase(p.Arrival, "the tracker's clock began anew (calibration or restart)")
	}
	tracks := 1
	if d.o.Biometrics {
		tracks = 2
	}
	for i := range tracks {
		t, values := d.log.Track(i), p.gaze()
		if i == 1 {
			values = p.conductance()
		}
		if p.Lost > 0 {
			t.Lost(p.Arrival, p.Lost)
		}
		t.Sample(p.TimeUS, p.Arrival, values)
	}
}

// gaze returns the channels of the eye tracker.
func (r Record) gaze() []float64 {
	if !r.Valid {
		return []float64{math.NaN(), math.NaN(), 0, r.LeftMM, r.RightMM}
	}
	return []float64{r.X, r.Y, 1, r.LeftMM, r.RightMM}
}

// conductance returns the channels of the finger block: its resistance, and what
// that is in µS where it can be skin.
func (r Record) conductance() []float64 {
	us := math.NaN()
	if r.SkinValid && r.SkinOhm >= minSkinOhm && r.SkinOhm <= maxSkinOhm {
		us = microPerUnit / r.SkinOhm
	}
	return []float64{r.SkinOhm, us}
}

func (d *dialogue) reportFaults() {
	now, before := d.scanner.Faults(), d.faults
	d.log.Fault(now.Stray-before.Stray, "run of bytes outside of any message")
	d.log.Fault(now.Broken-before.Broken, "message cut off or broken")
	d.log.Fault(now.TooLong-before.TooLong, "message too long")
	d.log.Fault(now.UnknownTag-before.UnknownTag, "message of unknown kind")
	d.faults = now
}
