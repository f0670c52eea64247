package align_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/align"
	"emolab/fusion/align/aligntest"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// counting is a device without a clock, of the given rate, on a usual cable.
func counting(seed uint64, rate float64) aligntest.Device {
	d := aligntest.EyeTracker(seed)
	d.Info.Clock, d.Info.Rate, d.Info.TickHz = stream.CountedClock, rate, rate
	return d
}

// renumber gives a recording the numbers that a driver sees of a device which
// counts modulo turn: what is lost shows only within a turn. With 1 nothing shows.
func renumber(rec aligntest.Recording, turn int64) aligntest.Recording {
	out := aligntest.Recording{Info: rec.Info, Truth: rec.Truth}
	var seq, before int64
	i := 0
	for _, c := range rec.Chunks {
		samples := make([]stream.Sample, len(c.Samples))
		for k, s := range c.Samples {
			if i > 0 {
				seq += (s.Seq-before-1)%turn + 1
			}
			before = s.Seq
			s.Seq, s.Tick = seq, seq
			samples[k] = s
			out.Stamps = append(out.Stamps, align.Stamp{Epoch: c.Epoch, Seq: seq, Tick: seq, Arrival: s.Arrival})
			i++
		}
		c.Samples = samples
		out.Chunks = append(out.Chunks, c)
	}
	return out
}

// Devices that count their samples, and those that do not even do that: whatever is
// lost unseen, the instants stay sane and the bounds true.
func TestCountedClocks(t *testing.T) {
	for _, tt := range []struct {
		name        string
		rate, loss  float64
		turn        int64 // 1: nothing that is lost shows
		final, live time.Duration
		bound       time.Duration
	}{
		{"60 Hz, numbers", 60, .02, 1 << 40, time.Millisecond, 3 * time.Millisecond, 35 * time.Millisecond},
		{"60 Hz, frames only", 60, .02, 1, 4 * time.Millisecond, 20 * time.Millisecond, 75 * time.Millisecond},
		{"60 Hz, frames only, hardly any loss", 60, .0005, 1, 4 * time.Millisecond, 20 * time.Millisecond, 75 * time.Millisecond},
		{"120 Hz, frames only", 120, .02, 1, 2 * time.Millisecond, 20 * time.Millisecond, 65 * time.Millisecond},
		{"1000 Hz, 4 bits", 1000, .02, 16, 2 * time.Millisecond, 5 * time.Millisecond, 35 * time.Millisecond},
		{"100 Hz, frames only", 100, .02, 1, 2500 * time.Microsecond, 24 * time.Millisecond, 60 * time.Millisecond},
		{"10 Hz, lines", 10, .02, 1, 5 * time.Millisecond, 20 * time.Millisecond, 300 * time.Millisecond},
	} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s/%d", tt.name, seed), func(t *testing.T) {
				t.Parallel()
				d := counting(seed, tt.rate)
				d.Loss = tt.loss
				length := min(time.Minute, time.Duration(20_000/tt.rate)*time.Second)
				rec := renumber(d.Record(length), tt.turn)
				final, _, err := rec.Final()
				if err != nil {
					t.Fatal(err)
				}
				check(t, "final", final, tt.final, tt.bound)
				live, _ := rec.Live(warmUp)
				check(t, "live", live, tt.live, tt.bound)
				if whole, _ := rec.Live(0); whole.Covered < coverage {
					t.Errorf("live, from the start: %v", whole)
				}
			})
		}
	}
}

// A device that is faster or slower than it says: no clock drifts so much, and no
// sample may be put where it cannot have been.
func TestCountedAtAnotherRate(t *testing.T) {
	for _, off := range []float64{-.2, -.07, -.01, .07, .5} {
		d := counting(2, 10*(1-off))
		d.Loss = .01
		rec := renumber(d.Record(2*time.Minute), 1<<40)
		rec.Info.Rate, rec.Info.TickHz = 10, 10
		final, tl, err := rec.Final()
		if err != nil {
			t.Fatal(err)
		}
		check(t, fmt.Sprintf("%+.0f %%, final", 100*off), final, 50*time.Millisecond, 250*time.Millisecond)
		live, _ := rec.Live(warmUp)
		// Live it is put between the number and the arrival, and says so.
		check(t, fmt.Sprintf("%+.0f %%, live", 100*off), live, time.Second, time.Second)
		t.Logf("drift stated as %.0f ppm", tl.Statement().DriftPPM)
	}
}

// A device that comes and goes has epochs of a second or less. They are too short to
// tell its rate from, and the nominal one must not be given up for what a batch makes
// of so few samples.
func TestShortEpochsKeepTheNominalRate(t *testing.T) {
	for _, rate := range []float64{60, 100, 1000} {
		for _, length := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			for seed := range uint64(8) {
				rec := renumber(counting(seed, rate).Record(length), 1<<40)
				final, _, err := rec.Final()
				if err != nil {
					t.Fatal(err)
				}
				// The freshest of so few samples is up to a batch late, and whether some are
				// missing can hardly be told.
				check(t, fmt.Sprintf("%v Hz, %v", rate, length), final, 16*time.Millisecond, 65*time.Millisecond)
			}
		}
	}
}

// Codes that this process wrote are where they were written, each as well as its own
// write was quick.
func TestWrittenCodes(t *testing.T) {
	info := stream.Info{ID: "codes", Kind: stream.Trigger, Clock: stream.HostClock, TickHz: 1e9}
	const ms = instant.Instant(time.Millisecond)
	stamps := []align.Stamp{
		{Seq: 0, Tick: int64(100 * ms), Arrival: 100*ms + 50_000},
		{Seq: 1, Tick: int64(900 * ms), Arrival: 940 * ms}, // the port was slow
		{Seq: 2, Tick: int64(2000 * ms), Arrival: 2000 * ms},
	}
	want := []time.Duration{1050 * time.Microsecond, 41 * time.Millisecond, time.Millisecond}
	tl, err := align.Fit(info, stamps, nil)
	if err != nil {
		t.Fatal(err)
	}
	live := align.NewLive(info)
	for i, s := range stamps {
		at, bound := tl.At(0, tl.Tick(s))
		now := live.Align(stream.Chunk{Samples: []stream.Sample{{Seq: s.Seq, Tick: s.Tick, Arrival: s.Arrival}}}).Samples[0]
		if int64(at) != s.Tick || bound != want[i] || now.At != at || now.Err != bound {
			t.Errorf("code %d is at %d ± %v, live at %d ± %v; want %d ± %v", i, at, bound, now.At, now.Err, s.Tick, want[i])
		}
	}
	if v := tl.Statement(); v.Samples != 3 || v.Method != "host clock" {
		t.Errorf("statement %+v", v)
	}
}

// Whether the last half second was held up or comes after missing samples cannot be
// told: the bounds hold both. Of a short recording that loses much it is a tenth.
func TestEndOfARunThatLosesUnseen(t *testing.T) {
	for seed := range uint64(200) {
		d := counting(seed, 85+float64(seed%160))
		d.Loss = .05
		rec := renumber(d.Record(5*time.Second), 1)
		final, _, err := rec.Final()
		if err != nil {
			t.Fatal(err)
		}
		if final.Covered < .98 {
			t.Errorf("%v Hz, seed %d: %v", d.Info.Rate, seed, final)
		}
	}
}

// Whatever the device: the bounds are true, and no sample is put before another.
func TestBoundIsTrueOfAnyCountedDevice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := counting(rapid.Uint64().Draw(t, "seed"), rapid.Float64Range(5, 250).Draw(t, "rate"))
		d.DriftPPM = rapid.Float64Range(-5000, 5000).Draw(t, "drift")
		d.Batch = time.Duration(rapid.IntRange(0, 40).Draw(t, "batch")) * time.Millisecond
		d.Loss = rapid.Float64Range(0, .05).Draw(t, "loss")
		d.ToHost.StallShare = rapid.Float64Range(0, .02).Draw(t, "stalls")
		d.ToHost.Stall = time.Duration(rapid.IntRange(0, 50).Draw(t, "stall")) * time.Millisecond
		turn := rapid.SampledFrom([]int64{1, 4, 16, 1 << 40}).Draw(t, "turn")
		rec := renumber(d.Record(time.Duration(rapid.IntRange(2, 15).Draw(t, "seconds"))*time.Second), turn)
		if len(rec.Stamps) == 0 {
			return
		}
		final, tl, err := rec.Final()
		if err != nil {
			t.Fatal(err)
		}
		live, _ := rec.Live(0)
		if final.Covered < .98 || live.Covered < .95 {
			t.Fatalf("final: %v\nlive: %v", final, live)
		}
		var last instant.Instant
		for i, s := range rec.Stamps {
			at, _ := tl.At(s.Epoch, s.Seq)
			if at < last {
				t.Fatalf("sample %d lies before the one in front of it", i)
			}
			last = at
		}
	})
}
