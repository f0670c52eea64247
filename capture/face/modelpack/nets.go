package modelpack

import "fmt"

// The layers of the three nets. TensorFlow keeps convolution filters as
// height, width, in, out and depthwise ones as height, width, channel, 1;
// ONNX wants out, in, height, width and channel, 1, height, width.

// Crop is the side of the square picture that the landmark and the expression
// net take, in pixels.
const Crop = 112

// The paddings, in ONNX's order top, left, bottom, right. TensorFlow's SAME
// rule pads an even input at stride 2 at the bottom and right only, which
// padEnd spells out: an even split would shift every feature.
func padNone() attribute { return ints("pads", 0, 0, 0, 0) }
func padAll() attribute  { return ints("pads", 1, 1, 1, 1) }
func padEnd() attribute  { return ints("pads", 0, 0, 1, 1) }

// builder adds layers to a graph. The first missing or misshapen tensor stops
// it; err says which.
type builder struct {
	*graph
	weights weights
	err     error
}

func newBuilder(name string, w weights) *builder {
	return &builder{graph: &graph{name: name}, weights: w}
}

// constant adds a tensor of the net, its axes reordered for ONNX.
func (b *builder) constant(name string, perm []int, shape ...int) string {
	t, err := b.weights.get(name, shape...)
	if err != nil {
		if b.err == nil {
			b.err = err
		}
		return name
	}
	if perm != nil {
		t = t.transpose(perm...)
	}
	return b.graph.constant(name, t)
}

// full adds a convolution of side x side from in to out channels.
func (b *builder) full(x, filters, bias string, side, in, out int, stride int64, pad attribute) string {
	return b.node("Conv", "", []string{
		x,
		b.constant(filters, []int{3, 2, 0, 1}, side, side, in, out),
		b.constant(bias, nil, out),
	}, ints("kernel_shape", int64(side), int64(side)), ints("strides", stride, stride), pad)
}

// separable adds a 3x3 depthwise convolution, then a pointwise one with a bias
// from in to out channels. Nothing stands between the two.
func (b *builder) separable(x, name string, in, out int, stride int64, pad attribute) string {
	x = b.node("Conv", "", []string{
		x,
		b.constant(name+"/depthwise_filter", []int{2, 3, 0, 1}, 3, 3, in, 1),
	}, ints("kernel_shape", 3, 3), ints("strides", stride, stride), pad, integer("group", int64(in)))
	return b.full(x, name+"/pointwise_filter", name+"/bias", 1, in, out, 1, padNone())
}

func (b *builder) relu(x string) string   { return b.node("Relu", "", []string{x}) }
func (b *builder) add(x, y string) string { return b.node("Add", "", []string{x, y}) }

// dense adds one densely connected block: four convolutions, the first at
// stride 2, each fed the sum of all before it.
func (b *builder) dense(x, name string, in, out int, first bool) string {
	var o string
	if first {
		o = b.full(x, name+"/conv0/filters", name+"/conv0/bias", 3, in, out, 2, padEnd())
	} else {
		o = b.separable(x, name+"/conv0", in, out, 2, padEnd())
	}
	sum := b.relu(o)
	next := sum // what the following convolution sees
	for i := 1; i <= 3; i++ {
		o = b.separable(next, fmt.Sprintf("%s/conv%d", name, i), out, out, 1, padAll())
		sum = b.add(sum, o)
		next = b.relu(sum)
	}
	return next
}

// crops builds a net over a square crop: four dense blocks, the mean of each
// channel, and a fully connected layer to n numbers.
func (b *builder) crops(n int) string {
	x := b.input("picture", 1, 3, Crop, Crop)
	in := 3
	for i, out := range []int{32, 64, 128, 256} {
		x = b.dense(x, fmt.Sprintf("dense%d", i), in, out, i == 0)
		in = out
	}
	side := int64(Crop / 16) // four blocks at stride 2
	x = b.node("AveragePool", "", []string{x}, ints("kernel_shape", side, side), ints("strides", side, side), padNone())
	x = b.node("Flatten", "", []string{x}, integer("axis", 1))
	// Out by in, because OpenCV 4.6 refuses a bias on weights of in by out.
	return b.node("Gemm", "", []string{x, b.constant("fc/weights", []int{1, 0}, in, n), b.constant("fc/bias", nil, n)},
		integer("transB", 1))
}

// landmarks builds face_landmark_68: x and y of the 68 points, interleaved, in
// parts of the crop's side.
func landmarks(w weights) (*graph, error) {
	b := newBuilder(Landmarks, w)
	b.output(b.crops(136), 1, 136)
	return b.graph, b.err
}

// expression builds face_expression: the probabilities of the seven classes.
func expression(w weights) (*graph, error) {
	b := newBuilder(Expression, w)
	b.output(b.node("Softmax", "", []string{b.crops(7)}, integer("axis", 1)), 1, 7)
	return b.graph, b.err
}

// detector builds tiny_face_detector, which takes any square picture. For each
// cell of its grid it gives five anchors of x, y, w, h and score, not decoded.
func detector(w weights) (*graph, error) {
	b := newBuilder(Detector, w)
	x := b.input("picture", 1, 3, 0, 0)
	in := 3
	for i, out := range []int{16, 32, 64, 128, 256, 512} {
		name := fmt.Sprintf("conv%d", i)
		if i == 0 {
			x = b.full(x, name+"/filters", name+"/bias", 3, in, out, 1, padNone())
		} else {
			x = b.separable(x, name, in, out, 1, padAll())
		}
		x = b.node("LeakyRelu", "", []string{x}, float("alpha", .1))
		stride := int64(2)
		if i == 5 {
			stride = 1
		}
		// With stride 2 and an odd input padEnd is TensorFlow's SAME, with an
		// even one the added edge is never read.
		x = b.node("MaxPool", "", []string{x}, ints("kernel_shape", 2, 2), ints("strides", stride, stride), padEnd())
		in = out
	}
	b.output(b.full(x, "conv8/filters", "conv8/bias", 1, in, 25, 1, padNone()), 1, 25, 0, 0)
	return b.graph, b.err
}
