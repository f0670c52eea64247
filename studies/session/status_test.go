package session

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"emolab/studies/study"
)

// encoded is all of a status that points to something.
func encoded(s Status) []byte {
	var all []byte
	for _, part := range []any{s.Plan, s.Streams, s.Alarms, s.Check, s.Drift, s.Eyes, s.Screen, s.Recovered, s.LastOutcome, s.Readiness, s.Usable, s.Marks} {
		b, err := json.Marshal(part)
		if err != nil { // a number that JSON does not have
			b = []byte(err.Error())
		}
		all = append(all, b...)
	}
	return all
}

// keeps reads one status after the other for as long as the test goes on, and each once more
// a while later: whoever has one may go on reading it, as the console does.
func keeps(t *testing.T, m *Manager, while time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			s := m.Status()
			before := encoded(s)
			_ = wait(ctx, while)
			if after := encoded(s); !bytes.Equal(before, after) {
				t.Errorf("a status has become another one:\n%s\n%s", before, after)
				return
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

func TestAStatusStaysAsItIs(t *testing.T) {
	t.Run("in the checks", func(t *testing.T) {
		inBubble(t, []study.Action{study.Calibrate, study.Breath, study.Validate}, nil, func(v *seating) {
			defer keeps(t, v.Manager, 100*time.Millisecond)()
			v.end()
		})
	})
	t.Run("from the first page to the last", func(t *testing.T) {
		t.Parallel()
		g := newGuest(t)
		defer keeps(t, g.Manager, time.Millisecond)()
		g.filmed(t)
		for range 3 {
			g.beats(t, 1)
			if err := g.Mark(Mark{Kind: PlainMark, Source: "console"}); err != nil {
				t.Error(err)
			}
		}
		g.stop(t)
		g.at(t, leaveSheet)
		g.says(study.Answers{study.LeaveKey: "keep"})
		g.at(t, leftSheet)
		g.says(nil)
		waitFor(t, g.bench)
	})
}
