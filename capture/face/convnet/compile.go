package convnet

import "fmt"

// What a net may be, which bounds its memory: far more than those of faces are.
const (
	largestSide = 4096 // of a picture, px
	// mostValues is how many values its maps and weights may have together, as if
	// no memory were used twice: half a gigabyte. The largest detector has a tenth.
	mostValues = 1 << 27
)

// value is a result in the graph while its net is built.
type value struct {
	shape   shape
	feature *feature
	uses    int // nodes that still have to read it
}

// compiler turns a graph into steps.
type compiler struct {
	*graph
	level  int
	values map[string]*value
	users  map[string][]int // by value, the nodes that read it
	done   []bool           // by node
	free   map[shape][]*feature
	steps  []step
	rows   int // values that the largest step needs as scratch
	taken  int // values of all maps and weights
}

// compile builds the net. Nodes stand in the order in which they can be
// computed, as ONNX demands.
func compile(g *graph, size, level int) (*Net, error) {
	c := &compiler{
		graph: g, level: level,
		values: map[string]*value{}, users: map[string][]int{},
		done: make([]bool, len(g.nodes)), free: map[shape][]*feature{},
	}
	made := map[string]bool{g.input.name: true}
	for i, n := range g.nodes {
		if made[n.out()] {
			return nil, fmt.Errorf("%s %q: its result %q is made twice", n.op, n.name, n.out())
		}
		made[n.out()] = true
		for _, in := range n.inputs {
			c.users[in] = append(c.users[in], i)
		}
	}
	in, err := c.inputShape(size)
	if err != nil {
		return nil, err
	}
	picture := c.put(g.input.name, in)
	picture.uses++ // the input is written anew each time, and never anything else
	net := &Net{input: picture.feature}
	var last *result
	for i, n := range g.nodes {
		if c.done[i] {
			continue
		}
		if last != nil {
			return nil, fmt.Errorf("%s %q stands after the softmax", n.op, n.name)
		}
		c.done[i] = true
		switch n.op {
		case "Conv":
			err = c.convolution(n)
		case "MaxPool":
			err = c.maxPool(n)
		case "AveragePool":
			err = c.averagePool(n)
		case "Flatten":
			err = c.flatten(n)
		case "Gemm":
			err = c.gemm(n)
		case "Softmax":
			last, err = c.softmax(n)
		default:
			err = fmt.Errorf("the layer is not known here, or not at this place")
		}
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", n.op, n.name, err)
		}
	}
	out, ok := c.values[g.output]
	if !ok {
		return nil, fmt.Errorf("no layer makes the output %q", g.output)
	}
	if last == nil {
		last = c.result(out, false)
	}
	net.steps, net.output = c.steps, last.out
	scratch := make([]float32, c.rows)
	for _, s := range net.steps {
		if s, ok := s.(*separable); ok {
			s.scratch = scratch
		}
	}
	return net, nil
}

// inputShape returns the shape of the picture.
func (c *compiler) inputShape(size int) (shape, error) {
	d := c.input.shape
	if len(d) != 4 || d[0] != 1 || d[1] != 3 {
		return shape{}, fmt.Errorf("the input has the shape %v, want one picture of 3 channels", d)
	}
	for _, side := range d[2:] {
		if side != 0 && side != size {
			return shape{}, fmt.Errorf("the input is %d pixels wide, not %d", side, size)
		}
	}
	if size < 1 || size > largestSide {
		return shape{}, fmt.Errorf("a picture of %d pixels: want 1 to %d", size, largestSide)
	}
	s := shape{size, size, 3, 3}
	return s, c.reserve(size+2, s.pitch())
}

// reserve counts height x width values against what a net may have.
func (c *compiler) reserve(height, width int) error {
	if width > (mostValues-c.taken)/height {
		return fmt.Errorf("the net is too large: at most %d million values in maps and weights", mostValues>>20)
	}
	c.taken += height * width
	return nil
}

// uses counts the readers of a result; whoever called the net is one.
func (c *compiler) uses(name string) int {
	n := len(c.users[name])
	if name == c.output {
		n++
	}
	return n
}

// put makes the map of a result, of memory that is no longer read where there
// is any of that shape: its border is zero already.
func (c *compiler) put(name string, s shape) *value {
	v := &value{shape: s, uses: c.uses(name)}
	if free := c.free[s]; len(free) > 0 {
		v.feature, c.free[s] = free[len(free)-1], free[:len(free)-1]
	} else {
		v.feature = newFeature(s)
	}
	c.values[name] = v
	return v
}

// take returns a node's input.
func (c *compiler) take(n node, i int) (*value, error) {
	if i >= len(n.inputs) {
		return nil, fmt.Errorf("input %d is missing", i)
	}
	v, ok := c.values[n.inputs[i]]
	if !ok {
		return nil, fmt.Errorf("no layer before it makes its input %q", n.inputs[i])
	}
	return v, nil
}

// release notes that a node has read v.
func (c *compiler) release(v *value) {
	if v.uses--; v.uses == 0 {
		c.free[v.shape] = append(c.free[v.shape], v.feature)
	}
}

// weights returns a node's constant input of so many dimensions.
func (c *compiler) weights(n node, i, dimensions int) (tensor, error) {
	if i >= len(n.inputs) {
		return tensor{}, fmt.Errorf("input %d is missing", i)
	}
	t, ok := c.tensors[n.inputs[i]]
	if !ok || len(t.shape) != dimensions {
		return tensor{}, fmt.Errorf("input %q: want a constant of %d dimensions, have %v", n.inputs[i], dimensions, t.shape)
	}
	return t, nil
}

// window is how a layer goes over a map.
type window struct{ size, stride, before, after int }

// window reads the attributes of a square window.
func (n node) window() (window, error) {
	square := func(name string, byDefault int) (int, bool) {
		v := n.ints[name]
		if len(v) == 0 {
			return byDefault, true
		}
		return v[0], len(v) == 2 && v[0] == v[1]
	}
	size, ok1 := square("kernel_shape", 0)
	stride, ok2 := square("strides", 1)
	dilation, ok3 := square("dilations", 1)
	pads := n.ints["pads"]
	if len(pads) == 0 {
		pads = make([]int, 4)
	}
	if !ok1 || !ok2 || !ok3 || dilation != 1 || size < 1 || stride < 1 || stride > size ||
		n.texts["auto_pad"] != "" && n.texts["auto_pad"] != "NOTSET" || len(pads) != 4 || pads[0] != pads[1] || pads[2] != pads[3] || min(pads[0], pads[2]) < 0 || max(pads[0], pads[2]) > 1 {
		return window{}, fmt.Errorf("kernel %v, strides %v, dilations %v, pads %v: want a square window, strides up to its size, pads 0 or 1 and spelt out",
			n.ints["kernel_shape"], n.ints["strides"], n.ints["dilations"], pads)
	}
	return window{size, stride, pads[0], pads[2]}, nil
}

// over returns the shape of the result over a map.
func (w window) over(in shape, channels int) (shape, error) {
	room := in.height + w.before + w.after - w.size
	if room < 0 || in.height != in.width {
		return shape{}, fmt.Errorf("a window of %d does not fit into %dx%d", w.size, in.height, in.width)
	}
	side := room/w.stride + 1
	return blocks(side, side, channels), nil
}

// convolution adds a convolution with all that can be fused to it.
func (c *compiler) convolution(n node) error {
	in, err := c.take(n, 0)
	if err != nil {
		return err
	}
	w, err := n.window()
	if err != nil {
		return err
	}
	if n.integer("group", 1) != 1 {
		return c.separable(n, in, w)
	}
	t, err := c.weights(n, 1, 4)
	if err != nil {
		return err
	}
	if t.shape[1] != in.shape.channels || t.shape[2] != w.size || t.shape[3] != w.size {
		return fmt.Errorf("weights of %v over %d channels and a window of %d", t.shape, in.shape.channels, w.size)
	}
	out, err := w.over(in.shape, t.shape[0])
	if err != nil {
		return err
	}
	s := &convolution{level: c.level, in: in.feature, size: w.size, stride: w.stride, pad: w.before}
	if s.weights, err = c.pack(t, in.shape, out); err != nil {
		return err
	}
	if s.finish, err = c.finish(n, out); err != nil {
		return err
	}
	c.steps = append(c.steps, s)
	c.release(in)
	return nil
}

// separable adds a depthwise convolution with the pointwise one after it.
func (c *compiler) separable(n node, in *value, w window) error {
	t, err := c.weights(n, 1, 4)
	if err != nil {
		return err
	}
	channels := in.shape.channels
	if n.integer("group", 1) != channels || in.shape.padded%block != 0 || w.size != 3 || t.shape[0] != channels || t.shape[1] != 1 || t.shape[2] != 3 || t.shape[3] != 3 || len(n.inputs) != 2 {
		return fmt.Errorf("%d groups, weights of %v over %d channels: want 3x3 for each channel, without a bias", n.integer("group", 1), t.shape, channels)
	}
	middle, err := w.over(in.shape, channels)
	if err != nil {
		return err
	}
	users := c.users[n.out()]
	if len(users) != 1 || c.nodes[users[0]].op != "Conv" || n.out() == c.output {
		return fmt.Errorf("a depthwise convolution is known only before a pointwise one")
	}
	point := c.nodes[users[0]]
	pw, err := point.window()
	if err != nil {
		return err
	}
	p, err := c.weights(point, 1, 4)
	if err != nil {
		return err
	}
	if point.inputs[0] != n.out() || point.integer("group", 1) != 1 || pw != (window{1, 1, 0, 0}) || p.shape[1] != channels || p.shape[2] != 1 || p.shape[3] != 1 {
		return fmt.Errorf("after it stands no pointwise convolution over its channels")
	}
	c.done[users[0]] = true
	out := blocks(middle.height, middle.width, p.shape[0])
	s := &separable{
		level: c.level, in: in.feature, stride: w.stride, pad: w.before,
		depthwise: make([]float32, 9*in.shape.padded),
	}
	if s.pointwise, err = c.pack(p, in.shape, out); err != nil {
		return err
	}
	for ch := range channels {
		for tap := range 9 {
			s.depthwise[tap*in.shape.padded+ch] = t.data[9*ch+tap]
		}
	}
	if s.finish, err = c.finish(point, out); err != nil {
		return err
	}
	c.rows = max(c.rows, 2*out.width*in.shape.padded)
	c.steps = append(c.steps, s)
	c.release(in)
	return nil
}

// pack lays weights of out, in, height, width into blocks of results: in each,
// tap by tap and channel by channel, the block's weights beside one another.
func (c *compiler) pack(t tensor, in, out shape) ([]float32, error) {
	outs, ins, taps := t.shape[0], t.shape[1], t.shape[2]*t.shape[3]
	if err := c.reserve(out.padded, taps*in.padded); err != nil {
		return nil, err
	}
	packed := make([]float32, out.padded*taps*in.padded)
	for o := range outs {
		for i := range ins {
			for tap := range taps {
				row := (o/block*taps+tap)*in.padded + i
				packed[row*block+o%block] = t.data[(o*ins+i)*taps+tap]
			}
		}
	}
	return packed, nil
}

// finish fuses what follows the convolution n: a sum with a map that is there
// already, and an activation.
func (c *compiler) finish(n node, out shape) (finish, error) {
	if err := c.reserve(out.height+2, out.pitch()); err != nil {
		return finish{}, err
	}
	f := finish{out: out, bias: make([]float32, out.padded)}
	if len(n.inputs) > 2 {
		t, err := c.weights(n, 2, 1)
		if err != nil {
			return f, err
		}
		if len(t.data) != out.channels {
			return f, fmt.Errorf("%d biases for %d channels", len(t.data), out.channels)
		}
		copy(f.bias, t.data)
	}
	name := n.out()
	if users := c.users[name]; len(users) == 1 && name != c.output && c.nodes[users[0]].op == "Add" {
		add := c.nodes[users[0]]
		if len(add.inputs) != 2 {
			return f, fmt.Errorf("%s %q has %d inputs", add.op, add.name, len(add.inputs))
		}
		other := add.inputs[0]
		if other == name {
			other = add.inputs[1]
		}
		if v, ok := c.values[other]; ok {
			if v.shape != out {
				return f, fmt.Errorf("%q adds maps of different shapes, %v and %v", add.name, v.shape, out)
			}
			c.done[users[0]] = true
			name = add.out()
			f.residual = v.feature
			defer c.release(v) // not before the result has its own memory
		}
	}
	activation := -1
	for _, u := range c.users[name] {
		if op := c.nodes[u].op; op != "Relu" && op != "LeakyRelu" {
			continue
		}
		if activation >= 0 || len(c.nodes[u].inputs) != 1 {
			return f, fmt.Errorf("two activations of %q, or one of two values", name)
		}
		activation = u
	}
	if activation < 0 {
		f.sum = c.put(name, out).feature
		return f, nil
	}
	c.done[activation] = true
	if len(c.users[name]) > 1 || name == c.output {
		v := c.put(name, out)
		v.uses-- // the activation
		f.sum = v.feature
	}
	a := c.nodes[activation]
	if a.op == "LeakyRelu" {
		f.slope = a.float("alpha", .01)
	}
	f.act = c.put(a.out(), out).feature
	return f, nil
}

func (c *compiler) maxPool(n node) error {
	in, err := c.take(n, 0)
	if err != nil {
		return err
	}
	w, err := n.window()
	if err != nil {
		return err
	}
	if w.size != 2 || w.before != 0 || n.integer("ceil_mode", 0) != 0 || in.shape.padded%block != 0 {
		return fmt.Errorf("a window of %d, %d before: want 2x2, padded at the end only", w.size, w.before)
	}
	out, err := w.over(in.shape, in.shape.channels)
	if err == nil {
		err = c.reserve(out.height+2, out.pitch())
	}
	if err != nil {
		return err
	}
	c.steps = append(c.steps, &maximum{c.level, in.feature, c.put(n.out(), out).feature, w.stride})
	c.release(in)
	return nil
}

func (c *compiler) averagePool(n node) error {
	in, err := c.take(n, 0)
	if err != nil {
		return err
	}
	w, err := n.window()
	if err != nil {
		return err
	}
	if w.size != in.shape.height || w.size != in.shape.width || w.before+w.after != 0 || in.shape.padded%block != 0 {
		return fmt.Errorf("a window of %d over %dx%d: want the whole map", w.size, in.shape.height, in.shape.width)
	}
	c.steps = append(c.steps, &average{in.feature, c.put(n.out(), blocks(1, 1, in.shape.channels)).feature})
	c.release(in)
	return nil
}

// flatten renames a map of one pixel; of others the order would change.
func (c *compiler) flatten(n node) error {
	in, err := c.take(n, 0)
	if err != nil {
		return err
	}
	if in.shape.height != 1 || in.shape.width != 1 || n.integer("axis", 1) != 1 {
		return fmt.Errorf("a map of %dx%d: want one pixel", in.shape.height, in.shape.width)
	}
	in.uses += c.uses(n.out()) - 1
	c.values[n.out()] = in
	return nil
}

// gemm adds a fully connected layer, which is a convolution of a map of one pixel.
func (c *compiler) gemm(n node) error {
	in, err := c.take(n, 0)
	if err != nil {
		return err
	}
	t, err := c.weights(n, 1, 2)
	if err != nil {
		return err
	}
	if in.shape.height != 1 || in.shape.width != 1 || t.shape[1] != in.shape.channels || n.integer("transB", 0) != 1 || n.integer("transA", 0) != 0 ||
		n.float("alpha", 1) != 1 || n.float("beta", 1) != 1 {
		return fmt.Errorf("weights of %v over a map of %v: want out by in, over one pixel", t.shape, in.shape)
	}
	out := blocks(1, 1, t.shape[0])
	s := &convolution{level: c.level, in: in.feature, size: 1, stride: 1}
	if s.weights, err = c.pack(tensor{append(t.shape[:2:2], 1, 1), t.data}, in.shape, out); err != nil {
		return err
	}
	if s.finish, err = c.finish(n, out); err != nil {
		return err
	}
	c.steps = append(c.steps, s)
	c.release(in)
	return nil
}

func (c *compiler) softmax(n node) (*result, error) {
	in, err := c.take(n, 0)
	if err != nil {
		return nil, err
	}
	if in.shape.height != 1 || in.shape.width != 1 || n.integer("axis", -1) != 1 || n.out() != c.output {
		return nil, fmt.Errorf("want it over the channels of one pixel, at the end")
	}
	c.values[n.out()] = in
	return c.result(in, true), nil
}

// result adds the copy into the output.
func (c *compiler) result(v *value, softmax bool) *result {
	r := &result{v.feature, make([]float32, v.shape.height*v.shape.width*v.shape.channels), softmax}
	c.steps = append(c.steps, r)
	return r
}
