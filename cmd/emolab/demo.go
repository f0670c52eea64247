package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/latency"
	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/studies/console"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/stage/client"
	"emolab/studies/store"
	"emolab/studies/study"
)

// demoCmd is the whole job with the virtual lab.
type demoCmd struct {
	Out          string        `help:"Where recordings, bundles and truths are kept. Default: emolab-demo here." default:"emolab-demo" type:"path" placeholder:"DIR"`
	Study        string        `help:"The study to run. Default: the example study." type:"existingfile" placeholder:"FILE"`
	Participants int           `help:"How many sessions to record, one after the other." default:"1" placeholder:"N"`
	Browser      string        `help:"Where the stage runs: chromium, none (the built-in client), or auto (Chromium where it is installed)." default:"auto" enum:"auto,chromium,none"`
	Camera       string        `help:"Use this video file or camera instead of the drawn face." placeholder:"SOURCE"`
	Unplug       []cablePull   `help:"Pull a sensor's cable during each session: of which stream, when, and for how long." placeholder:"eda@8s+2s"`
	Nets         detectorFlags `embed:""`
	Lines        virtualFlags  `embed:""`
	JSON         bool          `help:"Print the report as JSON."`
}

// Help shows examples below the flags.
func (demoCmd) Help() string {
	return `Examples:
  emolab demo                                   one session, scored
  emolab demo --participants 3 --browser none   three, without a browser
  emolab demo --gaze-error 2.5                  with a calibration that is refused
  emolab demo --unplug eda@8s+2s                with a cable pulled in the middle

The drivers, the face nets, the clock alignment, the store and the bundle are the
real ones; the participant, the sensors and their cables are simulated.`
}

// cablePull is a value of --unplug: "eda@8s+2s".
type cablePull struct {
	Stream string
	After  time.Duration // since the session's start
	For    time.Duration
}

// UnmarshalText reads "eda@8s+2s".
func (p *cablePull) UnmarshalText(text []byte) error {
	var err error
	bad := fmt.Errorf("%q: want STREAM@AFTER+FOR, for example eda@8s+2s", text)
	stream, times, ok := strings.Cut(string(text), "@")
	after, length, ok2 := strings.Cut(times, "+")
	if !ok || !ok2 || stream == "" {
		return bad
	}
	p.Stream = stream
	if p.After, err = time.ParseDuration(after); err != nil {
		return bad
	}
	if p.For, err = time.ParseDuration(length); err != nil {
		return bad
	}
	return nil
}

const (
	// settleTime is how long the lab runs before the first session, so that the
	// clocks are known: what an experimenter's greeting takes many times over.
	settleTime = 3 * time.Second
	// readyLimit is how long the lab may take to be ready.
	readyLimit = 60 * time.Second
	pollEvery  = 100 * time.Millisecond
	// autostart lets the stage begin without the key or tap that full screen and
	// sound need: nobody sits before a headless browser.
	autostart = "#autostart,virtual"
	// The built-in client's clock: a page that was opened a while ago, on a
	// computer with an ordinary crystal.
	clientOffset = 90 * time.Second
	clientDrift  = 20 // ppm
	// tapDepth is how many chunks the tap may be behind; see tap.
	tapDepth = 4096
)

// Run is the command.
func (c *demoCmd) Run(a *app) error {
	st, err := c.openStudy()
	if err != nil {
		return err
	}
	r, err := virtualRig(a.ctx, c.Lines, c.Camera, c.Nets)
	if err != nil {
		return err
	}
	defer r.close()
	for _, note := range r.notes {
		fmt.Fprintln(a.err, note)
	}
	for _, p := range c.Unplug {
		if r.cables[p.Stream] == nil {
			return usagef("--unplug: there is no sensor %q; there are: %s", p.Stream, strings.Join(slices.Sorted(maps.Keys(r.cables)), ", "))
		}
	}
	token, err := console.NewToken()
	if err != nil {
		return err
	}
	withBrowser, err := c.withBrowser()
	if err != nil {
		return err
	}
	display, err := loadLatency(c.Out, latency.Display)
	if err != nil {
		return err
	}
	running, err := assemble(a.ctx, applianceOptions{
		display: display,
		dir:     c.Out, study: st, rig: r, listen: "127.0.0.1:0", token: token, log: a.log(), simulatedStage: !withBrowser,
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(a.ctx)
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return running.run(ctx) })

	recorded, err := c.record(a, ctx, running, r, withBrowser)
	stop()
	if err := errors.Join(err, group.Wait()); err != nil {
		return err
	}
	return c.report(a, st, recorded)
}

// recording is one session as it was seen while it ran.
type recording struct {
	id   string
	live map[string][]script.Stamped
}

// record opens the stage and runs one session a participant.
func (c *demoCmd) record(a *app, ctx context.Context, running *appliance, r *rig, withBrowser bool) ([]recording, error) {
	closeStage, err := openStage(ctx, running, r, withBrowser)
	if err != nil {
		return nil, err
	}
	defer closeStage()
	if err := waitReady(ctx, running.manager); err != nil {
		return nil, err
	}
	var done []recording
	for n := range c.Participants {
		one, err := c.session(a, ctx, running, r, fmt.Sprintf("DEMO%02d", n+1))
		if err != nil {
			return nil, err
		}
		done = append(done, one)
	}
	return done, nil
}

// session records one participant and waits for the sealed bundle.
func (c *demoCmd) session(a *app, ctx context.Context, running *appliance, r *rig, participant string) (recording, error) {
	tapped := tap(running.lab.Bus())
	id, err := running.manager.Start(ctx, session.Request{Participant: participant})
	if err != nil {
		tapped()
		return recording{}, err
	}
	pulls, stopPulls := context.WithCancel(ctx)
	var cables errgroup.Group
	for _, p := range c.Unplug {
		cables.Go(func() error { return r.pull(pulls, p) })
	}
	out, err := follow(ctx, a, running.manager)
	stopPulls()
	err = errors.Join(err, cables.Wait())
	live := tapped()
	if err != nil {
		return recording{}, err
	}
	if out.State != session.Sealed || out.Error != "" {
		return recording{}, fmt.Errorf("session %s ended as %s: %s", out.SessionID, out.State, out.Error)
	}
	return recording{id, live}, nil
}

// report scores what was recorded.
func (c *demoCmd) report(a *app, st *study.Study, recorded []recording) error {
	path := databasePath(c.Out, st.ID)
	s, err := store.View(a.ctx, path)
	if err != nil {
		return err
	}
	defer s.Close()
	var all []distance
	for _, one := range recorded {
		truth, err := readTruth(c.Out, one.id)
		if err != nil {
			return err
		}
		d, err := measure(a.ctx, s, st, one, truth, c.Camera == "")
		if err != nil {
			return err
		}
		all = append(all, d)
	}
	if c.JSON {
		return printJSON(a.out, all)
	}
	for _, d := range all {
		if err := d.print(a.out); err != nil {
			return err
		}
		fmt.Fprintln(a.out)
	}
	fmt.Fprintf(a.out, "Database %s\nBundles  %s\n", path, bundleDir(c.Out))
	return nil
}

func (c *demoCmd) openStudy() (*study.Study, error) {
	if c.Participants < 1 {
		return nil, usagef("--participants %d: want at least one", c.Participants)
	}
	if c.Study != "" {
		return study.Load(c.Study)
	}
	return openExample(c.Out)
}

// withBrowser decides where the stage runs.
func (c *demoCmd) withBrowser() (bool, error) {
	_, missing := exec.LookPath(browserName)
	switch c.Browser {
	case "none":
		return false, nil
	case "chromium":
		return true, missing
	default:
		return missing == nil, nil
	}
}

// openStage opens the participant's page, in the browser or in the built-in
// client, and returns what closes it.
func openStage(ctx context.Context, running *appliance, r *rig, withBrowser bool) (func(), error) {
	if withBrowser {
		b, err := openBrowser(ctx, running.stageURL()+autostart)
		if err != nil {
			return nil, err
		}
		return func() { _ = b.close() }, nil
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	screen := client.New(client.Options{
		URL: running.address(), Header: http.Header{"Authorization": {"Bearer " + console.StageToken(running.token)}},
		Clock: instant.Monotonic{}, Study: running.study,
		Offset: clientOffset, DriftPPM: clientDrift, Seed: r.truth.Script().Seed,
		Power: func(at0 instant.Instant, tick0 int64, nsPerTick float64) {
			r.truth.Power(script.Clock{Stream: stage.StreamID, At0: at0, Tick0: tick0, NsPerTick: nsPerTick})
		},
	})
	go func() {
		defer close(ended)
		_ = screen.Run(ctx) // its end shows as a stage that is not connected
	}()
	return func() { stop(); <-ended }, nil
}

// waitReady waits until every stream delivers and its clock has settled.
func waitReady(ctx context.Context, m *session.Manager) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	settled := time.Time{}
	for {
		s := m.Status()
		ready := s.Stage
		for _, h := range s.Streams {
			ready = ready && h.Connected && (h.Info.Kind == stream.Stimulus || h.Info.Rate == 0 || h.Rate > 0)
		}
		switch {
		case !ready:
			settled = time.Time{}
		case settled.IsZero():
			settled = time.Now()
		case time.Since(settled) > settleTime:
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return fmt.Errorf("the virtual lab is not ready: %w; it says: %v", ctx.Err(), s.Alarms)
		}
	}
}

// follow shows how far the session is until it has ended.
func follow(ctx context.Context, a *app, m *session.Manager) (session.Outcome, error) {
	progress := newBar(a.err, 1, "recording")
	defer progress.finish()
	ended := make(chan struct{})
	var out session.Outcome
	var err error
	go func() {
		defer close(ended)
		out, err = m.Wait(ctx)
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return out, err
		case <-tick.C:
			s := m.Status()
			doing := s.Busy
			if doing == "" && s.Step >= 0 && s.Step < len(s.Plan.Steps) {
				step := s.Plan.Steps[s.Step]
				doing = fmt.Sprintf("%s %s", step.Action, step.Stimulus)
			}
			total := int(s.Plan.Duration() / time.Second)
			progress.set(min(int(s.ElapsedMs/1000), total), total, doing)
		}
	}
}

// pull pulls a cable and plugs it in again.
func (r *rig) pull(ctx context.Context, p cablePull) error {
	link := r.cables[p.Stream]
	select {
	case <-time.After(p.After):
	case <-ctx.Done():
		return nil
	}
	if err := link.Unplug(); err != nil {
		return err
	}
	select {
	case <-time.After(p.For):
	case <-ctx.Done():
	}
	return link.Plug()
}

// tap remembers how samples were aligned live, which sealing replaces. It is
// lossless, for the demo is a measurement. The result ends the tap and returns
// what it has, by stream.
func tap(b *bus.Bus) func() map[string][]script.Stamped {
	sub := b.Lossless("live alignment", tapDepth)
	live := map[string][]script.Stamped{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for c := range sub.C() {
			for _, s := range c.Samples {
				live[c.Stream] = append(live[c.Stream], stamped(s))
			}
		}
	}()
	return func() map[string][]script.Stamped {
		sub.Close()
		<-ended
		return live
	}
}
