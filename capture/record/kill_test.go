//go:build !nocv

package record

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"emolab/capture/frame"
)

// killedFolder names the folder into which the test binary, started by
// TestKilled, records until it is killed.
const killedFolder = "EMOLAB_RECORD_UNTIL_KILLED"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedFolder); dir != "" {
		recordUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// recordUntilKilled records ten times as fast as a camera delivers.
func recordUntilKilled(dir string) {
	tap := NewTap(30)
	if err := tap.Begin(dir, 0, 0); err != nil {
		panic(err)
	}
	in, out := make(chan frame.Frame), make(chan frame.Frame)
	go func() {
		if err := tap.Over(roll{frames: in}).Run(context.Background(), out); err != nil {
			panic(err)
		}
	}()
	for n := int64(0); ; n++ {
		f := film(n, 1)[0]
		f.Seq = n
		in <- f
		<-out
		settle(tap)
	}
}

// A process that is killed loses no more than the file that was open.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), killedFolder+"="+dir)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	// In the middle of the third file.
	var lines int
	late := time.After(60 * time.Second)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for lines < 160 {
		select {
		case <-look.C:
		case <-late:
			_ = command.Process.Kill()
			t.Fatal("the recording does not get on")
		}
		text, _ := os.ReadFile(tablePath(dir, 0)) // it may not be there yet
		lines = bytes.Count(text, []byte{'\n'})
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err == nil {
		t.Fatal("the process ended by itself")
	}
	text, err := os.ReadFile(tablePath(dir, 0))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := parseTable(text)
	if err != nil {
		t.Fatal(err)
	}
	last := entries[len(entries)-1]
	whole := 0
	for _, e := range entries {
		if e.file < last.file {
			whole++
		}
	}
	kept := all(t, dir)
	t.Logf("killed in file %d at frame %d; %d frames come back, %d of them of that file", last.file, last.frame, len(kept), len(kept)-whole)
	if len(kept) < whole || whole < 120 {
		t.Errorf("%d frames come back, want at least the %d of the files before", len(kept), whole)
	}
	for i, k := range kept {
		if k.Seq != int64(i) || number(k.Frame) != int64(i)&(1<<bits-1) {
			t.Fatalf("frame %d comes back as %d with the picture of %d", i, k.Seq, number(k.Frame))
		}
	}
}
