package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/align/aligntest"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/alarm"
)

// read is one chunk as the host read it, with the truth of its samples.
type read struct {
	stream.Chunk
	truth []instant.Instant
}

// when is the arrival of a chunk.
func when(c stream.Chunk) instant.Instant {
	var at instant.Instant
	for _, s := range c.Samples {
		at = max(at, s.Arrival)
	}
	for _, p := range c.Probes {
		at = max(at, p.T3)
	}
	return at
}

// asleep is what is heard of a device by a host that sleeps in the middle: nothing
// of what is taken meanwhile; what was under way waits. The lab clock stands still,
// and what comes later is stamped so much earlier.
func asleep(rec aligntest.Recording, from instant.Instant, length time.Duration) []read {
	until := from.Add(length)
	lab := func(at instant.Instant) instant.Instant {
		switch {
		case at <= from:
			return at
		case at < until:
			return from
		}
		return at.Add(-length)
	}
	// What waited is read first, a millisecond after the host is awake.
	woken := from.Add(time.Millisecond)
	truth := map[int64]instant.Instant{}
	for i, s := range rec.Stamps {
		truth[s.Seq] = rec.Truth[i]
	}
	var out []read
	for _, c := range rec.Chunks {
		r := read{Chunk: stream.Chunk{Stream: c.Stream, Epoch: c.Epoch}}
		for _, s := range c.Samples {
			if taken := truth[s.Seq]; taken > from && taken < until {
				continue
			}
			s.Arrival = lab(s.Arrival)
			if s.Arrival == from {
				s.Arrival = woken
			}
			r.Samples = append(r.Samples, s)
			r.truth = append(r.truth, lab(truth[s.Seq]))
		}
		for _, p := range c.Probes {
			if p.T0 > from && p.T0 < until || p.T0 <= from && p.T3 >= until {
				continue
			}
			p.T0, p.T3 = lab(p.T0), lab(p.T3)
			if p.T3 == from {
				p.T3 = woken
			}
			r.Probes = append(r.Probes, p)
		}
		if len(r.Samples)+len(r.Probes) > 0 {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b read) int { return int(when(a.Chunk).Sub(when(b.Chunk))) })
	return out
}

// After a sleep of the computer the bounds are true, live and final, of devices that
// went on meanwhile.
func TestBoundsAreTrueAfterASleep(t *testing.T) {
	const length, minute = 5 * time.Second, time.Minute
	for _, d := range []aligntest.Device{aligntest.EDABox(1), aligntest.EyeTracker(2), aligntest.Browser(3)} {
		rec := d.Record(2 * minute)
		from := rec.Truth[0].Add(minute)
		reads := asleep(rec, from, length)

		var clock instant.Hand
		watch := newVigil(&clock, []stream.Info{d.Info})
		live := align.NewLive(d.Info)
		var aligned []stream.Chunk
		var truth []instant.Instant
		sleeps := 0
		for _, r := range reads {
			at := when(r.Chunk)
			if at > from && sleeps == 0 {
				clock.Advance(from.Sub(clock.Now()))
				clock.Sleep(length)
			}
			clock.Advance(max(0, at.Sub(clock.Now())))
			if slept, _ := watch.look(); slept != nil {
				sleeps++
			}
			for _, c := range watch.runs[d.Info.ID].split(r.Chunk) {
				aligned = append(aligned, live.Align(c))
			}
			truth = append(truth, r.truth...)
		}
		if sleeps != 1 {
			t.Fatalf("%s: %d sleeps were seen", d.Info.ID, sleeps)
		}

		var stamps []align.Stamp
		var pings []align.Ping
		for _, c := range aligned {
			stamps, pings = align.Stamps(stamps, c), align.Pings(pings, c)
		}
		line, err := align.Fit(d.Info, stamps, pings)
		if err != nil {
			t.Fatal(err)
		}
		k, outside, outsideLive := 0, 0, 0
		for _, c := range aligned {
			for _, s := range c.Samples {
				at, bound := line.At(c.Epoch, line.Tick(stamps[k]))
				if at.Sub(truth[k]).Abs() > bound {
					outside++
				}
				if s.At.Sub(truth[k]).Abs() > s.Err {
					outsideLive++
				}
				k++
			}
		}
		epochs := line.Statement().Epochs
		t.Logf("%s: %d samples in %d epochs, outside the bound: %d live, %d final", d.Info.ID, k, epochs, outsideLive, outside)
		if k < 1000 || epochs != 2 || outside*100 > k || outsideLive*100 > k {
			t.Errorf("%s: of %d samples in %d epochs %d live and %d final lie outside their bound", d.Info.ID, k, epochs, outsideLive, outside)
		}
	}
}

// A session in which the computer slept says so, in its alarms and in what it keeps;
// the next one does not.
func TestASleepIsAnAlarm(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	overslept := func(s Status) bool {
		return slices.ContainsFunc(s.Alarms, func(a Alarm) bool { return a.ID == "computer/slept" && a.State == alarm.Active })
	}
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.beats(t, 1)
	if overslept(b.Status()) {
		t.Error("an alarm before any sleep")
	}
	b.clock.slept.Store(int64(3200 * time.Millisecond))
	b.beats(t, 1)
	if !overslept(b.Status()) {
		t.Error("no alarm after a sleep")
	}
	if err := b.Stop(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	b.until(t, "the alarm to clear when the session is over", func(s Status) bool { return !overslept(s) })
	if tape := b.archive.find(id); tape.samples["eda"] != 2 || !slices.ContainsFunc(tape.events, func(e string) bool {
		return strings.HasPrefix(e, "eda disconnected the computer slept for 3.2 s")
	}) {
		t.Errorf("kept: %v, %q", tape.samples, tape.events)
	}
}

// What waited in the buffers stays with what came before the sleep; a device that
// slept with the computer goes on in its epoch, and one that was plugged in anew has
// an epoch of its own already.
func TestSplitAtASleep(t *testing.T) {
	const second = int64(1e6) // ticks
	pinged := stream.Info{ID: "eda", Clock: stream.PingedClock, TickHz: 1e6}
	counted := stream.Info{ID: "gaze", Clock: stream.CountedClock, Rate: 60}
	slept := sleep{from: 10e9, until: 10e9 + 4e6, length: 5 * time.Second}
	sample := func(tick int64, at instant.Instant) stream.Sample { return stream.Sample{Tick: tick, Arrival: at} }
	before := stream.Chunk{Samples: []stream.Sample{sample(9*second, 9.9e9)}}
	for _, c := range []struct {
		name   string
		info   stream.Info
		chunk  stream.Chunk
		epochs []int // of the parts
		counts []int // samples of the parts
	}{
		{"arrived before", pinged, stream.Chunk{Samples: []stream.Sample{sample(9*second+second/20, 9.95e9)}}, []int{0}, []int{1}},
		{"waited, and went on", pinged, stream.Chunk{Samples: []stream.Sample{
			sample(9*second+second/10, 10.01e9), sample(9*second+second/5, 10.01e9), sample(14*second+second/5, 10.01e9)}}, []int{0, 1}, []int{2, 1}},
		{"went on", pinged, stream.Chunk{Samples: []stream.Sample{sample(14*second+second/10, 10.01e9)}}, []int{1}, []int{1}},
		{"slept too", pinged, stream.Chunk{Samples: []stream.Sample{sample(9*second+second/10, 10.01e9), sample(13*second, 14e9)}}, []int{0}, []int{2}},
		{"was plugged in anew", pinged, stream.Chunk{Epoch: 1, Samples: []stream.Sample{sample(0, 10.5e9)}}, []int{2}, []int{1}},
		{"was plugged in anew, while it waits", pinged, stream.Chunk{Epoch: 1, Events: []stream.Event{{Kind: stream.Connected}}}, []int{1}, []int{0}},
		{"only counts", counted, stream.Chunk{Samples: []stream.Sample{sample(0, 9.95e9), sample(0, 10.01e9)}}, []int{0, 1}, []int{1, 1}},
		{"a ping of before", pinged, stream.Chunk{Probes: []stream.Probe{{T0: 9.99e9, Rx: 9*second + second/11, Tx: 9*second + second/11, T3: 10.01e9}}}, []int{0}, []int{0}},
		{"a ping of after", pinged, stream.Chunk{Probes: []stream.Probe{{T0: 10.005e9, Rx: 14*second + second/9, Tx: 14*second + second/9, T3: 10.01e9}}}, []int{1}, []int{0}},
	} {
		r := newClockRun(c.info)
		r.split(before)
		r.sleeps(slept)
		var epochs, counts []int
		observed := 0
		for _, part := range r.split(c.chunk) {
			epochs, counts = append(epochs, part.Epoch), append(counts, len(part.Samples))
			observed += len(part.Samples) + len(part.Probes) + len(part.Events)
		}
		if !slices.Equal(epochs, c.epochs) || !slices.Equal(counts, c.counts) {
			t.Errorf("%s: epochs %v with %v samples, want %v with %v", c.name, epochs, counts, c.epochs, c.counts)
		}
		if observed != len(c.chunk.Samples)+len(c.chunk.Probes)+len(c.chunk.Events) {
			t.Errorf("%s: %d observations went in, %d came out", c.name, len(c.chunk.Samples)+len(c.chunk.Probes)+len(c.chunk.Events), observed)
		}
	}
}

// nightly is a device that delivers a sample whenever it is told to.
type nightly struct {
	clock *instant.Hand
	beat  chan int64 // tick
}

func (n nightly) Info() []stream.Info {
	return []stream.Info{
		{ID: "eda", Kind: stream.EDA, Clock: stream.TickedClock, TickHz: 1e6, Rate: 100, Channels: []stream.Channel{{Name: "eda_us"}}},
		{ID: "gaze", Kind: stream.Gaze, Clock: stream.TickedClock, TickHz: 1e6, Rate: 60, Channels: []stream.Channel{{Name: "gaze_valid"}}},
	}
}

func (n nightly) Run(ctx context.Context, out chan<- stream.Chunk) error {
	var seq int64
	for tick := range n.beat {
		s := stream.Sample{Seq: seq, Tick: tick, Arrival: n.clock.Now(), Values: []float64{1}}
		if !stream.Send(ctx, out, stream.Chunk{Stream: "eda", Samples: []stream.Sample{s}}) {
			return nil
		}
		seq++
	}
	<-ctx.Done()
	return nil
}

// A lab says when its computer slept or its clock was set, and no instant follows
// the clock on the wall.
func TestLabTellsOfSleepAndOfTheWallClock(t *testing.T) {
	// said runs a lab of a hundred samples, with something happening in the middle.
	said := func(happens func(*instant.Hand)) (events []string, at []instant.Instant, lab *Lab) {
		clock := new(instant.Hand)
		clock.Advance(time.Minute)
		source := nightly{clock, make(chan int64)}
		lab, err := NewLab(clock, source)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		sub := lab.Bus().Lossless("test", 1000)
		go func() { done <- lab.Run(ctx) }()
		for i := range int64(100) {
			if i == 50 {
				happens(clock)
			}
			source.beat <- int64(clock.Read().At+instant.Instant(clock.Read().Slept)) / 1000
			for c := range sub.C() {
				for _, e := range c.Events {
					events = append(events, fmt.Sprintf("%s %s: %s", c.Stream, e.Kind, e.Detail))
				}
				if len(c.Samples) > 0 {
					at = append(at, c.Samples[0].At)
					break
				}
			}
			clock.Advance(10 * time.Millisecond)
		}
		stop()
		close(source.beat)
		for range sub.C() {
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return events, at, lab
	}

	quiet, instants, _ := said(func(*instant.Hand) {})
	if len(quiet) != 0 {
		t.Errorf("nothing happened, and the lab says %q", quiet)
	}
	set, same, lab := said(func(c *instant.Hand) { c.SetWall(-time.Hour) })
	if len(set) != 1 || !strings.Contains(set[0], "marker: the wall clock was set by -3600.0 s") {
		t.Errorf("after a step of the wall clock the lab says %q", set)
	}
	if !slices.Equal(same, instants) {
		t.Error("instants follow the wall clock")
	}
	if slept := lab.slept(0); slept != 0 {
		t.Errorf("it counts as a sleep of %s", slept)
	}
	slept, _, lab := said(func(c *instant.Hand) { c.Sleep(3200 * time.Millisecond) })
	want := []string{
		"eda disconnected: the computer slept for 3.2 s: what the devices measured meanwhile is lost",
		"eda connected: the computer is awake again",
		"gaze marker: the computer slept for 3.2 s: what the devices measured meanwhile is lost",
	}
	if !slices.Equal(slept, want) {
		t.Errorf("after a sleep the lab says %q", slept)
	}
	if d := lab.slept(0); d != 3200*time.Millisecond {
		t.Errorf("it slept %s", d)
	}
	if d := lab.slept(instant.Instant(time.Hour)); d != 0 {
		t.Errorf("it slept %s after its end", d)
	}
	if clock := lab.Health()[0].Clock; clock.Epochs != 2 {
		t.Errorf("the device's clock has %d runs", clock.Epochs)
	}
	if a := overslept(3200 * time.Millisecond); !strings.Contains(a.Text, "3.2 s") || a.Advice == "" {
		t.Errorf("the alarm %v", a)
	}
}
