package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/study"
)

// looked makes looks at points, by a tracker that is off to the right by so many
// degrees, and further off on the right half of the screen.
func looked(points []gaze.Point, on eyemovement.Screen, offDeg float64) (all []gaze.Look) {
	at := instant.Instant(1e9)
	for n, p := range points {
		k := gaze.Look{Target: p, From: at, Until: at.Add(gaze.ShowFor)}
		for i := range 90 {
			right, down := on.Direction(p.X, p.Y)
			jitter := .15 * float64((i*7+n)%9-4) / 4
			x, y := on.At(right+offDeg*(.4+p.X)+jitter, down-jitter/2)
			k.At, k.X, k.Y = append(k.At, at.Add(gaze.ShowFor*time.Duration(i)/90)), append(k.X, x), append(k.Y, y)
		}
		all, at = append(all, k), k.Until
	}
	return all
}

// refused is a session whose calibration was refused.
func refused() session.Status {
	status := labStatus()
	status.State, status.Participant, status.SessionID = session.Recording, "P-1", "s1"
	status.Plan.Steps = []study.Step{{Action: study.Calibrate}}
	status.Step = 0
	on := session.AssumedScreen()
	v := gaze.Validate(looked(gaze.ValidationTargets(9), on, 1.6), on, gaze.FitOptions{})
	judged := &session.Judged{
		Calibration: &gaze.Calibration{Model: "affine", CVDeg: .4}, Validation: &v, Verdict: v.Judge(gaze.Limits{}),
	}
	status.Check = &session.Check{Action: study.Calibrate, Round: 1, Phase: session.Deciding, Judged: judged}
	status.Asked, status.ScreenAssumed = true, true
	status.Alarms = []session.Alarm{{ID: "gaze/refused", Severity: session.Major, Text: "The calibration was refused: the participant waits", Advice: "Use it, make it again, or go on without."}}
	return status
}

func TestPageAsksAboutARefusedCalibration(t *testing.T) {
	status := refused()
	if status.Check.Judged.Verdict.Level != gaze.Refused {
		t.Fatalf("the example is %+v", status.Check.Judged.Verdict)
	}
	l := startPage(t, status, 0)
	page := open(t, l)
	page.Until(`!document.getElementById("calibration").hidden && !document.getElementById("calibration-form").hidden`)
	if got := text(page, "calibration-state"); got != "Refused. The participant waits for your decision." {
		t.Errorf("state %q", got)
	}
	if got, want := text(page, "calibration-reasons"), status.Check.Judged.Verdict.Reasons[0]; !strings.Contains(got, want) {
		t.Errorf("reasons %q, want %q", got, want)
	}
	// The picture has every point where it is, with its error in degrees.
	v := status.Check.Judged.Validation
	if n := browsertest.Value[int](page, `document.querySelectorAll("#calibration-picture g").length`); n != len(v.Points) || n != 9 {
		t.Errorf("%d points in the picture, %d were validated", n, len(v.Points))
	}
	for i, p := range v.Points {
		got := browsertest.Value[string](page, fmt.Sprintf(`document.querySelectorAll("#calibration-picture text")[%d].textContent`, i))
		if want := fmt.Sprintf("%.2f°", p.ErrorDeg); got != want {
			t.Errorf("point %d says %q, want %q", i, got, want)
		}
	}
	if got := text(page, "calibration-numbers"); !strings.Contains(got, fmt.Sprintf("mean error%.2f°", v.MeanDeg)) || !strings.Contains(got, "affine") {
		t.Errorf("numbers %q", got)
	}
	if got := text(page, "drift"); !strings.Contains(got, "lab.yaml") {
		t.Errorf("the assumed screen is said as %q", got)
	}
	page.Screenshot("calibration-refused.png")
	const offered = `!document.getElementById("calibration-accept").hidden`
	page.Until(offered)

	// Nothing is decided without a reason, which R leads to.
	page.Do(chromedp.Click(chromedp.CSS("#calibration-accept")))
	page.Until(`document.getElementById("calibration-error").textContent.startsWith("Say why")`)
	if said := l.operator.said(); len(said) != 0 {
		t.Errorf("decided without a reason: %q", said)
	}
	page.Do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
	page.Press("r")
	page.Until(`document.activeElement.id === "calibration-reason"`)
	page.Do(chromedp.KeyEvent("child, 4 years"), chromedp.KeyEvent(kb.Enter)) // Enter alone chooses nothing
	if said := l.operator.said(); len(said) != 0 {
		t.Errorf("Enter was a choice: %q", said)
	}
	page.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "decide accept child, 4 years")
	page.Until(`document.getElementById("calibration-form").hidden`)

	// Asked again, it does not offer the reason of before, nor to use what does not exist.
	// C makes it again.
	l.operator.change(func(s *session.Status) {
		s.Asked, s.Check = true, &session.Check{Action: study.Calibrate, Phase: session.Deciding, Judged: &session.Judged{Verdict: status.Check.Judged.Verdict}}
	})
	page.Until("!(" + offered + ")")
	page.Until(`!document.getElementById("calibration-form").hidden && document.getElementById("calibration-reason").value === ""`)
	page.Do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
	page.Press("c")
	l.operator.await(t, "decide redo ")
}

func TestPageFollowsACalibration(t *testing.T) {
	status := refused()
	status.Asked, status.Alarms = false, nil
	status.Check = &session.Check{Action: study.Calibrate, Phase: session.Calibrating, Shown: 3, Targets: 10, Target: &gaze.Point{X: .9, Y: .1}, Weak: "only 120 ms of gaze"}
	l := startPage(t, status, 0)
	// The feed tells its own plan's step; this one stays at its calibration.
	page := open(t, l)
	page.Until(`document.getElementById("calibration-state").textContent === "Calibrating: target 4 of 10"`)
	if got := text(page, "calibration-reasons"); got != "Shown again: only 120 ms of gaze." {
		t.Errorf("weak %q", got)
	}
	// The target stands in the mirror where it stands on the participant's screen.
	page.Until(`(() => {
		const c = document.getElementById("gaze");
		const d = c.getContext("2d").getImageData(Math.round(c.width * .9), Math.round(c.height * .1) - Math.round(c.height * .012), 1, 1).data;
		return d[3] > 200 && d[0] < 60;
	})()`)
	page.Screenshot("calibration-running.png")

	done := refused().Check
	good := gaze.Validate(looked(gaze.ValidationTargets(4), session.AssumedScreen(), .2), session.AssumedScreen(), gaze.FitOptions{})
	done.Phase, done.Round = session.Done, 0
	done.Judged = &session.Judged{Validation: &good, Verdict: good.Judge(gaze.Limits{})}
	done.Decision = &session.Decision{Choice: session.Accept, How: session.ByLimits}
	const note = `!document.getElementById("gaze-note").hidden`
	page.Until("!(" + note + ")")
	drift := gaze.MeasureDrift(looked([]gaze.Point{{X: .5, Y: .5}}, session.AssumedScreen(), .5), session.AssumedScreen(), gaze.FitOptions{})
	l.operator.change(func(s *session.Status) { s.Check, s.Drift, s.Corrected = done, &drift, true })
	page.Until(note)
	page.Until(fmt.Sprintf(`document.getElementById("calibration-state").textContent === "%.2f°: good"`, good.MeanDeg))
	page.Until(fmt.Sprintf(`document.getElementById("drift").textContent.includes("off by %.2f°. It is not corrected.")`, drift.Crosses[0].ErrorDeg))
	page.Screenshot("calibration-good.png")

	// While clips are shown the picture is out of the way, until it is asked for.
	const shown = `!document.getElementById("calibration-picture").hasAttribute("hidden")`
	page.Until(shown)
	l.operator.change(func(s *session.Status) { s.Check = &session.Check{}; *s.Check = *done; s.Check.Step = -5 })
	page.Until("!(" + shown + ")")
	page.Press("v")
	page.Until(shown)
	page.Do(chromedp.Click(chromedp.CSS("#calibration-show")))
	page.Until("!(" + shown + ")")
	page.Screenshot("calibration-later.png")
}

func TestDecideOverHTTP(t *testing.T) {
	l := startLab(t, Options{})
	post := func(body string) int {
		r, err := http.NewRequest(http.MethodPost, l.server.URL+"/api/session/calibration", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return l.request(t, r).StatusCode
	}
	if code := post(`{"choice": "continue", "reason": "no glasses at hand"}`); code != http.StatusOK {
		t.Errorf("answered %d", code)
	}
	l.operator.await(t, "decide continue no glasses at hand")
	l.operator.mu.Lock()
	l.operator.refuse = session.ErrNotAsked
	l.operator.mu.Unlock()
	if code := post(`{"choice": "redo"}`); code != http.StatusConflict {
		t.Errorf("not asked, answered %d", code)
	}
	if code := post(`{"choise": "redo"}`); code != http.StatusBadRequest {
		t.Errorf("misspelt, answered %d", code)
	}
}
