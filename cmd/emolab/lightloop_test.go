package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"emolab/calibration/latency"
	"emolab/firmware-bridge/emulator"
	"emolab/firmware-bridge/firmware"
	"emolab/fusion/instant"
	"emolab/studies/browsertest"
	"emolab/studies/session"
	"emolab/studies/study"
)

// The light loop: everything is real but the glass. Chromium shows the flash clip
// on an X server that draws into a file; one pixel of it is the light at the
// photodiode of the box, whose firmware runs under simavr behind a serial port.

const (
	// The screen is as wide as the smallest window of Chromium (500 px) and low:
	// without a graphics card a clip that fills a large one takes milliseconds longer
	// to draw than the small one that was measured.
	loopWidth, loopHeight = 520, 260 // px
	// A clip that is measured has 24 % of the page's height, in the corner.
	cornerHeight = .24
	// A clip has 90 % of the page's height, in the middle.
	clipHeight = .9

	// The photodiode, and the box behind its adapter.
	darkMV, brightMV = 200, 4200
	loopNoise        = 2 // mV
	loopDrift        = 1800
	loopBatch        = time.Millisecond
	loopSeed         = 11

	// calibrationPlays is how often the flashes are played: 64 edges.
	calibrationPlays = "2"
)

// TestLightLoop measures the display with the photodiode, and then records a
// session to which the measurement is applied: its onsets are compared with the
// light at the photodiode, its frames with those that were on the screen.
func TestLightLoop(t *testing.T) {
	if testing.Short() {
		t.Skip("plays clips in real time")
	}
	hostProgram(t)
	screen := browsertest.StartScreen(t, loopWidth, loopHeight)
	// A server that has ended is missed by the page that it served.
	page := browsertest.StartOn(t, screen).Show(t, "ERR_CONNECTION_REFUSED")
	data := t.TempDir()

	sensor := sensorOn(t, screen, cornerClip(screen))
	before, _ := readMachine()
	measured := calibrateDisplay(t, page, sensor.lab, data)
	t.Logf("calibrated: %+.2f ms, SD %.2f, deviations p95 %.2f, largest %.2f; to bright %+.2f, to dark %+.2f; %d of %d flashes, %d extra; clocks within %.2f ms; applied within %.2f ms (%v)",
		measured.MedianMs, measured.SDMs, measured.P95Ms, measured.MaxMs, measured.RisingMs, measured.FallingMs,
		measured.Matched, measured.Flashes, measured.Extra, measured.ClockMs, measured.WithinMs(), before.since(t))

	sensor.end()

	sensor = sensorOn(t, screen, middleClip(screen))
	before, _ = readMachine()
	seen := recordFlashes(t, page, screen, sensor.lab, data)
	load := before.since(t)
	t.Log(load)
	proof := readProof(t, data, seen)
	if proof.info.Shift == nil || proof.info.Shift.By != measured.Shift().By {
		t.Fatalf("the session's stimulus stream has the shift %+v, not the measured %+.2f ms", proof.info.Shift, measured.MedianMs)
	}
	proof.check(t, load)
}

// square is where a clip of the flash study is on the screen, px.
type square struct{ left, top, side float64 }

// at returns the pixel at fractions of the square.
func (q square) at(x, y float64) (px, py int) { return int(q.left + x*q.side), int(q.top + y*q.side) }

// cornerClip and middleClip are where the stage shows a clip: for a sensor in the
// upper left corner, and to a participant. The page leaves a line of the screen free.
func cornerClip(s *browsertest.Screen) square {
	return square{side: cornerHeight * float64(s.Height-1)}
}

func middleClip(s *browsertest.Screen) square {
	w, h := float64(s.Width-1), float64(s.Height-1)
	side := clipHeight * h
	return square{(w - side) / 2, (h - side) / 2, side}
}

// sensor is the box with its photodiode somewhere on a screen.
type sensor struct {
	lab string // the lab.yaml that names it
	end func()
}

// sensorOn starts the box with its photodiode in the middle of the patch of a clip.
func sensorOn(t *testing.T, screen *browsertest.Screen, clip square) sensor {
	t.Helper()
	host, err := emulator.Find()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	image, err := firmware.Build(t.Context(), firmware.Options{Dir: dir, Serial: loopSeed})
	if err != nil {
		t.Fatal(err)
	}
	offset := screen.Offset(clip.at(study.FlashPatch()))
	board, err := emulator.Start(context.WithoutCancel(t.Context()), emulator.Options{
		Host: host, ELF: image.ELF, Link: filepath.Join(dir, "box"), World: darkness{}, Clock: instant.Monotonic{},
		DriftPPM: loopDrift, Batch: loopBatch, Noise: loopNoise, Seed: loopSeed,
		LightFrom: &emulator.LightFrom{File: screen.File, Offset: offset, DarkMV: darkMV, BrightMV: brightMV},
	})
	if err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		s := board.Stats()
		t.Logf("the box: simulation at most %v late, %d of its light readings by more than 1 ms", s.MaxLag, s.LightLate)
		if err := board.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(end)
	lab := filepath.Join(dir, "lab.yaml")
	text := fmt.Sprintf("devices:\n  - {driver: emobox, port: %s, light: true}\n", board.Path())
	if err := os.WriteFile(lab, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return sensor{lab, end}
}

// darkness is the box's world but for LightFrom: nobody wears it.
type darkness struct{}

func (darkness) Skin(instant.Instant) float64                             { return emulator.Supply / 2 }
func (darkness) Light(instant.Instant) float64                            { return 0 }
func (darkness) Trigger(instant.Instant) bool                             { return false }
func (darkness) Jumps(instant.Instant, instant.Instant) []instant.Instant { return nil }

// calibrateDisplay runs calibrate display.
func calibrateDisplay(t *testing.T, page *browsertest.Page, lab, data string) latency.Measured {
	t.Helper()
	p := start(t, "/stage?token=", "calibrate", "display", "--lab", lab, "--data", data, "--corner", "top-left",
		"--listen", "127.0.0.1:0", "--repeats", calibrationPlays, "--json")
	page.Go(printed(t, p.errOut.String(), "participant") + "#autostart")
	p.end()
	var m latency.Measured
	if err := json.Unmarshal([]byte(p.out.String()), &m); err != nil {
		p.fail("printed what cannot be read: %v", err)
	}
	return m
}

// recordFlashes runs serve and a session of the flash study, and returns what was
// seen on the screen.
func recordFlashes(t *testing.T, page *browsertest.Page, screen *browsertest.Screen, lab, data string) *watcher {
	t.Helper()
	file, err := study.WriteFlash(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, "Ctrl-C", "serve", "--lab", lab, "--study", file, "--data", data, "--listen", "127.0.0.1:0")
	page.Go(printed(t, p.out.String(), "participant") + "#autostart")
	o := operator{t, printed(t, p.out.String(), "console")}
	settled := time.Time{}
	o.await("the lab is ready", func(s session.Status) bool {
		ready := s.Stage && s.Waiting == ""
		for _, h := range s.Streams {
			ready = ready && h.Connected
		}
		if !ready || settled.IsZero() {
			settled = time.Now().Add(settleTime)
		}
		return ready && time.Now().After(settled)
	})
	seen := watch(t, screen, middleClip(screen))
	st, err := study.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	participant := reader{page, t, st, "en"}
	o.do(http.MethodPost, "/api/session/start", `{"participant": "LIGHT"}`)
	participant.confirms()
	participant.to("notice")
	participant.goes(1)
	participant.to("consent")
	participant.tick(session.Traces, "")
	participant.goes(1)
	o.await("the participant waits", func(s session.Status) bool { return s.Ready })
	o.do(http.MethodPost, "/api/session/begin", `{"confirm": "HT"}`)
	participant.to("debrief")
	participant.goes(1)
	participant.to("receipt")
	participant.goes(1)
	o.await("the session is sealed", func(s session.Status) bool {
		if out := s.LastOutcome; out != nil && (out.State != session.Sealed || out.Error != "" || out.Reason != "") {
			t.Fatalf("the session ended as %+v", out)
		}
		return s.LastOutcome != nil
	})
	seen.end()
	p.stop()
	p.end()
	return seen
}

// operator is the experimenter, through the console's interface.
type operator struct {
	t       *testing.T
	console string // address
}

// do asks the console and returns its answer.
func (o operator) do(method, path, body string) []byte {
	o.t.Helper()
	u, err := url.Parse(o.console)
	if err != nil {
		o.t.Fatal(err)
	}
	token := u.Query().Get("token")
	u.Path, u.RawQuery = path, ""
	r, err := http.NewRequestWithContext(o.t.Context(), method, u.String(), strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		o.t.Fatalf("%s %s: %s, %v: %s", method, path, answer.Status, err, b)
	}
	return b
}

// await waits until the lab's status is as it should be.
func (o operator) await(what string, holds func(session.Status) bool) {
	o.t.Helper()
	deadline := time.After(readyLimit)
	again := time.NewTicker(pollEvery)
	defer again.Stop()
	for {
		var s session.Status
		if err := json.Unmarshal(o.do(http.MethodGet, "/api/status", ""), &s); err != nil {
			o.t.Fatal(err)
		}
		if holds(s) {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			o.t.Fatalf("after %v still not: %s; alarms: %+v", readyLimit, what, s.Alarms)
		}
	}
}
