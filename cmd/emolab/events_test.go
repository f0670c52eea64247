package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/studies/session"
)

func TestParseEvent(t *testing.T) {
	for in, want := range map[string]session.Mark{
		"cue on\r\n":         {Kind: session.External, Text: "cue on", Source: "udp"},
		`{"text": "cue on"}`: {Kind: session.External, Text: "cue on", Source: "udp"},
		`{"text":"x","kind":"technical","source":"psychopy","age_ms":12.5} `: {Kind: session.Technical, Text: "x", Source: "psychopy", AgeMs: 12.5},
	} {
		if got, err := parseEvent([]byte(in)); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"a\nb", "\xff", `{"text": 3}`, `{"text": "x"} {}`, `{"text": "x", "token": "y"}`, `{"text": "x"`, "a\x00b", `{"text": "x", "source": "console"}`} {
		if got, err := parseEvent([]byte(in)); err == nil {
			t.Errorf("%q was read as %+v", in, got)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	for _, in := range []string{"cue on", `{"text": "x", "kind": "external", "source": "psychopy", "age_ms": 1e300}`, "{", "\xff", ""} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := parseEvent(in)
		if err == nil && !bytes.HasPrefix(bytes.TrimSpace(in), []byte("{")) && (m.Text != strings.TrimSpace(string(in)) || m.AgeMs != 0) {
			t.Errorf("%q was read as %+v", in, m)
		}
	})
}

func TestEventsAreForThisComputerOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:8801", ":8801", "192.168.0.1:8801", "localhost", "example.org:8801"} {
		if socket, err := listenEvents(address); err == nil {
			socket.Close()
			t.Errorf("%s was opened", address)
		}
	}
}

// openEvents runs an event port, and gives a socket that sends to it.
func openEvents(t *testing.T, log *slog.Logger, mark func(session.Mark) error) net.Conn {
	t.Helper()
	socket, err := listenEvents("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	p := &eventPort{socket: socket, clock: &instant.Hand{}, mark: mark, log: log}
	go func() { ran <- p.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	out, err := net.Dial("udp", socket.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	return out
}

func TestEventsBecomeMarks(t *testing.T) {
	kept := make(chan session.Mark, 1)
	out := openEvents(t, slog.New(slog.DiscardHandler), func(m session.Mark) error {
		kept <- m
		return nil
	})
	if _, err := out.Write([]byte(`{"text": "cue on", "source": "psychopy", "age_ms": 40}`)); err != nil {
		t.Fatal(err)
	}
	if m := <-kept; m.Kind != session.External || m.Text != "cue on" || m.Source != "psychopy" || m.AgeMs != 40 {
		t.Errorf("kept %+v", m)
	}
}

// told hands on each line of a log.
type told chan string

func (t told) Write(b []byte) (int, error) {
	t <- string(b)
	return len(b), nil
}

func TestRefusedEventsAreCounted(t *testing.T) {
	lines := make(told, 16)
	refused := make(chan struct{}, 4*eventsPerSecond)
	out := openEvents(t, slog.New(slog.NewTextHandler(lines, nil)), func(session.Mark) error {
		refused <- struct{}{}
		return errors.New("nothing is being recorded")
	})
	if _, err := out.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	<-refused
	line := func() string {
		select {
		case line := <-lines:
			return line
		case <-time.After(readyLimit):
			t.Fatal("nothing more is told")
			return ""
		}
	}
	if line := line(); !strings.Contains(line, "events=1 ") || !strings.Contains(line, "nothing is being recorded") {
		t.Errorf("told %q", line)
	}
	if _, err := out.Write(make([]byte, eventBytes+1)); err != nil {
		t.Fatal(err)
	}
	if line := line(); !strings.Contains(line, "longer than") {
		t.Errorf("told %q", line)
	}
	for range 3 * eventsPerSecond {
		if _, err := out.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for tooMany := false; !tooMany; { // by the clock of the test all come in one second
		tooMany = strings.Contains(line(), "a second")
	}
	if n := len(refused); n >= eventsPerSecond {
		t.Errorf("%d of %d at once were taken in", n, 3*eventsPerSecond)
	}
}
