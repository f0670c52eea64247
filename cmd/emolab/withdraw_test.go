package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
	"emolab/studies/withdrawal"
)

// takenPart makes a data folder in which participants took part, and returns their
// sessions and the withdrawal codes that they were given.
func takenPart(t *testing.T, dir string, participants ...string) (sessions, codes []string) {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(dir, "pilot.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key, err := withdrawal.OpenKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	const page = "How was it?"
	sum := sha256.Sum256([]byte(page))
	hash := hex.EncodeToString(sum[:])
	st := &study.Study{ID: "pilot", Hash: "c0ffee", Canonical: []byte("id: pilot\n"), Stimuli: []study.Stimulus{{ID: "a", Duration: time.Second}},
		Retain: study.Retain{FaceVideo: 30 * 24 * time.Hour, Traces: 700 * 24 * time.Hour, Identity: 10 * 24 * time.Hour}}
	plan := study.Plan{Steps: []study.Step{{Action: study.Play, Stimulus: "a", Presentation: 1, Duration: time.Second}}}
	for i, code := range participants {
		wall := time.Date(2026, 11, 22, 9+i, 0, 0, 0, time.UTC)
		id := wall.Format("20060102-150405-") + code
		typed, keyed, err := key.New()
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Begin(t.Context(), session.Header{ID: id, Study: st, Plan: plan, Participant: code, Software: "emolab test",
			Segment: session.Segment{Boot: "boot", Start: 1e12, Wall: wall},
			Streams: []stream.Info{{ID: "eda", Kind: stream.EDA, Device: "box", Clock: stream.HostClock, TickHz: 1e9, Rate: 10,
				Channels: []stream.Channel{{Name: "raw", Unit: "1"}, {Name: "eda_us", Unit: "uS"}}}}})
		if err != nil {
			t.Fatal(err)
		}
		c := stream.Chunk{Stream: "eda"}
		for seq := range int64(20) {
			at := instant.Instant(1e12 + seq*1e8)
			c.Samples = append(c.Samples, stream.Sample{Seq: seq, Tick: int64(at), Arrival: at, At: at, Values: []float64{1, 2}})
		}
		video := filepath.Join(videoDir(dir, id), "000-0000.mkv")
		err = errors.Join(
			r.Consent(t.Context(), session.Consent{Scope: session.FaceVideo, Granted: true, TextSHA256: hash, Text: page, Language: "en", At: 1e12, How: session.OnScreen}),
			r.Append(t.Context(), []stream.Chunk{c}),
			r.Reached(t.Context(), 0, 1e12+1),
			r.Answer(t.Context(), session.Answer{Sheet: "rate", Kind: study.RatingSheet, Values: study.Answers{"liked": "4"}, TextSHA256: hash, Text: page, Language: "en", At: 1e12 + 2, Wall: wall, How: session.OnScreen}),
			r.Withdrawable(t.Context(), keyed),
			os.MkdirAll(filepath.Dir(video), 0o700),
			os.WriteFile(video, []byte("a face"), 0o600),
			r.Video(t.Context(), session.Video{File: "video/" + id + "/000-0000.mkv", From: 1e12, Until: 1e12 + 1, Frames: 3, Bytes: 6, SHA256: hash}),
			r.Seal(t.Context(), nil))
		if err != nil {
			t.Fatal(err)
		}
		sessions, codes = append(sessions, id), append(codes, typed)
	}
	return sessions, codes
}

// typing answers the questions of a command from standard input.
func typing(t *testing.T, text string) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	os.Stdin = read
	t.Cleanup(func() { os.Stdin = before; read.Close() })
}

func TestWithdrawByCode(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, "data")
	sessions, codes := takenPart(t, dir, "P7K2", "P9QX", "P7K2")
	vault := []string{"--vault", filepath.Join(home, "people.age"), "--key", filepath.Join(home, "keys", "people.key")}
	if code, out, errOut := emolab(t, append([]string{"identity", "add", "P7K2", "--name", "Ada", "--contact", "5550", "--data", dir}, vault...)...); code != exitFine || strings.TrimSpace(out) != "P7K2" {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	if code, _, errOut := emolab(t, "session", "export", sessions[0], "--data", dir, "--to", "Ann <ann@lab.example>"); code != exitFine {
		t.Fatal(errOut)
	}

	// A slip of the pen, and a no, erase nothing.
	for _, c := range []struct{ code, typed, says string }{
		{"7Q2M-X4KD-9WZ", "", "not a withdrawal code"},
		{codes[0], "no\n", "Type P7K2 to go on:"},
		{withdrawal.NewCode().String(), "", "no session of this study has that code"},
		{codes[0], "P9QX\n", "nothing was erased"},
		{codes[0], "", "add --yes"},
	} {
		typing(t, c.typed)
		if code, _, errOut := emolab(t, append([]string{"session", "withdraw", "--code", c.code, "--data", dir}, vault...)...); code != exitFailed || !strings.Contains(errOut, c.says) {
			t.Errorf("%q, %q: exit %d: %s, should say %q", c.code, c.typed, code, errOut, c.says)
		}
	}
	if code, out, _ := emolab(t, "session", "list", "--data", dir); code != exitFine || strings.Count(out, "P7K2") != 4 { // twice a line
		t.Errorf("sessions:\n%s", out)
	}

	typing(t, "P7K2\n")
	code, out, errOut := emolab(t, append([]string{"session", "withdraw", "--code", strings.ToLower(codes[2]), "--data", dir}, vault...)...)
	if code != exitFine {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	for _, says := range []string{"RECEIPT OF A WITHDRAWAL", "ATTESTATION D'EFFACEMENT", "[ ] Ann <ann@lab.example>", "sessions              2", "The name is removed", filepath.Join(dir, "receipts")} {
		if !strings.Contains(out, says) {
			t.Errorf("it does not say %q:\n%s", says, out)
		}
	}
	if code, out, _ := emolab(t, "session", "list", "--data", dir); code != exitFine || strings.Contains(out, "P7K2") || !strings.Contains(out, "P9QX") {
		t.Errorf("sessions:\n%s", out)
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			b, err := os.ReadFile(path)
			if err != nil || strings.Contains(path+string(b), "P7K2") {
				t.Errorf("the code is still in %s, %v", path, err)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if code, out, _ := emolab(t, append([]string{"identity", "list", "--data", dir}, vault...)...); code != exitFine || strings.Contains(out, "Ada") {
		t.Errorf("the vault:\n%s", out)
	}
	if code, _, errOut := emolab(t, "session", "withdraw", "--code", codes[0], "--yes", "--data", dir); code != exitFailed || !strings.Contains(errOut, "no session of this study") {
		t.Errorf("once more: exit %d: %s", code, errOut)
	}
}

func TestWithdrawBySessionWithoutAQuestion(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	sessions, _ := takenPart(t, dir, "P7K2")
	code, out, errOut := emolab(t, "session", "withdraw", sessions[0], "--yes", "--json", "--data", dir, "--vault", filepath.Join(dir, "none"))
	var e session.Erasure
	if code != exitFine || json.Unmarshal([]byte(out), &e) != nil || e.Sessions != 1 || e.Files != 1 || e.Rows < 20 || e.Tombstone == "" {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	for _, args := range [][]string{{}, {sessions[0], "--code", "x"}} {
		if code, _, errOut := emolab(t, append([]string{"session", "withdraw", "--data", dir}, args...)...); code != exitUsage {
			t.Errorf("%q: exit %d: %s", args, code, errOut)
		}
	}
}

// While somebody records, nothing is erased behind their back.
func TestWithdrawBesideARecording(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	sessions, _ := takenPart(t, dir, "P7K2")
	s, err := store.Open(t.Context(), filepath.Join(dir, "pilot.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, args := range [][]string{
		{"session", "withdraw", sessions[0], "--yes"}, {"study", "purge", "--yes"},
		{"session", "move", sessions[0], "--to", "P1", "--reason", "x"}, {"session", "judge", sessions[0], "--usable", "--reason", "x"},
	} {
		if code, _, errOut := emolab(t, append(args, "--data", dir)...); code != exitFailed || !strings.Contains(errOut, "another emolab has the study file open") {
			t.Errorf("%q: exit %d: %s", args, code, errOut)
		}
	}
}

func TestMoveAndJudge(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	sessions, _ := takenPart(t, dir, "P7K2", "P9QX")
	code, bundle, errOut := emolab(t, "session", "export", sessions[0], "--data", dir, "--to", "Ann <ann@lab.example>")
	if bundle = strings.TrimSpace(bundle); code != exitFine || !exists(bundle) {
		t.Fatalf("exit %d: %s%s", code, bundle, errOut)
	}
	code, out, errOut := emolab(t, "session", "move", sessions[0], "--to", "P9QX", "--reason", "typed wrongly", "--data", dir)
	for _, says := range []string{"moved from P7K2 to P9QX", bundle + " said P7K2 and is erased", "Ann <ann@lab.example> was given a bundle that says P7K2"} {
		if code != exitFine || !strings.Contains(out, says) {
			t.Errorf("exit %d: %s%s, should say %q", code, out, errOut, says)
		}
	}
	if exists(bundle) {
		t.Error("a bundle that names the former participant is still there")
	}
	if code, out, errOut := emolab(t, "session", "judge", sessions[1], "--unusable", "--reason", "telephone rang", "--data", dir); code != exitFine || !strings.Contains(out, "not usable (telephone rang)") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	_, out, _ = emolab(t, "session", "list", "--json", "--data", dir)
	var list []session.Summary
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	if list[0].Participant != "P9QX" || list[0].Run != 2 || list[1].Usable == nil || *list[1].Usable || list[1].UsableWhy != "telephone rang" {
		t.Errorf("%+v", list)
	}
	if _, out, _ := emolab(t, "session", "show", sessions[1], "--data", dir); !strings.Contains(out, "usable: no (telephone rang)") || !strings.Contains(out, "answers: 1 on 1 pages") {
		t.Errorf("%s", out)
	}
	if code, _, errOut := emolab(t, "session", "judge", sessions[0], "--reason", "x", "--data", dir); code != exitUsage || !strings.Contains(errOut, "--usable or --unusable") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	for _, args := range [][]string{
		{"move", sessions[0], "--to", "P9QX"}, {"move", sessions[0], "--to", "a b", "--reason", "x"}, {"move", sessions[0], "--to", "P1", "--reason", " "},
		{"judge", sessions[0], "--reason", "x"}, {"judge", sessions[0], "--usable", "--unusable", "--reason", "x"}, {"judge", sessions[0], "--usable"},
	} {
		if code, _, errOut := emolab(t, append(append([]string{"session"}, args...), "--data", dir)...); code != exitUsage {
			t.Errorf("%q: exit %d: %s", args, code, errOut)
		}
	}
}

// Video is erased after a yes only.
func TestVideoIsErasedAfterAYes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	sessions, _ := takenPart(t, dir, "P7K2")
	for _, c := range []struct {
		typed string
		want  int
		says  string
	}{
		{"", exitFailed, "add --yes"},
		{"no\n", exitFailed, "nothing was erased"},
		{"yes\n", exitFine, "The video of participant P7K2 in session " + sessions[0]},
	} {
		typing(t, c.typed)
		code, _, errOut := emolab(t, "session", "withdraw", "last", "--face-video", "--data", dir)
		if code != c.want || !strings.Contains(errOut, c.says) {
			t.Errorf("%q: exit %d: %s, should say %q", c.typed, code, errOut, c.says)
		}
		if exists(videoDir(dir, sessions[0])) != (c.want != exitFine) {
			t.Errorf("%q: exit %d, and the video is there: %v", c.typed, code, exists(videoDir(dir, sessions[0])))
		}
	}
}

// The no is noted before the video is deleted. A program that was killed in between can
// be asked again.
func TestVideoThatWasLeftIsDeleted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	sessions, _ := takenPart(t, dir, "P7K2")
	s, err := store.Open(t.Context(), filepath.Join(dir, "pilot.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Withdraw(t.Context(), sessions[0], session.FaceVideo, "test"), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{exitFine, exitFailed} { // there is nothing left to do then
		if code, _, errOut := emolab(t, "session", "withdraw", sessions[0], "--face-video", "--yes", "--data", dir); code != want {
			t.Errorf("exit %d, want %d: %s", code, want, errOut)
		}
		if exists(videoDir(dir, sessions[0])) {
			t.Error("its video is still there")
		}
	}
}

// Without its key no code finds anything: nothing makes another unasked.
func TestALostKeyIsToldOf(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	_, codes := takenPart(t, dir, "P7K2")
	if err := os.Remove(withdrawal.KeyFile(dir)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"session", "withdraw", "--code", codes[0], "--yes"}, {"study", "purge", "--yes"},
	} {
		code, _, errOut := emolab(t, append(args, "--data", dir)...)
		if code != exitFailed || !strings.Contains(errOut, "Put it back from a backup") || exists(withdrawal.KeyFile(dir)) {
			t.Errorf("%q: exit %d: %s", args, code, errOut)
		}
	}
	typing(t, "no\n")
	if code, _, errOut := emolab(t, "session", "withdraw", "--new-key", "--data", dir); code != exitFailed || !strings.Contains(errOut, "no key was made") || exists(withdrawal.KeyFile(dir)) {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if code, out, errOut := emolab(t, "session", "withdraw", "--new-key", "--yes", "--data", dir); code != exitFine || !strings.Contains(out, "session receipt") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if code, _, errOut := emolab(t, "session", "withdraw", "--new-key", "--yes", "--data", dir); code != exitFailed || !strings.Contains(errOut, "no other key is needed") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if code, _, errOut := emolab(t, "session", "withdraw", "last", "--yes", "--data", dir); code != exitFine {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
