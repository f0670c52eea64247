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
//   - Disconnected opens a gap, and Connected closes it, or a sample that arrives
//     after it: one row for each such pair, however short. It begins where the
//     device was last known to be there, for one that falls silent is noticed
//     seconds later; but with the event where a stream may rightly be silent (its
//     rate is 0). An event that was on its way when the segment began counts from
//     its beginning;
//   - Connected of a device that has not shown itself in the segment means that it
//     was away since the segment began;
//   - Lost is a gap between two arrivals. The samples that a disconnection cost
//     are known only when the first ones after it come: they are added to its gap.
//     So is what is lost while it lasts.
//
// Instants of gaps are instants of arrival, as observed. A stream that never
// delivered anything gets its gap when the segment is closed (closeSegments).
func (r *recorder) gap(ctx context.Context, tx *sql.Tx, l *lane, c stream.Chunk, e stream.Event) error {
	switch e.Kind {
	case stream.Disconnected:
		if l.open != none {
			return nil
		}
		l.open, l.closed, l.gone = l.gaps, none, e.At
		from := max(e.At, r.start)
		if l.info.Rate > 0 {
			from = l.lastThere(c, from, r.start)
		}
		return r.addGap(ctx, tx, l, from, nil, 0, gapDisconnected, e.Detail)

	case stream.Connected:
		there := l.there
		l.there = true
		if l.open != none {
			return r.closeGap(ctx, tx, l, e.At)
		}
		if there || e.At <= r.start {
			return nil
		}
		l.closed, l.back = l.gaps, e.At
		return r.addGap(ctx, tx, l, r.start, int64(e.At), 0, gapDisconnected, "not there when the segment began")

	case stream.Lost:
		if n := max(l.open, l.closed); n != none { // never both
			_, err := tx.ExecContext(ctx, "UPDATE gap SET lost = lost + ? WHERE session_id = ? AND stream = ? AND segment = ? AND n = ?",
				e.Count, r.id, l.info.ID, r.segment, n)
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

// closeGap ends the gap that is open.
func (r *recorder) closeGap(ctx context.Context, tx *sql.Tx, l *lane, at instant.Instant) error {
	_, err := tx.ExecContext(ctx, "UPDATE gap SET until_ns = ? WHERE session_id = ? AND stream = ? AND segment = ? AND n = ?",
		int64(at), r.id, l.info.ID, r.segment, l.open)
	l.open, l.closed, l.back = none, l.open, at
	return err
}

// delivers closes the gap that is open when one of a chunk's samples arrived after
// the device was seen to be gone.
func (r *recorder) delivers(ctx context.Context, tx *sql.Tx, l *lane, samples []stream.Sample) error {
	for _, s := range samples {
		if l.open != none && s.Arrival > l.gone {
			return r.closeGap(ctx, tx, l, s.Arrival)
		}
	}
	return nil
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

// lastThere returns when a device that is gone at an instant was last known to be
// there: its latest arrival, or its return from the disconnection before, or the
// beginning of the segment.
func (l *lane) lastThere(c stream.Chunk, at, start instant.Instant) instant.Instant {
	from := max(start, l.back)
	if last := l.before(c, at); last < at {
		from = max(from, last)
	}
	return min(from, at)
}
