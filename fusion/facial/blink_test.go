package facial

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// eyes is a made-up person's course of the eye aspect ratio. The landmark net
// shows a wholly shut eye as a tenth less open, and wanders by .7 %.
type eyes struct {
	open   float64
	noise  float64 // standard deviation, in parts of open
	blinks []span  // from the first movement of the lids to the last
	level  func(time.Duration) float64
}

type span struct{ at, long time.Duration }

const shownShut = .10

// ratio returns the aspect ratio at a time: lids close and open within .3 of a
// blink each, as drawn ones do.
func (e eyes) ratio(t time.Duration) float64 {
	r := e.open
	if e.level != nil {
		r *= e.level(t)
	}
	for _, b := range e.blinks {
		if u := float64(t-b.at) / float64(b.long); u > 0 && u < 1 {
			edge := min(1, min(u, 1-u)/.3)
			r *= 1 - shownShut*edge*edge*(3-2*edge)
		}
	}
	return r
}

// film records the eyes for a time at a rate of frames.
func (e eyes) film(rate float64, long time.Duration) []Measured {
	r := rand.New(rand.NewPCG(1, 2))
	var frames []Measured
	for i := 0; ; i++ {
		t := time.Duration(float64(i) / rate * float64(time.Second))
		if t >= long {
			return frames
		}
		ear := e.ratio(t) * (1 + e.noise*r.NormFloat64())
		frames = append(frames, Measured{At: instant.Instant(time.Hour + t), Found: true, Posed: true, EARRight: ear * 1.02, EARLeft: ear * .98})
	}
}

func (s span) every(period, until time.Duration) (out []span) {
	for t := s.at; t+s.long < until; t += period {
		out = append(out, span{t, s.long})
	}
	return out
}

// blinksOf returns the blinks found, as spans from the film's beginning.
func blinksOf(t interface{ Errorf(string, ...any) }, d Derived) (out []span) {
	for _, e := range d.Events {
		if e.Kind != Blink {
			continue
		}
		if e.Label != "" || !(e.Peak > 0 && e.Peak <= 1) || !(e.Mean > 0 && e.Mean <= e.Peak) {
			t.Errorf("a blink is %+v", e)
		}
		if n := len(out); n > 0 && e.Onset.Sub(instant.Instant(time.Hour)) < out[n-1].at+out[n-1].long {
			t.Errorf("%+v begins before the blink before has ended", e)
		}
		out = append(out, span{e.Onset.Sub(instant.Instant(time.Hour)), e.Offset.Sub(e.Onset)})
	}
	return out
}

func TestBlinks(t *testing.T) {
	const long = 30 * time.Second
	usual := span{2 * time.Second, 180 * ms}.every(3*time.Second, long)
	smile := func(t time.Duration) float64 { // comes and goes within .4 s, and narrows the eyes
		u := math.Mod(t.Seconds(), 6)
		return 1 - .12*min(1, max(0, u-3)/.4)*min(1, max(0, 6-u)/.4)
	}
	for name, tc := range map[string]struct {
		eyes eyes
		rate float64
		want int // -1: all
	}{
		"usual":            {eyes{open: .30, noise: .007, blinks: usual}, 30, -1},
		"narrow eyes":      {eyes{open: .17, noise: .007, blinks: usual}, 30, -1},
		"fast camera":      {eyes{open: .30, noise: .007, blinks: usual}, 60, -1},
		"slow camera":      {eyes{open: .30, noise: .007, blinks: usual}, 15, -1},
		"while smiling":    {eyes{open: .30, noise: .007, blinks: usual, level: smile}, 30, -1},
		"short ones":       {eyes{open: .30, noise: .007, blinks: span{1 * time.Second, 110 * ms}.every(2*time.Second, long)}, 30, -1},
		"long ones":        {eyes{open: .30, noise: .007, blinks: span{1 * time.Second, 450 * ms}.every(2*time.Second, long)}, 30, -1},
		"in quick runs":    {eyes{open: .30, noise: .007, blinks: span{1 * time.Second, 160 * ms}.every(500*ms, 3*time.Second)}, 30, -1},
		"no blinks":        {eyes{open: .30, noise: .007}, 30, 0},
		"none, noisy":      {eyes{open: .30, noise: .03}, 30, 0},
		"none, noiseless":  {eyes{open: .30}, 30, 0},
		"smiles alone":     {eyes{open: .30, noise: .007, level: smile}, 30, 0},
		"eyes closed":      {eyes{open: .30, noise: .007, blinks: span{1 * time.Second, time.Second}.every(3*time.Second, long)}, 30, 0},
		"looks down":       {eyes{open: .30, noise: .007, blinks: span{1 * time.Second, 2 * time.Second}.every(4*time.Second, long)}, 30, 0},
		"single bad frame": {eyes{open: .30, noise: .007, blinks: span{1 * time.Second, 40 * ms}.every(3*time.Second, long)}, 30, 0},
		"cut at both ends": {eyes{open: .30, noise: .007, blinks: []span{{-100 * ms, 200 * ms}, {long - 100*ms, 200 * ms}}}, 30, 0},
	} {
		frames := tc.eyes.film(tc.rate, long)
		d := Derive(frames, nil, Options{})
		got := blinksOf(t, d)
		want := tc.eyes.blinks
		if tc.want == 0 {
			want = nil
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d blinks, want %d: %v", name, len(got), len(want), got)
			continue
		}
		for i, b := range got {
			// The edges are taken at a quarter of the depth, and between frames.
			late, frame := b.at-want[i].at, time.Duration(float64(time.Second)/tc.rate)
			if late < -frame/2 || late > want[i].long/4+frame || (b.long-want[i].long).Abs() > want[i].long/4+frame {
				t.Errorf("%s: a blink at %v of %v is found at %v, of %v", name, want[i].at, want[i].long, b.at, b.long)
			}
		}
		for i, r := range d.Rows {
			at := frames[i].At.Sub(instant.Instant(time.Hour))
			within := slices.ContainsFunc(got, func(b span) bool { return at >= b.at && at <= b.at+b.long })
			if within != (r.Blink == 1) {
				t.Fatalf("%s: the row at %v has blink %v", name, at, r.Blink)
			}
		}
	}
}

// What was not seen is no blink, and is not said to be none.
func TestBlinksNotSeen(t *testing.T) {
	one := eyes{open: .3, noise: .007, blinks: []span{{5 * time.Second, 180 * ms}}}
	inBlink := func(m *Measured) bool {
		at := m.At.Sub(instant.Instant(time.Hour))
		return at > 5*time.Second && at < 5180*ms
	}
	for name, tc := range map[string]struct {
		change func(m *Measured) (keep bool)
		blinks int
		sure   bool // whether the rows in the blink say anything
	}{
		"all seen":        {func(m *Measured) bool { return true }, 1, true},
		"a frame lost":    {func(m *Measured) bool { return m.At.Sub(instant.Instant(time.Hour))/time.Millisecond != 5066 }, 1, true},
		"all frames lost": {func(m *Measured) bool { return !inBlink(m) }, 0, true},
		"its end lost": {func(m *Measured) bool {
			at := m.At.Sub(instant.Instant(time.Hour))
			return at < 5110*ms || at > 5320*ms
		}, 0, false},
		"no face in it": {func(m *Measured) bool {
			if inBlink(m) {
				m.Found, m.Posed, m.EARLeft, m.EARRight = false, false, nan, nan
			}
			return true
		}, 0, false},
		"the head jerks": {func(m *Measured) bool {
			if inBlink(m) {
				m.Pose.PitchDeg = 12
			}
			return true
		}, 0, false},
		"the head nods slightly": {func(m *Measured) bool {
			if inBlink(m) {
				m.Pose.PitchDeg = 3
			}
			return true
		}, 1, true},
	} {
		var frames []Measured
		for _, m := range one.film(30, 10*time.Second) {
			if tc.change(&m) {
				frames = append(frames, m)
			}
		}
		d := Derive(frames, nil, Options{})
		if got := blinksOf(t, d); len(got) != tc.blinks {
			t.Errorf("%s: %d blinks, want %d", name, len(got), tc.blinks)
		}
		for i := range frames {
			switch r := d.Rows[i]; {
			case inBlink(&frames[i]) && !tc.sure && !math.IsNaN(r.Blink) && aspect(&frames[i]) < (1-shut/2)*aspect(&frames[0]):
				t.Errorf("%s: the row at %v says %v", name, frames[i].At.Sub(instant.Instant(time.Hour)), r.Blink)
			case !inBlink(&frames[i]) && r.Blink != 0 && tc.sure:
				t.Errorf("%s: the row at %v says %v", name, frames[i].At.Sub(instant.Instant(time.Hour)), r.Blink)
			}
		}
	}
}

// Lost frames, whichever they are, never make a blink of eyes that stay open.
func TestLostFramesAreNoBlinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := eyes{open: rapid.Float64Range(.12, .45).Draw(t, "open"), noise: rapid.Float64Range(0, .008).Draw(t, "noise")}
		keep := rapid.Float64Range(.05, 1).Draw(t, "keep")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var frames []Measured
		for _, m := range e.film(rapid.SampledFrom([]float64{15, 24, 30, 60}).Draw(t, "rate"), 20*time.Second) {
			if r.Float64() > keep {
				if r.Float64() < .5 {
					continue
				}
				m.EARLeft, m.EARRight, m.Found, m.Posed = nan, nan, false, false
			}
			frames = append(frames, m)
		}
		if got := blinksOf(t, Derive(frames, nil, Options{})); len(got) > 0 {
			t.Fatalf("blinks at %v", got)
		}
	})
}

// Blinks do not depend on when a recording was made, nor on how wide the person's
// eyes are, and always have a blink's length.
func TestBlinksAreOfThePerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := eyes{open: .3, noise: rapid.Float64Range(0, .02).Draw(t, "noise")}
		for at := time.Second; at < 9*time.Second; at += time.Duration(rapid.IntRange(300, 3000).Draw(t, "pause")) * ms {
			b := span{at, time.Duration(rapid.IntRange(30, 900).Draw(t, "long")) * ms}
			e.blinks = append(e.blinks, b)
			at += b.long
		}
		frames := e.film(30, 10*time.Second)
		want := blinksOf(t, Derive(frames, nil, Options{}))
		for _, b := range want {
			if b.long < blinkLeast || b.long > blinkMost {
				t.Fatalf("a blink of %v", b.long)
			}
		}
		scale := rapid.Float64Range(.5, 1.5).Draw(t, "scale")
		later := slices.Clone(frames)
		for i := range later {
			later[i].At = later[i].At.Add(time.Minute)
			later[i].EARRight *= scale
			later[i].EARLeft *= scale
		}
		got := blinksOf(t, Derive(later, nil, Options{}))
		if len(got) != len(want) {
			t.Fatalf("%d blinks became %d", len(want), len(got))
		}
		for i := range got {
			if d := got[i].at - time.Minute - want[i].at; d.Abs() > time.Microsecond {
				t.Fatalf("a blink moved by %v", d)
			}
		}
	})
}
