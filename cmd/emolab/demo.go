package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/latency"
	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/studies/access"
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
	Faults       string        `help:"What people do in a rehearsal of several: mix (some drop out, withdraw, are screened out, or have a device die) or none." default:"mix" enum:"mix,none"`
	Pace         float64       `help:"How fast people read and answer: 2 is twice as fast." default:"1" placeholder:"FACTOR"`
	Details      bool          `help:"Print the whole score of each session of a rehearsal, and not a line only."`
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
  emolab demo --study study.yaml --participants 12 --out rehearsal
                                                rehearse a study before its first day
  emolab demo --gaze-error 2.5                  with a calibration that is refused
  emolab demo --unplug eda@8s+2s                with a cable pulled in the middle

A rehearsal sends different people through every page of a study: of twelve, two drop
out, one withdraws, one is screened out, and in the session of one a device dies. It
ends with a table of what became of each, and with what is missing or odd. The exit
code is 1 if anything is not as it should be.

The drivers, the face nets, the clock alignment, the store and the bundle are the
real ones; the participant, the sensors and their cables are simulated.`
}

const (
	// settleTime is how long the lab runs before the first session. Its clocks are known
	// then, or by the end of the first pages, during which nothing is recorded.
	settleTime = time.Second
	// readyLimit is how long the lab may take to be ready.
	readyLimit = 60 * time.Second
	pollEvery  = 100 * time.Millisecond
	// mostPace is how much faster than usual people may read: nothing takes an answer any
	// sooner.
	mostPace = 100
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
	fmt.Fprintln(a.err, c.announcement(st))
	r, err := virtualRig(a.ctx, c.Lines, c.Camera, c.Nets)
	if err != nil {
		return err
	}
	defer r.close()
	for _, note := range r.notes {
		fmt.Fprintln(a.err, note)
	}
	if err := r.hang(c.Unplug); err != nil {
		return usagef("--unplug: %v", err)
	}
	token, err := access.NewToken()
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
	rehearsed, err := newRehearsal(a, st, r, c.people(), c.Unplug)
	if err != nil {
		return err
	}
	running, err := assemble(a.ctx, applianceOptions{
		display: display, conduct: rehearsed.conduct,
		dir: c.Out, study: st, rig: r, listen: "127.0.0.1:0", token: token, log: a.warnings(), simulatedStage: !withBrowser,
	})
	if err != nil {
		return err
	}
	if err := c.untouched(a.ctx, running.manager); err != nil {
		running.close()
		return err
	}
	rehearsed.running = running
	ctx, stop := context.WithCancel(a.ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx) // nobody waits for a lab that has failed
	group.Go(func() error { return running.run(ctx) })

	outcome, err := c.rehearse(ctx, rehearsed, withBrowser)
	stop()
	// Why the lab failed comes before what could not go on without it.
	if err := errors.Join(group.Wait(), err); err != nil {
		return errors.Join(c.save(a, outcome), err)
	}
	return c.report(a, st, outcome)
}

const (
	// answering is by how much reading and answering lengthens a session of virtual people,
	// and around is how long the rest takes: calibrating, sealing, checking.
	answering = 1.15
	around    = 50 * time.Second
)

// announcement says what is going to happen, and about how long it takes.
func (c *demoCmd) announcement(st *study.Study) string {
	each := time.Duration(answering*float64(st.Plan(0).Duration())) + around
	who := "A virtual participant goes"
	if c.Participants > 1 {
		who = fmt.Sprintf("%d virtual participants go, one after the other,", c.Participants)
	}
	about := (time.Duration(c.Participants) * each).Round(time.Minute)
	return fmt.Sprintf("%s through every page of %q, with %d videos and no device; what is recorded is sealed, checked, and held against the truth. About %d min.",
		who, st.Title, len(st.Stimuli), max(1, int(about.Minutes())))
}

// people are those who take part.
func (c *demoCmd) people() []script.Person {
	people := script.People(c.Participants, c.Lines.Seed)
	for i := range people {
		people[i].Pace *= c.Pace
	}
	if c.Faults == "none" {
		for i := range people {
			p := &people[i]
			p.Fault, p.At, p.Pauses, p.Swipes, p.Slips = script.NoFault, 0, false, false, false
		}
	}
	return people
}

// untouched makes sure that a rehearsal of several is the first there: who is turned
// away by a full quota, and who meets which order, depends on all sessions of the study.
func (c *demoCmd) untouched(ctx context.Context, m *session.Manager) error {
	if c.Participants == 1 {
		return nil
	}
	all, err := m.Sessions(ctx)
	if err == nil && len(all) > 0 {
		err = usagef("%s holds %d sessions of this study already, which would count in the quotas and in the balance: give a rehearsal a folder of its own with --out, or delete that one", c.Out, len(all))
	}
	return err
}

// rehearse opens the stage and sends everybody through. Where that ends with an error,
// what came of those who were there already is returned with it.
func (c *demoCmd) rehearse(ctx context.Context, r *rehearsal, withBrowser bool) (rehearsed, error) {
	closeStage, err := openStage(ctx, r.running, r.rig, withBrowser)
	if err != nil {
		return rehearsed{}, err
	}
	defer closeStage()
	visits, err := r.run(ctx)
	if err != nil {
		return cutShort(visits), err
	}
	out, err := r.outcome(ctx, visits)
	if err != nil {
		return cutShort(visits), err
	}
	return out, nil
}

// report scores what was recorded, and prints it. In a rehearsal of several, a session that
// cannot be scored is a finding, and the others are told all the same.
func (c *demoCmd) report(a *app, st *study.Study, all rehearsed) error {
	path := databasePath(c.Out, st.ID)
	s, err := store.View(a.ctx, path)
	if err != nil {
		return errors.Join(c.save(a, all), err)
	}
	defer s.Close()
	all.Sessions = []distance{}
	for _, v := range all.People {
		if v.recorded.id == "" {
			continue
		}
		d, err := c.score(a, s, st, v.recorded)
		switch {
		case err == nil:
			all.Sessions = append(all.Sessions, d)
		case c.Participants == 1:
			return err
		default:
			all.Findings = append(all.Findings, oddity{true, fmt.Sprintf("The session of %s cannot be scored: %v.", v.Participant, err)})
		}
	}
	if err := c.print(a, all); err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(a.out, "Database %s\nBundles  %s\n", path, bundleDir(c.Out))
	}
	return all.failure()
}

// score compares a session with the truth.
func (c *demoCmd) score(a *app, s *store.Store, st *study.Study, r recording) (distance, error) {
	truth, err := readTruth(c.Out, r.id)
	if err != nil {
		return distance{}, err
	}
	return measure(a.ctx, s, st, r, truth, c.Camera == "")
}

// save prints what came of those who were there before a rehearsal broke off. They are not
// scored: what broke it off may have to do with what scoring reads.
func (c *demoCmd) save(a *app, all rehearsed) error {
	if c.Participants == 1 || len(all.People) == 0 {
		return nil
	}
	return c.print(a, all)
}

// print writes the report: of one person the score of the session, of several the
// table of the rehearsal.
func (c *demoCmd) print(a *app, all rehearsed) error {
	single := c.Participants == 1
	switch {
	case c.JSON && single:
		return printJSON(a.out, all.Sessions)
	case c.JSON:
		return printJSON(a.out, all)
	}
	if !single {
		if err := all.print(a.out); err != nil {
			return err
		}
	}
	if single || c.Details {
		for _, d := range all.Sessions {
			if err := d.print(a.out); err != nil {
				return err
			}
			fmt.Fprintln(a.out)
		}
	}
	return nil
}

func (c *demoCmd) openStudy() (*study.Study, error) {
	if c.Participants < 1 {
		return nil, usagef("--participants %d: want at least one", c.Participants)
	}
	if !(c.Pace > 0 && c.Pace <= mostPace) {
		return nil, usagef("--pace %v: want more than 0 and at most %d", c.Pace, mostPace)
	}
	if c.Study != "" {
		return study.Load(c.Study)
	}
	return openExample(c.Out)
}

// withBrowser decides where the stage runs.
func (c *demoCmd) withBrowser() (bool, error) {
	_, missing := findBrowser()
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

// waitReady waits until every stream has delivered for a while, so that its clock has
// settled, and nothing is missing that this lab has.
func waitReady(ctx context.Context, m *session.Manager, settle time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	settled := time.Time{}
	for {
		s := m.Status()
		ready := s.Stage && !slices.ContainsFunc(lacking(s), func(c session.Readiness) bool { return !notHere(s, c) })
		for _, h := range s.Streams {
			ready = ready && h.Connected && (h.Info.Kind == stream.Stimulus || h.Info.Rate == 0 || h.Rate > 0)
		}
		switch {
		case !ready:
			settled = time.Time{}
		case settled.IsZero():
			settled = time.Now()
		case time.Since(settled) >= settle:
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return fmt.Errorf("the virtual lab is not ready: %w; it says: %v", ctx.Err(), lacking(s))
		}
	}
}

// lacking are the checks of the next gate that hold it up.
func lacking(s session.Status) []session.Readiness {
	return slices.DeleteFunc(slices.Clone(s.Readiness), func(c session.Readiness) bool { return c.Level != session.ReadyMissing })
}

// notHere tells whether a check is about a device that this lab does not have.
func notHere(s session.Status, c session.Readiness) bool {
	kind, device := strings.CutPrefix(c.ID, "device/")
	return device && !slices.ContainsFunc(s.Streams, func(h session.Health) bool { return string(h.Info.Kind) == kind })
}

// recording is one session as it was seen while it ran.
type recording struct {
	id   string
	live map[string][]script.Stamped
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
