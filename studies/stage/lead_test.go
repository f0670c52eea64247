package stage_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"emolab/calibration/gaze"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// ledStudy is a calibration and the trials of shortStudy.
func ledStudy(t *testing.T, frames ...int) *study.Study {
	st := shortStudy(t, frames...)
	st.Flow = append([]study.Part{{Action: study.Calibrate}}, st.Flow...)
	return st
}

// director shows points, and notes what came of it.
type director struct {
	points []gaze.Point
	at     func(ctx context.Context, i int) // is called while point i stands; may be nil

	mu     sync.Mutex
	rounds int
	shown  []session.Shown // of the points of the latest round
	asked  []instant.Instant
	ends   []error
}

func (d *director) lead(ctx context.Context, _ study.Step, on session.Surface) error {
	d.mu.Lock()
	d.rounds++
	d.shown, d.asked = nil, nil
	d.mu.Unlock()
	err := d.show(ctx, on)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ends = append(d.ends, err)
	return err
}

func (d *director) show(ctx context.Context, on session.Surface) error {
	if _, err := on.Cue(ctx, session.CueLook); err != nil {
		return err
	}
	for i, p := range d.points {
		asked := instant.Monotonic{}.Now()
		s, err := on.Show(ctx, p.X, p.Y)
		if err != nil {
			return err
		}
		d.mu.Lock()
		d.shown, d.asked = append(d.shown, s), append(d.asked, asked)
		d.mu.Unlock()
		if d.at != nil {
			d.at(ctx, i)
		}
	}
	return nil
}

// result returns the showings of the latest round and how many rounds there were.
func (d *director) result() (shown []session.Shown, asked []instant.Instant, rounds int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.shown), slices.Clone(d.asked), d.rounds
}

// check looks whether every point was shown, where and when it was asked for.
func (d *director) check(t *testing.T) {
	t.Helper()
	shown, asked, _ := d.result()
	if len(shown) != len(d.points) {
		t.Fatalf("%d of %d points were shown", len(shown), len(d.points))
	}
	for i, s := range shown {
		if math.Abs(s.X-d.points[i].X) > .001 || math.Abs(s.Y-d.points[i].Y) > .001 {
			t.Errorf("point %v was shown at %.4f, %.4f", d.points[i], s.X, s.Y)
		}
		// It says when, on the lab clock, within the bound of a clock that was pinged: half
		// a round trip, which a busy machine draws out.
		if s.Err <= 0 || s.Err > time.Second {
			t.Errorf("point %d: bound %v", i, s.Err)
		}
		if s.At < asked[i].Add(-s.Err) {
			t.Errorf("point %d stood %v before it was asked for, bound %v", i, asked[i].Sub(s.At), s.Err)
		}
		if i > 0 && s.At <= shown[i-1].At {
			t.Errorf("point %d came before the one before", i)
		}
	}
}

func TestTheClientShowsWhatItIsAskedTo(t *testing.T) {
	t.Parallel()
	st := ledStudy(t, 10)
	d := &director{points: gaze.Targets(9)}
	l := newLab(t, stage.Options{Simulated: true})
	show := l.presentLed(st, 0, d.lead)
	l.play(client.Options{Study: st})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("steps began in the order %v", got)
	}
	d.check(t)
	show.mu.Lock()
	defer show.mu.Unlock()
	if len(show.crosses) != 2 {
		t.Fatalf("crosses %+v", show.crosses)
	}
	lit, gone := show.crosses[0], show.crosses[1]
	if lit.Until != 0 || lit.Purpose != session.ToFixate || lit.Step != 1 || lit.X != .5 || lit.Y != .5 {
		t.Errorf("cross %+v", lit)
	}
	// It is to stand for 100 ms: between the two instants the clock may be known better.
	if long := gone.Until.Sub(gone.From); gone.From != lit.From || long+2*gone.Err < 99*time.Millisecond {
		t.Errorf("cross %+v, gone after %v", gone, long)
	}
}

func TestAPlanThatNobodyLeadsPassesOver(t *testing.T) {
	t.Parallel()
	st := ledStudy(t, 5)
	st.Flow = append(st.Flow, study.Part{Action: study.Validate}, study.Part{Action: study.Breath})
	l := newLab(t, stage.Options{Simulated: true})
	show := l.present(st, 0)
	l.play(client.Options{Study: st})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("steps began in the order %v", got)
	}
}

func TestALostPageBeginsTheStepAnew(t *testing.T) {
	t.Parallel()
	st := ledStudy(t, 5)
	l := newLab(t, stage.Options{Simulated: true})
	d := &director{points: gaze.Targets(5)}
	d.at = func(_ context.Context, i int) {
		if _, _, rounds := d.result(); rounds == 1 && i == 2 {
			l.line.cut()
		}
	}
	show := l.presentLed(st, 0, d.lead)
	l.play(client.Options{Study: st})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	d.check(t)
	if _, _, rounds := d.result(); rounds != 2 || !errors.Is(d.ends[0], context.Canceled) || d.ends[1] != nil {
		t.Errorf("%d rounds, which ended with %v", rounds, d.ends)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 0, 1, 2, 3}) {
		t.Errorf("steps began in the order %v", got)
	}
}

// A step whose procedure comes to its end as the page goes is not shown again.
func TestAPageLostAtTheEndOfAStep(t *testing.T) {
	t.Parallel()
	st := ledStudy(t, 5)
	l := newLab(t, stage.Options{Simulated: true})
	rounds := 0
	show := l.presentLed(st, 0, func(ctx context.Context, _ study.Step, on session.Surface) error {
		rounds++
		if _, err := on.Show(ctx, .1, .1); err != nil {
			return err
		}
		l.line.cut()
		<-ctx.Done() // the page has gone, and what was to be decided is decided
		return nil
	})
	l.play(client.Options{Study: st})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 2, 3}) || rounds != 1 {
		t.Errorf("steps began in the order %v, the first was led %d times", got, rounds)
	}
}

func TestAStopEndsTheProcedure(t *testing.T) {
	t.Parallel()
	st := ledStudy(t, 5)
	l := newLab(t, stage.Options{Simulated: true})
	stands := make(chan struct{})
	show := l.presentLed(st, 0, func(ctx context.Context, _ study.Step, on session.Surface) error {
		if _, err := on.Show(ctx, .1, .1); err != nil {
			return err
		}
		close(stands)
		<-ctx.Done()
		return ctx.Err()
	})
	l.play(client.Options{Study: st})
	<-stands
	show.cancel()
	if err := show.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("Present returns %v", err)
	}
}

func TestAProcedureThatFailsEndsThePlan(t *testing.T) {
	t.Parallel()
	st := ledStudy(t, 5)
	l := newLab(t, stage.Options{Simulated: true})
	broken := errors.New("the disk is on fire")
	show := l.presentLed(st, 0, func(context.Context, study.Step, session.Surface) error { return broken })
	l.play(client.Options{Study: st})
	if err := show.end(); !errors.Is(err, broken) {
		t.Errorf("Present returns %v", err)
	}
}

// What a page says that was not asked for changes nothing, and a target without a
// place is none.
func TestAnswersThatWereNotAskedFor(t *testing.T) {
	t.Parallel()
	l := newLab(t, stage.Options{})
	d := &director{points: gaze.Targets(5)[:1]}
	show := l.presentLed(ledStudy(t, 5), 0, d.lead)
	p := l.open(browser("1"))
	plan := hear[*protocol.Plan](p)
	if a := plan.Steps[0].Action; a != study.Calibrate {
		t.Fatalf("the plan begins with %s", a)
	}
	p.say(&protocol.Ready{Run: plan.Run})
	hear[*protocol.Begin](p)
	p.say(&protocol.Shown{Run: plan.Run, Step: 0, ID: 1, Tick: 5}) // before the step
	p.say(&protocol.StepBegan{Run: plan.Run, Step: 0})
	cue := hear[*protocol.Cue](p)
	if cue.Key != session.CueLook || cue.Run != plan.Run {
		t.Errorf("asked %+v", cue)
	}
	p.say(&protocol.Shown{Run: plan.Run, Step: 0, ID: cue.ID + 7, Tick: 5}) // to nothing
	p.say(&protocol.Shown{Run: plan.Run, Step: 3, ID: cue.ID, Tick: 5})     // of another step
	p.say(&protocol.Shown{Run: plan.Run, Step: 0, ID: cue.ID, Tick: 5})
	target := hear[*protocol.Target](p)
	p.say(&protocol.Shown{Run: plan.Run, Step: 0, ID: target.ID, Tick: 50})
	p.closed() // it does not say where the target is
	l.until("the fault is in the stream", func() bool { return l.said(stream.Fault, "does not say where the target is") })

	l.until("the stage is free", func() bool { return !l.server.Connected() })
	p = l.open(browser("1"))
	plan = hear[*protocol.Plan](p)
	p.say(&protocol.Ready{Run: plan.Run})
	hear[*protocol.Begin](p)
	p.say(&protocol.StepBegan{Run: plan.Run, Step: 0})
	p.say(&protocol.StepEnded{Run: plan.Run, Step: 0}) // only its procedure ends the step
	p.closed()
	l.until("the second fault is in the stream", func() bool { return l.said(stream.Fault, "step-ended of step 0") })
	show.cancel()
	if err := show.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("Present returns %v", err)
	}
}

// standsAt is where the target's dot lies on the page, in fractions of it, as painted.
const standsAt = `(() => {
	const r = document.querySelector("#target circle:last-child").getBoundingClientRect();
	return [document.body.dataset.view === "target" ? (r.left + r.width / 2) / innerWidth : -1, (r.top + r.height / 2) / innerHeight, r.width];
})()`

func TestTargetsInChromium(t *testing.T) {
	t.Parallel()
	st := exampleStudy(t)
	st.Stimuli = st.Stimuli[:1]
	st.Flow = []study.Part{{Action: study.Calibrate}, block(study.TrialPart{Action: study.Fixation, Duration: 300 * time.Millisecond})}
	l := newLab(t, stage.Options{Study: st})
	page := openUnhurried(t, l.http.URL+"/stage#autostart")
	reads(page, "Please wait until the experimenter begins.")

	d := &director{points: append(gaze.Targets(5), gaze.ValidationTargets(4)[:2]...)}
	d.at = func(_ context.Context, i int) {
		at := browsertest.Value[[]float64](page, standsAt)
		p := d.points[i]
		if math.Abs(at[0]-p.X) > .002 || math.Abs(at[1]-p.Y) > .002 || at[2] < 4 || at[2] > 16 {
			t.Errorf("point %v is painted at %.4f, %.4f, %.1f px wide", p, at[0], at[1], at[2])
		}
		if i == 2 {
			page.Screenshot("stage-6-target.png")
		}
	}
	show := l.presentLed(st, 0, func(ctx context.Context, step study.Step, on session.Surface) error {
		if err := d.lead(ctx, step, on); err != nil {
			return err
		}
		for _, key := range []string{session.CueWait, session.CueBreathe, session.CueRest} {
			if _, err := on.Cue(ctx, key); err != nil {
				return err
			}
			if words := browsertest.Value[string](page, `document.getElementById("cue-text").textContent`); len(words) < 20 {
				t.Errorf("%s is said as %q", key, words)
			}
		}
		page.Screenshot("stage-7-rest.png")
		return nil
	})
	page.Until(`document.body.dataset.view === "cue"`)
	page.Screenshot("stage-8-look.png")
	settled(page)
	page.Do(chromedp.KeyEvent(" ")) // has read it
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	d.check(t)
	show.mu.Lock()
	defer show.mu.Unlock()
	if len(show.crosses) != 2 || math.Abs(show.crosses[0].X-.5) > .001 || math.Abs(show.crosses[0].Y-.5) > .001 {
		t.Errorf("crosses %+v", show.crosses)
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

// A reload in the middle begins the step anew.
func TestReloadAmongTargetsInChromium(t *testing.T) {
	t.Parallel()
	st := exampleStudy(t)
	st.Stimuli = st.Stimuli[:1]
	st.Flow = []study.Part{{Action: study.Calibrate}, block(study.TrialPart{Action: study.Fixation, Duration: 300 * time.Millisecond})}
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart,virtual")
	reads(page, "Please wait until the experimenter begins.")
	d := &director{points: gaze.Targets(5)[:3]}
	var once sync.Once
	d.at = func(_ context.Context, i int) {
		if i == 1 {
			once.Do(func() { page.Do(chromedp.Reload()) })
		}
	}
	show := l.presentLed(st, 0, d.lead)
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	d.check(t)
	if _, _, rounds := d.result(); rounds != 2 {
		t.Errorf("%d rounds", rounds)
	}
	if !slices.ContainsFunc(l.events(stream.Marker), func(e stream.Event) bool { return strings.Contains(e.Detail, "step 0 was interrupted") }) {
		t.Errorf("markers %v", l.events(stream.Marker))
	}
}

// What nobody saw is no target, nor is one that has moved with the window: a page that
// was hidden, or has another size, begins the step anew.
func TestHiddenAndResizedAmongTargetsInChromium(t *testing.T) {
	t.Parallel()
	st := exampleStudy(t)
	st.Stimuli = st.Stimuli[:1]
	st.Flow = []study.Part{{Action: study.Calibrate}, block(study.TrialPart{Action: study.Fixation, Duration: 300 * time.Millisecond})}
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart,virtual")
	reads(page, "Please wait until the experimenter begins.")
	d := &director{points: gaze.Targets(5)[:3]}
	second := []chan struct{}{make(chan struct{}), make(chan struct{})} // of the rounds that are cut off
	next := 0
	d.at = func(ctx context.Context, i int) {
		if i == 1 && next < len(second) {
			close(second[next])
			next++
			<-ctx.Done() // this round goes no further
		}
	}
	show := l.presentLed(st, 0, d.lead)
	for n, disturb := range []func(){
		func() { setWindow(page, cdpbrowser.WindowStateMinimized) },
		func() { page.Do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new Event("resize"))`)) },
	} {
		select {
		case <-second[n]:
		case <-time.After(deadline):
			t.Fatal("no target is shown")
		}
		disturb()
		l.until("the step is interrupted", func() bool { return l.count(stream.Marker, "step 0 was interrupted") == n+1 })
		if n == 0 {
			setWindow(page, cdpbrowser.WindowStateNormal)
		}
	}
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	d.check(t)
	if _, _, rounds := d.result(); rounds != 3 {
		t.Errorf("%d rounds", rounds)
	}
}

// Where less motion is asked for, the target does not glide, and no ring contracts. In
// French, the study's first language.
func TestCalmTargetsInChromium(t *testing.T) {
	t.Parallel()
	st := exampleStudy(t)
	st.Stimuli = st.Stimuli[:1]
	st.Flow = []study.Part{{Action: study.Calibrate}, block(study.TrialPart{Action: study.Fixation, Duration: 300 * time.Millisecond})}
	st.Languages = []string{"fr", "en"}
	l := newLab(t, stage.Options{Study: st})
	page := window(t)
	page.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "fr-FR"}); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, tab, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "test", AcceptLanguage: "fr-FR"}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	}))
	page.Go(l.http.URL + "/stage#autostart,virtual")
	l.until("the page holds the stage", l.server.Connected)
	d := &director{points: gaze.Targets(5)}
	d.at = func(_ context.Context, i int) {
		if moves := browsertest.Value[int](page, `document.getElementById("target").getAnimations({subtree: true}).length`); moves != 0 {
			t.Errorf("point %d: %d parts of the target move", i, moves)
		}
		if i == 0 {
			page.Screenshot("stage-9-calm.png")
		}
	}
	show := l.presentLed(st, 0, d.lead)
	page.Until(`document.getElementById("cue-text").textContent.startsWith("Regardez le point")`)
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	d.check(t)
}
