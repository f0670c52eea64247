// Package connection keeps a driver connected to its device: it opens the line,
// lets the driver talk, reports when the cable is pulled, and tries again until
// the device is back. It is written once, for all drivers of serial devices.
package connection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// retryEvery is the pause between two attempts to open a line: shorter than
	// anyone takes to push a plug home, long enough to cost nothing.
	retryEvery = 200 * time.Millisecond

	// farewell is how long Speak gets to say goodbye to the device when the
	// recording ends. A stop command takes a millisecond, and a busy computer may take
	// long to come to it; a device that takes no bytes any more must not hold up the
	// shutdown.
	farewell = 2 * time.Second

	// readSize is more than any driver of a USB adapter hands over at once (4095
	// bytes, the kernel's line buffer).
	readSize = 4096
)

// ErrRestarted is what Hear returns when the device has begun anew on its own: a
// reset, a watchdog. The conversation starts over on the same port.
var ErrRestarted = errors.New("the device restarted")

// Dialogue is one conversation with a device, from the opened port to the pulled
// cable. The driver implements it.
type Dialogue interface {
	// Speak sends what the device must be told: identification, settings, clock
	// pings. It runs in its own goroutine, because writes can block. It returns
	// when ctx ends, after a last word if the device needs one, or with an error
	// when the device does not answer as it should.
	Speak(ctx context.Context, w io.Writer) error
	// Hear takes what one read brought and enters what it means in the Log. b is
	// valid during the call only. An error ends the conversation.
	Hear(b []byte, arrival instant.Instant) error
}

// Line is what a device is talked to through: a serial port, a network socket.
// One goroutine may read and another write at the same time; Close may be called
// from anywhere, any number of times, and ends both.
type Line interface {
	// Read blocks until bytes came, and returns how many and the instant at which
	// it had them. Its error says in words why the device cannot be heard.
	Read(b []byte) (n int, arrival instant.Instant, err error)
	io.Writer
	io.Closer
}

// Keeper keeps one device connected.
type Keeper struct {
	Streams []string // ids of the device's streams, for the chunks; at least one
	Open    func() (Line, error)
	Clock   instant.Clock
	// Begin makes the dialogue of a new conversation, which enters what it hears
	// in log. It is called for each, the log is the same one for all. Of a device
	// that never speaks it enters itself that it is connected.
	Begin func(log *Log) Dialogue
}

// Run talks to the device until ctx ends and then returns nil. What is entered in
// the log is sent to out after each read. An absent device is an Event.
func (k Keeper) Run(ctx context.Context, out chan<- stream.Chunk) error {
	log := newLog(k.Streams...)
	for ctx.Err() == nil {
		err := k.once(ctx, log, out)
		if ctx.Err() != nil {
			return nil
		}
		log.disconnected(k.Clock.Now(), err.Error())
		log.send(ctx, out)
		select {
		case <-time.After(retryEvery):
		case <-ctx.Done():
		}
	}
	return nil
}

// once opens the port and talks until it is lost. It always returns an error.
func (k Keeper) once(ctx context.Context, log *Log, out chan<- stream.Chunk) error {
	port, err := k.Open()
	if err != nil {
		return err
	}
	defer port.Close() // its error could only repeat why the port is given up
	for {
		d := k.Begin(log)
		if !log.send(ctx, out) {
			return ctx.Err()
		}
		err := converse(ctx, port, d, log, out)
		if !errors.Is(err, ErrRestarted) || ctx.Err() != nil {
			return err
		}
		log.disconnected(k.Clock.Now(), err.Error())
		log.send(ctx, out)
	}
}

// converse runs the two halves of one dialogue and returns why it ended. Both
// have ended when it returns. Except after ErrRestarted, the port is closed.
func converse(ctx context.Context, port Line, d Dialogue, log *Log, out chan<- stream.Chunk) error {
	speaking, hush := context.WithCancel(ctx)
	defer hush()
	spoken, heard := make(chan error, 1), make(chan error, 1)
	go func() { spoken <- d.Speak(speaking, port) }()
	go func() { heard <- listen(ctx, port, d, log, out) }()

	var err error
	var hasSpoken, hasHeard bool
	select {
	case err = <-spoken:
		hasSpoken = true
		if err == nil && ctx.Err() == nil {
			err = errors.New("connection: the driver stopped speaking")
		}
	case err = <-heard:
		hasHeard = true
	case <-ctx.Done():
		err = ctx.Err()
	}
	hush()
	if !hasSpoken {
		last := time.NewTimer(farewell)
		defer last.Stop()
		select {
		case <-spoken:
			hasSpoken = true
		case <-last.C:
		}
	}
	if errors.Is(err, ErrRestarted) {
		if hasHeard && hasSpoken {
			return err
		}
		err = errors.New(err.Error()) // the conversation cannot start over on a port that is closed
	}
	// Closing ends whichever half still hangs in the port.
	if cerr := port.Close(); cerr != nil {
		err = fmt.Errorf("%w; %w", err, cerr)
	}
	if !hasSpoken {
		<-spoken
	}
	if !hasHeard {
		<-heard
	}
	return err
}

// listen is the straight line of a byte: read and stamped, understood, sent on.
func listen(ctx context.Context, port Line, d Dialogue, log *Log, out chan<- stream.Chunk) error {
	b := make([]byte, readSize)
	for {
		n, arrival, err := port.Read(b)
		if err != nil {
			return err
		}
		err = d.Hear(b[:n], arrival)
		log.reportFaults(arrival, false)
		if !log.send(ctx, out) {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}
