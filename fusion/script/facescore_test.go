package script

import (
	"math"
	"slices"
	"testing"
	"time"

	"emolab/fusion/instant"
)

func TestBlinkScore(t *testing.T) {
	r := NewTruth(New(3), 7e9).Record()
	from, until := r.Origin, r.Origin.Add(2*r.Script.Period)
	var right []Span
	for round := range 2 {
		for _, b := range r.Script.Blinks {
			at := r.Origin.Add(time.Duration(round)*r.Script.Period + b.At + 20*time.Millisecond)
			right = append(right, Span{at, at.Add(b.Duration)})
		}
	}
	n := len(right)
	shift := func(spans []Span, by time.Duration) []Span {
		out := slices.Clone(spans)
		for i := range out {
			out[i].Onset, out[i].Offset = out[i].Onset.Add(by), out[i].Offset.Add(by)
		}
		return out
	}
	one := []Span{{from, until}} // one blink that never ends
	for _, tc := range []struct {
		name  string
		found []Span
		want  BlinkScore
	}{
		{"all found", right, BlinkScore{n, n, 0, 0, 20}},
		{"none found", nil, BlinkScore{n, 0, n, 0, 0}},
		{"one missed", right[1:], BlinkScore{n, n - 1, 1, 0, 20}},
		{"one invented", append(shift(right[:1], time.Second), right...), BlinkScore{n, n, 0, 1, 20}},
		{"each found twice", append(slices.Clone(right), right...), BlinkScore{n, n, 0, n, 20}},
		{"all a second late", shift(right, time.Second), BlinkScore{n, 0, n, n, 0}},
		{"never open", one, BlinkScore{n, 1, n - 1, 0, float64(r.Script.Blinks[0].At) / 1e6}},
	} {
		if got := r.Blinks(from, until, tc.found); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}

	// A recording that begins and ends within a blink is not asked for those.
	first, last := right[0], right[3]
	cut := r.Blinks(first.Onset, last.Onset, right[:4])
	if want := (BlinkScore{2, 2, 0, 0, 20}); cut != want {
		t.Errorf("cut within two blinks: %+v, want %+v", cut, want)
	}
}

func TestHeadScore(t *testing.T) {
	r := NewTruth(New(5), 2e9).Record()
	var seen []Turned
	for k := range 1500 {
		at := r.Origin.Add(time.Duration(k) * time.Second / 30)
		yaw, pitch, roll := r.Script.Head(at.Sub(r.Origin))
		wrong := float64(k%3) - 1 // -1, 0, 1
		seen = append(seen, Turned{at, yaw, pitch + 4 + wrong, roll - 2 + 3*wrong})
	}
	seen = append(seen, Turned{At: instant.Instant(9e9), YawDeg: math.NaN()})
	got := r.Head(seen)
	if got.Frames != 1500 {
		t.Errorf("%d frames, want 1500", got.Frames)
	}
	for _, tc := range []struct {
		axis      string
		got, want AxisError
	}{
		{"yaw", got.Yaw, AxisError{0, 0, 0}},
		{"pitch", got.Pitch, AxisError{4, 1, 1}},
		{"roll", got.Roll, AxisError{-2, 3, 3}},
	} {
		if max(math.Abs(tc.got.OffsetDeg-tc.want.OffsetDeg), math.Abs(tc.got.MedianDeg-tc.want.MedianDeg), math.Abs(tc.got.P90Deg-tc.want.P90Deg)) > 1e-9 {
			t.Errorf("%s: %+v, want %+v", tc.axis, tc.got, tc.want)
		}
	}
	if got := r.Head(nil); got != (HeadScore{}) {
		t.Errorf("of nothing: %+v", got)
	}
}
