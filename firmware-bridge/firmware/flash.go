package firmware

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// board is a circuit board with the chip and a boot loader on it.
type board struct {
	name string
	baud int // of its boot loader
}

// boards returns those that Flash knows, the usual one first.
func boards() []board {
	return []board{
		{"uno", 115200},     // Uno R3 and copies
		{"nano", 115200},    // with the boot loader of 2018 and later, Optiboot
		{"nano-old", 57600}, // with the older boot loader, as most copies have
	}
}

// FlashOptions say what to write where.
type FlashOptions struct {
	Hex   string // path of the image, from Build
	Port  string // path of the board's port
	Board string // "uno", "nano" or "nano-old"; "" = the first
	// Progress takes what avrdude prints while it works; nil = nobody.
	Progress io.Writer
}

// ErrNoProgrammer is wrapped by Flash's error where avrdude is missing.
var ErrNoProgrammer = errors.New("the programmer is not installed: apt install avrdude")

// Flash writes an image to a board through its boot loader, and reads it back to
// compare. Nobody else may have the port open.
func Flash(ctx context.Context, o FlashOptions) error {
	b, err := find(o.Board)
	if err != nil {
		return err
	}
	if _, err := exec.LookPath("avrdude"); err != nil {
		return fmt.Errorf("firmware: %w", ErrNoProgrammer)
	}
	if _, err := os.Stat(o.Hex); err != nil {
		return fmt.Errorf("firmware: the image: %w: build it with emolab firmware build", err)
	}
	if _, err := os.Stat(o.Port); err != nil {
		return fmt.Errorf("firmware: the port: %w: emolab devices lists those that exist", err)
	}
	var said bytes.Buffer
	progress := io.Writer(&said)
	if o.Progress != nil {
		progress = io.MultiWriter(&said, o.Progress)
	}
	c := exec.CommandContext(ctx, "avrdude", arguments(b, o.Port, o.Hex)...)
	c.Stdout, c.Stderr = progress, progress
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("firmware: flashing was stopped, the board may hold half a program: flash it again: %w", ctx.Err())
		}
		return fmt.Errorf("firmware: flash %s on %s: %w: %s", b.name, o.Port, err, advice(said.String(), b))
	}
	return nil
}

func find(name string) (board, error) {
	all := boards()
	if name == "" {
		return all[0], nil
	}
	var names []string
	for _, b := range all {
		if b.name == name {
			return b, nil
		}
		names = append(names, b.name)
	}
	return board{}, fmt.Errorf("firmware: no board is called %q: use one of %s", name, strings.Join(names, ", "))
}

// arguments of avrdude: -c arduino resets the board by DTR, -D leaves out the
// erasing of the whole chip, which a boot loader cannot do.
func arguments(b board, port, hex string) []string {
	return []string{"-p", "m328p", "-c", "arduino", "-P", port, "-b", strconv.Itoa(b.baud), "-D", "-U", "flash:w:" + hex + ":i"}
}

// advice turns avrdude's complaint into what to do about it.
func advice(said string, b board) string {
	switch {
	case strings.Contains(said, "ermission denied"):
		return "no permission for the port: join its group (dialout on Debian) and log in again"
	case strings.Contains(said, "resource busy"):
		return "the port is in use: end the program that has it open"
	case strings.Contains(said, "not in sync"), strings.Contains(said, "not responding"), strings.Contains(said, "programmer is not responding"):
		if b.name == "nano" {
			return "the boot loader does not answer: most copies of the Nano need --board nano-old"
		}
		return "the boot loader does not answer: check the board (uno, nano, nano-old) and the port"
	case strings.Contains(said, "verification error"), strings.Contains(said, "mismatch"):
		return "what was written reads back differently: flash again, with another cable if it repeats"
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return "avrdude said: " + strings.TrimSpace(lines[len(lines)-1])
}
