package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/session"
)

// A slip of the hand ends no session: Ctrl-C has to be pressed again within some seconds.
func TestCtrlCIsPressedTwiceWhileAParticipantIsThere(t *testing.T) {
	seated := session.Status{SessionID: "s1", Participant: "P-7", State: session.Recording}
	for _, c := range []struct {
		name   string
		status session.Status
		after  []time.Duration // when it is pressed, each after the one before
		ends   bool
		said   []string // parts of it
	}{
		{name: "nobody is there", after: []time.Duration{0}, ends: true},
		{name: "the session is being closed", status: session.Status{SessionID: "s1", Busy: "sealing"}, after: []time.Duration{0}, ends: true},
		{name: "once", status: seated, after: []time.Duration{0}, said: []string{"Participant P-7 is being recorded. Ctrl-C again within 10 s"}},
		{name: "twice", status: seated, after: []time.Duration{0, insistence - 1}, ends: true, said: []string{"recorded"}},
		{name: "too late", status: seated, after: []time.Duration{0, insistence}, said: []string{"recorded", "recorded"}},
		{name: "too late, and again", status: seated, after: []time.Duration{0, insistence, 1}, ends: true, said: []string{"recorded", "recorded"}},
		{name: "before the recording", status: session.Status{SessionID: "s1", State: session.Prepared}, after: []time.Duration{0}, said: []string{"nothing is recorded yet"}},
		{name: "after it", status: session.Status{SessionID: "s1", State: session.Recording, Over: true}, after: []time.Duration{0}, said: []string{"last pages"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			clock, pressed, said := &instant.Hand{}, make(chan os.Signal), make(chan string, 8)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				awaitInsistence(ctx, clock, pressed, func() session.Status { return c.status }, func(words string) { said <- words })
			}()
			for i, after := range c.after {
				clock.Advance(after)
				pressed <- os.Interrupt
				if i < len(c.said) {
					if words := <-said; !strings.Contains(words, c.said[i]) {
						t.Errorf("it says %q, want %q", words, c.said[i])
					}
				}
			}
			if !c.ends {
				select {
				case <-ended:
					t.Error("it ends")
				default:
				}
				stop()
			}
			<-ended
			if len(said) > 0 {
				t.Errorf("it also says %q", <-said)
			}
		})
	}
}

func TestTokensAreOfALab(t *testing.T) {
	missing, here := t.TempDir()+"/none", t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"new", "--role", "viewer", "--name", "Ann", "--data", missing}, exitFailed, "there is no data folder"},
		{[]string{"list", "--data", missing}, exitFailed, "there is no data folder"},
		{[]string{"revoke", "Ann", "--data", missing}, exitFailed, "there is no data folder"},
		{[]string{"new", "--role", "viewer", "--name", "Ann", "--data", here, "--days", "0"}, exitUsage, "above 0"},
		{[]string{"new", "--role", "viewer", "--name", "Ann", "--data", here, "--days", "NaN"}, exitUsage, "above 0"},
		{[]string{"new", "--role", "viewer", "--name", "Ann", "--data", here, "--days", "1e9"}, exitUsage, "at most"},
		{[]string{"new", "--role", "viewer", "--name", "Ann", "--data", here, "--days", "-1"}, exitUsage, ""},
		{[]string{"new", "--role", "camera", "--name", "Ann", "--data", here}, exitUsage, "viewer"},
		{[]string{"list", "--data", here}, exitFine, "Nobody was given a token"},
		{[]string{"new", "--role", "viewer", "--name", "Ann", "--data", here, "--days", "7"}, exitFine, "opens on this computer only"},
		{[]string{"new", "--role", "viewer", "--name", "Ben", "--data", here, "--address", "https://lab-pc:8800/?token=x"}, exitFine, "https://lab-pc:8800/?token="},
		{[]string{"new", "--role", "viewer", "--name", "Ann", "--data", here}, exitFailed, "has a token already"},
	} {
		code, out, errOut := program(t, slices.Concat([]string{"token"}, c.args)...)
		if code != c.code || !strings.Contains(out+errOut, c.want) {
			t.Errorf("token %q: %d %s%s; want %d with %q", c.args, code, out, errOut, c.code, c.want)
		}
	}
	if _, err := os.Stat(missing); !os.IsNotExist(err) {
		t.Errorf("a folder was made: %v", err)
	}
}
