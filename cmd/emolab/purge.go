package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"emolab/studies/identity"
	"emolab/studies/withdrawal"
)

// purgeCmd erases what is past its date.
type purgeCmd struct {
	storeFlags
	Now string `help:"Show what is past its date on that day. What is erased is erased now in any case." placeholder:"YYYY-MM-DD"`
	Yes bool   `help:"Do not ask."`
	vaultFlags
	JSON bool `help:"Print JSON: what is due, and with --yes what was erased."`
}

// Help shows an example below the flags.
func (purgeCmd) Help() string {
	return `Each class of data is kept as long as the study file promised (retain) when the
session was made: video of the face, recordings with answers and bundles, and names,
these from the payment on. What is past its date is shown first, and erased after a
yes. A report that names nobody is kept in the folder receipts of the data folder.

Sessions whose recordings are purged stay in the list, without anything in them.

Examples:
  emolab study purge --data emolab-data
  emolab study purge --now 2027-06-30        what would be due then
  emolab study purge --yes                   without a question, for a timer`
}

// purgeResult is what --json prints.
type purgeResult struct {
	Due    []withdrawal.Due   `json:"due"`
	Names  []dueName          `json:"names"`  // codes in the vault
	Purged *withdrawal.Purged `json:"purged"` // null: nothing was erased
	Report string             `json:"report"`
	// Unseen says that the study promises a date for names, and that no vault was there.
	Unseen bool `json:"vault_unseen"`
}

// dueName is an entry of the vault that is past its date.
type dueName struct {
	Code  string    `json:"code"`
	Until time.Time `json:"until"`
}

// Run is the command.
func (c *purgeCmd) Run(a *app) (err error) {
	now, err := dayOf(c.Now, time.Now())
	if err != nil {
		return err
	}
	w, err := c.erasing(a, "erase what is past its date in its console, below Cohort, while nobody is being recorded")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.store.Close()) }()
	var r purgeResult
	if r.Due, err = w.eraser.Due(a.ctx, now); err != nil {
		return err
	}
	vault, err := c.names(a, w)
	if err != nil {
		return err
	}
	if vault != nil {
		defer func() { err = errors.Join(err, vault.Close()) }()
		if r.Names, err = w.dueNames(a, vault, now); err != nil {
			return err
		}
	} else {
		retain, err := w.store.Retain(a.ctx)
		if err != nil {
			return err
		}
		r.Unseen = retain.Identity > 0
	}
	if !c.JSON {
		if err := r.print(a.out, now); err != nil {
			return err
		}
	}
	if goes, err := c.goes(a, r, now); err != nil || !goes {
		if c.JSON {
			return errors.Join(err, printJSON(a.out, r))
		}
		return err
	}
	if err := w.purge(a, &r, vault); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(a.out, r)
	}
	fmt.Fprintf(a.out, "\nErased. The report is kept as %s\n", r.Report)
	for _, path := range r.Purged.Beside {
		fmt.Fprintf(a.out, "Not erased, for this program has not made it: it lay beside a copy, or holds other sessions too. Look what is in it: %s\n", path)
	}
	return nil
}

// goes tells whether there is something to erase, and somebody wants it.
func (c *purgeCmd) goes(a *app, r purgeResult, now time.Time) (bool, error) {
	switch {
	case len(r.Due)+len(r.Names) == 0:
		return false, nil
	case now.After(time.Now()):
		if c.Yes {
			return false, usagef("%s is still to come: nothing is erased before its date; leave --yes out to see what will be due", day(now))
		}
		fmt.Fprintf(a.err, "Nothing was erased: %s is still to come.\n", day(now))
		return false, nil
	case c.Yes:
		return true, nil
	case c.JSON:
		return false, nil
	}
	yes, err := a.agreed("Erase all of this for good?")
	if err != nil {
		return false, fmt.Errorf("%w: add --yes", err)
	}
	if !yes {
		fmt.Fprintln(a.err, "Nothing was erased.")
	}
	return yes, nil
}

// names opens the vault, if there is one.
func (c *purgeCmd) names(a *app, w *erasing) (*identity.Vault, error) {
	if !exists(c.Vault) {
		return nil, nil
	}
	return c.vaultFlags.open(a, w.dir, false)
}

// dueNames are the entries of the vault that are past their date. Without a promise
// none are.
func (w *erasing) dueNames(a *app, vault *identity.Vault, now time.Time) ([]dueName, error) {
	retain, err := w.store.Retain(a.ctx)
	if err != nil || retain.Identity == 0 {
		return nil, err
	}
	var names []dueName
	for _, e := range vault.Due(now, retain.Identity) {
		names = append(names, dueName{e.Code, e.Paid.Add(retain.Identity)})
	}
	return names, nil
}

// print shows what is due: by class, and each session with its date.
func (r purgeResult) print(out io.Writer, now time.Time) error {
	if r.Unseen {
		defer fmt.Fprintln(out, "The study promises a date for names, and no vault of names was looked at: if there is one, name it with --vault and --key.")
	}
	if len(r.Due)+len(r.Names) == 0 {
		fmt.Fprintf(out, "Nothing is past its date on %s.\n", day(now))
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHAT\tOF\tKEPT UNTIL\tFILES\tMB")
	for _, d := range r.Due {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%.1f\n", d.Words(), d.Session, day(d.Until), d.Files, float64(d.Bytes)/(1<<20))
	}
	for _, n := range r.Names {
		fmt.Fprintf(w, "%s\t%s\t%s\t\t\n", withdrawal.Words(withdrawal.IdentityClass), n.Code, day(n.Until))
	}
	return w.Flush()
}

// purge erases what is due, and keeps a report of it.
func (w *erasing) purge(a *app, r *purgeResult, vault *identity.Vault) error {
	progress := newBar(a.err, max(1, len(r.Due)), "erasing")
	done, err := w.eraser.Purge(a.ctx, r.Due, progress.set)
	progress.finish()
	for _, n := range r.Names {
		if err != nil {
			break
		}
		if _, err = vault.Remove(a.ctx, n.Code); err == nil {
			done.Count(withdrawal.IdentityClass, 0, 0, 0, n.Until)
		}
	}
	if len(done.Classes) == 0 {
		return err
	}
	// Also of a purge that was cut off: what is erased is not due any more, and in no later report.
	slices.SortFunc(done.Classes, func(a, b withdrawal.Class) int { return a.First.Compare(b.First) })
	r.Purged = &done
	report, keeping := w.eraser.KeepReport(done)
	r.Report = report
	return errors.Join(err, keeping)
}
