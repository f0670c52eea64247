package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Again keeps that a presentation is to be shown once more, and why: the row of the repeat,
// and one of the audit.
func (r *recorder) Again(ctx context.Context, presentation int, why string) error {
	repeat, ok := r.plan.Shows(r.plan.Repeat(presentation))
	if !ok {
		return fmt.Errorf("store: session %s: the plan does not show presentation %d again", r.id, presentation)
	}
	err := r.store.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO presentation (session_id, number, step, stimulus, again) VALUES (?, ?, ?, ?, ?)",
			r.id, repeat.Presentation, repeat.Index, repeat.Stimulus, presentation); err != nil {
			return err
		}
		return note(ctx, tx, r.id, "again", fmt.Sprintf("presentation %d (%s) is shown again as %d: %s", presentation, repeat.Stimulus, repeat.Presentation, why))
	})
	if err != nil {
		return fmt.Errorf("store: session %s: keep that presentation %d is shown again: %w", r.id, presentation, err)
	}
	return nil
}

// againSoFar are the presentations that were asked for once more.
func againSoFar(ctx context.Context, tx *sql.Tx, id string) (all []int, err error) {
	err = scanAll(ctx, tx, "SELECT again FROM presentation WHERE session_id = ? AND again > 0 ORDER BY number", []any{id}, func(row scanner) error {
		var presentation int
		err := row.Scan(&presentation)
		all = append(all, presentation)
		return err
	})
	return all, err
}
