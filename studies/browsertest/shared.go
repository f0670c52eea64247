package browsertest

import (
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// Shared is a headless browser that the tests of a package have in common, because
// each start of one takes seconds. The zero value is ready: the first Open starts it.
type Shared struct {
	start   sync.Once
	browser *Browser
	err     error
	end     func()
}

// Open opens an empty page of that size in pixels, in a window and with cookies and
// storage of its own, so that tests do not disturb each other. Complaints that contain
// one of expected are no failure. It skips the test where no Chromium is installed.
func (s *Shared) Open(t testing.TB, width, height int64, expected ...string) *Page {
	t.Helper()
	s.start.Do(s.begin)
	if errors.Is(s.err, errNone) {
		t.Skip(s.err)
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.browser.open(t, width, height, expected, chromedp.WithNewBrowserContext())
}

func (s *Shared) begin() {
	profile, err := os.MkdirTemp("", "browsertest-")
	if err != nil {
		s.err = err
		return
	}
	s.end = func() { os.RemoveAll(profile) }
	browser, end, err := launch(profile, chromedp.Headless, chromedp.WindowSize(windowWidth, windowHeight))
	if err != nil {
		s.err = err
		return
	}
	s.browser = browser
	s.end = func() {
		end()
		os.RemoveAll(profile)
	}
}

// Close ends the browser, if it was started. No test may use it any more.
func (s *Shared) Close() {
	if s.end != nil {
		s.end()
	}
}
