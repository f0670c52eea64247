package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// scoreFloors are the least kappas of the default algorithm against rater RA.
var scoreFloors = map[string]map[string]float64{
	"img":   {"saccade": .80, "fixation+pursuit": .84},
	"video": {"saccade": .80, "fixation+pursuit": .86},
	"dots":  {"saccade": .77, "fixation+pursuit": .82},
}

// TestGazeScoreFloors: fitted on one half of the recordings that people labelled
// and scored on the other, the default algorithm agrees with them at least that
// well, and nowhere less than REMoDNaV does. The program is built and run as
// people do: under the race detector two fits would take minutes.
func TestGazeScoreFloors(t *testing.T) {
	if testing.Short() {
		t.Skip("fits two models")
	}
	t.Parallel()
	pack := sharedFile(t, "signals/"+baselineName)
	var published struct {
		Img, Video, Dots struct {
			Methods struct {
				REMoDNaV map[string]json.RawMessage
			}
		}
	}
	readJSON(t, pack, &published)
	remodnav := map[string]map[string]json.RawMessage{
		"img": published.Img.Methods.REMoDNaV, "video": published.Video.Methods.REMoDNaV, "dots": published.Dots.Methods.REMoDNaV,
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(pack), "eye", "andersson_*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d labelled recordings (%v)", len(files), err)
	}
	out := t.TempDir()
	run := exec.CommandContext(t.Context(), build(t), append([]string{"gaze", "analyze", "--score", "--out", out}, files...)...)
	text, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	t.Logf("%s", text)
	var scored struct {
		Halves []struct {
			Fitted []string `json:"fitted_on"`
			Scored []string `json:"scored_on"`
		}
		Scores []struct {
			Stimulus, Who, Against string
			Kappa                  map[string]*float64
		}
	}
	readJSON(t, filepath.Join(out, "score.json"), &scored)
	if len(scored.Halves) != 2 || len(scored.Halves[0].Scored)+len(scored.Halves[1].Scored) != len(files) {
		t.Errorf("halves %+v of %d recordings", scored.Halves, len(files))
	}
	kappas := func(what, who, rater string) map[string]*float64 {
		for _, r := range scored.Scores {
			if r.Stimulus == what && r.Who == who && r.Against == rater {
				return r.Kappa
			}
		}
		t.Fatalf("no row of %s on %s against %s", who, what, rater)
		return nil
	}
	for what, floors := range scoreFloors {
		for class, floor := range floors {
			if k := value(kappas(what, "adaptive", "RA")[class]); !(k >= floor) {
				t.Errorf("%s: kappa of %s %.3f, want %.2f", what, class, k, floor)
			}
			if k, ivt := value(kappas(what, "adaptive", "RA")[class]), value(kappas(what, "ivt", "RA")[class]); !(k > ivt) {
				t.Errorf("%s: kappa of %s %.3f, I-VT has %.3f", what, class, k, ivt)
			}
		}
		for key, class := range baselineKappas {
			var theirs []float64
			if err := json.Unmarshal(remodnav[what][key], &theirs); err != nil || len(theirs) != len(baselineRaters) {
				t.Fatalf("%s: %s of %s: %v", baselineName, key, what, err)
			}
			for i, rater := range baselineRaters {
				if k := value(kappas(what, "adaptive", rater)[class]); !(k >= theirs[i]) {
					t.Errorf("%s, rater %s: kappa of %s %.3f, REMoDNaV has %.3f", what, rater, class, k, theirs[i])
				}
				if k := value(kappas(what, "REMoDNaV", rater)[class]); k != theirs[i] {
					t.Errorf("%s, rater %s: %s of REMoDNaV is printed as %v, the file says %v", what, rater, class, k, theirs[i])
				}
			}
		}
	}
	kappas("img", adaptiveStill, "RA")
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
