package stage_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
)

// Columns of the stimulus stream.
const (
	presentation = iota
	frame
	mediaNs
	presentedFrames
	rectX
	rectY
	rectW
	rectH
)

func TestColumns(t *testing.T) {
	infos := stage.New(stage.Options{Clock: instant.Monotonic{}}).Info()
	if len(infos) != 1 || infos[0].ID != "stimulus" || infos[0].Kind != stream.Stimulus ||
		infos[0].Clock != stream.PingedClock || infos[0].TickHz != 1e6 || infos[0].Simulated {
		t.Fatalf("info %+v", infos)
	}
	var names []string
	for _, c := range infos[0].Channels {
		names = append(names, c.Name)
	}
	want := "presentation frame media_ns presented_frames rect_x rect_y rect_w rect_h"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	if !stage.New(stage.Options{Clock: instant.Monotonic{}, Simulated: true}).Info()[0].Simulated {
		t.Error("a simulated stage does not say so")
	}
}

func TestWholePlan(t *testing.T) {
	t.Parallel()
	st := shortStudy(t, 12, 15)
	l := newLab(t, stage.Options{Simulated: true})
	show := l.present(st, 0) // before any client is there
	truth := script.NewTruth(script.New(1), 0)
	l.play(client.Options{
		Study: st, Offset: 3 * time.Second, DriftPPM: 200,
		Power: func(at0 instant.Instant, tick0 int64, ns float64) {
			truth.Power(script.Clock{Stream: "stimulus", At0: at0, Tick0: tick0, NsPerTick: ns})
		},
	})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("steps began in the order %v", got)
	}

	samples, _ := l.samples()
	next := []int{0, 0} // frame expected of each presentation
	for i, s := range samples {
		if s.Seq != int64(i) {
			t.Fatalf("sample %d has sequence number %d", i, s.Seq)
		}
		if i > 0 && s.Tick < samples[i-1].Tick && samples[i-1].Values[presentation] != 0 {
			t.Fatalf("sample %d goes back from tick %d to %d", i, samples[i-1].Tick, s.Tick)
		}
		p := int(s.Values[presentation])
		if p == 0 {
			for _, v := range s.Values[1:] {
				if !math.IsNaN(v) {
					t.Fatalf("a row without stimulus has values %v", s.Values)
				}
			}
			continue
		}
		m := st.Stimuli[p-1]
		k := next[p-1]
		next[p-1]++
		if got := int(s.Values[frame]); got != k {
			t.Fatalf("presentation %d shows frame %d, want %d", p, got, k)
		}
		if got := time.Duration(s.Values[mediaNs]); (got - m.FrameTimes[k]).Abs() > time.Microsecond {
			t.Fatalf("frame %d at media time %s, want %s", k, got, m.FrameTimes[k])
		}
		if int(s.Values[presentedFrames]) != k+1 {
			t.Fatalf("frame %d counted as %g", k, s.Values[presentedFrames])
		}
		if r := s.Values[rectX:]; r[1] != .05 || r[3] != .9 || math.Abs(2*r[0]+r[2]-1) > 1e-9 || r[2] >= r[3] {
			t.Fatalf("picture at %v", r)
		}
	}
	if !slices.Equal(next, []int{12, 15}) {
		t.Errorf("displayed %v frames, want [12 15]", next)
	}
	if last := samples[len(samples)-1]; last.Values[presentation] != 0 {
		t.Error("the stream ends with a stimulus on the screen")
	}

	l.until("the burst of clock pings is answered", func() bool { return len(l.probes()) >= 16 })
	clock, ok := truth.Clock("stimulus", math.MaxInt64)
	if !ok {
		t.Fatal("the client did not report its clock")
	}
	const grain = 5 * time.Microsecond
	for _, p := range l.probes() {
		// Whatever the load, a ping is read after it was asked and answered
		// before the answer came.
		if rx, tx := clock.At(p.Rx).Add(grain), clock.At(p.Tx); rx < p.T0 || tx > p.T3 || p.Tx < p.Rx {
			t.Errorf("ping out of order: asked %d, read %d, answered %d, came %d", p.T0, rx, tx, p.T3)
		}
	}
	checkAligned(t, l, clock)
	if !l.said(stream.Marker, client.Agent) {
		t.Errorf("no marker names the client: %v", l.events(stream.Marker))
	}
}

// checkAligned puts the stream on the lab clock as a recording does, and
// compares it with the client's true clock.
func checkAligned(t *testing.T, l *lab, clock script.Clock) {
	t.Helper()
	var stamps []align.Stamp
	var pings []align.Ping
	for _, c := range l.all() {
		stamps, pings = align.Stamps(stamps, c), align.Pings(pings, c)
	}
	line, err := align.Fit(l.server.Info()[0], stamps, pings)
	if err != nil {
		t.Fatal(err)
	}
	worst, bound := time.Duration(0), time.Duration(0)
	for _, s := range stamps {
		at, err := line.At(s.Epoch, s.Tick)
		off := at.Sub(clock.At(s.Tick)).Abs()
		if off > err+10*time.Microsecond { // the grain of the clock, twice
			t.Errorf("tick %d is %s off, beyond its bound %s", s.Tick, off, err)
		}
		worst, bound = max(worst, off), max(bound, err)
	}
	t.Logf("%d rows, %d pings: at most %s off, bound at most %s", len(stamps), len(pings), worst, bound)
}

func TestUnreportedFramesAreCounted(t *testing.T) {
	t.Parallel()
	st := shortStudy(t, 60)
	l := newLab(t, stage.Options{Simulated: true})
	l.play(client.Options{Study: st, Unreported: .3, Seed: 7})
	if err := l.present(st, 0).end(); err != nil {
		t.Fatal(err)
	}
	samples, _ := l.samples()
	reported, skipped, seq := 0, int64(0), int64(-1)
	for _, s := range samples {
		skipped += s.Seq - seq - 1
		seq = s.Seq
		if s.Values[presentation] != 0 {
			reported++
			if int(s.Values[frame]) != int(s.Values[presentedFrames])-1 {
				t.Fatalf("frame %g counted as %g", s.Values[frame], s.Values[presentedFrames])
			}
		}
	}
	var lost int64
	for _, e := range l.events(stream.Lost) {
		lost += e.Count
	}
	// Frames after the last reported one cannot be known to be missing.
	if lost != skipped || lost == 0 || reported+int(lost) > 60 || reported+int(lost) < 50 {
		t.Errorf("%d reported, %d events of loss, %d sequence numbers skipped, of 60 frames", reported, lost, skipped)
	}
}

func TestLostConnectionRepeatsTheStep(t *testing.T) {
	t.Parallel()
	const long = 150 // frames, so that it still plays when the connection is cut
	st := shortStudy(t, 10, long, 10)
	l := newLab(t, stage.Options{Simulated: true})
	l.play(client.Options{Study: st})
	show := l.present(st, 0)
	show.reached(4) // plays the second clip
	l.until("frames of the second clip come", func() bool {
		s, _ := l.samples()
		return len(s) > 0 && s[len(s)-1].Values[presentation] == 2
	})
	l.line.cut()
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 2, 3, 4, 4, 5, 6, 7, 8}) {
		t.Errorf("steps began in the order %v", got)
	}
	samples, epochs := l.samples()
	if i := slices.IndexFunc(epochs, func(e int) bool { return e != 0 }); i >= 0 {
		t.Errorf("the same page got epoch %d", epochs[i])
	}
	whole := 0 // frames of the second clip that were shown without interruption
	for _, s := range samples {
		if s.Values[presentation] != 2 {
			continue
		}
		if s.Values[frame] == 0 {
			whole = 0
		}
		whole++
	}
	if whole != long {
		t.Errorf("the repeated clip shows %d frames, want %d", whole, long)
	}
	if len(l.events(stream.Disconnected)) != 1 || len(l.events(stream.Connected)) != 2 || !l.said(stream.Marker, "step 4 was interrupted") {
		t.Errorf("events: %v %v %v", l.events(stream.Disconnected), l.events(stream.Connected), l.events(stream.Marker))
	}
}

func TestReloadedPageIsANewEpoch(t *testing.T) {
	t.Parallel()
	st := shortStudy(t, 10, 150) // it still plays when the page goes
	l := newLab(t, stage.Options{Simulated: true})
	stop := l.play(client.Options{Study: st})
	show := l.present(st, 2) // from the first rest
	show.reached(4)
	stop()
	l.until("the page is gone", func() bool { return !l.server.Connected() })
	l.play(client.Options{Study: st, Offset: time.Hour})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{2, 3, 4, 4, 5}) {
		t.Errorf("steps began in the order %v", got)
	}
	samples, epochs := l.samples()
	for i, e := range epochs {
		want := 0
		if samples[i].Tick > time.Hour.Microseconds() {
			want = 1
		}
		if e != want {
			t.Fatalf("sample %d at tick %d is in epoch %d, want %d", i, samples[i].Tick, e, want)
		}
		if i > 0 && samples[i].Seq <= samples[i-1].Seq {
			t.Fatalf("sequence numbers go from %d to %d", samples[i-1].Seq, samples[i].Seq)
		}
	}
}

func TestStopBlanksTheScreen(t *testing.T) {
	st := shortStudy(t, 300)
	l := newLab(t, stage.Options{Simulated: true})
	l.play(client.Options{Study: st})
	show := l.present(st, 0)
	l.until("the clip plays", func() bool {
		s, _ := l.samples()
		return len(s) > 0 && s[len(s)-1].Values[presentation] == 1
	})
	if err := l.server.Present(context.Background(), session.Presentation{Study: st, Plan: st.Plan(0)}); err == nil {
		t.Error("a second plan was taken while one is shown")
	}
	if err := show.stopped(); !errors.Is(err, context.Canceled) {
		t.Errorf("Present returns %v", err)
	}
	if s, _ := l.samples(); s[len(s)-1].Values[presentation] != 0 {
		t.Error("the clip is still on the screen")
	}
	if !l.server.Connected() {
		t.Error("the page went away")
	}
	// And the stage is free for the next.
	if err := l.present(shortStudy(t), 0).end(); err != nil {
		t.Errorf("an empty plan: %v", err)
	}
}

func TestAPageThatCannotPlay(t *testing.T) {
	st := shortStudy(t, 10)
	other := shortStudy(t, 10)
	other.Stimuli[0].SHA256 = strings.Repeat("0", 64)
	l := newLab(t, stage.Options{Simulated: true})
	l.play(client.Options{Study: other})
	err := l.present(st, 0).end()
	if err == nil || !strings.Contains(err.Error(), "a is not in the client's study") {
		t.Errorf("Present returns %v", err)
	}
	if len(l.events(stream.Fault)) == 0 {
		t.Error("the fault is not in the stream")
	}
}

func TestRunEndsWithPagesConnected(t *testing.T) {
	st := shortStudy(t, 300)
	server := stage.New(stage.Options{Clock: instant.Monotonic{}, Study: st, Simulated: true})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := make(chan stream.Chunk) // nobody reads
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, out) }()
	l := &lab{t: t, server: server, news: make(chan struct{})}
	l.http = newTestServer(t, server)
	l.play(client.Options{Study: st})
	l.until("the client holds the stage", server.Connected)
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(deadline):
		t.Fatal("Run does not return")
	}
	if server.Connected() {
		t.Error("a page is still there")
	}
}
