// Package convnet runs small convolutional nets on one processor core.
//
// It knows the few layers that the nets of the face pack are made of: full and
// separable convolutions, sums, (leaky) ReLU, 2x2 maximum pooling, and a mean,
// a fully connected layer and a softmax at the end. A net that has anything
// else is refused, and is a matter for a general runtime. What it gains over one
// on these nets is told in DECISIONS.md of package face.
//
// The layers are fused where the graph allows it: a depthwise convolution with
// the pointwise one after it, that with its bias, the sum it goes into and the
// activation after that. The inner loops are in C, because Go has no vector
// types; memory is Go's alone.
package convnet

// #cgo CFLAGS: -O3
// #include "kernel.h"
import "C"

import (
	"fmt"
	"math"
)

// block is to how many channels those of a map are filled up with zeros.
const block = C.channel_block

// shape is that of one map. In memory a pixel takes padded values, of which the
// first ones are its channels.
type shape struct{ height, width, channels, padded int }

// blocks returns the shape of a map whose channels are filled up to whole
// blocks, as those of all maps are but of the picture.
func blocks(height, width, channels int) shape {
	return shape{height, width, channels, (channels + block - 1) / block * block}
}

// pitch is how many values lie from one row to the next.
func (s shape) pitch() int { return (s.width + 2) * s.padded }

// feature is a map: rows of pixels of channels, with a border of one pixel of
// zeros, which are the padding of the convolutions.
type feature struct {
	shape
	data []float32
}

func newFeature(s shape) *feature {
	return &feature{s, make([]float32, (s.height+2)*s.pitch())}
}

// at returns a pointer to the pixel (x, y); -1 is the border.
func (f *feature) at(y, x int) *C.float {
	return (*C.float)(&f.data[(y+1)*f.pitch()+(x+1)*f.padded])
}

// first returns a pointer to the first pixel, nil for no map.
func (f *feature) first() *C.float {
	if f == nil {
		return nil
	}
	return f.at(0, 0)
}

// Net is a net with its memory: nothing is allocated when it runs. It is not
// safe for concurrent use.
type Net struct {
	scaling Scaling
	input   *feature
	steps   []step
	output  []float32
}

// step is one fused layer.
type step interface{ run() }

// Scaling is what is done to the bytes of a picture: less Mean (red, green,
// blue), times Scale.
type Scaling struct {
	Mean  [3]float32
	Scale float32
}

// New builds a net from an ONNX graph, for pictures of size x size, which the
// graph must agree with or leave open. The error names the layer that is not
// known.
func New(onnx []byte, size int, scaling Scaling) (*Net, error) {
	g, err := parse(onnx)
	if err != nil {
		return nil, fmt.Errorf("convnet: %w", err)
	}
	n, err := compile(g, size, simdLevel())
	if err != nil {
		return nil, fmt.Errorf("convnet: %w", err)
	}
	n.scaling = scaling
	return n, nil
}

// simdLevel tells which version of the inner loops this processor runs best: 0
// is what every processor of the architecture has, and what is below a level is
// there too.
func simdLevel() int { return int(C.simd_level()) }

// Size returns the side of the pictures that the net takes, in pixels.
func (n *Net) Size() int { return n.input.width }

// Run reads a picture of Size x Size, 3 bytes a pixel: blue, green, red; the net
// sees red, green, blue, scaled. The result is in ONNX's order (of a map: all
// cells of the first channel, then of the second) and holds until the next Run.
func (n *Net) Run(pixels []byte) ([]float32, error) {
	if want := 3 * n.input.width * n.input.height; len(pixels) != want {
		return nil, fmt.Errorf("convnet: a picture of %d bytes, want %d", len(pixels), want)
	}
	C.load((*C.uint8_t)(&pixels[0]), C.int(n.input.width), (*C.float)(&n.scaling.Mean[0]), C.float(n.scaling.Scale), n.input.first())
	for _, s := range n.steps {
		s.run()
	}
	return n.output, nil
}

// finish is what follows a convolution: bias, a map to add, and where the sum
// goes as it is (sum) and through the activation (act). Maps may be nil.
type finish struct {
	bias               []float32
	residual, sum, act *feature
	slope              float32 // of the activation below zero
	out                shape
}

// convolution is a full convolution of size x size.
type convolution struct {
	finish
	level        int
	in           *feature
	size, stride int
	pad          int // rows and columns of padding before the first
	weights      []float32
}

func (c *convolution) run() {
	C.full(C.int(c.level), c.in.at(-c.pad, -c.pad), C.int(c.in.pitch()), C.int(c.in.padded), C.int(c.size), C.int(c.stride),
		(*C.float)(&c.weights[0]),
		(*C.float)(&c.bias[0]), c.residual.first(), c.sum.first(), c.act.first(), C.float(c.slope),
		C.int(c.out.height), C.int(c.out.width), C.int(c.out.padded))
}

// separable is a 3x3 convolution of each channel by itself, then one of 1x1.
type separable struct {
	finish
	level                int
	in                   *feature
	stride, pad          int
	depthwise, pointwise []float32
	scratch              []float32
}

func (s *separable) run() {
	C.separable(C.int(s.level), s.in.at(-s.pad, -s.pad), C.int(s.in.pitch()), C.int(s.in.padded), C.int(s.stride),
		(*C.float)(&s.depthwise[0]), (*C.float)(&s.pointwise[0]), (*C.float)(&s.scratch[0]),
		(*C.float)(&s.bias[0]), s.residual.first(), s.sum.first(), s.act.first(), C.float(s.slope),
		C.int(s.out.height), C.int(s.out.width), C.int(s.out.padded))
}

// maximum pools 2x2.
type maximum struct {
	level   int
	in, out *feature
	stride  int
}

func (m *maximum) run() {
	C.pool(C.int(m.level), m.in.first(), C.int(m.in.height), C.int(m.in.width), C.int(m.in.padded), C.int(m.stride),
		m.out.first(), C.int(m.out.height), C.int(m.out.width))
}

// average takes the mean of each channel, as a map of one pixel.
type average struct{ in, out *feature }

func (a *average) run() {
	C.mean(a.in.first(), C.int(a.in.height), C.int(a.in.width), C.int(a.in.padded), a.out.first())
}

// result copies a map into the output, channel by channel, through a softmax
// over the channels where that is asked for.
type result struct {
	in      *feature
	out     []float32
	softmax bool
}

func (r *result) run() {
	cells := r.in.height * r.in.width
	for y := range r.in.height {
		for x := range r.in.width {
			from := (y+1)*r.in.pitch() + (x+1)*r.in.padded
			for c, v := range r.in.data[from : from+r.in.channels] {
				r.out[c*cells+y*r.in.width+x] = v
			}
		}
	}
	if r.softmax {
		softmax(r.out)
	}
}

// softmax replaces v by its exponentials, scaled to add up to 1.
func softmax(v []float32) {
	top := v[0]
	for _, x := range v {
		top = max(top, x)
	}
	var sum float64
	for i, x := range v {
		e := math.Exp(float64(x - top))
		v[i] = float32(e)
		sum += e
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / sum)
	}
}
