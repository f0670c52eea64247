//go:build !nocv

package face

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"emolab/capture/frame"
	"emolab/capture/portrait"
	"emolab/fusion/expression"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
	"emolab/fusion/visibility"
)

// judge assesses a result as is done with the samples of a stream.
func judge(r Result) visibility.Mask {
	v := visibility.View{
		Found: r.Found, Faces: float64(r.Faces), FrameW: float64(r.FrameW), FrameH: float64(r.FrameH),
		X: r.Box.X, Y: r.Box.Y, W: r.Box.W, H: r.Box.H,
		LumaFace: r.View.LumaFace, LumaAround: r.View.LumaAround, Clipped: r.View.Clipped,
		Sharpness: r.View.Sharpness, MouthCover: r.View.MouthCover, YawDeg: math.NaN(), PitchDeg: math.NaN(),
	}
	head := headpose.Generic()
	if p, ok := headpose.Solve(&r.Landmarks, &head, headpose.CameraOf(v.FrameW, v.FrameH), nil); r.Found && ok {
		v.YawDeg, v.PitchDeg, _ = p.Facing()
	}
	return visibility.Assess(&v)
}

// matOf makes a picture of a frame's bytes.
func matOf(t testing.TB, f frame.Frame) gocv.Mat {
	t.Helper()
	m, err := gocv.NewMatFromBytes(f.Height, f.Width, gocv.MatTypeCV8UC3, f.Pix)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestViewWithoutAFace(t *testing.T) {
	var v view
	defer v.Close()
	for _, size := range [][2]int{{1280, 720}, {1, 1}, {1, 400}, {640, 1}} {
		m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(40, 80, 120, 0), size[1], size[0], gocv.MatTypeCV8UC3)
		r := Result{FrameW: size[0], FrameH: size[1]}
		v.measure(m, &r)
		m.Close()
		if want := (View{LumaAround: luma(40, 80, 120)}); math.Abs(r.View.LumaAround-want.LumaAround) > 1e-9 || r.View.LumaFace != 0 {
			t.Errorf("%v: %+v, want %+v", size, r.View, want)
		}
	}
}

// The face and what is around it are told apart.
func TestViewTellsTheFaceFromItsSurroundings(t *testing.T) {
	var v view
	defer v.Close()
	m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(200, 200, 200, 0), 720, 1280, gocv.MatTypeCV8UC3)
	defer m.Close()
	part := m.Region(image.Rect(500, 200, 750, 500))
	part.SetTo(gocv.NewScalar(50, 50, 50, 0))
	part.Close()
	r := Result{Found: true, Box: Rect{500, 200, 250, 300}}
	v.measure(m, &r)
	if r.View.LumaFace != 50 || r.View.LumaAround != 200 || r.View.Clipped != 0 || !math.IsNaN(r.View.MouthCover) {
		t.Errorf("%+v", r.View)
	}
	r.Box = Rect{2000, 2000, 250, 300}
	v.measure(m, &r)
	if !math.IsNaN(r.View.LumaFace) || !math.IsNaN(r.View.Sharpness) {
		t.Errorf("a face outside the picture: %+v", r.View)
	}
}

// The woman of this film holds a hand before her mouth from frame 62 to 229. From
// 89 on it lies on the lips or beside them over one corner; before, a fist is
// raised below the lips, which remain to be seen. From 445 on she bows her head
// aside.
func TestFilmHandOverTheMouth(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	const every = 3 // frames
	var covered, under, free, bowed share
	var w visibility.Watch
	advised := map[string]share{}
	for i, r := range filmEvery(t, a, "WolfgangLanger_Pexels.mp4", every) {
		n := i * every
		mask := judge(r)
		w.Add(instant.Instant(n)*instant.Instant(time.Second)/24, r.Found, mask)
		// A hand that hides the face is as well told by no face at all.
		hit := !r.Found || mask&visibility.MouthCovered != 0
		switch {
		case n >= 89 && n <= 226:
			covered.add(hit)
			s := advised["hand"]
			s.add(n < 89+36 || w.Advice() != "")
			advised["hand"] = s
		case n >= 62 && n < 89:
			under.add(hit)
		case n < 57 || n >= 240 && n < 445:
			free.add(hit)
			if n < 57 || n > 226+48 {
				s := advised["free"]
				s.add(w.Advice() == "")
				advised["free"] = s
			}
		case n >= 445:
			bowed.add(hit)
		}
	}
	t.Logf("flagged: hand on the lips %v, fist below them %v, free %v, free and bowed %v; advice right: %v", covered, under, free, bowed, advised)
	if covered.part() < .9 {
		t.Errorf("of the covered mouths %v are flagged, want .9", covered)
	}
	if free.part() > .05 {
		t.Errorf("of the free mouths %v are flagged, want at most .05", free)
	}
	for when, s := range advised {
		if s.part() < .95 {
			t.Errorf("%s: the advice is right in %v of the frames, want .95", when, s)
		}
	}
}

// share counts how often something is so.
type share struct{ yes, all int }

func (s *share) add(yes bool) {
	s.all++
	if yes {
		s.yes++
	}
}

func (s share) part() float64 { return float64(s.yes) / float64(s.all) }

func (s share) String() string { return fmt.Sprintf("%d of %d", s.yes, s.all) }

// filmEvery analyses each nth frame of a video.
func filmEvery(t *testing.T, a *Analyzer, name string, n int) []Result {
	t.Helper()
	v, err := gocv.VideoCaptureFile(footage(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	m := gocv.NewMat()
	defer m.Close()
	var all []Result
	for i := 0; v.Read(&m); i++ {
		if i%n != 0 {
			continue
		}
		r, err := a.Analyze(toFrame(m, int64(i)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// A mouth that smiles and shows its teeth is not covered.
func TestFilmSmileIsFree(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	for i, r := range filmEvery(t, a, "single_face.mp4", 4) {
		if mask := judge(r); !r.Found || mask != 0 {
			t.Errorf("frame %d: found %v, %q, %+v", 4*i, r.Found, mask.Words(), r.View)
		}
	}
}

// What is done to a good picture is what is found wrong with it.
func TestSpoiltPictures(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := still(t, "single_face.jpg")
	good := matOf(t, f)
	defer good.Close()
	for _, c := range []struct {
		name  string
		spoil func(from gocv.Mat, to *gocv.Mat)
		want  visibility.Mask
	}{
		{"as it is", func(m gocv.Mat, to *gocv.Mat) { m.CopyTo(to) }, 0},
		{"a little darker", func(m gocv.Mat, to *gocv.Mat) { m.ConvertToWithParams(to, gocv.MatTypeCV8UC3, .6, 0) }, 0},
		{"dark", func(m gocv.Mat, to *gocv.Mat) { m.ConvertToWithParams(to, gocv.MatTypeCV8UC3, .2, 0) }, visibility.TooDark},
		{"overexposed", func(m gocv.Mat, to *gocv.Mat) { m.ConvertToWithParams(to, gocv.MatTypeCV8UC3, 1.7, 0) }, visibility.Glare},
		{"out of focus", func(m gocv.Mat, to *gocv.Mat) {
			gocv.GaussianBlur(m, to, image.Point{}, 4, 4, gocv.BorderReplicate)
		}, visibility.Blurred},
		{"moved aside", func(m gocv.Mat, to *gocv.Mat) { gocv.Blur(m, to, image.Pt(13, 1)) }, visibility.Blurred},
		{"far away", func(m gocv.Mat, to *gocv.Mat) {
			gocv.Resize(m, to, image.Pt(m.Cols()/3, m.Rows()/3), 0, 0, gocv.InterpolationArea)
		}, visibility.TooSmall},
	} {
		spoilt := gocv.NewMat()
		c.spoil(good, &spoilt)
		a.Reset()
		r, err := a.Analyze(toFrame(spoilt, 0))
		spoilt.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got := judge(r); !r.Found || got != c.want {
			t.Errorf("%s: found %v, %q, want %q (%+v, face %.0f px high)", c.name, r.Found, got.Words(), c.want.Words(), r.View, r.Box.H)
		}
	}
}

// A grey picture does not show what lips are: the mouth is not known to be
// covered.
func TestGreyPicture(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	f := still(t, "single_face.jpg")
	for i := 0; i < len(f.Pix); i += 3 {
		l := byte(luma(float64(f.Pix[i]), float64(f.Pix[i+1]), float64(f.Pix[i+2])))
		f.Pix[i], f.Pix[i+1], f.Pix[i+2] = l, l, l
	}
	if r, err := a.Analyze(f); err != nil || !r.Found || !math.IsNaN(r.View.MouthCover) {
		t.Errorf("%v, found %v, %+v", err, r.Found, r.View)
	}
}

// The drawn participant: a free mouth whatever it expresses, a hand before it,
// a lamp switched off, a window behind.
func TestPortraitView(t *testing.T) {
	a := newTestAnalyzer(t, Options{})
	paint := portrait.NewPainter(640, 480, 1)
	r := rand.New(rand.NewPCG(20, 26))
	within := func(limit float64) float64 { return limit * (2*r.Float64() - 1) }
	for _, c := range []struct {
		name   string
		change func(*portrait.Look)
		want   visibility.Mask
		may    visibility.Mask // be wrong as well
		unseen bool            // no face found is as right
	}{
		{"as it is", func(*portrait.Look) {}, 0, 0, false},
		{"hand", func(l *portrait.Look) { l.Hand = 1 }, visibility.MouthCovered, 0, true},
		{"dark", func(l *portrait.Look) { l.Light = .15 }, visibility.TooDark, 0, false},
		{"window", func(l *portrait.Look) { l.Back = 1 }, visibility.BackLit, visibility.Glare | visibility.Blurred, false},
	} {
		var found, right share
		for _, e := range expression.Names() {
			for range 4 {
				l := portrait.Look{
					Expression: e, Intensity: 1, GazeX: within(.4), GazeY: within(.6),
					Roll: within(8), Scale: 1 + within(.2), ShiftX: within(60), ShiftY: within(25),
				}
				c.change(&l)
				a.Reset()
				got, err := a.Analyze(frame.Frame{Width: 640, Height: 480, Pix: paint.Paint(l)})
				if err != nil {
					t.Fatal(err)
				}
				mask := judge(got)
				found.add(got.Found)
				ok := mask&^c.may == c.want || c.unseen && !got.Found
				right.add(ok)
				if !ok {
					t.Logf("%s, %s: found %v, %q, %+v", c.name, e, got.Found, mask.Words(), got.View)
				}
			}
		}
		t.Logf("%s: found in %v, judged rightly in %v", c.name, found, right)
		if right.part() < .95 {
			t.Errorf("%s: %v judged rightly, want .95", c.name, right)
		}
	}
}

func BenchmarkView(b *testing.B) {
	for _, size := range []image.Point{{640, 480}, {1280, 720}, {1920, 1080}} {
		b.Run(fmt.Sprint(size.Y, "p"), func(b *testing.B) {
			whole := gocv.NewMatWithSize(size.Y, size.X, gocv.MatTypeCV8UC3)
			defer whole.Close()
			from := matOf(b, still(b, "single_face.jpg"))
			defer from.Close()
			gocv.Resize(from, &whole, size, 0, 0, gocv.InterpolationLinear)
			r := Result{Found: true, Landmarks: facePoints()}
			eyes := float64(size.Y) / 5 // of a face .6 m from the camera
			for i := range r.Landmarks {
				p := &r.Landmarks[i]
				p.X, p.Y = float64(size.X)/2+eyes*p.X, float64(size.Y)/3+eyes*p.Y
			}
			r.Box = bounds(r.Landmarks[:])
			var v view
			defer v.Close()
			b.ReportAllocs()
			for b.Loop() {
				v.measure(whole, &r)
			}
		})
	}
}
