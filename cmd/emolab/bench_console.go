package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/studies/access"
	"emolab/studies/console/client"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

const (
	// benchViewers watch a console under load, in a process of their own.
	benchViewers = 20
	// benchAlone is how long the lab records with nobody watching, so that what the viewers
	// cost is told from what recording costs.
	benchAlone = 20 * time.Second
)

// metronome is a device that delivers samples at its rate, and nothing else: what a lab
// costs without the nets and the serial lines.
type metronome struct {
	info stream.Info
	sent *int64 // samples; read it when Run has returned
}

// Info describes its one stream.
func (m metronome) Info() []stream.Info { return []stream.Info{m.info} }

// Run delivers what is due every 4 ms, as a serial line does.
func (m metronome) Run(ctx context.Context, out chan<- stream.Chunk) error {
	var clock instant.Monotonic
	tick := time.NewTicker(4 * time.Millisecond)
	defer tick.Stop()
	begin := clock.Now()
	period := time.Duration(float64(time.Second) / m.info.Rate)
	stream.Send(ctx, out, stream.Chunk{Stream: m.info.ID, Events: []stream.Event{{Kind: stream.Connected, At: begin}}})
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		now := clock.Now()
		c := stream.Chunk{Stream: m.info.ID}
		for at := begin.Add(time.Duration(*m.sent) * period); at <= now; at = at.Add(period) {
			s := stream.Sample{Seq: *m.sent, Tick: int64(at), Arrival: now, Values: make([]float64, len(m.info.Channels))}
			for i := range s.Values {
				s.Values[i] = .5 + .4*math.Sin(at.Sub(begin).Seconds()+float64(i))
			}
			for _, name := range []string{"gaze_valid", "face_found", "face_confidence"} {
				if i := m.info.Index(name); i >= 0 {
					s.Values[i] = 1
				}
			}
			c.Samples = append(c.Samples, s)
			*m.sent++
		}
		if len(c.Samples) > 0 && !stream.Send(ctx, out, c) {
			return nil
		}
	}
}

// benchLab is a lab under the load that a console has to bear: gaze at 250 Hz, a face at 30, skin conductance
// at 100.
func benchLab() (*rig, []metronome) {
	var clock instant.Monotonic
	r := &rig{truth: script.NewTruth(script.New(1), clock.Now()), screen: session.AssumedScreen(), cables: map[string]cable{}}
	var beats []metronome
	for _, info := range benchStreams() {
		switch info.Kind {
		case stream.Gaze:
			info.Rate = 250
		case stream.Face, stream.EDA:
		default:
			continue // the screen's own, and what is derived
		}
		m := metronome{info, new(int64)}
		beats = append(beats, m)
		r.sources = append(r.sources, m)
	}
	return r, beats
}

// benchStudy is a study of one long rest, which records from its start.
func benchStudy(dir string, rest time.Duration) (*study.Study, error) {
	example, err := openExample(dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(example.Dir, "load.yaml")
	text := fmt.Sprintf("id: load\nstimuli: {folder: stimuli, list: [{id: velvet}]}\nflow:\n  - rest: %ds\n  - block: {trial: [play]}\n", int(rest.Seconds()))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return study.Load(file)
}

// consoleUnderLoad records a lab while many watch, and says what that costs.
func (c *benchCmd) consoleUnderLoad(ctx context.Context, progress *bar) (_ []figure, err error) {
	dir, err := os.MkdirTemp("", "emolab-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	watched := time.Duration(c.Minutes * float64(time.Minute))
	st, err := benchStudy(dir, 2*benchAlone+watched+time.Minute)
	if err != nil {
		return nil, err
	}
	token, err := access.NewToken()
	if err != nil {
		return nil, err
	}
	r, beats := benchLab()
	running, err := assemble(ctx, applianceOptions{
		dir: dir, study: st, rig: r, listen: "127.0.0.1:0", token: token, log: slog.New(slog.DiscardHandler), simulatedStage: true,
	})
	if err != nil {
		return nil, err
	}
	lab, stop := context.WithCancel(ctx)
	defer stop()
	group, lab := errgroup.WithContext(lab)
	group.Go(func() error { return running.run(lab) })
	measured, err := func() ([]figure, error) {
		closeStage, err := openStage(lab, running, r, false)
		if err != nil {
			return nil, err
		}
		defer closeStage()
		if err := waitReady(lab, running.manager, time.Second); err != nil {
			return nil, err
		}
		if _, err := running.manager.Start(lab, session.Request{Participant: "LOAD"}); err != nil {
			return nil, err
		}
		if c.Hold {
			fmt.Fprintln(os.Stderr, running.consoleURL())
		}
		return c.watchedBy(lab, running, watched, progress)
	}()
	stop()
	if err := errors.Join(group.Wait(), err); err != nil {
		return nil, err
	}
	lost, err := missing(ctx, databasePath(dir, st.ID), beats)
	return append(measured, lost...), err
}

// missing counts, by their numbers, the samples that the recording does not have.
func missing(ctx context.Context, path string, beats []metronome) ([]figure, error) {
	s, err := store.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	sessions, err := s.Sessions(ctx)
	if err != nil {
		return nil, err
	}
	if len(sessions) != 1 {
		return nil, fmt.Errorf("%d sessions were recorded, want 1", len(sessions))
	}
	d, err := s.Session(ctx, sessions[0].ID)
	if err != nil {
		return nil, err
	}
	var out []figure
	for _, b := range beats {
		for _, t := range d.Segments[0].Streams {
			if t.ID == b.info.ID {
				out = append(out,
					figure{"samples of " + t.ID + " in the file", float64(t.Rows), "", fmt.Sprintf("%.0f/s for the %.0f s", t.Rate, sessions[0].Duration.Seconds())},
					figure{"samples of " + t.ID + " missing", float64(t.Statement.Lost), "", "0"})
			}
		}
	}
	return out, nil
}

// spent is what this process has used so far.
type spent struct {
	cpu    time.Duration
	memory int64 // bytes of the whole process, after a collection
}

func spentSoFar() (spent, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return spent{}, err
	}
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return spent{}, err
	}
	var size, resident int64 // pages
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return spent{}, err
	}
	return spent{time.Duration(u.Utime.Nano() + u.Stime.Nano()), resident * int64(os.Getpagesize())}, nil
}

// watchedBy measures the recording alone, and then with viewers.
func (c *benchCmd) watchedBy(ctx context.Context, running *appliance, watched time.Duration, progress *bar) ([]figure, error) {
	wait := func(d time.Duration, doing string) error {
		for begin := time.Now(); time.Since(begin) < d; { // a bar that moves
			progress.set(int(time.Since(begin).Seconds()), int(d.Seconds()), doing)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	if err := wait(5*time.Second, "console: the lab settles"); err != nil {
		return nil, err
	}
	before, err := spentSoFar()
	if err != nil {
		return nil, err
	}
	if err := wait(benchAlone, "console: nobody watches"); err != nil {
		return nil, err
	}
	alone, err := spentSoFar()
	if err != nil {
		return nil, err
	}
	viewers, err := startViewers(ctx, running)
	if err != nil {
		return nil, err
	}
	if err := wait(5*time.Second, fmt.Sprintf("console: %d watch", benchViewers)); err != nil {
		return nil, errors.Join(err, viewers.stop(nil))
	}
	early, err := spentSoFar()
	if err == nil {
		err = wait(watched, fmt.Sprintf("console: %d watch", benchViewers))
	}
	late, err2 := spentSoFar()
	var seen []client.Seen
	if err := errors.Join(err, err2, viewers.stop(&seen)); err != nil {
		return nil, err
	}
	share := func(a, b spent, d time.Duration) float64 { return (b.cpu - a.cpu).Seconds() / d.Seconds() }
	recording := share(before, alone, benchAlone)
	var longest time.Duration
	var skipped int64
	fewest := math.Inf(1)
	for _, s := range seen {
		longest, skipped = max(longest, s.Longest), skipped+s.Skipped
		fewest = min(fewest, float64(s.Batches)/s.Span.Seconds())
	}
	return []figure{
		{"processor of the recording alone", recording, "cores", ""},
		{fmt.Sprintf("processor more for %d viewers", len(seen)), share(early, late, watched) - recording, "cores", "< 0.5"},
		{"batches a second, of the viewer with the fewest", fewest, "1/s", "25"},
		{"batches that viewers skipped", float64(skipped), "", "0"},
		{"longest wait of a viewer for a batch", float64(longest.Milliseconds()), "ms", ""},
		{"memory in use, at the end against the beginning", float64(late.memory-early.memory) / (1 << 20), "MB", "flat"},
		{"memory in use at the end", float64(late.memory) / (1 << 20), "MB", "<= 300"},
	}, nil
}

// viewers are a process that watches.
type viewers struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startViewers(ctx context.Context, running *appliance) (*viewers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	v := &viewers{cmd: exec.CommandContext(ctx, self, "bench-viewers", running.address(), strconv.Itoa(benchViewers))}
	v.cmd.Env = append(os.Environ(), "EMOLAB_TOKEN="+running.token) // not to be read in a list of processes
	v.cmd.Stderr = os.Stderr
	if v.in, err = v.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	v.out = bufio.NewReader(out)
	return v, v.cmd.Start()
}

// stop ends the process by closing its input, and reads what it has seen.
func (v *viewers) stop(seen *[]client.Seen) error {
	_ = v.in.Close()
	if seen == nil {
		return v.cmd.Wait()
	}
	err := json.NewDecoder(v.out).Decode(seen)
	return errors.Join(err, v.cmd.Wait())
}

// viewersCmd is the process that bench console starts.
type viewersCmd struct {
	Address string `arg:""`
	Count   int    `arg:""`
	Token   string `env:"EMOLAB_TOKEN" required:""`
}

// Run watches until its input is closed.
func (c *viewersCmd) Run(a *app) error {
	ctx, stop := context.WithCancel(a.ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends when the other process closes it, or is gone
		stop()
	}()
	seen := make([]client.Seen, c.Count)
	var group errgroup.Group
	for i := range seen {
		group.Go(func() (err error) {
			seen[i], err = client.Watch(ctx, strings.TrimSuffix(c.Address, "/"), c.Token)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return json.NewEncoder(a.out).Encode(seen)
}
