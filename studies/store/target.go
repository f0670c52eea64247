package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"emolab/studies/session"
)

// Target keeps a mark that the participant's screen showed for the eyes.
func (r *recorder) Target(ctx context.Context, t session.Target) error {
	var until any // it stood when it was last known of
	if t.Until > 0 {
		until = int64(t.Until)
	}
	err := r.store.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO gaze_target (session_id, segment, n, purpose, step, round, point, x, y, from_ns, until_ns, err_ns)
			VALUES (?1, ?2, (SELECT count(*) FROM gaze_target WHERE session_id = ?1 AND segment = ?2), ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.id, r.segment, t.Purpose, t.Step, t.Round, t.Index, number(t.X), number(t.Y), int64(t.From), until, int64(t.Err))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: session %s: keep a target of step %d: %w", r.id, t.Step, err)
	}
	return nil
}

// Decision keeps what was made of the result of a step.
func (r *recorder) Decision(ctx context.Context, d session.Decision) error {
	err := r.store.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO decision (session_id, segment, n, step, round, choice, reason, how, value, at_ns)
			VALUES (?1, ?2, (SELECT count(*) FROM decision WHERE session_id = ?1 AND segment = ?2), ?, ?, ?, ?, ?, ?, ?)`,
			r.id, r.segment, d.Step, d.Round, d.Choice, d.Reason, d.How, string(d.Value), int64(d.At))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: session %s: keep the decision on step %d: %w", r.id, d.Step, err)
	}
	return nil
}

// Target is one mark that the participant's screen showed for the eyes.
type Target struct {
	Segment int `json:"segment"` // its instants are on the clock of that
	session.Target
}

// Targets returns the marks in the order in which they were kept.
func (s *Store) Targets(ctx context.Context, id string) ([]Target, error) {
	return list(ctx, s, id, `SELECT segment, purpose, step, round, point, x, y, from_ns, coalesce(until_ns, 0), err_ns
		FROM gaze_target WHERE session_id = ? ORDER BY segment, n`,
		func(row scanner, v *Target) error {
			var x, y sql.NullFloat64
			err := row.Scan(&v.Segment, &v.Purpose, &v.Step, &v.Round, &v.Index, &x, &y, &v.From, &v.Until, &v.Err)
			v.X, v.Y = float(x), float(y)
			return err
		})
}

// Decision is what was made of the result of one step.
type Decision struct {
	Segment int `json:"segment"`
	session.Decision
}

func (s *Store) loadDecisions(ctx context.Context, d *Detail) (err error) {
	d.Decisions, err = list(ctx, s, d.ID, `SELECT segment, step, round, choice, reason, how, value, at_ns
		FROM decision WHERE session_id = ? ORDER BY segment, n`,
		func(row scanner, v *Decision) error {
			var value string
			err := row.Scan(&v.Segment, &v.Step, &v.Round, &v.Choice, &v.Reason, &v.How, &value, &v.At)
			if value != "" {
				v.Value = json.RawMessage(value)
			}
			return err
		})
	return err
}

// decided is the last word about one round of a step of a segment; nil when nothing
// was decided.
func (d *Detail) decided(segment, step, round int) *Decision {
	for i := len(d.Decisions) - 1; i >= 0; i-- {
		if v := &d.Decisions[i]; v.Segment == segment && v.Step == step && v.Round == round {
			return v
		}
	}
	return nil
}

// judgedOf is what a decision was about, as it was known then; nothing where that was
// something else, or was kept by a program that is not this one.
func judgedOf(value []byte) session.Judged {
	var j session.Judged
	if json.Unmarshal(value, &j) != nil {
		return session.Judged{}
	}
	if string(j.Tracker) == "null" {
		j.Tracker = nil
	}
	return j
}

// inForce is the calibration of the gaze that holds in a session: the latest that was
// accepted, or that a tracker made of itself, which holds in it accepted or not. Nil when
// there is none, or when what was accepted last had come to nothing.
func inForce(ctx context.Context, tx *sql.Tx, id string) (*session.Judged, error) {
	rows, err := tx.QueryContext(ctx, `SELECT choice, value FROM decision d WHERE session_id = ?
		AND EXISTS (SELECT 1 FROM gaze_target t WHERE t.session_id = d.session_id AND t.segment = d.segment AND t.step = d.step AND t.round = d.round AND t.purpose = ?)
		ORDER BY segment DESC, n DESC`, id, session.ToCalibrate)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var choice session.Choice
		var value string
		if err := rows.Scan(&choice, &value); err != nil {
			return nil, err
		}
		switch j := judgedOf([]byte(value)); {
		case len(j.Tracker) > 0, choice == session.Accept && j.Calibration != nil:
			return &j, nil
		case choice == session.Accept:
			return nil, nil
		}
	}
	return nil, rows.Err()
}
