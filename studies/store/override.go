package store

import (
	"context"
	"database/sql"
	"fmt"

	"emolab/studies/session"
)

// Override writes into the audit that a gate was passed although something was missing,
// what that was, and why.
func (r *recorder) Override(ctx context.Context, o session.Override) error {
	err := r.store.change(ctx, func(tx *sql.Tx) error { return note(ctx, tx, r.id, "override", o.String()) })
	if err != nil {
		return fmt.Errorf("store: session %s: keep that the gate was overridden: %w", r.id, err)
	}
	return nil
}
