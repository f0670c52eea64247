package study

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// reshowing is a study from clips that may show each of them again.
func reshowing(n int) *Study {
	s := clips(n)
	s.Rules = Rules{Reshow: .5, NeedsFace: true}
	return s
}

// firstShowings is a plan without what may be shown again, as it was before there was that.
func firstShowings(p Plan) []Step {
	steps := []Step{}
	for _, step := range p.Steps {
		if step.Again || step.Action == Reshow {
			continue
		}
		step.Index = len(steps)
		steps = append(steps, step)
	}
	return steps
}

// Whatever the flow: who is shown nothing again goes the way that they would go in a study
// that shows nothing again, and each trial that is to be analysed can come once more, in
// its own block, under its own condition.
func TestRepeatsChangeNothingElse(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := reshowing(rapid.IntRange(1, 5).Draw(r, "clips"))
		s.Stimuli = append(s.Stimuli, Stimulus{ID: "f", Filler: true})
		s.Flow = nil
		for range rapid.IntRange(1, 3).Draw(r, "blocks") {
			b := &BlockPart{
				Name: rapid.SampledFrom([]string{"x", "y"}).Draw(r, "name"), Method: rapid.SampledFrom([]string{"", "random", "latin", "williams"}).Draw(r, "method"),
				Repeats: rapid.IntRange(0, 2).Draw(r, "repeats"), Trial: defaultTrial(),
			}
			if rapid.Bool().Draw(r, "filled") {
				b.Filler, b.Every = "f", 1
			}
			if rapid.Bool().Draw(r, "rated") {
				b.Trial = append(b.Trial, TrialPart{Action: Fill, Sheets: []string{"rate.a", "rate.b"}})
			}
			part := Part{Block: b}
			if rapid.Bool().Draw(r, "branch") {
				part = Part{Branch: &Branch{If: "hand == 'left'", Then: []Part{part}, Else: []Part{{Action: Validate}}}}
			}
			s.Flow = append(s.Flow, part)
		}
		without := *s
		without.Rules.Reshow = 0
		row := rapid.IntRange(0, 20).Draw(r, "row")
		p, plain := s.Plan(row), without.Plan(row)
		if diff := cmp.Diff(plain.Steps, firstShowings(p)); diff != "" {
			r.Fatalf("the first showings are others than without repeats:\n%s", diff)
		}
		if p.Duration() != plain.Duration() {
			r.Errorf("it lasts %v, and %v without repeats", p.Duration(), plain.Duration())
		}

		answers := Answers{"hand": rapid.SampledFrom([]string{"left", "right"}).Draw(r, "hand")}
		passed := s.Skip(p, answers)
		firsts, numbers := map[int]Step{}, map[int]bool{}
		for i, step := range p.Steps {
			if step.Again && !slices.Contains(passed, i) {
				r.Fatalf("step %d is shown again, and nobody has asked for it", i)
			}
			if step.Action != Play {
				continue
			}
			if numbers[step.Presentation] {
				r.Fatalf("two presentations have the number %d", step.Presentation)
			}
			numbers[step.Presentation] = true
			if !step.Again {
				firsts[step.Presentation] = step
				continue
			}
			first, shown := firsts[step.Repeats]
			if !shown || first.Filler || first.Stimulus != step.Stimulus || first.Block != step.Block || first.If != step.If {
				r.Fatalf("%+v repeats %+v", step, first)
			}
			if p.Repeat(step.Repeats) != step.Presentation {
				r.Errorf("presentation %d is shown again as %d, want %d", step.Repeats, p.Repeat(step.Repeats), step.Presentation)
			}
			delete(firsts, step.Repeats)
		}
		for _, first := range firsts {
			if !first.Filler {
				r.Errorf("%+v cannot be shown again", first)
			}
		}
	})
}

// What is asked for comes as a whole trial, and nothing else does.
func TestOnlyWhatIsAskedForComesAgain(t *testing.T) {
	s := reshowing(3)
	block(s).Trial = append(defaultTrial(), TrialPart{Action: Fill, Sheets: []string{"rate.sam"}})
	p := s.Plan(4)
	before, after := s.Skip(p, nil), s.Skip(p, nil, 2)
	var comes []Step
	for _, i := range before {
		if !slices.Contains(after, i) {
			comes = append(comes, p.Steps[i])
		}
	}
	second, _ := p.Shows(2)
	if len(comes) != 4 || len(after) != len(before)-4 {
		t.Fatalf("%d steps come again: %+v", len(comes), comes)
	}
	for k, want := range []Action{Fixation, Play, Rest, Fill} {
		if step := comes[k]; step.Action != want || step.Stimulus != second.Stimulus || step.Repeats != 2 {
			t.Errorf("step %d of it is %+v, want %s of %s", k, step, want, second.Stimulus)
		}
	}
	if comes[1].Presentation != 5 || comes[3].Presentation != 5 {
		t.Errorf("it is presentation %d, rated as %d; the second of those after the first three is 5", comes[1].Presentation, comes[3].Presentation)
	}
	if nth, of := p.Place(comes[3].Index); nth != of || of != 13 {
		t.Errorf("step %d is the %dth of %d; three trials of four steps, and where it is settled, are 13", comes[3].Index, nth, of)
	}
	if p.Repeat(7) != 0 {
		t.Errorf("presentation 7, which there is not, is shown again as %d", p.Repeat(7))
	}
}

// A study that needs nothing measured has nothing that could be measured too little.
func TestNothingIsRepeatedWhereNothingIsNeeded(t *testing.T) {
	s := clips(3)
	for _, r := range []Rules{{}, {Reshow: .5}, {NeedsEDA: true}} {
		s.Rules = r
		if p := s.Plan(0); s.Reshows() || len(p.Steps) != 9 {
			t.Errorf("with %+v the plan has %d steps", r, len(p.Steps))
		}
	}
}
