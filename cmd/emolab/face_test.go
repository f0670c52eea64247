package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"emolab/fusion/trace"
	"emolab/studies/store"
)

func TestFaceAnalyze(t *testing.T) {
	t.Parallel()
	needModels(t)
	clip := sharedFile(t, "face/single_face.mp4")
	still := sharedFile(t, "face/single_face.jpg")
	dir := t.TempDir()
	code, out, errOut := emolab(t, "face", "analyze", clip, still, "--out", dir, "--sheet", "4", "--names", "openface")
	if code != exitFine || !strings.Contains(out, "neutral 0.0-0.6 s, happy") {
		t.Fatalf("exit %d:\n%s%s", code, out, errOut)
	}
	for name, lines := range map[string]int{
		"single_face.mp4.face.csv": 73, "single_face.jpg.face.csv": 2, "single_face.mp4.events.csv": -1,
		"single_face.mp4.sheet.png": -1, "single_face.jpg.sheet.png": -1,
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if n := strings.Count(string(text), "\n"); lines >= 0 && n != lines {
			t.Errorf("%s: %d lines, want %d", name, n, lines)
		}
	}
	code, out, _ = emolab(t, "face", "analyze", still, "--out", "-")
	if lines, err := csv.NewReader(strings.NewReader(out)).ReadAll(); code != exitFine || err != nil || len(lines) != 2 {
		t.Errorf("printed table: exit %d, %v:\n%s", code, err, out)
	}
	// One bad file among good ones is named, and the others are read.
	bad := filepath.Join(dir, "noise.mp4")
	if err := os.WriteFile(bad, []byte("no film"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut = emolab(t, "face", "analyze", bad, still, "--out", t.TempDir())
	if code != exitFailed || !strings.Contains(errOut, "noise.mp4") || !strings.Contains(out, "single_face.jpg") {
		t.Errorf("a bad file: exit %d:\n%s%s", code, out, errOut)
	}
}

func TestFaceAnalyzeIntoAStudy(t *testing.T) {
	t.Parallel()
	needModels(t)
	clip := sharedFile(t, "face/single_face.mp4")
	dir := t.TempDir()
	code, out, errOut := emolab(t, "face", "analyze", clip, "--out", t.TempDir(), "--study", shortStudy(t), "--data", dir, "--participant", "P07")
	if code != exitFine || !strings.Contains(out, "is session") {
		t.Fatalf("exit %d:\n%s%s", code, out, errOut)
	}
	seen := traceOf(t, dir)
	if len(seen) != 72 || seen[0].Class != "neutral" || seen[60].Class != "happy" {
		t.Errorf("%d trace rows", len(seen))
	}
	s, err := store.View(t.Context(), filepath.Join(dir, "short.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// A film takes no order of the plan away from the next participant.
	if row, err := s.NextRow(t.Context(), 0); err != nil || row != 0 {
		t.Errorf("the next participant has row %d, %v", row, err)
	}
	all, err := s.Sessions(t.Context())
	if err != nil || len(all) != 1 || all[0].Participant != "P07" || !strings.Contains(all[0].Reason, "single_face.mp4") {
		t.Fatalf("%+v, %v", all, err)
	}
	info := trace.Info()
	for row, err := range s.Trace(t.Context(), all[0].ID, info) {
		if err != nil {
			t.Fatal(err)
		}
		if yaw := row.Values[info.Index("yaw_deg")]; !(yaw > -10 && yaw < 15) {
			t.Fatalf("frame %d: yaw %.1f", row.Seq, yaw)
		}
	}
}

func TestFaceAnalyzeUsage(t *testing.T) {
	needModels(t)
	clip := sharedFile(t, "face/single_face.mp4")
	still := sharedFile(t, "face/single_face.jpg")
	for _, args := range []string{
		clip + " " + still + " --out -",
		still + " --out - --sheet 1",
		clip + " --csv --json",
		clip + " --smooth 4",
		clip + " --neutral 3-1",
		clip + " --neutral soon",
		clip + " " + clip,
		clip + " --participant P07",
		still + " --participant P07 --study " + shortStudy(t),
		clip + " --participant x/../../y --study " + shortStudy(t),
		clip + " --neutral 0-0.5junk",
		clip + " --sheet -1",
	} {
		args := strings.Fields("face analyze " + args)
		if code, _, errOut := emolab(t, args...); code != exitUsage {
			t.Errorf("%v: exit %d, %s", args, code, errOut)
		}
	}
}
