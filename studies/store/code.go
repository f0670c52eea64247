package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"emolab/studies/session"
)

// receiptGiven is the action of a session in the audit for which another code was given out.
const receiptGiven = "receipt"

// CodesGiven counts the withdrawal codes that are known by their keyed hash: those that
// were given out, and those of people who have withdrawn.
func (s *Store) CodesGiven(ctx context.Context) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM withdrawable) + (SELECT count(*) FROM tombstone WHERE code_hash <> '')").Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: count the withdrawal codes: %w", explain(err))
	}
	return n, nil
}

// GiveCode keeps the keyed hash of another withdrawal code for a session that does not
// run. Codes of before go on to hold.
func (s *Store) GiveCode(ctx context.Context, id, codeHash string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		var state session.State
		if err := tx.QueryRowContext(ctx, "SELECT state FROM session WHERE id = ?", id).Scan(&state); err != nil {
			return missing(err)
		}
		if state == session.Prepared || state == session.Recording {
			return errors.New("it is still running: the code is given on its last page")
		}
		if err := note(ctx, tx, id, receiptGiven, "another withdrawal code"); err != nil {
			return err
		}
		return addCode(ctx, tx, id, codeHash)
	})
	if err != nil {
		return fmt.Errorf("store: session %s: keep the hash of another withdrawal code: %w", id, err)
	}
	return nil
}

// addCode adds the keyed hash of a code to those of a session.
func addCode(ctx context.Context, tx *sql.Tx, id, codeHash string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO withdrawable (session_id, n, code_hash)
		VALUES (?1, (SELECT count(*) FROM withdrawable WHERE session_id = ?1), ?2)`, id, codeHash)
	return err
}
