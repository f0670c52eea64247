package align

import (
	"cmp"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// A frame that another computer's camera stamps too early seems to have come late, by as
// much. Whether it was the stamp or the way nobody can tell, so the bound of each frame
// holds by how much later after its stamp it came than the promptest of those around. What
// all frames of half a minute have in common is not seen: farStamp holds it.

// strayed is what the bound of a frame holds beyond farStamp that came so much later than
// the promptest.
func strayed(late time.Duration) time.Duration { return max(farClocks+late-farStamp, 0) }

// delay is how long after its stamp a frame arrived.
type delay struct {
	arrival instant.Instant
	by      time.Duration
}

// promptest finds the least delay of a stretch that moves on. Only those are kept that can
// still become it: each is shorter than those after it.
type promptest []delay

func (p *promptest) add(d delay) {
	q := *p
	for len(q) > 0 && q[len(q)-1].by >= d.by {
		q = q[:len(q)-1]
	}
	*p = append(q, d)
}

// since is the least delay of what arrived at an instant or later, of which there is some.
func (p *promptest) since(at instant.Instant) time.Duration {
	q := *p
	for len(q) > 1 && q[0].arrival < at {
		q = q[1:]
	}
	*p = q
	return q[0].by
}

// stray is what the bounds of a frame's tick, and of those up to the next frame's, hold
// beyond the piece's.
type stray struct {
	tick int64
	by   time.Duration
}

// strays are those of an epoch, in order of ticks.
func strays(ps []Piece, stamps []Stamp) []stray {
	delays := make([]delay, len(stamps))
	for i, s := range stamps {
		delays[i] = delay{s.Arrival, s.Arrival.Sub(ps[pieceOf(ps, s.Tick)].at(s.Tick))}
	}
	all := make([]stray, len(stamps))
	var around promptest
	next := 0
	for i, d := range delays {
		for next < len(delays) && delays[next].arrival <= d.arrival.Add(window/2) {
			around.add(delays[next])
			next++
		}
		all[i] = stray{stamps[i].Tick, strayed(d.by - around.since(d.arrival.Add(-window/2)))}
	}
	slices.SortFunc(all, func(a, b stray) int { return cmp.Or(cmp.Compare(a.tick, b.tick), cmp.Compare(b.by, a.by)) })
	return slices.CompactFunc(all, func(a, b stray) bool { return a.tick == b.tick }) // the widest of each
}

// withStrays cuts the pieces of an epoch where frames came late, so that each has the bound
// of its own frames.
func withStrays(ps []Piece, stamps []Stamp) []Piece {
	out := make([]Piece, 0, len(ps))
	all := strays(ps, stamps)
	by := time.Duration(0)
	for i, p := range ps {
		part := p
		part.Err = sum(p.Err, by)
		for ; len(all) > 0 && (i+1 == len(ps) || all[0].tick < ps[i+1].Tick0); all = all[1:] {
			if all[0].by == by {
				continue
			}
			by = all[0].by
			if tick := all[0].tick; tick > part.Tick0 {
				rest := part
				rest.Tick0, rest.At0, rest.Until = tick, p.at(tick), max(p.Until, tick)
				part.Until = tick
				out = append(out, part)
				part = rest
			}
			part.Err = sum(p.Err, by)
		}
		out = append(out, part)
	}
	return out
}
