package store

import (
	"slices"
	"testing"
)

// rows of the audit as text, the newest first, without their time.
func deeds(t *testing.T, s *Store) []string {
	t.Helper()
	all, err := s.Audit(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range all {
		if d.At.IsZero() {
			t.Errorf("%+v has no time", d)
		}
		if d.Who != "" {
			out = append(out, d.Session+"|"+d.Action+"|"+d.Who+"|"+d.Role+"|"+d.Outcome)
		}
	}
	return out
}

// What somebody did stays when a participant goes; that it was about them does not.
func TestTheAuditForgetsWhoseSessionItWas(t *testing.T) {
	t.Parallel()
	s := open(t)
	stand(t, s, "20261122-P01", "P01", 0, "18-24", "usable")
	stand(t, s, "s2", "P02", 1, "18-24", "usable")
	for _, d := range []Deed{
		{Session: "20261122-P01", Action: "POST /api/session/stop", Who: "Ann", Role: "operator", Outcome: "200"},
		{Session: "s2", Action: "POST /api/session/judge", Who: "Ann", Role: "operator", Outcome: "200"},
		{Session: "no session's id", Action: "POST /api/session/seal", Who: "Ann", Role: "operator", Outcome: "422"},
		{Action: "POST /api/session/withdraw", Who: "Ann", Role: "operator", Outcome: "begun"},
	} {
		if err := s.Note(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"|POST /api/session/withdraw|Ann|operator|begun", "|POST /api/session/seal|Ann|operator|422", "s2|POST /api/session/judge|Ann|operator|200"}
	if got := deeds(t, s); !slices.Equal(got, append(slices.Clone(want), "20261122-P01|POST /api/session/stop|Ann|operator|200")) {
		t.Errorf("the audit is %q", got)
	}
	if _, err := s.Erase(t.Context(), "20261122-P01", Tombstone{}); err != nil {
		t.Fatal(err)
	}
	// One that comes late, of the session that is erased.
	if err := s.Note(t.Context(), Deed{Session: "20261122-P01", Action: "POST /api/session/stop", Who: "Ben", Role: "operator", Outcome: "200"}); err != nil {
		t.Fatal(err)
	}
	if got := deeds(t, s); !slices.Equal(got, append([]string{"|POST /api/session/stop|Ben|operator|200"}, want...)) {
		t.Errorf("after the erasure the audit is %q", got)
	}
}

func TestWhatWasDoneAboutTokensIsNotedOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	d := Deed{Action: "token", Detail: "token for Ann", Who: "root", Outcome: "done"}
	for i, want := range []bool{true, false, false} {
		if added, err := s.NoteOnce(t.Context(), d); err != nil || added != want {
			t.Errorf("time %d: added %t, %v", i, added, err)
		}
	}
	if got := deeds(t, s); !slices.Equal(got, []string{"|token|root||done"}) {
		t.Errorf("the audit is %q", got)
	}
}
