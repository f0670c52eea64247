package pupil

import (
	"errors"
	"fmt"
	"math"
	"time"

	"emolab/fusion/instant"
)

// The light response is sought in these ranges. The pupil answers after 200 to
// 500 ms, the later the dimmer the light, and then follows over some tenths of a
// second, more slowly when it widens (Ellis 1981, British Journal of
// Ophthalmology 65:754; Mathôt 2018, Journal of Cognition 1:16).
const (
	leastLag = 200 * time.Millisecond
	mostLag  = 500 * time.Millisecond
	lagStep  = 50 * time.Millisecond
)

// followings are the time constants of a first-order response that are tried.
func followings() []time.Duration {
	return []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond}
}

const (
	// fitHz is the rate at which the light's part is sought: nothing of it lies
	// above some Hz.
	fitHz = 20.0
	// black is what a screen and the room give besides the picture, in parts of
	// the screen's white: a guess that keeps the logarithm of black finite.
	black = .01
	// leastLight is the spread of log10 luminance below which its effect cannot be
	// told.
	leastLight = .05
	// leastTime is how much of pupil and luminance together is needed.
	leastTime = 20 * time.Second
	// longest is the longest recording that is looked at: stamps further apart are
	// not of one sitting.
	longest = 48 * time.Hour
	// folds is into how many stretches the recording falls for cross-validation.
	folds = 5
	// leastPredicted is the share of the pupil's variance that the light must
	// explain in stretches that were left out of the fit.
	leastPredicted = .02
	// shifts is how many times the light is moved round the recording to see what
	// chance gives (both wander, so that their samples are not independent), by at
	// least unlike; mostChance is the share of them that may explain as much.
	shifts     = 99
	unlike     = 5 * time.Second
	mostChance = .05
)

// Regression is what the light of the screen says of the pupil:
//
//	size = Mean + Slope·light + Trend·minutes + the rest
//
// where light is log10 of the luminance (relative to white, plus .01), Lag later
// and followed with the time constant Following, less its mean.
type Regression struct {
	Lag, Following time.Duration
	Slope          float64 // in the unit of the pupil, per factor of 10 in luminance; below 0
	Trend          float64 // per minute: what changed slowly by itself, not taken out
	R2             float64 // share of the variance that light explains, beyond the trend
	PredictedR2    float64 // the same in stretches left out of the fit of Slope and Trend; Lag and Following were chosen on all
	P              float64 // share of the same light (so followed) at other times that explains as much
	N              int     // values fitted, 20 per second
	// Adjusted is the pupil with the light's part taken out, as if the screen had
	// been as bright as on average all the time; one per sample, NaN where pupil or
	// light is not known.
	Adjusted []float64
}

// ErrLight says that the light's part cannot be told.
var ErrLight = errors.New("the part of the light cannot be told")

// Regress takes the light's part out of a pupil that was cleaned (Clean). size
// and luminance have one value per instant of at, which rises; luminance is that
// of what the screen showed then, relative to white (0..1), NaN where that is
// not known. After such a time the light counts as unknown until the pupil has
// followed it again.
//
// Lag and time constant are those that explain most. It fails with an error that
// wraps ErrLight when there is too little of it, when the luminance hardly
// changes, when a brighter screen goes with a wider pupil, and when the relation
// does not hold in stretches of the recording that were left out of the fit, or is
// no better than that with the light of other times: then what looks like light is
// chance. Mind that what is bright may also be what moves
// people, so that some of what they felt goes with the light.
//
// It panics when the lengths differ.
func Regress(at []instant.Instant, size, luminance []float64) (Regression, error) {
	if len(size) != len(at) || len(luminance) != len(at) {
		panic("pupil: Regress: as many instants as values, please")
	}
	if n := len(at); n > 0 && at[n-1].Sub(at[0]) > longest {
		return Regression{}, fmt.Errorf("pupil: %w: the stamps span %v, more than one sitting", ErrLight, at[n-1].Sub(at[0]))
	}
	s := sample(at, size, luminance)
	if err := s.enough(); err != nil {
		return Regression{}, err
	}
	var best Regression
	var light []float64
	for _, following := range followings() {
		for lag := leastLag; lag <= mostLag; lag += lagStep {
			x := s.follow(lag, following)
			f, ok := s.fit(x, nil)
			if ok && (light == nil || f.r2 > best.R2) {
				best = Regression{Lag: lag, Following: following, Slope: f.slope, Trend: f.trend, R2: f.r2, N: f.n}
				light = x
			}
		}
	}
	if light == nil {
		return Regression{}, fmt.Errorf("pupil: %w: pupil and luminance are hardly ever known together", ErrLight)
	}
	if best.Slope >= 0 {
		return Regression{}, fmt.Errorf("pupil: %w: the pupil is no smaller when the screen is brighter", ErrLight)
	}
	best.PredictedR2 = s.predicted(light)
	if !(best.PredictedR2 >= leastPredicted) {
		return Regression{}, fmt.Errorf("pupil: %w: what the luminance says of one part of the recording does not hold in the rest", ErrLight)
	}
	if best.P = s.chance(light, best.R2); best.P > mostChance {
		return Regression{}, fmt.Errorf("pupil: %w: the light of other times explains the pupil as well", ErrLight)
	}
	best.Adjusted = s.adjusted(at, size, light, best.Slope)
	return best, nil
}

// sampled is pupil and light on a regular grid.
type sampled struct {
	from  instant.Instant
	size  []float64 // NaN = unknown
	light []float64 // log10 luminance, NaN = unknown
}

const perSample = time.Second / fitHz

// sample takes the mean of the pupil and of the light in every step of the grid.
func sample(at []instant.Instant, size, luminance []float64) sampled {
	if len(at) == 0 {
		return sampled{}
	}
	s := sampled{from: at[0]}
	n := int(at[len(at)-1].Sub(at[0])/perSample) + 1
	s.size, s.light = make([]float64, n), make([]float64, n)
	sizes, lights := make([]int32, n), make([]int32, n)
	for i, t := range at {
		k := s.index(t)
		if v := size[i]; !math.IsNaN(v) {
			s.size[k] += v
			sizes[k]++
		}
		if v := luminance[i]; v >= 0 && !math.IsInf(v, 1) {
			s.light[k] += math.Log10(v + black)
			lights[k]++
		}
	}
	for k := range n {
		s.size[k] /= float64(sizes[k]) // NaN of none
		s.light[k] /= float64(lights[k])
	}
	s.bridge()
	return s
}

func (s sampled) index(t instant.Instant) int {
	return max(0, min(int(t.Sub(s.from)/perSample), len(s.light)-1))
}

// bridged is how long the light may be unknown and still counts as unchanged:
// samples come less often than the grid's steps.
const bridged = 200 * time.Millisecond

func (s sampled) bridge() {
	last := -1
	for k, v := range s.light {
		if math.IsNaN(v) {
			continue
		}
		if gap := k - last - 1; last >= 0 && gap > 0 && time.Duration(gap)*perSample <= bridged {
			for j := last + 1; j < k; j++ {
				s.light[j] = s.light[last]
			}
		}
		last = k
	}
}

func (s sampled) enough() error {
	var n int
	var sum, square float64
	for k, v := range s.light {
		if math.IsNaN(v) || math.IsNaN(s.size[k]) {
			continue
		}
		n++
		sum += v
		square += v * v
	}
	if d := time.Duration(n) * perSample; d < leastTime {
		return fmt.Errorf("pupil: %w: pupil and luminance are known together for %.0f s, need %.0f", ErrLight, d.Seconds(), leastTime.Seconds())
	}
	mean := sum / float64(n)
	if sd := math.Sqrt(max(0, square/float64(n)-mean*mean)); sd < leastLight {
		return fmt.Errorf("pupil: %w: the luminance hardly changes", ErrLight)
	}
	return nil
}

// settle is after how many time constants a first-order response has forgotten
// where it began: an eighth is left.
const settle = 2

// follow is the light as the pupil follows it. It is unknown for some time after
// the light was.
func (s sampled) follow(lag, following time.Duration) []float64 {
	shift := int(lag / perSample)
	unknown := shift + int(settle*following/perSample)
	share := -math.Expm1(-float64(perSample) / float64(following))
	out := make([]float64, len(s.light))
	state, since := math.NaN(), 0
	for k := range out {
		out[k] = math.NaN()
		if k < shift {
			continue
		}
		x := s.light[k-shift]
		switch {
		case math.IsNaN(x):
			state, since = x, 0
			continue
		case math.IsNaN(state):
			state = x
		default:
			state += share * (x - state)
		}
		// the beginning of the grid is a time after the unknown as well
		if since++; since > unknown-shift {
			out[k] = state
		}
	}
	return out
}

type line struct {
	mean, slope, trend float64
	lightMean, midTime float64
	r2                 float64
	n                  int
}

// fit is the least-squares fit of the pupil by light and time, over the grid but
// the stretch without.
func (s sampled) fit(light []float64, without func(k int) bool) (line, bool) {
	var f line
	var y0 float64
	use := func(k int) bool {
		return !math.IsNaN(light[k]) && !math.IsNaN(s.size[k]) && (without == nil || !without(k))
	}
	for k := range light {
		if use(k) {
			f.n++
			f.lightMean += light[k]
			f.midTime += minutes(k)
			y0 += s.size[k]
		}
	}
	if f.n < 4 {
		return f, false
	}
	n := float64(f.n)
	f.lightMean, f.midTime, y0 = f.lightMean/n, f.midTime/n, y0/n
	f.mean = y0
	var xx, tt, yy, xt, xy, ty float64
	for k := range light {
		if use(k) {
			x, t, y := light[k]-f.lightMean, minutes(k)-f.midTime, s.size[k]-y0
			xx, tt, yy = xx+x*x, tt+t*t, yy+y*y
			xt, xy, ty = xt+x*t, xy+x*y, ty+t*y
		}
	}
	det := xx*tt - xt*xt
	if !(det > 1e-9*xx*tt) || !(yy > 0) {
		return f, false
	}
	f.slope = (xy*tt - ty*xt) / det
	f.trend = (ty*xx - xy*xt) / det
	// beyond the trend: of the variance that time alone leaves
	alone := yy - ty*ty/tt
	if !(alone > 0) {
		return f, false
	}
	rest := yy - f.slope*xy - f.trend*ty
	f.r2 = max(0, 1-rest/alone)
	return f, true
}

func minutes(k int) float64 { return float64(k) * perSample.Minutes() }

// predicted is the share of the variance beyond the trend that light explains in
// stretches left out of the fit. Every stretch keeps its own mean: what is left of
// slow changes is not the light's fault.
func (s sampled) predicted(light []float64) float64 {
	var rest, all float64
	for fold := range folds {
		from, until := fold*len(light)/folds, (fold+1)*len(light)/folds
		in := func(k int) bool { return k >= from && k < until }
		f, ok := s.fit(light, in)
		if !ok {
			continue
		}
		var n, x0, y0 float64
		each := func(do func(x, y float64)) {
			for k := from; k < until; k++ {
				if !math.IsNaN(light[k]) && !math.IsNaN(s.size[k]) {
					do(light[k], s.size[k]-f.trend*minutes(k))
				}
			}
		}
		each(func(x, y float64) { n, x0, y0 = n+1, x0+x, y0+y })
		x0, y0 = x0/n, y0/n
		each(func(x, y float64) {
			off := y - y0 - f.slope*(x-x0)
			rest += off * off
			all += (y - y0) * (y - y0)
		})
	}
	if !(all > 0) {
		return math.NaN()
	}
	return 1 - rest/all
}

// chance is in which share of the recordings with the light moved to other times
// it explains as much, with a narrower pupil where it is brighter.
func (s sampled) chance(light []float64, r2 float64) float64 {
	n := len(light)
	moved := make([]float64, n)
	as, all := 1, 1 // the light as it is
	for k := 1; k <= shifts; k++ {
		by := k * n / (shifts + 1)
		if d := time.Duration(min(by, n-by)) * perSample; d < unlike {
			continue
		}
		copy(moved, light[by:])
		copy(moved[n-by:], light[:by])
		f, ok := s.fit(moved, nil)
		if !ok {
			continue
		}
		all++
		if f.slope < 0 && f.r2 >= r2 {
			as++
		}
	}
	return float64(as) / float64(all)
}

// adjusted takes the light's part out of every sample.
func (s sampled) adjusted(at []instant.Instant, size, light []float64, slope float64) []float64 {
	var mean, n float64
	for _, v := range light {
		if !math.IsNaN(v) {
			mean, n = mean+v, n+1
		}
	}
	mean /= n
	out := make([]float64, len(at))
	for i, t := range at {
		// the grid's values stand for the middles of its steps
		f := float64(t.Sub(s.from))/float64(perSample) - .5
		k := max(0, min(int(math.Floor(f)), len(light)-1))
		x := light[k]
		if k+1 < len(light) && !math.IsNaN(light[k+1]) && f > 0 {
			x += (f - float64(k)) * (light[k+1] - x)
		}
		out[i] = size[i] - slope*(x-mean)
	}
	return out
}
