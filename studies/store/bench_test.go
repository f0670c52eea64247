package store

import (
	"math"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"emolab/fusion/stream"
	"emolab/studies/session"
)

// benchID is as long as the ids of real sessions: it stands in every row.
const benchID = "20261122-091503-P7K2"

// BenchmarkAppend writes skin conductance in transactions of 512 samples, each
// durable when Append returns. Making the samples is part of what is measured.
func BenchmarkAppend(b *testing.B) {
	const batch = 512
	s := open(b)
	r := begin(b, s, benchID)
	eda := lab(b)[0]
	seq := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		appendAll(b, r, run(eda, seq, batch))
		seq += batch
	}
	b.ReportMetric(float64(seq)/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkHour writes a minute of a whole lab in batches of 50 ms, unsealed,
// and reports what an hour of it takes on the disk. Run it with -benchtime 1x.
func BenchmarkHour(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(float64(record(b, open(b), benchID, time.Minute))*60, "bytes/h")
	}
}

// BenchmarkSeal seals an hour of a whole lab (skin conductance at 100 Hz, gaze at 250 Hz,
// a camera at 30 Hz) and reports the seconds that the
// sealing alone takes, by the clock and of the processors, and the most memory
// that the process had. Run it with -benchtime 1x.
func BenchmarkSeal(b *testing.B) {
	for b.Loop() {
		s := open(b)
		recordFast(b, s, benchID, time.Hour)
		began, busy := time.Now(), spent(b)
		if err := s.Seal(b.Context(), benchID, nil); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/seal")
		b.ReportMetric((spent(b) - busy).Seconds(), "cpu-s/seal")
		var use syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(use.Maxrss)/1024, "MB-most")
		info, err := os.Stat(s.Path())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size()), "bytes")
	}
}

// BenchmarkShown asks an hour of a whole lab what was on the screen at each sample of
// the skin conductance, and what was on it when, and reports the time of the processor.
// Run it with -benchtime 1x.
func BenchmarkShown(b *testing.B) {
	for b.Loop() {
		s := open(b)
		recordFast(b, s, benchID, time.Hour)
		if err := s.Seal(b.Context(), benchID, nil); err != nil {
			b.Fatal(err)
		}
		busy := spent(b)
		var samples int
		if err := s.read.QueryRow("SELECT count(presentation) FROM eda_shown WHERE session_id = ?", benchID).Scan(&samples); err != nil || samples < 3600*99 {
			b.Fatalf("%d samples with a presentation, %v", samples, err)
		}
		b.ReportMetric((spent(b) - busy).Seconds(), "cpu-s/view")
		busy = spent(b)
		if err := s.read.QueryRow("SELECT count(eda_us) FROM eda_sample WHERE session_id = ?", benchID).Scan(&samples); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric((spent(b) - busy).Seconds(), "cpu-s/table")
		busy, samples = spent(b), 0
		for _, err := range s.Displayed(b.Context(), benchID) {
			if err != nil {
				b.Fatal(err)
			}
			samples++
		}
		b.ReportMetric((spent(b) - busy).Seconds(), "cpu-s/course")
		b.ReportMetric(float64(samples), "showings")
	}
}

// BenchmarkAlignAgain fits the clocks of a sealed hour of a whole lab anew and derives
// everything from them. Run it with -benchtime 1x.
func BenchmarkAlignAgain(b *testing.B) {
	for b.Loop() {
		s := open(b)
		recordFast(b, s, benchID, time.Hour)
		if err := s.Seal(b.Context(), benchID, nil); err != nil {
			b.Fatal(err)
		}
		began, busy := time.Now(), spent(b)
		r, err := s.Rederive(b.Context(), benchID, RederiveOptions{Align: true}, nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, v := range r.Streams {
			if !v.Same() {
				b.Errorf("%s is not the same: %+v", v.Stream, v)
			}
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/again")
		b.ReportMetric((spent(b) - busy).Seconds(), "cpu-s/again")
	}
}

// gazeHz is the rate of the eye tracker in these benchmarks: a laboratory's.
const gazeHz = 250

// sweating puts a drifting level with a response every few seconds, of another size
// each, into samples of skin conductance.
func sweating(c stream.Chunk, rng *rand.Rand) stream.Chunk {
	for i := range c.Samples {
		at := c.Samples[i].At.Sub(origin).Seconds()
		us := 5 + math.Sin(at/200)
		for k := math.Floor(at/7) - 3; k <= at/7; k++ {
			since, size := at-7*k-2*math.Sin(k), .3+.25*math.Sin(k*k)
			if since > 0 {
				us += 1.6 * size * (math.Exp(-since/4) - math.Exp(-since/.8))
			}
		}
		us += rng.NormFloat64() * .002
		c.Samples[i].Values = []float64{us * 100, us}
	}
	return c
}

// looking puts fixations of 400 ms, each at another place and with the noise of a good
// tracker, into samples of gaze, and a blink every five seconds.
func looking(c stream.Chunk, rng *rand.Rand) stream.Chunk {
	for i := range c.Samples {
		at := c.Samples[i].At.Sub(origin)
		k := float64(at / (400 * time.Millisecond))
		x, y := .5+.4*math.Sin(k*k), .5+.4*math.Sin(1+k*k*k)
		size := 3 + .3*math.Sin(at.Seconds()/3)
		if at%(5*time.Second) < 150*time.Millisecond {
			c.Samples[i].Values = []float64{math.NaN(), math.NaN(), 0, math.NaN(), math.NaN()}
			continue
		}
		noise := func(sd float64) float64 { return rng.NormFloat64() * sd }
		c.Samples[i].Values = []float64{x + noise(.001), y + noise(.001), 1, size + noise(.01), size + noise(.01)}
	}
	return c
}

// spent is the processor time that the process has used.
func spent(t testing.TB) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// record writes a session as it would come in and returns the file's size.
func record(t testing.TB, s *Store, id string, long time.Duration) int64 {
	t.Helper()
	return recordIn(t, s, id, long, 50*time.Millisecond)
}

// recordFast writes a session in large batches and leaves it recovered.
func recordFast(t testing.TB, s *Store, id string, long time.Duration) {
	t.Helper()
	recordIn(t, s, id, long, 5*time.Second)
	if err := s.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func recordIn(t testing.TB, s *Store, id string, long, every time.Duration) int64 {
	t.Helper()
	infos := lab(t)
	for i := range infos {
		if infos[i].Kind == stream.Gaze {
			infos[i].Rate = gazeHz
		}
	}
	r := begunWith(t, s, id, infos)
	rng := rand.New(rand.NewPCG(1, 2))
	next := make([]int64, len(infos))
	for at := every; at <= long; at += every {
		var batch []stream.Chunk
		for i, info := range infos {
			until := int64(at.Seconds() * often(info))
			c := run(info, next[i], int(until-next[i]))
			switch info.Kind {
			case stream.Face:
				c = person(t, info, c)
			case stream.EDA:
				c = sweating(c, rng)
			case stream.Gaze:
				c = looking(c, rng)
			}
			batch = append(batch, c)
			next[i] = until
		}
		appendAll(t, r, batch...)
	}
	appendAll(t, r, pings("eda", int(long.Seconds())), pings("stimulus", int(long.Seconds())))
	if err := s.checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

var _ session.Recorder = (*recorder)(nil)

// BenchmarkErase erases one of two participants with an hour of a whole lab each, and
// reports the seconds that it takes, by the clock and of the processors, with the writing
// of the whole file anew; and the file before and after. Run it with -benchtime 1x.
func BenchmarkErase(b *testing.B) {
	for b.Loop() {
		s := open(b)
		for _, id := range []string{benchID, "20261122-101503-Q4M8"} {
			recordFast(b, s, id, time.Hour)
			if err := s.Seal(b.Context(), id, nil); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Move(b.Context(), benchID, "P02", "two people"); err != nil {
			b.Fatal(err)
		}
		before, err := os.Stat(s.Path())
		if err != nil {
			b.Fatal(err)
		}
		began, busy := time.Now(), spent(b)
		t, err := s.Erase(b.Context(), benchID, Tombstone{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/erase")
		b.ReportMetric((spent(b) - busy).Seconds(), "cpu-s/erase")
		b.ReportMetric(float64(t.Rows), "rows")
		after, err := os.Stat(s.Path())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(before.Size()), "bytes-before")
		b.ReportMetric(float64(after.Size()), "bytes-after")
	}
}
