package modelpack

import (
	"encoding/binary"
	"fmt"
	"math"
)

// This file writes the small part of ONNX (onnx.proto, IR version 7) that the
// nets need. Field numbers are those of onnx.proto; the wire form is that of
// protocol buffers.

const (
	irVersion    = 7  // the first whose opset 13 operators are all defined
	opset        = 13 // known to OpenCV 4.6 and to every current runtime
	elementFloat = 1  // TensorProto.DataType.FLOAT
)

// message is a protocol buffer message under construction.
type message []byte

// varint appends field = v as a variable-length integer.
func (m *message) varint(field int, v int64) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3)
	*m = binary.AppendUvarint(*m, uint64(v))
}

// bytes appends field = b as length and content.
func (m *message) bytes(field int, b []byte) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|2)
	*m = binary.AppendUvarint(*m, uint64(len(b)))
	*m = append(*m, b...)
}

func (m *message) text(field int, s string) { m.bytes(field, []byte(s)) }

// float appends field = v as 32 bits, little-endian.
func (m *message) float(field int, v float32) {
	*m = binary.AppendUvarint(*m, uint64(field)<<3|5)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(v))
}

// attribute is one AttributeProto.
type attribute []byte

func ints(name string, v ...int64) attribute {
	var m message
	m.text(1, name)
	for _, i := range v {
		m.varint(8, i)
	}
	m.varint(20, 7) // AttributeType.INTS
	return attribute(m)
}

func integer(name string, v int64) attribute {
	var m message
	m.text(1, name)
	m.varint(3, v)
	m.varint(20, 2) // AttributeType.INT
	return attribute(m)
}

func float(name string, v float32) attribute {
	var m message
	m.text(1, name)
	m.float(2, v)
	m.varint(20, 1) // AttributeType.FLOAT
	return attribute(m)
}

// graph is an ONNX graph under construction, with one input and one output.
// Values are named by the node that makes them.
type graph struct {
	name         string
	nodes        []message
	initializers []message
	inputs       message
	outputs      message
}

// input declares the graph's input, float32, and returns its name.
func (g *graph) input(name string, shape ...int64) string {
	g.inputs = valueInfo(name, shape)
	return name
}

// output declares the named value as the graph's output.
func (g *graph) output(name string, shape ...int64) { g.outputs = valueInfo(name, shape) }

// constant adds a tensor and returns its name.
func (g *graph) constant(name string, t tensor) string {
	var m message
	for _, d := range t.shape {
		m.varint(1, int64(d))
	}
	m.varint(2, elementFloat)
	m.text(8, name)
	raw := make([]byte, 0, 4*len(t.data))
	for _, v := range t.data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	m.bytes(9, raw)
	g.initializers = append(g.initializers, m)
	return name
}

// node adds one operator and returns the name of its only result. An empty
// name is made from the operator's and a running number.
func (g *graph) node(op, name string, inputs []string, attributes ...attribute) string {
	if name == "" {
		name = fmt.Sprintf("%s_%d", op, len(g.nodes))
	}
	var m message
	for _, in := range inputs {
		m.text(1, in)
	}
	m.text(2, name)
	m.text(3, name)
	m.text(4, op)
	for _, a := range attributes {
		m.bytes(5, a)
	}
	g.nodes = append(g.nodes, m)
	return name
}

// marshal returns the graph as a ModelProto.
func (g *graph) marshal() []byte {
	var body message
	for _, n := range g.nodes {
		body.bytes(1, n)
	}
	body.text(2, g.name)
	for _, t := range g.initializers {
		body.bytes(5, t)
	}
	body.bytes(11, g.inputs)
	body.bytes(12, g.outputs)

	var operators message // OperatorSetIdProto of the default domain
	operators.text(1, "")
	operators.varint(2, opset)

	var model message
	model.varint(1, irVersion)
	model.text(2, "emolab")
	model.bytes(7, body)
	model.bytes(8, operators)
	return model
}

// valueInfo describes a float32 value. A dimension of 0 is left open.
func valueInfo(name string, shape []int64) message {
	var dims message // TensorShapeProto
	for _, d := range shape {
		var dim message
		if d > 0 {
			dim.varint(1, d)
		} else {
			dim.text(2, "size")
		}
		dims.bytes(1, dim)
	}
	var tensorType, typ, info message
	tensorType.varint(1, elementFloat)
	tensorType.bytes(2, dims)
	typ.bytes(1, tensorType)
	info.text(1, name)
	info.bytes(2, typ)
	return info
}
