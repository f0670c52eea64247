//go:build !nocv

package face

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"gocv.io/x/gocv"

	"emolab/capture/frame"
	"emolab/fusion/expression"
)

// footage returns the name of a file of the shared test footage, or skips.
func footage(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("EMOLAB_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared") // beside the repository
	}
	path := filepath.Join(root, "data", "face", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the test footage is not there (set EMOLAB_SHARED): %v", err)
	}
	return path
}

// toFrame copies a picture into a frame.
func toFrame(m gocv.Mat, seq int64) frame.Frame {
	return frame.Frame{Seq: seq, Width: m.Cols(), Height: m.Rows(), Pix: m.ToBytes()}
}

// still reads a photograph.
func still(t testing.TB, name string) frame.Frame {
	t.Helper()
	m := gocv.IMRead(footage(t, name), gocv.IMReadColor)
	defer m.Close()
	if m.Empty() {
		t.Fatalf("%s cannot be read", name)
	}
	return toFrame(m, 0)
}

// film analyses every frame of a video.
func film(t *testing.T, a *Analyzer, name string) []Result {
	t.Helper()
	v, err := gocv.VideoCaptureFile(footage(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	m := gocv.NewMat()
	defer m.Close()
	var all []Result
	for v.Read(&m) {
		r, err := a.Analyze(toFrame(m, int64(len(all))))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no frames", name)
	}
	return all
}

func TestStills(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	for name, want := range map[string]int{"0-f1-su-ph.jpg": expression.Surprised, "0-f15-hao-ph.jpg": expression.Happy, "single_face.jpg": expression.Happy} {
		f := still(t, name)
		a.Reset()
		r, err := a.Analyze(f)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Found || r.Expression.Top() != want || r.Expression[want] < .8 {
			t.Errorf("%s: found %v, %.2f, want %s", name, r.Found, r.Expression, expression.Names()[want])
		}
		sound(t, name, r, f.Width, f.Height)
	}
}

// sound checks what holds for every face in a picture of that size.
func sound(t *testing.T, name string, r Result, width, height int) {
	t.Helper()
	var sum float64
	for _, p := range r.Expression {
		sum += p
	}
	if math.Abs(sum-1) > 1e-4 {
		t.Errorf("%s: the probabilities add up to %v", name, sum)
	}
	// iBUG: 36-41 and 42-47 eyes, 30 tip of the nose, 48-67 mouth, 8 chin.
	left, right := bounds(r.Landmarks[36:42]), bounds(r.Landmarks[42:48])
	mouth := bounds(r.Landmarks[48:])
	if !(left.X+left.W < right.X) {
		t.Errorf("%s: the eyes overlap: %v %v", name, left, right)
	}
	nose, chin := r.Landmarks[30].Y, r.Landmarks[8].Y
	if !(left.Y < nose && nose < mouth.Y+mouth.H && mouth.Y < chin) {
		t.Errorf("%s: eyes %.0f, nose %.0f, mouth %.0f, chin %.0f are out of order", name, left.Y, nose, mouth.Y, chin)
	}
	if b := r.Box; b.X < -b.W/4 || b.Y < -b.H/4 || b.X+b.W > float64(width)+b.W/4 || b.Y+b.H > float64(height)+b.H/4 {
		t.Errorf("%s: the box %v lies outside the picture", name, b)
	}
}

// The man of this film is neutral and begins to smile at frame 18 (.6 s).
func TestFilmTurnsFromNeutralToHappy(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	all := film(t, a, "single_face.mp4")
	const smile, blur = 18, 4
	var right int
	for i, r := range all {
		if !r.Found {
			t.Errorf("frame %d: no face", i)
			continue
		}
		want := expression.Neutral
		if i >= smile {
			want = expression.Happy
		}
		if r.Expression.Top() == want || i >= smile-blur && i < smile+blur {
			right++
		}
	}
	if share := float64(right) / float64(len(all)); share < .95 {
		t.Errorf("%.0f %% of the frames are read rightly, want 95", 100*share)
	}
	if v := all[5].Valence; math.Abs(v) > .2 {
		t.Errorf("valence while neutral is %.2f", v)
	}
	if v := all[40].Valence; v < .6 {
		t.Errorf("valence while smiling is %.2f", v)
	}
}

func TestNoFaceIsClaimedWhereThereIsNone(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	for i, r := range film(t, a, "no_face.mp4") {
		if r.Found || r.Faces != 0 || r.Box != (Rect{}) || r.Confidence != 0 {
			t.Errorf("frame %d: %.2f %v", i, r.Confidence, r.Box)
		}
	}
}

func TestOddPictures(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	for _, size := range [][2]int{{1, 1}, {1, 400}, {640, 1}, {31, 17}, {3840, 2160}} {
		f := frame.Frame{Width: size[0], Height: size[1], Pix: make([]byte, 3*size[0]*size[1])}
		if r, err := a.Analyze(f); err != nil || r.Found {
			t.Errorf("%v: %v, found %v", size, err, r.Found)
		}
	}
	for name, f := range map[string]frame.Frame{
		"empty":        {},
		"short":        {Width: 10, Height: 10, Pix: make([]byte, 299)},
		"upside down":  {Width: -10, Height: -10, Pix: make([]byte, 300)},
		"one channel":  {Width: 10, Height: 10, Pix: make([]byte, 100)},
		"without data": {Width: 10, Height: 10},
	} {
		if _, err := a.Analyze(f); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A frame is shared with others: its pixels must come back as they were.
func TestAnalyzeLeavesTheFrameAlone(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := still(t, "0-f15-hao-ph.jpg")
	before := append([]byte(nil), f.Pix...)
	first, err := a.Analyze(f)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(f.Pix) {
		t.Error("Analyze changed the picture")
	}
	// And after a Reset the answer does not depend on what was seen before.
	if _, err := a.Analyze(still(t, "0-f1-su-ph.jpg")); err != nil {
		t.Fatal(err)
	}
	a.Reset()
	if again, err := a.Analyze(f); err != nil || again != first {
		t.Errorf("the second answer differs from the first: %v, %v", again.Expression, err)
	}
}

func BenchmarkAnalyze(b *testing.B) {
	a := newTestAnalyzer(b, Options{})
	f := still(b, "single_face.jpg")
	m, err := gocv.NewMatFromBytes(f.Height, f.Width, gocv.MatTypeCV8UC3, f.Pix)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	r, err := a.Analyze(f)
	if err != nil || !r.Found {
		b.Fatalf("no face to measure with: %v", err)
	}
	for _, stage := range []struct {
		name string
		run  func() error
	}{
		{"whole", func() error { _, err := a.Analyze(f); return err }},
		{"detect", func() error { _, err := a.detector.detect(m); return err }},
		{"landmarks", func() error { _, _, err := a.locate(m, r.Box); return err }},
		{"expression", func() error { _, _, err := a.classify(m, r.Box); return err }},
	} {
		b.Run(stage.name, func(b *testing.B) {
			for b.Loop() {
				if err := stage.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
