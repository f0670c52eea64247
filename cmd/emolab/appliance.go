package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/latency"
	"emolab/capture/peer"
	"emolab/fusion/instant"
	"emolab/studies/access"
	"emolab/studies/bundle"
	"emolab/studies/console"
	"emolab/studies/replay"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/store"
	"emolab/studies/study"
	"emolab/studies/withdrawal"
)

const (
	// goodbye bounds how long a silent client can hold up the shutdown.
	goodbye = 3 * time.Second
)

// applianceOptions are what an appliance is assembled from.
type applianceOptions struct {
	dir    string // where everything is kept
	study  *study.Study
	rig    *rig
	listen string   // loopback address and port; port 0 = any free one
	secure *secured // how other computers reach the pages; nil: they do not
	names  []string // of this computer, that were given: a proxy in front of it has one
	// simulatedStage: the built-in client is the screen, no browser.
	simulatedStage bool
	// display is how late light is on the participant's screen; nil = not measured.
	display *latency.Measured
	// conduct is what simulated participants do; nil = the page answers by itself, if it
	// is one for a simulated participant.
	conduct func(study.Step) session.Conduct
	token   string
	events  string // loopback address for events of other programs; "" = none are taken
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
	socket  net.Listener // for this computer
	outside net.Listener // for others, over TLS; nil: there is none
	book    *access.Book
	token   string
	log     *slog.Logger

	picture *peer.Picture // the participant live; nil where that cannot be shown
	remote  *peer.Remote  // the place for a browser's camera; nil where the camera is none

	events   *eventPort // nil: none are taken
	emitters []emitter  // that mark what comes up on the screen
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

// brandNames are what a blind console is not told.
func brandNames(s *study.Study) []string {
	var names []string
	for _, clip := range s.Stimuli {
		names = append(names, clip.ID, clip.Brand)
	}
	return names
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
	a := &appliance{study: o.study, token: o.token, log: o.log, book: access.OpenBook(o.dir)}
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
	if a.picture, err = newPicture(o, a.manager, clock); err != nil {
		return nil, err
	}
	screens := console.Options{
		Operator: a.manager, Feed: a.lab.Bus(), Streams: a.lab.Streams(), Clock: clock,
		Token: o.token, Stage: a.stage.Handler(), Bundles: bundleDir(o.dir), Receipts: withdrawal.ReceiptDir(o.dir),
		GivenOut: func(ctx context.Context, name string) error {
			return a.store.GivenOut(ctx, name, withdrawal.Downloaded)
		},
		Replay: replay.New(a.store, o.study, &keptFaces{dir: o.dir}),
		Book:   a.book, Names: slices.Concat(o.names, o.secure.hosts()), Log: o.log,
		Hidden: brandNames(o.study),
		Audit:  auditTo(a.store), Audited: auditOf(a.store),
	}
	if a.picture != nil {
		screens.Picture = a.picture
	}
	if a.remote = o.rig.remote; a.remote != nil {
		a.remote.Admit(o.reach())
		screens.Camera = a.remote
	}
	a.console = console.New(screens)
	if a.socket, a.outside, err = o.secure.open(o.listen); err != nil {
		return nil, err
	}
	if o.events != "" {
		socket, err := listenEvents(o.events)
		if err != nil {
			return nil, err
		}
		a.events = &eventPort{socket: socket, clock: clock, mark: a.manager.Mark, log: o.log}
	}
	a.http = newServer(a.console.Handler(), o.log)
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
		a.manager.Watch(devices)
		return nil
	})
	if a.events != nil {
		group.Go(func() error { return a.events.run(devices) })
	}
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
		noteTokens(devices, a.book, a.store, a.log)
		return nil
	})
	for _, l := range []net.Listener{a.socket, a.outside} {
		if l == nil {
			continue
		}
		group.Go(func() error {
			if err := a.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
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
	if a.picture != nil {
		_ = a.picture.Close() // it tells of nothing
	}
	if a.socket != nil {
		a.socket.Close()
	}
	if a.outside != nil {
		a.outside.Close()
	}
	if a.events != nil {
		a.events.socket.Close()
	}
	if a.store != nil {
		a.store.Close()
	}
}
