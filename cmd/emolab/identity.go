package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"emolab/studies/identity"
	"emolab/studies/session"
)

// identityCmd is the vault of names.
type identityCmd struct {
	Add    identityAddCmd    `cmd:"" help:"Keep who a participant is, and draw a code for them."`
	Show   identityShowCmd   `cmd:"" help:"Say who has a code."`
	List   identityListCmd   `cmd:"" help:"List everybody."`
	Paid   identityPaidCmd   `cmd:"" help:"Note that a participant was paid: from then on the time runs out for which the name is kept."`
	Remove identityRemoveCmd `cmd:"" help:"Remove participants for good."`
}

// vaultFlags name a vault and what opens it.
type vaultFlags struct {
	Vault      string `help:"The file with the names, encrypted. Default: emolab-people.age here." default:"emolab-people.age" type:"path" placeholder:"FILE"`
	Key        string `help:"The file with its key; best on a stick. Default: emolab/people.key in your own folder of settings. Made with the first entry." type:"path" placeholder:"FILE"`
	Passphrase string `name:"passphrase-file" help:"Open it with the passphrase in this file instead of a key." type:"existingfile" placeholder:"FILE"`
}

// open opens the vault. With fresh, a key is made when there is neither vault nor key.
// Neither may lie in dataDir: whoever is given the data would have the names.
func (f vaultFlags) open(a *app, dataDir string, fresh bool) (*identity.Vault, error) {
	key, err := f.keyFile()
	if err != nil {
		return nil, err
	}
	for _, file := range []string{f.Vault, key} {
		if inside(dataDir, file) {
			return nil, usagef("%s lies in the data folder %s: whoever is given the data would have the names; name another place with --vault and --key", file, dataDir)
		}
	}
	if !fresh && !exists(f.Vault) {
		return nil, fmt.Errorf("there is no vault %s: name it with --vault, or begin one with `emolab identity add`", f.Vault)
	}
	k, err := f.readKey(a, key, fresh)
	if err != nil {
		return nil, err
	}
	return identity.Open(a.ctx, f.Vault, k)
}

// keyFile is where the key is kept; "" when a passphrase opens the vault.
func (f vaultFlags) keyFile() (string, error) {
	if f.Key != "" && f.Passphrase != "" {
		return "", usagef("name either --key or --passphrase-file")
	}
	if f.Key != "" || f.Passphrase != "" {
		return f.Key, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", usagef("name the file of the key with --key: %v", err)
	}
	return filepath.Join(dir, "emolab", "people.key"), nil
}

func (f vaultFlags) readKey(a *app, file string, fresh bool) (identity.Key, error) {
	if f.Passphrase != "" {
		words, err := os.ReadFile(f.Passphrase)
		if err != nil {
			return identity.Key{}, err
		}
		return identity.Passphrase(strings.TrimSpace(string(words)))
	}
	if !fresh || exists(f.Vault) || exists(file) {
		return identity.ReadKey(file)
	}
	k, err := identity.MakeKey(file, time.Now())
	if err == nil {
		fmt.Fprintf(a.err, "A key was made: %s\nKeep a copy of it where the vault %s is not. Without it nobody reads the names again.\n", file, f.Vault)
	}
	return k, err
}

// inside tells whether a file lies in a folder, links in the folder's name followed.
func inside(dir, file string) bool {
	if file == "" {
		return false
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(file)); err == nil {
		file = filepath.Join(real, filepath.Base(file))
	}
	rel, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rel)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// dataFlag names the data folder, for the commands that must keep out of it.
type dataFlag struct {
	Data string `help:"The data folder, which the names must stay out of. Default: emolab-data here." default:"emolab-data" type:"path" placeholder:"DIR"`
}

type identityAddCmd struct {
	Code string `arg:"" optional:"" help:"The participant's code. Default: one that is drawn, and says nothing about the person."`
	vaultFlags
	dataFlag
	Name    string `help:"The name. Default: asked for, which keeps it out of the shell's history." placeholder:"NAME"`
	Contact string `help:"How to reach the person. Default: asked for." placeholder:"TEXT"`
}

// Help shows an example below the flags.
func (identityAddCmd) Help() string {
	return `The code is printed: it is what the console asks for. Name and contact are asked for,
and stand encrypted in a file of their own, away from the data and from every bundle.

Examples:
  emolab identity add
  emolab identity add P-7K2 --vault people.age --key /media/stick/people.key`
}

// Run is the command.
func (c *identityAddCmd) Run(a *app) (err error) {
	if c.Code != "" {
		if err := session.CheckParticipant(c.Code); err != nil {
			return usagef("%v", err)
		}
	}
	v, err := c.open(a, c.Data, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	for _, q := range []struct {
		words *string
		ask   string
	}{{&c.Name, "Name:"}, {&c.Contact, "Contact (may be empty):"}} {
		if *q.words != "" {
			continue
		}
		if *q.words, err = a.ask(q.ask); err != nil {
			return fmt.Errorf("%w: give --name and --contact", err)
		}
	}
	if c.Code == "" {
		c.Code = v.NewCode()
	}
	if err := v.Add(a.ctx, identity.Entry{Code: c.Code, Name: c.Name, Contact: c.Contact, Added: time.Now().UTC().Truncate(time.Second)}); err != nil {
		return err
	}
	fmt.Fprintln(a.out, c.Code)
	return nil
}

type identityShowCmd struct {
	Code string `arg:"" help:"The participant's code."`
	vaultFlags
	dataFlag
	JSON bool `help:"Print JSON."`
}

// Help shows an example below the flags.
func (identityShowCmd) Help() string { return "Example:\n  emolab identity show P-7K2" }

// Run is the command.
func (c *identityShowCmd) Run(a *app) (err error) {
	v, err := c.open(a, c.Data, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	e, known := v.Find(c.Code)
	if !known {
		return fmt.Errorf("%s: %w", c.Code, identity.ErrUnknown)
	}
	if c.JSON {
		return printJSON(a.out, e)
	}
	fmt.Fprintf(a.out, "%s  %s  %s  %s\n", e.Code, e.Name, e.Contact, payment(e))
	return nil
}

type identityListCmd struct {
	vaultFlags
	dataFlag
	JSON bool `help:"Print JSON."`
}

// Help shows an example below the flags.
func (identityListCmd) Help() string { return "Example:\n  emolab identity list --vault people.age" }

// Run is the command.
func (c *identityListCmd) Run(a *app) (err error) {
	v, err := c.open(a, c.Data, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if c.JSON {
		return printJSON(a.out, v.Entries())
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CODE\tNAME\tCONTACT\tPAID")
	for _, e := range v.Entries() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.Code, e.Name, e.Contact, payment(e))
	}
	return w.Flush()
}

// payment says when somebody was paid.
func payment(e identity.Entry) string {
	if e.Paid.IsZero() {
		return "not paid yet"
	}
	return "paid " + e.Paid.Format(time.DateOnly)
}

type identityPaidCmd struct {
	Code []string `arg:"" help:"The participants' codes."`
	vaultFlags
	dataFlag
	On string `help:"The day of the payment. Default: today." placeholder:"YYYY-MM-DD"`
}

// Help shows an example below the flags.
func (identityPaidCmd) Help() string {
	return "Example:\n  emolab identity paid P-7K2 P-9QX --on 2026-11-30"
}

// Run is the command.
func (c *identityPaidCmd) Run(a *app) (err error) {
	day, err := dayOf(c.On, time.Now())
	if err != nil {
		return err
	}
	v, err := c.open(a, c.Data, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	for _, code := range c.Code {
		if err := v.Paid(a.ctx, code, identity.Day(day)); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s  paid %s\n", code, day.Format(time.DateOnly))
	}
	return nil
}

// dayOf reads a day; without one it is that of now.
func dayOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil {
		return time.Time{}, usagef("%q is no day: write it as 2026-11-30", text)
	}
	return day, nil
}

type identityRemoveCmd struct {
	Code []string `arg:"" help:"The participants' codes."`
	vaultFlags
	dataFlag
	Yes bool `help:"Do not ask."`
}

// Help shows an example below the flags.
func (identityRemoveCmd) Help() string {
	return `The entries are gone from the vault, and the file before is overwritten. What was
recorded under the code stays: that is taken back with "emolab session withdraw".

Example:
  emolab identity remove P-7K2`
}

// Run is the command.
func (c *identityRemoveCmd) Run(a *app) (err error) {
	v, err := c.open(a, c.Data, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	for i, code := range c.Code {
		e, known := v.Find(code)
		if !known {
			return fmt.Errorf("%s: %w", code, identity.ErrUnknown)
		}
		c.Code[i] = e.Code // the question names whom it is about
	}
	if !c.Yes {
		yes, err := a.agreed("Remove " + strings.Join(c.Code, ", ") + " for good?")
		if err != nil {
			return fmt.Errorf("%w: add --yes", err)
		}
		if !yes {
			return errors.New("nothing was removed")
		}
	}
	n, err := v.Remove(a.ctx, c.Code...)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%d removed\n", n)
	return nil
}

// removeName takes a participant's entry out of the vault when it can be opened, and
// says in words what became of it. Names are kept elsewhere, or by nobody.
func (f vaultFlags) removeName(ctx context.Context, a *app, dataDir, code string) (string, error) {
	if f.Vault == "" || !exists(f.Vault) {
		return fmt.Sprintf("If a vault has the name of %s, it still has: emolab identity remove %s --vault FILE --key FILE", code, code), nil
	}
	v, err := f.open(a, dataDir, false)
	if err != nil {
		return "", fmt.Errorf("the data are erased, but the name is still in the vault: %w; then: emolab identity remove %s", err, code)
	}
	n, err := v.Remove(ctx, code)
	if err := errors.Join(err, v.Close()); err != nil {
		return "", fmt.Errorf("the data are erased, but the name is still in the vault: %w", err)
	}
	if n == 0 {
		return "The vault " + f.Vault + " had no name of that code.", nil
	}
	return "The name is removed from the vault " + f.Vault + ".", nil
}
