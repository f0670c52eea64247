package session

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"emolab/studies/study"
)

// notebook is a log that is read while it is written.
type notebook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notebook) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(b)
}

func (n *notebook) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// The log outlives what is withdrawn, so it says nothing of anybody: not who, not what they
// agreed to or answered, not why they went.
func TestTheLogNamesNobody(t *testing.T) {
	t.Parallel()
	for name, goes := range map[string]func(*testing.T, *guest){
		"declines": func(_ *testing.T, g *guest) { g.says(nil); g.screen.answers <- Answer{Declined: true}; g.says(nil) },
		"is too old": func(_ *testing.T, g *guest) {
			g.says(nil)
			g.says(study.Answers{Traces: study.Yes, FaceVideo: study.Yes})
			g.says(study.Answers{"age": "77", "relation": study.No})
			g.says(nil)
		},
		"deletes": func(t *testing.T, g *guest) {
			g.filmed(t)
			g.screen.left <- struct{}{}
			g.says(study.Answers{study.LeaveKey: study.LeaveDelete})
			g.says(nil)
		},
		"is stopped": func(t *testing.T, g *guest) {
			g.filmed(t)
			g.stop(t)
			g.stop(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &notebook{}
			g := newGuest(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
			if err := g.Stop(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
			g.arrive(t, "ZEBRA42")
			goes(t, g)
			waitFor(t, g.bench)
			text := log.String()
			if !strings.Contains(text, g.id) || !strings.Contains(text, "ended") {
				t.Errorf("the log says nothing of the session:\n%s", text)
			}
			for _, word := range []string{"ZEBRA42", "scope", "grant", FaceVideo, "consent", "screening", "age", "declin", "left", "fire drill"} {
				if strings.Contains(text, word) {
					t.Errorf("the log says %q:\n%s", word, text)
				}
			}
		})
	}
}
