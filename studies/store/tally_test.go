package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"emolab/studies/session"
	"emolab/studies/study"
)

// A person counts for what they were measured at, and only if their session counts.
func TestCohortByVideoAndBrand(t *testing.T) {
	t.Parallel()
	s := open(t)
	look := func(want, brands []session.Tally) {
		t.Helper()
		c, err := s.Cohort(t.Context(), study.Quota{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, c.Videos); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(brands, c.Brands); diff != "" {
			t.Error(diff)
		}
	}
	// The face is seen in the first clip, b, which is of no brand, and not in the second, a.
	face := study.Rules{UsableShare: .7, FaceConf: .8, MaxSyncMs: 40, NeedsFace: true, NeedsEDA: true, MaxUnusable: 1}
	if err := judged(t, s, "s1", face).Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	look([]session.Tally{{Name: "b", Usable: 1, Shown: 1}, {Name: "a", Shown: 1}}, []session.Tally{{Name: "Maison A", Shown: 1}})
	if err := s.Judge(t.Context(), "s1", false, "somebody else sat there"); err != nil {
		t.Fatal(err)
	}
	look([]session.Tally{{Name: "b", Shown: 1}, {Name: "a", Shown: 1}}, []session.Tally{{Name: "Maison A", Shown: 1}})
}

// Without a modality that is needed all count, for their brand as well.
func TestCohortByBrandWhereTheSkinIsEnough(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := judged(t, s, "s1", study.Rules{UsableShare: .7, FaceConf: .8, MaxSyncMs: 40, NeedsEDA: true}).Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	c, err := s.Cohort(t.Context(), study.Quota{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]session.Tally{{Name: "Maison A", Usable: 1, Shown: 1}}, c.Brands); diff != "" {
		t.Error(diff)
	}
}
