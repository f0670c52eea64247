package stage_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/fusion/stream"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// askingStudy is shortStudy after the question about the face video.
func askingStudy(t *testing.T, frames ...int) *study.Study {
	st := shortStudy(t, frames...)
	st.FaceVideo = study.AskFirst
	return st
}

// asked takes a page by hand as far as the question, and returns its step.
func asked(p *page) (*protocol.Plan, protocol.Step) {
	p.t.Helper()
	plan := hear[*protocol.Plan](p)
	p.say(&protocol.Ready{Run: plan.Run})
	hear[*protocol.Begin](p)
	p.say(&protocol.StepBegan{Run: plan.Run, Step: 0})
	step := plan.Steps[0]
	if step.Action != study.Consent || step.Scope != session.FaceVideo || len(step.Texts) != 2 {
		p.t.Fatalf("the first step is %+v", step)
	}
	return plan, step
}

// reply is an answer to a step in its second language.
func reply(plan *protocol.Plan, step protocol.Step, granted bool) *protocol.Answer {
	return &protocol.Answer{Run: plan.Run, Step: step.Index, Scope: step.Scope, Granted: granted,
		TextSHA256: step.Texts[1].SHA256, Language: step.Texts[1].Language, Tick: 12345}
}

func TestAnAnswerEndsItsStepAndIsRecordedWithItsText(t *testing.T) {
	for _, granted := range []bool{true, false} {
		t.Run(strconv.FormatBool(granted), func(t *testing.T) {
			l := newLab(t, stage.Options{})
			show := l.present(askingStudy(t, 10), 0)
			p := l.open(browser("1"))
			plan, step := asked(p)
			for _, text := range step.Texts {
				sum := sha256.Sum256([]byte(text.String()))
				if hex.EncodeToString(sum[:]) != text.SHA256 {
					t.Errorf("the hash of %q is not %s", text, text.SHA256)
				}
			}
			p.say(reply(plan, step, granted))
			p.say(&protocol.StepBegan{Run: plan.Run, Step: 1})
			show.reached(1)
			got := show.consents()
			if len(got) != 1 || got[0].At <= 0 {
				t.Fatalf("consents %+v", got)
			}
			got[0].At = 0
			want := session.Consent{Scope: session.FaceVideo, Granted: granted, TextSHA256: step.Texts[1].SHA256, Language: "fr", How: session.OnScreen}
			if got[0] != want {
				t.Errorf("consent %+v, want %+v", got[0], want)
			}
			// The recording holds what was read, word for word.
			if !l.said(stream.Marker, "consent to face_video: "+strconv.FormatBool(granted)) ||
				!l.said(stream.Marker, strconv.Quote(step.Texts[1].String())) || !l.said(stream.Marker, "at tick 12345") {
				t.Errorf("markers %v", l.events(stream.Marker))
			}
		})
	}
}

// A question that was answered is not asked again; one that was not, is.
func TestAQuestionOutlivesItsPage(t *testing.T) {
	l := newLab(t, stage.Options{})
	show := l.present(askingStudy(t, 10), 0)
	p := l.open(browser("1"))
	asked(p)
	show.reached(0)
	p.conn.Close()
	l.until("the stage is free", func() bool { return !l.server.Connected() })
	p = l.open(browser("2"))
	plan, step := asked(p)
	if plan.From != 0 || len(show.consents()) != 0 {
		t.Fatalf("from step %d, consents %+v", plan.From, show.consents())
	}
	p.say(reply(plan, step, true))
	l.until("the answer has come", func() bool { return len(show.consents()) == 1 })
	p.conn.Close()
	l.until("the stage is free again", func() bool { return !l.server.Connected() })
	if plan := hear[*protocol.Plan](l.open(browser("3"))); plan.From != 1 {
		t.Errorf("after the answer the plan goes on from step %d", plan.From)
	}
}

// Whatever a page says, only a choice about a text that it was sent is an answer.
func TestWhatIsNoAnswer(t *testing.T) {
	change := func(f func(*protocol.Answer)) func(*protocol.Plan, protocol.Step) protocol.Message {
		return func(plan *protocol.Plan, step protocol.Step) protocol.Message {
			a := reply(plan, step, true)
			f(a)
			return a
		}
	}
	for name, c := range map[string]struct {
		say  func(*protocol.Plan, protocol.Step) protocol.Message
		want string
	}{
		"another text":     {change(func(a *protocol.Answer) { a.TextSHA256 = strings.Repeat("0", 64) }), `has the hash "0000`},
		"another language": {change(func(a *protocol.Answer) { a.Language = "en" }), "no text in \"en\""},
		"another scope":    {change(func(a *protocol.Answer) { a.Scope = "salary" }), "another question"},
		"another step":     {change(func(a *protocol.Answer) { a.Step = 1 }), "answer of step 1, the plan is at step 0"},
		"no answer at all": {func(plan *protocol.Plan, _ protocol.Step) protocol.Message {
			return &protocol.StepEnded{Run: plan.Run}
		}, "step-ended of step 0"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, stage.Options{})
			show := l.present(askingStudy(t, 10), 0)
			p := l.open(browser("1"))
			plan, step := asked(p)
			p.say(c.say(plan, step))
			p.closed() // it will be asked again
			l.until("the fault is in the stream", func() bool { return l.said(stream.Fault, c.want) })
			if got := show.consents(); len(got) != 0 {
				t.Errorf("consents %+v", got)
			}
		})
	}
}

func TestAnAnswerToAnythingElse(t *testing.T) {
	l := newLab(t, stage.Options{})
	show := l.present(askingStudy(t, 10), 1) // the question lies behind
	p := l.open(browser("1"))
	plan := hear[*protocol.Plan](p)
	p.say(&protocol.Ready{Run: plan.Run})
	hear[*protocol.Begin](p)
	p.say(&protocol.StepBegan{Run: plan.Run, Step: 1})
	late := reply(plan, plan.Steps[0], true)
	late.Step = 1
	p.say(late)
	p.closed()
	if got := show.consents(); len(got) != 0 {
		t.Errorf("consents %+v", got)
	}
}

func TestAnUnknownQuestion(t *testing.T) {
	l := newLab(t, stage.Options{})
	st := askingStudy(t, 10)
	plan := st.Plan(0)
	plan.Steps[0].Scope = "salary"
	err := l.server.Present(t.Context(), session.Presentation{Study: st, Plan: plan})
	if err == nil || !strings.Contains(err.Error(), `consent to "salary"`) {
		t.Errorf("Present returns %v", err)
	}
}

// The built-in client agrees, and says whom it speaks for.
func TestTheClientAgreesForASimulatedParticipant(t *testing.T) {
	t.Parallel()
	st := askingStudy(t, 6)
	l := newLab(t, stage.Options{Simulated: true})
	show := l.present(st, 0)
	l.play(client.Options{Study: st})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("steps began in the order %v", got)
	}
	if got := show.consents(); len(got) != 1 || !got[0].Granted || got[0].How != session.Simulated || got[0].Language != "en" {
		t.Errorf("consents %+v", got)
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

// presses strokes a named key.
func presses(page *browsertest.Page, keys ...string) {
	for _, k := range keys {
		page.Do(chromedp.KeyEvent(k))
	}
}

const (
	questionShown = `document.body.dataset.view === "question"`
	questionGone  = `document.body.dataset.view !== "question"`
	inFocus       = `document.activeElement.id`
	// readyForChoice waits out the moment in which no choice counts.
	readyForChoice = `new Promise((done) => setTimeout(done, 600, true))`
)

// begins opens a study whose first clip does not matter, and waits for the question.
func begins(t *testing.T, address string) (*lab, *showing, *browsertest.Page) {
	t.Helper()
	st := exampleStudy(t)
	st.FaceVideo = study.AskFirst
	st.Stimuli = st.Stimuli[:1]
	l := newLab(t, stage.Options{})
	page := open(t, l.http.URL+address)
	reads(page, "Please wait until the experimenter begins.")
	show := l.present(st, 0)
	page.Until(questionShown)
	show.reached(0)
	return l, show, page
}

func TestQuestionInChromium(t *testing.T) {
	t.Parallel()
	l, show, page := begins(t, "/stage#autostart")
	if got := browsertest.Value[string](page, `document.getElementById("question").innerText`); !strings.Contains(got, "May we keep the video of your face?") ||
		!strings.Contains(got, "nothing changes for you") || !strings.Contains(got, "Yes, keep my video") {
		t.Errorf("the page shows %q", got)
	}
	page.Screenshot("stage-6-question.png")
	// Neither answer is chosen, and they are of one size, in one row, and look alike.
	if id := browsertest.Value[string](page, inFocus); id != "question" {
		t.Errorf("%q has the focus", id)
	}
	type look struct {
		W, H, Top                  float64
		Colour, Back, Border, Font string
	}
	looks := browsertest.Value[[]look](page, `["yes", "no"].map((id) => {
		const e = document.getElementById(id), r = e.getBoundingClientRect(), s = getComputedStyle(e);
		return {W: r.width, H: r.height, Top: r.top, Colour: s.color, Back: s.backgroundColor, Border: s.border, Font: s.font};
	})`)
	if looks[0] != looks[1] || looks[0].H < 44 {
		t.Errorf("the answers differ, or are small: %+v", looks)
	}
	if role := browsertest.Value[string](page, `(() => {
		const q = document.getElementById("question");
		return q.getAttribute("role") + " " + document.getElementById(q.getAttribute("aria-labelledby")).textContent;
	})()`); role != "dialog May we keep the video of your face?" {
		t.Errorf("a screen reader is told %q", role)
	}
	// A choice in the first moment does not count, nor do keys that mean nothing.
	page.Do(chromedp.Reload())
	page.Until(questionShown)
	browsertest.Value[bool](page, `(document.getElementById("yes").click(), true)`)
	browsertest.Value[bool](page, readyForChoice)
	presses(page, " ", "x")
	if got := show.consents(); len(got) != 0 || !browsertest.Value[bool](page, questionShown) {
		t.Fatalf("answered by nothing: %+v", got)
	}
	// The arrows go to either answer, Tab goes on, Enter takes it.
	for _, c := range []struct{ key, id string }{{kb.ArrowRight, "no"}, {kb.ArrowLeft, "yes"}, {kb.ArrowDown, "no"}, {kb.ArrowUp, "yes"}, {kb.Tab, "no"}} {
		presses(page, c.key)
		if id := browsertest.Value[string](page, inFocus); id != c.id {
			t.Errorf("after %q, %q has the focus, want %q", c.key, id, c.id)
		}
	}
	if style := browsertest.Value[string](page, `getComputedStyle(document.activeElement).outlineStyle`); style != "solid" {
		t.Errorf("the focus is not to be seen: outline %s", style)
	}
	page.Screenshot("stage-7-question-focus.png")
	presses(page, kb.Enter)
	page.Until(questionGone)
	show.reached(1)
	if got := show.consents(); len(got) != 1 || got[0].Granted || got[0].How != session.OnScreen || got[0].Language != "en" {
		t.Errorf("consents %+v", got)
	}
	// Reloaded after the answer, the page is not asked again.
	page.Do(chromedp.Reload())
	l.until("the next step begins again", func() bool {
		steps := show.steps()
		return len(steps) > 1 && slices.Equal(steps[len(steps)-2:], []int{1, 1})
	})
	show.cancel()
	if err := show.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("Present returns %v", err)
	}
	if got := show.consents(); len(got) != 1 {
		t.Errorf("consents %+v", got)
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

func TestAnsweringInChromium(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		address string
		choose  func(*browsertest.Page)
		granted bool
		how     string
	}{
		"click yes": {"/stage#autostart", func(p *browsertest.Page) { p.Do(chromedp.Click("#yes")) }, true, session.OnScreen},
		"key N":     {"/stage#autostart", func(p *browsertest.Page) { presses(p, "N") }, false, session.OnScreen},
		"virtual":   {"/stage#autostart,virtual", func(*browsertest.Page) {}, true, session.Simulated},
	} {
		t.Run(name, func(t *testing.T) {
			_, show, page := begins(t, c.address)
			browsertest.Value[bool](page, readyForChoice)
			c.choose(page)
			show.reached(1)
			if got := show.consents(); len(got) != 1 || got[0].Granted != c.granted || got[0].How != c.how {
				t.Errorf("consents %+v", got)
			}
			show.cancel()
			if err := show.end(); !errors.Is(err, context.Canceled) {
				t.Errorf("Present returns %v", err)
			}
		})
	}
}
