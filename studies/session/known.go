package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// KnownError says that a participant's code was used before: whoever starts has to say
// whether it is the same person.
type KnownError struct {
	// Participant is the code as it was written then: it may differ from the one that
	// was given, as Alike says.
	Participant string    `json:"participant"`
	Sessions    []Summary `json:"sessions"`
	// Cut is the session that was cut off and can go on; "" = none.
	Cut string `json:"cut"`
}

func (e *KnownError) Error() string {
	what := "start another run of that person, or give a new code"
	if e.Cut != "" {
		what = "continue session " + e.Cut + ", " + what
	}
	return fmt.Sprintf("participant %s has had %d sessions: %s", e.Participant, len(e.Sessions), what)
}

// lookalikes are characters that people read as one another.
var lookalikes = strings.NewReplacer("O", "0", "I", "1", "L", "1")

// Alike tells whether two participants' codes are one to somebody who reads or types
// them: small letters are as capitals, O is as 0, and I and L are as 1.
func Alike(a, b string) bool {
	return lookalikes.Replace(strings.ToUpper(a)) == lookalikes.Replace(strings.ToUpper(b))
}

// known returns what there is of a participant, under that code or one that is Alike; nil
// for a new one.
func (m *Manager) known(ctx context.Context, code string) (*KnownError, error) {
	all, err := m.o.Archive.Sessions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	all = slices.DeleteFunc(all, func(s Summary) bool { return !Alike(s.Participant, code) })
	if len(all) == 0 {
		return nil, nil
	}
	k := &KnownError{Participant: all[len(all)-1].Participant, Sessions: all}
	if slices.ContainsFunc(all, func(s Summary) bool { return s.Participant == code }) {
		k.Participant = code
	}
	for _, s := range all {
		if s.State == Recovered && s.Reason != whyWithdrawn {
			k.Cut = s.ID
		}
	}
	return k, nil
}

// Cohort tells how far the study has come.
func (m *Manager) Cohort(ctx context.Context) (Cohort, error) {
	return m.o.Archive.Cohort(ctx, m.o.Study.Quota)
}

// Move gives a session that has ended to another participant.
func (m *Manager) Move(ctx context.Context, id, participant, reason string) error {
	if err := CheckParticipant(participant); err != nil {
		return err
	}
	if m.runs(id) {
		return ErrBusy
	}
	all, err := m.o.Archive.Sessions(ctx)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	for _, s := range all {
		if s.ID != id && s.Participant != participant && Alike(s.Participant, participant) &&
			!slices.ContainsFunc(all, func(s Summary) bool { return s.Participant == participant }) {
			return fmt.Errorf("participant code %s: this study has it as %s; type it so", participant, s.Participant)
		}
	}
	return m.o.Archive.Move(ctx, id, participant, reason)
}

// Judge says by a person's word whether a session is usable.
func (m *Manager) Judge(ctx context.Context, id string, usable bool, reason string) error {
	if m.runs(id) {
		return ErrBusy
	}
	return m.o.Archive.Judge(ctx, id, usable, reason)
}

// runs tells whether a session runs or is being closed.
func (m *Manager) runs(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.current != nil && m.current.id == id
}
