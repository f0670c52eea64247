package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/capture/face"
	"emolab/studies/access"
	"emolab/studies/browsertest"
	"emolab/studies/study"
)

// desk is an experimenter at a console's page. They have a keyboard and no mouse.
type desk struct {
	*browsertest.Page
	t *testing.T
}

// Keys that the browser itself knows.
const (
	enter   = kb.Enter
	tab     = kb.Tab
	mostTab = 120 // presses after which a page has been gone through
)

// types strokes keys one after the other.
func (d desk) types(keys ...string) {
	d.t.Helper()
	for _, k := range keys {
		d.Do(chromedp.KeyEvent(k))
	}
}

// reaches goes on to an element as somebody without a mouse does.
func (d desk) reaches(selector string) {
	d.t.Helper()
	for range mostTab {
		d.types(tab)
		if browsertest.Value[bool](d.Page, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
	}
	d.t.Fatalf("%d presses of Tab do not reach %s", mostTab, selector)
}

// says waits until an element says something.
func (d desk) says(id, words string) {
	d.t.Helper()
	d.Until(fmt.Sprintf(`document.getElementById(%q).innerText.includes(%q)`, id, words))
}

// asks waits for a dialog.
func (d desk) asks(id string) {
	d.t.Helper()
	d.Until(fmt.Sprintf(`document.getElementById(%q).open`, id))
}

// answered waits until a dialog has closed.
func (d desk) answered(id string) {
	d.t.Helper()
	d.Until(fmt.Sprintf(`!document.getElementById(%q).open`, id))
}

// welcome starts a participant's session.
func (d desk) welcome(code string) {
	d.t.Helper()
	d.Press("s")
	d.asks("start-dialog")
	d.types(code)
	d.Until(`!document.getElementById("start-go").disabled`) // the stage is connected
	d.types(enter)
	d.answered("start-dialog")
}

// begins records the participant who waits, and has read their code aloud.
func (d desk) begins(code string) {
	d.t.Helper()
	d.Until(`!document.getElementById("begin").hidden`)
	d.Press("b")
	d.asks("begin-dialog")
	d.types(code[len(code)-2:], enter)
	d.Until(`document.getElementById("state-text").textContent.startsWith("REC ")`)
}

// picture keeps a screenshot in both themes.
func (d desk) picture(name string) {
	d.t.Helper()
	d.Screenshot(name + ".png")
	if browsertest.ScreenshotFolder() == "" {
		return
	}
	d.prefers("dark")
	d.Screenshot(name + "-dark.png")
	d.prefers("light")
}

// prefers chooses a theme as the system would.
func (d desk) prefers(scheme string) {
	d.t.Helper()
	d.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// workday is a lab in which a day is gone through: everything is real but the devices, whose
// cables can be pulled.
type workday struct {
	*appliance
	t    *testing.T
	dir  string
	gaze cable
	stop func() // ends the lab and waits for it
}

// openDay starts what serve --virtual starts, with a study.
func openDay(t *testing.T, st *study.Study) *workday {
	t.Helper()
	d := &workday{t: t, dir: t.TempDir()}
	r, err := virtualRig(t.Context(), virtualFlags{Seed: 1, DriftPPM: 2000, Batch: 16 * time.Millisecond, Devices: []string{"emobox", "gazepoint"}}, "", detectorFlags{Detector: face.DetectorTiny})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.close() })
	d.gaze = r.cables["gaze"]
	token, err := access.NewToken()
	if err != nil {
		t.Fatal(err)
	}
	d.appliance, err = assemble(t.Context(), applianceOptions{
		dir: d.dir, study: st, rig: r, listen: "127.0.0.1:0", token: token, log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	d.stop = func() {
		t.Helper()
		if cancel == nil {
			return
		}
		cancel()
		cancel = nil
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(d.stop)
	return d
}

// pull and plug do so with the cable of the eye tracker.
func (d *workday) pull() {
	d.t.Helper()
	if err := d.gaze.Unplug(); err != nil {
		d.t.Fatal(err)
	}
}

// pullAtOnce does so as soon as a recording begins, however long the pages take to show
// that. What it returns waits until it is done.
func (d *workday) pullAtOnce() (done func()) {
	out := make(chan error, 1)
	go func() {
		for d.manager.RecordingSince() == 0 && d.t.Context().Err() == nil {
			time.Sleep(pollEvery / 10)
		}
		out <- d.gaze.Unplug()
	}()
	return func() {
		d.t.Helper()
		if err := <-out; err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *workday) plug() {
	d.t.Helper()
	if err := d.gaze.Plug(); err != nil {
		d.t.Fatal(err)
	}
}

// enters opens the console in a browser of somebody who was given a token; "" = the
// lab's own. What a console asks for that is not for it is refused, and the browser says so.
func (d *workday) enters(browser *browsertest.Shared, name string, role access.Role) desk {
	d.t.Helper()
	address := d.consoleURL()
	if name != "" {
		token, err := d.book.Give(access.Token{Name: name, Role: role, Made: time.Now()})
		if err != nil {
			d.t.Fatal(err)
		}
		address = d.address() + "/?token=" + token
	}
	// The server is stopped at the end while the pages are still open.
	at := desk{browser.Open(d.t, 1920, 1080, "ERR_CONNECTION_REFUSED", "status of 403", "status of 409", "status of 423"), d.t}
	at.prefers("light")
	at.Before(`globalThis.WebSocket = class extends WebSocket { constructor(...to) { super(...to); globalThis.line = this; } }`)
	at.Go(address)
	at.Until(`document.body.dataset.ready === "true"`)
	return at
}

// replied is what the server says to a command of a page.
type replied struct {
	Status   int
	NotReady struct {
		Gate   string
		Checks []struct{ ID string }
	} `json:"not_ready"`
}

// commands has a page give a command past its own keys.
func (d desk) commands(path, body string) replied {
	d.t.Helper()
	return browsertest.Value[replied](d.Page, fmt.Sprintf(`fetch(%q, { method: "POST", body: %q, headers: {
		"Content-Type": "application/json", "X-Emolab-Console": sessionStorage.getItem("emolab-console") } })
		.then(async (r) => ({ Status: r.status, ...(await r.json().catch(() => ({}))) }))`, path, body))
}

// slowly has the server's answers to a command come to the page long after what they tell is
// known there. Until it is reloaded, answers counts them.
func (d desk) slowly(path string) {
	d.t.Helper()
	browsertest.Value[bool](d.Page, fmt.Sprintf(`(() => {
		const atOnce = globalThis.fetch;
		globalThis.answers = 0;
		globalThis.fetch = async (...what) => {
			const answer = await atOnce(...what);
			if (String(what[0]).endsWith(%q)) {
				await new Promise((on) => setTimeout(on, 3000));
				setTimeout(() => globalThis.answers++, 100); // when the page has heard
			}
			return answer;
		};
		return true;
	})()`, path))
}

// accessible looks for serious and critical faults of what a page shows.
func (d desk) accessible(what string) {
	d.t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "studies", "stage", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		d.t.Log("axe-core is not installed: npm ci --prefix studies/stage")
		return
	}
	browsertest.Value[bool](d.Page, string(source)+"; true")
	for _, f := range browsertest.Value[[]string](d.Page, `axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations
		.filter((v) => v.impact === "serious" || v.impact === "critical")
		.map((v) => v.impact + " " + v.id + ": " + v.nodes.map((n) => n.html.slice(0, 120) + " " + n.failureSummary).join(" | ")))`) {
		d.t.Errorf("%s: %s", what, f)
	}
}

// written is what people write in the moment below.
type written struct{ override, note, annotation, stop string }

// moment is one participant's session as a day has it: the lab is not ready, a cable comes
// out, somebody else takes over, a page is reloaded, a clip is shown again, the session is
// stopped, sealed and looked at. p reads, and says what they thought. It returns the code on
// the participant's receipt, and the desk that holds the pen at the end.
func (d *workday) moment(browser *browsertest.Shared, p reader, participant, thought string, say written) (receipt string, holder desk) {
	t := d.t
	t.Helper()
	one := d.enters(browser, "", "")
	one.Until(`document.getElementById("h-ready-text").textContent === "Ready for a session"`)
	one.picture("console-ready")

	// Something is missing: the page says what, and neither it nor the server starts.
	d.pull()
	one.says("start-missing", "Missing: Eye tracker")
	one.picture("console-missing")
	if refused := one.commands("/api/session/start", fmt.Sprintf(`{"participant": %q}`, participant)); refused.Status != 409 ||
		refused.NotReady.Gate != "start" || len(refused.NotReady.Checks) != 1 || refused.NotReady.Checks[0].ID != "device/gaze" {
		t.Errorf("a start without an eye tracker was answered by %+v", refused)
	}
	one.Press("s")
	one.asks("start-dialog")
	one.types(participant, enter)
	one.says("start-override-what", "Start without: Eye tracker")
	if !browsertest.Value[bool](one.Page, `document.getElementById("start-go").disabled`) {
		t.Error("it would start without a reason")
	}
	one.picture("console-override")
	one.types(tab, say.override, enter)
	one.answered("start-dialog")
	d.plug()

	// Others come to watch while the participant reads.
	two := d.enters(browser, "Ann", access.Operator)
	two.Until(`document.body.dataset.pen === "other"`)
	three := d.enters(browser, "Bob", access.Viewer)
	three.says("pen-text", "Watching. Your token gives no commands.")
	if able := browsertest.Value[string](three.Page, `[...document.querySelectorAll("header button, #pen button, #marks button, #usable button, .ack, .put")]
		.filter((b) => b.checkVisibility() && !b.disabled && !["theme", "help"].includes(b.id)).map((b) => b.innerText).join("|")`); able != "" {
		t.Errorf("a viewer can press %q", able)
	}
	if refused := three.commands("/api/session/stop", `{}`); refused.Status != 403 {
		t.Errorf("a viewer's stop was answered by %+v", refused)
	}
	three.Go("about:blank")

	p.confirms()
	one.says("confirmed-text", "confirmed by them")
	p.to("notice")
	p.Screenshot("stage-notice.png")
	p.goes(1)
	p.to("consent")
	p.Screenshot("stage-consent.png")
	p.tick("traces", "")
	p.goes(1)
	p.to("screening")
	p.write("age", "33")
	p.goes(1)
	p.hears()
	// The cable comes out as the recording begins. What the operator sees is kept by key.
	pulled := d.pullAtOnce()
	one.begins(participant)
	one.says("confirmed-text", "confirmed on both sides")
	pulled()
	one.Until(`document.querySelector('#alarm-list [data-id="gaze/disconnected"].active.major')`)
	one.Until(`document.getElementById("worst").dataset.severity === "major" && document.getElementById("worst").dataset.room === "true"`)
	p.Until(`played(0) > 1`)
	p.Screenshot("stage-playing.png")
	one.picture("console-alarm")
	one.Press("m")
	one.Until(`document.querySelectorAll("#mark-list li").length === 1`)
	one.Press("n")
	one.Until(`document.activeElement.matches("#marks input")`)
	one.types(say.note, enter)
	one.Until(`document.querySelectorAll("#mark-list li").length === 2 && !document.activeElement.matches("input")`)
	one.Press("d")
	one.Until(`document.querySelectorAll("#mark-list li").length === 3`)

	one.slowly("/api/session/blind")
	one.Press("o")
	one.Until(`document.body.dataset.blind === "true" && document.getElementById("usable").innerText.includes("clip 1")`)
	if browsertest.Value[bool](one.Page, `document.body.innerText.includes("silk")`) {
		t.Error("the blind console names the clip")
	}
	one.picture("console-blind")
	one.Press("o")
	one.asks("blind-dialog")
	one.Until(`answers === 1`) // to the first command, which must not close what the second one asks
	one.types("the cable", enter)
	one.answered("blind-dialog")
	one.Until(`document.body.dataset.blind === "false"`)

	// It is plugged in again. The alarm stays until somebody has seen it, over a reload.
	p.to("rate.sam")
	d.plug()
	const gone = `document.querySelector('#over-list [data-id="gaze/disconnected"].cleared')`
	one.Until(gone)
	one.accessible("console")
	one.Do(chromedp.Reload())
	one.Until(`document.body.dataset.ready === "true" && document.getElementById("state-text").textContent.startsWith("REC ")`)
	one.Until(gone)
	one.says("participant", participant)
	one.says("read-eda", ".")
	marks := func(at desk, when string) {
		t.Helper()
		at.Until(`document.querySelectorAll("#mark-list li").length >= 3`)
		if got := browsertest.Value[string](at.Page, `document.getElementById("mark-list").innerText`); !strings.Contains(got, say.note) || !strings.Contains(got, "Distraction") || !strings.Contains(got, "Marker") {
			t.Errorf("marks %s: %q", when, got)
		}
	}
	marks(one, "after the reload")
	one.Press("a")
	one.Until(`!document.querySelector('#alarms [data-id="gaze/disconnected"]')`)

	// The clip was of no use: it is shown again. Then the line breaks, and comes back.
	one.Until(`document.querySelector("#usable .clips kbd")`)
	one.Press("r")
	one.Until(`document.querySelector("#usable .clips .tag")`)
	browsertest.Value[bool](one.Page, `line.close(), true`)
	one.Until(`document.body.classList.contains("down")`)
	one.Until(`!document.body.classList.contains("down") && document.getElementById("state-text").textContent.startsWith("REC ")`)
	marks(one, "after the line came back")

	// The other one asks for the pen, and is given it.
	two.Press("p")
	one.says("pen-text", "Ann asks for the pen.")
	one.reaches("#pen-give")
	one.types(enter)
	two.Until(`document.body.dataset.pen === "mine" && !document.getElementById("stop").disabled`)
	one.Until(`document.body.dataset.pen === "other" && document.getElementById("stop").disabled`)
	if refused := one.commands("/api/session/stop", `{}`); refused.Status != 423 {
		t.Errorf("without the pen, a stop was answered by %+v", refused)
	}

	p.tick("sam.valence", "7")
	p.goes(1)
	p.to("rate.words")
	p.write("words", thought)
	p.goes(1)
	p.Until(`played(1) > 2`)
	two.Until(`document.getElementById("step-label").textContent === "silk, shown again" || document.getElementById("usable").innerText.includes("silk (again)")`)
	two.picture("console") // the README's picture

	two.Press("S")
	two.asks("stop-dialog")
	two.reaches("#reason")
	two.types(say.stop, enter)
	p.to("debrief")
	p.goes(1)
	p.to("leave")
	p.tick(study.LeaveKey, study.LeaveKeep)
	p.goes(1)
	p.to("left")
	p.Screenshot("stage-receipt.png")
	receipt = browsertest.Value[string](p.Page, `document.body.innerText.match(/[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}/)[0]`)
	p.goes(1)
	two.says("outcome", "Session sealed")
	two.says("outcome", say.stop)
	two.picture("console-sealed")
	d.audited(one, say)
	d.looksBack(one, say)
	return receipt, two
}

// audited looks who did what, as the log of the lab has it.
func (d *workday) audited(at desk, say written) {
	t := d.t
	t.Helper()
	type entry struct {
		SessionID                    string `json:"session_id"`
		Action, Detail, Who, Outcome string
	}
	all := browsertest.Value[[]entry](at.Page, `fetch("/api/audit").then((r) => r.json())`)
	find := func(what string, is func(entry) bool) entry {
		t.Helper()
		i := slices.IndexFunc(all, is)
		if i < 0 {
			t.Fatalf("%s: not among %+v", what, all)
		}
		return all[i]
	}
	override := find("the override", func(e entry) bool { return e.Action == "override" && strings.Contains(e.Detail, say.override) })
	find("who started it", func(e entry) bool {
		return e.Action == "POST /api/session/start" && e.Who == "lab" && e.Outcome == "200" && e.SessionID == override.SessionID
	})
	find("who stopped it", func(e entry) bool {
		return e.Action == "POST /api/session/stop" && e.Who == "Ann" && e.SessionID == override.SessionID
	})
	find("why it is not blind", func(e entry) bool { return e.Action == "POST /api/session/blind" && e.Detail == "the cable" })
}

// looksBack opens the replay of the sealed session from the list.
func (d *workday) looksBack(at desk, say written) {
	t := d.t
	t.Helper()
	at.says("outcome", "Session sealed") // then the list stays as it is, and so does what has the focus in it
	at.Until(`document.querySelector("#session-list li.sealed a.replay")`)
	at.reaches("#session-list a.replay")
	at.types(enter)
	at.Do(chromedp.WaitVisible(chromedp.CSS("#replay"))) // another page
	at.Until(`document.body.dataset.ready === "true" && document.body.dataset.drawn > 0`)
	at.Until(`[...document.querySelectorAll(".readout .row")].some((r) => /\d/.test(r.lastChild.textContent))`)
	if marks := browsertest.Value[string](at.Page, `document.getElementById("marker-list").textContent`); !strings.Contains(marks, say.note) || !strings.Contains(marks, "istraction") {
		t.Errorf("the replay has the marks %q", marks)
	}
	if shown := browsertest.Value[int](at.Page, `document.getElementById("usable").rows.length`); shown != 2 {
		t.Errorf("the replay has %d presentations", shown)
	}
	at.Press("a")
	at.asks("annotate-dialog")
	at.types("smile", tab, say.annotation, enter)
	at.answered("annotate-dialog")
	at.Until(`document.querySelectorAll("#annotation-list li").length === 1`)
	at.accessible("replay")
	at.picture("replay")
}
