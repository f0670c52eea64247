package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"emolab/studies/session"
)

// erased is the action of a session in the audit that has lost a class of its data.
const erased = "erase"

// ErasePart deletes one class of a session's data, and leaves a tombstone. The line in
// the registry stays, without bands that no answer is left of, and so do the consents.
// With the traces goes what was said because of them: why the session is usable or not,
// why it ended, and what the audit has of both. That it counts, or not, stays.
// Scrub is to follow the last of them.
func (s *Store) ErasePart(ctx context.Context, id string, class Class) (int64, error) {
	tables := []string{"video"}
	switch class {
	case FaceVideos:
	case Traces:
		tables = slices.DeleteFunc(ofTraces(), func(t string) bool { return t == "video" })
	default:
		return 0, fmt.Errorf("store: session %s: %q is no class of data that can be erased on its own", id, class)
	}
	t := Tombstone{Class: class}
	err := s.change(ctx, func(tx *sql.Tx) error {
		return erase(ctx, tx, &t, erasure{of: "id = ?", arg: id, id: id, tables: tables, after: func() (int64, error) {
			if _, err := tx.ExecContext(ctx, "UPDATE export SET stale = ? WHERE session_id = ?", "its "+string(class)+" have been erased since", id); err != nil {
				return 0, err
			}
			if class == Traces {
				if err := keepBands(ctx, tx, id); err != nil { // what is still there to tell of
					return 0, err
				}
				if err := unsay(ctx, tx, id); err != nil {
					return 0, err
				}
			}
			return 0, note(ctx, tx, id, erased, string(class))
		}})
	})
	if err != nil {
		return 0, fmt.Errorf("store: session %s: erase its %s: %w", id, class, err)
	}
	return t.Rows, nil
}

// unsay takes away what was said of a session because of what was recorded or answered:
// shares and errors that rules were held against, the band that a quota had no room for,
// and what people wrote. Of why it ended one word stays, by which it is counted.
// In the audit it stays that something was done, and when.
func unsay(ctx context.Context, tx *sql.Tx, id string) error {
	var reason string
	if err := tx.QueryRowContext(ctx, "SELECT reason FROM session WHERE id = ?", id).Scan(&reason); err != nil {
		return missing(err)
	}
	if _, err := tx.ExecContext(ctx, "UPDATE session SET usable_why = '', reason = ? WHERE id = ?", session.Briefly(reason), id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE audit SET detail = '' WHERE session_id = ? AND action NOT IN ("+aboutNoTraces+")", id)
	return err
}

// aboutNoTraces are the actions in the audit whose words are about the plan, the consents,
// the bundles and the registry.
const aboutNoTraces = "'begin', 'record', 'continue', 'consent', 'withdraw', 'export', 'move', 'move-from', '" + receiptGiven + "', '" + erased + "'"
