package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"emolab/calibration/latency"
	"emolab/capture/webcam"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/studies/stage"
)

// calibrateCameraCmd measures the camera.
type calibrateCameraCmd struct {
	flashFlags
	Camera string `help:"Measure this camera or URL instead of the lab's own." placeholder:"SOURCE"`
	Light  string `help:"What tells when the light was on the glass: sensor (the box's photodiode on the screen), display (the page, corrected by the measured latency of the display), or auto: the sensor if lab.yaml has one, else the display." enum:"auto,sensor,display" default:"auto" placeholder:"HOW"`
	Sum    bool   `help:"Without a sensor and a measured display: print the latency of display and camera together. It is not kept, because it is that of neither."`
	JSON   bool   `help:"Print the result as JSON."`
}

// Help shows examples below the flags.
func (calibrateCameraCmd) Help() string {
	return `Examples:
  emolab calibrate camera                    the lab's camera, with the sensor of its box
  emolab calibrate camera --light display    after emolab calibrate display; no sensor needed
  emolab calibrate camera --sum              no sensor at all: display and camera together

Turn the camera to the participant's screen, or hold a mirror before it, so that it
sees the flashes; a white sheet that they light up will do. Darken the room. The
camera needs no sharp picture. The result is kept in DIR/calibration/camera.json,
and serve applies it from its next start on to the camera of this name and mode:
frames then carry the instant of the middle of their exposure.

Latency changes with the camera's mode (size, rate), and its exposure moves the
middle: a camera that exposes automatically does so for 2 ms in the sun and for 33
in the dark. Switch automatic exposure and low-light modes off, or measure in the
light that you record in. Most cameras expose row by row: what is measured holds for
the rows that show the flashes, and others are up to a frame earlier or later.`
}

// The grid over the camera's picture: a screen that fills a tenth of it has a cell
// of its own.
const (
	meterID      = "camera"
	meterColumns = 16
	meterRows    = 12
)

const (
	// worstGlass is the widest bound of the light on the glass that a camera is
	// measured against, without the clocks': wider than what is to be found.
	worstGlass = 22 * time.Millisecond
	// usualRefresh is that of a screen which does not tell; few have a slower one.
	usualRefresh = 60 // Hz
)

// Run is the command.
func (c *calibrateCameraCmd) Run(a *app) error {
	lab, err := c.lab()
	if err != nil {
		return err
	}
	glass, err := c.glass(lab)
	if err != nil {
		return err
	}
	entry := lab.Camera
	if c.Camera != "" {
		entry = cameraEntry{Source: c.Camera}
	}
	camera, err := openRealCamera(entry)
	if err != nil {
		return err
	}
	defer camera.Close()
	meter := webcam.NewMeter(camera, meterID, meterColumns, meterRows, instant.Monotonic{})
	o := flashOptions{corner: glass.corner, sources: append(glass.sources, meter), measuredOn: glass.screen()}
	measured, err := c.measure(a, "camera", glass.instruction(), o,
		func(ctx context.Context, f *flashLab) (latency.Measured, error) {
			return measureCamera(ctx, f, glass, camera.Describe(), c.Repeats, a.err)
		})
	if err != nil {
		return err
	}
	file := ""
	if !glass.sum {
		file, err = saveLatency(c.Data, measured)
	}
	if c.JSON {
		return errors.Join(err, printJSON(a.out, latencyResult{measured, measured.ShiftMs(), measured.WithinMs(), file}))
	}
	printCamera(a.out, measured) // also when it cannot be kept
	if file != "" {
		fmt.Fprintf(a.out, "Kept in %s; emolab serve applies it from its next start on.\n", file)
	}
	return err
}

// openRealCamera opens a camera that can see a screen.
func openRealCamera(entry cameraEntry) (*webcam.Camera, error) {
	if entry.Source == "" {
		return nil, errors.New("lab.yaml names no camera: add a line camera: {source: /dev/video0}, or give one with --camera")
	}
	if entry.Source == browserCamera {
		return nil, usagef("the camera of a browser cannot be measured: its exposure and its stamps are in the stated error")
	}
	if webcam.KindOf(entry.Source) == webcam.File {
		return nil, usagef("%s is a video file, which sees no screen: measure a camera", entry.Source)
	}
	return openCamera(entry, nil)
}

// glass is how the instants at which light was on the glass are known.
type glass struct {
	light   stream.Info       // of the photodiode; ID "" = none
	display *latency.Measured // what the page says is corrected by; nil = not
	sum     bool              // not known: the display's latency is measured with the camera's
	corner  string            // where the flashes are shown
	sources []stream.Source
}

// glass decides what tells of the light.
func (c *calibrateCameraCmd) glass(lab labFile) (glass, error) {
	source, light, sensorErr := lightSource(lab, c.Device)
	var undecided *usageError // there are several
	if c.Light == "sensor" || c.Light == "auto" && (sensorErr == nil || c.Device != "" || errors.As(sensorErr, &undecided)) {
		if sensorErr != nil {
			return glass{}, fmt.Errorf("%s: %w", c.Lab, sensorErr)
		}
		return glass{light: light, corner: c.Corner, sources: []stream.Source{source}}, nil
	}
	display, err := loadLatency(c.Data, latency.Display)
	switch {
	case err != nil:
		return glass{}, err
	case display != nil && display.Shift().Within+halfRefresh(display) > worstGlass:
		return glass{}, fmt.Errorf("the display's latency is known to ±%.0f ms only, and ±%.0f ms are needed to measure a camera against it: "+
			"measure it again on a machine that does nothing else (emolab calibrate display), or use the sensor here too (--light sensor)",
			display.WithinMs(), max(0, 1000*(worstGlass-halfRefresh(display)).Seconds()))
	case display != nil:
		return glass{display: display}, nil
	case c.Sum:
		return glass{sum: true}, nil
	}
	return glass{}, fmt.Errorf("nothing tells when light is on the glass: %s has no light sensor, and the display's latency is not measured (no %s): "+
		"measure that first with emolab calibrate display, or see display and camera together with --sum", c.Lab, latencyFile(c.Data, latency.Display))
}

// screen is the screen that the correction holds for; nil = any.
func (g glass) screen() *stage.Screen {
	if g.display == nil {
		return nil
	}
	s := stage.Screen(g.display.Screen)
	return &s
}

// instruction says what the person has to do.
func (g glass) instruction() string {
	see := "Let the camera see the screen (turn it, or hold a mirror before it), then press a key on the page."
	if g.light.ID == "" {
		return see
	}
	return fmt.Sprintf("Hold the light sensor on a part of the square in the %s corner. %s", g.corner, see)
}

// edges are those of the light on the glass, in what was collected.
func (g glass) edges(t *tracks) ([]latency.Edge, error) {
	if g.light.ID != "" {
		return t.light(g.light.ID)
	}
	edges, err := t.shown()
	if err != nil {
		return nil, err
	}
	return g.onGlass(edges), nil
}

// onGlass moves edges from when the page says that they were displayed to when
// their light was on the glass. The display was measured in a corner; the middle of
// the flashes is drawn half a refresh before or after it.
func (g glass) onGlass(edges []latency.Edge) []latency.Edge {
	if g.display == nil {
		return edges
	}
	shift := g.display.Shift()
	within := shift.Within + halfRefresh(g.display)
	for i := range edges {
		edges[i].At = edges[i].At.Add(shift.By)
		edges[i].Err += within
	}
	return edges
}

// halfRefresh is how much earlier or later than in a corner of the screen light is
// in its middle.
func halfRefresh(display *latency.Measured) time.Duration {
	hz := display.Screen.RefreshHz
	if !(hz > 0) {
		hz = usualRefresh
	}
	return time.Duration(float64(time.Second) / hz / 2)
}

// measureCamera waits for the page and the devices, and for the camera to see the
// flashes, plays them, and measures how much later than their light the frames that
// show them are stamped.
func measureCamera(ctx context.Context, f *flashLab, g glass, about webcam.Description, repeats int, say io.Writer) (latency.Measured, error) {
	none := latency.Measured{}
	if err := f.ready(ctx, say); err != nil {
		return none, err
	}
	if g.light.ID != "" {
		if err := f.seeLight(ctx, g.light, say); err != nil {
			return none, err
		}
	}
	if err := f.seeFlashes(ctx, g, say); err != nil {
		return none, err
	}
	got, on, err := f.measure(ctx, repeats, say)
	if err != nil {
		return none, err
	}
	stated, err := g.edges(got)
	if err != nil {
		return none, err
	}
	seen, err := got.pictures(meterID)
	if err != nil {
		return none, err
	}
	m, _, err := latency.FitCamera(stated, seen, 0)
	if err != nil {
		return none, err
	}
	f.sign(&m, stream.Info{Device: about.Device}, on)
	m.Mode, m.Corner = about.Mode(), g.corner
	switch {
	case g.sum:
		m.Kind, m.Remark = latency.Sum, "sum of display and camera: it corrects neither"
	case g.display != nil:
		m.Remark = fmt.Sprintf("light by the display's latency of %+.1f ms, measured at %s", g.display.MedianMs, g.display.MeasuredAt.Format(time.RFC3339))
	default:
		m.Remark = "light by the photodiode of " + g.light.Device
	}
	return m, nil
}

// seeFlashes plays the flashes until the camera follows them. Live instants are good
// enough for that.
func (f *flashLab) seeFlashes(ctx context.Context, g glass, say io.Writer) error {
	var reason error
	advised := time.Now()
	_, err := f.play(ctx, trial, newBar(say, 1, "looking for the flashes"), func(t *tracks) bool {
		if f.stage.Waiting() != "" {
			advised = time.Now()
			return false
		}
		shown := t.latest(stage.StreamID, trialWindow)
		stated := g.onGlass(changes(stimulus.Course(f.stage.Info()[0], shown, nil)))
		_, _, reason = latency.FitCamera(stated, picturesOf(t.latest(meterID, trialWindow)), trialEdges)
		if reason != nil && time.Since(advised) > 2*trialWindow {
			fmt.Fprintln(say, reason)
			advised = time.Now()
		}
		return len(stated) >= trialEdges && reason == nil
	})
	if err == nil && reason != nil {
		err = fmt.Errorf("the flashes were played %d times: %w", trial, reason)
	}
	return err
}

// printCamera prints a camera's latency for people, or the sum.
func printCamera(w io.Writer, m latency.Measured) {
	what := "Camera latency"
	if m.Kind == latency.Sum {
		what = "Display and camera"
	}
	fmt.Fprintf(w, "%-18s %+.1f ms (median), SD %.1f ms, deviations p95 %.1f ms, largest %.1f ms\n", what, m.MedianMs, m.SDMs, m.P95Ms, m.MaxMs)
	fmt.Fprintf(w, "  to bright        %+.1f ms\n  to dark          %+.1f ms\n", m.RisingMs, m.FallingMs)
	fmt.Fprintf(w, "  exposure         about %.0f ms\n", m.ExposureMs)
	fmt.Fprintf(w, "  flashes          %d of %d seen\n\n", m.Matched, m.Flashes)
	if open := m.OpenMs; open > 3 {
		fmt.Fprintf(w, "Too few flashes fell into an exposure to know it better than by ±%.1f ms: more --repeats may help.\n", open)
	}
	if away := math.Abs(m.RisingMs - m.FallingMs); away > 8 {
		fmt.Fprintf(w, "Bright and dark differ by %.1f ms: is automatic exposure on, or the picture overexposed?\n", away)
	}
	if m.Kind == latency.Sum {
		fmt.Fprintln(w, "How much of it is the screen's is not known, so it is not kept and not applied.\nMeasure the display first: emolab calibrate display.")
		return
	}
	fmt.Fprintf(w, "Frames of %s (%s) are corrected by %+.1f ms to the middle of\ntheir exposure, and hold within ±%.1f ms beyond the clocks' own bounds, in the rows that show the\n"+
		"flashes and at the exposure of now; what a camera exposes above or below is up to a frame earlier or later.\n",
		m.Device, m.Mode, m.ShiftMs(), m.WithinMs())
	printFew(w, m)
}

// cameraShift is the measured latency as it applies to an open camera: nil, and why
// not, if it was measured of another camera or in another mode, or not at all.
func cameraShift(m *latency.Measured, about webcam.Description) (*stream.Shift, string) {
	switch {
	case m == nil:
		return nil, fmt.Sprintf("The camera is not measured, or not to be corrected: what stamps its frames is later than their exposure (up to %s). To measure it: emolab calibrate camera.", unmeasured(about.Stamps))
	case m.Device != about.Device || m.Mode != about.Mode():
		return nil, fmt.Sprintf("The latency of the camera is not applied: it was measured of %s (%s), and this is %s (%s). Measure again: emolab calibrate camera.",
			m.Device, m.Mode, about.Device, about.Mode())
	}
	s := m.Shift()
	return &s, fmt.Sprintf("The camera was measured on %s: its frames are corrected by %+.1f ms, within ±%.1f ms.",
		m.MeasuredAt.Local().Format(time.DateOnly), m.ShiftMs(), m.WithinMs())
}

// unmeasured says how late stamps may be.
func unmeasured(s webcam.Stamps) string {
	if s == webcam.ArrivalStamps {
		return "150 ms and a frame"
	}
	return "a frame"
}

// sameCamera tells why a camera that was opened again cannot go on with the stream;
// nil when it can.
func sameCamera(before, again webcam.Description, shifted bool) error {
	if err := again.Succeeds(before); err != nil {
		return err
	}
	if shifted && (again.Device != before.Device || again.Mode() != before.Mode()) {
		return fmt.Errorf("%s has come back as %s, and the latency that is applied is that of %s: end the session and start emolab again",
			again.Port, strings.TrimSpace(again.Device+" ("+again.Mode()+")"), before.Device+" ("+before.Mode()+")")
	}
	return nil
}
