//go:build !nocv

package portrait_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"emolab/capture/frame"
	"emolab/capture/portrait"
	"emolab/fusion/headpose"
)

// quantile returns the q-quantile of some errors.
func quantile(v []float64, q float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[int(q*float64(len(v)-1))]
}

// The turns of the drawn head can be measured through the real landmark net: in
// themselves, and from the pose in which the drawing looks straight ahead, as a
// participant's turns are measured from that participant's own zero.
func TestNetsMeasureTheTurns(t *testing.T) {
	a := analyzer(t)
	const heads, limit = 40, 4.0 // degrees, median
	paint := portrait.NewPainter(640, 480, 1)
	generic, camera := headpose.Generic(), headpose.CameraOf(640, 480)
	// The drawing is seen from far away: a head beside the picture's middle looks
	// as one in it.
	measure := func(l portrait.Look) (angles [3]float64, ok bool) {
		a.Reset() // the pictures are not a film
		r, err := a.Analyze(frame.Frame{Width: 640, Height: 480, Pix: paint.Paint(l)})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Found {
			return angles, false
		}
		p, ok := headpose.Solve(&r.Landmarks, &generic, camera, nil)
		angles[0], angles[1], angles[2] = p.Facing()
		return angles, ok
	}
	zero, ok := measure(portrait.Look{})
	if !ok {
		t.Fatal("no pose of a head that looks straight ahead")
	}
	t.Logf("straight ahead: yaw %.1f, pitch %.1f, roll %.1f degrees", zero[0], zero[1], zero[2])

	r := rand.New(rand.NewPCG(4, 4))
	within := func(limit float64) float64 { return limit * (2*r.Float64() - 1) }
	var relative, absolute [3][]float64
	for range heads {
		l := portrait.Look{
			Yaw: within(10), Pitch: within(6), Roll: within(8),
			Scale: 1 + within(.2), ShiftX: within(60), ShiftY: within(25),
		}
		got, ok := measure(l)
		if !ok {
			continue
		}
		for i, want := range [3]float64{l.Yaw, l.Pitch, l.Roll} {
			absolute[i] = append(absolute[i], math.Abs(got[i]-want))
			relative[i] = append(relative[i], math.Abs(got[i]-zero[i]-want))
		}
	}
	if n := len(relative[0]); n < heads*3/4 { // how many faces are found is tested elsewhere
		t.Errorf("a pose was found in only %d of %d pictures", n, heads)
	}
	for i, axis := range [...]string{"yaw", "pitch", "roll"} {
		t.Logf("%-5s from straight ahead: median error %.2f, nine of ten below %.2f; absolute: %.2f, %.2f degrees", axis,
			quantile(relative[i], .5), quantile(relative[i], .9), quantile(absolute[i], .5), quantile(absolute[i], .9))
		if got := quantile(relative[i], .5); got > limit {
			t.Errorf("%s: median error %.2f degrees from straight ahead, want at most %v", axis, got, limit)
		}
		if got := quantile(absolute[i], .5); got > limit {
			t.Errorf("%s: median error %.2f degrees, want at most %v", axis, got, limit)
		}
	}
}
