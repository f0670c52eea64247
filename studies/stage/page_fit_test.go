package stage_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/stage"
)

// fitting are the sheets that have to fit: three manikins, an affect grid and a receipt.
var fitting = []string{"rate.sam", "rate.grid", "receipt"}

// eachFitting shows them one after the other in a language, on a page of that size.
func eachFitting(t *testing.T, language string, screen chromedp.Action[chromedp.Void], look func(t *testing.T, page *browsertest.Page, sheet string)) {
	st := paged()
	st.Languages = []string{language}
	l := newLab(t, stage.Options{Study: st})
	page := window(t)
	page.Do(screen)
	page.Go(l.http.URL + "/stage#autostart")
	for _, id := range fitting {
		show := l.show(session.Presentation{Session: "test", Study: st, Plan: plainSteps(fill(id)), Receipt: receiptOfTests})
		shows(page, heading(st, id, language))
		if id == "receipt" {
			page.Until(`document.querySelector(".qr") !== null`)
		}
		look(t, page, id)
		show.cancel()
		_ = show.end()
		view(page, "words")
	}
}

// Fingers need room: all that is to be tapped is 44 px wide and high on a phone. Of nine
// points in a row each has its ninth of the phone, which is 43.
func TestTargetsOnAPhone(t *testing.T) {
	t.Parallel()
	phone := chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile)
	eachFitting(t, "fr", phone, func(t *testing.T, page *browsertest.Page, sheet string) {
		small := browsertest.Value[[]string](page, `[...document.querySelectorAll("#sheet :is(button, .figure, .board input)")].map((e) => {
			const r = e.getBoundingClientRect();
			const least = e.matches("button") ? 44 : Math.min(44, innerWidth / (e.name ? 9 : e.parentElement.children.length));
			const whole = r.width > least - .1 && r.height > least - .1 && r.left > -.1 && r.right < innerWidth + .1;
			return whole ? "" : e.className + " " + (e.value ?? e.textContent) + ": " + r.width + " x " + r.height + " px at " + r.left;
		}).filter((s) => s)`)
		for _, s := range small {
			t.Errorf("%s: %s", sheet, s)
		}
		if sideways := browsertest.Value[int](page, `document.getElementById("sheet").scrollWidth - innerWidth`); sideways > 0 {
			t.Errorf("%s is %d px wider than the phone", sheet, sideways)
		}
		page.LongScreenshot("phone-" + sheet + ".png")
	})
}

// On a low screen these sheets are seen whole, with targets of 44 px and words of 18.
func TestSheetsFitALowScreen(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"en", "fr"} {
		eachFitting(t, language, chromedp.EmulateViewport(1280, 720), func(t *testing.T, page *browsertest.Page, sheet string) {
			page.Screenshot(fmt.Sprintf("low-%s-%s.png", sheet, language))
			if over := browsertest.Value[int](page, `document.getElementById("sheet").scrollHeight - innerHeight`); over > 0 {
				t.Errorf("%s in %s is %d px higher than the screen", sheet, language, over)
			}
			small := browsertest.Value[[]string](page, `[
				...[...document.querySelectorAll("#sheet :is(button, .figure, .board input)")].filter((e) => {
					const r = e.getBoundingClientRect();
					return r.width < 43.9 || r.height < 43.9;
				}),
				...[...document.querySelectorAll("#sheet :is(h1, h2, p, span, li, dt, dd, legend, button, strong)")].filter((e) => parseFloat(getComputedStyle(e).fontSize) < 18),
			].map((e) => e.outerHTML.slice(0, 80))`)
			for _, s := range small {
				t.Errorf("%s in %s: too small: %s", sheet, language, s)
			}
		})
	}
}
