package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// workshop is the folder of what is built once for all tests; "" = nothing was.
var workshop string

func TestMain(m *testing.M) {
	code := m.Run()
	if err := os.RemoveAll(workshop); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, exitFailed)
	}
	os.Exit(code)
}

// buildOnce builds the program as a user does: without the race detector, which makes all
// of it several times slower, and times what they are not.
var buildOnce = sync.OnceValues(func() (string, error) {
	var err error
	if workshop, err = os.MkdirTemp("", "emolab-test-*"); err != nil {
		return "", err
	}
	program := filepath.Join(workshop, "emolab")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return program, nil
})

// build returns the program, which is built for the first test that asks for it.
func build(t *testing.T) string {
	t.Helper()
	program, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// program runs the built program as a process of its own, and returns its exit code and
// output.
func program(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	command := exec.CommandContext(t.Context(), build(t), args...)
	command.Stdout, command.Stderr = &o, &e
	if err := command.Run(); command.ProcessState == nil {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), o.String(), e.String()
}

// started is the built program while it runs a command.
type started struct {
	t           *testing.T
	out, errOut *watched
	stop        context.CancelFunc // asks it to end, as Ctrl-C does
	command     *exec.Cmd
	ended       chan struct{} // closed when it has ended
}

// start runs a command and returns when it has printed a word.
func start(t *testing.T, word string, args ...string) *started {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context())) // at the test's end it is asked, and then waited for
	p := &started{t: t, stop: stop, ended: make(chan struct{}), command: exec.CommandContext(ctx, build(t), args...),
		out: &watched{want: word, seen: make(chan struct{})}, errOut: &watched{want: word, seen: make(chan struct{})}}
	p.command.Stdout, p.command.Stderr = p.out, p.errOut
	p.command.Cancel = func() error { return p.command.Process.Signal(os.Interrupt) }
	p.command.WaitDelay = readyLimit // then it is killed
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.command.Wait() // how it ended is in its state
	}()
	t.Cleanup(func() { stop(); <-p.ended })
	select {
	case <-p.out.seen:
	case <-p.errOut.seen:
	case <-p.ended:
		p.fail("ended")
	case <-time.After(readyLimit):
		p.fail("has not said %q", word)
	}
	return p
}

func (p *started) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("emolab "+format+":\n%s%s", append(args, p.out.String(), p.errOut.String())...)
}

// end waits until the command has ended well.
func (p *started) end() {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(2 * readyLimit):
		p.fail("does not end")
	}
	if code := p.command.ProcessState.ExitCode(); code != exitFine {
		p.fail("ended with %d", code)
	}
}
