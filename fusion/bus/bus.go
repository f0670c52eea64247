// Package bus carries one stream of chunks to many subscribers, of two sorts.
//
// A lossless subscriber (the recorder) gets every chunk: when its queue is
// full, Publish waits, and the sources behind it wait in turn. A lossy one (a
// screen) never makes anybody wait: what does not fit into its queue is
// dropped, and counted.
package bus

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"emolab/fusion/stream"
)

// ErrClosed is returned by Publish once the bus is closed.
var ErrClosed = errors.New("bus: closed; stop the sources before the bus")

// Bus is safe for concurrent use. Chunks of one publisher reach every
// subscriber in the order of publishing.
type Bus struct {
	closing chan struct{} // closed by Close: tells a waiting Publish why its subscriber went

	mu     sync.Mutex
	subs   []*Subscription
	closed bool
}

// New makes a bus without subscribers.
func New() *Bus { return &Bus{closing: make(chan struct{})} }

// Publish hands c to every subscriber. It waits for lossless subscribers whose
// queue is full, until ctx ends; with room in the queue a chunk is delivered
// even when ctx has ended, so that nothing is lost for the sake of an orderly
// stop. On an error (ctx.Err() or ErrClosed) some subscribers may have c and
// others not.
func (b *Bus) Publish(ctx context.Context, c stream.Chunk) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return ErrClosed
	}
	subs := b.subs // never changed in place, so it can be read without the lock
	b.mu.Unlock()

	for _, s := range subs {
		if err := s.deliver(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// Lossless subscribes with a queue of depth chunks (at least 1) that is never
// overrun. Its owner must keep reading C until it is closed, or Close it.
func (b *Bus) Lossless(name string, depth int) *Subscription {
	return b.subscribe(name, depth, true)
}

// Lossy subscribes with a queue of depth chunks (at least 1). Chunks that find
// it full are dropped and counted.
func (b *Bus) Lossy(name string, depth int) *Subscription {
	return b.subscribe(name, depth, false)
}

func (b *Bus) subscribe(name string, depth int, lossless bool) *Subscription {
	s := &Subscription{
		bus:      b,
		name:     name,
		lossless: lossless,
		queue:    make(chan stream.Chunk, max(depth, 1)),
		gone:     make(chan struct{}),
	}
	b.mu.Lock()
	closed := b.closed
	if !closed {
		b.subs = append(slices.Clip(b.subs), s)
	}
	b.mu.Unlock()
	if closed {
		s.end()
	}
	return s
}

// Close ends all subscriptions: each C still yields what is queued and is then
// closed. A Publish that waits returns ErrClosed. Close may be called twice.
func (b *Bus) Close() {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return
	}
	b.closed = true
	subs := b.subs
	b.subs = nil
	b.mu.Unlock()

	close(b.closing)
	for _, s := range subs {
		s.end()
	}
}

// remove takes s from the list, leaving lists already handed out untouched.
func (b *Bus) remove(s *Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.subs, s); i >= 0 {
		b.subs = slices.Concat(b.subs[:i], b.subs[i+1:])
	}
}

// Subscription is one subscriber's end of the bus.
type Subscription struct {
	bus      *Bus
	name     string
	lossless bool
	dropped  atomic.Int64

	once sync.Once
	gone chan struct{} // closed first, so that no publisher stays in deliver

	// sending is held shared while a publisher may send on queue, and wholly
	// while queue is closed: a send on a closed channel cannot happen.
	sending sync.RWMutex
	ended   bool // guarded by sending
	queue   chan stream.Chunk
}

// Name is the name given at subscribing, for reports.
func (s *Subscription) Name() string { return s.name }

// C yields the chunks. It is closed when the subscription or the bus is.
func (s *Subscription) C() <-chan stream.Chunk { return s.queue }

// Dropped counts the chunks that a lossy subscription missed; 0 for a lossless
// one.
func (s *Subscription) Dropped() int64 { return s.dropped.Load() }

// Close unsubscribes. A publisher that waits for this subscriber goes on
// without it. What is queued can still be read; then C is closed. Close may be
// called twice and from any goroutine.
func (s *Subscription) Close() {
	s.bus.remove(s)
	s.end()
}

func (s *Subscription) end() {
	s.once.Do(func() {
		close(s.gone)
		s.sending.Lock()
		defer s.sending.Unlock()
		s.ended = true
		close(s.queue)
	})
}

func (s *Subscription) deliver(ctx context.Context, c stream.Chunk) error {
	s.sending.RLock()
	defer s.sending.RUnlock()
	if s.ended {
		return s.whyGone()
	}
	select {
	case s.queue <- c:
		return nil
	default:
	}
	if !s.lossless {
		s.dropped.Add(1)
		return nil
	}
	select {
	case s.queue <- c:
		return nil
	case <-s.gone:
		return s.whyGone()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// whyGone is nil when only this subscriber left: the others still get the chunk.
func (s *Subscription) whyGone() error {
	select {
	case <-s.bus.closing:
		return ErrClosed
	default:
		return nil
	}
}
