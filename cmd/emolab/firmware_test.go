package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"emolab/firmware-bridge/emulator"
	"emolab/firmware-bridge/firmware"
	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/gsr/emobox"
	"emolab/sensors/serialtest"
)

// hostProgram builds emolab-simavr and puts it in PATH, or skips the test where
// it cannot be built.
func hostProgram(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	_, err := emulator.BuildHost(t.Context(), filepath.Join("..", "..", "firmware-bridge", "emulator", "host"), dir)
	if errors.Is(err, emulator.ErrNoSimavr) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	if _, err := firmware.Build(t.Context(), firmware.Options{Dir: dir}); errors.Is(err, firmware.ErrNoCompiler) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// firmwareMinutes is the environment variable that makes TestFirmwareByTheDriver
// long: its acceptance run has 10.
const firmwareMinutes = "EMOLAB_FIRMWARE_MINUTES"

func firmwareRun(t *testing.T) time.Duration {
	t.Helper()
	s := os.Getenv(firmwareMinutes)
	if s == "" {
		return 6 * time.Second
	}
	minutes, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatalf("%s: %v", firmwareMinutes, err)
	}
	return time.Duration(minutes * float64(time.Minute))
}

// latencyTimer is the adapter's for a recording of some length. Behind FTDI's usual
// 16 ms a few seconds with a ping each cannot be placed to a millisecond; the bound
// says so. From a minute on they can; shorter ones get the timer that the README
// advises.
func latencyTimer(run time.Duration) time.Duration {
	if run < time.Minute {
		return time.Millisecond
	}
	return 16 * time.Millisecond
}

// alignmentBudget is how far 95 of 100 samples of a recording may be placed from
// the truth: a millisecond, and twice that where there was hardly time for pings.
func alignmentBudget(run time.Duration) time.Duration {
	if run < time.Minute {
		return 2 * time.Millisecond
	}
	return time.Millisecond
}

// keptUp is how late the simulation may once be on a machine that has time for it.
const keptUp = 250 * time.Millisecond

// p95 returns what 95 of 100 of the misses are below, and the largest.
func p95(misses []time.Duration) (most95, most time.Duration) {
	if len(misses) == 0 {
		return 0, 0
	}
	s := slices.Sorted(slices.Values(misses))
	return s[len(s)*95/100], s[len(s)-1]
}

// TestFirmwareByTheDriver records the real firmware under simavr with the real
// driver through the serial library, behind an adapter that batches and on a
// crystal that is off, and compares all that was recorded with the truth.
func TestFirmwareByTheDriver(t *testing.T) {
	hostProgram(t)
	lasts := firmwareRun(t)
	var clock instant.Monotonic
	truth := script.NewTruth(script.New(5), clock.Now())
	streams := []string{"eda", "eda_light", "eda_trigger"}
	box, err := startFirmwareBox(t.Context(), firmwareBoxOptions{
		Port: filepath.Join(t.TempDir(), "emobox"), Truth: truth, Clock: clock, Streams: streams,
		DriftPPM: 2500, Batch: latencyTimer(lasts), Seed: 5,
	})
	if err != nil {
		t.Fatal(err)
	}
	if box.Instead != nil {
		t.Fatalf("the model runs instead: %v", box.Instead)
	}
	t.Log(box.About(), box.image.Use())

	settings := emobox.Options{Light: true, Trigger: true}
	settings.ID, settings.Port, settings.Clock, settings.Simulated = "eda", box.Path(), clock, true
	source, err := settings.Open()
	if err != nil {
		t.Fatal(err)
	}
	before, _ := readMachine()
	got := serialtest.Record(t, source)
	got.AwaitSamples(10)
	timer := time.NewTimer(lasts)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-box.Ended():
	}
	got.Stop()
	load := before.since(t)
	if err := box.Close(); err != nil {
		t.Error(err)
	}
	stats := box.board.Stats()
	if stats.Lost > 0 || stats.Late > 0 || stats.Starved > 0 || stats.Resets > 0 {
		t.Errorf("the emulation was not clean: %+v", stats)
	}
	if lost, faults := got.Total(stream.Lost), got.Total(stream.Fault); lost != 0 || faults != 0 {
		t.Errorf("%d lost, %d faults, want none: %v", lost, faults, got.Events(stream.Fault))
	}
	r := recordingOf(t, source.Info(), got.Chunks())
	record := truth.Record()
	if len(record.Clocks) != len(streams) {
		t.Fatalf("%d clocks in the truth, want one each of %v", len(record.Clocks), streams)
	}
	trueClock := record.Clocks[0] // of skin conductance: of what its readings speak
	budget := alignmentBudget(lasts)
	if stats.MaxLag > keptUp || !load.idle() {
		// On the line this was a delay that no real box has. What each sample says
		// of its error must hold all the same.
		t.Logf("this machine was busy: the simulation was up to %v late, so the budget of %v is not asked for (%v)", stats.MaxLag, budget, load)
		budget = max(budget, time.Duration(2*r[0].timeline.Statement().BoundMs*float64(time.Millisecond)))
	}
	checkConductance(t, truth, trueClock, r[0], budget)
	checkFlashes(t, truth, r[1], budget)
	checkPulses(t, truth, record.Clocks[2], r[2], budget)
	t.Logf("%d samples, %d light readings, %d edges, %d pings; 0 lost, 0 damaged; simulation at most %v late",
		len(r[0].samples), len(r[1].samples), len(r[2].samples), r[0].pings, stats.MaxLag)
}

// recorded is one stream, aligned.
type recorded struct {
	samples  []stream.Sample // with At and Err
	timeline *align.Timeline
	pings    int
}

// recordingOf sorts chunks by their streams and aligns each as sealing does.
func recordingOf(t *testing.T, infos []stream.Info, chunks []stream.Chunk) []recorded {
	t.Helper()
	all := make([]recorded, len(infos))
	for i, info := range infos {
		var stamps []align.Stamp
		var pings []align.Ping
		for _, c := range chunks {
			if c.Stream != info.ID {
				continue
			}
			stamps, pings = align.Stamps(stamps, c), align.Pings(pings, c)
			all[i].samples = append(all[i].samples, c.Samples...)
		}
		timeline, err := align.Fit(info, stamps, pings)
		if err != nil {
			t.Fatalf("%s: %v", info.ID, err)
		}
		for k, s := range stamps {
			all[i].samples[k].At, all[i].samples[k].Err = timeline.At(s.Epoch, timeline.Tick(s))
		}
		all[i].timeline, all[i].pings = timeline, len(pings)
	}
	return all
}

// checkConductance compares every sample with the script, and its place in time
// with the true clock.
func checkConductance(t *testing.T, truth *script.Truth, c script.Clock, r recorded, budget time.Duration) {
	t.Helper()
	const (
		// A step of the converter is 0.098 µS. Its noise (half a step) and its
		// rounding leave 0.0051 µS of a mean of 120; the largest of many samples
		// lies below five and a half of that.
		deviation = .0051
		tolerance = 5.5 * deviation
	)
	sum, most := 0., 0.
	var misses []time.Duration
	for i, s := range r.samples {
		if s.Seq != r.samples[0].Seq+int64(i) {
			t.Fatalf("sample %d has number %d", i, s.Seq)
		}
		at := c.At(s.Tick)
		miss := s.Values[1] - truth.Script().Conductance(truth.Elapsed(at))
		sum, most = sum+miss, max(most, math.Abs(miss))
		misses = append(misses, s.At.Sub(at).Abs())
		if s.At.Sub(at).Abs() > s.Err {
			t.Errorf("sample %d is %v beside the truth, and says at most %v", i, s.At.Sub(at), s.Err)
			break
		}
	}
	mean := sum / float64(len(r.samples))
	if math.Abs(mean) > deviation || most > tolerance || math.IsNaN(mean) {
		t.Errorf("conductance: off by %.4f µS on average and %.4f at most, want %.4f and %.4f", mean, most, deviation, tolerance)
	}
	late95, late := p95(misses)
	if late95 > budget {
		t.Errorf("conductance: 95 of 100 placed within %v of the truth, want %v", late95, budget)
	}
	t.Logf("conductance: off by %.5f µS on average, %.4f at most; placed beside the truth by p95 %v, at most %v; %+v",
		mean, most, late95, late, r.timeline.Statement())
}

// checkFlashes finds the edges of the light and compares them with the patch's.
func checkFlashes(t *testing.T, truth *script.Truth, r recorded, budget time.Duration) {
	t.Helper()
	const half = 500 * time.Millisecond // of the patch's period
	if len(r.samples) == 0 {
		t.Fatal("no light")
	}
	middle := (emobox.PatchMV(0) + emobox.PatchMV(half)) / 2 / emulator.Supply * 65535
	var misses []time.Duration
	var first, last int64
	for i := 1; i < len(r.samples); i++ {
		a, b := r.samples[i-1], r.samples[i]
		if (a.Values[0] < middle) == (b.Values[0] < middle) || b.Tick-a.Tick > 1100 {
			continue
		}
		at := truth.Elapsed(a.At + (b.At-a.At)/2)
		k := int64(math.Round(float64(at) / float64(half)))
		if len(misses) == 0 {
			first = k
		}
		last = k
		misses = append(misses, (at - time.Duration(k)*half).Abs())
	}
	edges := len(misses)
	if edges == 0 || int64(edges) != last-first+1 {
		t.Errorf("light: %d edges, want all of number %d to %d", edges, first, last)
	}
	late95, late := p95(misses)
	if late95 > budget {
		t.Errorf("light: 95 of 100 edges placed within %v of the truth, want %v", late95, budget)
	}
	t.Logf("light: %d edges, placed beside the truth by p95 %v, at most %v", edges, late95, late)
}

// checkPulses compares the edges of the trigger line with the true ones: by the
// box's clock, and as they were placed.
func checkPulses(t *testing.T, truth *script.Truth, c script.Clock, r recorded, budget time.Duration) {
	t.Helper()
	const period, width = time.Second, 10 * time.Millisecond
	latched := time.Duration(0)
	var misses []time.Duration
	for i, s := range r.samples {
		at := truth.Elapsed(c.At(s.Tick))
		begin := at.Round(period)
		want := begin
		if s.Values[0] == 0 {
			want += width
		}
		if i > 0 && s.Values[0] == r.samples[i-1].Values[0] {
			t.Errorf("trigger: edges %d and %d have the same level", i-1, i)
		}
		latched = max(latched, (at - want).Abs())
		misses = append(misses, (truth.Elapsed(s.At) - want).Abs())
	}
	if n := len(r.samples); n < 4 {
		t.Errorf("trigger: %d edges", n)
	}
	late95, late := p95(misses)
	if latched > 100*time.Microsecond || late95 > budget {
		t.Errorf("trigger: latched %v beside the truth, 95 of 100 placed within %v, want at most 0.1 ms and %v", latched, late95, budget)
	}
	t.Logf("trigger: %d edges, latched at most %v beside the truth; placed by p95 %v, at most %v", len(r.samples), latched, late95, late)
}

// A box that is unplugged and replugged while it is recorded comes back, with a
// gap that is told, and its clock anew.
func TestFirmwareUnplugged(t *testing.T) {
	hostProgram(t)
	var clock instant.Monotonic
	truth := script.NewTruth(script.New(6), clock.Now())
	box, err := startFirmwareBox(t.Context(), firmwareBoxOptions{
		Port: filepath.Join(t.TempDir(), "emobox"), Truth: truth, Clock: clock, Streams: []string{"eda"}, Seed: 6,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	settings := emobox.Options{}
	settings.ID, settings.Port, settings.Clock = "eda", box.Path(), clock
	source, err := settings.Open()
	if err != nil {
		t.Fatal(err)
	}
	got := serialtest.Record(t, source)
	for i := range 3 {
		got.AwaitEvents(stream.Connected, i+1)
		got.AwaitSamples(len(got.Samples()) + 20)
		if err := box.Unplug(); err != nil {
			t.Fatal(err)
		}
		got.AwaitEvents(stream.Disconnected, i+1)
		if err := box.Plug(); err != nil {
			t.Fatal(err)
		}
	}
	got.AwaitEvents(stream.Connected, 4)
	if n := len(truth.Record().Clocks); n != 4 {
		t.Errorf("%d clocks in the truth, want one for each time that the box had power", n)
	}
}

// Where the simulator is missing, the model plays, and says so.
func TestFirmwareBoxWithoutSimulator(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var clock instant.Monotonic
	box, err := startFirmwareBox(t.Context(), firmwareBoxOptions{
		Port: filepath.Join(t.TempDir(), "emobox"), Truth: script.NewTruth(script.New(7), clock.Now()), Clock: clock,
		Streams: []string{"eda"}, Seed: 7,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	if !errors.Is(box.Instead, emulator.ErrNoHost) || !strings.Contains(box.About(), "model") {
		t.Errorf("it says %q", box.About())
	}
	settings := emobox.Options{}
	settings.ID, settings.Port, settings.Clock = "eda", box.Path(), clock
	source, err := settings.Open()
	if err != nil {
		t.Fatal(err)
	}
	serialtest.Record(t, source).AwaitSamples(20)
}

func TestFirmwareBuildCommand(t *testing.T) {
	dir := t.TempDir()
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"firmware", "build", "--out", dir, "--serial", "9", "--json"}, &out, &errOut)
	if strings.Contains(errOut.String(), "apt install") {
		t.Skip(errOut.String())
	}
	var image firmware.Image
	if err := json.Unmarshal(out.Bytes(), &image); code != exitFine || err != nil {
		t.Fatalf("exit %d, %v: %s%s", code, err, out.String(), errOut.String())
	}
	if image.Serial != 9 || image.Flash == 0 || image.RAM == 0 {
		t.Errorf("%+v", image)
	}
	if _, err := os.Stat(filepath.Join(dir, "emobox.hex")); err != nil {
		t.Error(err)
	}
	out.Reset()
	if code := run(t.Context(), []string{"firmware", "build", "--out", dir}, &out, &errOut); code != exitFine || !strings.Contains(out.String(), "flash") {
		t.Errorf("exit %d: %s", code, out.String())
	}
}

func TestFirmwareEmulateCommandRefuses(t *testing.T) {
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"firmware", "emulate", "--batch", "256ms"}, &out, &errOut)
	if code != exitUsage || !strings.Contains(errOut.String(), "--batch") {
		t.Errorf("exit %d, says %q", code, errOut.String())
	}
}

func TestFirmwareFlashCommandRefuses(t *testing.T) {
	hex := filepath.Join(t.TempDir(), "emobox.hex")
	if err := os.WriteFile(hex, []byte(":00000001FF\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no port":        {[]string{}, exitUsage, "--port"},
		"unknown board":  {[]string{"--port", "/dev/null", "--board", "mega"}, exitUsage, "nano-old"},
		"serial and hex": {[]string{"--port", "/dev/null", "--hex", hex, "--serial", "3"}, exitUsage, "--serial"},
		"absent port":    {[]string{"--port", "/dev/emolab-none", "--hex", hex}, exitFailed, "/dev/emolab-none"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			code := run(t.Context(), append([]string{"firmware", "flash"}, c.args...), &out, &errOut)
			if strings.Contains(errOut.String(), "apt install") {
				t.Skip(errOut.String())
			}
			if code != c.code || !strings.Contains(errOut.String(), c.says) {
				t.Errorf("exit %d, says %q, want %d and %q", code, errOut.String(), c.code, c.says)
			}
		})
	}
}

// lines hands on what is written to it, for a command that runs on.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	select {
	case l.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestFirmwareEmulateCommand(t *testing.T) {
	hostProgram(t)
	port := filepath.Join(t.TempDir(), "emobox")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, errOut := &lines{more: make(chan struct{}, 1)}, &lines{more: make(chan struct{}, 1)}
	ended := make(chan int)
	go func() { ended <- run(ctx, []string{"firmware", "emulate", "--port", port}, out, errOut) }()
	for !strings.Contains(out.String(), "Ctrl-C") {
		select {
		case <-out.more:
		case code := <-ended:
			t.Fatalf("exit %d: %s", code, errOut)
		}
	}
	if s := out.String(); !strings.Contains(s, "under simavr") || !strings.Contains(s, "port: "+port) {
		t.Errorf("it prints %q", s)
	}
	settings := emobox.Options{}
	settings.ID, settings.Port, settings.Clock = "eda", port, instant.Monotonic{}
	source, err := settings.Open()
	if err != nil {
		t.Fatal(err)
	}
	got := serialtest.Record(t, source)
	got.AwaitSamples(20)
	got.Stop()
	stop()
	if code := <-ended; code != exitFine {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if _, err := os.Lstat(port); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the port is left behind: %v", err)
	}
}

// The world of the box is what the model of the box plays.
func TestBoxWorldJumps(t *testing.T) {
	truth := script.NewTruth(script.New(1), 1_000_000_000)
	w := boxWorld{truth}
	var got []time.Duration
	const step = instant.Instant(5 * time.Millisecond)
	for at := truth.Origin; at < truth.Origin.Add(1500*time.Millisecond); at += step {
		for _, j := range w.Jumps(at, at+step) {
			got = append(got, truth.Elapsed(j))
		}
	}
	want := []time.Duration{0, 10 * time.Millisecond, 500 * time.Millisecond, time.Second, 1010 * time.Millisecond}
	if len(got) != len(want) {
		t.Fatalf("jumps at %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("jump %d at %v, want %v", i, got[i], want[i])
		}
	}
}
