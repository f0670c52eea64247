package main

import (
	"context"
	"log/slog"

	"emolab/studies/store"
	"emolab/studies/withdrawal"
)

// archive is the study's file beside the bundles that were made of it.
type archive struct {
	*store.Store
	dir string // the data folder
	log *slog.Logger
}

// Move gives a session to another participant, and erases the bundles that name the one
// before. What lies elsewhere is told in the log.
func (a archive) Move(ctx context.Context, id, participant, reason string) error {
	if err := a.Store.Move(ctx, id, participant, reason); err != nil {
		return err
	}
	old, err := withdrawal.ClearOutdated(ctx, a.Store, a.dir, id)
	for _, file := range old.Left {
		a.log.Warn("a bundle still names the participant before: delete it, and export it again", "session", id, "bundle", file)
	}
	for _, who := range old.Recipients {
		a.log.Warn("somebody was given a bundle that names the participant before", "session", id, "recipient", who)
	}
	return err
}
