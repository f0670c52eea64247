package withdrawal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"emolab/studies/session"
	"emolab/studies/shred"
	"emolab/studies/store"
)

// Eraser erases what a participant takes back: rows in the study's file, files in the
// data folder, and the bundles that were made. It is a session.Eraser. Only one
// goroutine uses it at a time, and nothing may record or export meanwhile.
type Eraser struct {
	store *store.Store
	dir   string // the data folder
	key   Key
	wall  func() time.Time // when it was done; nothing is measured with it
	// look walks through a folder, which takes long where there is much video: once for all.
	look func(ctx context.Context, dir string, sessions []string) ([]thing, error)
}

var (
	_ session.Eraser = (*Eraser)(nil)
	_ session.Codes  = Key{}
)

// NewEraser makes an eraser of the study in s, whose files lie in the folder dir. Codes
// were hashed with key.
func NewEraser(s *store.Store, dir string, key Key) *Eraser {
	return &Eraser{store: s, dir: dir, key: key, wall: time.Now, look: func(ctx context.Context, dir string, sessions []string) ([]thing, error) {
		return look(ctx, dir, sessions, s.Locked()...)
	}}
}

// ErrCodeUnknown says that no session has that code.
var ErrCodeUnknown = errors.New("no session of this study has that code: it was withdrawn before, it belongs to another study, or the data folder has another key than the one it was made with")

// Session finds the session that a code was given out for, as people type it. Errors
// are ErrCode and ErrCodeUnknown; of a code that was used before, the latter says when.
func (e *Eraser) Session(ctx context.Context, typed string) (string, error) {
	c, err := ParseCode(typed)
	if err != nil {
		return "", fmt.Errorf("withdrawal: %w", err)
	}
	hash := e.key.Hash(c)
	id, err := e.store.SessionByCode(ctx, hash)
	if !errors.Is(err, store.ErrNoSession) {
		return id, err
	}
	gone, err := e.store.Tombstones(ctx)
	if err != nil {
		return "", err
	}
	for _, t := range gone {
		if t.CodeHash == hash {
			return "", fmt.Errorf("withdrawal: everything of that code was erased on %s: %w", t.At.Local().Format(time.DateOnly), ErrCodeUnknown)
		}
	}
	return "", fmt.Errorf("withdrawal: %w", ErrCodeUnknown)
}

// ByCode withdraws by the code that the participant has.
func (e *Eraser) ByCode(ctx context.Context, typed string, progress session.Progress) (session.Erasure, error) {
	id, err := e.Session(ctx, typed)
	if err != nil {
		return session.Erasure{}, err
	}
	return e.Withdraw(ctx, id, progress)
}

// Withdraw erases all sessions of the session's participant, and writes the receipt
// beside the data. If it is cut off, Finish ends it.
func (e *Eraser) Withdraw(ctx context.Context, sessionID string, progress session.Progress) (session.Erasure, error) {
	if _, err := e.finish(ctx, progress); err != nil {
		return session.Erasure{}, err
	}
	p, err := e.plan(ctx, sessionID)
	if err != nil {
		return session.Erasure{}, fmt.Errorf("withdrawal of session %s: %w", sessionID, err)
	}
	if err := e.begin(p); err != nil {
		return session.Erasure{}, fmt.Errorf("withdrawal of session %s: %w", sessionID, err)
	}
	done, err := e.carryOut(ctx, p, progress)
	if err != nil {
		return session.Erasure{}, fmt.Errorf("withdrawal of session %s: %w", sessionID, err)
	}
	return done, nil
}

// Finish ends a withdrawal that a killed program, or a full disk, has cut off, and
// tells whether there was one. Whoever opens a data folder to record calls it first.
// What only waits for another program to close the study's file goes on waiting: that is
// no reason not to record.
func (e *Eraser) Finish(ctx context.Context, progress session.Progress) (bool, error) {
	finished, err := e.finish(ctx, progress)
	if errors.Is(err, store.ErrNotScrubbed) {
		return false, nil
	}
	return finished, err
}

func (e *Eraser) finish(ctx context.Context, progress session.Progress) (bool, error) {
	// A note that was cut off itself names sessions, and nothing of them is erased yet.
	if err := shred.File(ctx, unfinished(e.pendingFile())); err != nil {
		return false, fmt.Errorf("withdrawal: %w; remove %s", err, unfinished(e.pendingFile()))
	}
	p, open, err := e.pending()
	if err != nil || !open {
		return false, err
	}
	if _, err := e.carryOut(ctx, p, progress); err != nil {
		return false, fmt.Errorf("finish the withdrawal that was cut off: %w", err)
	}
	return true, nil
}

// plan finds out all that is going to be erased.
func (e *Eraser) plan(ctx context.Context, sessionID string) (pending, error) {
	held, err := e.store.Held(ctx, sessionID)
	if err != nil {
		return pending{}, err
	}
	for _, id := range held.Sessions {
		if !aSession.MatchString(id) {
			return pending{}, fmt.Errorf("the id %q is not of the form that emolab gives: it cannot be told which files are named after it", id)
		}
	}
	p := pending{Session: sessionID, Sessions: held.Sessions}
	if p.Tombstone.CodeHash, err = e.store.CodeHash(ctx, sessionID); err != nil {
		return pending{}, err
	}
	if p.Tombstone.CodeHash == "" { // no code was given out: one that nobody has stands for it
		p.Tombstone.CodeHash = e.key.Hash(NewCode())
	}
	p.Tombstone.At = e.wall().UTC().Truncate(time.Millisecond)
	things, err := e.look(ctx, e.dir, held.Sessions)
	if err != nil {
		return pending{}, err
	}
	f := all(things)
	if err := p.followBundles(e.dir, held.Participant, held.Exports, &f); err != nil {
		return pending{}, err
	}
	p.Tombstone.Sessions = len(held.Sessions)
	p.Tombstone.Files, p.Tombstone.Bytes = len(f.files), f.bytes
	return p, nil
}

// followBundles sees what became of the bundles that were made. One that lies elsewhere
// is erased too as long as it is what was written; of what cannot be reached it is told
// who has it.
func (p *pending) followBundles(dir, participant string, exports []store.Export, f *found) error {
	for _, x := range slices.Backward(exports) { // the latest first: it has taken the place of earlier ones
		if x.Recipient != "" {
			p.tell(x.Recipient)
		}
		switch {
		case contains(dir, x.Path) || slices.Contains(p.Elsewhere, x.Path) || f.has(x.Path):
		case is(x.Path, x.SHA256):
			p.Elsewhere = append(p.Elsewhere, x.Path)
			if err := f.add(x.Path); err != nil {
				return err
			}
		case x.Recipient == "":
			// Its name says whose it is, and is not kept: only the folder, if that does not.
			folder := filepath.Dir(x.Path)
			if strings.Contains(folder, participant) {
				folder = ""
			}
			p.tell(takenFrom(folder, x.Created))
		}
	}
	return nil
}

// tell adds who has to be told, once.
func (p *pending) tell(who string) {
	if !slices.Contains(p.Tombstone.Recipients, who) {
		p.Tombstone.Recipients = append(p.Tombstone.Recipients, who)
	}
}

// carryOut erases what was planned, rows first: what is then still on the disk belongs
// to nobody that the study knows. It may be called again after it was cut off.
func (e *Eraser) carryOut(ctx context.Context, p pending, progress session.Progress) (session.Erasure, error) {
	if progress == nil {
		progress = func(int, int, string) {}
	}
	progress(0, 1, "erasing rows")
	t, err := e.rows(ctx, p)
	notScrubbed := err
	if err != nil && !errors.Is(err, store.ErrNotScrubbed) {
		return session.Erasure{}, err
	}
	things, err := e.look(ctx, e.dir, p.Sessions)
	if err != nil {
		return session.Erasure{}, err
	}
	f := all(things)
	f.files = append(f.files, p.Elsewhere...)
	if err := f.remove(ctx, progress); err != nil {
		return session.Erasure{}, fmt.Errorf("its rows are erased, some of its files are not; mend that and start emolab again: %w", err)
	}
	if notScrubbed != nil {
		return session.Erasure{}, notScrubbed
	}
	done := session.Erasure{
		At: t.At, Sessions: t.Sessions, Rows: t.Rows, Files: t.Files, Bytes: t.Bytes,
		Recipients: append([]string{}, t.Recipients...), Tombstone: t.CodeHash,
		Beside: append([]string{}, f.beside...),
	}
	if done.Searched, err = searched(e.dir); err != nil {
		return session.Erasure{}, err
	}
	done.Receipt = ReceiptFile(e.dir, done)
	if err := writeWhole(done.Receipt, func(w io.Writer) error { return WriteReceipt(w, done) }); err != nil {
		return session.Erasure{}, fmt.Errorf("all is erased, but the receipt could not be written: %w", err)
	}
	return done, e.end(ctx)
}

// rows erases the rows, unless that was done before the program was cut off. With
// ErrNotScrubbed they are gone, and what they held is not overwritten yet.
func (e *Eraser) rows(ctx context.Context, p pending) (store.Tombstone, error) {
	t, err := e.store.Erase(ctx, p.Session, p.Tombstone)
	if !errors.Is(err, store.ErrNoSession) {
		return t, err
	}
	gone, err := e.store.Tombstones(ctx)
	if err != nil {
		return store.Tombstone{}, err
	}
	for _, t := range slices.Backward(gone) {
		if t.CodeHash == p.Tombstone.CodeHash {
			return t, e.store.Scrub(ctx)
		}
	}
	return store.Tombstone{}, fmt.Errorf("session %s is not in %s, and no tombstone says that it was erased: was another copy of the file put in its place?", p.Session, e.store.Path())
}
