package gaze

import (
	"math"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// Drift is how the error of the gaze changed over a session, seen at fixation
// crosses. It is said, and never applied: whether somebody looked beside a cross
// or the tracker moved cannot be told from one cross.
type Drift struct {
	Version string             `json:"version"`
	Screen  eyemovement.Screen `json:"screen"`
	Crosses []Cross            `json:"crosses"`          // in order of time
	Missed  []Unused           `json:"missed,omitempty"` // without enough gaze
	MeanDeg float64            `json:"mean_deg"`         // 0 without Crosses
	MaxDeg  float64            `json:"max_deg"`
	Trend   *Trend             `json:"trend"` // nil when it cannot be told
}

// Cross is one fixation cross.
type Cross struct {
	At       instant.Instant `json:"at_ns"` // when it came
	Target   Point           `json:"target"`
	Gaze     Point           `json:"gaze"`
	ErrorDeg float64         `json:"error_deg"`
	RightDeg float64         `json:"right_deg"`
	DownDeg  float64         `json:"down_deg"`
	SDDeg    float64         `json:"sd_deg"`
	Used     int             `json:"samples_used"`
}

// Trend is the change of the error per minute: by axis the median of the slopes
// between all pairs of crosses (Theil 1950, Sen 1968), so that one cross that
// was not looked at does not make a drift.
type Trend struct {
	RightDegPerMin float64 `json:"right_deg_per_min"`
	DownDegPerMin  float64 `json:"down_deg_per_min"`
	DegPerMin      float64 `json:"deg_per_min"` // both together, not below 0
	// SpanMin is the time from the first cross to the last.
	SpanMin float64 `json:"span_min"`
}

const (
	leastCrosses = 3           // two always lie on a line
	leastSpan    = time.Minute // over less, a slope per minute is noise made large
)

// MeasureDrift measures the drift from looks at fixation crosses, in order of
// time, which hold calibrated gaze.
func MeasureDrift(looks []Look, s eyemovement.Screen, o FitOptions) Drift {
	d := NewDrift(s)
	for _, l := range looks {
		d.measure(l, o)
	}
	d.summarise()
	return d
}

// NewDrift is that of no cross, to which Add adds one after the other.
func NewDrift(s eyemovement.Screen) Drift { return Drift{Version: Version, Screen: s} }

// Add takes in the look at the latest cross, as MeasureDrift does. Copies made before
// stay as they are.
func (d *Drift) Add(l Look, o FitOptions) {
	d.measure(l, o)
	d.summarise()
}

func (d *Drift) measure(l Look, o FitOptions) {
	step := interval(l) // its own: so much can be told of one cross without the others
	r := l.sift(d.Screen, o.settle(), step)
	if reason := r.weak(step); reason != "" {
		d.Missed = append(d.Missed, Unused{Target: l.Target, Reason: reason})
		return
	}
	p := l.measure(r, d.Screen, step)
	d.Crosses = append(d.Crosses, Cross{
		At: l.From, Target: p.Target, Gaze: p.Gaze, ErrorDeg: p.ErrorDeg,
		RightDeg: p.RightDeg, DownDeg: p.DownDeg, SDDeg: p.SDDeg, Used: p.Used,
	})
}

func (d *Drift) summarise() {
	d.MeanDeg, d.MaxDeg = 0, 0
	for _, c := range d.Crosses {
		d.MeanDeg += c.ErrorDeg / float64(len(d.Crosses))
		d.MaxDeg = max(d.MaxDeg, c.ErrorDeg)
	}
	d.Trend = trend(d.Crosses)
}

func trend(c []Cross) *Trend {
	if len(c) < leastCrosses || c[len(c)-1].At.Sub(c[0].At) < leastSpan {
		return nil
	}
	var right, down []float64
	for i := range c {
		for j := i + 1; j < len(c); j++ {
			minutes := c[j].At.Sub(c[i].At).Minutes()
			if minutes <= 0 {
				continue
			}
			right = append(right, (c[j].RightDeg-c[i].RightDeg)/minutes)
			down = append(down, (c[j].DownDeg-c[i].DownDeg)/minutes)
		}
	}
	t := Trend{RightDegPerMin: median(right), DownDegPerMin: median(down), SpanMin: c[len(c)-1].At.Sub(c[0].At).Minutes()}
	t.DegPerMin = math.Hypot(t.RightDegPerMin, t.DownDegPerMin)
	return &t
}
