package offline

import (
	"fmt"
	"math"

	"emolab/fusion/action"
	"emolab/fusion/landmark"
)

// openFaceUnits are the action units that OpenFace 2 estimates and we do too,
// apart from 45.
var openFaceUnits = map[int]bool{1: true, 2: true, 4: true, 5: true, 6: true, 7: true, 9: true, 10: true, 12: true, 14: true, 15: true, 17: true, 20: true, 23: true, 25: true, 26: true}

const (
	// openFaceScale turns an intensity of 0..1 into FACS' 0..5, which OpenFace has.
	openFaceScale = 5
	// openFacePresent is the intensity from which AUxx_c is 1: FACS' B (slight),
	// 1 on the scale of 0..5.
	openFacePresent = 1. / openFaceScale
	// affdexScale turns 0..1 into AFFDEX' 0..100.
	affdexScale = 100
)

// openFace lays a result out as OpenFace 2's FeatureExtraction does, as far as
// the same thing is measured: no gaze, no point distribution model.
func openFace(r *Result) []Column {
	confidence, found := r.named("face_confidence"), r.named("face_found")
	columns := []Column{
		{"frame", "1", "Number of the frame in the file, from 1.", func(r *Result, row int) float64 { return frameNumber(r, row) + 1 }},
		{"face_id", "1", "0: one face is followed.", func(*Result, int) float64 { return 0 }},
		{"timestamp", "s", "Time of the frame since the first.", seconds},
		{"confidence", "1", "0 to 1.", or0(confidence)},
		{"success", "1", "1 where a face was found.", found},
	}
	for i, axis := range []string{"x", "y", "z"} {
		columns = append(columns, Column{"pose_T" + axis, "mm", "Place of the head.", func(r *Result, row int) float64 {
			p := r.Facial.Rows[row].Pose
			return [3]float64{p.X, p.Y, p.Z}[i]
		}})
	}
	for _, a := range []struct {
		name, from string
		sign       float64
	}{{"pose_Rx", "pitch_deg", 1}, {"pose_Ry", "yaw_deg", -1}, {"pose_Rz", "roll_deg", 1}} {
		columns = append(columns, Column{a.name, "rad", "Turn of the head.", scaled(r.named(a.from), a.sign*math.Pi/180)})
	}
	for _, axis := range []string{"x", "y"} {
		for i := range landmark.Count {
			columns = append(columns, Column{fmt.Sprintf("%s_%d", axis, i), "px", "Landmark.", r.named(fmt.Sprintf("lm%02d_%s_px", i, axis))})
		}
	}
	blink := r.named("au45")
	for _, u := range action.Units() {
		if openFaceUnits[u.Number] {
			columns = append(columns, Column{fmt.Sprintf("AU%02d_r", u.Number), "1", "Intensity, 0 to 5.", scaled(r.named(u.Column), openFaceScale)})
		}
	}
	columns = append(columns, Column{"AU45_r", "1", "Closure of the lids, 0 to 5.", scaled(r.named("au43"), openFaceScale)})
	for _, u := range action.Units() {
		if openFaceUnits[u.Number] {
			columns = append(columns, Column{fmt.Sprintf("AU%02d_c", u.Number), "1", "1 where present.", atLeast(r.named(u.Column), openFacePresent)})
		}
	}
	return append(columns, Column{"AU45_c", "1", "1 within a blink.", blink})
}

// iMotions lays a result out as iMotions exports AFFDEX, as far as the same
// thing is measured.
func iMotions(r *Result) []Column {
	columns := []Column{
		{"SampleNumber", "1", "Number of the frame in the file, from 0.", frameNumber},
		{"Timestamp", "ms", "Time of the frame since the first.", scaled(seconds, 1000)},
	}
	add := func(name, from string, scale float64) {
		columns = append(columns, Column{name, "1", from, scaled(r.named(from), scale)})
	}
	for _, e := range [][2]string{
		{"Anger", "p_angry"}, {"Disgust", "p_disgusted"}, {"Fear", "p_fearful"}, {"Joy", "p_happy"},
		{"Sadness", "p_sad"}, {"Surprise", "p_surprised"}, {"Neutral", "p_neutral"},
		{"Valence", "valence"},
		{"Inner Brow Raise", "au01"}, {"Brow Raise", "au02"}, {"Brow Furrow", "au04"}, {"Eye Widen", "au05"},
		{"Cheek Raise", "au06"}, {"Lid Tighten", "au07"}, {"Nose Wrinkle", "au09"}, {"Upper Lip Raise", "au10"},
		{"Smile", "au12"}, {"Dimpler", "au14"}, {"Lip Corner Depressor", "au15"}, {"Chin Raise", "au17"},
		{"Lip Stretch", "au20"}, {"Lip Press", "au24"}, {"Mouth Open", "au25"}, {"Jaw Drop", "au26"},
		{"Eye Closure", "au43"}, {"Blink", "au45"},
	} {
		add(e[0], e[1], affdexScale)
	}
	add("Pitch", "pitch_deg", 1)
	add("Yaw", "yaw_deg", 1)
	add("Roll", "roll_deg", 1)
	return columns
}

func scaled(value func(*Result, int) float64, by float64) func(*Result, int) float64 {
	return func(r *Result, row int) float64 { return value(r, row) * by }
}

// or0 is 0 where nothing was measured.
func or0(value func(*Result, int) float64) func(*Result, int) float64 {
	return func(r *Result, row int) float64 {
		if v := value(r, row); !math.IsNaN(v) {
			return v
		}
		return 0
	}
}

// atLeast is 1 from the limit on, 0 below it.
func atLeast(value func(*Result, int) float64, limit float64) func(*Result, int) float64 {
	return func(r *Result, row int) float64 {
		switch v := value(r, row); {
		case math.IsNaN(v):
			return v
		case v >= limit:
			return 1
		}
		return 0
	}
}
