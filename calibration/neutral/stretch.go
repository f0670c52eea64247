package neutral

import (
	"fmt"
	"math"
	"time"

	"emolab/fusion/action"
	"emolab/fusion/expression"
	"emolab/fusion/facial"
)

const (
	// minCover is the percentage of a stretch that usable frames must cover. A
	// blink or two may be missing.
	minCover = 80
	// maxUnrest is the largest spread of a calm face, in those of an unmoved
	// face (action.Floor). People who speak, chew or laugh are above it.
	maxUnrest = 3
	// farthest caps how much a stretch costs for being unlike the usual face, in
	// spreads of the recording: another face is another face, however far.
	farthest = 3
	// labelWeight is what a stretch costs that the net holds for not neutral at
	// all, beside one that it holds for surely neutral. More than farthest: a
	// clear answer outweighs what is usual, so that who smiles most of the time
	// is not at rest smiling. A difference of less than three quarters does not.
	labelWeight = 4
	// maxSmile is the mean probability of happy from which on a stretch is not
	// rest, however calm: resting faces are read as sad or angry, hardly ever as
	// surely happy. Who does look like that at rest has the stretch named.
	maxSmile = .8
	// reach is how far a frame may be from the calmest stretch, in the spreads
	// there, to prolong it: a frame of the same face is at about 1.
	reach = 2
	// longestBlink is the longest time that may be passed over.
	longestBlink = 500 * time.Millisecond
)

// stretch is the frames from first up to but without end.
type stretch struct{ first, end int }

// moments are running sums over a window of frames, by time.
type moments struct {
	seconds   float64
	neutral   float64 // sum of the net's probability of neutral
	happy     float64 // and of happy
	sum, sum2 action.Features
}

// add puts a frame that lasts for so many seconds in, or takes it out when
// seconds is negative. origin keeps the sums small.
func (w *moments) add(m *facial.Measured, origin *action.Features, seconds float64) {
	w.seconds += seconds
	w.neutral += seconds * probability(m, expression.Neutral)
	w.happy += seconds * probability(m, expression.Happy)
	for i := range w.sum {
		d := m.Features[i] - origin[i]
		w.sum[i] += seconds * d
		w.sum2[i] += seconds * d * d
	}
}

// unrest returns the spread of the measures in the window, as the root mean
// square over the measures, each in its floor.
func (w *moments) unrest(floor *action.Features) float64 {
	var sum float64
	for i := range w.sum {
		mean := w.sum[i] / w.seconds
		sum += max(0, w.sum2[i]/w.seconds-mean*mean) / (floor[i] * floor[i])
	}
	return math.Sqrt(sum / action.FeatureCount)
}

// departure returns how far the window's mean is from the origin, as the root
// mean square over the measures, each in its scale.
func (w *moments) departure(scale *action.Features) float64 {
	var sum float64
	for i := range w.sum {
		d := w.sum[i] / w.seconds / scale[i]
		sum += d * d
	}
	return math.Sqrt(sum / action.FeatureCount)
}

// window is a candidate.
type window struct {
	stretch
	cost    float64 // unrest and departure from the usual face
	neutral float64 // mean of the net's probability
}

// calmest returns the best stretch of least to most: the calm window of the
// shortest length that costs least, prolonged as long as the face stays the
// same. The error says why there is none.
func (s *sifted) calmest(least, most time.Duration) (stretch, error) {
	calm, smiling := s.search(least)
	if len(calm) == 0 {
		if every := s.interval(); every > slowest {
			return stretch{}, fmt.Errorf("%w: a frame came only every %v, at least every %v is needed; add light or choose a faster mode of the camera", ErrNotFound, every.Round(time.Millisecond), slowest)
		}
		if smiling > 0 {
			return stretch{}, fmt.Errorf("%w: the face is calm for %v on end only while it smiles; %s, or name the stretch", ErrNotFound, least, request)
		}
		return stretch{}, fmt.Errorf("%w: the face was never calm for %v on end; %s", ErrNotFound, least, request)
	}
	mostNeutral := 0.
	for _, c := range calm {
		mostNeutral = max(mostNeutral, c.neutral)
	}
	best, lowest := stretch{}, math.Inf(1)
	for _, c := range calm {
		if cost := c.cost + labelWeight*(mostNeutral-c.neutral); cost < lowest {
			best, lowest = c.stretch, cost
		}
	}
	return s.prolong(best, most), nil
}

// search slides a window of the shortest length over the frames. It returns the
// windows that are calm, and how many were but for a smile.
func (s *sifted) search(least time.Duration) (calm []window, smiling int) {
	usual := typical(s.frames)
	floor := action.Floor()
	var w moments
	first := 0
	for i, m := range s.frames {
		w.add(m, &usual.Features, s.lasts(i).Seconds())
		for s.between(first, i) > least {
			w.add(s.frames[first], &usual.Features, -s.lasts(first).Seconds())
			first++
		}
		if w.seconds < least.Seconds()*minCover/100 {
			continue
		}
		unrest := w.unrest(&floor)
		switch {
		case !(unrest <= maxUnrest):
		case w.happy/w.seconds > maxSmile:
			smiling++
		default:
			cost := unrest + min(farthest, w.departure(&usual.Scale))
			calm = append(calm, window{stretch{first, i + 1}, cost, w.neutral / w.seconds})
		}
	}
	return calm, smiling
}

// prolong adds frames at both ends in turn as long as their face is that of
// the stretch and the stretch is not too long. Frames with another face are
// passed over when they last no longer than a blink.
func (s *sifted) prolong(r stretch, most time.Duration) stretch {
	core := typical(s.frames[r.first:r.end])
	// next returns the nearest frame beyond edge with the same face, -1 if none.
	next := func(edge, step int) int {
		for i := edge + step; i >= 0 && i < len(s.frames); i += step {
			if s.between(min(edge, i), max(edge, i)) > longestBlink {
				break
			}
			if distance(&s.frames[i].Features, &core) <= reach {
				return i
			}
		}
		return -1
	}
	for {
		grown := false
		if i := next(r.first, -1); i >= 0 && s.between(i, r.end-1) <= most {
			r.first, grown = i, true
		}
		if i := next(r.end-1, 1); i >= 0 && s.between(r.first, i) <= most {
			r.end, grown = i+1, true
		}
		if !grown {
			return r
		}
	}
}

// between returns the time from frame i to frame j.
func (s *sifted) between(i, j int) time.Duration { return s.frames[j].At.Sub(s.frames[i].At) }
