package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/debugger"
	"github.com/chromedp/chromedp"

	"emolab/studies/browsertest"
)

// A console keeps drawing while a lab is recorded under load and 21 others watch, one of
// whom stands still in a debugger. EMOLAB_LOAD says for how many minutes; the figures are
// for a machine that does nothing else.
func TestConsoleUnderLoad(t *testing.T) {
	minutes := os.Getenv("EMOLAB_LOAD")
	if minutes == "" {
		t.Skip("EMOLAB_LOAD=10 watches a lab under load for ten minutes")
	}
	p := start(t, "token=", "bench", "console", "--hold", "--minutes", minutes)
	address := strings.TrimSpace(p.errOut.String())
	browser := browsertest.Start(t)
	open := func() *browsertest.Page {
		page := browser.Open(t, 1920, 1080, "ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET")
		page.Go(address)
		page.Until(`document.body.dataset.ready === "true"`)
		return page
	}
	page, still := open(), open()
	still.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, debugger.Enable, debugger.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, tab, debugger.Pause, cdp.Empty{})
		return err
	}))
	// Frames are counted where they are drawn, every second for as long as it lasts.
	browsertest.Value[bool](page, `(() => {
		window.counted = [];
		let frames = 0, since = performance.now();
		const frame = (now) => {
			requestAnimationFrame(frame);
			frames++;
			if (now - since >= 1000) { counted.push(1000 * frames / (now - since)); frames = 0; since = now; }
		};
		requestAnimationFrame(frame);
		return true;
	})()`)
	var seconds []float64
	for {
		select {
		case <-p.ended:
			var least, sum float64 = 1e9, 0
			for _, s := range seconds {
				least, sum = min(least, s), sum+s
			}
			t.Logf("%d seconds of frames: %.1f a second in the mean, %.1f in the worst second\n%s", len(seconds), sum/float64(len(seconds)), least, p.out.String())
			p.end()
			return
		case <-time.After(5 * time.Second):
			select {
			case <-p.ended:
			default:
				seconds = browsertest.Value[[]float64](page, `counted`)
			}
		}
	}
}
