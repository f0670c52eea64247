package face

import (
	"math"
	"testing"

	"emolab/capture/face/modelpack"
)

// yunetOutput is an output for an input of w x h in which no cell holds a face.
func yunetOutput(w, h int) []float32 {
	return make([]float32, modelpack.YuNetPlanes*yunetCells(w, h))
}

// put writes a face into the cell of the input's centre point x, y at a stride.
func put(raw []float32, w, h, stride int, box Rect, cls, obj float32) {
	first := 0
	for _, s := range modelpack.YuNetStrides() {
		if s == stride {
			break
		}
		first += (w / s) * (h / s)
	}
	s := float64(stride)
	cx, cy := (box.X+box.W/2)/s, (box.Y+box.H/2)/s
	col, row := math.Floor(cx), math.Floor(cy)
	i := first + int(row)*(w/stride) + int(col)
	copy(raw[modelpack.YuNetPlanes*i:], []float32{
		cls, obj, float32(cx - col), float32(cy - row), float32(math.Log(box.W / s)), float32(math.Log(box.H / s)),
	})
}

func TestDecodeYuNet(t *testing.T) {
	const w, h = 320, 224
	boxes := map[int]Rect{8: {20, 30, 17, 21}, 16: {100, 40, 40, 50}, 32: {150, 70, 120, 140}}
	raw := yunetOutput(w, h)
	score := map[int]float32{8: .81, 16: .9025, 32: .64}
	for stride, box := range boxes {
		put(raw, w, h, stride, box, score[stride], 1)
	}
	put(raw, w, h, 16, Rect{102, 56, 40, 50}, .49, .9) // the same face again, weaker
	put(raw, w, h, 8, Rect{280, 20, 20, 20}, .3, 1)    // too weak

	// A pixel of the input is two of the frame: everything is twice as large.
	found := decodeYuNet(raw, w, h, 2, .6)
	want := []detection{
		{Rect{200, 80, 80, 100}, .95}, {Rect{40, 60, 34, 42}, .9}, {Rect{300, 140, 240, 280}, .8},
	}
	if len(found) != len(want) {
		t.Fatalf("%d faces, want %d: %v", len(found), len(want), found)
	}
	for i, w := range want {
		g := found[i]
		if math.Abs(g.score-w.score) > 1e-6 || math.Abs(g.box.X-w.box.X) > 1e-3 || math.Abs(g.box.Y-w.box.Y) > 1e-3 ||
			math.Abs(g.box.W-w.box.W) > 1e-3 || math.Abs(g.box.H-w.box.H) > 1e-3 {
			t.Errorf("face %d: %v, want %v", i, g, w)
		}
	}
}

// TestDecodeYuNetTakesNoNonsense: a net that fails gives numbers that are none.
func TestDecodeYuNetTakesNoNonsense(t *testing.T) {
	raw := yunetOutput(96, 64)
	for i := range raw {
		raw[i] = float32(math.NaN())
	}
	if found := decodeYuNet(raw, 96, 64, 1, .5); len(found) != 0 {
		t.Errorf("%d faces in no numbers", len(found))
	}
}

func TestWholeCells(t *testing.T) {
	for n, want := range map[int]int{1: 32, 32: 32, 33: 64, 180: 192, 320: 320} {
		if got := wholeCells(n); got != want {
			t.Errorf("wholeCells(%d) is %d, want %d", n, got, want)
		}
	}
}
