package facial

import (
	"fmt"
	"math"
	"testing"
	"time"

	"emolab/fusion/expression"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
	"emolab/fusion/landmark"
	"emolab/fusion/stream"
	"emolab/fusion/visibility"
)

const ms = time.Millisecond

var nan = math.NaN()

// faceInfo is a face stream's, its channels in another order than the camera's.
func faceInfo(landmarks bool) stream.Info {
	names := []string{"mouth_cover", "faces", "frame_w_px", "frame_h_px", "box_x_px", "box_y_px", "box_w_px", "box_h_px",
		"luma_face", "luma_around", "face_clipped", "face_sharpness", "something_else", "face_found"}
	for _, n := range expression.Names() {
		names = append(names, "p_"+n)
	}
	for i := range landmark.Count {
		if landmarks {
			names = append(names, fmt.Sprintf("lm%02d_y_px", i), fmt.Sprintf("lm%02d_x_px", i))
		}
	}
	info := stream.Info{ID: "face", Kind: stream.Face}
	for _, n := range names {
		info.Channels = append(info.Channels, stream.Channel{Name: n})
	}
	return info
}

// seen is how a head looks that is turned by yaw degrees, 600 mm away from a
// camera of 640x480, its lids shut by a part of their opening.
func seen(yawDeg, shut float64) landmark.Face {
	head := headpose.Generic()
	for _, lid := range [][2]int{{37, 41}, {38, 40}, {43, 47}, {44, 46}} {
		upper, lower := &head[lid[0]], &head[lid[1]]
		upper.Y += shut * (lower.Y - upper.Y)
	}
	sin, cos := math.Sincos(yawDeg * math.Pi / 180)
	var f landmark.Face
	for i, p := range head {
		x, z := p.X*cos-p.Z*sin, p.X*sin+p.Z*cos
		f[i] = landmark.Point{X: 320 + 640*x/(600+z), Y: 240 + 640*p.Y/(600+z)}
	}
	return f
}

// sample makes a sample of what values names; the rest is NaN.
func sample(info stream.Info, at time.Duration, face *landmark.Face, values map[string]float64) stream.Sample {
	s := stream.Sample{At: instant.Instant(time.Hour + at), Values: make([]float64, len(info.Channels))}
	for i, c := range info.Channels {
		v, ok := values[c.Name]
		if !ok {
			v = nan
		}
		s.Values[i] = v
	}
	for i := range landmark.Count {
		if x, y := info.Index(fmt.Sprintf("lm%02d_x_px", i)), info.Index(fmt.Sprintf("lm%02d_y_px", i)); face != nil && x >= 0 {
			s.Values[x], s.Values[y] = face[i].X, face[i].Y
		}
	}
	return s
}

func wellSeen() map[string]float64 {
	v := map[string]float64{"face_found": 1, "faces": 1, "frame_w_px": 640, "frame_h_px": 480,
		"box_x_px": 250, "box_y_px": 200, "box_w_px": 140, "box_h_px": 150,
		"luma_face": 120, "luma_around": 100, "face_clipped": 0, "face_sharpness": 1, "mouth_cover": 0}
	for _, n := range expression.Names() {
		v["p_"+n] = 1. / 7
	}
	return v
}

func TestMeter(t *testing.T) {
	info := faceInfo(true)
	m := NewMeter(info)
	face := seen(12, 0)
	v := wellSeen()
	v["p_sad"] = .7
	got := m.Measure(sample(info, time.Second, &face, v))
	if !got.Found || !got.Posed || got.At != instant.Instant(time.Hour+time.Second) || got.Expression[expression.Sad] != .7 || got.View != 0 {
		t.Errorf("%+v", got)
	}
	if p := got.Pose; math.Abs(p.YawDeg-12) > .5 || math.Abs(p.PitchDeg) > .5 || math.Abs(p.RollDeg) > .5 || p.Residual > .01 {
		t.Errorf("a head turned by 12 degrees is read as %+v", p)
	}
	brows := face.Centre(landmark.BrowRightFirst, landmark.BrowLeftLast)
	if want := landmark.Distance(brows, face[landmark.Chin]); got.HeightPX != want {
		t.Errorf("height %v, want %v", got.HeightPX, want)
	}
	for _, f := range got.Features {
		if math.IsNaN(f) {
			t.Fatalf("measures %v", got.Features)
		}
	}
}

// The aspect ratio of the eyes is that from the front: turning the head does not
// open or close them.
func TestMeterSeesTheEyesFromTheFront(t *testing.T) {
	info := faceInfo(true)
	straight := seen(0, 0)
	want := NewMeter(info).Measure(sample(info, 0, &straight, wellSeen()))
	if want.EARRight < .15 || want.EARRight > .5 || math.Abs(want.EARRight-want.EARLeft) > 1e-6 {
		t.Fatalf("aspect ratios %v, %v of a generic head", want.EARRight, want.EARLeft)
	}
	for _, yaw := range []float64{-25, 10, 25} {
		turned := seen(yaw, 0)
		got := NewMeter(info).Measure(sample(info, 0, &turned, wellSeen()))
		if math.Abs(got.EARRight/want.EARRight-1) > .02 || math.Abs(got.EARLeft/want.EARLeft-1) > .02 {
			t.Errorf("turned by %v degrees the eyes read %v and %v, straight %v", yaw, got.EARRight, got.EARLeft, want.EARRight)
		}
	}
	half := seen(10, .5)
	got := NewMeter(info).Measure(sample(info, 0, &half, wellSeen()))
	if r := got.EARLeft / want.EARLeft; math.Abs(r-.5) > .05 {
		t.Errorf("half shut, an eye reads %v of what it does open", r)
	}
}

func TestMeterWithout(t *testing.T) {
	face := seen(0, 0)
	lost := face
	lost[40].X = nan
	one := landmark.Face{}
	for name, tc := range map[string]struct {
		landmarks bool
		face      *landmark.Face
		change    map[string]float64
		found     bool
		view      visibility.Mask
	}{
		"a face":             {true, nil, map[string]float64{"face_found": 0, "luma_around": 10}, false, visibility.TooDark},
		"any value":          {true, nil, map[string]float64{"face_found": nan, "luma_around": nan, "faces": nan}, false, 0},
		"landmarks":          {false, &face, nil, true, 0},
		"one landmark":       {true, &lost, nil, true, 0},
		"the size of frames": {true, &face, map[string]float64{"frame_w_px": nan}, true, 0},
		"a shape":            {true, &one, nil, true, 0},
	} {
		info := faceInfo(tc.landmarks)
		v := wellSeen()
		for k, x := range tc.change {
			v[k] = x
		}
		got := NewMeter(info).Measure(sample(info, 0, tc.face, v))
		if got.Found != tc.found || got.Posed || !math.IsNaN(got.EARRight) || !math.IsNaN(got.EARLeft) || !math.IsNaN(got.Features[0]) {
			t.Errorf("without %s: %+v", name, got)
		}
		if got.View != tc.view {
			t.Errorf("without %s the view is %v", name, got.View.Words())
		}
	}
	empty := NewMeter(stream.Info{}).Measure(stream.Sample{})
	if empty.Found || empty.Posed || empty.View != 0 {
		t.Errorf("of a stream without channels: %+v", empty)
	}
}

// The pose before is where the search begins, not where it ends: a head that
// jumps, and one that comes back elsewhere, is read as if it were alone.
func TestMeterForgetsThePose(t *testing.T) {
	info := faceInfo(true)
	m := NewMeter(info)
	for _, step := range []struct {
		at  time.Duration
		yaw float64
	}{{0, -20}, {33 * ms, -19}, {66 * ms, 15}, {time.Second, -25}, {1033 * ms, 25}} {
		face := seen(step.yaw, 0)
		got := m.Measure(sample(info, step.at, &face, wellSeen()))
		if !got.Posed || math.Abs(got.Pose.YawDeg-step.yaw) > .5 {
			t.Errorf("at %v: posed %v, yaw %v, want %v", step.at, got.Posed, got.Pose.YawDeg, step.yaw)
		}
	}
}

func TestMeterSaysWhereTheHeadLooks(t *testing.T) {
	info := faceInfo(true)
	face := seen(32, 0)
	if got := NewMeter(info).Measure(sample(info, 0, &face, wellSeen())); got.View != visibility.TurnedAway {
		t.Errorf("turned by 32 degrees: %v", got.View.Words())
	}
}

func BenchmarkMeter(b *testing.B) {
	info := faceInfo(true)
	var film []stream.Sample
	for i := range 300 {
		face := seen(10*math.Sin(float64(i)/30), 0)
		film = append(film, sample(info, time.Duration(i)*33*ms, &face, wellSeen()))
	}
	m := NewMeter(info)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		s := film[i%len(film)]
		s.At = instant.Instant(i) * instant.Instant(33*ms)
		m.Measure(s)
	}
}
