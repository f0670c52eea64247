package store

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/studies/session"
)

// desk is the participant's screen of these tests.
var desk = eyemovement.Screen{WidthMM: 531, HeightMM: 299, DistanceMM: 650}

const (
	// crooked is how far to the right, and tilted how much further apart, the tracker
	// of these tests says that the eyes are: about 2.3 degrees.
	crooked, tilted = .05, 1.04
	// noisy is the standard deviation of what it says, in parts of the screen: 0.1 degrees.
	noisy = .002
	// dwell is for how long a target is shown.
	dwell = gaze.ShowFor
)

// watcher is a participant who looks at what is shown, and a tracker that is off.
type watcher struct {
	t     testing.TB
	r     session.Recorder
	start instant.Instant
	now   time.Duration // of the segment
	plan  []session.Target
	rng   *rand.Rand
}

// begunWatching begins a session with somebody who looks at the targets.
func begunWatching(t testing.TB, s *Store, id string) *watcher {
	t.Helper()
	h := header(t, id)
	h.Segment.Screen = desk
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	return &watcher{t: t, r: r, start: origin, now: time.Second, rng: rand.New(rand.NewPCG(1, 2))}
}

// show shows targets one after the other.
func (w *watcher) show(p session.Purpose, step, round int, points ...gaze.Point) {
	w.t.Helper()
	for i, at := range points {
		v := session.Target{Purpose: p, Step: step, Round: round, Index: i, X: at.X, Y: at.Y,
			From: w.start.Add(w.now), Until: w.start.Add(w.now + dwell), Err: time.Millisecond}
		if err := w.r.Target(w.t.Context(), v); err != nil {
			w.t.Fatal(err)
		}
		w.plan = append(w.plan, v)
		w.now += dwell
	}
}

// decide decides about a round of a step.
func (w *watcher) decide(step, round int, c session.Choice, value string) {
	w.t.Helper()
	v := session.Decision{Step: step, Round: round, Choice: c, How: session.ByLimits, Value: json.RawMessage(value), At: w.start.Add(w.now)}
	if err := w.r.Decision(w.t.Context(), v); err != nil {
		w.t.Fatal(err)
	}
	w.now += 100 * time.Millisecond
}

// looked records, after all was shown, what the tracker saw, and a camera.
func (w *watcher) looked() {
	w.t.Helper()
	w.now += time.Second
	var c stream.Chunk
	for _, info := range lab(w.t) {
		switch info.Kind {
		case stream.Face:
			c := run(info, 0, int(w.now.Seconds()*info.Rate))
			w.moved(c)
			appendAll(w.t, w.r, c)
		case stream.Gaze:
			c = run(info, 0, int(w.now.Seconds()*info.Rate))
		}
	}
	w.moved(c)
	for i := range c.Samples {
		at := c.Samples[i].At
		x, y := .5, .5
		for _, v := range w.plan {
			if at >= v.From.Add(200*time.Millisecond) && v.Purpose != session.ToBreathe { // a saccade takes that long to begin
				x, y = v.X, v.Y
			}
		}
		x, y = .5+(x-.5)*tilted+crooked, .5+(y-.5)*tilted
		c.Samples[i].Values = []float64{x + w.rng.NormFloat64()*noisy, y + w.rng.NormFloat64()*noisy, 1, 3, 3}
	}
	appendAll(w.t, w.r, c)
}

// moved puts samples of the first segment into this one.
func (w *watcher) moved(c stream.Chunk) {
	for i := range c.Samples {
		s := &c.Samples[i]
		s.At, s.Arrival = s.At.Add(w.start.Sub(origin)), s.Arrival.Add(w.start.Sub(origin))
	}
}

// kinds lists the calibrations of a derivation.
func kinds(d Detail, derivation string) (all []Calibration, names string) {
	var words []string
	for _, c := range d.Calibrations {
		if c.Derivation != derivation {
			continue
		}
		word := c.Kind
		if c.Used {
			word += "*"
		}
		all, words = append(all, c), append(words, word)
	}
	return all, strings.Join(words, " ")
}

// offAt is how far in degrees from a place on the screen the first event of a class
// lies that holds an instant; NaN without one.
func offAt(t testing.TB, s *Store, id string, at instant.Instant, x, y float64) float64 {
	t.Helper()
	all, err := s.EyeEvents(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Class == "fixation" && e.From <= at && at < e.Until {
			return desk.Degrees(x, y, e.ScreenX, e.ScreenY)
		}
	}
	return math.NaN()
}

// parameters of a derivation.
func parameters(t testing.TB, d Detail, name string) map[string]any {
	t.Helper()
	for _, v := range d.Derivations {
		if v.Name == name {
			var p map[string]any
			if err := json.Unmarshal(v.Parameters, &p); err != nil {
				t.Fatal(err)
			}
			return p
		}
	}
	t.Fatalf("there is no derivation %s", name)
	return nil
}

// A calibration is fitted again at sealing from what was shown, the gaze is corrected
// from its acceptance on, and the same is found when the session is derived again.
func TestGazeIsCorrectedByTheAcceptedCalibration(t *testing.T) {
	t.Parallel()
	s := open(t)
	w := begunWatching(t, s, "s1")
	w.show(session.ToCalibrate, 0, 0, gaze.Targets(9)...)
	w.show(session.ToValidate, 0, 0, gaze.ValidationTargets(4)...)
	w.decide(0, 0, session.Redo, "")
	w.show(session.ToCalibrate, 0, 1, gaze.Targets(9)...)
	w.show(session.ToValidate, 0, 1, gaze.ValidationTargets(4)...)
	w.decide(0, 1, session.Accept, `{"tracker":null,"calibration":{}}`)
	centre := gaze.Point{X: .5, Y: .5}
	w.show(session.ToFixate, 1, 0, centre, gaze.Point{X: .8, Y: .2}, centre, centre)
	w.looked()
	if err := w.r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	d := detail(t, s, "s1")
	all, names := kinds(d, Final)
	if names != "gaze gaze-validation gaze* gaze-validation gaze-drift" {
		t.Fatalf("calibrations: %s", names)
	}
	fit := all[2]
	if *fit.Step != 0 || *fit.Round != 1 || fit.Stream != "gaze" || !(fit.Residual < .1) || fit.From != w.plan[13].From || fit.Until != w.plan[21].Until {
		t.Errorf("the calibration is %+v", fit)
	}
	for _, i := range []int{1, 3} {
		var v gaze.Validation
		if err := json.Unmarshal(all[i].Value, &v); err != nil {
			t.Fatal(err)
		}
		if !(v.MeanDeg < .15) || v.MeanDeg != all[i].Residual || len(v.Points) != 4 || v.Loss > .02 {
			t.Errorf("validation %d: %+v", i, v)
		}
	}
	var drift gaze.Drift
	if err := json.Unmarshal(all[4].Value, &drift); err != nil {
		t.Fatal(err)
	}
	if len(drift.Crosses) != 4 || drift.MaxDeg > .2 || all[4].Step != nil {
		t.Errorf("drift %+v", drift)
	}

	middle := dwell - 300*time.Millisecond
	if off := offAt(t, s, "s1", w.plan[0].From.Add(middle), w.plan[0].X, w.plan[0].Y); !(off > 1) {
		t.Errorf("before any calibration was accepted the gaze is %.2f degrees off: the tracker is further off than that", off)
	}
	cross := w.plan[27]
	if off := offAt(t, s, "s1", cross.From.Add(middle), cross.X, cross.Y); !(off < .2) {
		t.Errorf("with the calibration the gaze is %.2f degrees off", off)
	}
	p := parameters(t, d, Final)
	if used, _ := p["gaze_calibration"].(string); !strings.Contains(used, "step 0, round 1") || !strings.Contains(used, gaze.Version) {
		t.Errorf("the parameters name the calibration as %v", p["gaze_calibration"])
	}
	if p["screen"] != "531 x 299 mm at 650 mm" {
		t.Errorf("the parameters name the screen as %v", p["screen"])
	}

	made, err := s.Rederive(t.Context(), "s1", RederiveOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := kinds(detail(t, s, "s1"), made.Name)
	if len(again) != len(all) {
		t.Fatalf("%d calibrations the second time, %d the first", len(again), len(all))
	}
	for i := range again {
		if string(again[i].Value) != string(all[i].Value) || again[i].Used != all[i].Used {
			t.Errorf("%s is another when it is fitted again:\n%s\n%s", again[i].Kind, again[i].Value, all[i].Value)
		}
	}
}

// A session goes on without a calibration, or with the tracker's own: its gaze is then
// as delivered, and the trace says so.
func TestGazeAsDelivered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		choice      session.Choice
		kinds       string
		says        string
	}{
		{"refused", `{"tracker":null,"calibration":{}}`, session.Continue, "gaze gaze-validation gaze-drift", "none: as the tracker gave it"},
		{"the tracker's own", `{"tracker":{"mean_deg":0.4}}`, session.Accept, "gaze-validation gaze-drift", "none since step 0: the tracker's own"},
		{"the tracker's own, which failed", `{"own":true,"tracker":null}`, session.Continue, "gaze-validation gaze-drift", "none: as the tracker gave it"},
		{"the tracker's own, refused", `{"tracker":{"mean_deg":4}}`, session.Continue, "gaze-validation gaze-drift", "none since step 0: the tracker's own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			w := begunWatching(t, s, "s1")
			w.show(session.ToCalibrate, 0, 0, gaze.Targets(5)...)
			w.show(session.ToValidate, 0, 0, gaze.ValidationTargets(4)...)
			w.decide(0, 0, c.choice, c.value)
			w.show(session.ToFixate, 1, 0, gaze.Point{X: .5, Y: .5})
			w.looked()
			if err := w.r.Seal(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			d := detail(t, s, "s1")
			all, names := kinds(d, Final)
			if names != c.kinds {
				t.Fatalf("calibrations: %s, want %s", names, c.kinds)
			}
			if drift := all[len(all)-1]; !(drift.Residual > 1.5) {
				t.Errorf("the drift is %.2f degrees although nothing was corrected", drift.Residual)
			}
			if got := parameters(t, d, Final)["gaze_calibration"]; got != c.says {
				t.Errorf("the parameters say %v, want %q", got, c.says)
			}
		})
	}
}

// Where the power went in the middle of a tracker's own calibration there is no decision,
// but those on the rounds after it say whose targets they were.
func TestATrackersOwnCalibrationCutOff(t *testing.T) {
	t.Parallel()
	s := open(t)
	w := begunWatching(t, s, "s1")
	w.show(session.ToCalibrate, 0, 0, gaze.Targets(5)...)
	w.show(session.ToCalibrate, 0, 1, gaze.Targets(5)...)
	w.decide(0, 1, session.Accept, `{"own":true,"tracker":{"mean_deg":0.4}}`)
	w.looked()
	if err := w.r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, names := kinds(detail(t, s, "s1"), Final); names != "" {
		t.Errorf("fitted to the tracker's own targets: %s", names)
	}
}

// Somebody who looked nowhere cannot be calibrated on: the row says why, and the gaze
// stays as delivered. Targets of which nobody knows when they had gone count for nothing.
func TestACalibrationThatCannotBeMade(t *testing.T) {
	t.Parallel()
	s := open(t)
	w := begunWatching(t, s, "s1")
	w.show(session.ToCalibrate, 0, 0, gaze.Targets(5)...)
	w.decide(0, 0, session.Accept, "")
	if err := w.r.Target(t.Context(), session.Target{Purpose: session.ToFixate, X: .5, Y: .5, From: origin.Add(w.now)}); err != nil {
		t.Fatal(err)
	}
	w.plan = nil // the eyes stay where they are
	w.looked()
	if err := w.r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	all, names := kinds(detail(t, s, "s1"), Final)
	var v struct{ Refused string }
	if names != "gaze" || json.Unmarshal(all[0].Value, &v) != nil || !strings.Contains(v.Refused, "did not follow") || !math.IsNaN(all[0].Residual) {
		t.Errorf("calibrations: %s, the first says %s", names, all[0].Value)
	}
}

// What was accepted holds in the segments that follow: the participant and the tracker
// are the same.
func TestACalibrationHoldsInTheNextSegment(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "study.db")
	s := openAt(t, path)
	w := begunWatching(t, s, "s1")
	w.show(session.ToCalibrate, 0, 0, gaze.Targets(9)...)
	w.decide(0, 0, session.Accept, `{"calibration":{"mean_deg":0.25},"verdict":{"level":"good"}}`)
	w.decide(0, 1, session.Continue, `{"calibration":{"mean_deg":5}}`)
	w.looked()
	if err := s.release(t.Context(), "s1", "as if killed"); err != nil {
		t.Fatal(err)
	}
	start := origin + 1e12
	r, back, err := s.Resume(t.Context(), "s1", "c0ffee", session.Segment{Boot: "boot-1", Start: start, Screen: desk}, lab(t))
	if err != nil {
		t.Fatal(err)
	}
	if back.Judged == nil || back.Judged.Calibration == nil || back.Judged.Calibration.MeanDeg != .25 {
		t.Errorf("the session goes on with %+v", back.Judged)
	}
	w.r, w.start, w.now, w.plan = r, start, time.Second, nil
	w.show(session.ToFixate, 2, 0, gaze.Point{X: .2, Y: .7})
	w.looked()
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	all, names := kinds(detail(t, s, "s1"), Final)
	if names != "gaze* gaze-drift" || all[1].Segment != 1 || !(all[1].Residual < .2) {
		t.Errorf("calibrations: %s, with a drift of %.2f degrees", names, all[1].Residual)
	}
}

// A session that is cut off in the middle of a calibration is sealed with what there is:
// what was shown can still be fitted, but nobody has accepted it, so nothing is corrected
// by it, neither there nor in the segment that follows. There the calibration is made anew
// and holds from its acceptance on, and every fit comes out the same to the byte.
func TestASessionCutOffInACalibration(t *testing.T) {
	t.Parallel()
	s := open(t)
	w := begunWatching(t, s, "s1")
	w.show(session.ToCalibrate, 0, 0, gaze.Targets(9)...)
	w.show(session.ToValidate, 0, 0, gaze.ValidationTargets(4)[:2]...)
	standing := session.Target{Purpose: session.ToValidate, Index: 2, X: .5, Y: .5, From: w.start.Add(w.now)}
	if err := w.r.Target(t.Context(), standing); err != nil {
		t.Fatal(err)
	}
	w.looked()
	if err := s.release(t.Context(), "s1", "as if killed"); err != nil {
		t.Fatal(err)
	}
	start := origin + 1e12
	r, back, err := s.Resume(t.Context(), "s1", "c0ffee", session.Segment{Boot: "boot-1", Start: start, Screen: desk}, lab(t))
	if err != nil {
		t.Fatal(err)
	}
	if back.Judged != nil {
		t.Errorf("the session goes on with a calibration that nobody accepted: %+v", back.Judged)
	}
	w.r, w.start, w.now, w.plan = r, start, time.Second, nil
	w.show(session.ToFixate, 1, 0, gaze.Point{X: .2, Y: .7})
	w.show(session.ToCalibrate, 0, 0, gaze.Targets(9)...)
	w.decide(0, 0, session.Accept, `{"calibration":{}}`)
	w.show(session.ToFixate, 1, 0, gaze.Point{X: .8, Y: .3})
	w.looked()
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	all, names := kinds(detail(t, s, "s1"), Final)
	if names != "gaze gaze-validation gaze* gaze-drift" {
		t.Fatalf("calibrations: %s", names)
	}
	var v gaze.Validation
	if err := json.Unmarshal(all[1].Value, &v); err != nil || len(v.Points) != 2 {
		t.Errorf("the validation that was cut off has %d points, want the 2 that had gone, %v", len(v.Points), err)
	}
	var drift gaze.Drift
	if err := json.Unmarshal(all[3].Value, &drift); err != nil || len(drift.Crosses) != 2 {
		t.Fatalf("drift %s, %v", all[3].Value, err)
	}
	if before, after := drift.Crosses[0].ErrorDeg, drift.Crosses[1].ErrorDeg; !(before > 1.5) || !(after < .2) {
		t.Errorf("the crosses before and after the acceptance are %.2f and %.2f degrees off", before, after)
	}
	for _, o := range []RederiveOptions{{}, {Align: true}} {
		made, err := s.Rederive(t.Context(), "s1", o, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := kinds(detail(t, s, "s1"), made.Name)
		if len(again) != len(all) {
			t.Fatalf("%d calibrations the second time, %d the first", len(again), len(all))
		}
		for i := range again {
			if string(again[i].Value) != string(all[i].Value) || again[i].Used != all[i].Used {
				t.Errorf("%s is another when it is fitted again:\n%s\n%s", again[i].Kind, again[i].Value, all[i].Value)
			}
		}
	}
}

// Where what was accepted had come to nothing, or cannot be made again, the gaze is as
// delivered from then on, as it was in the session, and the parameters say so.
func TestAcceptedButNotThere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value, says string
		blind             bool
	}{
		{"without a calibration", `{"verdict":{"level":"refused"}}`, "it was accepted without a calibration", false},
		{"cannot be fitted again", `{"calibration":{}}`, "cannot be fitted again", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			w := begunWatching(t, s, "s1")
			w.show(session.ToCalibrate, 0, 0, gaze.Targets(9)...)
			w.decide(0, 0, session.Accept, c.value)
			if c.blind {
				w.plan = nil // the eyes stay where they are
			}
			w.looked()
			if err := w.r.Seal(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			d := detail(t, s, "s1")
			if _, names := kinds(d, Final); names != "gaze" {
				t.Errorf("calibrations: %s", names)
			}
			if got, _ := parameters(t, d, Final)["gaze_calibration"].(string); !strings.Contains(got, c.says) {
				t.Errorf("the parameters say %q, want that %s", got, c.says)
			}
		})
	}
}

// The trace has the class of the eyes' movement of each frame, and live rows have none.
func TestTheTraceSaysWhatTheEyesDid(t *testing.T) {
	t.Parallel()
	s := open(t)
	w := begunWatching(t, s, "s1")
	w.show(session.ToFixate, 0, 0, gaze.Point{X: .2, Y: .5}, gaze.Point{X: .8, Y: .5})
	w.looked()
	if err := w.r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	info := trace.Info()
	fixating := 0
	for row, err := range s.Trace(t.Context(), "s1", info) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Values[info.Index("eye_class")] == float64(eyemovement.Fixation) {
			fixating++
		}
	}
	if rows := int(w.now.Seconds() * 30); fixating < rows*8/10 || fixating > rows {
		t.Errorf("in %d of %d frames the eyes fixate", fixating, rows)
	}
	var undefined int
	if err := s.read.QueryRow("SELECT count(*) FROM eye_event WHERE class = 'undefined' OR n < 1").Scan(&undefined); err != nil || undefined > 0 {
		t.Errorf("%d events are none, %v", undefined, err)
	}
}
