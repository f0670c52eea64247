package shimmer3

import (
	"math"
	"path/filepath"
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

func openBench(t *testing.T, o Options, q quirks, what virtual.Disturbance, person *script.Script) *bench {
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
	b.got = serialtest.Record(t, New(b.o))
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
			want := b.truth.Script.Conductance(b.truth.Elapsed(at))
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
	b := openBench(t, Defaults(), quirks{}, virtual.Disturbance{}, restless())
	if about := b.connected(t); about != "Shimmer3, LogAndStream 0.16.11, battery 3.90 V, 51.2 Hz, range auto" {
		t.Errorf("%q", about)
	}
	b.got.AwaitSamples(150)
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
			o.Rate, o.CRC = 256, crc
			what := virtual.Disturbance{Batch: 16 * time.Millisecond, Jitter: 3 * time.Millisecond, LossPercent: 2}
			if crc {
				what.CorruptPercent = 3 // without checksums a wrong byte of a reading cannot be told
			}
			b := openBench(t, o, quirks{}, what, restless())
			b.got.AwaitSamples(1000)
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
