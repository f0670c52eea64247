package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"emolab/studies/session"
)

// recover marks as recovered the sessions that are still recording: the process
// that recorded them is gone, because this one holds the lock.
func (s *Store) recover(ctx context.Context) error {
	left, err := texts(ctx, s.write, "SELECT id FROM session WHERE state = ? ORDER BY id", session.Recording)
	if err != nil || len(left) == 0 {
		return err
	}
	return s.change(ctx, func(tx *sql.Tx) error {
		for _, id := range left {
			if err := release(ctx, tx, id, "found recording when the file was opened: the process that recorded it had ended"); err != nil {
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

// closeSegments writes when the latest thing of each segment arrived.
func closeSegments(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, "UPDATE segment SET until_ns = ("+lastArrival("segment")+") WHERE session_id = ? AND until_ns IS NULL", id)
	return err
}

// lastArrival returns the SQL for the latest arrival in a row of segment that
// the query around it calls by the given name, or its start when nothing has
// arrived. It looks at the last sample of each stream only: samples of a stream
// arrive in the order of their numbers.
func lastArrival(segment string) string {
	var latest strings.Builder
	for _, table := range []string{"eda_sample", "gaze_sample", "face_frame", "stimulus_frame"} {
		fmt.Fprintf(&latest, `, coalesce((SELECT arrival_ns FROM %s
			WHERE session_id = t.session_id AND stream = t.id AND segment = t.segment ORDER BY seq DESC LIMIT 1), 0)`, table)
	}
	return fmt.Sprintf(`SELECT max(%[1]s.start_ns, coalesce(max(max(0%[2]s)), 0)) FROM stream t
		WHERE t.session_id = %[1]s.session_id AND t.segment = %[1]s.number`, segment, latest.String())
}
