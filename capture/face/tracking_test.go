//go:build !nocv

package face

import (
	"image"
	"image/color"
	"math"
	"testing"

	"gocv.io/x/gocv"
)

// scene is a grey picture that photographs are laid into.
func scene(width, height int) gocv.Mat {
	return gocv.NewMatWithSizeFromScalar(gocv.NewScalar(90, 100, 110, 0), height, width, gocv.MatTypeCV8UC3)
}

// paste lays a photograph into m, its top left corner at x, y and its side
// as given; what lies outside m is cut off.
func paste(t *testing.T, m gocv.Mat, name string, x, y, side int) {
	t.Helper()
	photo := gocv.IMRead(footage(t, name), gocv.IMReadColor)
	defer photo.Close()
	if photo.Empty() {
		t.Fatalf("%s cannot be read", name)
	}
	scaled := gocv.NewMat()
	defer scaled.Close()
	gocv.Resize(photo, &scaled, image.Pt(side, side), 0, 0, gocv.InterpolationArea)
	whole := image.Rect(0, 0, m.Cols(), m.Rows())
	seen := image.Rect(x, y, x+side, y+side).Intersect(whole)
	if seen.Empty() {
		return
	}
	from, to := scaled.Region(seen.Sub(image.Pt(x, y))), m.Region(seen)
	defer from.Close()
	defer to.Close()
	from.CopyTo(&to)
}

// look analyses m as the next frame.
func look(t *testing.T, a *Analyzer, m gocv.Mat) Result {
	t.Helper()
	r, err := a.Analyze(toFrame(m, 0))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// readFilm returns the first n frames of a video, or all of them.
func readFilm(t *testing.T, name string, n int) []gocv.Mat {
	t.Helper()
	v, err := gocv.VideoCaptureFile(footage(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var all []gocv.Mat
	for len(all) < n {
		m := gocv.NewMat()
		t.Cleanup(func() { m.Close() })
		if !v.Read(&m) {
			break
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no frames", name)
	}
	return all
}

// reacquisition is within how many frames a face that is back must be found.
const reacquisition = 3

func TestAFaceIsFollowed(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	for i, m := range readFilm(t, "single_face.mp4", 40) {
		r := look(t, a, m)
		if !r.Found || r.Tracked != (i > 0) || r.Faces != 1 || r.Confidence < keepThreshold {
			t.Errorf("frame %d: found %v, tracked %v, %d faces, confidence %.2f", i, r.Found, r.Tracked, r.Faces, r.Confidence)
		}
		sound(t, "single_face.mp4", r, m.Cols(), m.Rows())
	}
}

// What was followed must not stay when it has been painted over, and must be
// found again.
func TestAFaceThatGoesAndComesBack(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	film := readFilm(t, "single_face.mp4", 30)
	const gone, back = 8, 16
	missing := 0
	for i, m := range film {
		if i >= gone && i < back {
			gocv.Rectangle(&m, image.Rect(150, 40, 450, 360), color.RGBA{90, 80, 70, 255}, -1)
		}
		r := look(t, a, m)
		switch {
		case i >= gone && i < back:
			if r.Found {
				t.Errorf("frame %d: a face of confidence %.2f where it was painted over", i, r.Confidence)
			}
		case i >= back && !r.Found:
			missing++
		case i == gone-1 && !r.Found:
			t.Error("no face to begin with")
		}
	}
	if missing >= reacquisition {
		t.Errorf("found again after %d frames, want fewer than %d", missing, reacquisition)
	}
}

func TestACutToAnotherScene(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	here, there := scene(960, 540), scene(960, 540)
	defer here.Close()
	defer there.Close()
	paste(t, here, "0-f1-su-ph.jpg", 20, 20, 380)
	paste(t, there, "0-f15-hao-ph.jpg", 520, 130, 300)
	for range 5 {
		look(t, a, here)
	}
	for i := range 5 {
		r := look(t, a, there)
		if right := r.Found && r.Box.X > 500; !right && i >= reacquisition-1 {
			t.Errorf("%d frames after the cut: found %v at %.0f", i, r.Found, r.Box)
		}
		if i == 0 && r.Tracked {
			t.Error("a face on the other side is called the same one")
		}
	}
}

func TestAFaceThatMovesIsFollowed(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	var tracked int
	const steps = 30
	for i := range steps {
		m := scene(1280, 720)
		paste(t, m, "0-f15-hao-ph.jpg", 50+20*i, 100+4*i, 330+4*i)
		r := look(t, a, m)
		m.Close()
		if !r.Found {
			t.Errorf("step %d: lost", i)
		}
		if r.Tracked {
			tracked++
		}
	}
	if tracked < steps*9/10 {
		t.Errorf("followed in %d of %d frames", tracked, steps)
	}
}

// Two people swap their sizes for some seconds and back: the one that was
// followed is followed on, and both are counted. Who stays in front in the end
// is the participant.
func TestTwoFacesSwapSizes(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	both := func(left, right int) gocv.Mat {
		m := scene(1280, 720)
		paste(t, m, "0-f1-su-ph.jpg", 320-left/2, 360-left/2, left)
		paste(t, m, "0-f15-hao-ph.jpg", 960-right/2, 360-right/2, right)
		return m
	}
	before, after := both(560, 400), both(340, 620)
	defer before.Close()
	defer after.Close()

	for range 3 {
		if r := look(t, a, before); !r.Found || r.Box.X > 640 || r.Faces != 2 {
			t.Fatalf("found %v at %.0f, %d faces", r.Found, r.Box, r.Faces)
		}
	}
	// A moment: shorter than the searches that it takes to change one's mind.
	for i := range searchEvery {
		if r := look(t, a, after); !r.Found || r.Box.X > 640 {
			t.Fatalf("frame %d of another's being larger: found %v at %.0f", i, r.Found, r.Box)
		}
	}
	for range searchEvery { // a search finds the old order, and forgives
		look(t, a, before)
	}
	for i := range searchEvery * (rivalSearches - 1) {
		if r := look(t, a, after); !r.Found || r.Box.X > 640 {
			t.Fatalf("frame %d of the second time: found %v at %.0f", i, r.Found, r.Box)
		}
	}
	for range searchEvery * (rivalSearches + 1) {
		look(t, a, after)
	}
	if r := look(t, a, after); !r.Found || r.Box.X < 640 || r.Faces != 2 {
		t.Errorf("after %d searches: found %v at %.0f, %d faces", rivalSearches+1, r.Found, r.Box, r.Faces)
	}
}

// While the participant's face is hidden, nobody else's is taken for it.
func TestABystanderIsNotTakenForTheParticipant(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	both, alone := scene(1280, 720), scene(1280, 720)
	defer both.Close()
	defer alone.Close()
	paste(t, both, "0-f1-su-ph.jpg", 380, 100, 520)
	paste(t, both, "0-f15-hao-ph.jpg", 930, 200, 330)
	paste(t, alone, "0-f15-hao-ph.jpg", 930, 200, 330)
	for range 3 {
		if r := look(t, a, both); !r.Found || r.Faces != 2 {
			t.Fatalf("found %v, %d faces", r.Found, r.Faces)
		}
	}
	for i := range patience - 1 {
		if r := look(t, a, alone); r.Found {
			t.Fatalf("frame %d: the bystander at %.0f is taken for the participant", i, r.Box)
		}
	}
	if r := look(t, a, both); !r.Found || r.Box.X > 900 {
		t.Errorf("back again: found %v at %.0f", r.Found, r.Box)
	}
	for range patience + 1 {
		look(t, a, alone)
	}
	if r := look(t, a, alone); !r.Found {
		t.Error("somebody else who stays alone is never measured")
	}
}

// A camera that is opened again may show pictures of another size.
func TestAnotherSizeBeginsAnew(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	for i, size := range [][2]int{{1280, 720}, {640, 480}, {3840, 2160}} {
		m := scene(size[0], size[1])
		paste(t, m, "0-f15-hao-ph.jpg", size[0]/4, size[1]/8, size[1]*3/4)
		first, second := look(t, a, m), look(t, a, m)
		m.Close()
		if !first.Found || first.Tracked || !second.Tracked {
			t.Errorf("size %d: found %v, tracked %v then %v", i, first.Found, first.Tracked, second.Tracked)
		}
		if first.FrameW != size[0] || first.FrameH != size[1] {
			t.Errorf("size %v is reported as %dx%d", size, first.FrameW, first.FrameH)
		}
	}
}

// The mean of the crop and its mirror image must not care which of the two the
// camera shows; a single run does.
func TestTheExpressionOfAMirrorImageIsTheSame(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	single := newTestAnalyzer(t, Options{NoMirror: true})
	photo := gocv.IMRead(footage(t, "0-f1-su-ph.jpg"), gocv.IMReadColor)
	defer photo.Close()
	flipped := gocv.NewMat()
	defer flipped.Close()
	gocv.Flip(photo, &flipped, 1)
	// A square of whole pixels, so that the two crops are mirror images.
	const side = 336
	c := look(t, a, photo).Box.centre()
	box := Rect{math.Round(c.X) - side/2, math.Round(c.Y) - side/2, side, side}
	other := box
	other.X = float64(photo.Cols()) - box.X - side

	apart := func(a *Analyzer) (most float64) {
		t.Helper()
		p, ok, err := a.classify(photo, box)
		q, also, err2 := a.classify(flipped, other)
		if err != nil || err2 != nil || !ok || !also {
			t.Fatal(ok, also, err, err2)
		}
		for i := range p {
			most = max(most, math.Abs(p[i]-q[i]))
		}
		return most
	}
	if d := apart(a); d > .002 {
		t.Errorf("the mirror image's probabilities differ by %.4f", d)
	}
	if d := apart(single); d < .01 {
		t.Errorf("a single run differs by %.3f only: this picture tells nothing", d)
	}
}
