package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/session"
	"emolab/studies/study"
)

// neutralHeader is a session that asks for a face at rest in its step 1.
func neutralHeader(t testing.TB, id string) session.Header {
	h := header(t, id)
	h.Plan.Steps = []study.Step{
		{Index: 0, Action: study.Fixation, Duration: time.Second},
		{Index: 1, Action: study.Neutral, Duration: 4 * time.Second},
		{Index: 2, Action: study.Rest, Duration: time.Second},
	}
	return h
}

// The face at rest is measured in the step that asks for it, the latest time that it
// began, and not where it would be calmest.
func TestTheFaceAtRestIsThatOfItsStep(t *testing.T) {
	t.Parallel()
	s := open(t)
	r, err := s.Begin(t.Context(), neutralHeader(t, "s1"))
	if err != nil {
		t.Fatal(err)
	}
	faced(t, r, 39*time.Second)
	at := func(seconds int) instant.Instant { return origin + instant.Instant(seconds)*1e9 }
	if err := errors.Join(
		r.Reached(t.Context(), 1, at(2)), // broken off by a pause
		r.Reached(t.Context(), 0, at(4)),
		r.Reached(t.Context(), 1, at(24)),
		r.Reached(t.Context(), 2, at(28)),
		r.Seal(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	rest, ok, err := d.Neutral(Final)
	if err != nil || !ok || rest.From < at(24) || rest.Until > at(28) {
		t.Errorf("it was measured from %v until %v, %v, %v", rest.From.Sub(origin), rest.Until.Sub(origin), ok, err)
	}
	if p := string(d.Derivations[1].Parameters); !strings.Contains(p, "was asked for it\"") {
		t.Errorf("the derivation does not say so: %s", p)
	}
	// Another stretch can still be named.
	again, err := s.Rederive(t.Context(), "s1", RederiveOptions{NeutralFrom: time.Second, NeutralUntil: 4 * time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d = detail(t, s, "s1")
	if rest, ok, err := d.Neutral(again.Name); err != nil || !ok || rest.Until > at(4) {
		t.Errorf("named until 4 s, it was measured until %v, %v, %v", rest.Until.Sub(origin), ok, err)
	}
}

// Where nobody was to be seen in that step the face at rest is looked for, and the
// derivation says why.
func TestTheFaceAtRestIsLookedForOtherwise(t *testing.T) {
	t.Parallel()
	s := open(t)
	r, err := s.Begin(t.Context(), neutralHeader(t, "s1"))
	if err != nil {
		t.Fatal(err)
	}
	faced(t, r, 39*time.Second)
	late := origin + instant.Instant(100*time.Second)
	if err := errors.Join(r.Reached(t.Context(), 1, late), r.Seal(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	if _, ok, err := d.Neutral(Final); err != nil || !ok {
		t.Errorf("none was found, %v", err)
	}
	if p := string(d.Derivations[1].Parameters); !strings.Contains(p, "looked for, because the step") {
		t.Errorf("the derivation does not say so: %s", p)
	}
}
