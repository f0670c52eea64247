package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"emolab/calibration/latency"
	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/studies/console"
	"emolab/studies/session"
	"emolab/studies/stage"
	"emolab/studies/study"
)

// flashLab is what a latency is measured with: the participant's page, which plays
// the flash study, and the devices that see its light, on one clock. Nothing is
// recorded.
type flashLab struct {
	lab    *session.Lab
	stage  *stage.Server
	study  *study.Study
	token  string
	folder string // of the unpacked study
	socket net.Listener
	http   *http.Server
}

// flashOptions are what a flashLab is made of.
type flashOptions struct {
	corner    string // where the flashes are shown: one of stage.Corners, or "" for large
	listen    string
	token     string          // of the lab; the page's is made of it
	sources   []stream.Source // that see the light
	simulated bool            // the built-in client is the screen
	// measuredOn is the only screen that may show them; nil = any.
	measuredOn *stage.Screen
}

// openFlashLab makes everything ready without starting anything but the listener.
// Run it, or close it.
func openFlashLab(o flashOptions) (_ *flashLab, err error) {
	f := &flashLab{token: o.token}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	if f.folder, err = os.MkdirTemp("", "emolab-flashes-*"); err != nil {
		return nil, err
	}
	file, err := study.WriteFlash(f.folder)
	if err != nil {
		return nil, err
	}
	if f.study, err = study.Load(file); err != nil {
		return nil, err
	}
	var clock instant.Monotonic
	f.stage = stage.New(stage.Options{
		Clock: clock, Study: f.study, Simulated: o.simulated, Corner: o.corner,
		// What is measured here is by how much the page's word is wrong, so its word
		// is taken as it is.
		Shift: &stream.Shift{}, MeasuredOn: o.measuredOn,
	})
	if f.lab, err = session.NewLab(clock, append(slices.Clone(o.sources), f.stage)...); err != nil {
		return nil, err
	}
	if f.socket, err = openListener(o.listen); err != nil {
		return nil, err
	}
	f.http = newServer(console.StageOnly(f.stage.Handler(), f.token), slog.New(slog.DiscardHandler))
	return f, nil
}

// close releases what openFlashLab took.
func (f *flashLab) close() {
	if f.socket != nil {
		f.socket.Close()
	}
	if f.folder != "" {
		os.RemoveAll(f.folder)
	}
}

// address is what is opened on the participant's screen.
func (f *flashLab) address() string {
	return "http://" + f.socket.Addr().String() + "/stage?token=" + console.StageToken(f.token)
}

// run runs the devices and the page while work is done, and closes the lab.
func (f *flashLab) run(ctx context.Context, work func(context.Context) error) error {
	defer f.close()
	devices, stopDevices := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDevices()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return f.lab.Run(devices) })
	group.Go(func() error {
		if err := f.http.Serve(f.socket); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		err := work(ctx)
		stopDevices()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		if f.http.Shutdown(last) != nil {
			f.http.Close() // a page that will not let go
		}
		return err
	})
	return group.Wait()
}

// ready waits until the page is there and every device delivers. say is told, once
// each, what is being waited for.
func (f *flashLab) ready(ctx context.Context, say io.Writer) error {
	said := ""
	for {
		missing := ""
		for _, h := range f.lab.Health() {
			if h.Info.Kind != stream.Trace && h.Info.Kind != stream.Stimulus && !h.Connected {
				missing = "Waiting for " + strings.Join(strings.Fields(h.Info.Device+" "+h.Info.Port+" ... "+h.Remark), " ")
			}
		}
		if missing == "" && !f.stage.Connected() {
			missing = "Waiting for the page ..."
		}
		if missing == "" {
			return nil
		}
		if missing != said {
			fmt.Fprintln(say, missing)
			said = missing
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// measure plays the flashes that are measured with, and returns what every stream
// delivered meanwhile, and on which screen they were.
func (f *flashLab) measure(ctx context.Context, repeats int, say io.Writer) (*tracks, stage.Screen, error) {
	before, _ := f.stage.Screen()
	got, err := f.play(ctx, repeats, newBar(say, 1, "flashes"), nil)
	if err != nil {
		return nil, before, err
	}
	on, ok := f.stage.Screen()
	if !ok {
		return nil, on, errors.New("the page was gone when the flashes ended, so it is not known on which screen they were: leave it open, and measure again")
	}
	// The refresh is measured by the page, every time a little differently.
	if on.Width != before.Width || on.Height != before.Height || on.PixelRate != before.PixelRate {
		return nil, on, fmt.Errorf("the page went from a screen of %s to one of %s in the middle: leave it where it is, and measure again", before, on)
	}
	return got, on, nil
}

// play shows the flashes some times and returns what every stream delivered
// meanwhile. It ends early when enough says so, which is asked now and then, and
// with an error when a device that sees the light goes away.
func (f *flashLab) play(ctx context.Context, times int, progress *bar, enough func(*tracks) bool) (*tracks, error) {
	got := collect(f.lab)
	defer got.end()
	playing, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	var gone error
	plan := study.FlashPlan(f.study, times)
	go func() {
		ended <- f.stage.Present(playing, session.Presentation{Session: "calibration", Study: f.study, Plan: plan})
	}()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	total := int(plan.Duration() / time.Second)
	for passed := time.Duration(0); ; {
		select {
		case err := <-ended:
			progress.finish()
			if gone != nil {
				return nil, gone
			}
			if err != nil && playing.Err() != nil && ctx.Err() == nil {
				err = nil // it was enough
			}
			return got, err
		case <-tick.C:
			waits := f.stage.Waiting()
			if waits != "" {
				waits = "waiting for " + waits + " on the page"
			} else {
				passed += pollEvery
			}
			progress.set(min(int(passed/time.Second), total), total, waits)
			if gone == nil {
				gone = got.gone()
			}
			if enough != nil && enough(got) {
				enough = nil // a later look may see the flashes end
				stop()
			}
			if gone != nil {
				stop()
			}
		}
	}
}

// tracks is what the streams of a lab delivered.
type tracks struct {
	sub   interface{ Close() }
	ended chan struct{}

	mu  sync.Mutex
	all map[string]*track
}

// track is what one stream delivered.
type track struct {
	info    stream.Info
	samples []stream.Sample // aligned live
	stamps  []align.Stamp
	pings   []align.Ping
	events  []stream.Event
}

// collectDepth is how many chunks the collection may be behind the devices, a few
// seconds of a few.
const collectDepth = 256

// collect collects what a lab delivers until end.
func collect(lab *session.Lab) *tracks {
	sub := lab.Bus().Lossless("calibration", collectDepth)
	t := &tracks{sub: sub, ended: make(chan struct{}), all: map[string]*track{}}
	for _, info := range lab.Streams() {
		t.all[info.ID] = &track{info: info}
	}
	go func() {
		defer close(t.ended)
		for c := range sub.C() {
			t.add(c)
		}
	}()
	return t
}

func (t *tracks) add(c stream.Chunk) {
	t.mu.Lock()
	defer t.mu.Unlock()
	of := t.all[c.Stream]
	of.samples = append(of.samples, c.Samples...)
	of.stamps, of.pings = align.Stamps(of.stamps, c), align.Pings(of.pings, c)
	of.events = append(of.events, c.Events...)
}

// end stops collecting.
func (t *tracks) end() {
	t.sub.Close()
	<-t.ended
}

// gone tells which device has gone away, and why; nil when none has. The page is
// none of them: it may be reloaded.
func (t *tracks) gone() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, of := range t.all {
		if of.info.Kind == stream.Stimulus {
			continue
		}
		for _, e := range of.events {
			if e.Kind == stream.Disconnected {
				return fmt.Errorf("%s went away while it was measured with: %s", strings.TrimSpace(of.info.Device+" "+of.info.Port), e.Detail)
			}
		}
	}
	return nil
}

// latest returns the samples that a stream delivered in the last while.
func (t *tracks) latest(id string, while time.Duration) []stream.Sample {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.all[id].samples
	if len(all) == 0 {
		return nil
	}
	since := all[len(all)-1].Arrival.Add(-while)
	from := len(all)
	for from > 0 && all[from-1].Arrival >= since {
		from--
	}
	return slices.Clone(all[from:])
}

// aligned puts a whole stream on the lab clock, looking both ways. Call it after
// end.
func (t *tracks) aligned(id string) (stream.Info, []stream.Sample, error) {
	of := t.all[id]
	timeline, err := align.Fit(of.info, of.stamps, of.pings)
	if err != nil {
		return of.info, nil, err
	}
	out := slices.Clone(of.samples)
	for i, s := range of.stamps {
		out[i].At, out[i].Err = timeline.At(s.Epoch, timeline.Tick(s))
	}
	return of.info, out, nil
}

// shown returns the edges that the page says it displayed: between two frames of
// which both are known and the patch differs.
func (t *tracks) shown() ([]latency.Edge, error) {
	info, samples, err := t.aligned(stage.StreamID)
	if err != nil {
		return nil, err
	}
	return changes(stimulus.Course(info, samples, stimulus.Away(t.all[stage.StreamID].events))), nil
}

// changes are the edges of a course of the flash study.
func changes(course []stimulus.Showing) []latency.Edge {
	var edges []latency.Edge
	for i := 1; i < len(course); i++ {
		a, b := course[i-1], course[i]
		if !a.Known || !b.Known || a.Presentation == 0 || a.Presentation != b.Presentation {
			continue
		}
		if bright := study.FlashBright(b.Frame); bright != study.FlashBright(a.Frame) {
			edges = append(edges, latency.Edge{At: b.From, Err: b.Err, Bright: bright})
		}
	}
	return edges
}

// light returns the edges that a photodiode saw.
func (t *tracks) light(id string) ([]latency.Edge, error) {
	info, samples, err := t.aligned(id)
	if err != nil {
		return nil, err
	}
	return lightEdges(info, samples), nil
}

// pictures returns what a camera saw, each picture at the instant that a recording
// would give its frame but for the latency: where arrivals are all there is, that is
// not the arrival.
func (t *tracks) pictures(id string) ([]latency.Picture, error) {
	_, samples, err := t.aligned(id)
	if err != nil {
		return nil, err
	}
	return picturesOf(samples), nil
}

// picturesOf are the samples of a camera that meters light.
func picturesOf(samples []stream.Sample) []latency.Picture {
	list := make([]latency.Picture, len(samples))
	for i, s := range samples {
		list[i] = latency.Picture{At: s.At, Light: s.Values}
	}
	return list
}

// lightEdges finds the edges in the samples of a photodiode.
func lightEdges(info stream.Info, samples []stream.Sample) []latency.Edge {
	at := make([]instant.Instant, len(samples))
	bound := make([]time.Duration, len(samples))
	for i, s := range samples {
		at[i], bound[i] = s.At, s.Err
	}
	return latency.Edges(at, bound, lightValues(info, samples), minLight)
}

// lightValues are the readings of a photodiode.
func lightValues(info stream.Info, samples []stream.Sample) []float64 {
	column := info.Index("light_raw")
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = s.Values[column]
	}
	return values
}
