package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/serialtest"
	"emolab/studies/access"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// bench is a running lab of virtual sensors, without a camera.
type bench struct {
	*appliance
	t      *testing.T
	dir    string
	truth  *script.Truth
	cables map[string]cable  // by the id of a device's first stream
	names  map[string]string // drivers, likewise
	stop   func()            // ends the lab and waits for it
}

// newBench starts the virtual devices of some drivers, all in one lab, and what
// serve starts. Every session shows a clip after a rest of some length: without a
// cross the eyes go where the script has them.
func newBench(t *testing.T, rest time.Duration, flags virtualFlags) *bench {
	t.Helper()
	return openBench(t, benchOptions{flags: flags, flow: fmt.Sprintf("[{block: {trial: [rest: %ds, play, rest: 1s]}}]", int(rest.Seconds()))})
}

// benchOptions say what a bench has and does.
type benchOptions struct {
	flags virtualFlags
	slips int    // in how many rounds of a calibration the tracker slips by flags.GazeError
	flow  string // of the study, whose only clip is silk; as in a study file
	gaze  string // devices.gaze of the study; "" = as by default
	// arrives is how long a tracker that calibrates itself waits at each point; 0 = as usual.
	arrives time.Duration
	// stage opens the participant's page and returns what closes it; nil = the
	// built-in client.
	stage func(*bench) func()
}

// openBench starts the virtual devices of some drivers, all in one lab, and what
// serve starts.
func openBench(t *testing.T, o benchOptions) *bench {
	t.Helper()
	flags := o.flags
	b := &bench{t: t, dir: t.TempDir(), names: map[string]string{}}
	clock := instant.Monotonic{}
	b.truth = script.NewTruth(script.New(flags.Seed), clock.Now())
	r := &rig{truth: b.truth, screen: session.AssumedScreen(), slip: flags.GazeError, slips: o.slips, arrives: o.arrives, cables: map[string]cable{}}
	b.truth.Tracker = flags.tracker(r.screen)
	ports := t.TempDir()
	for i, name := range flags.Devices {
		before := len(r.cables)
		if err := r.addVirtual(t.Context(), name, i, ports, flags); err != nil {
			t.Fatal(err)
		}
		for id := range r.cables {
			if b.names[id] == "" && len(r.cables) > before {
				b.names[id] = name
			}
		}
	}
	b.cables = r.cables

	example, err := openExample(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(example.Dir, "bench.yaml")
	text := "id: bench\nstimuli: {folder: stimuli/, list: [{id: silk, file: silk.mp4}]}\nflow: " + o.flow + "\n"
	if o.gaze != "" {
		text += "devices: {gaze: " + o.gaze + "}\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := study.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	token, err := access.NewToken()
	if err != nil {
		t.Fatal(err)
	}
	b.appliance, err = assemble(t.Context(), applianceOptions{
		dir: b.dir, study: st, rig: r, listen: "127.0.0.1:0", token: token, simulatedStage: o.stage == nil,
		log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.run(ctx) }()
	var closeStage func()
	if o.stage != nil {
		closeStage = o.stage(b)
	} else if closeStage, err = openStage(ctx, b.appliance, r, false); err != nil {
		t.Fatal(err)
	}
	stopped := false
	b.stop = func() {
		if stopped {
			return
		}
		stopped = true
		closeStage()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(b.stop)
	if err := waitReady(ctx, b.manager, settleTime); err != nil {
		t.Fatal(err)
	}
	return b
}

// record runs one session, lets during go on meanwhile, and returns its id.
func (b *bench) record(during func()) string {
	b.t.Helper()
	id, err := b.manager.Start(b.t.Context(), session.Request{Participant: "P1"})
	if err != nil {
		b.t.Fatal(err)
	}
	if during != nil {
		b.begin()
		during()
		if err := b.manager.Stop(b.t.Context(), "enough"); err != nil {
			b.t.Fatal(err)
		}
	}
	out, err := b.manager.Wait(b.t.Context())
	if err != nil || out.State != session.Sealed || out.Error != "" {
		b.t.Fatalf("session ended as %+v, %v", out, err)
	}
	return id
}

// begin waits until the session is recorded; where somebody watches at the console, they
// begin it as soon as the participant waits.
func (b *bench) begin() {
	b.t.Helper()
	late := time.After(readyLimit)
	look := time.NewTicker(pollEvery)
	defer look.Stop()
	for {
		s := b.manager.Status()
		if s.State == session.Recording {
			return
		}
		if s.Ready && b.console.Watched() {
			_ = b.manager.Begin(session.Beginning{Confirm: "P1"}) // refused in the moment in which it has begun
		}
		select {
		case <-look.C:
		case <-late:
			b.t.Fatalf("the recording did not begin: %+v", s)
		}
	}
}

// column reads one channel of a stream with its instants, as the file has it.
func column(t *testing.T, s *store.Store, id string, info stream.Info, channel string) (at []instant.Instant, values []float64) {
	t.Helper()
	i := info.Index(channel)
	for row, err := range s.Samples(t.Context(), id, info.ID) {
		if err != nil {
			t.Fatal(err)
		}
		at, values = append(at, row.At), append(values, row.Values[i])
	}
	return at, values
}

// resolution says how far a recorded value may be from the scripted one where the
// device is coarser than most: its step and its noise, and what the value changes
// in the delay that nobody can see.
func resolution(driver string, k stream.Kind) float64 {
	if k == stream.Gaze {
		return .02 // of the screen
	}
	switch driver {
	case "grove":
		return .25 // µS: 10 bits over a range that is steep here, near the trim
	case "bitalino":
		return .06 // µS: steps of 0.0244
	}
	return .05 // µS
}

// Every device of the catalogue plays its script through its own driver, the
// alignment, and the recorder; what the file has is what was scripted.
func TestEveryDeviceIntoTheFile(t *testing.T) {
	flags := virtualFlags{Seed: 5, DriftPPM: 500, Batch: 4 * time.Millisecond}
	for _, d := range drivers() {
		flags.Devices = append(flags.Devices, d.Name)
	}
	b := newBench(t, 6*time.Second, flags)
	infos := b.lab.Streams()
	id := b.record(nil)
	b.stop()

	s, only := onlySession(t, b.dir)
	if only != id {
		t.Fatalf("session %s, want %s", only, id)
	}
	for _, info := range infos {
		driver := b.names[info.ID]
		switch info.Kind {
		case stream.EDA:
			b.checkEDA(s, id, info, resolution(driver, info.Kind))
		case stream.Gaze:
			b.checkGaze(s, id, info, resolution(driver, info.Kind))
		}
	}
}

// enough is the share of a stream's nominal samples that must be there: the lab
// is loaded with every device at once.
const enough = .9

func (b *bench) checkEDA(s *store.Store, id string, info stream.Info, tolerance float64) {
	t := b.t
	t.Helper()
	at, values := column(t, s, id, info, "eda_us")
	good, worst := 0, 0.
	for i, us := range values {
		if math.IsNaN(us) {
			continue
		}
		off := math.Abs(us - b.truth.Script().Conductance(b.truth.Elapsed(at[i])))
		worst = max(worst, off)
		if off <= tolerance {
			good++
		}
	}
	seconds := at[len(at)-1].Sub(at[0]).Seconds()
	t.Logf("%-12s %-10s %6.1f samples/s, %d of %d right, worst %.3f µS off", info.ID, b.names[info.ID], float64(len(at))/seconds, good, len(values), worst)
	if good < int(enough*seconds*info.Rate) || good < len(values)*98/100 {
		t.Errorf("%s (%s): %d of %d samples in %.1f s are what was scripted within %v µS", info.ID, b.names[info.ID], good, len(values), seconds, tolerance)
	}
}

// saccade is how far from a recorded instant the scripted gaze may be looked for:
// in a saccade the eye crosses the screen in that time.
const saccade = 25 * time.Millisecond

func (b *bench) checkGaze(s *store.Store, id string, info stream.Info, tolerance float64) {
	t := b.t
	t.Helper()
	at, xs := column(t, s, id, info, "gaze_x")
	_, ys := column(t, s, id, info, "gaze_y")
	good, valid, worst := 0, 0, 0.
	for i := range at {
		if math.IsNaN(xs[i]) {
			continue
		}
		valid++
		near := math.Inf(1)
		for d := -saccade; d <= saccade; d += time.Millisecond {
			x, y := b.truth.Script().Gaze(b.truth.Elapsed(at[i].Add(d)))
			near = min(near, math.Hypot(xs[i]-x, ys[i]-y))
		}
		worst = max(worst, near)
		if near <= tolerance {
			good++
		}
	}
	seconds := at[len(at)-1].Sub(at[0]).Seconds()
	t.Logf("%-12s %-10s %6.1f samples/s, %d of %d right, worst %.3f screens off", info.ID, b.names[info.ID], float64(len(at))/seconds, good, valid, worst)
	if len(at) < int(enough*seconds*info.Rate) || good < valid*98/100 || valid < len(at)*8/10 {
		t.Errorf("%s (%s): %d of %d valid of %d samples in %.1f s are what was scripted within %v screens", info.ID, b.names[info.ID], good, valid, len(at), seconds, tolerance)
	}
}

const (
	// pulls is how often each cable is pulled.
	pulls = 100
	// spare is how many goroutines and open files may be more than before the
	// recording: the recorder's own. One that is left behind a pull would be 200.
	spare = 20
)

// A cable with a loose plug: out and in a hundred times while a session records,
// often in the middle of a frame. Each hole is a row, nothing leaks, and the
// recording goes on.
func TestReplugAHundredTimes(t *testing.T) {
	b := newBench(t, 10*time.Minute, virtualFlags{Seed: 3, DriftPPM: 2000, Batch: 16 * time.Millisecond, Loss: 1, Corrupt: .1,
		Devices: []string{"emobox", "gazepoint"}})
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	id := b.record(func() {
		for n := range pulls {
			for _, link := range b.cables {
				if err := link.Unplug(); err != nil {
					t.Fatal(err)
				}
			}
			b.await("both are gone", func(h session.Health) bool { return !h.Connected })
			for _, link := range b.cables {
				if err := link.Plug(); err != nil {
					t.Fatal(err)
				}
			}
			b.await(fmt.Sprintf("both are back after pull %d", n+1), func(h session.Health) bool { return h.Connected })
		}
	})
	serialtest.Eventually(t, fmt.Sprintf("at most %d goroutines more than the %d before", spare, goroutines), func() bool {
		return runtime.NumGoroutine() <= goroutines+spare
	})
	serialtest.Eventually(t, fmt.Sprintf("at most %d open files more than the %d before", spare, files), func() bool {
		return openFiles(t) <= files+spare
	})
	b.stop()
	s, _ := onlySession(t, b.dir)
	detail, err := s.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	gaps := map[string]int{}
	for _, g := range detail.Gaps {
		if g.Reason == "disconnected" {
			gaps[g.Stream]++
		}
	}
	for id := range b.cables {
		if gaps[id] != pulls {
			t.Errorf("%s: %d gap rows of %d pulls", id, gaps[id], pulls)
		}
	}
}

// await waits until all sensors are as they should be.
func (b *bench) await(what string, ok func(session.Health) bool) {
	b.t.Helper()
	deadline := time.After(readyLimit)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		all := true
		for _, h := range b.lab.Health() {
			if _, sensor := b.cables[h.Info.ID]; sensor {
				all = all && ok(h)
			}
		}
		if all {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			b.t.Fatalf("after %v still not: %s", readyLimit, what)
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
