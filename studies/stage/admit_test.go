package stage_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"emolab/fusion/stream"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// doorman asks for a code until it is confirmed, and remembers what was said.
type doorman struct {
	said chan session.Reply
	last chan struct{} // closed when it is confirmed
}

func newDoorman() *doorman {
	return &doorman{said: make(chan session.Reply, 10), last: make(chan struct{})}
}

func (d *doorman) admit(ctx context.Context, on session.Surface) error {
	for tries := 0; ; tries++ {
		r, err := on.Ask(ctx, session.Question{Kind: session.AskCode, Code: "P-7K2M", Tries: tries})
		if err != nil {
			return err
		}
		d.said <- r
		if r.Value == study.Yes {
			close(d.last)
			return nil
		}
	}
}

// Nothing is shown before the code is confirmed; who comes back before that is asked
// again, and who comes back after it is not.
func TestTheCodeIsAskedBeforeTheFirstStep(t *testing.T) {
	t.Parallel()
	st := shortStudy(t, 3)
	l := newLab(t, stage.Options{Study: st})
	d := newDoorman()
	show := l.show(session.Presentation{Session: "test", Study: st, Plan: st.Plan(0), Admit: d.admit})
	gone := func(p *page) {
		p.conn.Close()
		l.until("the page has gone", func() bool { return !l.server.Connected() })
	}
	p := l.open(browser("1"))
	ready := func() int {
		plan := hear[*protocol.Plan](p)
		p.say(&protocol.Ready{Run: plan.Run})
		return plan.Run
	}
	ready()
	first := hear[*protocol.Ask](p)
	if first.Step != protocol.BeforeFirst || first.Code != "P-7K2M" || first.Tries != 0 {
		t.Fatalf("asked %+v", first)
	}
	gone(p)
	p = l.open(browser("2"))
	run := ready()
	ask := hear[*protocol.Ask](p)
	says := func(value string) {
		p.say(&protocol.Shown{Run: run, Step: ask.Step, ID: ask.ID, Tick: 1})
		p.say(&protocol.Reply{Run: run, Step: ask.Step, ID: ask.ID, Value: value, Tick: 2})
	}
	says("no")
	if ask = hear[*protocol.Ask](p); ask.Tries != 1 {
		t.Fatalf("asked %+v after a no", ask)
	}
	// A wish to stop means nothing yet.
	p.say(&protocol.Leave{Run: run, Step: 0, Tick: 3})
	says("yes")
	hear[*protocol.Begin](p)
	<-d.last
	gone(p)
	p = l.open(browser("3"))
	ready()
	hear[*protocol.Begin](p)
	if got := show.steps(); len(got) != 0 {
		t.Errorf("steps %v", got)
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

// A page that begins a step before it may is let go.
func TestNoStepBeforeTheCode(t *testing.T) {
	t.Parallel()
	st := shortStudy(t, 3)
	l := newLab(t, stage.Options{Study: st})
	show := l.show(session.Presentation{Session: "test", Study: st, Plan: st.Plan(0), Admit: newDoorman().admit})
	p := l.open(browser("1"))
	plan := hear[*protocol.Plan](p)
	p.say(&protocol.StepBegan{Run: plan.Run, Step: 0, Tick: 1})
	p.closed()
	if len(l.events(stream.Fault)) == 0 {
		t.Error("nothing is noted of it")
	}
	if got := show.steps(); len(got) != 0 {
		t.Errorf("steps %v", got)
	}
}

// The built-in client says that the code is its own, and hears every tone.
func TestTheClientConfirmsByItself(t *testing.T) {
	t.Parallel()
	st := shortStudy(t, 3)
	l := newLab(t, stage.Options{Study: st, Simulated: true})
	l.play(client.Options{Study: st})
	d := newDoorman()
	heard := make(chan session.Reply, 1)
	plan := plainSteps(study.Step{Action: study.Begin})
	show := l.show(session.Presentation{Session: "test", Study: st, Plan: plan, Admit: d.admit,
		Procedure: func(ctx context.Context, _ study.Step, on session.Surface) error {
			r, err := on.Ask(ctx, session.Question{Kind: session.AskSound, Tones: 3})
			heard <- r
			return err
		}})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if r := <-d.said; r != (session.Reply{Value: "yes", Simulated: true}) {
		t.Errorf("of the code it says %+v", r)
	}
	if r := <-heard; r.Value != "3" || !r.Simulated {
		t.Errorf("of the tones it says %+v", r)
	}
}

// asks puts questions to a page, one after the other, and returns what is said.
func asks(t *testing.T, l *lab, st *study.Study, admit func(context.Context, session.Surface) error, questions ...session.Question) (*showing, chan session.Reply) {
	t.Helper()
	said := make(chan session.Reply, len(questions))
	show := l.show(session.Presentation{Session: "test", Study: st, Plan: plainSteps(study.Step{Action: study.Begin}), Admit: admit,
		Procedure: func(ctx context.Context, _ study.Step, on session.Surface) error {
			for _, q := range questions {
				r, err := on.Ask(ctx, q)
				if err != nil {
					return err
				}
				said <- r
			}
			return nil
		}})
	return show, said
}

// countTones counts what the page hands to the browser to be heard, from now on.
const countTones = `(() => {
	globalThis.tones = 0;
	globalThis.sounds ??= OscillatorNode.prototype.start;
	OscillatorNode.prototype.start = function (...when) {
		globalThis.tones++;
		globalThis.sounds.apply(this, when);
	};
	return true;
})()`

// The page of a simulated participant answers by itself, and says so.
func TestTheVirtualPageAnswersQuestions(t *testing.T) {
	t.Parallel()
	st := paged()
	l := newLab(t, stage.Options{Study: st})
	open(t, l.http.URL+"/stage#autostart,virtual")
	d := newDoorman()
	show, said := asks(t, l, st, d.admit, session.Question{Kind: session.AskSound, Tones: 3})
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if r := <-d.said; r.Value != study.Yes || !r.Simulated {
		t.Errorf("of the code it says %+v", r)
	}
	if r := <-said; r.Value != "3" || !r.Simulated {
		t.Errorf("of the tones it says %+v", r)
	}
}

// Both questions on a real page: in both languages, with the mouse, and as nobody is to
// be misled by them.
func TestQuestionsOnThePage(t *testing.T) {
	t.Parallel()
	source := axe(t)
	st := paged()
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart")
	reads(page, "Please wait until the experimenter begins.")
	d := newDoorman()
	show, said := asks(t, l, st, d.admit,
		session.Question{Kind: session.AskSound, Tones: 2}, session.Question{Kind: session.AskSound, Tones: 1, Tries: 2})

	shows(page, "Is this your code?")
	accessible(t, page, source, "code")
	pictures(t, page, "code")
	settled(page)
	if high := browsertest.Value[float64](page, `parseFloat(getComputedStyle(document.querySelector(".own-code")).fontSize)`); high < 160 {
		t.Errorf("the code is %v px high", high)
	}
	if got := browsertest.Value[string](page, `document.querySelector(".own-code").textContent`); got != "P-7K2M" {
		t.Errorf("the code is shown as %q", got)
	}
	browsertest.Value[bool](page, `(document.querySelector('nav [lang="fr"]').click(), true)`)
	shows(page, "Est-ce bien votre code\u00a0?")
	pictures(t, page, "code-fr")
	press(page, ".buttons button:nth-child(2)") // no
	shows(page, "La personne qui mène l’expérience arrive.")
	accessible(t, page, source, "code of another")
	pictures(t, page, "code-called")
	settled(page)
	press(page, ".buttons button")

	var tones []int
	hears := func(heading string, n int) {
		// Nothing can be said before anything was heard; of the question before, it could.
		page.Until(`document.body.dataset.view === "sheet" && document.querySelectorAll(".counts button:disabled").length === 5`)
		if got := browsertest.Value[string](page, `document.querySelector("#sheet h1").textContent`); !strings.HasPrefix(got, heading) {
			t.Errorf("asked %q", got)
		}
		settled(page)
		browsertest.Value[bool](page, countTones)
		page.Do(chromedp.Click("#sheet .buttons button")) // as a person does: a browser plays for nobody else
		page.Until(`document.querySelectorAll(".counts button:not(:disabled)").length === 5`)
		tones = append(tones, browsertest.Value[int](page, `globalThis.tones`))
		if len(tones) == 1 {
			accessible(t, page, source, "sound")
		}
		pictures(t, page, "sound")
		browsertest.Value[bool](page, `([...document.querySelectorAll(".counts button")].find((b) => b.textContent === "`+string(rune('0'+n))+`").click(), true)`)
	}
	for _, n := range []int{1, 1} { // of two tones one was heard
		hears("Entendez-vous", n)
	}
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	var values []string
	for range 2 {
		r := <-said
		values = append(values, r.Value)
		if r.Simulated || r.Audio != "running" {
			t.Errorf("said %+v", r)
		}
	}
	if !slices.Equal(values, []string{"1", "1"}) || !slices.Equal(tones, []int{2, 1}) {
		t.Errorf("said %v of %v tones", values, tones)
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}
