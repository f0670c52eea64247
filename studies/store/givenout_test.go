package store

import (
	"slices"
	"testing"
)

func TestACopyThatIsGivenOutIsNotedOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	stand(t, s, "s1", "P01", 0, "18-24", "usable")
	stand(t, s, "s2", "P02", 1, "18-24", "usable")
	for _, e := range []Export{
		{Session: "s1", Path: "/data/bundles/s1.zip", SHA256: "aa"},
		{Session: "s2", Path: "/data/bundles/s2.zip", SHA256: "bb", Recipient: "Anna <anna@example.org>"},
	} {
		if err := s.AddExport(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"s1.zip", "s1.zip", "s2.zip", "s2.zip", "bundles", "nothing.zip", ""} {
		if err := s.GivenOut(t.Context(), name, "downloaded"); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
	}
	for id, want := range map[string][]string{
		"s1": {"aa downloaded"}, "s2": {"bb Anna <anna@example.org>", "bb downloaded"},
	} {
		all, err := s.Exports(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range all {
			got = append(got, e.SHA256+" "+e.Recipient)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s was given to %q, want %q", id, got, want)
		}
	}
	said, err := texts(t.Context(), s.read, "SELECT session_id || ': ' || detail FROM audit WHERE action = 'export' AND detail LIKE 'given out%' ORDER BY n")
	if want := []string{"s1: given out: downloaded", "s2: given out: downloaded"}; err != nil || !slices.Equal(said, want) {
		t.Errorf("the audit says %q, %v", said, err)
	}
}

// Who came and was not recorded has had no run.
func TestAVisitWithoutARecordingIsNoRun(t *testing.T) {
	t.Parallel()
	s := open(t)
	stand(t, s, "s1", "P01", 0, "fail", "declined")
	stand(t, s, "s2", "P01", 0, "18-24", "usable")
	stand(t, s, "s3", "P02", 1, "18-24", "usable")
	stand(t, s, "s4", "P03", 1, "18-24", "left")
	if err := s.Move(t.Context(), "s3", "P03", "typed wrongly"); err != nil {
		t.Fatal(err)
	}
	for id, run := range map[string]int{"s2": 1, "s3": 1} {
		if got := detail(t, s, id).Run; got != run {
			t.Errorf("%s is run %d, want %d", id, got, run)
		}
	}
}
