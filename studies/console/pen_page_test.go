package console

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"emolab/studies/access"
	"emolab/studies/browsertest"
	"emolab/studies/session"
)

// watchedLab is a lab that has given out tokens to an operator and to a viewer.
func watchedLab(t *testing.T, status session.Status) (l *lab, operator, viewer string) {
	t.Helper()
	book := access.OpenBook(t.TempDir())
	l = startLabIn(t, status, Options{Book: book, Stage: clips(t)})
	give := func(name string, role access.Role) string {
		token, err := book.Give(access.Token{Name: name, Role: role, Made: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	return l, give("Ann", access.Operator), give("Bob", access.Viewer)
}

// comeIn opens the console of a lab with a token.
func comeIn(t *testing.T, l *lab, token string) *browsertest.Page {
	t.Helper()
	page := chromium.Open(t, 1280, 800, "423", "409", "503")
	goIn(page, l, token)
	return page
}

// Two consoles: one holds the pen, the other watches, asks for it and gets it.
func TestPagePassesThePen(t *testing.T) {
	l, operator, _ := watchedLab(t, live())
	l.hub.pen.mu.Lock()
	l.hub.pen.patient = time.Hour // it goes to nobody by itself
	l.hub.pen.mu.Unlock()
	first := open(t, l)
	second := comeIn(t, l, operator)
	second.Until(`document.getElementById("pen-text").textContent === "Watching. The lab’s own console holds the pen and gives the commands." && document.body.dataset.pen === "other"`)
	if !browsertest.Value[bool](second, `document.getElementById("stop").disabled && document.getElementById("stop").title.includes("Ask for it with P")`) {
		t.Error("whoever watches can stop")
	}
	second.Press("S")
	if browsertest.Value[bool](second, `document.querySelector("dialog[open]") !== null`) {
		t.Error("whoever watches is asked whether to stop")
	}
	press(second, "m") // a mark needs no pen
	l.operator.await(t, "mark marker")

	// The holder keeps it, and gives it when asked again.
	second.Press("p")
	first.Until(`document.getElementById("pen-text").textContent.startsWith("Ann asks for the pen. It goes there in ")`)
	second.Until(`document.getElementById("pen-text").textContent.startsWith("You have asked the lab’s own console for the pen")`)
	first.Screenshot("pen-asked.png")
	first.Do(chromedp.Click(chromedp.CSS("#pen-keep")))
	second.Until(`!document.getElementById("pen-ask").hidden`)
	first.Until(`document.getElementById("pen").hidden`)
	second.Press("p")
	first.Until(`!document.getElementById("pen-give").hidden`)
	first.Do(chromedp.Click(chromedp.CSS("#pen-give")))
	second.Until(`document.getElementById("pen").hidden && !document.getElementById("stop").disabled`)
	first.Until(`document.getElementById("pen-text").textContent === "Watching. Ann holds the pen and gives the commands." && document.getElementById("stop").disabled`)
	first.Screenshot("pen-watching.png")

	// A reload keeps it.
	second.Do(chromedp.Reload())
	second.Until(`document.body.dataset.ready === "true" && document.body.dataset.pen === "mine" && !document.getElementById("stop").disabled`)
}

func TestPageOfAViewer(t *testing.T) {
	l, _, viewer := watchedLab(t, alarmed())
	page := comeIn(t, l, viewer)
	shows(page, "pen-text", "Watching. Your token gives no commands.")
	shows(page, "worst-what", "Skin conductance is flat")
	for _, key := range []string{"x", "S", "m", "a", "r", "p", "o"} {
		page.Press(key)
	}
	const alive = `[...document.querySelectorAll("#bar .primary, #stop, #blind, #marks button, #usable button, #alarm-list .ack, #alarm-list .put, #pen button")].filter((b) => !b.hidden && !b.disabled).map((b) => b.textContent).join("|")`
	if got := browsertest.Value[string](page, alive); got != "" {
		t.Errorf("a viewer can press %q", got)
	}
	if said := l.operator.said(); len(said) != 0 {
		t.Errorf("a viewer told the operator %q", strings.Join(said, "; "))
	}
	page.Until(`document.getElementById("sessions").hidden`)
}
