//go:build !nocv

package face

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gocv.io/x/gocv"
)

// speckled returns m with the lowest bit of one byte in 1,000 flipped: less than
// any camera's noise, or any codec's loss.
func speckled(t *testing.T, m gocv.Mat, seed uint64) gocv.Mat {
	t.Helper()
	out := m.Clone()
	t.Cleanup(func() { out.Close() })
	pixels, err := out.DataPtrUint8()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, 1))
	for range len(pixels) / 1000 {
		pixels[random.IntN(len(pixels))] ^= 1
	}
	return out
}

// What nobody can see must not be in the result: following a face must not turn
// the least difference of two pictures into another reading. With crops of whole
// pixels, the 95th percentiles of these frames were .070 and .0156.
func TestWhatCannotBeSeenChangesLittle(t *testing.T) {
	const (
		probabilityLimit = .05
		landmarkLimit    = .01 // parts of the face's size
	)
	film, as, bs := readFilm(t, "WolfgangLanger_Pexels.mp4", 200), newTestAnalyzer(t, Options{}), newTestAnalyzer(t, Options{})
	var probability, landmarks []float64
	for i, m := range film {
		a, b := look(t, as, m), look(t, bs, speckled(t, m, uint64(i)))
		if a.Found != b.Found {
			t.Errorf("frame %d: found %v and %v", i, a.Found, b.Found)
		}
		if !a.Found || !b.Found {
			continue
		}
		var p, l float64
		for k := range a.Expression {
			p = max(p, math.Abs(a.Expression[k]-b.Expression[k]))
		}
		for k, q := range a.Landmarks {
			l = max(l, math.Hypot(q.X-b.Landmarks[k].X, q.Y-b.Landmarks[k].Y)/a.Box.size())
		}
		probability, landmarks = append(probability, p), append(landmarks, l)
	}
	p95 := func(v []float64) float64 { return slices.Sorted(slices.Values(v))[len(v)*95/100] }
	p, l := p95(probability), p95(landmarks)
	t.Logf("95 %% of %d frames: a probability by %.3f, a landmark by %.4f of the face's size", len(probability), p, l)
	if p > probabilityLimit || l > landmarkLimit {
		t.Errorf("95 %% of the frames: a probability by %.3f, a landmark by %.4f of the face's size; want %v and %v", p, l, probabilityLimit, landmarkLimit)
	}
}
