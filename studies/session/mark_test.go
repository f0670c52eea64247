package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/stream"
	"emolab/studies/alarm"
	"emolab/studies/study"
)

// switched is a photodiode that says of itself what the test lets it say. Nothing but that it
// is gone is ever wrong with it: in the dark it is silent, for however long.
type switched struct{ events chan stream.Event }

func (s *switched) Info() []stream.Info {
	return []stream.Info{{ID: "light", Kind: stream.Light, Device: "switched", Clock: stream.HostClock, TickHz: 1e9,
		Channels: []stream.Channel{{Name: "light_raw"}}}}
}

func (s *switched) Run(ctx context.Context, out chan<- stream.Chunk) error {
	for {
		select {
		case e := <-s.events:
			stream.Send(ctx, out, stream.Chunk{Stream: "light", Events: []stream.Event{e}})
		case <-ctx.Done():
			return nil
		}
	}
}

// marks are the labels that a tape has of the marks of a kind.
func (t *tape) marks(kind MarkKind) (out []string) {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	for _, e := range t.events {
		label, ok := strings.CutPrefix(e, "marks marker ")
		if k, _ := ReadMark(label); ok && k.Kind == kind {
			out = append(out, label)
		}
	}
	return out
}

// alarmed are those that tell of an alarm: "raised, major", "cleared, major".
func (t *tape) alarmed(id string) (out []string) {
	for _, label := range t.marks(AlarmMark) {
		k, _ := ReadMark(label)
		if event, words, ok := strings.Cut(k.Text, ", "+id+": "); ok && words != "" {
			out = append(out, event)
		}
	}
	return out
}

func TestMarks(t *testing.T) {
	b := newBench(t)
	note := Mark{Kind: NoteMark, Text: "coughs\n a lot", Source: "console", AgeMs: 3_600_000 / 60}
	if err := b.Mark(note); !errors.Is(err, ErrNothingRecorded) {
		t.Errorf("before any session: %v", err)
	}
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.until(t, "the recording", func(s Status) bool { return s.Live })
	if err := b.Mark(note); err != nil {
		t.Fatal(err)
	}
	want := "note from console: coughs a lot"
	if got := b.archive.find(id).marks(NoteMark); !slices.Contains(got, want) { // kept when Mark returns
		t.Errorf("kept %q, want %q", got, want)
	}
	since := b.RecordingSince()
	s := b.Status()
	if len(s.Marks) != 1 || s.Marks[0].Text != "coughs a lot" || s.Marks[0].AgeMs > inMs(b.clock.Now().Sub(since)) {
		t.Errorf("shown %+v: a mark cannot be older than its recording", s.Marks)
	}
	for range shownMarks + 1 {
		if err := b.Mark(Mark{Kind: PlainMark, Source: "console"}); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.Status(); len(s.Marks) != shownMarks || s.Marks[0].Kind != PlainMark {
		t.Errorf("%d marks are shown, the first %+v", len(s.Marks), s.Marks[0])
	}
	if err := b.Stop(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := b.Mark(note); !errors.Is(err, ErrNothingRecorded) || len(b.Status().Marks) != 0 {
		t.Errorf("after it: %v, shown %+v", err, b.Status().Marks)
	}
}

// Words take time: a note of what happened during the recording is kept although the
// recording ends while it is written, and nothing that happened after it is.
func TestANoteIsWrittenUntilTheSessionIsClosed(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	note := func(age time.Duration) error {
		return g.Mark(Mark{Kind: NoteMark, Text: "coughs", Source: "console", AgeMs: inMs(age)})
	}
	g.admitted(study.Yes)
	g.until(t, "the wait", func(s Status) bool { return s.Ready })
	if err := note(time.Second); !errors.Is(err, ErrNothingRecorded) {
		t.Errorf("before the recording: %v", err)
	}
	g.begins(t)
	g.until(t, "the film", func(s Status) bool { return s.Video })
	key := g.clock.Now()
	g.stop(t)
	g.at(t, leaveSheet)
	over := g.clock.Now()
	// Mark looks at the clock later than this line, by however much: the note is older still.
	if err := note(g.clock.Now().Sub(key) + deadline); err != nil {
		t.Errorf("begun while it was recorded: %v", err)
	}
	if err := note(0); !errors.Is(err, ErrNothingRecorded) || !strings.Contains(err.Error(), "annotation") {
		t.Errorf("after the recording: %v", err)
	}
	if s := g.Status(); len(s.Marks) != 1 || s.Marks[0].AgeMs < inMs(over.Sub(key)) {
		t.Errorf("shown are %+v", s.Marks)
	}
	g.says(study.Answers{study.LeaveKey: "keep"})
	g.at(t, leftSheet)
	g.says(nil)
	waitFor(t, g.bench)
	if got := g.tape.marks(NoteMark); len(got) != 1 {
		t.Errorf("kept are %q", got)
	}
	if err := note(time.Minute); !errors.Is(err, ErrNothingRecorded) {
		t.Errorf("after the session: %v", err)
	}
}

// Whatever is marked in the moment in which a recording ends is kept or refused, and lies in
// the recording.
func TestMarksAtTheEnd(t *testing.T) {
	t.Parallel()
	for range 10 {
		b := newBench(t)
		id, err := b.Start(t.Context(), Request{Participant: "P1"})
		if err != nil {
			t.Fatal(err)
		}
		b.until(t, "the recording", func(s Status) bool { return s.Live })
		b.mu.Lock()
		cur := b.current
		b.mu.Unlock()
		stopped, taken := make(chan error, 1), 0
		go func() { stopped <- b.Stop(context.Background(), "") }()
		for {
			err := b.Mark(Mark{Kind: PlainMark, Source: "console"})
			if err != nil {
				if !errors.Is(err, ErrNothingRecorded) {
					t.Error(err)
				}
				break
			}
			taken++
		}
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		kept := b.archive.find(id).marked
		if len(kept) != taken {
			t.Errorf("%d marks were taken, %d are kept", taken, len(kept))
		}
		for _, at := range kept {
			if at < cur.live || at > cur.over {
				t.Fatalf("a mark at %d is kept of a recording from %d to %d", at, cur.live, cur.over)
			}
		}
	}
}

func TestWhatIsNoMark(t *testing.T) {
	fine := Mark{Kind: External, Text: "x", Source: "psychopy"}
	if _, err := fine.check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Mark){
		"a kind of ours":       func(k *Mark) { k.Kind = AlarmMark },
		"no kind":              func(k *Mark) { k.Kind = "" },
		"no text":              func(k *Mark) { k.Text = " " },
		"too long":             func(k *Mark) { k.Text = strings.Repeat("x", maxMarkText+1) },
		"no UTF-8":             func(k *Mark) { k.Text = "\xff" },
		"no source":            func(k *Mark) { k.Source = "" },
		"a source with colons": func(k *Mark) { k.Source = "a: b" },
		"our source":           func(k *Mark) { k.Source = ownSource },
		"in the future":        func(k *Mark) { k.AgeMs = -1 },
		"too late":             func(k *Mark) { k.AgeMs = inMs(maxMarkAge) + 1 },
	} {
		k := fine
		change(&k)
		if _, err := k.check(); err == nil {
			t.Errorf("%s: %+v was taken", name, k)
		}
	}
}

// Whatever is a mark can be read from the recording again.
func TestLabels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, err := Mark{
			Kind:   rapid.SampledFrom([]MarkKind{PlainMark, NoteMark, Distraction, Technical, External}).Draw(t, "kind"),
			Text:   rapid.String().Draw(t, "text"),
			Source: rapid.StringMatching(`[a-z][a-zA-Z0-9 ._/-]{0,39}`).Draw(t, "source"),
		}.check()
		if err != nil {
			t.Skip(err)
		}
		if back, ok := ReadMark(k.Label()); !ok || back != k {
			t.Fatalf("%+v is written %q and read %+v", k, k.Label(), back)
		}
	})
	if k, ok := ReadMark("the wall clock was set by 3 s"); ok {
		t.Errorf("other words were read as %+v", k)
	}
}

// A cable that is pulled, seen and put back: each is with the recording.
func TestAlarmsAreRecorded(t *testing.T) {
	t.Parallel()
	plug := &switched{events: make(chan stream.Event)}
	b := newBenchBeside(t, []stream.Source{plug})
	at := func() stream.Event { return stream.Event{Kind: stream.Connected, At: b.clock.Now()} }
	plug.events <- at()
	b.until(t, "the photodiode", func(s Status) bool { return s.Streams[1].Connected })
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.until(t, "the recording", func(s Status) bool { return s.Live })
	state := func(want alarm.State) func(Status) bool {
		return func(s Status) bool {
			return slices.ContainsFunc(s.Alarms, func(a Alarm) bool { return a.ID == "light/disconnected" && a.State == want })
		}
	}
	gone := at()
	gone.Kind = stream.Disconnected
	plug.events <- gone
	b.until(t, "the alarm", state(alarm.Active))
	if err := b.Acknowledge("light/none"); !errors.Is(err, ErrNoAlarm) {
		t.Errorf("an alarm that is not there: %v", err)
	}
	if err := b.Acknowledge("light/disconnected"); err != nil {
		t.Fatal(err)
	}
	b.until(t, "that it was seen", state(alarm.Acknowledged))
	if err := b.Shelve("light/disconnected", maxMarkAge); err != nil {
		t.Fatal(err)
	}
	b.until(t, "the shelf", state(alarm.Shelved))
	plug.events <- at()
	b.until(t, "that it clears", func(s Status) bool {
		return slices.ContainsFunc(s.Alarms, func(a Alarm) bool { return a.ID == "light/disconnected" && a.ClearedMs > 0 })
	})
	if err := b.Stop(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	tape := b.archive.find(id)
	if got, want := tape.alarmed("light/disconnected"), []string{"raised, major", "acknowledged, major", "shelved, major", "cleared, major"}; !slices.Equal(got, want) {
		t.Errorf("recorded %q, want %q", got, want)
	}
	if got := tape.marks(AlarmMark); !slices.Contains(got, "alarm from emolab: raised, major, light/disconnected: Photodiode is not connected") {
		t.Errorf("recorded %q: it does not say what is not connected", got)
	}
}

// The board goes on while nobody asks for a Status.
func TestAlarmsAreLookedForWhenNobodyWatches(t *testing.T) {
	b := newBench(t)
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.until(t, "the recording", func(s Status) bool { return s.Live })
	ctx, stop := context.WithCancel(t.Context())
	watched := make(chan struct{})
	go func() {
		b.Watch(ctx)
		close(watched)
	}()
	b.screen.waiting.Store("a key")
	tape := b.archive.find(id)
	for deadline := b.clock.Now().Add(deadline); len(tape.alarmed("stage/waiting")) == 0 && b.clock.Now() < deadline; {
		if err := wait(t.Context(), lookEvery/10); err != nil {
			t.Fatal(err)
		}
	}
	if got := tape.alarmed("stage/waiting"); !slices.Equal(got, []string{"raised, major"}) {
		t.Errorf("recorded %q of %q", got, tape.marks(AlarmMark))
	}
	stop()
	<-watched
}

func TestAlarmsOfBeforeStandAtTheBeginning(t *testing.T) {
	b := newBench(t)
	b.screen.waiting.Store("a key")
	b.Status()
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.until(t, "the recording", func(s Status) bool { return s.Live })
	if err := b.Stop(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if tape := b.archive.find(id); !slices.Equal(tape.alarmed("stage/waiting"), []string{"lasts, major"}) {
		t.Errorf("recorded %q", tape.marks(AlarmMark))
	}
}
