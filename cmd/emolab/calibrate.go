package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"emolab/calibration/latency"
	"emolab/fusion/stream"
	"emolab/studies/stage"
)

// calibrateCmd measures what no clock can tell.
type calibrateCmd struct {
	Display calibrateDisplayCmd `cmd:"" help:"Measure with a photodiode how late light is on the participant's screen."`
	Camera  calibrateCameraCmd  `cmd:"" help:"Measure with flashes on that screen how late the camera's stamps are."`
}

// calibrateDisplayCmd measures the display.
type calibrateDisplayCmd struct {
	flashFlags
	JSON bool `help:"Print the result as JSON."`
}

// flashFlags say with what flashes are shown and seen.
type flashFlags struct {
	Lab     string `help:"The devices of this workstation. Default: lab.yaml here." default:"lab.yaml" type:"path" placeholder:"FILE"`
	Data    string `help:"Where serve keeps its recordings; the result goes below it. Default: emolab-data here." default:"emolab-data" type:"path" aliases:"out" placeholder:"DIR"`
	Listen  string `help:"Loopback address of the page. Default: 127.0.0.1:8800." default:"127.0.0.1:8800" placeholder:"HOST:PORT"`
	Token   string `help:"Access token of the page. Default: the one kept in the data folder." env:"EMOLAB_TOKEN" placeholder:"TOKEN"`
	Device  string `help:"The device with the photodiode, by its id in lab.yaml, where there are several." placeholder:"ID"`
	Corner  string `help:"Where the sensor is: the corner of the screen to flash in: top-left, top-right, bottom-left, bottom-right. Default: bottom-left." default:"bottom-left" enum:"top-left,top-right,bottom-left,bottom-right" placeholder:"CORNER"`
	Repeats int    `help:"How many times to play the flashes, 12 s with 32 changes each. Default: 3." default:"3" placeholder:"N"`
}

// Help shows examples below the flags.
func (calibrateDisplayCmd) Help() string {
	return `Examples:
  emolab calibrate display                       with the box that lab.yaml names
  emolab calibrate display --corner top-right    where the sensor reaches better

Hold the box's light sensor flat on the screen, on the square that the page shows
in the corner, and press a key there. The square flashes for about a minute. The
result is kept in DIR/calibration/display.json; serve applies it from its next
start on, and doctor says how good and how old it is.

Measure again after another screen, resolution, refresh rate, graphics driver or
browser, and after "game" or "cinema" mode was switched. Light comes at the top of
most screens up to one refresh earlier than at the bottom; what is measured holds
for the corner with the sensor.`
}

const (
	// minLight is the least difference of bright and dark that the box takes for
	// flashes, of its scale of 65535.
	minLight = 2048
	// trial is how often the flashes are played at most until the sensor sees them:
	// about two minutes.
	trial = 10
	// Of the latest readings so many edges must be there for the sensor to be in
	// place: about half of what is played.
	trialEdges  = 6
	trialWindow = 5 * time.Second
	// roughMs is a bound that a quiet workstation stays below: half a refresh at
	// 60 Hz, and the clocks.
	roughMs = 10
	// maxRepeats is half an hour.
	maxRepeats = 140
)

// Run is the command.
func (c *calibrateDisplayCmd) Run(a *app) error {
	lab, err := c.lab()
	if err != nil {
		return err
	}
	source, light, err := lightSource(lab, c.Device)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Lab, err)
	}
	say := fmt.Sprintf("Hold the light sensor flat on the square in the %s corner, then press a key there.", c.Corner)
	measured, err := c.measure(a, "display", say, flashOptions{corner: c.Corner, sources: []stream.Source{source}},
		func(ctx context.Context, f *flashLab) (latency.Measured, error) {
			return measureDisplay(ctx, f, light, c.Repeats, a.err)
		})
	if err != nil {
		return err
	}
	measured.Corner = c.Corner
	path, err := saveLatency(c.Data, measured)
	if c.JSON {
		return errors.Join(err, printJSON(a.out, latencyResult{measured, measured.ShiftMs(), measured.WithinMs(), path}))
	}
	printDisplay(a.out, measured) // also when it cannot be kept
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Kept in %s; emolab serve applies it from its next start on.\n", path)
	return nil
}

// lab checks the flags and reads the lab.
func (c *flashFlags) lab() (labFile, error) {
	if c.Repeats < 1 || c.Repeats > maxRepeats {
		return labFile{}, usagef("--repeats %d: want 1 to %d", c.Repeats, maxRepeats)
	}
	if loopback, err := isLoopback(c.Listen); err != nil {
		return labFile{}, err
	} else if !loopback {
		return labFile{}, usagef("--listen %s: only loopback addresses: what is measured is a screen of this computer", c.Listen)
	}
	return readLab(c.Lab)
}

// measure opens the flashes for the participant's screen, says what to do there, and
// runs a measurement of what is named.
func (c *flashFlags) measure(a *app, what, say string, o flashOptions, do func(context.Context, *flashLab) (latency.Measured, error)) (measured latency.Measured, err error) {
	if c.Token == "" {
		if c.Token, err = keptToken(c.Data); err != nil {
			return measured, err
		}
	}
	o.listen, o.token = c.Listen, c.Token
	f, err := openFlashLab(o)
	if err != nil {
		return measured, err
	}
	fmt.Fprintf(a.err, "Open this on the participant's screen, at 100 %% zoom:\n\n  participant  %s\n\n%s\n", f.address(), say)
	err = f.run(a.ctx, func(ctx context.Context) (err error) {
		measured, err = do(ctx, f)
		return err
	})
	if err != nil && a.ctx.Err() != nil {
		err = fmt.Errorf("stopped before the %s was measured; what was measured before still holds", what)
	}
	return measured, err
}

// latencyResult is a measurement as it is printed.
type latencyResult struct {
	latency.Measured
	ShiftMs  float64 `json:"shift_ms"`
	WithinMs float64 `json:"within_ms"`
	File     string  `json:"file,omitempty"` // where it is kept
}

// lightSource finds the device with the photodiode, and the stream of its light.
func lightSource(lab labFile, id string) (stream.Source, stream.Info, error) {
	type found struct {
		source stream.Source
		light  stream.Info
		device string
	}
	var all []found
	for _, d := range lab.Devices {
		for _, info := range d.source.Info() {
			if info.Kind == stream.Light && (id == "" || id == d.settings.At().ID || id == info.ID) {
				all = append(all, found{d.source, info, d.settings.At().ID})
			}
		}
	}
	switch {
	case len(all) == 1:
		return all[0].source, all[0].light, nil
	case len(all) > 1:
		ids := make([]string, len(all))
		for i, f := range all {
			ids[i] = f.device
		}
		return nil, stream.Info{}, usagef("several devices have a light sensor: choose one with --device: %s", strings.Join(ids, ", "))
	case id != "":
		return nil, stream.Info{}, fmt.Errorf("the device %q has no light sensor, or is not named there: an emobox has one with light: true", id)
	}
	return nil, stream.Info{}, errors.New("no device has a light sensor: add an emobox with light: true, for example {driver: emobox, port: /dev/ttyUSB0, light: true}")
}

// measureDisplay waits for the page, the box and the sensor in its place, plays the
// flashes, and measures how much later light comes than the page says.
func measureDisplay(ctx context.Context, f *flashLab, light stream.Info, repeats int, say io.Writer) (latency.Measured, error) {
	none := latency.Measured{}
	if err := f.ready(ctx, say); err != nil {
		return none, err
	}
	if err := f.seeLight(ctx, light, say); err != nil {
		return none, err
	}
	got, on, err := f.measure(ctx, repeats, say)
	if err != nil {
		return none, err
	}
	stated, err := got.shown()
	if err != nil {
		return none, err
	}
	seen, err := got.light(light.ID)
	if err != nil {
		return none, err
	}
	m, err := latency.Match(stated, seen)
	if err != nil {
		return none, err
	}
	f.sign(&m, light, on)
	return m, nil
}

// sign adds to a measurement who made it with what.
func (f *flashLab) sign(m *latency.Measured, device stream.Info, on stage.Screen) {
	m.MeasuredAt = time.Now().UTC().Truncate(time.Second)
	m.Software = "emolab " + version
	m.Device = strings.TrimSpace(strings.Join([]string{device.Device, device.Serial, device.Port}, " "))
	m.Screen = latency.Screen(on)
	m.Browser = f.stage.Agent()
}

// seeLight plays the flashes until the sensor follows them.
func (f *flashLab) seeLight(ctx context.Context, light stream.Info, say io.Writer) error {
	var levels latency.Levels
	follows := false
	advised := time.Now()
	_, err := f.play(ctx, trial, newBar(say, 1, "looking for the flashes"), func(t *tracks) bool {
		latest := t.latest(light.ID, trialWindow)
		levels = latency.LevelsOf(lightValues(light, latest))
		follows = len(lightEdges(light, latest)) >= trialEdges
		if f.stage.Waiting() != "" {
			advised = time.Now()
		}
		if !follows && time.Since(advised) > 2*trialWindow {
			fmt.Fprintln(say, dimAdvice(levels, len(latest)))
			advised = time.Now()
		}
		return follows
	})
	if err != nil {
		return err
	}
	if !follows {
		return fmt.Errorf("the flashes were played %d times: %s", trial, dimAdvice(levels, 1))
	}
	return nil
}

// dimAdvice says what to do about a sensor that does not see the flashes.
func dimAdvice(l latency.Levels, readings int) string {
	const full = 65535
	if readings == 0 {
		return "The box sends no light readings: is the photodiode connected, and light: true in lab.yaml?"
	}
	return fmt.Sprintf("The light does not follow the flashes (dark %.0f %%, bright %.0f %% of the scale, at least %.0f %% apart are needed): "+
		"lay the sensor flat on the square, shade it from the room, turn the screen's brightness up.",
		100*l.Dark/full, 100*l.Bright/full, 100.0*minLight/full)
}

// printDisplay prints a display's latency for people.
func printDisplay(w io.Writer, m latency.Measured) {
	fmt.Fprintf(w, "Display latency   %+.1f ms (median), SD %.1f ms, deviations p95 %.1f ms, largest %.1f ms\n", m.MedianMs, m.SDMs, m.P95Ms, m.MaxMs)
	fmt.Fprintf(w, "  to bright       %+.1f ms\n  to dark         %+.1f ms\n", m.RisingMs, m.FallingMs)
	fmt.Fprintf(w, "  flashes         %d of %d seen, %d changes of light that were none; clocks within %.1f ms\n\n", m.Matched, m.Flashes, m.Extra, m.ClockMs)
	printHistogram(w, m)
	fmt.Fprintf(w, "\nStimulus times are corrected by %+.1f ms and hold within ±%.1f ms beyond the clocks' own bounds,\n", m.ShiftMs(), m.WithinMs())
	fmt.Fprintf(w, "on this screen (%s), in the %s corner.\n", stage.Screen(m.Screen), m.Corner)
	if hz := m.Screen.RefreshHz; hz > 0 {
		fmt.Fprintf(w, "Most screens are drawn from top to bottom: light at the other end of it comes up to %.0f ms %s.\n", 1000/hz, otherEnd(m.Corner))
	}
	if away := math.Abs(m.RisingMs - m.FallingMs); away > 4 {
		fmt.Fprintf(w, "The panel turns bright and dark with a difference of %.1f ms; the correction is for their middle.\n", away)
	}
	if m.Matched < m.Flashes*9/10 {
		fmt.Fprintln(w, "More than a tenth of the flashes was missed: fasten the sensor, and measure again.")
	}
	printFew(w, m)
	if m.WithinMs() > roughMs {
		fmt.Fprintln(w, "The latencies vary much, which widens the bound of every stimulus time: end other programs, and measure again.")
	}
}

// printFew warns of a bound that too few flashes speak for.
func printFew(w io.Writer, m latency.Measured) {
	if m.Few() {
		fmt.Fprintf(w, "Only %d flashes speak for this bound: about one time in %d lies beyond it. More --repeats make it firm.\n", m.Matched, m.Matched+1)
	}
}

// otherEnd says how light at the other end of the screen differs in time.
func otherEnd(corner string) string {
	if strings.HasPrefix(corner, "bottom") {
		return "earlier"
	}
	return "later"
}

// printHistogram shows how the latencies lie, in classes of a millisecond or more.
func printHistogram(w io.Writer, m latency.Measured) {
	const rows, width = 15, 40
	if len(m.ResidualsMs) == 0 {
		return
	}
	least, most := slices.Min(m.ResidualsMs), slices.Max(m.ResidualsMs)
	class := math.Ceil(max(most-least, 1) / rows)
	from := math.Floor((m.MedianMs + least) / class)
	counts := make([]int, int(math.Floor((m.MedianMs+most)/class)-from)+1)
	for _, r := range m.ResidualsMs {
		counts[int(math.Floor((m.MedianMs+r)/class)-from)]++
	}
	fullest := slices.Max(counts)
	for i, n := range counts {
		mark := strings.Repeat("#", (n*width+fullest-1)/fullest)
		fmt.Fprintf(w, "  %+7.0f ms  %4d  %s\n", (from+float64(i))*class, n, mark)
	}
}
