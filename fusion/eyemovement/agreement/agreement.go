// Package agreement tells how far two who sorted the same samples of gaze
// agree: an algorithm and a human, or two humans.
//
// Two measures: Cohen's kappa of the samples, one class against the rest, which
// says how much better than chance they agree; and the F1 of events, which says
// how many events one of them has that the other has too, however their edges
// lie. Recordings are pooled before either is taken.
package agreement

import (
	"fmt"
	"math"
	"slices"

	"emolab/fusion/eyemovement"
)

// Group is one or more classes taken as one.
type Group struct {
	Name    string
	Classes []eyemovement.Class
}

// Groups returns the groups that are reported. Fixation with pursuit is the
// fair one where an algorithm does not know pursuit, or nothing moved.
func Groups() []Group {
	return []Group{
		{"fixation", []eyemovement.Class{eyemovement.Fixation}},
		{"saccade", []eyemovement.Class{eyemovement.Saccade}},
		{"pso", []eyemovement.Class{eyemovement.PSO}},
		{"pursuit", []eyemovement.Class{eyemovement.Pursuit}},
		{"fixation+pursuit", []eyemovement.Class{eyemovement.Fixation, eyemovement.Pursuit}},
	}
}

// Human returns the class that a human's label stands for in the public sets of
// labelled recordings (Andersson et al. 2017): 1 fixation, 2 saccade, 3
// post-saccadic oscillation, 4 smooth pursuit, 5 blink, 6 and 0 undefined.
func Human(label int) (eyemovement.Class, error) {
	switch label {
	case 0, 6:
		return eyemovement.Undefined, nil
	case 1:
		return eyemovement.Fixation, nil
	case 2:
		return eyemovement.Saccade, nil
	case 3:
		return eyemovement.PSO, nil
	case 4:
		return eyemovement.Pursuit, nil
	case 5:
		return eyemovement.Blink, nil
	}
	return eyemovement.Undefined, fmt.Errorf("agreement: label %d: labels are 0 to 6 (1 fixation, 2 saccade, 3 PSO, 4 pursuit, 5 blink, 0 and 6 undefined)", label)
}

// Kappa is Cohen's kappa of two who each say, for every sample, whether it is
// of the classes in or of the rest. It is 1 for full agreement, 0 for that of
// chance, and NaN where chance agrees fully (neither of them tells the two
// apart) or the lengths differ.
func Kappa(a, b []eyemovement.Class, in ...eyemovement.Class) float64 {
	var c counts
	if !c.add(a, b) {
		return math.NaN()
	}
	return c.kappa(in)
}

// classes is how many classes there are.
const classes = int(eyemovement.Blink) + 1

// counts is how often who said a where the other said b.
type counts [classes][classes]int

// add counts pairs of labels; false when the lengths differ. A class that is
// none is undefined.
func (c *counts) add(a, b []eyemovement.Class) bool {
	if len(a) != len(b) {
		return false
	}
	known := func(x eyemovement.Class) int {
		if int(x) >= classes {
			return int(eyemovement.Undefined)
		}
		return int(x)
	}
	for i := range a {
		c[known(a[i])][known(b[i])]++
	}
	return true
}

func (c *counts) kappa(in []eyemovement.Class) float64 {
	var n, agree, isA, isB float64
	for a := range c {
		inA := slices.Contains(in, eyemovement.Class(a))
		for b, k := range c[a] {
			k := float64(k)
			inB := slices.Contains(in, eyemovement.Class(b))
			n += k
			if inA == inB {
				agree += k
			}
			if inA {
				isA += k
			}
			if inB {
				isB += k
			}
		}
	}
	chance := (isA*isB + (n-isA)*(n-isB)) / (n * n)
	if n == 0 || chance >= 1 {
		return math.NaN()
	}
	return (agree/n - chance) / (1 - chance)
}

// Events is how many events of a kind each of two has, and how many both have.
type Events struct{ Ours, Theirs, Both int }

// F1 is the harmonic mean of precision and recall: the share of the events of
// both that are events of both; NaN where neither has any.
func (e Events) F1() float64 {
	if e.Ours+e.Theirs == 0 {
		return math.NaN()
	}
	return 2 * float64(e.Both) / float64(e.Ours+e.Theirs)
}

// Match counts the events (uninterrupted stretches) of the classes in, and the
// most pairs that overlap by at least a sample, each event in one pair at most.
func Match(ours, theirs []eyemovement.Class, in ...eyemovement.Class) Events {
	a, b := stretches(ours, in), stretches(theirs, in)
	e := Events{Ours: len(a), Theirs: len(b)}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i][1] < b[j][0]:
			i++
		case b[j][1] < a[i][0]:
			j++
		default:
			e.Both++
			i++
			j++
		}
	}
	return e
}

// stretches returns first and last sample of each run of the classes in.
func stretches(labels []eyemovement.Class, in []eyemovement.Class) [][2]int {
	var out [][2]int
	for i := 0; i < len(labels); i++ {
		if !slices.Contains(in, labels[i]) {
			continue
		}
		first := i
		for i+1 < len(labels) && slices.Contains(in, labels[i+1]) {
			i++
		}
		out = append(out, [2]int{first, i})
	}
	return out
}

// Score is how far two agree over several recordings.
type Score struct {
	Stimulus      string // what was looked at: "img", "video", "dots"
	Ours, Theirs  string // who is compared with whom
	Recordings    int
	Samples       int
	pairs         counts
	eventsOfGroup map[string]Events
}

// NewScore returns a score of no recordings.
func NewScore(stimulus, ours, theirs string) *Score {
	return &Score{Stimulus: stimulus, Ours: ours, Theirs: theirs, eventsOfGroup: map[string]Events{}}
}

// Add pools one more recording. Both have one label per sample.
func (s *Score) Add(ours, theirs []eyemovement.Class) error {
	if !s.pairs.add(ours, theirs) {
		return fmt.Errorf("agreement: %s has %d labels, %s %d: both need one per sample", s.Ours, len(ours), s.Theirs, len(theirs))
	}
	for _, g := range Groups() {
		e, m := s.eventsOfGroup[g.Name], Match(ours, theirs, g.Classes...)
		s.eventsOfGroup[g.Name] = Events{e.Ours + m.Ours, e.Theirs + m.Theirs, e.Both + m.Both}
	}
	s.Recordings++
	s.Samples += len(ours)
	return nil
}

// Kappa returns the pooled kappa of classes taken as one, as the function Kappa
// does.
func (s *Score) Kappa(in ...eyemovement.Class) float64 { return s.pairs.kappa(in) }

// Events returns the pooled counts of the events of one of Groups.
func (s *Score) Events(group string) Events { return s.eventsOfGroup[group] }
