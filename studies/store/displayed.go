package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
)

// Displayed is what was on the screen for one stretch of a segment. Its Rect is not
// kept: the rows of the stimulus stream have it.
type Displayed struct {
	Segment int
	stimulus.Showing
}

// Displayed returns what was on the screen when, by the session's current derivation:
// segment by segment in order of time, without holes or overlaps from the first report
// of the screen to stimulus.Open. Live rows, and sessions that were sealed before there
// was such a course, have none. The first error ends the sequence.
func (s *Store) Displayed(ctx context.Context, id string) iter.Seq2[Displayed, error] {
	return func(yield func(Displayed, error) bool) {
		fail := func(err error) {
			yield(Displayed{}, fmt.Errorf("store: session %s: read what was displayed: %w", id, explain(err)))
		}
		rows, err := s.read.QueryContext(ctx, `SELECT d.segment, d.from_ns, coalesce(d.until_ns, ?2), d.err_ns, d.known,
			coalesce(d.presentation, 0), coalesce(d.frame, 0), coalesce(d.media_ns, 0), d.skipped, d.unreported, d.cut_off
			FROM displayed d JOIN session s ON s.id = d.session_id AND s.trace_derivation = d.derivation
			WHERE d.session_id = ?1 ORDER BY d.segment, d.from_ns`, id, int64(stimulus.Open))
		if err != nil {
			fail(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var v Displayed
			if err := rows.Scan(&v.Segment, &v.From, &v.Until, &v.Err, &v.Known,
				&v.Presentation, &v.Frame, &v.Media, &v.Skipped, &v.Unreported, &v.CutOff); err != nil {
				fail(err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			fail(err)
		}
	}
}

// away is when the page of a stimulus stream was gone in a segment.
func (d *Detail) away(segment int, id string) []stimulus.Span {
	var out []stimulus.Span
	for _, g := range d.Gaps {
		if g.Segment != segment || g.Stream != id || g.Reason != gapDisconnected {
			continue
		}
		span := stimulus.Span{From: g.From}
		if g.Closed {
			span.Until = g.Until
		}
		out = append(out, span)
	}
	return out
}

// insertDisplayed is the statement that inserts n showings of a course.
func insertDisplayed(n int) string {
	return insertion("displayed", []string{"session_id", "derivation", "segment",
		"n", "from_ns", "until_ns", "err_ns", "known", "presentation", "frame", "media_ns", "skipped", "unreported", "cut_off"}, n)
}

// writeDisplayed writes a segment's course of the screen.
func writeDisplayed(ctx context.Context, tx *sql.Tx, id, name string, f *final) error {
	n := 0
	err := inRuns(ctx, tx, insertDisplayed, f.course, func(args []any, rows []stimulus.Showing) []any {
		args = append(args, id, name, f.segment)
		for _, v := range rows {
			n++
			args = append(args, n, int64(v.From), ending(v.Until), int64(v.Err), v.Known)
			switch {
			case v.Known && v.Presentation > 0:
				args = append(args, v.Presentation, v.Frame, int64(v.Media))
			case v.Known || v.Presentation > 0: // no stimulus, or nobody knows which frame
				args = append(args, v.Presentation, nil, nil)
			default:
				args = append(args, nil, nil, nil)
			}
			args = append(args, v.Skipped, v.Unreported, v.CutOff)
		}
		return args
	})
	if err != nil {
		return fmt.Errorf("write what was displayed: %w", err)
	}
	return nil
}

// ending is the end of a showing as the file has it: NULL where nothing ended it.
func ending(until instant.Instant) any {
	if until == stimulus.Open {
		return nil
	}
	return int64(until)
}
