package gaze

import (
	"encoding/json"
	"math"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// Validation says how far from known points the gaze lay, in degrees of visual
// angle. It is made from gaze as it would be used: with the calibration applied.
//
// Mean, max, precision and BCEA are NaN (null in JSON) where no point could be
// measured; Points is then empty.
type Validation struct {
	Version string
	Screen  eyemovement.Screen
	// MeanDeg is the accuracy: the mean over the points of the angle between the
	// target and the mean of the gaze; MaxDeg is that of the worst point.
	MeanDeg, MaxDeg float64
	// Precision, as means over the points: eyemovement.RMSS2S, SD and BCEA (of
	// 68 % of the samples).
	RMSS2SDeg, SDDeg, BCEADeg2 float64
	// Loss is the share of the samples that are missing, 0..1, once the eyes had
	// time to settle.
	Loss float64
	// RightDeg and DownDeg are the mean error over the points with its direction.
	// NaN as above.
	RightDeg, DownDeg float64
	Points            []ValidationPoint // in the order shown
	Missed            []Unused          // targets without enough gaze
}

// ValidationPoint is one look of a Validation.
type ValidationPoint struct {
	Target    Point    `json:"target"`
	Gaze      Point    `json:"gaze"` // mean of the samples that count
	ErrorDeg  float64  `json:"error_deg"`
	RightDeg  float64  `json:"right_deg"` // the error's parts; left and up are negative
	DownDeg   float64  `json:"down_deg"`
	RMSS2SDeg *float64 `json:"rms_s2s_deg"` // nil where no two samples are neighbours
	SDDeg     float64  `json:"sd_deg"`
	BCEADeg2  float64  `json:"bcea_deg2"`
	Loss      float64  `json:"loss"`
	Used      int      `json:"samples_used"`
	Outliers  int      `json:"samples_outlying"`
	// Samples are some of the gaze, for a picture.
	Samples []Point `json:"samples,omitempty"`
}

// maxShown is how many samples of a point are kept for the picture.
const maxShown = 60

// Validate measures looks at points that no calibration was fitted to; the looks
// hold calibrated gaze (Calibration.Correct). FitOptions.Model has no part in
// it. The screen must be valid.
func Validate(looks []Look, s eyemovement.Screen, o FitOptions) Validation {
	v := Validation{Version: Version, Screen: s}
	step := interval(looks...)
	present, expected := 0, 0
	for _, l := range looks {
		r := l.sift(s, o.settle(), step)
		present += r.present()
		expected += r.expected
		if reason := r.weak(step); reason != "" {
			v.Missed = append(v.Missed, Unused{Target: l.Target, Reason: reason})
			continue
		}
		v.Points = append(v.Points, l.measure(r, s, step))
	}
	v.Loss = loss(present, expected)
	v.summarise()
	return v
}

func (r sifted) present() int { return len(r.kept) + r.outliers }

func loss(present, expected int) float64 {
	if expected == 0 {
		return 1
	}
	return 1 - float64(present)/float64(expected)
}

func (v *Validation) summarise() {
	n := float64(len(v.Points))
	jittered := 0.0
	v.MaxDeg = math.NaN()
	for _, p := range v.Points {
		v.MeanDeg += p.ErrorDeg
		if p.RMSS2SDeg != nil {
			v.RMSS2SDeg += *p.RMSS2SDeg
			jittered++
		}
		v.SDDeg += p.SDDeg
		v.BCEADeg2 += p.BCEADeg2
		v.RightDeg += p.RightDeg
		v.DownDeg += p.DownDeg
		if !(v.MaxDeg >= p.ErrorDeg) {
			v.MaxDeg = p.ErrorDeg
		}
	}
	for _, sum := range []*float64{&v.MeanDeg, &v.SDDeg, &v.BCEADeg2, &v.RightDeg, &v.DownDeg} {
		*sum /= n // NaN of no points
	}
	v.RMSS2SDeg /= jittered
}

// measure is the error and the precision of a look.
func (l Look) measure(r sifted, s eyemovement.Screen, step time.Duration) ValidationPoint {
	p := ValidationPoint{
		Target: l.Target, Gaze: r.mean, Used: len(r.kept), Outliers: r.outliers,
		Loss:     loss(r.present(), r.expected),
		ErrorDeg: s.Degrees(l.Target.X, l.Target.Y, r.mean.X, r.mean.Y),
	}
	p.RightDeg, p.DownDeg = between(s, l.Target, r.mean)
	fixation := l.fixation(r, step)
	p.SDDeg = eyemovement.SD(fixation, s)
	p.BCEADeg2 = eyemovement.BCEA(fixation, s, eyemovement.BCEAShare)
	if jitter := eyemovement.RMSS2S(fixation, s); !math.IsNaN(jitter) { // no two neighbours: every second one missing
		p.RMSS2SDeg = &jitter
	}
	every := (len(r.kept) + maxShown - 1) / maxShown
	for k := 0; k < len(r.kept); k += every {
		i := r.kept[k]
		p.Samples = append(p.Samples, Point{rounded(l.X[i]), rounded(l.Y[i])})
	}
	return p
}

// fixation is the samples of a look that count, with a missing one wherever some
// were left out or never came: what lies across a gap are no neighbours.
func (l Look) fixation(r sifted, step time.Duration) eyemovement.Gaze {
	var g eyemovement.Gaze
	add := func(at instant.Instant, x, y float64) {
		g.At, g.X, g.Y = append(g.At, at), append(g.X, x), append(g.Y, y)
	}
	for k, i := range r.kept {
		if k > 0 && (r.kept[k-1] != i-1 || l.At[i].Sub(l.At[i-1]) > step*3/2) {
			add(l.At[i]-1, math.NaN(), math.NaN())
		}
		add(l.At[i], l.X[i], l.Y[i])
	}
	return g
}

// rounded to a ten-thousandth of the screen, finer than a pixel.
func rounded(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// between is the way from a to b as seen by the eyes, in degrees to the right
// and down.
func between(s eyemovement.Screen, a, b Point) (right, down float64) {
	right, down = s.Degrees(a.X, a.Y, b.X, a.Y), s.Degrees(a.X, a.Y, a.X, b.Y)
	return math.Copysign(right, b.X-a.X), math.Copysign(down, b.Y-a.Y)
}

// validationJSON is Validation with null for what is not known.
type validationJSON struct {
	Version   string             `json:"version"`
	Screen    eyemovement.Screen `json:"screen"`
	MeanDeg   *float64           `json:"mean_deg"`
	MaxDeg    *float64           `json:"max_deg"`
	RMSS2SDeg *float64           `json:"rms_s2s_deg"`
	SDDeg     *float64           `json:"sd_deg"`
	BCEADeg2  *float64           `json:"bcea_deg2"`
	Loss      float64            `json:"loss"`
	RightDeg  *float64           `json:"right_deg"`
	DownDeg   *float64           `json:"down_deg"`
	Points    []ValidationPoint  `json:"points"`
	Missed    []Unused           `json:"missed,omitempty"`
}

// MarshalJSON writes what is not known as null.
func (v Validation) MarshalJSON() ([]byte, error) {
	known := func(x float64) *float64 {
		if math.IsNaN(x) {
			return nil
		}
		return &x
	}
	return json.Marshal(validationJSON{
		Version: v.Version, Screen: v.Screen, Loss: v.Loss, Points: v.Points, Missed: v.Missed,
		MeanDeg: known(v.MeanDeg), MaxDeg: known(v.MaxDeg), RMSS2SDeg: known(v.RMSS2SDeg), SDDeg: known(v.SDDeg),
		BCEADeg2: known(v.BCEADeg2), RightDeg: known(v.RightDeg), DownDeg: known(v.DownDeg),
	})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Validation) UnmarshalJSON(b []byte) error {
	var j validationJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	value := func(x *float64) float64 {
		if x == nil {
			return math.NaN()
		}
		return *x
	}
	*v = Validation{
		Version: j.Version, Screen: j.Screen, Loss: j.Loss, Points: j.Points, Missed: j.Missed,
		MeanDeg: value(j.MeanDeg), MaxDeg: value(j.MaxDeg), RMSS2SDeg: value(j.RMSS2SDeg), SDDeg: value(j.SDDeg),
		BCEADeg2: value(j.BCEADeg2), RightDeg: value(j.RightDeg), DownDeg: value(j.DownDeg),
	}
	return nil
}
