package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func unpack(t *testing.T) string {
	t.Helper()
	file, err := WriteExample(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestExampleStudy(t *testing.T) {
	s, err := Load(unpack(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Stimuli) != 4 || s.ID != "runway-abstract" || len(s.Hash) != 64 {
		t.Fatalf("got %d stimuli, id %q, hash %q", len(s.Stimuli), s.ID, s.Hash)
	}
	// What make.sh asks of ffmpeg: 30 frames a second from 0 on, reordered in
	// the file (B-frames) but not in time.
	for _, want := range []struct {
		id      string
		seconds int
	}{{"silk", 6}, {"pleats", 7}, {"veil", 8}, {"velvet", 5}} {
		m, ok := s.Stimulus(want.id)
		if !ok {
			t.Errorf("no stimulus %s", want.id)
			continue
		}
		if m.Width != 360 || m.Height != 640 || !m.BT709 {
			t.Errorf("%s: %d x %d px, BT.709 %v; want 360 x 640, true", want.id, m.Width, m.Height, m.BT709)
		}
		if d := time.Duration(want.seconds) * time.Second; m.Duration != d {
			t.Errorf("%s lasts %s, want %s", want.id, m.Duration, d)
		}
		if len(m.FrameTimes) != 30*want.seconds {
			t.Fatalf("%s: %d frames, want %d", want.id, len(m.FrameTimes), 30*want.seconds)
		}
		for k, at := range m.FrameTimes {
			if exact := time.Duration(k) * time.Second / 30; (at - exact).Abs() > time.Microsecond {
				t.Fatalf("%s: frame %d at %s, want %s", want.id, k, at, exact)
			}
			// A browser rounds mediaTime to a microsecond.
			if got := m.Frame(at.Truncate(time.Microsecond)); got != k {
				t.Fatalf("%s: frame at %s is %d, want %d", want.id, at, got, k)
			}
		}
	}
	if _, ok := s.Stimulus("absent"); ok {
		t.Error("found a stimulus that is not there")
	}
}

func TestExampleIsNotOverwritten(t *testing.T) {
	file := unpack(t)
	dir := filepath.Dir(file)
	if _, err := WriteExample(dir); err != nil {
		t.Fatalf("a second time into the same folder: %v", err)
	}
	if err := os.WriteFile(file, []byte("id: mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteExample(dir); err == nil || !strings.Contains(err.Error(), "differs") {
		t.Errorf("over someone's own study: %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "id: mine\n" {
		t.Errorf("someone's own study became %q, %v", text, err)
	}
}

func TestStimuliOfTheFolder(t *testing.T) {
	file := unpack(t)
	if err := os.WriteFile(file, []byte("id: short\nstimuli: {folder: stimuli}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range s.Stimuli {
		ids = append(ids, m.ID)
	}
	if got := strings.Join(ids, " "); got != "pleats silk veil velvet" {
		t.Errorf("stimuli %q, want them in the order of their names", got)
	}
	if !strings.Contains(string(s.Canonical), `{id: "veil", file: "veil.mp4"`) {
		t.Errorf("the canonical form does not list what was found:\n%s", s.Canonical)
	}
}

func TestHashFollowsMeaningAndContent(t *testing.T) {
	file := unpack(t)
	load := func() *Study {
		t.Helper()
		s, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := load()

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	spelled := strings.Replace(string(text), "order: {method: williams}", "order: williams", 1) + "# a remark\n"
	if err := os.WriteFile(file, []byte(spelled), 0o644); err != nil {
		t.Fatal(err)
	}
	if load().Hash != first.Hash {
		t.Error("the hash changed with the spelling")
	}

	clip := filepath.Join(filepath.Dir(file), "stimuli", "silk.mp4")
	b, err := os.ReadFile(clip)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1 // in the coded pictures
	if err := os.WriteFile(clip, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if load().Hash == first.Hash {
		t.Error("the hash did not change with a clip")
	}
}

func TestLoadErrors(t *testing.T) {
	for _, c := range []struct{ name, list, want string }{
		{"missing file", "{id: gone}", "study.yaml:3: stimuli.list: stimulus gone: there is no file "},
		{"not a video", "{id: text, file: notes.txt}", "notes.txt: not an MP4 file; convert it with: emolab study import"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "study.yaml")
			if err := os.WriteFile(file, []byte("id: a\nstimuli: {folder: ., list: [\n"+c.list+"]}\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("these are notes, not a film"), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Load(file)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to hold %q", err, c.want)
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "study.yaml")); err == nil {
		t.Error("no error without a file")
	}
}

// All videos that cannot be used are named at once, each with what to do about it.
func TestAllVideosThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	good, err := os.ReadFile(filepath.Join(filepath.Dir(unpack(t)), "stimuli", "silk.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	none := []byte("This is no video.")
	for name, text := range map[string][]byte{
		"fine.mp4": good, "upright clip.mp4": good, "Été (1).mp4": none, "Ete-1.mp4": good, "fake.mp4": none, "fake-converted.mp4": good, "bad.mp4": none,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "study.yaml")
	lint := func(text string) string {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return report(Lint(file))
	}
	got := lint("id: s\nstimuli: {folder: .}\n")
	for _, want := range []string{
		"rename it with  mv -n '" + dir + "/upright clip.mp4' " + dir + "/upright-clip.mp4\n",
		"Ete-1.mp4 lies beside it: if that was made of it, move 'Été (1).mp4' out of this folder, else rename it\n",
		"fake.mp4 cannot be used, but fake-converted.mp4, made of it, lies beside it: move fake.mp4 out of this folder\n",
		"bad.mp4: not an MP4 file",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("does not say %q", want)
		}
	}
	if strings.Count(got, "\n") != 4 {
		t.Errorf("says:\n%s", got)
	}
	if got := lint("id: s\nstimuli:\n  folder: .\n  list: [{id: fake}]\n"); !strings.Contains(got, "write  file: fake-converted.mp4\n") {
		t.Errorf("says %s", got)
	}
	if got := lint("id: s\nstimuli:\n  folder: .\n  list: [{id: fin}]\n"); !strings.Contains(got, "fin.mp4; did you mean fine.mp4?\n") {
		t.Errorf("says %s", got)
	}
}
