package gazepoint

import (
	"context"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

const (
	// ackWithin is how long an answer may take before the command is repeated:
	// many times what a tracker needs, through a slow bridge.
	ackWithin = 500 * time.Millisecond
	// attempts per command, before the port is given up as not a tracker's.
	attempts = 8
	// unfit is how many records in a row may fit neither the one before nor the
	// one after: no line damages that many, so it is the rate that is wrong.
	unfit = 60
)

// command switches one of the tracker's outputs on.
type command struct {
	id       string
	optional bool // a tracker that refuses it is still of use
}

// commands are sent one by one, each after the other's answer. The last one
// starts the records.
func commands() []command {
	return []command{
		{"ENABLE_SEND_COUNTER", false},
		{"ENABLE_SEND_TIME", false},
		{"ENABLE_SEND_POG_BEST", false},
		{"ENABLE_SEND_PUPILMM", true},
		{enableData, false},
	}
}

const enableData = "ENABLE_SEND_DATA"

// answer is what the tracker said to a command.
type answer struct {
	id string
	ok bool
}

// dialogue is one conversation with the tracker.
type dialogue struct {
	o   Options
	log *connection.Log

	answers chan answer
	ready   atomic.Bool // all commands are answered

	// The rest belongs to Hear.
	scanner   Scanner
	faults    Faults // reported already
	connected bool
	sequence  sequence
	damaged   int64 // records in a row
}

func newDialogue(o Options, log *connection.Log) *dialogue {
	return &dialogue{
		o: o, log: log,
		answers:  make(chan answer, len(commands())*attempts),
		sequence: sequence{rate: float64(o.Rate)},
	}
}

// Speak asks for the records and then waits for ctx to end.
func (d *dialogue) Speak(ctx context.Context, w io.Writer) error {
	// A failing goodbye has no one left to tell.
	defer func() { _, _ = w.Write(set(enableData, 0)) }()
	for _, c := range commands() {
		ok, err := d.ask(ctx, w, c.id)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if !ok && !c.optional {
			return fmt.Errorf("gazepoint: the tracker refuses %s: update its software to Open Gaze API 2", c.id)
		}
	}
	d.ready.Store(true)
	<-ctx.Done()
	return nil
}

// ask sends a command until it is answered, and tells whether it was accepted.
func (d *dialogue) ask(ctx context.Context, w io.Writer, id string) (bool, error) {
	for range attempts {
		if _, err := w.Write(set(id, 1)); err != nil {
			return false, err
		}
		late := time.NewTimer(ackWithin)
		defer late.Stop()
		for waiting := true; waiting; {
			select {
			case a := <-d.answers:
				if a.id == id {
					return a.ok, nil
				}
			case <-late.C:
				waiting = false
			case <-ctx.Done():
				return false, nil
			}
		}
	}
	return false, fmt.Errorf("gazepoint: no answer to %s: check that this is the tracker's port and that its server runs", id)
}

func set(id string, state int) []byte {
	return fmt.Appendf(nil, "<SET ID=%q STATE=\"%d\" />\r\n", id, state)
}

// Hear scans b and enters what it brought.
func (d *dialogue) Hear(b []byte, arrival instant.Instant) error {
	if d.ready.Load() && !d.connected {
		d.connected = true
		d.log.Connected(arrival, "Open Gaze records")
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
		select {
		case d.answers <- answer{string(m.Value("ID")), string(m.Tag) == "ACK"}:
		default: // nobody waits for that many
		}
	case "REC":
		if d.connected { // otherwise the rest of an earlier recording
			return d.record(m, arrival)
		}
	}
	return nil
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
		return fmt.Errorf("gazepoint: the numbers and times of the records do not fit %d records a second: state the rate of this tracker", d.o.Rate)
	}
	for _, p := range placed[:n] {
		if p.Rebased {
			d.log.Rebase(p.Arrival, "the tracker's clock began anew (calibration or restart)")
		}
		if p.Lost > 0 {
			d.log.Lost(p.Arrival, p.Lost)
		}
		d.log.Sample(p.TimeUS, p.Arrival, p.values())
	}
	return nil
}

// values returns the channels of a record.
func (r Record) values() []float64 {
	if !r.Valid {
		return []float64{math.NaN(), math.NaN(), 0, r.LeftMM, r.RightMM}
	}
	return []float64{r.X, r.Y, 1, r.LeftMM, r.RightMM}
}

func (d *dialogue) reportFaults() {
	now, before := d.scanner.Faults(), d.faults
	d.log.Fault(now.Stray-before.Stray, "run of bytes outside of any message")
	d.log.Fault(now.Broken-before.Broken, "message cut off or broken")
	d.log.Fault(now.TooLong-before.TooLong, "message too long")
	d.log.Fault(now.UnknownTag-before.UnknownTag, "message of unknown kind")
	d.faults = now
}
