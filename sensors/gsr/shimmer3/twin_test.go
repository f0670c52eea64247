package shimmer3

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/serialtest"
	"emolab/sensors/virtual"
)

// bench is a virtual Shimmer on a cable, and the driver that records it.
type bench struct {
	truth *script.Truth
	link  *virtual.Link
	got   *serialtest.Recording
	o     Options
}

func openBench(t *testing.T, o Options, p pace, q quirks, what virtual.Disturbance, person *script.Script) *bench {
	t.Helper()
	clock := instant.Monotonic{}
	o.Place = device.Place{ID: "eda", Clock: clock, Simulated: true}
	b := &bench{truth: script.NewTruth(person, clock.Now()), o: o}
	twin := newTwin(o.ID, virtual.TwinOptions{Truth: b.truth, Clock: clock, DriftPPM: 2000, Seed: 1}, q)
	var err error
	if b.link, err = virtual.NewLink(filepath.Join(t.TempDir(), "rfcomm0"), twin, what, 3, clock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.link.Close(); err != nil {
			t.Error(err)
		}
	})
	b.o.Port = b.link.Path()
	source := New(b.o)
	source.pace = p
	b.got = serialtest.Record(t, source)
	return b
}

// restless is a participant whose conductance soon crosses an edge of the ranges:
// from 40.2 kΩ, with which the firmware begins, by 287 kΩ to 1 MΩ and, above
// 4.4 µS, back to 287 kΩ.
func restless() *script.Script {
	s := script.New(7)
	s.LevelUS = 3.9
	s.Responses = []script.Response{{Onset: 1200 * time.Millisecond, AmplitudeUS: 1.4}}
	return s
}

// lateness is how late a sample may be: the machine may be busy.
const lateness = 10 * time.Second

// check demands what every consumer relies on, and values equal to the script
// within the resolution of the range. It returns how many samples were held.
func (b *bench) check(t *testing.T) (held int) {
	t.Helper()
	next, epoch, tick := int64(0), -1, int64(math.MinInt64)
	var holes, samples int64
	for _, c := range b.got.Chunks() {
		if c.Epoch < epoch {
			t.Fatalf("epoch %d after %d", c.Epoch, epoch)
		}
		if c.Epoch > epoch {
			epoch, tick = c.Epoch, math.MinInt64
		}
		for _, s := range c.Samples {
			if s.Seq < next || s.Tick <= tick {
				t.Fatalf("sample %d at tick %d, want %d or later and a tick after %d", s.Seq, s.Tick, next, tick)
			}
			holes += s.Seq - next
			next, tick = s.Seq+1, s.Tick
			samples++
			clock, ok := b.truth.Clock("eda", s.Arrival)
			if !ok {
				t.Fatal("no clock of the Shimmer in the truth")
			}
			at := clock.Near(s.Tick, s.Arrival)
			if late := s.Arrival.Sub(at); late < 0 || late > lateness {
				t.Fatalf("sample %d arrived %v after it was taken", s.Seq, late)
			}
			raw, us, number, hold := s.Values[0], s.Values[1], s.Values[2], s.Values[3]
			if hold == 1 {
				held++
			}
			if hold == 1 || raw == 0 {
				if !math.IsNaN(us) {
					t.Fatalf("sample %d: %v, want no conductance", s.Seq, s.Values)
				}
				continue
			}
			want := b.truth.Script().Conductance(b.truth.Elapsed(at))
			// One count of the range, and four standard deviations of the noise.
			step := 1000 * 2 * referenceV / fullScale / spans()[int(number)].rfKohm
			if !(math.Abs(us-want) < step*(1+4*twinNoise)) {
				t.Fatalf("sample %d: %v µS in range %v, the script has %v (a count is %v µS)", s.Seq, us, number, want, step)
			}
		}
	}
	if lost := b.got.Total(stream.Lost); lost != holes {
		t.Errorf("Lost events count %d, the numbers have holes of %d", lost, holes)
	}
	return held
}

func (b *bench) connected(t *testing.T) string {
	t.Helper()
	b.got.AwaitEvents(stream.Connected, 1)
	return b.got.Events(stream.Connected)[0].Detail
}

func TestTwinOnACleanLine(t *testing.T) {
	t.Parallel()
	b := openBench(t, Defaults(), calm(), quirks{}, virtual.Disturbance{}, restless())
	if about := b.connected(t); about != "Shimmer3, LogAndStream 0.16.11, battery 3.90 V, 51.2 Hz, range auto" {
		t.Errorf("%q", about)
	}
	b.got.AwaitSamples(100)
	b.got.Stop()
	if held, each := b.check(t), settling/640; held == 0 || held%each != 0 {
		t.Errorf("%d samples held, want %d for each switch of the range", held, each)
	}
	if n := b.got.Total(stream.Lost) + b.got.Total(stream.Fault); n != 0 {
		t.Errorf("%d losses and faults on a perfect line: %v", n, b.got.Events(stream.Fault))
	}
}

func TestTwinOnADisturbedLine(t *testing.T) {
	t.Parallel()
	for name, crc := range map[string]bool{"checksums": true, "none": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Defaults()
			o.Rate, o.CRC = 512, crc
			what := virtual.Disturbance{Batch: 16 * time.Millisecond, Jitter: 3 * time.Millisecond, LossPercent: 2}
			if crc {
				what.CorruptPercent = 3 // without checksums a wrong byte of a reading cannot be told
			}
			b := openBench(t, o, slowly(), quirks{}, what, restless())
			b.got.AwaitSamples(600)
			b.got.Stop()
			b.check(t)
			lost, all := b.got.Total(stream.Lost), int64(len(b.got.Samples()))
			if share := float64(lost) / float64(lost+all); share < .005 || share > .12 {
				t.Errorf("%d of %d lost", lost, lost+all)
			}
			if crc && b.got.Total(stream.Fault) == 0 {
				t.Error("no fault counted on a line that damages 3 %")
			}
			if n := len(b.got.Events(stream.Connected)); n != 1 {
				t.Errorf("connected %d times: %v", n, b.got.Events(stream.Disconnected))
			}
		})
	}
}

// What Shimmers differ in, and what earlier connections left, is all the same to
// the driver, or it says what is wrong.
func TestTwinsQuirks(t *testing.T) {
	slow := slowly()
	slow.patience = 300 * time.Millisecond
	recorded := []byte{cmdSetSensors, sensorGSR, 0, 0, cmdSetRate, 0x40, 0x01, cmdSetRange, 2}
	at102 := Options{Rate: 102.4, CRC: true}
	for name, c := range map[string]struct {
		o      Options
		q      quirks
		about  []string // what Connected says
		wrong  string   // or what Disconnected says
		values func(stream.Sample) bool
	}{
		"left streaming, with checksums": {o: at102,
			q:     quirks{checksum: 2, streaming: true, settings: recorded},
			about: []string{"102.4 Hz, range auto"}},
		"left streaming, and the stop is not acknowledged": {o: at102,
			q:     quirks{firmware: firmware{logAndStream, 0, 11, 0}, streaming: true, settings: recorded, noStopAck: true},
			about: []string{"LogAndStream 0.11.0", "102.4 Hz"}},
		"slow": {o: at102, q: quirks{slow: 400 * time.Millisecond},
			about: []string{"102.4 Hz"}},
		"without checksums": {o: at102, q: quirks{firmware: firmware{logAndStream, 0, 9, 0}, noChecksums: true, statusEach: 40},
			about: []string{"without checksums"}},
		"checksums not wanted": {o: Options{Rate: 102.4}, q: quirks{statusEach: 40},
			about: []string{"without checksums"}},
		"Shimmer3R, which tells its state": {o: at102, q: quirks{hardware: shimmer3R, firmware: firmware{logAndStream, 1, 0, 50}, statusEach: 7},
			about: []string{"Shimmer3R, LogAndStream 1.0.50"}},
		"with its battery in the packets": {o: at102, q: quirks{battery: true},
			about: []string{"102.4 Hz"}},
		"recording, and set right": {o: Options{Rate: 102.4, CRC: true, Range: Fixed(2)}, q: quirks{logging: true, settings: recorded},
			about: []string{"102.4 Hz, range 2"},
			values: func(s stream.Sample) bool {
				cut := s.Values[1] >= 1.47 && s.Values[1] <= 4.55
				return s.Values[2] == 2 && (cut || s.Values[0] == fullScale && math.IsNaN(s.Values[1]))
			}},
		"fixed range": {o: Options{Rate: 102.4, CRC: true, Range: Fixed(3)},
			about: []string{"range 3"}, // 3.9 µS and more: saturated
			values: func(s stream.Sample) bool {
				return s.Values[2] == 3 && s.Values[0] == fullScale && math.IsNaN(s.Values[1])
			}},
		"recording, and set otherwise": {o: at102, q: quirks{logging: true, settings: recorded},
			wrong: "range is 2 instead of 4 (4 is auto); it refuses to be set, probably because it is recording on its card"},
		"another kind": {o: at102, q: quirks{firmware: firmware{2, 0, 5, 0}},
			wrong: "SDLog 0.5.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBench(t, c.o, slow, c.q, virtual.Disturbance{}, restless())
			if c.wrong != "" {
				b.got.AwaitEvents(stream.Disconnected, 1)
				if why := b.got.Events(stream.Disconnected)[0].Detail; !strings.Contains(why, c.wrong) {
					t.Errorf("%q, want %q", why, c.wrong)
				}
				return
			}
			about := b.connected(t)
			for _, want := range c.about {
				if !strings.Contains(about, want) {
					t.Errorf("%q does not say %q", about, want)
				}
			}
			b.got.AwaitSamples(60)
			b.got.Stop()
			if c.values == nil {
				b.check(t)
			} else {
				for _, s := range b.got.Samples() {
					if !c.values(s) {
						t.Fatalf("sample %d: %v", s.Seq, s.Values)
					}
				}
			}
			if n := b.got.Total(stream.Lost); n != 0 {
				t.Errorf("%d lost", n)
			}
			if n := len(b.got.Events(stream.Connected)); n != 1 {
				t.Errorf("connected %d times: %v", n, b.got.Events(stream.Disconnected))
			}
		})
	}
}

// A Shimmer that is away for a while is set up again, and its numbers go on.
func TestTwinUnpluggedAndPlugged(t *testing.T) {
	t.Parallel()
	b := openBench(t, Options{Rate: 102.4, CRC: true}, slowly(), quirks{}, virtual.FTDI(1), restless())
	for i := range 2 {
		b.got.AwaitEvents(stream.Connected, i+1)
		b.got.AwaitSamples(len(b.got.Samples()) + 30)
		if i == 1 {
			break
		}
		if err := b.link.Unplug(); err != nil {
			t.Fatal(err)
		}
		b.got.AwaitEvents(stream.Disconnected, 1)
		if err := b.link.Plug(); err != nil {
			t.Fatal(err)
		}
	}
	b.got.Stop()
	b.check(t)
}

// What the twin answers to each command.
func TestTwinsCommands(t *testing.T) {
	var clock instant.Hand
	var sent []byte
	truth := script.NewTruth(script.New(1), clock.Now())
	u := &unit{
		twin: newTwin("eda", virtual.TwinOptions{Truth: truth, Clock: &clock}, quirks{}),
		send: func(m []byte) { sent = append(sent, m...) }, divider: 640, setting: autoRange, prefixed: true,
	}
	u.oscillator = virtual.SwitchOn(u.o, clock.Now(), virtual.Power{TickHz: tickHz, WrapBits: tickBits}, "eda")
	clock.Advance(time.Second)
	for _, c := range []struct {
		name string
		in   []byte
		want []byte
	}{
		{"rate", []byte{0x03}, []byte{0xFF, 0x04, 0x80, 0x02}},
		{"no sensors", []byte{0x01}, []byte{0xFF, 0x02, 0x80, 0x02, 0, 0, 0, 8, 0, 1}},
		{"GSR", []byte{0x08, 4, 0, 0}, []byte{0xFF}},
		{"with battery", []byte{0x08, 4, 0x20, 0, 0x01}, []byte{0xFF, 0xFF, 0x02, 0x80, 0x02, 0, 0, 0, 8, 2, 1, 0x03, 0x1C}},
		{"range", []byte{0x21, 1, 0x23}, []byte{0xFF, 0xFF, 0x22, 1}},
		{"range that there is none of", []byte{0x21, 9, 0x23}, []byte{0xFF, 0xFF, 0x22, 4}},
		{"set rate", []byte{0x05, 0, 1, 0x03}, []byte{0xFF, 0xFF, 0x04, 0, 1}},
		{"device", []byte{0x3F}, []byte{0xFF, 0x25, 3}},
		{"device, of old", []byte{0x24}, []byte{0xFF, 0x25, 3}},
		{"firmware", []byte{0x2E}, []byte{0xFF, 0x2F, 3, 0, 0, 0, 16, 11}},
		{"state", []byte{0x72}, []byte{0xFF, 0x8A, 0x71, 0x20}},
		{"battery", []byte{0x95}, []byte{0xFF, 0x8A, 0x94, 0x76, 0x0A, 0x80}},
		{"name", []byte{0x79, 3, 'e', 'd', 'a', 0x7B}, []byte{0xFF, 0xFF, 0x7A, 3, 'e', 'd', 'a'}},
		{"experiment", []byte{0x7C, 1, 'x', 0x7E}, []byte{0xFF, 0xFF, 0x7D, 1, 'x'}},
		{"time of configuration", []byte{0x85, 2, '1', '2', 0x87}, []byte{0xFF, 0xFF, 0x86, 2, '1', '2'}},
		{"no name", []byte{0x79, 0, 0x7B}, []byte{0xFF, 0xFF, 0x7A, 0}},
		{"test", []byte{0x96}, []byte{0xFF}},
		{"dummy", []byte{0xB5}, nil},
		{"unknown", []byte{0xF7, 0x0B, 0x96}, []byte{0xFF}},
		{"power of the board", []byte{0x5E, 1}, []byte{0xFF}},
		{"world clock set", []byte{0x8F, 5, 0, 0, 0, 0, 1, 0, 0, 0x91}, []byte{0xFF, 0xFF, 0x90, 5, 0, 0, 0, 0, 1, 0, 0}},
		{"checksums", []byte{0x8B, 2, 0x03}, append(seal([]byte{0xFF}, 2), seal([]byte{0xFF, 0x04, 0, 1}, 2)...)},
		{"short checksums", []byte{0x8B, 1}, seal([]byte{0xFF}, 1)},
		{"checksums that there are none of", []byte{0x8B, 7}, []byte{0xFF}},
		{"recording", []byte{0x92, 0x72, 0x05, 1, 1}, []byte{0xFF, 0xFF, 0x8A, 0x71, 0x2A, 0xFE}},
		{"recording stopped", []byte{0x93}, []byte{0xFF}},
		{"streaming", []byte{0x07, 0x72, 0x21, 0}, []byte{0xFF, 0xFF, 0x8A, 0x71, 0x32, 0xFE}},
		{"stopped", []byte{0x20, 0x72}, []byte{0xFF, 0xFF, 0x8A, 0x71, 0x20}},
		{"both", []byte{0x70, 0x72, 0x97, 0x72}, []byte{0xFF, 0xFF, 0x8A, 0x71, 0x3A, 0xFF, 0xFF, 0x8A, 0x71, 0x20}},
		{"half", []byte{0x05, 0x80}, nil},
		{"the other half comes too late", []byte{0x03}, []byte{0xFF, 0x04, 0, 1}},
	} {
		clock.Advance(2 * byteWithin)
		sent = nil
		u.receive(virtual.Arrived{Bytes: c.in, At: clock.Now()})
		if !bytes.Equal(sent, c.want) {
			t.Errorf("%s: % X, want % X", c.name, sent, c.want)
		}
	}
	sent = nil
	clock.Advance(time.Second) // 32768 more than the time that was set, and a little
	u.receive(virtual.Arrived{Bytes: []byte{0x91}, At: clock.Now()})
	if ticks := binary.LittleEndian.Uint64(sent[2:]); ticks < 1<<40+5+tickHz || ticks > 1<<40+5+2*tickHz {
		t.Errorf("the world clock stands at %d after a second", ticks)
	}
	sent = nil
	clock.Advance(time.Second)
	u.receive(virtual.Arrived{Bytes: []byte{0x05}, At: clock.Now()})
	clock.Advance(byteWithin / 2)
	u.receive(virtual.Arrived{Bytes: []byte{0x40, 0x01}, At: clock.Now()})
	if !bytes.Equal(sent, []byte{0xFF}) || u.divider != 320 {
		t.Errorf("in two pieces: % X, divider %d", sent, u.divider)
	}
}

// A host that sends anything gets the twin to answer, not to fail.
func FuzzTwin(f *testing.F) {
	f.Add([]byte{0x08, 4, 0, 0, 0x05, 0x80, 2, 0x21, 4, 0x8B, 2, 0x01, 0x07})
	f.Add([]byte{0x79, 255, 1, 2, 3, 0x20})
	f.Fuzz(func(t *testing.T, in []byte) {
		var clock instant.Hand
		truth := script.NewTruth(script.New(1), clock.Now())
		messages := 0
		u := &unit{
			twin: newTwin("eda", virtual.TwinOptions{Truth: truth, Clock: &clock}, quirks{}),
			send: func(m []byte) { messages++ }, random: rand.New(rand.NewPCG(1, 1)),
			divider: 640, setting: autoRange, prefixed: true,
		}
		u.oscillator = virtual.SwitchOn(u.o, clock.Now(), virtual.Power{TickHz: tickHz, WrapBits: tickBits}, "eda")
		u.receive(virtual.Arrived{Bytes: in, At: clock.Now()})
		if messages > len(in) {
			t.Fatalf("%d answers to %d bytes", messages, len(in))
		}
		clock.Advance(20 * time.Millisecond)
		u.work()
	})
}
