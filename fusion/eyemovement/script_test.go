package eyemovement_test

import (
	"math"
	"math/rand/v2"
	"sort"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// desk is a 24 inch screen at arm's length.
var desk = eyemovement.Screen{WidthMM: 531, HeightMM: 299, DistanceMM: 650}

// stay is one fixation of a script: where, in degrees from the screen's centre,
// and until when. The saccade to the next one follows.
type stay struct {
	x, y  float64
	until time.Duration
}

// saccadeTime is what a saccade of that size takes: the main sequence.
func saccadeTime(deg float64) time.Duration {
	return time.Duration((21 + 2.2*deg) * float64(time.Millisecond))
}

// script is a recording whose truth is known: fixations and saccades of
// smooth, symmetric velocity between them.
type script []stay

// drawScript draws 3 to 8 fixations of 200 to 700 ms, at least so many and at
// most 15 degrees apart.
func drawScript(t *rapid.T, least float64) script {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	var s script
	var now time.Duration
	for range rapid.IntRange(3, 8).Draw(t, "fixations") {
		p := stay{x: r.Float64()*24 - 12, y: r.Float64()*16 - 8}
		for n := len(s); n > 0 && (math.Hypot(p.x-s[n-1].x, p.y-s[n-1].y) < least || math.Hypot(p.x-s[n-1].x, p.y-s[n-1].y) > 15); {
			p.x, p.y = r.Float64()*24-12, r.Float64()*16-8
		}
		if n := len(s); n > 0 {
			now += saccadeTime(math.Hypot(p.x-s[n-1].x, p.y-s[n-1].y))
		}
		now += time.Duration(200+r.IntN(500)) * time.Millisecond
		p.until = now
		s = append(s, p)
	}
	return s
}

// at returns where the eyes look, in degrees.
func (s script) at(d time.Duration) (x, y float64) {
	first := sort.Search(len(s), func(i int) bool { return d <= s[i].until })
	for i := max(0, first-1); i < len(s); i++ {
		p := s[i]
		if d <= p.until {
			return p.x, p.y
		}
		if i+1 == len(s) {
			break
		}
		q := s[i+1]
		if took := saccadeTime(math.Hypot(q.x-p.x, q.y-p.y)); d < p.until+took {
			u := float64(d-p.until) / float64(took)
			w := u * u * u * (10 + u*(6*u-15)) // least jerk
			return p.x + w*(q.x-p.x), p.y + w*(q.y-p.y)
		}
	}
	last := s[len(s)-1]
	return last.x, last.y
}

// film samples the script on the screen at a rate, with noise of that many
// degrees per sample and axis.
func (s script) film(screen eyemovement.Screen, rate, noiseDeg float64, seed uint64) eyemovement.Gaze {
	r := rand.New(rand.NewPCG(seed, 2))
	var g eyemovement.Gaze
	step := time.Duration(math.Round(1e9 / rate))
	for d := time.Duration(0); d < s[len(s)-1].until; d += step {
		right, down := s.at(d)
		x, y := screen.At(right+noiseDeg*r.NormFloat64(), down+noiseDeg*r.NormFloat64())
		g.At = append(g.At, instant.Instant(time.Second+d))
		g.X = append(g.X, x)
		g.Y = append(g.Y, y)
	}
	return g
}

// damage drops rows, loses samples in runs, and shakes the stamps.
func damage(g eyemovement.Gaze, seed uint64) eyemovement.Gaze {
	r := rand.New(rand.NewPCG(seed, 3))
	var out eyemovement.Gaze
	lost, dropped := 0, 0
	dt := g.Interval()
	for i := range g.At {
		switch r.IntN(60) {
		case 0:
			lost = r.IntN(30)
		case 1:
			dropped = r.IntN(12)
		}
		if dropped > 0 {
			dropped--
			continue
		}
		x, y := g.X[i], g.Y[i]
		if lost > 0 {
			lost--
			x = math.NaN()
		}
		out.At = append(out.At, g.At[i].Add(time.Duration(r.Int64N(int64(dt)/3+1))))
		out.X = append(out.X, x)
		out.Y = append(out.Y, y)
	}
	return out
}
