//go:build !nocv

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/latency"
	"emolab/capture/webcam"
	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/access"
	"emolab/studies/console"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/study"
)

// eye is a camera that films what the page says it displayed, and whose stamps are
// late by a constant.
type eye struct {
	late, exposure, period time.Duration
	lab                    chan *session.Lab // whose screen it looks at
}

func (e *eye) Info() []stream.Info {
	return []stream.Info{{ID: meterID, Kind: stream.Light, Device: "camera of the test", Clock: stream.HostClock, TickHz: 1e9, Simulated: true,
		Channels: []stream.Channel{{Name: "wall", Unit: "1"}, {Name: "screen", Unit: "1"}}}}
}

// Run makes the pictures of what is behind it by a second, when the page has told
// all there is to tell of it.
func (e *eye) Run(ctx context.Context, out chan<- stream.Chunk) error {
	var clock instant.Monotonic
	stream.Send(ctx, out, stream.Chunk{Stream: meterID, Events: []stream.Event{{Kind: stream.Connected, At: clock.Now()}}})
	var lab *session.Lab
	select {
	case lab = <-e.lab:
	case <-ctx.Done():
		return nil
	}
	screen := lab.Bus().Lossless("eye", 4096)
	defer screen.Close()
	frames := time.NewTicker(e.period)
	defer frames.Stop()
	var shown []latency.Edge
	bright := false
	var seq int64
	middle := clock.Now().Add(-time.Second)
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
				now := s.Values[0] > 0 && study.FlashBright(int64(s.Values[1]))
				if now != bright {
					bright = now
					shown = append(shown, latency.Edge{At: s.At, Bright: bright})
				}
			}
		case <-frames.C:
			for ; middle < clock.Now().Add(-time.Second); middle = middle.Add(e.period) {
				share := brightShare(shown, middle.Add(-e.exposure/2), middle.Add(e.exposure/2))
				sample := stream.Sample{Seq: seq, Tick: int64(middle.Add(e.late)), Arrival: clock.Now(), Values: []float64{.3 - .05*share, .1 + .5*share}}
				seq++
				if !stream.Send(ctx, out, stream.Chunk{Stream: meterID, Samples: []stream.Sample{sample}}) {
					return nil
				}
			}
		}
	}
}

// brightShare is for which share of a time the screen was bright.
func brightShare(shown []latency.Edge, from, until instant.Instant) float64 {
	var sum time.Duration
	for i, e := range shown {
		end := until
		if i+1 < len(shown) {
			end = min(end, shown[i+1].At)
		}
		if d := end.Sub(max(e.At, from)); e.Bright && d > 0 {
			sum += d
		}
	}
	return float64(sum) / float64(until.Sub(from))
}

// TestMeasureCamera measures a camera against a display whose latency is known.
func TestMeasureCamera(t *testing.T) {
	const glassLate = 25 // ms
	e := &eye{late: 90 * time.Millisecond, exposure: 12 * time.Millisecond, period: 31 * time.Millisecond, lab: make(chan *session.Lab, 1)}
	token, err := access.NewToken()
	if err != nil {
		t.Fatal(err)
	}
	f, err := openFlashLab(flashOptions{listen: "127.0.0.1:0", token: token, sources: []stream.Source{e}, simulated: true})
	if err != nil {
		t.Fatal(err)
	}
	clip := &f.study.Stimuli[0] // five seconds of it are enough
	clip.FrameTimes, clip.Duration = clip.FrameTimes[:150], 5*time.Second
	e.lab <- f.lab
	display := measuredOnce(glassLate, time.Now())
	g := glass{display: &display}
	about := webcam.Description{Device: "camera of the test", Width: 640, Height: 480, FPS: 30, Stamps: webcam.DriverStamps}

	var said bytes.Buffer
	var m latency.Measured
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	before, _ := readMachine()
	err = f.run(ctx, func(ctx context.Context) error {
		ctx, stop := context.WithCancel(ctx)
		var group errgroup.Group
		group.Go(func() error {
			return client.New(client.Options{
				URL: "http://" + f.socket.Addr().String(), Header: http.Header{"Authorization": {"Bearer " + console.StageToken(token)}},
				Clock: instant.Monotonic{}, Study: f.study,
			}).Run(ctx)
		})
		var err error
		m, err = measureCamera(ctx, f, g, about, 1, &said)
		stop()
		return errors.Join(err, group.Wait())
	})
	if err != nil {
		t.Fatalf("%v\nit said: %s", err, said.String())
	}
	// The light came 25 ms after the frames that the eye takes for it, so the eye was
	// 25 ms quicker.
	want, load := float64(e.late)/1e6-glassLate, before.since(t)
	if off := math.Abs(m.MedianMs - want); off > m.WithinMs() || off > 8 && load.idle() { // the live instants are the truth here
		t.Errorf("a latency of %.2f ms was measured, within %.2f; it is %.0f (%v)", m.MedianMs, m.WithinMs(), want, load)
	}
	if m.Kind != latency.Camera || m.Device != about.Device || m.Mode != about.Mode() || m.Screen.Width == 0 || !strings.Contains(m.Remark, "display") {
		t.Errorf("provenance: %+v", m)
	}
	dir := t.TempDir()
	if _, err := saveLatency(dir, m); err != nil {
		t.Fatal(err)
	}
	back, err := loadLatency(dir, latency.Camera)
	if err != nil {
		t.Fatal(err)
	}
	shift, note := cameraShift(back, about)
	if shift == nil || math.Abs(float64(shift.By)/1e6+m.MedianMs) > .001 || !strings.Contains(note, "corrected by -") {
		t.Errorf("applied as %+v: %s", shift, note)
	}
	var kept, sum bytes.Buffer
	printCamera(&kept, m)
	m.Kind = latency.Sum
	printCamera(&sum, m)
	if !strings.Contains(kept.String(), "corrected by -") || !strings.Contains(kept.String(), "flashes speak for this bound") || !strings.Contains(sum.String(), "not applied") {
		t.Errorf("printed\n%s\n%s", kept.String(), sum.String())
	}
	// What corrects neither is not taken for a camera's.
	file, err := saveLatency(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	if wrong, err := readLatency(file, latency.Camera); err == nil {
		t.Errorf("the sum is read as a camera's latency: %+v", wrong)
	}
}

// A network camera whose pictures come more or less late is measured against what
// alignment makes of them, not against their arrivals: what is found corrects a
// recording of the same camera.
func TestCameraIsMeasuredAsItIsAligned(t *testing.T) {
	const (
		period   = time.Second / 29
		exposure = 10 * time.Millisecond
		pictures = 29 * 60
	)
	random := rand.New(rand.NewPCG(17, 4))
	start := instant.Instant(time.Hour)
	var stated []latency.Edge
	for at := start.Add(time.Second); len(stated) < 120; at = at.Add(time.Duration(200+random.IntN(300)) * time.Millisecond) {
		stated = append(stated, latency.Edge{At: at, Err: time.Millisecond, Bright: len(stated)%2 == 0})
	}
	about := webcam.Description{Device: "camera of the test", FPS: 29, Stamps: webcam.ArrivalStamps}
	meter := &track{info: stream.Info{ID: meterID, Kind: stream.Light, Clock: about.Stamps.Clock(), TickHz: 1e9, Rate: about.FPS}}
	middles := make([]instant.Instant, pictures)
	var last instant.Instant
	for i := range middles {
		middles[i] = start.Add(time.Duration(i) * period)
		share := brightShare(stated, middles[i].Add(-exposure/2), middles[i].Add(exposure/2))
		// 90 ms, and what the network adds.
		last = max(last, middles[i].Add(90*time.Millisecond+time.Duration(random.ExpFloat64()*float64(8*time.Millisecond))))
		s := stream.Sample{Seq: int64(i), Tick: int64(last), Arrival: last, Values: []float64{.3, .1 + .5*share}}
		meter.samples = append(meter.samples, s)
		meter.stamps = append(meter.stamps, align.Stamp{Seq: s.Seq, Tick: s.Tick, Arrival: s.Arrival})
	}
	got := tracks{all: map[string]*track{meterID: meter}}
	seen, err := got.pictures(meterID)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := latency.FitCamera(stated, seen, 0)
	if err != nil {
		t.Fatal(err)
	}
	m.Device, m.Mode = about.Device, about.Mode()
	shift, _ := cameraShift(&m, about)
	face := stream.Info{ID: "face", Kind: stream.Face, Clock: about.Stamps.Clock(), TickHz: 1e9, Rate: about.FPS, Shift: shift}
	timeline, err := align.Fit(face, meter.stamps, nil)
	if err != nil {
		t.Fatal(err)
	}
	off := make([]float64, pictures)
	inside := 0
	for i, s := range meter.stamps {
		at, bound := timeline.At(s.Epoch, timeline.Tick(s))
		off[i] = at.Sub(middles[i]).Seconds() * 1000
		if at.Sub(middles[i]).Abs() <= bound {
			inside++
		}
	}
	slices.Sort(off)
	t.Logf("measured %+.2f ms, within %.2f; corrected frames are %+.2f ms off in the median", m.MedianMs, m.WithinMs(), off[pictures/2])
	if math.Abs(off[pictures/2]) > 2 {
		t.Errorf("corrected frames are %.2f ms off in the median", off[pictures/2])
	}
	if inside < pictures*99/100 {
		t.Errorf("the bound holds for %d of %d frames", inside, pictures)
	}
}

// What a display leaves open is known, the way from the corner to the middle
// included, also of a screen that does not tell its refresh.
func TestLightInTheMiddleOfTheScreen(t *testing.T) {
	for hz, want := range map[float64]time.Duration{60: 8333333, 120: 4166666, 0: 8333333, math.NaN(): 8333333, -1: 8333333} {
		display := measuredOnce(25, time.Now()) // ±1 ms
		display.Screen.RefreshHz = hz
		edges := glass{display: &display}.onGlass([]latency.Edge{{At: instant.Instant(time.Hour), Err: time.Millisecond, Bright: true}})
		if e := edges[0]; e.At != instant.Instant(time.Hour+25*time.Millisecond) || e.Err != 2*time.Millisecond+want {
			t.Errorf("at %v Hz: %+v, want a bound of %v", hz, e, 2*time.Millisecond+want)
		}
	}
}

// A device that goes away ends the measurement with its reason; a page may be
// reloaded.
func TestDeviceGoneWhileMeasuring(t *testing.T) {
	away := []stream.Event{{Kind: stream.Disconnected, Detail: "unplugged"}}
	page := &track{info: stream.Info{ID: stage.StreamID, Kind: stream.Stimulus}, events: away}
	meter := &track{info: stream.Info{ID: meterID, Kind: stream.Light, Device: "C920"}}
	got := tracks{all: map[string]*track{stage.StreamID: page, meterID: meter}}
	if err := got.gone(); err != nil {
		t.Errorf("only the page was away: %v", err)
	}
	meter.events = away
	if err := got.gone(); err == nil || !strings.Contains(err.Error(), "C920 went away") || !strings.Contains(err.Error(), "unplugged") {
		t.Errorf("error %v", err)
	}
}

// A latency is that of one camera in one mode.
func TestCameraShiftIsOfOneCamera(t *testing.T) {
	about := webcam.Description{Device: "C920", Width: 1280, Height: 720, FPS: 30, Stamps: webcam.DriverStamps}
	m := latency.Measured{Kind: latency.Camera, Device: "C920", Mode: about.Mode(), MedianMs: 60, Flashes: 1, Matched: 1, ResidualsMs: []float64{0}, ClockMs: 3}
	if s, _ := cameraShift(&m, about); s == nil || s.By != -60*time.Millisecond || s.Within != 3*time.Millisecond {
		t.Errorf("applied as %+v", s)
	}
	for name, change := range map[string]func(*webcam.Description){
		"another camera": func(d *webcam.Description) { d.Device = "C270" },
		"another size":   func(d *webcam.Description) { d.Height = 480 },
		"another rate":   func(d *webcam.Description) { d.FPS = 15 },
		"other stamps":   func(d *webcam.Description) { d.Stamps = webcam.ArrivalStamps },
	} {
		d := about
		change(&d)
		if s, note := cameraShift(&m, d); s != nil || !strings.Contains(note, "not applied") || !strings.Contains(note, "calibrate camera") {
			t.Errorf("%s: %+v, %q", name, s, note)
		}
		if sameCamera(about, d, true) == nil {
			t.Errorf("%s may go on with the stream of the corrected one", name)
		}
		if err := sameCamera(about, d, false); (err != nil) != (name == "other stamps") {
			t.Errorf("%s, uncorrected: %v", name, err)
		}
	}
	if s, note := cameraShift(nil, about); s != nil || !strings.Contains(note, "not measured") {
		t.Errorf("of nothing: %+v, %q", s, note)
	}
	if err := sameCamera(about, about, true); err != nil {
		t.Error(err)
	}
}

// A camera that is not there states the clock that its kind mostly has.
func TestAbsentCameraStatesItsClock(t *testing.T) {
	needModels(t) // a rig with a camera opens the face nets
	for source, want := range map[string]stream.ClockKind{
		"/dev/video97":                stream.HostClock,
		"http://127.0.0.1:1/no.mjpeg": stream.ArrivalClock,
	} {
		r, err := realRig(labFile{Camera: cameraEntry{Source: source}}, detectorFlags{Detector: "tiny"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.sources[0].Info()[0]; got.Clock != want || got.Shift != nil {
			t.Errorf("%s: clock %q, shift %v", source, got.Clock, got.Shift)
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCalibrateCameraRefusals(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := write("plain.yaml", "camera: {source: /dev/video97}\n")
	blind := write("blind.yaml", "devices:\n  - {driver: emobox, port: /dev/ttyUSB7, light: true}\n")
	two := write("two.yaml", "devices:\n  - {driver: emobox, port: /dev/ttyUSB7, light: true}\n  - {driver: emobox, id: left, port: /dev/ttyUSB8, light: true}\n")
	measured := t.TempDir()
	if _, err := saveLatency(measured, measuredOnce(20, time.Now())); err != nil {
		t.Fatal(err)
	}
	vague := t.TempDir()
	wide := measuredOnce(20, time.Now())
	wide.ResidualsMs = []float64{-30, 30}
	if _, err := saveLatency(vague, wide); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--lab", plain, "--repeats", "0"}, exitUsage, "--repeats 0"},
		{[]string{"--lab", plain, "--light", "moon"}, exitUsage, "moon"},
		{[]string{"--lab", plain, "--listen", "0.0.0.0:1"}, exitUsage, "loopback"},
		{[]string{"--lab", plain}, exitFailed, "--sum"},
		{[]string{"--lab", plain, "--light", "sensor"}, exitFailed, "light: true"},
		{[]string{"--lab", plain, "--sum"}, exitFailed, "there is no camera /dev/video97"},
		{[]string{"--lab", plain, "--data", measured}, exitFailed, "there is no camera /dev/video97"},
		{[]string{"--lab", plain, "--data", vague}, exitFailed, "±30 ms only"},
		{[]string{"--lab", blind}, exitFailed, "names no camera"},
		{[]string{"--lab", two}, exitUsage, "--device: eda, left"},
		{[]string{"--lab", blind, "--camera", "film.mp4"}, exitUsage, "sees no screen"},
	} {
		var errOut bytes.Buffer
		args := append([]string{"calibrate", "camera", "--data", dir}, c.args...)
		if code := run(t.Context(), args, io.Discard, &errOut); code != c.code || !strings.Contains(errOut.String(), c.want) {
			t.Errorf("%v: code %d, want %d; error %q, want one about %q", c.args, code, c.code, errOut.String(), c.want)
		}
	}
}
