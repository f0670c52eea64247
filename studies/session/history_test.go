package session

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Whatever comes, a history is in order of time, holds what came last, and does not
// grow without bound.
func TestAHistoryIsInOrderAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{keep: time.Second, came: make(chan struct{})}
		at := instant.Instant(time.Hour)
		most := 0
		for i := range rapid.IntRange(1, 800).Draw(t, "samples") {
			step := rapid.SampledFrom([]time.Duration{time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond, 2 * time.Second, -50 * time.Millisecond, -5 * time.Second}).Draw(t, "step")
			at = at.Add(step)
			valid := float64(i % 2)
			h.add([]stream.Sample{{At: at, Values: []float64{float64(i), 7, valid}}}, 0, 1, 2)
			if !slices.IsSorted(h.at) || len(h.at) != len(slices.Compact(slices.Clone(h.at))) {
				t.Fatalf("not in order: %v", h.at)
			}
			last := len(h.at) - 1
			if h.at[last] != at || len(h.a) != len(h.at) || len(h.b) != len(h.at) {
				t.Fatalf("sample at %d was not kept, or not whole", at)
			}
			if got := h.a[last]; valid == 1 && got != float64(i) || valid == 0 && !math.IsNaN(got) {
				t.Fatalf("sample %d has %v", i, got)
			}
			within, _ := slices.BinarySearch(h.at, at.Add(-h.keep))
			most = max(most, len(h.at)-within)
			if len(h.at) > 2*most+2 {
				t.Fatalf("%d samples are kept, %d of the time asked for", len(h.at), most)
			}
		}
		from, until := h.at[0], h.at[len(h.at)/2]
		if got, _, _ := h.between(from, until); len(got) != len(h.at)/2 {
			t.Fatalf("%d of %d samples within the first half", len(got), len(h.at))
		}
		if got, _, _ := h.between(until, from); len(got) != 0 {
			t.Fatalf("%d samples within a time that ends before it begins", len(got))
		}
	})
}

func TestAHistoryIsWaitedForOnlySoLong(t *testing.T) {
	h := &history{keep: time.Second, came: make(chan struct{})}
	if err := h.reached(t.Context(), 5, time.Millisecond); err != nil {
		t.Errorf("waited in vain: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.reached(ended, 5, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	there := make(chan error)
	go func() { there <- h.reached(t.Context(), 5, time.Hour) }()
	h.add([]stream.Sample{{At: 4, Values: []float64{1}}}, 0, -1, -1)
	h.add([]stream.Sample{{At: 5, Values: []float64{1}}}, 0, -1, -1)
	if err := <-there; err != nil {
		t.Errorf("it came: %v", err)
	}
	if h.latest() != 5 {
		t.Errorf("the latest is at %d", h.latest())
	}
}
