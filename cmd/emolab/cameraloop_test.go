//go:build !nocv

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"emolab/calibration/latency"
	"emolab/studies/browsertest"
)

// The camera of the light loop: it films the screen without glass and sends what it
// saw over the network, a known time later.

const (
	// cameraPeriod is not that of the screen, as no camera's is.
	cameraPeriod = time.Second / 29
	// cameraDelay is from a picture's exposure, which takes no time here, to its
	// leaving the camera.
	cameraDelay = 120 * time.Millisecond
	// cameraShrink is how many pixels of the screen make one of the picture.
	cameraShrink = 5
	// cameraScreen is the side of the screen that it films, px.
	cameraScreen = 520
	// cameraQueue is how many pictures are under way at most.
	cameraQueue = 16
)

// TestCameraLoop measures that camera against the photodiode, through the real
// network and the real decoder.
func TestCameraLoop(t *testing.T) {
	if testing.Short() {
		t.Skip("plays clips in real time")
	}
	hostProgram(t)
	screen := browsertest.StartScreen(t, cameraScreen, cameraScreen)
	page := browsertest.StartOn(t, screen).Show(t, "ERR_CONNECTION_REFUSED")
	lab, data := sensorOn(t, screen, cornerClip(screen)).lab, t.TempDir()
	film := &filming{screen: screen}
	camera := httptest.NewServer(film)
	t.Cleanup(camera.Close)

	before, _ := readMachine()
	p := start(t, "/stage?token=", "calibrate", "camera", "--lab", lab, "--data", data, "--camera", camera.URL+"/live.mjpeg",
		"--corner", "top-left", "--listen", "127.0.0.1:0", "--repeats", "1", "--json") // 32 edges
	page.Go(printed(t, p.errOut.String(), "participant") + "#autostart")
	p.end()
	var m latencyResult
	if err := json.Unmarshal([]byte(p.out.String()), &m); err != nil {
		p.fail("printed what cannot be read: %v", err)
	}
	load := before.since(t)
	t.Logf("camera: %+.2f ms, SD %.2f, deviations p95 %.2f, largest %.2f; to bright %+.2f, to dark %+.2f; exposure %.1f ms, open ±%.2f ms; %d of %d flashes; applied within %.2f ms; %s (%v)",
		m.MedianMs, m.SDMs, m.P95Ms, m.MaxMs, m.RisingMs, m.FallingMs, m.ExposureMs, m.OpenMs, m.Matched, m.Flashes, m.WithinMs, m.Mode, load)
	// Half a frame; where others use the machine as well the pictures are late too,
	// and so is the light on the screen.
	limit := float64(cameraPeriod) / float64(time.Millisecond) / 2
	if !load.idle() {
		limit *= 2
	}
	// What it took in truth: on a busy machine this camera itself is late.
	truth := film.delayMs(t)
	t.Logf("the pictures left the camera %.1f ms after their exposure (median)", truth)
	if off := m.MedianMs - truth; math.Abs(off) > limit {
		t.Errorf("measured %.1f ms of a delay of %.1f: off by more than %.0f", m.MedianMs, truth, limit)
	}
	kept, err := loadLatency(data, latency.Camera)
	if err != nil || kept == nil || kept.MedianMs != m.MedianMs || kept.ShiftMs() != -m.MedianMs {
		t.Errorf("kept as %+v, %v", kept, err)
	}
}

// filming films a screen for whoever asks, as a network camera does: a picture after
// another, each with its length.
type filming struct {
	screen *browsertest.Screen

	mu     sync.Mutex
	delays []time.Duration // from the exposure of each picture to its leaving
}

// delayMs is the median of the delays.
func (f *filming) delayMs(t *testing.T) float64 {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.delays) == 0 {
		t.Fatal("nobody asked for a picture")
	}
	return float64(slices.Sorted(slices.Values(f.delays))[len(f.delays)/2]) / float64(time.Millisecond)
}

// ServeHTTP sends pictures until the client is gone.
func (f *filming) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	type shot struct {
		exposed time.Time
		jpeg    []byte
	}
	ctx, stop := context.WithCancel(r.Context())
	shots := make(chan shot, cameraQueue)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticks := time.NewTicker(cameraPeriod)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
			case <-ctx.Done():
				return
			}
			s := shot{exposed: time.Now()}
			s.jpeg = filmed(f.screen)
			select {
			case shots <- s:
			default: // a camera does not wait for the network
			}
		}
	}()
	defer func() { stop(); <-done }()
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
	for {
		select {
		case s := <-shots:
			select {
			case <-time.After(time.Until(s.exposed.Add(cameraDelay))):
			case <-ctx.Done():
				return
			}
			fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", len(s.jpeg))
			if _, err := w.Write(append(s.jpeg, "\r\n"...)); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			f.mu.Lock()
			f.delays = append(f.delays, time.Since(s.exposed))
			f.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// filmed is what is on the screen now, made smaller.
func filmed(screen *browsertest.Screen) []byte {
	shown := image.NewGray(image.Rect(0, 0, screen.Width/cameraShrink, screen.Height/cameraShrink))
	for y := range shown.Rect.Dy() {
		for x := range shown.Rect.Dx() {
			shown.Pix[y*shown.Stride+x] = screen.Pixel(x*cameraShrink, y*cameraShrink)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, shown, nil); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}
