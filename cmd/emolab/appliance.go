package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/latency"
	"emolab/fusion/instant"
	"emolab/studies/bundle"
	"emolab/studies/console"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/store"
	"emolab/studies/study"
	"emolab/studies/withdrawal"
)

const (
	// requestHeaderLimit and goodbye bound how long a silent client can hold a
	// connection, and the shutdown.
	requestHeaderLimit = 10 * time.Second
	goodbye            = 3 * time.Second
)

// applianceOptions are what an appliance is assembled from.
type applianceOptions struct {
	dir    string // where everything is kept
	study  *study.Study
	rig    *rig
	listen string // loopback address and port; port 0 = any free one
	// simulatedStage: the built-in client is the screen, no browser.
	simulatedStage bool
	// display is how late light is on the participant's screen; nil = not measured.
	display *latency.Measured
	// conduct is what simulated participants do; nil = the page answers by itself, if it
	// is one for a simulated participant.
	conduct func(study.Step) session.Conduct
	token   string
	log     *slog.Logger
}

// appliance is one running Emolab.
type appliance struct {
	study   *study.Study
	store   *store.Store
	lab     *session.Lab
	stage   *stage.Server
	manager *session.Manager
	console *console.Console
	http    *http.Server
	socket  net.Listener
	token   string
	log     *slog.Logger

	emitters []emitter // that mark what comes up on the screen
}

// screen is the participant's screen. What was measured on a real one says nothing
// about the built-in client.
func (o applianceOptions) screen(clock instant.Clock) stage.Options {
	s := stage.Options{Clock: clock, Study: o.study, Simulated: o.simulatedStage}
	if o.display != nil && !o.simulatedStage {
		shift, on := o.display.Shift(), stage.Screen(o.display.Screen)
		s.Shift, s.MeasuredOn = &shift, &on
	}
	return s
}

// databasePath is where the study's data are kept.
func databasePath(dir, studyID string) string { return filepath.Join(dir, studyID+".db") }

// bundleDir is where exported bundles are kept.
func bundleDir(dir string) string { return filepath.Join(dir, "bundles") }

// assemble opens the store and wires everything, without starting anything but
// the listener. Close the result, or run it.
func assemble(ctx context.Context, o applianceOptions) (_ *appliance, err error) {
	if err := os.MkdirAll(bundleDir(o.dir), 0o700); err != nil {
		return nil, err
	}
	a := &appliance{study: o.study, token: o.token, log: o.log}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	var clock instant.Monotonic
	if a.store, err = store.Open(ctx, databasePath(o.dir, o.study.ID)); err != nil {
		return nil, err
	}
	key, err := withdrawal.KeyOf(ctx, a.store, o.dir)
	if err != nil {
		return nil, err
	}
	eraser := withdrawal.NewEraser(a.store, o.dir, key)
	if _, err := eraser.Finish(ctx, func(done, total int, doing string) {
		o.log.Info("a withdrawal that was cut off goes on", "doing", doing, "done", done, "of", total)
	}); err != nil {
		return nil, err
	}
	a.stage = stage.New(o.screen(clock))
	a.emitters = emittersOf(o.rig.sources)
	if a.lab, err = session.NewLab(clock, append(o.rig.sources, a.stage)...); err != nil {
		return nil, err
	}
	a.manager, err = session.NewManager(ctx, session.Options{
		Clock: clock, Lab: a.lab, Archive: archive{a.store, o.dir, o.log}, Stage: a.stage, Study: o.study,
		Bundler: bundle.NewExporter(a.store, bundleDir(o.dir)),
		Film:    o.rig.film(o.dir),
		Codes:   key, Eraser: eraser, Custody: eraser, Conduct: o.conduct,
		Screen: o.rig.screen, Tracker: o.rig.tracker(),
		TargetShown: o.rig.shown, Breathed: o.rig.breathed,
		// The console stands before any session can be started.
		Attended: func() bool { return a.console.Watched() },
		Software: "emolab " + version, Dir: o.dir, Log: o.log,
		Ended: func(out session.Outcome) {
			if err := o.rig.keepTruth(o.dir, out); err != nil {
				o.log.Error("keep the truth of the virtual lab", "error", err)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	a.console = console.New(console.Options{
		Operator: a.manager, Feed: a.lab.Bus(), Streams: a.lab.Streams(), Clock: clock,
		Token: o.token, Stage: a.stage.Handler(), Bundles: bundleDir(o.dir), Receipts: withdrawal.ReceiptDir(o.dir),
		GivenOut: func(ctx context.Context, name string) error {
			return a.store.GivenOut(ctx, name, withdrawal.Downloaded)
		},
	})
	if a.socket, err = net.Listen("tcp", o.listen); err != nil {
		return nil, fmt.Errorf("listen: %w; is another emolab running? choose another port with --listen", err)
	}
	a.http = &http.Server{Handler: a.console.Handler(), ReadHeaderTimeout: requestHeaderLimit}
	return a, nil
}

// consoleURL and stageURL are what a person opens.
func (a *appliance) consoleURL() string { return a.address() + "/?token=" + a.token }
func (a *appliance) stageURL() string {
	return a.address() + "/stage?token=" + console.StageToken(a.token)
}

// address is where the pages are served.
func (a *appliance) address() string { return "http://" + a.socket.Addr().String() }

// run runs the appliance until ctx ends, then stops against the arrows: the
// session is sealed while the devices still run, then the pages go, then the
// devices, then the store is closed.
func (a *appliance) run(ctx context.Context) error {
	defer a.close()
	devices, stopDevices := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDevices()
	group, failed := errgroup.WithContext(ctx)
	group.Go(func() error { return a.lab.Run(devices) })
	group.Go(func() error { return a.console.Run(devices) })
	group.Go(func() error {
		recording := func() bool { return a.manager.Status().SessionID != "" }
		measureLight(devices, a.store, a.study, recording, a.log)
		return nil
	})
	group.Go(func() error {
		plan := func() study.Plan { return a.manager.Status().Plan }
		return fireTriggers(devices, a.lab.Bus(), a.stage.Info()[0], plan, a.emitters...)
	})
	group.Go(func() error {
		if err := a.http.Serve(a.socket); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-failed.Done()
		a.manager.Close()
		stopDevices()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		if err := a.http.Shutdown(ctx); err != nil {
			return a.http.Close() // a page that will not let go
		}
		return nil
	})
	return group.Wait()
}

func (a *appliance) close() {
	if a.socket != nil {
		a.socket.Close()
	}
	if a.store != nil {
		a.store.Close()
	}
}
