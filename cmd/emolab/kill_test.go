package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"emolab/capture/face"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

const (
	// lossLimit is how much of a stream a killed process may lose, beyond the
	// sample that was just due. Where others keep the machine busy, what was sampled
	// waits longer to be written, and only the file itself is judged.
	lossLimit = 100 * time.Millisecond
	// defaultKills is how often the test kills unless EMOLAB_KILLS says otherwise.
	defaultKills = 3
	// clipRate is the frame rate of the example's clips.
	clipRate = 30
	// killWithin is the part of a session in which it is killed.
	killWithin = 8 * time.Second
)

// kill -9 at any moment of a recording: the file opens, it is whole, the session
// is there to be continued, and next to nothing of any stream is missing.
func TestKillLosesNextToNothing(t *testing.T) {
	needModels(t)
	kills := defaultKills
	if v, err := strconv.Atoi(os.Getenv("EMOLAB_KILLS")); err == nil {
		kills = v
	}
	program, file := build(t), plainStudy(t)
	worst := map[string]time.Duration{}
	all := map[string][]time.Duration{}
	for n := range kills {
		dir := t.TempDir()
		before, _ := readMachine()
		killed, stood := killRecording(t, program, dir, rand.N(killWithin), "--study", file)
		load := before.since(t)
		t.Logf("kill %d: %v; it stood still for %v", n, load, stood)
		for id, lost := range lossAfter(t, dir, killed) {
			all[id] = append(all[id], lost)
			worst[id] = max(worst[id], lost)
			if lost > lossLimit+stood && load.idle() {
				t.Errorf("kill %d: %v of %s are missing, and the machine stood still for %v at most", n, lost, id, stood)
			}
		}
	}
	for id, losses := range all {
		slices.Sort(losses)
		t.Logf("%-8s %d kills: lost median %v, worst %v", id, len(losses), losses[len(losses)/2], worst[id])
	}
}

// killRecording records in a process of its own and kills it after some time
// of recording. It returns when it did so, and for how long the machine stood still at most
// just before.
func killRecording(t *testing.T, program, dir string, after time.Duration, flags ...string) (killed instant.Instant, stood time.Duration) {
	t.Helper()
	cmd := exec.Command(program, append([]string{"demo", "--out", dir, "--browser", "none"}, flags...)...)
	says := &watched{want: recordingBegins, seen: make(chan struct{})}
	cmd.Stderr = says
	cmd.Stdout = io.Discard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-says.seen:
	case <-time.After(readyLimit):
		_ = cmd.Process.Kill()
		t.Fatalf("it did not begin to record:\n%s", says)
	}
	stood = waits(after)
	killed = instant.Monotonic{}.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as was meant
	return killed, stood
}

// waits for some time, and returns for how long at most the machine did not let this process
// go on in the last second of it: nor did it let another one write then.
func waits(long time.Duration) (stood time.Duration) {
	const every = 5 * time.Millisecond
	end := time.Now().Add(long)
	for last := time.Now(); last.Before(end); {
		time.Sleep(every)
		now := time.Now()
		if end.Sub(now) < time.Second {
			stood = max(stood, now.Sub(last)-every)
		}
		last = now
	}
	return stood
}

// lossAfter opens the file that a killed process left, and returns how much of
// each stream is missing before the kill. The sample that was due next cannot be
// missing yet, so one period is no loss.
func lossAfter(t *testing.T, dir string, killed instant.Instant) map[string]time.Duration {
	t.Helper()
	path, err := storeFlags{Data: dir}.path()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), path) // checks the file's integrity
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all, err := s.Sessions(t.Context())
	if err != nil || len(all) != 1 || all[0].State != session.Recovered {
		t.Fatalf("want one recovered session, have %+v (%v)", all, err)
	}
	d, err := s.Session(t.Context(), all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	lost := map[string]time.Duration{}
	for _, info := range d.Segments[0].Streams {
		if info.Kind == stream.Trace || info.Kind == stream.Mark {
			continue // derived: it is made again; or without samples
		}
		var last instant.Instant
		silent := false // a screen without a stimulus rightly reports nothing
		for row, err := range s.Samples(t.Context(), d.ID, info.ID) {
			if err != nil {
				t.Fatal(err)
			}
			last = max(last, row.At)
			silent = info.Kind == stream.Stimulus && row.Values[info.Index("presentation")] == 0
		}
		if silent || last == 0 && info.Kind == stream.Stimulus {
			continue
		}
		if last == 0 {
			last = d.Segments[0].Start
		}
		rate := info.Rate
		if rate == 0 {
			rate = clipRate
		}
		period := time.Duration(float64(time.Second) / rate)
		lost[info.ID] = max(0, killed.Sub(last)-period)
	}
	return lost
}

// watched is an output that tells when it has said something.
type watched struct {
	want string
	seen chan struct{}

	mu   sync.Mutex
	said bytes.Buffer
	once sync.Once
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said.Write(p)
	if strings.Contains(w.said.String(), w.want) {
		w.once.Do(func() { close(w.seen) })
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said.String()
}

// A session that was cut off is continued as a new segment and sealed.
func TestContinueAfterKill(t *testing.T) {
	t.Parallel()
	needModels(t)
	dir, file := t.TempDir(), shortStudy(t)
	killRecording(t, build(t), dir, 3*time.Second, "--study", file)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	st, err := study.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := virtualRig(t.Context(), virtualFlags{Seed: 1, DriftPPM: 2000, Batch: 16 * time.Millisecond, Devices: []string{"emobox", "gazepoint"}}, "", detectorFlags{Detector: face.DetectorTiny})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	running, err := assemble(ctx, applianceOptions{
		dir: dir, study: st, rig: r, listen: "127.0.0.1:0", token: "a-token-for-this-test", log: (&app{err: io.Discard}).log(), simulatedStage: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- running.run(ctx) }()
	closeStage, err := openStage(ctx, running, r, false)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStage()
	if err := waitReady(ctx, running.manager, settleTime); err != nil {
		t.Fatal(err)
	}
	waiting := running.manager.Status().Recovered
	if len(waiting) != 1 {
		t.Fatalf("offered to continue: %+v", waiting)
	}
	if err := running.manager.Continue(ctx, waiting[0].ID); err != nil {
		t.Fatal(err)
	}
	out, err := running.manager.Wait(ctx)
	if err != nil || out.State != session.Sealed || out.Error != "" {
		t.Fatalf("outcome %+v, %v", out, err)
	}
	d, err := running.store.Session(ctx, out.SessionID)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Segments) != 2 || d.Segments[1].Number != 1 || d.Plan.Steps[d.Segments[1].First].Action != study.Play {
		t.Errorf("continued as %+v, want the play step again", d.Segments)
	}
	if _, err := os.Stat(out.Bundle); err != nil || filepath.Dir(out.Bundle) != bundleDir(dir) {
		t.Errorf("bundle %s: %v", out.Bundle, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
