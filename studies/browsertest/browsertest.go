// Package browsertest drives our pages in a real Chromium, for tests: headless,
// or on a screen whose pixels can be read.
// A page that complains (an uncaught exception, an error or a warning in its
// console, a failed load) fails its test.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to show what a test waits for. It is
// generous: test machines are slow, and a test that fails waits only once.
const patience = 60 * time.Second

const (
	// lookAgain is when a page is looked at again that was being loaded.
	lookAgain = 20 * time.Millisecond
	// serverError is how DevTools refuse what they cannot do now: among it to evaluate
	// something in a document that is there no more, or not yet.
	serverError = -32000
)

// The window of a browser in pixels, which its pages take for the screen. Open
// gives each page a size of its own within it.
const windowWidth, windowHeight = 1920, 1080

// Browser is a running Chromium with a fresh profile.
type Browser struct{ ctx context.Context }

// Start starts a headless browser for one test. It skips the test where no
// Chromium is installed.
func Start(t testing.TB) *Browser {
	t.Helper()
	return start(t, chromedp.Headless, chromedp.WindowSize(windowWidth, windowHeight))
}

// StartOn starts a browser that fills a screen, as a participant's does, but for
// the last column and line: without a window manager Chromium leaves them free,
// lest one takes its window for a full screen. Its page is shown by Show. It skips
// the test where no Chromium is installed.
func StartOn(t testing.TB, s *Screen) *Browser {
	t.Helper()
	return start(t,
		chromedp.Env("DISPLAY="+s.Display), chromedp.WindowSize(s.Width, s.Height),
		chromedp.Flag("kiosk", true), chromedp.Flag("window-position", "0,0"),
		// Nothing of the browser's own may lie on the page.
		chromedp.NoDefaultBrowserCheck, chromedp.Flag("disable-infobars", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("ozone-platform", "x11"), chromedp.Flag("password-store", "basic"),
		chromedp.Flag("force-device-scale-factor", "1"), chromedp.Flag("force-color-profile", "srgb"))
}

// start starts a browser with some options of its own.
func start(t testing.TB, own ...chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	b, end, err := launch(t.TempDir(), own...)
	if errors.Is(err, errNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return b
}

var errNone = errors.New("no Chromium is installed: apt install chromium")

// launch starts a browser, whose profile is in a folder, until end is called.
func launch(profile string, own ...chromedp.ExecAllocatorOption) (b *Browser, end func(), err error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, nil, errNone
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(profile),
		chromedp.WSURLReadTimeout(patience), // several browsers may start at once
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("lang", "en"),
	}
	for _, f := range []string{
		"disable-background-networking", "disable-component-update", "disable-sync", "disable-extensions", "mute-audio",
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
	} {
		options = append(options, chromedp.Flag(f, true))
	}
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // the sandbox refuses to run as root
	}
	ctx, endAllocator := chromedp.NewExecAllocator(context.Background(), append(options, own...)...)
	ctx, endBrowser := chromedp.NewContext(ctx)
	end = func() {
		endBrowser()
		endAllocator()
	}
	if err := chromedp.Do(ctx); err != nil {
		end()
		return nil, nil, fmt.Errorf("start %s: %w", path, err)
	}
	return &Browser{ctx}, end, nil
}

// Page is one page in a tab of its own.
type Page struct {
	t   testing.TB
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// Open opens an empty page of that size in pixels. Complaints that contain one
// of expected are no failure.
func (b *Browser) Open(t testing.TB, width, height int64, expected ...string) *Page {
	t.Helper()
	return b.open(t, width, height, expected)
}

func (b *Browser) open(t testing.TB, width, height int64, expected []string, in ...chromedp.ContextOption) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, in...)
	t.Cleanup(cancel)
	p := b.page(t, ctx, expected)
	p.Do(chromedp.EmulateViewport(width, height))
	return p
}

// Show returns the page that the browser began with, which fills the screen of
// StartOn. Complaints that contain one of expected are no failure.
func (b *Browser) Show(t testing.TB, expected ...string) *Page {
	t.Helper()
	return b.page(t, b.ctx, expected)
}

// page watches a tab for complaints.
func (b *Browser) page(t testing.TB, ctx context.Context, expected []string) *Page {
	t.Helper()
	p := &Page{t: t, ctx: ctx}
	err := chromedp.Listen(ctx, func(ev any) {
		text := complaint(ev)
		for _, e := range expected {
			if strings.Contains(text, e) {
				return
			}
		}
		if text != "" {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.complaints = append(p.complaints, text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.complaints {
			t.Errorf("the page complained: %s", c)
		}
	})
	return p
}

// complaint returns what an event of a page complains about; "" for any other.
func complaint(ev any) string {
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		return text
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var words []string
			for _, a := range e.Args {
				words = append(words, string(a.Value)+a.Description)
			}
			return fmt.Sprintf("console.%s %s", e.Type, strings.Join(words, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			return e.Entry.Text + " " + e.Entry.URL
		}
	}
	return ""
}

// Do runs steps.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// Before has a script run at the beginning of every document that the page opens from now
// on, before any script of its own.
func (p *Page) Before(script string) {
	p.t.Helper()
	p.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

// Go opens an address.
func (p *Page) Go(address string) {
	p.t.Helper()
	p.Do(chromedp.Navigate(address))
}

// Until waits until a JavaScript expression is true, looking every 20 ms, also while the
// page loads itself anew.
func (p *Page) Until(expression string) {
	p.t.Helper()
	const look = `new Promise((resolve) => {
		const end = performance.now() + %d;
		const look = () => { if (document.readyState !== "loading" && (%s)) resolve(true); else if (performance.now() > end) resolve(false); else setTimeout(look, 20); };
		look();
	})`
	ctx, cancel := context.WithTimeout(p.ctx, 2*patience)
	defer cancel()
	end := time.Now().Add(patience)
	for {
		js := fmt.Sprintf(look, max(0, time.Until(end)).Milliseconds(), expression)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js, chromedp.EvalAwaitPromise))
		if err == nil && ok {
			return
		}
		if leftBehind(err) && time.Now().Before(end) {
			time.Sleep(lookAgain)
			continue
		}
		words := p.words() // without the lock, which its events take
		p.mu.Lock()
		defer p.mu.Unlock()
		p.t.Fatalf("waited for %s (%v); the page shows:\n%s\nand complained: %q", expression, err, words, p.complaints)
	}
}

// leftBehind tells whether a question was not answered because the document that it was
// asked of has made place for another one.
func leftBehind(err error) bool {
	var refused *cdproto.Error
	return errors.As(err, &refused) && refused.Code == serverError
}

// words is the text that the page shows.
func (p *Page) words() string {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// Value evaluates a JavaScript expression on a page. A promise is waited for.
func Value[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Press strokes a key. The raw event leaves it to the page whether a character
// comes of it, as a real keyboard does.
func (p *Page) Press(key string) {
	p.t.Helper()
	p.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
			stroke := input.DispatchKeyEventParams{Type: kind, Key: key, WindowsVirtualKeyCode: int64(strings.ToUpper(key)[0])}
			if upper := strings.ToUpper(key); upper == key && strings.ToLower(key) != key {
				stroke.Modifiers = int64(chromedp.ModifierShift)
			}
			if _, err := cdp.Call(ctx, tab, input.DispatchKeyEvent, stroke); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Picture returns what the page shows, as PNG.
func (p *Page) Picture() []byte {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatalf("screenshot: %v", err)
	}
	return png
}

// ScreenshotFolder is where screenshots are kept: the folder that
// EMOLAB_SCREENSHOTS names, "" for none.
func ScreenshotFolder() string { return os.Getenv("EMOLAB_SCREENSHOTS") }

// Screenshot keeps a picture of what the page shows, as PNG, if there is a
// ScreenshotFolder.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	p.keep(name, chromedp.CaptureScreenshot())
}

// LongScreenshot keeps a picture of the whole page, with what lies below the
// window's edge.
func (p *Page) LongScreenshot(name string) {
	p.t.Helper()
	p.keep(name, chromedp.FullScreenshot(100))
}

func (p *Page) keep(name string, shoot chromedp.Action[[]byte]) {
	p.t.Helper()
	folder := ScreenshotFolder()
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, shoot)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name), png, 0o600)
	}
	if err != nil {
		p.t.Fatalf("screenshot: %v", err)
	}
}
