package latency_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/calibration/latency"
	"emolab/fusion/instant"
)

const ms = time.Millisecond

// panel is a screen with a photodiode on it, as the box reads it: a patch that
// turns at given instants, slowly, with noise, and perhaps a dimmed backlight.
type panel struct {
	turns       []latency.Edge // in order of time
	dark        float64
	contrast    float64
	slow        time.Duration // from dark to bright, in a straight line around the turn
	noise       float64       // standard deviation, as a share of the contrast
	dimmed      bool          // the backlight goes out for 2 of every 5 ms
	every       time.Duration // between readings
	lostBetween [2]instant.Instant
}

func (p panel) light(at instant.Instant) float64 {
	level := 0.
	for _, e := range p.turns {
		share := .5
		if p.slow > 0 {
			share = .5 + float64(at.Sub(e.At))/float64(p.slow)
		} else if at != e.At {
			share = math.Copysign(1, float64(at.Sub(e.At)))
		}
		share = min(max(share, 0), 1)
		if e.Bright {
			level = max(level, share)
		} else {
			level = min(level, 1-share)
		}
	}
	if p.dimmed && at%instant.Instant(5*ms) < instant.Instant(2*ms) {
		level = 0
	}
	return p.dark + p.contrast*level
}

func (p panel) read(from, until instant.Instant, random *rand.Rand) (at []instant.Instant, err []time.Duration, value []float64) {
	for now := from; now < until; now = now.Add(p.every) {
		if now >= p.lostBetween[0] && now < p.lostBetween[1] {
			continue
		}
		at = append(at, now)
		err = append(err, ms/4)
		value = append(value, p.light(now)+p.contrast*p.noise*random.NormFloat64())
	}
	return at, err, value
}

// turnsAt makes edges that begin with one to bright.
func turnsAt(at ...time.Duration) []latency.Edge {
	edges := make([]latency.Edge, len(at))
	for i, a := range at {
		edges[i] = latency.Edge{At: instant.Instant(a), Bright: i%2 == 0}
	}
	return edges
}

func TestEdgesAreFoundWithinTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var turns []time.Duration
		for at, n := 300*ms, rapid.IntRange(2, 20).Draw(t, "turns"); len(turns) < n; {
			turns = append(turns, at+time.Duration(rapid.IntRange(0, 1_000_000).Draw(t, "phase")))
			at += time.Duration(rapid.IntRange(200, 500).Draw(t, "lasts")) * ms
		}
		p := panel{
			turns:    turnsAt(turns...),
			dark:     rapid.Float64Range(0, 20_000).Draw(t, "dark"),
			contrast: rapid.Float64Range(2_500, 40_000).Draw(t, "contrast"),
			slow:     time.Duration(rapid.IntRange(0, 20).Draw(t, "slow")) * ms,
			every:    ms,
		}
		at, err, value := p.read(0, instant.Instant(turns[len(turns)-1]+300*ms), quiet())
		edges := latency.Edges(at, err, value, 2048)
		if len(edges) != len(turns) {
			t.Fatalf("%d edges, want %d", len(edges), len(turns))
		}
		for i, e := range edges {
			off := e.At.Sub(p.turns[i].At).Abs()
			if e.Bright != p.turns[i].Bright || off > e.Err {
				t.Errorf("edge %d (bright %t) is %v off, with a bound of %v", i, e.Bright, off, e.Err)
			}
			if e.Err > ms/4+ms {
				t.Errorf("edge %d has a bound of %v", i, e.Err)
			}
		}
	})
}

// quiet is a source of noise for panels without any.
func quiet() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

func TestEdgesInNoise(t *testing.T) {
	for seed := range uint64(10) {
		p := panel{turns: turnsAt(300*ms, 700*ms, 900*ms, 1400*ms), dark: 500, contrast: 3000, slow: 8 * ms, noise: .05, every: ms}
		at, err, value := p.read(0, instant.Instant(1700*ms), rand.New(rand.NewPCG(seed, 7)))
		edges := latency.Edges(at, err, value, 2048)
		if len(edges) != 4 {
			t.Fatalf("%d edges, want 4: %v", len(edges), edges)
		}
		for i, e := range edges {
			if off := e.At.Sub(p.turns[i].At).Abs(); off > 2*ms {
				t.Errorf("edge %d is %v off", i, off)
			}
		}
	}
}

// A backlight that is dimmed by going out is no flash.
func TestDimmedBacklight(t *testing.T) {
	p := panel{turns: turnsAt(300*ms, 700*ms, 900*ms, 1400*ms), dark: 500, contrast: 30000, dimmed: true, every: ms}
	at, err, value := p.read(0, instant.Instant(1700*ms), quiet())
	edges := latency.Edges(at, err, value, 0)
	if len(edges) != 4 {
		t.Fatalf("%d edges, want 4: %v", len(edges), edges)
	}
	for i, e := range edges {
		// To the phase of the backlight it cannot be told.
		if off := e.At.Sub(p.turns[i].At).Abs(); off > 3*ms || e.Bright != (i%2 == 0) {
			t.Errorf("edge %d (bright %t) is %v off", i, e.Bright, off)
		}
	}
}

// What happened while nothing was read is not invented, and what came after it is
// found.
func TestEdgeThatNobodySaw(t *testing.T) {
	p := panel{
		turns: turnsAt(300*ms, 700*ms, 900*ms, 1400*ms), dark: 500, contrast: 30000, every: ms,
		lostBetween: [2]instant.Instant{instant.Instant(680 * ms), instant.Instant(720 * ms)},
	}
	at, err, value := p.read(0, instant.Instant(1700*ms), quiet())
	edges := latency.Edges(at, err, value, 0)
	want := turnsAt(300*ms, 700*ms, 900*ms, 1400*ms)
	want = append(want[:1], want[2:]...)
	if len(edges) != len(want) {
		t.Fatalf("%d edges, want %d: %v", len(edges), len(want), edges)
	}
	for i, e := range edges {
		if e.Bright != want[i].Bright || e.At.Sub(want[i].At).Abs() > ms {
			t.Errorf("edge %d at %v, bright %t; want %v, %t", i, time.Duration(e.At), e.Bright, time.Duration(want[i].At), want[i].Bright)
		}
	}
}

// A short spike is neither an edge nor does it move a level.
func TestSpikes(t *testing.T) {
	p := panel{turns: turnsAt(300*ms, 700*ms), dark: 500, contrast: 10000, every: ms}
	at, err, value := p.read(0, instant.Instant(1000*ms), quiet())
	value[100], value[101], value[850] = 65535, 65535, 65535
	edges := latency.Edges(at, err, value, 0)
	if len(edges) != 2 {
		t.Fatalf("%d edges, want 2: %v", len(edges), edges)
	}
}

func TestNoFlashes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	steady, noise := make([]float64, 500), make([]float64, 500)
	at, err := make([]instant.Instant, 500), make([]time.Duration, 500)
	for i := range noise {
		at[i] = instant.Instant(i) * instant.Instant(ms)
		steady[i], noise[i] = 700, 10_000+5000*random.NormFloat64()
	}
	faint := make([]float64, 500)
	for i := range faint {
		faint[i] = float64(i / 250 * 1000)
	}
	for name, values := range map[string][]float64{
		"steady": steady, "noise": noise, "faint": faint, "none": nil,
		"no numbers": {math.NaN(), math.Inf(1), math.Inf(-1)},
	} {
		if edges := latency.Edges(at[:len(values)], err[:len(values)], values, 2048); len(edges) > 0 {
			t.Errorf("%s: %d edges", name, len(edges))
		}
	}
}

// Whatever is read, edges come in order, turn by turn, and with true numbers.
func FuzzEdges(f *testing.F) {
	f.Add([]byte{0, 0, 0, 255, 255, 255, 0, 0, 9, 200}, byte(1))
	f.Fuzz(func(t *testing.T, raw []byte, step byte) {
		at, err, value := make([]instant.Instant, len(raw)), make([]time.Duration, len(raw)), make([]float64, len(raw))
		now := instant.Instant(0)
		for i, b := range raw {
			now = now.Add(time.Duration(step)*ms/16 + time.Duration(b%7)*ms/2)
			at[i], value[i] = now, float64(b)*257
			if b == 77 {
				value[i] = math.NaN()
			}
		}
		edges := latency.Edges(at, err, value, 0)
		for i, e := range edges {
			if e.Err < 0 || len(raw) > 0 && (e.At < at[0] || e.At > at[len(at)-1]) {
				t.Fatalf("edge %d: %+v", i, e)
			}
			if i > 0 && e.At < edges[i-1].At {
				t.Fatalf("edge %d goes back", i)
			}
		}
	})
}
