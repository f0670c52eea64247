package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/alarm"
)

// deadline is how long a test waits for what must happen.
const deadline = 30 * time.Second

func TestWholeSession(t *testing.T) {
	b := newBench(t)
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.beats(t, 3)
	b.screen.next <- struct{}{}
	b.screen.next <- struct{}{}
	out := waitFor(t, b)
	if out.State != Sealed || out.Bundle != id+".zip" || out.Reason != "" || out.Error != "" {
		t.Errorf("outcome %+v", out)
	}
	tape := b.archive.find(id)
	if tape.state != Sealed || tape.samples["eda"] != 3 || len(tape.steps) != 2 {
		t.Errorf("recorded %+v", tape)
	}
	if s := b.Status(); s.State != "" || s.LastOutcome.SessionID != id {
		t.Errorf("status after the end: %+v", s)
	}
}

func TestStopSealsWhatThereIs(t *testing.T) {
	b := newBench(t)
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.beats(t, 1)
	if err := b.Stop(t.Context(), "fire alarm"); err != nil {
		t.Fatal(err)
	}
	tape := b.archive.find(id)
	if tape.state != Sealed || tape.samples["eda"] != 1 {
		t.Errorf("recorded %+v", tape)
	}
	if !strings.Contains(tape.reason, "fire alarm") {
		t.Errorf("reason %q does not tell why it ended", tape.reason)
	}
	if out := waitFor(t, b); out.State != Sealed || !strings.Contains(out.Reason, "fire alarm") {
		t.Errorf("outcome %+v", out)
	}
	if err := b.Stop(t.Context(), ""); !errors.Is(err, ErrIdle) {
		t.Errorf("stop without a session: %v", err)
	}
}

// A screen that waits for a key holds the session up: nobody would notice.
func TestAScreenThatWaitsIsAnAlarm(t *testing.T) {
	b := newBench(t)
	if _, err := b.Start(t.Context(), Request{Participant: "P1"}); err != nil {
		t.Fatal(err)
	}
	waits := func(a Alarm) bool { return a.ID == "stage/waiting" }
	if s := b.Status(); s.Waiting != "" || slices.ContainsFunc(s.Alarms, waits) {
		t.Errorf("a screen that waits for nothing: %q, alarms %+v", s.Waiting, s.Alarms)
	}
	b.screen.waiting.Store("a key")
	s := b.Status()
	i := slices.IndexFunc(s.Alarms, waits)
	if s.Waiting != "a key" || i < 0 {
		t.Fatalf("a screen that waits for a key: %q, alarms %+v", s.Waiting, s.Alarms)
	}
	want := Alarm{ID: "stage/waiting", Severity: Major, Text: "The participant's screen waits for a key", Advice: "Press any key there.",
		Panel: "stage", State: alarm.Active, ClearedMs: -1, Count: 1}
	if s.Alarms[i] != want {
		t.Errorf("alarm %+v, want %+v", s.Alarms[i], want)
	}
}

func TestOneSessionAtATime(t *testing.T) {
	b := newBench(t)
	if _, err := b.Start(t.Context(), Request{Participant: "P1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Start(t.Context(), Request{Participant: "P2"}); !errors.Is(err, ErrBusy) {
		t.Errorf("second start: %v", err)
	}
	if len(b.archive.sessions) != 1 {
		t.Errorf("%d sessions", len(b.archive.sessions))
	}
}

func TestParticipantCodeIsCheckedFirst(t *testing.T) {
	b := newBench(t)
	for _, code := range []string{"", " ", "../x", "Jane Doe", "-a", strings.Repeat("x", 33)} {
		if _, err := b.Start(t.Context(), Request{Participant: code}); err == nil {
			t.Errorf("code %q was accepted", code)
		}
	}
	if len(b.archive.sessions) != 0 {
		t.Error("a refused start left a session")
	}
}

// A disk that refuses ends the session at once, loudly, and does not hold up
// the lab.
func TestRefusingDiskFailsTheSession(t *testing.T) {
	b := newBench(t)
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.archive.mu.Lock()
	b.archive.refuse = errors.New("no space left on device")
	b.archive.mu.Unlock()
	b.pulse.beat <- struct{}{}
	out := waitFor(t, b)
	if out.State != Failed || !strings.Contains(out.Error, "no space left") {
		t.Errorf("outcome %+v", out)
	}
	if tape := b.archive.find(id); tape.state != Failed || tape.reason == "" {
		t.Errorf("archive says %+v", tape)
	}
	for range 2 * inbox { // the lab still runs
		b.pulse.beat <- struct{}{}
	}
}

func TestContinueFromTheStepReached(t *testing.T) {
	b := newBench(t)
	b.archive.sessions = []*tape{{archive: b.archive, id: "cut", state: Recovered, steps: []int{0, 1}, samples: map[string]int{}}}
	if err := b.findRecovered(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.Status().Recovered; len(got) != 1 || got[0].ID != "cut" {
		t.Fatalf("offered %+v", got)
	}
	if err := b.Continue(t.Context(), "cut"); err != nil {
		t.Fatal(err)
	}
	if s := b.Status(); s.Segment != 1 || s.Participant != "P1" || len(s.Recovered) != 0 {
		t.Errorf("status %+v", s)
	}
	b.screen.next <- struct{}{} // one step is left
	if out := waitFor(t, b); out.State != Sealed {
		t.Errorf("outcome %+v", out)
	}
	if tape := b.archive.find("cut"); len(tape.steps) != 3 || tape.steps[2] != 1 {
		t.Errorf("steps %v", tape.steps)
	}
}

func TestSealRecovered(t *testing.T) {
	b := newBench(t)
	b.archive.sessions = []*tape{{archive: b.archive, id: "cut", state: Recovered}}
	if err := b.Seal(t.Context(), "cut"); err != nil {
		t.Fatal(err)
	}
	if out := waitFor(t, b); out.State != Sealed || out.Bundle != "cut.zip" {
		t.Errorf("outcome %+v", out)
	}
}

// What could not be sealed is not called sealed, and can be tried again.
func TestASealThatFails(t *testing.T) {
	b := newBench(t)
	b.archive.sessions = []*tape{{archive: b.archive, id: "cut", state: Recovered}}
	b.archive.sealing = errors.New("the disk is full")
	if err := b.Seal(t.Context(), "cut"); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("Seal returns %v", err)
	}
	if out := waitFor(t, b); out.State != Recovered || out.Bundle != "" || !strings.Contains(out.Error, "the disk is full") {
		t.Errorf("outcome %+v", out)
	}
	if got := b.Status().Recovered; len(got) != 1 {
		t.Errorf("offered again: %+v", got)
	}

	if _, err := b.Start(t.Context(), Request{Participant: "P1"}); err != nil {
		t.Fatal(err)
	}
	if err := b.Stop(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if out := waitFor(t, b); out.State != Recovered || !strings.Contains(out.Error, "the disk is full") {
		t.Errorf("outcome %+v", out)
	}
}

func TestNothingBeginsAfterClose(t *testing.T) {
	b := newBench(t)
	b.archive.sessions = []*tape{{archive: b.archive, id: "cut", state: Recovered, steps: []int{0}}}
	b.Close()
	if _, err := b.Start(t.Context(), Request{Participant: "P1"}); !errors.Is(err, errClosed) {
		t.Errorf("Start returns %v", err)
	}
	if err := b.Continue(t.Context(), "cut"); !errors.Is(err, errClosed) {
		t.Errorf("Continue returns %v", err)
	}
	if err := b.Seal(t.Context(), "cut"); !errors.Is(err, errClosed) {
		t.Errorf("Seal returns %v", err)
	}
}

// A source that delivers what it has not announced ends the lab, and the others
// are waited for.
func TestAnUnannouncedStreamEndsTheLab(t *testing.T) {
	clock := instant.Monotonic{}
	patient := &pulse{clock: clock, beat: make(chan struct{})}
	lab, err := NewLab(clock, patient, stray{})
	if err != nil {
		t.Fatal(err)
	}
	if err := lab.Run(t.Context()); err == nil || !strings.Contains(err.Error(), `no stream "stray" was announced`) {
		t.Errorf("Run returns %v", err)
	}
}

func waitFor(t *testing.T, b *bench) Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	out, err := b.Wait(ctx)
	if err != nil {
		t.Fatalf("the session did not end: %v", err)
	}
	return out
}
