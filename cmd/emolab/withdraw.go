package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/withdrawal"
)

// sessionWithdrawCmd takes back what a participant gave.
type sessionWithdrawCmd struct {
	Session string `arg:"" optional:"" help:"A session of the participant, or \"last\". Or give --code."`
	storeFlags
	Code      string `help:"The withdrawal code that the participant has. Groups, blanks and small letters do not matter." placeholder:"CODE"`
	FaceVideo bool   `help:"Take back only the consent to keep the video of the face, and erase the video."`
	NewKey    bool   `help:"Make another key of the withdrawal codes, when the file withdrawal.key is lost for good: the codes given out so far then find nothing."`
	Yes       bool   `help:"Do not ask."`
	vaultFlags
	JSON bool `help:"Print JSON."`
}

// Help shows examples below the flags.
func (sessionWithdrawCmd) Help() string {
	return `What a participant gave can be taken back at any time, without a reason. All of that
participant's sessions go: rows of the study's file, video, bundles in the data folder with their copies
there, unpacked or under another name, and bundles elsewhere that lie where they were written. What stays is that it was done,
when, and how much it was. A receipt for the participant is printed and kept in the
folder receipts; it also names who was given a bundle, and has to be told.

The name goes with it when a vault is there that the key opens (emolab identity).

Examples:
  emolab session withdraw --code 7Q2M-X4KD-9WP
  emolab session withdraw 20261122-101500-3f9a1c
  emolab session withdraw last --face-video         only the video, the rest stays
  emolab session withdraw --new-key                 when withdrawal.key is lost, and in no backup`
}

// Run is the command.
func (c *sessionWithdrawCmd) Run(a *app) (err error) {
	if c.NewKey {
		return c.newKey(a)
	}
	if (c.Session == "") == (c.Code == "") {
		return usagef("say whose data: a session of the participant, or --code CODE")
	}
	if c.FaceVideo && c.JSON {
		return usagef("--json goes with a whole withdrawal only")
	}
	w, err := c.erasing(a, "withdraw in its console")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.store.Close()) }()
	id, err := c.find(a, w)
	if err != nil {
		return err
	}
	if c.FaceVideo {
		return w.faceVideo(a, id, c.Yes)
	}
	held, err := w.store.Held(a.ctx, id)
	if err != nil {
		return err
	}
	if !c.Yes {
		if err := confirm(a, held); err != nil {
			return err
		}
	}
	progress := newBar(a.err, 1, "erasing")
	done, err := w.eraser.Withdraw(a.ctx, id, progress.set)
	progress.finish()
	if errors.Is(err, store.ErrNotScrubbed) { // who it was is known only now: the rest is finished by the next start
		_, naming := c.removeName(a.ctx, a, w.dir, held.Participant)
		return errors.Join(err, naming)
	}
	if err != nil {
		return err
	}
	name, naming := c.removeName(a.ctx, a, w.dir, held.Participant)
	if c.JSON {
		return errors.Join(printJSON(a.out, done), naming)
	}
	if err := withdrawal.WriteReceipt(a.out, done); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\nKept as %s\n", done.Receipt)
	for _, path := range done.Beside {
		fmt.Fprintf(a.out, "Not erased, for this program has not made it: it lay beside a copy, or holds other people's sessions too. Look what of the participant is in it: %s\n", path)
	}
	if name != "" {
		fmt.Fprintln(a.out, name)
	}
	return naming
}

// newKey makes another key in the place of one that is lost for good. It is the only thing
// that does, and only after a yes.
func (c *sessionWithdrawCmd) newKey(a *app) (err error) {
	if c.Session != "" || c.Code != "" || c.FaceVideo || c.JSON {
		return usagef("--new-key makes another key and does nothing else: withdraw after it")
	}
	path, err := c.path()
	if err != nil {
		return err
	}
	s, err := store.Open(a.ctx, path) // nobody gives out codes under the other key meanwhile
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	key := withdrawal.KeyFile(filepath.Dir(path))
	if exists(key) {
		return fmt.Errorf("%s is there: no other key is needed", key)
	}
	if !c.Yes {
		yes, err := a.agreed("Every withdrawal code that was given out so far will find nothing any more. Is there no backup with " + key + "? Make another key?")
		if err != nil {
			return fmt.Errorf("%w: add --yes", err)
		}
		if !yes {
			return errors.New("no key was made")
		}
	}
	if _, err := withdrawal.OpenKey(filepath.Dir(path)); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s is new. Codes that were given out before find nothing any more: find who withdraws by participant code,\nand give whoever asks a code of the new key (emolab session receipt ID).\n", key)
	return nil
}

// find finds the session that is meant.
func (c *sessionWithdrawCmd) find(a *app, w *erasing) (string, error) {
	if c.Code != "" {
		return w.eraser.Session(a.ctx, c.Code)
	}
	return resolve(a, w.store, c.Session)
}

// confirm shows what is going to be erased, and wants the participant's code typed:
// nobody types that by mistake.
func confirm(a *app, held store.Holding) error {
	fmt.Fprintf(a.err, "Participant %s: %d sessions will be erased, with all that was made of them:\n", held.Participant, len(held.Sessions))
	for _, id := range held.Sessions {
		fmt.Fprintf(a.err, "  %s\n", id)
	}
	fmt.Fprintln(a.err, "This cannot be undone.")
	typed, err := a.ask("Type " + held.Participant + " to go on:")
	if err != nil {
		return fmt.Errorf("%w: add --yes", err)
	}
	if typed != held.Participant {
		return fmt.Errorf("that was not %s: nothing was erased", held.Participant)
	}
	return nil
}

// erasing is an open study whose data can be erased.
type erasing struct {
	store  *store.Store
	dir    string // the data folder
	eraser *withdrawal.Eraser
}

// erasing opens the study's file for itself, and ends a withdrawal that was cut off.
// instead says what can be done while an emolab records into it.
func (f storeFlags) erasing(a *app, instead string) (*erasing, error) {
	path, err := f.path()
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	s, err := store.Open(a.ctx, path)
	if errors.Is(err, store.ErrInUse) {
		return nil, fmt.Errorf("%w, or %s", err, instead)
	}
	if err != nil {
		return nil, err
	}
	key, err := withdrawal.KeyOf(a.ctx, s, dir)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	w := &erasing{store: s, dir: dir, eraser: withdrawal.NewEraser(s, dir, key)}
	finished, err := w.eraser.Finish(a.ctx, nil)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if finished {
		fmt.Fprintln(a.err, "A withdrawal that had been cut off is finished now.")
	}
	return w, nil
}

// faceVideo takes back the consent to the video alone. The no is noted before anything
// is deleted, so that from then on nobody uses what could not be deleted. It asks first,
// unless sure.
func (w *erasing) faceVideo(a *app, id string, sure bool) error {
	participant, err := w.store.ParticipantOf(a.ctx, id)
	if err != nil {
		return err
	}
	dir := videoDir(w.dir, id)
	if !sure {
		yes, err := a.agreed(fmt.Sprintf("The video of participant %s in session %s will be erased: %s\nThis cannot be undone. Erase it?", participant, id, dir))
		if err != nil {
			return fmt.Errorf("%w: add --yes", err)
		}
		if !yes {
			return errors.New("nothing was erased")
		}
	}
	err = w.store.Withdraw(a.ctx, id, session.FaceVideo, "taken back, noted by the experimenter")
	if errors.Is(err, store.ErrNotGranted) && exists(dir) {
		err = nil // it was taken back before, and the deleting was cut off
	}
	if err != nil {
		return err
	}
	if err := w.eraser.Video(a.ctx, id, nil); err != nil {
		return fmt.Errorf("the consent is withdrawn, but its video could not be deleted: %w: delete %s by hand", err, dir)
	}
	fmt.Fprintf(a.out, "%s: consent to the face video withdrawn, %s deleted\nCopies that were made elsewhere, and backups, are not reached by this.\n", id, dir)
	return nil
}

// day writes the date of a moment, as it is where the program runs.
func day(t time.Time) string { return t.Local().Format(time.DateOnly) }
