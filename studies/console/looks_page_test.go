package console

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"emolab/studies/access"
	"emolab/studies/alarm"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/study"
)

// pose is a state of the console that a person looks at.
type pose struct {
	name   string
	status session.Status
	role   access.Role // of who looks; "" = the lab's own token
	// do brings it about, after which ready holds.
	do    func(l *lab, page *browsertest.Page)
	ready string
}

// TestPageLooks takes the screenshots that a person looks at, of every state in every size
// and both themes: EMOLAB_SCREENSHOTS=DIR go test -run Looks.
func TestPageLooks(t *testing.T) {
	if browsertest.ScreenshotFolder() == "" {
		t.Skip("screenshots are taken with EMOLAB_SCREENSHOTS=DIR only")
	}
	for _, p := range poses() {
		t.Run(p.name, func(t *testing.T) {
			l, page := strike(t, p)
			if p.do != nil {
				p.do(l, page)
			}
			for _, size := range [][2]int64{{1280, 800}, {1920, 1080}, {3840, 2160}, {390, 844}} {
				page.Do(chromedp.EmulateViewport(size[0], size[1]))
				for _, theme := range []string{"light", "dark"} {
					page.Do(prefers(theme))
					page.Until(fmt.Sprintf(`innerWidth === %d`, size[0]))
					if p.ready != "" {
						page.Until(p.ready)
					}
					browsertest.Value[bool](page, settled)
					page.Until(`(window.framesSeen = (window.framesSeen ?? 0) + 1) % 20 === 0`)
					file := fmt.Sprintf("%s-%s-%d.png", p.name, theme, size[0])
					if size[0] < 500 && !browsertest.Value[bool](page, `document.querySelector("dialog[open]") !== null`) {
						page.LongScreenshot(file)
					} else {
						page.Screenshot(file)
					}
				}
			}
		})
	}
}

// strike opens a console in the state of a pose.
func strike(t *testing.T, p pose) (*lab, *browsertest.Page) {
	t.Helper()
	l := startPage(t, p.status, 14500*time.Millisecond)
	l.operator.mu.Lock()
	l.operator.sessions, l.operator.cohort = exampleSessions(), exampleCohort()
	l.operator.mu.Unlock()
	page := open(t, l, "404") // a clip with a long name is nowhere
	if p.status.State == session.Recording {
		page.Until(fmt.Sprintf(`(%s)("strip-gaze") > 300`, ink))
	}
	if p.role != "" {
		token, err := l.gate.book.Give(access.Token{Name: "Ann", Role: p.role, Made: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		page = comeIn(t, l, token)
	}
	return l, page
}

// poses are all states of the console.
func poses() []pose {
	cut := session.Summary{ID: "s9", Participant: "P-9", State: session.Recovered, Started: time.Now().Add(-3 * time.Hour), Duration: 192 * time.Second}
	ready := labStatus()
	ready.LastOutcome = &session.Outcome{SessionID: "b", State: session.Sealed, Bundle: "/d/b.zip"}
	ready.Recovered = []session.Summary{cut}
	ready.Readiness = checked(session.AtStart)

	troubled := alarmed()
	troubled.Streams = append([]session.Health(nil), troubled.Streams...)
	troubled.Streams[0].Connected, troubled.Streams[0].Remark = false, "cable pulled"
	troubled.Streams[1].Clock.BoundMs = 31
	troubled.DiskHours = 1.4
	troubled.Alarms = append(troubled.Alarms, session.Alarm{ID: "gaze/clock", Severity: session.Minor, State: alarm.Acknowledged, Panel: "streams",
		Text: "Eye tracker: time known to ±31 ms only", Advice: "It narrows within seconds of a connection; if it stays, the computer is too busy.", AgeMs: 42_000, ClearedMs: -1, Count: 2})
	over := alarmed()
	over.Alarms[0].State, over.Alarms[0].ClearedMs = alarm.Cleared, 9000

	absent := labStatus()
	absent.Streams, absent.Readiness = troubled.Streams, checked(session.AtStart, "device/eda")
	waiting := visit(3)
	waiting.Ready, waiting.Readiness, waiting.Confirmed.Participant = true, checked(session.AtBegin), true
	unheard := waiting
	unheard.Readiness = checked(session.AtBegin, "sound")
	blind := live()
	blind.Blind = true
	blind = masked(blind, nil)
	long := alarmed()
	long.Participant, long.StudyTitle = "PILOT-2026-0042-B", "The longest title that anybody has given to a study of cloth on an abstract runway"
	long.Plan.Steps = append([]study.Step(nil), long.Plan.Steps...)
	for i := range long.Plan.Steps {
		long.Plan.Steps[i].Stimulus = "autumn_campaign_final_cut_v2_1080p"
	}
	long.Usable[0].Stimulus, long.Usable[1].Stimulus = "autumn_campaign_final_cut_v2_1080p", "spring_campaign_directors_cut"
	long.Alarms[0].Text = "Skin conductance is beyond what a good contact gives, and has been for 40 seconds"

	asked := visit(-1)
	asked.Readiness = reading().Readiness

	press := func(keys ...string) func(*lab, *browsertest.Page) {
		return func(_ *lab, page *browsertest.Page) {
			page.Press(keys[0])
			page.Until(`document.querySelector("dialog[open]") !== null`)
			for _, k := range keys[1:] {
				page.Do(chromedp.KeyEvent(k))
			}
		}
	}
	return []pose{
		{name: "ready", status: ready},
		{name: "missing", status: absent},
		{name: "reading", status: reading()},
		{name: "waiting", status: waiting},
		{name: "recording", status: live()},
		{name: "alarm", status: troubled},
		{name: "over", status: over},
		{name: "blind", status: blind},
		{name: "refused", status: refused()},
		{name: "code", status: asked},
		{name: "long", status: long},
		{name: "watching", status: live(), role: access.Operator},
		{name: "viewer", status: alarmed(), role: access.Viewer},
		{name: "lost", status: live(), do: lose, ready: `document.body.classList.contains("down")`},
		{name: "override", status: absent, do: press("s", "P-7K2", "\t", "one finger only")},
		{name: "begin", status: unheard, do: press("b", "k2")},
		{name: "stop", status: live(), do: press("S")},
		{name: "unblind", status: blind, do: press("o")},
		{name: "help", status: live(), do: press("?")},
	}
}

// lose cuts a page's line, and lets it make no other.
func lose(l *lab, page *browsertest.Page) {
	page.Do(chromedp.Evaluate[chromedp.Void](`
		window.RealSocket = WebSocket;
		window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.(), 20); } send() {} close() {} };
		undefined`))
	for _, v := range l.hub.list() {
		v.dismiss()
	}
}

func exampleSessions() []session.Summary {
	done := time.Now().Add(-3 * time.Hour)
	yes, no := true, false
	return []session.Summary{
		{ID: "a", Participant: "P-3QX", State: session.Sealed, Started: done, Duration: 461 * time.Second, Segments: 1, Bundle: "/d/a.zip", Simulated: true},
		{ID: "b", Participant: "P-9ZT", State: session.Sealed, Started: done.Add(time.Hour), Duration: 455 * time.Second, Segments: 2, Bundle: "/d/b.zip", Usable: &yes},
		{ID: "c", Participant: "P-1AB", State: session.Failed, Started: done.Add(90 * time.Minute), Duration: 31 * time.Second, Segments: 1, Reason: "disk"},
		{ID: "d", Participant: "P-2LK", State: session.Sealed, Started: done.Add(2 * time.Hour), Duration: 402 * time.Second, Segments: 1, Bundle: "/d/d.zip",
			Usable: &no, UsableWhy: "gaze: 2 of 4 videos below 70 %"},
		{ID: "20261122-091503-P-7K2", Participant: "P-7K2", State: session.Recording, Started: time.Now(), Segments: 1},
	}
}

// exampleCohort is a study under way.
func exampleCohort() session.Cohort {
	cell := func(band string, have, open int) session.CellNow {
		return session.CellNow{Cell: study.Cell{Question: "age", Band: band, Usable: 8}, Have: have, Open: open}
	}
	return session.Cohort{Usable: 11, Wanted: 24, Unusable: 2, Dropped: 1, Cells: []session.CellNow{cell("18-24", 8, 0), cell("25-34", 3, 1), cell("35-49", 1, 0)},
		Videos: []session.Tally{{Name: "silk", Usable: 10, Shown: 12}, {Name: "pleats", Usable: 11, Shown: 11}, {Name: "veil", Usable: 9, Shown: 11}}}
}
