package bundle

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"emolab/fusion/stream"
	"emolab/studies/store"
)

// Errors of devices name their port, and the store keeps them as they were said. In
// a bundle the words are the same, but for the places.
func TestPlacesAreTakenOut(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "study.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := begin(t, s, "s1", lab())
	said := []string{
		"serialport: the device is gone: /dev/ttySECRET (input/output error)",
		"open " + filepath.Join(t.TempDir(), "ttySECRET") + ": no such file",
		"read tcp 10.11.12.13:38724->10.11.12.14:4242: i/o timeout",
	}
	kinds := []stream.EventKind{stream.Disconnected, stream.Marker, stream.Lost}
	c := stream.Chunk{Stream: "eda"}
	for i, words := range said {
		c.Events = append(c.Events, stream.Event{Kind: kinds[i], At: origin + 9e9, Count: 1, Detail: words})
	}
	if err := r.Append(t.Context(), []stream.Chunk{c}); err != nil {
		t.Fatal(err)
	}
	if err := r.Stopped(t.Context(), "the stage failed: /home/SECRET/a.mp4: no picture"); err != nil {
		t.Fatal(err)
	}
	if err := r.Seal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path, err := NewExporter(s, t.TempDir()).Export(t.Context(), "s1", nil)
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, path)
	for name, b := range files {
		for _, secret := range []string{"SECRET", "10.11.12.", filepath.Dir(s.Path())} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s tells of the machine: %q", name, secret)
			}
		}
	}
	for name, all := range map[string][]string{
		"events.csv":     {"the device is gone: [path] (input/output error)", "open [path]: no such file", "read tcp [address]: i/o timeout"},
		"gaps.csv":       {"the device is gone: [path] (input/output error)"},
		"session.sqlite": {"the device is gone: [path] (input/output error)", "open [path]: no such file", "the stage failed: [path]: no picture"},
		"README.txt":     {"the stage failed: [path]: no picture"},
		"manifest.json":  {"the stage failed: [path]: no picture"},
	} {
		for _, words := range all {
			if !strings.Contains(string(files[name]), words) {
				t.Errorf("%s does not say %q", name, words)
			}
		}
	}
	events, err := s.Events(t.Context(), "s1")
	if err != nil || len(events) != len(said) {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for i, e := range events {
		if e.Detail != said[i] {
			t.Errorf("the store says %q, want %q as it was said", e.Detail, said[i])
		}
	}
}
