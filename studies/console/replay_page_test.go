package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"emolab/studies/browsertest"
	"emolab/studies/replay"
)

// look opens the replay of the recorded session at a time.
func look(t *testing.T, f *filmed, ms int, expected ...string) *browsertest.Page {
	t.Helper()
	page := chromium.Open(t, 1280, 800, expected...)
	page.Go(fmt.Sprintf("%s/replay/%s?t=%d&token=%s", f.server.URL, filmedSession, ms, testToken))
	page.Until(`document.body.dataset.ready === "true" && document.body.dataset.drawn`)
	return page
}

// prefers says which colours the browser's user likes.
func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// accessible looks for serious and critical faults of what the page shows: all of them in
// dark, and in light those that depend on the theme.
func accessible(t *testing.T, page *browsertest.Page, what string) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "stage", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Log("axe-core is not installed: npm ci --prefix studies/stage")
		return
	}
	if !browsertest.Value[bool](page, `typeof globalThis.axe === "object"`) {
		browsertest.Value[bool](page, string(source)+"; true")
	}
	for scheme, rules := range map[string]string{"dark": "", "light": `, runOnly: ["color-contrast"]`} {
		page.Do(prefers(scheme))
		browsertest.Value[bool](page, `Promise.allSettled(document.getAnimations().map((a) => a.finished)).then(() => true)`)
		for _, f := range browsertest.Value[[]string](page, `axe.run(document, {resultTypes: ["violations"]`+rules+`}).then((r) => r.violations
			.filter((v) => v.impact === "serious" || v.impact === "critical")
			.map((v) => v.impact + " " + v.id + ": " + v.help + ": " + v.nodes.map((n) => n.html.slice(0, 120) + " " + n.failureSummary).join(" | ")))`) {
			t.Errorf("%s, %s: %s", what, scheme, f)
		}
	}
}

// stroke presses a key that has a name, such as an arrow, with modifiers.
func stroke(page *browsertest.Page, key string, with ...chromedp.Modifier) {
	page.Do(chromedp.KeyEvent(key, chromedp.KeyModifiers(with...)))
}

// mouse goes through places of an element, given as fractions of it, with the button held.
func mouse(page *browsertest.Page, selector string, with chromedp.Modifier, places ...[2]float64) {
	box := browsertest.Value[[]float64](page, fmt.Sprintf(`(() => { const b = document.querySelector(%q).getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()`, selector))
	page.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		send := func(kind input.DispatchMouseEventType, at [2]float64, clicks int64) error {
			_, err := cdp.Call(ctx, tab, input.DispatchMouseEvent, input.DispatchMouseEventParams{
				Type: kind, X: box[0] + at[0]*box[2], Y: box[1] + at[1]*box[3], Button: input.MouseButtonLeft, ClickCount: clicks, Modifiers: int64(with),
			})
			return err
		}
		err := send(input.DispatchMouseEventTypeMousePressed, places[0], 1)
		for _, at := range places[1:] {
			if err == nil {
				err = send(input.DispatchMouseEventTypeMouseMoved, at, 0)
			}
		}
		if err != nil {
			return err
		}
		return send(input.DispatchMouseEventTypeMouseReleased, places[len(places)-1], 1)
	}))
}

// atFrame waits until the clip shows a frame, in words and in the picture.
func atFrame(page *browsertest.Page, frame int) {
	page.Until(fmt.Sprintf(`document.getElementById("clip-time").textContent.endsWith("frame %d")`, frame))
	if _, err := os.Stat(filepath.Join("..", "study", "example", "stimuli", "silk.mp4")); err == nil {
		page.Until(fmt.Sprintf(`(() => { const v = document.querySelector("#clip video:not([hidden])"); return v && !v.seeking && Math.floor(v.currentTime * 30) === %d; })()`, frame))
	}
}

func TestReplayFollowsOneCursor(t *testing.T) {
	f := startFilm(t)
	page := look(t, f, 9000)
	shows(page, "participant", "P-7K2")
	shows(page, "time", "00:00:09.000")
	atFrame(page, 90)
	if got := browsertest.Value[string](page, `getComputedStyle(document.querySelector("#clip video:not([hidden])")).aspectRatio + " " + (document.getElementById("clip").clientWidth < document.getElementById("clip").clientHeight)`); !strings.HasSuffix(got, "true") {
		t.Errorf("the upright clip lies: %s", got)
	}
	happy := func() string {
		return browsertest.Value[string](page, `[...document.querySelectorAll(".readout .row")].find((r) => r.textContent.startsWith("happy")).lastChild.textContent`)
	}
	page.Until(`document.querySelectorAll(".readout .row")[1].textContent === "happy0.72"`)
	if got := happy(); got != "0.72" {
		t.Errorf("happy is %q at 9 s, want 0.72", got)
	}

	// One press is one frame that was displayed, there and back, and many presses are many.
	page.Press(".")
	atFrame(page, 91)
	shows(page, "time", "00:00:09.033")
	stroke(page, kb.ArrowRight)
	stroke(page, kb.ArrowRight)
	atFrame(page, 93)
	stroke(page, kb.ArrowLeft)
	page.Press(",")
	page.Press(",")
	atFrame(page, 90)
	stroke(page, kb.ArrowRight, chromedp.ModifierShift)
	shows(page, "time", "00:00:10.000")
	atFrame(page, 120)
	if got := happy(); got == "0.72" {
		t.Error("the values do not follow the cursor")
	}
	page.Until(`Math.abs(parseFloat(document.getElementById("cursor").style.left) - 100 * 10 / 52) < 0.01`)

	// From clip to mark to clip; the place is in the address, and a reload leads there.
	page.Press("n")
	shows(page, "time", "00:00:15.300")
	shows(page, "clip-words", "Rest")
	page.Press("n")
	shows(page, "time", "00:00:20.000")
	page.Press("p")
	shows(page, "time", "00:00:15.300")
	stroke(page, kb.End)
	shows(page, "time", "00:00:52.000")
	page.Press("p")
	page.Until(`new URL(location.href).searchParams.get("t") === "34000"`)
	page.Do(chromedp.Reload())
	shows(page, "time", "00:00:34.000")
	atFrame(page, 0)

	// It plays, as fast as it is told, and loops what is selected: here the clip, which thus
	// goes on for as long as the browser takes to play it.
	page.Press("l")
	page.Until(`document.getElementById("loop").getAttribute("aria-pressed") === "true" && document.getElementById("selected").textContent === "00:34.000 – 00:42.000"`)
	page.Press("]")
	shows(page, "speed", "2×")
	page.Press(" ")
	page.Until(`document.getElementById("clip-time").textContent.match(/frame (\d+)/)?.[1] > 12`)
	page.Until(`[...document.querySelectorAll("#clip video")].some((v) => !v.hidden && !v.paused && v.currentTime > .4)`)
	page.Press(" ")
	page.Until(`document.getElementById("play").getAttribute("aria-label") === "Play"`)

	// Zooming asks the server for finer columns; a double click shows all again.
	page.Until(`document.body.dataset.drawn && document.body.dataset.drawn === document.body.dataset.asked`)
	drawn := browsertest.Value[string](page, `document.body.dataset.drawn`)
	page.Press("z")
	page.Until(`document.body.dataset.drawn > ` + drawn + ` && parseFloat(document.getElementById("overview-view").style.width) < 16`)
	mouse(page, ".panel .u-over", 0, [2]float64{.25, .5}, [2]float64{.4, .5}, [2]float64{.5, .5})
	page.Until(`Math.abs(parseFloat(document.getElementById("overview-view").style.width) - 100 * 2 / 52) < .1`)
	page.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector(".panel .u-over").dispatchEvent(new MouseEvent("dblclick", { bubbles: true })); undefined`))
	page.Until(`parseFloat(document.getElementById("overview-view").style.width) === 100`)
	mouse(page, ".panel .u-over", 0, [2]float64{.5, .5})
	page.Until(`document.getElementById("time").textContent.startsWith("00:00:2")`)
}

func TestReplayKeepsAnnotationsBesideTheRecording(t *testing.T) {
	f := startFilm(t)
	page := look(t, f, 9000)
	page.Press("a")
	page.Until(`document.getElementById("annotate-dialog").open`)
	shows(page, "annotate-when", "At 00:00:09.000")
	stroke(page, kb.Enter)
	page.Until(`!document.getElementById("annotate-error").hidden`)
	page.Do(chromedp.KeyEvent("smile"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("at the red folds"), chromedp.KeyEvent(kb.Enter))
	page.Until(`!document.getElementById("annotate-dialog").open && document.querySelectorAll("#annotation-list li").length === 1`)

	// Over a selection it is of a stretch.
	mouse(page, ".panel .u-over", chromedp.ModifierShift, [2]float64{.5, .5}, [2]float64{.55, .5}, [2]float64{.6, .5})
	page.Until(`/^00:2[56]\..* – 00:31/.test(document.getElementById("selected").textContent)`)
	page.Press("a")
	page.Do(chromedp.KeyEvent("laugh"), chromedp.KeyEvent(kb.Enter))
	page.Until(`document.querySelectorAll("#lane-marks .stretch").length === 1`)
	page.Do(chromedp.Reload())
	page.Until(`document.querySelectorAll("#annotation-list li").length === 2`)
	page.Do(chromedp.Click(chromedp.CSS("#tab-notes")))
	if got := browsertest.Value[string](page, `document.querySelector("#annotation-list li").innerText`); !strings.Contains(got, "smile at the red folds") || !strings.Contains(got, "lab, ") {
		t.Errorf("the annotation says %q", got)
	}
	// What alarms and devices say is there, but neither among the marks nor in the way of N and P.
	page.Until(`document.querySelectorAll("#marker-list li").length === 2 && document.querySelectorAll("#other-list li").length === 2 && document.getElementById("other-count").textContent === "Also alarms and devices (2)" && document.querySelectorAll("#lane-marks .mark:not(.note)").length === 2`)
	page.Screenshot("replay-annotations.png")
	accessible(t, page, "notes")

	// Removing asks first.
	page.Do(chromedp.Click(chromedp.CSS("#annotation-list li .plain:not(.jump)")))
	page.Until(`document.getElementById("remove-dialog").open && document.getElementById("remove-what").textContent.startsWith("“smile”")`)
	page.Do(chromedp.Click(chromedp.CSS("#remove-go")))
	page.Until(`document.querySelectorAll("#annotation-list li").length === 1 && document.querySelectorAll("#lane-marks .note").length === 0`)
}

// undone takes all changes of areas back.
const undone = `while (!document.getElementById("undo").disabled) document.getElementById("undo").click(); undefined`

// areaOf returns the first area that the page would save.
func areaOf(page *browsertest.Page) (area struct {
	Name, Tag, Shape string
	Box              []float64
	Points           [][]float64
	Keyframes        []struct {
		T   float64 `json:"t_s"`
		Box []float64
	}
}) {
	kept := browsertest.Value[string](page, `JSON.parse(sessionStorage.getItem("emolab-areas silk") ?? "{}").areas?.[0] ? JSON.stringify(JSON.parse(sessionStorage.getItem("emolab-areas silk")).areas[0]) : "{}"`)
	_ = json.Unmarshal([]byte(kept), &area) // what is missing is missed by the test
	return area
}

func TestReplayEditsAreas(t *testing.T) {
	f := startFilm(t)
	page := look(t, f, 9000, "409")
	atFrame(page, 90)
	page.Press("e")
	page.Until(`document.body.dataset.mode === "edit" && document.getElementById("areas-state").textContent.includes("nothing saved yet")`)
	page.Press("2")
	mouse(page, "#areas", 0, [2]float64{.3, .2}, [2]float64{.4, .3}, [2]float64{.6, .5})
	page.Until(`document.activeElement.id === "area-name"`)
	page.Do(chromedp.KeyEvent("folds"), chromedp.KeyEvent(kb.Tab))
	page.Until(`document.querySelector("#area-list strong").textContent === "folds"`)
	if a := areaOf(page); a.Shape != "rect" || len(a.Box) != 4 || fmt.Sprintf("%.1f", a.Box) != "[0.3 0.2 0.3 0.3]" {
		t.Fatalf("drawn: %+v", a)
	}

	// By keyboard: moved by arrows from the picture, resized by a corner's, never beyond the clip.
	page.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("areas").focus(); undefined`))
	before := areaOf(page).Box
	stroke(page, kb.ArrowRight, chromedp.ModifierShift)
	if a := areaOf(page); fmt.Sprintf("%.3f", a.Box[0]-before[0]) != "0.020" {
		t.Errorf("Shift and an arrow moved it from %v to %v", before, a.Box)
	}
	stroke(page, kb.Tab)
	page.Until(`document.activeElement.getAttribute("data-corner") === "0"`)
	stroke(page, kb.ArrowUp)
	stroke(page, kb.ArrowUp)
	if a := areaOf(page); fmt.Sprintf("%.3f", a.Box[3]-before[3]) != "0.004" || fmt.Sprintf("%.3f", before[1]-a.Box[1]) != "0.004" {
		t.Errorf("a corner's arrows made %v of %v", a.Box, before)
	}
	stroke(page, "z", chromedp.ModifierCtrl) // both presses were one gesture
	if a := areaOf(page); fmt.Sprintf("%.3f", a.Box[3]) != fmt.Sprintf("%.3f", before[3]) {
		t.Errorf("undone: %v", a.Box)
	}

	// A keyframe lets it move; elsewhere it is in between.
	page.Press("k")
	page.Until(`document.querySelectorAll("#keyframe-list li").length === 2`)
	stroke(page, kb.Home)
	page.Press("n")
	page.Press("e")
	page.Press("e")
	atFrame(page, 0)
	page.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("areas").focus(); undefined`))
	for range 40 {
		stroke(page, kb.ArrowLeft, chromedp.ModifierShift)
	}
	a := areaOf(page)
	if len(a.Keyframes) != 2 || a.Keyframes[0].Box[0] != 0 || a.Keyframes[1].T != 3 {
		t.Errorf("keyframes: %+v", a.Keyframes)
	}
	for range 45 {
		page.Press(".")
	}
	atFrame(page, 45)
	page.Until(fmt.Sprintf(`Math.abs(document.querySelector("#areas rect").x.baseVal.value / document.getElementById("clip").clientWidth - %g) < 0.002`, a.Keyframes[1].Box[0]/2))

	// What is not saved outlives a reload, and is asked about first.
	page.Do(chromedp.Evaluate[chromedp.Void](`window.asked = !dispatchEvent(new Event("beforeunload", { cancelable: true })); undefined`))
	if !browsertest.Value[bool](page, `window.asked`) {
		t.Error("nothing is asked on leaving")
	}
	stored := browsertest.Value[string](page, `sessionStorage.getItem("emolab-areas silk")`)
	page.Do(chromedp.Evaluate[chromedp.Void](undone)) // the browser's question would wait for an answer
	page.Go(f.server.URL + "/replay")
	page.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`sessionStorage.setItem("emolab-areas silk", %q); undefined`, stored)))
	page.Go(f.server.URL + "/replay/" + filmedSession + "?t=9000")
	page.Until(`document.querySelectorAll("#areas rect").length === 1`)
	page.Press("e")
	page.Until(`document.getElementById("areas-words").textContent.startsWith("Your changes")`)

	// Somebody else saved first.
	f.film.mu.Lock()
	f.film.save("Ann", "the face", json.RawMessage(`{"name":"face","shape":"ellipse","box":[0.3,0.1,0.4,0.3]}`))
	f.film.mu.Unlock()
	save := func(note string) {
		stroke(page, "s", chromedp.ModifierCtrl)
		page.Until(`document.getElementById("save-dialog").open`)
		page.Do(chromedp.KeyEvent(note), chromedp.KeyEvent(kb.Enter))
	}
	save("the folds")
	page.Until(`!document.getElementById("conflict").hidden`)
	if got := text(page, "conflict-words"); got != "Version 1 was saved meanwhile by Ann. Compared with yours: only with you: “folds”; only in the saved version: “face”." {
		t.Errorf("the conflict is told as %q", got)
	}
	page.Do(chromedp.Click(chromedp.CSS("#conflict-mine")))
	page.Until(`!document.getElementById("save-dialog").open && document.getElementById("areas-state").textContent === "silk · version 2"`)
	page.Do(chromedp.Reload())
	page.Until(`document.querySelectorAll("#areas rect").length === 1`)
	if browsertest.Value[bool](page, `sessionStorage.getItem("emolab-areas silk") !== null`) {
		t.Error("what was saved is still kept as unsaved")
	}

	// A polygon by clicks, closed by a double click; the pictures of the editor.
	atFrame(page, 90)
	page.Press("e")
	page.Press("4")
	page.Until(`document.getElementById("tool-polygon").getAttribute("aria-pressed") === "true"`)
	mouse(page, "#areas", 0, [2]float64{.1, .7})
	mouse(page, "#areas", 0, [2]float64{.9, .7})
	stroke(page, kb.Enter)
	page.Until(`document.getElementById("areas-words").textContent.startsWith("A polygon has three corners at least") && document.querySelectorAll("#areas polygon").length === 0`)
	for _, at := range [][2]float64{{.2, .95}, {.8, .95}} { // crosswise
		mouse(page, "#areas", 0, at)
	}
	page.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("areas").dispatchEvent(new MouseEvent("dblclick", { bubbles: true })); undefined`))
	page.Until(`document.querySelectorAll("#areas polygon").length === 1 && document.getElementById("areas-words").textContent.startsWith("The outline crosses itself")`)
	page.Do(chromedp.KeyEvent("floor"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("scene"), chromedp.KeyEvent(kb.Tab))
	page.Until(`document.querySelectorAll("#area-list li").length === 2 && document.querySelector("#area-list li:last-child").textContent.includes("scene · polygon that crosses itself")`)
	page.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#area-list li:first-child button").focus(); undefined`), chromedp.KeyEvent(kb.Enter))
	page.Until(`document.activeElement === document.querySelector("#area-list li:first-child button[aria-pressed=true]")`) // whoever goes by keyboard is not sent back to the top
	accessible(t, page, "editor")
	pictures(page, "editor")
	page.Do(chromedp.Evaluate[chromedp.Void](undone))
}

func TestReplayHeatMapAndQuality(t *testing.T) {
	f := startFilm(t)
	page := look(t, f, 22_000, "409")
	pictures(page, "replay")
	page.Press("h")
	page.Until(`document.getElementById("heat-words").textContent === "14 fixations" && !document.getElementById("heat").hidden && document.getElementById("heat").width === 90`)
	accessible(t, page, "heat map")
	pictures(page, "replay-heat")
	page.Do(chromedp.Evaluate[chromedp.Void](`(() => { const s = document.getElementById("heat-who"); s.value = "all"; s.onchange(); })()`))
	page.Until(`document.getElementById("heat-words").textContent.startsWith("No map: 2 people have usable gaze")`)

	if got := browsertest.Value[string](page, `document.getElementById("usable").innerText`); !strings.Contains(got, "5.0 s") {
		t.Errorf("usable seconds: %q", got)
	}
	page.Do(chromedp.Click(chromedp.CSS("#tab-units")))
	page.Do(chromedp.Click(chromedp.CSS("#unit-list li:nth-child(4) input")))
	page.Until(`[...document.querySelectorAll(".panel h3")].some((h) => h.textContent.startsWith("Action units"))`)
	accessible(t, page, "action units")

	// Without consent to video there is a calm note.
	f.film.mu.Lock()
	f.film.noFace = true
	f.film.mu.Unlock()
	page.Do(chromedp.Reload())
	page.Until(`document.body.dataset.ready === "true" && !document.getElementById("face-note").hidden && document.getElementById("face").hidden`)

	// A phone shows all of it in one column; nothing reaches beyond it.
	page.Do(chromedp.EmulateViewport(390, 844))
	page.Until(`document.documentElement.scrollWidth <= 390`)
	page.LongScreenshot("replay-phone.png")
	page.Press("?")
	page.Until(`document.getElementById("help-dialog").open`)
	accessible(t, page, "help")
}

// fail has everything refused that is asked about what was recorded.
func (f *filmed) fail(err error) {
	f.film.mu.Lock()
	f.film.failing = err
	f.film.mu.Unlock()
}

// What was measured is drawn from the stream that measured it: where the camera lost its
// frames there is skin conductance and a pupil, and nothing that is made of frames.
func TestReplayDrawsEachStreamAsItWas(t *testing.T) {
	f := startFilm(t)
	page := look(t, f, 29_500, "willReadFrequently")
	page.Until(fmt.Sprintf(`[...document.querySelectorAll(".readout .row")].map((r) => r.textContent).join(" ").includes("measured%.2f level–")`, traced("eda_us", 29_500)))
	page.Until(fmt.Sprintf(`[...document.querySelectorAll(".readout .row")].map((r) => r.textContent).join(" ").includes("measured%.2f cleaned–")`, traced("pupil_mm", 29_500)))
	page.Until(`[...document.querySelectorAll(".readout .row")].some((r) => r.textContent === "happy–")`)
	// Blue is the level alone: it has a hole where the camera has, and what was measured has none.
	if got := browsertest.Value[[]int](page, `(() => {
		const panel = [...document.querySelectorAll(".panel")].find((p) => p.textContent.startsWith("Skin"));
		const canvas = panel.querySelector("canvas"), [box, over] = [canvas, panel.querySelector(".u-over")].map((e) => e.getBoundingClientRect());
		return [20, 29, 30].map((s) => {
			const x = Math.round((over.left - box.left + over.width * s / 52) * canvas.width / box.width);
			const px = canvas.getContext("2d").getImageData(x, 0, 1, canvas.height).data;
			return [...Array(canvas.height).keys()].filter((y) => px[4 * y + 3] > 100 && px[4 * y + 2] - px[4 * y] > 50).length;
		});
	})()`); got[0] == 0 || got[1] != 0 || got[2] != 0 {
		t.Errorf("the level has %v points at 20, 29 and 30 s; the camera saw nothing from 28.5 to 30.5 s", got)
	}
	page.Screenshot("replay-camera-lost.png")
	// Where the sensor itself was away there is no value, and nothing is carried over.
	stroke(page, kb.End)
	page.Go(fmt.Sprintf("%s/replay/%s?t=42000", f.server.URL, filmedSession))
	page.Until(`document.body.dataset.drawn && [...document.querySelectorAll(".readout .row")].some((r) => r.textContent === "measured–") && [...document.querySelectorAll(".readout .row")].some((r) => /^happy0/.test(r.textContent))`)
}

// A step at the end of a clip leads out of it, and back to its last frame; a reload shows the
// frame that was shown before.
func TestReplayStepsOverTheEndsOfClips(t *testing.T) {
	f := startFilm(t)
	page := look(t, f, 11_980)
	atFrame(page, 179)
	page.Press(".")
	shows(page, "time", "00:00:12.000")
	shows(page, "clip-words", "Rest")
	page.Press(",")
	atFrame(page, 179)
	page.Until(`new URL(location.href).searchParams.get("t").startsWith("11966.66")`)
	page.Do(chromedp.Reload())
	atFrame(page, 179)
	page.Go(fmt.Sprintf("%s/replay/%s?t=19990", f.server.URL, filmedSession))
	shows(page, "clip-words", "Blank, before or after the clip")
	page.Press(".")
	atFrame(page, 0)
	stroke(page, kb.Home)
	page.Press(",")
	shows(page, "time", "00:00:00.000")
	stroke(page, kb.End)
	page.Press(".")
	shows(page, "time", "00:00:52.000")
}

// empty tells whether nothing is on a canvas.
func empty(page *browsertest.Page, canvas string) {
	page.Until(fmt.Sprintf(`(() => { const c = document.getElementById(%q); return c.getContext("2d").getImageData(0, 0, c.width, c.height).data.every((v) => v === 0); })()`, canvas))
}

// What cannot be fetched is not replaced by what was fetched before, and the page says why.
func TestReplaySaysWhatItCannotShow(t *testing.T) {
	f := startFilm(t)
	page := look(t, f, 9000, "500", "willReadFrequently")
	page.Press("h")
	shows(page, "heat-words", "14 fixations")
	shows(page, "face-words", "")
	f.fail(errors.New("the disk has a hole"))
	stroke(page, kb.ArrowRight, chromedp.ModifierShift)
	shows(page, "face-words", "No picture: the disk has a hole")
	shows(page, "heat-words", "No map: the disk has a hole")
	empty(page, "face")
	empty(page, "heat")
	page.Screenshot("replay-failing.png")
	f.fail(nil)
	stroke(page, kb.ArrowRight, chromedp.ModifierShift)
	shows(page, "face-words", "")
	shows(page, "heat-words", "14 fixations")

	// When nobody answers, it goes on by itself as soon as somebody does.
	page.Do(chromedp.Evaluate[chromedp.Void](`globalThis.answering = fetch; globalThis.fetch = () => Promise.reject(new TypeError("away")); undefined`))
	stroke(page, kb.ArrowLeft, chromedp.ModifierShift)
	stroke(page, kb.ArrowLeft, chromedp.ModifierShift)
	stroke(page, kb.ArrowLeft, chromedp.ModifierShift)
	const away = "he lab does not answer; look whether Emolab still runs"
	shows(page, "face-words", "No picture: t"+away)
	page.Press("z")
	shows(page, "banner", "T"+away+".")
	page.Do(chromedp.Evaluate[chromedp.Void](`globalThis.fetch = globalThis.answering; undefined`))
	shows(page, "face-words", "")
	page.Press("w")
	page.Until(`document.getElementById("banner").hidden`)
}

// What is erased while somebody looks at it does not stay on the page.
func TestReplayLeavesWhatIsErased(t *testing.T) {
	f := startFilm(t)
	page := look(t, f, 9000, "404")
	f.fail(&replay.Refusal{Why: replay.Absent, Words: "what was recorded in session s has been erased, because its date had come"})
	page.Press("z") // the page looks whether it is so, and then begins anew
	shows(page, "banner", "What was recorded in session s has been erased, because its date had come; choose one from the list of sessions.")
	page.Until(`document.getElementById("replay").hidden && document.getElementById("participant").textContent === "Replay"`)
}

// A clip whose file is gone is not blamed on the browser.
func TestReplayWithoutTheClip(t *testing.T) {
	f := startFilm(t)
	f.film.clip = "/stage/stimuli/gone"
	page := look(t, f, 9000, "404", "Failed to load resource")
	shows(page, "clip-words", "The file of this clip is not where the study has it")
}

func TestReplayListsSessions(t *testing.T) {
	f := startFilm(t)
	page := chromium.Open(t, 1280, 800, "404")
	page.Go(f.server.URL + "/replay?token=" + testToken)
	page.Until(`document.querySelectorAll("#session-rows tr").length === 2`)
	accessible(t, page, "sessions")
	page.Screenshot("replay-sessions.png")
	if n := browsertest.Value[int](page, `document.querySelectorAll("#session-rows a").length`); n != 1 {
		t.Errorf("%d sessions can be opened, want the sealed one", n)
	}
	page.Go(browsertest.Value[string](page, `document.querySelector("#session-rows a").href`))
	page.Until(`location.pathname === "/replay/` + filmedSession + `" && document.body.dataset.ready === "true"`)
	page.Go(f.server.URL + "/replay/another")
	page.Until(`document.getElementById("banner").textContent === "There is no session another here, or no longer; choose one from the list of sessions."`)
}

// settled waits for two frames of the page after what moves has come to rest.
const settled = `Promise.allSettled(document.getAnimations().map((a) => a.finished))
	.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))`

// pictures keeps screenshots of what the page shows, in every size and both themes.
func pictures(page *browsertest.Page, name string) {
	if browsertest.ScreenshotFolder() == "" {
		return
	}
	for _, s := range [][2]int64{{1280, 800}, {1920, 1080}, {3840, 2160}} {
		for _, scheme := range []string{"light", "dark"} {
			page.Do(prefers(scheme), chromedp.EmulateViewport(s[0], s[1]))
			browsertest.Value[bool](page, settled)
			page.Until(`document.body.dataset.drawn === document.body.dataset.asked`)
			browsertest.Value[bool](page, settled)
			page.Screenshot(fmt.Sprintf("%s-%s-%d.png", name, scheme, s[0]))
		}
	}
	page.Do(prefers("light"), chromedp.EmulateViewport(1280, 800))
}
