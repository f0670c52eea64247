package convnet

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// packed returns the nets of the embedded pack, none where there is no pack.
func packed(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "models", "*.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	nets := map[string][]byte{}
	for _, name := range names {
		if nets[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return nets
}

// The pack's nets as a whole, on each version of the inner loops. Both sides
// read the same file: that the file is right is for package face to test.
func TestThePackAgreesWithTheReference(t *testing.T) {
	nets := packed(t)
	if len(nets) == 0 {
		t.Skip("no model pack in capture/face/models: run `make models`")
	}
	for name, onnx := range nets {
		g, err := parse(onnx)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		size := 112
		if g.input.shape[2] == 0 {
			size = 96
		}
		t.Run(name, func(t *testing.T) { agree(t, g, newSketch(1, size).random, size) })
	}
}

func TestParseRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":        {},
		"text":           []byte("version https://git-lfs.github.com/spec/v1"),
		"an empty graph": {7<<3 | 2, 0},
		"a cut graph":    {7<<3 | 2, 100, 1},
	} {
		if _, err := New(b, 112, Scaling{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, onnx := range packed(t) {
		if _, err := New(onnx[:len(onnx)/2], 112, Scaling{}); err == nil {
			t.Errorf("half of %s: accepted", name)
		}
	}
}

// marshal writes a graph as an ONNX file.
func marshal(g *graph) []byte {
	number := func(b []byte, field, v int) []byte {
		return binary.AppendUvarint(binary.AppendUvarint(b, uint64(field)<<3), uint64(v))
	}
	bytes := func(b []byte, field int, content []byte) []byte {
		b = binary.AppendUvarint(b, uint64(field)<<3|2)
		return append(binary.AppendUvarint(b, uint64(len(content))), content...)
	}
	text := func(b []byte, field int, s string) []byte { return bytes(b, field, []byte(s)) }

	var body []byte
	for _, n := range g.nodes {
		var m []byte
		for _, in := range n.inputs {
			m = text(m, 1, in)
		}
		m = text(text(text(m, 2, n.outputs[0]), 3, n.name), 4, n.op)
		for name, values := range n.ints {
			a := text(nil, 1, name)
			for _, v := range values {
				if len(values) == 1 {
					a = number(a, 3, v)
				} else {
					a = number(a, 8, v)
				}
			}
			m = bytes(m, 5, a)
		}
		for name, v := range n.floats {
			a := binary.AppendUvarint(text(nil, 1, name), 2<<3|5)
			m = bytes(m, 5, binary.LittleEndian.AppendUint32(a, math.Float32bits(v)))
		}
		body = bytes(body, 1, m)
	}
	for name, t := range g.tensors {
		var m, raw []byte
		for _, d := range t.shape {
			m = number(m, 1, d)
		}
		for _, v := range t.data {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		body = bytes(body, 5, bytes(text(number(m, 2, 1), 8, name), 9, raw))
	}
	value := func(name string, shape []int) []byte {
		var dims []byte
		for _, d := range shape {
			dims = bytes(dims, 1, number(nil, 1, d))
		}
		return bytes(text(nil, 1, name), 2, bytes(nil, 1, bytes(nil, 2, dims)))
	}
	body = bytes(body, 11, value(g.input.name, g.input.shape))
	body = bytes(body, 12, value(g.output, nil))
	return bytes(nil, 7, body)
}

// small is a graph with one of each layer.
func small() *sketch {
	const size = 16
	s := newSketch(1, size)
	x := s.one("LeakyRelu", s.full("picture", 3, 4, window{3, 1, 1, 1}))
	x = s.node("MaxPool", []string{x}, window{2, 2, 0, 1}, nil)
	x = s.one("Relu", s.one("Add", x, s.separable(x, 4, 4, window{3, 1, 1, 1})))
	x = s.node("AveragePool", []string{x}, window{8, 8, 0, 0}, nil)
	x = s.node("Flatten", []string{x}, window{}, map[string][]int{"axis": {1}})
	x = s.node("Gemm", []string{x, s.constant(3, 4), s.constant(3)}, window{}, map[string][]int{"transB": {1}})
	s.node("Softmax", []string{x}, window{}, map[string][]int{"axis": {1}})
	return s
}

func TestParseReadsWhatWasWritten(t *testing.T) {
	want := small()
	got, err := parse(marshal(want.graph))
	if err != nil {
		t.Fatal(err)
	}
	agree(t, got, want.random, 16)
	pixels, v := picture(want.random, 16)
	n, err := New(marshal(want.graph), 16, Scaling{Mean: [3]float32{128, 128, 128}, Scale: 1. / 128})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := n.Run(pixels)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range reference(want.graph, v).data {
		if math.Abs(float64(answer[i])-w) > 1e-5 {
			t.Errorf("value %d is %v, want %v", i, answer[i], w)
		}
	}
}

// Whatever the bytes are, a net is built from them that runs, or an error tells
// why not.
func FuzzNew(f *testing.F) {
	f.Add(marshal(small().graph))
	f.Add([]byte{7<<3 | 2, 4, 1<<3 | 2, 2, 4<<3 | 2, 0})
	const size = 16
	pixels := make([]byte, 3*size*size)
	f.Fuzz(func(t *testing.T, onnx []byte) {
		n, err := New(onnx, size, Scaling{Scale: 1})
		if err != nil {
			return
		}
		if _, err := n.Run(pixels); err != nil {
			t.Error(err)
		}
	})
}
