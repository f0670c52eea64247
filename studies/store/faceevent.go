package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"emolab/fusion/facial"
)

// FaceEvent is something that the face did.
type FaceEvent struct {
	Segment int
	facial.Event
}

// FaceEvents returns blinks and bouts of expression of the session's current
// derivation, in order of onset.
func (s *Store) FaceEvents(ctx context.Context, id string) ([]FaceEvent, error) {
	return list(ctx, s, id, `SELECT e.segment, e.kind, e.label, e.onset_ns, e.offset_ns, e.peak, e.mean
		FROM face_event e JOIN session s ON s.id = e.session_id AND s.trace_derivation = e.derivation
		WHERE e.session_id = ? ORDER BY e.segment, e.n`,
		func(row scanner, v *FaceEvent) error {
			var peak, mean sql.NullFloat64
			err := row.Scan(&v.Segment, &v.Kind, &v.Label, &v.Onset, &v.Offset, &peak, &mean)
			v.Peak, v.Mean = float(peak), float(mean)
			return err
		})
}

// writeFaceEvents writes a segment's blinks and bouts.
func writeFaceEvents(ctx context.Context, tx *sql.Tx, id, name string, f *final) error {
	events := slices.SortedStableFunc(slices.Values(f.face.Events), func(a, b facial.Event) int { return cmp.Compare(a.Onset, b.Onset) })
	for n, e := range events {
		if _, err := tx.ExecContext(ctx, `INSERT INTO face_event (session_id, derivation, segment, n, kind, label, onset_ns, offset_ns, peak, mean)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, name, f.segment, n+1, e.Kind, e.Label, int64(e.Onset), int64(e.Offset), number(e.Peak), number(e.Mean)); err != nil {
			return fmt.Errorf("write %s %d: %w", e.Kind, n+1, err)
		}
	}
	return nil
}
