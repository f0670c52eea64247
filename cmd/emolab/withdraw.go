package main

import (
	"fmt"
	"os"
	"path/filepath"

	"emolab/studies/session"
)

// sessionWithdrawCmd takes back a participant's consent.
type sessionWithdrawCmd struct {
	Session string `arg:"" help:"The session's id, or \"last\"."`
	storeFlags
	FaceVideo bool `help:"Take back the consent to keep the video of the face, and delete the video."`
}

// Help shows an example below the flags.
func (sessionWithdrawCmd) Help() string {
	return `What a participant allowed can be taken back at any time, without a reason.

Example:
  emolab session withdraw 20261122-101500-P7K2 --face-video`
}

// Run is the command. The no is noted before anything is deleted, so that from
// then on nobody uses what could not be deleted.
func (c *sessionWithdrawCmd) Run(a *app) error {
	if !c.FaceVideo {
		return usagef("say what is taken back: --face-video")
	}
	s, id, err := c.open(a, c.Session, "")
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Session(a.ctx, id); err != nil {
		return err
	}
	if err := s.Withdraw(a.ctx, id, session.FaceVideo, "taken back, noted by the experimenter"); err != nil {
		return err
	}
	dir := videoDir(filepath.Dir(s.Path()), id)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("the consent is withdrawn, but its video could not be deleted: %w: delete %s by hand", err, dir)
	}
	fmt.Fprintf(a.out, "%s: consent to the face video withdrawn, %s deleted\nCopies that were made elsewhere, and backups, are not reached by this.\n", id, dir)
	return nil
}
