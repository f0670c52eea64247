package bus

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"emolab/fusion/stream"
)

func chunk(n int) stream.Chunk { return stream.Chunk{Stream: "eda", Epoch: n} }

func drain(s *Subscription) []int {
	var got []int
	for c := range s.C() {
		got = append(got, c.Epoch)
	}
	return got
}

func TestLosslessGetsEverythingInOrder(t *testing.T) {
	b := New()
	s := b.Lossless("recorder", 2)
	var got []int
	var wg sync.WaitGroup
	wg.Go(func() { got = drain(s) })

	const n = 1000
	for i := range n {
		if err := b.Publish(t.Context(), chunk(i)); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	wg.Wait()
	if len(got) != n {
		t.Fatalf("got %d of %d chunks", len(got), n)
	}
	for i, e := range got {
		if e != i {
			t.Fatalf("chunk %d arrived at place %d", e, i)
		}
	}
	if s.Dropped() != 0 {
		t.Errorf("a lossless subscription counts %d dropped", s.Dropped())
	}
}

func TestLossyDropsAndCounts(t *testing.T) {
	b := New()
	screen := b.Lossy("screen", 3)
	for i := range 10 {
		if err := b.Publish(t.Context(), chunk(i)); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	if got := drain(screen); len(got) != 3 || got[0] != 0 || got[2] != 2 {
		t.Errorf("queue holds %v, want the first three", got)
	}
	if screen.Dropped() != 7 {
		t.Errorf("dropped %d, want 7", screen.Dropped())
	}
}

// In a synctest bubble Wait returns when all other goroutines are blocked: that
// proves that Publish waits, without a timer.
func TestPublishWaitsForLossless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New()
		s := b.Lossless("recorder", 1)
		returned := make(chan error, 1)
		go func() {
			_ = b.Publish(t.Context(), chunk(0))
			returned <- b.Publish(t.Context(), chunk(1))
		}()
		synctest.Wait()
		select {
		case <-returned:
			t.Fatal("Publish returned with the queue full")
		default:
		}
		<-s.C()
		if err := <-returned; err != nil {
			t.Fatal(err)
		}
		b.Close()
	})
}

func TestWaitingPublishEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(*Bus, *Subscription, context.CancelFunc)
		want error
	}{
		{"subscriber leaves", func(_ *Bus, s *Subscription, _ context.CancelFunc) { s.Close() }, nil},
		{"bus closes", func(b *Bus, _ *Subscription, _ context.CancelFunc) { b.Close() }, ErrClosed},
		{"context ends", func(_ *Bus, _ *Subscription, cancel context.CancelFunc) { cancel() }, context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				b := New()
				s := b.Lossless("stuck", 1)
				after := b.Lossless("after", 4)
				returned := make(chan error, 1)
				go func() {
					_ = b.Publish(ctx, chunk(0))
					returned <- b.Publish(ctx, chunk(1))
				}()
				synctest.Wait()
				tt.end(b, s, cancel)
				if err := <-returned; !errors.Is(err, tt.want) {
					t.Errorf("Publish returned %v, want %v", err, tt.want)
				}
				b.Close()
				if got := drain(s); len(got) != 1 || got[0] != 0 {
					t.Errorf("the queue held %v at the end, want the first chunk", got)
				}
				if got := drain(after); tt.want == nil && len(got) != 2 {
					t.Errorf("the other subscriber got %v, want both chunks", got)
				}
			})
		})
	}
}

func TestRoomInTheQueueBeatsAnEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := New()
	s := b.Lossless("recorder", 64)
	for i := range 64 {
		if err := b.Publish(ctx, chunk(i)); err != nil {
			t.Fatalf("chunk %d: %v", i, err)
		}
	}
	b.Close()
	if got := drain(s); len(got) != 64 {
		t.Errorf("got %d chunks, want 64", len(got))
	}
}

func TestAfterClose(t *testing.T) {
	b := New()
	b.Close()
	b.Close()
	if err := b.Publish(t.Context(), chunk(0)); !errors.Is(err, ErrClosed) {
		t.Errorf("Publish on a closed bus: %v, want ErrClosed", err)
	}
	s := b.Lossless("late", 1)
	if _, ok := <-s.C(); ok {
		t.Error("a subscription to a closed bus yields a chunk")
	}
	s.Close()
	s.Close()
}

// Publishers, subscribers that come and go, and the end of the bus, all at
// once: the race detector and a hang are what could fail here, and the books
// of a subscriber that stayed must balance.
func TestConcurrentUse(t *testing.T) {
	const publishers, each = 4, 500
	b := New()
	stays := b.Lossless("stays", 8)
	screen := b.Lossy("screen", 1)
	var all, publishing sync.WaitGroup
	var got, seen []int
	all.Go(func() { got = drain(stays) })
	all.Go(func() { seen = drain(screen) })
	for range publishers {
		publishing.Go(func() {
			for i := range each {
				if err := b.Publish(t.Context(), chunk(i)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Go(func() {
		for range 200 {
			s := b.Lossless("passes by", 1) // never read: Close must free the publishers
			s.Close()
		}
	})
	publishing.Wait()
	b.Close()
	all.Wait()
	if len(got) != publishers*each {
		t.Errorf("the lossless subscriber got %d of %d", len(got), publishers*each)
	}
	if n := int64(len(seen)) + screen.Dropped(); n != publishers*each {
		t.Errorf("seen + dropped = %d, published %d", n, publishers*each)
	}
}
