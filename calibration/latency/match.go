package latency

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

const (
	// searchFrom and searchUntil are the least and the largest latency that is looked
	// for: a browser may announce a frame some refreshes too late, and no screen in a
	// lab is half a second behind.
	searchFrom  = -100 * time.Millisecond
	searchUntil = 500 * time.Millisecond
	// window is how far apart, from end to end, most latencies of one measurement
	// lie: a frame of 30 a second, and how much liquid crystals differ in brightening
	// and darkening.
	window = 40 * time.Millisecond
	// tolerance is how far a single edge may be from the median and still be one that
	// came late or early, and not another.
	tolerance = 150 * time.Millisecond
	// fewestMatched is the least number of edges that tell a latency.
	fewestMatched = 10
	// enough is the share of the stated edges that must be matched, so that those
	// that were not cannot be the rule.
	enough = .5
	// rival is the share of the best latency's matches with which another one makes
	// the answer doubtful.
	rival = .7
	// maxClock bounds the error of an edge that can be measured with: a few of them
	// between a reset of a device's clock and its first answers are worse.
	maxClock = 25 * time.Millisecond
)

// Match finds by how much the edges of light that were seen on a display are later
// than those that were stated. It fills the figures of the result; who measured what
// is the caller's to add.
//
// Every pair of a stated and a seen edge of one direction votes for its
// difference; the latency is where most votes of different edges lie within the
// window. Intervals that never repeat make false pairs scatter, so missed edges,
// additional ones and single late ones change nothing. Then each stated edge takes
// the seen one that is nearest to it after that latency, each of them once.
//
// It is an error when too few edges match, or when two latencies are about equally
// good.
func Match(stated, seen []Edge) (Measured, error) {
	m := Measured{Kind: Display}
	if len(stated) == 0 {
		return m, errNotShown
	}
	stated, err := wellKnown(stated)
	if err != nil {
		return m, err
	}
	m.Flashes = len(stated)
	if len(seen) == 0 {
		return m, fmt.Errorf("latency: none of %d flashes was seen: move the sensor onto the patch", len(stated))
	}
	if seen, err = wellKnown(seen); err != nil {
		return m, err
	}
	best, votes, other, otherVotes := vote(stated, seen)
	if votes > 0 && float64(otherVotes) >= rival*float64(votes) {
		return m, fmt.Errorf("latency: %.0f and %.0f ms are about equally good (%d and %d of %d flashes): is something else flashing near the sensor, or is the computer too busy to play the flashes evenly?",
			inMs(best), inMs(other), votes, otherVotes, len(stated))
	}
	pairs := pairUp(stated, seen, best)
	m.Matched, m.Extra = len(pairs), len(seen)-len(pairs)
	if len(pairs) < fewestMatched || float64(len(pairs)) < enough*float64(len(stated)) {
		return m, fmt.Errorf("latency: only %d of %d flashes were seen (at least %d are needed): move the sensor onto the middle of the patch, shade it from other light, and keep the page in front",
			len(pairs), len(stated), max(fewestMatched, int(math.Ceil(enough*float64(len(stated))))))
	}
	m.describe(pairs)
	return m, nil
}

var errNotShown = errors.New("latency: no flash was shown: did the page stay in front, in full screen?")

// wellKnown drops edges whose instants are not known well enough to measure with,
// and puts the others in order. It is an error if none is left of some.
func wellKnown(edges []Edge) ([]Edge, error) {
	kept := make([]Edge, 0, len(edges))
	for _, e := range edges {
		if e.Err >= 0 && e.Err <= maxClock {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("latency: none of %d changes of light is known to %v or better, so nothing can be measured with them: let the devices run for a minute, end other programs, and measure again", len(edges), maxClock)
	}
	slices.SortStableFunc(kept, func(a, b Edge) int { return cmp.Compare(a.At, b.At) })
	return kept, nil
}

// pair is a stated edge and the one that was seen of it.
type pair struct {
	stated, seen Edge
}

func (p pair) late() time.Duration { return p.seen.At.Sub(p.stated.At) }

// ballot is a pair's vote: how late the seen edge of it is.
type ballot struct {
	late         time.Duration
	stated, seen int
}

// vote returns the latency with most votes within the window, and the best of
// those that share no vote with it.
func vote(stated, seen []Edge) (best time.Duration, votes int, other time.Duration, otherVotes int) {
	var all []ballot
	first := 0 // of the seen edges that a stated one can still reach
	for i, s := range stated {
		for first < len(seen) && seen[first].At.Sub(s.At) < searchFrom {
			first++
		}
		for j := first; j < len(seen) && seen[j].At.Sub(s.At) <= searchUntil; j++ {
			if seen[j].Bright == s.Bright {
				all = append(all, ballot{seen[j].At.Sub(s.At), i, j})
			}
		}
	}
	slices.SortFunc(all, func(a, b ballot) int { return cmp.Compare(a.late, b.late) })
	from, until, votes := fullest(all)
	if votes == 0 {
		return 0, 0, 0, 0
	}
	best = all[(from+until-1)/2].late
	// A rival lies a whole window away at least: nearer ones have the tail of the
	// same latencies.
	for _, rest := range [...][]ballot{
		slices.DeleteFunc(slices.Clone(all), func(b ballot) bool { return b.late >= best-window }),
		slices.DeleteFunc(slices.Clone(all), func(b ballot) bool { return b.late <= best+window }),
	} {
		if f, u, n := fullest(rest); n > otherVotes {
			other, otherVotes = rest[(f+u-1)/2].late, n
		}
	}
	return best, votes, other, otherVotes
}

// fullest finds the window with most votes in ballots in order of latency. An edge
// has one vote in a window, however many pairs it makes. Of equally full windows
// the narrowest counts.
func fullest(all []ballot) (from, until, votes int) {
	statedIn, seenIn := map[int]int{}, map[int]int{}
	add := func(b ballot, n int) {
		for _, in := range [...]struct {
			of  map[int]int
			key int
		}{{statedIn, b.stated}, {seenIn, b.seen}} {
			if in.of[in.key] += n; in.of[in.key] == 0 {
				delete(in.of, in.key)
			}
		}
	}
	width := time.Duration(0)
	i := 0
	for j := range all {
		add(all[j], 1)
		for all[j].late-all[i].late > window {
			add(all[i], -1)
			i++
		}
		n, w := min(len(statedIn), len(seenIn)), all[j].late-all[i].late
		if n > votes || n == votes && w < width {
			from, until, votes, width = i, j+1, n, w
		}
	}
	return from, until, votes
}

// pairUp gives each stated edge the seen one nearest to it after the latency, of
// its direction, in order of distance, each edge once.
func pairUp(stated, seen []Edge, late time.Duration) []pair {
	type candidate struct {
		ballot
		away time.Duration
	}
	var all []candidate
	first := 0
	for i, s := range stated {
		for first < len(seen) && seen[first].At.Sub(s.At) < late-tolerance {
			first++
		}
		for j := first; j < len(seen) && seen[j].At.Sub(s.At) <= late+tolerance; j++ {
			if d := seen[j].At.Sub(s.At); seen[j].Bright == s.Bright {
				all = append(all, candidate{ballot{d, i, j}, (d - late).Abs()})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.away, b.away) })
	takenStated, takenSeen := make([]bool, len(stated)), make([]bool, len(seen))
	var pairs []pair
	for _, c := range all {
		if !takenStated[c.stated] && !takenSeen[c.seen] {
			takenStated[c.stated], takenSeen[c.seen] = true, true
			pairs = append(pairs, pair{stated[c.stated], seen[c.seen]})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.stated.At, b.stated.At) })
	return pairs
}

// describe fills in the figures of pairs in order of time.
func (m *Measured) describe(pairs []pair) {
	late := make([]float64, len(pairs))
	var bright, dark []float64
	var clock time.Duration
	for i, p := range pairs {
		late[i] = inMs(p.late())
		if p.stated.Bright {
			bright = append(bright, late[i])
		} else {
			dark = append(dark, late[i])
		}
		clock = max(clock, p.stated.Err+p.seen.Err)
	}
	sorted := slices.Sorted(slices.Values(late))
	m.MedianMs = median(sorted)
	m.RisingMs, m.FallingMs = medianOf(bright), medianOf(dark)
	m.ClockMs = inMs(clock)

	var mean, square float64
	for _, v := range late {
		mean += v / float64(len(late))
	}
	away := make([]float64, len(late))
	m.ResidualsMs = make([]float64, len(late))
	for i, v := range late {
		square += (v - mean) * (v - mean)
		m.ResidualsMs[i] = v - m.MedianMs
		away[i] = math.Abs(m.ResidualsMs[i])
	}
	if len(late) > 1 {
		m.SDMs = math.Sqrt(square / float64(len(late)-1))
	}
	slices.Sort(away)
	m.P95Ms, m.MaxMs = quantile(away, .95), away[len(away)-1]
}

// medianOf sorts vs; of none it is 0.
func medianOf(vs []float64) float64 {
	if len(vs) == 0 {
		return 0
	}
	slices.Sort(vs)
	return median(vs)
}
