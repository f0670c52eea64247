// Package pupil cleans recordings of pupil size, takes baselines, and takes out
// what the light of the screen explains.
//
// Clean follows Kret and Sjak-Shie, "Preprocessing pupil size data: guidelines
// and code", Behavior Research Methods 51, 2019: the same steps in the same
// order, with their parameters as Options.
package pupil

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

// Options of Clean. The zero value is the default; its sizes are millimetres.
type Options struct {
	// Arbitrary says that sizes are not millimetres but, for example, an area in
	// pixels of the tracker's camera: only what is not above 0 is then out of range.
	Arbitrary bool
	// Low and High bound a possible pupil in mm; 0 = 1.5 and 9.
	Low, High float64
	// MADs is how many median absolute deviations above the median a speed or a
	// distance from the trend may be; 0 = 16.
	MADs float64
	// Passes is how often the trend line is drawn anew; 0 = 4, below 0 = no trend.
	Passes int
	// GridHz is the rate at which the signal is interpolated and smoothed; 0 = 1000.
	GridHz float64
	// SmoothHz is the cutoff of the final low-pass; 0 = 4.
	SmoothHz float64
	// MaxGap is the longest gap that is bridged; 0 = 250 ms, and at most 2 s.
	MaxGap time.Duration
	// LeastBlink and MostBlink bound how long both eyes are away in a blink; 0 =
	// 100 and 500 ms.
	LeastBlink, MostBlink time.Duration
}

const (
	defaultLow    = 1.5
	defaultHigh   = 9.0
	defaultMADs   = 16
	defaultPasses = 4
	defaultGridHz = 1000
	defaultSmooth = 4.0

	defaultMaxGap     = 250 * time.Millisecond
	defaultLeastBlink = 100 * time.Millisecond
	defaultMostBlink  = 500 * time.Millisecond

	trendHz     = 16.0 // of the low-pass that draws the trend line
	filterOrder = 3    // of the trend line and of the final low-pass

	// Lids and lashes cover part of the pupil before and after it is lost: what
	// lies within pad of a gap longer than padAbove, and shorter than padBelow,
	// goes as well. Longer gaps are somebody looking away.
	padAbove = 75 * time.Millisecond
	padBelow = 2 * time.Second
	pad      = 50 * time.Millisecond

	// Islands shorter than islandShort with gaps longer than islandGap on both
	// sides are bits of something else.
	islandGap   = 40 * time.Millisecond
	islandShort = 50 * time.Millisecond

	// apart is the gap at which a recording falls into pieces that are smoothed
	// each for itself.
	apart = 2 * time.Second
	// maxGridHz bounds GridHz, and with it the memory.
	maxGridHz = 2000
)

func (o Options) filled() Options {
	set(&o.Low, defaultLow)
	set(&o.High, defaultHigh)
	set(&o.MADs, defaultMADs)
	set(&o.GridHz, defaultGridHz)
	set(&o.SmoothHz, defaultSmooth)
	if o.Passes == 0 {
		o.Passes = defaultPasses
	}
	if o.MaxGap <= 0 {
		o.MaxGap = defaultMaxGap
	}
	if o.LeastBlink <= 0 {
		o.LeastBlink = defaultLeastBlink
	}
	if o.MostBlink <= 0 {
		o.MostBlink = defaultMostBlink
	}
	o.GridHz = min(o.GridHz, maxGridHz)
	o.MaxGap = min(o.MaxGap, apart)
	return o
}

func set(x *float64, value float64) {
	if !(*x > 0) {
		*x = value
	}
}

// Flag says why a sample of one eye is left out; 0 = it is used.
type Flag uint8

const (
	Missing    Flag = 1 + iota // the tracker gave none
	OutOfRange                 // no pupil is that small or large
	TooFast                    // it changed faster than a pupil can
	BesideGap                  // within 50 ms of a gap
	OffTrend                   // far from the smoothed signal
	Island                     // too short between two gaps
)

var flagNames = [...]string{"used", "missing", "out of range", "too fast", "beside a gap", "off the trend", "island"}

func (f Flag) String() string {
	if int(f) < len(flagNames) {
		return flagNames[f]
	}
	return "unknown"
}

// Origin says where a cleaned value comes from.
type Origin uint8

const (
	Lost         Origin = iota // there is none: the value is NaN
	Interpolated               // from the samples around a short gap
	OneEye                     // of one eye, moved by how the two usually differ
	BothEyes                   // mean of both; or the only eye that was recorded
)

var originNames = [...]string{"lost", "interpolated", "one eye", "measured"}

func (o Origin) String() string {
	if int(o) < len(originNames) {
		return originNames[o]
	}
	return "unknown"
}

// Eye is what Clean did to one eye.
type Eye struct {
	Flags []Flag // one per sample
	// SpeedMedian, SpeedMAD and SpeedLimit are in units of the pupil per
	// millisecond; NaN when there are too few samples.
	SpeedMedian, SpeedMAD, SpeedLimit float64
}

// Count returns how many samples have the flag.
func (e Eye) Count(f Flag) int {
	n := 0
	for _, g := range e.Flags {
		if g == f {
			n++
		}
	}
	return n
}

// Blink is a time without either eye.
type Blink struct {
	From, Until instant.Instant // first sample without, first sample with a pupil again
}

// Result of Clean; slices have one element per sample.
type Result struct {
	Size        []float64 // cleaned and smoothed, in the unit of the input; NaN where Origin is Lost
	Origin      []Origin
	Left, Right Eye // without Flags when that eye was not recorded
	Blinks      []Blink
	Valid       float64 // share of samples that are not Lost
}

// Clean cleans the pupil sizes left and right (same unit; NaN or not above 0 =
// missing), taken at the instants at (rising). nil stands for an eye that was not
// recorded.
//
//  1. Range: what no pupil can be.
//  2. Dilation speed: the larger of the speeds from the sample before and to the
//     sample after, against its median and MAD.
//  3. Gaps: the rims of gaps of 75 ms to 2 s.
//  4. Trend: the distance from the signal smoothed at 16 Hz, against its median
//     and MAD, redrawn some times.
//  5. Islands between gaps.
//  6. Mean of both eyes; where one is missing, the other one plus their difference
//     as interpolated from around.
//  7. Linear interpolation on a regular grid.
//  8. Butterworth low-pass of order 3, both ways; gaps longer than MaxGap are
//     missing.
//
// It panics when the lengths differ.
func Clean(at []instant.Instant, left, right []float64, o Options) Result {
	if (left != nil && len(left) != len(at)) || (right != nil && len(right) != len(at)) {
		panic("pupil: Clean: as many instants as values, please")
	}
	o = o.filled()
	var r Result
	if left != nil {
		r.Left = sift(at, left, o)
	}
	if right != nil {
		r.Right = sift(at, right, o)
	}
	r.Blinks = blinks(at, r.Left.Flags, r.Right.Flags, o)
	r.Size, r.Origin = mean(at, left, right, r.Left.Flags, r.Right.Flags)
	smooth(at, r.Size, r.Origin, o)
	if n := len(at); n > 0 {
		lost := 0
		for _, k := range r.Origin {
			if k == Lost {
				lost++
			}
		}
		r.Valid = 1 - float64(lost)/float64(n)
	}
	return r
}

// blinks are the times in which no recorded eye is there.
func blinks(at []instant.Instant, left, right []Flag, o Options) []Blink {
	away := func(flags []Flag, i int) bool { return flags == nil || flags[i] == Missing }
	var found []Blink
	from := -1
	for i := range at {
		switch both := away(left, i) && away(right, i); {
		case both && from < 0:
			from = i
		case !both && from >= 0:
			// a recording that begins without eyes does not begin with a blink
			if d := at[i].Sub(at[from]); from > 0 && d >= o.LeastBlink && d <= o.MostBlink {
				found = append(found, Blink{at[from], at[i]})
			}
			from = -1
		}
	}
	return found
}

func missing(v float64) bool { return !(v > 0) || math.IsInf(v, 1) }
