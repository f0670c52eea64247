package store

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
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

// What is measured of a presentation is what samples stand for that are good: never more
// than it lasted, and what a naive count of small steps gives.
func TestMeasuredIsWhatSamplesStandFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const tick = instant.Instant(time.Millisecond)
		var samples []stream.Sample
		at := origin
		for range rapid.IntRange(0, 60).Draw(t, "samples") {
			at += tick * instant.Instant(rapid.SampledFrom([]int{10, 10, 10, 10, 11, 35, 200}).Draw(t, "gap"))
			samples = append(samples, stream.Sample{At: at, Values: []float64{float64(rapid.IntRange(0, 1).Draw(t, "good"))}})
		}
		var shown []presented
		from := origin
		for n := range rapid.IntRange(0, 4).Draw(t, "presentations") {
			from += tick * instant.Instant(rapid.IntRange(0, 150).Draw(t, "pause"))
			until := from + tick*instant.Instant(rapid.IntRange(0, 300).Draw(t, "long"))
			shown = append(shown, presented{n + 1, from, until})
			from = until
		}
		good := func(v []float64) bool { return v[0] == 1 }
		got := measured(samples, good, shown)
		longest := staying * usualInterval(samples)
		for _, p := range shown {
			want := time.Duration(0)
			for at := p.from; at < p.until; at += tick {
				held := none
				for i, s := range samples {
					if s.At <= at {
						held = i
					}
				}
				if held >= 0 && good(samples[held].Values) && at.Sub(samples[held].At) < longest {
					want += time.Duration(tick)
				}
			}
			if got[p.number] != want || got[p.number] > p.until.Sub(p.from) {
				t.Fatalf("of presentation %d, %v long, %v are measured, want %v", p.number, p.until.Sub(p.from), got[p.number], want)
			}
		}
	})
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
		appendAll(t, r, c)
	}
	appendAll(t, r, pings("eda", 30), pings("stimulus", 30))
	return r
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
