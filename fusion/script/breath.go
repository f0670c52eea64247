package script

import (
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
	// breathFades is how long after its onset a response counts for nothing: 24 time
	// constants of its decay.
	breathFades = time.Minute
)

// Breath is one deep breath that the participant was asked for.
type Breath struct {
	At          instant.Instant `json:"at_ns"` // of the cue
	Onset       instant.Instant `json:"onset_ns"`
	AmplitudeUS float64         `json:"amplitude_us"` // of the peak above the onset, µS
}

// Breathe asks the participant for a deep breath: the skin responds within five
// seconds of the cue.
func (t *Truth) Breathe(at instant.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.breaths = append(t.breaths, Breath{At: at, Onset: max(at.Add(breathLatency), t.asked+1), AmplitudeUS: breathAmplitudeUS})
	if len(t.breaths) > maxBreaths {
		t.breaths = append([]Breath(nil), t.breaths[len(t.breaths)-maxBreaths/2:]...)
	}
}

// Conductance returns the skin conductance in µS at an instant: the script's, and
// the responses to deep breaths.
func (t *Truth) Conductance(at instant.Instant) float64 {
	us := t.Script.Conductance(t.Elapsed(at))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = max(t.asked, at)
	for i := len(t.breaths) - 1; i >= 0; i-- {
		since := at.Sub(t.breaths[i].Onset)
		if since > breathFades {
			break
		}
		us += t.breaths[i].AmplitudeUS * bateman(since.Seconds())
	}
	return us
}
