package conductance

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

const rate = 32 // Hz

// person is a simulated skin: level, slope, noise, and a response of the given
// amplitude that begins latency after the cue at 60 s of 75 s.
type person struct {
	level, slope, noise float64 // µS, µS/min, µS
	amplitude, latency  float64 // µS, s
}

const cue = instant.Instant(61 * time.Second)

func (p person) record(seed uint64) (at []instant.Instant, us []float64) {
	random := rand.New(rand.NewPCG(seed, 1))
	for i := range 75 * rate {
		t := float64(i) / rate
		v := p.level + p.slope*(t-60)/60 + p.noise*random.NormFloat64()
		// rises within some two seconds and falls with 4 s (Bateman)
		if since := t - 60 - p.latency; since > 0 {
			v += p.amplitude * 1.75 * (math.Exp(-since/4) - math.Exp(-since/1)) * 1.2
		}
		at = append(at, instant.Instant(time.Second)+instant.Instant(t*float64(time.Second)))
		us = append(us, v)
	}
	return at, us
}

func TestReady(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := person{
			level:     rapid.Float64Range(1, 40).Draw(t, "level"),
			slope:     rapid.Float64Range(-.1, .1).Draw(t, "slope"),
			noise:     rapid.Float64Range(0, .004).Draw(t, "noise"),
			amplitude: rapid.Float64Range(.2, 2).Draw(t, "amplitude"),
			latency:   rapid.Float64Range(1, 4).Draw(t, "latency"),
		}
		at, us := p.record(rapid.Uint64().Draw(t, "seed"))
		r := Check(at, us, cue, Range{})
		if r.Level != Ready || len(r.Reasons) != 0 || !r.InRange || !r.Steady {
			t.Fatalf("%+v", r)
		}
		if math.Abs(*r.LevelUS-p.level) > .1 || math.Abs(*r.SlopeUSPerMin-p.slope) > .05 {
			t.Errorf("level %.2f, slope %.3f", *r.LevelUS, *r.SlopeUSPerMin)
		}
		if r.Breath == nil {
			t.Fatal("no response was found")
		}
		// the smoothing at 1 Hz rounds onset and peak
		if math.Abs(r.Breath.LatencyS-p.latency) > .6 || math.Abs(r.Breath.AmplitudeUS/p.amplitude-1) > .2 {
			t.Errorf("response %+v", *r.Breath)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back Readiness
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(r, back); d != "" {
			t.Errorf("not the same after JSON:\n%s", d)
		}
	})
}

func TestNotReady(t *testing.T) {
	steady := person{level: 5, noise: .002, amplitude: .5, latency: 2}
	with := func(change func(*person)) person {
		p := steady
		change(&p)
		return p
	}
	gone := func(us []float64, share float64) {
		for i := range int(share * float64(len(us))) {
			us[(i*7)%len(us)] = math.NaN()
		}
	}
	for name, c := range map[string]struct {
		person person
		spoil  func(us []float64)
		level  ReadinessLevel
		words  string
	}{
		"dry":           {with(func(p *person) { p.level, p.amplitude = .2, .06 }), nil, Unready, "0.20 µS, below 0.5"},
		"bridged":       {with(func(p *person) { p.level = 70 }), nil, Unready, "70 µS, above 60"},
		"resistor":      {person{level: 10}, nil, Unready, "does not change at all"},
		"settling":      {with(func(p *person) { p.slope = 3 }), nil, Doubtful, "+3.0 µS a minute"},
		"no response":   {with(func(p *person) { p.amplitude = 0 }), nil, Doubtful, "No response to the deep breath within 5 s"},
		"late response": {with(func(p *person) { p.latency = 7 }), nil, Doubtful, "No response to the deep breath"},
		"early":         {with(func(p *person) { p.latency = -3 }), nil, Doubtful, "No response to the deep breath"},
		"gaps":          {steady, func(us []float64) { gone(us, .4) }, Doubtful, "40 % of the samples are missing"},
		"nothing":       {steady, func(us []float64) { gone(us, 1) }, Unready, "Nothing is measured"},
	} {
		at, us := c.person.record(3)
		if c.spoil != nil {
			c.spoil(us)
		}
		r := Check(at, us, cue, Range{})
		if r.Level != c.level || !strings.Contains(strings.Join(r.Reasons, "\n"), c.words) {
			t.Errorf("%s: %s %q, want %s %q", name, r.Level, r.Reasons, c.level, c.words)
		}
	}
}

// Without a cue nothing is said of a breath, and a short record says what it can.
func TestNoCue(t *testing.T) {
	at, us := person{level: 5, noise: .002}.record(1)
	if r := Check(at, us, 0, Range{}); r.Level != Ready || r.Breath != nil {
		t.Errorf("%+v", r)
	}
	if r := Check(at[:rate], us[:rate], at[0], Range{}); r.SlopeUSPerMin != nil || r.LevelUS == nil || r.Steady {
		t.Errorf("of one second: %+v", r)
	}
	if r := Check(nil, nil, 0, Range{}); r.Level != Unready || r.Missing != 1 {
		t.Errorf("of nothing: %+v", r)
	}
	if r := Check(at, us, 0, Range{LowUS: 6}); r.Level != Unready {
		t.Errorf("5 µS in a range from 6 on: %+v", r)
	}
}

// Samples that never came are missing as well as those that came empty; that they
// come in bursts makes none so.
func TestSamplesThatNeverCame(t *testing.T) {
	at, us := person{level: 5, noise: .002, amplitude: .5, latency: 2}.record(3)
	lost := 40 * rate // of 75
	r := Check(append(at[:10*rate:10*rate], at[10*rate+lost:]...), append(us[:10*rate:10*rate], us[10*rate+lost:]...), cue, Range{})
	if math.Abs(r.Missing-40./75) > .002 || r.Level != Doubtful || !strings.Contains(strings.Join(r.Reasons, " "), "53 % of the samples are missing") {
		t.Errorf("%+v", r)
	}
	for i := range at {
		at[i] -= at[i] % instant.Instant(200*time.Millisecond)
	}
	if r := Check(at, us, cue, Range{}); r.Missing != 0 {
		t.Errorf("in bursts: %+v", r)
	}
}

// A constant more changes the level only.
func TestShift(t *testing.T) {
	at, us := person{level: 5, noise: .003, slope: .2, amplitude: .4, latency: 2}.record(5)
	a := Check(at, us, cue, Range{})
	more := make([]float64, len(us))
	for i, v := range us {
		more[i] = v + 7
	}
	b := Check(at, more, cue, Range{})
	if math.Abs(*b.LevelUS-*a.LevelUS-7) > 1e-9 || math.Abs(*b.SlopeUSPerMin-*a.SlopeUSPerMin) > 1e-9 ||
		math.Abs(b.Breath.AmplitudeUS-a.Breath.AmplitudeUS) > 1e-6 || b.Breath.LatencyS != a.Breath.LatencyS {
		t.Errorf("%+v\n%+v", a, b)
	}
}

// Responses are no slope: a constant level under them is not said to settle, and one
// that does settle is, whatever responses lie on it.
func TestSlopeBelowResponses(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	const trials = 200
	wrong, missed := 0, 0
	for n := range trials {
		seconds := 30 + random.IntN(31)
		for _, drift := range []float64{0, -3} {
			at, us := responding(random, seconds, 1+n%4, drift)
			r := Check(at, us, at[len(at)-1]+1, Range{})
			if r.SlopeUSPerMin == nil {
				t.Fatalf("%d s have no slope", seconds)
			}
			settling := strings.Contains(strings.Join(r.Reasons, " "), "a minute")
			switch {
			case drift == 0 && settling:
				wrong++
			case drift != 0 && !settling:
				missed++
			}
		}
	}
	t.Logf("of %d, %d constant levels were said to settle, %d that settle were missed", trials, wrong, missed)
	if wrong > trials/20 || missed > trials/10 {
		t.Errorf("of %d, %d constant levels were said to settle, %d that settle were missed", trials, wrong, missed)
	}
}

// responding is a skin with some responses of .2 to 1 µS, that began up to 10 s before.
func responding(random *rand.Rand, seconds, responses int, drift float64) (at []instant.Instant, us []float64) {
	onset, amplitude := make([]float64, responses), make([]float64, responses)
	for i := range onset {
		onset[i], amplitude[i] = float64(seconds+10)*random.Float64()-10, .2+.8*random.Float64()
	}
	for i := range seconds*rate + 2 {
		s := float64(i) / rate
		v := 5 + drift*(s/60-.5) + .002*random.NormFloat64()
		for k := range onset {
			if since := s - onset[k]; since > 0 {
				v += amplitude[k] * 2.1 * (math.Exp(-since/4) - math.Exp(-since))
			}
		}
		at, us = append(at, instant.Instant(time.Second)+instant.Instant(s*float64(time.Second))), append(us, v)
	}
	return at, us
}

// Of less than half a minute nothing is said of a slope.
func TestNoSlopeOfAShortStretch(t *testing.T) {
	at, us := person{level: 5, slope: 3, noise: .002, amplitude: .5, latency: 2}.record(1)
	from := 60*rate - 25*rate
	r := Check(at[from:], us[from:], cue, Range{})
	if r.SlopeUSPerMin != nil || strings.Contains(strings.Join(r.Reasons, " "), "a minute") || r.Level != Ready {
		t.Errorf("of 25 s: %+v", r)
	}
}

func TestStretchIsRecorded(t *testing.T) {
	second := instant.Instant(time.Second)
	for _, c := range []struct{ begin, cue, from, until instant.Instant }{
		{100 * second, 118 * second, 100 * second, 128 * second},
		{100 * second, 200 * second, 140 * second, 210 * second},
	} {
		if from, until := Stretch(c.begin, c.cue); from != c.from || until != c.until {
			t.Errorf("from %v cued at %v: %v to %v, want %v to %v", c.begin, c.cue, from, until, c.from, c.until)
		}
	}
}
