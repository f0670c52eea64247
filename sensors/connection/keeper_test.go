package connection_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/serialport"
	"emolab/sensors/serialtest"
)

// echo is a driver whose device says bytes: 'c' connects, 'r' restarts, the rest
// are samples. Its Speak returns what it is told to, or at the end.
type echo struct {
	log   *connection.Log
	speak func(ctx context.Context, w io.Writer) error
}

func (e *echo) Speak(ctx context.Context, w io.Writer) error { return e.speak(ctx, w) }

func (e *echo) Hear(b []byte, arrival instant.Instant) error {
	for _, c := range b {
		switch c {
		case 'c':
			e.log.Connected(arrival, "")
		case 'r':
			return connection.ErrRestarted
		default:
			e.log.Sample(int64(c), arrival, nil)
		}
	}
	return nil
}

// source runs a keeper as a stream.Source.
type source struct{ connection.Keeper }

func (source) Info() []stream.Info { return nil }

func keep(path string, speak func(context.Context, io.Writer) error) source {
	return source{connection.Keeper{
		Streams: []string{"echo"},
		Open: func() (connection.Line, error) {
			return serialport.Open(serialport.Config{Path: path, Clock: instant.Monotonic{}})
		},
		Clock: instant.Monotonic{},
		Begin: func(log *connection.Log) connection.Dialogue { return &echo{log, speak} },
	}}
}

func hello(ctx context.Context, w io.Writer) error {
	if _, err := w.Write([]byte("hello")); err != nil {
		return err
	}
	<-ctx.Done()
	_, _ = w.Write([]byte("bye"))
	return nil
}

func TestRestartKeepsThePort(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, keep(far.Path(), hello))
	far.Take([]byte("hello"))
	far.Send([]byte("c\x01"))
	got.AwaitSamples(1)
	far.Send([]byte("r"))
	far.Take([]byte("byehello")) // nothing was lost between: the port stayed open
	far.Send([]byte("c\x02"))
	got.AwaitSamples(2)
	if n := len(got.Events(stream.Disconnected)); n != 1 {
		t.Errorf("%d Disconnected events, want 1", n)
	}
	got.Stop()
	far.Take([]byte("bye"))
}

// A driver that does not come to an end when its device restarts loses the port, and
// begins on a new one.
func TestRestartOfADriverThatTalksOn(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	k := keep(far.Path(), func(ctx context.Context, w io.Writer) error {
		_, err := w.Write([]byte("hello"))
		for <-ctx.Done(); err == nil; time.Sleep(time.Millisecond) {
			_, err = w.Write([]byte("."))
		}
		return err
	})
	var conversations atomic.Int32
	begin := k.Begin
	k.Begin = func(log *connection.Log) connection.Dialogue {
		conversations.Add(1)
		return begin(log)
	}
	got := serialtest.Record(t, k)
	far.Take([]byte("hello"))
	far.Send([]byte("c\x01r"))
	far.Take([]byte("hello"))
	far.Send([]byte("c\x02"))
	got.AwaitSamples(2)
	if e := got.Events(stream.Disconnected); len(e) != 1 || e[0].Detail != connection.ErrRestarted.Error() {
		t.Errorf("disconnected: %+v", e)
	}
	if n := conversations.Load(); n != 2 {
		t.Errorf("%d conversations, want 2", n)
	}
}

func TestReplug(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, keep(far.Path(), hello))
	for i := range 2 {
		far.Take([]byte("hello"))
		far.Send([]byte("c\x01"))
		got.AwaitSamples(i + 1)
		far.Unplug()
		got.AwaitEvents(stream.Disconnected, i+1)
		far.Plug()
	}
	far.Take([]byte("hello"))
}

func TestSpeakGivesUp(t *testing.T) {
	t.Parallel()
	far := serialtest.Open(t)
	got := serialtest.Record(t, keep(far.Path(), func(context.Context, io.Writer) error {
		return errors.New("no answer")
	}))
	got.AwaitEvents(stream.Disconnected, 1)
	if e := got.Events(stream.Disconnected)[0]; e.Detail != "no answer" {
		t.Errorf("%q, want the driver's own words", e.Detail)
	}
}

// A device that takes no bytes holds up neither the end of Run nor its goroutines.
func TestEndsWithABlockedWrite(t *testing.T) {
	t.Parallel()
	path := serialtest.OpenDeaf(t)
	begun := make(chan struct{})
	got := serialtest.Record(t, keep(path, func(_ context.Context, w io.Writer) error {
		close(begun)
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return err
			}
		}
	}))
	<-begun
	got.Stop()
}
