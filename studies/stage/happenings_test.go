package stage_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"emolab/fusion/stream"
	"emolab/studies/browsertest"
	"emolab/studies/stage"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// watched is a page that plays one clip.
type watched struct {
	*lab
	page *browsertest.Page
	show *showing
}

func playOne(t *testing.T, expected ...string) watched {
	t.Helper()
	st := exampleStudy(t)
	st.Stimuli = st.Stimuli[1:2] // the longer one
	w := watched{lab: newLab(t, stage.Options{})}
	w.page = window(t, expected...)
	w.page.Go(w.http.URL + "/stage#autostart")
	reads(w.page, "Please wait until the experimenter begins.")
	w.show = w.present(st, 1)
	w.until("the clip plays", w.at(5))
	return w
}

// at tells whether the clip has come to a frame.
func (w watched) at(k float64) func() bool {
	return func() bool {
		s, _ := w.samples()
		return len(s) > 0 && s[len(s)-1].Values[frame] >= k
	}
}

// rows returns the rows, and where those are that nobody knows.
func (w watched) rows() (rows []stream.Sample, unknown []int) {
	rows, _ = w.samples()
	for i, s := range rows {
		if math.IsNaN(s.Values[presentation]) {
			unknown = append(unknown, i)
		}
		if i > 0 && s.Tick < rows[i-1].Tick {
			w.t.Errorf("row %d goes back from tick %d to %d", i, rows[i-1].Tick, s.Tick)
		}
	}
	return rows, unknown
}

// finish waits for the end of the plan and looks for faults.
func (w watched) finish() {
	w.t.Helper()
	if err := w.show.end(); err != nil {
		w.t.Fatal(err)
	}
	if f := w.events(stream.Fault); len(f) > 0 {
		w.t.Errorf("faults: %v", f)
	}
}

// marker returns the first marker with the words.
func (w watched) marker(words string) stream.Event {
	w.t.Helper()
	all := w.events(stream.Marker)
	i := slices.IndexFunc(all, func(e stream.Event) bool { return strings.Contains(e.Detail, words) })
	if i < 0 {
		w.t.Fatalf("no marker says %q: %v", words, all)
	}
	return all[i]
}

// setWindow minimises the window of a page, which hides it, or brings it back.
func setWindow(p *browsertest.Page, state cdpbrowser.WindowState) {
	p.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		w, err := cdp.Call(ctx, tab, cdpbrowser.GetWindowForTarget, cdpbrowser.GetWindowForTargetParams{})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, tab, cdpbrowser.SetWindowBounds, cdpbrowser.SetWindowBoundsParams{
			WindowID: w.WindowID, Bounds: &cdpbrowser.Bounds{WindowState: state},
		})
		return err
	}))
}

// lifecycle freezes a page, as a browser does that saves power, or thaws it.
func lifecycle(p *browsertest.Page, state cdppage.SetWebLifecycleStateState) {
	p.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, cdppage.SetWebLifecycleState, cdppage.SetWebLifecycleStateParams{State: state})
		return err
	}))
}

// While the page is hidden nobody knows what is on the screen, and the recording
// says so, from then until the next frame that was really displayed. The browser
// plays on meanwhile, and counts on: nothing of that is lost.
func TestHiddenPageInChromium(t *testing.T) {
	t.Parallel()
	w := playOne(t)
	setWindow(w.page, cdpbrowser.WindowStateMinimized)
	w.until("the page is hidden", func() bool { return w.said(stream.Marker, "the page was hidden") })
	w.page.Until(`(() => { // it plays on unseen
		const at = document.querySelector("video").currentTime;
		globalThis.unseenFrom ??= at;
		return at > globalThis.unseenFrom + 1;
	})()`)
	setWindow(w.page, cdpbrowser.WindowStateNormal)
	w.until("the page is visible", func() bool { return w.said(stream.Marker, "the page is visible again") })
	w.until("the clip plays on", func() bool {
		rows, unknown := w.rows()
		return len(unknown) > 0 && len(rows) > unknown[0]+1
	})
	hasten(w.page)
	w.finish()

	rows, unknown := w.rows()
	if len(unknown) != 1 || unknown[0] == len(rows)-1 {
		t.Fatalf("rows %v of %d say that nobody knows, want one in the middle", unknown, len(rows))
	}
	k := unknown[0]
	hidden, shown := w.marker("the page was hidden"), w.marker("the page is visible again")
	// The markers are on the lab clock, which later pings may have put a little right.
	away := shown.At.Sub(hidden.At)
	if gap := time.Duration(rows[k+1].Tick-rows[k].Tick) * time.Microsecond; away < time.Second/2 || gap < away*9/10 {
		t.Errorf("hidden for %v by the markers, unknown for %v", away, gap)
	}
	last, next := rows[k-1].Values, rows[k+1].Values
	if next[frame]-last[frame] < 25 || next[presentedFrames]-last[presentedFrames] < 2 {
		t.Errorf("the clip went from frame %g to %g, by %g counted", last[frame], next[frame], next[presentedFrames]-last[presentedFrames])
	}
	for _, r := range rows[k : k+2] {
		if r.Seq != rows[k-1].Seq+1 && r.Seq != rows[k-1].Seq+2 {
			t.Errorf("row %d is number %d after %d", k, r.Seq, rows[k-1].Seq)
		}
	}
	if !w.said(stream.Marker, "went by while nobody could see the page") {
		t.Errorf("no marker counts the frames that nobody saw: %v", w.events(stream.Marker))
	}
}

// A page that the browser freezes says so before, and that it goes on. Its
// connection is gone by then, so the clip is shown again.
func TestFrozenPageInChromium(t *testing.T) {
	t.Parallel()
	w := playOne(t, "Page entered Back-Forward Cache")
	lifecycle(w.page, cdppage.SetWebLifecycleStateStateFrozen)
	w.until("the page is frozen", func() bool { return w.said(stream.Marker, "the browser froze the page") })
	lifecycle(w.page, cdppage.SetWebLifecycleStateStateActive)
	w.until("the page goes on", func() bool { return w.said(stream.Marker, "the browser lets the page go on") })
	setWindow(w.page, cdpbrowser.WindowStateMinimized)
	setWindow(w.page, cdpbrowser.WindowStateNormal) // thawed, it is not shown by itself
	w.until("the clip plays again", func() bool {
		rows, unknown := w.rows()
		return len(unknown) > 0 && len(rows) > unknown[0]+5 && rows[len(rows)-1].Values[frame] >= 3
	})
	hasten(w.page)
	w.finish()
	rows, unknown := w.rows()
	if len(unknown) != 1 || rows[unknown[0]-1].Values[frame] < 5 {
		t.Errorf("rows %v of %d say that nobody knows", unknown, len(rows))
	}
	if got := w.show.steps(); !slices.Equal(got, []int{1, 1, 2}) {
		t.Errorf("steps began in the order %v", got)
	}
}

// A clip that something else pauses or moves keeps its frame meanwhile, plays on by
// itself, and is never reported where it was not.
func TestPausedClipInChromium(t *testing.T) {
	t.Parallel()
	w := playOne(t)
	// Moved by the page as soon as it plays on: so the clip has been on the screen from its
	// beginning to `left` and from 5.5 s on, however busy the machine is.
	const to = 5.5
	left := browsertest.Value[float64](w.page, fmt.Sprintf(`(() => {
		const clip = document.querySelector("video");
		clip.addEventListener("playing", () => { clip.currentTime = %g; }, {once: true});
		clip.pause();
		return clip.currentTime;
	})()`, to))
	w.finish()

	// The clip may be a few frames on when the page comes to tell where it is.
	for _, words := range []string{"presentation 1 was paused", "presentation 1 plays on", "was sent to another place", "has come to that place (at 5.5"} {
		w.marker(words)
	}
	stood := w.marker("plays on").At.Sub(w.marker("was paused").At)
	if stood < time.Second/2 {
		t.Errorf("the clip stood for %v by the markers, and should for a second", stood)
	}
	rows, unknown := w.rows()
	if len(unknown) > 0 {
		t.Errorf("rows %v say that nobody knows", unknown)
	}
	held, before, after := time.Duration(0), 0, 0
	for i := 1; i < len(rows); i++ {
		a, b := rows[i-1], rows[i]
		if a.Values[presentation] != 1 || b.Values[presentation] != 1 {
			continue
		}
		held = max(held, time.Duration(b.Tick-a.Tick)*time.Microsecond)
		// A frame or two may be displayed before the move is done.
		switch at := time.Duration(b.Values[mediaNs]).Seconds(); {
		case at < left+.2:
			before++
		case at > to-.05:
			after++
		default:
			t.Errorf("a frame of %.3f s is said to be displayed: the clip went from %.3f to %g", at, left, to)
		}
	}
	// The markers are on the lab clock, which later pings may have put a little right.
	if held < stood*9/10 || before == 0 || after == 0 {
		t.Errorf("the clip stood for %v by the markers; a frame stayed for %v at most; %d frames before the move, %d after", stood, held, before, after)
	}
}

// The page does with its clip what the plan says, whatever keys there are.
func TestMediaKeysAreBlocked(t *testing.T) {
	t.Parallel()
	l := newLab(t, stage.Options{})
	page := window(t)
	page.Before(`window.taken = [];
		const take = navigator.mediaSession.setActionHandler.bind(navigator.mediaSession);
		navigator.mediaSession.setActionHandler = (action, does) => { take(action, does); window.taken.push(action); };`)
	page.Go(l.http.URL + "/stage")
	l.until("the page holds the stage", l.server.Connected)
	taken := browsertest.Value[[]string](page, "window.taken")
	for _, key := range []string{"play", "pause", "stop", "seekforward", "nexttrack"} {
		if !slices.Contains(taken, key) {
			t.Errorf("the key %s is not taken: %v", key, taken)
		}
	}
}

// A clip that follows another at once is not seen before its onset, and what is on the
// screen between the two is told.
func TestClipAfterClipInChromium(t *testing.T) {
	t.Parallel()
	st := exampleStudy(t)
	st.Flow = []study.Part{block(study.TrialPart{Action: study.Play})}
	l := newLab(t, stage.Options{})
	page := open(t, l.http.URL+"/stage#autostart")
	reads(page, "Please wait until the experimenter begins.")
	// What lies over a picture when it is first put on the page.
	page.Do(chromedp.Evaluate[chromedp.Void](`window.views = [];
		new MutationObserver((all) => all.forEach((m) => m.addedNodes.forEach(() => views.push(document.body.dataset.view))))
			.observe(document.getElementById("picture"), {childList: true})`))
	show := l.present(st, 0)
	plays := func(p float64) func() bool {
		return func() bool {
			s, _ := l.samples()
			return len(s) > 0 && s[len(s)-1].Values[presentation] == p
		}
	}
	for _, p := range []float64{1, 2} {
		l.until("the clip plays", plays(p))
		hasten(page)
	}
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if views := browsertest.Value[[]string](page, "views"); !slices.Equal(views, []string{"blank", "blank"}) {
		t.Errorf("clips were loaded under %q", views)
	}
	var course []float64
	rows, _ := l.samples()
	for _, r := range rows {
		course = append(course, r.Values[presentation])
	}
	if course = slices.Compact(course); !slices.Equal(course, []float64{0, 1, 0, 2, 0}) {
		t.Errorf("the screen showed the presentations %v", course)
	}
}

// A page that was hidden for long has counted many frames, and none of them is lost or
// a fault of the page.
func TestLongHiddenPage(t *testing.T) {
	l := newLab(t, stage.Options{Study: shortStudy(t, 10)})
	page := l.open(browser("1"))
	frames := func(presented int64, tick protocol.Tick) *protocol.Frames {
		return &protocol.Frames{Run: 1, Presentation: 1, Stimulus: "a", Rect: [4]float64{0, 0, 1, 1},
			Frames: []protocol.Frame{{Presented: presented, Expected: tick, Submitted: tick, Callback: tick}}}
	}
	page.say(frames(1, 5_000_000))
	page.say(&protocol.Unknown{Run: 1, Tick: 6_000_000})
	page.say(frames(1502, 56_000_000))
	l.until("the frame is there", func() bool { s, _ := l.samples(); return len(s) == 3 })
	rows, _ := l.samples()
	if rows[2].Seq != 2 || len(l.events(stream.Fault)) > 0 || len(l.events(stream.Lost)) > 0 {
		t.Errorf("row number %d, faults %v, lost %v", rows[2].Seq, l.events(stream.Fault), l.events(stream.Lost))
	}
	l.until("the frames are counted", func() bool { return l.said(stream.Marker, "1500 frames of a went by while nobody could see the page") })
	page.say(frames(5000, 57_000_000))
	l.until("too many in a visible page are a fault", func() bool { return l.said(stream.Fault, "from 1502 to 5000") })
}
