package store

import (
	"path/filepath"
	"slices"
	"testing"

	"emolab/studies/session"
)

// What the console showed is known to a session that goes on, also to one that had not begun
// to record; and the audit says when it was changed, and why.
func TestBlindnessGoesOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		said []bool
		want bool
	}{{nil, false}, {[]bool{true}, true}, {[]bool{true, false}, false}, {[]bool{true, false, true}, true}} {
		s := open(t)
		r := intake(t, s, "s1")
		for _, on := range c.said {
			if err := r.Blind(t.Context(), on, "a reason"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		h := intakeHeader(t, "s1")
		if _, back, err := s.Resume(t.Context(), "s1", h.Study.Hash, h.Segment, lab(t)); err != nil || back.Blind != c.want {
			t.Errorf("after %v the console is blind: %t, %v", c.said, back.Blind, err)
		}
	}
	s := open(t)
	r := begin(t, s, "s1")
	for i, err := range []error{r.Blind(t.Context(), true, ""), r.Blind(t.Context(), false, "sound checked")} {
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	said, err := texts(t.Context(), s.read, "SELECT detail FROM audit WHERE session_id = 's1' AND action = 'blind' ORDER BY n")
	if want := []string{"on", "off: sound checked"}; err != nil || !slices.Equal(said, want) {
		t.Errorf("the audit says %q, %v", said, err)
	}
}

// A session that somebody has stopped is stopped after the program was killed too. Of any
// other reason nothing is left in one that goes on: it may yet be whole.
func TestAStopOutlivesTheProgram(t *testing.T) {
	t.Parallel()
	const stopped = "stopped by the operator: fire drill"
	for reason, want := range map[string]string{stopped: stopped, "the disk is nearly full: 900 MB left": "", "left before the end": ""} {
		path := filepath.Join(t.TempDir(), "study.db")
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		r := begin(t, s, "s1")
		appendAll(t, r, run(lab(t)[0], 0, 200))
		for range 2 { // as it is stopped, and as it is closed
			if err := r.Stopped(t.Context(), reason); err != nil {
				t.Fatal(err)
			}
		}
		if said, err := texts(t.Context(), s.read, "SELECT detail FROM audit WHERE action = 'stop'"); err != nil || !slices.Equal(said, []string{reason}) {
			t.Errorf("the audit says %q, %v", said, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openAt(t, path)
		if d := detail(t, s, "s1"); d.State != session.Recovered || d.Reason != reason {
			t.Errorf("it is %s: %q", d.State, d.Reason)
		}
		h := header(t, "s1")
		_, back, err := s.Resume(t.Context(), "s1", h.Study.Hash, h.Segment, lab(t))
		if err != nil || back.Stopped != want || detail(t, s, "s1").Reason != want {
			t.Errorf("of %q is left %q, %v", reason, back.Stopped, err)
		}
	}
}

// One that was stopped before it recorded, and cut off then, is closed for that reason.
func TestWhatWasStoppedBeforeIsDeclined(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{"stopped by the operator": "stopped by the operator", "": cutOff} {
		s := open(t)
		if err := intake(t, s, "s1").Stopped(t.Context(), reason); err != nil {
			t.Fatal(err)
		}
		if err := s.recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Seal(t.Context(), "s1", nil); err != nil {
			t.Fatal(err)
		}
		if d := detail(t, s, "s1"); d.State != session.Declined || d.Reason != want {
			t.Errorf("stopped for %q it is %s: %q", reason, d.State, d.Reason)
		}
	}
}
