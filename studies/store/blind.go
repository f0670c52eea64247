package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// blind is the action in the audit of what the console shows.
const blind = "blind"

// Blind writes into the audit that what the console shows was hidden, or shown again and
// why.
func (r *recorder) Blind(ctx context.Context, on bool, why string) error {
	err := r.store.change(ctx, func(tx *sql.Tx) error { return note(ctx, tx, r.id, blind, blindWords(on, why)) })
	if err != nil {
		return fmt.Errorf("store: session %s: keep what the console shows: %w", r.id, err)
	}
	return nil
}

func blindWords(on bool, why string) string {
	words := "off"
	if on {
		words = "on"
	}
	if why != "" {
		words += ": " + why
	}
	return words
}

// blindSoFar tells whether the console was blind when a session was cut off.
func blindSoFar(ctx context.Context, tx *sql.Tx, id string) (on bool, err error) {
	err = tx.QueryRowContext(ctx, "SELECT detail = 'on' OR detail LIKE 'on:%' FROM audit WHERE session_id = ? AND action = '"+blind+"' ORDER BY n DESC LIMIT 1", id).Scan(&on)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return on, err
}
