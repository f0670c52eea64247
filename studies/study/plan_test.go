package study

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/studies/study/order"
)

// clips is a study without any pages, of n clips of 1, 2, ... seconds.
func clips(n int) *Study {
	s := &Study{Seed: 20261122, Flow: []Part{{Block: &BlockPart{Name: mainBlock, Method: order.Random, Trial: defaultTrial()}}}}
	for i := range n {
		s.Stimuli = append(s.Stimuli, Stimulus{ID: string(rune('a' + i)), Duration: time.Duration(i+1) * time.Second})
	}
	return s
}

// block is the first block of a study from clips.
func block(s *Study) *BlockPart { return s.Flow[0].Block }

// shown are the stimuli of a plan in the order in which they are played.
func shown(p Plan) string {
	ids := ""
	for _, step := range p.Steps {
		if step.Action == Play {
			ids += step.Stimulus
		}
	}
	return ids
}

func TestPlanSteps(t *testing.T) {
	s := clips(2)
	block(s).Method = order.Fixed
	want := []Step{
		{Index: 0, Action: Fixation, Duration: 5 * time.Second, Stimulus: "a", Block: "main"},
		{Index: 1, Action: Play, Duration: 1 * time.Second, Stimulus: "a", Block: "main", Presentation: 1},
		{Index: 2, Action: Rest, Duration: 4 * time.Second, Stimulus: "a", Block: "main"},
		{Index: 3, Action: Fixation, Duration: 5 * time.Second, Stimulus: "b", Block: "main"},
		{Index: 4, Action: Play, Duration: 2 * time.Second, Stimulus: "b", Block: "main", Presentation: 2},
		{Index: 5, Action: Rest, Duration: 4 * time.Second, Stimulus: "b", Block: "main"},
	}
	p := s.Plan(7)
	if diff := cmp.Diff(want, p.Steps); diff != "" || p.Row != 7 {
		t.Errorf("row %d, steps -want +got:\n%s", p.Row, diff)
	}
	if p.Duration() != 21*time.Second {
		t.Errorf("duration %s, want 21s", p.Duration())
	}
	if p.Recorded() != -1 {
		t.Errorf("a plan without a Begin step is recorded from step %d", p.Recorded())
	}
}

func TestRatingsBelongToTheirPresentation(t *testing.T) {
	s := clips(2)
	*block(s) = BlockPart{Name: "x", Trial: []TrialPart{{Action: Play, Skippable: true}, {Action: Fill, Sheets: []string{"rate.sam", "rate.like"}}}}
	want := []Step{
		{Index: 0, Action: Play, Duration: time.Second, Stimulus: "a", Block: "x", Presentation: 1, Skippable: true},
		{Index: 1, Action: Fill, Stimulus: "a", Block: "x", Presentation: 1, Sheet: "rate.sam"},
		{Index: 2, Action: Fill, Stimulus: "a", Block: "x", Presentation: 1, Sheet: "rate.like"},
		{Index: 3, Action: Play, Duration: 2 * time.Second, Stimulus: "b", Block: "x", Presentation: 2, Skippable: true},
		{Index: 4, Action: Fill, Stimulus: "b", Block: "x", Presentation: 2, Sheet: "rate.sam"},
		{Index: 5, Action: Fill, Stimulus: "b", Block: "x", Presentation: 2, Sheet: "rate.like"},
	}
	if diff := cmp.Diff(want, s.Plan(0).Steps); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFillersStandBetween(t *testing.T) {
	for _, c := range []struct {
		every, repeats int
		want           string
	}{
		{1, 1, "afbfcfd"},
		{2, 1, "abfcd"}, // not after the last
		{3, 1, "abcfd"},
		{4, 1, "abcd"},
		{3, 2, "abcfdabfcd"}, // counted over the repeats
	} {
		s := clips(4)
		s.Stimuli = append(s.Stimuli, Stimulus{ID: "f", Duration: time.Second, Filler: true})
		*block(s) = BlockPart{Name: "x", Method: order.Fixed, Filler: "f", Every: c.every, Repeats: c.repeats, Trial: []TrialPart{{Action: Play}, {Action: Fill, Sheets: []string{"rate.sam"}}}}
		p := s.Plan(0)
		if got := shown(p); got != c.want {
			t.Errorf("every %d, %d times: %s, want %s", c.every, c.repeats, got, c.want)
		}
		presentation := 0
		for _, step := range p.Steps {
			if step.Action == Play {
				presentation++
				if step.Presentation != presentation || step.Filler != (step.Stimulus == "f") {
					t.Errorf("step %+v, want presentation %d", step, presentation)
				}
			}
			if step.Action == Fill && step.Stimulus == "f" {
				t.Errorf("a filler is to be rated: %+v", step)
			}
		}
	}
}

func TestBranchesAndSkip(t *testing.T) {
	one := func(name string) Part { return Part{Sheets: []string{name}} }
	s := &Study{Flow: []Part{
		one("first"),
		{Branch: &Branch{If: "owns == 'yes'",
			Then: []Part{one("owner"), {Branch: &Branch{If: "n > 2", Then: []Part{one("many")}, Else: []Part{one("few")}}}},
			Else: []Part{one("stranger")},
		}},
		one("last"),
	}}
	p := s.Plan(0)
	for i, want := range []string{"", "owns == 'yes'", "(owns == 'yes') and (n > 2)", "(owns == 'yes') and (not (n > 2))", "not (owns == 'yes')", ""} {
		if got := p.Steps[i].If; got != want {
			t.Errorf("step %d has the condition %q, want %q", i, got, want)
		}
	}
	for _, c := range []struct {
		answers Answers
		want    []int
	}{
		{nil, []int{1, 2, 3}}, // not answered: the other way
		{Answers{"owns": "no"}, []int{1, 2, 3}},
		{Answers{"owns": "no", "n": "5"}, []int{1, 2, 3}},
		{Answers{"owns": "yes"}, []int{2, 4}},
		{Answers{"owns": "yes", "n": "2"}, []int{2, 4}},
		{Answers{"owns": "yes", "n": "10"}, []int{3, 4}}, // as numbers, not as words
	} {
		if got := s.Skip(p, c.answers); !slices.Equal(got, c.want) {
			t.Errorf("%v passes over %v, want %v", c.answers, got, c.want)
		}
	}
}

// Of a branch, either way is taken and never both, whatever was answered.
func TestSkipTakesOneWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([]string{"a", "b", "c"})
		conditions := rapid.Custom(func(t *rapid.T) string {
			c := fmt.Sprintf("%s %s %d", names.Draw(t, "name"), rapid.SampledFrom([]string{"==", "!=", "<", ">="}).Draw(t, "op"), rapid.IntRange(0, 3).Draw(t, "value"))
			if rapid.Bool().Draw(t, "not") {
				c = "not " + c
			}
			return c
		})
		var way func(depth int) []Part
		leaves := 0
		way = func(depth int) []Part {
			if depth == 0 || rapid.Bool().Draw(t, "leaf") {
				leaves++
				return []Part{{Sheets: []string{fmt.Sprint(leaves)}}}
			}
			return []Part{{Branch: &Branch{If: conditions.Draw(t, "if"), Then: way(depth - 1), Else: way(depth - 1)}}}
		}
		s := &Study{Flow: way(4)}
		answers := Answers(rapid.MapOfN(names, rapid.StringMatching(`[0-3]`), 0, 3).Draw(t, "answers"))
		p := s.Plan(0)
		if left := len(p.Steps) - len(s.Skip(p, answers)); left != 1 {
			t.Fatalf("%d ways are left of %d; answers %v, steps %+v", left, len(p.Steps), answers, p.Steps)
		}
	})
}

func TestAsidesAreSkippedUnlessNamed(t *testing.T) {
	s := clips(1)
	s.Sheets = []Sheet{{ID: leaveID}, {ID: exitScreening}, {ID: "else"}}
	p := s.Plan(0)
	want := []Step{{Index: 3, Action: Fill, Sheet: leaveID, Aside: true}, {Index: 4, Action: Fill, Sheet: exitScreening, Aside: true}}
	if diff := cmp.Diff(want, p.Steps[3:]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := s.Skip(p, nil); !slices.Equal(got, []int{3, 4}) {
		t.Errorf("passes over %v, want the asides", got)
	}
	if got := p.Except(exitScreening); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("on the way to %s: %v", exitScreening, got)
	}
}

// The orders of a published study must never change. These were drawn once and
// are a part of the file format.
func TestOrderIsFrozen(t *testing.T) {
	s := clips(5)
	for row, want := range []string{"caedb", "bcade", "bdeac", "cdaeb"} {
		if got := shown(s.Plan(row)); got != want {
			t.Errorf("row %d: %s, want %s", row, got, want)
		}
	}
	// A second block, and a repeat, are shuffled on their own.
	s = clips(5)
	block(s).Repeats = 2
	s.Flow = append(s.Flow, Part{Block: &BlockPart{Name: "again", Method: order.Random, Trial: defaultTrial()}})
	if got, want := shown(s.Plan(0)), "caedb"+"cebda"+"ecbda"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOrderIsAPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "stimuli")
		s := clips(n)
		s.Seed = rapid.Uint64().Draw(t, "seed")
		block(s).Method = rapid.SampledFrom(order.Methods()).Draw(t, "method")
		row := rapid.IntRange(0, 1e6).Draw(t, "row")
		got := shown(s.Plan(row))
		if got != shown(s.Plan(row)) {
			t.Fatal("the same row got two orders")
		}
		sorted := []byte(got)
		slices.Sort(sorted)
		if string(sorted) != "abcdefghijklmnopqrst"[:n] {
			t.Fatalf("not a permutation: %s", got)
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
		count[shown(s.Plan(row))]++
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

func TestRows(t *testing.T) {
	square := func(method string, over ...string) Part {
		return Part{Block: &BlockPart{Method: method, Over: over}}
	}
	for _, c := range []struct {
		name string
		flow []Part
		want int
	}{
		{"random", []Part{square(order.Random)}, 0},
		{"Williams of 6", []Part{square(order.Williams)}, 6},
		{"Williams of 5", []Part{square(order.Williams, "a", "b", "c", "d", "e")}, 10},
		{"Latin of 4 and Williams of 6", []Part{square(order.Latin, "a", "b", "c", "d"), square(order.Williams)}, 12},
		{"a branch counts", []Part{{Branch: &Branch{Then: []Part{square(order.Latin, "a", "b", "c", "d")}, Else: []Part{square(order.Williams)}}}}, 12},
		{"in turn", []Part{{Block: &BlockPart{Method: order.Latin, InTurn: true}}}, 0},
		{"nothing in common", []Part{square(order.Latin, make([]string, 37)...), square(order.Latin, make([]string, 41)...)}, 41},
	} {
		s := clips(6)
		s.Flow = c.flow
		if got := s.Rows(); got != c.want {
			t.Errorf("%s: %d rows, want %d", c.name, got, c.want)
		}
	}
}

// A large study is 200 stimuli and 500 participants.
func large() *Study {
	s := clips(1)
	for i := range 200 {
		s.Stimuli = append(s.Stimuli, Stimulus{ID: fmt.Sprintf("clip%03d", i), Duration: time.Second})
	}
	*block(s) = BlockPart{Name: "main", Method: order.Williams, Filler: "a", Every: 5, Trial: append(defaultTrial(), TrialPart{Action: Fill, Sheets: []string{"rate.sam"}})}
	return s
}

func BenchmarkPlanLarge(b *testing.B) {
	s := large()
	for b.Loop() {
		for row := range 500 {
			s.Plan(row)
		}
	}
}

// The work of a plan grows with its length, not with its square.
func TestPlanGrowsWithItsLength(t *testing.T) {
	s := large()
	ids := s.over(*block(s))
	allocations := func(n int) float64 {
		block(s).Over = ids[:n]
		return testing.AllocsPerRun(10, func() { s.Plan(3) })
	}
	half, whole := allocations(100), allocations(200)
	if whole > 2*half {
		t.Errorf("%v allocations for 100 stimuli, %v for 200", half, whole)
	}
}
