package console

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/study"
)

// intakePlan is what a participant reads before the recording, and a clip with a rating.
func intakePlan() study.Plan {
	steps := []study.Step{
		{Action: study.Fill, Sheet: "notice"}, {Action: study.Fill, Sheet: "consent"}, {Action: study.Camera}, {Action: study.Begin},
		{Action: study.Neutral, Duration: 10 * time.Second}, {Action: study.Fixation, Duration: time.Second},
		{Action: study.Play, Stimulus: "silk", Presentation: 1, Duration: 6 * time.Second},
		{Action: study.Fill, Sheet: "rate.sam", Stimulus: "silk", Presentation: 1},
		{Action: study.Fill, Sheet: "leave", Aside: true},
	}
	for i := range steps {
		steps[i].Index = i
	}
	return study.Plan{Steps: steps}
}

// visit is a lab in which a participant sits and reads.
func visit(step int) session.Status {
	s := labStatus()
	s.State, s.Participant, s.SessionID, s.Plan, s.Step = session.Prepared, "P-7K2", "s1", intakePlan(), step
	return s
}

// reading is a visit whose participant has screening, seat and light still before them.
func reading() session.Status {
	s := visit(1)
	s.Readiness = checked(session.AtBegin)
	for i, c := range s.Readiness {
		if c.ID == "screening" || c.ID == "camera" {
			s.Readiness[i].Level, s.Readiness[i].Text = session.ReadyWaiting, "Not yet"
		}
	}
	return s
}

// quietPage runs a lab in which nothing is measured and no step ends by itself.
func quietPage(t *testing.T, status session.Status) *lab {
	t.Helper()
	receipts := t.TempDir()
	if err := os.WriteFile(filepath.Join(receipts, "withdrawal-1.txt"), []byte(receiptText), 0o600); err != nil {
		t.Fatal(err)
	}
	return startLabIn(t, status, Options{Stage: clips(t), Receipts: receipts})
}

// begins begins the recording of P-7K2, whose code ends in K2.
func begins(t *testing.T, l *lab, page *browsertest.Page) {
	t.Helper()
	page.Press("b")
	page.Until(`document.getElementById("begin-dialog").open && document.activeElement.id === "begin-confirm"`)
	page.Do(chromedp.KeyEvent("k2"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "begin K2")
	page.Until(`!document.getElementById("begin-dialog").open`)
}

func shows(page *browsertest.Page, id, want string) {
	page.Until(fmt.Sprintf(`document.getElementById(%q).textContent === %q`, id, want))
}

func isHidden(page *browsertest.Page, id string) bool {
	return browsertest.Value[bool](page, fmt.Sprintf(`document.getElementById(%q).hidden`, id))
}

func TestPageBeforeTheRecording(t *testing.T) {
	l := quietPage(t, reading())
	page := open(t, l)
	shows(page, "state-text", "Participant reads")
	shows(page, "state-label", "Nothing is recorded yet")
	shows(page, "step-text", "Reads: consent")
	shows(page, "screen-word", "The participant reads: consent")
	if !isHidden(page, "begin") || !isHidden(page, "start") || isHidden(page, "stop") {
		t.Error("while the participant reads there is only Stop")
	}
	page.Press("b") // nobody waits yet
	shows(page, "banner", "The participant has not come to the end of the questions: still to come screening, seat and light.")
	shows(page, "h-ready-text", "On the way to the recording, 2 to come")
	page.Until(`document.querySelectorAll("#ready li.waiting").length === 2 && document.querySelector("#ready li.major") === null`)
	l.operator.change(func(s *session.Status) { s.Step = 2 })
	shows(page, "step-text", "Seat and light")

	// Stop says that nothing was recorded.
	page.Press("S")
	page.Until(`document.getElementById("stop-dialog").open`)
	if got := text(page, "stop-what"); !strings.HasPrefix(got, "Nothing has been recorded of P-7K2 yet") {
		t.Errorf("the question before stopping: %q", got)
	}
	shows(page, "stop-go", "Stop")
	page.Do(chromedp.KeyEvent(kb.Escape))

	l.operator.change(func(s *session.Status) { s.Step, s.Ready, s.Readiness = 3, true, checked(session.AtBegin) })
	shows(page, "state-text", "Participant waits")
	shows(page, "h-ready-text", "Ready to begin")
	shows(page, "step-text", "Waits for you")
	if isHidden(page, "begin") {
		t.Fatal("there is no key to begin the recording")
	}
	if said := l.operator.said(); len(said) != 0 {
		t.Errorf("the operator was told %q before anybody waited", said)
	}
	begins(t, l, page)
	page.Until(`document.getElementById("state-text").textContent.startsWith("REC ")`)
	if !isHidden(page, "begin") {
		t.Error("the key to begin stays")
	}

	l.operator.change(func(s *session.Status) { s.Step = 4 })
	shows(page, "step-text", "Face at rest")
	shows(page, "step-time", "0:10")
	l.operator.change(func(s *session.Status) { s.Step, s.Paused = 5, true })
	shows(page, "state-label", "Paused by the participant")
	shows(page, "screen-word", "Paused")
	l.operator.change(func(s *session.Status) { s.Step, s.Paused = 7, false })
	shows(page, "step-text", "Rating, clip 1 of 1")
	shows(page, "screen-word", "The participant reads: rating")
	l.operator.change(func(s *session.Status) { s.Step = 8 })
	shows(page, "step-text", "Reads: whether the data may be kept")
}

func TestPageAsksAboutACodeThatWasUsedBefore(t *testing.T) {
	l := quietPage(t, labStatus())
	at := time.Now().Add(-time.Hour)
	before := []session.Summary{
		{ID: "s1", Participant: "P-7", State: session.Sealed, Started: at},
		{ID: "s2", Participant: "P-7", State: session.Recovered, Started: at},
	}
	l.operator.mu.Lock()
	l.operator.sessions = before
	l.operator.refuse = &session.KnownError{Participant: "P-7", Sessions: before, Cut: "s2"}
	l.operator.mu.Unlock()
	page := open(t, l)
	page.Press("s")
	page.Until(`document.getElementById("start-dialog").open`)
	page.Do(chromedp.KeyEvent("P-7"))
	page.Until(`document.getElementById("checks").textContent.includes("P-7 has been here before")`)
	page.Do(chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P-7")
	page.Until(`!document.getElementById("known").hidden && document.getElementById("start-go").hidden`)
	if got := text(page, "known-what"); !strings.HasPrefix(got, "P-7 has been here before: ") || !strings.Contains(got, "sealed; ") || !strings.HasSuffix(got, "cut off. Is it the same person?") {
		t.Errorf("says %q", got)
	}
	// The likeliest answer has the focus, and Enter gives it.
	page.Until(`document.activeElement.id === "known-continue"`)
	l.operator.mu.Lock()
	l.operator.refuse = nil
	l.operator.mu.Unlock()
	page.Do(chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P-7 continue")
	page.Until(`!document.getElementById("start-dialog").open`)
}

func TestPageOffersANewRunAndAnotherCode(t *testing.T) {
	l := quietPage(t, labStatus())
	before := []session.Summary{{ID: "s1", Participant: "P-7", State: session.Sealed, Started: time.Now()}}
	l.operator.mu.Lock()
	l.operator.refuse = &session.KnownError{Participant: "P-7", Sessions: before}
	l.operator.mu.Unlock()
	page := open(t, l)
	page.Press("s")
	page.Until(`document.getElementById("start-dialog").open`)
	page.Do(chromedp.KeyEvent("P-7"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P-7")
	page.Until(`document.activeElement.id === "known-other"`) // a second Enter starts nothing
	if !isHidden(page, "known-continue") {
		t.Error("a session that was not cut off can be continued")
	}
	page.Do(chromedp.Click(chromedp.CSS("#known-other")))
	page.Until(`document.getElementById("known").hidden && document.activeElement.id === "code" && document.getElementById("code").value === ""`)
	page.Do(chromedp.KeyEvent("P-7"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P-7")
	page.Until(`document.activeElement.id === "known-other"`)
	l.operator.mu.Lock()
	l.operator.refuse = nil
	l.operator.mu.Unlock()
	page.Do(chromedp.Click(chromedp.CSS("#known-new")))
	l.operator.await(t, "start P-7 new")
}

func TestPageTellsHowVisitsEnd(t *testing.T) {
	l := quietPage(t, labStatus())
	page := open(t, l)
	for _, c := range []struct {
		outcome session.Outcome
		want    string
	}{
		{session.Outcome{SessionID: "a", State: session.Declined, Reason: "screening: age"}, "The participant does not take part. Why: screening: age. Nothing was recorded."},
		{session.Outcome{SessionID: "d", State: session.Declined, Reason: "stopped by the operator: fire drill"}, "Stopped before the recording. Why: stopped by the operator: fire drill. Nothing was recorded."},
		{session.Outcome{SessionID: "b", State: session.Withdrawn, Erasure: &session.Erasure{Rows: 12345, Files: 3, Recipients: []string{"Prof. Lee", "archive"}}},
			"The participant withdrew. Everything of them is erased: 12,345 rows, 3 files. To be told, because they were given a bundle: Prof. Lee, archive."},
		{session.Outcome{SessionID: "c", State: session.Withdrawn, Error: "the withdrawal of session c is not complete: a file is in use"}, "The participant withdrew, but the withdrawal of session c is not complete: a file is in use"},
	} {
		l.operator.change(func(s *session.Status) { s.LastOutcome = &c.outcome })
		shows(page, "outcome", c.want)
		if browsertest.Value[bool](page, `document.getElementById("outcome").classList.contains("major")`) && c.outcome.Error == "" {
			t.Errorf("%s is shown as a failure", c.outcome.State)
		}
	}

	// Who is stopped is led to the last pages, and the console says that it waits for them.
	l.operator.change(func(s *session.Status) {
		*s = visit(1)
		s.Stopped = true
	})
	shows(page, "state-text", "Stopped")
	shows(page, "state-label", "On the last pages; Stop again closes them")
	page.Press("S")
	page.Until(`document.getElementById("stop-dialog").open`)
	if got := text(page, "stop-go"); got != "Close the pages" {
		t.Errorf("the button says %q", got)
	}
}

// What has ended must not look as if it went on.
func TestPageAfterTheRecording(t *testing.T) {
	status := visit(8)
	status.State, status.Over, status.ElapsedMs = session.Recording, true, 83_000
	l := quietPage(t, status)
	l.operator.mu.Lock()
	l.operator.sessions = []session.Summary{
		{ID: "s1", Participant: "P-7K2", State: session.Prepared, Started: time.Now()}, // as it was a moment before
		{ID: "s2", Participant: "P-2", State: session.Declined, Started: time.Now(), Reason: "screening: age", Run: 2},
		{ID: "s3", Participant: "P-3", State: session.Declined, Started: time.Now(), Reason: "left"},
		{ID: "s4", Participant: "P-4", State: session.Failed, Started: time.Now(), Reason: "withdrawn by the participant"},
	}
	l.operator.mu.Unlock()
	page := open(t, l)
	shows(page, "state-text", "Recording ended")
	page.Until(`document.querySelectorAll("#session-list li").length === 4`)
	// Frames go by: the clock does not start again.
	browsertest.Value[bool](page, `new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))`)
	shows(page, "state-text", "Recording ended")
	if strings.HasPrefix(browsertest.Value[string](page, `document.title`), "●") {
		t.Error("the title says that it records")
	}
	if got := browsertest.Value[string](page, `[...document.querySelectorAll("#session-list .badge")].map((b) => b.textContent).sort().join("; ")`); got != "ended; left before the recording; screened out; to be erased" {
		t.Errorf("the list says %q", got)
	}
	if got := browsertest.Value[string](page, `document.querySelector("#session-list").textContent`); strings.Contains(got, "0:00") || strings.Contains(got, "run 2") {
		t.Errorf("the list says %q", got)
	}
	if browsertest.Value[int](page, `document.querySelectorAll("#session-list .badge.failed").length`) != 0 {
		t.Error("what is to be erased is shown as a failure")
	}
	page.Screenshot("people-after-the-recording.png")
	page.Press("S")
	page.Until(`document.getElementById("stop-dialog").open`)
	if got := text(page, "stop-what"); !strings.HasPrefix(got, "The recording of P-7K2 has ended after 00:01:23.") {
		t.Errorf("the question before stopping: %q", got)
	}
}

// Whoever is not recorded is not looked at.
func TestPageShowsOnlyWhatIsRecorded(t *testing.T) {
	l := startPage(t, visit(1), time.Second)
	page := open(t, l)
	const reads = `[...document.querySelectorAll(".strip dd")].map((e) => e.textContent).filter((s) => /[0-9]/.test(s)).length`
	// The numbers change every 200 ms, the state is told twice a second.
	const later = `new Promise((r) => setTimeout(() => r(` + reads + `), 900))`
	shows(page, "strips-veil", "Nothing of the participant is shown before the recording begins.")
	if n := browsertest.Value[int](page, later); n != 0 {
		t.Errorf("%d numbers are shown of who still reads", n)
	}
	page.Screenshot("people-before-the-consent.png")
	l.operator.change(func(s *session.Status) { s.Step, s.Ready = 3, true })
	shows(page, "state-text", "Participant waits")
	if n := browsertest.Value[int](page, later); n != 0 || isHidden(page, "strips-veil") {
		t.Errorf("%d numbers are shown of who waits", n)
	}
	begins(t, l, page)
	page.Until(`document.getElementById("strips-veil").hidden && ` + reads + ` > 5`)
	l.operator.change(func(s *session.Status) { s.Over = true })
	shows(page, "strips-veil", "Nothing is shown while nobody is recorded.")
	page.Until(`!document.getElementById("strips-veil").hidden && ` + reads + ` === 0`)
}

func TestPageWithdrawsByAReceiptsCode(t *testing.T) {
	l := peopleLab(t)
	page := open(t, l)
	shows(page, "cohort-usable", "22 of 60 usable")
	page.Do(chromedp.Click(chromedp.CSS("#withdraw")))
	page.Until(`document.activeElement.id === "withdraw-code" && document.getElementById("withdraw-go").disabled`)
	l.operator.mu.Lock()
	l.operator.refuse = errRefused
	l.operator.mu.Unlock()
	page.Do(chromedp.KeyEvent("k7qm 2rx"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "whose is k7qm 2rx")
	shows(page, "withdraw-error", "the disk is nearly full")
	l.operator.mu.Lock()
	l.operator.refuse = nil
	l.operator.mu.Unlock()
	// First it is shown whose it is, and another code is looked up again.
	page.Do(chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "whose is k7qm 2rx")
	shows(page, "withdraw-go", "Erase everything of P-1")
	shows(page, "withdraw-whose", "It is the code of P-1: 2 sessions, of which 1 bundle was made. Given out to: Ann. All of it is erased, with the video. This cannot be undone.")
	page.Until(`document.activeElement.value === "cancel"`) // a second Enter erases nobody
	page.Do(chromedp.Focus(chromedp.CSS("#withdraw-code")), chromedp.KeyEvent("a"))
	shows(page, "withdraw-go", "Look up")
	if !isHidden(page, "withdraw-whose") {
		t.Error("it still says whose the code was that stood there")
	}
	page.Do(chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "whose is k7qm 2rxa")
	shows(page, "withdraw-go", "Erase everything of P-1")
	page.Screenshot("people-withdraw-by-code.png")
	page.Do(chromedp.Click(chromedp.CSS("#withdraw-go")))
	page.Until(`!document.getElementById("withdraw-dialog").open`)
	if said := l.operator.said(); said[len(said)-1] != "withdraw by k7qm 2rxa" {
		t.Errorf("the operator was told %q", said)
	}
	shows(page, "banner", "The participant withdrew. Everything of them is erased: 9 rows, 0 files.")

	// The receipt is there to be printed and to be saved.
	page.Until(`document.getElementById("paper-dialog").open`)
	shows(page, "paper-text", receiptText)
	if got := browsertest.Value[string](page, `document.getElementById("paper-download").getAttribute("href")`); got != "/api/receipts/withdrawal-1.txt" {
		t.Errorf("the link leads to %q", got)
	}
	if got := text(page, "paper-note"); !strings.Contains(got, "kept as /data/receipts/withdrawal-1.txt") {
		t.Errorf("says %q", got)
	}
	page.Screenshot("people-receipt.png")
}

const receiptText = "RECEIPT OF A WITHDRAWAL\nAll of it."

// What is past its date is told of, shown, and then erased.
func TestPageErasesWhatIsPastItsDate(t *testing.T) {
	l := peopleLab(t)
	l.operator.mu.Lock()
	l.operator.overdue = []session.Overdue{{Session: "s1", What: "video of the face", Until: time.Now().Add(-time.Hour), Files: 12}, {Session: "s9", What: "recordings, answers and bundles", Until: time.Now().Add(-time.Hour)}}
	l.operator.mu.Unlock()
	page := open(t, l)
	shows(page, "overdue-what", "2 items are past their date")
	page.Do(chromedp.Click(chromedp.CSS("#overdue-look")))
	page.Until(`document.getElementById("overdue-dialog").open && document.querySelectorAll("#overdue-list tr").length === 2`)
	if got := text(page, "overdue-list"); !strings.HasPrefix(got, "video of the faces1until ") || !strings.Contains(got, "12 files") {
		t.Errorf("the list says %q", got)
	}
	page.Screenshot("people-overdue.png")
	if said := l.operator.said(); len(said) != 0 {
		t.Errorf("the operator was told %q before anybody agreed", said)
	}
	page.Do(chromedp.Click(chromedp.CSS("#overdue-go")))
	l.operator.await(t, "purge 2")
	shows(page, "banner", "Erased: 2 items, 12 files. The report is kept as /data/receipts/purge-1.txt.")
	page.Until(`document.getElementById("overdue").hidden`)
}

// Who was cut off has not seen the last page.
func TestPageGivesAReceipt(t *testing.T) {
	l := peopleLab(t)
	l.operator.change(func(s *session.Status) {
		s.Recovered = []session.Summary{{ID: "s1", Participant: "P-1", State: session.Recovered, Started: time.Now()}}
	})
	page := open(t, l)
	page.Until(`document.querySelectorAll("#recovered button").length === 2`)
	page.Do(chromedp.Click(chromedp.CSS("#recovered button:last-child")))
	l.operator.await(t, "seal s1")
	page.Until(`document.getElementById("person-dialog").open && document.querySelector("input[name=deed]:checked")?.value === "receipt"`)
	shows(page, "person-go", "Give a receipt")
	page.Do(chromedp.Click(chromedp.CSS("#person-go")))
	l.operator.await(t, "receipt s1")
	page.Until(`document.getElementById("paper-dialog").open && !document.getElementById("person-dialog").open`)
	shows(page, "paper-text", "YOUR RECEIPT\n7Q2M-X4KD-9WP")
	if !isHidden(page, "paper-download") {
		t.Error("the link of another receipt is still there")
	}
	page.Do(chromedp.KeyEvent(kb.Escape))
	shows(page, "paper-text", "") // the code stays nowhere
}

// peopleLab is a lab with a finished session and a cohort.
func peopleLab(t *testing.T) *lab {
	no := false
	l := quietPage(t, labStatus())
	l.operator.mu.Lock()
	defer l.operator.mu.Unlock()
	l.operator.sessions = []session.Summary{
		{ID: "s1", Participant: "P-1", State: session.Sealed, Started: time.Now().Add(-time.Hour), Duration: 400 * time.Second, Usable: &no, UsableWhy: "face: 2 of 4 videos below 70 %", Run: 2},
		{ID: "s2", Participant: "P-2", State: session.Prepared, Started: time.Now()},
	}
	cell := func(band string, have int) session.CellNow {
		return session.CellNow{Cell: study.Cell{Question: "age", Band: band, Usable: 2}, Have: have, Open: have / 2}
	}
	l.operator.cohort = session.Cohort{Usable: 22, Wanted: 60, Unusable: 1, Dropped: 2, Cells: []session.CellNow{cell("18-24", 2), cell("25-34", 0)}}
	return l
}

func TestPageShowsTheCohortJudgesMovesAndWithdraws(t *testing.T) {
	l := peopleLab(t)
	page := open(t, l)
	shows(page, "cohort-usable", "22 of 60 usable")
	shows(page, "cohort-cells", "age 18-241 of 2, 1 under wayage 25-340 of 2")
	shows(page, "cohort-lost", "1 not usable, 2 stopped")
	if !isHidden(page, "cohort-hidden") {
		t.Error("videos and brands are said to be hidden from a console that sees")
	}
	page.Until(`document.querySelector("#session-list li.sealed .facts").textContent.endsWith("run 2 · not usable: face: 2 of 4 videos below 70 %")`)
	if browsertest.Value[bool](page, `document.querySelector("#session-list li.prepared button") !== null`) {
		t.Error("a session that is not over can be given away")
	}

	const do = `document.getElementById("person-go")`
	choose := func(deed string) {
		t.Helper()
		page.Until(`document.querySelector("#session-list button.who") !== null`)
		// At once: the list is drawn anew after every deed, and a button that was found may be gone.
		page.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#session-list button.who").click()`))
		page.Until(`document.getElementById("person-dialog").open && ` + do + `.disabled`)
		page.Do(chromedp.Click(chromedp.CSS(fmt.Sprintf(`input[value=%s]`, deed))))
		page.Until(`document.querySelector("input[name=deed]:checked").value === "` + deed + `"`)
	}
	focus := func(id string) {
		page.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.getElementById(%q).focus()`, id)))
	}

	choose("usable")
	if got := text(page, "person-what"); !strings.HasSuffix(got, "sealed, not usable: face: 2 of 4 videos below 70 %.") {
		t.Errorf("says %q", got)
	}
	if !browsertest.Value[bool](page, do+`.disabled`) {
		t.Error("a judgement needs no reason")
	}
	focus("person-reason")
	page.Do(chromedp.KeyEvent("the camera was fine"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "judge s1 true the camera was fine")
	page.Until(`!document.getElementById("person-dialog").open`)

	choose("move")
	focus("person-code")
	page.Do(chromedp.KeyEvent("P-9"))
	focus("person-reason")
	page.Do(chromedp.KeyEvent("typed wrong"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "move s1 P-9 typed wrong")
	page.Until(`!document.getElementById("person-dialog").open`)

	// To erase somebody takes their code, and not another one.
	choose("withdraw")
	focus("person-code")
	page.Do(chromedp.KeyEvent("P-"), chromedp.KeyEvent(kb.Enter))
	page.Until(do + `.disabled && ` + do + `.textContent === "Erase everything"`)
	page.Do(chromedp.KeyEvent("1"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "withdraw s1")
	shows(page, "banner", "P-1 withdrew. Everything of them is erased: 7 rows, 0 files.")

	l.operator.mu.Lock()
	l.operator.refuse = errRefused
	l.operator.mu.Unlock()
	choose("unusable")
	focus("person-reason")
	page.Do(chromedp.KeyEvent("noise"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "judge s1 false noise")
	shows(page, "person-error", "Not done: the disk is nearly full")
	if said := l.operator.said(); len(said) != 4 {
		t.Errorf("the operator was told %q", said)
	}
}

func TestPageIsAccessible(t *testing.T) {
	l := peopleLab(t)
	l.operator.change(func(s *session.Status) {
		*s = visit(3)
		s.Ready = true
	})
	page := open(t, l)
	shows(page, "state-text", "Participant waits")
	shows(page, "cohort-usable", "22 of 60 usable")
	for _, c := range []struct {
		what, open string
	}{
		{"waiting to begin", ``},
		{"the session's dialog", `document.querySelector("#session-list button.who").click(); document.querySelector("input[value=withdraw]").click()`},
		{"the stop dialog", `document.getElementById("person-dialog").close(); document.getElementById("stop").click()`},
	} {
		page.Do(chromedp.Evaluate[chromedp.Void](c.open))
		accessible(t, page, c.what)
		page.Screenshot(fmt.Sprintf("people-%s.png", strings.ReplaceAll(c.what, " ", "-")))
	}
}
