package main

import (
	"errors"
	"math"
	"testing"
	"time"

	"emolab/studies/session"
)

// The cable of the eye tracker comes out while a clip plays, and somebody asks for the clip
// once more: it comes at the end of its block, and the session counts by that. What was said live is what the sealed session says.
func TestAClipIsShownAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("plays a clip twice in real time")
	}
	b := openBench(t, benchOptions{
		flags: virtualFlags{Seed: 3, DriftPPM: 500, Batch: 4 * time.Millisecond, Devices: []string{"gazepoint"}},
		flow:  "[{block: {trial: [play, rest: 2s]}}]",
		gaze:  "{required: true}",
	})
	id, err := b.manager.Start(t.Context(), session.Request{Participant: "P1", Override: "the cable comes out on purpose"})
	if err != nil {
		t.Fatal(err)
	}
	var cable cable
	for _, c := range b.cables {
		cable = c
	}
	// first is what is said of the clip, once it is as it is waited for.
	first := func(what string, is func(session.UsableNow) bool) (u session.UsableNow) {
		t.Helper()
		b.until(what, func(s session.Status) bool {
			if len(s.Usable) == 0 || !is(s.Usable[0]) {
				return false
			}
			u = s.Usable[0]
			return true
		})
		return u
	}
	if err := b.manager.ShowAgain(1); !errors.Is(err, session.ErrNotShownYet) {
		t.Errorf("before it was seen, a clip was shown again: %v", err)
	}
	u := first("the clip", func(u session.UsableNow) bool { return u.Seconds > 0 })
	if err := cable.Unplug(); err != nil {
		t.Fatal(err)
	}
	if u.Stimulus != "silk" || u.Again || u.Low || !u.Offer || u.Asked || len(u.Parts) != 1 || !u.Parts[0].Needed {
		t.Errorf("of a clip that has begun it is said: %+v", u)
	}
	if err := b.manager.ShowAgain(1); err != nil {
		t.Fatal(err)
	}
	if err := b.manager.ShowAgain(1); err != nil {
		t.Errorf("asked twice: %v", err)
	}
	first("most of the clip", func(u session.UsableNow) bool { return u.Seconds > 4.5 })
	if err := cable.Plug(); err != nil {
		t.Fatal(err)
	}
	if u := first("the end of the clip", func(u session.UsableNow) bool { return u.Over }); !u.Low || !u.Asked || u.Offer {
		t.Errorf("of a clip without gaze, asked for again, it is said: %+v", u)
	}
	var told []session.UsableNow
	b.until("the repeat", func(s session.Status) bool {
		told = s.Usable
		return len(told) == 2 && told[1].Over
	})
	// The rest that follows is long enough for all that was measured to have been looked at.
	b.until("the end of the recording", func(s session.Status) bool {
		if len(s.Usable) == 2 {
			told = s.Usable
		}
		return s.SessionID == "" || s.Over
	})
	if again := told[1]; again.Presentation != 2 || !again.Again || again.Low || again.Offer {
		t.Errorf("of the repeat it is said: %+v", again)
	}
	if err := b.manager.ShowAgain(2); !errors.Is(err, session.ErrNotShownYet) {
		t.Errorf("a repeat was shown again: %v", err)
	}
	out, err := b.manager.Wait(t.Context())
	if err != nil || out.State != session.Sealed || out.Error != "" {
		t.Fatalf("session ended as %+v, %v", out, err)
	}
	b.stop()

	s, _ := onlySession(t, b.dir)
	d, err := s.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if p := d.Presentations; len(p) != 2 || p[0].Again != 0 || p[1].Number != 2 || p[1].Stimulus != "silk" || p[1].Again != 1 {
		t.Errorf("presentations %+v", p)
	}
	if d.Usable == nil || !*d.Usable || d.UsableWhy != "shown again, and counted by that: silk" {
		t.Errorf("the session counts as %v: %s", d.Usable, d.UsableWhy)
	}
	sealed, err := s.Usability(t.Context(), id)
	if err != nil || len(sealed) != 2 {
		t.Fatalf("%+v, %v", sealed, err)
	}
	for i, v := range sealed {
		// half a second at the end is looked at with what comes after it
		if live := told[i].Parts[0]; math.Abs(live.UsableS-v.UsableS) > .6 || math.Abs(told[i].Seconds-v.Seconds) > .1 {
			t.Errorf("live %+v of %.2f s, sealed %+v", live, told[i].Seconds, v)
		}
	}
}

// until waits for a status.
func (b *bench) until(what string, is func(session.Status) bool) {
	b.t.Helper()
	late := time.After(readyLimit)
	look := time.NewTicker(pollEvery)
	defer look.Stop()
	for {
		s := b.manager.Status()
		if is(s) {
			return
		}
		select {
		case <-look.C:
		case <-late:
			b.t.Fatalf("waiting for %s: %+v", what, s)
		}
	}
}
