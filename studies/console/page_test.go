package console

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/access"
	"emolab/studies/browsertest"
	"emolab/studies/session"
)

// open opens the console of a lab in a page of its own. A refused command is
// an error in the browser's log, and rightly so; and the browser has advice on how the
// test reads the strips.
func open(t *testing.T, l *lab, expected ...string) *browsertest.Page {
	t.Helper()
	page := chromium.Open(t, 1280, 800, append(expected, "422", "409", "willReadFrequently")...)
	goIn(page, l, testToken)
	return page
}

// goIn opens the console of a lab with a token, and waits until all that it asks for by
// itself has come and nothing on it moves any more. Its complaints stay until something else
// is said, however long a test takes to look.
func goIn(page *browsertest.Page, l *lab, token string) {
	page.Before(`{
		const real = setTimeout;
		window.setTimeout = (then, ms, ...more) => (ms === 8000 ? 0 : real(then, ms, ...more));
	}`)
	page.Go(l.server.URL + "/?token=" + token)
	page.Until(`document.body.dataset.ready === "true" && document.getElementById("picture-panel").dataset.state === "none" &&
		(document.body.dataset.role === "viewer" || document.querySelector("#session-list li") !== null)`)
}

func text(page *browsertest.Page, id string) string {
	return browsertest.Value[string](page, fmt.Sprintf(`document.getElementById(%q).textContent`, id))
}

// await waits for the operator's next command.
func (f *fakeOperator) await(t *testing.T, want string) {
	t.Helper()
	select {
	case <-f.changed:
	case <-time.After(patience):
		t.Fatalf("the operator was not told %q", want)
	}
	if said := f.said(); said[len(said)-1] != want {
		t.Fatalf("the operator was told %q, want %q", said[len(said)-1], want)
	}
}

// startPage runs a lab with the synthetic feed behind it.
func startPage(t *testing.T, status session.Status, lead time.Duration) *lab {
	t.Helper()
	return startOn(t, status, stepAt, lead)
}

// startOn is startPage on another course through the plan.
func startOn(t *testing.T, status session.Status, at course, lead time.Duration) *lab {
	t.Helper()
	clock := instant.Monotonic{}
	l := startLabIn(t, status, Options{Stage: clips(t), Clock: clock, Book: access.OpenBook(t.TempDir()), Streams: []stream.Info{edaInfo(), gazeInfo(), faceInfo(), stimulusInfo()}})
	ctx, cancel := context.WithCancel(context.Background())
	var playing sync.WaitGroup
	playing.Go(func() {
		if err := l.playLive(ctx, clock, at, lead); err != nil && ctx.Err() == nil {
			t.Errorf("the feed: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); playing.Wait() })
	return l
}

// ink counts the pixels of a strip that are strongly unlike its background: the
// lines, not the grid.
const ink = `(id) => {
	const c = document.querySelector("#" + id + " canvas");
	const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200 && (d[i] < 120 || d[i + 1] < 120 || d[i + 2] < 120)) n++;
	return n;
}`

// cramped names the parts of the status bar that are cut off or stand in a second row.
const cramped = `(() => {
	const bar = document.getElementById("bar").getBoundingClientRect();
	const cells = [...document.querySelectorAll("#bar .cell")].filter((c) => c.offsetWidth > 0);
	return [...cells.filter((c) => c.getBoundingClientRect().top > bar.top + 2 || c.getBoundingClientRect().right > innerWidth + 1).map((c) => c.className + " is not in the row"),
		...[...document.querySelectorAll("#bar .big")].filter((e) => e.offsetWidth > 0 && e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent + " is cut off")].join("; ");
})()`

func TestPageThroughASession(t *testing.T) {
	l := startOn(t, labStatus(), remains, 0)
	page := open(t, l)
	shows(page, "strips-veil", "Nothing is shown while nobody is recorded.")
	page.Until(`document.getElementById("stream-eda-words")?.textContent && document.getElementById("stream-eda-state").textContent === "ok"`)
	if got := text(page, "stream-eda-words"); !strings.Contains(got, "simulated") {
		t.Errorf("the skin-conductance stream says %q", got)
	}
	if got := text(page, "stream-eda-drift"); got != "+2003" && got != "+2,003" {
		t.Errorf("drift %q", got)
	}
	// A display that nobody has measured is said, and is nothing to worry about now.
	if got := text(page, "stream-stimulus-words"); !strings.Contains(got, "display not measured: ±50 ms; run emolab calibrate display") {
		t.Errorf("the participant's screen says %q", got)
	}
	if got := text(page, "stream-stimulus-bound"); got != "51" || browsertest.Value[bool](page, `document.getElementById("stream-stimulus-bound").classList.contains("minor")`) {
		t.Errorf("its times are known to %q ms, which is an alarm", got)
	}
	page.Screenshot("console-streams.png")
	if got := text(page, "no-alarms"); !strings.Contains(got, "No alarms") {
		t.Errorf("alarms: %q", got)
	}

	// Start by keyboard: S, the code, Enter. The S must not stand in the field.
	page.Press("s")
	page.Until(`document.getElementById("start-dialog").open`)
	page.Do(chromedp.KeyEvent("P-7K2"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P-7K2")
	page.Until(`document.getElementById("state-text").textContent.startsWith("REC 00:0")`)
	if got := text(page, "participant"); got != "P-7K2" {
		t.Errorf("participant %q", got)
	}
	for _, id := range []string{"strip-expression", "strip-valence", "strip-eda", "strip-pupil", "strip-gaze"} {
		page.Until(fmt.Sprintf(`(%s)(%q) > 300`, ink, id))
	}
	page.Until(`document.getElementById("step-text").textContent === "Clip 1 of 3" && !document.getElementById("picture").hidden`)
	if _, err := os.Stat(filepath.Join("..", "study", "example", "stimuli", "silk.mp4")); err == nil {
		page.Until(`[...document.querySelectorAll("#picture video")].some((v) => !v.hidden && v.currentTime > 0.3 && !v.paused)`)
	}
	// On every screen the bar says all of it, in one row and in large letters.
	for _, size := range [][2]int64{{1280, 800}, {1920, 1080}, {3840, 2160}} {
		page.Do(chromedp.EmulateViewport(size[0], size[1]))
		page.Until(fmt.Sprintf(`innerWidth === %d`, size[0]))
		if got := browsertest.Value[string](page, cramped); got != "" {
			t.Errorf("%v: %s", size, got)
		}
	}
	page.Do(chromedp.EmulateViewport(1280, 800))

	// A reload loses nothing.
	page.Do(chromedp.Reload())
	page.Until(`document.getElementById("state-text").textContent.startsWith("REC 00:0")`)
	page.Until(fmt.Sprintf(`(%s)("strip-eda") > 600`, ink))

	// A touch of X does not stop, nor does one of the button; the dialog does. Between down
	// and up no time goes by, in which it would be held.
	if !browsertest.Value[bool](page, `(() => {
		const stop = document.getElementById("stop"), holding = () => stop.classList.contains("holding");
		const stroke = (kind) => { dispatchEvent(new KeyboardEvent(kind, { key: "x" })); return holding(); };
		const press = (kind) => { stop.dispatchEvent(new PointerEvent(kind, { button: 0 })); return holding(); };
		const held = [stroke("keydown"), stroke("keyup"), press("pointerdown"), press("pointerup")].join();
		stop.dispatchEvent(new MouseEvent("click"));
		return held === "true,false,true,false";
	})()`) {
		t.Error("Stop is not held from down to up")
	}
	page.Until(`document.getElementById("stop-dialog").open`)
	if said := l.operator.said(); len(said) != 1 {
		t.Errorf("a touch of X was a command: %q", said)
	}
	page.Do(chromedp.Click(chromedp.CSS("#stop-dialog .danger")))
	l.operator.await(t, "stop ")
	page.Until(`document.getElementById("outcome").textContent.includes("Safe to remove electrodes. It ended early: stopped by the operator.")`)

	// What could not be sealed is not called safe.
	l.operator.change(func(s *session.Status) {
		s.LastOutcome = &session.Outcome{SessionID: "s1", State: session.Recovered, Error: "the disk is full"}
	})
	page.Until(`document.getElementById("outcome").textContent === "Session not sealed: the disk is full. What was recorded is kept. Start Emolab again and seal it then."`)
}

func TestPageComesBackAndStopsWhenXIsHeld(t *testing.T) {
	status := labStatus()
	status.State, status.Participant, status.SessionID = session.Recording, "P-1", "s1"
	l := startPage(t, status, 5*time.Second)
	page := open(t, l)

	// The connection breaks, and cannot be made again: the page says so, and says
	// nothing of which it cannot know.
	page.Until(`document.getElementById("state-text").textContent.startsWith("REC ")`)
	lose(l, page)
	page.Until(`document.getElementById("banner").textContent === "No connection to the lab. If Emolab still runs, it goes on recording; look at its window. Trying again."`)
	page.Until(`(window.framesSeen = (window.framesSeen ?? 0) + 1) % 10 === 0`)
	for id, want := range map[string]string{"state-text": "not known", "worst-text": "–", "no-alarms-text": "Not known.", "screen-word": "Not known"} {
		if got := text(page, id); got != want {
			t.Errorf("without a connection %s says %q, want %q", id, got, want)
		}
	}
	page.Do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new KeyboardEvent("keydown", { key: "x" }))`))
	if !browsertest.Value[bool](page, `document.getElementById("stop").disabled && !document.getElementById("stop").classList.contains("holding")`) {
		t.Error("Stop can be given without a connection")
	}

	// It comes back by itself.
	page.Do(chromedp.Evaluate[chromedp.Void](`window.WebSocket = window.RealSocket; undefined`))
	page.Until(`document.getElementById("banner").hidden && !document.body.classList.contains("down")`)
	page.Until(`document.getElementById("state-text").textContent.startsWith("REC 00:0") && !document.getElementById("stop").disabled`)
	if got := text(page, "worst-text"); got != "none" {
		t.Errorf("alarms %q", got)
	}

	page.Do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new KeyboardEvent("keydown", { key: "x" }))`))
	l.operator.await(t, "stop ")
}

// A participant's screen that waits for a key holds the session up.
func TestPageSaysThatTheScreenWaits(t *testing.T) {
	status := labStatus()
	status.State, status.Participant, status.SessionID = session.Recording, "P-1", "s1"
	status.Waiting = "a key"
	status.Alarms = []session.Alarm{{ID: "stage/waiting", Severity: session.Major, Text: "The participant's screen waits for a key", Advice: "Press any key there."}}
	l := startPage(t, status, time.Minute) // the feed's plan is over: no step
	page := open(t, l)
	page.Until(`document.getElementById("screen-word").textContent === "Waits for a key"`)
	if got := text(page, "step-text"); got != "Waits for a key" {
		t.Errorf("the bar says %q", got)
	}
	page.Until(`document.querySelector("#alarm-list li.major .advice")?.textContent === "Press any key there."`)
	l.operator.change(func(s *session.Status) { s.Waiting, s.Alarms = "", nil })
	page.Until(`document.getElementById("screen-word").textContent === "About to begin"`)
	page.Until(`document.getElementById("step-text").textContent === "About to begin"`)
}

// The click that ends a long press is no short press: it opens no question.
func TestPageStopsWhenTheButtonIsHeld(t *testing.T) {
	status := labStatus()
	status.State, status.Participant, status.SessionID = session.Recording, "P-1", "s1"
	l := startPage(t, status, 5*time.Second)
	l.operator.mu.Lock()
	l.operator.refuse = errRefused // so that the page still shows a session when the button is let go
	l.operator.mu.Unlock()
	page := open(t, l)

	const event = `document.getElementById("stop").dispatchEvent(new %s)`
	page.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(event, `PointerEvent("pointerdown", { button: 0 })`)))
	l.operator.await(t, "stop ")
	page.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(event, `PointerEvent("pointerup", { button: 0 })`)))
	page.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(event, `MouseEvent("click")`)))
	if browsertest.Value[bool](page, `document.getElementById("stop-dialog").open`) {
		t.Error("the question is asked after the stop")
	}
	page.Until(`document.getElementById("banner").textContent.includes("the disk is nearly full")`)
	page.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(event, `MouseEvent("click")`)))
	if !browsertest.Value[bool](page, `document.getElementById("stop-dialog").open`) {
		t.Error("a short press asks nothing")
	}
}

func TestPageOffersRecoveredSessionsAndSaysWhyNot(t *testing.T) {
	status := labStatus()
	status.Recovered = []session.Summary{{ID: "s9", Participant: "P-9", State: session.Recovered, Started: time.Now(), Duration: 192 * time.Second}}
	status.Stage = false
	status.Alarms = []session.Alarm{
		{ID: "gaze/disconnected", Severity: session.Major, Text: "Eye tracker is not connected", Advice: "Check cable and power."},
		{ID: "stimulus/disconnected", Severity: session.Major, Text: "Participant's screen is not connected", Advice: "Open the stage page."},
	}
	status.Streams[1].Connected = false
	l := startPage(t, status, 0)
	l.operator.mu.Lock()
	l.operator.sessions = status.Recovered
	l.operator.mu.Unlock()
	page := open(t, l)
	page.Until(`document.querySelector("#session-list .badge.recovered") !== null`)
	if got := browsertest.Value[string](page, `getComputedStyle(document.querySelector("#session-list .badge.recovered")).padding`); got != "0px" {
		t.Errorf("a recovered session's badge breaks its row: padding %s", got)
	}

	page.Until(`document.querySelectorAll("#alarm-list li.major").length === 2`)
	if got := text(page, "stream-gaze-state"); !strings.Contains(got, "not connected") {
		t.Errorf("the unplugged eye tracker says %q", got)
	}
	page.Press("s")
	page.Until(`document.getElementById("checks").textContent.includes("screen is not open")`)
	if got := text(page, "checks"); !strings.Contains(got, "Open the participant’s address that Emolab printed at its start, on that screen.") {
		t.Errorf("the checks say %q", got)
	}
	page.Do(chromedp.KeyEvent("P-9"))
	page.Until(`document.getElementById("checks").textContent.includes("P-9 has been here before")`)
	page.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("code").value = ""`))
	page.Do(chromedp.KeyEvent("P1"))
	page.Until(`document.getElementById("start-go").disabled`)
	l.operator.change(func(s *session.Status) { s.Stage, s.Alarms = true, s.Alarms[:1] })
	page.Until(`!document.getElementById("start-go").disabled`)

	l.operator.mu.Lock()
	l.operator.refuse = errRefused
	l.operator.mu.Unlock()
	page.Do(chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P1")
	page.Until(`document.getElementById("start-error").textContent.includes("the disk is nearly full")`)
	page.Do(chromedp.KeyEvent(kb.Escape))
	page.Until(`!document.getElementById("start-dialog").open`)

	// What was refused because the screen is not open may be tried when it is. The
	// complaint goes then, not with its time.
	l.operator.change(func(s *session.Status) { s.Stage = false })
	page.Until(`document.getElementById("screen-word").textContent === "Stage page not open"`)
	page.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#recovered button").click()`))
	l.operator.await(t, "continue s9")
	page.Until(`document.getElementById("banner").textContent.startsWith("Not continued")`)
	l.operator.change(func(s *session.Status) { s.Stage = true })
	page.Until(`document.getElementById("banner").hidden`)

	l.operator.mu.Lock()
	l.operator.refuse = nil
	l.operator.mu.Unlock()
	page.Until(`document.querySelector("#recovered button:not(:disabled)") !== null`)
	page.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#recovered button").click()`))
	l.operator.await(t, "continue s9")
}

// What the camera does not see stands among the alarms in full, and its row says
// that there is something.
func TestPageTellsWhatTheCameraDoesNotSee(t *testing.T) {
	status := labStatus()
	status.Streams = append([]session.Health(nil), status.Streams...)
	for i := range status.Streams {
		if h := &status.Streams[i]; h.Info.Kind == stream.Face {
			h.Advice = "Participant looks away from the camera: ask them to face the screen, or move the camera there"
		}
	}
	status.Alarms = []session.Alarm{{ID: "face/view", Severity: session.Minor, Text: "Participant looks away from the camera",
		Advice: "Ask them to face the screen, or move the camera there."}}
	page := open(t, startPage(t, status, 0))
	page.Until(`document.querySelector("#alarm-list li.minor .text")?.textContent === "Participant looks away from the camera"`)
	if got := text(page, "stream-face-state"); !strings.HasPrefix(got, "poor view") {
		t.Errorf("the camera's row says %q", got)
	}
	const cut = `[...document.querySelectorAll("#alarm-list li, #alarm-list span, #stream-face-state .badge")]
		.filter((e) => e.getBoundingClientRect().right > e.closest("section").getBoundingClientRect().right + 1)
		.map((e) => e.textContent).join("|")`
	for _, size := range [][2]int64{{1280, 800}, {1920, 1080}, {390, 844}} {
		page.Do(chromedp.EmulateViewport(size[0], size[1]))
		page.Until(fmt.Sprintf(`innerWidth === %d`, size[0]))
		if got := browsertest.Value[string](page, cut); got != "" {
			t.Errorf("%v: %q is cut off", size, got)
		}
		page.Screenshot(fmt.Sprintf("advice-%d.png", size[0]))
	}
}
