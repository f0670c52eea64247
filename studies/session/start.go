package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"emolab/fusion/instant"
)

// Request is what the operator gives to start a session.
type Request struct {
	Participant string `json:"participant"` // pseudonymous code
	// Again says what to do about a code that was used before: New or ContinueIt. ""
	// refuses with a KnownError.
	Again string `json:"again,omitempty"`
	// Override is why the session starts although something is missing; "" refuses with a
	// NotReadyError.
	Override string `json:"override,omitempty"`
}

// The values of Request.Again.
const (
	NewRun     = "new"      // another session of that participant
	ContinueIt = "continue" // the session that was cut off goes on
)

// Start begins a session for a participant and returns its id at once; it goes on
// until the plan has been shown, or Stop. A code that was used before, or one Alike, is a
// *KnownError, unless the request says what to do; what the lab lacks is a *NotReadyError,
// unless the request says why it starts all the same. Who presses twice is given the same
// session twice.
func (m *Manager) Start(ctx context.Context, r Request) (string, error) {
	r.Participant = strings.TrimSpace(r.Participant)
	if err := CheckParticipant(r.Participant); err != nil {
		return "", err
	}
	id, err := m.start(ctx, r)
	if err != nil {
		if same := m.justBegun(r.Participant); same != "" {
			return same, nil
		}
	}
	return id, err
}

func (m *Manager) start(ctx context.Context, r Request) (string, error) {
	press, err := m.ready() // before anything is asked of whoever starts
	if err != nil {
		return "", err
	}
	known, err := m.known(ctx, r.Participant)
	switch {
	case err != nil:
		return "", err
	case known == nil:
	case r.Again == NewRun:
		r.Participant = known.Participant // one person, one code: who withdraws is found as a whole
	case r.Again == ContinueIt && known.Cut != "":
		return known.Cut, m.Continue(ctx, known.Cut)
	default:
		return "", known
	}
	override, err := pass(AtStart, m.Status().Readiness, r.Override, m.o.Clock.Now())
	if err != nil {
		return "", err
	}
	if !m.o.Stage.Connected() { // no reason shows anybody what they are to agree to
		return "", errNoStage
	}
	row, err := m.o.Archive.NextRow(ctx, m.o.Study.Rows())
	if err != nil {
		return "", fmt.Errorf("choose the order: %w", err)
	}
	seg, err := m.segment()
	if err != nil {
		return "", err
	}
	h := Header{
		ID:          NewID(seg.Wall),
		Study:       m.o.Study,
		Plan:        m.o.Study.Plan(row),
		Participant: r.Participant,
		Segment:     seg,
		Streams:     m.streams(),
		Software:    m.o.Software,
	}
	cur := &run{id: h.ID, participant: h.Participant, plan: h.Plan, segment: seg, state: Recording, settled: -1}
	if h.Plan.Recorded() >= 0 {
		cur.state = Prepared
	}
	if override != nil {
		cur.overrides = []Override{*override}
	}
	return h.ID, m.begin(cur, press, func() (int, error) {
		cur.rec, err = m.o.Archive.Begin(ctx, h)
		return 0, err
	})
}

// Continue goes on with a recovered session as a new segment, from the step at
// which it was cut off. One that the operator had stopped leads to its last pages.
func (m *Manager) Continue(ctx context.Context, id string) error {
	press, err := m.ready()
	if err != nil {
		return err
	}
	if !m.o.Stage.Connected() {
		return errNoStage
	}
	if err := m.wanted(ctx, id); err != nil {
		return err
	}
	seg, err := m.segment()
	if err != nil {
		return err
	}
	cur := &run{id: id, segment: seg, state: Recording}
	err = m.begin(cur, press, func() (int, error) {
		rec, back, err := m.o.Archive.Resume(ctx, id, m.o.Study.Hash, seg, m.streams())
		if err != nil {
			return 0, fmt.Errorf("continue %s: %w", id, err)
		}
		cur.rec, cur.participant, cur.plan, cur.segment.Number = rec, back.Participant, back.Plan, back.Segment
		if back.Segment < 0 {
			cur.state, cur.segment.Number = Prepared, 0
		}
		cur.answers, cur.given = slices.DeleteFunc(back.Consents, m.void), back.Answers
		cur.judged, back.Consents = back.Judged, cur.answers
		cur.again, cur.settled = back.Again, back.From-1
		if back.Stopped != "" {
			cur.ended = errors.New(back.Stopped)
		}
		if back.Blind {
			m.blind.Store(true)
		}
		return m.unanswered(back), nil
	})
	if err != nil {
		return err
	}
	return m.findRecovered(ctx)
}

// segment describes the run of a session that begins now.
func (m *Manager) segment() (Segment, error) {
	boot, err := instant.Boot()
	seg := Segment{Boot: boot, Start: m.o.Clock.Now(), Wall: time.Now()}
	seg.Screen, seg.ScreenAssumed = m.screen()
	return seg, err
}

// ready tells why a session cannot begin now, if so. press tells begin that no other
// has begun since.
func (m *Manager) ready() (press int, err error) {
	free, err := m.o.DiskFree(m.o.Dir)
	if err != nil {
		return 0, err
	}
	if free < DiskStop {
		return 0, fmt.Errorf("%w: %d MB left in %s; move old bundles away", errDiskFull, free>>20, m.o.Dir)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.begun, m.vacant()
}

// begin conducts a session in the background, unless another has begun since press. open
// completes cur, with its recorder, and gives the step of the plan to begin with.
func (m *Manager) begin(cur *run, press int, open func() (from int, err error)) error {
	cur.since, cur.step, cur.done, cur.end = m.o.Clock.Now(), -1, make(chan struct{}), make(chan struct{})
	ctx, stop := context.WithCancelCause(context.Background())
	cur.stop = stop

	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.vacant()
	if err == nil && press != m.begun {
		err = ErrBusy
	}
	if err != nil {
		stop(nil)
		return err
	}
	from, err := open()
	if err != nil {
		stop(nil)
		return err
	}
	m.blindfold()
	m.o.Lab.NewPerson() // also in a session that goes on: somebody else may have sat here since
	m.current, m.outcome, cur.desk = cur, nil, newDesk(m.o.Clock)
	m.begun++
	var o *opening // none where a Begin step, or the participant's word, opens it
	if cur.state == Recording && cur.segment.Number == 0 && records(cur.plan, from) {
		// Subscribed here, so that everything is kept from the moment Start returns.
		o = m.opening(cur.id, cur.overrides, cur.segment.Start)
	}
	m.running.Go(func() { m.conduct(ctx, cur, o, from) })
	return nil
}
