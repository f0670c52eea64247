package stage

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/stage/protocol"
	"emolab/studies/study"
)

// channels are the columns of the stimulus stream.
func channels() []stream.Channel {
	return []stream.Channel{
		{Name: "presentation", Unit: "1", Note: "Number of the play step within the session, from 1; 0 while no stimulus is on the screen; not a number from when on nobody can know, because the page was hidden or frozen, until the next row."},
		{Name: "frame", Unit: "1", Note: "Number of the displayed frame within the video file, from 0."},
		{Name: "media_ns", Unit: "ns", Note: "Presentation time of the displayed frame within the video file, as the browser gives it."},
		{Name: "presented_frames", Unit: "1", Note: "The browser's count of frames of this presentation submitted for display; a step above 1 is a displayed frame that was not reported, or, after a row without presentation, a frame that was submitted while nobody could see the page."},
		{Name: "rect_x", Unit: "1", Note: "Left edge of the picture, as a fraction of the screen's width."},
		{Name: "rect_y", Unit: "1", Note: "Upper edge of the picture, as a fraction of the screen's height."},
		{Name: "rect_w", Unit: "1", Note: "Width of the picture, as a fraction of the screen's width."},
		{Name: "rect_h", Unit: "1", Note: "Height of the picture, as a fraction of the screen's height."},
	}
}

// maxGap bounds a step of presentedFrames that is taken for lost reports: ten
// seconds at 100 frames a second. A larger one is a page gone wrong.
const maxGap = 1000

// recorder turns reports into chunks. It keeps what lasts over connections: the
// sequence number, the epoch, and the browser's count of frames.
type recorder struct {
	mu      sync.Mutex // also orders the chunks: it is held while one is delivered
	seq     int64
	epoch   int
	page    string // epoch id of the page that the epoch is of
	showing attempt
	last    int64       // presentedFrames of showing
	unseen  bool        // the latest row says that what is on the screen is not known
	clock   *align.Live // of the page, for remarks
	light   *align.Live // of the page with the display's latency, for what it drew
}

// attempt is one play of one clip. A repeated step has a plan of its own.
type attempt struct{ run, presentation int }

// deliver fills in stream and epoch, and sends.
func (r *recorder) deliver(to *run, c stream.Chunk) {
	c.Stream, c.Epoch = StreamID, r.epoch
	if len(c.Probes) > 0 {
		r.clock.Align(stream.Chunk{Epoch: c.Epoch, Probes: c.Probes})
		r.light.Align(stream.Chunk{Epoch: c.Epoch, Probes: c.Probes})
	}
	stream.Send(to.ctx, to.out, c)
}

// events delivers remarks on the stream.
func (r *recorder) events(to *run, e ...stream.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deliver(to, stream.Chunk{Events: e})
}

// connected notes the page that now holds the stage. A page that was loaded
// anew has a new clock.
func (r *recorder) connected(to *run, at instant.Instant, h *protocol.Hello) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.Epoch != r.page {
		r.page = h.Epoch
		r.epoch++
		r.showing, r.last = attempt{}, 0
	}
	r.deliver(to, stream.Chunk{Events: []stream.Event{
		{Kind: stream.Connected, At: at, Detail: "screen of " + screenOf(h).String()},
		{Kind: stream.Marker, At: at, Detail: "stage client: " + clientName(h)},
	}})
}

func clientName(h *protocol.Hello) string {
	if h.Simulated {
		return h.Agent + " (simulated, no screen)"
	}
	return h.Agent
}

// probe delivers a clock ping.
func (r *recorder) probe(to *run, p stream.Probe) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deliver(to, stream.Chunk{Probes: []stream.Probe{p}})
}

// blank delivers the row that says: no stimulus from tick on.
func (r *recorder) blank(to *run, at instant.Instant, tick protocol.Tick) {
	r.row(to, at, tick, 0)
}

// unknown delivers the row that says: from tick on nobody knows.
func (r *recorder) unknown(to *run, at instant.Instant, tick protocol.Tick) {
	r.row(to, at, tick, math.NaN())
}

// row delivers a row without a frame.
func (r *recorder) row(to *run, at instant.Instant, tick protocol.Tick, presentation float64) {
	values := make([]float64, len(channels()))
	for i := range values {
		values[i] = math.NaN()
	}
	values[0] = presentation
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unseen = math.IsNaN(presentation)
	sample := stream.Sample{Seq: r.seq, Tick: int64(tick), Arrival: at, Values: values}
	r.seq++
	r.deliver(to, stream.Chunk{Samples: []stream.Sample{sample}})
}

// remark delivers a marker about the page or its clip, at its instant.
func (r *recorder) remark(to *run, at instant.Instant, m *protocol.Remark) {
	r.events(to, stream.Event{Kind: stream.Marker, At: r.when(at, m.Tick), Detail: m.String()})
}

// when returns the instant of a tick at which something happened to the page. The
// report of it came at that instant.
func (r *recorder) when(at instant.Instant, tick protocol.Tick) instant.Instant {
	r.mu.Lock()
	defer r.mu.Unlock()
	when := r.clock.Align(stream.Chunk{Epoch: r.epoch, Samples: []stream.Sample{{Tick: int64(tick), Arrival: at}}})
	return when.Samples[0].At
}

// lit returns when that which the page drew at a tick gave light, and by how much
// that may be wrong. The report of it came at that instant.
func (r *recorder) lit(at instant.Instant, tick protocol.Tick) (instant.Instant, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	when := r.light.Align(stream.Chunk{Epoch: r.epoch, Samples: []stream.Sample{{Tick: int64(tick), Arrival: at}}})
	return when.Samples[0].At, when.Samples[0].Err
}

// frames delivers displayed frames of the clip m. A step of presentedFrames
// above 1 is a frame that was displayed but whose callback did not come: it
// gets its sequence number and is lost. After a row that says that nobody knows
// what is on the screen it is none: the browser counts on while the page is hidden.
func (r *recorder) frames(to *run, at instant.Instant, f *protocol.Frames, m study.Stimulus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := (attempt{f.Run, f.Presentation}); now != r.showing {
		r.showing, r.last = now, 0
	}
	var c stream.Chunk
	lost := int64(0)
	for _, fr := range f.Frames {
		gap := fr.Presented - r.last - 1
		if gap < 0 || gap > maxGap && !r.unseen {
			c.Events = append(c.Events, stream.Event{Kind: stream.Fault, At: at, Count: 1,
				Detail: fmt.Sprintf("the browser's count of frames went from %d to %d", r.last, fr.Presented)})
			gap = 0
		}
		if r.unseen {
			if gap > 0 {
				c.Events = append(c.Events, stream.Event{Kind: stream.Marker, At: at,
					Detail: fmt.Sprintf("%d frames of %s went by while nobody could see the page", gap, m.ID)})
			}
			r.unseen, gap = false, 0
		}
		r.last = fr.Presented
		r.seq += gap
		lost += gap
		media := time.Duration(fr.Media) * time.Microsecond
		c.Samples = append(c.Samples, stream.Sample{
			Seq: r.seq, Tick: int64(fr.Expected), Arrival: at,
			Values: []float64{
				float64(f.Presentation), float64(m.Frame(media)), float64(media), float64(fr.Presented),
				f.Rect[0], f.Rect[1], f.Rect[2], f.Rect[3],
			},
		})
		r.seq++
	}
	if lost > 0 {
		c.Events = append(c.Events, stream.Event{Kind: stream.Lost, At: at, Count: lost,
			Detail: fmt.Sprintf("%d displayed frames of %s without a callback", lost, m.ID)})
	}
	r.deliver(to, c)
}

// fault delivers one fault.
func (r *recorder) fault(to *run, at instant.Instant, format string, args ...any) {
	r.events(to, stream.Event{Kind: stream.Fault, At: at, Count: 1, Detail: fmt.Sprintf(format, args...)})
}

// marker delivers one marker.
func (r *recorder) marker(ctx context.Context, to *run, at instant.Instant, format string, args ...any) {
	if ctx.Err() == nil {
		r.events(to, stream.Event{Kind: stream.Marker, At: at, Detail: fmt.Sprintf(format, args...)})
	}
}
