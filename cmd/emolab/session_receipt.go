package main

import (
	"errors"
	"fmt"
)

// sessionReceiptCmd gives out another withdrawal code.
type sessionReceiptCmd struct {
	Session string `arg:"" help:"The session's id, or \"last\"."`
	storeFlags
	JSON bool `help:"Print JSON."`
}

// Help shows an example below the flags.
func (sessionReceiptCmd) Help() string {
	return `Makes another code by which the participant of a session that is over, or was cut off,
can have everything erased, and prints the page that it stands on. The code is shown this
once and kept nowhere; codes of before go on to hold. The audit says that one was given.

Examples:
  emolab session receipt 20261122-101500-3f9a1c > receipt.txt    print it, and delete the file
  emolab session receipt last | lp                               straight to the printer`
}

// Run is the command.
func (c *sessionReceiptCmd) Run(a *app) (err error) {
	w, err := c.erasing(a, "give the receipt in its console: the participant's code in the list of sessions")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.store.Close()) }()
	id, err := resolve(a, w.store, c.Session)
	if err != nil {
		return err
	}
	slip, err := w.eraser.GiveCode(a.ctx, id)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, slip)
	}
	_, err = fmt.Fprint(a.out, slip.Text)
	return err
}
