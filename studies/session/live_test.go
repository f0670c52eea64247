package session

import (
	"context"
	"errors"
	"slices"
	"testing"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/study"
)

// tracker is an eye tracker that delivers nothing.
type tracker struct{}

func (tracker) Info() []stream.Info {
	return []stream.Info{{ID: "gaze", Kind: stream.Gaze, Clock: stream.HostClock, TickHz: 1e9, Rate: 60,
		Channels: []stream.Channel{{Name: "gaze_x"}, {Name: "gaze_y"}, {Name: "gaze_valid"}}}}
}

func (tracker) Run(ctx context.Context, _ chan<- stream.Chunk) error {
	<-ctx.Done()
	return nil
}

// sees tells whether a console may be shown what is measured now, and that the status
// agrees.
func (g *guest) sees(t *testing.T, want bool) {
	t.Helper()
	s := g.Status()
	if live := g.RecordingSince() != 0; live != want || s.Live != want || (s.Eyes != nil) != want || (s.Streams[0].UsableAgeMs >= 0) != want {
		t.Errorf("in state %q (over: %t) live is %t, and the status has live %t, eyes %v, a usable sample %v ms ago",
			s.State, s.Over, live, s.Live, s.Eyes, s.Streams[0].UsableAgeMs)
	}
	if s.Streams[0].AgeMs < 0 || !s.Streams[0].Connected {
		t.Errorf("whether the sensor works is not told: %+v", s.Streams[0])
	}
}

// Nothing of the sensors is anybody's to see but while it is recorded.
func TestOnlyWhatIsRecordedIsShown(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]func(*testing.T, *guest){
		"shown to its end": func(t *testing.T, g *guest) { g.screen.next <- struct{}{}; g.at(t, "receipt") },
		"stops":            func(t *testing.T, g *guest) { g.screen.left <- struct{}{}; g.at(t, leaveSheet) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &guest{rubber: &rubber{}}
			g.bench = newBenchBeside(t, []stream.Source{tracker{}}, func(o *Options) {
				o.Study, o.Codes, o.Eraser = invited, mint{}, g.rubber
				g.rubber.archive = o.Archive.(*memory)
			})
			g.beats(t, 1)
			g.sees(t, false) // nobody is there
			g.arrive(t, "P1")
			g.sees(t, false) // reads
			g.admitted(study.No)
			g.until(t, "the participant to wait", func(s Status) bool { return s.Ready })
			g.sees(t, false) // has agreed, and waits
			asked := g.o.Clock.Now()
			g.begins(t)
			g.until(t, "the first sight", func(s Status) bool { return s.Live })
			g.sees(t, true)
			if since := g.RecordingSince(); since < asked {
				t.Errorf("shown since %v, begun at %v", since, asked)
			}
			ends(t, g)
			g.sees(t, false) // on the last pages
			g.Close()
			g.sees(t, false)
		})
	}
}

// Who declines is never seen.
func TestWhoDeclinesIsNotShown(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	g.says(nil)
	g.screen.answers <- Answer{Declined: true}
	g.at(t, "exit.consent")
	if g.RecordingSince() != 0 || g.Status().Live {
		t.Error("shown on the way out")
	}
}

// From the instant of the stop on nothing is kept, however long the session takes to end.
func TestNothingIsRecordedAfterTheStop(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stops, ends func(*testing.T, *guest)
	}{
		"by the participant": {
			func(t *testing.T, g *guest) { g.screen.left <- struct{}{}; g.at(t, leaveSheet) },
			func(_ *testing.T, g *guest) { g.says(study.Answers{study.LeaveKey: "keep"}); g.says(nil) },
		},
		"by the end of the plan": {
			func(t *testing.T, g *guest) { g.screen.next <- struct{}{}; g.at(t, "receipt") },
			func(_ *testing.T, g *guest) { g.says(nil) },
		},
		"by the operator": {
			func(_ *testing.T, g *guest) { g.end(errStopped) },
			func(*testing.T, *guest) {},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			g.admitted(study.No)
			g.begins(t)
			g.beats(t, 3)
			c.stops(t, g)
			g.beats(t, 5)
			c.ends(t, g)
			if out := waitFor(t, g.bench); out.State != Sealed {
				t.Errorf("outcome %+v", out)
			}
			if n := g.tape.samples["eda"]; n != 3 {
				t.Errorf("%d samples are kept, 3 had come", n)
			}
		})
	}
}

// What belongs to a recording from 100 to 200: what had come by its end, taken since its
// beginning; and all that the participant's screen says of what it showed.
func TestWhatBelongsToTheRecording(t *testing.T) {
	t.Parallel()
	o := &opening{since: 100, screen: map[string]bool{"stimulus": true}}
	samples := func(at ...instant.Instant) (all []stream.Sample) {
		for i := 0; i < len(at); i += 2 {
			all = append(all, stream.Sample{At: at[i], Arrival: at[i+1]})
		}
		return all
	}
	given := samples(90, 99, 95, 105, 100, 110, 0, 111, 195, 200, 195, 201, 205, 205)
	for _, c := range []struct {
		stream string
		until  instant.Instant
		want   []stream.Sample
	}{
		{"eda", 0, samples(100, 110, 0, 111, 195, 200, 195, 201, 205, 205)},
		{"eda", 200, samples(100, 110, 0, 111, 195, 200)},
		{"stimulus", 200, samples(95, 105, 100, 110, 0, 111, 195, 200, 195, 201, 205, 205)},
	} {
		got := o.of(stream.Chunk{Stream: c.stream, Samples: given}, c.until).Samples
		same := func(a, b stream.Sample) bool { return a.At == b.At && a.Arrival == b.Arrival }
		if !slices.EqualFunc(got, c.want, same) {
			t.Errorf("of %s until %d are kept %v, want %v", c.stream, c.until, got, c.want)
		}
	}
}

// Begin and Stop in one moment: there is no recording.
func TestBegunAndStoppedAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		g := newGuest(t)
		g.admitted(study.Yes)
		g.until(t, "the participant to wait", func(s Status) bool { return s.Ready })
		g.mu.Lock()
		g.current.gate <- struct{}{}
		g.current.gate = nil
		g.halt(g.current, errStopped)
		g.mu.Unlock()
		out := waitFor(t, g.bench)
		if out.State != Declined || out.Reason != errStopped.Error() || out.Error != "" {
			t.Fatalf("outcome %+v", out)
		}
		if g.tape.recorded || g.tape.state != Declined || len(g.tape.samples)+len(g.reel.begun) != 0 {
			t.Fatalf("recorded %+v, film %+v", g.tape, g.reel)
		}
	}
}

// The beginning is not lost when the page goes away in the same moment.
func TestBegunAsThePageGoes(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	for range 10 {
		cur := &run{id: g.id, state: Prepared, desk: newDesk(g.o.Clock)}
		d := cur.desk
		go func() {
			d.err = d.write(context.Background(), g.tape, func() []Video { return nil })
			close(d.gone)
		}()
		page, goes := context.WithCancel(t.Context())
		led := make(chan error, 1)
		go func() { led <- (&visit{m: g.Manager, cur: cur, desk: d}).gate(page, study.Step{}, silent{}) }()
		g.until(t, "the participant to wait", func(Status) bool {
			g.mu.Lock()
			defer g.mu.Unlock()
			if cur.gate == nil {
				return false
			}
			cur.gate <- struct{}{}
			goes()
			return true
		})
		if err := <-led; err != nil || cur.state != Recording {
			t.Errorf("the beginning was lost: %v", err)
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}
}

// silent is a surface that shows at once what it is asked to.
type silent struct{}

func (silent) Show(context.Context, float64, float64) (Shown, error) { return Shown{}, nil }

func (silent) Ask(context.Context, Question) (Reply, error) { return Reply{Value: study.Yes}, nil }

func (silent) Cue(context.Context, string) (Shown, error) { return Shown{}, nil }

// A simulated participant's session that goes on before a real camera leads out, and
// records nothing of whoever sits there.
func TestASimulatedSessionRecordsNobody(t *testing.T) {
	t.Parallel()
	g := &guest{rubber: &rubber{}, id: "cut"}
	g.bench = newBenchBeside(t, []stream.Source{camera{simulated: false}}, func(o *Options) {
		o.Study, o.Codes, o.Eraser = invited, mint{}, g.rubber
		m := o.Archive.(*memory)
		g.rubber.archive = m
		g.tape = &tape{archive: m, id: g.id, participant: "P1", state: Recovered, plan: invited, recorded: true, samples: map[string]int{}, steps: []int{4},
			consents: []Consent{{Scope: Traces, Granted: true, How: Simulated}, {Scope: FaceVideo, Granted: true, How: Simulated}}}
		m.sessions = []*tape{g.tape}
	})
	if err := g.Continue(t.Context(), g.id); err != nil {
		t.Fatal(err)
	}
	g.beats(t, 2)
	g.at(t, "exit.consent")
	g.beats(t, 2)
	if g.RecordingSince() != 0 {
		t.Error("is shown")
	}
	g.says(nil)
	if out := waitFor(t, g.bench); out.State != Sealed || out.Reason != "consent" {
		t.Errorf("outcome %+v", out)
	}
	if len(g.tape.samples)+len(g.tape.events)+len(g.reel.begun) != 0 {
		t.Errorf("recorded %+v, film %+v", g.tape, g.reel)
	}
}

// Whoever has gone makes room at once, and a key that was pressed twice starts once.
func TestTheNextOneStartsAtOnce(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	press := 0 // as it was before the first began
	if err := g.Stop(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	second := &run{id: "second", state: Prepared}
	if err := g.begin(second, press, func() (int, error) { return 0, errors.New("begun") }); !errors.Is(err, ErrBusy) {
		t.Errorf("the second of one press: %v", err)
	}
	first := g.id
	id, err := g.Start(t.Context(), Request{Participant: "P1", Again: NewRun})
	if err != nil || id == first {
		t.Errorf("the next session %q after %q: %v", id, first, err)
	}
}

// A withdrawal that is not complete is told in the same words wherever it is told.
func TestAWithdrawalThatIsNotComplete(t *testing.T) {
	t.Parallel()
	want := func(id string) string {
		return "the withdrawal of session " + id + " is not complete: the disk does not answer"
	}
	for name, runs := range map[string]bool{"while it runs": true, "after it": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t)
			g.rubber.refuse = errors.New("the disk does not answer")
			g.admitted(study.No)
			g.begins(t)
			if !runs {
				if err := errors.Join(g.Stop(t.Context(), ""), g.Stop(t.Context(), "")); err != nil {
					t.Fatal(err)
				}
			}
			_, err := g.Withdraw(t.Context(), g.id)
			if err == nil || err.Error() != want(g.id) {
				t.Errorf("answered %v", err)
			}
			if out := g.Status().LastOutcome; out.State != Withdrawn || out.Error != want(g.id) {
				t.Errorf("outcome %+v", out)
			}
		})
	}
}

// What a device said of somebody else's recording is told while there is one only; why it
// does not work is told always.
func TestWhatIsSaidOfARecordingIsWithheld(t *testing.T) {
	t.Parallel()
	m := newMeter(tracker{}.Info()[0])
	for kind, want := range map[stream.EventKind]string{stream.Marker: "", stream.Disconnected: "words"} {
		m.add(stream.Chunk{Events: []stream.Event{{Kind: kind, At: 1, Detail: "words"}}})
		s := Status{Streams: []Health{m.read(2)}}
		if before := s.Streams[0].Remark; before != "words" {
			t.Errorf("%s: in a recording %q is told", kind, before)
		}
		s.withhold()
		if got := s.Streams[0].Remark; got != want {
			t.Errorf("%s: %q is told, want %q", kind, got, want)
		}
	}
}

// stamped is a camera that tells when each of its frames was taken.
type stamped struct {
	clock instant.Clock
	taken chan instant.Instant
}

func (s *stamped) Info() []stream.Info {
	return []stream.Info{{ID: "face", Kind: stream.Face, Clock: stream.HostClock, TickHz: 1e9, Simulated: true}}
}

func (s *stamped) Run(ctx context.Context, out chan<- stream.Chunk) error {
	for seq := int64(0); ; seq++ {
		select {
		case at := <-s.taken:
			stream.Send(ctx, out, stream.Chunk{Stream: "face", Samples: []stream.Sample{{Seq: seq, Tick: int64(at), Arrival: s.clock.Now()}}})
		case <-ctx.Done():
			return nil
		}
	}
}

// A frame that was on its way through the nets when the recording began was taken before
// it, and is none of it.
func TestAFrameOfBeforeTheBeginningIsNotRecorded(t *testing.T) {
	t.Parallel()
	eye := &stamped{instant.Monotonic{}, make(chan instant.Instant)}
	g := &guest{rubber: &rubber{}}
	g.bench = newBenchBeside(t, []stream.Source{eye}, func(o *Options) {
		o.Study, o.Codes, o.Eraser = invited, mint{}, g.rubber
		g.rubber.archive = o.Archive.(*memory)
	})
	g.arrive(t, "P1")
	g.admitted(study.No)
	g.begins(t)
	g.until(t, "the first sight", func(s Status) bool { return s.Live })
	since := g.RecordingSince()
	frames := []instant.Instant{since - 50e6, since - 1, since, since + 1}
	g.heard(t, "face", len(frames), func() {
		for _, at := range frames {
			eye.taken <- at
		}
	})
	g.Close()
	if face, joined := g.tape.samples["face"], g.tape.samples[trace.ID]; face != 2 || joined > 2 {
		t.Errorf("%d frames and %d rows of the trace are kept, 2 were taken since the beginning", face, joined)
	}
}
