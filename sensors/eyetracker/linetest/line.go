// Package linetest helps to test a driver's dialogue without a clock: a line
// whose reads, and the instants at which they return, the test writes down, and
// what a line can do to its bytes.
package linetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/connection"
	"emolab/sensors/serialtest"
)

// Read is what one read of the line brings.
type Read struct {
	Bytes []byte
	At    instant.Instant
}

// Begin is how a driver begins a conversation.
type Begin = func(*connection.Log) connection.Dialogue

// errEnd is what the line says when all reads are done: the cable is pulled.
var errEnd = errors.New("linetest: the end of the test's bytes")

// Play lets a dialogue hear the reads, and returns what it entered and with which
// error the conversation ended.
func Play(t testing.TB, begin Begin, reads []Read) (*serialtest.Recording, string) {
	t.Helper()
	got := serialtest.Record(t, &player{begin: begin, reads: slices.Clone(reads)})
	got.AwaitEvents(stream.Disconnected, 1)
	got.Stop()
	events := got.Events(stream.Disconnected)
	why := events[0].Detail
	if why == errEnd.Error() {
		why = ""
	}
	return got, why
}

// player is a source that talks once.
type player struct {
	begin Begin
	reads []Read
}

func (p *player) Info() []stream.Info { return nil }

func (p *player) Run(ctx context.Context, out chan<- stream.Chunk) error {
	first := true
	return connection.Keeper{
		Streams: []string{"test"},
		Open: func() (connection.Line, error) {
			if !first {
				return nil, errEnd
			}
			first = false
			return &line{reads: p.reads, closed: make(chan struct{})}, nil
		},
		Clock: still{},
		Begin: p.begin,
	}.Run(ctx, out)
}

// still is a clock of which nothing is asked but the time of the last event.
type still struct{}

func (still) Now() instant.Instant { return instant.Instant(24 * time.Hour) }

type line struct {
	reads  []Read
	once   sync.Once
	closed chan struct{}
}

func (l *line) Read(b []byte) (int, instant.Instant, error) {
	if len(l.reads) == 0 {
		return 0, 0, errEnd
	}
	r := &l.reads[0]
	n := copy(b, r.Bytes)
	at := r.At
	if r.Bytes = r.Bytes[n:]; len(r.Bytes) == 0 {
		l.reads = l.reads[1:]
	}
	return n, at, nil
}

// Write takes whatever the driver says.
func (l *line) Write(b []byte) (int, error) {
	select {
	case <-l.closed:
		return 0, errEnd
	default:
		return len(b), nil
	}
}

func (l *line) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}
