// Package store keeps the sessions of one study in one SQLite file: what was
// observed while a session runs, what was derived from it when it is sealed, and
// the way back out for whoever reads it.
//
// The file is a public interface: SCHEMA.md describes every table and column.
// The store is the only package that speaks SQL.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"

	"emolab/studies/session"
)

var (
	// ErrNoSession says that the file holds no session of that id.
	ErrNoSession = errors.New("no such session; `emolab session list` names them")
	// ErrReadOnly says that the store was opened with View.
	ErrReadOnly = errors.New("the study file is open for reading only")
	// ErrInUse says that another process records into the file.
	ErrInUse = errors.New("another emolab has the study file open; stop that one first")
)

const (
	// busyTimeout is how long a statement waits for a reader or writer of
	// another process (an analyst's sqlite3) before it gives up.
	busyTimeout = 5 * time.Second
	// readers bounds the connections for reading: a console, an export and an
	// analysis at a time.
	readers = 4
	// fullCheckBytes is the size up to which opening runs the full integrity
	// check: about an hour of recording. Larger files get quick_check, which leaves
	// out the comparison of indexes with their tables: the large tables have no
	// index beside their key.
	fullCheckBytes = 256 << 20
	// wallFormat is how wall time is written: ISO 8601, UTC, milliseconds.
	wallFormat = "2006-01-02T15:04:05.000Z"
)

// Store is one study's file. It is safe for concurrent use; a Recorder that it
// gives out is not.
type Store struct {
	path  string
	write *sql.DB // one connection: SQLite has one writer. Nil when read-only.
	read  *sql.DB
	lock  *os.File
}

var _ session.Archive = (*Store)(nil)

// Open opens the study's file for recording, and makes it and its folder when
// they are absent. It brings the schema up to date, checks the file's integrity
// and marks as recovered the sessions that a killed process left recording.
//
// A second process that opens the same file gets ErrInUse.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("store: make the folder of %s: %w", path, err)
	}
	lock, err := acquire(path)
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", path, err)
	}
	s := &Store{path: path, lock: lock}
	// SQLite would make it readable for all, and its log with the file's own rights.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store: %s: %w", path, err), s.Close())
	}
	f.Close()
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %s: %w", path, explain(err)), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	var err error
	if s.write, err = sql.Open("sqlite3", dsn(s.path, true)); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := check(ctx, s.write, s.path); err != nil {
		return err
	}
	if err := migrate(ctx, s.write); err != nil {
		return err
	}
	if err := s.recover(ctx); err != nil {
		return err
	}
	if err := s.finish(ctx); err != nil {
		return err
	}
	return s.openReaders()
}

// View opens an existing study file for reading beside a process that records.
// It changes nothing in it: no migration, no recovery. Writing through it gives
// ErrReadOnly.
func View(ctx context.Context, path string) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("store: %w; name the study's file, or record a session first", err)
	}
	s := &Store{path: path}
	if err := s.openReaders(); err != nil {
		return nil, fmt.Errorf("store: %s: %w", path, err)
	}
	if err := current(ctx, s.read); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %s: %w", path, explain(err)), s.Close())
	}
	return s, nil
}

func (s *Store) openReaders() error {
	var err error
	if s.read, err = sql.Open("sqlite3", dsn(s.path, false)); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	return nil
}

// Path is the study's file.
func (s *Store) Path() string { return s.path }

// Close closes the file. Recorders must not be used after it.
func (s *Store) Close() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.Close())
	}
	// The writer last: SQLite folds the log into the file when the last
	// connection closes, and only the writer may.
	if s.write != nil {
		errs = append(errs, s.write.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// writer returns the writing connection.
func (s *Store) writer() (*sql.DB, error) {
	if s.write == nil {
		return nil, fmt.Errorf("store: %s: %w", s.path, ErrReadOnly)
	}
	return s.write, nil
}

// change runs f in one transaction on the writer.
func (s *Store) change(ctx context.Context, f func(tx *sql.Tx) error) error {
	w, err := s.writer()
	if err != nil {
		return err
	}
	return inTx(ctx, w, f)
}

// inTx runs f in one transaction on db and commits when f returns nil.
func inTx(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return explain(err)
	}
	if err := f(tx); err != nil {
		// The cause matters; a rollback fails only when the cause has rolled back already.
		_ = tx.Rollback()
		return explain(err)
	}
	return explain(tx.Commit())
}

// dsn names the file with its pragmas, so that they hold on every connection of
// a pool: a PRAGMA statement would reach one of them only.
func dsn(path string, write bool) string {
	q := url.Values{}
	q.Set("_busy_timeout", fmt.Sprint(busyTimeout.Milliseconds()))
	q.Set("_foreign_keys", "1")
	if write {
		q.Set("_journal_mode", "WAL")
		q.Set("_synchronous", "FULL") // fsync of the log at every commit: a power cut loses no batch
		q.Set("_secure_delete", "1")  // what is deleted does not stay in free pages
		q.Set("_txlock", "immediate")
	} else {
		q.Set("mode", "rw") // readers of a WAL file must write its shared memory
		q.Set("_query_only", "1")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// check runs SQLite's own integrity check.
func check(ctx context.Context, db *sql.DB, path string) error {
	pragma := "PRAGMA integrity_check(5)"
	if info, err := os.Stat(path); err == nil && info.Size() > fullCheckBytes {
		pragma = "PRAGMA quick_check(5)"
	}
	found, err := texts(ctx, db, pragma)
	if err != nil {
		return fmt.Errorf("check the file's integrity: %w", err)
	}
	if len(found) != 1 || found[0] != "ok" {
		return fmt.Errorf("the file is damaged (%s); copy it aside with its -wal file, then salvage it with `sqlite3 FILE .recover`",
			strings.Join(found, "; "))
	}
	return nil
}

// texts returns the first column of a query.
func texts(ctx context.Context, db *sql.DB, query string, args ...any) ([]string, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// explain adds to an error of SQLite what can be done about it.
func explain(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrFull:
		return fmt.Errorf("the disk is full: free some space; all that was written before is safe: %w", err)
	case sqlite3.ErrIoErr:
		return fmt.Errorf("the disk failed: check it and its cable before recording goes on: %w", err)
	case sqlite3.ErrNotADB, sqlite3.ErrCorrupt:
		return fmt.Errorf("not a study file, or a damaged one; salvage it with `sqlite3 FILE .recover`: %w", err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("another program holds the file locked: close it: %w", err)
	case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrCantOpen:
		return fmt.Errorf("the file cannot be opened for writing: check its permissions and its folder's: %w", err)
	}
	return err
}

// SQLite returns the version of the SQLite library in use.
func SQLite() string {
	version, _, _ := sqlite3.Version()
	return version
}

// wall writes a wall time as the file has it.
func wall(t time.Time) string { return t.UTC().Format(wallFormat) }

// parseWall reads a wall time back.
func parseWall(s string) (time.Time, error) { return time.Parse(wallFormat, s) }
