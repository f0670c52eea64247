package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"emolab/fusion/instant"
)

// The final instants of a stream reach its rows by way of a temporary table:
// 180,000 rows took 0.7 s so, and 1.1 s with a statement for each row. (A list of values in the UPDATE itself would be quadratic: SQLite reads
// the whole stream for every list.)
const (
	makeTimes = "CREATE TEMP TABLE IF NOT EXISTS final_time (seq INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, err_ns INTEGER NOT NULL)"
	dropTimes = "DROP TABLE temp.final_time"
)

// insertTimes is the statement that fills it with n rows.
func insertTimes(n int) string {
	return "INSERT INTO temp.final_time VALUES " + tuples(n, 3)
}

// tuples are the parameters of n rows with so many columns.
func tuples(n, columns int) string {
	one := "(" + strings.Repeat("?, ", columns-1) + "?)"
	return strings.Repeat(one+", ", n-1) + one
}

// finalTime is where a sample of a stream is put at last.
type finalTime struct {
	seq int64
	at  instant.Instant
	err time.Duration
}

// writeTimes sets the final instants of the rows that moved.
func writeTimes(ctx context.Context, tx *sql.Tx, id string, segment int, a aligned) error {
	if len(a.moved) == 0 {
		return nil
	}
	t, err := tableOf(a.info.Kind)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, makeTimes); err != nil {
		return err
	}
	err = inRuns(ctx, tx, insertTimes, a.moved, func(args []any, rows []finalTime) []any {
		for _, r := range rows {
			args = append(args, r.seq, int64(r.at), int64(r.err))
		}
		return args
	})
	if err == nil {
		_, err = tx.ExecContext(ctx, fmt.Sprintf(`UPDATE %[1]s SET at_ns = f.at_ns, err_ns = f.err_ns FROM temp.final_time f
			WHERE f.seq = %[1]s.seq AND session_id = ? AND stream = ? AND segment = ?`, t.name), id, a.info.ID, segment)
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, dropTimes)
	}
	if err != nil {
		return fmt.Errorf("set the final instants of %s: %w", a.info.ID, err)
	}
	return nil
}

// inRuns writes many rows, rowsPerInsert with each statement and the rest one by
// one. statement gives the SQL for a number of rows, bind appends their
// parameters.
//
// The statements get a context that cannot end, because the driver starts a
// goroutine for each statement that can be interrupted, which takes longer than
// the statement; between statements ctx is heeded.
func inRuns[T any](ctx context.Context, tx *sql.Tx, statement func(n int) string, rows []T, bind func(args []any, rows []T) []any) error {
	var args []any
	for len(rows) > 0 {
		n := 1
		if len(rows) >= rowsPerInsert {
			n = rowsPerInsert
		}
		stmt, err := tx.PrepareContext(ctx, statement(n))
		if err != nil {
			return err
		}
		for len(rows) >= n && err == nil {
			if err = context.Cause(ctx); err == nil {
				args = bind(args[:0], rows[:n])
				_, err = stmt.ExecContext(context.WithoutCancel(ctx), args...)
				rows = rows[n:]
			}
		}
		if closing := stmt.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return err
		}
	}
	return nil
}
