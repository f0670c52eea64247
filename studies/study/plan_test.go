package study

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func clips(n int) *Study {
	s := &Study{Seed: 20261122, Block: Block{Name: "main", Order: Random, Trial: defaultTrial()}}
	for i := range n {
		s.Stimuli = append(s.Stimuli, Stimulus{ID: string(rune('a' + i)), Duration: time.Duration(i+1) * time.Second})
	}
	return s
}

func TestPlanSteps(t *testing.T) {
	s := clips(2)
	s.Block.Order = Fixed
	want := []Step{
		{Index: 0, Action: Fixation, Duration: 5 * time.Second, Stimulus: "a", Presentation: 0},
		{Index: 1, Action: Play, Duration: 1 * time.Second, Stimulus: "a", Presentation: 1},
		{Index: 2, Action: Rest, Duration: 4 * time.Second, Stimulus: "a", Presentation: 0},
		{Index: 3, Action: Fixation, Duration: 5 * time.Second, Stimulus: "b", Presentation: 0},
		{Index: 4, Action: Play, Duration: 2 * time.Second, Stimulus: "b", Presentation: 2},
		{Index: 5, Action: Rest, Duration: 4 * time.Second, Stimulus: "b", Presentation: 0},
	}
	p := s.Plan(7)
	if !slices.Equal(p.Steps, want) || p.Row != 7 {
		t.Errorf("got row %d, steps %+v", p.Row, p.Steps)
	}
	if p.Duration() != 21*time.Second {
		t.Errorf("duration %s, want 21s", p.Duration())
	}
}

func TestTheParticipantIsAskedFirst(t *testing.T) {
	s := clips(1)
	s.FaceVideo = AskFirst
	p := s.Plan(0)
	if want := (Step{Action: Consent, Scope: FaceVideoScope}); len(p.Steps) != 4 || p.Steps[0] != want {
		t.Fatalf("steps %+v", p.Steps)
	}
	for i, step := range p.Steps {
		if step.Index != i {
			t.Errorf("step %d has the number %d", i, step.Index)
		}
	}
	if p.Steps[2].Presentation != 1 || p.Duration() != 10*time.Second {
		t.Errorf("the question changed the trials: %+v", p.Steps)
	}
}

func TestStepsAroundTheBlock(t *testing.T) {
	s := clips(1)
	s.FaceVideo, s.Before, s.After = AskFirst, []Action{Calibrate, Breath}, []Action{Validate}
	want := []Step{
		{Index: 0, Action: Consent, Scope: FaceVideoScope},
		{Index: 1, Action: Calibrate}, {Index: 2, Action: Breath},
		{Index: 3, Action: Fixation, Duration: 5 * time.Second, Stimulus: "a", Presentation: 0},
		{Index: 4, Action: Play, Duration: time.Second, Stimulus: "a", Presentation: 1},
		{Index: 5, Action: Rest, Duration: 4 * time.Second, Stimulus: "a", Presentation: 0},
		{Index: 6, Action: Validate},
	}
	if p := s.Plan(0); !slices.Equal(p.Steps, want) || p.Duration() != 10*time.Second {
		t.Errorf("%v long: %+v", p.Duration(), p.Steps)
	}
}

// The orders of a published study must never change. These were drawn once and
// are a part of the file format.
func TestOrderIsFrozen(t *testing.T) {
	s := clips(5)
	for row, want := range []string{"[2 0 4 3 1]", "[1 2 0 3 4]", "[1 3 4 0 2]", "[2 3 0 4 1]"} {
		if got := fmt.Sprint(s.order(row)); got != want {
			t.Errorf("row %d: %s, want %s", row, got, want)
		}
	}
}

func TestOrderIsAPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := clips(rapid.IntRange(1, 20).Draw(t, "stimuli"))
		s.Seed = rapid.Uint64().Draw(t, "seed")
		row := rapid.IntRange(0, 1e6).Draw(t, "row")
		got := s.order(row)
		if !slices.Equal(got, s.order(row)) {
			t.Fatal("the same row got two orders")
		}
		slices.Sort(got)
		for i, v := range got {
			if i != v {
				t.Fatalf("not a permutation: %v", got)
			}
		}
	})
}

// Rows are consecutive numbers, the worst seeds for a weak generator. Each of
// the 6 orders of 3 stimuli should come as often as the others.
func TestOrdersAreBalancedOverRows(t *testing.T) {
	const rows = 6000
	s := clips(3)
	count := map[string]int{}
	for row := range rows {
		count[fmt.Sprint(s.order(row))]++
	}
	chi2 := 0.0
	for _, n := range count {
		d := float64(n) - rows/6
		chi2 += d * d / (rows / 6)
	}
	// 5 degrees of freedom: 20.5 is exceeded once in a thousand.
	if len(count) != 6 || chi2 > 20.5 {
		t.Errorf("chi-squared %.1f over %v", chi2, count)
	}
}
