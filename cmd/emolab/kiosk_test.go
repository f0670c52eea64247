package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCorner(t *testing.T) {
	for _, c := range []struct {
		text string
		want corner
		fine bool
	}{
		{"1920,0", corner{1920, 0}, true},
		{"-1080, 20", corner{-1080, 20}, true},
		{"1920", corner{}, false},
		{"a,b", corner{}, false},
		{"1,2,3", corner{}, false},
		{"", corner{}, false},
	} {
		var got corner
		err := got.UnmarshalText([]byte(c.text))
		if (err == nil) != c.fine || c.fine && got != c.want {
			t.Errorf("%q: %v, %v", c.text, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), "1920,0") {
			t.Errorf("%q: %v: want an example", c.text, err)
		}
	}
}

func TestKioskArguments(t *testing.T) {
	args := kioskArguments("/p", "http://127.0.0.1:1/stage?token=t", corner{1920, -5})
	for _, want := range []string{"--kiosk", "--app=http://127.0.0.1:1/stage?token=t", "--user-data-dir=/p", "--window-position=1920,-5", "--autoplay-policy=no-user-gesture-required"} {
		if !slices.Contains(args, want) {
			t.Errorf("%v: want %s", args, want)
		}
	}
}

// pretender writes a program that takes Chromium's place and notes each start, and
// returns it with the file of notes.
func pretender(t *testing.T, then string) (program, notes string) {
	t.Helper()
	dir := t.TempDir()
	program, notes = filepath.Join(dir, "chromium"), filepath.Join(dir, "notes")
	text := "#!/bin/sh\necho \"$@\" >> " + notes + "\n" + then + "\n"
	if err := os.WriteFile(program, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return program, notes
}

func TestKioskThatCannotStart(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	program, notes := pretender(t, "echo ignored >&2\necho no display >&2\nexit 3")
	k := kiosk{path: program, url: "http://127.0.0.1:1/stage", pause: time.Millisecond, log: slog.New(slog.DiscardHandler)}
	err := k.keep(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no display") || !strings.Contains(err.Error(), "exit status 3") {
		t.Fatalf("%v: want what the browser said", err)
	}
	b, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), "--kiosk"); n != kioskTries {
		t.Errorf("started %d times, want %d", n, kioskTries)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "emolab-kiosk-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("profiles are left: %v, %v", left, err)
	}
}

func TestKioskEndsWithTheLab(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	program, notes := pretender(t, "exec sleep 600")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	k := kiosk{path: program, url: "http://127.0.0.1:1/stage", pause: time.Millisecond, log: slog.New(slog.DiscardHandler)}
	go func() { ended <- k.keep(ctx) }()
	awaitFile(t, notes)
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the browser did not end with the lab")
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "emolab-kiosk-*")); len(left) > 0 {
		t.Errorf("profiles are left: %v", left)
	}
}

// awaitFile waits until a file has something in it.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s was never written", path)
		}
	}
}

func TestKioskWithoutADesktop(t *testing.T) {
	program, _ := pretender(t, "exit 0")
	t.Setenv("PATH", filepath.Dir(program))
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	if err := checkKiosk(); err == nil || !strings.Contains(err.Error(), "desktop") {
		t.Errorf("%v: want that there is no desktop", err)
	}
	t.Setenv("DISPLAY", ":0")
	if err := checkKiosk(); err != nil {
		t.Error(err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := checkKiosk(); err == nil || !strings.Contains(err.Error(), "apt install chromium") {
		t.Errorf("%v: want how to get a browser", err)
	}
}
