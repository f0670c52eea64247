package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"emolab/fusion/instant"
	"emolab/studies/session"
)

// Events of other programs come in by UDP, one datagram a mark: software that shows
// stimuli has no time to wait for an answer. Nobody says who they are there, so the socket
// is opened on loopback only, and only where it is asked for.

const (
	// eventBytes bounds a datagram: a mark's text and what stands around it.
	eventBytes = 1024
	// eventsPerSecond bounds what is taken in. A program that sends more has a fault, and
	// each is a transaction of the recording.
	eventsPerSecond = 50
	// eventQueue is how many may wait while one is being kept.
	eventQueue = 64
	// refusedEvery is how often it is told what was refused.
	refusedEvery = time.Second
	// socketPause is how long a socket in trouble is left alone: it must not take a
	// processor, nor end the lab.
	socketPause = 100 * time.Millisecond
	// reasons bounds how many reasons are told apart in that time: a program can be wrong in
	// any number of ways.
	reasons = 8
)

// eventPort takes in the events of other programs.
type eventPort struct {
	socket net.PacketConn
	clock  instant.Clock
	mark   func(session.Mark) error
	log    *slog.Logger

	mu      sync.Mutex
	refused map[string]int // since it was told last: how many, by the reason
}

// datagram is what came, and when.
type datagram struct {
	bytes []byte
	at    instant.Instant
}

// listenEvents opens the socket.
func listenEvents(address string) (net.PacketConn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usagef("--events %s: want host:port, for example 127.0.0.1:8801", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, usagef("--events %s: only loopback addresses take events, because anybody in the network could write into the recording; on another computer use POST /api/session/mark", address)
	}
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for events: %w; choose another port with --events", err)
	}
	return socket, nil
}

// run takes in events until ctx ends.
func (p *eventPort) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { p.socket.Close() })
	defer stop()
	arrived := make(chan datagram, eventQueue)
	var keeper sync.WaitGroup
	keeper.Go(func() { p.keep(arrived) })
	err := p.read(arrived)
	close(arrived)
	keeper.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("listen for events: %w", err)
}

// read passes on what comes, until the socket is closed.
func (p *eventPort) read(arrived chan<- datagram) error {
	buffer := make([]byte, eventBytes+1)
	var second instant.Instant // since when is counted
	count := 0
	for {
		n, _, err := p.socket.ReadFrom(buffer)
		at := p.clock.Now() // first thing
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if at.Sub(second) >= time.Second {
			second, count = at, 0
		}
		count++
		switch {
		case err != nil:
			p.refuse(err)
			time.Sleep(socketPause)
			continue
		case n > eventBytes:
			p.refuse(fmt.Errorf("it is longer than %d bytes", eventBytes))
			continue
		case count > eventsPerSecond:
			p.refuse(fmt.Errorf("there are more than %d a second", eventsPerSecond))
			continue
		}
		select {
		case arrived <- datagram{bytes.Clone(buffer[:n]), at}:
		default:
			p.refuse(fmt.Errorf("%d wait already to be kept", eventQueue))
		}
	}
}

// keep keeps the events as marks, and tells now and then what was refused.
func (p *eventPort) keep(arrived <-chan datagram) {
	tick := time.NewTicker(refusedEvery)
	defer tick.Stop()
	defer p.tell()
	for {
		select {
		case d, more := <-arrived:
			if !more {
				return
			}
			m, err := parseEvent(d.bytes)
			if err == nil {
				m.AgeMs += float64(p.clock.Now().Sub(d.at)) / float64(time.Millisecond)
				err = p.mark(m)
			}
			if err != nil {
				p.refuse(err)
			}
		case <-tick.C:
			p.tell()
		}
	}
}

func (p *eventPort) refuse(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	reason := why.Error()
	if _, known := p.refused[reason]; !known && len(p.refused) >= reasons {
		reason = "and in other ways"
	}
	if p.refused == nil {
		p.refused = map[string]int{}
	}
	p.refused[reason]++
}

// tell says what was refused since the last time.
func (p *eventPort) tell() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, why := range slices.Sorted(maps.Keys(p.refused)) {
		p.log.Warn("events of other programs were refused", "events", p.refused[why], "why", why)
	}
	p.refused = nil
}

// eventSource is who says so where the event does not tell.
const eventSource = "udp"

// operatorSource is the source of what the experimenter says at a console. Nobody can be
// asked here whether they are that.
const operatorSource = "console"

// parseEvent reads a datagram: a JSON object with text, kind, source and age_ms, of which
// only the text has to be there, or one line of plain text.
func parseEvent(b []byte) (session.Mark, error) {
	m := session.Mark{Kind: session.External, Source: eventSource}
	b = bytes.TrimSpace(b)
	if !utf8.Valid(b) {
		return m, errors.New("it is not UTF-8")
	}
	if !bytes.HasPrefix(b, []byte("{")) {
		if bytes.ContainsFunc(b, unicode.IsControl) {
			return m, errors.New("it is neither JSON nor one line of text")
		}
		m.Text = string(b)
		return m, nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("its JSON cannot be read: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return m, errors.New("something stands after its JSON object")
	}
	if m.Source == operatorSource {
		return m, errors.New("it says that it comes from the console")
	}
	return m, nil
}
