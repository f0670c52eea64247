package heatmap_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/eyemovement"
	"emolab/fusion/heatmap"
	"emolab/fusion/instant"
)

var desk = eyemovement.Screen{WidthMM: 531, HeightMM: 299, DistanceMM: 650}

func fixation(x, y float64, lasted time.Duration) eyemovement.Event {
	return eyemovement.Event{Class: eyemovement.Fixation, Until: instant.Instant(lasted), X: x, Y: y}
}

func person(t testing.TB, o heatmap.Options, events ...eyemovement.Event) heatmap.Map {
	t.Helper()
	m, err := heatmap.Person(events, desk, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOneFixation(t *testing.T) {
	m := person(t, heatmap.Options{Columns: 531, Rows: 299}, fixation(.5, .5, 2*time.Second))
	if m.SigmaDeg != 1 || m.People != 1 {
		t.Errorf("%g degrees, %d people", m.SigmaDeg, m.People)
	}
	if got := m.At(265, 149); math.Abs(got-2) > 1e-9 {
		t.Errorf("the middle has %g, want the 2 s", got)
	}
	// A cell is 1 mm; 1 degree is 11.346 mm.
	if got := m.At(265+11, 149); math.Abs(got-2*math.Exp(-.5)) > .05 {
		t.Errorf("one degree beside it has %g", got)
	}
	if got := m.At(265+35, 149); got != 0 {
		t.Errorf("more than 3 degrees beside it has %g", got)
	}
	// The integral of the Gaussian, less what is cut off.
	want := 2 * 2 * math.Pi * 11.346 * 11.346 * (1 - math.Exp(-4.5))
	if got := m.Sum(); math.Abs(got/want-1) > .01 {
		t.Errorf("the sum is %g, want %g", got, want)
	}
	if wide := person(t, heatmap.Options{}, fixation(.5, .5, time.Second)); wide.Columns != 160 || wide.Rows != 90 {
		t.Errorf("%d by %d cells", wide.Columns, wide.Rows)
	}
}

func TestOnlyFixationsCount(t *testing.T) {
	saccade := fixation(.2, .2, time.Second)
	saccade.Class = eyemovement.Saccade
	m := person(t, heatmap.Options{}, saccade, fixation(math.NaN(), .5, time.Second), fixation(.5, 7, time.Second), fixation(math.Inf(1), .5, time.Second))
	if m.Max() != 0 {
		t.Errorf("largest value %g", m.Max())
	}
}

// TestIsTheDefinition compares with the definition, cell by cell.
func TestIsTheDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := eyemovement.Screen{WidthMM: rapid.Float64Range(60, 1200).Draw(t, "w"), HeightMM: rapid.Float64Range(60, 900).Draw(t, "h"), DistanceMM: 600}
		o := heatmap.Options{
			Columns: rapid.IntRange(1, 40).Draw(t, "columns"), Rows: rapid.IntRange(1, 30).Draw(t, "rows"),
			SigmaDeg: rapid.Float64Range(.3, 4).Draw(t, "sigma"),
			Frame:    eyemovement.Frame{X: rapid.Float64Range(-.2, .5).Draw(t, "left"), Y: rapid.Float64Range(-.2, .5).Draw(t, "top"), Width: .6, Height: .5},
		}
		var events []eyemovement.Event
		for range rapid.IntRange(0, 3).Draw(t, "fixations") {
			events = append(events, fixation(rapid.Float64Range(-.1, 1.1).Draw(t, "x"), rapid.Float64Range(-.1, 1.1).Draw(t, "y"), time.Duration(rapid.IntRange(1, 2000).Draw(t, "ms"))*time.Millisecond))
		}
		m, err := heatmap.Person(events, s, o)
		if err != nil {
			t.Fatal(err)
		}
		for row := range m.Rows {
			for column := range m.Columns {
				x := o.Frame.X + o.Frame.Width*(float64(column)+.5)/float64(m.Columns)
				y := o.Frame.Y + o.Frame.Height*(float64(row)+.5)/float64(m.Rows)
				var want float64
				for _, e := range events {
					if d := s.Degrees(e.X, e.Y, x, y) / o.SigmaDeg; d <= 3 {
						want += e.Until.Sub(e.From).Seconds() * math.Exp(-d*d/2)
					}
				}
				if got := m.At(column, row); math.Abs(got-want) > 1e-12 {
					t.Fatalf("cell %d, %d has %g, want %g", column, row, got, want)
				}
			}
		}
	})
}

// TestNobodyDominates: in the group's map each person has the same weight,
// however long they looked.
func TestNobodyDominates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 1000).Draw(t, "times as long")
		a := must(t, fixation(.3, .5, 100*time.Millisecond))
		long := must(t, fixation(.3, .5, time.Duration(k)*100*time.Millisecond))
		b := must(t, fixation(.7, .5, 300*time.Millisecond))
		one, err := heatmap.Group([]heatmap.Map{a, b, must(t)})
		if err != nil {
			t.Fatal(err)
		}
		other, err := heatmap.Group([]heatmap.Map{long, b})
		if err != nil {
			t.Fatal(err)
		}
		if one.People != 2 || math.Abs(one.Sum()-1) > 1e-9 || one.SigmaDeg != 1 {
			t.Fatalf("%d people, sum %g, sigma %g", one.People, one.Sum(), one.SigmaDeg)
		}
		for i := range one.Values {
			if math.Abs(one.Values[i]-other.Values[i]) > 1e-12 {
				t.Fatalf("cell %d has %g, with %d times as long a look %g", i, one.Values[i], k, other.Values[i])
			}
		}
		var left float64
		for row := range one.Rows {
			for column := range one.Columns / 2 {
				left += one.At(column, row)
			}
		}
		if math.Abs(left-.5) > 1e-3 {
			t.Fatalf("the left half has %g", left)
		}
	})
}

func must(t *rapid.T, events ...eyemovement.Event) heatmap.Map {
	t.Helper()
	m, err := heatmap.Person(events, desk, heatmap.Options{Columns: 64})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCorrelation(t *testing.T) {
	a := person(t, heatmap.Options{}, fixation(.3, .5, time.Second))
	same := person(t, heatmap.Options{}, fixation(.3, .5, 9*time.Second))
	far := person(t, heatmap.Options{}, fixation(.8, .5, time.Second))
	if c := heatmap.Correlation(a, same); math.Abs(c-1) > 1e-9 {
		t.Errorf("the same place: %g", c)
	}
	if c := heatmap.Correlation(a, far); c > 0 || c < -.1 {
		t.Errorf("far apart: %g", c)
	}
	if c := heatmap.Correlation(a, person(t, heatmap.Options{})); !math.IsNaN(c) {
		t.Errorf("a flat one: %g", c)
	}
	if c := heatmap.Congruency([]heatmap.Map{a, same, far}); c < .3 || c > .34 {
		t.Errorf("congruency %g", c)
	}
	if c := heatmap.Congruency([]heatmap.Map{a}); !math.IsNaN(c) {
		t.Errorf("one person's: %g", c)
	}
}

func TestSigma(t *testing.T) {
	for _, c := range []struct{ err, want float64 }{{0, 1}, {.75, 1.25}, {math.NaN(), 1}, {-1, 1}, {math.Inf(1), 1}} {
		if got := heatmap.SigmaDeg(c.err); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("an error of %g: %g, want %g", c.err, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, f := range map[string]func() error{
		"no screen": func() error { _, err := heatmap.Person(nil, eyemovement.Screen{}, heatmap.Options{}); return err },
		"sigma":     func() error { _, err := heatmap.Person(nil, desk, heatmap.Options{SigmaDeg: -1}); return err },
		"cells":     func() error { _, err := heatmap.Person(nil, desk, heatmap.Options{Columns: 1 << 30}); return err },
		"frame": func() error {
			_, err := heatmap.Person(nil, desk, heatmap.Options{Frame: eyemovement.Frame{X: .5, Width: -1, Height: 1}})
			return err
		},
		"nobody": func() error { _, err := heatmap.Group(nil); return err },
		"different cells": func() error {
			_, err := heatmap.Group([]heatmap.Map{person(t, heatmap.Options{Columns: 10}), person(t, heatmap.Options{Columns: 11})})
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
