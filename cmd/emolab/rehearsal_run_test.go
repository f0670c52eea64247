package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"emolab/fusion/script"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// tinyStudy writes a study of two clips of a second each, with everything that can
// turn somebody away, and returns its file.
func tinyStudy(t *testing.T) string {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg draws the clips of this test")
	}
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		command := exec.Command(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=c=0x606060:size=180x320:rate=30:duration=1",
			"-pix_fmt", "yuv420p", "-c:v", "libx264", "-metadata", "title="+name, filepath.Join(dir, name+".mp4"))
		if out, err := command.CombinedOutput(); err != nil {
			t.Skipf("ffmpeg cannot draw the clips: %v\n%s", err, out)
		}
	}
	path := filepath.Join(dir, "study.yaml")
	text := `id: tiny
languages: [en, fr]
consent: {scopes: {traces: {required: true}, face_video: {required: false}}}
screening:
  - {id: age, ask: {en: "Age?", fr: "Âge ?"}, type: integer, min: 1, max: 120, pass: "18 <= age < 35", bands: [18-24, 25-34]}
quota: {total_usable: 12, cells: {age: {18-24: 3, 25-34: 9}}}
devices: {eda: {required: true}}
thresholds: {max_sync_error_ms: 0, usable_seconds: .3} # however busy this machine is
stimuli:
  folder: .
  list:
    - {id: a, file: a.mp4}
    - {id: b, file: b.mp4}
scales:
  like: {type: likert, points: 7, items: [{id: liked, ask: {en: "I liked it", fr: "J'ai aimé"}}]}
flow:
  - consent
  - screening
  - block: {order: {method: williams}, trial: [play: {skippable: true}, rate: [like]]}
  - debrief
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Twelve people through a tiny study: what each did and what became of them.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	needModels(t)
	dir := t.TempDir()
	args := []string{"demo", "--out", dir, "--study", tinyStudy(t), "--browser", "none", "--participants", "12", "--pace", "100", "--json"}
	code, out, errOut := emolab(t, args...)
	if code != exitFine {
		t.Errorf("exit %d:\n%s", code, errOut)
	}
	var got rehearsed
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("report: %v\n%s\n%s", err, out, errOut)
	}
	if err := got.print(t.Output()); err != nil {
		t.Fatal(err)
	}
	if len(got.People) != 12 {
		t.Fatalf("%d people, want 12", len(got.People))
	}
	ends := map[string]int{}
	languages := map[string]int{}
	for _, v := range got.People {
		ends[v.Happened]++
		languages[v.Language]++
		if !v.AsExpected {
			t.Errorf("%+v", v)
		}
		want := map[script.Fault]session.State{
			script.NoFault: session.Sealed, script.DropsOut: session.Sealed, script.Withdraws: session.Withdrawn,
			script.ScreenedOut: session.Declined, script.DeviceDies: session.Sealed,
		}[v.Person.Fault]
		if !strings.HasPrefix(v.Happened, string(want)) {
			t.Errorf("%s %s: %s, want %s", v.Participant, v.Did, v.Happened, want)
		}
		recorded := strings.HasPrefix(v.Happened, string(session.Sealed))
		if kept := v.FaceFrames > 0; kept != (recorded && v.Person.Video) {
			t.Errorf("%s: %d frames of the face kept, allowed %v", v.Participant, v.FaceFrames, v.Person.Video)
		}
	}
	want := map[string]int{"sealed, usable": 7, "sealed, not usable": 3, "withdrawn": 1, "declined (screening: age)": 1}
	for how, n := range want {
		if ends[how] != n {
			t.Errorf("%d sessions are %s, want %d: %v", ends[how], how, n, ends)
		}
	}
	if languages["en"] < 4 || languages["fr"] < 4 {
		t.Errorf("languages %v", languages)
	}
	if low, high := spread(got.Rows, 2); low != 3 || high != 4 {
		t.Errorf("7 usable sessions in two orders: %d and %d", low, high)
	}
	if n := len(got.Sessions); n != 8 {
		t.Errorf("%d sessions are scored, want the 8 that went to the end", n)
	}
	for _, c := range got.Cells {
		if c.Have > c.Usable {
			t.Errorf("cell %s has %d of %d", c.Band, c.Have, c.Usable)
		}
	}
	checkGone(t, dir, got)

	// The folder holds a cohort now, which a second rehearsal must not mix with.
	if code, _, errOut := emolab(t, args...); code != exitUsage || !strings.Contains(errOut, "--out") {
		t.Errorf("again: exit %d\n%s", code, errOut)
	}
}

// checkGone makes sure that nothing is left of who withdrew.
func checkGone(t *testing.T, dir string, got rehearsed) {
	t.Helper()
	s, err := store.View(t.Context(), databasePath(dir, "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, v := range got.People {
		if v.Person.Fault != script.Withdraws {
			continue
		}
		if _, err := s.Session(t.Context(), v.Session); err == nil {
			t.Errorf("session %s was withdrawn and is still there", v.Session)
		}
		if _, err := os.Stat(truthPath(dir, v.Session)); err == nil {
			t.Errorf("what really happened in session %s, which was withdrawn, is still there", v.Session)
		}
	}
}

// A rehearsal that breaks off tells what became of those who were there, and why it did.
func TestRehearsalThatBreaksOff(t *testing.T) {
	t.Parallel()
	needModels(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	errOut := &watched{want: "1 of 3: DEMO01", seen: make(chan struct{})}
	go func() {
		select {
		case <-errOut.seen:
			stop()
		case <-ctx.Done():
		}
	}()
	var out bytes.Buffer
	code := run(ctx, []string{"demo", "--out", t.TempDir(), "--study", tinyStudy(t), "--browser", "none", "--participants", "3", "--pace", "100"}, &out, errOut)
	if code != exitFailed || !strings.Contains(errOut.String(), "emolab: person 2 of 3: ") {
		t.Errorf("exit %d:\n%s", code, errOut)
	}
	for _, says := range []string{"DEMO01", "sealed, usable", "broke off when one person had been there"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("it does not say %q:\n%s", says, &out)
		}
	}
	if strings.Contains(out.String(), "All is as it should be") {
		t.Errorf("it says that all is well:\n%s", &out)
	}
}

// One session that cannot be scored is a finding, and everybody stands in the table.
func TestRehearsalWithASessionThatCannotBeScored(t *testing.T) {
	dir := t.TempDir()
	sessions, _ := takenPart(t, dir, "DEMO01")
	c := demoCmd{Out: dir, Participants: 2}
	var out bytes.Buffer
	err := c.report(&app{ctx: t.Context(), out: &out}, &study.Study{ID: "pilot"}, rehearsed{People: []visit{
		{Participant: "DEMO01", AsExpected: true, recorded: recording{id: sessions[0]}},
		{Participant: "DEMO02", AsExpected: true},
	}})
	if err == nil || !strings.Contains(err.Error(), "The session of DEMO01 cannot be scored: ") {
		t.Errorf("error %v", err)
	}
	for _, says := range []string{"DEMO02", "Wrong: The session of DEMO01 cannot be scored", "Database "} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("it does not say %q:\n%s", says, &out)
		}
	}
}
