package store

import (
	"slices"
	"testing"

	"emolab/studies/session"
)

// What was overridden stands in the audit, of a session that is prepared as of one that is
// recorded.
func TestOverridesStandInTheAudit(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := intake(t, s, "s1")
	missing := []session.Readiness{{ID: "device/eda", Text: "Skin-conductance sensor is not connected"}, {ID: "disk", Text: "Too little room"}}
	h := intakeHeader(t, "s1")
	for i, err := range []error{
		r.Override(t.Context(), session.Override{Gate: session.AtStart, Missing: missing, Reason: "a trial"}),
		r.Record(t.Context(), h.Segment, lab(t)),
		r.Override(t.Context(), session.Override{Gate: session.AtBegin, Missing: missing[:1], Reason: "still a trial"}),
	} {
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	said, err := texts(t.Context(), s.read, "SELECT detail FROM audit WHERE session_id = 's1' AND action = 'override' ORDER BY n")
	want := []string{
		"at the start, although: Skin-conductance sensor is not connected; Too little room; because: a trial",
		"at the beginning of the recording, although: Skin-conductance sensor is not connected; because: still a trial",
	}
	if err != nil || !slices.Equal(said, want) {
		t.Errorf("the audit says %q, %v", said, err)
	}
}
