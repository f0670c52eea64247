package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// browserName is the browser that the stage runs in when we start it ourselves.
const browserName = "chromium"

// findBrowser is where it is installed.
func findBrowser() (string, error) {
	for _, name := range []string{browserName, "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium is installed here: sudo apt install chromium")
}

// browserGrace is how long the browser may take to close.
const browserGrace = 5 * time.Second

// browser is a running headless browser.
type browser struct {
	command *exec.Cmd
	profile string
	output  *bytes.Buffer
	ended   chan struct{}
}

// openBrowser shows a page in headless Chromium, with a profile of its own that
// is deleted at the end.
func openBrowser(ctx context.Context, url string) (*browser, error) {
	path, err := findBrowser()
	if err != nil {
		return nil, fmt.Errorf("%w; or use --browser none", err)
	}
	profile, err := os.MkdirTemp("", "emolab-browser-*")
	if err != nil {
		return nil, err
	}
	b := &browser{profile: profile, output: &bytes.Buffer{}, ended: make(chan struct{})}
	args := []string{
		"--headless", "--user-data-dir=" + profile, "--window-size=1920,1080",
		"--autoplay-policy=no-user-gesture-required", "--disable-gpu",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
		"--disable-background-timer-throttling", "--disable-renderer-backgrounding",
		"--force-prefers-reduced-motion", // targets jump: no eyes have to follow them
	}
	if os.Getuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium's sandbox refuses to run as root
	}
	b.command = exec.CommandContext(ctx, path, append(args, url)...)
	b.command.Stderr = b.output
	b.command.Cancel = func() error { return b.command.Process.Signal(os.Interrupt) }
	b.command.WaitDelay = browserGrace
	if err := b.command.Start(); err != nil {
		os.RemoveAll(profile)
		return nil, fmt.Errorf("start %s: %w", browserName, err)
	}
	go func() {
		defer close(b.ended)
		_ = b.command.Wait() // it is ended by a signal: no news
	}()
	return b, nil
}

// close ends the browser and deletes its profile.
func (b *browser) close() error {
	_ = b.command.Process.Signal(os.Interrupt) // it may have ended already
	select {
	case <-b.ended:
	case <-time.After(browserGrace):
		_ = b.command.Process.Kill()
		<-b.ended
	}
	return os.RemoveAll(b.profile)
}
