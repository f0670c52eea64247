package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"emolab/calibration/conductance"
	"emolab/calibration/gaze"
	"emolab/fusion/stream"
	"emolab/studies/alarm"
	"emolab/studies/study"
)

var (
	// ErrNotAsked is returned by Decide when there is nothing to decide.
	ErrNotAsked = errors.New("no calibration waits for a decision")
	// ErrNoReason is returned by Decide when a refused calibration is to be used, or
	// done without, for no reason.
	ErrNoReason = errors.New("say why, in a few words: the reason is kept with the recording")
	// ErrNoCalibration is returned by Decide when what is to be used does not exist.
	ErrNoCalibration = errors.New("no calibration came about that could be used: make it again, or go on without")
)

const (
	// unattendedFor is how long nobody may be at a console of a simulated lab before
	// a decision is made without them.
	unattendedFor = 2 * time.Second
	// maxReason bounds the reason of a decision, bytes.
	maxReason = 500
)

// Judged is what a Calibrate or a Validate step came to: the Value of its Decision.
type Judged struct {
	// Own says that a tracker calibrated itself, or tried to: also where it failed or
	// was cut off, so that Tracker is empty.
	Own bool `json:"own,omitempty"`
	// Tracker is what a tracker that calibrates itself says of it. Then nothing is
	// fitted to its targets, and gaze is taken as it is delivered.
	Tracker json.RawMessage `json:"tracker,omitempty"`
	// Calibration is ours; nil where the tracker made its own, where none could be
	// made, and in a Validate step.
	Calibration *gaze.Calibration `json:"calibration,omitempty"`
	// Validation is nil where there was nothing to validate.
	Validation *gaze.Validation `json:"validation,omitempty"`
	Verdict    gaze.Verdict     `json:"verdict"`
	// ShiftDeg is by how much the mean error has moved since the validation of the
	// calibration that is in force; only of a Validate step.
	ShiftDeg *float64 `json:"shift_deg,omitempty"`
}

// usable tells whether there is a calibration, good or bad.
func (j *Judged) usable() bool {
	return j != nil && (j.Calibration != nil || len(j.Tracker) > 0)
}

// Phase says what a Check is doing.
type Phase string

// The phases.
const (
	Preparing   Phase = "preparing" // the participant reads what to do
	Calibrating Phase = "calibrating"
	Validating  Phase = "validating"
	Deciding    Phase = "deciding" // the operator is asked
	Breathing   Phase = "breathing"
	Done        Phase = "done"
)

// Check is the calibration, validation or deep breath that runs, or the latest, as
// the console shows it.
type Check struct {
	Action study.Action `json:"action"`
	Step   int          `json:"step"`
	Round  int          `json:"round"`
	Phase  Phase        `json:"phase"`
	// Shown counts the targets of the phase that have been looked at, Targets those
	// that will have been as far as is known now.
	Shown   int `json:"shown"`
	Targets int `json:"targets"`
	// Target is the one on the screen now.
	Target *gaze.Point `json:"target"`
	// Weak says why the latest target will be shown again; "" when it will not.
	Weak      string                 `json:"weak"`
	Judged    *Judged                `json:"judged"`    // of this round, once it is known
	Readiness *conductance.Readiness `json:"readiness"` // of a Breath
	Decision  *Decision              `json:"decision"`  // without its Value
	// Own says that the tracker calibrates itself.
	Own bool `json:"own"`
}

// refused says that the operator is asked about a check.
func (c *Check) refused() alarm.Condition {
	a := alarm.Condition{ID: "gaze/refused", Severity: Major, Panel: panelGaze,
		Text: "The calibration was refused: the participant waits", Advice: "Use it, make it again, or go on without."}
	if c.Judged != nil && len(c.Judged.Verdict.Reasons) > 0 {
		a.Advice = c.Judged.Verdict.Reasons[0]
	}
	return a
}

// choiceMade is what the operator says.
type choiceMade struct {
	choice Choice
	reason string
}

// Decide answers the question whether a calibration that was refused is used all the
// same, made again, or done without. The first and the last need a reason, and the
// first a calibration: none comes about where the eyes did not follow the targets.
func (m *Manager) Decide(choice Choice, reason string) error {
	reason = strings.TrimSpace(reason)
	switch choice {
	case Accept, Continue:
		if reason == "" {
			return ErrNoReason
		}
	case Redo:
	default:
		return fmt.Errorf("%.20q is no choice: %s, %s or %s", choice, Accept, Redo, Continue)
	}
	if len(reason) > maxReason {
		return fmt.Errorf("the reason has %d bytes, at most %d are kept", len(reason), maxReason)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.current == nil || m.current.asked == nil || m.current.halted { // stopping: nobody listens
		return ErrNotAsked
	}
	if choice == Accept && !m.current.check.Judged.usable() {
		return ErrNoCalibration
	}
	m.current.asked <- choiceMade{choice, reason} // has room for the one answer
	m.current.asked = nil
	return nil
}

// ask waits for the operator's choice on what a round came to. In a simulated lab at
// whose console nobody is, the step is redone once and then done without. When ctx ends
// before, what it returns says so.
func (l *leader) ask(ctx context.Context, round int) (choiceMade, string, error) {
	answer := make(chan choiceMade, 1)
	l.m.mu.Lock()
	l.cur.asked = answer
	l.m.mu.Unlock()
	defer func() {
		l.m.mu.Lock()
		l.cur.asked = nil
		l.m.mu.Unlock()
	}()
	look := time.NewTicker(unattendedFor / 4)
	defer look.Stop()
	alone := time.Duration(0)
	for {
		select {
		case c := <-answer:
			return c, ByOperator, nil
		case <-ctx.Done():
			l.m.mu.Lock()
			l.cur.asked = nil // from here on nobody is told that the answer was taken
			l.m.mu.Unlock()
			select {
			case c := <-answer:
				return c, ByOperator, nil
			default:
			}
			return choiceMade{Continue, "the page went away, or the session was stopped, before it was decided"}, NotAsked, ctx.Err()
		case <-look.C:
			if !l.m.simulated() || l.m.attended() {
				alone = 0
				continue
			}
			if alone += unattendedFor / 4; alone < unattendedFor {
				continue
			}
			if round == 0 {
				return choiceMade{Redo, "nobody was there to decide: once more"}, ByItself, nil
			}
			return choiceMade{Continue, "nobody was there to decide"}, ByItself, nil
		}
	}
}

// attended tells whether somebody watches at a console.
func (m *Manager) attended() bool { return m.o.Attended != nil && m.o.Attended() }

// simulated tells whether every eye tracker of the lab is simulated, and with it the
// participant.
func (m *Manager) simulated() bool {
	return !slices.ContainsFunc(m.o.Lab.Streams(), func(i stream.Info) bool { return i.Kind == stream.Gaze && !i.Simulated })
}
