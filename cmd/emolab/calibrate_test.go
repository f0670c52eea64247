package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/latency"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/studies/access"
	"emolab/studies/console"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/study"
)

// photodiode is a light sensor that sees what the page says it displayed, late by
// a constant.
type photodiode struct {
	late time.Duration
	lab  chan *session.Lab // whose screen it looks at
}

func (p *photodiode) Info() []stream.Info {
	return []stream.Info{{ID: "light", Kind: stream.Light, Device: "photodiode of the test", Clock: stream.HostClock, TickHz: 1e9, Channels: device.LightChannels(), Simulated: true}}
}

func (p *photodiode) Run(ctx context.Context, out chan<- stream.Chunk) error {
	var clock instant.Monotonic
	stream.Send(ctx, out, stream.Chunk{Stream: "light", Events: []stream.Event{{Kind: stream.Connected, At: clock.Now()}}})
	var lab *session.Lab
	select {
	case lab = <-p.lab:
	case <-ctx.Done():
		return nil
	}
	screen := lab.Bus().Lossy("photodiode", 4096)
	defer screen.Close()
	var seq int64
	bright := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case c, ok := <-screen.C():
			if !ok {
				return nil
			}
			if c.Stream != stage.StreamID {
				continue
			}
			for _, s := range c.Samples {
				if !(s.Values[0] > 0) || study.FlashBright(int64(s.Values[1])) == bright {
					continue
				}
				bright = !bright
				burst := stream.Chunk{Stream: "light"}
				for after := -8 * time.Millisecond; after < 16*time.Millisecond; after += time.Millisecond {
					value := 3000.
					if bright == (after >= 0) {
						value = 40_000
					}
					burst.Samples = append(burst.Samples, stream.Sample{
						Seq: seq, Tick: int64(s.At.Add(p.late + after)), Arrival: clock.Now(), Values: []float64{value},
					})
					seq++
				}
				if !stream.Send(ctx, out, burst) {
					return nil
				}
			}
		}
	}
}

// TestMeasureDisplay plays the flashes to a screen whose light comes 30 ms after
// what it says.
func TestMeasureDisplay(t *testing.T) {
	const late = 30 * time.Millisecond
	eye := &photodiode{late: late, lab: make(chan *session.Lab, 1)}
	token, err := access.NewToken()
	if err != nil {
		t.Fatal(err)
	}
	f, err := openFlashLab(flashOptions{listen: "127.0.0.1:0", token: token, sources: []stream.Source{eye}, simulated: true, corner: stage.TopLeft})
	if err != nil {
		t.Fatal(err)
	}
	// The first five seconds of the flashes are enough here.
	clip := &f.study.Stimuli[0]
	clip.FrameTimes, clip.Duration = clip.FrameTimes[:150], 5*time.Second
	eye.lab <- f.lab

	var said bytes.Buffer
	var m latency.Measured
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // the flashes are played again where they are missed
	defer cancel()
	before, _ := readMachine()
	err = f.run(ctx, func(ctx context.Context) error {
		ctx, stop := context.WithCancel(ctx)
		var group errgroup.Group
		group.Go(func() error {
			return client.New(client.Options{
				URL: "http://" + f.socket.Addr().String(), Header: http.Header{"Authorization": {"Bearer " + console.StageToken(token)}},
				Clock: instant.Monotonic{}, Study: f.study, Offset: time.Hour, DriftPPM: 40,
			}).Run(ctx)
		})
		var err error
		m, err = measureDisplay(ctx, f, eye.Info()[0], 1, &said)
		stop()
		return errors.Join(err, group.Wait())
	})
	if err != nil {
		t.Fatalf("%v\nit said: %s", err, said.String())
	}
	t.Logf("median %.2f ms, p95 %.2f ms, %d of %d flashes, clocks within %.2f ms", m.MedianMs, m.P95Ms, m.Matched, m.Flashes, m.ClockMs)
	// The photodiode takes the live instants for the truth, which are a little off, and on a
	// busy machine more than that.
	load := before.since(t)
	if off := math.Abs(m.MedianMs - float64(late)/1e6); off > m.WithinMs() || off > 5 && load.idle() {
		t.Errorf("a latency of %.2f ms was measured, within %.2f; it is 30 (%v)", m.MedianMs, m.WithinMs(), load)
	}
	if m.Flashes < 10 || m.Matched < m.Flashes-1 || m.Extra > 1 {
		t.Errorf("%d of %d flashes matched, %d extra", m.Matched, m.Flashes, m.Extra)
	}
	if m.Kind != latency.Display || m.Browser != client.Agent || m.Screen.Width == 0 || m.MeasuredAt.IsZero() || !strings.Contains(m.Device, "photodiode") {
		t.Errorf("provenance: %+v", m)
	}
	if !strings.Contains(said.String(), "Waiting for ") {
		t.Errorf("it said %q", said.String())
	}
	m.Corner = stage.TopLeft
	dir := t.TempDir()
	if _, err := saveLatency(dir, m); err != nil {
		t.Fatal(err)
	}
	back, err := loadLatency(dir, latency.Display)
	if err != nil || back.MedianMs != m.MedianMs {
		t.Errorf("kept as %+v, %v", back, err)
	}
	var page bytes.Buffer
	printDisplay(&page, m)
	t.Logf("\n%s", page.String())
	for _, want := range []string{"Display latency   +", "flashes", "#", "corrected by +", "later"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

func TestCalibrateDisplayRefusals(t *testing.T) {
	dir := t.TempDir()
	dark := filepath.Join(dir, "dark.yaml")
	if err := os.WriteFile(dark, []byte("devices:\n  - {driver: emobox, port: /dev/ttyUSB7}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	two := filepath.Join(dir, "two.yaml")
	if err := os.WriteFile(two, []byte("devices:\n  - {driver: emobox, port: /dev/ttyUSB7, light: true}\n  - {driver: emobox, id: left, port: /dev/ttyUSB8, light: true}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--repeats", "0"}, exitUsage, "--repeats 0"},
		{[]string{"--corner", "middle"}, exitUsage, "middle"},
		{[]string{"--listen", "0.0.0.0:1"}, exitUsage, "loopback"},
		{[]string{"--lab", filepath.Join(dir, "none.yaml")}, exitFailed, "none.yaml"},
		{[]string{"--lab", dark}, exitFailed, "light: true"},
		{[]string{"--lab", two}, exitUsage, "--device: eda, left"},
		{[]string{"--lab", two, "--device", "right"}, exitFailed, `"right"`},
	} {
		var errOut bytes.Buffer
		args := append([]string{"calibrate", "display", "--data", dir}, c.args...)
		if code := run(t.Context(), args, io.Discard, &errOut); code != c.code || !strings.Contains(errOut.String(), c.want) {
			t.Errorf("%v: code %d, want %d; error %q, want one about %q", c.args, code, c.code, errOut.String(), c.want)
		}
	}
}

// measuredOnce is a measurement that passes its checks.
func measuredOnce(medianMs float64, at time.Time) latency.Measured {
	return latency.Measured{
		Kind: latency.Display, MeasuredAt: at, MedianMs: medianMs, Flashes: 2, Matched: 2, ResidualsMs: []float64{-1, 1},
		Screen: latency.Screen{Width: 1920, Height: 1080, PixelRate: 1, RefreshHz: 60}, Corner: stage.BottomLeft,
	}
}

// The measurements of before stay, whatever they were.
func TestLatencyFiles(t *testing.T) {
	dir := t.TempDir()
	if m, err := loadLatency(dir, latency.Display); m != nil || err != nil {
		t.Fatalf("of an empty folder: %+v, %v", m, err)
	}
	day := time.Date(2026, 11, 22, 9, 15, 3, 0, time.UTC)
	for i, ms := range []float64{10, 20, 30} {
		if _, err := saveLatency(dir, measuredOnce(ms, day.Add(time.Duration(i/2)*time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	m, err := loadLatency(dir, latency.Display)
	if err != nil || m.MedianMs != 30 {
		t.Fatalf("latest: %+v, %v", m, err)
	}
	path := latencyFile(dir, latency.Display)
	for name, want := range map[string]float64{"display-20261122-091503.json": 10, "display-20261122-091503-2.json": 20} {
		m, err := readLatency(filepath.Join(filepath.Dir(path), name), latency.Display)
		if err != nil || m.MedianMs != want {
			t.Errorf("%s: %+v, %v; want %v ms", name, m, err, want)
		}
	}
	for name, text := range map[string]string{
		"damaged":   `{"kind":"display","median_ms":2`,
		"empty":     ``,
		"a camera":  `{"kind":"camera"}`,
		"by hand":   `{"kind":"display","median_ms":20}`,
		"a novel":   strings.Repeat("a", maxLatencyFile+1),
		"no object": `[1,2]`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := loadLatency(dir, latency.Display)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "calibrate display") {
			t.Errorf("%s: %+v, error %v; want one that names the file and what to do", name, m, err)
		}
		if f := checkDisplay(dir, day); f.Verdict != bad {
			t.Errorf("%s: doctor finds %+v", name, f)
		}
	}
	// A damaged one is kept too when it is replaced.
	if _, err := saveLatency(dir, measuredOnce(40, day)); err != nil {
		t.Fatal(err)
	}
	if all, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.json")); len(all) != 4 {
		t.Errorf("files: %v", all)
	}
}

func TestDoctorOnTheDisplay(t *testing.T) {
	dir := t.TempDir()
	day := time.Date(2026, 11, 22, 9, 15, 3, 0, time.UTC)
	if f := checkDisplay(dir, day); f.Verdict != warning || !strings.Contains(f.Advice, "calibrate display") {
		t.Errorf("nothing measured: %+v", f)
	}
	if _, err := saveLatency(dir, measuredOnce(23.4, day)); err != nil {
		t.Fatal(err)
	}
	f := checkDisplay(dir, day.AddDate(0, 0, 5))
	if f.Verdict != fine || !strings.Contains(f.Text, "5 days ago on 1920 x 1080 px at 1, 60.0 Hz: +23.4 ms, within ±1.0 ms") {
		t.Errorf("measured: %+v", f)
	}
	if f := checkDisplay(dir, day.AddDate(1, 0, 0)); f.Verdict != warning {
		t.Errorf("a year later: %+v", f)
	}
	lab := filepath.Join(dir, "lab.yaml")
	for source, want := range map[string]string{"": "", "film.mp4": "", "/dev/video97": "up to a frame", "rtsp://door/1": "up to 150 ms"} {
		if err := os.WriteFile(lab, []byte(fmt.Sprintf("camera: {source: %q}\n", source)), 0o600); err != nil {
			t.Fatal(err)
		}
		all := checkCameraLatency(dir, lab, day)
		if (len(all) > 0) != (want != "") || want != "" && (all[0].Verdict != warning || !strings.Contains(all[0].Text, want)) {
			t.Errorf("the camera %q was not measured: %+v", source, all)
		}
	}
	m := measuredOnce(80, day)
	m.Kind, m.Device, m.Mode = latency.Camera, "USB camera", "1280x720 at 30"
	if _, err := saveLatency(dir, m); err != nil {
		t.Fatal(err)
	}
	if all := checkCameraLatency(dir, lab, day); len(all) != 1 || all[0].Verdict != fine || !strings.Contains(all[0].Text, "USB camera, 1280x720 at 30: -80.0 ms") {
		t.Errorf("camera: %+v", all)
	}
}

// What was measured goes to the stage of a real page, with its screen, and to no
// other.
func TestMeasuredDisplayIsApplied(t *testing.T) {
	m := measuredOnce(23.4, time.Now())
	o := applianceOptions{display: &m}
	s := o.screen(instant.Monotonic{})
	if s.Shift == nil || s.Shift.By != 23400*time.Microsecond || s.MeasuredOn == nil || s.MeasuredOn.Width != 1920 || s.MeasuredOn.RefreshHz != 60 {
		t.Errorf("a page: %+v", s)
	}
	o.simulatedStage = true
	if s := o.screen(instant.Monotonic{}); s.Shift != nil || s.MeasuredOn != nil {
		t.Errorf("the built-in client: %+v", s)
	}
	c := serveCmd{Data: t.TempDir()}
	if _, err := saveLatency(c.Data, m); err != nil {
		t.Fatal(err)
	}
	if got, err := c.display(); err != nil || got == nil || got.MedianMs != 23.4 {
		t.Errorf("by default: %+v, %v", got, err)
	}
	c.Display = "none"
	if got, err := c.display(); err != nil || got != nil {
		t.Errorf("none: %+v, %v", got, err)
	}
	c.Display = filepath.Join(c.Data, "missing.json")
	if got, err := c.display(); err == nil {
		t.Errorf("a missing file: %+v", got)
	}
}
