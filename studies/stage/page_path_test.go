package stage_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/fusion/stream"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/study"
)

// path is the plan of these tests: an intake, a trial with its ratings, the end, and
// what stands aside.
func path() study.Plan {
	return plainSteps(
		fill("notice"), fill("consent"), fill("screening"),
		study.Step{Action: study.Begin},
		study.Step{Action: study.Neutral, Duration: 300 * time.Millisecond},
		fill("rate.sam"), fill("rate.grid"), fill("form.exit"), fill("debrief"), fill("receipt"),
		aside("leave"), aside("exit.consent"),
	)
}

// begins leads the steps of these tests: it lets the recording begin at once.
func begins(ctx context.Context, step study.Step, on session.Surface) error {
	if step.Action == study.Begin {
		_, err := on.Cue(ctx, "begin")
		return err
	}
	return nil
}

// only is the ruling that leads to some steps of a plan of n.
func only(n int, steps ...int) session.Ruling {
	var r session.Ruling
	for i := range n {
		if !slices.Contains(steps, i) {
			r.Skip = append(r.Skip, i)
		}
	}
	return r
}

// Somebody who has nothing but a keyboard reads, answers and ends the session, in either
// language. No key that is still held down, and none that comes at once, answers anything.
func TestPathByKeyboard(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"en", "fr"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			st := paged()
			l := newLab(t, stage.Options{Study: st})
			page := open(t, l.http.URL+"/stage#autostart")
			reads(page, "Please wait until the experimenter begins.")
			browsertest.Value[bool](page, pressAtOnce)
			show := l.show(session.Presentation{Session: "test", Study: st, Plan: path(), Procedure: begins, Receipt: receiptOfTests})

			shows(page, "A program estimates expressions")
			settled(page)
			if language == "fr" {
				// English, Français, the button: the focus begins at the heading after the languages.
				page.Do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
				focused(page, `lang === "fr"`)
				stroke(page, " ")
				page.Until(`document.documentElement.lang === "fr"`)
			}
			to(page, heading(st, "notice", language), language)
			tabTo(page, `matches(".buttons button")`)
			stroke(page, kb.Enter)

			to(page, heading(st, "consent", language), language)
			tabTo(page, `name === "traces"`)
			stroke(page, kb.Enter) // does not answer the sheet by accident
			stroke(page, " ")
			tabTo(page, `matches(".buttons button")`)
			stroke(page, kb.Enter)

			to(page, heading(st, "screening", language), language)
			tabTo(page, `name === "age"`)
			stroke(page, "150"+kb.Enter)
			tabTo(page, `name === "relation"`)
			stroke(page, " ") // yes
			stroke(page, kb.ArrowDown)
			tabTo(page, `matches(".buttons button")`)
			stroke(page, kb.Enter)
			page.Until(`document.activeElement.name === "age" && document.activeElement.getAttribute("aria-invalid") === "true"`)
			stroke(page, kb.Backspace+kb.Backspace+"9")
			tabTo(page, `matches(".buttons button")`)
			stroke(page, kb.Enter)

			to(page, heading(st, "rate.sam", language), language)
			if n := browsertest.Value[int](page, `document.querySelectorAll(".tongues").length`); n != 0 {
				t.Error("the language can be chosen after the recording has begun")
			}
			for i, key := range []string{"sam.valence", "sam.arousal", "sam.dominance"} {
				tabTo(page, fmt.Sprintf(`name === %q`, key))
				stroke(page, fmt.Sprint(i+3))
			}
			tabTo(page, `matches(".buttons button")`)
			stroke(page, kb.Enter)

			to(page, heading(st, "rate.grid", language), language)
			tabTo(page, `name === "grid"`)
			stroke(page, kb.ArrowRight+kb.ArrowRight+kb.ArrowRight+kb.ArrowUp) // the first goes to the middle, 5 and 5
			tabTo(page, `matches(".buttons button")`)
			stroke(page, kb.Enter)

			to(page, heading(st, "form.exit", language), language)
			tabTo(page, `name === "liked"`)
			stroke(page, " "+kb.ArrowRight)
			tabTo(page, `name === "share"`)
			stroke(page, kb.ArrowRight)
			tabTo(page, `name === "remarks"`)
			stroke(page, "Bien")
			tabTo(page, `matches(".buttons button")`)
			stroke(page, kb.Enter)

			for _, sheet := range []string{"debrief", "receipt"} {
				to(page, heading(st, sheet, language), language)
				tabTo(page, `matches(".buttons button")`)
				stroke(page, kb.Enter)
			}
			if err := show.end(); err != nil {
				t.Fatal(err)
			}
			reads(page, map[string]string{"en": "Thank you. This part is over.", "fr": "Merci. Cette partie est terminée."}[language])

			want := []study.Answers{
				{}, {"traces": "yes", "face_video": "no"}, {"age": "19", "relation": "no"},
				{"sam.valence": "3", "sam.arousal": "4", "sam.dominance": "5"}, {"grid.valence": "7", "grid.arousal": "6"},
				{"liked": "2", "share": "51", "remarks": "Bien"}, {}, {},
			}
			given := show.given()
			if len(given) != len(want) {
				t.Fatalf("%d sheets were answered, want %d: %+v", len(given), len(want), given)
			}
			for i, a := range given {
				if fmt.Sprint(a.Values) != fmt.Sprint(want[i]) || a.Language != language || a.How != session.OnScreen || a.Declined {
					t.Errorf("%s: %v in %s by %q, want %v", a.Sheet, a.Values, a.Language, a.How, want[i])
				}
				sheet, _ := st.Sheet(a.Sheet)
				if a.Text != sheet.Words(language) {
					t.Errorf("%s: the words are those of another language", a.Sheet)
				}
				for key := range a.ResponseMs {
					if ms := a.ResponseMs[key]; ms <= 0 || ms > 1e6 {
						t.Errorf("%s: %s was answered after %g ms", a.Sheet, key, ms)
					}
				}
			}
			if f := l.events(stream.Fault); len(f) > 0 {
				t.Errorf("faults: %v", f)
			}
			// The next participant chooses anew.
			reads(page, map[string]string{"en": "Thank you. This part is over.", "fr": "Merci. Cette partie est terminée."}[language])
			l.show(session.Presentation{Session: "next", Study: st, Plan: path(), Procedure: begins})
			shows(page, "A program estimates expressions")
		})
	}
}

// pressAtOnce presses the button of the next sheet as soon as it is on the screen: within
// the half second in which nothing counts, whenever the page has time for it. A key that a
// test sends may take longer.
const pressAtOnce = `(() => {
	const look = () => {
		const button = document.body.dataset.view === "sheet" && document.querySelector("#sheet .buttons button");
		if (!button) return requestAnimationFrame(look);
		if (performance.now() - changed < 300) button.click();
	};
	look();
	return true;
})()`

// heading is that of a study's sheet.
func heading(st *study.Study, sheet, language string) string {
	s, _ := st.Sheet(sheet)
	return s.Heading[language]
}

// to waits until a sheet is on the screen, in its language and with the focus on its
// heading, and until its buttons count.
func to(page *browsertest.Page, heading, language string) {
	shows(page, heading)
	page.Until(fmt.Sprintf(`document.documentElement.lang === %q`, language))
	settled(page)
}

// focused waits until what has the focus is such.
func focused(page *browsertest.Page, is string) {
	page.Until(fmt.Sprintf(`(() => { const e = document.activeElement; return e.%s; })()`, is))
}

// tabTo goes with the tabulator to the first control that is such.
func tabTo(page *browsertest.Page, is string) {
	for range 40 {
		if browsertest.Value[bool](page, fmt.Sprintf(`(() => { const e = document.activeElement; return e.%s; })()`, is)) {
			return
		}
		stroke(page, kb.Tab)
	}
	focused(page, is)
}

// Who declines is led to the page that thanks, and sees nothing else.
func TestDeclining(t *testing.T) {
	t.Parallel()
	st := paged()
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart")
	plan := path()
	show := l.show(session.Presentation{
		Session: "test", Study: st, Plan: plan, Skip: []int{10, 11}, Procedure: begins,
		Answered: func(_ context.Context, a session.Answer) (session.Ruling, error) {
			if a.Declined {
				return only(len(plan.Steps), 11), nil
			}
			return session.Ruling{Skip: []int{10, 11}}, nil
		},
	})
	shows(page, "A program estimates expressions")
	settled(page)
	press(page, ".buttons button")
	shows(page, "Taking part")
	settled(page)
	press(page, `[name="face_video"]`) // what was ticked before is no matter
	press(page, ".buttons button:nth-child(2)")
	shows(page, "Thank you")
	settled(page)
	press(page, ".buttons button")
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	reads(page, "Thank you. Please call the experimenter.")
	given := show.given()
	if len(given) != 3 || !given[1].Declined || len(given[1].Values) != 0 {
		t.Errorf("answers %+v", given)
	}
	if got := show.steps(); !slices.Equal(got, []int{0, 1, 11}) {
		t.Errorf("steps began in the order %v", got)
	}
}

// press clicks on something.
func press(page *browsertest.Page, selector string) {
	browsertest.Value[bool](page, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, "#sheet "+selector))
}

// A page that is reloaded, or has lost its connection, shows the sheet again, in the
// language that was chosen; nothing is sent twice.
func TestSheetAfterReloadAndLoss(t *testing.T) {
	t.Parallel()
	st := paged()
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart")
	show := l.show(session.Presentation{Session: "test", Study: st, Plan: plainSteps(fill("notice"), fill("screening"), study.Step{Action: study.Begin}, fill("debrief")), Procedure: begins})
	shows(page, "A program estimates expressions")
	settled(page)
	browsertest.Value[bool](page, `(document.querySelector('nav [lang="fr"]').click(), true)`)
	shows(page, "Un programme estime des expressions")
	settled(page)
	press(page, ".buttons button")
	shows(page, "Quelques questions")
	browsertest.Value[bool](page, `(document.querySelector('[name="age"]').value = "33", true)`)
	page.Do(chromedp.Reload())
	page.Until(`document.querySelector('[name="age"]')?.value === ""`)
	shows(page, "Quelques questions")
	l.line.cut()
	page.Until(`document.querySelector('[name="age"]')?.value === "" && document.body.dataset.view === "sheet"`)
	l.until("the sheet has come up three times", func() bool { return len(show.steps()) == 4 })
	settled(page)
	browsertest.Value[bool](page, answerAll)
	// Pressed twice, it is answered once.
	browsertest.Value[bool](page, `(() => { const b = document.querySelector(".buttons button"); b.click(); b.click(); return true; })()`)
	shows(page, "De quoi il s’agissait")
	page.Do(chromedp.Reload()) // after the recording has begun
	shows(page, "De quoi il s’agissait")
	if n := browsertest.Value[int](page, `document.querySelectorAll(".tongues").length`); n != 0 {
		t.Error("the language can be chosen anew after a reload")
	}
	settled(page)
	press(page, ".buttons button")
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, a := range show.given() {
		order = append(order, a.Sheet+" "+a.Language)
	}
	if got := strings.Join(order, ", "); got != "notice fr, screening fr, debrief fr" {
		t.Errorf("answers: %s", got)
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

// The code on the receipt can be read by another program from what the screen shows.
func TestReceiptCanBeScanned(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join("node_modules", "jsqr")); err != nil || missing != nil {
		t.Skip("jsqr or node is not installed: npm ci --prefix studies/stage")
	}
	st := paged()
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage#autostart")
	l.show(session.Presentation{Session: "test", Study: st, Plan: plainSteps(fill("receipt")), Receipt: receiptOfTests})
	page.Until(`document.querySelector(".qr") !== null`)
	shows(page, "Your receipt")
	scanned := func() string {
		picture := filepath.Join(t.TempDir(), "receipt.rgba")
		width, height := pixels(t, page, picture)
		out, err := exec.Command(node, "-e", `
			const [file, w, h] = process.argv.slice(1);
			const data = new Uint8ClampedArray(require("fs").readFileSync(file));
			const code = require("./node_modules/jsqr")(data, +w, +h);
			process.stdout.write(code ? code.data : "nothing");`, picture, fmt.Sprint(width), fmt.Sprint(height)).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	if got := scanned(); got != receiptOfTests().Code {
		t.Errorf("read %q, want %q", got, receiptOfTests().Code)
	}
	for _, words := range []string{"K7QF-2M9T-XW4R", "Videos of the sea", "The video of my face is kept for 30 days.", "November 22, 2028", "No limit is stated", "What you did not agree to", "30 days after your payment"} {
		if !strings.Contains(browsertest.Value[string](page, `document.querySelector("#sheet").innerText`), words) {
			t.Errorf("the receipt does not say %q", words)
		}
	}

	// On paper it is black on white, without anything to press.
	page.Do(media("print"))
	page.Screenshot("page-receipt-print.png")
	if got := scanned(); got != receiptOfTests().Code {
		t.Errorf("read %q from the print, want %q", got, receiptOfTests().Code)
	}
	if paper := browsertest.Value[string](page, `getComputedStyle(document.body).backgroundColor + " " + getComputedStyle(document.querySelector(".code strong")).color`); paper != "rgb(255, 255, 255) rgb(0, 0, 0)" {
		t.Errorf("the print is %s", paper)
	}
	if n := browsertest.Value[int](page, `[...document.querySelectorAll("button")].filter((b) => b.getClientRects().length > 0).length`); n > 0 {
		t.Errorf("%d buttons are printed", n)
	}
}
