package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/mattn/go-sqlite3"

	"emolab/studies/session"
)

// copied are the queries that pick one session's rows of a table, in the order
// that the references between tables ask for. Left out: the list of exports,
// which is about this machine's disk.
func copied() [][2]string {
	own := func(table string) [2]string {
		return [2]string{table, "SELECT * FROM whole." + table + " WHERE session_id = ?1"}
	}
	// said is own of a table whose last column, detail, may name places.
	said := func(table, columns string) [2]string {
		return [2]string{table, "SELECT " + columns + ", without_places(detail) FROM whole." + table + " WHERE session_id = ?1"}
	}
	const study = " = (SELECT study_hash FROM whole.session WHERE id = ?1)"
	all := [][2]string{
		{"study", "SELECT * FROM whole.study WHERE hash" + study},
		{"stimulus", "SELECT * FROM whole.stimulus WHERE study_hash" + study},
		{"stimulus_measure", "SELECT * FROM whole.stimulus_measure WHERE sha256 IN (SELECT sha256 FROM whole.stimulus WHERE study_hash" + study + ")"},
		{"stimulus_luminance", "SELECT * FROM whole.stimulus_luminance WHERE sha256 IN (SELECT sha256 FROM whole.stimulus WHERE study_hash" + study + ")"},
		{"aoi_set", "SELECT * FROM whole.aoi_set WHERE sha256 IN (SELECT sha256 FROM whole.stimulus WHERE study_hash" + study + ") ORDER BY sha256, version"},
		{"participant", "SELECT * FROM whole.participant WHERE code = (SELECT participant FROM whole.session WHERE id = ?1)"},
		// Open while its rows come in; it gets its own state back at the end.
		{"session", sessionOpen},
		own("segment"), own("stream"), own("presentation"), own("clock_probe"),
		said("event", "session_id, segment, n, stream, epoch, kind, at_ns, count"),
		said("gap", "session_id, stream, segment, n, from_ns, until_ns, lost, reason"),
		own("gaze_target"),
		{"decision", "SELECT session_id, segment, n, step, round, choice, without_places(reason), how, json_without_places(value), at_ns FROM whole.decision WHERE session_id = ?1"},
	}
	for _, table := range sampleTables() {
		all = append(all, own(table))
	}
	return append(all,
		own("derivation"), own("clock_model"), own("quality"), own("displayed"),
		own("eda_response"), own("eda_summary"), own("eye_event"), own("face_event"), own("calibration"), own("trace_row"),
		own("usable"), own("step"), own("answer"), own("consent"), own("video"),
		[2]string{"annotation", "SELECT session_id, n, segment, from_ns, until_ns, without_places(label), without_places(text), made_by, made_utc, NULL, NULL FROM whole.annotation WHERE session_id = ?1 AND removed_utc IS NULL"},
		[2]string{"text", "SELECT * FROM whole.text WHERE sha256 IN " + strings.ReplaceAll(readTexts, "FROM ", "FROM whole.")},
		// Whose a session was before it was moved is nobody's business, nor who works in the lab.
		[2]string{"audit", `SELECT n, at_utc, session_id, action, CASE WHEN action LIKE 'move%' THEN '' ELSE without_places(detail) END, '', '', role, outcome
			FROM whole.audit WHERE session_id = ?1`},
	)
}

// sessionOpen picks the session's row with the state that lets rows in.
const sessionOpen = `SELECT id, study_hash, participant, plan_row, plan, reached_step, 'recording', without_places(reason), simulated,
	trace_derivation, software, started_utc, ended_utc, run, usable, without_places(usable_why), judged_by FROM whole.session WHERE id = ?1`

// Extract writes a new SQLite file at path with the same schema and only this
// session in it. Nothing of another session was ever in that file, not even in
// a free page. The ports at which devices were found and the boot ids of the
// machine are left empty, and words and the calibrations of streams are kept
// WithoutPlaces: they say nothing about the session.
func (s *Store) Extract(ctx context.Context, id, path string) error {
	if err := s.extract(ctx, id, path); err != nil {
		return fmt.Errorf("store: extract session %s to %s: %w", id, path, explain(err))
	}
	return nil
}

func (s *Store) extract(ctx context.Context, id, path string) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, errors.New("the file exists already"))
	}
	var state session.State
	if err := s.read.QueryRowContext(ctx, "SELECT state FROM session WHERE id = ?", id).Scan(&state); err != nil {
		return missing(err)
	}
	// Not WAL: the file is to be opened from a folder that cannot be written. No
	// fsync: whoever keeps the file sees to that.
	q := url.Values{"_foreign_keys": {"1"}, "_secure_delete": {"1"}, "_synchronous": {"OFF"}, "_journal_mode": {"MEMORY"}}
	out, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return err
	}
	out.SetMaxOpenConns(1) // what is attached is attached to one connection
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := migrate(ctx, out); err != nil {
		return err
	}
	if err := s.teach(ctx, out); err != nil {
		return err
	}
	whole := "file:" + (&url.URL{Path: s.path}).EscapedPath() + "?mode=ro"
	if _, err := out.ExecContext(ctx, "ATTACH DATABASE ? AS whole", whole); err != nil {
		return err
	}
	return inTx(ctx, out, func(tx *sql.Tx) error {
		for _, c := range copied() {
			if _, err := tx.ExecContext(ctx, "INSERT INTO main."+c[0]+" "+c[1], id); err != nil {
				return fmt.Errorf("copy %s: %w", c[0], err)
			}
		}
		for _, change := range []string{
			"UPDATE main.stream SET port = '', calibration = json_without_places(calibration)",
			"UPDATE main.segment SET boot = ''",
		} {
			if _, err := tx.ExecContext(ctx, change); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE main.session SET state = ?", state)
		return err
	})
}

// teach makes WithoutPlaces and JSONWithoutPlaces functions of SQL on the one
// connection of db.
func (s *Store) teach(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // gives it back to db
	return conn.Raw(func(driver any) error {
		c, ok := driver.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("the database is opened by a driver of type %T, not by go-sqlite3", driver)
		}
		return errors.Join(
			c.RegisterFunc("without_places", s.WithoutPlaces, true),
			c.RegisterFunc("json_without_places", s.JSONWithoutPlaces, true))
	})
}
