//go:build !nocv

package face_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"emolab/calibration/neutral"
	"emolab/capture/face"
	"emolab/capture/face/modelpack"
	"emolab/capture/frame"
	"emolab/capture/portrait"
	"emolab/fusion/action"
	"emolab/fusion/expression"
	"emolab/fusion/facial"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
)

// observer turns pictures into measures with the real nets.
type observer struct {
	t       *testing.T
	a       *face.Analyzer
	head    headpose.Head
	seq     int64
	columns map[string]int // of the action units
	eyes    int            // the measure of the eyes' opening
}

func newObserver(t *testing.T) *observer {
	a, err := face.NewAnalyzer(face.Options{})
	if errors.Is(err, modelpack.ErrMissing) {
		t.Skip("no model pack in capture/face/models: run `make models`")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	columns := map[string]int{}
	for i, u := range action.Units() {
		columns[u.Column] = i
	}
	names := action.FeatureNames()
	return &observer{t: t, a: a, head: headpose.Generic(), columns: columns, eyes: slices.Index(names[:], "eye_aspect")}
}

// measure reads one picture, in BGR.
func (o *observer) measure(width, height int, pix []byte) facial.Measured {
	o.t.Helper()
	r, err := o.a.Analyze(frame.Frame{Seq: o.seq, Width: width, Height: height, Pix: pix})
	if err != nil {
		o.t.Fatal(err)
	}
	m := facial.Measured{At: instant.Instant(0).Add(time.Duration(1+o.seq) * time.Second / 30), Found: r.Found, Expression: r.Expression}
	o.seq++
	if !r.Found {
		return m
	}
	cam := headpose.CameraOf(float64(width), float64(height))
	if m.Pose, m.Posed = headpose.Solve(&r.Landmarks, &o.head, cam, nil); m.Posed {
		front := headpose.Frontal(&r.Landmarks, &o.head, cam, m.Pose)
		m.Features = action.Measure(&front)
		m.EARRight, m.EARLeft = m.Features[o.eyes], m.Features[o.eyes]
	}
	return m
}

// film measures the frames of a video from first up to end.
func (o *observer) film(name string, first, end int) []facial.Measured {
	o.t.Helper()
	root := os.Getenv("EMOLAB_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared") // beside the repository
	}
	path := filepath.Join(root, "data", "face", name)
	if _, err := os.Stat(path); err != nil {
		o.t.Skipf("the test footage is not there (set EMOLAB_SHARED): %v", err)
	}
	v, err := gocv.VideoCaptureFile(path)
	if err != nil {
		o.t.Fatal(err)
	}
	defer v.Close()
	m := gocv.NewMat()
	defer m.Close()
	var all []facial.Measured
	for i := 0; i < end && v.Read(&m); i++ {
		if i >= first {
			all = append(all, o.measure(m.Cols(), m.Rows(), m.ToBytes()))
		}
	}
	if len(all) != end-first {
		o.t.Fatalf("%s has no frames %d to %d", name, first, end)
	}
	return all
}

// unit returns the mean of a unit over the frames.
func (o *observer) unit(n *action.Neutral, frames []facial.Measured, column string) float64 {
	o.t.Helper()
	var sum float64
	for i := range frames {
		au := n.Intensities(&frames[i].Features)
		sum += au[o.columns[column]]
	}
	return sum / float64(len(frames))
}

// expect checks that units lie in ranges.
func (o *observer) expect(what string, n *action.Neutral, frames []facial.Measured, ranges map[string][2]float64) {
	o.t.Helper()
	for column, r := range ranges {
		if v := o.unit(n, frames, column); !(v >= r[0] && v <= r[1]) {
			o.t.Errorf("%s: %s is %.2f, want %.2f to %.2f", what, column, v, r[0], r[1])
		}
	}
}

// The man of this film is neutral and grins from frame 24 on.
func TestActionUnitsOfAGrin(t *testing.T) {
	o := newObserver(t)
	all := o.film("single_face.mp4", 0, 60)
	// He rests for half a second only, which is less than is looked for.
	n, err := neutral.Fit(all[:18], neutral.Options{From: all[0].At, Until: all[17].At, Least: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("neutral face of %d frames, residual %.4f", n.Frames, n.Residual)
	o.expect("at rest", &n.Neutral, all[:16], map[string][2]float64{
		"au01": {0, .1}, "au04": {0, .1}, "au12": {0, .1}, "au15": {0, .1}, "au25": {0, .1}, "au26": {0, .1}, "au43": {0, .1},
	})
	grin := all[27:]
	o.expect("grinning", &n.Neutral, grin, map[string][2]float64{
		"au12": {.9, 1}, "au25": {.9, 1}, "au06": {.2, 1}, "au26": {0, .6},
		"au01": {0, .1}, "au02": {0, .1}, "au04": {0, .2}, "au07": {0, .1}, "au09": {0, .3}, "au10": {0, .3},
		"au15": {0, .1}, "au20": {0, .1}, "au23": {0, .1}, "au24": {0, .1}, "au43": {0, .3},
	})
	for i := range grin {
		au := n.Intensities(&grin[i].Features)
		evidence := expression.Probabilities(action.EMFACS(&au))
		if got := evidence.Top(); got != expression.Happy {
			t.Errorf("frame %d: the evidence is for %s: %.2f", 27+i, expression.Names()[got], evidence)
		}
	}
}

// The woman of this film is in distress with eyes closed, and laughs in the
// end. She is never at rest: what is checked is the change from her first
// frames.
func TestActionUnitsOfDistressAndLaughter(t *testing.T) {
	o := newObserver(t)
	first := o.film("WolfgangLanger_Pexels.mp4", 0, 16)
	n, err := neutral.Fit(first, neutral.Options{From: first[0].At, Until: first[15].At, Least: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	o.expect("in distress", &n.Neutral, o.film("WolfgangLanger_Pexels.mp4", 48, 60), map[string][2]float64{
		"au04": {.4, 1}, "au43": {.2, 1}, "au12": {0, .3}, "au25": {0, .3}, "au02": {0, .2},
	})
	o.expect("laughing", &n.Neutral, o.film("WolfgangLanger_Pexels.mp4", 395, 425), map[string][2]float64{
		"au12": {.5, 1}, "au06": {.2, 1}, "au25": {.9, 1}, "au43": {0, .3}, "au15": {0, .2},
	})
}

// TestActionUnitsOfTheDrawnFace checks that the units which an expression is
// drawn with grow with its intensity, and that those stay away which it does
// not have. It is a drawing: that says nothing about people.
func TestActionUnitsOfTheDrawnFace(t *testing.T) {
	o := newObserver(t)
	paint := portrait.NewPainter(640, 480, 3)
	draw := func(times int, l portrait.Look) []facial.Measured {
		var all []facial.Measured
		for range times {
			all = append(all, o.measure(640, 480, paint.Paint(l)))
		}
		return all
	}
	draw(4, portrait.Look{}) // until the face is tracked
	rest := draw(20, portrait.Look{})
	n, err := neutral.Fit(rest, neutral.Options{From: rest[0].At, Until: rest[len(rest)-1].At, Least: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		expression string
		grow       map[string]float64 // and reach this
		stay       []string           // below .3
		evidence   bool               // that it is the first of the evidence
	}{
		{"happy", map[string]float64{"au12": .6, "au25": .2}, []string{"au01", "au02", "au04", "au09", "au15", "au20", "au43"}, true},
		{"surprised", map[string]float64{"au01": .7, "au02": .6, "au25": .9, "au26": .4}, []string{"au04", "au12", "au09", "au15", "au20", "au43"}, true},
		{"sad", map[string]float64{"au15": .35, "au01": .15}, []string{"au02", "au09", "au12", "au25", "au26", "au20"}, true},
		// The brows are lowered; the mouth is puckered, which no unit here is.
		{"angry", map[string]float64{"au04": .8}, []string{"au01", "au02", "au12", "au20", "au43"}, false},
	} {
		before := map[string]float64{}
		for _, intensity := range []float64{.25, .5, .75, 1} {
			l := portrait.Look{Expression: tc.expression, Intensity: intensity}
			draw(1, l)
			frames := draw(2, l)
			for column := range tc.grow {
				v := o.unit(&n.Neutral, frames, column)
				const slack = .1 // for the noise of the picture
				if v < before[column]-slack {
					t.Errorf("%s: %s fell from %.2f to %.2f at %.2f", tc.expression, column, before[column], v, intensity)
				}
				before[column] = v
			}
			if intensity < 1 {
				continue
			}
			for column, least := range tc.grow {
				if before[column] < least {
					t.Errorf("%s: %s reaches only %.2f, want %.2f", tc.expression, column, before[column], least)
				}
			}
			for _, column := range tc.stay {
				o.expect(tc.expression, &n.Neutral, frames, map[string][2]float64{column: {0, .3}})
			}
			au := n.Intensities(&frames[1].Features)
			evidence := expression.Probabilities(action.EMFACS(&au))
			t.Logf("%-9s evidence %.2f", tc.expression, evidence)
			evidence[expression.Neutral] = 0
			if top := expression.Names()[evidence.Top()]; tc.evidence && top != tc.expression {
				t.Errorf("%s: the evidence is for %s: %.2f", tc.expression, top, evidence)
			}
		}
		draw(2, portrait.Look{})
	}
	draw(2, portrait.Look{Closure: 1})
	o.expect("eyes shut", &n.Neutral, draw(2, portrait.Look{Closure: 1}), map[string][2]float64{
		"au43": {.2, 1}, "au12": {0, .2}, "au25": {0, .2}, "au04": {0, .2},
	})
}
