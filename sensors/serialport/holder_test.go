package serialport_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"emolab/fusion/instant"
	"emolab/sensors/serialport"
	"emolab/sensors/serialtest"
)

// A port that is open is held by this very process, and cannot be opened twice:
// by its exclusive mode, or, for root, by looking who has it.
func TestHeldPort(t *testing.T) {
	far := serialtest.Open(t)
	if held := serialport.Holders(far.Path()); len(held) != 0 {
		t.Fatalf("held by %v before it was opened", held)
	}
	p := open(t, serialport.Config{Path: far.Path()})
	held := serialport.Holders(far.Path())
	if len(held) != 1 || held[0].PID != os.Getpid() {
		t.Fatalf("held by %v, want this process", held)
	}
	_, err := serialport.Open(serialport.Config{Path: far.Path(), Clock: instant.Monotonic{}})
	if err == nil || !strings.Contains(err.Error(), "this program itself") {
		t.Errorf("second open: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if held := serialport.Holders(far.Path()); len(held) != 0 {
		t.Errorf("still held by %v", held)
	}
}

// A program that is started while a port is open does not get it.
func TestProgramsDoNotInheritThePort(t *testing.T) {
	far := serialtest.Open(t)
	p := open(t, serialport.Config{Path: far.Path()})
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Skip(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait() // killed, as was meant
	}()
	if held := serialport.Holders(far.Path()); len(held) != 1 || held[0].PID != os.Getpid() {
		t.Errorf("held by %v, want this process alone", held)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}
