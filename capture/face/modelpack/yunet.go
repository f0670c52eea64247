package modelpack

import "fmt"

// YuNetPlanes is how many numbers YuNetRows gives for each cell: the score of
// the class, the score of the object, and dx, dy, dw, dh of the box.
const YuNetPlanes = 6

// YuNetStrides are the sides of YuNet's cells in pixels of its input, in the
// order of the rows.
func YuNetStrides() [3]int { return [3]int{8, 16, 32} }

// YuNetRows returns YuNet with one output instead of twelve: a row of
// YuNetPlanes numbers for each cell of each stride. The five points of each
// face are left out.
//
// OpenCV runs the whole net once an output that is asked for by itself, and the
// binding leaks the names when several are asked for at once. So the outputs
// are joined within the net. That takes no parser: in protocol buffers a part
// that comes a second time is merged with the first, so that a model followed
// by a model of a few nodes is the model with those nodes added.
func YuNetRows(onnx []byte) []byte {
	g := &graph{}
	var strides []string
	for _, s := range YuNetStrides() {
		var planes []string
		for _, kind := range []string{"cls", "obj", "bbox"} {
			planes = append(planes, fmt.Sprintf("%s_%d", kind, s))
		}
		strides = append(strides, g.node("Concat", fmt.Sprintf("rows_%d", s), planes, integer("axis", 2)))
	}
	g.node("Concat", "rows", strides, integer("axis", 1))

	var body, tail message
	for _, n := range g.nodes {
		body.bytes(1, n)
	}
	body.bytes(12, valueInfo("rows", []int64{1, 0, YuNetPlanes}))
	tail.bytes(7, body)
	return append(onnx[:len(onnx):len(onnx)], tail...)
}
