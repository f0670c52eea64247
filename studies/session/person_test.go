package session

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

// bubble is the clock of a synctest bubble.
type bubble struct{ began time.Time }

func (b bubble) Now() instant.Instant { return instant.Instant(time.Second + time.Since(b.began)) }

// person is a participant with an eye tracker and a sensor of skin conductance, both
// at 100 Hz, who looks at the targets and responds to a breath.
type person struct {
	clock  instant.Clock
	screen eyemovement.Screen
	chance *rand.Rand

	mu       sync.Mutex
	at       gaze.Point // where the eyes look
	offDeg   float64    // the tracker's error to the right
	noiseDeg float64    // one standard deviation in each direction
	blind    bool       // the tracker finds no eyes
	dead     bool       // it delivers nothing
	breath   instant.Instant
	seen     eyemovement.Gaze // all that the tracker delivered
	slipDeg  float64          // the error when a first validation begins
	dieAt    Purpose          // the tracker dies when the third such target comes up
}

func (p *person) Info() []stream.Info {
	return []stream.Info{
		{ID: "gaze", Kind: stream.Gaze, Device: "eyes", Clock: stream.HostClock, TickHz: 1e9, Rate: 100, Simulated: true,
			Channels: []stream.Channel{{Name: "gaze_x"}, {Name: "gaze_y"}, {Name: "gaze_valid"}}},
		{ID: "eda", Kind: stream.EDA, Device: "skin", Clock: stream.HostClock, TickHz: 1e9, Rate: 100, Simulated: true,
			Channels: []stream.Channel{{Name: "raw"}, {Name: "eda_us", Unit: "µS"}}},
	}
}

// looks is told what is on the screen.
func (p *person) looks(t Target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.Until != 0 {
		return // the eyes stay
	}
	p.at = gaze.Point{X: t.X, Y: t.Y}
	if t.Purpose == ToValidate && t.Step == 0 && t.Round == 0 && t.Index == 0 {
		p.offDeg += p.slipDeg
	}
	if t.Purpose == p.dieAt && t.Index == 2 {
		p.dead = true
	}
}

func (p *person) breathed(at instant.Instant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.breath = at
}

func (p *person) change(f func(*person)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

// delivered is all that the tracker has delivered so far.
func (p *person) delivered() eyemovement.Gaze {
	p.mu.Lock()
	defer p.mu.Unlock()
	return eyemovement.Gaze{At: slices.Clone(p.seen.At), X: slices.Clone(p.seen.X), Y: slices.Clone(p.seen.Y)}
}

func (p *person) Run(ctx context.Context, out chan<- stream.Chunk) error {
	for _, id := range []string{"gaze", "eda"} {
		stream.Send(ctx, out, stream.Chunk{Stream: id, Events: []stream.Event{{Kind: stream.Connected, At: p.clock.Now()}}})
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for seq := int64(0); ; seq++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		for _, c := range p.sample(seq) {
			stream.Send(ctx, out, c)
		}
	}
}

func (p *person) sample(seq int64) (all []stream.Chunk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	chunk := func(id string, values ...float64) {
		all = append(all, stream.Chunk{Stream: id, Samples: []stream.Sample{{Seq: seq, Tick: int64(now), Arrival: now, Values: values}}})
	}
	us := 5 + .001*math.Sin(float64(seq)/7)
	if since := now.Sub(p.breath).Seconds() - 2; p.breath != 0 && since > 0 { // a Bateman curve
		us += 2 * (math.Exp(-since/3) - math.Exp(-since/.7))
	}
	chunk("eda", 512, us)
	if p.dead {
		return all
	}
	right, down := p.screen.Direction(p.at.X, p.at.Y)
	x, y := p.screen.At(right+p.offDeg+p.noiseDeg*p.chance.NormFloat64(), down+p.noiseDeg*p.chance.NormFloat64())
	valid := 1.0
	if p.blind {
		x, y, valid = math.NaN(), math.NaN(), 0
	}
	p.seen.At, p.seen.X, p.seen.Y = append(p.seen.At, now), append(p.seen.X, x), append(p.seen.Y, y)
	chunk("gaze", x, y, valid)
	return all
}

// glass is a participant's screen on which all comes up a refresh after it was asked
// for, and a target after its way.
type glass struct {
	clock instant.Clock

	mu      sync.Mutex
	cues    []string
	reloads int           // how often the page is reloaded at the sixth target it shows
	broken  bool          // shows nothing
	again   bool          // the stage lets the page connect again when it shows nothing
	showed  int           // targets since the page was loaded
	reload  chan struct{} // closed when the page goes
	reply   func(Question) Reply
}

const glide = 300 * time.Millisecond

func (g *glass) shown(ctx context.Context, x, y float64, after time.Duration) (Shown, error) {
	g.mu.Lock()
	broken := g.broken
	g.mu.Unlock()
	if broken {
		return Shown{}, ErrNotShown
	}
	if err := wait(ctx, after); err != nil {
		return Shown{}, err
	}
	return Shown{At: g.clock.Now(), Err: time.Millisecond, X: x, Y: y}, nil
}

func (g *glass) Show(ctx context.Context, x, y float64) (Shown, error) {
	g.mu.Lock()
	if g.showed++; g.showed == 6 && g.reloads > 0 {
		g.reloads--
		close(g.reload)
		g.mu.Unlock()
		<-ctx.Done()
		return Shown{}, ctx.Err()
	}
	g.mu.Unlock()
	return g.shown(ctx, x, y, glide)
}

func (g *glass) Cue(ctx context.Context, key string) (Shown, error) {
	g.mu.Lock()
	g.cues = append(g.cues, key)
	g.mu.Unlock()
	return g.shown(ctx, math.NaN(), math.NaN(), 16*time.Millisecond)
}

func (g *glass) Ask(ctx context.Context, q Question) (Reply, error) {
	if _, err := g.shown(ctx, math.NaN(), math.NaN(), 16*time.Millisecond); err != nil {
		return Reply{}, err
	}
	if g.reply != nil {
		return g.reply(q), nil
	}
	if q.Kind == AskSound {
		return Reply{Value: strconv.Itoa(q.Tones), Audio: "running"}, nil
	}
	return Reply{Value: study.Yes}, nil
}

// present shows a step as the stage does: again, when the page was reloaded.
func (g *glass) present(ctx context.Context, p Presentation, step study.Step) error {
	if step.Action == study.Fixation {
		t := Target{Purpose: ToFixate, Step: step.Index, X: .5, Y: .5, From: g.clock.Now()}
		p.Cross(t)
		if err := wait(ctx, step.Duration); err != nil {
			return err
		}
		t.Until = g.clock.Now()
		p.Cross(t)
		return nil
	}
	for {
		inner, gone := context.WithCancel(ctx)
		g.mu.Lock()
		g.showed, g.reload = 0, make(chan struct{})
		reload := g.reload
		g.mu.Unlock()
		stop := make(chan struct{})
		go func() {
			select {
			case <-reload:
				gone()
			case <-stop:
			}
		}()
		err := p.Procedure(inner, step, g)
		reloaded := inner.Err() != nil && ctx.Err() == nil
		close(stop)
		gone()
		if g.again && errors.Is(err, ErrNotShown) {
			if err := wait(ctx, time.Second); err != nil { // the page connects again
				return err
			}
			continue
		}
		if !reloaded {
			return err
		}
	}
}

// seating is a session of a person in a bubble.
type seating struct {
	*Manager
	t       *testing.T
	person  *person
	archive *memory
	glass   *glass
	lab     *Lab
	resume  string // the session to continue; "" = a new one
}

// inBubble runs f in a lab whose plan has these steps before a cross and nothing else.
func inBubble(t *testing.T, steps []study.Action, change func(*seating, *Options), f func(*seating)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		clock := bubble{time.Now()}
		v := &seating{t: t, archive: &memory{}, glass: &glass{clock: clock}}
		v.person = &person{
			clock: clock, screen: AssumedScreen(), chance: rand.New(rand.NewPCG(1, 2)),
			at: gaze.Point{X: .5, Y: .5}, offDeg: 1, noiseDeg: .1,
		}
		var err error
		if v.lab, err = NewLab(clock, v.person); err != nil {
			t.Fatal(err)
		}
		st := &study.Study{ID: "s", Stimuli: []study.Stimulus{{ID: "a"}}, Gaze: study.DefaultGaze()}
		for _, a := range steps {
			st.Flow = append(st.Flow, study.Part{Action: a})
		}
		st.Flow = append(st.Flow, study.Part{Block: &study.BlockPart{Name: "main", Method: "fixed",
			Trial: []study.TrialPart{{Action: study.Fixation, Duration: 2 * time.Second}}}})
		o := Options{
			Clock: clock, Lab: v.lab, Archive: v.archive, Stage: &screen{surface: v.glass, next: make(chan struct{}), answers: make(chan Answer)},
			Bundler: zips{}, Study: st, Dir: t.TempDir(), DiskFree: spacious, Log: slog.New(slog.DiscardHandler),
			TargetShown: v.person.looks, Breathed: v.person.breathed, Attended: func() bool { return true },
		}
		if change != nil {
			change(v, &o)
		}
		if v.Manager, err = NewManager(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ran := make(chan error, 1)
		go func() { ran <- v.lab.Run(ctx) }()
		if v.resume != "" {
			err = v.Continue(t.Context(), v.resume)
		} else {
			_, err = v.Start(t.Context(), Request{Participant: "P1"})
		}
		if err != nil {
			t.Fatal(err)
		}
		f(v)
		v.Close()
		stop()
		if err := <-ran; err != nil {
			t.Errorf("lab: %v", err)
		}
	})
}

// end waits until the session has ended, and returns what was recorded.
func (v *seating) end() *tape {
	v.t.Helper()
	out, err := v.Wait(v.t.Context())
	if err != nil || out.State != Sealed || out.Error != "" {
		v.t.Fatalf("the session ended as %+v, %v", out, err)
	}
	return v.archive.sessions[0]
}

// asked waits until the operator is asked, and returns what is shown.
func (v *seating) asked() Status {
	v.t.Helper()
	for range 10000 {
		if s := v.Status(); s.Asked {
			return s
		}
		if err := wait(v.t.Context(), 100*time.Millisecond); err != nil {
			v.t.Fatal(err)
		}
	}
	v.t.Fatal("the operator was never asked")
	return Status{}
}

// of returns the targets of one purpose and round.
func (t *tape) of(p Purpose, round int) []Target {
	return slices.DeleteFunc(slices.Clone(t.targets), func(g Target) bool { return g.Purpose != p || g.Round != round })
}

// box is a tracker that calibrates itself: each point for a second.
type box struct {
	person *person
	fails  error
}

func (b box) Calibrate(ctx context.Context, points []gaze.Point, turn func(gaze.Point)) (json.RawMessage, error) {
	for _, p := range points {
		turn(p)
		if err := wait(ctx, time.Second); err != nil {
			return nil, err
		}
	}
	if b.fails != nil {
		return nil, b.fails
	}
	b.person.change(func(p *person) { p.offDeg = 0 })
	return json.RawMessage(`{"valid_points":9}`), nil
}

var errBlink = errors.New("the eyes were closed at point 3")
