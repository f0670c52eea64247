package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/studies/browsertest"
)

// Both pages in a real browser, through a whole session: the experimenter
// starts it in the console, the participant's page plays it, it is sealed, and
// neither page complains.
func TestServeInABrowser(t *testing.T) {
	needModels(t)
	browser := browsertest.Start(t)
	dir := t.TempDir()
	out := &watched{want: "Ctrl-C", seen: make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	var errOut bytes.Buffer
	go func() {
		ended <- run(ctx, []string{"serve", "--virtual", "--study", plainStudy(t), "--data", dir, "--listen", "127.0.0.1:0"}, out, &errOut)
	}()
	select {
	case <-out.seen:
	case code := <-ended:
		t.Fatalf("serve ended with %d:\n%s", code, errOut.String())
	case <-time.After(readyLimit):
		t.Fatal("serve did not start")
	}

	stage := browser.Open(t, 1280, 720, "ERR_CONNECTION_REFUSED")
	stage.Go(printed(t, out.String(), "participant"))
	stage.Until(`document.body.innerText.includes("Please wait")`)
	stage.Press(" ") // the gate: any key
	// The server is stopped at the end while the page is still open.
	console := browser.Open(t, 1600, 1000, "ERR_CONNECTION_REFUSED")
	console.Go(printed(t, out.String(), "console"))
	console.Until(`document.body.dataset.ready === "true"`)
	console.Screenshot("console-ready.png")
	console.Press("s")
	console.Until(`document.querySelector("dialog[open] input")`)
	console.Do(chromedp.KeyEvent("P7K2"))
	console.Until(`!document.querySelector("#start-go").disabled`) // the stage is connected
	console.Do(chromedp.KeyEvent(kb.Enter))
	// The participant is asked whether the video of the face may be kept. A key
	// counts from half a second after the question came.
	stage.Until(`document.body.dataset.view === "question"`)
	stage.Screenshot("stage-question.png")
	stage.Until(`performance.now() - (window.__asked ??= performance.now()) > 700`)
	stage.Press("n")
	stage.Until(`(() => { const v = document.querySelector("video"); return v && v.currentTime > 1.5 })()`)
	stage.Screenshot("stage-playing.png")
	console.Screenshot("console-recording.png")
	console.Until(`document.querySelector("#step-text").textContent.includes("3 of 3")`)
	stage.Until(`(() => { const v = document.querySelector("video"); return v && v.currentTime > 3 })()`)
	console.Screenshot("console.png") // the README's picture
	console.Until(`document.body.innerText.includes("sealed")`)
	console.Screenshot("console-sealed.png")

	stop()
	if code := <-ended; code != exitFine {
		t.Fatalf("serve ended with %d:\n%s", code, errOut.String())
	}
	// A no leaves no picture of the face behind.
	if _, err := os.Stat(filepath.Join(dir, "video")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("face video was kept against the participant's no: %v", err)
	}
	if code, _, errOut := emolab(t, "session", "reprocess", "last", "--video", "--data", dir); code != exitFailed || !strings.Contains(errOut, "not allowed") {
		t.Errorf("video that was not allowed: exit %d, %s", code, errOut)
	}
	// Two pages and the race detector leave the face nets little: frames are
	// skipped and counted, but every clip has its rows.
	if seen := traceOf(t, dir); len(seen) < 60 {
		t.Errorf("%d trace rows", len(seen))
	}
	bundles, err := filepath.Glob(filepath.Join(bundleDir(dir), "*.zip"))
	if err != nil || len(bundles) != 1 {
		t.Fatalf("bundles %v, %v", bundles, err)
	}
	if code, _, errOut := emolab(t, "bundle", "verify", bundles[0]); code != exitFine {
		t.Errorf("bundle verify: %s", errOut)
	}
}

// printed returns the address that serve printed after a word.
func printed(t *testing.T, out, word string) string {
	t.Helper()
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == word {
			return f[1]
		}
	}
	t.Fatalf("no %s address in:\n%s", word, out)
	return ""
}
