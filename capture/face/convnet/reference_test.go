package convnet

import (
	"fmt"
	"math"
)

// volume is a map without tricks: channel by channel, row by row, in float64.
type volume struct {
	channels, height, width int
	data                    []float64
}

func newVolume(channels, height, width int) volume {
	return volume{channels, height, width, make([]float64, channels*height*width)}
}

// at returns a value, 0 outside.
func (v volume) at(c, y, x int) float64 {
	if y < 0 || x < 0 || y >= v.height || x >= v.width {
		return 0
	}
	return v.data[(c*v.height+y)*v.width+x]
}

func (v volume) apply(f func(float64) float64) volume {
	out := newVolume(v.channels, v.height, v.width)
	for i, x := range v.data {
		out.data[i] = f(x)
	}
	return out
}

// reference computes a graph node by node, as the definitions of the ONNX
// operators have it.
func reference(g *graph, picture volume) volume {
	values := map[string]volume{g.input.name: picture}
	for _, n := range g.nodes {
		in := values[n.inputs[0]]
		var out volume
		switch n.op {
		case "Conv":
			out = referenceConv(g, n, in)
		case "Relu":
			out = in.apply(func(x float64) float64 { return max(0, x) })
		case "LeakyRelu":
			out = in.apply(func(x float64) float64 {
				if x < 0 {
					x *= float64(n.floats["alpha"])
				}
				return x
			})
		case "Add":
			other := values[n.inputs[1]]
			out = newVolume(in.channels, in.height, in.width)
			for i := range out.data {
				out.data[i] = in.data[i] + other.data[i]
			}
		case "MaxPool":
			stride, end := n.ints["strides"][0], n.ints["pads"][2]
			out = newVolume(in.channels, (in.height+end-2)/stride+1, (in.width+end-2)/stride+1)
			for c := range out.channels {
				for y := range out.height {
					for x := range out.width {
						top := math.Inf(-1)
						for _, tap := range [][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
							if r, q := y*stride+tap[0], x*stride+tap[1]; r < in.height && q < in.width {
								top = max(top, in.at(c, r, q))
							}
						}
						out.data[(c*out.height+y)*out.width+x] = top
					}
				}
			}
		case "AveragePool":
			out = newVolume(in.channels, 1, 1)
			for c := range in.channels {
				for i := range in.height * in.width {
					out.data[c] += in.data[c*in.height*in.width+i] / float64(in.height*in.width)
				}
			}
		case "Flatten":
			out = in
		case "Gemm":
			w, bias := g.tensors[n.inputs[1]], g.tensors[n.inputs[2]]
			out = newVolume(w.shape[0], 1, 1)
			for o := range out.channels {
				out.data[o] = float64(bias.data[o])
				for i := range in.channels {
					out.data[o] += in.data[i] * float64(w.data[o*in.channels+i])
				}
			}
		case "Softmax":
			var sum float64
			out = in.apply(math.Exp)
			for _, x := range out.data {
				sum += x
			}
			out = out.apply(func(x float64) float64 { return x / sum })
		default:
			panic(fmt.Sprintf("the reference knows no %s", n.op))
		}
		values[n.out()] = out
	}
	return values[g.output]
}

func referenceConv(g *graph, n node, in volume) volume {
	w := g.tensors[n.inputs[1]]
	size, stride, before, after := w.shape[2], n.ints["strides"][0], n.ints["pads"][0], n.ints["pads"][2]
	out := newVolume(w.shape[0], (in.height+before+after-size)/stride+1, (in.width+before+after-size)/stride+1)
	each := in.channels / n.integer("group", 1)
	for o := range out.channels {
		for y := range out.height {
			for x := range out.width {
				var sum float64
				if len(n.inputs) > 2 {
					sum = float64(g.tensors[n.inputs[2]].data[o])
				}
				for i := range each {
					from := i
					if each == 1 && in.channels > 1 {
						from = o // by itself
					}
					for ky := range size {
						for kx := range size {
							sum += in.at(from, y*stride+ky-before, x*stride+kx-before) * float64(w.data[((o*each+i)*size+ky)*size+kx])
						}
					}
				}
				out.data[(o*out.height+y)*out.width+x] = sum
			}
		}
	}
	return out
}
