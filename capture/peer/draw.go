package peer

import (
	"image"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"emolab/capture/face"
	"emolab/fusion/landmark"
)

// Greys of what is drawn. They say nothing of good or bad, and are seen on light and
// on dark.
const (
	paper  = 0x55 // of a card
	ink    = 0xe6 // of words, boxes and points
	shadow = 0x22 // beside ink
)

const (
	// wordScale is how many pixels a dot of the letters takes: 26 pixels a line, which
	// are read where the picture is a third of a console.
	wordScale = 2
	wordEdge  = 12 // px from the picture's edge to a word
)

// canvas is a picture to draw on: BGR without padding.
type canvas struct {
	width, height int
	pix           []byte
}

func newCanvas(width, height int) *canvas {
	return &canvas{width, height, make([]byte, 3*width*height)}
}

func (c *canvas) clone() *canvas {
	return &canvas{c.width, c.height, append([]byte(nil), c.pix...)}
}

// fill paints a rectangle, as much of it as there is, in a grey.
func (c *canvas) fill(x0, y0, x1, y1 int, grey byte) {
	x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, c.width), min(y1, c.height)
	for y := y0; y < y1; y++ {
		for i := 3 * (y*c.width + x0); i < 3*(y*c.width+x1); i++ {
			c.pix[i] = grey
		}
	}
}

// outline draws the edge of a rectangle, light beside dark.
func (c *canvas) outline(r face.Rect) {
	x0, y0, x1, y1 := int(r.X), int(r.Y), int(r.X+r.W), int(r.Y+r.H)
	for i, grey := range [2]byte{shadow, ink} {
		const thick = 2
		d := thick * (1 - i) // the dark one lies around the light one
		c.fill(x0-d-thick, y0-d-thick, x1+d+thick, y0-d, grey)
		c.fill(x0-d-thick, y1+d, x1+d+thick, y1+d+thick, grey)
		c.fill(x0-d-thick, y0-d, x0-d, y1+d, grey)
		c.fill(x1+d, y0-d, x1+d+thick, y1+d, grey)
	}
}

// dots draws the landmarks.
func (c *canvas) dots(points landmark.Face) {
	for _, p := range points {
		x, y := int(p.X), int(p.Y)
		c.fill(x-1, y-1, x+2, y+2, shadow)
		c.fill(x, y, x+2, y+2, ink)
	}
}

// words writes a line, its left end at x and its middle at y.
func (c *canvas) words(x, y int, line string) {
	dots := letters(line)
	w, h := dots.Rect.Dx(), dots.Rect.Dy()
	y -= h * wordScale / 2
	for _, part := range []struct {
		off  int
		grey byte
	}{{1, shadow}, {0, ink}} {
		for dy := range h {
			for dx := range w {
				if dots.AlphaAt(dx, dy).A > 127 {
					px, py := x+dx*wordScale+part.off, y+dy*wordScale+part.off
					c.fill(px, py, px+wordScale, py+wordScale, part.grey)
				}
			}
		}
	}
}

// wordWidth is how many pixels wide a line is.
func wordWidth(line string) int {
	return wordScale * font.MeasureString(basicfont.Face7x13, line).Ceil()
}

// letters is a line in the dots of its letters.
func letters(line string) *image.Alpha {
	f := basicfont.Face7x13
	dots := image.NewAlpha(image.Rect(0, 0, font.MeasureString(f, line).Ceil(), f.Height))
	d := font.Drawer{Dst: dots, Src: image.Opaque, Face: f, Dot: fixed.P(0, f.Ascent)}
	d.DrawString(line)
	return dots
}

// card is a calm picture with words in its middle.
func card(width, height int, line string) *canvas {
	c := newCanvas(width, height)
	c.fill(0, 0, width, height, paper)
	c.words((width-wordWidth(line))/2, height/2, line)
	return c
}

// mosaic makes squares of side px of the whole picture, each of one colour: the mean of
// what was there.
func (c *canvas) mosaic(side int) {
	for y := 0; y < c.height; y += side {
		for x := 0; x < c.width; x += side {
			c.level(x, y, min(x+side, c.width), min(y+side, c.height))
		}
	}
}

// level gives a rectangle its mean colour.
func (c *canvas) level(x0, y0, x1, y1 int) {
	var sum [3]int
	for y := y0; y < y1; y++ {
		row := c.pix[3*(y*c.width+x0) : 3*(y*c.width+x1)]
		for i := 0; i < len(row); i += 3 {
			sum[0], sum[1], sum[2] = sum[0]+int(row[i]), sum[1]+int(row[i+1]), sum[2]+int(row[i+2])
		}
	}
	n := (x1 - x0) * (y1 - y0)
	for y := y0; y < y1; y++ {
		row := c.pix[3*(y*c.width+x0) : 3*(y*c.width+x1)]
		for i := 0; i < len(row); i += 3 {
			row[i], row[i+1], row[i+2] = byte(sum[0]/n), byte(sum[1]/n), byte(sum[2]/n)
		}
	}
}

// fitted is the size of a picture that is to fit into the largest, never larger than it
// is; sides are even, as the codec has colours.
func fitted(width, height int) (w, h int) {
	w, h = width, height
	if w > maxWidth {
		w, h = maxWidth, height*maxWidth/width
	}
	if h > maxHeight {
		w, h = width*maxHeight/height, maxHeight
	}
	return max(w&^1, 2), max(h&^1, 2)
}

// scaled is a picture of that size: each pixel is the mean of those it stands for.
func scaled(pix []byte, width, height, w, h int) *canvas {
	c := newCanvas(w, h)
	if w == width && h == height {
		copy(c.pix, pix)
		return c
	}
	for y := range h {
		y0 := y * height / h
		y1 := max((y+1)*height/h, y0+1)
		for x := range w {
			x0 := x * width / w
			x1 := max((x+1)*width/w, x0+1)
			var b, g, r int
			for sy := y0; sy < y1; sy++ {
				row := pix[3*(sy*width+x0) : 3*(sy*width+x1)]
				for i := 0; i < len(row); i += 3 {
					b, g, r = b+int(row[i]), g+int(row[i+1]), r+int(row[i+2])
				}
			}
			n := (x1 - x0) * (y1 - y0)
			at := 3 * (y*w + x)
			c.pix[at], c.pix[at+1], c.pix[at+2] = byte(b/n), byte(g/n), byte(r/n)
		}
	}
	return c
}
