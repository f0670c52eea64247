package store

import (
	"context"
	"database/sql"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Reasons of a gap.
const (
	gapLost         = "lost"         // sequence numbers are missing
	gapDisconnected = "disconnected" // the device was away
)

// gap keeps the table of gaps in step with the events of a stream:
//
//   - Disconnected opens a gap, and Connected closes it. It begins with the last
//     arrival, for a device that falls silent is noticed seconds later; but with
//     the event where a stream may rightly be silent (its rate is 0);
//   - Connected in a segment that has no sample of the stream yet means that the
//     device was away since the segment began;
//   - Lost is a gap between two arrivals. The samples that a disconnection cost
//     are known only when the first ones after it come: they are added to its gap.
//
// Instants of gaps are instants of arrival, as observed.
func (r *recorder) gap(ctx context.Context, tx *sql.Tx, l *lane, c stream.Chunk, e stream.Event) error {
	switch e.Kind {
	case stream.Disconnected:
		if l.open != none {
			return nil
		}
		l.open = l.gaps
		from := e.At
		if l.info.Rate > 0 {
			from = l.before(c, e.At)
		}
		return r.addGap(ctx, tx, l, from, nil, 0, gapDisconnected, e.Detail)

	case stream.Connected:
		if l.open == none {
			if l.seen || e.At <= r.start {
				return nil
			}
			l.closed = l.gaps
			return r.addGap(ctx, tx, l, r.start, int64(e.At), 0, gapDisconnected, "not there when the segment began")
		}
		_, err := tx.ExecContext(ctx, "UPDATE gap SET until_ns = ? WHERE session_id = ? AND stream = ? AND segment = ? AND n = ?",
			int64(e.At), r.id, l.info.ID, r.segment, l.open)
		l.open, l.closed = none, l.open
		return err

	case stream.Lost:
		if l.closed != none {
			_, err := tx.ExecContext(ctx, "UPDATE gap SET lost = lost + ? WHERE session_id = ? AND stream = ? AND segment = ? AND n = ?",
				e.Count, r.id, l.info.ID, r.segment, l.closed)
			return err
		}
		return r.addGap(ctx, tx, l, l.before(c, e.At), int64(e.At), e.Count, gapLost, e.Detail)
	}
	return nil
}

func (r *recorder) addGap(ctx context.Context, tx *sql.Tx, l *lane, from instant.Instant, until any, lost int64, reason, detail string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO gap (session_id, stream, segment, n, from_ns, until_ns, lost, reason, detail)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.id, l.info.ID, r.segment, l.gaps, int64(from), until, lost, reason, detail)
	l.gaps++
	return err
}

// before returns the latest arrival of the stream before an instant, in the
// chunk at hand or in those before it. Where there is none, it is the instant
// itself: a hole at the very beginning has no extent that could be known.
func (l *lane) before(c stream.Chunk, at instant.Instant) instant.Instant {
	from, found := l.last, l.seen && l.last < at
	for _, s := range c.Samples {
		if s.Arrival < at && (!found || s.Arrival > from) {
			from, found = s.Arrival, true
		}
	}
	if !found {
		return at
	}
	return from
}
