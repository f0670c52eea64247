package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"emolab/fusion/align"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/session"
)

// Seal closes a recovered session as it is, without continuing it.
func (s *Store) Seal(ctx context.Context, id string, progress session.Progress) error {
	return s.seal(ctx, id, session.Recovered, progress)
}

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
	steps := counter{total: 1, tell: progress}
	for _, g := range d.Segments {
		steps.total += len(g.Streams) + 1
	}
	finals := make([]final, 0, len(d.Segments))
	for _, g := range d.Segments {
		f, err := s.finish(ctx, id, g, &steps)
		if err != nil {
			return fmt.Errorf("store: seal session %s, segment %d: %w", id, g.Number, explain(err))
		}
		finals = append(finals, f)
	}
	traces := make([][]stream.Sample, len(finals))
	for i, f := range finals {
		traces[i] = f.trace
	}
	trace.MarkCutOff(traces...)
	steps.next("writing")
	if err := s.change(ctx, func(tx *sql.Tx) error { return writeFinals(ctx, tx, d, finals) }); err != nil {
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

// counter tells a Progress how far the sealing has come.
type counter struct {
	done, total int
	tell        session.Progress
}

// next says what begins now.
func (c *counter) next(doing string) {
	c.tell(min(c.done, c.total), c.total, doing)
	c.done++
}

// aligned is one stream of a segment on the lab clock.
type aligned struct {
	info      stream.Info
	rows      []Row // with final At and Err
	moved     []int // rows whose At or Err differ from the file's
	pieces    []align.Piece
	statement align.Statement
	usable    float64
}

// align reads one stream back and fits its clock anew.
func (s *Store) align(ctx context.Context, id string, segment int, info stream.Info, pings []align.Ping) (aligned, error) {
	a := aligned{info: withoutLandmarks(info)}
	var stamps []align.Stamp
	for row, err := range s.rows(ctx, id, info.ID, segment, a.info) {
		if err != nil {
			return a, err
		}
		a.rows = append(a.rows, row)
		stamps = append(stamps, align.Stamp{Epoch: row.Epoch, Seq: row.Seq, Tick: row.Tick, Arrival: row.Arrival})
	}
	timeline, err := align.Fit(info, stamps, pings)
	if err != nil {
		return a, err
	}
	for i := range a.rows {
		r := &a.rows[i]
		at, bound := timeline.At(r.Epoch, timeline.Tick(stamps[i]))
		if at != r.At || bound != r.Err {
			a.moved = append(a.moved, i)
		}
		r.At, r.Err = at, bound
	}
	a.pieces, a.statement = timeline.Pieces(), timeline.Statement()
	a.usable = usable(a.info, a.rows, a.statement.Lost)
	return a, nil
}

// usable is the share of the samples that should be there which are there and
// say something: EDA with a value, gaze that is valid, frames with a face. Every
// displayed frame of a stimulus counts.
func usable(info stream.Info, rows []Row, lost int64) float64 {
	if len(rows) == 0 {
		return 0
	}
	good := func([]float64) bool { return true }
	switch info.Kind {
	case stream.EDA:
		i := info.Index("eda_us")
		good = func(v []float64) bool { return !math.IsNaN(v[i]) }
	case stream.Gaze:
		i := info.Index("gaze_valid")
		good = func(v []float64) bool { return v[i] == 1 }
	case stream.Face:
		i := info.Index("face_found")
		good = func(v []float64) bool { return v[i] == 1 }
	}
	n := 0
	for _, r := range rows {
		if good(r.Values) {
			n++
		}
	}
	return float64(n) / float64(int64(len(rows))+lost)
}

// withoutLandmarks leaves out the channels that no derivation needs: they are
// nine tenths of an hour of face frames.
func withoutLandmarks(info stream.Info) stream.Info {
	if info.Kind != stream.Face {
		return info
	}
	t, _ := tableOf(stream.Face) // there is one
	all := info.Channels
	info.Channels = nil
	for _, c := range all {
		for _, name := range t.channels {
			if c.Name == name {
				info.Channels = append(info.Channels, c)
			}
		}
	}
	return info
}

// writeFinals writes all that sealing has derived and closes the session.
func writeFinals(ctx context.Context, tx *sql.Tx, d Detail, finals []final) error {
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
	if err := addDerivation(ctx, tx, d.ID, d.Software, finalDerivation()); err != nil {
		return err
	}
	for _, f := range finals {
		for _, a := range f.streams {
			if err := writeAligned(ctx, tx, d.ID, f.segment, a); err != nil {
				return err
			}
		}
		if err := writeResponses(ctx, tx, d.ID, f); err != nil {
			return err
		}
		if err := writeTrace(ctx, tx, d.ID, f); err != nil {
			return err
		}
	}
	if err := note(ctx, tx, d.ID, "seal", fmt.Sprintf("was %s, %d segments", d.State, len(finals))); err != nil {
		return err
	}
	reason := d.Reason
	if reason == "" && d.State == session.Recovered {
		reason = fmt.Sprintf("cut off in step %d of %d, sealed as it was", d.Reached+1, len(d.Plan.Steps))
	}
	_, err := tx.ExecContext(ctx, "UPDATE session SET state = ?, reason = ?, trace_derivation = ?, ended_utc = coalesce(ended_utc, "+utcNow+") WHERE id = ?",
		session.Sealed, reason, Final, d.ID)
	return err
}

// writeAligned writes one stream's final instants, its clock and its statement.
func writeAligned(ctx context.Context, tx *sql.Tx, id string, segment int, a aligned) error {
	if err := writeTimes(ctx, tx, id, segment, a); err != nil {
		return err
	}
	for n, p := range a.pieces {
		if _, err := tx.ExecContext(ctx, `INSERT INTO clock_model (session_id, stream, segment, n, epoch, tick0, at0_ns, ns_per_tick, until_tick, err_ns)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, a.info.ID, segment, n, p.Epoch, p.Tick0, int64(p.At0), p.NsPerTick, p.Until, int64(p.Err)); err != nil {
			return err
		}
	}
	v := a.statement
	_, err := tx.ExecContext(ctx, `INSERT INTO quality (session_id, segment, stream, method, drift_ppm, jitter_ms, bound_ms, samples, lost, epochs, pings, usable_share)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, segment, a.info.ID, v.Method, number(v.DriftPPM), number(v.JitterMs), number(v.BoundMs), v.Samples, v.Lost, v.Epochs, v.Pings, a.usable)
	return err
}
