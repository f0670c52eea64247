package session

import (
	"context"
	"slices"
	"sync"

	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/usable"
	"emolab/studies/study"
)

// UsableNow says for how much of a presentation the participant was measured, as far as
// it is known while they sit there: usable.Live says how the sealed session may differ.
type UsableNow struct {
	Presentation int          `json:"presentation"`
	Stimulus     string       `json:"stimulus"`
	Again        bool         `json:"again"`   // it repeats an earlier one
	Seconds      float64      `json:"seconds"` // that it has been on the screen so far
	Over         bool         `json:"over"`
	Parts        []UsablePart `json:"parts"`
	Low          bool         `json:"low"`   // too little of a needed modality: it does not count, or is to be shown again
	Offer        bool         `json:"offer"` // it can be shown again at the end of its block
	Asked        bool         `json:"asked"` // somebody has asked for that, and it is still to come
}

// UsablePart is one modality of a UsableNow.
type UsablePart struct {
	Modality string  `json:"modality"` // "face", "gaze", "eda"
	UsableS  float64 `json:"usable_s"`
	Share    float64 `json:"share"`  // of Seconds
	Needed   bool    `json:"needed"` // by the study
}

// usableDepth is how many chunks may wait to be looked at: seconds of a full lab. What is
// lost beyond it is lost to what is said here only.
const usableDepth = 1024

// gauge tells, while a session is recorded, for how much of each presentation the
// participant is measured.
type gauge struct {
	sub  *bus.Subscription
	stop context.CancelFunc // of what is read of earlier segments
	work sync.WaitGroup
}

// newGauge follows the lab for a run that begins with a step; close ends it.
func (m *Manager) newGauge(cur *run, from int) *gauge {
	ctx, stop := context.WithCancel(context.Background())
	g := &gauge{sub: m.o.Lab.Bus().Lossy("usable seconds of session "+cur.id, usableDepth), stop: stop}
	if before := cur.segment.Number; before > 0 {
		g.work.Go(func() { m.readEarlier(ctx, cur, before, from) })
	}
	live := usable.NewLive(m.o.Lab.Streams(), m.o.Study.Rules.FaceConf)
	g.work.Go(func() {
		for c := range g.sub.C() {
			since := m.RecordingSince()
			if live == nil || since == 0 || !live.Add(takenSince(c, since)) {
				continue
			}
			now := live.Read()
			m.mu.Lock()
			cur.usable = now
			m.mu.Unlock()
		}
	})
	return g
}

func (g *gauge) close() {
	g.stop()
	g.sub.Close()
	g.work.Wait()
}

// readEarlier looks up for how much of each clip the participant was measured in the
// segments before the one of a run. What was cut off is shown anew, and tells of itself then.
func (m *Manager) readEarlier(ctx context.Context, cur *run, before, from int) {
	all, err := m.o.Archive.Measured(ctx, cur.id, before)
	if err != nil {
		if ctx.Err() == nil { // the session goes on, and what is sealed of it will say
			m.o.Log.Warn("what was usable before the session was cut off is not shown", "session", cur.id, "error", err)
		}
		return
	}
	all = slices.DeleteFunc(all, func(n usable.Now) bool {
		step, ok := cur.plan.Shows(n.Presentation)
		return !ok || step.Index >= from
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	cur.earlier = all
}

// takenSince is what of a chunk was taken from an instant on.
func takenSince(c stream.Chunk, since instant.Instant) stream.Chunk {
	before := func(s stream.Sample) bool { return s.At < since }
	if slices.ContainsFunc(c.Samples, before) {
		c.Samples = slices.DeleteFunc(slices.Clone(c.Samples), before)
	}
	return c
}

// enough is the share of the time of a clip for which a needed modality has to be measured:
// what counts in the sealed session, and what the study does not have shown again.
func enough(r study.Rules) float64 { return max(r.UsableShare, r.Reshow) }

// usable tells of the presentations of a run, fillers aside. m.mu is held.
func (m *Manager) usable(cur *run) []UsableNow {
	rules := m.o.Study.Rules
	needed := map[usable.Modality]bool{usable.Face: rules.NeedsFace, usable.Gaze: rules.NeedsGaze, usable.EDA: rules.NeedsEDA}
	out := []UsableNow{} // in JSON an empty list is not null
	for _, n := range slices.Concat(cur.earlier, cur.usable) {
		step, ok := cur.plan.Shows(n.Presentation)
		if !ok || step.Filler {
			continue
		}
		u := UsableNow{
			Presentation: n.Presentation, Stimulus: step.Stimulus, Again: step.Again, Seconds: n.Lasted.Seconds(), Over: n.Over,
			Parts: []UsablePart{}, Offer: cur.offers(n.Presentation), Asked: cur.comes(n.Presentation),
		}
		for _, modality := range []usable.Modality{usable.Face, usable.Gaze, usable.EDA} {
			good, measured := n.Usable[modality]
			if !measured && !needed[modality] {
				continue
			}
			part := UsablePart{Modality: string(modality), UsableS: good.Seconds(), Needed: needed[modality]}
			if n.Lasted > 0 {
				part.Share = float64(good) / float64(n.Lasted)
			}
			u.Parts = append(u.Parts, part)
			u.Low = u.Low || n.Over && part.Needed && part.Share < enough(rules)
		}
		out = append(out, u)
	}
	return out
}

// beganShowing notes that a clip came up. m.mu is held.
func (r *run) beganShowing(step study.Step) {
	if step.Action != study.Play {
		return
	}
	if r.shown == nil {
		r.shown = map[int]bool{}
	}
	r.shown[step.Presentation] = true
}
