package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// places of the fixations of look, in px of a screen of 1920x1080, and how long
// each lasts.
var places = [...][2]float64{{400, 300}, {1500, 300}, {1500, 800}, {960, 540}}

const (
	fixationMS = 600
	saccadeMS  = 40
)

// look writes a recording at 250 Hz of fixations at places with straight
// saccades between them, a blink in the middle of the last one, and the labels of
// a rater, and returns its name. seed varies the noise.
func look(t *testing.T, dir, name string, seed uint64) string {
	t.Helper()
	noise := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	b.WriteString("t_ms,gaze_x,gaze_y,pupil_mm,label_A\n")
	ms := 0
	row := func(x, y float64, label int) {
		fmt.Fprintf(&b, "%d,%.2f,%.2f,%.3f,%d\n", ms, x+noise.NormFloat64(), y+noise.NormFloat64(), 3+0.05*math.Sin(float64(ms)/500), label)
		ms += 4
	}
	for k, p := range places {
		for n := range fixationMS / 4 {
			if blink := k == len(places)-1 && n >= 60 && n < 100; blink {
				fmt.Fprintf(&b, "%d,,,,5\n", ms)
				ms += 4
				continue
			}
			row(p[0], p[1], 1)
		}
		if k+1 == len(places) {
			break
		}
		for n := range saccadeMS / 4 {
			u := (1 - math.Cos(math.Pi*float64(n+1)/float64(saccadeMS/4+1))) / 2
			row(p[0]+u*(places[k+1][0]-p[0]), p[1]+u*(places[k+1][1]-p[1]), 2)
		}
	}
	path := filepath.Join(dir, name+".csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	side := `{"stimulus": "img", "geometry": {"screen_w_mm": 531, "screen_h_mm": 299, "view_dist_mm": 650, "res_x": 1920, "res_y": 1080}}`
	if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(side), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// saidOfGaze is what is read back of the JSON.
type saidOfGaze struct {
	Parameters struct {
		Algorithm string
		Assumed   bool    `json:"screen_assumed"`
		Still     bool    `json:"still"`
		Velocity  float64 `json:"threshold_deg_s"`
		RateHz    float64 `json:"rate_hz"`
	}
	Summary struct {
		Fixations int
		Missing   float64     `json:"missing_share"`
		K         [3]*float64 `json:"coefficient_k_thirds"`
		RMSS2S    float64     `json:"precision_rms_s2s_deg"`
	}
	Areas []struct {
		Name      string
		Seen      bool
		First     *float64 `json:"time_to_first_fixation_s"`
		Fixations int
	}
	Pupil *struct {
		Unit             string
		Mean             float64
		Baseline, Change *float64
	}
	Events []struct {
		Class       string
		From, Until float64
		First       int `json:"first_sample"`
		Last        int `json:"last_sample"`
		X, Y        float64
		Area        string
		K           *float64 `json:"coefficient_k"`
	}
	ReadAs  []string `json:"read_as"`
	Methods string
}

func TestGazeAnalyze(t *testing.T) {
	file := look(t, t.TempDir(), "P07", 1)
	areas := tempFile(t, "areas.json", `{"format": "emolab-aoi/1", "areas": [
		{"name": "left", "shape": "rect", "box": [0, 0, 0.5, 0.5]}, {"name": "never", "shape": "rect", "box": [0, 0.9, 0.1, 0.1]}]}`)
	for method, algorithm := range map[string]string{"adaptive": "emolab", "ivt": "I-VT", "ivt-ocumen": "I-VT", "idt": "I-DT", "ek": "Engbert"} {
		r := decoded[saidOfGaze](t, "gaze", "analyze", file, "--method", method, "--aoi", areas, "--json")
		if !strings.HasPrefix(r.Parameters.Algorithm, algorithm) || r.Parameters.RateHz != 250 || r.Parameters.Assumed {
			t.Errorf("%s: parameters %+v", method, r.Parameters)
		}
		// Each place is fixated: a fixation's centre lies within 10 px of it.
		for _, p := range places {
			found := false
			for _, e := range r.Events {
				found = found || e.Class == "fixation" && math.Hypot(e.X*1920-p[0], e.Y*1080-p[1]) < 10
			}
			if !found {
				t.Errorf("%s: no fixation at %v", method, p)
			}
		}
		if len(r.Areas) != 2 || !r.Areas[0].Seen || r.Areas[0].First == nil || *r.Areas[0].First > 0.05 || r.Areas[1].Seen || r.Areas[1].First != nil {
			t.Errorf("%s: areas %+v", method, r.Areas)
		}
		if r.Pupil == nil || r.Pupil.Unit != "mm" || math.Abs(r.Pupil.Mean-3) > 0.1 {
			t.Errorf("%s: pupil %+v", method, r.Pupil)
		}
		if math.Abs(r.Summary.Missing-40.0/630) > 0.01 {
			t.Errorf("%s: %.3f missing, want 40 of 630 samples", method, r.Summary.Missing)
		}
	}
	r := decoded[saidOfGaze](t, "gaze", "analyze", file, "--json")
	if !r.Parameters.Still || !strings.Contains(strings.Join(r.ReadAs, "\n"), "does not move") {
		t.Errorf("the sidecar's stimulus is a picture: %+v, %q", r.Parameters, r.ReadAs)
	}
	for _, word := range []string{"30 ms to 1000 ms", "conditional random field", "weights for 250 Hz"} {
		if !strings.Contains(r.Methods, word) {
			t.Errorf("the methods paragraph lacks %q: %s", word, r.Methods)
		}
	}
	// 1 px of noise is 0.0243 deg; between neighbours sqrt(2) each way.
	if want := 2 * 0.0243; math.Abs(r.Summary.RMSS2S-want) > 0.01 {
		t.Errorf("precision %.4f deg, want %.4f", r.Summary.RMSS2S, want)
	}
	r = decoded[saidOfGaze](t, "gaze", "analyze", file, "--method", "ivt", "--json")
	sum, n := 0.0, 0
	for _, e := range r.Events {
		if e.K != nil {
			sum += *e.K
			n++
		}
	}
	if n != len(places)-1 || math.Abs(sum) > 1e-6 {
		t.Errorf("%d fixations have a coefficient K, in sum %g; want those that a saccade follows, and 0", n, sum)
	}
	if r.Summary.K[0] == nil || r.Summary.K[1] == nil || *r.Summary.K[0] == *r.Summary.K[1] {
		t.Errorf("coefficient K by thirds %v", r.Summary.K)
	}
	if r.Pupil.Baseline != nil {
		t.Error("a baseline without an onset")
	}
	r = decoded[saidOfGaze](t, "gaze", "analyze", file, "--method", "ivt", "--onset", "1", "--json")
	if b := r.Pupil.Baseline; b == nil || math.Abs(*b-3.05) > 0.01 || r.Pupil.Change == nil || math.Abs(*r.Pupil.Change) > 0.1 || !strings.Contains(r.Methods, "baseline") {
		t.Errorf("the pupil around an onset: %+v, %s", r.Pupil, r.Methods)
	}
	// The first place is left of a square stimulus.
	r = decoded[saidOfGaze](t, "gaze", "analyze", file, "--method", "ivt", "--aoi", areas, "--stimulus-size", "4x4", "--json")
	if r.Areas[0].Seen || !strings.Contains(r.Methods, "56.2 % as wide") {
		t.Errorf("areas on a square stimulus: %+v, %s", r.Areas, r.Methods)
	}
	r = decoded[saidOfGaze](t, "gaze", "analyze", file, "--method", "ivt", "--velocity", "80", "--json")
	if r.Parameters.Velocity != 80 || !strings.Contains(r.Methods, "80 deg/s") {
		t.Errorf("a threshold of 80 deg/s: %+v, %s", r.Parameters, r.Methods)
	}
}

func TestGazeAnalyzeWrites(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "results")
	file := look(t, t.TempDir(), "P07", 1)
	code, out, errOut := emolab(t, "gaze", "analyze", file, "--out", dir, "--method", "ivt")
	if code != exitFine {
		t.Fatal(errOut)
	}
	checkPNG(t, filepath.Join(dir, "P07.gaze.png"))
	if rows := csvRows(t, filepath.Join(dir, "P07.gaze.csv")); rows != 630 {
		t.Errorf("%d samples were written, want 630", rows)
	}
	if rows := csvRows(t, filepath.Join(dir, "P07.events.csv")); rows < 7 {
		t.Errorf("%d events were written, want 4 fixations and 3 saccades at least", rows)
	}
	for _, name := range []string{"P07.gaze.json", "P07.methods.txt"} {
		if !strings.Contains(out, "wrote "+filepath.Join(dir, name)) {
			t.Errorf("does not say that it wrote %s: %s", name, out)
		}
	}
}

func TestGazeAnalyzeGroup(t *testing.T) {
	t.Parallel()
	in, dir := t.TempDir(), filepath.Join(t.TempDir(), "results")
	look(t, in, "a", 1)
	look(t, in, "b", 2)
	areas := tempFile(t, "areas.json", `{"format": "emolab-aoi/1", "areas": [
		{"name": "left", "shape": "rect", "box": [0, 0, 0.5, 0.5]}, {"name": "never", "shape": "rect", "box": [0, 0.9, 0.1, 0.1]}]}`)
	code, out, errOut := emolab(t, "gaze", "analyze", in, "--out", dir, "--method", "ivt", "--aoi", areas)
	if code != exitFine {
		t.Fatal(errOut)
	}
	checkPNG(t, filepath.Join(dir, "group.heat.png"))
	if rows := csvRows(t, filepath.Join(dir, "gaze.summary.csv")); rows != 2 {
		t.Errorf("gaze.summary.csv has %d lines of recordings, want 2", rows)
	}
	if rows := csvRows(t, filepath.Join(dir, "group.areas.csv")); rows != 2 {
		t.Errorf("%d areas of the group, want 2", rows)
	}
	if !strings.Contains(out, "heat maps 0.99") && !strings.Contains(out, "heat maps 1.0") {
		t.Errorf("two people who looked alike do not correlate: %s", out)
	}
}

// One file that cannot be read does not end a batch.
func TestGazeAnalyzeGoesOn(t *testing.T) {
	t.Parallel()
	in, dir := t.TempDir(), filepath.Join(t.TempDir(), "results")
	look(t, in, "a", 1)
	look(t, in, "c", 2)
	if err := os.WriteFile(filepath.Join(in, "b.csv"), []byte("t_ms,word\n0,one\n4,two\n8,three\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := emolab(t, "gaze", "analyze", in, "--out", dir, "--method", "ivt")
	if code != exitFailed || !strings.Contains(errOut, "1 of 3 files") || !strings.Contains(errOut, "b.csv") || !strings.Contains(out, "c.csv") {
		t.Errorf("exit %d: %s\n%s", code, out, errOut)
	}
	if rows := csvRows(t, filepath.Join(dir, "gaze.summary.csv")); rows != 2 {
		t.Errorf("gaze.summary.csv has %d lines of recordings, want 2", rows)
	}
}

func TestGazeAnalyzeGeometry(t *testing.T) {
	dir := t.TempDir()
	file := look(t, dir, "P07", 1)
	if err := os.Remove(filepath.Join(dir, "P07.json")); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := emolab(t, "gaze", "analyze", file); code != exitFailed || !strings.Contains(errOut, "--screen-px") {
		t.Errorf("pixels of an unknown screen: exit %d, %s", code, errOut)
	}
	r := decoded[saidOfGaze](t, "gaze", "analyze", file, "--screen-px", "1920x1080", "--method", "ivt", "--json")
	if !r.Parameters.Assumed || !strings.Contains(strings.Join(r.ReadAs, "\n"), "ASSUMED") {
		t.Errorf("an assumed screen is not said to be: %+v", r)
	}
	r = decoded[saidOfGaze](t, "gaze", "analyze", file, "--screen-px", "1920x1080", "--screen-mm", "531x299", "--distance-mm", "650", "--method", "ivt", "--json")
	if r.Parameters.Assumed {
		t.Error("a screen that was given counts as assumed")
	}
	if said := strings.Join(r.ReadAs, "\n"); strings.Contains(said, "MIND") {
		t.Errorf("gaze on the screen is doubted: %s", said)
	}
	r = decoded[saidOfGaze](t, "gaze", "analyze", file, "--screen-px", "1024x768", "--screen-mm", "531x299", "--distance-mm", "650", "--method", "ivt", "--json")
	if said := strings.Join(r.ReadAs, "\n"); !strings.Contains(said, "beside the screen") {
		t.Errorf("gaze beside a smaller screen is not told: %s", said)
	}
}

func TestGazeAnalyzeRefuses(t *testing.T) {
	dir := t.TempDir()
	file := look(t, dir, "P07", 1)
	empty := t.TempDir()
	broken := tempFile(t, "areas.json", "{")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"gaze analyze absent.csv", exitUsage, "absent.csv"},
		{"gaze analyze " + empty, exitUsage, "holds no table"},
		{"gaze analyze " + file + " --method magic", exitUsage, "magic"},
		{"gaze analyze " + file + " --velocity 30", exitUsage, "--velocity is for --method ivt"},
		{"gaze analyze " + file + " --screen-px 1920", exitUsage, "1920x1080"},
		{"gaze analyze " + file + " --distance-mm 65", exitFailed, "--distance-mm"},
		{"gaze analyze " + file + " --screen-mm 50x28", exitFailed, "--screen-mm"},
		{"gaze analyze " + file + " --stimulus-size 5", exitUsage, "--stimulus-size"},
		{"gaze analyze " + file + " --screen-mm 0x5", exitUsage, "--screen-mm"},
		{"gaze analyze " + file + " --picture x.gif", exitUsage, ".png or .svg"},
		{"gaze analyze " + file + " --score --picture x.png", exitUsage, "--score"},
		{"gaze analyze " + file + " --aoi " + broken, exitFailed, "areas.json"},
		{"gaze analyze " + file + " --x nothing --y gaze_y", exitFailed, `"gaze_x"`},
	} {
		code, out, errOut := emolab(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(errOut, c.says) || out != "" {
			t.Errorf("emolab %s: exit %d, want %d and %q in:\n%s%s", c.args, code, c.code, c.says, out, errOut)
		}
	}
}

// TestGazeScore: clean synthetic recordings are told as their labels say, by
// weights that were fitted on the other half.
func TestGazeScore(t *testing.T) {
	if testing.Short() {
		t.Skip("fits two models")
	}
	dir := t.TempDir()
	for i, name := range []string{"a", "b", "c"} {
		look(t, dir, name, uint64(i+1))
	}
	type score struct {
		Halves []struct {
			Fitted []string `json:"fitted_on"`
			Scored []string `json:"scored_on"`
		}
		Scores []struct {
			Stimulus, Who, Against string
			Recordings             int
			Kappa                  map[string]*float64
		}
	}
	s := decoded[score](t, "gaze", "analyze", dir, "--score", "--json")
	if len(s.Halves) != 2 || len(s.Halves[0].Fitted) != 2 || len(s.Halves[0].Scored) != 1 || s.Halves[0].Scored[0] != "b.csv" {
		t.Errorf("halves %+v", s.Halves)
	}
	who := map[string]bool{}
	for _, r := range s.Scores {
		who[r.Who] = true
		if r.Stimulus != "img" || r.Against != "A" || r.Recordings != 3 {
			t.Errorf("a score of %+v", r)
		}
		if k := r.Kappa["saccade"]; r.Who == "adaptive" && !(value(k) > 0.75) {
			t.Errorf("kappa of saccades %s, want 0.75 at least: a sample more or less at each end", show(value(k), "%.3f"))
		}
	}
	for _, w := range []string{"adaptive", "ivt", "idt", "ek"} {
		if !who[w] {
			t.Errorf("no score of %s", w)
		}
	}
	unlabelled := tempFile(t, "bare.csv", "t_ms,x_px,y_px\n0,1,2\n4,1,2\n8,1,3\n12,1,2\n")
	if code, _, errOut := emolab(t, "gaze", "analyze", unlabelled, "--score", "--screen-px", "1920x1080"); code != exitFailed || !strings.Contains(errOut, "label_RATER") {
		t.Errorf("without labels: exit %d, %s", code, errOut)
	}
}

// TestGazeAnalyzeReference reads every recording of the pack.
func TestGazeAnalyzeReference(t *testing.T) {
	t.Parallel()
	dir := filepath.Dir(sharedFile(t, "signals/eye/eyelink_pupil_41s.csv"))
	out := t.TempDir()
	code, text, errOut := emolab(t, "gaze", "analyze", dir, "--method", "ivt", "--json")
	if code != exitFine {
		t.Fatal(errOut)
	}
	var all []saidOfGaze
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(all) != len(tables) {
		t.Fatalf("%d reports of %d tables (%v)", len(all), len(tables), err)
	}
	for _, r := range all {
		if len(r.Events) == 0 || r.Summary.Fixations == 0 {
			t.Errorf("nothing found: %q", r.ReadAs)
		}
	}
	if code, _, errOut := emolab(t, "gaze", "analyze", filepath.Join(dir, "i2mc_participant1_2_tx300.csv"), "--out", out); code != exitFine {
		t.Fatal(errOut)
	}
	checkPNG(t, filepath.Join(out, "i2mc_participant1_2_tx300.gaze.png"))
}

// TestGazeAnalyzeIsThePublished: through file, units and geometry, the published
// algorithms give the events of the reference programs.
func TestGazeAnalyzeIsThePublished(t *testing.T) {
	t.Parallel()
	dir := filepath.Dir(sharedFile(t, "signals/eye/eyelink_pupil_41s.csv"))
	tables, err := filepath.Glob(filepath.Join(dir, "andersson_*.csv"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("%d tables (%v)", len(tables), err)
	}
	for _, file := range tables {
		var side struct {
			Reference struct {
				IVT, IDT struct {
					Fixations []struct {
						First int `json:"start_i"`
						Last  int `json:"end_i"`
					}
				}
				EK struct{ Saccades [][2]int } `json:"engbert_kliegl"`
			}
		}
		data, err := os.ReadFile(strings.TrimSuffix(file, ".csv") + ".json")
		if err == nil {
			err = json.Unmarshal(data, &side)
		}
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][][2]int{"ek": side.Reference.EK.Saccades}
		for _, f := range side.Reference.IVT.Fixations {
			want["ivt"] = append(want["ivt"], [2]int{f.First, f.Last})
		}
		for _, f := range side.Reference.IDT.Fixations {
			want["idt"] = append(want["idt"], [2]int{f.First, f.Last - 1}) // its ends are excluded
		}
		for method, class := range map[string]string{"ivt": "fixation", "idt": "fixation", "ek": "saccade"} {
			var got [][2]int
			for _, e := range decoded[saidOfGaze](t, "gaze", "analyze", file, "--method", method, "--json").Events {
				if e.Class == class {
					got = append(got, [2]int{e.First, e.Last})
				}
			}
			if len(got) != len(want[method]) {
				t.Errorf("%s: %s finds %d, the reference %d", filepath.Base(file), method, len(got), len(want[method]))
				continue
			}
			for i, w := range want[method] {
				if g := got[i]; max(g[0]-w[0], w[0]-g[0], g[1]-w[1], w[1]-g[1]) > 1 {
					t.Errorf("%s: %s: %v, the reference %v", filepath.Base(file), method, g, w)
				}
			}
		}
	}
}

// value is NaN where JSON said null.
func value(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
