// Package figure draws recordings for people to look at: skin conductance with
// what was found in it, gaze on the screen and over time. The pictures are PNG
// or SVG.
//
// Everything is drawn as it is: lines break where samples are missing, and what
// is not to be trusted is shaded.
package figure

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Format of a picture.
type Format string

// Formats.
const (
	PNG Format = "png"
	SVG Format = "svg"
)

// FormatOf tells the format by a file's ending.
func FormatOf(name string) (Format, error) {
	switch f := Format(strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))); f {
	case PNG, SVG:
		return f, nil
	}
	return "", fmt.Errorf("%s: pictures are PNG or SVG: let the name end in .png or .svg", name)
}

// dpi of PNG: readable on a screen, sharp enough in a document.
const dpi = 144

// page is a canvas of one format.
type page struct {
	canvas vg.CanvasSizer
	write  func(io.Writer) error
}

func newPage(w, h vg.Length, f Format) (page, error) {
	switch f {
	case PNG:
		c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dpi))
		return page{c, func(out io.Writer) error { _, err := vgimg.PngCanvas{Canvas: c}.WriteTo(out); return err }}, nil
	case SVG:
		c := vgsvg.New(w, h)
		return page{c, func(out io.Writer) error { _, err := c.WriteTo(out); return err }}, nil
	}
	return page{}, fmt.Errorf("figure: no format %q", f)
}

// Colours that are told apart by people who are colour-blind too (Okabe and Ito
// 2008).
var (
	black   = color.NRGBA{0x22, 0x22, 0x22, 0xff}
	grey    = color.NRGBA{0x99, 0x99, 0x99, 0xff}
	blue    = color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	orange  = color.NRGBA{0xe6, 0x9f, 0x00, 0xff}
	vermil  = color.NRGBA{0xd5, 0x5e, 0x00, 0xff}
	green   = color.NRGBA{0x00, 0x9e, 0x73, 0xff}
	purple  = color.NRGBA{0xcc, 0x79, 0xa7, 0xff}
	faint   = color.NRGBA{0xe4, 0xe4, 0xe4, 0xff}
	shadeOf = color.NRGBA{0xd5, 0x5e, 0x00, 0x30}
)

// panel is a plot in the house's style.
func panel(title, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.Y.Label.Text = title, y
	for style, size := range map[*draw.TextStyle]vg.Length{
		&p.Title.TextStyle: vg.Points(11), &p.X.Label.TextStyle: vg.Points(9), &p.Y.Label.TextStyle: vg.Points(9),
		&p.X.Tick.Label: vg.Points(8), &p.Y.Tick.Label: vg.Points(8), &p.Legend.TextStyle: vg.Points(8),
	} {
		style.Font.Size, style.Font.Variant = size, "Sans"
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks{n: 12}, ticks{n: 5}
	p.Title.Padding = vg.Points(4)
	p.Legend.Top, p.Legend.Left, p.Legend.ThumbnailWidth, p.Legend.Padding = true, true, vg.Points(14), vg.Points(2)
	p.Add(grid())
	return p
}

// margin around the whole picture.
const margin = vg.Length(10)

// inner is the page without its margin.
func (p page) inner() draw.Canvas {
	return draw.Crop(draw.New(p.canvas), margin, -margin, margin, -margin)
}

// Span is a stretch of time in s.
type Span struct{ From, Until float64 }

// shade marks stretches over the whole height of a panel. Its axes must be set.
type shade struct {
	spans []Span
	color color.Color
}

// Plot draws them. It is called by plot.Plot.Draw.
func (s shade) Plot(c draw.Canvas, p *plot.Plot) {
	tx, _ := p.Transforms(&c)
	for _, span := range s.spans {
		from, until := max(tx(span.From), c.Min.X), min(tx(span.Until), c.Max.X)
		if until < c.Min.X || from > c.Max.X {
			continue
		}
		until = max(until, from+vg.Points(0.5)) // a single sample is seen too
		c.FillPolygon(s.color, []vg.Point{{X: from, Y: c.Min.Y}, {X: until, Y: c.Min.Y}, {X: until, Y: c.Max.Y}, {X: from, Y: c.Max.Y}})
	}
}

// upright draws a dashed line at each of some times.
type upright struct {
	at    []float64
	color color.Color
}

// Plot draws them. It is called by plot.Plot.Draw.
func (u upright) Plot(c draw.Canvas, p *plot.Plot) {
	tx, _ := p.Transforms(&c)
	style := draw.LineStyle{Color: u.color, Width: vg.Points(0.7), Dashes: []vg.Length{vg.Points(3), vg.Points(2)}}
	for _, at := range u.at {
		if x := tx(at); x >= c.Min.X && x <= c.Max.X {
			c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
		}
	}
}

// columns is how many columns of a picture a line has at most: more cannot be
// seen, and an SVG of every sample of an hour could not be opened.
const columns = 2000

// lines cuts a signal where it is missing, and reduces each piece to the least
// and greatest value of each column, so that nothing that stands out is lost.
func lines(at, v []float64, c color.Color, width vg.Length) []*plotter.Line {
	if len(at) == 0 {
		return nil
	}
	column := (at[len(at)-1] - at[0]) / columns
	gap := 5 * meanStep(at)
	var out []*plotter.Line
	var run plotter.XYs
	end := func() {
		if len(run) > 0 {
			l := &plotter.Line{XYs: run, LineStyle: draw.LineStyle{Color: c, Width: width}}
			out = append(out, l)
			run = nil
		}
	}
	for i := 0; i < len(at); {
		if math.IsNaN(v[i]) || math.IsInf(v[i], 0) {
			end()
			i++
			continue
		}
		if i > 0 && at[i]-at[i-1] > max(gap, column) {
			end()
		}
		low, high, first := i, i, i
		for ; i < len(at) && at[i]-at[first] < column && !math.IsNaN(v[i]) && !math.IsInf(v[i], 0); i++ {
			if v[i] < v[low] {
				low = i
			}
			if v[i] > v[high] {
				high = i
			}
		}
		i = max(i, first+1)
		a, b := min(low, high), max(low, high)
		run = append(run, plotter.XY{X: at[a], Y: v[a]})
		if a != b {
			run = append(run, plotter.XY{X: at[b], Y: v[b]})
		}
	}
	end()
	return out
}

// meanStep between times: the usual one or, where there are gaps, a little more.
func meanStep(at []float64) float64 {
	if len(at) < 2 {
		return 0
	}
	return (at[len(at)-1] - at[0]) / float64(len(at)-1)
}

// add puts a signal into a panel, and its name into the legend.
func add(p *plot.Plot, name string, at, v []float64, c color.Color, width vg.Length) {
	all := lines(at, v, c, width)
	for _, l := range all {
		p.Add(l)
	}
	if len(all) > 0 && name != "" {
		p.Legend.Add(name, all[0])
	}
}

// legendWidth is what stands beside the panels, so that no legend hides a line.
const legendWidth = vg.Length(95)

// stack draws panels below each other with their axes aligned and their legends
// beside them. shares are their parts of the height.
func stack(c draw.Canvas, panels []*plot.Plot, shares []float64) {
	beside := c
	beside.Min.X = c.Max.X - legendWidth
	c.Max.X = beside.Min.X - margin
	total := 0.0
	for _, s := range shares {
		total += s
	}
	rows := make([]draw.Canvas, len(panels))
	top := c.Max.Y
	height := c.Max.Y - c.Min.Y
	for i, s := range shares {
		bottom := top - height*vg.Length(s/total)
		rows[i] = draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: bottom}, Max: vg.Point{X: c.Max.X, Y: top}}}
		top = bottom
		beside.Min.Y, beside.Max.Y = rows[i].Min.Y, rows[i].Max.Y
		legend := panels[i].Legend
		panels[i].Legend = plot.NewLegend()
		legend.Draw(beside)
	}
	// The widest labels decide where all y axes stand.
	left, right := vg.Length(0), vg.Length(math.Inf(1))
	data := make([]draw.Canvas, len(panels))
	for i, p := range panels {
		data[i] = p.DataCanvas(rows[i])
		left = max(left, data[i].Min.X-rows[i].Min.X)
		right = min(right, data[i].Max.X)
	}
	for i, p := range panels {
		r := rows[i]
		r.Min.X += left - (data[i].Min.X - r.Min.X)
		r.Max.X -= data[i].Max.X - right
		p.Draw(r)
	}
}
