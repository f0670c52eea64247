// Package replay shows sessions that are over: what was on the screen, where the eyes
// were, the face and the traces, all on one axis of time; and it keeps what is said of
// them afterwards. Nothing of a recording is ever changed by it.
package replay

import (
	"context"
	"errors"
	"slices"

	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

const (
	// keptSessions is how many sessions are kept open: one that is looked at, and one that
	// it is compared with.
	keptSessions = 2
	// keptBytes bounds the columns that are kept of them: an hour of a whole lab, of
	// which 12 bytes a row and column are drawn, is some 40 MB.
	keptBytes = 64 << 20
)

// Why is the kind of a refusal.
type Why int

// The kinds.
const (
	Absent   Why = iota // there is no such thing, or no longer
	Unfit               // the question makes no sense
	Conflict            // not as things are
)

// Refusal says in words why something cannot be had.
type Refusal struct {
	Why   Why
	Words string
}

func (r *Refusal) Error() string { return r.Words }

func refuse(why Why, words string) error { return &Refusal{why, words} }

// Player replays the sealed sessions of a study. It is safe for concurrent use: it does
// one thing at a time, so that a session that is being recorded keeps the computer.
type Player struct {
	store *store.Store
	study *study.Study
	faces Faces
	turn  chan struct{} // holds one token: whoever has it may use what follows
	open  []*opened     // the latest last
}

// New makes a player of a study's file. Its clips and its own areas of interest are those
// of the study that the lab runs. Without faces no picture of a face is shown.
func New(s *store.Store, now *study.Study, faces Faces) *Player {
	return &Player{store: s, study: now, faces: faces, turn: make(chan struct{}, 1)}
}

// opened is a session that is being looked at.
type opened struct {
	store.Detail
	current string // the derivation that is shown
	axis    axis
	tapes   map[string]*tape // by stream
	shows   map[int]*showing // by presentation; nil until somebody asks

	faceFrames []FaceFrame // kept of the face; nil until somebody asks
	faceTimes  []float64   // of each, ms on the axis
}

// with runs f on a sealed session, alone.
func (p *Player) with(ctx context.Context, id string, f func(o *opened) error) error {
	return p.alone(ctx, func() error {
		o, err := p.find(ctx, id)
		if err != nil {
			return err
		}
		return f(o)
	})
}

// alone waits for its turn.
func (p *Player) alone(ctx context.Context, f func() error) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	return f()
}

// find opens a session, or returns it as it was opened before if it is still the same:
// what has been erased since is forgotten here too.
func (p *Player) find(ctx context.Context, id string) (*opened, error) {
	now, err := p.store.Current(ctx, id)
	k := slices.IndexFunc(p.open, func(o *opened) bool { return o.ID == id })
	if k >= 0 {
		o := p.open[k]
		p.open = slices.Delete(p.open, k, k+1)
		if err == nil && now.Derived && o.current == now.Derivation && o.Participant == now.Participant {
			p.open = append(p.open, o)
			return o, nil
		}
	}
	switch {
	case errors.Is(err, store.ErrNoSession):
		return nil, refuse(Absent, "there is no session with the id "+id+" here, or no longer")
	case err != nil:
		return nil, err
	case now.State != session.Sealed:
		return nil, refuse(Conflict, "session "+id+" is "+string(now.State)+": only a sealed session can be looked at")
	case !now.Derived:
		return nil, refuse(Absent, "what was recorded in session "+id+" has been erased, because its date had come")
	}
	d, err := p.store.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	o := &opened{Detail: d, current: now.Derivation, axis: axisOf(d.Segments), tapes: map[string]*tape{}}
	p.open = append(p.open, o)
	if n := len(p.open) - keptSessions; n > 0 {
		p.open = slices.Delete(p.open, 0, n)
	}
	return o, nil
}
