package console

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// skin is a simulated sensor at 100 Hz that delivers whether anybody has agreed or not.
type skin struct{}

func (skin) Info() []stream.Info {
	return []stream.Info{{ID: "eda", Kind: stream.EDA, Device: "skin", Clock: stream.HostClock, TickHz: 1e9, Rate: 100, Simulated: true,
		Channels: []stream.Channel{{Name: "eda_us", Unit: "µS"}}}}
}

func (skin) Run(ctx context.Context, out chan<- stream.Chunk) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for seq := int64(0); ; seq++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		now := instant.Monotonic{}.Now()
		stream.Send(ctx, out, stream.Chunk{Stream: "eda", Samples: []stream.Sample{{Seq: seq, Tick: int64(now), Arrival: now, Values: []float64{4.5}}}})
	}
}

// shelf is an archive that keeps nothing.
type shelf struct{ session.Archive }

func (shelf) Begin(context.Context, session.Header) (session.Recorder, error) { return paper{}, nil }
func (shelf) Sessions(context.Context) ([]session.Summary, error)             { return nil, nil }
func (shelf) NextRow(context.Context, int) (int, error)                       { return 0, nil }

// paper is a recorder that keeps nothing.
type paper struct{ session.Recorder }

func (paper) Record(context.Context, session.Segment, []stream.Info) error { return nil }
func (paper) Append(context.Context, []stream.Chunk) error                 { return nil }
func (paper) Reached(context.Context, int, instant.Instant) error          { return nil }
func (paper) Stopped(context.Context, string) error                        { return nil }
func (paper) Decline(context.Context, string) error                        { return nil }
func (paper) Seal(context.Context, session.Progress) error                 { return nil }

// none writes no bundle.
type none struct{}

func (none) Export(context.Context, string, session.Progress) (string, error) { return "", nil }

// seat is a participant's screen: it asks for the recording, and then shows a clip until
// the participant leaves.
type seat struct{ left chan struct{} }

func (seat) Connected() bool { return true }
func (seat) Waiting() string { return "" }

func (s seat) Present(ctx context.Context, p session.Presentation) error {
	if err := p.Admit(ctx, s); err != nil {
		return err
	}
	for _, step := range p.Plan.Steps {
		p.Began(step.Index, 0)
		if step.Action == study.Begin {
			if err := p.Procedure(ctx, step, s); err != nil {
				return err
			}
			continue
		}
		select {
		case <-s.left:
			p.Left(0)
		case <-ctx.Done():
		}
		<-ctx.Done()
	}
	return ctx.Err()
}

func (seat) Show(context.Context, float64, float64) (session.Shown, error) {
	return session.Shown{}, nil
}
func (seat) Ask(context.Context, session.Question) (session.Reply, error) {
	return session.Reply{Value: study.Yes}, nil
}
func (seat) Cue(context.Context, string) (session.Shown, error) { return session.Shown{}, nil }

// The server itself holds back what nobody has agreed to: with real devices' chunks, the
// real session and a real WebSocket, in every state of a session.
func TestTheServerSendsOnlyWhatIsRecorded(t *testing.T) {
	const batches = batchesPerSecond // a second of silence
	clock := instant.Monotonic{}
	devices, err := session.NewLab(clock, skin{})
	if err != nil {
		t.Fatal(err)
	}
	here := seat{make(chan struct{})}
	manager, err := session.NewManager(t.Context(), session.Options{
		Clock: clock, Lab: devices, Archive: shelf{}, Stage: here, Bundler: none{}, Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
		Attended: func() bool { return true },
		Study: &study.Study{ID: "s", Stimuli: []study.Stimulus{{ID: "a", Duration: time.Second}}, Flow: []study.Part{{Action: study.Begin},
			{Block: &study.BlockPart{Name: "main", Method: "fixed", Trial: []study.TrialPart{{Action: study.Play}}}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := New(Options{Operator: manager, Feed: devices.Bus(), Streams: devices.Streams(), Clock: clock, Token: testToken})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- devices.Run(ctx) }()
	go func() { ended <- c.Run(ctx) }()
	server := httptest.NewServer(c.Handler())
	t.Cleanup(func() {
		manager.Close()
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		server.Close()
	})
	l := &lab{Console: c, server: server}
	delivered := func(s screen) { // and the screen is told so, and nothing that is measured
		s.await("a sensor at work", func(kind string, text []byte, _ float64, blocks []block) bool {
			if len(blocks) > 0 {
				t.Fatalf("values are sent: %v", blocks[0].values)
			}
			var r report
			if kind != "status" || json.Unmarshal(text, &r) != nil {
				return false
			}
			h := r.Status.Streams[0]
			if r.Status.Live || h.UsableAgeMs != -1 {
				t.Fatalf("the status says too much: %s", text)
			}
			return h.Samples > 50 && h.Connected && h.Rate > 0
		})
	}
	never := func(s screen) {
		for range batches {
			if _, _, _, blocks := s.next(); len(blocks) > 0 {
				t.Fatalf("values are sent: %v", blocks[0].values)
			}
		}
	}

	s := l.view(t)
	delivered(s) // nobody is there
	if _, err := manager.Start(t.Context(), session.Request{Participant: "P1"}); err != nil {
		t.Fatal(err)
	}
	s.await("the wait", func(kind string, text []byte, _ float64, blocks []block) bool {
		if len(blocks) > 0 {
			t.Fatal("values are sent of who has not begun")
		}
		var r report
		return kind == "status" && json.Unmarshal(text, &r) == nil && r.Status.State == session.Prepared && r.Status.Ready
	})
	never(s)
	never(l.view(t))

	begun := ms(clock.Now().Sub(c.hub.origin))
	if err := manager.Begin(session.Beginning{Confirm: "P1"}); err != nil {
		t.Fatal(err)
	}
	if times := s.rows(0, 50); times[0] < begun {
		t.Errorf("values of %v ms are sent, it was begun at %v", times[0], begun)
	}
	l.view(t).rows(0, 10)

	here.left <- struct{}{}
	if _, err := manager.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.await("the page to be told to forget", func(kind string, _ []byte, _ float64, _ []block) bool { return kind == "replay" })
	never(s)
	late := l.view(t)
	delivered(late) // the past is forgotten, too
	never(late)
}
