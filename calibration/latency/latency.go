// Package latency measures how late light is: on the glass after the time that a
// browser announces for a frame (the display), and in the stamp of a frame after
// the light that it shows (the camera).
//
// Both are measured alike. A patch turns bright and dark at times that one side
// states and the other sees. Edges finds the changes in readings of light, Match
// finds by how much what was seen is later than what was stated, and Measured is
// the result with its residuals, which is kept, and which corrects a stream
// (Shift). DECISIONS.md states the method and its limits.
package latency

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/stream"
)

// Kind says what was measured.
type Kind string

// The kinds of measurement.
const (
	Display Kind = "display" // light on the glass after the browser's expected display time
	Camera  Kind = "camera"  // a frame's stamp after the middle of its exposure
	// Sum is both together, where nothing tells them apart. It corrects neither.
	Sum Kind = "sum"
)

// Screen is the screen that was measured with.
type Screen struct {
	Width     int     `json:"width_px"`   // CSS px
	Height    int     `json:"height_px"`  // CSS px
	PixelRate float64 `json:"pixel_rate"` // device px per CSS px
	RefreshHz float64 `json:"refresh_hz"` // 0 = unknown
}

// Measured is a latency as it was measured once, with all that speaks for it.
type Measured struct {
	Kind       Kind      `json:"kind"`
	MeasuredAt time.Time `json:"measured_at"`
	Software   string    `json:"software"`         // which Emolab
	Device     string    `json:"device"`           // what saw the light
	Screen     Screen    `json:"screen"`           // what showed it
	Browser    string    `json:"browser"`          // its user agent
	Corner     string    `json:"corner,omitempty"` // of the screen, where the patch was
	Mode       string    `json:"mode,omitempty"`   // of the camera: size and rate
	Remark     string    `json:"remark,omitempty"` // what else a reader should know

	MedianMs float64 `json:"median_ms"` // seen minus stated
	SDMs     float64 `json:"sd_ms"`
	P95Ms    float64 `json:"p95_ms"` // of |deviation from the median|
	MaxMs    float64 `json:"max_ms"` // of |deviation from the median|
	// RisingMs and FallingMs are the medians of the edges to bright and to dark:
	// liquid crystals turn one way faster than the other.
	RisingMs  float64 `json:"rising_ms"`
	FallingMs float64 `json:"falling_ms"`

	Flashes int `json:"flashes"` // edges that were stated
	Matched int `json:"matched"` // of these, those that were seen
	Extra   int `json:"extra"`   // edges that were seen and not stated
	// ResidualsMs are the deviations from the median, in order of time.
	ResidualsMs []float64 `json:"residuals_ms"`
	// ClockMs is the largest bound of the two clocks together on any edge; of a
	// camera, with OpenMs.
	ClockMs float64 `json:"clock_ms"`

	// ExposureMs is about how long the camera exposes, as far as the flashes tell,
	// and OpenMs by how much the latency may be off because too few flashes fell
	// into an exposure.
	ExposureMs float64 `json:"exposure_ms,omitempty"`
	OpenMs     float64 `json:"open_ms,omitempty"`
}

const (
	// held is the share of the deviations that a stated bound holds.
	held = .99
	// fewFlashes is nearly as many as show that share: three rounds of the flashes,
	// of which a tenth was missed.
	fewFlashes = 86
)

// WithinMs is what 99 of 100 deviations stay in, and the bound of the clocks that
// they were measured with: a deviation d that was measured with an error of up to
// c is at most |d| + c. Of fewer deviations than 100 it is the largest one, beyond
// which one of n+1 further ones is to be expected (see Few).
func (m Measured) WithinMs() float64 {
	if len(m.ResidualsMs) == 0 {
		return math.Inf(1)
	}
	away := make([]float64, len(m.ResidualsMs))
	for i, r := range m.ResidualsMs {
		away[i] = math.Abs(r)
	}
	slices.Sort(away)
	return quantile(away, held) + m.ClockMs
}

// Few tells whether so few flashes were matched that their largest deviation does
// not show what 99 of 100 stay in: one of n+1 further ones lies beyond it.
func (m Measured) Few() bool { return m.Matched < fewFlashes }

// ShiftMs is what is added to the instants of the stream that was measured: light
// comes later than the display time that the browser says, an exposure earlier
// than the stamp of its frame.
func (m Measured) ShiftMs() float64 {
	switch m.Kind {
	case Camera:
		return -m.MedianMs
	case Sum:
		return 0
	}
	return m.MedianMs
}

// Shift is what corrects the stream that was measured.
func (m Measured) Shift() stream.Shift {
	text, err := json.Marshal(m)
	if err != nil {
		text = nil // a value that is no number; Check refuses it
	}
	return stream.Shift{By: milliseconds(m.ShiftMs()), Within: milliseconds(m.WithinMs()), Calibration: text}
}

// Limits of a believable measurement.
const (
	// farthest is the largest latency that is believed, ms: a television that
	// improves pictures takes 150, a network camera 400.
	farthest = 2000
	// widest is the largest bound that is worth applying, ms: without any
	// measurement 50 are assumed of a display and 150 of a camera.
	widest = 1000
)

// Check refuses a measurement that cannot be true: a file that was damaged, or
// changed by hand.
func (m Measured) Check(kind Kind) error {
	switch {
	case m.Kind != kind:
		return fmt.Errorf("latency: this is a measurement of %q, want %q", m.Kind, kind)
	case !(math.Abs(m.MedianMs) <= farthest):
		return fmt.Errorf("latency: a median of %v ms cannot be", m.MedianMs)
	case m.Matched < 1 || len(m.ResidualsMs) != m.Matched || m.Matched > m.Flashes:
		return fmt.Errorf("latency: %d of %d flashes were matched and there are %d residuals, which does not agree", m.Matched, m.Flashes, len(m.ResidualsMs))
	case !(m.ClockMs >= 0):
		return fmt.Errorf("latency: a bound of the clocks of %v ms cannot be", m.ClockMs)
	case !(m.WithinMs() <= widest):
		return fmt.Errorf("latency: deviations of %v ms cannot be", m.WithinMs())
	}
	return nil
}

func milliseconds(ms float64) time.Duration {
	const most = float64(math.MaxInt64 / 2)
	return time.Duration(min(max(ms*float64(time.Millisecond), -most), most))
}

func inMs(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile returns the least value that a share q of the sorted values does not
// exceed.
func quantile(sorted []float64, q float64) float64 {
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// median returns the median of sorted values, the mean of the middle two of an
// even number.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
