package headpose

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"emolab/fusion/landmark"
)

// camera is that of the tests, 1280x720.
func camera() Camera { return CameraOf(1280, 720) }

// project returns the landmarks of a head in a pose, independently of the
// solver: three rotations written out, then a pinhole.
func project(h *Head, cam Camera, p Pose) landmark.Face {
	sy, cy := math.Sincos(p.YawDeg * math.Pi / 180)
	sp, cp := math.Sincos(p.PitchDeg * math.Pi / 180)
	sr, cr := math.Sincos(p.RollDeg * math.Pi / 180)
	var f landmark.Face
	for i, q := range h {
		y, z := q.Y*cp-q.Z*sp, q.Y*sp+q.Z*cp
		x, z := q.X*cy-z*sy, q.X*sy+z*cy
		x, y = x*cr-y*sr, x*sr+y*cr
		f[i].X = cam.CentreX + cam.Focal*(x+p.X)/(z+p.Z)
		f[i].Y = cam.CentreY + cam.Focal*(y+p.Y)/(z+p.Z)
	}
	return f
}

// randomPose turns the head by up to 40 degrees about each axis, at a
// participant's distance and not only in the middle of the picture.
func randomPose(r *rand.Rand) Pose {
	within := func(limit float64) float64 { return limit * (2*r.Float64() - 1) }
	return Pose{
		YawDeg: within(40), PitchDeg: within(40), RollDeg: within(40),
		X: within(150), Y: within(80), Z: 550 + within(200),
	}
}

// jitter moves every landmark by a Gaussian of sigma pixels along each axis.
func jitter(f *landmark.Face, r *rand.Rand, sigma float64) {
	for i := range f {
		f[i].X += sigma * r.NormFloat64()
		f[i].Y += sigma * r.NormFloat64()
	}
}

// stranger returns a head whose proportions differ: wider, longer and deeper or
// the contrary by a share, every point elsewhere by some mm, alike on both sides.
func stranger(r *rand.Rand, share, mm float64) Head {
	h := Generic()
	kx, ky, kz := 1+share*r.NormFloat64(), 1+share*r.NormFloat64(), 1+share*r.NormFloat64()
	for i, j := range landmark.Mirror() {
		if j < i {
			continue
		}
		dx, dy, dz := mm*r.NormFloat64(), mm*r.NormFloat64(), mm*r.NormFloat64()
		if i == j {
			dx = 0
		}
		h[i].X, h[i].Y, h[i].Z = kx*h[i].X+dx, ky*h[i].Y+dy, kz*h[i].Z+dz
		h[j] = h[i]
		if i != j {
			h[j].X = -h[i].X
		}
	}
	return h
}

// missed is how far the angles of a pose are from the true ones.
type missed struct{ yaw, pitch, roll []float64 }

func (m *missed) add(got, want Pose) {
	m.yaw = append(m.yaw, math.Abs(got.YawDeg-want.YawDeg))
	m.pitch = append(m.pitch, math.Abs(got.PitchDeg-want.PitchDeg))
	m.roll = append(m.roll, math.Abs(math.Remainder(got.RollDeg-want.RollDeg, 360)))
}

// quantile returns the q-quantiles of the three errors.
func (m *missed) quantile(q float64) (yaw, pitch, roll float64) {
	at := func(v []float64) float64 {
		v = slices.Sorted(slices.Values(v))
		return v[int(q*float64(len(v)-1))]
	}
	return at(m.yaw), at(m.pitch), at(m.roll)
}

func TestSolveFindsTheTurn(t *testing.T) {
	const heads, limit = 1500, 2.0 // degrees
	generic, cam := Generic(), camera()
	for _, tc := range []struct {
		name      string
		noise     float64 // of the landmarks, in parts of the distance between the eyes
		share, mm float64 // of the proportions
		wild      int     // landmarks gone astray
	}{
		{name: "1 % of the eye distance", noise: .01},
		{name: "1 % of the face's height", noise: .021}, // 136 mm of 63
		{name: "other proportions, 1 % of the eye distance", noise: .01, share: .04, mm: 1},
		{name: "other proportions, 1 % of the face's height", noise: .021, share: .04, mm: 1},
		{name: "one wild landmark", noise: .01, wild: 1},
		{name: "three wild landmarks", noise: .01, wild: 3},
	} {
		r := rand.New(rand.NewPCG(1, 40))
		var m missed
		refused := 0
		for range heads {
			want, h := randomPose(r), generic
			if tc.share > 0 {
				h = stranger(r, tc.share, tc.mm)
			}
			face := project(&h, cam, want)
			eyes := cam.Focal * h.eyeDistance() / want.Z
			jitter(&face, r, tc.noise*eyes)
			for range tc.wild {
				i := r.IntN(landmark.Count)
				face[i].X += eyes * r.NormFloat64()
				face[i].Y += eyes * r.NormFloat64()
			}
			got, ok := Solve(&face, &generic, cam, nil)
			if !ok {
				refused++
				continue
			}
			m.add(got, want)
		}
		yaw, pitch, roll := m.quantile(.5)
		yaw9, pitch9, roll9 := m.quantile(.9)
		t.Logf("%-48s median %.2f %.2f %.2f, 90 %% below %.2f %.2f %.2f degrees, %d of %d refused",
			tc.name, yaw, pitch, roll, yaw9, pitch9, roll9, refused, heads)
		if refused > heads/100 {
			t.Errorf("%s: %d of %d heads were refused", tc.name, refused, heads)
		}
		if max(yaw, pitch, roll) > limit {
			t.Errorf("%s: median errors of yaw, pitch, roll are %.2f, %.2f, %.2f degrees, want at most %v", tc.name, yaw, pitch, roll, limit)
		}
	}
}

// drawPose draws any pose that a face can be seen in.
func drawPose(t *rapid.T) Pose {
	return Pose{
		YawDeg:   rapid.Float64Range(-60, 60).Draw(t, "yaw"),
		PitchDeg: rapid.Float64Range(-50, 50).Draw(t, "pitch"),
		RollDeg:  rapid.Float64Range(-179, 179).Draw(t, "roll"),
		X:        rapid.Float64Range(-200, 200).Draw(t, "x"),
		Y:        rapid.Float64Range(-100, 100).Draw(t, "y"),
		Z:        rapid.Float64Range(300, 2000).Draw(t, "z"),
	}
}

// near fails unless two poses agree in their angles to tolerance degrees.
func near(t *rapid.T, got, want Pose, tolerance float64) {
	t.Helper()
	roll := math.Remainder(got.RollDeg-want.RollDeg, 360)
	if max(math.Abs(got.YawDeg-want.YawDeg), math.Abs(got.PitchDeg-want.PitchDeg), math.Abs(roll)) > tolerance {
		t.Fatalf("the pose is %+v, want %+v", got, want)
	}
}

func TestSolveInvertsTheProjection(t *testing.T) {
	head, cam := Generic(), camera()
	rapid.Check(t, func(t *rapid.T) {
		want := drawPose(t)
		face := project(&head, cam, want)
		got, ok := Solve(&face, &head, cam, nil)
		if !ok {
			t.Fatalf("no pose for %+v", want)
		}
		near(t, got, want, 1e-3)
		if math.Hypot(got.X-want.X, got.Y-want.Y) > 1e-3*want.Z || math.Abs(got.Z-want.Z) > 1e-3*want.Z || got.Residual > 1e-4 {
			t.Fatalf("the pose is %+v, want %+v", got, want)
		}
	})
}

// A search that begins at the pose before ends where one without it does.
func TestSolveDoesNotDependOnTheFrameBefore(t *testing.T) {
	head, cam := Generic(), camera()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPose(t)
		face := project(&head, cam, p)
		jitter(&face, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)), .01*cam.Focal*63/p.Z)
		cold, ok := Solve(&face, &head, cam, nil)
		if !ok {
			t.Fatalf("no pose for %+v", p)
		}
		before := cold
		before.YawDeg += rapid.Float64Range(-15, 15).Draw(t, "turned")
		before.PitchDeg += rapid.Float64Range(-15, 15).Draw(t, "nodded")
		before.Z *= rapid.Float64Range(.8, 1.2).Draw(t, "nearer")
		warm, ok := Solve(&face, &head, cam, &before)
		if !ok {
			t.Fatalf("no pose for %+v from %+v", p, before)
		}
		near(t, warm, cold, .01)
	})
}

// In a mirror, yaw and roll change sign and pitch does not.
func TestSolveMirrored(t *testing.T) {
	head, cam := Generic(), Camera{Focal: 1000}
	rapid.Check(t, func(t *rapid.T) {
		p := drawPose(t)
		face := project(&head, cam, p)
		jitter(&face, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2)), .01*cam.Focal*63/p.Z)
		mirrored := face.Mirrored()
		a, okA := Solve(&face, &head, cam, nil)
		b, okB := Solve(&mirrored, &head, cam, nil)
		if !okA || !okB {
			t.Fatalf("no pose for %+v", p)
		}
		b.YawDeg, b.RollDeg = -b.YawDeg, -b.RollDeg
		near(t, b, a, 1e-3)
	})
}

// A picture turned about its middle turns the roll and nothing else; a picture
// of another size changes no angle.
func TestSolveTurnedAndScaledPicture(t *testing.T) {
	head, cam := Generic(), camera()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPose(t)
		by := rapid.Float64Range(-90, 90).Draw(t, "turned by")
		scale := rapid.Float64Range(.1, 4).Draw(t, "scale")
		face := project(&head, cam, p)
		jitter(&face, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3)), .01*cam.Focal*63/p.Z)
		want, ok := Solve(&face, &head, cam, nil)
		if !ok {
			t.Fatalf("no pose for %+v", p)
		}
		sin, cos := math.Sincos(by * math.Pi / 180)
		other := Camera{scale * cam.Focal, 40, 30}
		for i, l := range face {
			x, y := scale*(l.X-cam.CentreX), scale*(l.Y-cam.CentreY)
			face[i] = landmark.Point{X: 40 + cos*x - sin*y, Y: 30 + sin*x + cos*y}
		}
		got, ok := Solve(&face, &head, other, nil)
		if !ok {
			t.Fatalf("no pose for %+v in the other picture", p)
		}
		want.RollDeg += by
		near(t, got, want, 1e-3)
	})
}

func TestSolveRefusesWhatIsNoHead(t *testing.T) {
	head, cam := Generic(), camera()
	front := project(&head, cam, Pose{Z: 600})
	unknown, point := front, landmark.Face{}
	unknown[30].X = math.NaN()
	for i := range point {
		point[i] = landmark.Point{X: 100, Y: 100}
	}
	inside := front
	for i := range inside { // seen from within: the nose away from the camera
		q := project(&head, cam, Pose{YawDeg: 180, Z: 600})
		inside[i] = q[i]
	}
	var line landmark.Face
	for i := range line {
		line[i] = landmark.Point{X: float64(10 * i), Y: 50}
	}
	for _, tc := range []struct {
		name string
		face landmark.Face
		head Head
		cam  Camera
	}{
		{"not a number", unknown, head, cam},
		{"all in one place", point, head, cam},
		{"all on a line", line, head, cam},
		{"a camera without a focal length", front, head, Camera{}},
		{"from behind", inside, head, cam},
	} {
		for _, before := range []*Pose{nil, {Z: 600}} {
			if p, ok := Solve(&tc.face, &tc.head, tc.cam, before); ok {
				t.Errorf("%s, from %v: %+v", tc.name, before, p)
			}
		}
	}

	flat := head
	for i := range flat {
		flat[i].Z = 0
	}
	if p, ok := Solve(&front, &flat, cam, nil); ok {
		t.Errorf("a head without depth: %+v", p)
	}

	r := rand.New(rand.NewPCG(5, 6))
	accepted := 0
	for range 500 {
		var cloud landmark.Face
		for i := range cloud {
			cloud[i] = landmark.Point{X: 400 + 200*r.Float64(), Y: 200 + 200*r.Float64()}
		}
		if _, ok := Solve(&cloud, &head, cam, nil); ok {
			accepted++
		}
	}
	if accepted > 0 {
		t.Errorf("%d of 500 clouds of random points were taken for heads", accepted)
	}
}

func BenchmarkSolve(b *testing.B) {
	head, cam := Generic(), camera()
	r := rand.New(rand.NewPCG(1, 2))
	const n = 64
	var faces [n]landmark.Face
	var before [n]Pose
	for i := range faces {
		p := randomPose(r)
		faces[i] = project(&head, cam, p)
		jitter(&faces[i], r, .01*cam.Focal*63/p.Z)
		before[i], _ = Solve(&faces[i], &head, cam, nil)
		// A frame ago, a quick head was elsewhere: 60 degrees a second at 30 Hz.
		before[i].YawDeg += 2
		before[i].X += 3
	}
	b.Run("warm", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			Solve(&faces[i%n], &head, cam, &before[i%n])
		}
	})
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			Solve(&faces[i%n], &head, cam, nil)
		}
	})
}
