package session

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestBlindBecauseTheStudyAsks(t *testing.T) {
	asks := *twoSteps
	asks.Blind = true
	b := newBench(t, func(o *Options) { o.Study = &asks })
	if s := b.Status(); !s.Blind || !s.BlindByStudy || !b.Blinded() {
		t.Errorf("at the start: %+v", s)
	}
	if err := b.Blind(false, " "); !errors.Is(err, ErrNoReason) {
		t.Errorf("shown again for no reason: %v", err)
	}
	if err := b.Blind(false, strings.Repeat("x", maxReason+1)); err == nil {
		t.Error("a reason of any length")
	}
	if err := b.Blind(false, "the clip does not play"); err != nil {
		t.Fatal(err)
	}
	if b.Blinded() || b.Status().Blind {
		t.Error("still blind")
	}
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	if !b.Blinded() {
		t.Error("the next session is not blind")
	}
	b.until(t, "the recording", func(s Status) bool { return s.Live })
	for _, c := range []struct {
		on     bool
		reason string
	}{{false, "sound\nchecked"}, {false, "once more"}, {true, ""}} {
		if err := b.Blind(c.on, c.reason); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Stop(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	want := []string{"blind from emolab: on", "blind from emolab: off: sound checked", "blind from emolab: on"}
	if got := b.archive.find(id).marks(BlindMark); !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

func TestNotBlindUnlessAsked(t *testing.T) {
	b := newBench(t)
	if s := b.Status(); s.Blind || s.BlindByStudy {
		t.Error("blind by itself")
	}
	if err := b.Blind(true, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Start(t.Context(), Request{Participant: "P1"}); err != nil {
		t.Fatal(err)
	}
	if !b.Blinded() {
		t.Error("what was hidden before the session is shown in it")
	}
}

// What was hidden by hand is hidden again in a session that goes on after the program was
// killed, and what was shown again is not.
func TestBlindnessOutlivesTheProgram(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.Blind(true, ""); err != nil {
		t.Fatal(err)
	}
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.until(t, "the recording", func(s Status) bool { return s.Live })
	for _, on := range []bool{false, true} {
		if err := b.Blind(on, "a look"); err != nil {
			t.Fatal(err)
		}
	}
	recorded := b.archive.find(id)
	b.archive.mu.Lock()
	kept := slices.Clone(recorded.blind) // before the session ends in any way
	b.archive.mu.Unlock()
	if want := []string{"true: ", "false: a look", "true: a look"}; !slices.Equal(kept, want) {
		t.Fatalf("kept are %q, want %q", kept, want)
	}
	for _, c := range []struct {
		kept []string
		want bool
	}{{kept, true}, {kept[:2], false}, {nil, false}} {
		again := newBench(t)
		again.archive.sessions = append(again.archive.sessions, &tape{archive: again.archive, id: "cut", state: Recovered, steps: []int{1}, blind: c.kept, samples: map[string]int{}})
		if again.Blinded() {
			t.Fatal("blind by itself")
		}
		if err := again.Continue(t.Context(), "cut"); err != nil {
			t.Fatal(err)
		}
		if s := again.Status(); s.Blind != c.want || s.BlindByStudy {
			t.Errorf("of %q is left: blind %t", c.kept, s.Blind)
		}
	}
}
