package aoi

import (
	"math"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// Exposure is one showing of a stimulus to one person.
type Exposure struct {
	From, Until instant.Instant   // when it was on the screen
	Start       time.Duration     // the stimulus' own time at From: above 0 when it was shown from the middle on
	Frame       eyemovement.Frame // where it was on the screen
}

// Metrics is how one person looked at one area during one exposure. A look is a
// fixation or a pursuit, which keeps the eyes on what moves.
type Metrics struct {
	Name      string
	Looks     int
	Fixations int // the looks that are fixations
	// Looked is the duration of all looks at the area, Fixated that of its
	// fixations. Dwell is that of all visits, each from the beginning of its first
	// look to the end of its last: saccades within the area count.
	Looked, Fixated, Dwell time.Duration
	// LookedShare is Looked as a share of the exposure.
	LookedShare float64
	Visits      int // uninterrupted series of looks at the area
	Revisits    int // visits after the first
	// ToFirst is the time from the exposure's beginning to that of the first look
	// at the area, First that look's duration, and Before how many looks there were
	// elsewhere before it. They are meaningless unless Seen.
	ToFirst, First time.Duration
	Before         int
	Seen           bool // there is a look at the area
	// ToFixation is the time to the first fixation on the area; meaningless without
	// Fixations.
	ToFixation time.Duration
}

// MeanVisit is the mean duration of a visit; 0 without any.
func (m Metrics) MeanVisit() time.Duration {
	if m.Visits == 0 {
		return 0
	}
	return m.Dwell / time.Duration(m.Visits)
}

// Report is how one person looked at a stimulus.
type Report struct {
	Areas     []Metrics // in the order of the set
	Looks     int       // all that began during the exposure
	Elsewhere int       // those at no area
	// Transitions counts from which area the next look went to which:
	// Transitions[i][j] from area i to area j; the last row and column are
	// elsewhere. On the diagonal is who stayed.
	Transitions [][]int
	// StationaryEntropy and TransitionEntropy, in bits, are high when looks are
	// spread evenly over the areas, and when it cannot be foreseen where the next
	// one goes (Krejtz et al. 2014). NaN without looks at areas, or without moves
	// from one area to another.
	StationaryEntropy, TransitionEntropy float64
}

// Measure measures the fixations and pursuits that began while the stimulus was
// shown; one that was going on when it came is left out, for it was no answer to
// it, and one that goes on when it leaves ends there. Each is on the area that
// holds its centre at the middle of its time; long pursuits are better cut
// first (eyemovement.Cut), and pieces that touch on one area are one again.
// Events of other classes are not looked at; all are in order.
func Measure(s Set, events []eyemovement.Event, e Exposure) Report {
	n := len(s.Areas)
	r := Report{Areas: make([]Metrics, n), Transitions: make([][]int, n+1)}
	for i := range r.Transitions {
		r.Transitions[i] = make([]int, n+1)
	}
	for i, a := range s.Areas {
		r.Areas[i].Name = a.Name
	}
	previous := visit{on: None}
	var before eyemovement.Event // the look before
	for _, f := range events {
		looked := f.Class == eyemovement.Fixation || f.Class == eyemovement.Pursuit
		if !looked || f.From < e.From || f.From >= e.Until || math.IsNaN(f.X) || math.IsNaN(f.Y) {
			continue
		}
		until := min(f.Until, e.Until)
		x, y := e.Frame.Inside(f.X, f.Y)
		on := s.At(x, y, e.Start+f.From.Sub(e.From)+until.Sub(f.From)/2)
		further := f.Class == eyemovement.Pursuit && before.Class == eyemovement.Pursuit && f.From == before.Until
		if before = f; further && on == previous.on {
			previous.until = until
			r.lengthen(on, until.Sub(f.From))
			continue
		}
		if r.Looks > 0 {
			r.Transitions[row(previous.on, n)][row(on, n)]++
		}
		if on != previous.on {
			r.leave(previous)
			previous = visit{on: on, from: f.From}
		}
		previous.until = until
		r.look(on, f.Class, f.From, until, e.From)
	}
	r.leave(previous)
	whole := e.Until.Sub(e.From)
	for i := range r.Areas {
		if m := &r.Areas[i]; whole > 0 {
			m.LookedShare = float64(m.Looked) / float64(whole)
			m.Revisits = max(0, m.Visits-1)
		}
	}
	r.StationaryEntropy, r.TransitionEntropy = r.entropies()
	return r
}

// visit is a series of looks at an area, or at none.
type visit struct {
	on          int
	from, until instant.Instant
}

// row is an area's row in the table of transitions: the last for elsewhere.
func row(on, areas int) int {
	if on == None {
		return areas
	}
	return on
}

// look counts a fixation or a pursuit.
func (r *Report) look(on int, class eyemovement.Class, from, until, onset instant.Instant) {
	r.Looks++
	if on == None {
		r.Elsewhere++
		return
	}
	m := &r.Areas[on]
	if !m.Seen {
		m.Seen, m.ToFirst, m.First, m.Before = true, from.Sub(onset), until.Sub(from), r.Looks-1
	}
	m.Looks++
	m.Looked += until.Sub(from)
	if class == eyemovement.Fixation {
		if m.Fixations == 0 {
			m.ToFixation = from.Sub(onset)
		}
		m.Fixations++
		m.Fixated += until.Sub(from)
	}
}

// lengthen adds a further piece to the pursuit that was counted last.
func (r *Report) lengthen(on int, by time.Duration) {
	if on == None {
		return
	}
	m := &r.Areas[on]
	m.Looked += by
	if m.Looks == 1 {
		m.First += by
	}
}

// leave ends a visit.
func (r *Report) leave(v visit) {
	if v.on == None {
		return
	}
	r.Areas[v.on].Visits++
	r.Areas[v.on].Dwell += v.until.Sub(v.from)
}

// entropies returns -Σ p log2 p of the looks' shares on the areas, and
// -Σ w_i Σ p_ij log2 p_ij over moves from one area to another, w_i the share of
// moves that leave area i.
func (r *Report) entropies() (stationary, transition float64) {
	n := len(r.Areas)
	looks := make([]int, n)
	leaving := make([]int, n)
	moves := 0
	for i := range n {
		looks[i] = r.Areas[i].Looks
		for j := range n {
			if i != j {
				leaving[i] += r.Transitions[i][j]
			}
		}
		moves += leaving[i]
	}
	stationary, transition = entropy(looks), math.NaN()
	if moves > 0 {
		transition = 0
		for i := range n {
			if leaving[i] == 0 {
				continue
			}
			to := append([]int(nil), r.Transitions[i][:n]...)
			to[i] = 0
			transition += float64(leaving[i]) / float64(moves) * entropy(to)
		}
	}
	return stationary, transition
}

// entropy is -Σ p log2 p of the shares of the counts, in bits; NaN of none.
func entropy(counts []int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	if total == 0 {
		return math.NaN()
	}
	var h float64
	for _, c := range counts {
		if c > 0 {
			p := float64(c) / float64(total)
			h -= p * math.Log2(p)
		}
	}
	return h
}
