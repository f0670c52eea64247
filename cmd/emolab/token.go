package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"emolab/studies/access"
	"emolab/studies/console"
	"emolab/studies/store"
)

// tokenCmd gives out addresses of the console, each with its own token and role.
type tokenCmd struct {
	New    tokenNewCmd    `cmd:"" help:"Give somebody an address of their own: to watch, to operate, to analyse or to administer."`
	List   tokenListCmd   `cmd:"" help:"List who was given an address, and until when."`
	Revoke tokenRevokeCmd `cmd:"" help:"Take an address back. A lab that runs notices at once."`
}

// mostDays is for how long a token is given out at most, if it has an end at all.
const mostDays = 3650

// tokenNewCmd makes a token.
type tokenNewCmd struct {
	Role    access.Role `help:"What it is for: viewer watches the lab live, operator runs sessions, analyst works with sessions that are over, admin may do everything." enum:"viewer,operator,analyst,admin" required:"" placeholder:"ROLE"`
	Name    string      `help:"Who gets it, or where it is used. It is shown at the console and kept in the log." required:"" placeholder:"NAME"`
	Days    *float64    `help:"After how many days it runs out. Default: it does not." placeholder:"N"`
	Address string      `help:"The address of the lab, as emolab serve prints it. Default: http://127.0.0.1:8800." default:"http://127.0.0.1:8800" placeholder:"URL"`
	Data    string      `help:"The data folder. Default: emolab-data here." default:"emolab-data" type:"path" placeholder:"DIR"`
}

// Help shows examples below the flags.
func (tokenNewCmd) Help() string {
	return `The address is printed once and kept nowhere: the data folder has only a digest of its
token. It works from the next request on, also in a lab that runs.

Examples:
  emolab token new --role viewer --name "Partner screen" --days 7
  emolab token new --role operator --name "Front desk" --address https://lab-pc:8800`
}

// Run is the command.
func (c *tokenNewCmd) Run(a *app) error {
	if c.Days != nil && !(*c.Days > 0 && *c.Days <= mostDays) { // also what is no number
		return usagef("--days %g: want a number of days above 0, %d at most; without --days the address is good until it is taken back", *c.Days, mostDays)
	}
	at, err := url.Parse(c.Address)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return usagef("--address %s: want an address as emolab serve prints it, for example https://lab-pc:8800", c.Address)
	}
	t := access.Token{Name: strings.TrimSpace(c.Name), Role: c.Role, Made: time.Now().UTC(), MadeBy: login()}
	if c.Days != nil {
		t.Expires = t.Made.Add(time.Duration(*c.Days * 24 * float64(time.Hour)))
	}
	if err := isLab(c.Data); err != nil {
		return err
	}
	secret, err := access.OpenBook(c.Data).Give(t)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s://%s/?token=%s\n", at.Scheme, at.Host, secret)
	fmt.Fprintf(a.err, "This is the address of %s (%s, %s). It is not shown again.\n", t.Name, t.Role, lasts(t))
	if here, err := isLoopback(net.JoinHostPort(at.Hostname(), "0")); err == nil && here {
		fmt.Fprintln(a.err, "It opens on this computer only. For another one, say by --address where it finds the lab, as emolab serve prints it.")
	}
	return nil
}

// isLab tells why there is no lab in a folder: a token of a folder that somebody mistyped
// would open nothing.
func isLab(dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("there is no data folder %s: run this where emolab serve runs, or say by --data where its folder is (emolab serve makes it)", dir)
	}
	return nil
}

// tokenListCmd lists the tokens.
type tokenListCmd struct {
	Data string `help:"The data folder. Default: emolab-data here." default:"emolab-data" type:"path" placeholder:"DIR"`
	JSON bool   `help:"Print JSON."`
}

// Help shows an example below the flags.
func (tokenListCmd) Help() string {
	return `Tokens that have run out or were taken back stay in the list. The lab's own, which
emolab serve prints, is not in it.

Example:
  emolab token list`
}

// Run is the command.
func (c *tokenListCmd) Run(a *app) error {
	if err := isLab(c.Data); err != nil {
		return err
	}
	all, err := access.OpenBook(c.Data).List()
	if err != nil {
		return err
	}
	if c.JSON {
		if all == nil {
			all = []access.Token{}
		}
		return printJSON(a.out, all)
	}
	if len(all) == 0 {
		fmt.Fprintln(a.out, "Nobody was given a token. The lab's own is in the address that emolab serve prints.")
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tROLE\tMADE\tVALID")
	for _, t := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Name, t.Role, t.Made.Local().Format(time.DateOnly), lasts(t))
	}
	return w.Flush()
}

// lasts says in words until when a token is valid.
func lasts(t access.Token) string {
	switch {
	case !t.Revoked.IsZero():
		return "taken back " + t.Revoked.Local().Format(time.DateOnly)
	case t.Expires.IsZero():
		return "until it is taken back"
	case t.Valid(time.Now()) != nil:
		return "ran out " + t.Expires.Local().Format(time.DateOnly)
	}
	return "until " + t.Expires.Local().Format("2006-01-02 15:04")
}

// tokenRevokeCmd takes a token back.
type tokenRevokeCmd struct {
	Name string `arg:"" help:"Whose, as emolab token list shows it."`
	Data string `help:"The data folder. Default: emolab-data here." default:"emolab-data" type:"path" placeholder:"DIR"`
}

// Help shows an example below the flags.
func (tokenRevokeCmd) Help() string {
	return `Pages that are open with it are closed within some seconds.

Example:
  emolab token revoke "Partner screen"`
}

// Run is the command.
func (c *tokenRevokeCmd) Run(a *app) error {
	if err := isLab(c.Data); err != nil {
		return err
	}
	if err := access.OpenBook(c.Data).Revoke(strings.TrimSpace(c.Name), time.Now().UTC(), login()); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "The token of %s opens nothing any more.\n", strings.TrimSpace(c.Name))
	return nil
}

// login is the name of whoever gives a command at the terminal.
func login() string {
	u, err := user.Current()
	if err != nil {
		return "uid " + strconv.Itoa(os.Getuid())
	}
	return u.Username
}

// tokenLook is how often a lab looks whether tokens were given out or taken back, to note it.
const tokenLook = 5 * time.Second

// noteTokens keeps in the study's audit what was done about tokens, also while no lab ran,
// until ctx ends. That they are valid, or not any more, does not wait for it.
func noteTokens(ctx context.Context, book *access.Book, to *store.Store, log *slog.Logger) {
	tick := time.NewTicker(tokenLook)
	defer tick.Stop()
	noted, failed := 0, ""
	for {
		changes, err := book.Changes()
		if err == nil && len(changes) != noted {
			if err = noteChanges(ctx, changes, to); err == nil {
				noted = len(changes)
			}
		}
		if err != nil && ctx.Err() == nil && err.Error() != failed { // said once, not every time
			failed = err.Error()
			log.Error("note what was done about tokens", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func noteChanges(ctx context.Context, changes []access.Change, to *store.Store) error {
	for _, c := range changes {
		if _, err := to.NoteOnce(ctx, store.Deed{Action: "token", Detail: c.What, Who: c.By, Outcome: "done"}); err != nil {
			return err
		}
	}
	return nil
}

// auditTo keeps the console's log of what was done in the study's file.
func auditTo(s *store.Store) func(context.Context, console.Entry) error {
	return func(ctx context.Context, e console.Entry) error {
		return s.Note(ctx, store.Deed{Session: e.SessionID, Action: e.Action, Detail: e.Detail, Who: e.Who, Role: string(e.Role), Outcome: e.Outcome})
	}
}

// auditOf lists it.
func auditOf(s *store.Store) func(context.Context, int) ([]console.Entry, error) {
	return func(ctx context.Context, n int) ([]console.Entry, error) {
		deeds, err := s.Audit(ctx, n)
		out := make([]console.Entry, len(deeds))
		for i, d := range deeds {
			out[i] = console.Entry{At: d.At, SessionID: d.Session, Action: d.Action, Detail: d.Detail, Who: d.Who, Role: access.Role(d.Role), Outcome: d.Outcome}
		}
		return out, err
	}
}
