package stage_test

import (
	"context"
	"testing"
	"time"

	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/study"
)

// On every page, an accessibility checker finds no serious fault; what is missing is
// said; and pictures of it can be looked at.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	source := axe(t)
	st := paged()
	var steps []study.Step
	for _, s := range st.Sheets {
		steps = append(steps, fill(s.ID))
	}
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart")
	reads(page, "Please wait until the experimenter begins.")
	accessible(t, page, source, "waiting")
	pictures(t, page, "waiting")

	show := l.show(session.Presentation{Session: "test", Study: st, Plan: plainSteps(steps...), Receipt: receiptOfTests})
	for i, s := range st.Sheets {
		shows(page, s.Heading["en"])
		accessible(t, page, source, s.ID)
		pictures(t, page, s.ID)
		settled(page)
		if i == 0 { // the way out asks once more
			browsertest.Value[bool](page, `(document.querySelector(".way-out button").click(), true)`)
			page.Until(`document.body.dataset.view === "pause"`)
			accessible(t, page, source, "asked whether to stop")
			pictures(t, page, "stop")
			settled(page)
			browsertest.Value[bool](page, `(document.querySelector("#go-on").click(), true)`)
			shows(page, s.Heading["en"])
		}
		if len(s.Fields) > 0 { // what is required is missing: it is said, and nothing is sent
			browsertest.Value[bool](page, `(document.querySelector(".buttons button").click(), true)`)
			page.Until(`document.querySelector(".status").textContent !== "" && document.querySelector(".complaint:not(:empty)") !== null`)
			accessible(t, page, source, s.ID+" with faults")
			pictures(t, page, s.ID+"-faults")
			browsertest.Value[bool](page, answerAll)
			accessible(t, page, source, s.ID+" filled in")
			pictures(t, page, s.ID+"-filled")
		}
		if s.Kind == study.ReceiptSheet {
			page.Until(`document.querySelector(".qr") !== null`)
			accessible(t, page, source, "receipt with its code")
			pictures(t, page, "receipt-code")
		}
		browsertest.Value[bool](page, `(document.querySelector(".buttons button").click(), true)`)
	}
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := len(show.given()); got != len(st.Sheets) {
		t.Errorf("%d of %d sheets were answered", got, len(st.Sheets))
	}
	reads(page, "Thank you. This part is over.")
	accessible(t, page, source, "over")
	pictures(t, page, "over")
}

// answerAll answers every field of the sheet through its own controls.
const answerAll = `(() => {
	const all = (what) => [...document.querySelectorAll("#sheet " + what)];
	for (const box of all("input[type=checkbox]")) if (!box.checked) box.click();
	const names = new Set(all("input[type=radio]").map((r) => r.name));
	for (const name of names) {
		const group = all("input[type=radio]").filter((r) => r.name === name);
		group[Math.min(5, group.length - 1)].click();
	}
	const type = (e, v) => { e.value = v; e.dispatchEvent(new Event("input", {bubbles: true})); };
	for (const e of all("input[type=text]")) type(e, "27");
	for (const e of all("input[type=range]")) type(e, "64");
	for (const e of all("textarea")) type(e, "The sea was calm.\nAnd blue.");
	return true;
})()`

// The pages of the example study, as they come, in both languages.
func TestPagesOfTheExample(t *testing.T) {
	t.Parallel()
	source := axe(t)
	for _, language := range []string{"en", "fr"} {
		st := exampleStudy(t)
		st.Languages = []string{language}
		var steps []study.Step
		for _, s := range st.Sheets {
			steps = append(steps, fill(s.ID))
		}
		l := newLab(t, stage.Options{Study: st})
		page := open(t, l.http.URL+"/stage#autostart")
		show := l.show(session.Presentation{Session: "test", Study: st, Plan: plainSteps(steps...), Receipt: receiptOfTests})
		for _, s := range st.Sheets {
			shows(page, s.Heading[language])
			if empty := browsertest.Value[int](page, `[...document.querySelectorAll("#sheet :is(h1, p:not(.status, .complaint, .left-over), button, label, legend)")].filter((e) => e.textContent === "").length`); empty > 0 {
				t.Errorf("%s, %s: %d places have no words", s.ID, language, empty)
			}
			if language == "en" { // the other language has other words in the same places
				accessible(t, page, source, s.ID)
			}
			pictures(t, page, "example-"+language+"-"+s.ID)
			to(page, s.Heading[language], language)
			browsertest.Value[bool](page, answerAll)
			press(page, ".buttons button")
		}
		if err := show.end(); err != nil {
			t.Fatal(err)
		}
	}
}

// What is no sheet can be used by everybody too: what to do before it begins and during a
// calibration, a cross, a target, a clip, and a page that is refused.
func TestOtherPagesAreAccessible(t *testing.T) {
	t.Parallel()
	source := axe(t)
	st := clipStudy(t)
	clip := st.Stimuli[0]
	l := newLab(t, stage.Options{Study: st})
	page := openUnhurried(t, l.http.URL+"/stage")
	reads(page, "Please wait until the experimenter begins.")
	seen := make(chan struct{})
	lead := func(ctx context.Context, step study.Step, on session.Surface) error {
		if _, err := on.Cue(ctx, session.CueLook); err != nil {
			return err
		}
		if _, err := on.Show(ctx, .3, .4); err != nil {
			return err
		}
		select {
		case <-seen:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	show := l.show(session.Presentation{Session: "test", Study: st, Procedure: lead, Plan: plainSteps(
		study.Step{Action: study.Calibrate}, study.Step{Action: study.Fixation, Stimulus: clip.ID, Duration: time.Hour},
	)})
	reads(page, "Press any key or tap to begin.")
	accessible(t, page, source, "begin")
	pictures(t, page, "begin")
	stroke(page, "a")
	view(page, "cue")
	accessible(t, page, source, "look")
	settled(page)
	stroke(page, "a")
	view(page, "target")
	accessible(t, page, source, "target")
	pictures(t, page, "target")
	seen <- struct{}{}
	view(page, "cross")
	accessible(t, page, source, "cross")
	show.cancel()
	_ = show.end()

	show = l.show(session.Presentation{Session: "test", Study: st, Plan: plainSteps(
		study.Step{Action: study.Play, Stimulus: clip.ID, Presentation: 1, Duration: clip.Duration},
	)})
	playing(l)
	accessible(t, page, source, "clip")
	show.cancel()
	_ = show.end()

	other := open(t, l.http.URL+"/stage")
	reads(other, "The stage is already open elsewhere.")
	accessible(t, other, source, "refused")
	pictures(t, other, "refused")
}
