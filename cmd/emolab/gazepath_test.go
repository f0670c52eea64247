package main

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"emolab/sensors/eyetracker/gazepoint"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/store"
)

// recovered is how near to what was simulated a validation has to come, in degrees.
const recovered = .1

// inBrowser shows the participant's page in a real browser.
func inBrowser(t *testing.T, browser *browsertest.Browser) func(*bench) func() {
	return func(b *bench) func() {
		// The server is stopped at the end while the page is still open.
		page := browser.Open(t, 1920, 1080, "ERR_CONNECTION_REFUSED")
		page.Go(b.stageURL() + autostart)
		return func() {}
	}
}

// gazeLab is a lab of one virtual eye tracker, which slips by some degrees in the
// first rounds after it was calibrated.
func gazeLab(t *testing.T, browser *browsertest.Browser, driver string, slip float64, rounds int) *bench {
	t.Helper()
	return openBench(t, benchOptions{
		flags: virtualFlags{Seed: 3, DriftPPM: 500, Batch: 4 * time.Millisecond, Devices: []string{driver},
			GazeBias: 2, GazeNoise: .15, GazeError: slip},
		slips: rounds,
		// The tracker goes on by its own clock, also where a busy machine's page is still on
		// its way to the point.
		arrives: 5 * time.Second,
		flow:    "[calibrate, block: {trial: [fixation: 1s, play]}]",
		gaze:    "{calibrate: 5-point, validate: 4-point}",
		stage:   inBrowser(t, browser),
	})
}

// validations ends the lab and returns a session with what its validations found
// beside what was simulated, and compares the two.
func (b *bench) validations(id string) (store.Detail, []validated) {
	b.t.Helper()
	truth := b.truth.Record()
	b.stop()
	path, err := storeFlags{Data: b.dir}.path()
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := store.View(b.t.Context(), path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer s.Close()
	d, err := s.Session(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	all, err := measureGaze(b.t.Context(), s, d, truth)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, v := range all {
		b.t.Logf("step %d round %d: accuracy %s (simulated %s), RMS-S2S %s (%s), SD %s (%s), loss %.3f: %s, %s", v.Step, v.Round,
			orDash(v.Found.AccuracyDeg), orDash(v.Simulated.AccuracyDeg), orDash(v.Found.RMSS2SDeg), orDash(v.Simulated.RMSS2SDeg),
			orDash(v.Found.SDDeg), orDash(v.Simulated.SDDeg), v.Loss, v.Choice, v.Reason)
		b.recovers("accuracy", v.Found.AccuracyDeg, v.Simulated.AccuracyDeg)
		b.recovers("precision RMS-S2S", v.Found.RMSS2SDeg, v.Simulated.RMSS2SDeg)
		b.recovers("precision SD", v.Found.SDDeg, v.Simulated.SDDeg)
	}
	return d, all
}

func (b *bench) recovers(what string, found, simulated *float64) {
	b.t.Helper()
	if found == nil || simulated == nil || math.Abs(*found-*simulated) > recovered {
		b.t.Errorf("%s: found %s°, simulated %s°", what, orDash(found), orDash(simulated))
	}
}

// A participant is calibrated on the page, and what the tracker is off afterwards is
// found: of one that calibrates itself on our targets, and of one that we fit.
func TestParticipantIsCalibratedInABrowser(t *testing.T) {
	t.Parallel()
	for driver, says := range map[string]string{"gazepoint": "the tracker's own", "eyetribe": "calibration/gaze Fit"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			b := gazeLab(t, browsertest.Start(t), driver, .6, 1)
			id := b.record(func() { // to the first trial, whose cross tells the drift
				b.awaitStatus("drift at the cross", func(s session.Status) bool { return s.Drift != nil })
			})
			d, all := b.validations(id)
			if len(all) != 1 || all[0].Choice != "accept" {
				t.Fatalf("validations %+v", all)
			}
			if off := *all[0].Simulated.AccuracyDeg; off < .5 {
				t.Errorf("a slip of %.2f° was simulated, want about .6", off)
			}
			b.says(d, says)
			if n := len(current(d, "gaze-drift")); n == 0 {
				t.Error("no drift was measured at the cross")
			}
			b.fits(d, driver == "gazepoint")
		})
	}
}

// fits looks at what the gaze is corrected by: nothing of ours, where the tracker
// calibrated itself on what was shown, and says so.
func (b *bench) fits(d store.Detail, itself bool) {
	b.t.Helper()
	var judged session.Judged
	if err := json.Unmarshal(d.Decisions[0].Value, &judged); err != nil {
		b.t.Fatal(err)
	}
	ours := current(d, "gaze")
	if !itself {
		if len(ours) != 1 || !ours[0].Used || judged.Tracker != nil {
			b.t.Errorf("calibrations %+v, the tracker says %s", ours, judged.Tracker)
		}
		return
	}
	var own struct {
		Points []gazepoint.PointResult `json:"points"`
		Valid  int                     `json:"valid_points"`
	}
	if err := json.Unmarshal(judged.Tracker, &own); err != nil || len(own.Points) != 5 || own.Valid < 3 || len(ours) != 0 {
		b.t.Errorf("the tracker's own result: %s (%v); calibrations of ours: %+v", judged.Tracker, err, ours)
	}
}

// A tracker slips after each calibration. It is refused in words that help; the
// operator has it made again at the console, and then goes on without, for a reason.
func TestRefusedCalibrationInABrowser(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	b := gazeLab(t, browser, "eyetribe", 2.5, 2)
	console := browser.Open(t, 1600, 1000, "ERR_CONNECTION_REFUSED")
	console.Go(b.consoleURL())
	console.Until(`document.body.dataset.ready === "true"`)
	const reason = "the participant cannot sit still"
	id := b.record(func() {
		b.refused(console, 0)
		console.Screenshot("console-calibration-refused.png")
		console.Press("c")
		b.refused(console, 1)
		// Without a reason it is not done.
		const goOn = `document.querySelector("#calibration-continue").click() ?? true`
		browsertest.Value[bool](console, goOn)
		console.Until(`!document.querySelector("#calibration-error").hidden`)
		console.Do(chromedp.KeyEvent(reason)) // it has the focus now
		browsertest.Value[bool](console, goOn)
		b.awaitCheck("the step to be over", func(c session.Check) bool { return c.Round == 1 && c.Decision != nil })
		console.Until(`document.querySelector("#calibration-form").hidden`)
	})
	d, all := b.validations(id)
	if len(all) != 2 || all[0].Choice != "redo" || all[1].Choice != "continue" || all[1].Reason != reason {
		t.Fatalf("validations %+v", all)
	}
	for _, v := range all {
		if off := *v.Simulated.AccuracyDeg; off < 2 {
			t.Errorf("round %d: a slip of %.2f° was simulated, want about 2.4", v.Round, off)
		}
	}
	b.says(d, "as the tracker gave it")
}

// refused waits until the console asks about a round that was refused, and looks
// whether the words help.
func (b *bench) refused(console *browsertest.Page, round int) {
	b.t.Helper()
	b.awaitCheck("the calibration to be refused", func(c session.Check) bool { return c.Round == round && c.Phase == session.Deciding })
	console.Until(`!document.querySelector("#calibration-form").hidden`)
	words := browsertest.Value[string](console, `document.querySelector("#calibration-reasons").innerText`)
	b.t.Logf("refused: %s", words)
	// Which way it is off, by how much, and what to do.
	for _, want := range []string{`2\.[345]°`, "right", "alibrate again"} {
		if !regexp.MustCompile(want).MatchString(words) {
			b.t.Errorf("the refusal does not say %s: %s", want, words)
		}
	}
}

// awaitCheck waits until the running check is as wanted.
func (b *bench) awaitCheck(what string, done func(session.Check) bool) session.Check {
	b.t.Helper()
	return *b.awaitStatus(what, func(s session.Status) bool { return s.Check != nil && done(*s.Check) }).Check
}

// awaitStatus waits until the lab is as wanted.
func (b *bench) awaitStatus(what string, done func(session.Status) bool) session.Status {
	b.t.Helper()
	deadline := time.NewTimer(calibratedWithin)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		s := b.manager.Status()
		if done(s) {
			return s
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			b.t.Fatalf("waited in vain for %s; the check stands at %+v", what, s.Check)
		}
	}
}

// calibratedWithin is how long a calibration and its validation may take on a busy
// machine: five times what they take on an idle one.
const calibratedWithin = 2 * time.Minute

// says looks whether the derivation says which calibration its gaze was corrected by.
func (b *bench) says(d store.Detail, want string) {
	b.t.Helper()
	for _, v := range d.Derivations {
		if !v.Current {
			continue
		}
		var p map[string]any
		if err := json.Unmarshal(v.Parameters, &p); err != nil {
			b.t.Fatal(err)
		}
		said := fmt.Sprint(p["gaze_calibration"])
		b.t.Logf("the trace says: %s", said)
		if !strings.Contains(said, want) {
			b.t.Errorf("the trace says it used %q, want %q in it", said, want)
		}
	}
}
