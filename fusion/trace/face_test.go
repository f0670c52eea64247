package trace

import (
	"fmt"
	"math"
	"testing"
	"time"

	"emolab/fusion/action"
	"emolab/fusion/expression"
	"emolab/fusion/facial"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/visibility"
)

// rowOf is a row about a face that was seen, with another number in each place.
func rowOf(m facial.Measured) facial.Row {
	r := facial.Row{Measured: &m, Blink: 1, Agreement: .625}
	for i := range r.AU {
		r.AU[i] = float64(i+1) / 100
	}
	for i := range r.Evidence {
		r.Evidence[i] = float64(i+1) / 10
	}
	return r
}

func TestJoinTakesTheFace(t *testing.T) {
	in := whole()
	seen := facial.Measured{
		Found: true, Posed: true, Pose: headpose.Pose{YawDeg: 3, PitchDeg: -4, RollDeg: 5, Residual: .02},
		EARRight: .31, EARLeft: .29, HeightPX: 140, View: visibility.TooDark | visibility.Several,
	}
	unposed, lost := seen, facial.Measured{EARRight: nan, EARLeft: nan, HeightPX: nan}
	unposed.Posed, unposed.View = false, visibility.MouthCovered
	in.Facial.Rows = []facial.Row{rowOf(seen), rowOf(unposed), rowOf(lost)}
	rows := in.join()
	want := row1{
		"yaw_deg": 3, "pitch_deg": -4, "roll_deg": 5, "pose_residual": .02, "face_height_px": 140, "ear_right": .31, "ear_left": .29,
		"au01": .01, "au12": .09, "au43": .18, "au45": 1, "emfacs_agreement": .625, "p_happy": .8, "gaze_valid": 1,
		"quality": float64(TooDark | Several),
	}
	for i, u := range action.Units() {
		want[u.Column] = float64(i+1) / 100
	}
	for i, name := range expression.Names() {
		if i != expression.Neutral {
			want["emfacs_"+name] = float64(i+1) / 10
		}
	}
	read(t, rows[0]).want(t, want)
	// No pose is not the pose of a head that looks straight ahead.
	read(t, rows[1]).want(t, row1{"yaw_deg": nan, "pitch_deg": nan, "roll_deg": nan, "pose_residual": nan, "face_height_px": 140, "quality": float64(MouthCovered)})
	read(t, rows[2]).want(t, row1{"yaw_deg": nan, "pose_residual": nan, "face_height_px": nan, "ear_right": nan})
}

func TestJoinWithoutADerivedFace(t *testing.T) {
	in := whole()
	in.Facial = facial.Derived{}
	r := read(t, in.join()[1])
	want := row1{"quality": float64(NoNeutral), "p_happy": .8}
	for _, c := range faceChannels()[11:] {
		want[c.Name] = nan
	}
	for _, c := range append(unitChannels(), evidenceChannels()...) {
		want[c.Name] = nan
	}
	if len(want) != emfacsAgreement-yawDeg+1+2 {
		t.Fatalf("%d columns", len(want))
	}
	r.want(t, want)
}

func TestFaultsOfTheViewKeepTheirPlace(t *testing.T) {
	for mask, want := range map[visibility.Mask]Quality{
		visibility.TooDark: TooDark, visibility.BackLit: BackLit, visibility.Glare: Glare, visibility.Blurred: Blurred,
		visibility.TooSmall: TooSmall, visibility.TurnedAway: TurnedAway, visibility.OutOfFrame: OutOfFrame,
		visibility.MouthCovered: MouthCovered, visibility.Several: Several,
	} {
		if got := ofView(mask); got != want {
			t.Errorf("%v is %v", mask.Words(), got.Words())
		}
	}
	if NoNeutral != 1<<21 || ofView(visibility.Several<<1) != NoNeutral {
		t.Error("the bits after those of the view have moved")
	}
}

// filmed is a face stream that shows a generic head turned by yaw degrees.
func filmed(frames int, yawDeg float64) (stream.Info, []stream.Sample) {
	info := stream.Info{ID: "face", Kind: stream.Face, Channels: channels("face_found", "faces", "frame_w_px", "frame_h_px",
		"p_neutral", "p_happy", "p_sad", "p_angry", "p_fearful", "p_disgusted", "p_surprised")}
	values := []float64{1, 2, 640, 480, 1, 0, 0, 0, 0, 0, 0}
	sin, cos := math.Sincos(yawDeg * math.Pi / 180)
	for i, p := range headpose.Generic() {
		z := 600 + p.X*sin + p.Z*cos
		info.Channels = append(info.Channels, channels(fmt.Sprintf("lm%02d_x_px", i), fmt.Sprintf("lm%02d_y_px", i))...)
		values = append(values, 320+640*(p.X*cos-p.Z*sin)/z, 240+640*p.Y/z)
	}
	var samples []stream.Sample
	for i := range frames {
		samples = append(samples, at(time.Duration(i)*33*ms, ms, values...))
	}
	return info, samples
}

func TestLiveMeasuresTheFace(t *testing.T) {
	info, samples := filmed(3, 12)
	l := NewLive([]stream.Info{info})
	rows := l.Add(stream.Chunk{Stream: "face", Samples: samples})
	known := NotFinal | StimulusUnknown | NoGaze | NoEDA | Several
	for _, r := range rows {
		got := read(t, r)
		if math.Abs(got["yaw_deg"]-12) > .5 || !(got["ear_left"] > .1) || !(got["face_height_px"] > 50) {
			t.Errorf("yaw %v, eye %v, height %v", got["yaw_deg"], got["ear_left"], got["face_height_px"])
		}
		got.want(t, row1{"au12": nan, "au43": nan, "au45": nan, "emfacs_agreement": nan, "quality": float64(known | NoNeutral)})
	}
	measured := l.Measured()
	if len(measured) != len(rows) || measured[2].At != samples[2].At || !measured[0].Posed {
		t.Fatalf("measured %d faces of %d", len(measured), len(rows))
	}

	l.SetNeutral(&action.Neutral{Features: measured[0].Features, Scale: action.Floor()})
	read(t, l.Add(stream.Chunk{Stream: "face", Samples: samples[:1]})[0]).want(t, row1{
		"au12": 0, "au43": 0, "au45": nan, "emfacs_happy": 0, "emfacs_agreement": 1, "quality": float64(known),
	})
	if len(l.Measured()) != 1 {
		t.Errorf("%d faces are kept of the chunks before", len(l.Measured())-1)
	}
	l.NewPerson()
	read(t, l.Add(stream.Chunk{Stream: "face", Samples: samples[:1]})[0]).want(t, row1{"au12": nan, "quality": float64(known | NoNeutral)})
}

func BenchmarkLive(b *testing.B) {
	info, samples := filmed(1, 12)
	l := NewLive([]stream.Info{info})
	l.Add(stream.Chunk{Stream: "face", Samples: samples})
	l.SetNeutral(&action.Neutral{Features: l.Measured()[0].Features, Scale: action.Floor()})
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		samples[0].At = instant.Instant(i) * instant.Instant(33*ms)
		l.Add(stream.Chunk{Stream: "face", Samples: samples})
	}
}

// BenchmarkJoin joins a minute of frames and derives the face before, from the
// samples on.
func BenchmarkJoin(b *testing.B) {
	info, samples := filmed(1800, 12)
	b.ReportAllocs()
	for range b.N {
		m := facial.NewMeter(info)
		frames := make([]facial.Measured, len(samples))
		for i, s := range samples {
			frames[i] = m.Measure(s)
		}
		n := &action.Neutral{Features: frames[0].Features, Scale: action.Floor()}
		Join(Streams{FaceInfo: info, Face: samples, Facial: facial.Derive(frames, n, facial.Options{})})
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(samples)), "us/frame")
}
