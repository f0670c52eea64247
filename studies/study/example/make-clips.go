//go:build ignore

// Make-clips draws one of the example study's clips and writes it to standard
// output as raw RGB24 frames, 360 x 640 at 30 frames per second:
//
//	go run make-clips.go silk | ffmpeg -f rawvideo -pix_fmt rgb24 -s 360x640 -r 30 -i - ...
//
// The clips are about a runway in the abstract: cloth that moves towards the
// viewer over a lit floor. Every pixel is a function of its place and the frame
// number, so that the same clip comes out on every machine.
package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
)

const (
	width, height = 360, 640
	fps           = 30
	aspect        = float64(width) / height
)

// rgb is a colour in linear light, 0..1.
type rgb struct{ r, g, b float64 }

func (c rgb) times(f float64) rgb { return rgb{c.r * f, c.g * f, c.b * f} }

// over mixes c over d with opacity a.
func (c rgb) over(d rgb, a float64) rgb {
	return rgb{d.r + a*(c.r-d.r), d.g + a*(c.g-d.g), d.b + a*(c.b-d.b)}
}

// cloth is one hanging length of fabric. Lengths are in picture heights, times
// in seconds.
type cloth struct {
	dark, light rgb
	centre      float64 // of the hem, from the middle of the picture
	half        float64 // half the width at the hem
	taper       float64 // how much of the width is left at the shoulder
	sway        float64 // sideways travel of the hem
	tempo       float64 // of the sway, per second
	folds       float64 // number of folds across
	sharp       float64 // 0 soft folds, 1 pressed pleats
	ripple      float64 // how far folds wander down the length
	opacity     float64
}

// clip is a mood: a room and the cloth that crosses it.
type clip struct {
	seconds     int
	wall, floor rgb
	lamp        rgb
	step        float64 // pace of the walk, steps per second
	cloths      []cloth
}

var clips = map[string]clip{
	"silk": {
		seconds: 6,
		wall:    rgb{.060, .022, .026}, floor: rgb{.16, .085, .06}, lamp: rgb{.95, .62, .36},
		step: .8,
		cloths: []cloth{
			{rgb{.16, .012, .03}, rgb{.86, .34, .16}, -.02, .16, .42, .050, .8, 4, .15, 1.1, 1},
			{rgb{.10, .01, .03}, rgb{.95, .66, .30}, .06, .07, .35, .075, .8, 3, .1, 1.6, .75},
		},
	},
	"pleats": {
		seconds: 7,
		wall:    rgb{.020, .030, .062}, floor: rgb{.09, .11, .17}, lamp: rgb{.62, .78, 1},
		step: 2.1,
		cloths: []cloth{
			{rgb{.012, .03, .22}, rgb{.55, .70, .98}, 0, .19, .34, .030, 2.1, 13, .9, .25, 1},
			{rgb{.30, .33, .40}, rgb{.88, .92, 1}, 0, .085, .75, .040, 2.1, 7, .9, .2, 1},
		},
	},
	"veil": {
		seconds: 8,
		wall:    rgb{.022, .048, .040}, floor: rgb{.10, .13, .10}, lamp: rgb{.75, .95, .78},
		step: .5,
		cloths: []cloth{
			{rgb{.01, .10, .075}, rgb{.20, .62, .42}, -.03, .20, .55, .085, .45, 5, .2, 2.2, .85},
			{rgb{.12, .13, .08}, rgb{.80, .80, .60}, .04, .17, .40, -.095, .5, 4, .1, 2.6, .5},
			{rgb{.10, .14, .12}, rgb{.62, .86, .78}, .01, .12, .60, .060, .7, 6, .1, 3.0, .35},
		},
	},
	"velvet": {
		seconds: 5,
		wall:    rgb{.040, .022, .052}, floor: rgb{.13, .08, .14}, lamp: rgb{.95, .72, .88},
		step: 1.3,
		cloths: []cloth{
			{rgb{.06, .008, .07}, rgb{.52, .16, .44}, .01, .18, .50, .060, 1.3, 6, .45, .7, 1},
			{rgb{.16, .05, .12}, rgb{.80, .46, .62}, -.05, .08, .60, -.050, 1.3, 3, .3, 1.0, .7},
		},
	},
}

// smooth is the cubic step from 0 at lo to 1 at hi.
func smooth(lo, hi, x float64) float64 {
	u := max(0, min(1, (x-lo)/(hi-lo)))
	return u * u * (3 - 2*u)
}

// room is the background at x (0 in the middle), y (0 top, 1 bottom).
func (c clip) room(x, y, t float64) rgb {
	const horizon = .66
	if y < horizon {
		// A wall in the light of two lamps that turn slowly.
		glow := 0.0
		for _, lamp := range [2]float64{-1, 1} {
			at := .17*lamp + .03*math.Sin(2*math.Pi*.1*t+lamp)
			d := math.Hypot((x-at)*2.2, y-.08)
			glow += .35 * math.Exp(-5*d*d)
		}
		return c.lamp.over(c.wall, glow*.5)
	}
	// The floor in perspective, with seams that come nearer as one walks.
	depth := (1 - horizon) / (y - horizon + .02)
	across := x * depth
	lit := smooth(.26, .18, math.Abs(across))
	seam := math.Cos(2 * math.Pi * (depth*1.3 + c.step*t*.5))
	light := .35 + .65*lit*(.82+.18*seam)
	return c.floor.times(light * (.55 + .9*(y-horizon)))
}

// shade is the cloth's colour at a place and how much of it covers the pixel.
func (k cloth) shade(x, y, t, step float64) (rgb, float64) {
	near := .82 + .10*math.Sin(2*math.Pi*.11*t)      // size: the walk comes and goes
	bob := .012 * math.Abs(math.Sin(math.Pi*step*t)) // rise at each step
	top, hem := .5-.40*near+bob, .5+.37*near+bob     // shoulder and hem
	down := (y - top) / (hem - top)                  // 0 shoulder, 1 hem
	if down < -.05 || down > 1.08 {
		return rgb{}, 0
	}
	d := max(0, min(1, down))
	phase := 2 * math.Pi * (k.tempo*t - .55*d)
	middle := k.centre*d + k.sway*d*math.Sin(phase) + .01*math.Sin(math.Pi*step*t)
	half := k.half * near * (k.taper + (1-k.taper)*math.Pow(d, 1.3)) * (1 + .10*d*math.Sin(phase+1.3))
	u := (x - middle) / half // -1..1 across

	edge := smooth(1.02, .97, math.Abs(u))
	hang := .02 * math.Sin(k.folds*u*2+phase) // the hem waves
	ends := smooth(-.01, .02, down) * smooth(1.01+hang, .98+hang, down)

	fold := math.Sin(math.Pi*k.folds*u + k.ripple*math.Sin(phase+2*d) + k.ripple*2*d)
	soft := .5 + .5*fold
	sharp := smooth(.25, .75, soft)
	light := (1-k.sharp)*soft*soft + k.sharp*sharp
	round := math.Sqrt(max(0, 1-.75*u*u)) // darker where it turns away
	return k.light.over(k.dark, light*round).times(.55 + .45*round), edge * ends * k.opacity
}

// pixel is the clip's colour at x, y and time t.
func (c clip) pixel(x, y, t float64) rgb {
	col := c.room(x, y, t)
	for _, k := range c.cloths {
		s, a := k.shade(x, y, t, c.step)
		col = s.over(col, a)
	}
	return col
}

// encode turns linear light into an 8-bit sRGB value.
func encode(v float64) byte {
	v = max(0, min(1, v))
	if v <= .0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - .055
	}
	return byte(v*255 + .5)
}

// digits is a font of 3 x 5 dots: one number of 15 bits a digit, top row first.
var digits = [10]uint16{
	0b111_101_101_101_111, 0b010_110_010_010_111, 0b111_001_111_100_111, 0b111_001_111_001_111,
	0b101_101_111_001_001, 0b111_100_111_001_111, 0b111_100_111_101_111, 0b111_001_001_001_001,
	0b111_101_111_101_111, 0b111_101_111_001_111,
}

// count draws the frame number in the lower left corner.
func count(pix []byte, n int) {
	const dot, left, top = 3, 12, height - 12 - 5*3
	for i, ch := range fmt.Sprintf("%03d", n) {
		for bit := range 15 {
			if digits[ch-'0']>>(14-bit)&1 == 0 {
				continue
			}
			x0, y0 := left+(i*4+bit%3)*dot, top+bit/3*dot
			for y := y0; y < y0+dot; y++ {
				for x := x0; x < x0+dot; x++ {
					p := pix[3*(y*width+x):]
					p[0], p[1], p[2] = 200, 200, 200
				}
			}
		}
	}
}

func main() {
	if len(os.Args) != 2 || clips[os.Args[1]].seconds == 0 {
		fmt.Fprintln(os.Stderr, "usage: go run make-clips.go silk|pleats|veil|velvet > frames.rgb")
		os.Exit(2)
	}
	c := clips[os.Args[1]]
	out := bufio.NewWriter(os.Stdout)
	pix := make([]byte, 3*width*height)
	for n := range c.seconds * fps {
		t := float64(n) / fps
		for py := range height {
			y := (float64(py) + .5) / height
			for px := range width {
				x := ((float64(px)+.5)/width - .5) * aspect
				col := c.pixel(x, y, t)
				p := pix[3*(py*width+px):]
				p[0], p[1], p[2] = encode(col.r), encode(col.g), encode(col.b)
			}
		}
		count(pix, n)
		if _, err := out.Write(pix); err != nil {
			fmt.Fprintln(os.Stderr, "make-clips: write frame:", err)
			os.Exit(1)
		}
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "make-clips: write frames:", err)
		os.Exit(1)
	}
}
