package xid

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/connection"
)

const (
	// answerWithin is how long a device gets for an answer; it needs a few
	// milliseconds and its adapter 16 more.
	answerWithin = 300 * time.Millisecond
	// tries is how often a question is asked.
	tries = 10
	// byteGap is the pause that devices of the first version need between bytes.
	byteGap = time.Millisecond

	// A response is believed when its time lies between late before and early after
	// now, by the device's timer; drift is how far that timer may be off. The maker
	// speaks of a drift without telling its size.
	late  = 2 * time.Second
	early = 500 * time.Millisecond
	drift = .01

	// maxResponses is how many responses a second are recorded: more than hands
	// and light sensors make, and a sensor that flickers fills no disk.
	maxResponses = 100
)

// Products, by the answer to "_d2".
const (
	Lumina      = '0'
	VoiceKey    = '1'
	ResponsePad = '2'
	CPod        = '4'
	StimTracker = 'S'
)

const (
	products  = string(Lumina) + string(VoiceKey) + string(ResponsePad) + string(CPod) + string(StimTracker)
	firmwares = "12"
)

// language is one connection with an XID device.
type language struct {
	log   *connection.Log
	clock instant.Clock
	pulse time.Duration

	mu       sync.Mutex
	asked    answers
	sent     instant.Instant // when the timer was asked for
	answer   chan found      // to what was asked; holds one
	parser   parser
	known    bool            // the timer is
	zero     instant.Instant // when it showed 0
	product  byte            // 0 = not known yet
	firmware byte
	skipped  int64 // reported already

	second instant.Instant // begin of the second in which
	inIt   int64           // so many responses came
}

func newLanguage(log *connection.Log, clock instant.Clock, pulse time.Duration) *language {
	return &language{log: log, clock: clock, pulse: pulse, answer: make(chan found, 1)}
}

// Greet identifies the device, sets the length of its pulses and starts its timer.
func (l *language) Greet(ctx context.Context, w io.Writer) error {
	if err := l.enterMode(ctx, w); err != nil || ctx.Err() != nil {
		return err
	}
	if _, err := l.ask(ctx, w, "_d2", answers{identity: products}); err != nil || ctx.Err() != nil {
		return err
	}
	firmware, err := l.ask(ctx, w, "_d4", answers{identity: firmwares})
	if err != nil || ctx.Err() != nil {
		return err
	}
	var setup []byte
	if firmware.value == '1' {
		setup = append(setup, "a10"...) // what the maker's own library does first
	}
	if l.EndsPulse() {
		setup = binary.LittleEndian.AppendUint32(append(setup, "mp"...), milliseconds(l.pulse))
	}
	setup = append(append(setup, l.Code(0)...), "e5"...)
	if err := slowly(w, setup); err != nil {
		return err
	}
	_, err = l.ask(ctx, w, "_e5", answers{timer: true})
	if errors.Is(err, errNoAnswer) {
		return nil // codes can be written; responses are counted as faults
	}
	return err
}

// enterMode makes sure that an XID device is there and speaks XID.
func (l *language) enterMode(ctx context.Context, w io.Writer) error {
	for range tries {
		mode, err := l.ask(ctx, w, askMode, answers{mode: true})
		if err != nil || ctx.Err() != nil || mode.value == '0' {
			return err
		}
		if err := slowly(w, []byte("c10")); err != nil {
			return err
		}
	}
	return errors.New("xid: the device does not change to XID mode: set its switches to it")
}

// errNoAnswer is what becomes of a question without an answer.
var errNoAnswer = errors.New("xid: what is on this port does not answer as an XID device does: check that it is the right port")

// ask asks until it is answered.
func (l *language) ask(ctx context.Context, w io.Writer, question string, want answers) (found, error) {
	defer l.await(answers{})
	for n := range tries {
		l.await(want)
		if err := slowly(w, []byte(question)); err != nil {
			return found{}, err
		}
		patience := time.NewTimer(answerWithin)
		select {
		case f := <-l.answer:
			if n > 0 { // a slow device: its other answers must not be taken for later ones
				l.await(answers{})
				<-patience.C
			}
			patience.Stop()
			return f, nil
		case <-ctx.Done():
			patience.Stop()
			return found{}, nil
		case <-patience.C:
		}
	}
	return found{}, fmt.Errorf("%w (asked %q)", errNoAnswer, question)
}

// await says what is asked for from now on.
func (l *language) await(want answers) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked, l.sent = want, l.clock.Now()
	select {
	case <-l.answer: // to an earlier question
	default:
	}
}

// slowly writes byte by byte, as devices of the first version need it.
func slowly(w io.Writer, message []byte) error {
	for i := range message {
		if i > 0 {
			gap := time.NewTimer(byteGap)
			<-gap.C
		}
		if _, err := w.Write(message[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// linesByMask tells whether the device takes "mh", as all of the second version and
// all StimTrackers do; the others take "ah".
func (l *language) linesByMask() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.product == StimTracker || l.firmware == '2'
}

// Code is a line mask of 16 bits; in "ah" its lower half is inverted.
func (l *language) Code(code uint8) []byte {
	if l.linesByMask() {
		return []byte{'m', 'h', code, 0}
	}
	return []byte{'a', 'h', ^code, 0}
}

// EndsPulse is true where "mp" has set the length of a pulse.
func (l *language) EndsPulse() bool { return l.linesByMask() }

// Gap is needed by devices of the first version.
func (l *language) Gap() time.Duration {
	if l.linesByMask() {
		return 0
	}
	return byteGap
}

// Bye is none: the lines are low already.
func (l *language) Bye() []byte { return nil }

// Hear takes answers and responses.
func (l *language) Hear(b []byte, arrival instant.Instant) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known {
		l.parser.possible = func(ms uint32) bool { return l.possible(ms, arrival) }
	}
	for _, c := range b {
		f, ok := l.parser.take(c, l.asked)
		if !ok {
			continue
		}
		switch f.kind {
		case foundResponse:
			l.respond(f.key, arrival)
			continue
		case foundTimer:
			// It was read between the question and now.
			read := l.sent.Add(arrival.Sub(l.sent) / 2)
			l.known, l.zero = true, read.Add(-time.Duration(f.value)*time.Millisecond)
			l.parser.possible = func(ms uint32) bool { return l.possible(ms, arrival) }
		case foundIdentity:
			l.identify(byte(f.value), arrival)
		}
		l.asked = answers{}
		l.answer <- f // it is empty: await has seen to it
	}
	l.log.Fault(l.parser.skipped-l.skipped, "byte that belongs to no response")
	l.skipped = l.parser.skipped
	return nil
}

// identify takes the answer to "_d2", then that to "_d4".
func (l *language) identify(answer byte, arrival instant.Instant) {
	if l.asked.identity == products {
		l.product = answer
		return
	}
	l.firmware = answer
	l.parser.wide = l.product == StimTracker && answer == '2'
	l.log.Connected(arrival, fmt.Sprintf("%s, firmware %c", productName(l.product), answer))
}

func productName(product byte) string {
	switch product {
	case Lumina:
		return "Cedrus Lumina"
	case VoiceKey:
		return "Cedrus SV-1 voice key"
	case ResponsePad:
		return "Cedrus RB response pad"
	case CPod:
		return "Cedrus c-pod"
	default:
		return "Cedrus StimTracker"
	}
}

// possible tells whether the device's timer can have shown ms shortly before now.
func (l *language) possible(ms uint32, now instant.Instant) bool {
	passed := now.Sub(l.zero)
	off := time.Duration(float64(passed) * drift)
	// The difference of 32 bits: the timer comes round after 49.7 days.
	ahead := time.Duration(int32(ms-uint32(passed/time.Millisecond))) * time.Millisecond
	return ahead >= -late-off && ahead <= early+off
}

// respond records a response, if there are not too many of them.
func (l *language) respond(r response, arrival instant.Instant) {
	if arrival.Sub(l.second) >= time.Second {
		l.second, l.inIt = arrival, 0
	}
	l.inIt++
	if l.inIt > maxResponses {
		l.log.Fault(1, fmt.Sprintf("response beyond %d in a second", maxResponses))
		return
	}
	l.log.Mark(arrival, r.String())
}
