package facial

import (
	"cmp"
	"slices"
	"time"

	"emolab/fusion/expression"
	"emolab/fusion/instant"
)

// Options set up Derive. The zero value is the default.
type Options struct {
	// Threshold is the probability from which on an expression counts; 0 = .5.
	Threshold float64
	// Least is how long it must last to be a bout; 0 = 300 ms.
	Least time.Duration
	// Merge is the time below which a gap within a bout is bridged; 0 = 200 ms.
	Merge time.Duration
	// Smooth is over how many frames the running median goes that bouts are
	// looked for in, an odd number; 0 = 5, 1 = none. The stored probabilities are
	// never smoothed.
	Smooth int
}

// The defaults: threshold, shortest bout and bridged gap are those that users of
// iMotions' AFFDEX know.
const (
	boutThreshold = .5
	boutLeast     = 300 * time.Millisecond
	boutMerge     = 200 * time.Millisecond
	boutSmooth    = 5
)

func (o Options) withDefaults() Options {
	o.Threshold = cmp.Or(o.Threshold, boutThreshold)
	o.Least = cmp.Or(o.Least, boutLeast)
	o.Merge = cmp.Or(o.Merge, boutMerge)
	o.Smooth = cmp.Or(o.Smooth, boutSmooth)
	return o
}

// findBouts returns the bouts of all expressions but neutral, in order of time.
// A bout ends with the last frame that is above the threshold: how long that
// stays so is not known.
func findBouts(frames []Measured, o Options) []Event {
	smooth := expression.Median(probabilities(frames), o.Smooth)
	var found []Event
	for k := range expression.Count {
		if k == expression.Neutral {
			continue
		}
		found = append(found, boutsOf(frames, smooth, k, o)...)
	}
	slices.SortStableFunc(found, func(a, b Event) int { return cmp.Compare(a.Onset, b.Onset) })
	return found
}

// boutsOf returns the bouts of one expression.
func boutsOf(frames []Measured, p []expression.Probabilities, k int, o Options) []Event {
	var found []Event
	var b *bout
	end := func() {
		if b != nil && b.last.Sub(b.first) >= o.Least {
			found = append(found, b.event(expression.Names()[k]))
		}
		b = nil
	}
	for i := range frames {
		if !(p[i][k] >= o.Threshold) {
			continue
		}
		if at := frames[i].At; b == nil || at.Sub(b.last) >= o.Merge {
			end()
			b = &bout{first: at}
		}
		b.add(frames[i].At, p[i][k])
	}
	end()
	return found
}

// bout is one in the making: its frames above the threshold.
type bout struct {
	first, last instant.Instant
	peak, sum   float64
	frames      int
}

func (b *bout) add(at instant.Instant, p float64) {
	b.last = at
	b.peak = max(b.peak, p)
	b.sum += p
	b.frames++
}

func (b *bout) event(label string) Event {
	return Event{Kind: Bout, Label: label, Onset: b.first, Offset: b.last, Peak: b.peak, Mean: b.sum / float64(b.frames)}
}

// probabilities are those of the frames; NaN without a face.
func probabilities(frames []Measured) []expression.Probabilities {
	out := make([]expression.Probabilities, len(frames))
	for i := range frames {
		out[i] = frames[i].Expression
	}
	return out
}
