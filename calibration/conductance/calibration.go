package conductance

import (
	"errors"
	"fmt"
	"math"
)

// Point is one resistor across the electrode leads and what the box then read,
// by the nominal circuit.
type Point struct {
	Kohm       float64 `json:"kohm"`
	MeasuredUS float64 `json:"measured_us"`
}

// TrueUS is the conductance of the point's resistor.
func (p Point) TrueUS() float64 { return 1000 / p.Kohm }

// Calibration corrects the nominal circuit: true = Gain·measured + OffsetUS. It
// keeps the points that it was made from.
type Calibration struct {
	Gain        float64   `json:"gain"`
	OffsetUS    float64   `json:"offset_us"`
	Points      []Point   `json:"points"`
	ResidualsUS []float64 `json:"residuals_us"` // per point: corrected minus true
	RMSUS       float64   `json:"rms_us"`
}

// minSpanUS is the least distance in µS between the points: closer together they
// fix the offset, but the gain is guessed.
const minSpanUS = 0.5

// Fit returns the least-squares line through two or more resistors. It fails
// when a point is not a measurement or when they lie too close together.
func Fit(points []Point) (Calibration, error) {
	if len(points) < 2 {
		return Calibration{}, fmt.Errorf("conductance: %d calibration resistors, need two or more (for example 47 kΩ and 1 MΩ)", len(points))
	}
	var meanX, meanY float64
	low, high := math.Inf(1), math.Inf(-1)
	for i, p := range points {
		if !(p.Kohm > 0) || math.IsInf(p.Kohm, 0) {
			return Calibration{}, fmt.Errorf("conductance: resistor %d has %v kΩ, need a positive value", i+1, p.Kohm)
		}
		if math.IsNaN(p.MeasuredUS) || math.IsInf(p.MeasuredUS, 0) {
			return Calibration{}, fmt.Errorf("conductance: nothing was read on resistor %d (%v kΩ): check the leads, and that it lies in the box's range", i+1, p.Kohm)
		}
		meanX += p.MeasuredUS
		meanY += p.TrueUS()
		low, high = min(low, p.MeasuredUS), max(high, p.MeasuredUS)
	}
	if high-low < minSpanUS {
		return Calibration{}, errors.New("conductance: the resistors read alike: use values further apart, for example 47 kΩ and 1 MΩ")
	}
	n := float64(len(points))
	meanX, meanY = meanX/n, meanY/n
	var xx, xy float64
	for _, p := range points {
		dx := p.MeasuredUS - meanX
		xx += dx * dx
		xy += dx * (p.TrueUS() - meanY)
	}
	c := Calibration{Gain: xy / xx, Points: append([]Point(nil), points...)}
	c.OffsetUS = meanY - c.Gain*meanX
	var square float64
	for _, p := range points {
		r := c.Apply(p.MeasuredUS) - p.TrueUS()
		c.ResidualsUS = append(c.ResidualsUS, r)
		square += r * r
	}
	c.RMSUS = math.Sqrt(square / n)
	return c, nil
}

// Apply corrects a value in µS. NaN stays NaN.
func (c Calibration) Apply(us float64) float64 { return c.Gain*us + c.OffsetUS }
