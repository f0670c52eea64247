package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/studies/alarm"
	"emolab/studies/browsertest"
	"emolab/studies/session"
)

// checked is the readiness of a lab, in which what is named is missing.
func checked(gate string, missing ...string) []session.Readiness {
	all := []session.Readiness{
		{ID: "stage", Label: "Participant’s screen", Text: "Connected", Gate: session.AtStart},
		{ID: "device/eda", Label: "Skin conductance", Text: "100.2 a second", Gate: session.AtStart},
		{ID: "device/gaze", Label: "Eye tracker", Text: "60.1 a second", Gate: session.AtStart},
		{ID: "device/face", Label: "Camera", Text: "30.0 a second", Gate: session.AtStart},
		{ID: "clock", Label: "Clocks", Text: "All times are known to 8 ms", Gate: session.AtStart},
		{ID: "disk", Label: "Disk", Text: "Room for 410 hours", Gate: session.AtStart},
	}
	if gate == session.AtBegin {
		all = append(all, []session.Readiness{
			{ID: "consent", Label: "Consent", Text: "Agreed to version 3", Gate: gate},
			{ID: "screening", Label: "Screening", Text: "Passed", Gate: gate},
			{ID: "camera", Label: "Seat and light", Text: "The face is seen well", Gate: gate},
			{ID: "sound", Label: "Sound", Text: "Heard", Gate: gate},
		}...)
	}
	for i := range all {
		all[i].Level = session.ReadyOK
		for _, id := range missing {
			if all[i].ID == id {
				all[i].Level, all[i].Text, all[i].Advice = session.ReadyMissing, "Not there", "Look at its cable and its power."
			}
		}
	}
	return all
}

// press strokes a key with the focus on nothing in particular.
func press(page *browsertest.Page, key string) {
	page.Do(chromedp.Evaluate[chromedp.Void](`document.activeElement?.blur()`))
	page.Press(key)
}

// missing is what the operator refuses a gate for.
func missing(gate string, checks []session.Readiness) error {
	refused := &session.NotReadyError{Gate: gate}
	for _, c := range checks {
		if c.Level == session.ReadyMissing {
			refused.Checks = append(refused.Checks, c)
		}
	}
	return refused
}

func TestPageStartSaysWhatIsMissing(t *testing.T) {
	status := labStatus()
	status.Readiness = checked(session.AtStart, "device/gaze")
	l := quietPage(t, status)
	page := open(t, l)
	shows(page, "start-missing", "Missing: Eye tracker")
	shows(page, "h-ready-text", "1 missing before a session")
	page.Until(`document.querySelector("#ready li.major").textContent.includes("Look at its cable and its power.")`)

	// Nobody starts without it but for a reason.
	page.Press("s")
	page.Until(`document.getElementById("start-dialog").open`)
	page.Do(chromedp.KeyEvent("P-7K2"), chromedp.KeyEvent(kb.Enter))
	shows(page, "start-override-what", "Start without: Eye tracker")
	shows(page, "start-go", "Start all the same")
	if !isHidden(page, "start-blocked") {
		t.Error("it is said that nothing starts without the participant’s screen, which is open")
	}
	if said := l.operator.said(); len(said) != 0 || !browsertest.Value[bool](page, `document.getElementById("start-go").disabled`) {
		t.Errorf("started without a reason: %q", said)
	}
	page.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("one eye only"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P-7K2 one eye only")
	page.Until(`!document.getElementById("start-dialog").open`)
}

// Without the participant's screen no reason helps, and that is said.
func TestPageDoesNotStartWithoutTheScreen(t *testing.T) {
	status := labStatus()
	status.Stage, status.Readiness = false, checked(session.AtStart, "stage")
	l := quietPage(t, status)
	page := open(t, l)
	page.Press("s")
	page.Until(`document.getElementById("start-dialog").open && !document.getElementById("start-blocked").hidden`)
	page.Do(chromedp.KeyEvent("P-7K2"))
	if !isHidden(page, "start-override") || !browsertest.Value[bool](page, `document.getElementById("start-go").disabled`) {
		t.Error("a reason is asked for, though none helps")
	}
	l.operator.change(func(s *session.Status) { s.Stage, s.Readiness = true, checked(session.AtStart) })
	page.Until(`document.getElementById("start-blocked").hidden && !document.getElementById("start-go").disabled`)
}

// What the server finds missing at the last moment is the same list and the same question.
func TestPageAsksWhenTheServerRefuses(t *testing.T) {
	status := labStatus()
	status.Readiness = checked(session.AtStart)
	l := quietPage(t, status)
	l.operator.refuses(missing(session.AtStart, checked(session.AtStart, "disk", "device/eda")))
	page := open(t, l)
	shows(page, "h-ready-text", "Ready for a session")
	page.Press("s")
	page.Until(`document.getElementById("start-dialog").open`)
	page.Do(chromedp.KeyEvent("P-1"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P-1")
	shows(page, "start-override-what", "Start without: Skin conductance, Disk")
	page.Until(`document.activeElement.id === "start-why"`)
	l.operator.refuses(nil)
	page.Do(chromedp.KeyEvent("test run"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P-1 test run")
}

func TestPageBeginsWithTheCodeThatIsReadAloud(t *testing.T) {
	status := visit(3)
	status.Ready, status.Readiness = true, checked(session.AtBegin, "sound")
	status.Confirmed.Participant = true
	l := quietPage(t, status)
	page := open(t, l)
	shows(page, "confirmed-text", "confirmed by them")
	shows(page, "h-ready-text", "1 missing before the recording")
	if px := browsertest.Value[float64](page, `parseFloat(getComputedStyle(document.querySelector("#ready .person .code")).fontSize)`); px < 50 {
		t.Errorf("the code is written %.0f px high", px)
	}
	page.Press("b")
	page.Until(`document.getElementById("begin-dialog").open`)
	shows(page, "begin-stem", "P-7") // what is to be compared is not there to be copied
	page.Do(chromedp.KeyEvent("k2"), chromedp.KeyEvent(kb.Enter))
	if said := l.operator.said(); len(said) != 0 {
		t.Errorf("begun without a reason: %q", said)
	}
	page.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("deaf participant"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "begin K2 deaf participant")
	page.Until(`!document.getElementById("begin-dialog").open`)
	l.operator.change(func(s *session.Status) { s.Confirmed.Operator = true })
	shows(page, "confirmed-text", "confirmed on both sides")
}

// live is a lab in which a clip runs and another was of little use.
func live() session.Status {
	s := labStatus()
	s.State, s.Participant, s.SessionID = session.Recording, "P-7K2", "s1"
	s.Confirmed = session.Confirmed{Participant: true, Operator: true}
	parts := func(face, gaze, eda, seconds float64) []session.UsablePart {
		return []session.UsablePart{
			{Modality: "face", Share: face, UsableS: face * seconds, Needed: true},
			{Modality: "gaze", Share: gaze, UsableS: gaze * seconds, Needed: true},
			{Modality: "eda", Share: eda, UsableS: eda * seconds},
		}
	}
	s.Usable = []session.UsableNow{
		{Presentation: 1, Stimulus: "silk", Seconds: 7, Over: true, Low: true, Offer: true, Parts: parts(.98, .31, 1, 7)},
		{Presentation: 2, Stimulus: "pleats", Seconds: 3.4, Parts: parts(.97, .88, 1, 3.4)},
	}
	s.Marks = []session.Mark{
		{Kind: session.Distraction, Source: "console", AgeMs: 9000},
		{Kind: session.NoteMark, Text: "leans back", Source: "console", AgeMs: 4000},
	}
	return s
}

func TestPageMarksByKey(t *testing.T) {
	l := quietPage(t, live())
	page := open(t, l)
	page.Until(`document.querySelectorAll("#mark-list li").length === 2`)
	if got := browsertest.Value[string](page, `document.querySelector("#mark-list li").textContent`); got != "0:04 agoNoteleans back" {
		t.Errorf("the latest mark says %q", got)
	}
	for key, kind := range map[string]string{"m": "marker", "d": "distraction", "t": "technical"} {
		press(page, key)
		l.operator.await(t, "mark "+kind)
	}
	// A note is of the instant of its key, and takes no other key while it is written.
	press(page, "n")
	page.Until(`document.activeElement.matches("#marks input")`)
	page.Do(chromedp.KeyEvent("madam coughs"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "mark note madam coughs")
	l.operator.mu.Lock()
	late := l.operator.status.Marks[len(l.operator.status.Marks)-1].AgeMs
	l.operator.mu.Unlock()
	if late <= 0 {
		t.Errorf("a note that took a while to write is %v ms late", late)
	}
	page.Until(`document.querySelector("#marks form").hidden`)
	press(page, "n")
	page.Do(chromedp.KeyEvent("no"), chromedp.KeyEvent(kb.Escape))
	page.Until(`document.querySelector("#marks form").hidden`)
	if said := l.operator.said(); len(said) != 4 {
		t.Errorf("the operator was told %q", said)
	}
}

func TestPageShowsAgain(t *testing.T) {
	l := quietPage(t, live())
	page := open(t, l)
	page.Until(`document.querySelector("#usable .now .quiet").textContent === "This clip: pleats · 3 s"`)
	page.Until(`document.querySelector("#usable .clips li.minor").textContent.startsWith("silk31 %")`)
	press(page, "r")
	l.operator.await(t, "again 1")
	l.operator.change(func(s *session.Status) {
		s.Usable = append([]session.UsableNow(nil), s.Usable...)
		s.Usable[0].Asked, s.Usable[0].Offer = true, false
	})
	page.Until(`document.querySelector("#usable .clips li .tag")?.textContent === "will be shown again"`)
	press(page, "r") // there is no other
	page.Until(`document.querySelector("#usable button") === null`)
	if said := l.operator.said(); len(said) != 1 {
		t.Errorf("the operator was told %q", said)
	}
}

func alarmed() session.Status {
	s := live()
	s.Alarms = []session.Alarm{
		{ID: "eda/silent", Severity: session.Major, State: alarm.Active, Panel: "eda", Text: "Skin conductance is flat", Advice: "Look at the electrode of the second finger.", AgeMs: 6000, ClearedMs: -1, Count: 1},
		{ID: "gaze/clock", Severity: session.Minor, State: alarm.Cleared, Panel: "streams", Text: "Eye tracker: time known to ±31 ms only", AgeMs: 60000, ClearedMs: 5000, Count: 3},
	}
	return s
}

func TestPageAlarms(t *testing.T) {
	l := quietPage(t, alarmed())
	page := open(t, l)
	shows(page, "worst-what", "Skin conductance is flat")
	page.Until(`document.getElementById("worst").dataset.room === "true"`)
	if px := browsertest.Value[float64](page, `parseFloat(getComputedStyle(document.getElementById("worst-what")).fontSize)`); px < 36 {
		t.Errorf("what a room has to read is %.0f px high", px)
	}
	shows(page, "over-text", "1 alarm is over, not seen yet")
	page.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("over-show").click()`))
	page.Until(`document.querySelector("#over-list li.cleared .when").textContent === "0:05 ago · 3 times" &&
		document.querySelector("#over-list .text").innerText === "Has gone: Eye tracker: time known to ±31 ms only"`)
	// The eye is led to where it is to be seen.
	if !browsertest.Value[bool](page, `(document.querySelector("#alarm-list .go").click(), document.getElementById("strip-eda").classList.contains("pointed"))`) {
		t.Error("the strip of the alarm is not pointed at")
	}

	press(page, "a")
	l.operator.await(t, "acknowledge ")
	l.operator.change(func(s *session.Status) {
		s.Alarms = []session.Alarm{s.Alarms[0]}
		s.Alarms[0].State = alarm.Acknowledged
	})
	page.Until(`document.getElementById("worst").dataset.room === "false" && document.querySelector("#alarm-list li").classList.contains("acknowledged")`)
	shows(page, "worst-text", "1 major")
	press(page, "a") // all are seen
	page.Do(chromedp.Click(chromedp.CSS("#alarm-list .put")))
	page.Until(`document.getElementById("shelve-dialog").open && document.activeElement.id === "shelve-minutes"`)
	page.Do(chromedp.KeyEvent("15"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "shelve eda/silent 15m0s")
	l.operator.change(func(s *session.Status) {
		s.Alarms = []session.Alarm{s.Alarms[0]}
		s.Alarms[0].State, s.Alarms[0].ShelvedMs = alarm.Shelved, 890_000
	})
	shows(page, "worst-text", "none")
	page.Until(`document.querySelector("#shelved-list .when").textContent === "aside, 14:50 left"`)
	if isHidden(page, "no-alarms") {
		t.Error("what was put aside still counts as an alarm")
	}
}

// What is over is said in grey, in one line, and not across the room.
func TestPageIsQuietAboutAlarmsThatAreOver(t *testing.T) {
	status := alarmed()
	status.Alarms[0].State, status.Alarms[0].ClearedMs = alarm.Cleared, 9000
	l := quietPage(t, status)
	page := open(t, l)
	shows(page, "over-text", "2 alarms are over, not seen yet")
	shows(page, "worst-text", "2 over")
	shows(page, "worst-what", "")
	shows(page, "no-alarms-text", "No alarms.")
	if got := browsertest.Value[string](page, `[...document.querySelectorAll("#worst, #over, #over *")].filter((e) => getComputedStyle(e).color === getComputedStyle(document.getElementById("stop")).color).map((e) => e.outerHTML).join()`); got != "" {
		t.Errorf("red is for what lasts, and is on %s", got)
	}
	l.operator.change(func(s *session.Status) { s.Alarms = s.Alarms[1:] })
	shows(page, "over-text", "1 alarm is over, not seen yet")
	page.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("over-seen").click()`))
	l.operator.await(t, "acknowledge gaze/clock")
	l.operator.change(func(s *session.Status) { s.Alarms = nil })
	page.Until(`document.getElementById("over").hidden`)
}

func TestPageIsBlind(t *testing.T) {
	l := quietPage(t, live())
	page := open(t, l)
	shows(page, "blind-text", "Blind: off")
	press(page, "o")
	l.operator.await(t, "blind true")
	shows(page, "blind-text", "Blind: on")
	page.Until(`document.querySelector("#usable .clips li").textContent.startsWith("clip 1")`)
	page.Until(`getComputedStyle(document.querySelector("#strip-expression .mask")).display !== "none" && getComputedStyle(document.querySelector("#strip-expression canvas")).visibility === "hidden"`)
	if got := browsertest.Value[string](page, `document.body.innerText`); strings.Contains(got, "silk") || strings.Contains(got, "pleats") {
		t.Errorf("a blind console names a clip: %s", got)
	}
	// Who looks all the same says why.
	press(page, "o")
	page.Until(`document.getElementById("blind-dialog").open && document.getElementById("blind-go").disabled`)
	page.Do(chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent("sound check"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "blind false sound check")
	shows(page, "blind-text", "Blind: off")
}

// A panel that throws is named, and the others go on.
func TestPageGoesOnWithoutABrokenPanel(t *testing.T) {
	l := quietPage(t, live())
	page := chromium.Open(t, 1280, 800, "503", "panel Marks")
	page.Go(l.server.URL + "/?token=" + testToken)
	page.Until(`document.querySelectorAll("#mark-list li").length === 2`)
	page.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#mark-list li").replaceChildren()`))
	page.Until(`document.getElementById("banner").textContent.startsWith("The panel “Marks” has failed")`)
	l.operator.change(func(s *session.Status) { s.Participant = "P-9" })
	shows(page, "participant", "P-9")
}

// Every key that gives a command, in the order of a visit, and no mouse.
func TestPageByKeyboardAlone(t *testing.T) {
	status := labStatus()
	status.Readiness = checked(session.AtStart)
	l := quietPage(t, status)
	page := open(t, l)
	for _, letter := range []string{"b", "x", "m", "a", "r", "c"} {
		page.Press(letter) // none means anything now
	}
	page.Press("?")
	page.Until(`document.getElementById("help-dialog").open`)
	page.Press("s") // belongs to the dialog
	page.Do(chromedp.KeyEvent(kb.Escape))
	page.Until(`!document.querySelector("dialog[open]")`)
	page.Press("s")
	page.Until(`document.activeElement.id === "code"`)
	page.Do(chromedp.KeyEvent("P-1"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P-1")
	page.Until(`document.getElementById("state-text").textContent.startsWith("REC ") && !document.querySelector("dialog[open]")`)
	page.Press("S")
	page.Until(`document.activeElement.id === "stop-keep"`)
	page.Do(chromedp.KeyEvent(kb.Escape))
	page.Until(`!document.querySelector("dialog[open]")`)
	page.Press("S")
	page.Until(`document.getElementById("stop-dialog").open`)
	page.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "stop ")
	if said := fmt.Sprint(l.operator.said()); said != "[start P-1 stop ]" {
		t.Errorf("the operator was told %s", said)
	}
}

func TestPageIsAccessibleWhileItRecords(t *testing.T) {
	l := quietPage(t, alarmed())
	page := open(t, l)
	page.Until(`document.querySelectorAll("#mark-list li").length === 2 && document.querySelectorAll("#alarm-list li, #over-list li").length === 2`)
	page.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("over-show").click()`))
	accessible(t, page, "recording, with an alarm")
	l.operator.change(func(s *session.Status) { s.Blind = true })
	shows(page, "blind-text", "Blind: on")
	accessible(t, page, "blind")
}
