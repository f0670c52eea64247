package console

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/studies/alarm"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/study"
)

// spoken gathers for a while what a screen reader is made to read, as "id: text".
const spoken = `(ms) => new Promise((done) => {
	const heard = [];
	const region = (n) => (n instanceof Element ? n : n.parentElement)?.closest("[aria-live], [role=status], [role=alert], output");
	const watch = new MutationObserver((list) => {
		for (const m of list) {
			const at = region(m.target);
			if (at && at.getAttribute("aria-live") !== "off" && at.checkVisibility()) heard.push((at.id || at.className) + ": " + at.textContent.trim());
		}
	});
	watch.observe(document.body, { subtree: true, childList: true, characterData: true });
	setTimeout(() => { watch.disconnect(); done(heard); }, ms);
})`

// What counts seconds is not read out each second.
func TestPageSpeaksOfChangesOnly(t *testing.T) {
	status := alarmed()
	status.Participant = "P-1"
	l := startPage(t, status, 4*time.Second)
	page := open(t, l)
	page.Until(`document.getElementById("state-text").textContent.startsWith("REC ") && document.querySelector("#alarm-list li") !== null`)
	shows(page, "told", "Recording")
	page.Until(`document.getElementById("picture-panel").dataset.state === "none"`) // has been read out
	var counting sync.WaitGroup
	defer counting.Wait()
	counting.Go(func() {
		for range 8 {
			l.operator.change(func(s *session.Status) {
				s.Alarms = append([]session.Alarm(nil), s.Alarms...)
				s.Alarms[0].AgeMs += 1000
			})
			time.Sleep(250 * time.Millisecond)
		}
	})
	for _, s := range browsertest.Value[[]string](page, fmt.Sprintf(`(%s)(2500)`, spoken)) {
		if !strings.HasPrefix(s, "step-text: ") { // another clip
			t.Errorf("read out while nothing changes: %s", s)
		}
	}
	l.operator.change(func(s *session.Status) { s.Over = true })
	shows(page, "told", "Recording ended")
}

// A token that opens nothing any more is said once, however often the page tries again.
func TestPageSaysOnceThatItsTokenIsNoneAnyMore(t *testing.T) {
	l := quietPage(t, labStatus())
	page := open(t, l)
	page.Do(chromedp.Evaluate[chromedp.Void](`
		window.said = [];
		new MutationObserver(() => said.push(document.getElementById("banner").textContent)).observe(document.getElementById("banner"), { subtree: true, childList: true, characterData: true });
		window.tried = 0;
		window.WebSocket = class { constructor() { tried++; setTimeout(() => this.onclose?.(), 20); } send() {} close() {} };
		window.fetch = async () => ({ status: 401, ok: false, json: async () => ({}) });
		undefined`))
	for _, v := range l.hub.list() {
		v.dismiss()
	}
	page.Until(`window.tried >= 3`)
	if got := browsertest.Value[string](page, `said.map((s) => s.slice(0, 9)).join("|")`); got != "No connec|The token" {
		t.Errorf("the banner said %q", got)
	}
}

// A box that was ticked does not keep the keys.
func TestPageKeysWorkAfterABoxWasTicked(t *testing.T) {
	l := quietPage(t, live())
	page := open(t, l)
	page.Do(chromedp.Click(chromedp.CSS("#speak")))
	page.Until(`document.activeElement.id === "speak"`)
	page.Press("m")
	l.operator.await(t, "mark marker")
}

// The question about a refused calibration survives a dead line, and can be answered by
// whoever gets the pen.
func TestPageDecidesAfterTheLineWasDead(t *testing.T) {
	l := startPage(t, refused(), 0)
	page := open(t, l)
	page.Until(`!document.getElementById("calibration-form").hidden`)
	page.Press("r")
	page.Until(`document.activeElement.id === "calibration-reason"`)
	page.Do(chromedp.KeyEvent("child"))
	lose(l, page)
	page.Until(`document.body.classList.contains("down") && document.getElementById("calibration-accept").disabled`)
	page.Do(chromedp.Evaluate[chromedp.Void](`window.WebSocket = window.RealSocket; undefined`))
	page.Until(`!document.body.classList.contains("down") && !document.getElementById("calibration-accept").disabled`)
	if got := browsertest.Value[string](page, `document.getElementById("calibration-reason").value`); got != "child" {
		t.Errorf("of the reason %q is left", got)
	}
	page.Do(chromedp.Click(chromedp.CSS("#calibration-accept")))
	l.operator.await(t, "decide accept child")
}

// On a dead line there is no Start beside the Stop of the session that goes on.
func TestPageOffersNoStartOnADeadLine(t *testing.T) {
	l := quietPage(t, live())
	page := open(t, l)
	page.Until(`!document.getElementById("stop").hidden`)
	lose(l, page)
	page.Until(`document.body.classList.contains("down")`)
	if !isHidden(page, "start") || isHidden(page, "stop") || !browsertest.Value[bool](page, `document.getElementById("stop").disabled`) {
		t.Error("Start is offered, or Stop is not there, or can be pressed")
	}
	if got := text(page, "stream-eda-state"); got != "not known" {
		t.Errorf("a device is said to be %q", got)
	}
}

// A tile does not say ok beside an alarm about its stream.
func TestPageTilesAgreeWithTheAlarms(t *testing.T) {
	status := alarmed()
	status.Alarms[0].ID, status.Alarms[0].Text = "eda/range", "Skin conductance is beyond what a good contact gives"
	status.Streams = append([]session.Health(nil), status.Streams...)
	status.Streams[1].Clock.BoundMs = 70
	l := quietPage(t, status)
	page := open(t, l)
	shows(page, "stream-eda-state", "out of range")
	shows(page, "stream-gaze-state", "time unsure")
	shows(page, "stream-face-state", "ok")
	l.operator.change(func(s *session.Status) {
		s.Alarms = append([]session.Alarm(nil), s.Alarms...)
		s.Alarms[0].State = alarm.Cleared
	})
	shows(page, "stream-eda-state", "ok")
}

// Whoever has one eye only, or one that is tracked, has a pupil all the same.
func TestStripOfOneEye(t *testing.T) {
	page := open(t, quietPage(t, labStatus()))
	got := browsertest.Value[string](page, `Promise.all([import("/console/panels/strips.js"), import("/console/series.js")]).then(([{ Range }, { Series }]) => {
		const gaze = new Series({ id: "g", kind: "gaze", rate_hz: 60, simulated: true, channels: [{ name: "pupil_left_mm", unit: "mm" }, { name: "pupil_right_mm", unit: "mm" }] });
		gaze.push({ stream: 0, gap: false, channels: 2, times: Float64Array.of(1000, 1016), values: Float32Array.of(NaN, 3.2, NaN, 3.4) });
		const range = new Range(["pupil_left_mm", "pupil_right_mm"], 0.5);
		range.fit(gaze, 1100);
		return [range.low <= 3.2, range.high >= 3.4, range.high - range.low < 2].join();
	})`)
	if got != "true,true,true" {
		t.Errorf("the axis of the pupil holds its values: %s", got)
	}
}

// A note that is being written is not lost by its button, and a mark that means nothing
// is refused in words.
func TestPageKeepsTheNoteThatIsWritten(t *testing.T) {
	l := quietPage(t, live())
	page := open(t, l)
	page.Press("n")
	page.Until(`document.activeElement.matches("#marks input")`)
	page.Do(chromedp.KeyEvent("coughs"), chromedp.Click(chromedp.CSS("#marks .keys-row button:nth-child(2)")))
	if got := browsertest.Value[string](page, `document.querySelector("#marks input").value`); got != "coughs" {
		t.Errorf("of the note %q is left", got)
	}
	// What is refused comes back, to be sent again.
	l.operator.refuses(errRefused)
	page.Do(chromedp.Focus(chromedp.CSS("#marks input")), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "mark note coughs")
	page.Until(`!document.querySelector("#marks form").hidden && document.querySelector("#marks input").value === "coughs"`)
	l.operator.refuses(nil)
	l.operator.change(func(s *session.Status) { s.Over = true })
	page.Until(`document.getElementById("banner").textContent.includes("this note was not kept: “coughs”")`)
	press(page, "m")
	page.Until(`document.getElementById("banner").textContent.startsWith("Not marked: marks are kept with a recording")`)
	if said := l.operator.said(); len(said) != 1 {
		t.Errorf("the operator was told %q", said)
	}
}

// How a session was judged stands where its end is told.
func TestPageSaysWhetherASealedSessionCounts(t *testing.T) {
	status := labStatus()
	status.LastOutcome = &session.Outcome{SessionID: "d", State: session.Sealed}
	l := quietPage(t, status)
	l.operator.mu.Lock()
	l.operator.sessions = exampleSessions()
	l.operator.mu.Unlock()
	page := open(t, l)
	shows(page, "outcome", "Session sealed. Safe to remove electrodes. It does not count: gaze: 2 of 4 videos below 70 %.")
}

// A picture that takes a second to be agreed on comes back all the same.
func TestPictureComesBackOverASlowLine(t *testing.T) {
	page := open(t, quietPage(t, labStatus())) // whose own picture has been given up
	got := browsertest.Value[int](page, `import("/console/panels/picture.js").then(async ({ mount }) => {
		const now = performance.now.bind(performance);
		performance.now = () => 2 * now(); // a silence is over sooner, but not within the second
		let agreed = 0;
		window.fetch = async () => new Response('{"sdp": ""}', { status: 200, headers: { "Content-Type": "application/json" } });
		window.RTCPeerConnection = class {
			iceGatheringState = "gathering"; // it never has all addresses: a second is waited for them
			addTransceiver() { return { setCodecPreferences() {} }; }
			async setLocalDescription() {}
			async setRemoteDescription() { agreed++; }
			close() {}
		};
		const panel = mount(document.createElement("div"));
		for (const end = now() + 40000; agreed < 2 && now() < end;) await new Promise((done) => setTimeout(done, 50));
		panel.unmount();
		return agreed;
	})`)
	if got < 2 {
		t.Errorf("a picture was agreed on %d times in 40 s of silence", got)
	}
}

// Of a session that was cut off nothing is recorded until its participant has compared the
// code, and no clock says so.
func TestPageOfASessionThatGoesOn(t *testing.T) {
	l := quietPage(t, live())
	page := open(t, l)
	page.Until(`document.getElementById("state-text").textContent.startsWith("REC ")`)
	l.operator.compare(true)
	l.operator.change(func(s *session.Status) { s.Confirmed = session.Confirmed{Operator: true} })
	shows(page, "state-text", "Compares the code")
	shows(page, "state-label", "Nothing is recorded yet")
	shows(page, "h-ready-text", "Cut off: it goes on when the participant has compared the code")
	shows(page, "screen-word", "The participant compares the code")
	page.Until(`document.querySelector("#ready .code").checkVisibility() && document.querySelector("#ready .code").textContent === "P-7K2"`)
	l.operator.compare(false)
	page.Until(`document.getElementById("state-text").textContent.startsWith("REC ")`)
}

// At the very first the participant compares the code, and the page says so.
func TestPageOfASessionThatIsNew(t *testing.T) {
	l := quietPage(t, visit(-1))
	page := open(t, l)
	shows(page, "state-text", "Compares the code")
	shows(page, "screen-word", "The participant compares the code")
	shows(page, "step-text", "–")
	shows(page, "step-time", "1 clip, 0:17")
	l.operator.change(func(s *session.Status) { s.Step, s.Confirmed = 0, session.Confirmed{Participant: true} })
	shows(page, "state-text", "Participant reads")
	shows(page, "screen-word", "The participant reads: notice")
}

// Videos and brands are said to be hidden also where the server has sent none, and come
// back with the sight.
func TestCohortOfABlindConsole(t *testing.T) {
	status := labStatus()
	status.Blind = true
	l := quietPage(t, status)
	l.operator.mu.Lock()
	l.operator.cohort = exampleCohort()
	l.operator.mu.Unlock()
	page := open(t, l)
	shows(page, "cohort-usable", "11 of 24 usable")
	page.Until(`document.getElementById("cohort-hidden").checkVisibility()`)
	shows(page, "cohort-shown", "")
	l.operator.change(func(s *session.Status) { s.Blind = false })
	page.Until(`document.getElementById("cohort-hidden").hidden && document.getElementById("cohort-shown").textContent.includes("pleats")`)
}

// Nothing that the bar has to say moves Stop to a second line.
func TestBarIsOneLine(t *testing.T) {
	status := live()
	status.Video, status.Plan.Steps, status.Step = true, []study.Step{{Action: study.Calibrate}}, 0
	status.Alarms = []session.Alarm{
		{ID: "face/gaps", Severity: session.Minor, State: alarm.Active, Text: "Camera: 41 % of the latest 10 s are lost"},
		{ID: "gaze/clock", Severity: session.Minor, State: alarm.Active, Text: "Eye tracker: time known to ±31 ms only"},
	}
	page := open(t, quietPage(t, status))
	shows(page, "step-text", "Calibration")
	shows(page, "worst-text", "2 minor")
	for _, size := range [][2]int64{{1280, 800}, {1600, 900}, {1920, 993}, {2560, 1440}, {3840, 2160}} {
		page.Do(chromedp.EmulateViewport(size[0], size[1]))
		page.Until(fmt.Sprintf(`innerWidth === %d`, size[0]))
		page.Until(`document.getElementById("state-text").textContent.startsWith("REC ")`)
		browsertest.Value[bool](page, settled)
		if got := browsertest.Value[string](page, `[...document.querySelectorAll("#bar > .cell")].filter((c) => c.checkVisibility() && c.offsetTop !== document.getElementById("state").offsetTop).map((c) => c.className).join()`); got != "" {
			t.Errorf("%d px: %s in a second line", size[0], got)
		}
		if got := browsertest.Value[string](page, `["step-text", "state-text", "participant"].filter((id) => { const e = document.getElementById(id); return e.scrollWidth > e.clientWidth + 1; }).join()`); got != "" {
			t.Errorf("%d px: %s is cut off", size[0], got)
		}
		page.Screenshot(fmt.Sprintf("bar-%d.png", size[0]))
	}
}
