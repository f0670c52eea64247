package main

import (
	"cmp"
	"context"
	"math"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/serialtest"
	"emolab/sensors/trigger"
	"emolab/sensors/trigger/usbttl"
	"emolab/sensors/virtual"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/study"
)

// marked is one call of Mark.
type marked struct {
	stimulus     string
	presentation int
	onset        instant.Instant
}

// notebook is an emitter that keeps what it is asked for.
type notebook struct {
	mu  sync.Mutex
	got []marked
}

func (n *notebook) Mark(stimulus string, presentation int, onset instant.Instant) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.got = append(n.got, marked{stimulus, presentation, onset})
}

func (n *notebook) marks() []marked {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.got)
}

func (n *notebook) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.got = nil
}

// hidden stands for the presentation of a row that says that it is not known.
const hidden = -1

// row is a row of the stimulus stream.
type row struct {
	epoch, presentation, presented int
}

func (r row) chunk(info stream.Info, at instant.Instant) stream.Chunk {
	values := make([]float64, len(info.Channels))
	for i := range values {
		values[i] = math.NaN()
	}
	if r.presentation != hidden {
		values[info.Index("presentation")] = float64(r.presentation)
	}
	if r.presentation > 0 {
		values[info.Index("presented_frames")] = float64(r.presented)
	}
	return stream.Chunk{Stream: info.ID, Epoch: r.epoch, Samples: []stream.Sample{{At: at, Values: values}}}
}

func TestOnsets(t *testing.T) {
	info := stage.New(stage.Options{Clock: instant.Monotonic{}}).Info()[0]
	for name, c := range map[string]struct {
		rows []row
		want []marked // onset: the number of the row
	}{
		"two clips":             {[]row{{0, 0, 0}, {0, 1, 1}, {0, 1, 2}, {0, 0, 0}, {0, 2, 1}, {0, 2, 2}}, []marked{{"a", 1, 1}, {"b", 2, 4}}},
		"without a blank":       {[]row{{0, 1, 1}, {0, 1, 2}, {0, 2, 1}}, []marked{{"a", 1, 0}, {"b", 2, 2}}},
		"first report lost":     {[]row{{0, 0, 0}, {0, 1, 3}, {0, 1, 4}}, []marked{{"a", 1, 1}}},
		"page reloaded":         {[]row{{0, 1, 1}, {0, 1, 2}, {1, 1, 4}, {1, 1, 5}}, []marked{{"a", 1, 0}, {"a", 1, 2}}},
		"shown again":           {[]row{{0, 1, 1}, {0, 1, 2}, {0, 1, 1}, {0, 1, 2}}, []marked{{"a", 1, 0}, {"a", 1, 2}}},
		"told twice":            {[]row{{0, 1, 1}, {0, 1, 2}, {0, 1, 2}, {0, 1, 3}}, []marked{{"a", 1, 0}}},
		"another participant":   {[]row{{0, 2, 90}, {0, 0, 0}, {0, 1, 1}}, []marked{{"b", 2, 0}, {"a", 1, 2}}},
		"not in the plan":       {[]row{{0, 7, 1}}, []marked{{"", 7, 0}}},
		"page hidden":           {[]row{{0, 0, 0}, {0, 1, 1}, {0, hidden, 0}, {0, 1, 40}, {0, hidden, 0}, {0, 0, 0}}, []marked{{"a", 1, 1}}},
		"hidden at the onset":   {[]row{{0, 1, 1}, {0, hidden, 0}, {0, 2, 9}, {0, 2, 10}}, []marked{{"a", 1, 0}, {"b", 2, 2}}},
		"nothing on the screen": {[]row{{0, 0, 0}, {0, 0, 0}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			feed, book, done := onsetLoop(t, info, func() study.Plan { return planOf("a", "b") })
			for i, r := range c.rows {
				other := stream.Chunk{Stream: "eda", Samples: []stream.Sample{{Values: []float64{1}}}}
				for _, chunk := range []stream.Chunk{other, r.chunk(info, instant.Instant(i))} {
					if err := feed.Publish(t.Context(), chunk); err != nil {
						t.Fatal(err)
					}
				}
			}
			feed.Close() // what is queued is still read
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if got := book.marks(); !slices.Equal(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

// A session that ends and one that begins with a clip have nothing between them:
// the numbers are the same, the clips are not.
func TestOnsetsAreOfTheSessionThatRuns(t *testing.T) {
	t.Parallel()
	info := stage.New(stage.Options{Clock: instant.Monotonic{}}).Info()[0]
	var sessions atomic.Int64
	feed, book, done := onsetLoop(t, info, func() study.Plan {
		return []study.Plan{planOf("a", "b"), planOf("b", "a")}[sessions.Load()]
	})
	show := func(at instant.Instant, r row) {
		t.Helper()
		if err := feed.Publish(t.Context(), r.chunk(info, at)); err != nil {
			t.Fatal(err)
		}
	}
	show(1, row{0, 1, 1})
	show(2, row{0, 2, 1})
	show(3, row{0, 0, 0})
	serialtest.Eventually(t, "the first session is marked", func() bool { return len(book.marks()) == 2 })
	sessions.Store(1)
	show(4, row{0, 1, 1})
	feed.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	want := []marked{{"a", 1, 1}, {"b", 2, 2}, {"b", 1, 4}}
	if got := book.marks(); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// planOf is a plan with a clip each presentation.
func planOf(clips ...string) study.Plan {
	p := study.Plan{Steps: []study.Step{{Action: study.Fixation, Stimulus: "not shown"}}}
	for i, clip := range clips {
		p.Steps = append(p.Steps, study.Step{Action: study.Play, Presentation: i + 1, Stimulus: clip})
	}
	return p
}

// onsetLoop runs fireTriggers on a bus, and returns when it listens, with nothing
// on the screen.
func onsetLoop(t *testing.T, info stream.Info, plan func() study.Plan) (*bus.Bus, *notebook, <-chan error) {
	t.Helper()
	feed, book := bus.New(), &notebook{}
	done := make(chan error, 1)
	go func() { done <- fireTriggers(t.Context(), feed, info, plan, book) }()
	const probe = 1000 // a presentation that no test has
	serialtest.Eventually(t, "the loop listens", func() bool {
		if err := feed.Publish(t.Context(), row{0, probe, 1}.chunk(info, 0)); err != nil {
			t.Fatal(err)
		}
		return len(book.marks()) > 0
	})
	for _, r := range []row{{0, probe + 1, 1}, {0, 0, 0}} { // the last of them, and a blank screen
		if err := feed.Publish(t.Context(), r.chunk(info, 0)); err != nil {
			t.Fatal(err)
		}
	}
	serialtest.Eventually(t, "all probes are marked", func() bool {
		m := book.marks()
		return m[len(m)-1].presentation == probe+1
	})
	book.forget()
	return feed, book, done
}

func TestNoEmitterNoWork(t *testing.T) {
	if err := fireTriggers(t.Context(), nil, stream.Info{}, nil); err != nil {
		t.Error(err)
	}
	box := usbttl.New(usbttl.Options{})
	if got := emittersOf([]stream.Source{stage.New(stage.Options{}), box}); len(got) != 1 || got[0] != emitter(box) {
		t.Errorf("%v, want the one that writes triggers", got)
	}
}

// triggerLab is a stage and a virtual USB TTL module on one bus.
type triggerLab struct {
	stage *stage.Server
	url   string
	twin  *usbttl.Twin
	study *study.Study

	mu     sync.Mutex
	onsets []instant.Instant
	codes  []stream.Sample
}

func newTriggerLab(t *testing.T, st *study.Study, simulated bool) *triggerLab {
	t.Helper()
	clock := instant.Monotonic{}
	l := &triggerLab{study: st, stage: stage.New(stage.Options{Clock: clock, Study: st, Simulated: simulated})}
	o := usbttl.Options{Place: device.Place{ID: "trigger", Clock: clock, Simulated: true}, Settings: trigger.Settings{Codes: map[string]int{}}}
	for i, m := range st.Stimuli {
		o.Codes[m.ID] = 100 + i
	}
	l.twin = o.Twin(virtual.TwinOptions{Clock: clock}).(*usbttl.Twin)
	link, err := virtual.NewLink(filepath.Join(t.TempDir(), "ttyTTL"), l.twin, virtual.FTDI(0), 1, clock)
	if err != nil {
		t.Fatal(err)
	}
	o.Port = link.Path()
	source, err := o.Open()
	if err != nil {
		t.Fatal(err)
	}
	lab, err := session.NewLab(clock, l.stage, source)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(l.stage.Handler())
	l.url = web.URL
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	sub := lab.Bus().Lossless("test", 64)
	running.Go(func() {
		if err := lab.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		plan := func() study.Plan { return st.Plan(0) }
		if err := fireTriggers(ctx, lab.Bus(), l.stage.Info()[0], plan, emittersOf([]stream.Source{source})...); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() { l.keep(sub.C()) })
	t.Cleanup(func() {
		stop()
		web.Close()
		running.Wait()
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// keep remembers the onsets and the codes.
func (l *triggerLab) keep(feed <-chan stream.Chunk) {
	w := onsets{info: l.stage.Info()[0]}
	for c := range feed {
		l.mu.Lock()
		for _, s := range c.Samples {
			if c.Stream == "trigger" {
				l.codes = append(l.codes, s)
			} else if c.Stream == stage.StreamID {
				if _, begins := w.add(c.Epoch, s); begins {
					l.onsets = append(l.onsets, s.At)
				}
			}
		}
		l.mu.Unlock()
	}
}

// show presents the study and checks what was written: each presentation once, in
// order, with its code, on the lines too. It returns the lags in ms, sorted.
func (l *triggerLab) show(t *testing.T) []float64 {
	t.Helper()
	plan := l.study.Plan(0)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := l.stage.Present(ctx, session.Presentation{Session: "test", Study: l.study, Plan: plan}); err != nil {
		t.Fatal(err)
	}
	n := len(l.study.Stimuli)
	serialtest.Eventually(t, "all triggers have come and gone", func() bool { return len(l.twin.Levels()) == 2*n })
	serialtest.Eventually(t, "all triggers are recorded", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.codes) == n && len(l.onsets) == n
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	var lags []float64
	var want []uint8
	for i, s := range l.codes {
		stimulus := stimulusOf(plan, i+1)
		code := 100 + slices.IndexFunc(l.study.Stimuli, func(m study.Stimulus) bool { return m.ID == stimulus })
		want = append(want, uint8(code))
		lag := float64(s.At.Sub(l.onsets[i])) / 1e6
		if s.Values[0] != float64(code) || math.Abs(s.Values[1]-lag) > 1e-6 {
			t.Errorf("trigger %d: %v, want code %d, %v ms after its onset", i, s.Values, code, lag)
		}
		lags = append(lags, s.Values[1])
	}
	if codes := l.twin.Codes(); !slices.Equal(codes, want) {
		t.Errorf("the lines showed %v, want %v", codes, want)
	}
	slices.SortFunc(lags, cmp.Compare)
	return lags
}

// triggerStudy is the example with some of its clips and short steps, and without
// pages to read.
func triggerStudy(t *testing.T, clips int) *study.Study {
	t.Helper()
	st, err := openExample(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	st.Stimuli = st.Stimuli[:min(clips, len(st.Stimuli))]
	st.Sheets, st.Screening = nil, nil
	const short = 300 * time.Millisecond
	st.Flow = []study.Part{{Block: &study.BlockPart{Name: "main", Method: "fixed", Trial: []study.TrialPart{
		{Action: study.Fixation, Duration: short}, {Action: study.Play}, {Action: study.Rest, Duration: short},
	}}}}
	return st
}

func report(t *testing.T, lags []float64) {
	t.Helper()
	t.Logf("lags of %d triggers, ms: %.2f", len(lags), lags)
	if lags[0] < 0 {
		t.Errorf("a trigger came %.2f ms before its onset", -lags[0])
	}
}

func TestTriggersWithTheBuiltInClient(t *testing.T) {
	t.Parallel()
	st := triggerStudy(t, 2)
	l := newTriggerLab(t, st, true)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- client.New(client.Options{URL: l.url, Clock: instant.Monotonic{}, Study: st, Offset: time.Minute, DriftPPM: 20}).Run(ctx)
	}()
	report(t, l.show(t))
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTriggersInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: a browser plays whole clips")
	}
	t.Parallel()
	st := triggerStudy(t, 2)
	l := newTriggerLab(t, st, false)
	page := browsertest.Start(t).Open(t, 1280, 800)
	page.Go(l.url + "/stage#autostart")
	report(t, l.show(t))
}
