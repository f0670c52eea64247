package script

import (
	"iter"
	"slices"
	"time"

	"emolab/fusion/instant"
)

const (
	// breathLatency is from the cue to the skin's response: half a second until the
	// breath begins, and one to three until the skin follows (Boucsein 2012).
	breathLatency = 2 * time.Second
	// breathAmplitudeUS is how much one deep breath makes of a person who responds.
	breathAmplitudeUS = .6
	// maxBreaths bounds what is kept of a lab that runs for months.
	maxBreaths = 1000
	// breathHeld is for how long from the cue on the script's own responses do not
	// come: one on top of the other could not be told apart.
	breathHeld = 10 * time.Second
	// breathFades is how long after its onset a response counts for nothing: 24 time
	// constants of its decay.
	breathFades = time.Minute
)

// Breath is one deep breath that the participant was asked for.
type Breath struct {
	At          instant.Instant `json:"at_ns"` // of the cue
	Onset       instant.Instant `json:"onset_ns"`
	AmplitudeUS float64         `json:"amplitude_us"` // of the peak above the onset, µS
	// The script's own responses that would begin between these are withheld.
	HeldFrom  instant.Instant `json:"held_from_ns"`
	HeldUntil instant.Instant `json:"held_until_ns"`
}

// holds tells whether a response of the script with that onset is withheld.
func (b Breath) holds(onset instant.Instant) bool { return onset >= b.HeldFrom && onset < b.HeldUntil }

// Breathe asks the participant for a deep breath: the skin responds within five
// seconds of the cue, if it responds at all.
func (t *Truth) Breathe(at instant.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	amplitude := breathAmplitudeUS
	if t.script.Unresponsive {
		amplitude = 0
	}
	t.breaths = append(t.breaths, Breath{
		At: at, Onset: max(at.Add(breathLatency), t.asked+1), AmplitudeUS: amplitude,
		HeldFrom: max(at, t.asked+1), HeldUntil: at.Add(breathHeld),
	})
	if len(t.breaths) > maxBreaths {
		t.breaths = append([]Breath(nil), t.breaths[len(t.breaths)-maxBreaths/2:]...)
	}
}

// Conductance returns the skin conductance in µS at an instant: the script's, but
// for what is withheld, and the responses to deep breaths.
func (t *Truth) Conductance(at instant.Instant) float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	us := t.script.Conductance(t.Elapsed(at))
	t.asked = max(t.asked, at)
	for i := len(t.breaths) - 1; i >= 0; i-- {
		b := t.breaths[i]
		since := at.Sub(b.Onset)
		if since > breathFades {
			break
		}
		us += b.AmplitudeUS * bateman(since.Seconds())
		for onset, amplitude := range t.script.between(t.Origin, b.HeldFrom, b.HeldUntil) {
			if !slices.ContainsFunc(t.breaths[:i], func(earlier Breath) bool { return earlier.holds(onset) }) {
				us -= amplitude * bateman(at.Sub(onset).Seconds())
			}
		}
	}
	return us
}

// between lists the onsets of the script's responses in [from, until), with their
// amplitudes in µS.
func (s *Script) between(origin, from, until instant.Instant) iter.Seq2[instant.Instant, float64] {
	return func(yield func(instant.Instant, float64) bool) {
		first := from.Sub(origin)
		for base := first - s.phase(first); base < until.Sub(origin); base += s.Period {
			for _, r := range s.Responses {
				if at := origin.Add(base + r.Onset); at >= from && at < until && !yield(at, r.AmplitudeUS) {
					return
				}
			}
		}
	}
}
