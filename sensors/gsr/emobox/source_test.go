package emobox_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/calibration/conductance"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/gsr/emobox"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

func options(port string) emobox.Options {
	return emobox.Options{Place: device.Place{ID: "eda", Port: port, Clock: instant.Monotonic{}, Simulated: true}}
}

func hello(cause wire.Cause) []byte {
	return wire.AppendHello(nil, wire.Hello{Protocol: 2, Cause: cause, Model: "bench", Serial: 5, TickHz: 1e6, Rate: 100})
}

// eda returns the frames of samples from..until, 10 ms apart, the first at tick.
func eda(from, until int, tick uint32) []byte {
	var b []byte
	for i := from; i < until; i++ {
		b = wire.AppendEDA(b, wire.EDA{Seq: uint16(i), Tick: tick + uint32(i-from)*10_000, Raw: 20_000})
	}
	return b
}

// greet plays the box until the driver has started it.
func greet(far *serialtest.Port, cause wire.Cause) {
	far.Take(wire.AppendIdentify(nil))
	far.Send(hello(cause))
	far.Take(wire.AppendStart(nil))
}

func TestInfo(t *testing.T) {
	info := emobox.New(options("/dev/ttyX")).Info()[0]
	if info.Clock != stream.PingedClock || info.TickHz != 1e6 || info.Rate != 100 || !info.Simulated ||
		info.Index("raw") != 0 || info.Index("eda_us") != 1 {
		t.Errorf("%+v", info)
	}
	var by []time.Duration
	for _, info := range emobox.New(everything("/dev/ttyX")).Info() {
		if info.Shift == nil {
			by = append(by, 0)
			continue
		}
		by = append(by, info.Shift.By)
		if w := info.Shift.Within; w <= 0 || w > 60*time.Microsecond || !json.Valid(info.Shift.Calibration) {
			t.Errorf("%s: shift within %v, by %q", info.ID, w, info.Shift.Calibration)
		}
	}
	if want := []time.Duration{-9875 * time.Microsecond, -92 * time.Microsecond, 0}; !slices.Equal(by, want) {
		t.Errorf("shifts of %v, want %v", by, want)
	}
}

func TestRefusesBadOptions(t *testing.T) {
	for _, c := range []struct {
		names string
		spoil func(*emobox.Options)
	}{
		{"port", func(o *emobox.Options) { o.Port = "" }},
		{"rate", func(o *emobox.Options) { o.Rate = 501 }},
		{"rate", func(o *emobox.Options) { o.Rate = -1 }},
		{"light_threshold", func(o *emobox.Options) { o.LightThreshold = 65536 }},
		{"circuit", func(o *emobox.Options) { o.Circuit.VccMV = 400 }},
		{"circuit", func(o *emobox.Options) { o.Circuit.RfKohm = math.NaN() }},
		{"calibration", func(o *emobox.Options) { o.Calibration = []emobox.Resistor{{Kohm: 100, MeasuredUS: 10}} }},
		{"calibration", func(o *emobox.Options) {
			o.Calibration = []emobox.Resistor{{Kohm: 100, MeasuredUS: 20}, {Kohm: 50, MeasuredUS: 10}}
		}},
	} {
		o := options("/dev/ttyX")
		c.spoil(&o)
		if _, err := o.Open(); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%+v: %v does not name %s", o, err, c.names)
		}
		if err := emobox.New(o).Run(t.Context(), nil); err == nil {
			t.Errorf("%+v: it ran", o)
		}
	}
}

// Garbage, half frames and damaged frames cost nothing but themselves.
func TestSurvivesGarbage(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(options(far.Path())))
	r := rand.New(rand.NewPCG(1, 2))
	far.Take(wire.AppendIdentify(nil))
	far.SendSplit(r, append(append(serialtest.Garbage(r, 300), 0), hello(wire.Asked)...))
	far.Take(wire.AppendStart(nil))

	var line []byte
	for i := range 200 {
		switch i % 4 {
		case 1:
			line = append(append(line, serialtest.Garbage(r, 1+r.IntN(60))...), 0)
		case 2:
			half := eda(i, i+1, 1)
			line = append(append(line, half[:len(half)/2]...), 0)
		case 3:
			line = append(line, 0, 0)
		}
		line = append(line, eda(i, i+1, uint32(i+1)*10_000)...)
	}
	far.SendSplit(r, line)
	got.AwaitSamples(200)
	for i, s := range got.Samples() {
		if s.Seq != int64(i) || s.Tick != int64(i+1)*10_000 {
			t.Fatalf("sample %d: number %d, tick %d", i, s.Seq, s.Tick)
		}
	}
	if n := got.Total(stream.Lost); n != 0 {
		t.Errorf("%d lost, want none", n)
	}
	far.Unplug() // what was not reported for a second is reported now
	got.AwaitEvents(stream.Disconnected, 1)
	if n := got.Total(stream.Fault); n < 100 {
		t.Errorf("%d faults, want one for each of the 100 pieces of garbage and half frames", n)
	}
}

func TestCountsLost(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(options(far.Path())))
	greet(far, wire.Asked)
	far.Send(eda(2, 5, 20_000))
	far.Send(eda(65, 70, 650_000))
	got.AwaitSamples(8)
	var seqs []int64
	for _, s := range got.Samples() {
		seqs = append(seqs, s.Seq)
	}
	if want := []int64{2, 3, 4, 65, 66, 67, 68, 69}; !slices.Equal(seqs, want) {
		t.Errorf("numbers %v, want %v", seqs, want)
	}
	var counts []int64
	for _, e := range got.Events(stream.Lost) {
		counts = append(counts, e.Count)
	}
	if want := []int64{2, 60}; !slices.Equal(counts, want) {
		t.Errorf("lost %v, want %v", counts, want)
	}
}

// A box whose Stop was damaged goes on with its numbers of before. They say
// nothing of this recording.
func TestNumbersOfBeforeAreNoLoss(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(options(far.Path())))
	greet(far, wire.Asked)
	far.Send(eda(50_000, 50_005, 20_000))
	got.AwaitSamples(5)
	if s := got.Samples(); s[0].Seq != 0 || got.Total(stream.Lost) != 0 {
		t.Errorf("first number %d, %d lost, want 0 and none", s[0].Seq, got.Total(stream.Lost))
	}
}

func TestUnwraps(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(options(far.Path())))
	greet(far, wire.Asked)
	const first = 1<<32 - 50_000
	far.Send(eda(0, 10, first))
	got.AwaitSamples(10)
	for i, s := range got.Samples() {
		if want := int64(first) + int64(i)*10_000; s.Tick != want {
			t.Fatalf("sample %d has tick %d, want %d", i, s.Tick, want)
		}
	}
}

// A box that resets itself begins a new epoch, on the same port; the samples
// keep counting.
func TestRestart(t *testing.T) {
	for name, sign := range map[string][]byte{
		"hello":        hello(wire.Started),
		"clock back":   eda(10, 11, 500),
		"clock jumps":  eda(10, 11, 1<<31+5),
		"numbers jump": eda(0, 1, 210_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			far := serialtest.Open(t)
			got := serialtest.Record(t, emobox.New(options(far.Path())))
			greet(far, wire.Asked)
			far.Send(eda(0, 10, 100_000))
			got.AwaitSamples(10)
			far.Send(sign)
			greet(far, wire.Asked)
			far.Send(eda(0, 10, 7_000))
			got.AwaitSamples(20)
			if n := len(got.Events(stream.Disconnected)); n != 1 {
				t.Errorf("%d Disconnected events, want 1", n)
			}
			if n := len(got.Events(stream.Connected)); n != 2 {
				t.Errorf("%d Connected events, want 2", n)
			}
			next := int64(0)
			for _, c := range got.Chunks() {
				for _, s := range c.Samples {
					if s.Seq != next || c.Epoch != int(s.Seq/10) {
						t.Fatalf("sample %d in epoch %d, want %d in %d", s.Seq, c.Epoch, next, next/10)
					}
					next++
				}
			}
		})
	}
}

// The answer to a question asked twice is no restart.
func TestSecondHelloIsNoRestart(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(options(far.Path())))
	far.Take(wire.AppendIdentify(nil))
	far.Send(append(hello(wire.Started), hello(wire.Asked)...))
	far.Take(wire.AppendStart(nil))
	far.Send(eda(0, 3, 1000))
	got.AwaitSamples(3)
	if n := len(got.Events(stream.Disconnected)); n != 0 {
		t.Errorf("%d Disconnected events, want none", n)
	}
}

func TestStartIsRepeated(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	serialtest.Record(t, emobox.New(options(far.Path())))
	greet(far, wire.Asked)
	far.Take(wire.AppendStart(nil))
}

// The rate is set again until the box says that it is in force.
func TestRateIsRepeated(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	o := options(far.Path())
	o.Rate = 250
	got := serialtest.Record(t, emobox.New(o))
	greet(far, wire.Asked) // says 100
	far.Send(eda(0, 3, 20_000))
	got.AwaitSamples(3)
	far.Take(wire.AppendIdentify(nil))
	far.Send(hello(wire.Asked)) // still 100: the Rate was damaged
	far.Take(wire.AppendRate(nil, 250))
	if n := len(got.Events(stream.Disconnected)); n != 0 {
		t.Errorf("%d Disconnected events, want none", n)
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(options(far.Path())))
	far.Take(wire.AppendIdentify(nil))
	far.Send(hello(wire.Asked))
	for id := range uint16(8) {
		far.Take(wire.AppendPing(nil, id))
		far.Send(wire.AppendPong(nil, wire.Pong{ID: id, Rx: uint32(id)*21_000 + 5, Tx: uint32(id)*21_000 + 9}))
	}
	far.Send(wire.AppendPong(nil, wire.Pong{ID: 999, Rx: 1, Tx: 2})) // nobody asked
	far.Take(wire.AppendStart(nil))
	far.Send(eda(0, 1, 200_000))
	got.AwaitSamples(1)
	n := int64(0)
	for _, c := range got.Chunks() {
		for _, p := range c.Probes {
			if p.T0 >= p.T3 || p.Rx != n*21_000+5 || p.Tx != n*21_000+9 {
				t.Errorf("probe %d: %+v", n, p)
			}
			n++
		}
	}
	if n != 8 {
		t.Errorf("%d probes, want 8", n)
	}
	if f := got.Total(stream.Fault); f != 1 {
		t.Errorf("%d faults, want 1 for the pong that nobody asked for", f)
	}
}

// The goodbye of a driver stops the box.
func TestStopsTheBox(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(options(far.Path())))
	greet(far, wire.Asked)
	got.Stop()
	far.Take(wire.AppendStop(nil))
}

func TestOpenElectrodesAndCalibration(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	o := options(far.Path())
	// What reads 10 is 21, what reads 20 is 41.
	o.Calibration = []emobox.Resistor{{Kohm: 1000. / 21, MeasuredUS: 10}, {Kohm: 1000. / 41, MeasuredUS: 20}}
	got := serialtest.Record(t, emobox.New(o))
	greet(far, wire.Asked)
	far.Send(wire.AppendEDA(nil, wire.EDA{Seq: 0, Tick: 1, Raw: 6000}))
	far.Send(wire.AppendEDA(nil, wire.EDA{Seq: 1, Tick: 2, Raw: conductance.Emobox().Raw(10)}))
	got.AwaitSamples(2)
	s := got.Samples()
	if s[0].Values[0] != 6000 || !math.IsNaN(s[0].Values[1]) {
		t.Errorf("open electrodes: %v, want raw 6000 and NaN", s[0].Values)
	}
	if math.Abs(s[1].Values[1]-21) > .01 {
		t.Errorf("corrected to %v µS, want 21", s[1].Values[1])
	}
}

func TestAbsentPortIsAnEvent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ttyLATER")
	got := serialtest.Record(t, emobox.New(options(path)))
	got.AwaitEvents(stream.Disconnected, 1)
	if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, path) {
		t.Errorf("%q does not name the port", e.Detail)
	}
	terminal, err := virtual.Plug(path)
	if err != nil {
		t.Fatal(err)
	}
	serialtest.Eventually(t, "the driver opens the port", func() bool {
		open, err := terminal.Opened()
		return err == nil && open
	})
	got.Stop()
	if err := terminal.Close(); err != nil {
		t.Error(err)
	}
	if n := len(got.Events(stream.Disconnected)); n != 1 {
		t.Errorf("the absence was reported %d times", n)
	}
}

func TestRefusesOtherFirmware(t *testing.T) {
	for name, hello := range map[string]wire.Hello{
		"version 1":   {Protocol: 1, Model: "old", TickHz: 1e6},
		"other ticks": {Protocol: 2, Model: "other", TickHz: 250_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			far := serialtest.Open(t)
			got := serialtest.Record(t, emobox.New(options(far.Path())))
			far.Take(wire.AppendIdentify(nil))
			far.Send(wire.AppendHello(nil, hello))
			got.AwaitEvents(stream.Disconnected, 1)
			if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, "update its firmware") {
				t.Errorf("%q does not say what to do", e.Detail)
			}
		})
	}
}

func TestReportsTheBoxsOwnCounters(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(options(far.Path())))
	greet(far, wire.Asked)
	far.Send(wire.AppendStatus(nil, wire.Status{Unsent: 65_530}))
	far.Send(wire.AppendStatus(nil, wire.Status{Unsent: 4, BadFrames: 2}))
	got.AwaitEvents(stream.Fault, 1)
	if n := got.Total(stream.Fault); n != 12 {
		t.Errorf("%d faults, want 10 unsent samples and 2 damaged commands", n)
	}
}
