package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// HostName is the name of the host program, a program of its own: see
// host/README.md.
const HostName = "emolab-simavr"

// ErrNoHost is what Find returns where there is no host program.
var ErrNoHost = errors.New("emulator: there is no " + HostName + " beside this program or in PATH: build it with make firmware (needs apt install gcc libsimavr-dev libelf-dev)")

// ErrNoSimavr is wrapped by BuildHost's error where the compiler or libsimavr is
// missing.
var ErrNoSimavr = errors.New("the AVR simulator cannot be compiled: apt install gcc pkg-config libsimavr-dev libelf-dev")

// Find returns the path of the host program: beside the running executable, or in
// PATH.
func Find() (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), HostName)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return beside, nil
		}
	}
	path, err := exec.LookPath(HostName)
	if err != nil {
		return "", ErrNoHost
	}
	return filepath.Abs(path)
}

// BuildHost compiles the host program from the folder of its sources
// (firmware-bridge/emulator/host) into the folder dir and returns its path. It
// needs gcc, pkg-config and Debian's libsimavr-dev and libelf-dev.
func BuildHost(ctx context.Context, sources, dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(sources, "*.c"))
	if err != nil {
		return "", fmt.Errorf("emulator: %w", err)
	}
	if len(files) == 0 {
		return "", fmt.Errorf("emulator: %s does not hold the sources of %s", sources, HostName)
	}
	for _, tool := range []string{"gcc", "pkg-config"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("emulator: %s: %w", tool, ErrNoSimavr)
		}
	}
	found, err := output(ctx, "pkg-config", "--cflags", "--libs", "simavr", "libelf")
	if err != nil {
		return "", fmt.Errorf("emulator: %w: %w", ErrNoSimavr, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("emulator: %w", err)
	}
	to := filepath.Join(dir, HostName)
	args := append([]string{"-std=c11", "-O2", "-pthread", "-Wall", "-Wextra", "-Werror", "-o", to}, files...)
	args = append(append(args, strings.Fields(found)...), "-lm")
	if _, err := output(ctx, "gcc", args...); err != nil {
		return "", fmt.Errorf("emulator: compile %s: %w", HostName, err)
	}
	return to, nil
}

// output runs a tool and returns what it printed. What it complained of is in
// the error.
func output(ctx context.Context, tool string, args ...string) (string, error) {
	var out, complaint bytes.Buffer
	c := exec.CommandContext(ctx, tool, args...)
	c.Stdout, c.Stderr = &out, &complaint
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", tool, err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}
