package script

import (
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// Stamped is what scoring needs of one aligned sample.
type Stamped struct {
	Tick    int64
	Arrival instant.Instant
	At      instant.Instant
	Err     time.Duration
}

// TimeError sums up |at - truth| over the samples of one stream.
type TimeError struct {
	Samples  int     `json:"samples"`
	MedianMs float64 `json:"median_ms"`
	P95Ms    float64 `json:"p95_ms"`
	MaxMs    float64 `json:"max_ms"`
	// Inside is the share of samples whose error is within its stated bound.
	Inside float64 `json:"inside_bound"`
}

// Alignment compares the aligned samples of a stream with the true clocks. ok is
// false when no clock was recorded for the stream.
func (r Record) Alignment(stream string, samples []Stamped) (e TimeError, ok bool) {
	var errs []float64
	inside := 0
	for _, s := range samples {
		c, found := ticking(r.Clocks, stream, s)
		if !found {
			continue
		}
		miss := math.Abs(float64(s.At - c.Near(s.Tick, s.Arrival)))
		errs = append(errs, miss/float64(time.Millisecond))
		if miss <= float64(s.Err) {
			inside++
		}
	}
	if len(errs) == 0 {
		return TimeError{}, false
	}
	slices.Sort(errs)
	at := func(q float64) float64 { return errs[min(len(errs)-1, int(q*float64(len(errs))))] }
	return TimeError{
		Samples: len(errs), MedianMs: at(.5), P95Ms: at(.95), MaxMs: errs[len(errs)-1],
		Inside: float64(inside) / float64(len(errs)),
	}, true
}

// ticking returns the clock that a sample was stamped by: that in force when it
// arrived, or, of a clock that had only just begun anew, the one before, when the
// sample was still on its way.
func ticking(clocks []Clock, stream string, s Stamped) (Clock, bool) {
	now, found := inForce(clocks, stream, s.Arrival)
	if !found || s.Arrival.Sub(now.At0) > underWay {
		return now, found
	}
	before, ok := inForce(clocks, stream, now.At0-1)
	if !ok {
		return now, true
	}
	age := func(c Clock) time.Duration { return s.Arrival.Sub(c.Near(s.Tick, s.Arrival)).Abs() }
	if age(before) < age(now) {
		return before, true
	}
	return now, true
}

// underWay is how long a sample may be on its way.
const underWay = time.Second

// Seen is what was recognised in one camera frame: the most probable class, ""
// when no face was found.
type Seen struct {
	At    instant.Instant
	Class string
}

// Segment tells how one scripted expression was read: recognised when it was
// the most frequent class of its frames, ramps left out.
type Segment struct {
	Class      string  `json:"class"`
	FromS      float64 `json:"from_s"` // script time, seconds
	UntilS     float64 `json:"until_s"`
	Frames     int     `json:"frames"`
	Share      float64 `json:"share"` // of its frames that were read as Class
	Recognised bool    `json:"recognised"`
}

// minFrames is how many frames a segment needs to be judged.
const minFrames = 10

// Expressions scores every scripted expression, the neutral ones between them
// included, of which at least minFrames were seen.
func (r Record) Expressions(seen []Seen) []Segment {
	if len(seen) == 0 {
		return nil
	}
	first, last := seen[0].At.Sub(r.Origin), seen[len(seen)-1].At.Sub(r.Origin)
	var out []Segment
	for _, e := range r.held(first, last) {
		counts := map[string]int{}
		frames := 0
		for _, s := range seen {
			if t := s.At.Sub(r.Origin); t >= e.From+Ramp && t < e.Until-Ramp {
				counts[s.Class]++
				frames++
			}
		}
		if frames < minFrames {
			continue
		}
		recognised := true
		for class, n := range counts {
			recognised = recognised && (class == e.Name || n < counts[e.Name])
		}
		out = append(out, Segment{
			Class: e.Name, FromS: e.From.Seconds(), UntilS: e.Until.Seconds(), Frames: frames,
			Share: float64(counts[e.Name]) / float64(frames), Recognised: recognised,
		})
	}
	return out
}

// legible is the strength from which an expression can be asked for: nets read the
// drawn face from about a half on, not each expression equally well.
const legible = .7

// held lists the expressions between two script times, with the neutral
// stretches between them, over all repetitions of the script. Those that are too weak
// to be read are left out.
func (r Record) held(first, last time.Duration) []Expression {
	var out []Expression
	s := r.Script
	for base := first - s.phase(first); base < last; base += s.Period {
		t := base
		for _, e := range s.Expressions {
			out = append(out, Expression{Name: "neutral", From: t, Until: base + e.From})
			if e.strength() >= legible {
				out = append(out, Expression{Name: e.Name, From: base + e.From, Until: base + e.Until})
			}
			t = base + e.Until
		}
		out = append(out, Expression{Name: "neutral", From: t, Until: base + s.Period})
	}
	return out
}

// ResponseScore compares found skin-conductance responses with the scripted ones.
type ResponseScore struct {
	Scripted int `json:"scripted"`
	Found    int `json:"found"` // scripted ones that were found
	Extra    int `json:"extra"` // found ones that were not scripted
}

// A found onset belongs to a scripted one when it lies in this window around
// it: the trough from which a detector counts comes before the visible rise,
// and a low-pass filter may delay it.
const (
	onsetBefore = 800 * time.Millisecond
	onsetAfter  = 1200 * time.Millisecond
)

// Responses scores the onsets found between two instants. Scripted are those of
// the script that were not withheld and those to deep breaths; such as are too close to the ends to have
// their peak inside are left out.
func (r Record) Responses(from, until instant.Instant, onsets []instant.Instant) ResponseScore {
	const toPeak = 2 * time.Second
	var score ResponseScore
	used := make([]bool, len(onsets))
	for _, want := range r.responses(from, until) {
		inside := want >= from.Add(onsetBefore) && want.Add(toPeak) <= until
		if inside {
			score.Scripted++
		}
		for i, at := range onsets {
			if d := at.Sub(want); !used[i] && d >= -onsetBefore && d <= onsetAfter {
				used[i] = true
				if inside {
					score.Found++
				}
				break
			}
		}
	}
	for _, u := range used {
		if !u {
			score.Extra++
		}
	}
	return score
}

// responses lists the onsets in all periods of the script that two instants touch,
// and those of deep breaths between them, in order.
func (r Record) responses(from, until instant.Instant) []instant.Instant {
	var out []instant.Instant
	first, last := from.Sub(r.Origin), until.Sub(r.Origin)
	for base := first - r.Script.phase(first); base < last; base += r.Script.Period {
		for _, want := range r.Script.Responses {
			onset := r.Origin.Add(base + want.Onset)
			if !slices.ContainsFunc(r.Breaths, func(b Breath) bool { return b.holds(onset) }) {
				out = append(out, onset)
			}
		}
	}
	for _, b := range r.Breaths {
		if b.Onset >= from && b.Onset < until && b.AmplitudeUS > 0 {
			out = append(out, b.Onset)
		}
	}
	slices.Sort(out)
	return out
}
