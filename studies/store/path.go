package store

import (
	"context"
	"database/sql"
	"fmt"

	"emolab/fusion/instant"
	"emolab/studies/session"
	"emolab/studies/study"
)

// Reached notes that a step of the plan has begun, at that instant; 0: it is not known.
func (r *recorder) Reached(ctx context.Context, step int, at instant.Instant) error {
	var action study.Action
	if step >= 0 && step < len(r.plan.Steps) {
		action = r.plan.Steps[step].Action
	}
	var when any // not known, or on no segment's clock
	if at != 0 && r.recording() {
		when = int64(at)
	}
	err := r.store.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE session SET reached_step = ? WHERE id = ?", step, r.id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO step (session_id, segment, n, step, action, at_ns)
			VALUES (?1, ?2, (SELECT count(*) FROM step WHERE session_id = ?1), ?3, ?4, ?5)`, r.id, r.in(), step, action, when)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: session %s: note step %d: %w", r.id, step, err)
	}
	return nil
}

// StepBegun is one beginning of a step of the plan.
type StepBegun struct {
	Segment int             `json:"segment"` // -1 before the recording
	Step    int             `json:"step"`    // index in the plan
	Action  study.Action    `json:"action"`
	At      instant.Instant `json:"at_ns"` // on the segment's clock; 0 = not known
}

// Steps returns the steps of the plan as they began, in order. A step that began anew
// after a pause or a reload is there once more.
func (s *Store) Steps(ctx context.Context, id string) ([]StepBegun, error) {
	return list(ctx, s, id, "SELECT coalesce(segment, -1), step, action, coalesce(at_ns, 0) FROM step WHERE session_id = ? ORDER BY n",
		func(row scanner, v *StepBegun) error { return row.Scan(&v.Segment, &v.Step, &v.Action, &v.At) })
}

// Withdrawable keeps the keyed hash of a code by which the participant may withdraw. Codes
// that were given out before, until the program was cut off, go on to hold.
func (r *recorder) Withdrawable(ctx context.Context, codeHash string) error {
	err := r.store.change(ctx, func(tx *sql.Tx) error { return addCode(ctx, tx, r.id, codeHash) })
	if err != nil {
		return fmt.Errorf("store: session %s: keep the hash of the withdrawal code: %w", r.id, err)
	}
	return nil
}

// SessionByCode returns the session that a withdrawal code was given out in, by the
// code's keyed hash; ErrNoSession when there is none.
func (s *Store) SessionByCode(ctx context.Context, codeHash string) (string, error) {
	var id string
	err := s.read.QueryRowContext(ctx, "SELECT session_id FROM withdrawable WHERE code_hash = ?", codeHash).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("store: find the session of a withdrawal code: %w", missing(explain(err)))
	}
	return id, nil
}

// CodeHash returns the keyed hash of the latest withdrawal code that the participant of
// a session was given, in whichever session; "" when there is none.
func (s *Store) CodeHash(ctx context.Context, id string) (string, error) {
	hash, err := latestCode(ctx, s.read, id)
	if err != nil {
		return "", fmt.Errorf("store: session %s: find its withdrawal code: %w", id, explain(err))
	}
	return hash, nil
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func latestCode(ctx context.Context, q querier, id string) (string, error) {
	var hash string
	err := q.QueryRowContext(ctx, `SELECT coalesce((SELECT w.code_hash FROM withdrawable w JOIN session s ON s.id = w.session_id
		WHERE s.participant = me.participant ORDER BY s.started_utc DESC, s.id DESC, w.n DESC LIMIT 1), '') FROM session me WHERE me.id = ?`, id).Scan(&hash)
	return hash, missing(err)
}

// ParticipantOf returns the code of the participant of a session.
func (s *Store) ParticipantOf(ctx context.Context, id string) (string, error) {
	var code string
	if err := s.read.QueryRowContext(ctx, "SELECT participant FROM session WHERE id = ?", id).Scan(&code); err != nil {
		return "", fmt.Errorf("store: session %s: %w", id, missing(explain(err)))
	}
	return code, nil
}

var _ session.Recorder = (*recorder)(nil)
