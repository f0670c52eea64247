package figure

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Gaze is a recording of gaze with what was found in it. At, X, Y and Class have
// one element a sample.
type Gaze struct {
	Title         string
	Width, Height float64   // of the screen in the unit of the axes, such as px
	Unit          string    // of Width and Height
	At            []float64 // s
	X, Y          []float64 // fractions of the screen from the upper left, NaN = missing
	Class         []string  // what the sample belongs to: fixation, saccade, pursuit, pso, blink, undefined
	Fixations     []Fixation
	Heat          Heat
	Areas         []Area
	Pupil         []float64 // nil = none
	PupilUnit     string
}

// Fixation is one stop of the eyes.
type Fixation struct {
	X, Y     float64 // fractions of the screen
	Duration float64 // s
}

// Heat is how long was looked where: Values row by row from the upper left, any
// unit. The zero value is none.
type Heat struct {
	Columns, Rows int
	Values        []float64
}

// Area is an area of interest: a closed outline in fractions of the screen.
type Area struct {
	Name string
	X, Y []float64
}

const (
	gazeWidth   = 10 * vg.Inch
	gazeHeight  = 9 * vg.Inch
	screenShare = 0.56 // of the height
	offScreen   = 0.5  // screens beyond the edge at which the time axis cuts off
	// Beyond so many events their colours cannot be told apart over time, and
	// beyond so many fixations their path is a ball of wool over the heat map.
	mostChanges   = 4000
	mostFixations = 2000
	longFixation  = 0.5 // s, drawn with largeRing
	largeRing     = 9   // points
)

// classes in the order of the legend, with their colours.
var classes = [...]struct {
	name  string
	color color.NRGBA
}{
	{"fixation", blue}, {"pursuit", green}, {"saccade", vermil}, {"pso", purple}, {"blink", orange}, {"undefined", grey},
}

// Write draws the picture.
func (g Gaze) Write(w io.Writer, f Format) error {
	page, err := newPage(gazeWidth, gazeHeight, f)
	if err != nil {
		return err
	}
	whole := page.inner()
	upper, lower := whole, whole
	split := whole.Max.Y - (whole.Max.Y-whole.Min.Y)*screenShare
	upper.Min.Y, lower.Max.Y = split, split
	g.screen().Draw(g.fitted(upper))

	panels := []*plot.Plot{g.course("x", g.X, g.Width, true), g.course("y", g.Y, g.Height, false)}
	shares := []float64{1, 1}
	if g.Pupil != nil {
		p := panel("", "pupil, "+g.PupilUnit)
		g.span(p)
		add(p, "", g.At, g.Pupil, black, vg.Points(0.9))
		panels, shares = append(panels, p), append(shares, 1)
	}
	panels[len(panels)-1].X.Label.Text = "s"
	stack(lower, panels, shares)
	return page.write(w)
}

// WriteScreen draws the screen alone: where was looked, by one person or by a
// group, without a course over time.
func (g Gaze) WriteScreen(w io.Writer, f Format) error {
	page, err := newPage(gazeWidth, gazeHeight*screenShare, f)
	if err != nil {
		return err
	}
	g.screen().Draw(g.fitted(page.inner()))
	return page.write(w)
}

// screen shows where was looked: heat map, areas, and the path of fixations.
func (g Gaze) screen() *plot.Plot {
	p := panel(g.Title, "")
	p.X.Label.Text = g.Unit
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, g.Width, 0, g.Height
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks{n: 8}, ticks{n: 6, down: g.Height}
	if img := g.Heat.picture(); img != nil {
		p.Add(plotter.NewImage(img, 0, 0, g.Width, g.Height))
	}
	for _, a := range g.Areas {
		outline := &plotter.Line{LineStyle: draw.LineStyle{Color: black, Width: vg.Points(1)}}
		for i := range a.X {
			outline.XYs = append(outline.XYs, g.place(a.X[i], a.Y[i]))
		}
		if len(outline.XYs) == 0 {
			continue
		}
		outline.XYs = append(outline.XYs, outline.XYs[0])
		p.Add(outline)
		p.Add(words{at: outline.XYs[0], text: a.Name})
	}
	p.Add(pursued{g})
	path := &plotter.Line{LineStyle: draw.LineStyle{Color: color.NRGBA{0, 0x72, 0xb2, 0x70}, Width: vg.Points(0.6)}}
	for _, f := range g.Fixations {
		if !math.IsNaN(f.X) && !math.IsNaN(f.Y) {
			path.XYs = append(path.XYs, g.place(f.X, f.Y))
		}
	}
	if len(path.XYs) > 0 && len(g.Fixations) <= mostFixations {
		p.Add(clipped{path}, rings{g})
	}
	// Adding widens the axes: the screen is the screen.
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, g.Width, 0, g.Height
	return p
}

// place turns fractions of the screen into the plot's axes, which run upward.
func (g Gaze) place(x, y float64) plotter.XY {
	return plotter.XY{X: x * g.Width, Y: (1 - y) * g.Height}
}

// fitted is the largest part of a canvas in which the screen has its own aspect.
func (g Gaze) fitted(c draw.Canvas) draw.Canvas {
	const frame = 60 // points for labels and title, near enough
	w, h := c.Max.X-c.Min.X-frame, c.Max.Y-c.Min.Y-frame
	aspect := vg.Length(g.Width / g.Height)
	switch {
	case w > h*aspect:
		spare := (w - h*aspect) / 2
		c.Min.X, c.Max.X = c.Min.X+spare, c.Max.X-spare
	default:
		c.Min.Y += h - w/aspect
	}
	return c
}

// course shows one coordinate over time, coloured by what the eyes do.
func (g Gaze) course(name string, v []float64, size float64, legend bool) *plot.Plot {
	p := panel("", name+", "+g.Unit)
	g.span(p)
	low, high := math.Inf(1), math.Inf(-1)
	shown := make([]float64, len(v))
	for i, x := range v {
		if x < -offScreen || x > 1+offScreen {
			x = math.NaN() // a spike beside a blink would flatten all the rest
		}
		shown[i] = x * size
		if !math.IsNaN(x) {
			low, high = min(low, shown[i]), max(high, shown[i])
		}
	}
	if g.changes() > mostChanges {
		add(p, "gaze", g.At, shown, black, vg.Points(0.6))
		if low < high {
			p.Y.Min, p.Y.Max = low, high
		}
		return p
	}
	for _, c := range classes {
		of := make([]float64, len(shown))
		found := false
		for i := range shown {
			of[i] = math.NaN()
			// A line to the sample after joins it to the next event.
			if g.Class[i] == c.name || i > 0 && g.Class[i-1] == c.name {
				of[i] = shown[i]
				found = true
			}
		}
		if !found {
			continue
		}
		title := ""
		if legend {
			title = c.name
		}
		add(p, title, g.At, of, c.color, vg.Points(1))
	}
	if low < high {
		p.Y.Min, p.Y.Max = low, high
	}
	return p
}

// changes counts how often one event follows another.
func (g Gaze) changes() int {
	n := 0
	for i := 1; i < len(g.Class); i++ {
		if g.Class[i] != g.Class[i-1] {
			n++
		}
	}
	return n
}

// span gives a panel the time of the recording.
func (g Gaze) span(p *plot.Plot) {
	if n := len(g.At); n > 0 {
		p.X.Min, p.X.Max = g.At[0], max(g.At[n-1], g.At[0]+1e-3)
	}
}

// picture paints the heat map, from clear over yellow to red.
func (h Heat) picture() image.Image {
	if h.Columns <= 0 || h.Rows <= 0 || len(h.Values) != h.Columns*h.Rows {
		return nil
	}
	top := 0.0
	for _, v := range h.Values {
		top = max(top, v)
	}
	if top == 0 {
		return nil
	}
	img := image.NewNRGBA(image.Rect(0, 0, h.Columns, h.Rows))
	for i, v := range h.Values {
		u := max(0, min(1, v/top))
		img.SetNRGBA(i%h.Columns, i/h.Columns, color.NRGBA{
			R: 0xff, G: uint8(220 * (1 - u)), B: 0, A: uint8(190 * math.Sqrt(u)),
		})
	}
	return img
}

// rings are drawn at the fixations: the longer, the larger.
type rings struct{ g Gaze }

// Plot draws them. It is called by plot.Plot.Draw.
func (r rings) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	const numbered = 40 // fixations that bear a number: more cannot be read
	for i, f := range r.g.Fixations {
		at := r.g.place(f.X, f.Y)
		x, y := tx(at.X), ty(at.Y)
		if math.IsNaN(f.X) || math.IsNaN(f.Y) || x < c.Min.X || x > c.Max.X || y < c.Min.Y || y > c.Max.Y {
			continue
		}
		radius := vg.Points(largeRing * math.Sqrt(min(f.Duration, 2)/longFixation))
		c.DrawGlyph(draw.GlyphStyle{Color: color.NRGBA{0, 0x72, 0xb2, 0x50}, Radius: radius, Shape: draw.CircleGlyph{}}, vg.Point{X: x, Y: y})
		if len(r.g.Fixations) <= numbered {
			style := p.X.Tick.Label
			style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
			c.FillText(style, vg.Point{X: x, Y: y}, fmt.Sprint(i+1))
		}
	}
}

// pursued draws where the eyes followed something.
type pursued struct{ g Gaze }

// Plot draws it. It is called by plot.Plot.Draw.
func (f pursued) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	style := draw.LineStyle{Color: green, Width: vg.Points(1.2)}
	var run []vg.Point
	end := func() {
		if len(run) > 1 {
			c.StrokeLines(style, c.ClipLinesXY(run)...)
		}
		run = nil
	}
	for i, class := range f.g.Class {
		x, y := f.g.X[i], f.g.Y[i]
		if class != "pursuit" || math.IsNaN(x) || math.IsNaN(y) {
			end()
			continue
		}
		at := f.g.place(x, y)
		point := vg.Point{X: tx(at.X), Y: ty(at.Y)}
		// Nearer than this nothing can be told apart.
		if n := len(run); n == 0 || math.Hypot(float64(point.X-run[n-1].X), float64(point.Y-run[n-1].Y)) > 0.5 {
			run = append(run, point)
		}
	}
	end()
}

// clipped keeps a line within the panel.
type clipped struct{ line *plotter.Line }

// Plot draws it. It is called by plot.Plot.Draw.
func (l clipped) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	at := make([]vg.Point, len(l.line.XYs))
	for i, xy := range l.line.XYs {
		at[i] = vg.Point{X: tx(xy.X), Y: ty(xy.Y)}
	}
	c.StrokeLines(l.line.LineStyle, c.ClipLinesXY(at)...)
}

// words is a text at a place.
type words struct {
	at   plotter.XY
	text string
}

// Plot draws it. It is called by plot.Plot.Draw.
func (w words) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	style := p.X.Tick.Label
	style.XAlign, style.YAlign = draw.XLeft, draw.YBottom
	c.FillText(style, vg.Point{X: tx(w.at.X), Y: ty(w.at.Y) + vg.Points(2)}, w.text)
}
