package console

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/access"
	"emolab/studies/session"
)

// The JSON messages of the WebSocket; see PROTOCOL.md.

// hello is the first message: what the indices in the batches mean.
type hello struct {
	Type     string        `json:"type"` // "hello"
	Version  int           `json:"version"`
	WindowMs float64       `json:"window_ms"` // how much of the past follows
	Streams  []helloStream `json:"streams"`   // in the order of their indices
	// Console names this page, and Role says what its token may do. A page that comes
	// back says by which name it went (/ws/console?console=ID), and keeps it.
	Console string      `json:"console"`
	Role    access.Role `json:"role"`
}

// to is the hello for one page.
func (h hello) to(console string, who access.Holder) []byte {
	h.Console, h.Role = console, who.Role
	b, err := json.Marshal(h)
	if err != nil {
		panic(fmt.Sprintf("console: strings and numbers are always JSON: %v", err))
	}
	return b
}

type helloStream struct {
	ID        string         `json:"id"`
	Kind      stream.Kind    `json:"kind"`
	Rate      float64        `json:"rate_hz"`
	Simulated bool           `json:"simulated"`
	Channels  []helloChannel `json:"channels"`
}

type helloChannel struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

func newHello(thinners []*thinner) hello {
	h := hello{Type: "hello", Version: wireVersion, WindowMs: ms(history), Streams: []helloStream{}}
	for _, t := range thinners {
		s := helloStream{ID: t.info.ID, Kind: t.info.Kind, Rate: t.info.Rate, Simulated: t.info.Simulated}
		for _, name := range t.names {
			s.Channels = append(s.Channels, helloChannel{name, t.unit(name)})
		}
		h.Streams = append(h.Streams, s)
	}
	return h
}

// report is the state of the lab.
type report struct {
	Type    string         `json:"type"` // "status"
	NowMs   float64        `json:"now_ms"`
	Viewers int            `json:"viewers"`
	Unseen  int64          `json:"unseen_chunks"` // not shown on any screen; the recorder has them
	Pen     penState       `json:"pen"`
	Status  session.Status `json:"status"`
}

func (h *hub) newReport(now instant.Instant, s session.Status) report {
	return report{Type: "status", NowMs: ms(now.Sub(h.origin)), Unseen: h.unseen.Load(), Status: s}
}

// skipNote tells a viewer how many batches it has missed so far; nil for none.
func skipNote(n int64) []byte {
	if n == 0 {
		return nil
	}
	return fmt.Appendf(nil, `{"type":"skipped","batches":%d}`, n)
}

// replayNote tells a page to forget its strips: the recent past follows.
func replayNote(replays bool) []byte {
	if !replays {
		return nil
	}
	return []byte(`{"type":"replay"}`)
}

// faultNote tells a page in words what is wrong with it.
func faultNote(text string) []byte {
	b, err := json.Marshal(struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}{"fault", text})
	if err != nil {
		panic(fmt.Sprintf("console: strings are always JSON: %v", err))
	}
	return b
}

// finite replaces numbers that JSON does not know by -1, which stands for
// "unknown" in all of these fields, and leaves out the channel lists: the
// hello message has those that matter, and a face has 150.
func finite(s session.Status) session.Status {
	fix := func(v *float64) {
		if math.IsNaN(*v) || math.IsInf(*v, 0) {
			*v = -1
		}
	}
	s.Streams = slices.Clone(s.Streams)
	for i := range s.Streams {
		h := &s.Streams[i]
		h.Info.Channels = nil
		for _, v := range []*float64{&h.Rate, &h.AgeMs, &h.UsableAgeMs, &h.Info.Rate, &h.Info.TickHz,
			&h.Clock.DriftPPM, &h.Clock.JitterMs, &h.Clock.BoundMs} {
			fix(v)
		}
	}
	fix(&s.ElapsedMs)
	fix(&s.DiskHours)
	return s
}

// essential is the part of a status that is told the moment it changes: not the
// numbers that always do.
func essential(s session.Status, pen penState) []byte {
	pen.LeftMs = 0
	type link struct {
		ID        string
		Connected bool
	}
	var links []link
	for _, h := range s.Streams {
		links = append(links, link{h.Info.ID, h.Connected})
	}
	var alarms []string
	for _, a := range s.Alarms {
		alarms = append(alarms, a.ID+" "+string(a.Severity)+" "+string(a.State))
	}
	var check []any
	if c := s.Check; c != nil {
		check = []any{c.Step, c.Round, c.Phase, c.Shown, c.Target}
	}
	b, err := json.Marshal([]any{s.State, s.Busy, s.Ready, s.Paused, s.Live, s.Over, s.Stopped, s.SessionID, s.Segment, s.Step, s.Stage, s.Recovered, s.LastOutcome, links, alarms, s.Asked, check, pen,
		s.Confirmed, s.Blind, len(s.Marks), s.Readiness})
	if err != nil {
		return nil // the report itself will fail the same way, and say so
	}
	return b
}
