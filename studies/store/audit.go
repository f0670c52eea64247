package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Deed is a row of the audit.
type Deed struct {
	At      time.Time // wall time
	Session string    // "" = it was about none, or that is erased
	Action  string
	Detail  string
	Who     string // "" = somebody at a terminal, or the lab by itself
	Role    string
	Outcome string
}

// Note adds a row to the audit, with the present time. A session that this file does not
// have is left out: its id may be that of one that was erased, or no id at all.
func (s *Store) Note(ctx context.Context, d Deed) error {
	err := s.change(ctx, func(tx *sql.Tx) error { return noteDeed(ctx, tx, d) })
	if err != nil {
		return fmt.Errorf("store: add to the audit: %w", err)
	}
	return nil
}

// NoteOnce is Note, of what has not been noted yet with the same action and detail. It
// tells whether it has added a row.
func (s *Store) NoteOnce(ctx context.Context, d Deed) (added bool, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		var n int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM audit WHERE action = ? AND detail = ?", d.Action, d.Detail).Scan(&n)
		if err != nil || n > 0 {
			return err
		}
		added = true
		return noteDeed(ctx, tx, d)
	})
	if err != nil {
		return false, fmt.Errorf("store: add to the audit: %w", err)
	}
	return added, nil
}

func noteDeed(ctx context.Context, tx *sql.Tx, d Deed) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO audit (at_utc, session_id, action, detail, who, role, outcome)
		VALUES (`+utcNow+`, (SELECT id FROM session WHERE id = ?), ?, ?, ?, ?, ?)`,
		d.Session, d.Action, d.Detail, d.Who, d.Role, d.Outcome)
	return err
}

// Audit returns the latest n rows of the audit, the newest first.
func (s *Store) Audit(ctx context.Context, n int) ([]Deed, error) {
	var out []Deed
	err := scanAll(ctx, s.read, `SELECT at_utc, coalesce(session_id, ''), action, detail, who, role, outcome
		FROM audit ORDER BY n DESC LIMIT ?`, []any{n}, func(row scanner) error {
		var d Deed
		var at string
		if err := row.Scan(&at, &d.Session, &d.Action, &d.Detail, &d.Who, &d.Role, &d.Outcome); err != nil {
			return err
		}
		var err error
		d.At, err = time.Parse(wallFormat, at)
		out = append(out, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: read the audit: %w", explain(err))
	}
	return out, nil
}
