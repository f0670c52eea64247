// Package luminance tells how light each frame of a video is: what the pupil
// answers to whatever the picture shows.
package luminance

import (
	"math"

	"emolab/capture/frame"
	"emolab/capture/strobe"
)

const (
	// The weights of red, green and blue in relative luminance (ITU-R BT.709).
	red, green, blue = .2126, .7152, .0722
	// enough is how many pixels of a picture are looked at: of those with more than
	// twice as many, every second, third and so on in both directions, so that half of
	// it are left at least (DECISIONS.md has the difference).
	enough = 1 << 16
)

// curve is the linear light, 0 to 1, of each value of a channel.
type curve [256]float64

// newCurve is sRGB's (IEC 61966-2-1), as screens show what browsers draw.
func newCurve() *curve {
	var c curve
	for i := range c {
		v := float64(i) / 255
		if v <= .04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+.055)/1.055, 2.4)
		}
	}
	return &c
}

// The colours that OpenCV decodes are as if coded by ITU-R BT.601's matrix; these
// make of its red and blue differences those of BT.709's.
const (
	redShare, greenShare, blueShare = .299, .587, .114 // in BT.601's luma

	redOfRed    = 1.5748 / 1.402
	blueOfBlue  = 1.8556 / 1.772
	greenOfRed  = -red * 1.5748 / green / 1.402
	greenOfBlue = -blue * 1.8556 / green / 1.772
)

// Meter measures pictures. It is for one goroutine at a time.
type Meter struct {
	curve *curve
	bt709 bool
	cells strobe.Cells
	count [len(strobe.Cells{})]int
}

// NewMeter makes a meter. bt709 says that the video's colours are coded by ITU-R
// BT.709's matrix, not BT.601's.
func NewMeter(bt709 bool) *Meter { return &Meter{curve: newCurve(), bt709: bt709} }

// Measure returns the mean relative luminance of a picture, 0 black to 1 white, and the
// mean colour of its parts, which is good until the next call. A picture or a part
// without pixels is black.
func (m *Meter) Measure(f frame.Frame) (mean float64, parts *strobe.Cells) {
	m.cells, m.count = strobe.Cells{}, [len(strobe.Cells{})]int{}
	step := 1
	for (f.Width/step)*(f.Height/step) > 2*enough {
		step++
	}
	for y := step / 2; y < f.Height; y += step {
		row := f.Pix[3*y*f.Width : 3*(y+1)*f.Width]
		first := y * strobe.Across / f.Height * strobe.Across
		for x := step / 2; x < f.Width; x += step {
			b, g, r := row[3*x], row[3*x+1], row[3*x+2]
			if m.bt709 {
				b, g, r = recoded(b, g, r)
			}
			i := first + x*strobe.Across/f.Width
			c := &m.cells[i]
			c.Blue += m.curve[b]
			c.Green += m.curve[g]
			c.Red += m.curve[r]
			m.count[i]++
		}
	}
	sum, n := 0., 0
	for i := range m.cells {
		c, k := &m.cells[i], float64(m.count[i])
		if k == 0 {
			continue
		}
		sum += blue*c.Blue + green*c.Green + red*c.Red
		n += m.count[i]
		c.Blue, c.Green, c.Red = c.Blue/k, c.Green/k, c.Red/k
	}
	if n == 0 {
		return 0, &m.cells
	}
	return min(sum/float64(n), 1), &m.cells // the weights add up to 1 but for a rounding
}

// recoded makes of a colour that was decoded by BT.601's matrix what BT.709's would
// have made of it.
func recoded(b, g, r byte) (byte, byte, byte) {
	luma := redShare*float64(r) + greenShare*float64(g) + blueShare*float64(b)
	cb, cr := float64(b)-luma, float64(r)-luma
	whole := func(v float64) byte { return byte(max(0, min(v+.5, 255))) }
	return whole(luma + blueOfBlue*cb), whole(luma + greenOfBlue*cb + greenOfRed*cr), whole(luma + redOfRed*cr)
}
