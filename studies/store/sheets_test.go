package store

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"emolab/studies/session"
	"emolab/studies/study"
)

// The pages of a study are kept with it, as they were when it was first used.
func TestSheetsAreKept(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	asked := []study.Sheet{{ID: "rate.sam", Kind: study.RatingSheet, Heading: study.Text{"fr": "Et ?"}, Body: map[string][]string{"fr": {"Dites."}},
		Go: study.Text{"fr": "Suite"}, Fields: []study.Field{{ID: "sam.valence", Type: study.SAM, Points: 9, Low: study.Text{"fr": "non"}}}}}
	st := &study.Study{ID: "pilot", Hash: "c0ffee", Canonical: []byte("id: pilot\n"), Languages: []string{"fr"}, Sheets: asked}
	begin := func(id string) {
		t.Helper()
		r, err := s.Begin(t.Context(), session.Header{ID: id, Study: st, Participant: "P01", Software: "emolab test",
			Plan: study.Plan{Steps: []study.Step{{Action: study.Fill, Sheet: "consent"}, {Index: 1, Action: study.Begin}}}})
		if err == nil {
			err = r.Decline(t.Context(), "consent")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	begin("s1")
	st.Sheets = []study.Sheet{{ID: "other"}} // of a program with other words
	begin("s2")
	st = &study.Study{ID: "pilot", Hash: "beef", Canonical: []byte("id: pilot\nseed: 2\n")} // made without pages
	begin("s3")
	for id, want := range map[string]Sheets{"s1": {[]string{"fr"}, asked}, "s2": {[]string{"fr"}, asked}, "s3": {}} {
		if got, err := s.Sheets(t.Context(), id); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", id, got, err, want)
		}
	}
	if _, err := s.Sheets(t.Context(), "nobody"); !errors.Is(err, ErrNoSession) {
		t.Errorf("of no session: %v", err)
	}
}
