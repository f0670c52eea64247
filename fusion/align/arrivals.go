package align

import (
	"slices"
	"time"

	"emolab/fusion/instant"
)

// Frames of a camera that nobody stamps have their arrivals only. A camera's rate
// follows the light, and a network loses frames untold, so they cannot be counted. But
// one that the host held up comes too near before the next, and that is seen.

const (
	// nearFrames on either side tell how far apart frames are just now.
	nearFrames = 15
	// heldFrames is how many of the next frames a held-up one is compared with: a
	// scheduler holds one or two up, and more would trust the rate too far.
	heldFrames = 3
	// heldUpBy is the least that a frame is put earlier by: less is jitter.
	heldUpBy = 2 * time.Millisecond
)

// unheld returns when frames would have arrived if none had been held up, from their
// arrivals in order: none later than the next ones allow, at the interval that the
// quicker quarter of the frames around keeps to. A frame is never put too early by it,
// unless it came with such a quicker one.
func unheld(arrivals []instant.Instant) []instant.Instant {
	out := slices.Clone(arrivals)
	var gaps []time.Duration
	for i := range arrivals {
		from, until := max(i-nearFrames, 0), min(i+nearFrames, len(arrivals)-1)
		if until-from < nearFrames {
			continue
		}
		gaps = gaps[:0]
		for k := from; k < until; k++ {
			gaps = append(gaps, arrivals[k+1].Sub(arrivals[k]))
		}
		slices.Sort(gaps)
		interval := gaps[len(gaps)/4]
		for k := 1; k <= heldFrames && i+k < len(arrivals); k++ {
			if at := arrivals[i+k].Add(-time.Duration(k) * interval); at < out[i].Add(-heldUpBy) {
				out[i] = at
			}
		}
		if i > 0 {
			out[i] = max(out[i], out[i-1])
		}
	}
	return out
}

// arrivalPieces are one piece for each stretch of frames that nothing held up, and one
// for each frame that was, with what it was put earlier by in its bound.
func (m method) arrivalPieces(epoch int, stamps []Stamp) []Piece {
	ticks := make([]instant.Instant, len(stamps))
	for i, s := range stamps {
		ticks[i] = hostInstant(s.Tick)
	}
	slices.Sort(ticks)
	ticks = slices.Compact(ticks)
	var ps []Piece
	for i, at := range unheld(ticks) {
		by := ticks[i].Sub(at)
		if n := len(ps); n > 0 {
			ps[n-1].Until = int64(ticks[i])
			if by == 0 && ps[n-1].Err == m.hostErr {
				continue
			}
		}
		ps = append(ps, Piece{epoch, int64(ticks[i]), at, 1, int64(ticks[i]), sum(m.hostErr, by)})
	}
	return ps
}
