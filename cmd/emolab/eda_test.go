package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// skin writes a recording of 120 s at 20 Hz with a response of 1 µS after each of
// some times, as a German program would write it, and returns its name.
func skin(t *testing.T, onsets ...float64) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Hautleitwert\nZeit (ms);EDA (µS);Raum (°C)\n")
	for i := range 2400 {
		at := float64(i) / 20
		v := 5 - at/200
		for _, o := range onsets {
			if d := at - o; d > 0 {
				v += 2.6 * (math.Exp(-d/2.0) - math.Exp(-d/0.7))
			}
		}
		fmt.Fprintf(&b, "%d;%s;21,5\n", i*50, strings.Replace(fmt.Sprintf("%.5f", v), ".", ",", 1))
	}
	return tempFile(t, "P07.csv", b.String())
}

func tempFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// decoded runs a command that prints JSON.
func decoded[T any](t *testing.T, args ...string) T {
	t.Helper()
	code, out, errOut := emolab(t, args...)
	if code != exitFine {
		t.Fatalf("emolab %s: exit %d\n%s", strings.Join(args, " "), code, errOut)
	}
	var v T
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("emolab %s: %v in %s", strings.Join(args, " "), err, out)
	}
	return v
}

// saidOfSkin is what is read back of the JSON.
type saidOfSkin struct {
	Parameters struct {
		Method      string
		RateHz      float64 `json:"rate_hz"`
		ThresholdUS float64 `json:"threshold_us"`
	}
	Summary struct {
		SCL          *float64 `json:"scl_us"`
		NonResponder bool     `json:"non_responder"`
		Nonspecific  struct{ N int }
		Fine         struct{ N int } `json:"nonspecific_fine"`
	}
	Responses []struct {
		Onset     float64 `json:"onset_s"`
		Amplitude float64 `json:"amplitude_us"`
	}
	Events []struct {
		At      float64 `json:"event_s"`
		Name    string
		N       int      `json:"responses"`
		Latency *float64 `json:"latency_s"`
	}
	ReadAs  []string `json:"read_as"`
	Methods string
}

func TestEDAAnalyze(t *testing.T) {
	t.Parallel()
	onsets := []float64{20, 50, 90}
	file := skin(t, onsets...)
	for _, method := range []string{"cvx", "cda", "highpass", "median", "neurokit"} {
		r := decoded[saidOfSkin](t, "eda", "analyze", file, "--method", method, "--json")
		if r.Parameters.RateHz != 20 || r.Parameters.Method != method {
			t.Fatalf("%s: %+v", method, r.Parameters)
		}
		// What swings back after a high-pass counts by NeuroKit2's rule.
		if len(r.Responses) != len(onsets) && !(method == "neurokit" && len(r.Responses) > len(onsets)) {
			t.Errorf("%s: %d responses, want %d", method, len(r.Responses), len(onsets))
		}
		for _, at := range onsets {
			found := false
			for _, x := range r.Responses {
				found = found || math.Abs(x.Onset-at) < 0.6 && x.Amplitude > 0.5 && x.Amplitude < 1.5
			}
			if !found {
				t.Errorf("%s: no response of about 1 µS at %g s among %+v", method, at, r.Responses)
			}
		}
		if r.Summary.SCL == nil || *r.Summary.SCL < 4 || *r.Summary.SCL > 5.5 || r.Summary.NonResponder {
			t.Errorf("%s: summary %+v", method, r.Summary)
		}
		if said := strings.Join(r.ReadAs, "\n"); !strings.Contains(said, "decimal commas") || !strings.Contains(said, `"Zeit (ms)" in ms`) {
			t.Errorf("%s: says %q", method, said)
		}
		for _, word := range map[string][]string{"cvx": {"Greco", "alpha = 0.0008"}, "cda": {"Benedek", "time constants of"}, "highpass": {"0.05 Hz"}, "median": {"median over 4 s"}, "neurokit": {"10 %"}}[method] {
			if !strings.Contains(r.Methods, word) {
				t.Errorf("%s: the methods paragraph lacks %q: %s", method, word, r.Methods)
			}
		}
	}
	if r := decoded[saidOfSkin](t, "eda", "analyze", file, "--threshold", "2", "--json"); !r.Summary.NonResponder || len(r.Responses) != 0 || r.Summary.Fine.N != len(onsets) {
		t.Errorf("with a threshold of 2 µS: %+v", r.Summary)
	}
	if r := decoded[saidOfSkin](t, "eda", "analyze", file, "--from", "40", "--until", "80", "--json"); len(r.Responses) != 1 || math.Abs(r.Responses[0].Onset-50) > 0.6 {
		t.Errorf("cut to 40 s until 80 s: %+v", r.Responses)
	}
}

func TestEDAAnalyzeEvents(t *testing.T) {
	file := skin(t, 20, 50, 90)
	events := tempFile(t, "events.tsv", "onset\tduration\ttrial_type\n18\t1\tfilm\n70\t1\tpause\n500\t1\tlate\n")
	r := decoded[saidOfSkin](t, "eda", "analyze", file, "--events", events, "--event", "88", "--json")
	if len(r.Events) != 3 || r.Events[0].Name != "film" || r.Events[0].N != 1 || r.Events[1].N != 0 || r.Events[2].N != 1 {
		t.Fatalf("events %+v", r.Events)
	}
	if l := r.Events[0].Latency; l == nil || math.Abs(*l-2) > 0.6 || r.Events[1].Latency != nil {
		t.Errorf("latencies of %+v, want about 2 s and none", r.Events)
	}
	if r.Summary.Nonspecific.N != 1 || !strings.Contains(strings.Join(r.ReadAs, "\n"), "1 of 4 lies outside") {
		t.Errorf("%d non-specific responses, want that at 50 s; says %q", r.Summary.Nonspecific.N, r.ReadAs)
	}
}

func TestEDAAnalyzeWrites(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "results")
	code, out, errOut := emolab(t, "eda", "analyze", skin(t, 20, 50), "--out", dir, "--event", "18")
	if code != exitFine {
		t.Fatal(errOut)
	}
	for ending, rows := range map[string]int{".eda.csv": 2400, ".responses.csv": 2, ".related.csv": 1} {
		if got := csvRows(t, filepath.Join(dir, "P07"+ending)); got != rows {
			t.Errorf("P07%s has %d rows, want %d", ending, got, rows)
		}
		if !strings.Contains(out, "wrote "+filepath.Join(dir, "P07"+ending)) {
			t.Errorf("does not say that it wrote P07%s: %s", ending, out)
		}
	}
	checkPNG(t, filepath.Join(dir, "P07.eda.png"))
	if got := csvRows(t, filepath.Join(dir, "eda.summary.csv")); got != 1 {
		t.Errorf("eda.summary.csv has %d lines of recordings, want 1", got)
	}
	var r saidOfSkin
	data, err := os.ReadFile(filepath.Join(dir, "P07.eda.json"))
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil || len(r.Responses) != 2 {
		t.Errorf("P07.eda.json: %v, %d responses", err, len(r.Responses))
	}
	// Without --out nothing is written.
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(dir, "one.svg")
	if code, _, errOut := emolab(t, "eda", "analyze", skin(t, 20), "--picture", picture); code != exitFine {
		t.Fatal(errOut)
	}
	after, err := os.ReadDir(dir)
	if err != nil || len(after) != len(before)+1 {
		t.Errorf("%d files, then %d with one picture more (%v)", len(before), len(after), err)
	}
}

func csvRows(t *testing.T, name string) int {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return len(rows) - 1
}

func checkPNG(t *testing.T, name string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if img, err := png.Decode(f); err != nil || img.Bounds().Dx() < 1000 {
		t.Errorf("%s: %v", name, err)
	}
}

func TestEDAAnalyzeRefuses(t *testing.T) {
	file := skin(t, 20)
	counts := tempFile(t, "raw.csv", "t_ms,eda\n0,512\n10,513\n20,530\n30,531\n")
	other := skin(t, 20)
	ms := tempFile(t, "ms.tsv", "onset\ttrial_type\n18000\tfilm\n48000\tpause\n")
	foo := tempFile(t, "foo.csv", "onset,name\n12,a\nfoo,b\n")
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"eda analyze absent.csv", exitUsage, "absent.csv"},
		{"eda analyze " + file + " --method magic", exitUsage, "magic"},
		{"eda analyze " + file + " --threshold 0", exitUsage, "--threshold"},
		{"eda analyze " + file + " --window 4-1", exitUsage, "--window"},
		{"eda analyze " + file + " --picture x.pdf", exitUsage, ".png or .svg"},
		{"eda analyze " + file + " --rate 20 --time 1", exitUsage, "choose one"},
		{"eda analyze " + file + " --from 5 --until 2", exitUsage, "empty"},
		{"eda analyze " + file + " --method neurokit --responses phasic", exitUsage, "--responses"},
		{"eda analyze " + file + " " + other + " --csv x.csv", exitUsage, "--out"},
		{"eda analyze " + file + " " + other + " --out " + t.TempDir(), exitUsage, "same files"},
		{"eda analyze " + file + " --from 500", exitFailed, "on its own clock"},
		{"eda analyze " + file + " --event 500", exitFailed, "none of the 1 events"},
		{"eda analyze " + file + " --events " + ms, exitFailed, "name its column onset_ms"},
		{"eda analyze " + file + " --events " + foo, exitFailed, `"foo" is not a number`},
		{"eda analyze " + file + " --value nothing", exitFailed, `"EDA (µS)"`},
		{"eda analyze " + counts, exitFailed, "raw counts"},
		{"eda analyze main.go", exitFailed, "main.go"},
	} {
		code, out, errOut := emolab(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(errOut, c.says) || out != "" {
			t.Errorf("emolab %s: exit %d, want %d and %q in:\n%s%s", c.args, code, c.code, c.says, out, errOut)
		}
	}
}

// TestEDAAnalyzeReference: the counts of responses of the reference recordings.
func TestEDAAnalyzeReference(t *testing.T) {
	for stem, want := range map[string][2]int{"eda_nk_eventrelated_150s": {12, 14}, "eda_nk_resting_507s": {1, 4}} {
		r := decoded[saidOfSkin](t, "eda", "analyze", sharedFile(t, "signals/"+stem+".csv"), "--json")
		if got := [2]int{r.Summary.Nonspecific.N, r.Summary.Fine.N}; got != want || r.Parameters.RateHz != 100 {
			t.Errorf("%s: %v responses at %v Hz, want %v at 100 Hz", stem, got, r.Parameters.RateHz, want)
		}
	}
}

// unixSkin is a recording as skin makes it on a Unix clock that begins at start.
func unixSkin(t *testing.T, start float64, onsets ...float64) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("timestamp_s,eda_us\n")
	for i := range 2400 {
		at := float64(i) / 20
		v := 5 - at/200
		for _, o := range onsets {
			if d := at - o; d > 0 {
				v += 2.6 * (math.Exp(-d/2.0) - math.Exp(-d/0.7))
			}
		}
		fmt.Fprintf(&b, "%.3f,%.5f\n", start+at, v)
	}
	return tempFile(t, "unix.csv", b.String())
}

// TestEDAAnalyzeUnixClock: events and cuts of a file with Unix times are given on
// that clock or after the first sample, and it is said which.
func TestEDAAnalyzeUnixClock(t *testing.T) {
	const start = 1606900000.5
	file := unixSkin(t, start, 20, 50, 90)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--event", "18", "--from", "10", "--until", "80"}, "from the first sample"},
		{[]string{"--event", "1606900018.5", "--from", "1606900010.5", "--until", "1606900080.5"}, ""},
	} {
		r := decoded[saidOfSkin](t, append([]string{"eda", "analyze", file, "--json"}, c.args...)...)
		if len(r.Responses) != 2 || len(r.Events) != 1 || r.Events[0].N != 1 || math.Abs(r.Events[0].At-start-18) > 1e-3 {
			t.Errorf("%v: %d responses, events %+v", c.args, len(r.Responses), r.Events)
		}
		said := strings.Join(r.ReadAs, "\n")
		if strings.Contains(said, "from the first sample") != (c.says != "") || !strings.Contains(said, "cut to 1606900010.5 s until 1606900080.5 s") {
			t.Errorf("%v: says %s", c.args, said)
		}
	}
	code, _, errOut := emolab(t, "eda", "analyze", file, "--event", "500")
	if code != exitFailed || !strings.Contains(errOut, "from 1606900000.5 s to 1606900120.45 s") {
		t.Errorf("an event in neither: exit %d, %s", code, errOut)
	}
	code, _, errOut = emolab(t, "eda", "analyze", skin(t, 20), "--until", "0")
	if code != exitFailed || !strings.Contains(errOut, "until 0 s there is 1 sample: the recording goes from 0 s to 119.95 s") {
		t.Errorf("--until 0: exit %d, %s", code, errOut)
	}
}

// TestEDAAnalyzeBatch: a file that cannot be read does not end the others.
func TestEDAAnalyzeBatch(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "results")
	bad := tempFile(t, "bad.csv", "t_ms,eda\n0,512\n10,513\n20,530\n30,531\n")
	empty := tempFile(t, "empty.csv", "")
	code, out, errOut := emolab(t, "eda", "analyze", bad, skin(t, 20, 50), empty, unixSkin(t, 7, 30), "--out", dir)
	if code != exitFailed || !strings.Contains(errOut, "2 of 4 files could not be analysed") || !strings.Contains(errOut, "bad.csv") || !strings.Contains(errOut, "empty.csv") {
		t.Errorf("exit %d, says %s", code, errOut)
	}
	if strings.Count(errOut, "bad.csv") != 1 || !strings.Contains(errOut, "\n  "+bad) {
		t.Errorf("does not name each file once, by its path: %s", errOut)
	}
	if got := csvRows(t, filepath.Join(dir, "eda.summary.csv")); got != 2 || !strings.Contains(out, "P07.csv") || !strings.Contains(out, "unix.csv") {
		t.Errorf("%d recordings in the summary, want 2; printed %s", got, out)
	}
	code, out, _ = emolab(t, "eda", "analyze", bad, skin(t, 20, 50), "--json")
	var r []saidOfSkin
	if err := json.Unmarshal([]byte(out), &r); code != exitFailed || err != nil || len(r) != 1 {
		t.Errorf("--json of two files, one bad: exit %d, %v, %d reports; a list is expected", code, err, len(r))
	}
	// As any file that this process makes: the umask decides.
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	want, err := os.Stat(plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.Stat(filepath.Join(dir, "eda.summary.csv")); err != nil || got.Mode() != want.Mode() {
		t.Errorf("eda.summary.csv: %v, %v, want %v", got, err, want.Mode())
	}
}

// TestEDAAnalyzeEventInArtefact: an event whose window an artefact touches has no
// numbers, which is not the same as no response.
func TestEDAAnalyzeEventInArtefact(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("t_s,eda_us\n")
	for i := range 2400 {
		at := float64(i) / 20
		v := 5 - at/200
		if d := at - 20; d > 0 {
			v += 2.6 * (math.Exp(-d/2.0) - math.Exp(-d/0.7))
		}
		if at >= 60 && at < 63 {
			v = 0 // the electrode is off
		}
		fmt.Fprintf(&b, "%.2f,%.5f\n", at, v)
	}
	dir := t.TempDir()
	code, out, errOut := emolab(t, "eda", "analyze", tempFile(t, "off.csv", b.String()), "--event", "18", "--event", "60", "--event", "100", "--out", dir)
	if code != exitFine || !strings.Contains(out, "1 of 2 events") || !strings.Contains(out, "1 more lies in an artefact") {
		t.Fatalf("exit %d\n%s%s", code, errOut, out)
	}
	f, err := os.Open(filepath.Join(dir, "off.related.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%v, %q", err, rows)
	}
	for i, want := range []string{"1", "", "0"} {
		if got := rows[i+1]; got[2] != want || (got[4] == "") != (want == "") || (got[6] == "") != (want == "") {
			t.Errorf("event %d: %q, want %q responses", i, got, want)
		}
	}
	r := decoded[struct {
		Events []map[string]any
		To     map[string]any `json:"to_events"`
	}](t, "eda", "analyze", tempFile(t, "off.csv", b.String()), "--event", "60", "--json")
	if n, there := r.Events[0]["responses"]; !there || n != nil || r.To["events_with_artefact"] != 1.0 {
		t.Errorf("JSON %+v", r)
	}
}

// TestEDAAnalyzeNamesAgree: a quantity has one name in the CSV and in the JSON, and
// the methods paragraph says what was done to this file only.
func TestEDAAnalyzeNamesAgree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := skin(t, 20, 50)
	r := decoded[struct {
		Summary map[string]any
		Methods string
	}](t, "eda", "analyze", file, "--method", "highpass", "--out", dir, "--json")
	header, _, _ := strings.Cut(string(fileBytes(t, filepath.Join(dir, "eda.summary.csv"))), "\n")
	for _, name := range []string{"from_s", "valid_share", "scl_us", "scl_outside_us", "phasic_area_us_s", "edasymp_us2", "edasymp_share", "edasymp_segments", "edasymp_s"} {
		if _, there := r.Summary[name]; !there || !strings.Contains(","+header+",", ","+name+",") {
			t.Errorf("%s is not in both of %v and %s", name, r.Summary, header)
		}
	}
	if r.Summary["phasic_area_us_s"] != nil {
		t.Errorf("an area of what swings around zero: %v", r.Summary["phasic_area_us_s"])
	}
	// 120 s hold two windows of 64 s that overlap by half.
	if r.Summary["edasymp_segments"] != 2.0 || r.Summary["edasymp_s"] != 96.0 {
		t.Errorf("EDASymp of %v windows, %v s", r.Summary["edasymp_segments"], r.Summary["edasymp_s"])
	}
	for _, says := range []string{"2 windows, 96 s", "non-specific", "outside responses is the mean", "0.25 to 0.45 s", "highest value"} {
		if !strings.Contains(r.Methods, says) {
			t.Errorf("the methods paragraph lacks %q: %s", says, r.Methods)
		}
	}
	if strings.Contains(r.Methods, "sensor's maximum") {
		t.Errorf("names a maximum that was not given: %s", r.Methods)
	}
	if r := decoded[saidOfSkin](t, "eda", "analyze", file, "--sensor-max", "40", "--json"); !strings.Contains(r.Methods, "sensor's maximum of 40 µS") {
		t.Errorf("does not name the maximum that was given: %s", r.Methods)
	}
}

func fileBytes(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
