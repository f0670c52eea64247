package gazepoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

const (
	// DefaultDelay and DefaultTimeout are what the API's description gives as the
	// tracker's own: the time that the target takes to arrive, and the time that
	// it is then looked at.
	DefaultDelay   = 500 * time.Millisecond
	DefaultTimeout = 1250 * time.Millisecond

	// MaxPoints bounds a calibration: trackers use 5 or 9.
	MaxPoints = 16
	// maxCalibrated bounds the points of gaze in a calibration's result, in screens.
	maxCalibrated = 1000.0
	// maxErrorPx bounds the stated mean error: more than any screen has.
	maxErrorPx = 1e6
)

// Target is where on the screen a calibration point is, 0..1 from the top left.
type Target struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// EyeResult is where the calibrated tracker believes that one eye looked while
// it was on a target, in the same units. What an eye that is not valid says
// means nothing.
type EyeResult struct {
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
	Valid bool    `json:"valid"`
}

// PointResult is the result at one target.
type PointResult struct {
	Target
	Left  EyeResult `json:"left"`
	Right EyeResult `json:"right"`
}

// Calibration is a finished calibration.
type Calibration struct {
	Points []PointResult `json:"points"`
	// MeanErrorPx is the tracker's own statement, over all points; NaN where it
	// made none.
	MeanErrorPx float64 `json:"-"`
	// ValidPoints is how many points the tracker states to have succeeded; -1
	// where it did not.
	ValidPoints int `json:"-"`
}

// Step is one moment of a running calibration.
type Step struct {
	Point int // from 1
	Target
	Begins bool // the target begins to move there; else: the eyes have been measured there
}

// CalibrationOptions say how to calibrate. The zero value is the tracker's own
// five points on a screen of ours.
type CalibrationOptions struct {
	Points  []Target      // nil = the tracker's five
	Delay   time.Duration // for the target to arrive; 0 = DefaultDelay
	Timeout time.Duration // for the eyes to look at it; 0 = DefaultTimeout
	Show    bool          // on the tracker's own calibration window
	// Progress is told each step, in the goroutine that calls Calibrate.
	Progress func(Step)
}

// complete fills in the defaults and checks.
func (o CalibrationOptions) complete() (CalibrationOptions, error) {
	if o.Delay == 0 {
		o.Delay = DefaultDelay
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Delay < 0 || o.Timeout < 0 {
		return o, fmt.Errorf("gazepoint: calibrate: delay %v, timeout %v: need positive times", o.Delay, o.Timeout)
	}
	if len(o.Points) > MaxPoints {
		return o, fmt.Errorf("gazepoint: calibrate: %d points, at most %d", len(o.Points), MaxPoints)
	}
	for _, p := range o.Points {
		if !(p.X >= 0 && p.X <= 1 && p.Y >= 0 && p.Y <= 1) {
			return o, fmt.Errorf("gazepoint: calibrate: point %v %v is not on the screen: 0 to 1 from the top left", p.X, p.Y)
		}
	}
	return o, nil
}

// calRecord is a CAL message: a step, or the result.
type calRecord struct {
	step   Step
	result []PointResult // nil for a step
}

var errCalibration = errors.New("gazepoint: calibration record that cannot be read")

// parseCalibration reads a CAL message.
func parseCalibration(m Message) (calRecord, error) {
	switch string(m.Value("ID")) {
	case "CALIB_START_PT":
		s, err := parseStep(m)
		s.Begins = true
		return calRecord{step: s}, err
	case "CALIB_RESULT_PT":
		s, err := parseStep(m)
		return calRecord{step: s}, err
	case "CALIB_RESULT":
		r, err := parseResult(m)
		return calRecord{result: r}, err
	}
	return calRecord{}, errCalibration
}

func parseStep(m Message) (Step, error) {
	n, err := strconv.ParseUint(string(m.Value("PT")), 10, 16)
	if err != nil {
		return Step{}, errCalibration
	}
	t, err := target(m, "CALX", "CALY", 1)
	return Step{Point: int(n), Target: t}, err
}

// parseResult reads the numbered points of a CALIB_RESULT; as many as have a CALX.
func parseResult(m Message) ([]PointResult, error) {
	var all []PointResult
	for n := "1"; m.Value("CALX"+n) != nil; n = strconv.Itoa(len(all) + 1) {
		var p PointResult
		var errs [3]error
		p.Target, errs[0] = target(m, "CALX"+n, "CALY"+n, 1)
		p.Left, errs[1] = eye(m, "L", n)
		p.Right, errs[2] = eye(m, "R", n)
		if err := errors.Join(errs[:]...); err != nil {
			return nil, errCalibration
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, errCalibration
	}
	return all, nil
}

func eye(m Message, side, n string) (EyeResult, error) {
	t, err := target(m, side+"X"+n, side+"Y"+n, maxCalibrated)
	if err != nil {
		return EyeResult{}, err
	}
	valid, err := flag(m.Value(side + "V" + n))
	return EyeResult{t.X, t.Y, valid}, err
}

func target(m Message, x, y string, bound float64) (Target, error) {
	var t Target
	var errX, errY error
	t.X, errX = number(m.Value(x), bound)
	t.Y, errY = number(m.Value(y), bound)
	if errX != nil || errY != nil {
		return Target{}, errCalibration
	}
	return t, nil
}

// parseSummary reads the answer to CALIBRATE_RESULT_SUMMARY.
func parseSummary(m Message) (meanErrorPx float64, validPoints int, err error) {
	meanErrorPx, err = number(m.Value("AVE_ERROR"), maxErrorPx)
	if err != nil {
		return math.NaN(), -1, errCalibration
	}
	n, err := strconv.ParseUint(string(m.Value("VALID_POINTS")), 10, 16)
	if err != nil {
		return math.NaN(), -1, errCalibration
	}
	return meanErrorPx, int(n), nil
}

// resultMark is how a result stands in the recording: words, and the points as
// JSON for whoever wants to compute with them.
func resultMark(points []PointResult) string {
	valid := 0
	for _, p := range points {
		if p.Left.Valid && p.Right.Valid {
			valid++
		}
	}
	b, err := json.Marshal(points)
	if err != nil { // numbers that were parsed can be written
		return fmt.Sprintf("calibration: both eyes at %d of %d points", valid, len(points))
	}
	return fmt.Sprintf("calibration: both eyes at %d of %d points %s", valid, len(points), b)
}
