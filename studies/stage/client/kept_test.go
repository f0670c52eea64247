package client

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"emolab/fusion/instant"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// What was displayed on a connection that was lost is reported before anything that is
// displayed on the next one: also where no ping comes in between.
func TestWhatWasKeptComesFirst(t *testing.T) {
	said := make(chan protocol.Message, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(said)
		up := websocket.Upgrader{}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		say := func(m protocol.Message) {
			b, err := protocol.Encode(m)
			if err == nil {
				err = conn.WriteMessage(websocket.TextMessage, b)
			}
			if err != nil {
				t.Error(err)
			}
		}
		for {
			_, b, err := conn.ReadMessage()
			if err != nil {
				t.Error(err)
				return
			}
			m, err := protocol.DecodePage(b)
			if err != nil {
				t.Error(err)
				return
			}
			said <- m
			switch m := m.(type) {
			case *protocol.Hello:
				say(&protocol.Library{})
				say(&protocol.Plan{Run: 2, Steps: []protocol.Step{{Action: study.Rest, DurationMs: 50}}})
			case *protocol.Ready:
				say(&protocol.Begin{Run: m.Run})
			case *protocol.StepEnded:
				return
			}
		}
	}))
	defer server.Close()

	c := New(Options{URL: server.URL, Clock: instant.Monotonic{}, Study: &study.Study{}})
	c.keep(&protocol.Frames{Run: 1, Presentation: 1, Stimulus: "a", Frames: []protocol.Frame{{Presented: 1}}})
	c.keep(&protocol.Blank{Run: 1, Tick: 7})
	ctx, end := context.WithTimeout(t.Context(), 30*time.Second)
	defer end()
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	var types []string
	for m := range said {
		types = append(types, m.Type())
	}
	end()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	want := []string{"hello", "frames", "blank", "blank", "ready"}
	for i, w := range want {
		if i >= len(types) || types[i] != w {
			t.Fatalf("it says %v, want it to begin with %v", types, want)
		}
	}
}
