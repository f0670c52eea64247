package stage_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/study"
)

// keyDown and keyUp move the Escape key.
func keyDown(page *browsertest.Page) { escape(page, input.DispatchKeyEventTypeRawKeyDown) }
func keyUp(page *browsertest.Page)   { escape(page, input.DispatchKeyEventTypeKeyUp) }

func escape(page *browsertest.Page, kind input.DispatchKeyEventType) {
	page.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, input.DispatchKeyEvent, input.DispatchKeyEventParams{
			Type: kind, Key: "Escape", Code: "Escape", WindowsVirtualKeyCode: 27,
		})
		return err
	}))
}

// view waits until the page shows that.
func view(page *browsertest.Page, name string) {
	page.Until(fmt.Sprintf(`document.body.dataset.view === %q`, name))
}

// playing waits until a clip has been on the screen for a while.
func playing(l *lab) {
	l.t.Helper()
	before, _ := l.samples()
	l.until("the clip plays", func() bool {
		s, _ := l.samples()
		return len(s) > len(before)+3 && s[len(s)-1].Values[frame] > 3
	})
}

// trial is a clip that may be swiped away, and its sheets.
func trial(st *study.Study) study.Plan {
	clip := st.Stimuli[0]
	return plainSteps(
		study.Step{Action: study.Fixation, Duration: 300 * time.Millisecond},
		study.Step{Action: study.Play, Stimulus: clip.ID, Presentation: 1, Duration: clip.Duration, Skippable: true},
		study.Step{Action: study.Fill, Sheet: "rate.grid", Stimulus: clip.ID, Presentation: 1},
		aside("leave"),
	)
}

// clipStudy has all pages and a clip.
func clipStudy(t *testing.T) *study.Study {
	st := exampleStudy(t)
	st.Stimuli = st.Stimuli[1:2] // the longer one
	st.Languages, st.Sheets, st.Words = []string{"en", "fr"}, pages(), nil
	return st
}

// The space bar stops the clip at once. It begins anew when the participant goes on, be it
// by the key or by the button.
func TestPauseInChromium(t *testing.T) {
	t.Parallel()
	st := clipStudy(t)
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart")
	show := l.show(session.Presentation{Session: "test", Study: st, Plan: trial(st), Skip: []int{3}})
	playing(l)
	stroke(page, " ")
	view(page, "pause")
	if n := browsertest.Value[int](page, `document.querySelectorAll("video").length`); n != 0 {
		t.Error("the clip is still there")
	}
	l.until("the screen is blank", func() bool {
		s, _ := l.samples()
		return s[len(s)-1].Values[presentation] == 0
	})
	pictures(t, page, "paused")
	settled(page)
	stroke(page, " ")
	playing(l)
	stroke(page, " ")
	view(page, "pause")
	settled(page)
	stroke(page, kb.Tab)
	focused(page, `id === "go-on"`)
	stroke(page, " ")
	playing(l)
	stroke(page, kb.ArrowUp)
	to(page, "How did you feel?", "en")
	stroke(page, " ") // nobody is in a hurry here
	if got := browsertest.Value[string](page, `document.body.dataset.view`); got != "sheet" {
		t.Errorf("the space bar on a sheet leads to %s", got)
	}
	browsertest.Value[bool](page, answerAll)
	press(page, ".buttons button")
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 1, 1, 2}) {
		t.Errorf("steps began in the order %v", got)
	}
	show.mu.Lock()
	defer show.mu.Unlock()
	if want := []bool{true, false, true, false}; !slices.Equal(show.pauses, want) {
		t.Errorf("pauses %v, want %v", show.pauses, want)
	}
	if !l.said(stream.Marker, "was swiped away by the participant") {
		t.Errorf("markers %v", l.events(stream.Marker))
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

// A pause outlasts a connection that is lost, and a server that is started anew, which is
// told of it: nothing begins before the participant wants.
func TestPauseAndLostConnection(t *testing.T) {
	t.Parallel()
	st := clipStudy(t)
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart")
	show := l.show(session.Presentation{Session: "test", Study: st, Plan: trial(st), Skip: []int{3}})
	playing(l)
	stroke(page, " ")
	view(page, "pause")
	settled(page)
	browsertest.Value[bool](page, `(globalThis.viewsSeen = [], true)`)
	l.line.cut()
	passed(page, "words")
	view(page, "pause")
	l.until("the stage waits for the participant", func() bool { return l.server.Waiting() != "" })
	l.line.down(func() {
		show.cancel()
		_ = show.end()
	})
	view(page, "words")
	again := l.show(session.Presentation{Session: "test", Study: st, Plan: trial(st), From: 1, Skip: []int{3}})
	view(page, "pause")
	l.until("the server is told of the pause", func() bool { return slices.Equal(again.paused(), []bool{true}) })
	settled(page)
	stroke(page, " ")
	playing(l)
	again.cancel()
	_ = again.end()
	if was, is := show.steps(), again.steps(); !slices.Equal(was, []int{0, 1}) || !slices.Equal(is, []int{1}) {
		t.Errorf("steps began in the order %v, and then %v", was, is)
	}
	if was, is := show.paused(), again.paused(); !slices.Equal(was, []bool{true}) || !slices.Equal(is, []bool{true, false}) {
		t.Errorf("pauses %v, and then %v", was, is)
	}
}

// Escape, held for two seconds, leads to the page that asks what is to become of the
// data. Let go before, it does nothing; so does the button that asks once more, if the
// participant goes on.
func TestLeavingInChromium(t *testing.T) {
	t.Parallel()
	st := clipStudy(t)
	plan := trial(st)
	l := newLab(t, stage.Options{Study: st})
	left := func(instant.Instant) session.Ruling { return only(len(plan.Steps), 3) }
	page := open(t, l.http.URL+"/stage#autostart")

	show := l.show(session.Presentation{Session: "first", Study: st, Plan: plan, Skip: []int{3}, Left: left})
	playing(l)
	// The page is not asked while the key is down: a busy one may take two seconds to answer.
	browsertest.Value[bool](page, `(() => {
		globalThis.rings = [];
		new MutationObserver(() => rings.push(document.getElementById("hold").classList.contains("on")))
			.observe(document.getElementById("hold"), {attributeFilter: ["class"]});
		return true;
	})()`)
	keyDown(page)
	page.Screenshot("page-holding.png")
	keyUp(page)
	page.Until(`rings.includes(true) && !rings.at(-1)`)
	playing(l)
	keyDown(page)
	to(page, "You have stopped", "en")
	keyUp(page)
	browsertest.Value[bool](page, answerAll)
	press(page, ".buttons button")
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	reads(page, "Thank you. Please call the experimenter.")
	if got := show.given(); len(got) != 1 || got[0].Values["leave"] != "delete" {
		t.Errorf("answers %+v", got)
	}

	// By the button on a sheet, and during a pause.
	show = l.show(session.Presentation{Session: "second", Study: st, Plan: plan, From: 2, Skip: []int{3}, Left: left})
	to(page, "How did you feel?", "en")
	press(page, ".way-out button")
	view(page, "pause")
	settled(page)
	stroke(page, " ")
	view(page, "sheet")
	focused(page, `matches(".way-out button")`)
	stroke(page, kb.Enter)
	view(page, "pause")
	settled(page)
	browsertest.Value[bool](page, `(document.getElementById("stop").click(), true)`)
	to(page, "You have stopped", "en")
	show.cancel()
	_ = show.end()

	show = l.show(session.Presentation{Session: "third", Study: st, Plan: plan, Skip: []int{3}, Left: left})
	playing(l)
	stroke(page, " ")
	view(page, "pause")
	settled(page)
	browsertest.Value[bool](page, `(document.getElementById("stop").click(), true)`)
	to(page, "You have stopped", "en")
	show.cancel()
	_ = show.end()

	// The operator ends it, in the middle of a clip.
	end := make(chan struct{})
	out := func() session.Ruling { return left(0) }
	show = l.show(session.Presentation{Session: "fourth", Study: st, Plan: plan, Skip: []int{3}, Ended: end, Out: out})
	playing(l)
	close(end)
	to(page, "You have stopped", "en")
	browsertest.Value[bool](page, answerAll)
	press(page, ".buttons button")
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	reads(page, "Thank you. Please call the experimenter.")
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

// Fingers on the glass: two tap for a pause, one swipes upwards. A clip that may not be
// swiped away stays.
func TestTouchInChromium(t *testing.T) {
	t.Parallel()
	st := clipStudy(t)
	plan := trial(st)
	plan.Steps[1].Skippable = false
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart")
	show := l.show(session.Presentation{Session: "test", Study: st, Plan: plan, Skip: []int{3}})
	playing(l)
	swipe(page)
	stroke(page, kb.ArrowUp)
	playing(l)
	touch(page, [][]*input.TouchPoint{{{X: 300, Y: 300, ID: new(0.0)}}, {{X: 300, Y: 300, ID: new(0.0)}, {X: 500, Y: 300, ID: new(1.0)}}, nil})
	view(page, "pause")
	show.cancel()
	_ = show.end()

	plan = trial(st)
	show = l.show(session.Presentation{Session: "test", Study: st, Plan: plan, Skip: []int{3}})
	playing(l)
	swipe(page)
	shows(page, "How did you feel?")
	show.cancel()
	_ = show.end()
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

func swipe(page *browsertest.Page) {
	touch(page, [][]*input.TouchPoint{{{X: 640, Y: 600}}, {{X: 640, Y: 450}}, {{X: 645, Y: 300}}, nil})
}

// touch moves fingers through some states; none lifts them all. They are 50 ms apart by
// their stamps, however long the browser takes.
func touch(page *browsertest.Page, states [][]*input.TouchPoint) {
	const between = 50 // ms
	page.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		fingers := 0
		began := time.Now().UnixMilli()
		for i, points := range states {
			kind := input.DispatchTouchEventTypeTouchMove
			switch {
			case len(points) == 0:
				kind, points = input.DispatchTouchEventTypeTouchEnd, []*input.TouchPoint{}
			case len(points) > fingers:
				kind = input.DispatchTouchEventTypeTouchStart
			}
			fingers = len(points)
			if _, err := cdp.Call(ctx, tab, input.DispatchTouchEvent, input.DispatchTouchEventParams{
				Type: kind, TouchPoints: points, Timestamp: input.TimeSinceEpoch(float64(began+int64(i)*between) / 1000),
			}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// In a phone's frame all clips lie in one upright area, whatever their shape, and the
// place that is reported is that of the picture.
func TestPhoneFrameInChromium(t *testing.T) {
	t.Parallel()
	for _, shape := range []struct {
		width, height int
		want          [4]float64 // of the page's 1280 x 800 px
	}{
		{360, 640, [4]float64{437.5, 40, 405, 720}},
		{640, 360, [4]float64{437.5, 400 - 405*9./32, 405, 405 * 9. / 16}},
	} {
		st := clipStudy(t)
		st.PhoneFrame = true
		st.Stimuli[0].Width, st.Stimuli[0].Height = shape.width, shape.height
		l := newLab(t, stage.Options{Study: st})
		page := open(t, l.http.URL+"/stage#autostart")
		show := l.show(session.Presentation{Session: "test", Study: st, Plan: trial(st), Skip: []int{3}})
		playing(l)
		got := browsertest.Value[[]float64](page, `(() => {
			const r = document.querySelector("video").getBoundingClientRect();
			const f = document.querySelector(".frame").getBoundingClientRect();
			return [r.x, r.y, r.width, r.height, f.width, f.height];
		})()`)
		for i, want := range append(shape.want[:], 405, 720) {
			if d := got[i] - want; d > 1 || d < -1 {
				t.Errorf("%d x %d: the clip and its frame are at %v, want %v and 405 x 720", shape.width, shape.height, got, shape.want)
				break
			}
		}
		page.Screenshot(fmt.Sprintf("page-frame-%dx%d.png", shape.width, shape.height))
		show.cancel()
		_ = show.end()
	}
}
