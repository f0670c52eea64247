package trigger_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/serialtest"
	"emolab/sensors/trigger"
	"emolab/sensors/trigger/rawbyte"
	"emolab/sensors/virtual"
)

// bench is an emitter that runs, with a virtual device behind a real port.
type bench struct {
	clock instant.Monotonic
	link  *virtual.Link
	twin  *rawbyte.Twin
	e     *trigger.Emitter
	got   *serialtest.Recording
}

func open(t *testing.T, s trigger.Settings) *bench {
	t.Helper()
	b := &bench{}
	o := rawbyte.Options{Place: device.Place{ID: "trigger", Clock: b.clock, Simulated: true}, Settings: s}
	b.twin = o.Twin(virtual.TwinOptions{Clock: b.clock}).(*rawbyte.Twin)
	var err error
	b.link, err = virtual.NewLink(filepath.Join(t.TempDir(), "ttyTRIG"), b.twin, virtual.FTDI(0), 1, b.clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.link.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Port = b.link.Path()
	b.e = rawbyte.New(o)
	b.got = serialtest.Record(t, b.e)
	b.got.AwaitEvents(stream.Connected, 1)
	b.fireUntilWritten(t)
	return b
}

// fireUntilWritten fires code 200 until one was written: the device is ready then.
func (b *bench) fireUntilWritten(t *testing.T) {
	t.Helper()
	before, answered := len(b.got.Samples()), b.answered()
	asked := 0
	serialtest.Eventually(t, "a first code is written", func() bool {
		if b.answered() == answered+asked && len(b.got.Samples()) == before {
			b.e.Fire(200, trigger.NoOnset)
			asked++
		}
		return len(b.got.Samples()) > before
	})
}

// answered is how many codes were written or lost.
func (b *bench) answered() int {
	return len(b.got.Samples()) + int(b.got.Total(stream.Lost))
}

// pulses checks that each code on the lines is taken off again, and returns the
// codes. How long they stood is for TestPulse: this device stamps with the
// scheduler's delay.
func (b *bench) pulses(t *testing.T) []uint8 {
	t.Helper()
	levels := b.twin.Levels()
	for i := 0; i+1 < len(levels); i += 2 {
		high, low := levels[i], levels[i+1]
		if high.Code == 0 || low.Code != 0 {
			t.Fatalf("levels %+v: want a code and then 0", levels[max(0, i-1):i+2])
		}
	}
	return b.twin.Codes()
}

func TestEachTriggerOnce(t *testing.T) {
	t.Parallel()
	b := open(t, trigger.Settings{PulseMs: 8})
	first := len(b.got.Samples())
	var want []uint8
	for n := 1; n <= 20; n++ {
		onset := b.clock.Now()
		b.e.Mark(fmt.Sprint("clip", n), n, onset)
		b.got.AwaitSamples(first + n)
		s := b.got.Samples()[first+n-1]
		if s.Values[0] != float64(n) {
			t.Fatalf("code %v, want %d", s.Values[0], n)
		}
		lag := float64(s.Tick-int64(onset)) / 1e6
		if math.Abs(s.Values[1]-lag) > 1e-9 || lag < 0 {
			t.Errorf("lag %v ms, by the tick it is %v", s.Values[1], lag)
		}
		if instant.Instant(s.Tick) > s.Arrival {
			t.Errorf("tick %d after the write returned at %d", s.Tick, s.Arrival)
		}
		want = append(want, uint8(n))
	}
	serialtest.Eventually(t, "the last code is taken off", func() bool {
		l := b.twin.Levels()
		return len(l) == 2*len(b.twin.Codes()) && len(b.twin.Codes()) == first+20
	})
	if codes := b.pulses(t); !slices.Equal(codes[first:], want) {
		t.Errorf("the lines showed %v, want %v", codes[first:], want)
	}
	b.checkOrder(t)
}

// checkOrder demands sequence numbers whose holes are those of the Lost events,
// and ticks that rise.
func (b *bench) checkOrder(t *testing.T) {
	t.Helper()
	next, tick, holes := int64(0), int64(0), int64(0)
	for _, s := range b.got.Samples() {
		if s.Seq < next || s.Tick <= tick {
			t.Fatalf("sample %+v after number %d, tick %d", s, next-1, tick)
		}
		holes += s.Seq - next
		next, tick = s.Seq+1, s.Tick
	}
	if lost := b.got.Total(stream.Lost); lost < holes {
		t.Errorf("%d lost, the numbers have holes of %d", lost, holes)
	}
}

// Two equal codes one after the other are two pulses.
func TestEqualCodesAreApart(t *testing.T) {
	t.Parallel()
	b := open(t, trigger.Settings{PulseMs: 5})
	n, answered := len(b.got.Samples()), b.answered()
	for range 5 {
		b.e.Fire(9, trigger.NoOnset)
	}
	// A machine that is too busy for them all may lose the last ones.
	serialtest.Eventually(t, "five codes are written or lost", func() bool { return b.answered() == answered+5 })
	serialtest.Eventually(t, "each that was written is a pulse", func() bool {
		l := b.twin.Levels()
		return len(b.twin.Codes()) == len(b.got.Samples()) && l[len(l)-1].Code == 0
	})
	if len(b.got.Samples()) < n+2 {
		t.Fatalf("%d codes of five were written", len(b.got.Samples())-n)
	}
	b.pulses(t)
	for _, s := range b.got.Samples()[n:] {
		if s.Values[0] != 9 || !math.IsNaN(s.Values[1]) {
			t.Errorf("%v, want code 9 and no lag", s.Values)
		}
	}
}

// An onset that is forecast is waited for; one that is impossibly far ahead is not.
func TestForecastOnset(t *testing.T) {
	t.Parallel()
	b := open(t, trigger.Settings{PulseMs: 5})
	n := len(b.got.Samples())
	b.e.Fire(1, b.clock.Now().Add(60*time.Millisecond))
	b.e.Fire(2, b.clock.Now().Add(time.Hour))
	b.got.AwaitSamples(n + 2)
	s := b.got.Samples()[n:]
	if lag := s[0].Values[1]; lag < 0 {
		t.Errorf("written %v ms before its onset", -lag)
	}
	if lag := s[1].Values[1]; lag > -3_000_000 {
		t.Errorf("lag %v ms: an onset in an hour was waited for", lag)
	}
}

// An onset that was long ago is not marked any more.
func TestOnsetOfThePast(t *testing.T) {
	t.Parallel()
	b := open(t, trigger.Settings{PulseMs: 5})
	lost := b.got.Total(stream.Lost)
	const past = 1500 * time.Millisecond
	onset := b.clock.Now().Add(-past)
	b.e.Fire(1, onset)
	serialtest.Eventually(t, "it is lost", func() bool { return b.got.Total(stream.Lost) == lost+1 })
	e := b.got.Events(stream.Lost)
	d := e[len(e)-1].Detail
	_, words, _ := strings.Cut(d, "trigger 1 was not written: its onset was ")
	words, found := strings.CutSuffix(words, " ago")
	if ago, err := time.ParseDuration(words); !found || err != nil || ago < past || ago > b.clock.Now().Sub(onset)+time.Millisecond {
		t.Errorf("%q", d)
	}
}

// While there is no device nothing is written, nor later. Each code is told.
func TestNothingIsWrittenLate(t *testing.T) {
	t.Parallel()
	b := open(t, trigger.Settings{PulseMs: 5})
	for round := 1; round <= 5; round++ {
		lost := b.got.Total(stream.Lost)
		if err := b.link.Unplug(); err != nil {
			t.Fatal(err)
		}
		b.got.AwaitEvents(stream.Disconnected, round)
		for code := uint8(50); code < 53; code++ {
			b.e.Fire(code, b.clock.Now())
		}
		serialtest.Eventually(t, "three are lost", func() bool { return b.got.Total(stream.Lost) == lost+3 })
		if err := b.link.Plug(); err != nil {
			t.Fatal(err)
		}
		b.got.AwaitEvents(stream.Connected, round+1)
		b.fireUntilWritten(t)
	}
	if codes := b.twin.Codes(); slices.ContainsFunc(codes, func(c uint8) bool { return c != 200 }) {
		t.Errorf("the lines showed %v, want none of those fired without a device", codes)
	}
	for _, e := range b.got.Events(stream.Lost) {
		if e.Count != 1 || !strings.Contains(e.Detail, "trigger ") {
			t.Errorf("%+v, want one trigger by its code", e)
		}
	}
	b.checkOrder(t)
}

// A cable that is pulled while a code stands, and while others wait.
func TestPulledInAPulse(t *testing.T) {
	t.Parallel()
	b := open(t, trigger.Settings{PulseMs: 1000})
	n := len(b.got.Samples())
	answered := b.answered()
	b.e.Fire(7, b.clock.Now())
	b.e.Fire(8, b.clock.Now())
	if err := b.link.Unplug(); err != nil {
		t.Fatal(err)
	}
	serialtest.Eventually(t, "both are accounted for", func() bool { return b.answered() == answered+2 })
	for _, s := range b.got.Samples()[n:] {
		if s.Values[0] == 8 {
			t.Error("code 8 counts as written, its device was away")
		}
	}
	if err := b.link.Plug(); err != nil {
		t.Fatal(err)
	}
	b.got.AwaitEvents(stream.Connected, 2)
	b.fireUntilWritten(t)
	if slices.Contains(b.twin.Codes(), 8) {
		t.Error("code 8 was written after the device came back")
	}
	b.checkOrder(t)
}

// A device that takes nothing holds nobody up, and what does not fit is counted.
func TestFireNeverBlocks(t *testing.T) {
	t.Parallel()
	b := open(t, trigger.Settings{PulseMs: 1000})
	answered := b.answered()
	const fired = 100
	for range fired {
		b.e.Fire(3, trigger.NoOnset)
	}
	// Those in the queue wait for more than a second each, and are not written then. Those
	// that did not fit are told once a second: at once, or in two parts.
	serialtest.Eventually(t, "all are accounted for", func() bool { return b.answered()+int(b.got.Total(stream.Fault)) == answered+fired })
	if n := b.got.Total(stream.Fault); n < fired-20 || n > fired-1 {
		t.Errorf("%d did not fit, want most of %d", n, fired)
	}
	for _, e := range b.got.Events(stream.Fault) {
		if !strings.Contains(e.Detail, "the last was 3") {
			t.Errorf("%q", e.Detail)
		}
	}
	for _, e := range b.got.Events(stream.Lost) {
		if !strings.Contains(e.Detail, "waited") && !strings.Contains(e.Detail, "ready") {
			t.Errorf("%q", e.Detail)
		}
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	b := open(t, trigger.Settings{PulseMs: 1, Codes: map[string]int{"sunrise": 17}})
	n := len(b.got.Samples())
	b.e.Mark("storm", 3, b.clock.Now())
	b.e.Mark("sunrise", 4, b.clock.Now())
	b.got.AwaitSamples(n + 1)
	if s := b.got.Samples()[n]; s.Values[0] != 17 {
		t.Errorf("code %v, want that of sunrise", s.Values[0])
	}
	b.got.AwaitEvents(stream.Marker, 1)
	if e := b.got.Events(stream.Marker)[0]; !strings.Contains(e.Detail, "storm") {
		t.Errorf("%q does not name the stimulus without a code", e.Detail)
	}

	plain := open(t, trigger.Settings{})
	plain.e.Mark("any", 256, plain.clock.Now())
	plain.got.AwaitEvents(stream.Fault, 1)
	if e := plain.got.Events(stream.Fault)[0]; !strings.Contains(e.Detail, "256") {
		t.Errorf("%q does not name the presentation without a code", e.Detail)
	}
}

// Without a device from the beginning, its absence is told in words.
func TestAbsentFromTheBeginning(t *testing.T) {
	t.Parallel()
	e := rawbyte.New(rawbyte.Options{Place: device.Place{ID: "trigger", Port: filepath.Join(t.TempDir(), "none"), Clock: instant.Monotonic{}}})
	got := serialtest.Record(t, e)
	got.AwaitEvents(stream.Disconnected, 1)
	e.Fire(5, trigger.NoOnset)
	got.AwaitEvents(stream.Lost, 1)
	if d := got.Events(stream.Lost)[0].Detail; !strings.Contains(d, "trigger 5 was not written") {
		t.Errorf("%q", d)
	}
}

func TestSettings(t *testing.T) {
	for _, s := range []trigger.Settings{
		{PulseMs: -1}, {PulseMs: 1001}, {Codes: map[string]int{"a": 0}}, {Codes: map[string]int{"a": 256}},
	} {
		if s.Check() == nil {
			t.Errorf("%+v: no error", s)
		}
	}
	s := trigger.Settings{PulseMs: 40, Codes: map[string]int{"a": 1, "b": 255}}
	if err := s.Check(); err != nil || s.Pulse() != 40*time.Millisecond || (trigger.Settings{}).Pulse() != 25*time.Millisecond {
		t.Errorf("%v, pulse %v", err, s.Pulse())
	}
}

func TestInfo(t *testing.T) {
	info := rawbyte.New(rawbyte.Options{Place: device.Place{ID: "trigger", Port: "x", Simulated: true}}).Info()[0]
	if info.Kind != stream.Trigger || info.Clock != stream.HostClock || info.TickHz != 1e9 || info.Rate != 0 || !info.Simulated ||
		info.Index("code") != 0 || info.Index("lag_ms") != 1 {
		t.Errorf("%+v", info)
	}
}
