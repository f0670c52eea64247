package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// kioskFlags show the participant's page on the participant's screen.
type kioskFlags struct {
	Kiosk  bool   `help:"Show the participant's page in Chromium, filling the participant's screen, and show it again if it is closed."`
	Screen corner `help:"Where the participant's screen begins on the desktop, in pixels: 1920,0 is to the right of a screen of 1920. Default: 0,0, the first screen." default:"0,0" placeholder:"X,Y"`
}

// corner is a place on the desktop, in pixels: "1920,0".
type corner struct{ X, Y int }

// UnmarshalText reads "1920,0". Screens may lie to the left of the first or above it.
func (c *corner) UnmarshalText(text []byte) error {
	x, y, ok := strings.Cut(string(text), ",")
	var err, err2 error
	c.X, err = strconv.Atoi(strings.TrimSpace(x))
	c.Y, err2 = strconv.Atoi(strings.TrimSpace(y))
	if !ok || err != nil || err2 != nil {
		return fmt.Errorf("%q: want X,Y in pixels, for example 1920,0", text)
	}
	return nil
}

const (
	// kioskPause is before a page that was closed is shown again, so that a browser that
	// cannot start does not keep the machine busy.
	kioskPause = 2 * time.Second
	// kioskLasts is how long a browser must have run to count as having started.
	kioskLasts = 5 * time.Second
	// kioskTries is how often in a row it may fail to start before that is given up.
	kioskTries = 5
)

// kioskStart lets the page begin without the key or tap that other pages need for full
// screen and sound: this one has both.
const kioskStart = "#autostart"

// kioskArguments are Chromium's, for the page at an address: nothing of a browser is
// seen, nothing pops up, two fingers neither zoom nor leave the page, sound needs no
// click, and no clip is throttled.
func kioskArguments(profile, url string, at corner) []string {
	args := []string{
		"--kiosk", "--app=" + url, "--user-data-dir=" + profile,
		"--incognito", "--disk-cache-dir=/dev/null", // what a participant types is not written to a profile
		fmt.Sprintf("--window-position=%d,%d", at.X, at.Y),
		"--autoplay-policy=no-user-gesture-required", "--noerrdialogs", "--disable-session-crashed-bubble",
		"--disable-pinch", "--overscroll-history-navigation=0",
		"--no-first-run", "--no-default-browser-check", "--disable-sync", "--disable-translate", "--disable-notifications",
		"--disable-background-networking", "--disable-component-update",
		"--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
		"--password-store=basic", // or the desktop's keyring asks for a password
	}
	if os.Getuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium's sandbox refuses to run as root
	}
	return args
}

// checkKiosk tells why the participant's page cannot be shown, if so.
func checkKiosk() error {
	if _, err := findBrowser(); err != nil {
		return fmt.Errorf("--kiosk: %w; or open the participant's address by hand, without --kiosk", err)
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return errors.New("--kiosk: there is no desktop here to show the page on: start Emolab from a terminal on the desktop, or set DISPLAY (for example DISPLAY=:0)")
	}
	return nil
}

// keepKiosk shows the participant's page until ctx ends, and shows it again whenever it
// is closed: Chromium in kiosk mode, each time with a fresh profile, of which nothing
// remains. It gives up with an error when Chromium ends at once several times in a row.
func keepKiosk(ctx context.Context, url string, at corner, log *slog.Logger) error {
	path, err := findBrowser()
	if err != nil {
		return err
	}
	return kiosk{path: path, url: url + kioskStart, at: at, pause: kioskPause, log: log}.keep(ctx)
}

// kiosk is the participant's page in a browser of its own.
type kiosk struct {
	path  string // of the browser
	url   string
	at    corner
	pause time.Duration // before it is shown again
	log   *slog.Logger
}

func (k kiosk) keep(ctx context.Context) error {
	for failed := 0; ; {
		began := time.Now()
		said, err := k.show(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) >= kioskLasts {
			failed = 0
		} else if failed++; failed == kioskTries {
			return fmt.Errorf("the participant's page cannot be shown: %s ended %d times as soon as it was started (%v); it last said: %s", k.path, kioskTries, err, said)
		}
		k.log.Warn("the participant's page was closed and is shown again", "reason", err)
		select {
		case <-time.After(k.pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// show shows the page once, until it is closed or ctx ends, and returns the last
// line that the browser said.
func (k kiosk) show(ctx context.Context) (said string, err error) {
	profile, err := os.MkdirTemp("", "emolab-kiosk-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(profile)
	var output lastLine
	command := exec.CommandContext(ctx, k.path, kioskArguments(profile, k.url, k.at)...)
	command.Stderr = &output
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C in the terminal is for Emolab alone
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = browserGrace
	err = command.Run()
	if err == nil {
		err = errors.New("somebody closed it")
	}
	return output.text(), err
}

// lastLine keeps the last line of what is written, as far as it is not too long.
type lastLine struct{ line, next []byte }

// longestLine bounds what is kept of one line.
const longestLine = 500 // bytes

// Write takes what a program says.
func (l *lastLine) Write(p []byte) (int, error) {
	for _, b := range p {
		switch {
		case b == '\n':
			if len(l.next) > 0 {
				l.line, l.next = l.next, nil
			}
		case len(l.next) < longestLine:
			l.next = append(l.next, b)
		}
	}
	return len(p), nil
}

func (l *lastLine) text() string {
	if len(l.next) > 0 {
		return string(l.next)
	}
	return string(l.line)
}
