package store

import (
	"errors"
	"math"
	"strings"
	"testing"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// strict are rules of a study that needs everything.
func strict() study.Rules {
	return study.Rules{UsableShare: .7, FaceConf: .8, MaxSyncMs: 25, NeedsFace: true, NeedsGaze: true, NeedsEDA: true, MaxUnusable: 1, MaxGazeErrDeg: 1}
}

// whole is the evidence of a session without fault: three clips, the last a filler.
func whole() evidence {
	e := evidence{
		plan: study.Plan{Steps: []study.Step{
			{Index: 0, Action: study.Play, Stimulus: "a", Presentation: 1},
			{Index: 1, Action: study.Play, Stimulus: "b", Presentation: 2},
			{Index: 2, Action: study.Play, Stimulus: "c", Presentation: 3},
			{Index: 3, Action: study.Play, Stimulus: "sea", Presentation: 4, Filler: true},
		}},
		begun:  map[int]bool{0: true, 1: true, 2: true, 3: true},
		has:    map[stream.Kind]bool{stream.Face: true, stream.Gaze: true, stream.EDA: true},
		bounds: map[stream.Kind]float64{stream.Face: 10, stream.Gaze: 25, stream.EDA: 3},
	}
	for p := 1; p <= 4; p++ {
		for _, m := range []Modality{Face, Gaze, EDA} {
			e.usable = append(e.usable, Usable{Presentation: p, Modality: m, Seconds: 10, UsableS: 9, Share: .9})
		}
	}
	return e
}

func (e *evidence) set(p int, m Modality, share float64) {
	for i := range e.usable {
		if u := &e.usable[i]; u.Presentation == p && u.Modality == m {
			u.Share = share
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	deg := func(v float64) *float64 { return &v }
	for name, c := range map[string]struct {
		change func(e *evidence, r *study.Rules)
		why    string // "" = usable
	}{
		"without fault":       {func(*evidence, *study.Rules) {}, ""},
		"stopped":             {func(e *evidence, _ *study.Rules) { e.reason = "left in step 3" }, "it ended before its plan did: left in step 3"},
		"one clip missed":     {func(e *evidence, _ *study.Rules) { e.set(1, Face, .2) }, ""},
		"just enough":         {func(e *evidence, _ *study.Rules) { e.set(1, Face, .7); e.set(2, Face, .7); e.set(3, Face, .7) }, ""},
		"two clips missed":    {func(e *evidence, _ *study.Rules) { e.set(1, Face, .2); e.set(2, Face, .6999) }, "the face was seen for less than 70 % of the time of a (20 %), b (69 %) (the study allows that in one clip)"},
		"of two modalities":   {func(e *evidence, _ *study.Rules) { e.set(1, Face, .2); e.set(2, Gaze, 0) }, ""},
		"fillers do not tell": {func(e *evidence, _ *study.Rules) { e.set(1, EDA, .2); e.set(4, EDA, 0) }, ""},
		"skin not needed": {func(e *evidence, r *study.Rules) {
			e.set(1, EDA, 0)
			e.set(2, EDA, 0)
			e.bounds[stream.EDA] = 1e3
			r.NeedsEDA = false
		}, ""},
		"no camera": {func(e *evidence, _ *study.Rules) { delete(e.has, stream.Face) }, "no camera was recorded"},
		"never shown": {func(e *evidence, _ *study.Rules) {
			e.usable = e.usable[:3]
			e.usable = append(e.usable, whole().usable[9:]...)
		}, "(never seen on the screen), c (never seen on the screen)"},
		"passed over":      {func(e *evidence, _ *study.Rules) { e.usable = e.usable[:3]; e.begun = map[int]bool{0: true} }, ""},
		"time too loose":   {func(e *evidence, _ *study.Rules) { e.bounds[stream.Gaze] = 25.04 }, "the time of the gaze is known to 25.0 ms only (25 ms are asked for)"},
		"any time will do": {func(e *evidence, r *study.Rules) { e.bounds[stream.Gaze] = 500; r.MaxSyncMs = 0 }, ""},
		"gaze good":        {func(e *evidence, _ *study.Rules) { e.gaze, e.measured = deg(1), true }, ""},
		"gaze off":         {func(e *evidence, _ *study.Rules) { e.gaze, e.measured = deg(1.25), true }, "the gaze was 1.25° off after its calibration (1° are asked for)"},
		"gaze unknown":     {func(e *evidence, _ *study.Rules) { e.gaze = deg(0) }, "could not be measured"},
		"two faults":       {func(e *evidence, _ *study.Rules) { delete(e.has, stream.EDA); e.reason = "stopped" }, "stopped; no skin-conductance sensor"},
	} {
		e, r := whole(), strict()
		c.change(&e, &r)
		v := e.verdict(r)
		if v.usable != (c.why == "") || !strings.Contains(v.why, c.why) || v.usable && v.why != "" {
			t.Errorf("%s: usable %v, %q, want %q", name, v.usable, v.why, c.why)
		}
	}
}

// A clip that was shown again counts by that, if its first showing is too little measured
// in anything that is needed, and the second is not: as a whole, and by name. The figures of
// the two are never put together.
func TestARepeatStandsForItsFirstShowing(t *testing.T) {
	t.Parallel()
	again := func(e *evidence, face, gaze float64) {
		e.plan.Steps = append(e.plan.Steps, study.Step{Index: 4, Action: study.Play, Stimulus: "a", Presentation: 5, Again: true, Repeats: 1})
		e.begun[4] = true
		e.usable = append(e.usable, Usable{Presentation: 5, Modality: Face, Share: face}, Usable{Presentation: 5, Modality: Gaze, Share: gaze}, Usable{Presentation: 5, Modality: EDA, Share: .9})
	}
	const counted = "shown again, and counted by that: a"
	for name, c := range map[string]struct {
		change func(e *evidence)
		usable bool
		why    string
	}{
		"the repeat is good":             {func(e *evidence) { e.set(1, Face, .2); again(e, .9, .9) }, true, counted},
		"both are good":                  {func(e *evidence) { again(e, .9, .9) }, true, ""},
		"neither is good":                {func(e *evidence) { e.set(1, Face, .2); again(e, .3, .9) }, false, "the face was seen for less than 70 % of the time of a (20 %)"},
		"together they would be":         {func(e *evidence) { e.set(1, Face, .2); again(e, .9, .3) }, false, "the face was seen for less than 70 % of the time of a (20 %)"},
		"it was asked for and not shown": {func(e *evidence) { e.set(1, Face, .2); again(e, .9, .9); delete(e.begun, 4) }, false, "the face was seen for less than 70 % of the time of a (20 %)"},
		"something else is wrong":        {func(e *evidence) { e.set(1, Face, .2); again(e, .9, .9); e.reason = "left" }, false, "it ended before its plan did: left; " + counted},
	} {
		e, r := whole(), strict()
		r.MaxUnusable = 0
		c.change(&e)
		if v := e.verdict(r); v.usable != c.usable || v.why != c.why {
			t.Errorf("%s: usable %v, %q, want %v, %q", name, v.usable, v.why, c.usable, c.why)
		}
	}
}

// judged records half a minute of a whole lab under strict rules. The face is found with
// confidence until 12 s, so for 12 s of the 15 s of the first clip, and not in the second.
func judged(t testing.TB, s *Store, id string, rules study.Rules) session.Recorder {
	t.Helper()
	h := header(t, id)
	h.Study.Rules = rules
	r, err := s.Begin(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, r, judgedChunks(t)...)
	return r
}

// judgedChunks are what it records.
func judgedChunks(t testing.TB) []stream.Chunk {
	t.Helper()
	var chunks []stream.Chunk
	for _, info := range lab(t) {
		c := run(info, 0, int(30*often(info)))
		for i := range c.Samples {
			v := c.Samples[i].Values
			switch info.Kind {
			case stream.Stimulus:
				p := 1 + i/450
				copy(v, []float64{float64(p), float64(i % 450), float64(i%450) * 1e9 / 30, float64(i), 0.25, 0, 0.5, 1})
			case stream.Face:
				v[info.Index("face_confidence")] = .95
				if i >= 360 {
					v[info.Index("face_confidence")] = .5
				}
			}
		}
		switch info.Kind {
		case stream.EDA:
			c = responses(c)
		case stream.Gaze:
			c = resting(c)
		}
		chunks = append(chunks, c)
	}
	return append(chunks, pings("eda", 30), pings("stimulus", 30))
}

func TestSealingJudges(t *testing.T) {
	t.Parallel()
	s := open(t)
	need := study.Rules{UsableShare: .7, FaceConf: .8, MaxSyncMs: 40, NeedsFace: true, NeedsEDA: true}
	if err := judged(t, s, "s1", need).Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	d := detail(t, s, "s1")
	if d.Usable == nil || *d.Usable || d.JudgedBy != byRules || d.UsableWhy != "the face was seen for less than 70 % of the time of a (0 %)" {
		t.Errorf("usable is %v by %s: %s", d.Usable, d.JudgedBy, d.UsableWhy)
	}
	got, err := s.Usability(t.Context(), "s1")
	if err != nil || len(got) != 6 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, u := range got {
		want := 1.
		if u.Modality == Face {
			want = map[int]float64{1: .8, 2: 0}[u.Presentation]
		}
		if math.Abs(u.Share-want) > .02 || math.Abs(u.Seconds-15) > .2 || u.UsableS > u.Seconds {
			t.Errorf("%+v, want a share of %g", u, want)
		}
	}
	// A person's word stands, whatever is derived of it later.
	if err := s.Judge(t.Context(), "s1", true, ""); err == nil {
		t.Error("a session was judged without a reason")
	}
	if err := s.Judge(t.Context(), "s1", true, "the camera was fine"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rederive(t.Context(), "s1", RederiveOptions{Current: true}, nil); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "s1"); d.Usable == nil || !*d.Usable || d.JudgedBy != byPerson || d.UsableWhy != "the camera was fine" {
		t.Errorf("usable is %v by %s: %s", d.Usable, d.JudgedBy, d.UsableWhy)
	}
	if err := s.Judge(t.Context(), "nobody", true, "x"); !errors.Is(err, ErrNoSession) {
		t.Errorf("judging a session that is not there gave %v", err)
	}
}

// What the rules say follows the derivation that is shown.
func TestAnotherDerivationIsJudgedAgain(t *testing.T) {
	t.Parallel()
	s := open(t)
	rules := study.Rules{UsableShare: .7, NeedsFace: true, MaxUnusable: 1}
	if err := judged(t, s, "s1", rules).Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if d := detail(t, s, "s1"); d.Usable == nil || !*d.Usable {
		t.Fatalf("usable is %v: %s", d.Usable, d.UsableWhy)
	}
	// A later model sees the face in one frame of ten.
	info := lab(t)[2]
	info.ID = "face-2"
	var few []stream.Sample
	for i, v := range run(info, 0, 900).Samples {
		if i%10 == 0 {
			few = append(few, v)
		}
	}
	if _, err := s.AddStream(t.Context(), "s1", 0, info, func(yield func(stream.Sample, error) bool) {
		for _, v := range few {
			v.Values[info.Index("face_found")] = 0
			if !yield(v, nil) {
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	again, err := s.Rederive(t.Context(), "s1", RederiveOptions{FaceStream: "face-2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for derivation, want := range map[string]bool{again.Name: false, Final: true} {
		if err := s.Show(t.Context(), "s1", derivation); err != nil {
			t.Fatal(err)
		}
		if d := detail(t, s, "s1"); d.Usable == nil || *d.Usable != want || d.JudgedBy != byRules {
			t.Errorf("by %s usable is %v: %s", derivation, d.Usable, d.UsableWhy)
		}
	}
}
