package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"emolab/studies/session"
)

// plug is a cable that notes what becomes of it.
type plug struct {
	mu    sync.Mutex
	notes []string
}

func (p *plug) note(what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes = append(p.notes, what)
	return nil
}

func (p *plug) Unplug() error { return p.note("out") }
func (p *plug) Plug() error   { return p.note("in") }

func (p *plug) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.notes, " ")
}

// In every recording the cables are pulled, and none stays out after it.
func TestCablesArePulledInEachRecording(t *testing.T) {
	t.Parallel()
	gaze, eda := &plug{}, &plug{}
	r := &rig{cables: map[string]cable{"gaze": gaze, "eda": eda}}
	pulls := make([]cablePull, 3)
	for i, text := range []string{"gaze@1ms+1ms", "eda@1ms+1h", "gaze@1h+1ms"} {
		if err := pulls[i].UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.hang(pulls); err != nil {
		t.Error(err)
	}
	if err := r.hang([]cablePull{{Stream: "pulse"}}); err == nil || !strings.Contains(err.Error(), "eda, gaze") {
		t.Errorf("of a sensor that is not there: %v", err)
	}

	var mu sync.Mutex
	var now session.Status
	is := func(s session.Status) {
		mu.Lock()
		defer mu.Unlock()
		now = s
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.pullDuring(ctx, func() session.Status {
			mu.Lock()
			defer mu.Unlock()
			return now
		}, pulls, slog.New(slog.DiscardHandler))
	}()
	await := func(wantGaze, wantEDA string) {
		t.Helper()
		for begun := time.Now(); gaze.said() != wantGaze || eda.said() != wantEDA; time.Sleep(time.Millisecond) {
			if time.Since(begun) > readyLimit {
				t.Fatalf("gaze %q, eda %q; want %q, %q", gaze.said(), eda.said(), wantGaze, wantEDA)
			}
		}
	}
	is(session.Status{State: session.Prepared, SessionID: "a"}) // nothing is pulled yet
	for n := 1; n <= 2; n++ {
		is(session.Status{State: session.Recording, SessionID: fmt.Sprint(n)})
		before := strings.Repeat("out in ", n-1)
		await(before+"out in", before+"out")
		is(session.Status{State: session.Recording, SessionID: fmt.Sprint(n), Over: n == 1}) // over, and in the second run cut off below
		if n == 1 {
			await(before+"out in", before+"out in")
		}
	}
	stop()
	<-ended
	await("out in out in", "out in out in")
}
