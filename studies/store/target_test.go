package store

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"emolab/fusion/eyemovement"
	"emolab/studies/session"
)

// Targets, decisions and the screen come back as they were told, segment by segment.
func TestTargetsAndDecisionsComeBack(t *testing.T) {
	t.Parallel()
	s := open(t)
	h := header(t, "s1")
	h.Segment.Screen, h.Segment.ScreenAssumed = eyemovement.Screen{WidthMM: 344, HeightMM: 194, DistanceMM: 600}, true
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	targets := []session.Target{
		{Purpose: session.ToCalibrate, Step: 1, Round: 0, Index: 0, X: .1, Y: .9, From: origin, Until: origin + 2e9, Err: 17 * time.Millisecond},
		{Purpose: session.ToValidate, Step: 1, Round: 1, Index: 3, X: .5, Y: .5, From: origin + 3e9, Err: time.Millisecond},
		{Purpose: session.ToBreathe, Step: 2, X: math.NaN(), Y: math.NaN(), From: origin + 5e9, Until: origin + 9e9},
	}
	for _, v := range targets {
		if err := r.Target(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	decisions := []session.Decision{
		{Step: 1, Round: 0, Choice: session.Redo, Reason: "looked away", How: session.ByOperator, Value: json.RawMessage(`{"mean_deg":2.5}`), At: origin + 3e9},
		{Step: 1, Round: 1, Choice: session.Accept, How: session.ByLimits, At: origin + 4e9},
	}
	for _, v := range decisions {
		if err := r.Decision(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Target(t.Context(), session.Target{Purpose: "dance"}); err == nil {
		t.Error("a target without a purpose that is known was kept")
	}

	kept, err := s.Targets(t.Context(), "s1")
	if err != nil {
		t.Fatal(err)
	}
	var back []session.Target
	for _, v := range kept {
		back = append(back, v.Target)
	}
	if diff := cmp.Diff(targets, back, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
	d := detail(t, s, "s1")
	var said []session.Decision
	for _, v := range d.Decisions {
		said = append(said, v.Decision)
	}
	if diff := cmp.Diff(decisions, said); diff != "" {
		t.Error(diff)
	}
	if got := d.Segments[0]; got.Screen != h.Segment.Screen || !got.ScreenAssumed {
		t.Errorf("the screen came back as %+v, assumed %v", got.Screen, got.ScreenAssumed)
	}
}

// What is known of the light of a video stays as it was first told.
func TestLuminanceIsKeptOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	if got, err := s.Luminance(t.Context(), "aa"); got != nil || err != nil {
		t.Errorf("of a video that nobody measured: %v, %v", got, err)
	}
	want := make([]float64, 100)
	for i := range want {
		want[i] = float64(i) / 128
	}
	if err := s.AddLuminance(t.Context(), "aa", want); err != nil {
		t.Fatal(err)
	}
	if err := s.AddLuminance(t.Context(), "aa", make([]float64, 101)); err != nil {
		t.Fatal(err)
	}
	got, err := s.Luminance(t.Context(), "aa")
	if err != nil || !slices.Equal(got, append(want, 0)) {
		t.Errorf("came back as %v, %v", got, err)
	}
	for _, wrong := range []float64{-.1, 1.1, math.NaN()} {
		if err := s.AddLuminance(t.Context(), "bb", []float64{wrong}); err == nil {
			t.Errorf("a luminance of %v was kept", wrong)
		}
	}
	if err := byHand(s, "UPDATE stimulus_luminance SET luminance = 0"); err == nil {
		t.Error("what was measured of a video was rewritten")
	}
}
