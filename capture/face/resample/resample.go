// Package resample cuts a rectangle out of a picture and scales it to a small
// square. Edges may lie between pixels: what comes out changes as little as the
// rectangle does, which a crop of whole pixels does not.
package resample

// #cgo CFLAGS: -O3
// #include "kernel.h"
import "C"

import (
	"fmt"
	"math"
)

// Rect is an upright rectangle in pixels from the picture's top left corner,
// with W and H above 0.
type Rect struct{ X, Y, W, H float64 }

// Square returns the square around r's middle of which r is as wide or as high.
func (r Rect) Square() Rect {
	side := max(r.W, r.H)
	return Rect{r.X + (r.W-side)/2, r.Y + (r.H-side)/2, side, side}
}

// Resampler holds what is used again from picture to picture. The zero value is
// ready for use. It is not safe for concurrent use.
type Resampler struct {
	columns, rows axis
	sums          []float32
}

// Run reads r.Square() of a picture of 3 bytes a pixel, row by row without gaps,
// into out, a square of side x side such pixels. Each becomes the mean of the
// picture over its share of the square, or over the area of a pixel where its
// share is less, which is interpolation between four. What lies outside r or the
// picture is black. The error names a picture or rectangle that cannot be.
func (s *Resampler) Run(pixels []byte, width, height int, r Rect, out []byte, side int) error {
	if width < 1 || height < 1 || len(pixels) != 3*width*height || side < 1 || len(out) != 3*side*side {
		return fmt.Errorf("resample: %d bytes of %dx%d into %d of %dx%d: want 3 bytes a pixel", len(pixels), width, height, len(out), side, side)
	}
	// Also refuses what is no number.
	if q := r.Square(); !(r.W > 0 && r.H > 0 && math.Abs(q.X)+q.W < farthest && math.Abs(q.Y)+q.H < farthest) {
		return fmt.Errorf("resample: there is no rectangle %v", r)
	}
	q := r.Square()
	s.columns.lay(q.X, q.W, r.X, r.X+r.W, width, side)
	s.rows.lay(q.Y, q.H, r.Y, r.Y+r.H, height, side)
	from, to := s.columns.span()
	if from >= to {
		clear(out)
		return nil
	}
	if want := 3 * (to - from); len(s.sums) < want {
		s.sums = make([]float32, want)
	}
	x, y := &s.columns, &s.rows
	C.resample((*C.uint8_t)(&pixels[0]), C.int(3*width), C.int(from), C.int(to),
		(*C.int32_t)(&x.first[0]), (*C.int32_t)(&x.count[0]), (*C.float)(&x.weights[0]), C.int(x.taps),
		(*C.int32_t)(&y.first[0]), (*C.int32_t)(&y.count[0]), (*C.float)(&y.weights[0]), C.int(y.taps),
		(*C.float)(&s.sums[0]), (*C.uint8_t)(&out[0]), C.int(side))
	return nil
}

// farthest is where a rectangle may lie, in pixels: beyond any picture, and
// within what float64 still places to a thousandth of a pixel.
const farthest = 1 << 30

// axis is which columns (or rows) of the picture each column of the square is
// made of, and with which weights.
type axis struct {
	first, count []int32
	weights      []float32 // taps for each, of which count are used
	taps         int
}

// lay spreads side pixels over length from start on. Only what lies within
// from..to and within 0..size counts.
func (a *axis) lay(start, length, from, to float64, size, side int) {
	step := length / float64(side)
	share := max(1, step)
	a.taps = int(min(math.Ceil(share)+1, float64(size)))
	if len(a.first) != side {
		a.first, a.count = make([]int32, side), make([]int32, side)
	}
	if len(a.weights) < side*a.taps {
		a.weights = make([]float32, side*a.taps)
	}
	from, to = max(from, 0), min(to, float64(size))
	for i := range side {
		middle := start + (float64(i)+.5)*step
		left, right := max(middle-share/2, from), min(middle+share/2, to)
		a.first[i], a.count[i] = 0, 0
		if !(left < right) {
			continue
		}
		first := int(left)
		n := min(int(math.Ceil(right))-first, a.taps)
		a.first[i], a.count[i] = int32(first), int32(n)
		for t := range n {
			x := float64(first + t)
			a.weights[i*a.taps+t] = float32(max(0, min(right, x+1)-max(left, x)) / share)
		}
	}
}

// span returns the first column that any pixel is made of, and the one behind
// the last.
func (a *axis) span() (from, to int) {
	from = math.MaxInt
	for i, n := range a.count {
		if n > 0 {
			from, to = min(from, int(a.first[i])), max(to, int(a.first[i]+n))
		}
	}
	return from, to
}
