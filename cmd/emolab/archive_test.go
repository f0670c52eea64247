package main

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"emolab/studies/bundle"
	"emolab/studies/store"
)

// What the console moves leaves no bundle behind that names the participant before.
func TestArchiveMovesBundlesToo(t *testing.T) {
	dir, stick := filepath.Join(t.TempDir(), "data"), t.TempDir()
	sessions, _ := takenPart(t, dir, "P7K2")
	s, err := store.Open(t.Context(), filepath.Join(dir, "pilot.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	inside, err := bundle.NewExporter(s, dir).Export(t.Context(), sessions[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	outside, err := bundle.NewExporter(s, stick).ExportTo(t.Context(), sessions[0], "Ann <ann@lab.example>", nil)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if err := (archive{s, dir, slog.New(slog.NewTextHandler(&log, nil))}).Move(t.Context(), sessions[0], "P9QX", "typed wrongly"); err != nil {
		t.Fatal(err)
	}
	if code, err := s.ParticipantOf(t.Context(), sessions[0]); err != nil || code != "P9QX" {
		t.Errorf("it is %s's, %v", code, err)
	}
	if exists(inside) || !exists(outside) {
		t.Errorf("in the data folder: %v, elsewhere: %v", exists(inside), exists(outside))
	}
	for _, says := range []string{outside, "Ann"} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("the log does not name %s:\n%s", says, &log)
		}
	}
}
