package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// StartCamera starts a headless browser for one test, with a camera that shows a moving
// pattern and that no page has to be allowed. It skips the test where no Chromium is
// installed.
func StartCamera(t testing.TB) *Browser {
	t.Helper()
	return start(t, chromedp.Headless, chromedp.WindowSize(windowWidth, windowHeight),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true))
}
