package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"emolab/fusion/instant"
)

// Annotation is something that somebody said of a sealed session.
type Annotation struct {
	N           int // in the session, from 1
	Segment     int
	From, Until instant.Instant // on the segment's clock; Until 0 = it is about an instant
	Label, Text string
	By          string // who said it
	Made        time.Time
	RemovedBy   string
	Removed     time.Time // zero: it holds
}

// Annotations returns a session's annotations in the order in which they were made, those
// that were removed included.
func (s *Store) Annotations(ctx context.Context, id string) ([]Annotation, error) {
	return list(ctx, s, id, `SELECT n, segment, from_ns, coalesce(until_ns, 0), label, text, made_by, made_utc, coalesce(removed_by, ''), coalesce(removed_utc, '')
		FROM annotation WHERE session_id = ? ORDER BY n`,
		func(row scanner, v *Annotation) error {
			var made, removed string
			err := row.Scan(&v.N, &v.Segment, &v.From, &v.Until, &v.Label, &v.Text, &v.By, &made, &v.RemovedBy, &removed)
			if err == nil {
				v.Made, err = parseWall(made)
			}
			if err == nil && removed != "" {
				v.Removed, err = parseWall(removed)
			}
			return err
		})
}

// Annotate adds an annotation, and returns it with its number and the time at which it was
// made.
func (s *Store) Annotate(ctx context.Context, id string, a Annotation) (Annotation, error) {
	err := s.change(ctx, func(tx *sql.Tx) error {
		var until any
		if a.Until != 0 {
			until = int64(a.Until)
		}
		var made string
		err := tx.QueryRowContext(ctx, `INSERT INTO annotation (session_id, n, segment, from_ns, until_ns, label, text, made_by, made_utc)
			VALUES (?1, (SELECT coalesce(max(n), 0) + 1 FROM annotation WHERE session_id = ?1), ?2, ?3, ?4, ?5, ?6, ?7, `+utcNow+`)
			RETURNING n, made_utc`, id, a.Segment, int64(a.From), until, a.Label, a.Text, a.By).Scan(&a.N, &made)
		if err != nil {
			return err
		}
		a.Made, err = parseWall(made)
		return err
	})
	if err != nil {
		return a, fmt.Errorf("store: annotate session %s: %w", id, err)
	}
	return a, nil
}

// RemoveAnnotation says of an annotation that it does not hold any more.
func (s *Store) RemoveAnnotation(ctx context.Context, id string, n int, by string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE annotation SET removed_by = ?, removed_utc = "+utcNow+" WHERE session_id = ? AND n = ?", by, id, n)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: session %s: remove annotation %d: %w", id, n, err)
	}
	return nil
}
