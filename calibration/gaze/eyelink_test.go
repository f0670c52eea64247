package gaze

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// eyelink is what the pack holds of an EyeLink's own calibrations and
// validations.
type eyelink struct {
	Display      []float64 `json:"display"`
	Calibrations []struct {
		Eye  string       `json:"eye"`
		Pts  [][4]float64 `json:"pts"` // raw pupil minus corneal reflection, target in HREF
		Fit5 struct {
			RMS [2]float64 `json:"rms"`
		} `json:"lsq_fit_5term"`
		Fit6 struct {
			RMS [2]float64 `json:"rms"`
		} `json:"lsq_fit_6term"`
	} `json:"calibrations"`
	Validations []struct {
		Summary   bool       `json:"summary"`
		Target    [2]float64 `json:"target"`
		OffsetDeg float64    `json:"offset_deg"`
		OffsetPx  [2]float64 `json:"offset_px"`
	} `json:"validations"`
}

func readEyelink(t *testing.T) eyelink {
	t.Helper()
	root := os.Getenv("EMOLAB_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	b, err := os.ReadFile(filepath.Join(root, "data", "signals", "eye", "eyelink_pupil_41s.json"))
	if err != nil {
		t.Skipf("the shared recordings are not here: %v", err)
	}
	var e eyelink
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// The five- and six-term fits are those that NumPy's least squares gave on eight
// real calibrations. The tenth point of each is the vendor's filling.
func TestEyelinkCalibrations(t *testing.T) {
	const points = 9
	e := readEyelink(t)
	if len(e.Calibrations) != 8 {
		t.Fatalf("%d calibrations, want 8", len(e.Calibrations))
	}
	// HREF is a plane 15,000 units from the eye
	screen := eyemovement.Screen{WidthMM: 1, HeightMM: 1, DistanceMM: 15000}
	for i, c := range e.Calibrations {
		var all []observation
		for _, p := range c.Pts[:points] {
			all = append(all, observation{target: Point{p[2] + .5, p[3] + .5}, raw: Point{p[0], p[1]}, weight: 1})
		}
		for m, want := range map[Model][2]float64{Quadratic: c.Fit5.RMS, Crossed: c.Fit6.RMS} {
			p, ok := fitModel(m, all)
			if !ok {
				t.Fatalf("%d: %s cannot be fitted", i, m)
			}
			var x, y float64
			for _, o := range all {
				at := p.apply(o.raw)
				x += (at.X - o.target.X) * (at.X - o.target.X)
				y += (at.Y - o.target.Y) * (at.Y - o.target.Y)
			}
			if got := [2]float64{math.Sqrt(x / points), math.Sqrt(y / points)}; math.Abs(got[0]-want[0]) > 1e-6 || math.Abs(got[1]-want[1]) > 1e-6 {
				t.Errorf("%d %s: rms %v, want %v", i, m, got, want)
			}
			if err := p.folds(); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		var chosen Calibration
		p, err := chosen.choose(all, points, screen, "")
		if err != nil {
			t.Fatal(err)
		}
		// a raw eye is a ball: no straight map holds, and the fit is good to half a degree
		chosen.Points = make([]PointFit, points)
		for k, o := range all {
			chosen.Points[k] = PointFit{Target: o.target, Raw: o.raw}
		}
		chosen.judge(all, p, screen)
		t.Logf("%d %s: %s, residual %.2f°, cross-validated %.2f°", i, c.Eye, p.model, chosen.MeanDeg, chosen.CVDeg)
		if p.model == Offset || chosen.MeanDeg > .5 || chosen.CVDeg > 1 || chosen.CVDeg < chosen.MeanDeg {
			t.Errorf("%d: %s, residual %.2f°, cross-validated %.2f°", i, p.model, chosen.MeanDeg, chosen.CVDeg)
		}
	}
}

// The angles that the EyeLink gave for 162 validation points are those of our
// geometry with the one distance that it did not store.
func TestEyelinkValidations(t *testing.T) {
	const distance = 1.915 // in widths of the screen
	e := readEyelink(t)
	screen := eyemovement.Screen{WidthMM: 1, HeightMM: e.Display[1] / e.Display[0], DistanceMM: distance}
	var n, sum float64
	for _, v := range e.Validations {
		if v.Summary {
			continue
		}
		target := Point{v.Target[0] / e.Display[0], v.Target[1] / e.Display[1]}
		gaze := Point{target.X + v.OffsetPx[0]/e.Display[0], target.Y + v.OffsetPx[1]/e.Display[1]}
		look := Look{Target: target, Until: instant.Instant(time.Second)}
		for k := range 100 {
			look.At = append(look.At, instant.Instant(k)*instant.Instant(10*time.Millisecond))
			look.X, look.Y = append(look.X, gaze.X), append(look.Y, gaze.Y)
		}
		got := Validate([]Look{look}, screen, FitOptions{}).MeanDeg
		off := math.Abs(got - v.OffsetDeg)
		if off > .01+.05*v.OffsetDeg { // given to .01°
			t.Errorf("%v off by %v px: %.3f°, want %.2f°", v.Target, v.OffsetPx, got, v.OffsetDeg)
		}
		n++
		sum += off
	}
	t.Logf("%.0f points, off by %.3f° on average", n, sum/n)
	if n != 162 || sum/n > .012 {
		t.Errorf("%.0f points off by %.3f° on average", n, sum/n)
	}
}
