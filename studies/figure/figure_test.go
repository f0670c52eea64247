package figure_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"testing"

	"emolab/studies/figure"
)

// wave is one minute of a signal with a gap.
func wave() (at, v []float64) {
	for i := range 6000 {
		t := float64(i) / 100
		at = append(at, t)
		if t > 20 && t < 25 {
			v = append(v, math.NaN())
		} else {
			v = append(v, 5+math.Sin(t))
		}
	}
	return at, v
}

func eda() figure.EDA {
	at, v := wave()
	return figure.EDA{
		Title: "P07", At: at, US: v, Tonic: v, Phasic: v, Driver: v, DriverUnit: "µS/s", Method: "cvx",
		Onsets: []float64{1, 30}, Peaks: []float64{2, 31},
		Invalid: []figure.Span{{From: 40, Until: 50}}, Events: []float64{10},
	}
}

func gaze() figure.Gaze {
	g := figure.Gaze{Title: "P07", Width: 1920, Height: 1080, Unit: "px", PupilUnit: "mm",
		Fixations: []figure.Fixation{{X: .25, Y: .25, Duration: .5}, {X: .75, Y: .75, Duration: 1}, {X: math.NaN(), Y: 2, Duration: 1}, {X: 3, Y: .5, Duration: 1}},
		Heat:      figure.Heat{Columns: 16, Rows: 9, Values: make([]float64, 144)},
		Areas:     []figure.Area{{Name: "face", X: []float64{.1, .4, .4, .1}, Y: []float64{.1, .1, .4, .4}}, {}},
	}
	g.Heat.Values[0] = 1 // the upper left corner
	for i := range 3000 {
		g.At = append(g.At, float64(i)/500)
		g.X = append(g.X, .5+.3*math.Sin(float64(i)/200))
		g.Y = append(g.Y, .5)
		g.Class = append(g.Class, []string{"fixation", "saccade", "pursuit"}[i/1000])
		g.Pupil = append(g.Pupil, 3)
	}
	g.X[100], g.Y[100] = math.NaN(), math.NaN()
	g.X[200] = 50
	return g
}

type picture interface {
	Write(io.Writer, figure.Format) error
}

func render(t *testing.T, p picture) *image.NRGBA {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, figure.PNG); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewNRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

// near counts pixels of about that colour, down to the share of the height.
func near(img *image.NRGBA, c color.NRGBA, share float64) int {
	n := 0
	d := func(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }
	pix := img.Pix[:int(share*float64(img.Rect.Dy()))*img.Stride]
	for ; len(pix) > 0; pix = pix[4:] {
		if d(pix[0], c.R) < 12 && d(pix[1], c.G) < 12 && d(pix[2], c.B) < 12 {
			n++
		}
	}
	return n
}

// TestEDAShowsWhatWasFound: each thing that is given is seen, and not when it is
// not given.
func TestEDAShowsWhatWasFound(t *testing.T) {
	e := eda()
	shaded := near(render(t, e), color.NRGBA{247, 225, 209, 255}, 1) // shade on white
	e.Invalid = nil
	if without := near(render(t, e), color.NRGBA{247, 225, 209, 255}, 1); shaded < 1000 || without > shaded/10 {
		t.Errorf("%d pixels of artefact with one, %d without", shaded, without)
	}
	purple := color.NRGBA{0xcc, 0x79, 0xa7, 0xff}
	with := near(render(t, e), purple, 1)
	e.Driver = nil
	if without := near(render(t, e), purple, 1); with < 100 || without > with/10 {
		t.Errorf("%d pixels of driver with one, %d without", with, without)
	}
}

// TestGazeIsTheRightWayUp: heat in the upper left corner of the screen is
// painted above and to the left of its middle.
func TestGazeIsTheRightWayUp(t *testing.T) {
	g := gaze()
	g.Areas, g.Fixations = nil, nil
	for name, p := range map[string]picture{"whole": g, "screen": screenOnly{g}} {
		heatIsUpperLeft(t, name, render(t, p))
	}
}

// screenOnly is the screen of a recording of gaze.
type screenOnly struct{ figure.Gaze }

func (s screenOnly) Write(w io.Writer, f figure.Format) error { return s.WriteScreen(w, f) }

func heatIsUpperLeft(t *testing.T, name string, img *image.NRGBA) {
	t.Helper()
	var sumX, sumY, n float64
	b := img.Bounds()
	for y := range b.Max.Y / 2 {
		for x := range b.Max.X {
			if p := img.NRGBAAt(x, y); p.R > 240 && p.G < 120 && p.B < 120 {
				sumX, sumY, n = sumX+float64(x), sumY+float64(y), n+1
			}
		}
	}
	if n == 0 {
		t.Fatalf("%s: no heat is painted", name)
	}
	if x, y := sumX/n/float64(b.Dx()), sumY/n/float64(b.Dy()); x > 0.35 || y > 0.25 {
		t.Errorf("%s: the heat of the upper left is painted at %.2f, %.2f of the picture", name, x, y)
	}
}

// TestPursuitIsDrawnOnTheScreen: its path is seen, in its own colour.
func TestPursuitIsDrawnOnTheScreen(t *testing.T) {
	green := color.NRGBA{0x00, 0x9e, 0x73, 0xff}
	g := gaze()
	g.Heat, g.Areas = figure.Heat{}, nil
	with := near(render(t, g), green, 0.5)
	for i := range g.Class {
		g.Class[i] = "fixation"
	}
	if without := near(render(t, g), green, 0.5); with < 100 || without > with/10 {
		t.Errorf("%d pixels of pursuit on the screen, %d where there is none", with, without)
	}
}

func TestSVGIsWellFormed(t *testing.T) {
	for name, p := range map[string]picture{"eda": eda(), "gaze": gaze()} {
		var b bytes.Buffer
		if err := p.Write(&b, figure.SVG); err != nil {
			t.Fatal(err)
		}
		size := b.Len()
		d := xml.NewDecoder(&b)
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if size > 1<<20 {
			t.Errorf("%s: %d bytes", name, size)
		}
	}
}

// TestLongRecordingsStaySmall: an hour at 25 Hz makes no picture of 90,000
// points, and the one sample that stands out is still seen.
func TestLongRecordingsStaySmall(t *testing.T) {
	var e figure.EDA
	for i := range 90000 {
		e.At, e.US = append(e.At, float64(i)/25), append(e.US, 5)
	}
	e.Tonic, e.Phasic = e.US, e.US
	var flat, spiked bytes.Buffer
	if err := e.Write(&flat, figure.SVG); err != nil {
		t.Fatal(err)
	}
	e.US[54321] = 9
	if err := e.Write(&spiked, figure.SVG); err != nil {
		t.Fatal(err)
	}
	if flat.Len() > 1<<20 || bytes.Equal(flat.Bytes(), spiked.Bytes()) {
		t.Errorf("%d bytes; one sample that stands out is seen: %v", flat.Len(), !bytes.Equal(flat.Bytes(), spiked.Bytes()))
	}
}

// TestHourOfGazeStaysSmall: 40,000 fixations make no picture of 40,000 circles.
func TestHourOfGazeStaysSmall(t *testing.T) {
	g := figure.Gaze{Width: 1920, Height: 1080, Unit: "px"}
	for i := range 200000 {
		g.At, g.Y = append(g.At, float64(i)/50), append(g.Y, .5)
		g.X = append(g.X, .1+.8*float64(i/5%97)/97)
		g.Class = append(g.Class, []string{"fixation", "saccade"}[min(1, i%5/4)])
		if i%5 == 0 {
			g.Fixations = append(g.Fixations, figure.Fixation{X: g.X[i], Y: .5, Duration: .08})
		}
	}
	var b bytes.Buffer
	if err := g.Write(&b, figure.SVG); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 1<<20 {
		t.Errorf("%d bytes", b.Len())
	}
}

func TestNothingToDraw(t *testing.T) {
	for name, p := range map[string]picture{
		"eda": figure.EDA{}, "gaze": figure.Gaze{Width: 4, Height: 3},
		"all missing": figure.EDA{At: []float64{0, 1}, US: []float64{math.NaN(), math.NaN()}, Tonic: []float64{math.NaN(), math.NaN()}, Phasic: []float64{math.NaN(), math.Inf(1)}},
	} {
		for _, f := range []figure.Format{figure.PNG, figure.SVG} {
			if err := p.Write(io.Discard, f); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]figure.Format{"a.png": figure.PNG, "b/c.SVG": figure.SVG} {
		if f, err := figure.FormatOf(name); f != want || err != nil {
			t.Errorf("%s: %q, %v", name, f, err)
		}
	}
	if _, err := figure.FormatOf("a.pdf"); err == nil {
		t.Error("a PDF was accepted")
	}
}
