package eyemovement

import (
	"math"
	"slices"
	"time"
)

// EKOptions are the parameters of EngbertKliegl. Zero fields have the values of
// Engbert and Mergenthaler (2006).
type EKOptions struct {
	Rate        float64       // nominal rate in Hz; 0 takes it from the median interval
	Lambda      float64       // threshold in noise deviations: 6 (5 in Engbert and Kliegl 2003)
	MinDuration time.Duration // least duration of a saccade: 6 ms
}

// EngbertKliegl finds saccades and microsaccades as outliers of the velocity in
// the plane: outside the ellipse whose half axes are Lambda times a median
// estimate of the recording's own noise (Engbert and Kliegl 2003). The samples
// between that are there are fixations, however short. Velocities are in the
// flat degrees of Screen.Flat; AmplitudeDeg is that of the publication, from the
// extremes within the saccade. Nothing is found in a recording without noise.
func EngbertKliegl(g Gaze, s Screen, o EKOptions) []Event {
	return ekEvents(g, s, o, ekSaccades(g, s, o))
}

// EngbertKlieglBinocular keeps the saccades that overlap in time in both eyes.
// Where several do, the largest of each eye count. Each event lasts from the
// earlier onset to the later end; what is said of it is said of the mean of both
// eyes. The eyes have the same stamps.
func EngbertKlieglBinocular(left, right Gaze, s Screen, o EKOptions) []Event {
	n := min(left.Len(), right.Len())
	left = Gaze{At: left.At[:n], X: left.X[:n], Y: left.Y[:n]}
	right = Gaze{At: left.At, X: right.X[:n], Y: right.Y[:n]}
	both := overlapping(ekSaccades(left, s, o), ekSaccades(right, s, o))
	return ekEvents(Average(left, right), s, o, both)
}

// MicrosaccadeOptions say which saccades are microsaccades. Zero fields: at
// most 1 degree, at least 20 ms after the one before (what comes sooner is an
// overshoot).
type MicrosaccadeOptions struct {
	MaxDeg   float64
	Interval time.Duration
}

// Microsaccades returns those of the saccades among events that are small and
// not overshoots.
func Microsaccades(events []Event, o MicrosaccadeOptions) []Event {
	set(&o.MaxDeg, 1)
	set(&o.Interval, 20*time.Millisecond)
	var out []Event
	var last *Event
	for i := range events {
		e := &events[i]
		if e.Class != Saccade {
			continue
		}
		if e.AmplitudeDeg <= o.MaxDeg && (last == nil || e.From.Sub(last.Until) >= o.Interval) {
			out = append(out, *e)
		}
		last = e
	}
	return out
}

// plane holds velocities in flat deg/s, one per sample, NaN where missing.
type plane struct{ x, y []float64 }

// ekVelocity is the moving average of velocities over five samples: the
// difference of the two after and the two before over the time between, two
// points next to the ends, zero at them.
func ekVelocity(g Gaze, s Screen, dt time.Duration) plane {
	perWidth, perHeight := s.Flat()
	n := g.Len()
	v := plane{make([]float64, n), make([]float64, n)}
	for i := 1; i+1 < n; i++ {
		a, b := i-1, i+1
		span := g.At[b].Sub(g.At[a])
		dx, dy := g.X[b]-g.X[a], g.Y[b]-g.Y[a]
		if i >= 2 && i+2 < n {
			span += g.At[i+2].Sub(g.At[i-2])
			dx += g.X[i+2] - g.X[i-2]
			dy += g.Y[i+2] - g.Y[i-2]
			a, b = i-2, i+2
		}
		// A hole in the stamps as wide as the window leaves no velocity.
		if !finite(dx) || !finite(dy) || g.At[b].Sub(g.At[a]) >= 2*time.Duration(b-a)*dt {
			v.x[i], v.y[i] = math.NaN(), math.NaN()
			continue
		}
		v.x[i] = dx * perWidth / span.Seconds()
		v.y[i] = dy * perHeight / span.Seconds()
	}
	return v
}

// ekNoise returns the median estimate of the noise's deviation:
// sqrt(median(v²) - median(v)²).
func ekNoise(v []float64) float64 {
	there, squares := make([]float64, 0, len(v)), make([]float64, 0, len(v))
	for _, x := range v {
		if finite(x) {
			there = append(there, x)
			squares = append(squares, x*x)
		}
	}
	m := median(there)
	return math.Sqrt(max(0, median(squares)-m*m))
}

// median sorts x. NaN of nothing.
func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	slices.Sort(x)
	return x[(len(x)-1)/2]/2 + x[len(x)/2]/2
}

// span is a saccade's first and last sample, and its size in flat degrees.
type span struct {
	first, last int
	amplitude   float64
}

// ekSaccades returns the runs of samples outside the ellipse that last long
// enough.
func ekSaccades(g Gaze, s Screen, o EKOptions) []span {
	if g.Check() != nil || !s.Valid() || g.Len() < 5 {
		return nil
	}
	set(&o.Lambda, 6)
	set(&o.MinDuration, 6*time.Millisecond)
	dt := interval(g, o.Rate)
	if dt <= 0 {
		return nil
	}
	v := ekVelocity(g, s, dt)
	limitX, limitY := o.Lambda*ekNoise(v.x), o.Lambda*ekNoise(v.y)
	if !(limitX > 0) || !(limitY > 0) {
		return nil
	}
	least := max(1, int(math.RoundToEven(float64(o.MinDuration)/float64(dt))))
	labels := make([]Class, g.Len())
	for i := range labels {
		x, y := v.x[i]/limitX, v.y[i]/limitY
		if x*x+y*y > 1 {
			labels[i] = Saccade
		}
	}
	var out []span
	runs(labels, nil, func(_ Class, first, last int) {
		if last-first+1 >= least {
			out = append(out, span{first, last, ekAmplitude(g, s, first, last)})
		}
	})
	return out
}

// ekAmplitude is the distance between the extremes of each axis.
func ekAmplitude(g Gaze, s Screen, first, last int) float64 {
	perWidth, perHeight := s.Flat()
	extent := func(v []float64) float64 {
		low, high := math.Inf(1), math.Inf(-1)
		for _, x := range v[first : last+1] {
			if finite(x) {
				low, high = min(low, x), max(high, x)
			}
		}
		return high - low
	}
	x, y := extent(g.X), extent(g.Y)
	if x < 0 || y < 0 {
		return math.NaN()
	}
	return math.Hypot(x*perWidth, y*perHeight)
}

// overlapping pairs the saccades of two eyes. Those that hang together by
// overlaps are one cluster, of which the largest of each eye counts.
func overlapping(left, right []span) []span {
	var out []span
	for i, j := 0, 0; i < len(left) && j < len(right); {
		switch {
		case left[i].last < right[j].first:
			i++
			continue
		case right[j].last < left[i].first:
			j++
			continue
		}
		l, r := left[i], right[j]
		end := max(l.last, r.last)
		for i, j = i+1, j+1; ; {
			switch {
			case i < len(left) && left[i].first <= end:
				l, end = larger(l, left[i]), max(end, left[i].last)
				i++
				continue
			case j < len(right) && right[j].first <= end:
				r, end = larger(r, right[j]), max(end, right[j].last)
				j++
				continue
			}
			break
		}
		out = append(out, span{min(l.first, r.first), max(l.last, r.last), (l.amplitude + r.amplitude) / 2})
	}
	return out
}

func larger(a, b span) span {
	if b.amplitude > a.amplitude {
		return b
	}
	return a
}

// ekEvents describes the saccades and the fixations between them.
func ekEvents(g Gaze, s Screen, o EKOptions, saccades []span) []Event {
	if g.Check() != nil || !s.Valid() || g.Len() < 5 {
		return nil
	}
	dt := interval(g, o.Rate)
	v := ekVelocity(g, s, dt)
	speed := make([]float64, g.Len())
	labels := make([]Class, g.Len())
	for i := range speed {
		speed[i] = math.Hypot(v.x[i], v.y[i])
		if g.Valid(i) {
			labels[i] = Fixation
		}
	}
	for _, r := range saccades {
		for i := r.first; i <= r.last; i++ {
			labels[i] = Saccade
		}
	}
	var events []Event
	next := 0 // saccades may touch each other, so they are told by their own ends
	runs(labels, breaksOver(g, breakLimit(0, dt)), func(c Class, first, last int) {
		if c != Saccade {
			events = append(events, describe(g, s, speed, dt, c, first, last))
			return
		}
		for ; next < len(saccades) && saccades[next].first <= last; next++ {
			e := describe(g, s, speed, dt, c, saccades[next].first, saccades[next].last)
			e.AmplitudeDeg = saccades[next].amplitude
			events = append(events, e)
		}
	})
	return events
}
