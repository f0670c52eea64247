package trace

import (
	"testing"

	"emolab/fusion/eda"
	"emolab/fusion/eyemovement"
	"emolab/fusion/stream"
)

// What was derived of the gaze stands in the rows by its sample: the corrected place
// instead of the tracker's, the class and the pupils.
func TestJoinTakesWhatWasDerivedOfTheEyes(t *testing.T) {
	in := whole()
	n := len(in.Gaze)
	eyes := Eyes{Class: make([]eyemovement.Class, n), X: make([]float64, n), Y: make([]float64, n), PupilMM: make([]float64, n), PupilAdjustedMM: make([]float64, n)}
	for i, s := range in.Gaze {
		eyes.X[i] = value(s, in.GazeInfo.Index("gaze_x")) + .125
		eyes.Y[i] = value(s, in.GazeInfo.Index("gaze_y")) - .25
		eyes.Class[i], eyes.PupilMM[i], eyes.PupilAdjustedMM[i] = eyemovement.Saccade, 3, 4
	}
	read(t, in.join()[1]).want(t, row1{"eye_class": nan, "pupil_clean_mm": nan, "pupil_adjusted_mm": nan})
	in.Eyes = eyes
	rows := in.join() // the picture takes half of the screen's width and all of its height
	read(t, rows[1]).want(t, row1{"gaze_x": 1.25, "gaze_y": 0, "gaze_valid": 1, "eye_class": 2, "pupil_clean_mm": 3, "pupil_adjusted_mm": 4, "pupil_mm": 3.5})
	read(t, rows[2]).want(t, row1{"gaze_x": -.25, "gaze_y": .75, "eye_class": 2})
}

// The flags of the two samples that a row lies between are told together, and mark it
// when they say that nothing should be made of them.
func TestJoinTellsArtefacts(t *testing.T) {
	in := whole()
	in.Analysis.Flags = make([]eda.Flag, len(in.EDA))
	read(t, in.join()[0]).want(t, row1{"eda_flags": 0, "quality": 0})
	in.Analysis.Flags[0], in.Analysis.Flags[1] = eda.Near, eda.Undecomposed
	read(t, in.join()[0]).want(t, row1{"eda_flags": float64(eda.Near | eda.Undecomposed), "quality": float64(EDAArtefact)})
	in.Analysis.Flags[0] = 0
	read(t, in.join()[0]).want(t, row1{"eda_flags": float64(eda.Undecomposed), "quality": 0})
}

// Live, gaze is corrected as long as it is said how, and by nobody else's calibration.
func TestLiveCorrectsTheGaze(t *testing.T) {
	in := whole()
	l := NewLive([]stream.Info{stimInfo, gazeInfo, faceInfo})
	l.Add(stream.Chunk{Stream: "stimulus", Samples: in.Stimulus})
	l.Add(stream.Chunk{Stream: "gaze", Samples: in.Gaze})
	second := func() row1 {
		return read(t, l.Add(stream.Chunk{Stream: "face", Samples: in.Face[1:2]})[0])
	}
	second().want(t, row1{"gaze_x": 1, "gaze_y": .25})
	l.SetGaze(func(x, y float64) (float64, float64) { return y, x })
	turned := second()
	if turned["gaze_x"] == 1 || turned["gaze_valid"] != 1 {
		t.Errorf("corrected gaze is %v", turned)
	}
	l.NewPerson()
	second().want(t, row1{"gaze_x": 1, "gaze_y": .25})
}
