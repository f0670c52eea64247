package gaze

import (
	"math"

	"emolab/fusion/eyemovement"
)

// Calibration maps what the tracker says to places on the screen, and keeps what
// it was made from. It is kept as JSON; all its numbers are finite.
type Calibration struct {
	Version string             `json:"version"`
	Screen  eyemovement.Screen `json:"screen"`
	Model   Model              `json:"model"`
	// Origin, X and Y are the polynomials: with u and v the tracker's
	// coordinates less Origin, x on the screen is the sum of X times the terms
	// that Model names, y that of Y.
	Origin Point     `json:"origin"`
	X      []float64 `json:"x"`
	Y      []float64 `json:"y"`
	// Low and High bound what the targets covered of the tracker's range. Further
	// out than an eighth of that the map goes on straight.
	Low  Point `json:"low"`
	High Point `json:"high"`

	Points     []PointFit  `json:"points"`           // one per look that was used
	Unused     []Unused    `json:"unused,omitempty"` // looks that were not
	Candidates []Candidate `json:"candidates"`       // what the model was chosen from
	MeanDeg    float64     `json:"mean_deg"`         // mean residual over the points; they were fitted, so it is too small
	MaxDeg     float64     `json:"max_deg"`          // the worst point's
	// CVDeg is the mean error at targets left out of the fit. The model was chosen by
	// it, so it is a little too small as well; the accuracy is what a Validation says.
	CVDeg   float64 `json:"cross_validated_deg"`
	Samples Samples `json:"samples"`
}

// PointFit is one look that a calibration was fitted to.
type PointFit struct {
	Target   Point   `json:"target"`
	Raw      Point   `json:"raw"`    // mean of what the tracker said
	Fitted   Point   `json:"fitted"` // where the calibration puts that
	ErrorDeg float64 `json:"error_deg"`
	LeftDeg  float64 `json:"left_out_deg"` // error of a fit without this target
	Used     int     `json:"samples_used"`
	Outliers int     `json:"samples_outlying"`
	Missing  int     `json:"samples_missing"`
}

// Unused is a look that was not used, and why.
type Unused struct {
	Target Point  `json:"target"`
	Reason string `json:"reason"`
}

// Candidate is a model that was considered.
type Candidate struct {
	Model              Model   `json:"model"`
	Parameters         int     `json:"parameters"` // per axis
	CVDeg              float64 `json:"cross_validated_deg"`
	CVStandardErrorDeg float64 `json:"cross_validated_se_deg"`
	FitDeg             float64 `json:"fit_deg"`           // mean residual
	Refused            string  `json:"refused,omitempty"` // why it was out of the question; the errors are then 0
}

// Samples counts what became of the samples.
type Samples struct {
	Used     int `json:"used"`
	Settling int `json:"settling"` // while the eyes were on their way
	Missing  int `json:"missing"`
	Outlying int `json:"outlying"`
	Unused   int `json:"unused"` // in looks that were left out
}

func (s *Samples) add(r sifted) {
	s.Used += len(r.kept)
	s.Settling += r.settling
	s.Missing += r.missing
	s.Outlying += r.outliers
}

func (c *Calibration) set(p polynomial) {
	c.Model, c.Origin, c.X, c.Y, c.Low, c.High = p.model, p.origin, p.x, p.y, p.low, p.high
}

func (c Calibration) polynomial() polynomial {
	n := min(len(c.X), len(c.Y), maxTerms)
	return polynomial{model: c.Model, origin: c.Origin, x: c.X[:n], y: c.Y[:n], low: c.Low, high: c.High}
}

// judge fills in the residuals.
func (c *Calibration) judge(all []observation, p polynomial, s eyemovement.Screen) {
	left, err := leaveOut(p.model, all, s)
	for i := range c.Points {
		k := &c.Points[i]
		k.Fitted = p.apply(k.Raw)
		k.ErrorDeg = s.Degrees(k.Fitted.X, k.Fitted.Y, k.Target.X, k.Target.Y)
		if err == nil { // the model was not chosen otherwise
			k.LeftDeg = left[i]
		}
		c.MeanDeg += k.ErrorDeg / float64(len(c.Points))
		c.MaxDeg = max(c.MaxDeg, k.ErrorDeg)
	}
	c.CVDeg, _ = meanAndError(left)
}

// Apply maps gaze of the tracker to the screen, both in fractions of it. What is
// missing (see Look) becomes NaN. The zero Calibration changes nothing.
func (c Calibration) Apply(x, y float64) (float64, float64) {
	if len(c.X) == 0 || len(c.Y) == 0 {
		return x, y
	}
	if !(Point{x, y}).known() {
		return math.NaN(), math.NaN()
	}
	p := c.polynomial().apply(Point{x, y})
	return p.X, p.Y
}

// Correct is the look with Apply done to its samples.
func (c Calibration) Correct(l Look) Look {
	x, y := make([]float64, len(l.X)), make([]float64, len(l.Y))
	for i := range min(len(x), len(y)) {
		x[i], y[i] = c.Apply(l.X[i], l.Y[i])
	}
	l.X, l.Y = x, y
	return l
}
