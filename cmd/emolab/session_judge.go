package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"emolab/studies/session"
	"emolab/studies/withdrawal"
)

// sessionMoveCmd gives a session to another participant.
type sessionMoveCmd struct {
	Session string `arg:"" help:"The session's id, or \"last\"."`
	storeFlags
	To     string `help:"The code of the participant whose session it is." required:"" placeholder:"CODE"`
	Reason string `help:"Why, in a few words: kept with the session." required:"" placeholder:"TEXT"`
}

// Help shows an example below the flags.
func (sessionMoveCmd) Help() string {
	return `For a session that was begun under the wrong code. The session keeps its id, a row of
the audit says what was done and why. Bundles in the data folder that were made before say
the wrong code, and are erased; those elsewhere are named.

Example:
  emolab session move last --to P-7K2 --reason "the code of the one before was typed"`
}

// Run is the command.
func (c *sessionMoveCmd) Run(a *app) error {
	if err := session.CheckParticipant(c.To); err != nil {
		return usagef("%v", err)
	}
	if err := givenReason(c.Reason); err != nil {
		return err
	}
	s, id, err := c.open(a, c.Session, "move it in its console")
	if err != nil {
		return err
	}
	defer s.Close()
	before, err := s.ParticipantOf(a.ctx, id)
	if err != nil {
		return err
	}
	if err := s.Move(a.ctx, id, c.To, c.Reason); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: moved from %s to %s\n", id, before, c.To)
	old, err := withdrawal.ClearOutdated(a.ctx, s, filepath.Dir(s.Path()), id)
	for _, file := range old.Erased {
		fmt.Fprintf(a.out, "%s said %s and is erased: export it again\n", file, before)
	}
	for _, file := range old.Left {
		fmt.Fprintf(a.out, "%s still says %s: delete it, and export it again\n", file, before)
	}
	for _, who := range old.Recipients {
		fmt.Fprintf(a.out, "%s was given a bundle that says %s: ask for it to be deleted, and give another\n", who, before)
	}
	return err
}

// sessionJudgeCmd says by a person's word whether a session counts.
type sessionJudgeCmd struct {
	Session string `arg:"" help:"The session's id, or \"last\"."`
	storeFlags
	Usable   bool   `help:"It counts. Say this or --unusable." xor:"verdict"`
	Unusable bool   `help:"It does not count." xor:"verdict"`
	Reason   string `help:"Why, in a few words: kept with the session." required:"" placeholder:"TEXT"`
}

// Help shows an example below the flags.
func (sessionJudgeCmd) Help() string {
	return `Sealing judges a session by the rules of its study. What a person says stands above
that, and what is derived later does not change it.

Examples:
  emolab session judge last --unusable --reason "talked on the telephone"
  emolab session judge 20261122-101500-3f9a1c --usable --reason "the gap was in a filler"`
}

// Run is the command.
func (c *sessionJudgeCmd) Run(a *app) error {
	if !c.Usable && !c.Unusable {
		return usagef("say whether it counts: --usable or --unusable")
	}
	if err := givenReason(c.Reason); err != nil {
		return err
	}
	s, id, err := c.open(a, c.Session, "judge it in its console")
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Judge(a.ctx, id, c.Usable, c.Reason); err != nil {
		return err
	}
	word := "not usable"
	if c.Usable {
		word = "usable"
	}
	fmt.Fprintf(a.out, "%s: %s (%s)\n", id, word, c.Reason)
	return nil
}

// givenReason wants a reason that says something.
func givenReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return usagef("say why: --reason TEXT")
	}
	return nil
}
