package convnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// This file reads the small part of ONNX (onnx.proto) that such nets use. Field
// numbers are those of onnx.proto; the wire form is that of protocol buffers.

// graph is an ONNX graph.
type graph struct {
	nodes   []node
	tensors map[string]tensor
	input   valueInfo
	output  string
}

// node is one operator.
type node struct {
	op      string
	name    string
	inputs  []string
	outputs []string
	ints    map[string][]int
	floats  map[string]float32
	texts   map[string]string
}

// out is the node's only result.
func (n node) out() string { return n.outputs[0] }

// tensor is a constant of float32.
type tensor struct {
	shape []int
	data  []float32
}

// valueInfo describes a value. A dimension that is left open is 0.
type valueInfo struct {
	name  string
	shape []int
}

// parse reads an ONNX file. It checks what parsing needs; whether the graph
// makes sense is for compile to say.
func parse(onnx []byte) (*graph, error) {
	g := &graph{tensors: map[string]tensor{}}
	var seen bool
	err := fields(onnx, func(f field) error {
		if f.number != 7 { // ModelProto.graph
			return nil
		}
		seen = true
		return g.parse(f.bytes)
	})
	if err == nil && !seen {
		err = errors.New("there is no graph in it")
	}
	if err != nil {
		return nil, fmt.Errorf("this is no ONNX net: %w", err)
	}
	return g, nil
}

func (g *graph) parse(b []byte) error {
	var inputs []valueInfo
	var outputs int
	err := fields(b, func(f field) (err error) {
		switch f.number {
		case 1:
			var n node
			if n, err = parseNode(f.bytes); err == nil {
				g.nodes = append(g.nodes, n)
			}
		case 5:
			var name string
			var t tensor
			if name, t, err = parseTensor(f.bytes); err == nil {
				g.tensors[name] = t
			}
		case 11:
			var v valueInfo
			if v, err = parseValueInfo(f.bytes); err == nil {
				inputs = append(inputs, v)
			}
		case 12:
			var v valueInfo
			if v, err = parseValueInfo(f.bytes); err == nil {
				g.output = v.name
				outputs++
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, v := range inputs { // older files list the constants too
		if _, constant := g.tensors[v.name]; constant {
			continue
		}
		if g.input.name != "" {
			return fmt.Errorf("two inputs, %s and %s", g.input.name, v.name)
		}
		g.input = v
	}
	if g.input.name == "" || outputs != 1 {
		return fmt.Errorf("input %q, %d outputs: want one of each", g.input.name, outputs)
	}
	return nil
}

func parseNode(b []byte) (node, error) {
	n := node{ints: map[string][]int{}, floats: map[string]float32{}, texts: map[string]string{}}
	err := fields(b, func(f field) error {
		switch f.number {
		case 1:
			n.inputs = append(n.inputs, string(f.bytes))
		case 2:
			n.outputs = append(n.outputs, string(f.bytes))
		case 3:
			n.name = string(f.bytes)
		case 4:
			n.op = string(f.bytes)
		case 5:
			return n.attribute(f.bytes)
		}
		return nil
	})
	if err == nil && len(n.outputs) != 1 {
		err = fmt.Errorf("node %q has %d results, want 1", n.name, len(n.outputs))
	}
	return n, err
}

// attribute reads an AttributeProto. Kinds that no known layer has are left out.
func (n *node) attribute(b []byte) error {
	var name, text string
	var number []int
	var float float32
	err := fields(b, func(f field) error {
		switch f.number {
		case 1:
			name = string(f.bytes)
		case 2:
			float = math.Float32frombits(uint32(f.value))
		case 3:
			number = append(number, int(int64(f.value)))
		case 4:
			text = string(f.bytes)
		case 8:
			return f.varints(func(v uint64) { number = append(number, int(int64(v))) })
		}
		return nil
	})
	n.ints[name], n.floats[name], n.texts[name] = number, float, text
	return err
}

// integer returns the integer attribute of that name, or what it is by default.
func (n node) integer(name string, byDefault int) int {
	if v := n.ints[name]; len(v) > 0 {
		return v[0]
	}
	return byDefault
}

// float returns the attribute of that name, or what it is by default.
func (n node) float(name string, byDefault float32) float32 {
	if v, ok := n.floats[name]; ok {
		return v
	}
	return byDefault
}

// largestTensor bounds the values of one constant: the largest of the face nets
// has 131,072.
const largestTensor = 1 << 26

func parseTensor(b []byte) (name string, t tensor, err error) {
	var raw []byte
	kind := uint64(0)
	err = fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.varints(func(v uint64) { t.shape = append(t.shape, int(int64(v))) })
		case 2:
			kind = f.value
		case 4:
			for b := f.bytes; len(b) >= 4; b = b[4:] {
				t.data = append(t.data, math.Float32frombits(binary.LittleEndian.Uint32(b)))
			}
		case 8:
			name = string(f.bytes)
		case 9:
			raw = f.bytes
		}
		return nil
	})
	if err != nil || kind != 1 { // a constant of another kind is no weight
		return name, tensor{}, err
	}
	for ; len(raw) >= 4; raw = raw[4:] {
		t.data = append(t.data, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	}
	count := 1
	for _, d := range t.shape {
		if d < 1 || count > largestTensor/d {
			return name, t, fmt.Errorf("constant %q has the shape %v", name, t.shape)
		}
		count *= d
	}
	if len(t.data) != count {
		return name, t, fmt.Errorf("constant %q of shape %v has %d values", name, t.shape, len(t.data))
	}
	return name, t, nil
}

func parseValueInfo(b []byte) (v valueInfo, err error) {
	err = fields(b, func(f field) error {
		switch f.number {
		case 1:
			v.name = string(f.bytes)
		case 2: // type
			return fields(f.bytes, func(f field) error {
				if f.number != 1 { // tensor_type
					return nil
				}
				return fields(f.bytes, func(f field) error {
					if f.number != 2 { // shape
						return nil
					}
					return fields(f.bytes, func(f field) error {
						var dim int
						err := fields(f.bytes, func(f field) error {
							if f.number == 1 {
								dim = int(int64(f.value))
							}
							return nil
						})
						v.shape = append(v.shape, dim)
						return err
					})
				})
			})
		}
		return nil
	})
	return v, err
}

// field is one field of a protocol buffer message: value for numbers, bytes for
// all that has a length.
type field struct {
	number int
	value  uint64
	bytes  []byte
}

// varints calls do with each number of a repeated field, packed or not.
func (f field) varints(do func(uint64)) error {
	if f.bytes == nil {
		do(f.value)
		return nil
	}
	for b := f.bytes; len(b) > 0; {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return errCut
		}
		do(v)
		b = b[n:]
	}
	return nil
}

var errCut = errors.New("the file is cut off or damaged")

// fields calls do with each field of a message.
func fields(b []byte, do func(field) error) error {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 || key>>3 == 0 || key>>3 > math.MaxInt32 {
			return errCut
		}
		b = b[n:]
		f := field{number: int(key >> 3)}
		switch key & 7 {
		case 0:
			if f.value, n = binary.Uvarint(b); n <= 0 {
				return errCut
			}
			b = b[n:]
		case 1:
			if len(b) < 8 {
				return errCut
			}
			f.value, b = binary.LittleEndian.Uint64(b), b[8:]
		case 2:
			length, n := binary.Uvarint(b)
			if n <= 0 || length > uint64(len(b)-n) {
				return errCut
			}
			f.bytes, b = b[n:n+int(length):n+int(length)], b[n+int(length):]
		case 5:
			if len(b) < 4 {
				return errCut
			}
			f.value, b = uint64(binary.LittleEndian.Uint32(b)), b[4:]
		default:
			return errCut
		}
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}
