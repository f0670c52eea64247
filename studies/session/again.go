package session

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"emolab/studies/study"
)

// ErrNotShownYet is returned by ShowAgain for a clip that cannot be shown again.
var ErrNotShownYet = errors.New("this clip cannot be shown again: it has not been seen yet, or its block is over")

// ShowAgain has the clip of a presentation shown again at the end of its block, with all
// that belongs to its trial. That it is asked for is kept before ShowAgain returns, with
// what was missing of it. Asking twice is asking once.
func (m *Manager) ShowAgain(presentation int) error {
	m.mu.Lock()
	cur := m.current
	if cur != nil && slices.Contains(cur.again, presentation) {
		m.mu.Unlock()
		return nil
	}
	if cur == nil || !cur.offers(presentation) {
		m.mu.Unlock()
		return ErrNotShownYet
	}
	cur.again = append(cur.again, presentation) // from here on it will be shown
	why := "somebody at the console asked for it"
	for _, u := range m.usable(cur) {
		if u.Presentation == presentation && u.Low {
			why = u.missing(enough(m.o.Study.Rules))
		}
	}
	clip, _ := cur.plan.Shows(presentation)
	m.mu.Unlock()

	if err := cur.desk.keep("keep what is shown again", func(ctx context.Context, rec Recorder) error {
		return rec.Again(ctx, presentation, why)
	}); err != nil { // the session ends in this moment
		return ErrNotShownYet
	}
	// The row of the repeat says that it was asked for; a mark says it on the axis of time.
	// One that came too late for it takes nothing back.
	_ = m.Mark(Mark{Kind: PlainMark, Source: "console", Text: fmt.Sprintf("presentation %d (%s) will be shown again, because %s", presentation, clip.Stimulus, why)})
	return nil
}

// missing says in words which of what is needed was measured for too little of the time.
func (u UsableNow) missing(limit float64) string {
	var parts []string
	for _, p := range u.Parts {
		if p.Needed && p.Share < limit {
			parts = append(parts, fmt.Sprintf("%s was measured for %.0f %% of its time", p.Modality, math.Floor(100*p.Share)))
		}
	}
	return strings.Join(parts, ", ")
}

// shows tells whether a clip may still come in a run. Manager.mu is held.
func (r *run) shows() bool {
	return r.desk != nil && r.state == Recording && r.over == 0 && r.ended == nil && !r.halted
}

// offers tells whether a presentation can be asked for once more. Manager.mu is held.
func (r *run) offers(presentation int) bool {
	return r.shows() && r.shown[presentation] && r.plan.Settled(presentation) > r.settled && !slices.Contains(r.again, presentation)
}

// comes tells whether a presentation will be shown once more. Manager.mu is held.
func (r *run) comes(presentation int) bool {
	return r.shows() && slices.Contains(r.again, presentation) && !r.shown[r.plan.Repeat(presentation)]
}

// again are the presentations that are shown once more.
func (v *visit) again() []int {
	v.m.mu.Lock()
	defer v.m.mu.Unlock()
	return slices.Clone(v.cur.again)
}

// ruled is what is passed over from a step on that has been led to its end. At the end of a
// block it settles what is shown again: whoever asks later comes too late.
func (v *visit) ruled() Ruling {
	v.m.mu.Lock()
	if step := v.cur.step; step >= 0 && v.cur.plan.Steps[step].Action == study.Reshow {
		v.cur.settled = step
	}
	v.m.mu.Unlock()
	return v.rule("", "")
}
