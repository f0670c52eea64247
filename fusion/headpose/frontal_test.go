package headpose

import (
	"math"
	"math/rand/v2"
	"testing"

	"emolab/fusion/landmark"
)

// act moves the points first to last of a head by dx and dy mm.
func (h *Head) act(first, last int, dx, dy float64) {
	for i := first; i <= last; i++ {
		h[i].X += dx
		h[i].Y += dy
	}
}

// front returns what Frontal makes of a head in a pose, which it has to find.
func front(t *testing.T, h *Head, cam Camera, p Pose) landmark.Face {
	t.Helper()
	generic := Generic()
	face := project(h, cam, p)
	found, ok := Solve(&face, &generic, cam, nil)
	if !ok {
		t.Fatalf("no pose for %+v", p)
	}
	return Frontal(&face, &generic, cam, found)
}

// apart returns the mean and the largest distance between two faces' points.
func apart(a, b *landmark.Face) (mean, most float64) {
	for i := range a {
		d := landmark.Distance(a[i], b[i])
		mean += d / float64(len(a))
		most = max(most, d)
	}
	return mean, most
}

// What the face does comes back as it was; how the head was turned is gone.
func TestFrontalKeepsTheExpressionAndDropsThePose(t *testing.T) {
	raised, smiling, gaping, shut := Generic(), Generic(), Generic(), Generic()
	raised.act(landmark.BrowRightFirst, landmark.BrowLeftLast, 0, -8)
	smiling.act(landmark.MouthRightCorner, landmark.MouthRightCorner, -7, -5)
	smiling.act(landmark.MouthLeftCorner, landmark.MouthLeftCorner, 7, -5)
	gaping.act(55, 59, 0, 20)
	for i, mm := range [...]float64{18, 17, 13, 8, 4} { // the jaw turns about its hinge
		gaping.act(landmark.Chin-i, landmark.Chin-i, 0, mm)
		if i > 0 {
			gaping.act(landmark.Chin+i, landmark.Chin+i, 0, mm)
		}
	}
	for _, lid := range [...]int{37, 38, 43, 44} {
		shut.act(lid, lid, 0, 7)
	}
	cam := camera()
	for _, tc := range []struct {
		name   string
		head   Head
		moved  int     // a point
		dx, dy float64 // mm that it moved
	}{
		{"at rest", Generic(), landmark.NoseTip, 0, 0},
		{"raised brows", raised, 19, 0, -8},
		{"a smile", smiling, landmark.MouthLeftCorner, 7, -5},
		{"an open mouth", gaping, 57, 0, 20},
		{"closed eyes", shut, 37, 0, 7},
	} {
		generic := Generic()
		rest := front(t, &generic, cam, Pose{Z: 600})
		r := rand.New(rand.NewPCG(3, 4))
		var worst, widest float64
		for range 200 {
			got := front(t, &tc.head, cam, randomPose(r))
			// Lids that move the eyes' centres change the unit by nothing that counts.
			if d := got.EyeDistance(); math.Abs(d-1) > 1e-9 {
				t.Fatalf("%s: the eyes are %v apart", tc.name, d)
			}
			dx := got[tc.moved].X - rest[tc.moved].X - tc.dx/63
			dy := got[tc.moved].Y - rest[tc.moved].Y - tc.dy/63
			worst = max(worst, math.Hypot(dx, dy))
			straight := front(t, &tc.head, cam, Pose{Z: 600})
			_, most := apart(&got, &straight)
			widest = max(widest, most)
		}
		t.Logf("%-14s the point is %.4f from its place at most, any point %.4f from its place in a face from the front", tc.name, worst, widest)
		// A millimetre is .016.
		if worst > .025 || widest > .035 {
			t.Errorf("%s: the point is up to %.3f from its place, some point %.3f from where it is in a face from the front", tc.name, worst, widest)
		}
	}
}

// Of a person unlike the generic head, the turned face looks much like the same
// face from the front: what is left is far below what expressions do.
func TestFrontalOfOtherProportions(t *testing.T) {
	cam, r := camera(), rand.New(rand.NewPCG(7, 8))
	var sum float64
	const heads = 300
	for range heads {
		h := stranger(r, .04, 1)
		p := randomPose(r)
		p.YawDeg, p.PitchDeg = p.YawDeg/2, p.PitchDeg/2 // to 20 degrees: before a screen
		got, want := front(t, &h, cam, p), front(t, &h, cam, Pose{Z: 600})
		mean, _ := apart(&got, &want)
		sum += mean / heads
	}
	t.Logf("points are %.4f apart in the mean", sum)
	if sum > .025 {
		t.Errorf("points of a face turned back are %.3f from those seen from the front in the mean, want at most .025", sum)
	}
}

// The generic head's own measures.
func TestGenericHead(t *testing.T) {
	h := Generic()
	for i, j := range landmark.Mirror() {
		if h[i].X != -h[j].X || h[i].Y != h[j].Y || h[i].Z != h[j].Z {
			t.Errorf("points %d and %d are not each other's mirror image: %v, %v", i, j, h[i], h[j])
		}
	}
	if d := h.eyeDistance(); math.Abs(d-63) > .25 {
		t.Errorf("the eyes are %.2f mm apart, want 63", d)
	}
	var y, z float64
	for _, i := range [...]int{landmark.EyeRightOuter, landmark.EyeRightInner, landmark.EyeLeftInner, landmark.EyeLeftOuter} {
		y, z = y+h[i].Y/4, z+h[i].Z/4
	}
	if math.Hypot(y, z) > .01 {
		t.Errorf("the middle of the eyes is at y %.2f, z %.2f", y, z)
	}
	for i, p := range h {
		if p.Z < h[landmark.NoseTip].Z {
			t.Errorf("point %d stands out further than the tip of the nose", i)
		}
	}
}

func BenchmarkFrontal(b *testing.B) {
	head, cam := Generic(), camera()
	p := Pose{YawDeg: 12, PitchDeg: -5, RollDeg: 3, Z: 600}
	face := project(&head, cam, p)
	for b.Loop() {
		Frontal(&face, &head, cam, p)
	}
}
