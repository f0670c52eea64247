package portrait

import (
	"image"
	"math"
)

// The canvas is the head from the front, drawn once for each state of the face
// and then laid into the picture.
const (
	resolution = 200 // pixels per head height; 160 already suffices for the nets

	canvasLeft, canvasTop     = -.62, -.66 // head heights
	canvasWidth, canvasHeight = 248, 292   // pixels: to x = .62 and y = .80
)

func canvasBox() image.Rectangle { return image.Rect(0, 0, canvasWidth, canvasHeight) }

// column and row give the place of a point in pixels; xAt and yAt the middle of
// a pixel in head heights.
func column(x float64) float64 { return (x - canvasLeft) * resolution }
func row(y float64) float64    { return (y - canvasTop) * resolution }
func xAt(column int) float64   { return (float64(column)+.5)/resolution + canvasLeft }
func yAt(row int) float64      { return (float64(row)+.5)/resolution + canvasTop }

// colour is red, green, blue, each 0..255.
type colour [3]float32

func (c colour) times(k float32) colour { return colour{c[0] * k, c[1] * k, c[2] * k} }

// canvas is an opaque drawing of canvasWidth x canvasHeight, row by row.
type canvas []colour

func newCanvas() canvas { return make(canvas, canvasWidth*canvasHeight) }

func (c canvas) at(column, row int) colour { return c[row*canvasWidth+column] }

// paint mixes a colour into the drawing where the mask covers it, at strength k.
func (c canvas) paint(m mask, k float32, with colour) {
	w := m.box.Dx()
	for y := m.box.Min.Y; y < m.box.Max.Y; y++ {
		line := c[y*canvasWidth+m.box.Min.X:][:w]
		cover := m.cover[m.index(m.box.Min.X, y):]
		for i := range line {
			a := k * cover[i]
			p := &line[i]
			p[0] += (with[0] - p[0]) * a
			p[1] += (with[1] - p[1]) * a
			p[2] += (with[2] - p[2]) * a
		}
	}
}

// paintWith is paint with a colour for each point.
func (c canvas) paintWith(m mask, k float32, with func(x, y float64) colour) {
	for y := m.box.Min.Y; y < m.box.Max.Y; y++ {
		for x := m.box.Min.X; x < m.box.Max.X; x++ {
			a := k * m.cover[m.index(x, y)]
			if a == 0 {
				continue
			}
			p, q := &c[y*canvasWidth+x], with(xAt(x), yAt(y))
			for i := range p {
				p[i] += (q[i] - p[i]) * a
			}
		}
	}
}

// lighten adds the same number of grey levels to all three colours.
func (c canvas) lighten(m mask, levels float32) {
	for y := m.box.Min.Y; y < m.box.Max.Y; y++ {
		for x := m.box.Min.X; x < m.box.Max.X; x++ {
			p := &c[y*canvasWidth+x]
			for i := range p {
				p[i] += levels * m.cover[m.index(x, y)]
			}
		}
	}
}

// shade is how much light falls on each canvas pixel: 1 leaves a colour as it is.
type shade []float32

// add brightens (k > 0) or darkens where the mask covers.
func (s shade) add(m mask, k float64) {
	w := m.box.Dx()
	for y := m.box.Min.Y; y < m.box.Max.Y; y++ {
		line := s[y*canvasWidth+m.box.Min.X:][:w]
		cover := m.cover[m.index(m.box.Min.X, y):]
		for i := range line {
			line[i] += float32(k) * cover[i]
		}
	}
}

// The range of shade, and the steps in which skinTones tabulates it.
const (
	darkest, brightest = .2, 1.15
	tones              = 1024
)

// skinTones tabulates what a shade does to each colour. Skin in shadow turns
// red: green and blue fall faster than the light.
func skinTones() *[tones]colour {
	t := new([tones]colour)
	for i := range t {
		s := darkest + (brightest-darkest)*float64(i)/(tones-1)
		t[i] = colour{float32(s), float32(math.Pow(s, 1.1)), float32(math.Pow(s, 1.18))}
	}
	return t
}

// light multiplies the drawing by the shade.
func (c canvas) light(s shade, table *[tones]colour) {
	const steps = (tones - 1) / (brightest - darkest)
	for i := range c {
		t := &table[int((max(darkest, min(brightest, s[i]))-darkest)*steps)]
		p := &c[i]
		p[0] *= t[0]
		p[1] *= t[1]
		p[2] *= t[2]
	}
}

func clip(v, lo, hi float64) float64 { return max(lo, min(hi, v)) }
