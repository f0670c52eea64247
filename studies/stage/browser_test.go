package stage_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"emolab/fusion/stream"
	"emolab/studies/browsertest"
	"emolab/studies/stage"
	"emolab/studies/study"
)

// chromium is the browser of all tests of this package.
var chromium browsertest.Shared

// atOnce is how many tests run at a time, unless -parallel says so. They wait for clips
// and for pages more than they compute; more of them are slower on two processors.
const atOnce = 4

func TestMain(m *testing.M) {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	chromium.Close()
	os.Exit(code)
}

// window opens an empty page of 1280 x 800 px. Complaints that contain one of expected
// are no failure.
func window(t *testing.T, expected ...string) *browsertest.Page {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: a browser shows whole pages")
	}
	page := chromium.Open(t, 1280, 800, expected...)
	page.Before(noteChange)
	return page
}

// noteChange keeps when the page last changed to another view, for settled, and which views
// there were, for passed.
const noteChange = `addEventListener("DOMContentLoaded", () => {
	globalThis.changed = performance.now();
	globalThis.viewsSeen = [];
	new MutationObserver(() => {
		globalThis.changed = performance.now();
		globalThis.viewsSeen.push(document.body.dataset.view);
	}).observe(document.body, {attributeFilter: ["data-view"]});
});`

// reading is how long the page leaves words to who presses no key.
const reading = 6 * time.Second

// unhurried has words that are to be read stay until a key is pressed: a busy machine may
// take longer to look at them than a participant who presses none is given.
var unhurried = fmt.Sprintf(`(() => {
	const later = globalThis.setTimeout;
	globalThis.setTimeout = (does, ms, ...rest) => later(does, ms === %d ? 3600000 : ms, ...rest);
})();`, reading.Milliseconds())

// passed waits until the page has shown that since globalThis.viewsSeen was emptied, for
// however short a time.
func passed(page *browsertest.Page, view string) {
	page.Until(fmt.Sprintf(`globalThis.viewsSeen.includes(%q)`, view))
}

// settled waits until buttons of what is on the screen count: half a second after it lit
// up, which is some refreshes after the page has changed.
func settled(page *browsertest.Page) {
	browsertest.Value[bool](page, `new Promise((on) => {
		let frames = 0;
		const look = () => (frames++ >= 3 && performance.now() - changed > 600 ? on(true) : requestAnimationFrame(look));
		look();
	})`)
}

// hasten lets the clip on the page come to its end soon. One that is over already has.
func hasten(page *browsertest.Page) {
	browsertest.Value[bool](page, `(() => {
		const clip = document.querySelector("video");
		if (clip) clip.currentTime = Math.max(clip.currentTime, clip.duration - .3);
		return true;
	})()`)
}

// open opens an address in such a page.
func open(t *testing.T, address string) *browsertest.Page {
	t.Helper()
	page := window(t)
	page.Go(address)
	return page
}

// openUnhurried is open, with words that stay until a key is pressed.
func openUnhurried(t *testing.T, address string) *browsertest.Page {
	t.Helper()
	page := window(t)
	page.Before(unhurried)
	page.Go(address)
	return page
}

// reads waits until the page shows words.
func reads(page *browsertest.Page, words string) {
	page.Until(fmt.Sprintf(`document.body.dataset.view === "words" && document.getElementById("headline").textContent === %q`, words))
}

// exampleStudy is the example with its first two clips and short steps, and
// without its sheets and its calibration.
func exampleStudy(t *testing.T) *study.Study {
	t.Helper()
	file, err := study.WriteExample(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	st, err := study.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	st.Stimuli = st.Stimuli[:2]
	st.Rules.Reshow = 0 // nothing is shown again
	st.Flow = []study.Part{block(
		study.TrialPart{Action: study.Fixation, Duration: 300 * time.Millisecond}, study.TrialPart{Action: study.Play},
		study.TrialPart{Action: study.Rest, Duration: 300 * time.Millisecond},
	)}
	return st
}

func TestPageInChromium(t *testing.T) {
	t.Parallel()
	st := exampleStudy(t)
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage")
	reads(page, "Please wait until the experimenter begins.")
	l.until("the page holds the stage", l.server.Connected)
	if !browsertest.Value[bool](page, `crossOriginIsolated`) {
		t.Error("the page is not isolated, its clock has a grain of 100 µs")
	}
	page.Screenshot("stage-1-waiting.png")

	show := l.present(st, 0)
	reads(page, "Press any key or tap to begin.")
	l.until("the stage says that it waits", func() bool { return l.server.Waiting() == "a key" })
	page.Screenshot("stage-2-begin.png")
	page.Do(chromedp.KeyEvent(" "))
	show.reached(0)
	if what := l.server.Waiting(); what != "" {
		t.Errorf("the plan runs, and the page waits for %s", what)
	}
	page.Screenshot("stage-3-fixation.png")
	l.until("the first clip plays", func() bool {
		s, _ := l.samples()
		return len(s) > 0 && s[len(s)-1].Values[frame] > 20
	})
	page.Screenshot("stage-4-playing.png")
	l.until("the second clip plays", func() bool {
		s, _ := l.samples()
		return len(s) > 0 && s[len(s)-1].Values[presentation] == 2
	})
	hasten(page) // one clip is played whole
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	reads(page, "Thank you. This part is over.")
	page.Screenshot("stage-5-over.png")

	if got := show.steps(); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("steps began in the order %v", got)
	}
	checkDisplayed(t, l, st)
	l.until("the burst of clock pings of the beginning is answered", func() bool { return len(l.probes()) >= 16 })
	for _, p := range l.probes() {
		if rtt := p.RTT(1000); rtt < 0 || p.Tx < p.Rx {
			t.Errorf("ping with a round trip of %s, %+v", rtt, p)
		}
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

// A page that is reloaded in the middle of a clip gets the rest of the plan,
// from the beginning of that clip. A kiosk does so without being touched.
func TestReloadInChromium(t *testing.T) {
	t.Parallel()
	st := exampleStudy(t)
	st.Stimuli = st.Stimuli[:1]
	l := newLab(t, stage.Options{})
	page := open(t, l.http.URL+"/stage#autostart")
	reads(page, "Please wait until the experimenter begins.")
	show := l.present(st, 1)
	plays := func(epoch int) func() bool {
		return func() bool {
			s, epochs := l.samples()
			return len(s) > 0 && s[len(s)-1].Values[frame] > 3 && epochs[len(s)-1] == epoch
		}
	}
	l.until("the clip plays", plays(0))
	page.Do(chromedp.Reload())
	l.until("the clip plays again", plays(1))
	hasten(page)
	if err := show.end(); err != nil {
		t.Fatal(err)
	}
	if got := show.steps(); !slices.Equal(got, []int{1, 1, 2}) {
		t.Errorf("steps began in the order %v", got)
	}
	if !l.said(stream.Marker, "step 1 was interrupted") {
		t.Errorf("markers %v", l.events(stream.Marker))
	}
	if f := l.events(stream.Fault); len(f) > 0 { // a reload is no fault
		t.Errorf("faults: %v", f)
	}

	// Stopped in the middle of the clip, the screen is blank and all is reported
	// when Present returns.
	before, _ := l.samples()
	show = l.present(st, 1)
	l.until("the clip plays once more", func() bool {
		s, _ := l.samples()
		return len(s) > len(before)+3 && s[len(s)-1].Values[frame] > 3
	})
	if err := show.stopped(); !errors.Is(err, context.Canceled) {
		t.Errorf("Present returns %v", err)
	}
	s, _ := l.samples()
	if last := s[len(s)-1]; last.Values[presentation] != 0 || last.Tick < s[len(s)-2].Tick {
		t.Errorf("the last rows are %v and %v", s[len(s)-2], last)
	}
	reads(page, "Please wait until the experimenter begins.")
}

// A page that is reloaded, and that nobody has touched since, waits for a key;
// the lab is told until somebody presses one, the page goes, or the session ends.
func TestReloadedPageWaitsInChromium(t *testing.T) {
	t.Parallel()
	st := exampleStudy(t)
	st.Stimuli = st.Stimuli[:1]
	l := newLab(t, stage.Options{})
	page := open(t, l.http.URL+"/stage")
	reads(page, "Please wait until the experimenter begins.")
	waits := func(what string) func() bool { return func() bool { return l.server.Waiting() == what } }
	show := l.present(st, 0)
	l.until("the page waits", waits("a key"))
	page.Do(chromedp.KeyEvent(" "))
	show.reached(0)
	show.reached(1)
	page.Do(chromedp.Reload())
	l.until("the reloaded page waits", waits("a key"))
	reads(page, "Press any key or tap to continue.")
	page.Do(chromedp.Navigate("about:blank"))
	l.until("a page that has gone waits for nothing", waits(""))
	page.Go(l.http.URL + "/stage")
	l.until("the next page waits", waits("a key"))
	show.cancel()
	if err := show.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("Present returns %v", err)
	}
	if what := l.server.Waiting(); what != "" {
		t.Errorf("no plan is shown, and the page waits for %s", what)
	}
	if f := l.events(stream.Fault); len(f) > 0 {
		t.Errorf("faults: %v", f)
	}
}

// checkDisplayed compares the displayed frames with the clips' frame tables.
func checkDisplayed(t *testing.T, l *lab, st *study.Study) {
	t.Helper()
	samples, _ := l.samples()
	right, displayed, late := 0, 0, 0
	onset := map[int]int64{}
	for i, s := range samples {
		p := int(s.Values[presentation])
		if p == 0 {
			continue
		}
		displayed++
		m, k := st.Stimuli[p-1], int(s.Values[frame])
		if (time.Duration(s.Values[mediaNs]) - m.FrameTimes[k]).Abs() < time.Millisecond {
			right++
		}
		if _, ok := onset[p]; !ok {
			onset[p] = s.Tick
			if k != 0 {
				t.Errorf("presentation %d begins with frame %d", p, k)
			}
		} else if b := samples[i-1].Values; b[presentation] == s.Values[presentation] && s.Values[frame] <= b[frame] {
			t.Errorf("presentation %d shows frame %g after %g", p, s.Values[frame], b[frame])
		}
		// The display follows the clip's own time within 150 ms, whatever the load.
		lag := time.Duration(s.Tick-onset[p])*time.Microsecond - m.FrameTimes[k]
		if lag.Abs() > 150*time.Millisecond {
			late++
		}
		if w, h := s.Values[rectW], s.Values[rectH]; !(w > 0 && w < h && h <= 1) || math.Abs(2*s.Values[rectX]+w-1) > .02 {
			t.Fatalf("picture at %v of the screen", s.Values[rectX:])
		}
	}
	t.Logf("%d frames displayed and reported, %d agree with the frame table, %d more than 150 ms off the clip's time (the second clip is hastened)", displayed, right, late)
	// How many are displayed is the machine's affair; which ones is ours.
	if float64(right) < .99*float64(displayed) || len(onset) != len(st.Stimuli) {
		t.Errorf("%d of %d displayed frames, of %d clips, agree with the frame tables", right, displayed, len(onset))
	}
	for _, e := range l.events(stream.Lost) {
		t.Logf("lost: %s", e.Detail)
	}
}

// readCounter shows the clip in the page at each of the given times (s) and reads
// in the picture the number that was drawn into it, three digits of 3 x 5 dots.
// The clip stands still meanwhile: of one that plays, the picture that can be
// read may be a later one than that which its callback speaks of.
const readCounter = `(async (url, times) => {
	const digits = [0b111101101101111, 0b010110010010111, 0b111001111100111, 0b111001111001111,
		0b101101111001001, 0b111100111001111, 0b111100111101111, 0b111001001001001,
		0b111101111101111, 0b111101111001111];
	const video = document.createElement('video');
	video.muted = true;
	video.src = URL.createObjectURL(await (await fetch(url)).blob());
	const canvas = new OffscreenCanvas(360, 640);
	const g = canvas.getContext('2d', {willReadFrequently: true});
	const seen = [];
	const read = (meta) => {
		g.drawImage(video, 0, 0);
		const left = 12, top = 640 - 12 - 15;
		const pix = g.getImageData(left, top, 36, 15).data;
		const value = (x, y) => pix[4 * ((y * 3 + 1) * 36 + x * 3 + 1) + 1];
		let n = 0;
		for (let d = 0; d < 3; d++) {
			let best = 0, score = -1e9;
			digits.forEach((bits, k) => {
				let s = 0;
				for (let b = 0; b < 15; b++) {
					s += (bits >> (14 - b) & 1 ? 1 : -1) * (value(4 * d + b % 3, Math.floor(b / 3)) - 110);
				}
				if (s > score) { score = s; best = k; }
			});
			n = 10 * n + best;
		}
		seen.push([n, Math.round(meta.mediaTime * 1e6)]);
	};
	document.body.append(video);
	const shown = () => new Promise((resolve) => video.requestVideoFrameCallback((now, meta) => resolve(meta)));
	await shown();
	for (const t of times) {
		const next = shown();
		video.currentTime = t;
		read(await next);
	}
	return seen;
})`

// The frame numbers that a study gives must be those of the pictures: the
// browser's mediaTime, looked up in the frame table, against the number that is
// drawn into each frame.
func TestFrameNumbersAreThoseOfThePictures(t *testing.T) {
	t.Parallel()
	st := exampleStudy(t)
	l := newLab(t, stage.Options{Study: st})
	page := open(t, l.http.URL+"/stage")
	l.until("the page holds the stage", l.server.Connected)

	m := st.Stimuli[0]
	// The middle of every third frame, which with B-frames is of each kind in turn. The
	// first stands there already.
	var times []float64
	for k := 1; k < len(m.FrameTimes); k += 3 {
		next := m.Duration
		if k+1 < len(m.FrameTimes) {
			next = m.FrameTimes[k+1]
		}
		times = append(times, (m.FrameTimes[k]+next).Seconds()/2)
	}
	list, err := json.Marshal(times)
	if err != nil {
		t.Fatal(err)
	}
	seen := browsertest.Value[[][2]int64](page, fmt.Sprintf("%s(%q, %s)", readCounter, "/stage/stimuli/"+m.ID, list))
	wrong := 0
	for _, s := range seen {
		if got := m.Frame(time.Duration(s[1]) * time.Microsecond); got != int(s[0]) {
			wrong++
			if wrong < 5 {
				t.Errorf("media time %d µs is frame %d in the table, %d in the picture", s[1], got, s[0])
			}
		}
	}
	t.Logf("%d of %d frames seen, %d wrong", len(seen), len(times), wrong)
	if len(seen) != len(times) {
		t.Errorf("%d of %d frames were seen", len(seen), len(times))
	}
}
