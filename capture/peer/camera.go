package peer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"emolab/capture/frame"
	"emolab/capture/vp8"
	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// ErrGone says that a browser that was the camera is so no longer.
var ErrGone = errors.New("the browser's camera has gone: it was unplugged, its page was closed, or the network between is down")

// unstamped is how long frames may come before one says when it was taken. Reports do so
// every second or two.
const unstamped = 5 * time.Second

// unheard is how long frames may come before the page says when it saw one taken, which it
// does all the time where the browser tells it.
const unheard = 10 * time.Second

// ErrUnstamped says that a browser's frames cannot be used.
var ErrUnstamped = errors.New("the browser does not say when its camera's pictures were taken, so they cannot be used: use Chromium, Chrome or Edge there")

// Camera is the camera of a browser, as long as its page is open.
type Camera struct {
	link   *link
	remote *Remote
}

// Run delivers frames until ctx ends (nil) or the browser has gone. Their numbers count
// what was lost on the way. It runs once at a time.
func (c *Camera) Run(ctx context.Context, out chan<- frame.Frame) error {
	decoder, err := vp8.NewDecoder()
	if err != nil {
		return err
	}
	defer decoder.Close()
	c.link.watch(true)
	defer c.link.watch(false)
	d := delivery{
		camera: c, decoder: decoder, first: -1,
		// The same estimate that the stream is aligned by, for what has to be known of a
		// frame while it comes: whether it belongs to the recording.
		live: align.NewLive(stream.Info{ID: "camera", Kind: stream.Face, Clock: stream.PingedClock, TickHz: TickHz}),
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.link.over:
			return ErrGone
		case p := <-c.link.probes:
			d.live.Align(stream.Chunk{Probes: []stream.Probe{p}})
			keep(c.remote.probes, p)
		case at := <-c.link.pages:
			d.compare(at)
		case e := <-c.link.frames:
			f, ok, err := d.frame(e)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			select {
			case out <- f:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// delivery is what one Run knows.
type delivery struct {
	camera  *Camera
	decoder *vp8.Decoder
	live    *align.Live
	first   int64           // number of the first frame that was delivered, -1 before it
	waits   instant.Instant // since when frames come of which nobody said when they were taken
	since   instant.Instant // when the first frame came that was delivered
	clocks  agreement
	warned  bool
	trusted bool // it was said that nothing vouches for the capture times
}

// frame is a frame that came; false where it cannot be delivered.
func (d *delivery) frame(e encodedFrame) (f frame.Frame, ok bool, err error) {
	picture, shown, err := d.decoder.Decode(e.data)
	if err != nil || !shown {
		d.camera.link.watch(true) // what follows builds on it
		return f, false, nil
	}
	tick, from := d.camera.link.tick(e.rtp)
	if from == noOrigin {
		if d.waits == 0 {
			d.waits = e.arrival
		}
		if e.arrival.Sub(d.waits) > unstamped {
			return f, false, ErrUnstamped
		}
		return f, false, nil
	}
	if d.first < 0 {
		d.first, d.since = e.number, e.arrival
		d.remark(stream.Marker, e.arrival, fmt.Sprintf("the camera is %s, a browser's; its capture times are %s", d.camera.link.device, from))
	}
	d.listen(e.arrival)
	d.clocks.frame(tick)
	seq := e.number - d.first
	placed := d.live.Align(stream.Chunk{Samples: []stream.Sample{{Seq: seq, Tick: tick, Arrival: e.arrival}}}).Samples[0]
	return frame.Frame{
		Seq: seq, At: placed.At, Arrival: e.arrival, Tick: tick,
		Width: picture.Width, Height: picture.Height, Pix: picture.Pix,
	}, true, nil
}

// listen says once, when a frame came at an instant, that nothing vouches for the capture
// times: the page of some browsers is not told when a frame was taken.
func (d *delivery) listen(at instant.Instant) {
	if d.trusted || len(d.clocks.diffs) > 0 || at.Sub(d.since) <= unheard {
		return
	}
	d.trusted = true
	d.remark(stream.Marker, at, "the browser's capture times are compared with nothing, because its page does not say when it sees a picture taken; the stated error trusts them: Chromium, Chrome and Edge say it")
}

// compare takes when the page saw a frame taken, and says once when its clock and that of
// the frames differ: the pings are of the page's.
func (d *delivery) compare(at int64) {
	ahead, known := d.clocks.page(at)
	if !known || ahead.Abs() <= apart || d.warned {
		return
	}
	d.warned = true
	d.remark(stream.Fault, d.camera.link.clock.Now(), fmt.Sprintf(
		"the browser's capture times are %+.0f ms from its own clock, and the stated error does not hold that: reload the camera's page", ahead.Seconds()*1e3))
}

func (d *delivery) remark(kind stream.EventKind, at instant.Instant, words string) {
	e := stream.Event{Kind: kind, At: at, Detail: words}
	if kind == stream.Fault {
		e.Count = 1
	}
	keep(d.camera.remote.events, e)
}
