package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"emolab/calibration/latency"
	"emolab/fusion/instant"
	"emolab/studies/access"
	"emolab/studies/console"
	"emolab/studies/session"
	"emolab/studies/study"
)

// insistence is within which time Ctrl-C has to be pressed again to stop a session.
const insistence = 10 * time.Second

// serveCmd runs the lab.
type serveCmd struct {
	Lab   string `help:"The devices of this workstation. Default: lab.yaml here." default:"lab.yaml" type:"path" placeholder:"FILE"`
	Study string `help:"The study to run. Default: study.yaml here, else the example study." type:"path" placeholder:"FILE"`
	Data  string `help:"Where recordings and bundles are kept. Default: emolab-data here." default:"emolab-data" type:"path" placeholder:"DIR"`
	Token string `help:"Access token of the pages. Default: the one kept in the data folder, made at the first start." env:"EMOLAB_TOKEN" placeholder:"TOKEN"`
	listenFlags
	Events  string        `help:"Loopback address at which events of other programs come in by UDP and become marks. Default: none." placeholder:"HOST:PORT"`
	Virtual bool          `help:"Use the virtual lab instead of lab.yaml: a scripted participant on simulated devices."`
	Camera  string        `help:"Use this camera, video file or URL instead of the lab's own; browser: that of another device's browser." placeholder:"SOURCE"`
	Display string        `name:"display-latency" help:"How late light is on the participant's screen: a file of calibrate display, or none. Default: the one kept in the data folder." placeholder:"FILE|none"`
	Late    string        `name:"camera-latency" help:"How late the camera's stamps are: a file of calibrate camera, or none. Default: the one kept in the data folder." placeholder:"FILE|none"`
	Nets    detectorFlags `embed:""`
	Lines   virtualFlags  `embed:"" prefix:"virtual-"`
	Unplug  []cablePull   `name:"virtual-unplug" help:"Pull a simulated sensor's cable during each recording, to see the alarm: of which stream, when, and for how long." placeholder:"gaze@20s+10s"`

	kioskFlags
}

// Help shows examples below the flags.
func (serveCmd) Help() string {
	return `Examples:
  emolab serve --virtual                     everything simulated, to look around
  emolab serve --lab lab.yaml                this workstation's own devices
  emolab serve --virtual --camera clip.mp4   a video file as the camera
  emolab serve --camera browser              a tablet's camera: its page is printed at start
  emolab serve --virtual --virtual-devices shimmer3,eyetribe,usbttl
  emolab serve --virtual --virtual-unplug gaze@20s+10s   to see an alarm, and practise
  emolab serve --display-latency none        without the measured latency of the screen
  emolab serve --events 127.0.0.1:8801       with the events of PsychoPy and such as marks
  emolab serve --kiosk --screen 1920,0       with the participant's page on the second screen
  emolab serve --listen 0.0.0.0:8800         for consoles on other computers too, over TLS

The console and the participant's page are printed at start. Ctrl-C ends the
program. While a participant is there it has to be pressed twice within 10 s, and
what was recorded is sealed first.`
}

// Run is the command.
func (c *serveCmd) Run(a *app) error {
	if err := c.isFree(); err != nil { // before anything is made on the disk
		return err
	}
	if c.Kiosk {
		if err := checkKiosk(); err != nil {
			return err
		}
	}
	file, err := c.studyFile()
	if err != nil {
		return err
	}
	st, findings, err := study.LoadLinted(file)
	if err != nil {
		return err
	}
	if c.Token == "" {
		if c.Token, err = keptToken(c.Data); err != nil {
			return err
		}
	}
	if err := console.CheckToken(c.Token); err != nil {
		return fmt.Errorf("%w. Give another with --token or EMOLAB_TOKEN; or give none, and delete %s if it is there: one is made then", err, filepath.Join(c.Data, "token"))
	}
	display, err := c.display()
	if err != nil {
		return err
	}
	secure, err := c.secure(c.Data, time.Now())
	if err != nil {
		return err
	}
	r, err := c.rig(a.ctx)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.hang(c.Unplug); err != nil {
		return usagef("--virtual-unplug: %v", err)
	}
	o := applianceOptions{
		dir: c.Data, study: st, rig: r, listen: c.Listen, secure: secure, token: c.Token, log: a.log(), display: display,
		events: c.Events, names: c.Name,
	}
	running, err := assemble(a.ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Emolab %s, study %s, data in %s\n\n", version, st.ID, c.Data)
	fmt.Fprintf(a.out, "  console      %s\n", running.consoleURL())
	fmt.Fprintf(a.out, "  participant  %s\n", running.stageURL())
	running.printCamera(a.out, running.address())
	fmt.Fprintln(a.out)
	if secure != nil {
		secure.print(a.out, running)
	}
	if running.events != nil {
		fmt.Fprintf(a.out, "Events of other programs are taken by UDP at %s.\n", running.events.socket.LocalAddr())
	}
	fmt.Fprintln(a.out, displayNote(display))
	for _, s := range running.manager.Status().Recovered {
		fmt.Fprintf(a.out, "Session %s of participant %s was cut off; the console offers to continue or seal it.\n", s.ID, s.Participant)
	}
	overdue, err := running.manager.Overdue(a.ctx)
	if err != nil { // and the day goes on
		a.log().Error("look what is kept beyond its date", "error", err)
	}
	if len(overdue) > 0 {
		fmt.Fprintf(a.out, "%d items are past the date up to which they may be kept. The console, below Cohort, shows and erases them; so does: emolab study purge, after this has ended.\n", len(overdue))
		a.log().Warn("data are kept beyond their date: erase them in the console, or with emolab study purge", "items", len(overdue))
	}
	for _, note := range r.notes {
		fmt.Fprintln(a.out, note)
	}
	for _, f := range findings {
		if f.Severity != study.Note {
			fmt.Fprintln(a.out, fault{file, f}) // as study lint says it
		}
	}
	fmt.Fprintln(a.out, "Ctrl-C stops. While a participant is there it has to be pressed twice, and what was recorded is sealed first.")
	return c.run(a, running, r)
}

// run runs the lab, and with it what is beside it if that is asked for: the participant's
// page, and cables that are pulled.
func (c *serveCmd) run(a *app, running *appliance, r *rig) error {
	// Ctrl-C is taken over from the whole program, which it would end at once. Other signals
	// do so still: a terminal that is closed, or a system that shuts down, asks only once.
	pressed := make(chan os.Signal, 1)
	signal.Reset(os.Interrupt)
	signal.Notify(pressed, os.Interrupt)
	defer signal.Stop(pressed)
	ctx, stop := context.WithCancel(a.ctx)
	defer stop()
	var beside sync.WaitGroup
	beside.Go(func() {
		defer stop()
		awaitInsistence(ctx, instant.Monotonic{}, pressed, running.manager.Status, func(words string) { fmt.Fprintln(a.out, words) })
	})
	if len(c.Unplug) > 0 {
		beside.Go(func() { r.pullDuring(ctx, running.manager.Status, c.Unplug, a.log()) })
	}
	if c.Kiosk {
		beside.Go(func() {
			if err := keepKiosk(ctx, running.stageURL(), c.Screen, a.log()); err != nil && ctx.Err() == nil {
				a.log().Error("the participant's page cannot be shown; open its address by hand", "error", err)
			}
		})
	}
	err := running.run(ctx)
	stop()
	beside.Wait()
	return err
}

// awaitInsistence returns when Ctrl-C is pressed while no participant is there, or again
// within insistence, or when ctx ends: a slip of the hand at the wrong window does not send
// anybody home.
func awaitInsistence(ctx context.Context, clock instant.Clock, pressed <-chan os.Signal, status func() session.Status, say func(string)) {
	for first, asked := instant.Instant(0), false; ; asked = true {
		select {
		case <-pressed:
		case <-ctx.Done():
			return
		}
		s, now := status(), clock.Now()
		if s.SessionID == "" || s.Busy != "" || asked && now.Sub(first) < insistence { // what is being closed is closed first
			return
		}
		first = now
		doing, then := "is there, and nothing is recorded yet", "ends Emolab; the session can go on after the next start"
		if s.State == session.Recording {
			doing, then = "is being recorded", "stops the session, seals it and ends Emolab"
		}
		if s.Over {
			doing = "is on the last pages"
		}
		say(fmt.Sprintf("Participant %s %s. Ctrl-C again within %.0f s %s.", s.Participant, doing, insistence.Seconds(), then))
	}
}

// display finds the latency that is to be applied; nil = none.
func (c *serveCmd) display() (*latency.Measured, error) {
	switch c.Display {
	case "":
		return loadLatency(c.Data, latency.Display)
	case "none":
		return nil, nil
	}
	return readLatency(c.Display, latency.Display)
}

// cameraLatency is the latency of the camera that was measured; nil = none.
func (c *serveCmd) cameraLatency() (*latency.Measured, error) {
	switch c.Late {
	case "":
		return loadLatency(c.Data, latency.Camera)
	case "none":
		return nil, nil
	}
	return readLatency(c.Late, latency.Camera)
}

// displayNote says whether stimulus times are those of light on the screen.
func displayNote(m *latency.Measured) string {
	if m == nil {
		return "The display is not measured: stimulus times hold within 50 ms. A box with a photodiode tells: emolab calibrate display."
	}
	return fmt.Sprintf("The display was measured on %s: stimulus times are corrected by %+.1f ms, within ±%.1f ms.",
		m.MeasuredAt.Local().Format(time.DateOnly), m.ShiftMs(), m.WithinMs())
}

// keptToken returns the token of a data folder, made when there is none. It is
// kept, so that both pages come back by themselves after a crash. Whoever can
// read it can read the recordings beside it as well. Delete the file for a new one.
func keptToken(dir string) (string, error) {
	path := filepath.Join(dir, "token")
	if b, err := os.ReadFile(path); err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	token, err := access.NewToken()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return token, os.WriteFile(path, []byte(token+"\n"), 0o600)
}

// studyFile is the study that was asked for, or else the example, unpacked.
func (c *serveCmd) studyFile() (string, error) {
	if c.Study != "" {
		return c.Study, nil
	}
	if _, err := os.Stat("study.yaml"); err == nil {
		return "study.yaml", nil
	}
	return exampleFile(c.Data)
}

// exampleFile unpacks the example study into the data folder.
func exampleFile(dir string) (string, error) {
	// Made here first, and for its owner only: recordings will lie beside it.
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return study.WriteExample(filepath.Join(dir, "example-study"))
}

// openExample unpacks the example study into the data folder, and loads it.
func openExample(dir string) (*study.Study, error) {
	file, err := exampleFile(dir)
	if err != nil {
		return nil, err
	}
	return study.Load(file)
}

func (c *serveCmd) rig(ctx context.Context) (*rig, error) {
	if c.Virtual {
		return virtualRig(ctx, c.Lines, c.Camera, c.Nets)
	}
	lab, err := readLab(c.Lab)
	if err != nil && !(c.Camera != "" && errors.Is(err, os.ErrNotExist)) {
		if errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("%w, or start with --virtual", err)
		}
		return nil, err
	}
	if c.Camera != "" {
		lab.Camera = cameraEntry{Source: c.Camera}
	}
	camera, err := c.cameraLatency()
	if err != nil {
		return nil, err
	}
	return realRig(lab, c.Nets, camera)
}
