package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// rowsPerInsert is how many rows one statement carries when a batch has that
// many of a stream; the rest go one by one. It spares the driver's work for each
// statement in a burst; the usual batch of 50 ms is smaller than that.
const rowsPerInsert = 32

// recorder keeps one running session. Its statements live on the writer's one
// connection.
type recorder struct {
	store    *Store
	id       string
	segment  int // none while it is prepared
	plan     study.Plan
	start    instant.Instant
	wall     time.Time // at start
	software string
	lanes    map[string]*lane
	events   int // rows of the segment's events so far

	args []any // reused between statements
}

// lane is what the recorder keeps of one stream.
type lane struct {
	info      stream.Info
	layout    layout
	one, many *sql.Stmt
	tally
}

// tally is a lane's bookkeeping, taken back when a batch is not kept.
type tally struct {
	probes, gaps int // rows so far in this segment
	// open and closed are the numbers of the gap that goes on and of the latest
	// disconnection that ended and has had no sample since, or none.
	open, closed int
	there        bool            // whether the device has shown itself in this segment
	seen         bool            // whether the segment has a sample of the stream
	last         instant.Instant // the latest arrival
	gone, back   instant.Instant // when the latest disconnection was seen, and when it ended
}

// none is the number of no gap.
const none = -1

// prepare makes the statements of every lane.
func (r *recorder) prepare(ctx context.Context) error {
	for _, l := range r.lanes {
		var err error
		if l.one, err = r.store.write.PrepareContext(ctx, l.layout.insert(1)); err == nil {
			l.many, err = r.store.write.PrepareContext(ctx, l.layout.insert(rowsPerInsert))
		}
		if err != nil {
			return fmt.Errorf("store: session %s: prepare %s: %w", r.id, l.layout.name, explain(err))
		}
	}
	return nil
}

// close lets the statements go.
func (r *recorder) close() {
	for _, l := range r.lanes {
		for _, s := range []*sql.Stmt{l.one, l.many} {
			if s != nil {
				_ = s.Close() // nothing is lost with a statement that only inserted
			}
		}
	}
}

// Append makes a batch durable in one transaction.
func (r *recorder) Append(ctx context.Context, batch []stream.Chunk) error {
	events, before := r.events, make(map[*lane]tally, len(r.lanes))
	for _, l := range r.lanes {
		before[l] = l.tally
	}
	err := r.store.change(ctx, func(tx *sql.Tx) error {
		for _, c := range batch {
			if err := r.chunk(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.events = events
		for l, t := range before {
			l.tally = t
		}
		return fmt.Errorf("store: %s: session %s: a batch of %d chunks was not kept: %w", r.store.path, r.id, len(batch), err)
	}
	return nil
}

// chunk writes one chunk: its events first, because a reconnection comes before
// the samples that follow it.
func (r *recorder) chunk(ctx context.Context, tx *sql.Tx, c stream.Chunk) error {
	l := r.lanes[c.Stream]
	if l == nil {
		return fmt.Errorf("stream %q was not announced when the session began", c.Stream)
	}
	for _, e := range c.Events {
		if err := r.event(ctx, tx, c, e); err != nil {
			return err
		}
		if err := r.gap(ctx, tx, l, c, e); err != nil {
			return err
		}
	}
	for _, p := range c.Probes {
		if _, err := tx.ExecContext(ctx, `INSERT INTO clock_probe (session_id, stream, segment, n, epoch, t0_ns, rx_tick, tx_tick, t3_ns)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.id, c.Stream, r.segment, l.probes, c.Epoch, int64(p.T0), p.Rx, p.Tx, int64(p.T3)); err != nil {
			return err
		}
		l.probes++
	}
	return r.samples(ctx, tx, l, c)
}

// samples writes a chunk's samples. The first of two with the same number stays;
// the others are counted in an event.
func (r *recorder) samples(ctx context.Context, tx *sql.Tx, l *lane, c stream.Chunk) error {
	if err := r.delivers(ctx, tx, l, c.Samples); err != nil {
		return err
	}
	of := c.Stream
	if l.layout.trace {
		of = Live
	}
	repeated := int64(0)
	for rest := c.Samples; len(rest) > 0; {
		stmt, n := l.one, 1
		if len(rest) >= rowsPerInsert {
			stmt, n = l.many, rowsPerInsert
		}
		args := append(r.args[:0], r.id, of, r.segment)
		for _, s := range rest[:n] {
			if len(s.Values) != l.layout.width {
				return fmt.Errorf("stream %q: sample %d has %d values for %d channels", c.Stream, s.Seq, len(s.Values), l.layout.width)
			}
			args = l.layout.bind(args, c.Epoch, s)
			l.last = max(l.last, s.Arrival)
		}
		r.args = args
		res, err := tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
		if err != nil {
			return fmt.Errorf("stream %q: %w", c.Stream, err)
		}
		kept, err := res.RowsAffected()
		if err != nil {
			return err
		}
		repeated += int64(n) - kept
		rest = rest[n:]
		l.there, l.seen, l.closed = true, true, none
	}
	if repeated == 0 {
		return nil
	}
	return r.event(ctx, tx, c, stream.Event{
		Kind: stream.Fault, At: l.last, Count: repeated,
		Detail: "sequence numbers came twice; the first sample of each was kept",
	})
}

func (r *recorder) event(ctx context.Context, tx *sql.Tx, c stream.Chunk, e stream.Event) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO event (session_id, segment, n, stream, epoch, kind, at_ns, count, detail)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.id, r.segment, r.events, c.Stream, c.Epoch, e.Kind, int64(e.At), e.Count, e.Detail)
	if err == nil {
		r.events++
	}
	return err
}

// Fail closes the session as failed. What was appended stays readable.
func (r *recorder) Fail(ctx context.Context, reason string) error {
	defer r.close()
	err := r.store.change(ctx, func(tx *sql.Tx) error {
		if err := closeSegments(ctx, tx, r.id); err != nil {
			return err
		}
		if err := note(ctx, tx, r.id, "fail", reason); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE session SET state = ?, reason = ?, ended_utc = "+utcNow+" WHERE id = ?",
			session.Failed, reason, r.id)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: session %s: close it as failed: %w", r.id, err)
	}
	return nil
}

// Stopped notes why the session ended before its plan was shown. What is noted already is
// not noted again.
func (r *recorder) Stopped(ctx context.Context, reason string) error {
	err := r.store.change(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE session SET reason = ?2 WHERE id = ?1 AND reason <> ?2", r.id, reason)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return note(ctx, tx, r.id, "stop", reason)
	})
	if err != nil {
		return fmt.Errorf("store: session %s: note why it was stopped: %w", r.id, err)
	}
	return nil
}

// Seal closes the session for good. One that cannot be sealed is left as
// recovered, to be sealed again.
func (r *recorder) Seal(ctx context.Context, progress session.Progress) error {
	defer r.close()
	err := r.store.seal(ctx, r.id, session.Recording, progress)
	if err == nil {
		return nil
	}
	return errors.Join(err, r.store.release(context.WithoutCancel(ctx), r.id, "it could not be sealed: "+err.Error()))
}
