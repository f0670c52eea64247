package emobox_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/calibration/conductance"
	"emolab/firmware-bridge/wire"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/gsr/emobox"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

// everything asks for all three streams.
func everything(port string) emobox.Options {
	o := options(port)
	o.Light, o.Trigger, o.LightThreshold = true, true, 20_000
	return o
}

// hello2 is the Hello of a box of version 2 with everything, of which on is on.
func hello2(cause wire.Cause, on wire.Capabilities) []byte {
	return wire.AppendHello(nil, wire.Hello{Protocol: 2, Cause: cause, Model: "emobox", Firmware: [3]uint8{2, 0, 0}, Serial: 5,
		TickHz: 1e6, Rate: 100, Has: wire.HasLight | wire.HasTrigger, On: on})
}

// block is a block of light: number, tick and the first reading, each next one 1 more.
func block(number uint16, tick uint32, first uint16) []byte {
	l := wire.Light{Seq: number, Tick: tick}
	for i := range l.Raw {
		l.Raw[i] = first + uint16(i)
	}
	return wire.AppendLight(nil, l)
}

// of returns the samples of one stream.
func of(r *serialtest.Recording, id string) []stream.Sample {
	var all []stream.Sample
	for _, c := range r.Chunks() {
		if c.Stream == id {
			all = append(all, c.Samples...)
		}
	}
	return all
}

// lost returns what is missing of one stream by its Lost events.
func lost(r *serialtest.Recording, id string) (n int64) {
	for _, c := range r.Chunks() {
		for _, e := range c.Events {
			if c.Stream == id && e.Kind == stream.Lost {
				n += e.Count
			}
		}
	}
	return n
}

func TestInfoOfThreeStreams(t *testing.T) {
	infos := emobox.New(everything("/dev/ttyX")).Info()
	var got []string
	for _, i := range infos {
		got = append(got, i.ID+" "+string(i.Kind)+" "+i.Channels[0].Name)
		if i.Clock != stream.PingedClock || i.TickHz != 1e6 {
			t.Errorf("%+v", i)
		}
	}
	if want := []string{"eda eda raw", "eda_light light light_raw", "eda_trigger trigger code"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	only := options("/dev/ttyX")
	only.Trigger = true
	if infos := emobox.New(only).Info(); len(infos) != 2 || infos[1].ID != "eda_trigger" {
		t.Errorf("%+v", infos)
	}
}

// The settings are sent before Start, and again until the box says that they are
// in force.
func TestSettingsAreRepeated(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(everything(far.Path())))
	settings := slices.Concat(wire.AppendRate(nil, 100),
		wire.AppendLightSet(nil, wire.LightSetting{On: true, Threshold: 20_000}), wire.AppendTriggerSet(nil, true),
		wire.AppendStart(nil), wire.AppendIdentify(nil))
	far.Take(wire.AppendIdentify(nil))
	far.Send(hello2(wire.Asked, 0))
	far.Take(settings)
	far.Send(append(hello2(wire.Asked, wire.HasLight), eda(0, 1, 5_000)...)) // the TriggerSet was damaged
	far.Take(settings)
	far.Send(append(hello2(wire.Asked, wire.HasLight|wire.HasTrigger), eda(1, 2, 15_000)...))
	got.AwaitSamples(2)
	if n := got.Total(stream.Fault) + int64(len(got.Events(stream.Disconnected))); n != 0 {
		t.Errorf("%d faults or disconnections, want none", n)
	}
}

func TestThreeStreams(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(everything(far.Path())))
	far.Take(wire.AppendIdentify(nil))
	far.Send(hello2(wire.Asked, 0))
	far.Take(wire.AppendStart(nil))
	far.Send(block(0, 20_000, 100))
	far.Send(eda(0, 3, 30_000))
	far.Send(wire.AppendTrigger(nil, wire.Trigger{Seq: 0, Tick: 41_234, Level: 1}))
	far.Send(block(1, 44_000, 200))
	far.Send(wire.AppendTrigger(nil, wire.Trigger{Seq: 3, Tick: 51_234, Level: 0})) // two are missing
	far.Send(block(3, 68_000, 300))                                                 // and a block
	far.Send(wire.AppendTrigger(nil, wire.Trigger{Seq: 4, Tick: 51_234, Level: 1})) // within a tick
	got.AwaitSamples(3 + 36 + 3)

	for i, s := range of(got, "eda") {
		if want := 30_000 + int64(i)*10_000; s.Tick != want || s.Seq != int64(i) {
			t.Errorf("EDA %d: number %d at %d, want the box's tick %d", i, s.Seq, s.Tick, want)
		}
	}
	light := of(got, "eda_light")
	for i, s := range light {
		first := []int64{20_000, 44_000, 68_000}[i/12]
		value := float64(100*(1+i/12) + i%12)
		seq := int64(i)
		if i >= 24 {
			seq += 12
		}
		if s.Tick != first+int64(i%12)*1000 || s.Values[0] != value || s.Seq != seq {
			t.Errorf("light %d: number %d, %v at %d", i, s.Seq, s.Values, s.Tick)
		}
	}
	trigger := of(got, "eda_trigger")
	if len(light) != 36 || len(trigger) != 3 {
		t.Fatalf("%d readings of light and %d edges, want 36 and 3", len(light), len(trigger))
	}
	if a, b := trigger[0], trigger[1]; a.Tick != 41_234 || a.Values[0] != 1 || !math.IsNaN(a.Values[1]) || b.Tick != 51_234 || b.Values[0] != 0 || b.Seq != 3 {
		t.Errorf("edges %+v, %+v", a, b)
	}
	if c := trigger[2]; c.Tick != 51_234 || c.Values[0] != 1 || len(got.Events(stream.Disconnected)) > 0 {
		t.Errorf("a second edge within the tick: %+v", c)
	}
	if e, l, g := lost(got, "eda"), lost(got, "eda_light"), lost(got, "eda_trigger"); e != 0 || l != 12 || g != 2 {
		t.Errorf("lost %d samples, %d readings, %d edges, want 0, 12 and 2", e, l, g)
	}
}

// What was left on by somebody else does not disturb a host that does not want it.
func TestUnwantedStreamsAreIgnored(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(options(far.Path())))
	far.Take(wire.AppendIdentify(nil))
	far.Send(hello2(wire.Asked, wire.HasLight))
	far.Take(wire.AppendLightSet(nil, wire.LightSetting{}))
	far.Send(slices.Concat(block(0, 20_000, 1), wire.AppendTrigger(nil, wire.Trigger{Tick: 1}), eda(0, 1, 30_000)))
	got.AwaitSamples(1)
	if n := len(got.Samples()); n != 1 {
		t.Errorf("%d samples, want the one of skin conductance", n)
	}
}

// A box can lack a photodiode: that is said, and the rest goes on.
func TestBoxWithoutLight(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(everything(far.Path())))
	greet(far, wire.Asked)
	far.Send(eda(0, 1, 30_000))
	got.AwaitSamples(1)
	got.AwaitEvents(stream.Fault, 1)
	if e := got.Events(stream.Fault)[0]; !strings.Contains(e.Detail, "emolab firmware flash") {
		t.Errorf("%q does not say what to do", e.Detail)
	}
}

func TestWatchdogIsTold(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(options(far.Path())))
	far.Take(wire.AppendIdentify(nil))
	far.Send(hello2(wire.Asked, 0))
	far.Take(wire.AppendStart(nil))
	far.Send(eda(0, 1, 30_000))
	got.AwaitSamples(1)
	far.Send(hello2(wire.Hung, 0))
	got.AwaitEvents(stream.Disconnected, 1)
	if e := got.Events(stream.Disconnected)[0]; !strings.Contains(e.Detail, "watchdog") {
		t.Errorf("%q does not say why", e.Detail)
	}
}

// A cable that is pulled in the middle of a frame costs that frame.
func TestPulledInTheMiddleOfAFrame(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, emobox.New(everything(far.Path())))
	for round := range 3 {
		far.Take(wire.AppendIdentify(nil))
		far.Send(hello2(wire.Asked, wire.HasLight|wire.HasTrigger))
		far.Take(wire.AppendStart(nil))
		far.Send(append(eda(0, 5, 30_000), block(0, 80_000, 1)...))
		got.AwaitSamples((round + 1) * 17)
		half := block(1, 92_000, 1)
		far.Send(half[:len(half)/2])
		far.Unplug()
		got.AwaitEvents(stream.Disconnected, 3*(round+1)) // one a stream
		if round < 2 {
			far.Plug()
		}
	}
	if n := len(got.Samples()); n != 51 {
		t.Errorf("%d samples, want 51", n)
	}
	if n := got.Total(stream.Lost); n != 0 {
		t.Errorf("%d lost by numbers, want none: what passes while the cable is out is the gap", n)
	}
}

// TestTwin records the twin over a bad line, and finds the script in all three
// streams: conductance within a step, the patch within a reading, the trigger
// within a tick.
func TestTwin(t *testing.T) {
	t.Parallel()
	clock := instant.Monotonic{}
	truth := script.NewTruth(script.New(11), clock.Now())
	o := everything("")
	o.LightThreshold = 0
	o.Calibration = []emobox.Resistor{{Kohm: 47, MeasuredUS: 20}, {Kohm: 1000, MeasuredUS: 1.1}}
	what := virtual.Disturbance{Batch: 16 * time.Millisecond, LossPercent: 2, CorruptPercent: 1}
	link, err := virtual.NewLink(filepath.Join(t.TempDir(), "ttyBOX"),
		o.Twin(virtual.TwinOptions{Truth: truth, Clock: clock, DriftPPM: 2000, Seed: 4}), what, 5, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Port = link.Path()
	got := serialtest.Record(t, emobox.New(o))
	serialtest.Eventually(t, "some seconds of all streams", func() bool {
		return len(of(got, "eda")) > 350 && len(of(got, "eda_light")) > 100 && len(of(got, "eda_trigger")) > 4
	})
	got.Stop()

	elapsed := func(id string, s stream.Sample) time.Duration {
		c, ok := truth.Clock(id, s.Arrival)
		if !ok {
			t.Fatalf("no clock of %s in the truth", id)
		}
		return truth.Elapsed(c.Near(s.Tick, s.Arrival))
	}
	// One step of the reading is 0.0015 µS, the noise that is left 0.005.
	const tolerance = .025
	for _, s := range of(got, "eda") {
		want := truth.Script().Conductance(elapsed("eda", s))
		if math.Abs(s.Values[1]-want) > tolerance {
			t.Fatalf("sample %d: %v µS, the script has %v", s.Seq, s.Values[1], want)
		}
	}
	for _, s := range of(got, "eda_light") {
		want := emobox.PatchMV(elapsed("eda_light", s)) / 5000 * 65535
		before := emobox.PatchMV(elapsed("eda_light", s)-2*time.Microsecond) / 5000 * 65535 // a tick is cut
		if math.Abs(s.Values[0]-want) > 3*64 && math.Abs(s.Values[0]-before) > 3*64 {
			t.Fatalf("light %d: %v, the patch gives %v", s.Seq, s.Values[0], want)
		}
	}
	for _, s := range of(got, "eda_trigger") {
		e := elapsed("eda_trigger", s)
		into := (e + time.Millisecond) % time.Second // rising edges lie at 1 ms of this
		off := min((into - time.Millisecond).Abs(), (into - 11*time.Millisecond).Abs())
		if off > 2*time.Microsecond || float64(emobox.TriggerLevel(e+2*time.Microsecond)) != s.Values[0] {
			t.Fatalf("edge %d to %v at %v of the script", s.Seq, s.Values[0], e)
		}
	}
	for _, id := range []string{"eda", "eda_light", "eda_trigger"} {
		next, missing := int64(0), int64(0)
		for _, s := range of(got, id) {
			if s.Seq < next {
				t.Fatalf("%s: number %d after %d", id, s.Seq, next)
			}
			missing += s.Seq - next
			next = s.Seq + 1
		}
		if l := lost(got, id); l != missing {
			t.Errorf("%s: %d lost by events, %d by numbers", id, l, missing)
		}
	}
	if lost(got, "eda") == 0 || got.Total(stream.Fault) == 0 {
		t.Error("the line lost and damaged nothing: nothing is tried")
	}
	if n := len(got.Events(stream.Disconnected)); n != 0 {
		t.Errorf("%d disconnections, want none", n)
	}
}

// The twin of a box with other parts reads the same skin.
func TestTwinOfAnotherCircuit(t *testing.T) {
	t.Parallel()
	clock := instant.Monotonic{}
	truth := script.NewTruth(script.New(12), clock.Now())
	o := options("")
	o.Circuit = emobox.Circuit{VrefMV: 400, RfKohm: 220, VccMV: 4800}
	link, err := virtual.NewLink(filepath.Join(t.TempDir(), "ttyBOX"),
		o.Twin(virtual.TwinOptions{Truth: truth, Clock: clock, Seed: 4}), virtual.Disturbance{}, 5, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Port = link.Path()
	got := serialtest.Record(t, emobox.New(o))
	got.AwaitSamples(50)
	got.Stop()
	circuit := conductance.Circuit{VrefMV: 400, RfKohm: 220, VccMV: 4800, Bits: 16}
	for _, s := range got.Samples() {
		c, _ := truth.Clock("eda", s.Arrival)
		want := truth.Script().Conductance(truth.Elapsed(c.Near(s.Tick, s.Arrival)))
		if math.Abs(s.Values[1]-want) > .02 || circuit.Microsiemens(uint16(s.Values[0])) != s.Values[1] {
			t.Fatalf("sample %d: %v, the script has %v µS", s.Seq, s.Values, want)
		}
	}
}
