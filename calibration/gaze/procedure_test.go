package gaze

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// run shows all the procedure asks for; blind says at which showing of a target
// nothing is seen.
func run(p *Procedure, k tracker, blind func(target Point, showing int) bool) (order []Point) {
	showings := map[Point]int{}
	now, before := instant.Instant(time.Second), Point{.5, .5}
	for {
		target, more := p.Next()
		if !more {
			return order
		}
		order = append(order, target)
		showings[target]++
		l := k.look(target, before, now)
		if blind != nil && blind(target, showings[target]) {
			for i := range l.X {
				l.X[i] = math.NaN()
			}
		}
		p.Add(l)
		now, before = now.Add(shown), target
	}
}

func TestProcedureShowsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := tracker{screen: desk(), rate: 60, noise: .1, random: seeded(1)}
		targets := Targets(rapid.SampledFrom([]int{5, 9, 13}).Draw(t, "n"))
		o := ProcedureOptions{Screen: k.screen, Seed: rapid.Uint64().Draw(t, "seed"), First: rapid.Bool().Draw(t, "first")}
		p := NewProcedure(targets, o)
		order := run(p, k, nil)
		for _, want := range targets {
			if !slices.Contains(order, want) {
				t.Errorf("%v was not shown", want)
			}
		}
		n := len(targets)
		if o.First {
			n++
			if order[len(order)-1] != order[0] {
				t.Errorf("the first target, %v, was not repeated", order[0])
			}
		}
		if len(order) != n || len(p.Looks()) != n || p.Left() != 0 {
			t.Errorf("%d showings, %d looks, %d left, want %d", len(order), len(p.Looks()), p.Left(), n)
		}
		if again := run(NewProcedure(targets, o), k, nil); !slices.Equal(again, order) {
			t.Errorf("the same seed gave %v and %v", order, again)
		}
	})
}

func TestProcedureRepeatsWeak(t *testing.T) {
	k := tracker{screen: desk(), rate: 60, noise: .1, random: seeded(1)}
	never, later := Targets(9)[3], Targets(9)[7]
	p := NewProcedure(Targets(9), ProcedureOptions{Screen: k.screen, Seed: 7})
	order := run(p, k, func(target Point, showing int) bool {
		return target == never || (target == later && showing == 1)
	})
	count := map[Point]int{}
	for _, at := range order {
		count[at]++
	}
	if count[never] != 1+DefaultRepeats || count[later] != 2 || len(order) != 9+DefaultRepeats+1 {
		t.Errorf("shown %d and %d times, %d showings in all", count[never], count[later], len(order))
	}
	c, err := Fit(p.Looks(), k.screen, FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Points) != 8 || len(c.Unused) != 1+DefaultRepeats+1 {
		t.Errorf("%d points fitted, %d looks unused: %+v", len(c.Points), len(c.Unused), c.Unused)
	}
}

func TestProcedureWithoutNext(t *testing.T) {
	p := NewProcedure(Targets(5), ProcedureOptions{Screen: desk(), Seed: 1})
	if p.Add(Look{}); p.Left() != 5 || len(p.Looks()) != 0 {
		t.Error("a look at nothing was taken")
	}
	a, _ := p.Next()
	if b, _ := p.Next(); a != b {
		t.Error("the target changed before its look was added")
	}
	if NewProcedure(nil, ProcedureOptions{First: true}).Left() != 0 {
		t.Error("no targets, but one to show")
	}
}

// The crosses of a gaze that wanders off give its speed, one cross that was not
// looked at changes little, and no minute gives no trend.
func TestDrift(t *testing.T) {
	k := tracker{screen: desk(), rate: 60, noise: .1, random: seeded(9)}
	var looks []Look
	for minute := range 12 {
		k.right, k.down = .1*float64(minute), -.05*float64(minute)
		target := Point{.5, .5}
		if minute == 5 {
			k.right = 8
		}
		looks = append(looks, k.look(target, target, instant.Instant(time.Duration(minute)*time.Minute)))
	}
	d := MeasureDrift(looks, k.screen, FitOptions{})
	if d.Trend == nil || len(d.Crosses) != 12 {
		t.Fatalf("%d crosses, trend %v", len(d.Crosses), d.Trend)
	}
	if math.Abs(d.Trend.RightDegPerMin-.1) > .02 || math.Abs(d.Trend.DownDegPerMin+.05) > .02 {
		t.Errorf("trend %+v, want .1 right and .05 up", *d.Trend)
	}
	if math.Abs(d.MaxDeg-8) > .1 || math.Abs(d.Trend.SpanMin-11) > 1e-9 {
		t.Errorf("worst %.2f° in %.1f min", d.MaxDeg, d.Trend.SpanMin)
	}
	if early := MeasureDrift(looks[:2], k.screen, FitOptions{}); early.Trend != nil {
		t.Errorf("a trend of two crosses: %+v", early.Trend)
	}
	if none := MeasureDrift(nil, k.screen, FitOptions{}); none.Trend != nil || len(none.Crosses) != 0 || none.MeanDeg != 0 {
		t.Errorf("without crosses: %+v", none)
	}
	still := MeasureDrift(looks[:1], k.screen, FitOptions{})
	if d := cmp.Diff(Point{.5, .5}, still.Crosses[0].Target); d != "" {
		t.Error(d)
	}
}
