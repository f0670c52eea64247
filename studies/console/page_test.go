package console

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
)

var shots = flag.String("shots", "", "folder to keep screenshots of the page in")

// pageTime bounds one test of the page.
const pageTime = 90 * time.Second

// browser opens the console of a lab in a fresh Chromium. What the page
// complains about fails the test.
func browser(t *testing.T, l *lab) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium found; the page is not tested")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 800),
	}
	for _, f := range []string{"disable-background-networking", "disable-component-update", "disable-sync", "disable-extensions", "mute-audio"} {
		options = append(options, chromedp.Flag(f, true))
	}
	ctx, cancel := context.WithTimeout(context.Background(), pageTime)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)

	var mu sync.Mutex
	var complaints []string
	complain := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		complaints = append(complaints, text)
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range complaints {
			t.Errorf("the page complained: %s", c)
		}
	})
	err := chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += " " + e.ExceptionDetails.Exception.Description
			}
			complain(text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				complain(fmt.Sprintf("console.%s %s", e.Type, e.Args[0].Value))
			}
		case *log.EventEntryAdded:
			// A refused command is an error in the browser's log, and rightly so.
			if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "422") {
				complain(e.Entry.Text + " " + e.Entry.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.Navigate(l.server.URL+"/?token="+testToken))
	until(t, ctx, "the page to have a status", `document.body.dataset.ready === "true"`)
	return ctx
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// until waits for an expression of the page to be true, looking at each of its
// animation frames.
func until(t *testing.T, ctx context.Context, what, expression string) {
	t.Helper()
	js := fmt.Sprintf(`new Promise((resolve) => {
		const end = performance.now() + 20000;
		const look = () => { if (%s) resolve(true); else if (performance.now() > end) resolve(false); else requestAnimationFrame(look); };
		look();
	})`, expression)
	ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js, chromedp.EvalAwaitPromise))
	if err != nil || !ok {
		t.Fatalf("waited for %s: %v (%v)", what, ok, err)
	}
}

// press is one stroke of a key. The raw event leaves it to the page whether a
// character comes of it, as a real keyboard does.
func press(t *testing.T, ctx context.Context, key string) {
	t.Helper()
	do(t, ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
			p := input.DispatchKeyEventParams{Type: kind, Key: key, WindowsVirtualKeyCode: int64(strings.ToUpper(key)[0])}
			if strings.ToUpper(key) == key {
				p.Modifiers = int64(chromedp.ModifierShift)
			}
			if _, err := cdp.Call(ctx, tab, input.DispatchKeyEvent, p); err != nil {
				return err
			}
		}
		return nil
	}))
}

func text(t *testing.T, ctx context.Context, id string) string {
	t.Helper()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.getElementById(%q).textContent`, id)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// await waits for the operator's next command.
func (f *fakeOperator) await(t *testing.T, want string) {
	t.Helper()
	select {
	case <-f.changed:
	case <-time.After(patience):
		t.Fatalf("the operator was not told %q", want)
	}
	if said := f.said(); said[len(said)-1] != want {
		t.Fatalf("the operator was told %q, want %q", said[len(said)-1], want)
	}
}

// startPage runs a lab with the synthetic feed behind it.
func startPage(t *testing.T, status session.Status, lead time.Duration) *lab {
	t.Helper()
	clock := instant.Monotonic{}
	l := startLab(t, Options{Stage: clips(t), Clock: clock, Streams: []stream.Info{edaInfo(), gazeInfo(), faceInfo(), stimulusInfo()}})
	l.operator.change(func(s *session.Status) { *s = status })
	ctx, cancel := context.WithCancel(context.Background())
	var playing sync.WaitGroup
	playing.Go(func() {
		if err := l.playLive(ctx, clock, lead); err != nil && ctx.Err() == nil {
			t.Errorf("the feed: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); playing.Wait() })
	return l
}

// ink counts the pixels of a strip that are strongly unlike its background: the
// lines, not the grid.
const ink = `(id) => {
	const c = document.querySelector("#" + id + " canvas");
	const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200 && (d[i] < 120 || d[i + 1] < 120 || d[i + 2] < 120)) n++;
	return n;
}`

func TestPageThroughASession(t *testing.T) {
	l := startPage(t, labStatus(), 0)
	ctx := browser(t, l)

	for _, id := range []string{"strip-expression", "strip-valence", "strip-eda", "strip-gaze"} {
		until(t, ctx, "lines in "+id, fmt.Sprintf(`(%s)(%q) > 300`, ink, id))
	}
	if got := text(t, ctx, "stream-eda-words"); !strings.Contains(got, "simulated") || !strings.Contains(got, "ok") {
		t.Errorf("the skin-conductance stream says %q", got)
	}
	if got := text(t, ctx, "stream-eda-drift"); got != "+2003" && got != "+2,003" {
		t.Errorf("drift %q", got)
	}
	if got := text(t, ctx, "no-alarms"); !strings.Contains(got, "No alarms") {
		t.Errorf("alarms: %q", got)
	}

	// Start by keyboard: S, the code, Enter. The S must not stand in the field.
	press(t, ctx, "s")
	until(t, ctx, "the start dialog", `document.getElementById("start-dialog").open`)
	do(t, ctx, chromedp.KeyEvent("P-7K2"), chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P-7K2")
	until(t, ctx, "the recording to show", `document.getElementById("state-text").textContent.startsWith("REC 00:00:0")`)
	if got := text(t, ctx, "participant"); got != "P-7K2" {
		t.Errorf("participant %q", got)
	}
	until(t, ctx, "the first clip in the mirror", `document.getElementById("step-text").textContent === "Clip 1 of 3" && !document.getElementById("picture").hidden`)
	if _, err := os.Stat(filepath.Join("..", "study", "example", "stimuli", "silk.mp4")); err == nil {
		until(t, ctx, "the clip to move", `[...document.querySelectorAll("#picture video")].some((v) => !v.hidden && v.currentTime > 0.3 && !v.paused)`)
	}

	// A reload loses nothing.
	do(t, ctx, chromedp.Reload())
	until(t, ctx, "the recording after a reload", `document.getElementById("state-text").textContent.startsWith("REC 00:00:")`)
	until(t, ctx, "the past after a reload", fmt.Sprintf(`(%s)("strip-eda") > 600`, ink))

	// A touch of X does not stop; the dialog does.
	press(t, ctx, "x")
	do(t, ctx, chromedp.Click(chromedp.CSS("#stop")))
	until(t, ctx, "the stop dialog", `document.getElementById("stop-dialog").open`)
	if said := l.operator.said(); len(said) != 1 {
		t.Errorf("a touch of X was a command: %q", said)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("#stop-dialog .danger")))
	l.operator.await(t, "stop "+defaultReason)
	until(t, ctx, "the outcome", `document.getElementById("outcome").textContent.includes("Safe to remove electrodes")`)
}

func TestPageComesBackAndStopsWhenXIsHeld(t *testing.T) {
	status := labStatus()
	status.State, status.Participant, status.SessionID = session.Recording, "P-1", "s1"
	l := startPage(t, status, 5*time.Second)
	ctx := browser(t, l)

	// The connection breaks: the page says so, and comes back by itself.
	for _, v := range l.hub.list() {
		v.dismiss()
	}
	until(t, ctx, "the lost connection to be told", `document.getElementById("banner").textContent.includes("goes on without this screen")`)
	until(t, ctx, "the connection to be back", `document.getElementById("banner").hidden && !document.body.classList.contains("down")`)

	do(t, ctx, chromedp.Evaluate[chromedp.Void](`dispatchEvent(new KeyboardEvent("keydown", { key: "x" }))`))
	l.operator.await(t, "stop "+defaultReason)
}

func TestPageOffersRecoveredSessionsAndSaysWhyNot(t *testing.T) {
	status := labStatus()
	status.Recovered = []session.Summary{{ID: "s9", Participant: "P-9", State: session.Recovered, Started: time.Now(), Duration: 192 * time.Second}}
	status.Stage = false
	status.Alarms = []session.Alarm{
		{ID: "gaze/disconnected", Severity: session.Major, Text: "Eye tracker is not connected", Advice: "Check cable and power."},
		{ID: "stimulus/disconnected", Severity: session.Major, Text: "Participant's screen is not connected", Advice: "Open the stage page."},
	}
	status.Streams[1].Connected = false
	l := startPage(t, status, 0)
	ctx := browser(t, l)

	until(t, ctx, "two alarms", `document.querySelectorAll("#alarm-list li.major").length === 2`)
	if got := text(t, ctx, "stream-gaze-words"); !strings.Contains(got, "not connected") {
		t.Errorf("the unplugged eye tracker says %q", got)
	}
	press(t, ctx, "s")
	until(t, ctx, "what is missing", `document.getElementById("checks").textContent.includes("screen is not open")`)
	do(t, ctx, chromedp.KeyEvent("P1"))
	until(t, ctx, "start to stay shut", `document.getElementById("start-go").disabled`)
	l.operator.change(func(s *session.Status) { s.Stage, s.Alarms = true, s.Alarms[:1] })
	until(t, ctx, "start to open", `!document.getElementById("start-go").disabled`)

	l.operator.mu.Lock()
	l.operator.refuse = errRefused
	l.operator.mu.Unlock()
	do(t, ctx, chromedp.KeyEvent(kb.Enter))
	l.operator.await(t, "start P1")
	until(t, ctx, "the reason", `document.getElementById("start-error").textContent.includes("the disk is nearly full")`)
	l.operator.mu.Lock()
	l.operator.refuse = nil
	l.operator.mu.Unlock()
	do(t, ctx, chromedp.KeyEvent(kb.Escape))
	until(t, ctx, "the dialog to close", `!document.getElementById("start-dialog").open`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#recovered button").click()`))
	l.operator.await(t, "continue s9")
}

// TestPageLooks takes the screenshots that a person looks at: go test -run
// Looks -shots DIR.
func TestPageLooks(t *testing.T) {
	if *shots == "" {
		t.Skip("screenshots are taken with -shots DIR only")
	}
	recording := labStatus()
	recording.State, recording.Participant, recording.SessionID = session.Recording, "P-7K2", "20261122-091503-P-7K2"
	done := time.Now().Add(-3 * time.Hour)
	list := []session.Summary{
		{ID: "a", Participant: "P-3QX", State: session.Sealed, Started: done, Duration: 461 * time.Second, Segments: 1, Bundle: "/d/a.zip", Simulated: true},
		{ID: "b", Participant: "P-9ZT", State: session.Sealed, Started: done.Add(time.Hour), Duration: 455 * time.Second, Segments: 2, Bundle: "/d/b.zip"},
		{ID: "c", Participant: "P-1AB", State: session.Failed, Started: done.Add(90 * time.Minute), Duration: 31 * time.Second, Segments: 1, Reason: "disk"},
		{ID: "20261122-091503-P-7K2", Participant: "P-7K2", State: session.Recording, Started: time.Now(), Segments: 1},
	}
	troubled := recording
	troubled.Streams = append([]session.Health(nil), recording.Streams...)
	troubled.Streams[0].Connected, troubled.Streams[0].Remark = false, "cable pulled"
	troubled.Streams[1].Clock.BoundMs = 31
	troubled.DiskHours = 1.4
	troubled.Alarms = []session.Alarm{
		{ID: "eda/disconnected", Severity: session.Major, Text: "Skin-conductance sensor is not connected", Advice: "Check cable and power at /dev/pts/3; it is picked up again by itself."},
		{ID: "gaze/clock", Severity: session.Minor, Text: "Eye tracker: time known to ±31 ms only", Advice: "It narrows within seconds of a connection; if it stays, the computer is too busy."},
	}
	ready := labStatus()
	ready.LastOutcome = &session.Outcome{SessionID: "b", State: session.Sealed, Bundle: "/d/b.zip"}
	ready.Recovered = []session.Summary{{ID: "s9", Participant: "P-9", State: session.Recovered, Started: done, Duration: 192 * time.Second}}

	for _, c := range []struct {
		name   string
		status session.Status
		open   string // a key to press first
	}{{"recording", recording, ""}, {"troubled", troubled, ""}, {"ready", ready, ""}, {"start", ready, "s"}, {"stop", recording, "S"}} {
		l := startPage(t, c.status, 14500*time.Millisecond)
		l.operator.mu.Lock()
		l.operator.sessions = list
		l.operator.mu.Unlock()
		ctx := browser(t, l)
		until(t, ctx, "lines", fmt.Sprintf(`(%s)("strip-gaze") > 300`, ink))
		if c.open != "" {
			press(t, ctx, c.open)
		}
		for _, theme := range []string{"light", "dark"} {
			do(t, ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
				_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
				return err
			}))
			for _, size := range [][2]int64{{1280, 800}, {1920, 1080}, {390, 844}, {3840, 2160}} {
				if c.open != "" && size[0] != 1280 && size[0] != 390 {
					continue
				}
				do(t, ctx, chromedp.EmulateViewport(size[0], size[1]))
				until(t, ctx, "the strips at their size", fmt.Sprintf(`innerWidth === %d && (%s)("strip-gaze") > 100`, size[0], ink))
				until(t, ctx, "two more frames", `(window.framesSeen = (window.framesSeen ?? 0) + 1) % 30 === 0`)
				shoot := chromedp.CaptureScreenshot()
				if size[0] < 500 {
					shoot = chromedp.FullScreenshot(100)
				}
				png, err := chromedp.Run(ctx, shoot)
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(*shots, fmt.Sprintf("%s-%s-%d.png", c.name, theme, size[0]))
				if err := os.WriteFile(file, png, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
