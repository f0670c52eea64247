package modelpack

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// tensor is one array of weights in the order of its shape, last index fastest.
type tensor struct {
	shape []int
	data  []float32
}

// weights are the tensors of one net by name.
type weights map[string]tensor

// get returns the named tensor if it has the wanted shape.
func (w weights) get(name string, shape ...int) (tensor, error) {
	t, ok := w[name]
	if !ok {
		return tensor{}, fmt.Errorf("weights %q are not in the manifest", name)
	}
	if !slices.Equal(t.shape, shape) {
		return tensor{}, fmt.Errorf("weights %q have shape %v, want %v", name, t.shape, shape)
	}
	return t, nil
}

// entry is one tensor as a TensorFlow.js weights manifest lists it.
type entry struct {
	Name         string `json:"name"`
	Shape        []int  `json:"shape"`
	Dtype        string `json:"dtype"`
	Quantization *struct {
		Dtype string  `json:"dtype"`
		Scale float64 `json:"scale"`
		Min   float64 `json:"min"`
	} `json:"quantization"`
}

// maxElements bounds the size of one tensor. The largest of the pack has
// 32,768 elements; the bound only keeps a broken manifest from asking for the
// whole memory.
const maxElements = 1 << 24

// decode walks a TensorFlow.js manifest in its order over the bytes of the
// weights. Quantised entries are one byte v each, standing for v*scale + min;
// all others are little-endian float32. Every byte must be used.
func decode(manifest, data []byte) (weights, error) {
	var groups []struct {
		Weights []entry `json:"weights"`
	}
	if err := json.Unmarshal(manifest, &groups); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	w := weights{}
	for _, g := range groups {
		for _, e := range g.Weights {
			if _, twice := w[e.Name]; twice {
				return nil, fmt.Errorf("manifest: %q is listed twice", e.Name)
			}
			t, n, err := e.decode(data)
			if err != nil {
				return nil, fmt.Errorf("manifest: %q: %w", e.Name, err)
			}
			w[e.Name] = t
			data = data[n:]
		}
	}
	if len(data) > 0 {
		return nil, fmt.Errorf("%d bytes of weights are left over after the last entry of the manifest", len(data))
	}
	return w, nil
}

// decode reads the entry's tensor from the head of data and returns how many
// bytes it took.
func (e entry) decode(data []byte) (tensor, int, error) {
	if e.Dtype != "float32" {
		return tensor{}, 0, fmt.Errorf("type %q is not supported, only float32", e.Dtype)
	}
	count := 1
	for _, d := range e.Shape {
		if d < 1 || d > maxElements || count*d > maxElements {
			return tensor{}, 0, fmt.Errorf("shape %v is empty or too large", e.Shape)
		}
		count *= d
	}
	size := 4
	if e.Quantization != nil {
		if e.Quantization.Dtype != "uint8" {
			return tensor{}, 0, fmt.Errorf("quantisation to %q is not supported, only uint8", e.Quantization.Dtype)
		}
		size = 1
	}
	if len(data) < count*size {
		return tensor{}, 0, fmt.Errorf("the weights end early: %d bytes wanted, %d left", count*size, len(data))
	}
	t := tensor{shape: e.Shape, data: make([]float32, count)}
	for i := range t.data {
		if q := e.Quantization; q != nil {
			t.data[i] = float32(float64(data[i])*q.Scale + q.Min)
		} else {
			t.data[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	}
	return t, count * size, nil
}

// transpose returns t with its axes in the order of perm, as numpy does.
func (t tensor) transpose(perm ...int) tensor {
	out := tensor{shape: make([]int, len(perm)), data: make([]float32, len(t.data))}
	stride := make([]int, len(t.shape)) // of the source, by source axis
	for i, s := len(t.shape)-1, 1; i >= 0; i-- {
		stride[i] = s
		s *= t.shape[i]
	}
	for i, p := range perm {
		out.shape[i] = t.shape[p]
	}
	index := make([]int, len(perm))
	for i := range out.data {
		from := 0
		for axis, k := range index {
			from += k * stride[perm[axis]]
		}
		out.data[i] = t.data[from]
		for axis := len(index) - 1; axis >= 0; axis-- {
			index[axis]++
			if index[axis] < out.shape[axis] {
				break
			}
			index[axis] = 0
		}
	}
	return out
}
