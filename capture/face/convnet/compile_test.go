package convnet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sketch builds a graph with random weights.
type sketch struct {
	*graph
	random *rand.Rand
}

func newSketch(seed uint64, size int) *sketch {
	return &sketch{
		&graph{tensors: map[string]tensor{}, input: valueInfo{"picture", []int{1, 3, size, size}}},
		rand.New(rand.NewPCG(seed, 1)),
	}
}

// constant adds weights of that shape, small enough that sums of many stay near 1.
func (s *sketch) constant(shape ...int) string {
	count, fan := 1, 1
	for i, d := range shape {
		count *= d
		if i > 0 {
			fan *= d
		}
	}
	t := tensor{shape: shape}
	for range count {
		t.data = append(t.data, float32(s.random.NormFloat64()/math.Sqrt(float64(fan))))
	}
	name := fmt.Sprintf("weights_%d", len(s.tensors))
	s.tensors[name] = t
	return name
}

// node adds a node with the attributes of a window where its size is not 0.
func (s *sketch) node(op string, inputs []string, w window, more map[string][]int) string {
	n := node{
		op: op, name: fmt.Sprintf("%s_%d", op, len(s.nodes)), inputs: inputs,
		ints: map[string][]int{}, floats: map[string]float32{},
	}
	n.outputs = []string{n.name}
	if w.size > 0 {
		n.ints["kernel_shape"] = []int{w.size, w.size}
		n.ints["strides"] = []int{w.stride, w.stride}
		n.ints["pads"] = []int{w.before, w.before, w.after, w.after}
	}
	for k, v := range more {
		n.ints[k] = v
	}
	if op == "LeakyRelu" {
		n.floats["alpha"] = .1
	}
	s.nodes = append(s.nodes, n)
	s.output = n.name
	return n.name
}

func (s *sketch) full(x string, in, out int, w window) string {
	return s.node("Conv", []string{x, s.constant(out, in, w.size, w.size), s.constant(out)}, w, nil)
}

func (s *sketch) separable(x string, in, out int, w window) string {
	x = s.node("Conv", []string{x, s.constant(in, 1, 3, 3)}, w, map[string][]int{"group": {in}})
	return s.full(x, in, out, window{1, 1, 0, 0})
}

func (s *sketch) one(op string, inputs ...string) string {
	return s.node(op, inputs, window{}, nil)
}

// picture returns random bytes, and what a net scaled by 1 sees of them.
func picture(random *rand.Rand, size int) ([]byte, volume) {
	pixels := make([]byte, 3*size*size)
	v := newVolume(3, size, size)
	for i := range pixels {
		pixels[i] = byte(random.IntN(256))
		v.data[(2-i%3)*size*size+i/3] = float64(pixels[i])/128 - 1
	}
	return pixels, v
}

// agree compares a graph, on each version of the inner loops that this
// processor can run, with the reference. It runs each net on two pictures, to
// see that nothing of the first is left.
func agree(t interface{ Fatalf(string, ...any) }, g *graph, random *rand.Rand, size int) {
	for level := 0; level <= simdLevel(); level++ {
		n, err := compile(g, size, level)
		if err != nil {
			t.Fatalf("level %d: %v", level, err)
		}
		n.scaling = Scaling{Mean: [3]float32{128, 128, 128}, Scale: 1. / 128}
		for range 2 {
			pixels, v := picture(random, size)
			got, err := n.Run(pixels)
			if err != nil {
				t.Fatalf("level %d: %v", level, err)
			}
			want := reference(g, v)
			if len(got) != len(want.data) {
				t.Fatalf("level %d: %d values, want %d", level, len(got), len(want.data))
			}
			for i, w := range want.data {
				if d := math.Abs(float64(got[i]) - w); !(d <= 1e-4*(1+math.Abs(w))) {
					t.Fatalf("level %d: value %d is %v, want %v", level, i, got[i], w)
				}
			}
		}
	}
}

// TestNetsAgreeWithTheReference draws nets of the kinds that there are, with
// numbers of channels and sizes that fill no block and no tile.
func TestNetsAgreeWithTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(9, 40).Draw(t, "size")
		s := newSketch(rapid.Uint64().Draw(t, "seed"), size)
		channels := rapid.IntRange(1, 37)
		pads := rapid.SampledFrom([]window{{3, 1, 0, 0}, {3, 1, 1, 1}, {3, 2, 0, 1}, {3, 2, 1, 1}})

		c := channels.Draw(t, "first")
		x := s.one("Relu", s.full("picture", 3, c, pads.Draw(t, "window")))
		if rapid.Bool().Draw(t, "pool") {
			next := channels.Draw(t, "next")
			stride := rapid.IntRange(1, 2).Draw(t, "stride")
			x = s.node("MaxPool", []string{x}, window{2, stride, 0, 1}, nil)
			x = s.one("LeakyRelu", s.separable(x, c, next, window{3, 1, 1, 1}))
			c = next
		}
		if rapid.Bool().Draw(t, "dense") { // each is fed the sum of all before it
			sum, next := x, x
			for range rapid.IntRange(1, 3).Draw(t, "layers") {
				o := s.separable(next, c, c, window{3, 1, 1, 1})
				if rapid.Bool().Draw(t, "order") {
					sum = s.one("Add", sum, o)
				} else {
					sum = s.one("Add", o, sum)
				}
				next = s.one("Relu", sum)
			}
		}
		agree(t, s.graph, s.random, size)
	})
}

func TestHeadsAgreeWithTheReference(t *testing.T) {
	for _, classes := range []int{1, 7, 136} {
		s := newSketch(uint64(classes), 14)
		x := s.one("Relu", s.full("picture", 3, 20, window{3, 2, 0, 1}))
		x = s.node("AveragePool", []string{x}, window{7, 7, 0, 0}, nil)
		x = s.node("Flatten", []string{x}, window{}, map[string][]int{"axis": {1}})
		x = s.node("Gemm", []string{x, s.constant(classes, 20), s.constant(classes)}, window{}, map[string][]int{"transB": {1}})
		agree(t, s.graph, s.random, 14)
		s.node("Softmax", []string{x}, window{}, map[string][]int{"axis": {1}})
		agree(t, s.graph, s.random, 14)
	}
}

// A layer that is not known must be refused: run wrongly, it would still answer.
func TestCompileRefuses(t *testing.T) {
	pointwise, same := window{1, 1, 0, 0}, window{3, 1, 1, 1}
	for name, tc := range map[string]struct {
		build func(s *sketch)
		want  string
	}{
		"an unknown layer":       {func(s *sketch) { s.one("Sigmoid", "picture") }, "not known"},
		"an activation alone":    {func(s *sketch) { s.one("Relu", "picture") }, "not known"},
		"a wide window":          {func(s *sketch) { s.full("picture", 3, 8, window{3, 1, 2, 2}) }, "pads"},
		"a window too large":     {func(s *sketch) { s.full("picture", 3, 8, window{21, 1, 0, 0}) }, "does not fit"},
		"other channels":         {func(s *sketch) { s.full("picture", 5, 8, same) }, "channels"},
		"a missing input":        {func(s *sketch) { s.full("nothing", 3, 8, same) }, "nothing"},
		"an output nobody makes": {func(s *sketch) { s.full("picture", 3, 8, same); s.output = "other" }, "other"},
		"depthwise at the end": {func(s *sketch) {
			x := s.full("picture", 3, 8, same)
			s.node("Conv", []string{x, s.constant(8, 1, 3, 3)}, same, map[string][]int{"group": {8}})
		}, "pointwise"},
		"groups of two": {func(s *sketch) {
			x := s.full("picture", 3, 8, same)
			x = s.node("Conv", []string{x, s.constant(8, 2, 3, 3)}, same, map[string][]int{"group": {4}})
			s.full(x, 8, 8, pointwise)
		}, "groups"},
		"a sum of different shapes": {func(s *sketch) {
			x := s.full("picture", 3, 8, same)
			s.one("Add", x, s.full("picture", 3, 8, window{3, 2, 0, 1}))
		}, "shapes"},
		"a mean of a part": {func(s *sketch) {
			s.node("AveragePool", []string{s.full("picture", 3, 8, same)}, window{2, 2, 0, 0}, nil)
		}, "whole map"},
		"a result made twice": {func(s *sketch) {
			x := s.full("picture", 3, 8, same)
			s.full(x, 8, 8, same)
			s.nodes[1].outputs = []string{x}
		}, "twice"},
		"padding left to the runtime": {func(s *sketch) {
			s.full("picture", 3, 8, window{3, 1, 0, 0})
			s.nodes[0].texts = map[string]string{"auto_pad": "SAME_UPPER"}
		}, "spelt out"},
		"an activation of two": {func(s *sketch) {
			x := s.full("picture", 3, 8, same)
			s.one("Relu", s.full("picture", 3, 8, same), x)
		}, "two values"},
		"a map that no memory holds": {func(s *sketch) { s.full("picture", 3, 1<<19, pointwise) }, "too large"},
		"a picture of one channel":   {func(s *sketch) { s.input.shape = []int{1, 1, 20, 20} }, "3 channels"},
		"another size":               {func(s *sketch) { s.input.shape = []int{1, 3, 30, 30} }, "30"},
		"something after the softmax": {func(s *sketch) {
			x := s.full("picture", 3, 8, window{20, 1, 0, 0})
			x = s.node("Softmax", []string{x}, window{}, map[string][]int{"axis": {1}})
			end := s.output
			s.full(x, 8, 8, pointwise)
			s.output = end
		}, "after the softmax"},
	} {
		s := newSketch(1, 20)
		tc.build(s)
		if _, err := compile(s.graph, 20, 0); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want something with %q", name, err, tc.want)
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	s := newSketch(1, 20)
	s.one("Relu", s.separable(s.one("Relu", s.full("picture", 3, 20, window{3, 2, 0, 1})), 20, 30, window{3, 1, 1, 1}))
	n, err := compile(s.graph, 20, simdLevel())
	if err != nil {
		t.Fatal(err)
	}
	pixels, _ := picture(s.random, 20)
	if got := testing.AllocsPerRun(20, func() {
		if _, err := n.Run(pixels); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("%v allocations in a run", got)
	}
	if _, err := n.Run(pixels[1:]); err == nil {
		t.Error("a picture that is too short is accepted")
	}
}
