package session

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"emolab/fusion/bus"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// historyDepth is how many chunks may wait for a history, which only copies them.
const historyDepth = 256

// history keeps the latest while of one stream: two channels of it, or one.
type history struct {
	keep  time.Duration
	sub   *bus.Subscription
	ended chan struct{}

	mu   sync.Mutex
	at   []instant.Instant
	a, b []float64     // NaN = not measured
	came chan struct{} // closed and made anew whenever samples have come
}

// follow begins a history of the stream, of channels a and b; b is "" for one
// channel alone. A sample counts only where the channel valid, if the stream has
// it, is 1.
func follow(lab *Lab, info stream.Info, keep time.Duration, a, b, valid string) *history {
	h := &history{
		keep: keep, sub: lab.Bus().Lossless("history of "+info.ID, historyDepth),
		ended: make(chan struct{}), came: make(chan struct{}),
	}
	ia, ib, iv := info.Index(a), info.Index(b), info.Index(valid)
	go func() {
		defer close(h.ended)
		for c := range h.sub.C() {
			if c.Stream == info.ID && len(c.Samples) > 0 {
				h.add(c.Samples, ia, ib, iv)
			}
		}
	}()
	return h
}

// close ends it.
func (h *history) close() {
	h.sub.Close()
	<-h.ended
}

func (h *history) add(samples []stream.Sample, ia, ib, iv int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range samples {
		if n := len(h.at); n > 0 && s.At <= h.at[n-1] {
			// A new epoch that begins before the old one ended: the new one is right.
			i, _ := slices.BinarySearch(h.at, s.At)
			h.at, h.a, h.b = h.at[:i], h.a[:i], h.b[:i]
		}
		a, b := channel(s, ia), channel(s, ib)
		if iv >= 0 && channel(s, iv) != 1 {
			a, b = math.NaN(), math.NaN()
		}
		h.at, h.a, h.b = append(h.at, s.At), append(h.a, a), append(h.b, b)
	}
	if n := len(h.at); n > 0 {
		// What is too old goes when it is half of all, so that little is moved.
		old, _ := slices.BinarySearch(h.at, h.at[n-1].Add(-h.keep))
		if old > n/2 {
			h.at, h.a, h.b = slices.Clone(h.at[old:]), slices.Clone(h.a[old:]), slices.Clone(h.b[old:])
		}
	}
	close(h.came)
	h.came = make(chan struct{})
}

func channel(s stream.Sample, i int) float64 {
	if i < 0 || i >= len(s.Values) {
		return math.NaN()
	}
	return s.Values[i]
}

// reached waits until a sample of that instant or a later one has come, but not
// longer than patience.
func (h *history) reached(ctx context.Context, at instant.Instant, patience time.Duration) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		h.mu.Lock()
		n, came := len(h.at), h.came
		there := n > 0 && h.at[n-1] >= at
		h.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-came:
		case <-late.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// between returns the samples within [from, until).
func (h *history) between(from, until instant.Instant) (at []instant.Instant, a, b []float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, _ := slices.BinarySearch(h.at, from)
	j, _ := slices.BinarySearch(h.at, max(from, until))
	return slices.Clone(h.at[i:j]), slices.Clone(h.a[i:j]), slices.Clone(h.b[i:j])
}

// gaze returns the same as gaze.
func (h *history) gaze(from, until instant.Instant) eyemovement.Gaze {
	at, x, y := h.between(from, until)
	return eyemovement.Gaze{At: at, X: x, Y: y}
}

// latest is the instant of the latest sample; 0 when none has come.
func (h *history) latest() instant.Instant {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.at) == 0 {
		return 0
	}
	return h.at[len(h.at)-1]
}
