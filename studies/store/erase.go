package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Class is what an erasure takes away.
type Class string

// The classes.
const (
	WholeParticipant Class = "participant" // all sessions of a participant, and the line in the registry
	FaceVideos       Class = "face_video"  // the list of kept video; the files are the caller's
	Traces           Class = "traces"      // all that was recorded, answered and derived
)

// Tombstone is what is left of what was erased.
type Tombstone struct {
	Class      Class     `json:"class"`
	CodeHash   string    `json:"code_hash"` // keyed hash of the withdrawal code; "" = there was none
	At         time.Time `json:"at"`        // wall time
	Sessions   int       `json:"sessions"`
	Rows       int64     `json:"rows"`
	Files      int       `json:"files"`
	Bytes      int64     `json:"bytes"` // of the files
	Recipients []string  `json:"recipients"`
	// Scrubbed is since when the file holds no byte of it in free space or in its log;
	// zero: not yet, see Scrub.
	Scrubbed time.Time `json:"scrubbed,omitzero"`
}

// Holding is all that is kept of one participant besides rows.
type Holding struct {
	Participant string
	Sessions    []string // in the order in which they began
	Videos      []Video
	Exports     []Export
}

// Held lists what is kept of the participant of a session.
func (s *Store) Held(ctx context.Context, id string) (Holding, error) {
	var h Holding
	var err error
	if h.Participant, err = s.ParticipantOf(ctx, id); err != nil {
		return h, err
	}
	h.Sessions, err = texts(ctx, s.read, "SELECT id FROM session WHERE participant = ? ORDER BY started_utc, id", h.Participant)
	if err != nil {
		return h, fmt.Errorf("store: list the sessions of participant %s: %w", h.Participant, explain(err))
	}
	for _, one := range h.Sessions {
		videos, err := s.Videos(ctx, one)
		if err != nil {
			return h, err
		}
		exports, err := s.Exports(ctx, one)
		if err != nil {
			return h, err
		}
		h.Videos, h.Exports = append(h.Videos, videos...), append(h.Exports, exports...)
	}
	return h, nil
}

// Erase deletes all rows of the participant of a session, while none runs in the file,
// and leaves a tombstone: of t the store fills in Class, Sessions and Rows, At where it
// is zero, CodeHash where it is empty, and adds the recipients that it knows. Files are
// the caller's. Texts that were read stay: they are the study's.
//
// It is one transaction. After it the file is scrubbed; where something keeps that from
// happening, the tombstone is returned with an ErrNotScrubbed.
func (s *Store) Erase(ctx context.Context, id string, t Tombstone) (Tombstone, error) {
	t.Class = WholeParticipant
	err := s.change(ctx, func(tx *sql.Tx) error {
		var code string
		if err := tx.QueryRowContext(ctx, "SELECT participant FROM session WHERE id = ?", id).Scan(&code); err != nil {
			return missing(err)
		}
		return erase(ctx, tx, &t, erasure{
			of: "participant = ?", arg: code, id: id, tables: append(slices.Clone(ofTraces()), ofRegistry()...),
			after: func() (int64, error) { return forget(ctx, tx, code) },
		})
	})
	if err != nil {
		return Tombstone{}, fmt.Errorf("store: erase the participant of session %s: %w", id, err)
	}
	t.Scrubbed, err = s.scrub(ctx)
	return t, err
}

// ofTraces are the tables with what was recorded, answered, derived and said of a session, those that
// refer to others before them.
func ofTraces() []string {
	return slices.Concat([]string{
		"annotation", "answer", "step", "usable", "video", "trace_row", "calibration", "face_event", "eye_event", "eda_summary", "eda_response",
		"displayed", "quality", "clock_model", "derivation",
	}, sampleTables(), []string{"decision", "gaze_target", "gap", "event", "clock_probe", "presentation", "stream"})
}

// ofRegistry are the other tables about a session, likewise.
func ofRegistry() []string {
	return []string{"withdrawable", "consent", "segment", "export", "audit"}
}

// erasure says what is deleted.
type erasure struct {
	of     string // condition on the table session
	arg    any
	id     string // the session that was named
	tables []string
	after  func() (rows int64, err error) // what else is to be done
}

// erase deletes rows of closed sessions, and writes the tombstone that lets it.
func erase(ctx context.Context, tx *sql.Tx, t *Tombstone, e erasure) error {
	var running string
	err := tx.QueryRowContext(ctx, "SELECT id FROM session WHERE state IN ('prepared', 'recording') LIMIT 1").Scan(&running)
	if err == nil { // whoever's it is: the writer would be kept from it for longer than it can wait
		return fmt.Errorf("session %s is still running: end it first", running)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM session WHERE "+e.of, e.arg).Scan(&t.Sessions); err != nil {
		return err
	}
	if t.Sessions == 0 {
		return ErrNoSession
	}
	n, err := t.write(ctx, tx, e)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO erasing (session_id, tombstone) SELECT id, ? FROM session WHERE "+e.of, n, e.arg); err != nil {
		return err
	}
	for _, table := range e.tables {
		res, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE session_id IN (SELECT session_id FROM erasing)")
		if err != nil {
			return fmt.Errorf("delete from %s: %w", table, err)
		}
		gone, err := res.RowsAffected()
		if err != nil {
			return err
		}
		t.Rows += gone
	}
	more, err := e.after()
	if err != nil {
		return err
	}
	t.Rows += more
	if _, err := tx.ExecContext(ctx, "UPDATE tombstone SET rows = ? WHERE n = ?", t.Rows, n); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM erasing")
	return err
}

// write writes the tombstone, and returns its number.
func (t *Tombstone) write(ctx context.Context, tx *sql.Tx, e erasure) (int64, error) {
	if t.At.IsZero() {
		var now string
		if err := tx.QueryRowContext(ctx, "SELECT "+utcNow).Scan(&now); err != nil {
			return 0, err
		}
		var err error
		if t.At, err = parseWall(now); err != nil {
			return 0, err
		}
	}
	if t.CodeHash == "" && t.Class == WholeParticipant {
		var err error
		if t.CodeHash, err = latestCode(ctx, tx, e.id); err != nil {
			return 0, err
		}
	}
	known, err := columnOf(ctx, tx, "SELECT DISTINCT recipient FROM export WHERE recipient <> '' AND session_id IN (SELECT id FROM session WHERE "+e.of+")", e.arg)
	if err != nil {
		return 0, err
	}
	t.Recipients = append(append([]string{}, t.Recipients...), known...)
	slices.Sort(t.Recipients)
	t.Recipients = slices.Compact(t.Recipients)
	recipients, err := json.Marshal(t.Recipients)
	if err != nil {
		return 0, err
	}
	t.Rows = 0
	res, err := tx.ExecContext(ctx, "INSERT INTO tombstone (class, code_hash, at_utc, sessions, rows, files, bytes, recipients) VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
		t.Class, t.CodeHash, wall(t.At), t.Sessions, t.Files, t.Bytes, string(recipients))
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// columnOf reads the first column of a query in a transaction.
func columnOf(ctx context.Context, q querier, query string, args ...any) (out []string, err error) {
	err = scanAll(ctx, q, query, args, func(row scanner) error {
		var v string
		err := row.Scan(&v)
		out = append(out, v)
		return err
	})
	return out, err
}

// forget deletes the sessions that are being erased, the participant, and the rows of
// the audit of other sessions that name the code: those of sessions that were moved.
func forget(ctx context.Context, tx *sql.Tx, code string) (int64, error) {
	var gone int64
	del := func(query string, args ...any) error {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		gone += n
		return err
	}
	named, err := naming(ctx, tx, code)
	if err != nil {
		return 0, err
	}
	for _, n := range named {
		if err := del("DELETE FROM audit WHERE n = ?", n); err != nil {
			return 0, err
		}
	}
	if err := del("DELETE FROM session WHERE id IN (SELECT session_id FROM erasing)"); err != nil {
		return 0, err
	}
	return gone, del("DELETE FROM participant WHERE code = ?", code)
}

// naming lists the rows of the audit that name a code.
func naming(ctx context.Context, tx *sql.Tx, code string) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT n, participant, detail FROM audit WHERE participant = ?1 OR instr(detail, ?1) > 0", code)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var n int64
		var participant, detail string
		if err := rows.Scan(&n, &participant, &detail); err != nil {
			return nil, err
		}
		words := strings.FieldsFunc(detail, func(r rune) bool { return r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if participant == code || slices.Contains(words, code) {
			out = append(out, n)
		}
	}
	return out, rows.Err()
}

// Tombstones lists what was erased, oldest first.
func (s *Store) Tombstones(ctx context.Context) ([]Tombstone, error) {
	out := []Tombstone{}
	err := s.each(ctx, "SELECT class, code_hash, at_utc, sessions, rows, files, bytes, recipients, coalesce(scrubbed_utc, '') FROM tombstone ORDER BY n", nil, func(row scanner) error {
		var t Tombstone
		var at, recipients, scrubbed string
		if err := row.Scan(&t.Class, &t.CodeHash, &at, &t.Sessions, &t.Rows, &t.Files, &t.Bytes, &recipients, &scrubbed); err != nil {
			return err
		}
		var err error
		if t.At, err = parseWall(at); err == nil && scrubbed != "" {
			t.Scrubbed, err = parseWall(scrubbed)
		}
		if err == nil {
			err = json.Unmarshal([]byte(recipients), &t.Recipients)
		}
		out = append(out, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: list what was erased: %w", explain(err))
	}
	return out, nil
}
