package session

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emolab/calibration/conductance"
	"emolab/calibration/gaze"
	"emolab/fusion/stream"
	"emolab/studies/alarm"
	"emolab/studies/study"
)

// judged reads what a decision was made about.
func judged(t *testing.T, d Decision) (j Judged) {
	t.Helper()
	if err := json.Unmarshal(d.Value, &j); err != nil {
		t.Fatalf("%s: %v", d.Value, err)
	}
	return j
}

func TestAGoodCalibrationIsAcceptedByItself(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, nil, func(v *seating) {
		tape := v.end()
		if len(tape.decisions) != 1 {
			t.Fatalf("decisions %+v", tape.decisions)
		}
		d := tape.decisions[0]
		if d.Choice != Accept || d.How != ByLimits || d.Step != 0 || d.Round != 0 || d.At == 0 {
			t.Errorf("decided %+v", d)
		}
		j := judged(t, d)
		// The tracker was off by a degree, and every sample by a tenth in each direction.
		if j.Calibration == nil || j.Validation.MeanDeg > .1 || math.Abs(j.Validation.SDDeg-.1*math.Sqrt2) > .02 {
			t.Fatalf("validated to %.3f°, SD %.3f°", j.Validation.MeanDeg, j.Validation.SDDeg)
		}
		if n := len(tape.of(ToCalibrate, 0)); n != 10 { // nine, and the first of them again
			t.Errorf("%d targets to calibrate", n)
		}
		if n := len(tape.of(ToValidate, 0)); n != 4 {
			t.Errorf("%d targets to validate", n)
		}
		last := Target{}
		for _, g := range tape.targets {
			if g.Until.Sub(g.From) < gaze.ShowFor || g.From < last.Until {
				t.Errorf("target %+v after %+v", g, last)
			}
			last = g
		}
		if want := []string{CueLook}; !slices.Equal(v.glass.cues, want) {
			t.Errorf("cues %v", v.glass.cues)
		}
	})
}

// What is fitted live is what the file gives: targets and samples, nothing else.
func TestTheCalibrationCanBeMadeAgainFromWhatIsKept(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, nil, func(v *seating) {
		tape := v.end()
		live := judged(t, tape.decisions[0])
		seen := v.person.delivered()
		looks := func(p Purpose) (all []gaze.Look) {
			for _, g := range tape.of(p, 0) {
				all = append(all, gaze.NewLook(gaze.Point{X: g.X, Y: g.Y}, g.From, g.Until, seen))
			}
			return all
		}
		again, err := gaze.Fit(looks(ToCalibrate), AssumedScreen(), gaze.FitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(*live.Calibration, again); diff != "" {
			t.Errorf("-live +again:\n%s", diff)
		}
		var corrected []gaze.Look
		for _, k := range looks(ToValidate) {
			corrected = append(corrected, again.Correct(k))
		}
		if got := gaze.Validate(corrected, AssumedScreen(), gaze.FitOptions{}); got.MeanDeg != live.Validation.MeanDeg {
			t.Errorf("validated to %v live and %v again", live.Validation.MeanDeg, got.MeanDeg)
		}
	})
}

func TestABadCalibrationIsRefusedWithWordsAndMadeAgain(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, _ *Options) { v.person.slipDeg = 2.5 }, func(v *seating) {
		s := v.asked()
		c := s.Check
		if c.Phase != Deciding || c.Judged.Verdict.Level != gaze.Refused || !strings.Contains(strings.Join(c.Judged.Verdict.Reasons, " "), "2.5° too far to the right") {
			t.Errorf("shown %+v with %+v", c, c.Judged.Verdict)
		}
		if len(s.Alarms) == 0 || s.Alarms[0].ID != "gaze/refused" || s.Alarms[0].Advice != c.Judged.Verdict.Reasons[0] {
			t.Errorf("alarms %+v", s.Alarms)
		}
		if s.Corrected {
			t.Error("a calibration that nobody accepted is in force")
		}
		for choice, want := range map[Choice]error{Accept: ErrNoReason, Continue: ErrNoReason} {
			if err := v.Decide(choice, "  "); !errors.Is(err, want) {
				t.Errorf("%s without a reason: %v", choice, err)
			}
		}
		if err := v.Decide("perhaps", "x"); err == nil {
			t.Error("perhaps was taken")
		}
		if err := v.Decide(Redo, ""); err != nil {
			t.Fatal(err)
		}
		if err := v.Decide(Redo, ""); !errors.Is(err, ErrNotAsked) {
			t.Errorf("decided twice: %v", err)
		}
		tape := v.end()
		if len(tape.decisions) != 2 {
			t.Fatalf("decisions %+v", tape.decisions)
		}
		first, second := tape.decisions[0], tape.decisions[1]
		if first.Choice != Redo || first.How != ByOperator || first.Round != 0 || second.Choice != Accept || second.How != ByLimits || second.Round != 1 {
			t.Errorf("decided %+v, then %+v", first, second)
		}
		if m := judged(t, second).Validation.MeanDeg; m > .1 {
			t.Errorf("validated to %.3f° the second time", m)
		}
		if len(tape.of(ToCalibrate, 1)) != 10 || len(tape.of(ToValidate, 1)) != 4 {
			t.Errorf("targets %+v", tape.targets)
		}
		if want := []string{CueLook, CueWait, CueLook}; !slices.Equal(v.glass.cues, want) {
			t.Errorf("cues %v", v.glass.cues)
		}
	})
}

func TestTheOperatorGoesOnAgainstTheLimits(t *testing.T) {
	for _, choice := range []Choice{Accept, Continue} {
		t.Run(string(choice), func(t *testing.T) {
			inBubble(t, []study.Action{study.Calibrate, study.Validate}, func(v *seating, _ *Options) { v.person.slipDeg = 2.5 }, func(v *seating) {
				v.asked()
				if err := v.Decide(choice, " glasses "); err != nil {
					t.Fatal(err)
				}
				tape := v.end()
				if d := tape.decisions[0]; d.Choice != choice || d.Reason != "glasses" || d.How != ByOperator {
					t.Errorf("decided %+v", d)
				}
				// Later the error is what is in force: ours with its slip, or the tracker's own.
				later := judged(t, tape.decisions[1])
				want := 2.5
				if choice == Continue {
					want = 3.5
				}
				if math.Abs(later.Validation.MeanDeg-want) > .15 {
					t.Errorf("validated to %.3f° later", later.Validation.MeanDeg)
				}
				if tape.decisions[1].Choice != Continue || tape.decisions[1].How != NotAsked {
					t.Errorf("decided %+v", tape.decisions[1])
				}
			})
		})
	}
}

func TestNobodyIsThereToDecide(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, o *Options) { v.person.blind, o.Attended = true, nil }, func(v *seating) {
		tape := v.end()
		var got []string
		for _, d := range tape.decisions {
			got = append(got, string(d.Choice)+" "+d.How)
		}
		if want := []string{"redo " + ByItself, "continue " + ByItself}; !slices.Equal(got, want) {
			t.Errorf("decided %v", got)
		}
		if r := judged(t, tape.decisions[1]).Verdict.Reasons; len(r) == 0 || !strings.Contains(r[0], "targets were looked at") {
			t.Errorf("reasons %q", r)
		}
	})
}

func TestTheTrackerVanishesInTheMiddle(t *testing.T) {
	for _, when := range []Purpose{ToCalibrate, ToValidate} {
		t.Run(string(when), func(t *testing.T) {
			inBubble(t, []study.Action{study.Calibrate}, func(v *seating, _ *Options) { v.person.dieAt = when }, func(v *seating) {
				s := v.asked()
				if r := s.Check.Judged.Verdict.Reasons; len(r) != 1 || !strings.Contains(r[0], "plugged in") {
					t.Errorf("reasons %q", r)
				}
				// What was fitted before the tracker went may be used; nothing cannot be.
				if when == ToCalibrate {
					if err := v.Decide(Accept, "all the same"); !errors.Is(err, ErrNoCalibration) {
						t.Errorf("used no calibration: %v", err)
					}
				}
				if err := v.Decide(Continue, "the tracker broke"); err != nil {
					t.Fatal(err)
				}
				v.end()
			})
		})
	}
}

func TestStoppedInTheMiddle(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, nil, func(v *seating) {
		for {
			if s := v.Status(); s.Check != nil && s.Check.Phase == Calibrating && s.Check.Shown == 3 && s.Check.Target != nil {
				break
			}
			if err := wait(v.t.Context(), 50*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		if err := wait(v.t.Context(), glide+time.Second); err != nil { // well into the fourth
			t.Fatal(err)
		}
		if err := v.Stop(v.t.Context(), "fire drill"); err != nil {
			t.Fatal(err)
		}
		tape := v.end()
		if n := len(tape.targets); n != 4 || tape.targets[n-1].Until != 0 || tape.targets[n-2].Until == 0 {
			t.Errorf("targets %+v", tape.targets)
		}
		if len(tape.decisions) != 0 {
			t.Errorf("decisions %+v", tape.decisions)
		}
	})
}

func TestStoppedWhileTheOperatorIsAsked(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, _ *Options) { v.person.blind = true }, func(v *seating) {
		v.asked()
		if err := v.Stop(v.t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		tape := v.end()
		if err := v.Decide(Redo, ""); !errors.Is(err, ErrNotAsked) {
			t.Errorf("decided after the end: %v", err)
		}
		// What it came to is kept, and that nobody has decided.
		if d := tape.decisions; len(d) != 1 || d[0].Choice != Continue || d[0].How != NotAsked || judged(t, d[0]).Verdict.Level != gaze.Refused {
			t.Errorf("decided %+v", d)
		}
	})
}

// An answer that is taken counts, also when the page goes in the same moment.
func TestAnsweredAsThePageGoes(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, _ *Options) { v.person.slipDeg = 2.5 }, func(v *seating) {
		v.asked()
		if err := v.Decide(Accept, "it must do"); err != nil {
			t.Fatal(err)
		}
		v.glass.mu.Lock()
		close(v.glass.reload)
		v.glass.mu.Unlock()
		if d := v.end().decisions; d[0].Choice != Accept || d[0].How != ByOperator || d[0].Reason != "it must do" {
			t.Errorf("decided %+v", d)
		}
	})
}

func TestAReloadBeginsTheStepAnew(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, _ *Options) { v.glass.reloads = 1 }, func(v *seating) {
		tape := v.end()
		if a, b := len(tape.of(ToCalibrate, 0)), len(tape.of(ToCalibrate, 1)); a != 5 || b != 10 {
			t.Errorf("%d targets before the reload, %d after it", a, b)
		}
		if len(tape.decisions) != 1 || tape.decisions[0].Round != 1 {
			t.Errorf("decisions %+v", tape.decisions)
		}
	})
}

func TestATrackerThatCalibratesItself(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, o *Options) { o.Tracker = box{person: v.person} }, func(v *seating) {
		tape := v.end()
		d := tape.decisions[0]
		j := judged(t, d)
		if d.Choice != Accept || j.Calibration != nil || string(j.Tracker) != `{"valid_points":9}` || j.Validation.MeanDeg > .1 {
			t.Errorf("decided %+v on %+v", d, j)
		}
		if n := len(tape.of(ToCalibrate, 0)); n != 9 {
			t.Errorf("%d targets", n)
		}
		for _, g := range tape.targets {
			if g.Until <= g.From {
				t.Errorf("target %+v", g)
			}
		}
	})
}

func TestATrackerThatCannotCalibrateItself(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, o *Options) { o.Tracker = box{person: v.person, fails: errBlink} }, func(v *seating) {
		s := v.asked()
		if !s.Check.Judged.Own {
			t.Error("nobody can tell whose targets these were")
		}
		if r := s.Check.Judged.Verdict.Reasons; !slices.Equal(r, []string{"The tracker could not calibrate itself: the eyes were closed at point 3."}) {
			t.Errorf("reasons %q", r)
		}
		if err := v.Decide(Continue, "no calibration today"); err != nil {
			t.Fatal(err)
		}
		v.end()
	})
}

func TestATrackersOwnCalibrationIsCutOff(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, o *Options) {
		v.glass.reloads = 1
		o.Tracker = box{person: v.person}
	}, func(v *seating) {
		d := v.end().decisions
		if len(d) != 2 || d[0].Choice != Continue || d[0].Round != 0 || !strings.Contains(d[0].Reason, "cut off before") || d[1].Choice != Accept {
			t.Fatalf("decisions %+v", d)
		}
		if j := judged(t, d[0]); !j.Own || len(j.Tracker) > 0 {
			t.Errorf("the first round came to %+v", j)
		}
	})
}

// A page that never shows what it is asked to is let go of and comes back, without end:
// the console says so, until something is shown.
func TestAPageThatDoesNotGoOn(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, _ *Options) { v.glass.broken, v.glass.again = true, true }, func(v *seating) {
		stuck := func() bool {
			return slices.ContainsFunc(v.Status().Alarms, func(a Alarm) bool {
				return a.ID == "stage/stuck" && a.State == alarm.Active && a.Severity == Major && strings.Contains(a.Text, "step 1 (calibrate)") && a.Advice != ""
			})
		}
		until := func(what string, so func() bool) {
			for range 1000 {
				if so() {
					return
				}
				if err := wait(v.t.Context(), 100*time.Millisecond); err != nil {
					v.t.Fatal(err)
				}
			}
			v.t.Fatalf("%s: %+v", what, v.Status().Alarms)
		}
		until("no alarm", stuck)
		v.glass.mu.Lock()
		v.glass.broken = false
		v.glass.mu.Unlock()
		until("the alarm stays", func() bool { return !stuck() })
		v.end()
	})
}

func TestALabWithoutTheDevice(t *testing.T) {
	for action, words := range map[study.Action]string{
		study.Calibrate: "no eye tracker", study.Validate: "no eye tracker", study.Breath: "no device for skin conductance",
	} {
		t.Run(string(action), func(t *testing.T) {
			inBubble(t, []study.Action{action}, func(v *seating, o *Options) {
				lab, err := NewLab(o.Clock, lightOnly{})
				if err != nil {
					t.Fatal(err)
				}
				v.lab, o.Lab = lab, lab
			}, func(v *seating) {
				tape := v.end()
				if d := tape.decisions; len(d) != 1 || d[0].Choice != Continue || d[0].How != NotAsked || !strings.Contains(d[0].Reason, words) || len(d[0].Value) != 0 {
					t.Errorf("decided %+v", d)
				}
			})
		})
	}
}

func TestADeepBreath(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate, study.Breath}, nil, func(v *seating) {
		tape := v.end()
		d := tape.decisions[1]
		var r conductance.Readiness
		if err := json.Unmarshal(d.Value, &r); err != nil {
			t.Fatal(err)
		}
		if d.Choice != Continue || d.How != NotAsked || r.Level != conductance.Ready || r.Breath == nil || math.Abs(r.Breath.LatencyS-2) > .5 {
			t.Errorf("decided %+v: %+v", d, r.Breath)
		}
		b := tape.of(ToBreathe, 0)
		if len(b) != 1 || b[0].Step != 1 || b[0].Until.Sub(b[0].From) < conductance.Watch {
			t.Errorf("targets %+v", b)
		}
		if took := b[0].Until.Sub(b[0].From); took > 12*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestDriftAtTheCrosses(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, o *Options) {
		o.Study.Stimuli = slices.Repeat(o.Study.Stimuli, 40)
	}, func(v *seating) {
		for v.Status().Drift == nil {
			if err := wait(v.t.Context(), time.Second); err != nil {
				t.Fatal(err)
			}
		}
		v.person.change(func(p *person) { p.offDeg += 1 })
		if err := wait(v.t.Context(), 75*time.Second); err != nil {
			t.Fatal(err)
		}
		d := v.Status().Drift
		if !v.Status().Corrected {
			t.Error("the status does not say that the gaze is corrected")
		}
		if d == nil || len(d.Crosses) < 20 || d.Crosses[0].ErrorDeg > .15 || math.Abs(d.Crosses[len(d.Crosses)-1].RightDeg-1) > .15 {
			t.Errorf("drift %+v", d)
		}
		if b, err := json.Marshal(v.Status()); err != nil {
			t.Errorf("status %s: %v", b, err)
		}
		if n := len(v.end().of(ToFixate, 0)); n != 40 {
			t.Errorf("%d crosses were kept", n)
		}
	})
}

func TestAPageThatShowsNothing(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, _ *Options) { v.glass.broken = true }, func(v *seating) {
		out, err := v.Wait(v.t.Context())
		if err != nil || !strings.Contains(out.Reason, ErrNotShown.Error()) {
			t.Errorf("ended as %+v, %v", out, err)
		}
	})
}

// lightOnly is a lab's only device: a photodiode.
type lightOnly struct{}

func (lightOnly) Info() []stream.Info {
	return []stream.Info{{ID: "light", Kind: stream.Light, Device: "diode", Clock: stream.HostClock, TickHz: 1e9}}
}

func (lightOnly) Run(ctx context.Context, _ chan<- stream.Chunk) error {
	<-ctx.Done()
	return nil
}

// What was accepted before the lab was started again goes on to hold.
func TestACalibrationOutlivesARestart(t *testing.T) {
	inBubble(t, []study.Action{study.Calibrate}, func(v *seating, o *Options) {
		looks := func(points []gaze.Point) (all []gaze.Look) {
			for _, p := range points {
				k := gaze.Look{Target: p, From: 1, Until: 1 + 2e9}
				for i := range 200 {
					right, down := v.person.screen.Direction(p.X, p.Y)
					x, y := v.person.screen.At(right+1, down)
					k.At, k.X, k.Y = append(k.At, k.From.Add(time.Duration(i)*10*time.Millisecond)), append(k.X, x), append(k.Y, y)
				}
				all = append(all, k)
			}
			return all
		}
		c, err := gaze.Fit(looks(gaze.Targets(9)), v.person.screen, gaze.FitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		o.Study.Flow = append(o.Study.Flow[len(o.Study.Flow)-1:], study.Part{Action: study.Validate})
		v.archive.sessions = []*tape{{archive: v.archive, id: "s1", state: Recovered, steps: []int{0}, samples: map[string]int{}, plan: o.Study, accepted: &Judged{Calibration: &c}}}
		v.resume = "s1"
	}, func(v *seating) {
		for !v.Status().Corrected {
			if err := wait(v.t.Context(), 100*time.Millisecond); err != nil {
				v.t.Fatal(err)
			}
		}
		tape := v.end()
		if m := judged(v.t, tape.decisions[0]).Validation.MeanDeg; m > .1 {
			t.Errorf("validated to %.3f° after the restart", m)
		}
	})
}
