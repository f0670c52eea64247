package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"emolab/calibration/latency"
	"emolab/capture/face"
	"emolab/capture/frame"
	"emolab/capture/peer"
	"emolab/capture/portrait"
	"emolab/capture/record"
	"emolab/capture/webcam"
	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/script"
	"emolab/fusion/stream"
	"emolab/sensors/device"
	"emolab/sensors/virtual"
	"emolab/studies/session"
)

// rig is the devices of one lab, real or virtual. The stage is not part of it.
type rig struct {
	nets      detectorFlags
	sources   []stream.Source
	truth     *script.Truth      // what really happens; nil in a real lab
	slip      float64            // how far the virtual trackers slip between a calibration and its validation, degrees
	slips     int                // in how many rounds of a step they do
	everySlip float64            // how far they slip with everybody, degrees
	fresh     bool               // they were calibrated, and nothing was validated since
	arrives   time.Duration      // how long a tracker that calibrates itself waits at each point; 0 = as usual
	screen    eyemovement.Screen // the participant's; zero = nobody has measured it
	cables    map[string]cable   // of virtual devices, by the id of the device's first stream
	notes     []string           // what a person should know of these devices
	tap       *record.Tap        // between the camera and the analysis; nil without a camera
	remote    *peer.Remote       // the place for a browser's camera; nil where the camera is no browser's
	// seen, where set before the lab runs, is shown every frame with what was found in it.
	seen    func(frame.Frame, face.Result)
	closers []io.Closer
}

// cable is what a virtual device hangs on.
type cable interface {
	Unplug() error
	Plug() error
}

// close releases the devices, in the reverse order of their opening.
func (r *rig) close() error {
	var errs []error
	for i := len(r.closers) - 1; i >= 0; i-- {
		errs = append(errs, r.closers[i].Close())
	}
	r.closers = nil
	return errors.Join(errs...)
}

// realRig opens the devices that lab.yaml names. An absent device is no error:
// it is picked up when it is plugged in. An unknown driver is.
//
// camera is the measured latency of a camera; nil = none was measured.
func realRig(lab labFile, nets detectorFlags, camera *latency.Measured) (_ *rig, err error) {
	r := &rig{nets: nets, screen: lab.screen()}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	switch lab.Camera.Source {
	case "":
	case browserCamera:
		err = r.addBrowser(lab.Camera)
	default:
		err = r.addWebcam(lab.Camera, camera)
	}
	if err != nil {
		return nil, err
	}
	for _, d := range lab.Devices {
		r.sources = append(r.sources, d.source)
	}
	for _, f := range checkScreen(lab) {
		if f.Verdict == warning {
			r.notes = append(r.notes, "The participant's screen: "+f.Text+". "+f.Advice)
		}
	}
	return r, nil
}

// cameraEvents is how many remarks of a camera may wait for its stream; it makes
// one a second at most.
const cameraEvents = 8

// openCamera opens the camera of lab.yaml.
func openCamera(entry cameraEntry, events chan<- stream.Event) (*webcam.Camera, error) {
	return webcam.Open(webcam.Options{
		Source: entry.Source, Width: entry.Width, Height: entry.Height, FPS: entry.FPS, Loop: true, Events: events,
	}, instant.Monotonic{})
}

// addWebcam puts the face pipeline behind a camera. A camera that is absent is
// looked for until it is there; a file that is absent is an error. measured is the
// latency of a camera, perhaps of another one.
//
// What the stream states of the camera's stamps is fixed here. A camera that comes
// back with others is refused, and so is one that is absent now and turns out to
// have other stamps than such a camera mostly has.
func (r *rig) addWebcam(entry cameraEntry, measured *latency.Measured) error {
	events := make(chan stream.Event, cameraEvents)
	cam, err := openCamera(entry, events)
	about := webcam.Expected(entry.Source)
	info := face.SourceInfo{Device: "camera", Port: entry.Source, Rate: entry.FPS, Events: events}
	if err == nil {
		r.closers = append(r.closers, cam)
		about = cam.Describe()
		info.Device, info.Port, info.Rate = about.Device, about.Port, about.FPS
	}
	switch {
	case about.Kind == webcam.File && err != nil:
		return err
	case about.Kind == webcam.File:
		// A film is nobody who sits here: its recordings must not pass for real ones.
		info.Simulated = true
		return r.addCamera(cam, info)
	case err != nil:
		if measured != nil {
			r.notes = append(r.notes, "The latency of the camera is not applied, because the camera is not there. Plug it in and start again.")
		}
	default:
		var note string
		info.Shift, note = cameraShift(measured, about)
		r.notes = append(r.notes, note)
	}
	info.Clock = about.Stamps.Clock()
	info.Reopen = func() (face.Camera, error) {
		again, err := openCamera(entry, events)
		if err != nil {
			return nil, err
		}
		if err := sameCamera(about, again.Describe(), info.Shift != nil); err != nil {
			return nil, errors.Join(err, again.Close())
		}
		return again, nil
	}
	if err != nil {
		return r.addCamera(absent{err}, info)
	}
	return r.addCamera(cam, info)
}

// absent is a camera that could not be opened, and says why.
type absent struct{ reason error }

// Run returns the reason.
func (a absent) Run(context.Context, chan<- frame.Frame) error { return a.reason }

func (r *rig) addCamera(cam face.Camera, info face.SourceInfo) error {
	analyzer, err := r.nets.analyzer(true)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, analyzer)
	r.tap = record.NewTap(info.Rate)
	info.Seen = func(f frame.Frame, found face.Result) {
		if r.seen != nil {
			r.seen(f, found)
		}
	}
	if reopen := info.Reopen; reopen != nil {
		info.Reopen = func() (face.Camera, error) {
			cam, err := reopen()
			if err != nil {
				return nil, err
			}
			return r.tap.Over(cam), nil
		}
	}
	r.sources = append(r.sources, face.NewSource(r.tap.Over(cam), analyzer, "face", info, instant.Monotonic{}))
	return nil
}

// film is what keeps the video of the face in a data folder, where a
// participant allows it; nil without a camera.
func (r *rig) film(dir string) session.Film {
	if r.tap == nil {
		return nil
	}
	return &film{Tap: r.tap, dir: dir}
}

// virtualFlags disturb the virtual lab.
type virtualFlags struct {
	Seed      uint64        `help:"Of the participant's script and of all noise." default:"1"`
	DriftPPM  float64       `help:"How fast the devices' clocks run, in ppm." default:"2000" name:"drift"`
	Batch     time.Duration `help:"Latency timer of the USB serial adapters." default:"16ms"`
	Jitter    time.Duration `help:"Largest random delay of a delivery." default:"200us"`
	Loss      float64       `help:"Share of the devices' messages that never arrive, in percent." default:"2"`
	Corrupt   float64       `help:"Share of messages with a wrong byte, in percent." default:"0.1"`
	Firmware  bool          `help:"Let the EDA box be its real firmware under the AVR simulator, where make firmware has built that."`
	GazeBias  float64       `help:"How far the eye tracker is off before it is calibrated, in degrees." default:"1"`
	GazeNoise float64       `help:"The eye tracker's noise, one standard deviation in each direction, in degrees; 0 = that of the simulated device." default:"0.1"`
	GazeError float64       `help:"How far the eye tracker slips once after each calibration, before the validation of it, in degrees in the middle of the screen; 2.5 is a calibration that has to be refused." default:"0"`
	Devices   []string      `help:"The drivers whose simulated devices take part; a name may stand twice. Default: emobox,gazepoint." default:"emobox,gazepoint" placeholder:"NAME,..."`
}

const (
	otherDrift = -.4 // every second device's drift as a share of the first's: another clock, the other way
	cameraFPS  = 30
)

// virtualRig makes a lab of simulated devices that play one script. camera, if
// not empty, is a video file that takes the place of the drawn face.
func virtualRig(ctx context.Context, f virtualFlags, camera string, nets detectorFlags) (_ *rig, err error) {
	var clock instant.Monotonic
	truth := script.NewTruth(script.New(f.Seed), clock.Now())
	// The virtual participant sits exactly where a screen is assumed to be.
	r := &rig{nets: nets, truth: truth, screen: session.AssumedScreen(), slip: f.GazeError, slips: math.MaxInt, everySlip: f.GazeError, cables: map[string]cable{}}
	truth.Tracker = f.tracker(r.screen)
	defer func() {
		if err != nil {
			r.close()
		}
	}()

	ports, err := os.MkdirTemp("", "emolab-ports-*")
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, removal(ports))
	switch camera {
	case "":
		err = r.addCamera(
			portrait.New(truth, clock, portrait.Options{FPS: cameraFPS, Seed: f.Seed}),
			face.SourceInfo{Device: "drawn face", Port: "640x480", Rate: cameraFPS, Simulated: true})
	case browserCamera:
		err = r.addBrowser(cameraEntry{})
	default:
		err = r.addWebcam(cameraEntry{Source: camera}, nil)
	}
	if err != nil {
		return nil, err
	}
	for i, name := range f.Devices {
		if err := r.addVirtual(ctx, name, i, ports, f); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// addVirtual plugs in the virtual twin of a driver's device, device number i of
// the lab, and opens the driver on it.
func (r *rig) addVirtual(ctx context.Context, name string, i int, ports string, f virtualFlags) error {
	d, err := driverNamed(name)
	if err != nil {
		return err
	}
	settings := d.Settings()
	place := settings.At()
	place.Clock, place.Simulated = instant.Monotonic{}, true
	place.ID = freeID(d.Stream, func(id string) bool { return r.cables[id] != nil })
	where := filepath.Join(ports, "tty"+strings.ToUpper(place.ID))
	if d.Line != "serial" {
		where = d.Line + "://127.0.0.1:0"
	}
	drift := f.DriftPPM
	if i%2 == 1 {
		drift *= otherDrift
	}
	if f.Firmware && name == "emobox" {
		// It runs until it is closed: at Ctrl-C the session is sealed first.
		box, err := startFirmwareBox(context.WithoutCancel(ctx), firmwareBoxOptions{
			Port: where, Truth: r.truth, Clock: place.Clock, Streams: []string{place.ID},
			DriftPPM: drift, Batch: f.Batch, Seed: f.Seed + uint64(i),
		})
		if err != nil {
			return err
		}
		r.closers = append(r.closers, box)
		r.cables[place.ID] = box
		r.notes = append(r.notes, place.ID+" is "+box.About())
		place.Port = box.Path()
		return r.addDevice(settings)
	}
	twin := settings.Twin(virtual.TwinOptions{Truth: r.truth, Clock: place.Clock, DriftPPM: drift, Seed: f.Seed + uint64(i)})
	link, err := virtual.NewLink(where, twin,
		virtual.Disturbance{Batch: f.Batch, Jitter: f.Jitter, LossPercent: f.Loss, CorruptPercent: f.Corrupt},
		f.Seed+uint64(i), place.Clock)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, link)
	r.cables[place.ID] = link
	if d.Line == "serial" {
		place.Port = link.Path()
	} else {
		place.Address = link.Path()
	}
	return r.addDevice(settings)
}

// addDevice opens the driver of a virtual device.
func (r *rig) addDevice(s device.Settings) error {
	source, err := s.Open()
	if err != nil {
		return fmt.Errorf("device %s: %w", s.At().ID, err)
	}
	r.sources = append(r.sources, source)
	return nil
}

// keepTruth writes what really happened beside the session's data, if there are any.
func (r *rig) keepTruth(dir string, out session.Outcome) error {
	if r.truth == nil || out.State == session.Declined || out.State == session.Withdrawn {
		return nil
	}
	path := truthPath(dir, out.SessionID)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	b, err := json.MarshalIndent(r.truth.Record(), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o600)
}

// readTruth reads what keepTruth wrote.
func readTruth(dir, sessionID string) (script.Record, error) {
	var r script.Record
	b, err := os.ReadFile(truthPath(dir, sessionID))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%s: %w", truthPath(dir, sessionID), err)
	}
	return r, nil
}

func truthPath(dir, sessionID string) string {
	return filepath.Join(dir, "truth", sessionID+".json")
}

// removal is a folder that is deleted when it is closed.
type removal string

// Close deletes the folder.
func (r removal) Close() error { return os.RemoveAll(string(r)) }
