package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"emolab/sensors/serialtest"
	"emolab/studies/browsertest"
	"emolab/studies/study"
)

// quickStudy is a study with one of the example's videos, everything that a participant
// meets before and after it, and as little time between as can be.
const quickStudy = `
id: quick
languages: [en, fr]
consent:
  scopes: {traces: {required: true}, face_video: {required: false}}
  retain: {traces: 24m, face_video: 30d}
screening:
  - {id: age, ask: {en: "How old are you?", fr: "Quel âge avez-vous ?"}, type: integer, min: 1, max: 120, pass: "18 <= age < 65", bands: [18-24, 25-64]}
devices: {gaze: {required: true}}
thresholds: {max_sync_error_ms: 1000} # on a busy machine, too
stimuli:
  folder: stimuli
  list: [{id: silk}]
scales:
  sam: {type: sam, dims: [valence], points: 9}
  words: {type: text, items: [{id: words, ask: {en: "What did you think?", fr: "Qu’en avez-vous pensé ?"}}]}
flow:
  - consent
  - screening
  - block: {order: fixed, trial: [fixation: 500ms, play, rate: [sam, words]]}
  - debrief
`

// reader is a participant at the stage's page, who fills it in as a person does.
type reader struct {
	*browsertest.Page
	t  *testing.T
	st *study.Study
	in string // language
}

// to waits for a sheet, until its buttons count: what comes within half a second of it
// was meant for what was there before.
func (r reader) to(sheet string) {
	r.t.Helper()
	v, ok := r.st.Sheet(sheet)
	if !ok {
		r.t.Fatalf("the study has no sheet %q", sheet)
	}
	r.Until(fmt.Sprintf(`document.body.dataset.view === "sheet" && document.getElementById("sheet-heading").textContent === %q`, v.Heading[r.in]))
	browsertest.Value[bool](r.Page, `new Promise((on) => setTimeout(() => on(true), 700))`)
}

// confirms says that the code on the page is the participant's.
func (r reader) confirms() {
	r.t.Helper()
	r.Until(`document.querySelector("#sheet .own-code") !== null && document.body.dataset.view === "sheet"`)
	browsertest.Value[bool](r.Page, `new Promise((on) => setTimeout(() => on(true), 700))`)
	r.goes(1)
}

// hears counts the tones that the page plays, by what it hands to the browser.
func (r reader) hears() {
	r.t.Helper()
	r.Until(`document.body.dataset.view === "sheet" && document.querySelector("#sheet .counts") !== null`)
	browsertest.Value[bool](r.Page, `new Promise((on) => {
		globalThis.tones = 0;
		globalThis.sounds ??= OscillatorNode.prototype.start;
		OscillatorNode.prototype.start = function (...when) { globalThis.tones++; globalThis.sounds.apply(this, when); };
		setTimeout(() => on(true), 700);
	})`)
	r.goes(1)
	r.Until(`document.querySelectorAll("#sheet .counts button:not(:disabled)").length === 5`)
	r.Do(chromedp.Click(fmt.Sprintf(`#sheet .counts button:nth-child(%d)`, browsertest.Value[int](r.Page, `globalThis.tones`))))
}

// tick chooses what has a name and a value; "" = a box.
func (r reader) tick(name, value string) {
	r.t.Helper()
	of := fmt.Sprintf(`#sheet [name=%q]`, name)
	if value != "" {
		of += fmt.Sprintf(`[value=%q]`, value)
	}
	r.Do(chromedp.Click(of))
}

// write types into a field.
func (r reader) write(name, words string) {
	r.t.Helper()
	r.Do(chromedp.Click(fmt.Sprintf(`#sheet [name=%q]`, name)), chromedp.KeyEvent(words))
}

// watches notes from now on how much of each clip has been on the page, in the order in which
// they came: played(0) is how many seconds of the first, also when that is over.
func (r reader) watches() {
	r.t.Helper()
	browsertest.Value[bool](r.Page, `(() => {
		const clips = new Map();
		globalThis.played = (n) => [...clips.values()][n] ?? 0;
		document.addEventListener("timeupdate", (e) => clips.set(e.target, e.target.currentTime), true);
		return true;
	})()`)
}

// holdsEscape holds the key until the page asks how they want to leave.
func (r reader) holdsEscape() {
	r.t.Helper()
	escape := func(kind input.DispatchKeyEventType) {
		r.t.Helper()
		r.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			_, err := cdp.Call(ctx, tab, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "Escape", Code: "Escape", WindowsVirtualKeyCode: 27})
			return err
		}))
	}
	escape(input.DispatchKeyEventTypeRawKeyDown)
	r.to("leave")
	escape(input.DispatchKeyEventTypeKeyUp)
}

// goes on with the button that does; the other one is number 2.
func (r reader) goes(button int) {
	r.t.Helper()
	r.Do(chromedp.Click(fmt.Sprintf(`#sheet .buttons button:nth-child(%d)`, button)))
}

// All pages in a real browser, through whole sessions. What happens with the first
// participant, who refuses the video of the face, stands at workday.moment; they read English
// and withdraw later by the code of the receipt. The other one stops in French and has
// everything deleted on the spot. No page complains.
func TestServeInABrowser(t *testing.T) {
	t.Parallel()
	needModels(t)
	home := t.TempDir()
	if _, err := study.WriteExample(home); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "quick.yaml")
	if err := os.WriteFile(file, []byte(quickStudy), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := study.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	lab := openDay(t, st)
	dir := lab.dir

	var browser browsertest.Shared
	t.Cleanup(browser.Close)
	stage := browser.Open(t, 1280, 720, "ERR_CONNECTION_REFUSED")
	stage.Go(lab.stageURL())
	stage.Until(`document.body.innerText.includes("Please wait")`)
	stage.Press(" ") // the gate: any key

	// What must be found nowhere once it is withdrawn.
	first, second := "P"+sentinel()[:8], "Q"+sentinel()[:8]
	thought := "thought-" + sentinel()
	say := written{override: "override " + sentinel(), note: "note " + sentinel(), annotation: "annotation " + sentinel(), stop: "stop " + sentinel()}
	p := reader{stage, t, st, "en"}
	p.watches()
	code, console := lab.moment(&browser, p, first, thought, say)

	// A no leaves no picture of the face behind, whatever the file is called.
	if found := picturesBelow(t, dir); len(found) > 0 {
		t.Errorf("pictures or video in the data folder, against the participant's no: %q", found)
	}
	bundles, err := filepath.Glob(filepath.Join(bundleDir(dir), "*.zip"))
	if err != nil || len(bundles) != 1 {
		t.Fatalf("bundles %v, %v", bundles, err)
	}
	if code, _, errOut := emolab(t, "bundle", "verify", bundles[0]); code != exitFine {
		t.Errorf("bundle verify: %s", errOut)
	}
	if len(filesWith(t, bundleDir(dir), say.note)) == 0 {
		t.Error("the bundle has no marks")
	}
	// Two pages and the race detector leave the face nets little: frames are
	// skipped and counted, but every clip has its rows.
	if seen := traceOf(t, dir); len(seen) < 30 {
		t.Errorf("%d trace rows", len(seen))
	}
	for _, is := range []string{first, thought, say.note, say.annotation} {
		if len(filesWith(t, dir, is)) == 0 {
			t.Errorf("%q is kept nowhere: what is looked for below could not be found", is)
		}
	}

	// The second one reads French, stops in the first clip, and wants everything deleted.
	console.welcome(second)
	p.confirms()
	p.to("notice")
	stage.Do(chromedp.Click(`.tongues [lang="fr"]`))
	p.in = "fr"
	p.to("notice")
	p.goes(1)
	p.to("consent")
	p.tick("traces", "")
	p.tick("face_video", "")
	p.goes(1)
	p.to("screening")
	p.write("age", "20")
	p.goes(1)
	p.hears()
	console.begins(second)
	stage.Until(`played(2) > 1`) // after the first one's clip and its repeat
	console.Until(`document.querySelector("#state-label").textContent.includes("face video")`)
	// Or the search above would prove nothing.
	serialtest.Eventually(t, "a picture is found while the face is filmed", func() bool { return len(picturesBelow(t, dir)) > 0 })
	p.holdsEscape()
	stage.Screenshot("stage-leave.png")
	p.tick(study.LeaveKey, study.LeaveDelete)
	p.goes(1)
	p.to("withdrawn")
	if found := filesWith(t, dir, second); len(found) > 0 {
		t.Errorf("%q is in %q although the page says that everything is deleted", second, found)
	}
	if found := picturesBelow(t, dir); len(found) > 0 {
		t.Errorf("pictures or video although everything is deleted: %q", found)
	}
	p.goes(1)
	console.Until(`document.body.innerText.includes("Everything of them is erased")`)
	console.Screenshot("console-withdrawn.png")

	lab.stop()
	// Days later, by the code, typed as people do.
	sloppy := strings.ToLower(strings.ReplaceAll(code, "-", " "))
	if code, said, errOut := emolab(t, "session", "withdraw", "--code", sloppy, "--yes", "--data", dir); code != exitFine {
		t.Fatalf("session withdraw --code %q: exit %d, %s%s", sloppy, code, said, errOut)
	}
	for _, is := range []string{first, second, thought, say.override, say.note, say.annotation, say.stop, code, strings.ReplaceAll(code, "-", "")} {
		if found := filesWith(t, dir, is); len(found) > 0 {
			t.Errorf("%q is in %q after everything was withdrawn", is, found)
		}
	}
}

// sentinel is a word that stands nowhere by chance.
func sentinel() string { return strings.ToUpper(rand.Text()[:12]) }

// filesWith lists the files below a folder that contain a text, or are named by it.
func filesWith(t *testing.T, dir, text string) []string {
	t.Helper()
	return below(t, dir, func(name string, b []byte) bool {
		return strings.Contains(name, text) || bytes.Contains(b, []byte(text))
	})
}

// picturesBelow lists the files below a folder in which a picture or a video begins, at
// whatever place. The stimuli lie elsewhere. The marks are long enough not to stand
// among megabytes of numbers by chance.
func picturesBelow(t *testing.T, dir string) []string {
	t.Helper()
	marks := []string{
		"\xff\xd8\xff\xe0\x00\x10JFIF", "\xff\xd8\xff\xe0\x00\x10AVI1", "\xff\xd8\xff\xdb\x00", "Exif\x00\x00", // JPEG
		"\x89PNG\r\n", "GIF87a", "GIF89a", "WEBPVP8", "AVI LIST", // in RIFF
		"\x42\x82\x88matroska", "\x42\x82\x84webm", "V_MJPEG", "V_MPEG4", "V_VP8", // in EBML
		"ftypisom", "ftypmp4", "ftypiso", "ftypavif",
	}
	return below(t, dir, func(name string, b []byte) bool {
		if bytes.HasPrefix(b, []byte("\x1a\x45\xdf\xa3")) || filepath.Ext(name) == ".mkv" {
			return true
		}
		return slices.ContainsFunc(marks, func(mark string) bool { return bytes.Contains(b, []byte(mark)) })
	})
}

// below lists the files below a folder that are such. An archive is looked into.
func below(t *testing.T, dir string, such func(name string, b []byte) bool) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // the log of the database comes and goes
			return nil
		}
		if err != nil {
			return err
		}
		if such(path, b) {
			found = append(found, path)
		}
		archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return nil // none
		}
		for _, f := range archive.File {
			r, err := f.Open()
			if err != nil {
				return err
			}
			member, err := io.ReadAll(r)
			if err := errors.Join(err, r.Close()); err != nil {
				return err
			}
			if such(f.Name, member) {
				found = append(found, path+": "+f.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
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
