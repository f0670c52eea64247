package serialtest

import (
	"context"
	"sync"
	"testing"

	"emolab/fusion/stream"
)

// Recording collects what a source delivers while it runs.
type Recording struct {
	t    testing.TB
	end  context.CancelFunc
	done sync.WaitGroup

	mu     sync.Mutex
	chunks []stream.Chunk
	err    error // of Run
}

// Record runs a source. It is stopped when the test ends.
func Record(t testing.TB, s stream.Source) *Recording {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	r := &Recording{t: t, end: end}
	out := make(chan stream.Chunk)
	r.done.Go(func() {
		defer close(out)
		err := s.Run(ctx, out)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = err
	})
	r.done.Go(func() {
		for c := range out {
			r.mu.Lock()
			r.chunks = append(r.chunks, c)
			r.mu.Unlock()
		}
	})
	t.Cleanup(r.Stop)
	return r
}

// Stop ends the source, waits for it, and fails the test if it failed.
func (r *Recording) Stop() {
	r.t.Helper()
	r.end()
	r.done.Wait()
	if r.err != nil {
		r.t.Errorf("serialtest: the source failed: %v", r.err)
	}
}

// Chunks returns what came so far.
func (r *Recording) Chunks() []stream.Chunk {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]stream.Chunk(nil), r.chunks...)
}

// Samples returns the samples that came so far.
func (r *Recording) Samples() []stream.Sample {
	var all []stream.Sample
	for _, c := range r.Chunks() {
		all = append(all, c.Samples...)
	}
	return all
}

// Events returns the events of one kind that came so far.
func (r *Recording) Events(kind stream.EventKind) []stream.Event {
	var all []stream.Event
	for _, c := range r.Chunks() {
		for _, e := range c.Events {
			if e.Kind == kind {
				all = append(all, e)
			}
		}
	}
	return all
}

// Total returns the sum of the counts of the events of one kind.
func (r *Recording) Total(kind stream.EventKind) int64 {
	var n int64
	for _, e := range r.Events(kind) {
		n += e.Count
	}
	return n
}

// AwaitSamples waits until at least n samples came.
func (r *Recording) AwaitSamples(n int) {
	r.t.Helper()
	Eventually(r.t, "enough samples", func() bool { return len(r.Samples()) >= n })
}

// AwaitEvents waits until at least n events of a kind came.
func (r *Recording) AwaitEvents(kind stream.EventKind, n int) {
	r.t.Helper()
	Eventually(r.t, "events of kind "+string(kind), func() bool { return len(r.Events(kind)) >= n })
}
