package portrait

import (
	"math"
	"math/rand/v2"
)

// Sizes in the scene are those of a picture of 480 lines and grow with it.
const (
	referenceLines = 480.
	headPx         = 250. // crown to chin at Look.Scale 1
	eyesPx         = 228. // the line of the eyes from the top
	wallBlurPx     = 5.   // the wall is out of focus
	shoulderBlurPx = 2.   // edge of the garment and the lens together
)

// scene is all of the picture but the head: wall, garment, the sensor's noise.
type scene struct {
	width, height int
	unit          float64 // pixels per line of the reference picture
	wall          []byte  // BGR
	window        []byte  // BGR, the wall with a bright window; nil before it is needed
	behind        []byte  // BGR, the backdrop last asked for
	behindBack    int     // its light, in steps
	noise         []int8  // BGR, longer than the picture by spareNoise pixels
	random        *rand.Rand
}

// spareNoise is how many pixels the noise is longer than the picture, and so
// how many different pictures it makes: each begins somewhere else in it. Fresh
// noise for each picture would cost more than the drawing.
const spareNoise = 1 << 16

func newScene(width, height int, seed uint64) *scene {
	s := &scene{
		width: width, height: height, unit: float64(height) / referenceLines,
		random: rand.New(rand.NewPCG(seed, 0x706f727472616974)), // "portrait"
	}
	s.paintWall()
	s.scatterNoise()
	return s
}

// paintWall draws a wall with a dark strip and a picture on it, as flat as a
// test needs and as uneven as a detector likes.
func (s *scene) paintWall() {
	s.wall = s.outOfFocus(func(fx, fy float64) colour {
		c := colour{176, 182, 186}.times(float32(1.02 - .25*fy - .10*fx))
		if fx < .16 {
			c = c.times(.8)
		}
		if fx > .78 && fx < .95 && fy > .12 && fy < .55 {
			c = c.times(.6)
			c = colour{c[0] + 50, c[1] + 50, c[2] + 40}
		}
		return c
	})
}

// outOfFocus draws a picture of what is behind the participant. The drawing is
// asked for places in parts of the picture's width and height.
func (s *scene) outOfFocus(drawing func(fx, fy float64) colour) []byte {
	w, h := s.width, s.height
	planes := [3][]float32{}
	for i := range planes {
		planes[i] = make([]float32, w*h)
	}
	for y := range h {
		for x := range w {
			c := drawing(float64(x)/float64(w), float64(y)/float64(h))
			for i := range c {
				planes[i][y*w+x] = c[i]
			}
		}
	}
	k, line := kernel(wallBlurPx*s.unit), make([]float32, max(w, h))
	pix := make([]byte, 3*w*h)
	for i, plane := range planes {
		for y := range h {
			smear(plane[y*w:], 1, w, k, line)
		}
		for x := range w {
			smear(plane[x:], w, h, k, line)
		}
		for j, v := range plane {
			pix[3*j+2-i] = byte(max(0, min(255, v)) + .5)
		}
	}
	return pix
}

// scatterNoise draws the sensor's noise: of each colour alone, and of all three
// together.
func (s *scene) scatterNoise() {
	const colourSigma, lumaSigma = 3, 1.8 // grey levels
	s.noise = make([]int8, 3*(s.width*s.height+spareNoise))
	for i := 0; i < len(s.noise); i += 3 {
		luma := lumaSigma * s.random.NormFloat64()
		for k := range 3 {
			s.noise[i+k] = int8(clip(math.Round(luma+colourSigma*s.random.NormFloat64()), -127, 127))
		}
	}
}

// addNoise lays fresh noise over the picture.
func (s *scene) addNoise(pix []byte) {
	from := 3 * s.random.IntN(spareNoise)
	noise := s.noise[from : from+len(pix)]
	for i, n := range noise {
		v := int(pix[i]) + int(n)
		if uint(v) > 255 {
			v = 255 &^ (v >> 63) // 0 below, 255 above
		}
		pix[i] = byte(v)
	}
}

func garment() colour { return colour{60, 78, 104} }

// paintShoulders draws the garment over the neck. It follows the head's place
// and size but not its roll.
func (s *scene) paintShoulders(pix []byte, p pose, exposure float64) {
	sigma := shoulderBlurPx * s.unit
	for x := range s.width {
		d := math.Abs(float64(x)+.5-p.x) / p.scale
		side := blurredStep((.95*p.scale - d*p.scale) / sigma)
		if side == 0 {
			continue
		}
		edge := p.y + p.scale*(.66+.30*math.Pow(d/.9, 2.2))
		cloth := garment().times(float32((1 - .3*d) * exposure))
		solid := [3]byte{byte(cloth[2] + .5), byte(cloth[1] + .5), byte(cloth[0] + .5)}
		for y := max(0, int(edge-reach*sigma)); y < s.height; y++ {
			k := side * blurredStep((float64(y)+.5-edge)/sigma)
			pixel := pix[3*(y*s.width+x):][:3]
			if k == 1 {
				copy(pixel, solid[:])
				continue
			}
			for i := range pixel {
				pixel[i] += byte(int(k * (float64(solid[i]) - float64(pixel[i]))))
			}
		}
	}
}

// blurredStep is a step from 0 to 1 at 0 after a Gaussian blur of sigma 1, cut
// off at reach.
func blurredStep(t float64) float64 {
	switch {
	case t <= -reach:
		return 0
	case t >= reach:
		return 1
	}
	return .5 * (1 + math.Erf(t/math.Sqrt2))
}
