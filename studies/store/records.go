package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/eda"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Response is one skin-conductance response of the session's current derivation.
type Response struct {
	Segment       int
	Stream        string // that it was found in
	Onset, Peak   instant.Instant
	AmplitudeUS   float64 // of the peak above the onset
	RiseS         float64 // from onset to peak; NaN when unknown
	HalfRecoveryS float64 // from peak to half the amplitude; NaN when it was not reached
	SlopeUSS      float64 // its steepest rise, µS/s; NaN in sessions that were derived before it was told
	// Flags are what is wrong with the samples from its onset to its half recovery.
	// Whether they were looked for at all is Flagged.
	Flags   eda.Flag
	Flagged bool
}

// Probe is one recorded clock ping.
type Probe struct {
	Segment int
	Stream  string
	align.Ping
}

// Model is one piece of a stream's final mapping from ticks to the lab clock.
type Model struct {
	Segment int
	Stream  string
	align.Piece
}

// Event is one recorded remark on a stream.
type Event struct {
	Segment int
	Stream  string
	Epoch   int
	stream.Event
}

// Responses returns the skin-conductance responses of all streams in order of
// time. The trace shows those of the first stream of its segment.
func (s *Store) Responses(ctx context.Context, id string) ([]Response, error) {
	return list(ctx, s, id, `SELECT r.segment, r.stream, r.onset_ns, r.peak_ns, r.amplitude_us, r.rise_s, r.half_recovery_s,
		r.slope_us_s, coalesce(r.flags, 0), r.flags IS NOT NULL
		FROM eda_response r JOIN session s ON s.id = r.session_id AND s.trace_derivation = r.derivation
		WHERE r.session_id = ? ORDER BY r.segment, r.onset_ns, r.n`,
		func(row scanner, v *Response) error {
			var rise, half, slope sql.NullFloat64
			err := row.Scan(&v.Segment, &v.Stream, &v.Onset, &v.Peak, &v.AmplitudeUS, &rise, &half, &slope, &v.Flags, &v.Flagged)
			v.RiseS, v.HalfRecoveryS, v.SlopeUSS = float(rise), float(half), float(slope)
			return err
		})
}

// Probes returns the clock pings of all streams.
func (s *Store) Probes(ctx context.Context, id string) ([]Probe, error) {
	return list(ctx, s, id, `SELECT segment, stream, epoch, t0_ns, rx_tick, tx_tick, t3_ns
		FROM clock_probe WHERE session_id = ? ORDER BY segment, stream, n`,
		func(row scanner, v *Probe) error {
			return row.Scan(&v.Segment, &v.Stream, &v.Epoch, &v.T0, &v.Rx, &v.Tx, &v.T3)
		})
}

// Models returns the pieces of every stream's mapping in the session's current
// derivation.
func (s *Store) Models(ctx context.Context, id string) ([]Model, error) {
	return list(ctx, s, id, `SELECT m.segment, m.stream, m.epoch, m.tick0, m.at0_ns, m.ns_per_tick, m.until_tick, m.err_ns
		FROM clock_model m JOIN session s ON s.id = m.session_id AND m.derivation = `+clocked+`
		WHERE m.session_id = ? ORDER BY m.segment, m.stream, m.n`,
		func(row scanner, v *Model) error {
			return row.Scan(&v.Segment, &v.Stream, &v.Epoch, &v.Tick0, &v.At0, &v.NsPerTick, &v.Until, &v.Err)
		})
}

// Events returns the events in the order in which they were recorded.
func (s *Store) Events(ctx context.Context, id string) ([]Event, error) {
	return list(ctx, s, id, `SELECT segment, stream, epoch, kind, at_ns, count, detail
		FROM event WHERE session_id = ? ORDER BY segment, n`,
		func(row scanner, v *Event) error {
			return row.Scan(&v.Segment, &v.Stream, &v.Epoch, &v.Kind, &v.At, &v.Count, &v.Detail)
		})
}

// Export is one bundle that was made of a session.
type Export struct {
	Session  string
	Path     string
	Bytes    int64
	SHA256   string // of the bundle, hex
	Manifest string // SHA-256 of its manifest, hex
	Software string
	Created  time.Time
	// Recipient is whom it was made for, "Name <mail>"; "" = nobody was named.
	Recipient string
	Stale     string // why it no longer says what the file says; "" = it does
}

// AddExport notes that a bundle was made.
func (s *Store) AddExport(ctx context.Context, e Export) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO export (session_id, path, bytes, sha256, manifest_sha256, software, created_utc, recipient)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, e.Session, e.Path, e.Bytes, e.SHA256, e.Manifest, e.Software, wall(e.Created), e.Recipient); err != nil {
			return err
		}
		return note(ctx, tx, e.Session, "export", "manifest "+e.Manifest)
	})
	if err != nil {
		return fmt.Errorf("store: note the export of session %s: %w", e.Session, err)
	}
	return nil
}

// GivenOut notes that a copy of the bundle whose file has that name was given to a
// recipient, once for each. A file that nothing is known of is none of the study's.
func (s *Store) GivenOut(ctx context.Context, name, recipient string) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		var n int64
		var id, of string
		rows, err := tx.QueryContext(ctx, "SELECT n, session_id, path, recipient FROM export ORDER BY n")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var at int64
			var session, path, to string
			if err := rows.Scan(&at, &session, &path, &to); err != nil {
				return err
			}
			if filepath.Base(path) == name {
				n, id, of = at, session, to
			}
			if filepath.Base(path) == name && to == recipient {
				return nil
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || id == "" {
			return err
		}
		if of == "" { // the one that nobody was named for
			_, err = tx.ExecContext(ctx, "UPDATE export SET recipient = ? WHERE n = ?", recipient, n)
		} else {
			_, err = tx.ExecContext(ctx, `INSERT INTO export (session_id, path, bytes, sha256, manifest_sha256, software, created_utc, recipient, stale)
				SELECT session_id, path, bytes, sha256, manifest_sha256, software, created_utc, ?, stale FROM export WHERE n = ?`, recipient, n)
		}
		return errors.Join(err, note(ctx, tx, id, "export", "given out: "+recipient))
	})
	if err != nil {
		return fmt.Errorf("store: note that %s was given out: %w", name, err)
	}
	return nil
}

// Exports returns the bundles that were made of a session, oldest first.
func (s *Store) Exports(ctx context.Context, id string) ([]Export, error) {
	return list(ctx, s, id, `SELECT session_id, path, bytes, sha256, manifest_sha256, software, created_utc, recipient, stale
		FROM export WHERE session_id = ? ORDER BY n`,
		func(row scanner, v *Export) error {
			var created string
			if err := row.Scan(&v.Session, &v.Path, &v.Bytes, &v.SHA256, &v.Manifest, &v.Software, &created, &v.Recipient, &v.Stale); err != nil {
				return err
			}
			var err error
			v.Created, err = parseWall(created)
			return err
		})
}

// list reads all rows of a query about one session.
func list[T any](ctx context.Context, s *Store, id, query string, scan func(row scanner, v *T) error) ([]T, error) {
	out := []T{} // in JSON an empty list is not null
	err := s.each(ctx, query, []any{id}, func(row scanner) error {
		var v T
		if err := scan(row, &v); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: session %s: %w", id, explain(err))
	}
	return out, nil
}

func float(v sql.NullFloat64) float64 {
	if !v.Valid {
		return math.NaN()
	}
	return v.Float64
}
