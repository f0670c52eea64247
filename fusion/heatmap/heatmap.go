// Package heatmap shows where on a stimulus people looked: duration of fixations
// under a Gaussian as wide as it is uncertain what was seen.
package heatmap

import (
	"errors"
	"fmt"
	"math"

	"emolab/fusion/eyemovement"
)

const (
	// FoveaDeg is the standard deviation of the Gaussian for a tracker without
	// error: about what is seen sharply around the point of gaze.
	FoveaDeg = 1.0
	// reach is where the Gaussian is cut off, in standard deviations.
	reach = 3
	// DefaultColumns is the width of a map in cells.
	DefaultColumns = 160
	maxCells       = 1 << 22
)

// SigmaDeg returns the standard deviation of the Gaussian for a tracker whose
// validation gave a mean error of that many degrees: what is seen sharply and
// what the tracker does not know add as variances do. An error that is not known
// (NaN, or not above 0) counts as none.
func SigmaDeg(validationDeg float64) float64 {
	if !(validationDeg > 0) || math.IsInf(validationDeg, 1) {
		return FoveaDeg
	}
	return math.Hypot(FoveaDeg, validationDeg)
}

// Options of a map. Zero fields: DefaultColumns, rows so that cells are square
// on the screen, FoveaDeg, the whole screen.
type Options struct {
	Columns, Rows int
	SigmaDeg      float64
	Frame         eyemovement.Frame // where the stimulus was on the screen: the map covers it
}

// Map is a grid over the stimulus. Values are row by row from the upper left
// corner. Those of one person are seconds of fixation; those of a group are
// shares, and add up to 1.
type Map struct {
	Columns, Rows int
	SigmaDeg      float64
	People        int
	Values        []float64
}

// At returns the value of a cell.
func (m Map) At(column, row int) float64 { return m.Values[row*m.Columns+column] }

// Max returns the largest value; 0 of an empty map.
func (m Map) Max() float64 {
	var top float64
	for _, v := range m.Values {
		top = max(top, v)
	}
	return top
}

// Sum returns the sum of all values.
func (m Map) Sum() float64 {
	var s float64
	for _, v := range m.Values {
		s += v
	}
	return s
}

// Person makes the map of one person: the sum over all fixations of their
// duration in seconds times a Gaussian of height 1, in true visual angle from
// the fixation's centre, cut off at 3 sigma. Pursuits count like fixations: cut
// them first (eyemovement.Cut), for each has one place here. Other events are
// left out.
func Person(events []eyemovement.Event, s eyemovement.Screen, o Options) (Map, error) {
	if !s.Valid() {
		return Map{}, errors.New("heatmap: the screen's size and distance are needed: degrees are made of them")
	}
	frame := o.Frame
	if frame == (eyemovement.Frame{}) {
		frame = eyemovement.Frame{Width: 1, Height: 1}
	}
	if !(frame.Width > 0) || !(frame.Height > 0) {
		return Map{}, fmt.Errorf("heatmap: the stimulus is %g by %g of the screen: both must be above 0", frame.Width, frame.Height)
	}
	m := Map{Columns: o.Columns, Rows: o.Rows, SigmaDeg: o.SigmaDeg, People: 1}
	if m.SigmaDeg == 0 {
		m.SigmaDeg = FoveaDeg
	}
	if m.Columns == 0 {
		m.Columns = DefaultColumns
	}
	if m.Rows == 0 {
		m.Rows = max(1, int(math.Round(float64(m.Columns)*frame.Height*s.HeightMM/(frame.Width*s.WidthMM))))
	}
	if m.Columns < 1 || m.Rows < 1 || m.Columns > maxCells/m.Rows {
		return Map{}, fmt.Errorf("heatmap: %d by %d cells: at least 1 and at most %d in all", m.Columns, m.Rows, maxCells)
	}
	if !(m.SigmaDeg > 0) || m.SigmaDeg > 90/reach {
		return Map{}, fmt.Errorf("heatmap: sigma is %g degrees: it must be above 0 and at most %d", m.SigmaDeg, 90/reach)
	}
	m.Values = make([]float64, m.Columns*m.Rows)
	for _, e := range events {
		if e.Class == eyemovement.Fixation || e.Class == eyemovement.Pursuit {
			m.add(e, s, frame)
		}
	}
	return m, nil
}

// add adds a fixation.
func (m *Map) add(e eyemovement.Event, s eyemovement.Screen, frame eyemovement.Frame) {
	if math.IsNaN(e.X) || math.IsNaN(e.Y) {
		return
	}
	lasted := e.Until.Sub(e.From).Seconds()
	right, down := s.Direction(e.X, e.Y)
	// Seen obliquely, an angle spans more of either direction than itself: by one
	// over the cosine of the other, and a little more at its far end.
	const margin = 1.1
	around := margin * reach * m.SigmaDeg / (math.Cos(right*math.Pi/180) * math.Cos(down*math.Pi/180))
	x0, y0 := s.At(max(right-around, -89), max(down-around, -89))
	x1, y1 := s.At(min(right+around, 89), min(down+around, 89))
	first := func(x, from, size float64, n int) int { return clamp((x-from)/size*float64(n), n) }
	for row := first(y0, frame.Y, frame.Height, m.Rows); row < min(m.Rows, first(y1, frame.Y, frame.Height, m.Rows)+1); row++ {
		y := frame.Y + frame.Height*(float64(row)+.5)/float64(m.Rows)
		for column := first(x0, frame.X, frame.Width, m.Columns); column < min(m.Columns, first(x1, frame.X, frame.Width, m.Columns)+1); column++ {
			x := frame.X + frame.Width*(float64(column)+.5)/float64(m.Columns)
			if d := s.Degrees(e.X, e.Y, x, y) / m.SigmaDeg; d <= reach {
				m.Values[row*m.Columns+column] += lasted * math.Exp(-d*d/2)
			}
		}
	}
}

// clamp is the cell of a place along one axis, 0 to n.
func clamp(x float64, n int) int {
	if !(x > 0) {
		return 0
	}
	return int(min(x, float64(n)))
}

// Group is the mean of the people's maps, each with the sum 1, so that nobody
// counts for more because he looked longer. People without anything on their map
// are left out; People says how many are in it. All maps have the same cells.
func Group(people []Map) (Map, error) {
	if len(people) == 0 {
		return Map{}, errors.New("heatmap: nobody's map was given")
	}
	m := Map{Columns: people[0].Columns, Rows: people[0].Rows, Values: make([]float64, len(people[0].Values))}
	for i, p := range people {
		if p.Columns != m.Columns || p.Rows != m.Rows || len(p.Values) != len(m.Values) {
			return Map{}, fmt.Errorf("heatmap: map %d has %d by %d cells, the first %d by %d: make all with the same options", i, p.Columns, p.Rows, m.Columns, m.Rows)
		}
		whole := p.Sum()
		if whole == 0 {
			continue
		}
		m.People++
		m.SigmaDeg += p.SigmaDeg
		for k, v := range p.Values {
			m.Values[k] += v / whole
		}
	}
	if m.People == 0 {
		return m, nil
	}
	m.SigmaDeg /= float64(m.People)
	for k := range m.Values {
		m.Values[k] /= float64(m.People)
	}
	return m, nil
}

// Correlation is Pearson's correlation of two maps of the same cells: 1 where
// people look at the same places; NaN where one of them is flat.
func Correlation(a, b Map) float64 {
	if a.Columns != b.Columns || len(a.Values) != len(b.Values) || len(a.Values) == 0 {
		return math.NaN()
	}
	n := float64(len(a.Values))
	ma, mb := a.Sum()/n, b.Sum()/n
	var ab, aa, bb float64
	for i := range a.Values {
		u, v := a.Values[i]-ma, b.Values[i]-mb
		ab, aa, bb = ab+u*v, aa+u*u, bb+v*v
	}
	if aa == 0 || bb == 0 {
		return math.NaN()
	}
	return ab / math.Sqrt(aa*bb)
}

// Congruency is the mean correlation of any two people's maps; NaN of fewer than
// two.
func Congruency(people []Map) float64 {
	var sum float64
	n := 0
	for i := range people {
		for k := range i {
			if c := Correlation(people[i], people[k]); !math.IsNaN(c) {
				sum += c
				n++
			}
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}
