package latency_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/calibration/latency"
	"emolab/fusion/instant"
)

// flashes states n edges with intervals of 200 to 500 ms, two of which are 600 ms
// together at least.
func flashes(n int, random *rand.Rand) []latency.Edge {
	edges := make([]latency.Edge, n)
	at, before := instant.Instant(time.Hour), 400*ms
	for i := range edges {
		edges[i] = latency.Edge{At: at, Err: ms / 2, Bright: i%2 == 0}
		least := max(200*ms, 600*ms-before)
		before = least + time.Duration(random.Int64N(int64(500*ms-least)+1))
		at = at.Add(before)
	}
	return edges
}

// loop is what lies between what is stated and what is seen.
type loop struct {
	late   time.Duration
	jitter time.Duration // to either side, evenly
	missed float64       // share of the edges that are not seen
	extra  int           // edges that were none
	turned time.Duration // by how much edges to dark are later than those to bright
}

func (l loop) see(stated []latency.Edge, random *rand.Rand) []latency.Edge {
	var seen []latency.Edge
	for _, e := range stated {
		if random.Float64() < l.missed {
			continue
		}
		e.At = e.At.Add(l.late + time.Duration((2*random.Float64()-1)*float64(l.jitter)))
		if !e.Bright {
			e.At = e.At.Add(l.turned)
		}
		e.Err = ms / 4
		seen = append(seen, e)
	}
	from, until := stated[0].At, stated[len(stated)-1].At
	for range l.extra {
		seen = append(seen, latency.Edge{
			At: from.Add(time.Duration(random.Int64N(int64(until.Sub(from))))), Bright: random.IntN(2) == 0,
		})
	}
	slices.SortFunc(seen, func(a, b latency.Edge) int { return int(a.At - b.At) })
	return seen
}

func TestMatchFindsTheLatency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		stated := flashes(rapid.IntRange(32, 96).Draw(t, "flashes"), random)
		l := loop{
			late:   time.Duration(rapid.IntRange(-80, 480).Draw(t, "late")) * ms,
			jitter: time.Duration(rapid.IntRange(0, 12).Draw(t, "jitter")) * ms,
			missed: rapid.Float64Range(0, .25).Draw(t, "missed"),
			extra:  rapid.IntRange(0, len(stated)/5).Draw(t, "extra"),
		}
		seen := l.see(stated, random)
		m, err := latency.Match(stated, seen)
		if err != nil {
			t.Fatal(err)
		}
		off := m.MedianMs - float64(l.late)/float64(ms)
		// Five standard deviations of the median of evenly spread values.
		if math.Abs(off) > max(5/math.Sqrt(float64(m.Matched+2))*float64(l.jitter)/float64(ms), .01) {
			t.Errorf("median %.2f ms, %.2f ms off", m.MedianMs, off)
		}
		if m.Flashes != len(stated) || m.Matched+m.Extra != len(seen) || len(m.ResidualsMs) != m.Matched {
			t.Errorf("%d of %d matched, %d extra, %d residuals", m.Matched, m.Flashes, m.Extra, len(m.ResidualsMs))
		}
		if err := m.Check(latency.Display); err != nil {
			t.Error(err)
		}
		// No deviation is wider than the jitter, and the median is off by less.
		if late := float64(l.jitter) / float64(ms); m.Matched > 0 && l.extra == 0 && m.WithinMs() > 2*late+m.ClockMs+.01 {
			t.Errorf("a bound of %v ms for a jitter of ±%v ms", m.WithinMs(), late)
		}
		if m.P95Ms > m.MaxMs || m.SDMs < 0 || m.WithinMs() < m.P95Ms {
			t.Errorf("p95 %v, largest %v, SD %v, within %v", m.P95Ms, m.MaxMs, m.SDMs, m.WithinMs())
		}
	})
}

// The correction with its bound holds for flashes that were not measured with.
func TestShiftHoldsForOthers(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	l := loop{late: 23 * ms, jitter: 6 * ms, missed: .05, extra: 3}
	stated := flashes(96, random)
	m, err := latency.Match(stated, l.see(stated, random))
	if err != nil {
		t.Fatal(err)
	}
	shift := m.Shift()
	l.missed, l.extra = 0, 0
	stated = flashes(5000, random)
	outside := 0
	for i, e := range l.see(stated, random) {
		if e.At.Sub(stated[i].At.Add(shift.By)).Abs() > shift.Within {
			outside++
		}
	}
	if outside > 50 {
		t.Errorf("%d of 5000 light changes are more than %v from the corrected time", outside, shift.Within)
	}
	if shift.Within > 8*ms {
		t.Errorf("the bound is %v for a jitter of ±6 ms", shift.Within)
	}
}

func TestRisingAndFallingApart(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	stated := flashes(60, random)
	m, err := latency.Match(stated, loop{late: 20 * ms, turned: 10 * ms}.see(stated, random))
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(m.RisingMs-20) > .01 || math.Abs(m.FallingMs-30) > .01 || math.Abs(m.MedianMs-25) > .01 {
		t.Errorf("rising %v, falling %v, median %v; want 20, 30, 25", m.RisingMs, m.FallingMs, m.MedianMs)
	}
}

// A flash that came much too late is a deviation, not a missed one.
func TestLateFlashesCount(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	stated := flashes(60, random)
	seen := loop{late: 20 * ms}.see(stated, random)
	seen[17].At = seen[17].At.Add(90 * ms)
	m, err := latency.Match(stated, seen)
	if err != nil {
		t.Fatal(err)
	}
	if m.Matched != 60 || math.Abs(m.MaxMs-90) > .01 || m.WithinMs() < 90 {
		t.Errorf("%d matched, largest deviation %v, within %v; want 60, 90, 90 or more", m.Matched, m.MaxMs, m.WithinMs())
	}
}

func TestRefusals(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	stated := flashes(60, random)
	periodic := make([]latency.Edge, 60)
	for i := range periodic {
		periodic[i] = latency.Edge{At: instant.Instant(i) * instant.Instant(100*ms), Bright: i%2 == 0}
	}
	torn := loop{late: 20 * ms}.see(stated, random)
	for i := range torn {
		if i%4 < 2 {
			torn[i].At = torn[i].At.Add(70 * ms)
		}
	}
	for _, c := range []struct {
		name         string
		stated, seen []latency.Edge
		want         string
	}{
		{"nothing shown", nil, stated, "no flash was shown"},
		{"nothing seen", stated, nil, "move the sensor onto the patch"},
		{"few seen", stated, loop{late: 20 * ms, missed: .7}.see(stated, random), "flashes were seen"},
		{"light of something else", stated, flashes(60, rand.New(rand.NewPCG(99, 1))), "flashes"},
		{"a regular flash", periodic, loop{late: 20 * ms}.see(periodic, random), "equally good"},
		{"a latency that jumps", stated, torn, "equally good"},
		{"the box's clock unknown", stated, []latency.Edge{{At: stated[0].At, Bright: true, Err: time.Hour}}, "none of 1 changes of light is known"},
		{"the page's clock unknown", []latency.Edge{{At: stated[0].At, Bright: true, Err: time.Hour}}, stated, "none of 1 changes of light is known"},
	} {
		m, err := latency.Match(c.stated, c.seen)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, error %v; want one about %q", c.name, m, err, c.want)
		}
	}
}

func TestShift(t *testing.T) {
	m := latency.Measured{Kind: latency.Display, MedianMs: 23.5, Flashes: 3, Matched: 3, ResidualsMs: []float64{-1, 0, 2}, ClockMs: .5}
	if s := m.Shift(); s.By != 23500*time.Microsecond || s.Within != 2500*time.Microsecond {
		t.Errorf("display: %+v", s)
	}
	m.Kind = latency.Camera
	s := m.Shift()
	if s.By != -23500*time.Microsecond || s.Within != 2500*time.Microsecond {
		t.Errorf("camera: %+v", s)
	}
	var back latency.Measured
	if err := json.Unmarshal(s.Calibration, &back); err != nil || back.MedianMs != m.MedianMs || len(back.ResidualsMs) != 3 {
		t.Errorf("the calibration reads back as %+v, %v", back, err)
	}
}

func TestCheck(t *testing.T) {
	good := latency.Measured{Kind: latency.Display, MedianMs: 23.5, Flashes: 3, Matched: 3, ResidualsMs: []float64{-1, 0, 2}, ClockMs: .5}
	if err := good.Check(latency.Display); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*latency.Measured){
		"another kind": func(m *latency.Measured) { m.Kind = latency.Camera },
		"no number":    func(m *latency.Measured) { m.MedianMs = math.NaN() },
		"days":         func(m *latency.Measured) { m.MedianMs = 1e9 },
		"no residuals": func(m *latency.Measured) { m.ResidualsMs = nil },
		"nothing":      func(m *latency.Measured) { *m = latency.Measured{Kind: latency.Display} },
		"no bound":     func(m *latency.Measured) { m.ClockMs = -1 },
		"wide":         func(m *latency.Measured) { m.ResidualsMs = []float64{0, 0, 1e12} },
		"more seen":    func(m *latency.Measured) { m.Flashes = 2 },
	} {
		m := good
		spoil(&m)
		if err := m.Check(latency.Display); err == nil {
			t.Errorf("%s passes: %+v", name, m)
		}
	}
}
