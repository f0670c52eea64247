package gaze

import (
	"fmt"
	"math"
)

// Model is a form of the map from what the tracker says to the screen: how many
// terms of
//
//	1, u, v, u², v², uv, u³, u²v, uv², v³
//
// each coordinate is a polynomial of, where u and v are the tracker's
// coordinates less their mean.
type Model string

const (
	Offset    Model = "offset"      // moved, not scaled: 1 parameter per axis
	Affine    Model = "affine"      // moved, scaled, turned, sheared: 3
	Quadratic Model = "quadratic-5" // with u² and v²: the five-term form of EyeLink (Stampe 1993)
	Crossed   Model = "quadratic-6" // with uv too (Cerrolaza et al. 2012)
	Cubic     Model = "cubic-10"    // all terms up to the third order
)

// models from simple to rich.
func models() []Model { return []Model{Offset, Affine, Quadratic, Crossed, Cubic} }

// terms is how many terms the model has.
func (m Model) terms() int {
	switch m {
	case Offset, Affine:
		return 3 // Offset has them, but two are fixed
	case Quadratic:
		return 5
	case Crossed:
		return 6
	case Cubic:
		return 10
	}
	return 0
}

// Parameters is how many numbers per axis the model fits: as many targets it
// needs at least.
func (m Model) Parameters() int {
	if m == Offset {
		return 1
	}
	return m.terms()
}

// leastTargets is from how many different targets on the model is considered:
// with one left out the rest must still determine it, and the cubic was meant
// for 13.
func (m Model) leastTargets() int {
	if m == Cubic {
		return 13
	}
	return m.Parameters() + 1
}

// maxTerms is the number of terms of the richest model.
const maxTerms = 10

// powers are the values of all terms at u, v.
func powers(u, v float64) [maxTerms]float64 {
	return [maxTerms]float64{1, u, v, u * u, v * v, u * v, u * u * u, u * u * v, u * v * v, v * v * v}
}

// slopes are the derivatives of all terms by u and by v.
func slopes(u, v float64) (byU, byV [maxTerms]float64) {
	return [maxTerms]float64{0, 1, 0, 2 * u, 0, v, 3 * u * u, 2 * u * v, v * v, 0},
		[maxTerms]float64{0, 0, 1, 0, 2 * v, u, 0, u * u, 2 * u * v, 3 * v * v}
}

func dot(c []float64, p [maxTerms]float64) float64 {
	sum := 0.0
	for i, x := range c {
		sum += x * p[i]
	}
	return sum
}

// observation is a target and where the tracker said that it was looked at,
// with its weight.
type observation struct {
	target, raw Point
	weight      float64
}

// polynomial is a fitted map.
type polynomial struct {
	model  Model
	origin Point // what u and v are measured from
	x, y   []float64
	// domain is the part of the tracker's range that the targets covered
	low, high Point
}

// fitModel fits one model by least squares.
func fitModel(m Model, all []observation) (polynomial, bool) {
	p := polynomial{model: m, low: Point{math.Inf(1), math.Inf(1)}, high: Point{math.Inf(-1), math.Inf(-1)}}
	total := 0.0
	for _, o := range all {
		p.origin.X += o.weight * o.raw.X
		p.origin.Y += o.weight * o.raw.Y
		total += o.weight
		p.low = Point{min(p.low.X, o.raw.X), min(p.low.Y, o.raw.Y)}
		p.high = Point{max(p.high.X, o.raw.X), max(p.high.Y, o.raw.Y)}
	}
	if !(total > 0) {
		return p, false
	}
	p.origin.X /= total
	p.origin.Y /= total
	if m == Offset {
		var a, b float64
		for _, o := range all {
			a += o.weight * o.target.X / total
			b += o.weight * o.target.Y / total
		}
		p.x, p.y = []float64{a, 1, 0}, []float64{b, 0, 1}
		return p, true
	}
	solve := func(value func(observation) float64) ([]float64, bool) {
		rows := make([][]float64, len(all))
		want := make([]float64, len(all))
		for i, o := range all {
			w := math.Sqrt(o.weight)
			terms := powers(o.raw.X-p.origin.X, o.raw.Y-p.origin.Y)
			rows[i] = make([]float64, m.terms())
			for j := range rows[i] {
				rows[i][j] = w * terms[j]
			}
			want[i] = w * value(o)
		}
		return leastSquares(rows, want)
	}
	var okX, okY bool
	p.x, okX = solve(func(o observation) float64 { return o.target.X })
	p.y, okY = solve(func(o observation) float64 { return o.target.Y })
	return p, okX && okY
}

// apply maps a point. Outside the domain, widened by the share beyond, it goes
// on straight (by its slope at the rim): a polynomial does anything there.
func (p polynomial) apply(raw Point) Point {
	low, high := p.widened()
	in := Point{max(low.X, min(high.X, raw.X)), max(low.Y, min(high.Y, raw.Y))}
	u, v := in.X-p.origin.X, in.Y-p.origin.Y
	at := powers(u, v)
	out := Point{dot(p.x, at), dot(p.y, at)}
	if du, dv := raw.X-in.X, raw.Y-in.Y; du != 0 || dv != 0 {
		byU, byV := slopes(u, v)
		out.X += du*dot(p.x, byU) + dv*dot(p.x, byV)
		out.Y += du*dot(p.y, byU) + dv*dot(p.y, byV)
	}
	return out
}

// beyond is by how much of its width the domain is widened to each side: the
// targets lie a tenth of the screen inside the edges.
const beyond = .125

func (p polynomial) widened() (low, high Point) {
	dx, dy := beyond*(p.high.X-p.low.X), beyond*(p.high.Y-p.low.Y)
	return Point{p.low.X - dx, p.low.Y - dy}, Point{p.high.X + dx, p.high.Y + dy}
}

const (
	foldSteps = 16  // points per axis at which the map is looked at
	foldShare = .15 // of its usual area, to which an area may shrink anywhere
)

// folds tells whether the map turns back on itself within its widened domain,
// or nearly does: two places of the eye would be one on the screen.
func (p polynomial) folds() error {
	low, high := p.widened()
	areas := make([]float64, 0, (foldSteps+1)*(foldSteps+1))
	for i := 0; i <= foldSteps; i++ {
		for j := 0; j <= foldSteps; j++ {
			u := low.X + (high.X-low.X)*float64(i)/foldSteps - p.origin.X
			v := low.Y + (high.Y-low.Y)*float64(j)/foldSteps - p.origin.Y
			byU, byV := slopes(u, v)
			areas = append(areas, dot(p.x, byU)*dot(p.y, byV)-dot(p.x, byV)*dot(p.y, byU))
		}
	}
	usual := median(append([]float64(nil), areas...))
	for _, a := range areas {
		if !(a*usual > 0) || math.Abs(a) < foldShare*math.Abs(usual) {
			return fmt.Errorf("the %s map folds the screen", p.model)
		}
	}
	return nil
}
