package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"emolab/fusion/stream"
	"emolab/studies/session"
)

// recover marks as recovered the sessions that are still recording, or prepared: the
// process that ran them is gone, because this one holds the lock.
func (s *Store) recover(ctx context.Context) error {
	left, err := texts(ctx, s.write, "SELECT id FROM session WHERE state IN (?, ?) ORDER BY id", session.Prepared, session.Recording)
	if err != nil || len(left) == 0 {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		for _, id := range left {
			if err := release(ctx, tx, id, "found running when the file was opened: the process that ran it had ended"); err != nil {
				return err
			}
		}
		return nil
	})
}

// release marks one session as recovered: it cannot go on as it is, but what was
// recorded is whole.
func (s *Store) release(ctx context.Context, id, why string) error {
	return s.change(ctx, func(tx *sql.Tx) error { return release(ctx, tx, id, why) })
}

func release(ctx context.Context, tx *sql.Tx, id, why string) error {
	if err := closeSegments(ctx, tx, id); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE session SET state = ?, ended_utc = "+utcNow+" WHERE id = ?", session.Recovered, id); err != nil {
		return err
	}
	return note(ctx, tx, id, "recover", why)
}

// closeSegments writes when the latest thing of each segment arrived, and a gap
// over the whole of it for each stream that should have delivered and did not.
func closeSegments(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, absent(), id, gapDisconnected); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "UPDATE segment SET until_ns = ("+lastArrival("segment")+") WHERE session_id = ? AND until_ns IS NULL", id)
	return err
}

// absent returns the SQL that adds those gaps in the segments that are still open.
// A stream that may be silent (its rate is 0) needs an event to have a gap, and so
// does everything in a segment in which nothing arrived: it has no extent.
func absent() string {
	var silent strings.Builder
	for _, table := range sampleTables() {
		fmt.Fprintf(&silent, " AND NOT EXISTS (SELECT 1 FROM %s WHERE session_id = t.session_id AND stream = t.id AND segment = t.segment)", table)
	}
	return fmt.Sprintf(`INSERT INTO gap (session_id, stream, segment, n, from_ns, until_ns, lost, reason, detail)
		SELECT t.session_id, t.id, t.segment, 0, g.start_ns, NULL, 0, ?2, 'nothing arrived in this segment'
		FROM stream t JOIN segment g ON g.session_id = t.session_id AND g.number = t.segment
		WHERE t.session_id = ?1 AND g.until_ns IS NULL AND t.rate_hz > 0 AND t.kind <> '%s'
		AND NOT EXISTS (SELECT 1 FROM gap WHERE session_id = t.session_id AND stream = t.id AND segment = t.segment)%s
		AND (%s) > g.start_ns`, stream.Trace, silent.String(), lastArrival("g"))
}

// lastArrival returns the SQL for the latest arrival in a row of segment that
// the query around it calls by the given name, or its start when nothing has
// arrived. It looks at the last sample of each stream only: samples of a stream
// arrive in the order of their numbers.
func lastArrival(segment string) string {
	var latest strings.Builder
	for _, table := range sampleTables() {
		fmt.Fprintf(&latest, `, coalesce((SELECT arrival_ns FROM %s
			WHERE session_id = t.session_id AND stream = t.id AND segment = t.segment ORDER BY seq DESC LIMIT 1), 0)`, table)
	}
	return fmt.Sprintf(`SELECT max(%[1]s.start_ns, coalesce(max(max(0%[2]s)), 0)) FROM stream t
		WHERE t.session_id = %[1]s.session_id AND t.segment = %[1]s.number`, segment, latest.String())
}
