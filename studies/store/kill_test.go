package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
)

const (
	// childFile tells the test binary that it is the child that records, and where.
	childFile = "EMOLAB_STORE_CHILD"
	// killRounds is the variable for a longer run.
	killRounds = "EMOLAB_KILLS"
	// every is how often the child writes a batch: as a session does.
	every = 50 * time.Millisecond
	// mostLost is what a killed process may lose of each stream, where the machine let it
	// write as often as that: the batch that is being written, and what has fallen due
	// since.
	mostLost = 100 * time.Millisecond
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		fmt.Fprintln(os.Stderr, recordUntilKilled(path))
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// recordUntilKilled records a whole lab against the clock, as a session does:
// what falls due is taken from the devices and, every 50 ms, made durable. It
// prints how far the devices have come before each write.
func recordUntilKilled(path string) error {
	ctx := context.Background()
	t := &testing.T{} // for the helpers: lab and header fail on nothing
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	r, err := s.Begin(ctx, header(t, "s1"))
	if err != nil {
		return err
	}
	infos := lab(t)
	next := make([]int64, len(infos))
	clock := instant.Monotonic{}
	began := clock.Now()
	for range time.Tick(every) {
		elapsed := clock.Now().Sub(began)
		var batch []stream.Chunk
		for i, info := range infos {
			until := int64(elapsed.Seconds() * often(info))
			batch = append(batch, run(info, next[i], int(until-next[i])))
			next[i] = until
		}
		fmt.Printf("%d\n", elapsed.Nanoseconds())
		if err := r.Append(ctx, batch); err != nil {
			return err
		}
		if err := r.Target(ctx, session.Target{Purpose: session.ToFixate, X: .5, Y: .5, From: origin.Add(elapsed - every), Until: origin.Add(elapsed)}); err != nil {
			return err
		}
	}
	return nil
}

// TestKill kills a recording process at random moments. Each time the file must
// open, be whole, hold every stream without a hole from its beginning and with all that
// was acknowledged, and miss at most 100 ms of what the devices had delivered.
func TestKill(t *testing.T) {
	rounds := 3
	if v := os.Getenv(killRounds); v != "" {
		var err error
		if rounds, err = strconv.Atoi(v); err != nil {
			t.Fatalf("%s: %v", killRounds, err)
		}
	}
	var losses []time.Duration
	for i := range rounds {
		losses = append(losses, killOnce(t, filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", i))))
	}
	slices.Sort(losses)
	t.Logf("%d kills; lost of the worst stream: least %v, median %v, most %v",
		rounds, losses[0], losses[len(losses)/2], losses[len(losses)-1])
}

// killOnce returns how much the worst stream lost.
func killOnce(t *testing.T, path string) time.Duration {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), childFile+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	// From the first batch on, a random time of up to half a second: the moment
	// falls anywhere within a batch.
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the child wrote nothing")
	}
	clock := instant.Monotonic{}
	began, first := clock.Now(), lines.Text() // the devices had been running for as long as that says
	timer := time.AfterFunc(time.Duration(rand.Int64N(int64(500*time.Millisecond))), func() {
		_ = child.Process.Kill() // SIGKILL; fails only when it is dead already
	})
	defer timer.Stop()
	said := []string{first}
	for lines.Scan() {
		said = append(said, lines.Text())
	}
	killed := clock.Now()
	_ = child.Wait() // "signal: killed", as it should be
	var told []time.Duration
	for _, line := range said {
		ns, err := strconv.ParseInt(line, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, time.Duration(ns))
	}
	// How long the devices had been running when the process died: what the
	// child said last, or what this clock says, whichever is more.
	last := told[len(told)-1]
	ran := max(last, told[0]+killed.Sub(began))
	// What was said before the last line was acknowledged before that line.
	safe := time.Duration(0)
	if len(told) > 1 {
		safe = told[len(told)-2]
	}
	// What had not been acknowledged for longer than that the machine was too busy for, or
	// its disk: the store did not lose it.
	stalled := ran-safe > mostLost

	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatalf("after %v of recording the file does not open: %v", ran, err)
	}
	defer s.Close()
	if d := detail(t, s, "s1"); d.State != session.Recovered {
		t.Errorf("after %v of recording the session is %s", ran, d.State)
	}
	// A target was written after each batch, before the next line was said.
	if targets, err := s.Targets(t.Context(), "s1"); err != nil || len(targets) < len(told)-1 {
		t.Errorf("%d targets of %d that were acknowledged, %v", len(targets), len(told)-1, err)
	}
	worst := time.Duration(0)
	for _, info := range lab(t) {
		rows := rowsOf(t, s, "s1", info.ID)
		for i, row := range rows {
			if row.Seq != int64(i) {
				t.Fatalf("%s: sample %d stands where %d should", info.ID, row.Seq, i)
			}
		}
		if info.Rate == 0 { // too seldom to tell how much is missing
			continue
		}
		if n := int64(safe.Seconds() * info.Rate); int64(len(rows)) < n {
			t.Errorf("%s: %d samples of %d that were acknowledged", info.ID, len(rows), n)
		}
		// Samples that were due when the process died and are not there.
		due := int64(ran.Seconds() * info.Rate)
		lost := time.Duration(float64(due-int64(len(rows))) / info.Rate * float64(time.Second))
		if lost > mostLost && !stalled {
			t.Errorf("%s: %v lost after %v of recording (%d samples of %d)", info.ID, lost, ran, len(rows), due)
		}
		worst = max(worst, lost)
	}
	if stalled {
		t.Logf("nothing was acknowledged for more than %v: no bound can hold; %v lost", mostLost, worst)
	}
	return worst
}
