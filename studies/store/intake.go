package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"emolab/fusion/stream"
	"emolab/studies/session"
)

// Record begins the recording of a prepared session: its first segment and its streams.
// Where that fails the session stays prepared, or, when its statements cannot be made
// any more, is left as recovered.
func (r *recorder) Record(ctx context.Context, seg session.Segment, streams []stream.Info) error {
	if r.recording() {
		return fmt.Errorf("store: session %s: it records already", r.id)
	}
	lanes, err := lanesOf(streams)
	if err != nil {
		return fmt.Errorf("store: session %s: begin to record: %w", r.id, err)
	}
	seg.Number = 0
	err = r.store.change(ctx, func(tx *sql.Tx) error {
		var reached int
		if err := tx.QueryRowContext(ctx, "SELECT max(reached_step, 0) FROM session WHERE id = ?", r.id).Scan(&reached); err != nil {
			return missing(err)
		}
		if err := note(ctx, tx, r.id, "record", fmt.Sprintf("from step %d", reached)); err != nil {
			return err
		}
		r.lanes = lanes
		return r.record(ctx, tx, seg, streams, reached)
	})
	if err != nil {
		r.lanes, r.segment = nil, none
		return fmt.Errorf("store: session %s: begin to record: %w", r.id, err)
	}
	return r.store.ready(ctx, r)
}

// record writes a segment with its streams, from which on the session records.
func (r *recorder) record(ctx context.Context, tx *sql.Tx, seg session.Segment, streams []stream.Info, first int) error {
	_, err := tx.ExecContext(ctx, "UPDATE session SET state = ?, simulated = max(simulated, ?) WHERE id = ?", session.Recording, simulated(streams), r.id)
	if err != nil {
		return err
	}
	if err := addSegment(ctx, tx, r.id, seg, first, streams); err != nil {
		return err
	}
	r.segment, r.start, r.wall = seg.Number, seg.Start, seg.Wall
	if seg.Number > 0 {
		return nil
	}
	return addDerivation(ctx, tx, r.id, r.software, liveDerivation(streams))
}

// recording tells whether the session has a segment.
func (r *recorder) recording() bool { return r.segment != none }

// in is the segment that a row belongs to, NULL before the recording.
func (r *recorder) in() any {
	if !r.recording() {
		return nil
	}
	return r.segment
}

// Decline ends a prepared session: nothing was recorded.
func (r *recorder) Decline(ctx context.Context, why string) error {
	err := r.store.change(ctx, func(tx *sql.Tx) error { return decline(ctx, tx, r.id, why) })
	if err != nil {
		return fmt.Errorf("store: session %s: close it as declined: %w", r.id, err)
	}
	r.close()
	return nil
}

// decline closes a session that has recorded nothing.
func decline(ctx context.Context, tx *sql.Tx, id, why string) error {
	var recorded bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM segment WHERE session_id = ?)", id).Scan(&recorded); err != nil {
		return err
	}
	if recorded {
		return errors.New("it has recorded: seal it")
	}
	if err := note(ctx, tx, id, "decline", why); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE session SET state = ?, reason = ?, ended_utc = "+utcNow+" WHERE id = ?", session.Declined, why, id)
	return err
}
