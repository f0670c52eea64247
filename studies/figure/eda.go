package figure

import (
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// EDA is a recording of skin conductance with what was found in it. All signals
// have one value per element of At; NaN breaks the line.
type EDA struct {
	Title             string
	At                []float64 // s
	US, Tonic, Phasic []float64 // µS
	Driver            []float64 // nil = none
	DriverUnit        string
	Method            string
	Onsets, Peaks     []float64 // of the responses, s
	Invalid           []Span    // artefacts
	Events            []float64 // s
}

const (
	edaWidth  = 10 * vg.Inch
	edaHeight = 6 * vg.Inch
)

// Write draws the picture.
func (e EDA) Write(w io.Writer, f Format) error {
	page, err := newPage(edaWidth, edaHeight, f)
	if err != nil {
		return err
	}
	level := panel(e.Title, "µS")
	e.prepare(level)
	add(level, "measured", e.At, e.US, grey, vg.Points(0.8))
	add(level, "tonic ("+e.Method+")", e.At, e.Tonic, blue, vg.Points(1.4))
	if len(e.Peaks) > 0 {
		marks := points(e.Peaks, e.at(e.Peaks, e.US), vermil, draw.TriangleGlyph{}, vg.Points(2.5))
		level.Add(marks)
		level.Legend.Add("peak of a response", marks)
	}
	fast := panel("", "µS")
	e.prepare(fast)
	add(fast, "phasic ("+e.Method+")", e.At, e.Phasic, green, vg.Points(1))
	if len(e.Onsets) > 0 {
		onsets := points(e.Onsets, e.at(e.Onsets, e.Phasic), black, draw.RingGlyph{}, vg.Points(2))
		fast.Add(onsets)
		fast.Legend.Add("onset", onsets)
	}
	panels, shares := []*plot.Plot{level, fast}, []float64{3, 2}
	if e.Driver != nil {
		nerve := panel("", e.DriverUnit)
		e.prepare(nerve)
		add(nerve, "driver ("+e.Method+")", e.At, e.Driver, purple, vg.Points(0.8))
		panels, shares = append(panels, nerve), append(shares, 1.4)
	}
	last := panels[len(panels)-1]
	last.X.Label.Text = "s"
	if len(e.Invalid) > 0 {
		level.Legend.Add("artefact", swatch{shadeOf})
	}
	stack(page.inner(), panels, shares)
	return page.write(w)
}

// prepare gives all panels the same time, and marks what stands behind the
// lines.
func (e EDA) prepare(p *plot.Plot) {
	if n := len(e.At); n > 0 {
		p.X.Min, p.X.Max = e.At[0], max(e.At[n-1], e.At[0]+1e-3)
	}
	p.Add(shade{e.Invalid, shadeOf}, upright{e.Events, black})
}

// at reads a signal at some times.
func (e EDA) at(times, v []float64) []float64 {
	out := make([]float64, len(times))
	i := 0
	for k, t := range times {
		for i+1 < len(e.At) && e.At[i+1] <= t {
			i++
		}
		out[k] = math.NaN()
		if i < len(v) {
			out[k] = v[i]
		}
	}
	return out
}

// points draws a mark at each place that is there.
func points(x, y []float64, c interface {
	RGBA() (r, g, b, a uint32)
}, shape draw.GlyphDrawer, size vg.Length) *plotter.Scatter {
	s := &plotter.Scatter{GlyphStyle: draw.GlyphStyle{Color: c, Shape: shape, Radius: size}}
	for i := range x {
		if !math.IsNaN(x[i]) && !math.IsNaN(y[i]) {
			s.XYs = append(s.XYs, plotter.XY{X: x[i], Y: y[i]})
		}
	}
	return s
}
