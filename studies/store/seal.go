package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"emolab/fusion/stream"
	"emolab/studies/session"
)

// Seal closes a recovered session as it is, without continuing it. One that had not
// begun to record is declined: there is nothing to seal.
func (s *Store) Seal(ctx context.Context, id string, progress session.Progress) error {
	var never bool
	var why string
	err := s.read.QueryRowContext(ctx, `SELECT state = ?2 AND NOT EXISTS (SELECT 1 FROM segment WHERE session_id = id), reason FROM session WHERE id = ?1`, id, session.Recovered).Scan(&never, &why)
	if !session.StoppedForGood(why) {
		why = cutOff
	}
	if err == nil && never {
		err = s.change(ctx, func(tx *sql.Tx) error { return decline(ctx, tx, id, why) })
	}
	if err != nil {
		return fmt.Errorf("store: seal session %s: %w", id, missing(explain(err)))
	}
	if never {
		return nil
	}
	return s.seal(ctx, id, session.Recovered, progress)
}

// cutOff is why a session is declined whose process ended before it recorded.
const cutOff = "cut off before the recording"

// seal aligns every stream of the session again, two-sided, derives its final
// trace and makes it read-only.
//
// All reading and reckoning comes before the one transaction that writes, for
// two reasons: a process killed in the middle leaves the session as it was, to
// be sealed again; and the writer is free for a session that records meanwhile.
func (s *Store) seal(ctx context.Context, id string, from session.State, progress session.Progress) error {
	if _, err := s.writer(); err != nil {
		return err
	}
	if progress == nil {
		progress = func(int, int, string) {}
	}
	d, err := s.Session(ctx, id)
	if err != nil {
		return err
	}
	if d.State != from {
		return fmt.Errorf("store: seal session %s: it is %s, not %s", id, d.State, from)
	}
	steps := counter{total: d.stages(), tell: progress}
	out, err := s.derive(ctx, d, s.align, stretch{}, &steps)
	if err != nil {
		return fmt.Errorf("store: seal session %s: %w", id, explain(err))
	}
	out.clocks = fittedClocks
	steps.next("writing")
	if err := s.change(ctx, func(tx *sql.Tx) error { return writeFinals(ctx, tx, d, &out) }); err != nil {
		return fmt.Errorf("store: seal session %s: %w", id, err)
	}
	steps.next("done")
	return s.checkpoint(ctx)
}

// checkpoint folds the write-ahead log into the file and empties it, so that
// the file is whole by itself and nothing deleted survives in the log. While
// somebody reads, SQLite leaves part of it for a later checkpoint: no error.
func (s *Store) checkpoint(ctx context.Context) error {
	if _, err := s.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("store: %s: fold the log into the file: %w", s.path, explain(err))
	}
	return nil
}

// stages is how many steps of progress a derivation and its writing have.
func (d *Detail) stages() int {
	n := 3 // the calibration of the gaze, the neutral face, the writing
	for _, g := range d.Segments {
		n++ // its trace
		for _, t := range g.Streams {
			if t.Kind != stream.Trace {
				n++
			}
		}
	}
	return n
}

// counter tells a Progress how far the work has come. It is safe for concurrent
// use; the Progress is called by one goroutine at a time.
type counter struct {
	mu          sync.Mutex
	done, total int
	tell        session.Progress
}

// next says what begins now.
func (c *counter) next(doing string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell(min(c.done, c.total), c.total, doing)
	c.done++
}

// writeFinals writes all that sealing has derived and closes the session.
func writeFinals(ctx context.Context, tx *sql.Tx, d Detail, out *derived) error {
	// The state is asked again under the transaction: somebody may have sealed
	// or continued the session while it was being reckoned.
	var state session.State
	if err := tx.QueryRowContext(ctx, "SELECT state FROM session WHERE id = ?", d.ID).Scan(&state); err != nil {
		return err
	}
	if state != d.State {
		return fmt.Errorf("it became %s meanwhile", state)
	}
	if err := closeSegments(ctx, tx, d.ID); err != nil {
		return err
	}
	if err := addDerivation(ctx, tx, d.ID, d.Software, out.derivation(Final)); err != nil {
		return err
	}
	for _, f := range out.segments {
		for _, a := range f.streams {
			if err := writeTimes(ctx, tx, d.ID, f.segment, a); err != nil {
				return err
			}
			if err := writeClock(ctx, tx, d.ID, Final, f.segment, a); err != nil {
				return err
			}
		}
	}
	if err := writeDerived(ctx, tx, d.ID, Final, d.Software, out); err != nil {
		return err
	}
	said := fmt.Sprintf("was %s, %d segments", d.State, len(out.segments))
	if out.rest == nil {
		said += "; no neutral face: " + out.why
	}
	if err := note(ctx, tx, d.ID, "seal", said); err != nil {
		return err
	}
	reason := d.Reason
	if reason == "" && d.State == session.Recovered {
		nth, of := d.Plan.Place(d.Reached)
		reason = fmt.Sprintf("cut off in step %d of %d, sealed as it was", nth, of)
	}
	if err := judgeByRules(ctx, tx, &d, Final, reason); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE session SET state = ?, reason = ?, trace_derivation = ?, ended_utc = coalesce(ended_utc, "+utcNow+") WHERE id = ?",
		session.Sealed, reason, Final, d.ID)
	if err != nil {
		return err
	}
	return lock(ctx, tx, d.ID)
}
