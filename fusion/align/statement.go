package align

import (
	"math"
	"time"

	"emolab/fusion/stream"
)

// Statement is what every stream ends with: how it was put on the lab clock,
// and how well.
type Statement struct {
	Method string `json:"method"`
	// DriftPPM is how much faster the device's clock runs than it says, in parts
	// per million; negative where it is slower.
	DriftPPM float64 `json:"drift_ppm"`
	// JitterMs is the standard deviation of the delay from taking a sample to its
	// arrival, in ms.
	JitterMs float64 `json:"jitter_ms"`
	// BoundMs is the 95th percentile of the bounds on the error, in ms.
	BoundMs float64 `json:"bound_ms"`
	Samples int64   `json:"samples"`
	// Lost counts the sequence numbers that never arrived and, once sealed, the
	// samples without a number that arrivals show to be missing.
	Lost   int64 `json:"lost"`
	Epochs int   `json:"epochs"`
	Pings  int   `json:"pings"`
}

// tally gathers what a statement needs, in constant memory.
type tally struct {
	samples         int64
	firstSeq, seq   int64
	delay, delaySum float64 // mean and sum of squares of the delay in ns (Welford 1962)
	bounds          histogram
}

func (t *tally) add(seq int64, delay, bound time.Duration) {
	if t.samples == 0 {
		t.firstSeq, t.seq = seq, seq
	}
	t.samples++
	t.firstSeq, t.seq = min(t.firstSeq, seq), max(t.seq, seq)
	d := float64(delay)
	before := d - t.delay
	t.delay += before / float64(t.samples)
	t.delaySum += before * (d - t.delay)
	t.bounds.add(bound)
}

func (t *tally) statement() Statement {
	s := Statement{Samples: t.samples}
	if t.samples > 0 {
		s.Lost = max(t.seq-t.firstSeq+1-t.samples, 0)
		s.JitterMs = math.Sqrt(t.delaySum/float64(t.samples)) / 1e6
		s.BoundMs = t.bounds.quantile(.95).Seconds() * 1e3
	}
	return s
}

// histogram counts durations in classes of 1/16 octave, 4 % wide, from 1 µs to
// 2.4 hours.
type histogram struct {
	n     int64
	class [33 * classesPerOctave]int64
	// The latest duration and its class: bounds stay the same for long.
	last time.Duration
	at   int
}

const classesPerOctave = 16

func (h *histogram) add(d time.Duration) {
	if d != h.last {
		h.last, h.at = d, 0
		if d > time.Microsecond {
			h.at = min(int(math.Ceil(classesPerOctave*math.Log2(float64(d)/1e3))), len(h.class)-1)
		}
	}
	h.class[h.at]++
	h.n++
}

// quantile returns the upper edge of the class in which the quantile q lies; 0
// of nothing.
func (h *histogram) quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := int64(math.Ceil(q * float64(h.n)))
	var below int64
	for k := range h.class { // by index: ranging over the values copies all 4 KB
		if below += h.class[k]; below >= rank {
			return time.Duration(1e3 * math.Exp2(float64(k)/classesPerOctave))
		}
	}
	return 0
}

// state makes the statement of a finished timeline.
func (t *Timeline) state(stamps []Stamp, pings int) Statement {
	var all tally
	epoch, i, ps := -1, 0, []Piece(nil)
	for _, s := range stamps {
		if s.Epoch != epoch {
			epoch, i, ps = s.Epoch, 0, t.epochs[s.Epoch]
		}
		if len(ps) == 0 {
			all.add(s.Seq, 0, Unbounded)
			continue
		}
		tick := t.Tick(s)
		if tick < ps[i].Tick0 || i+1 < len(ps) && tick >= ps[i+1].Tick0 {
			i = pieceOf(ps, tick)
		}
		at, err := t.on(ps[i], tick)
		all.add(s.Seq, s.Arrival.Sub(at), err)
	}
	st := all.statement()
	st.Method, st.Epochs, st.Pings = t.method.name(pings), len(t.order), pings
	st.Lost += t.unseen
	if t.method.byHost() {
		return st
	}
	var device, lab float64
	for _, p := range t.Pieces() {
		if t.method.kind == stream.CountedClock && p.Until == p.Tick0+1 {
			continue // samples may be missing in between
		}
		device += float64(p.Until-p.Tick0) * t.method.nsPerTick
		lab += float64(p.Until-p.Tick0) * p.NsPerTick
	}
	if lab > 0 {
		st.DriftPPM = (device/lab - 1) * 1e6
	}
	return st
}
