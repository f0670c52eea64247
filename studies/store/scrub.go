package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrNotScrubbed says that rows were deleted, but that what they held is still in the
// free space of the file, or in its log. The tombstone says so too, and the next Open
// tries again.
var ErrNotScrubbed = errors.New("the rows are deleted, but what they held could not be overwritten yet")

// errHeld is why, when somebody reads.
var errHeld = errors.New("another program has the study file open for reading: close it (an open sqlite3, DB Browser, R, Python or report), then start emolab once, which finishes this")

// Scrub sees to it that the file and its log hold no byte of what was erased, after the
// last ErasePart. It writes the whole file anew, which takes as long as copying it and
// needs as much room again, twice.
func (s *Store) Scrub(ctx context.Context) error {
	_, err := s.scrub(ctx)
	return err
}

// scrub returns when it was done. Nothing is done where all is scrubbed.
//
// secure_delete overwrites a row as it is deleted. But when SQLite moves rows to another
// page it leaves the copy in the page's free space, which no later deletion knows of:
// only writing all pages anew gets rid of that. And deleted rows live on in the log
// until it has been folded into the file and cut to nothing.
func (s *Store) scrub(ctx context.Context) (time.Time, error) {
	w, err := s.writer()
	if err != nil {
		return time.Time{}, err
	}
	fail := func(err error) (time.Time, error) {
		return time.Time{}, fmt.Errorf("store: %s: %w: %w", s.path, ErrNotScrubbed, explain(err))
	}
	var pending int
	if err := w.QueryRowContext(ctx, "SELECT count(*) FROM tombstone WHERE scrubbed_utc IS NULL").Scan(&pending); err != nil {
		return fail(err)
	}
	if pending == 0 {
		return time.Time{}, nil
	}
	if err := s.foldAll(ctx); err != nil {
		return fail(err)
	}
	if _, err := w.ExecContext(ctx, "VACUUM"); err != nil {
		return fail(err)
	}
	if err := s.foldAll(ctx); err != nil {
		return fail(err)
	}
	var now string
	if err := w.QueryRowContext(ctx, "UPDATE tombstone SET scrubbed_utc = "+utcNow+" WHERE scrubbed_utc IS NULL RETURNING scrubbed_utc").Scan(&now); err != nil {
		return fail(err)
	}
	return parseWall(now)
}

// foldAll folds the whole log into the file and cuts it to nothing, or fails: nobody may
// be reading what is older. A reader is waited for, for busyTimeout.
func (s *Store) foldAll(ctx context.Context) error {
	var busy bool
	var frames, folded int
	if err := s.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &folded); err != nil {
		return err
	}
	if busy {
		return errHeld
	}
	return nil
}

// finish scrubs what a process that was ended, or a reader, has left over. What keeps it
// from that, a reader or a full disk, is no reason not to open the file: the tombstone
// goes on to say that it is still to be done.
func (s *Store) finish(ctx context.Context) error {
	if _, err := s.scrub(ctx); err != nil && !errors.Is(err, ErrNotScrubbed) {
		return err
	}
	return context.Cause(ctx)
}
