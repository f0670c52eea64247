package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// StartCamera starts a headless browser for one test, with a camera that shows a moving
// pattern, or a film if one is named, and that no page has to be allowed. A film is a file
// of JPEG pictures one after the other, named .mjpeg, and is shown 30 pictures a second,
// again and again. It skips the test where no Chromium is installed.
func StartCamera(t testing.TB, film ...string) *Browser {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{chromedp.Headless, chromedp.WindowSize(windowWidth, windowHeight),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true)}
	for _, f := range film {
		options = append(options, chromedp.Flag("use-file-for-fake-video-capture", f))
	}
	return start(t, options...)
}
