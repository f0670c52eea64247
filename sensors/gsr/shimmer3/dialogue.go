package shimmer3

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
)

// attempts is how often a command is put.
const attempts = 3

// pace is how long a Shimmer is given.
type pace struct {
	// patience is how long the first answer to a command may take; each repetition
	// waits twice as long as the one before.
	patience time.Duration
	// stopped is how long a Shimmer that was told to stop must be quiet until it
	// counts as stopped: firmware before 0.15.4 may not acknowledge that. within is
	// how long it may go on sending.
	stopped, within time.Duration
	// quiet is how long nothing must come after a command without an answer, so
	// that a late one is not taken for the next one's.
	quiet time.Duration
	// silence is how long bytes may come without one reading among them.
	silence time.Duration
}

// usual is the pace over Bluetooth, which can hold bytes back for some 100 ms.
func usual() pace {
	return pace{
		patience: patience,
		stopped:  500 * time.Millisecond, within: 5 * time.Second,
		quiet: 200 * time.Millisecond, silence: silence,
	}
}

// dialogue is one conversation with the Shimmer. Speak puts one question at a
// time, and tells Hear by now what the bytes that follow can be.
type dialogue struct {
	o    Options
	pace pace
	log  *connection.Log

	now     atomic.Pointer[stance]
	heard   chan struct{} // something came
	replies chan Message  // to the command that is out

	// The rest belongs to Hear.
	stance    *stance // the one that the receiver knows
	receiver  Receiver
	faults    Faults // reported already
	connected bool
	since     instant.Instant // of the last sample, or of the start
	begun     bool
	sequence  sequence
	plateau   plateau
}

// stance is what Hear does with bytes.
type stance struct {
	deaf  bool // they are not looked at
	form  form
	about string // what is said of the connection; "" = there is none yet
}

func newDialogue(o Options, p pace, log *connection.Log) *dialogue {
	d := &dialogue{o: o, pace: p, log: log, heard: make(chan struct{}, 1), replies: make(chan Message, 1)}
	d.now.Store(&stance{deaf: true})
	return d
}

// Speak sets the Shimmer up, starts it, and stops it when ctx ends.
func (d *dialogue) Speak(ctx context.Context, w io.Writer) error {
	defer func() {
		d.now.Store(&stance{deaf: true}) // for what answers the goodbye
		_, _ = w.Write([]byte{cmdStop})  // a failing one has no one left to tell
	}()
	t := &talk{dialogue: d, w: w}
	if err := t.begin(ctx); err != nil || ctx.Err() != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("shimmer3: %w", err)
	}
	<-ctx.Done()
	return nil
}

// Hear receives b and enters what it brought.
func (d *dialogue) Hear(b []byte, arrival instant.Instant) error {
	select {
	case d.heard <- struct{}{}:
	default:
	}
	d.attend(arrival)
	if d.stance.deaf {
		return nil
	}
	d.receiver.Feed(b, arrival)
	for {
		m, ok := d.receiver.Next()
		if !ok {
			break
		}
		if err := d.message(m); err != nil {
			return err
		}
	}
	d.reportFaults()
	if d.stance.form.layout.Size > 0 && arrival.Sub(d.since) > d.pace.silence {
		return fmt.Errorf("shimmer3: bytes come, but for %v none of them were readings: check that no other program talks to the Shimmer, and the baud rate of the line", d.pace.silence)
	}
	return nil
}

// attend takes over what Speak expects.
func (d *dialogue) attend(now instant.Instant) {
	s := d.now.Load()
	if s == d.stance {
		return
	}
	if s.deaf || d.stance == nil || d.stance.deaf {
		d.receiver.reset()
	}
	d.receiver.set(s.form)
	if l := s.form.layout; l.Size > 0 && !d.begun {
		d.begun, d.since = true, now
		d.sequence = sequence{divider: int64(l.Divider)}
		if !d.o.Range.fixed {
			d.plateau = newPlateau(l.Divider)
		}
	}
	d.stance = s
}

func (d *dialogue) message(m Message) error {
	switch m.Kind {
	case Data:
		d.data(m)
	case Status:
		if d.connected && m.Payload[0]&statusStreaming == 0 {
			return errors.New("shimmer3: the Shimmer stopped by itself: check that it is not in its dock, its battery, and that nobody pressed its button")
		}
		return nil
	}
	// Data answer the start, too: its acknowledgement may be lost.
	m.Payload = append([]byte(nil), m.Payload...)
	select {
	case d.replies <- m:
	default: // nobody asked
	}
	return nil
}

func (d *dialogue) data(m Message) {
	if !d.connected {
		d.connected = true
		d.log.Connected(m.Arrival, d.stance.about)
	}
	p := packet{raw: tickOf(m.Payload), arrival: m.Arrival, word: d.stance.form.layout.word(m.Payload)}
	placed, n, damaged := d.sequence.take(p)
	d.log.Fault(damaged, "packet whose tick does not follow the one before")
	for _, p := range placed[:n] {
		d.since = p.arrival
		d.plateau.take(p, d.enter)
	}
}

// enter enters one reading.
func (d *dialogue) enter(p packet, repeated bool) {
	if p.rebased {
		d.log.Rebase(p.arrival, "the Shimmer's clock was set")
	}
	if p.lost > 0 {
		d.log.Lost(p.arrival, p.lost)
	}
	us, hold := Microsiemens(p.word, d.o.Range.fixed), 0.0
	if repeated {
		us, hold = math.NaN(), 1
	}
	d.log.Sample(p.tick, p.arrival, []float64{float64(p.word.ADC()), us, float64(p.word.Range()), hold})
}

// leave enters what was held when the conversation ended. Neither of its halves
// may still run.
func (d *dialogue) leave() { d.plateau.flush(d.enter) }

func (d *dialogue) reportFaults() {
	now, before := d.receiver.Faults(), d.faults
	d.log.Fault(now.Checksum-before.Checksum, "message with a wrong checksum")
	d.log.Fault(now.Stray-before.Stray, "run of bytes outside of any message")
	d.faults = now
}
