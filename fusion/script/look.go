package script

import (
	"math"
	"time"

	"emolab/fusion/instant"
)

const (
	// reaction is the time from a target's coming up to the saccade to it: 150 to
	// 250 ms in healthy adults (Carpenter 1988, Movements of the Eyes).
	reaction = 200 * time.Millisecond
	// lingering is how long the eyes stay where a target was. One that glides to its
	// next place arrives within it, on a busy machine too, and takes them along.
	lingering = 1500 * time.Millisecond
	// maxLooks bounds what is kept of a lab that runs for months: some hundred
	// sessions, the earliest are forgotten first.
	maxLooks = 10000

	// Eyes that fixate drift by a few hundredths of a degree; this is 0.02° on a
	// 24-inch screen at 65 cm, in screens, at two rates with no common measure.
	driftX, driftY     = .0004, .0006
	driftXHz, driftYHz = .73, 1.19
)

// Look is one thing that was shown to the participant, or taken away, and when
// the eyes followed.
type Look struct {
	At    instant.Instant `json:"at_ns"`    // on the screen, or gone from it
	Moved instant.Instant `json:"moved_ns"` // the saccade begins
	X     float64         `json:"x"`        // of the target, in fractions of the screen
	Y     float64         `json:"y"`
	On    bool            `json:"on"`
	// FromX and FromY are where the eyes were when the saccade began.
	FromX float64 `json:"from_x"`
	FromY float64 `json:"from_y"`
}

// looks is what the participant was shown, in order of Moved.
type looks []Look

// inForce returns the look that governs the eyes at an instant.
func (l looks) inForce(at instant.Instant) (Look, bool) {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i].Moved <= at {
			return l[i], true
		}
	}
	return Look{}, false
}

// gaze returns where the eyes are at an instant: at the target that is shown, and
// where the script has them without one.
func (l looks) gaze(s *Script, origin, at instant.Instant) (x, y float64) {
	x, y = s.Gaze(at.Sub(origin))
	k, ok := l.inForce(at)
	if !ok {
		return x, y
	}
	if k.On {
		t := 2 * math.Pi * at.Sub(origin).Seconds()
		x, y = k.X+driftX*math.Sin(t*driftXHz), k.Y+driftY*math.Sin(t*driftYHz)
	}
	u := smooth(float64(at.Sub(k.Moved)) / float64(saccade))
	return k.FromX + u*(x-k.FromX), k.FromY + u*(y-k.FromY)
}

// Look tells the participant that at an instant a target came up at (x, y), in
// fractions of the screen, or, with on false, that the one there is gone. The eyes
// follow after a human's reaction time. Where they have been asked for already
// they stay as they were: who tells late is answered late.
func (t *Truth) Look(at instant.Instant, x, y float64, on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := Look{At: at, Moved: max(at.Add(reaction), t.asked+1), X: x, Y: y, On: on}
	if !on {
		k.Moved = max(at.Add(lingering), t.asked+1)
	}
	// Eyes that were about to go somewhere else are on their way here instead.
	for n := len(t.looks); n > 0 && t.looks[n-1].Moved >= k.Moved; n-- {
		t.looks = t.looks[:n-1]
	}
	k.FromX, k.FromY = t.looks.gaze(t.script, t.Origin, k.Moved)
	t.looks = append(t.looks, k)
	if len(t.looks) > maxLooks {
		t.looks = append(looks(nil), t.looks[len(t.looks)-maxLooks/2:]...)
	}
}

// Gaze returns where the eyes are at an instant, in fractions of the screen.
func (t *Truth) Gaze(at instant.Instant) (x, y float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = max(t.asked, at)
	return t.looks.gaze(t.script, t.Origin, at)
}

// Gaze returns where the eyes were at an instant, in fractions of the screen.
func (r Record) Gaze(at instant.Instant) (x, y float64) {
	return r.Looks.gaze(r.Script, r.Origin, at)
}

// Moving tells whether a saccade was under way at an instant.
func (r Record) Moving(at instant.Instant) bool {
	k, ok := r.Looks.inForce(at)
	if ok && at.Sub(k.Moved) < saccade {
		return true
	}
	return !(ok && k.On) && r.Script.moving(at.Sub(r.Origin))
}

// moving tells whether a saccade is under way at t.
func (s *Script) moving(t time.Duration) bool {
	t = s.phase(t)
	for i := len(s.Fixations) - 1; i >= 0; i-- {
		if from := s.Fixations[i].From; from <= t {
			return t-from < saccade
		}
	}
	return false
}
