//go:build !nocv

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"emolab/studies/store"
	"emolab/studies/study"
)

// clips makes a folder of videos with ffmpeg: one that plays, one that flashes, one that
// no browser shows, and one that is none.
func clips(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed")
	}
	dir := t.TempDir()
	for name, args := range map[string][]string{
		// A shot of .8 s, and one of 1.2 s.
		"Fine.mp4": {"-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=0.8[a];smptebars=s=160x120:r=25:d=1.2[b];[a][b]concat=n=2,format=yuv420p",
			"-f", "lavfi", "-i", "sine=frequency=997:d=2,volume=-5dB", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"},
		"disco.mp4": {"-f", "lavfi", "-i", "color=gray:s=160x120:r=25:d=2,drawbox=w=80:h=60:t=fill:color=white:enable='gte(t,1)*lt(mod(t,.2),.1)',format=yuv420p",
			"-c:v", "libx264", "-preset", "ultrafast"},
		"Été (1).mov": {"-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=1", "-c:v", "prores_ks"},
	} {
		out, err := exec.Command("ffmpeg", append(append([]string{"-v", "error"}, args...), filepath.Join(dir, name))...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "none.mp4"), []byte("This is no video."), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// importJSON runs the command and reads what it prints, by the videos' ids.
func importJSON(t *testing.T, want int, args ...string) map[string]imported {
	t.Helper()
	var out, errOut strings.Builder
	if code := run(t.Context(), append([]string{"study", "import", "--json"}, args...), &out, &errOut); code != want {
		t.Fatalf("ended with %d, want %d: %s", code, want, &errOut)
	}
	var all []imported
	if err := json.Unmarshal([]byte(out.String()), &all); err != nil {
		t.Fatalf("%v in %s", err, &out)
	}
	by := map[string]imported{}
	for _, r := range all {
		by[r.ID] = r
	}
	return by
}

func TestImportMeasures(t *testing.T) {
	t.Parallel()
	dir := clips(t)
	got := importJSON(t, exitFailed, dir)
	fine := got["Fine"]
	if !fine.Playable || fine.Seconds != 2 || fine.FPS != 25 || fine.Width != 160 || fine.Picture != "H.264" || fine.Sound != "AAC" || !slices.Equal(fine.Cuts, []float64{.8}) {
		t.Errorf("%+v", fine)
	}
	// The sine of ffmpeg has 1/8 of full scale, that is -18 dB; 5 less; and it has one
	// channel, heard from two speakers.
	if fine.Loudness == nil || *fine.Loudness < -24 || *fine.Loudness > -22 || fine.TruePeak == nil || fine.Light == nil || *fine.Light < .1 || *fine.Light > .7 {
		t.Errorf("loudness %v, peak %v, light %v", fine.Loudness, fine.TruePeak, fine.Light)
	}
	disco := got["disco"]
	if disco.Sound != "" || disco.Loudness != nil || disco.Flashes == nil || *disco.Flashes != 5 || !strings.Contains(strings.Join(disco.Notes, ""), "WCAG 2.3.1") {
		t.Errorf("%+v", disco)
	}
	if film := got["Ete-1"]; film.Playable || !strings.Contains(film.Why, "Apple ProRes") || !strings.Contains(film.Why, "--convert") || film.Light != nil {
		t.Errorf("%+v", film)
	}
	if film := got["Ete-1"]; !strings.HasSuffix(film.Why, "--convert '"+filepath.Join(dir, "Été (1).mov")+"'") {
		t.Errorf("says %q, without the name of the file", film.Why)
	}
	if none := got["none"]; none.Playable || !strings.Contains(none.Why, "not an MP4 file") {
		t.Errorf("%+v", none)
	}

	var out, errOut strings.Builder
	if code := run(t.Context(), []string{"study", "import", dir}, &out, &errOut); code != exitFailed || !strings.Contains(errOut.String(), "2 of 4 videos cannot be used") {
		t.Errorf("ended with %d: %s", code, &errOut)
	}
	for _, want := range []string{"VIDEO", "H.264 + AAC", "no sound", "5 a second!", "none.mp4: not an MP4 file"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, &out)
		}
	}
}

func TestImportConverts(t *testing.T) {
	t.Parallel()
	dir, into := clips(t), filepath.Join(t.TempDir(), "stimuli")
	if err := os.Remove(filepath.Join(dir, "none.mp4")); err != nil {
		t.Fatal(err)
	}
	got := importJSON(t, exitFine, dir, "--convert", "--into", into)
	for id, from := range map[string]string{"Fine": "Fine.mp4", "disco": "disco.mp4", "Ete-1": "Été (1).mov"} {
		r := got[id]
		if !r.Playable || r.File != filepath.Join(into, id+".mp4") || r.From != filepath.Join(dir, from) || r.Light == nil {
			t.Errorf("%s: %+v", id, r)
		}
	}
	if !strings.HasPrefix(strings.Join(got["Ete-1"].Notes, ""), "converted") {
		t.Errorf("%q", got["Ete-1"].Notes)
	}
	// The folder is one that a study takes as it is.
	file := filepath.Join(filepath.Dir(into), "study.yaml")
	if err := os.WriteFile(file, []byte("id: mine\nstimuli: {folder: stimuli}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := study.Load(file)
	if err != nil || len(st.Stimuli) != 3 {
		t.Fatalf("%v, %v", st, err)
	}

	// Once more: what is copied is there already, what is converted is not made again, and
	// nothing changes.
	again := importJSON(t, exitFine, dir, "--convert", "--into", into)
	if !again["Fine"].Playable || again["Ete-1"].SHA256 != got["Ete-1"].SHA256 || !slices.Equal(again["Ete-1"].Notes, []string{"already converted"}) {
		t.Errorf("%+v", again)
	}
	// Nor does another video of the same name.
	other := filepath.Join(t.TempDir(), "Fine.mp4")
	if err := copyNew(filepath.Join(dir, "disco.mp4"), other); err != nil {
		t.Fatal(err)
	}
	if r := importJSON(t, exitFailed, other, "--into", into)["Fine"]; r.Playable || !strings.Contains(r.Why, "another video of the same name") {
		t.Errorf("%+v", r)
	}
	after, err := study.Load(file)
	if err != nil || after.Hash != st.Hash {
		t.Errorf("the folder changed: %v", err)
	}
}

// What study new prints leads to a study that loads, whatever the videos are called and
// however they are coded.
func TestFromNewToAStudyThatLoads(t *testing.T) {
	t.Parallel()
	films, dir := clips(t), filepath.Join(t.TempDir(), "my study")
	code, out, errOut := emolab(t, "study", "new", dir, "--yes")
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	originals := filepath.Join(dir, "originals")
	for from, to := range map[string]string{"Fine.mp4": "upright clip.mp4", "Été (1).mov": "fake.mp4"} {
		if err := copyNew(filepath.Join(films, from), filepath.Join(originals, to)); err != nil {
			t.Fatal(err)
		}
	}
	if want := "--into '" + filepath.Join(dir, "stimuli") + "' '" + originals + "' "; !strings.Contains(out, want) {
		t.Errorf("%q does not say %q", out, want)
	}
	importJSON(t, exitFine, "--convert", "--into", filepath.Join(dir, "stimuli"), originals)
	st, err := study.Load(filepath.Join(dir, "study.yaml"))
	if err != nil || len(st.Stimuli) != 2 {
		t.Fatalf("%v, %v", st, err)
	}
}

// A second conversion within one folder tells of each video once, and what is in a
// study's way there.
func TestImportWithinAFolder(t *testing.T) {
	t.Parallel()
	dir := clips(t)
	for from, to := range map[string]string{"none.mp4": "", "disco.mp4": "", "Fine.mp4": "upright clip.mp4", "Été (1).mov": "fake.mp4"} {
		if to != "" {
			if err := copyNew(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
				t.Fatal(err)
			}
		}
		if from != "Été (1).mov" {
			if err := os.Remove(filepath.Join(dir, from)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 {
		var out, errOut strings.Builder
		if code := run(t.Context(), []string{"study", "import", "--convert", "--json", dir}, &out, &errOut); code != exitFine {
			t.Fatalf("ended with %d: %s", code, &errOut)
		}
		var all []imported
		if err := json.Unmarshal([]byte(out.String()), &all); err != nil {
			t.Fatal(err)
		}
		if len(all) != 3 {
			t.Errorf("tells of %d videos: %s", len(all), &out)
		}
		for _, want := range []string{"the original, fake.mp4, is still in this folder", "rename it to upright-clip.mp4"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("does not say %q: %s", want, &out)
			}
		}
	}
}

func TestImportKeepsTheMeasures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st, err := openExample(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(st.Dir, "study.yaml")
	first := importJSON(t, exitFine, "--study", file, "--data", dir)
	s, err := store.Open(t.Context(), databasePath(dir, st.ID))
	if err != nil {
		t.Fatal(err)
	}
	for _, stim := range st.Stimuli {
		m, err := s.StimulusMeasure(t.Context(), stim.SHA256)
		if err != nil || m == nil || m.Luminance == nil || *m.Luminance != *first[stim.ID].Light {
			t.Errorf("%s: %+v, %v", stim.ID, m, err)
		}
		light, err := s.Luminance(t.Context(), stim.SHA256)
		if err != nil || len(light) != len(stim.FrameTimes) {
			t.Errorf("%s: the light of %d frames, %v", stim.ID, len(light), err)
		}
	}
	// What is known is not measured again: it is read.
	mark := .123
	if err := s.PutStimulusMeasure(t.Context(), store.StimulusMeasure{SHA256: st.Stimuli[0].SHA256, Luminance: &mark}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := importJSON(t, exitFine, "--study", file, "--data", dir)[st.Stimuli[0].ID]; got.Light == nil || *got.Light != mark {
		t.Errorf("%+v", got)
	}
}

func TestImportUsage(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(file, []byte("id: mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"name videos":           {},
		"leave the other":       {"--study", file, "a.mp4"},
		"name the study":        {"a.mp4", "--data", "x"},
		"there is no file":      {filepath.Join(t.TempDir(), "none.mp4")},
		"holds no video":        {t.TempDir()},
		"--into and --convert ": {"--study", file, "--convert"},
	} {
		var out, errOut strings.Builder
		if code := run(t.Context(), append([]string{"study", "import"}, args...), &out, &errOut); code == exitFine || !strings.Contains(errOut.String(), want) {
			t.Errorf("%v: ended with %d: %s", args, code, &errOut)
		}
	}
}
