package withdrawal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"emolab/studies/shred"
	"emolab/studies/store"
)

// pending is a withdrawal that has begun. It lies beside the study's file until all is
// gone, so that a program that was killed knows which files are still to be erased: the
// rows that named them are gone by then.
type pending struct {
	Session   string          `json:"session"`  // one of the participant's
	Sessions  []string        `json:"sessions"` // all of them
	Elsewhere []string        `json:"elsewhere"`
	Tombstone store.Tombstone `json:"tombstone"`
}

// maxPending bounds what is read of it, in bytes: thousands of sessions.
const maxPending = 1 << 20

func (e *Eraser) pendingFile() string { return e.store.Path() + ".withdrawing" }

// begin notes what is going to be erased.
func (e *Eraser) begin(p pending) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return writeWhole(e.pendingFile(), func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// pending reads what was begun.
func (e *Eraser) pending() (p pending, open bool, err error) {
	f, err := os.Open(e.pendingFile())
	if errors.Is(err, fs.ErrNotExist) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("withdrawal: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPending))
	if err != nil {
		return p, false, fmt.Errorf("withdrawal: %w", err)
	}
	if p, err = parsePending(b); err != nil {
		return p, false, fmt.Errorf("withdrawal: %s %w: withdraw again, and then remove that file", e.pendingFile(), err)
	}
	return p, true, nil
}

// parsePending reads what begin wrote, and nothing that would erase something else.
func parsePending(b []byte) (pending, error) {
	var p pending
	if err := json.Unmarshal(b, &p); err != nil {
		return pending{}, fmt.Errorf("says which withdrawal is to be finished, and cannot be read: %w", err)
	}
	if p.Session == "" || p.Tombstone.CodeHash == "" || len(p.Sessions) == 0 {
		return pending{}, errors.New("says which withdrawal is to be finished, and is not complete")
	}
	for _, id := range p.Sessions {
		if !aSession.MatchString(id) {
			return pending{}, fmt.Errorf("names %q, which is no session", id)
		}
	}
	for _, path := range p.Elsewhere {
		if !filepath.IsAbs(path) {
			return pending{}, fmt.Errorf("names the file %q without its folder", path)
		}
	}
	return p, nil
}

// end removes the note.
func (e *Eraser) end(ctx context.Context) error {
	if err := shred.File(ctx, e.pendingFile()); err != nil {
		return fmt.Errorf("all is erased, but not the note that it was to be: %w; remove %s", err, e.pendingFile())
	}
	return syncFolder(filepath.Dir(e.pendingFile()))
}
