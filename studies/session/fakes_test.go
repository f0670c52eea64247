package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/usable"
	"emolab/studies/study"
)

// memory is an archive that keeps sessions in memory.
type memory struct {
	mu       sync.Mutex
	sessions []*tape
	refuse   error // what Append answers from now on, when set
	sealing  error // and Seal
	cells    []CellNow
	people   []Person
}

// tape is one recorded session.
type tape struct {
	archive *memory
	id      string
	state   State
	reason  string
	steps   []int
	samples map[string]int
	events  []string          // "stream kind detail"
	marked  []instant.Instant // of the events of the marks, those of alarms aside

	plan        *study.Study // of a recovered session; nil: twoSteps
	consents    []Consent
	answers     []Answer
	hash        string // of the withdrawal code
	recorded    bool   // Record was called
	participant string
	videos      []Video
	overrides   []Override

	accepted  *Judged // of an earlier segment
	targets   []Target
	decisions []Decision
	again     []string     // "presentation: why"
	asked     []int        // the presentations of them
	blind     []string     // "true: why"
	before    []usable.Now // of earlier segments
}

func (m *memory) Begin(_ context.Context, h Header) (Recorder, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &tape{archive: m, id: h.ID, participant: h.Participant, state: Recording, samples: map[string]int{}}
	if h.Plan.Recorded() >= 0 {
		t.state = Prepared
	}
	m.sessions = append(m.sessions, t)
	return t, nil
}

func (m *memory) find(id string) *tape {
	for _, t := range m.sessions {
		if t.id == id {
			return t
		}
	}
	return nil
}

func (m *memory) Resume(_ context.Context, id, _ string, _ Segment, _ []stream.Info) (Recorder, Resumption, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.find(id)
	if t == nil || t.state != Recovered {
		return nil, Resumption{}, errors.New("not a recovered session")
	}
	plan := twoSteps
	if t.plan != nil {
		plan = t.plan
	}
	back := Resumption{Participant: "P1", Plan: plan.Plan(0), From: t.steps[len(t.steps)-1], Segment: 1, Consents: t.consents, Answers: t.answers, Again: t.asked, Judged: t.accepted}
	if StoppedForGood(t.reason) {
		back.Stopped = t.reason
	}
	if n := len(t.blind); n > 0 {
		back.Blind = strings.HasPrefix(t.blind[n-1], "true")
	}
	t.state = Recording
	if back.Plan.Recorded() >= 0 && !t.recorded {
		t.state, back.Segment = Prepared, -1
	}
	return t, back, nil
}

func (m *memory) Measured(_ context.Context, id string, before int) ([]usable.Now, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before != 1 {
		return nil, fmt.Errorf("there are no segments before %d", before)
	}
	return slices.Clone(m.find(id).before), nil
}

func (m *memory) Seal(_ context.Context, id string, _ Progress) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sealing == nil {
		m.find(id).state = Sealed
	}
	return m.sealing
}

func (m *memory) Sessions(context.Context) ([]Summary, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Summary
	for _, t := range m.sessions {
		out = append(out, Summary{ID: t.id, Participant: t.participant, State: t.state, Reason: t.reason})
	}
	return out, nil
}

func (m *memory) NextRow(context.Context, int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sessions), nil
}

func (m *memory) Cohort(context.Context, study.Quota) (Cohort, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Cohort{Cells: m.cells, People: m.people}, nil
}

func (m *memory) Move(context.Context, string, string, string) error { return nil }

func (m *memory) Judge(context.Context, string, bool, string) error { return nil }

func (t *tape) Record(context.Context, Segment, []stream.Info) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.state, t.recorded = Recording, true
	return nil
}

func (t *tape) Decline(_ context.Context, why string) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.state, t.reason = Declined, why
	return nil
}

func (t *tape) Override(_ context.Context, o Override) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.overrides = append(t.overrides, o)
	return nil
}

func (t *tape) Blind(_ context.Context, on bool, why string) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.blind = append(t.blind, fmt.Sprintf("%t: %s", on, why))
	return nil
}

func (t *tape) Answer(_ context.Context, a Answer) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.answers = append(t.answers, a)
	return nil
}

func (t *tape) Withdrawable(_ context.Context, hash string) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.hash = hash
	return nil
}

func (t *tape) Append(_ context.Context, batch []stream.Chunk) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	if t.archive.refuse != nil {
		return t.archive.refuse
	}
	for _, c := range batch {
		t.samples[c.Stream] += len(c.Samples)
		for _, e := range c.Events {
			t.events = append(t.events, fmt.Sprintf("%s %s %s", c.Stream, e.Kind, e.Detail))
			if k, _ := ReadMark(e.Detail); c.Stream == MarksID && k.Kind != AlarmMark {
				t.marked = append(t.marked, e.At)
			}
		}
	}
	return nil
}

func (t *tape) Reached(_ context.Context, step int, _ instant.Instant) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.steps = append(t.steps, step)
	return nil
}

func (t *tape) Consent(_ context.Context, c Consent) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	if t.archive.refuse != nil {
		return t.archive.refuse
	}
	t.consents = append(t.consents, c)
	return nil
}

func (t *tape) Again(_ context.Context, presentation int, why string) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.again, t.asked = append(t.again, fmt.Sprintf("%d: %s", presentation, why)), append(t.asked, presentation)
	return nil
}

func (t *tape) Target(_ context.Context, g Target) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.targets = append(t.targets, g)
	return nil
}

func (t *tape) Decision(_ context.Context, d Decision) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.decisions = append(t.decisions, d)
	return nil
}

func (t *tape) Video(_ context.Context, v Video) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.videos = append(t.videos, v)
	return nil
}

func (t *tape) Stopped(_ context.Context, reason string) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.reason = reason
	return nil
}

func (t *tape) Seal(context.Context, Progress) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	if t.archive.sealing == nil {
		t.state = Sealed
	}
	return t.archive.sealing
}

func (t *tape) Fail(_ context.Context, reason string) error {
	t.archive.mu.Lock()
	defer t.archive.mu.Unlock()
	t.state, t.reason = Failed, reason
	return nil
}

// screen is a stage that shows each step until the test lets it go on, and each
// question until the test answers it.
type screen struct {
	next    chan struct{}
	answers chan Answer
	left    chan struct{}        // the participant wants to stop
	pauses  chan instant.Instant // when a pause begins, and when it ends; nil: there are none
	waiting atomic.Value         // string
	receipt atomic.Value         // Receipt, the latest
	gone    atomic.Bool          // the page has been closed
	reply   func(Question) Reply // to what is asked; nil: as somebody does who hears well
	surface *glass               // shows what the session asks for, by itself; nil: nothing does
}

func (s *screen) Connected() bool { return !s.gone.Load() }

func (s *screen) Waiting() string {
	what, _ := s.waiting.Load().(string)
	return what
}

func (s *screen) Present(ctx context.Context, p Presentation) error {
	if p.Admit != nil {
		if err := p.Admit(ctx, &glass{clock: instant.Monotonic{}, reply: s.reply}); err != nil {
			return err
		}
	}
	skip, ended := p.Skip, p.Ended
	for step := p.From; step < len(p.Plan.Steps); step++ {
		if slices.Contains(skip, step) {
			continue
		}
		p.Began(step, 0)
		if sheet, _ := p.Study.Sheet(p.Plan.Steps[step].Sheet); sheet.Kind == study.ReceiptSheet {
			s.receipt.Store(p.Receipt())
		}
		if p.Plan.Steps[step].Action == study.Begin {
			if out, err := s.begin(ctx, p, p.Plan.Steps[step]); err != nil {
				return err
			} else if out {
				skip, step, ended = p.Out().Skip, -1, nil
			}
			continue
		}
		if p.Plan.Steps[step].Action == study.Reshow {
			if err := p.Procedure(ctx, p.Plan.Steps[step], nil); err != nil {
				return err
			}
			skip = p.Ruled().Skip
			continue
		}
		if s.surface != nil && p.Plan.Steps[step].Action != study.Play {
			if err := s.surface.present(ctx, p, p.Plan.Steps[step]); err != nil {
				return err
			}
			continue
		}
		next := s.next
		if p.Plan.Steps[step].Action == study.Fill {
			next = nil
		}
		select {
		case <-next:
		case a := <-s.answers:
			a.Step = step
			sheet, _ := p.Study.Sheet(p.Plan.Steps[step].Sheet)
			a.Sheet, a.Kind = sheet.ID, sheet.Kind
			ruling, err := p.Answered(ctx, a)
			if err != nil {
				return err
			}
			skip = ruling.Skip
		case <-s.left:
			skip = p.Left(0).Skip
			step = -1 // the way there is told by what is passed over
		case at := <-s.pauses:
			p.Paused(true, at)
			p.Paused(false, <-s.pauses)
			step-- // it begins anew
		case <-ended:
			ended = nil
			if !p.Plan.Steps[step].Aside {
				skip = p.Out().Skip
			}
			step = -1
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// begin presents a Begin step; out tells that the operator has ended the session in it.
func (s *screen) begin(ctx context.Context, p Presentation, step study.Step) (out bool, err error) {
	inner, cut := context.WithCancel(ctx)
	defer cut()
	led := make(chan error, 1)
	on := &glass{clock: instant.Monotonic{}, reply: s.reply}
	go func() { led <- on.present(inner, p, step) }()
	select {
	case err = <-led:
		return false, err
	case <-p.Ended:
		cut()
		<-led
		return true, nil
	}
}

// pulse is a source that delivers one EDA sample each time it is let go.
type pulse struct {
	clock instant.Clock
	beat  chan struct{}
}

func (p *pulse) Info() []stream.Info {
	return []stream.Info{{
		ID: "eda", Kind: stream.EDA, Device: "pulse", Clock: stream.HostClock, TickHz: 1e9,
		Channels: []stream.Channel{{Name: "raw"}, {Name: "eda_us", Unit: "µS"}},
	}}
}

func (p *pulse) Run(ctx context.Context, out chan<- stream.Chunk) error {
	for seq := int64(0); ; seq++ {
		select {
		case <-p.beat:
		case <-ctx.Done():
			return nil
		}
		now := p.clock.Now()
		stream.Send(ctx, out, stream.Chunk{Stream: "eda", Samples: []stream.Sample{
			{Seq: seq, Tick: int64(now), Arrival: now, Values: []float64{1, 2}}}})
	}
}

// stray is a source that delivers a stream it has not announced.
type stray struct{}

func (stray) Info() []stream.Info { return nil }

func (stray) Run(ctx context.Context, out chan<- stream.Chunk) error {
	stream.Send(ctx, out, stream.Chunk{Stream: "stray"})
	<-ctx.Done()
	return nil
}

// zips is a bundler that names bundles and writes none.
type zips struct{}

func (zips) Export(_ context.Context, id string, _ Progress) (string, error) { return id + ".zip", nil }

// twoSteps is a study of one clip after a cross.
var twoSteps = &study.Study{
	ID:      "s",
	Stimuli: []study.Stimulus{{ID: "a", Duration: time.Second}},
	Flow: []study.Part{{Block: &study.BlockPart{Name: "main", Method: "fixed",
		Trial: []study.TrialPart{{Action: study.Fixation, Duration: time.Second}, {Action: study.Play}}}}},
}

// napper is the host's own clock, on a host that has slept, or stands still, when it is
// told so, and whose wall clock nobody sets.
type napper struct {
	instant.Monotonic
	slept atomic.Int64 // ns
	still atomic.Int64 // the instant at which it stands still; 0 = it goes
}

func (n *napper) Now() instant.Instant {
	if at := n.still.Load(); at != 0 {
		return instant.Instant(at)
	}
	return n.Monotonic.Now()
}

func (n *napper) Read() instant.Reading {
	return instant.Reading{At: n.Now(), Slept: time.Duration(n.slept.Load())}
}

// stands lets it stand still.
func (n *napper) stands() { n.still.Store(int64(n.Now())) }

// spacious is a disk with room for everything.
func spacious(string) (int64, error) { return 100 << 30, nil }

// bench is a lab with everything faked but the lab and the manager.
type bench struct {
	*Manager
	clock   *napper
	archive *memory
	screen  *screen
	pulse   *pulse
	reel    *reel
}

// newBench makes a bench; the options are changed before the manager is made.
func newBench(t *testing.T, change ...func(*Options)) *bench {
	t.Helper()
	return newBenchBeside(t, nil, change...)
}

// newBenchBeside makes a bench with more devices than its pulse.
func newBenchBeside(t *testing.T, devices []stream.Source, change ...func(*Options)) *bench {
	t.Helper()
	clock := &napper{}
	b := &bench{
		clock:   clock,
		archive: &memory{},
		screen:  &screen{next: make(chan struct{}), answers: make(chan Answer), left: make(chan struct{}), pauses: make(chan instant.Instant)},
		pulse:   &pulse{clock: clock, beat: make(chan struct{})},
	}
	b.reel = &reel{archive: b.archive}
	lab, err := NewLab(clock, append([]stream.Source{b.pulse}, devices...)...)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Clock: clock, Lab: lab, Archive: b.archive, Stage: b.screen, Bundler: zips{}, Film: b.reel, Study: twoSteps,
		Dir: t.TempDir(), DiskFree: spacious, Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&o)
	}
	b.Manager, err = NewManager(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- lab.Run(ctx) }()
	t.Cleanup(func() {
		b.Close()
		stop()
		if err := <-ran; err != nil {
			t.Errorf("lab: %v", err)
		}
	})
	return b
}

// until waits for a status.
func (b *bench) until(t *testing.T, what string, is func(Status) bool) Status {
	t.Helper()
	late := time.After(deadline)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		if s := b.Status(); is(s) {
			return s
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("waiting for %s: %+v", what, b.Status())
		}
	}
}

// beats has the pulse deliver n samples, and waits until all who listen to the lab have them.
func (b *bench) beats(t *testing.T, n int) {
	t.Helper()
	b.heard(t, "eda", n, func() {
		for range n {
			b.pulse.beat <- struct{}{}
		}
	})
}

// heard has a device deliver n samples of a stream, and waits until all who have listened to
// the lab so far have them: a recording that ends then has them all. Status counts a sample
// before that.
func (b *bench) heard(t *testing.T, id string, n int, deliver func()) {
	t.Helper()
	last := b.o.Lab.Bus().Lossless("the last to be served", 64)
	defer last.Close()
	deliver()
	late := time.After(deadline)
	for came := 0; came < n; {
		select {
		case c := <-last.C():
			if c.Stream == id {
				came += len(c.Samples)
			}
		case <-late:
			t.Fatalf("of %d samples of %s %d have come", n, id, came)
		}
	}
}
