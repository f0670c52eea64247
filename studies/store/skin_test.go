package store

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"emolab/calibration/conductance"
	"emolab/fusion/eda"
	"emolab/fusion/stream"
	"emolab/studies/session"
)

// What is reported of skin conductance is told of the segment and of each presentation.
func TestSkinIsSummedUp(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := recorded(t, s, "s1") // responses at 10 s and at 20 s; the second clip begins at 15 s
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	all, err := s.Summaries(t.Context(), "s1")
	if err != nil || len(all) != 3 {
		t.Fatalf("%d summaries, %v; want one of the segment and one of each clip", len(all), err)
	}
	for i, v := range all {
		n, quiet := []int{2, 1, 1}[i], v.ValidS-[]float64{6, 3, 3}[i] // s, without those that may be owed to a clip's beginning
		if v.Presentation != i || v.Stream != "eda" || v.Responses.N != n || v.Fine.N < n || !v.Enough || v.NonResponder ||
			math.Abs(v.Responses.PerMinute-float64(n)/quiet*60) > .05 || !(v.SCLUS > 4.8 && v.SCLUS < 6) || !(v.Responses.AmplitudeUS > .5) {
			t.Errorf("summary %d is %+v", i, v)
		}
		if (v.Related != nil) != (i > 0) || i > 0 && (v.Related.N != 0 || !math.IsNaN(v.Related.LatencyS)) {
			t.Errorf("summary %d: what followed the clip's beginning is %+v", i, v.Related)
		}
	}
	// Half a minute is just too short for the default method.
	words, _ := parameters(t, detail(t, s, "s1"), Final)["eda"].(string)
	if !strings.Contains(words, eda.DefaultMethod.String()) || !strings.Contains(words, "otherwise in 1 stretches of eda, 30 s together") {
		t.Errorf("the parameters say %q", words)
	}
	if a, b := all[1], all[2]; b.From.Sub(a.Until).Abs() > 50*time.Millisecond || b.From.Sub(origin)-15*time.Second > 100*time.Millisecond {
		t.Errorf("the clips last from %v to %v and from %v to %v", a.From, a.Until, b.From, b.Until)
	}
}

// The check of the electrodes is made again at sealing, from the cue that was shown.
func TestSkinIsCheckedAgain(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := recorded(t, s, "s1")
	cue := origin.Add(8500 * time.Millisecond) // 1.5 s before the response
	if err := r.Target(t.Context(), session.Target{Purpose: session.ToBreathe, Step: 1, X: .5, Y: .5, From: cue, Until: cue.Add(4 * time.Second)}); err != nil {
		t.Fatal(err)
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	all, names := kinds(detail(t, s, "s1"), Final)
	var v conductance.Readiness
	if names != "conductance-check" || json.Unmarshal(all[0].Value, &v) != nil {
		t.Fatalf("calibrations: %s", names)
	}
	if all[0].From != origin || all[0].Until != cue.Add(conductance.Watch) {
		t.Errorf("it was made from %v to %v, but the segment began at %v", all[0].From, all[0].Until, origin)
	}
	if v.SlopeUSPerMin != nil {
		t.Errorf("8.5 s have a slope of %.2f µS a minute", *v.SlopeUSPerMin)
	}
	if v.Breath == nil || math.Abs(v.Breath.LatencyS-1.5) > .5 || v.LevelUS == nil || math.Abs(*v.LevelUS-5) > .1 || all[0].Stream != "eda" || *all[0].Step != 1 {
		t.Errorf("%+v says %s", all[0], all[0].Value)
	}
}

// The part of the pupil that follows the light of the clips is taken out where their
// light is known, and the derivation says whether it was.
func TestPupilsWithoutTheLight(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} {
		s := open(t)
		frames := make([]float64, 450)
		for i := range frames { // black and white for two seconds each
			frames[i] = float64(i / 60 % 2)
		}
		if told {
			for _, hash := range []string{"aa", "bb"} {
				if err := s.AddLuminance(t.Context(), hash, frames); err != nil {
					t.Fatal(err)
				}
			}
		}
		r := begin(t, s, "s1")
		for _, info := range lab(t) {
			c := run(info, 0, int(30*often(info)))
			switch info.Kind {
			case stream.Gaze:
				size, rng := 4., rand.New(rand.NewPCG(1, 2))
				for i := range c.Samples {
					at := c.Samples[i].At.Sub(origin) - 300*time.Millisecond
					light := frames[max(0, int(at.Seconds()*30))%450]
					size += (4.5 - 1.5*light - size) / 24 // 400 ms at 60 Hz
					v := size + .05*rng.NormFloat64()
					c.Samples[i].Values = []float64{.5, .5, 1, v, v}
				}
			case stream.Stimulus:
				for i := range c.Samples {
					copy(c.Samples[i].Values, []float64{float64(1 + i/450), float64(i % 450), float64(i%450) * 1e9 / 30, float64(i), 0, 0, 1, 1})
				}
			}
			appendAll(t, r, c)
		}
		appendAll(t, r, pings("eda", 30), pings("stimulus", 30))
		if err := r.Seal(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		spread := func(column string) (n int, sd float64) {
			var mean, square float64
			if err := s.read.QueryRow("SELECT count("+column+"), coalesce(avg("+column+"), 0), coalesce(avg("+column+" * "+column+"), 0) FROM trace WHERE t_s > 3").Scan(&n, &mean, &square); err != nil {
				t.Fatal(err)
			}
			return n, math.Sqrt(max(0, square-mean*mean))
		}
		n, clean := spread("pupil_clean_mm")
		adjusted, rest := spread("pupil_adjusted_mm")
		words, _ := parameters(t, detail(t, s, "s1"), Final)["pupil"].(string)
		if n < 700 || clean < .3 {
			t.Errorf("%d rows have a pupil, with a spread of %.2f mm", n, clean)
		}
		if told && (adjusted < 500 || rest > clean/2 || !strings.Contains(words, "; adjusted for luminance")) {
			t.Errorf("%d rows have an adjusted pupil, with a spread of %.2f mm of %.2f mm: %s", adjusted, rest, clean, words)
		}
		if !told && (adjusted != 0 || !strings.Contains(words, "not adjusted")) {
			t.Errorf("%d rows are adjusted for a light that nobody knows: %s", adjusted, words)
		}
	}
}
