package main

import (
	"os/signal"
	"syscall"
	"testing"
)

// Who closes the terminal in which the lab runs ends it in good order, as Ctrl-C does.
func TestAClosedTerminalEndsTheLab(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("whoever started this outlives its terminal, and so do those that it starts")
	}
	data := t.TempDir()
	lab := writeLab(t, "{driver: emobox, port: /dev/nothing}")
	p := start(t, "Ctrl-C", "serve", "--lab", lab, "--listen", "127.0.0.1:0", "--data", data)
	if err := p.command.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.end()
}
