package script

import (
	"math/rand/v2"

	"emolab/fusion/instant"
)

// Tracker is how a simulated eye tracker errs before it is calibrated. Lengths
// are in fractions of the screen. The zero value errs by the device's own noise
// alone.
type Tracker struct {
	OffsetX float64 `json:"offset_x"`
	OffsetY float64 `json:"offset_y"`
	// Stretch is how much too far from the centre of the screen it sees: .02 = 2 %.
	Stretch float64 `json:"stretch"`
	// NoiseX and NoiseY are one standard deviation of each sample's noise, in place
	// of the device's own; both 0 = the device's.
	NoiseX float64 `json:"noise_x"`
	NoiseY float64 `json:"noise_y"`
}

// Slip is a change of a tracker's error, as when the participant sits back or the
// tracker is pushed. It lasts.
type Slip struct {
	At instant.Instant `json:"at_ns"`
	X  float64         `json:"x"` // fractions of the screen
	Y  float64         `json:"y"`
}

// Slip moves what the trackers see from an instant on, by fractions of the screen.
func (t *Truth) Slip(at instant.Instant, x, y float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slips = append(t.slips, Slip{At: max(at, t.asked+1), X: x, Y: y})
}

// Tracked returns where a simulated tracker believes at an instant that the eyes
// look, in fractions of the screen. noise is one standard deviation of the
// device's own, in screens, drawn from r.
func (t *Truth) Tracked(at instant.Instant, noise float64, r *rand.Rand) (x, y float64) {
	x, y = t.Gaze(at)
	x, y = .5+(1+t.Tracker.Stretch)*(x-.5)+t.Tracker.OffsetX, .5+(1+t.Tracker.Stretch)*(y-.5)+t.Tracker.OffsetY
	dx, dy := t.slipped(at)
	nx, ny := noise, noise
	if t.Tracker.NoiseX != 0 || t.Tracker.NoiseY != 0 {
		nx, ny = t.Tracker.NoiseX, t.Tracker.NoiseY
	}
	return x + dx + nx*r.NormFloat64(), y + dy + ny*r.NormFloat64()
}

// slipped returns how far the trackers have slipped by an instant.
func (t *Truth) slipped(at instant.Instant) (x, y float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slipped(t.slips, 0, at)
}

// Slipped returns how far the trackers slipped between two instants, in fractions
// of the screen: what a calibration of the first is off at the second.
func (r Record) Slipped(from, until instant.Instant) (x, y float64) {
	return slipped(r.Slips, from, until)
}

func slipped(slips []Slip, from, until instant.Instant) (x, y float64) {
	for _, s := range slips {
		if s.At > from && s.At <= until {
			x, y = x+s.X, y+s.Y
		}
	}
	return x, y
}
