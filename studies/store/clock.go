package store

import (
	"context"
	"database/sql"
	"fmt"

	"emolab/fusion/align"
)

// clocked is the SQL for the derivation whose clocks hold for what is shown of a
// session s: live rows have none, and a sealed session's instants are then final ones.
const clocked = "CASE s.trace_derivation WHEN '" + Live + "' THEN '" + Final + "' ELSE s.trace_derivation END"

// insertPieces is the statement that inserts n pieces of a stream's mapping.
func insertPieces(n int) string {
	return insertion("clock_model", []string{"session_id", "derivation", "stream",
		"segment", "n", "epoch", "tick0", "at0_ns", "ns_per_tick", "until_tick", "err_ns"}, n)
}

// writeClock writes what a derivation makes of one stream's clock: the pieces of its
// mapping, and what is to be said of it.
func writeClock(ctx context.Context, tx *sql.Tx, id, derivation string, segment int, a aligned) error {
	n := 0
	err := inRuns(ctx, tx, insertPieces, a.pieces, func(args []any, pieces []align.Piece) []any {
		args = append(args, id, derivation, a.info.ID)
		for _, p := range pieces {
			args = append(args, segment, n, p.Epoch, p.Tick0, int64(p.At0), p.NsPerTick, p.Until, int64(p.Err))
			n++
		}
		return args
	})
	if err != nil {
		return fmt.Errorf("write the clock of %s: %w", a.info.ID, err)
	}
	v := a.statement
	_, err = tx.ExecContext(ctx, `INSERT INTO quality (session_id, derivation, segment, stream, method, drift_ppm, jitter_ms, bound_ms, samples, lost, epochs, pings, usable_share)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, derivation, segment, a.info.ID, v.Method, number(v.DriftPPM), number(v.JitterMs), number(v.BoundMs), v.Samples, v.Lost, v.Epochs, v.Pings, number(a.usable))
	return err
}

// keepClocks gives a derivation the clocks that the instants in the file come from:
// those of sealing.
func keepClocks(ctx context.Context, tx *sql.Tx, id, derivation string) error {
	for _, copied := range []string{
		`INSERT INTO clock_model (session_id, derivation, stream, segment, n, epoch, tick0, at0_ns, ns_per_tick, until_tick, err_ns)
			SELECT session_id, ?2, stream, segment, n, epoch, tick0, at0_ns, ns_per_tick, until_tick, err_ns
			FROM clock_model WHERE session_id = ?1 AND derivation = ?3`,
		`INSERT INTO quality (session_id, derivation, segment, stream, method, drift_ppm, jitter_ms, bound_ms, samples, lost, epochs, pings, usable_share)
			SELECT session_id, ?2, segment, stream, method, drift_ppm, jitter_ms, bound_ms, samples, lost, epochs, pings, usable_share
			FROM quality WHERE session_id = ?1 AND derivation = ?3`,
	} {
		if _, err := tx.ExecContext(ctx, copied, id, derivation, Final); err != nil {
			return err
		}
	}
	return nil
}

// addClock gives a stream that reads another's frames again the clock of that one, in
// every derivation. Of its samples it is said how many there are, how many are
// missing and how many are usable.
func addClock(ctx context.Context, tx *sql.Tx, id string, segment int, from, to string, samples, lost int64, usable float64) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO clock_model (session_id, derivation, stream, segment, n, epoch, tick0, at0_ns, ns_per_tick, until_tick, err_ns)
		SELECT session_id, derivation, ?, segment, n, epoch, tick0, at0_ns, ns_per_tick, until_tick, err_ns
		FROM clock_model WHERE session_id = ? AND stream = ? AND segment = ?`, to, id, from, segment); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO quality (session_id, derivation, segment, stream, method, drift_ppm, jitter_ms, bound_ms, samples, lost, epochs, pings, usable_share)
		SELECT session_id, derivation, segment, ?, method, drift_ppm, jitter_ms, bound_ms, ?, ?, epochs, pings, ?
		FROM quality WHERE session_id = ? AND stream = ? AND segment = ?`, to, samples, lost, number(usable), id, from, segment)
	return err
}
