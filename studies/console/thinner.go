package console

import (
	"math"
	"slices"
	"strings"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// screenRate is how many rows a second of one stream a strip can show: three
	// per pixel column of a wide screen with 20 s on it.
	screenRate = 60
	// bucket holds at most two rows, the smallest and the largest.
	bucket = 2 * time.Second / screenRate
	// bucketWait is how long a bucket waits for more samples before it is shown
	// as it is: longer than the 16 ms batches of USB serial converters, too short
	// to be seen.
	bucketWait = 60 * time.Millisecond
)

// shown are the channels that the page draws, by kind of stream. The 136
// landmark coordinates of a face are not among them.
var shown = map[stream.Kind][]string{
	stream.EDA:      {"eda_us"},
	stream.Gaze:     {"gaze_x", "gaze_y", "gaze_valid", "pupil_left_mm", "pupil_right_mm"},
	stream.Face:     {"face_found", "face_confidence", "p_neutral", "p_happy", "p_sad", "p_angry", "p_fearful", "p_disgusted", "p_surprised", "valence", "arousal"},
	stream.Stimulus: {"presentation", "frame", "media_ns", "rect_x", "rect_y", "rect_w", "rect_h"},
	stream.Trace:    {"scl_us", "scr_onset", "quality"},
}

// thinner reduces one stream to what a screen can show. Each row it lets through
// is one sample as it was observed, never a mixture: of a stream at up to
// screenRate all of them, of a faster one the smallest and the largest of each
// bucket by its first channel, so that no peak disappears. It is not safe for
// concurrent use.
type thinner struct {
	info     stream.Info
	channels []int  // positions in Sample.Values
	telling  []bool // of each: it tells of an emotion
	names    []string
	origin   instant.Instant
	all      bool // slow enough to be shown whole
	// since is when the recording began; what was taken or arrived earlier is not let
	// through, and nothing is while it is 0.
	since instant.Instant
	blind bool // what tells of an emotion is not let through

	out     block
	lost    bool // events or epochs told of missing samples since the last row
	epoch   int
	slot    int64 // of the open bucket
	open    []stream.Sample
	arrived instant.Instant // of the open bucket's first sample
}

// newThinner returns nil when the page shows no channel of the stream.
func newThinner(index int, info stream.Info, origin instant.Instant) *thinner {
	t := &thinner{info: info, origin: origin, all: info.Rate > 0 && info.Rate <= screenRate}
	for _, name := range shown[info.Kind] {
		if i := info.Index(name); i >= 0 {
			t.channels = append(t.channels, i)
			t.names = append(t.names, name)
			t.telling = append(t.telling, tellsEmotion(name))
		}
	}
	if len(t.channels) == 0 {
		return nil
	}
	t.out = block{stream: index, channels: len(t.channels)}
	return t
}

// begin forgets what has come, and lets through what was taken, and arrives, from an
// instant on; with 0 nothing. To the blind no value is let through that tells of an
// emotion.
func (t *thinner) begin(since instant.Instant, blind bool) {
	t.blind = blind
	t.since, t.lost, t.open = since, false, t.open[:0]
	t.out.times, t.out.values, t.out.gap = t.out.times[:0], t.out.values[:0], false
}

// add takes a chunk of its stream.
func (t *thinner) add(c stream.Chunk) {
	for _, e := range c.Events {
		if e.Kind == stream.Lost || e.Kind == stream.Disconnected {
			t.lost = true
		}
	}
	if c.Epoch != t.epoch {
		t.epoch, t.lost = c.Epoch, true
	}
	for _, s := range c.Samples {
		if s.At == 0 {
			s.At = s.Arrival // not aligned (yet): better shown a little late than not
		}
		if t.since == 0 || s.Arrival < t.since || s.At < t.since {
			continue
		}
		if t.all {
			t.row(s)
			continue
		}
		if slot := int64(s.At) / int64(bucket); slot != t.slot {
			t.flush()
			t.slot = slot
		}
		if len(t.open) == 0 {
			t.arrived = s.Arrival
		}
		t.open = append(t.open, s)
	}
}

// flush closes the open bucket.
func (t *thinner) flush() {
	if len(t.open) == 0 {
		return
	}
	lead := t.channels[0]
	lo, hi := 0, len(t.open)-1 // without a difference: the first and the last
	for i, s := range t.open {
		v := s.Values[lead]
		if v < t.open[lo].Values[lead] || t.open[lo].Values[lead] != t.open[lo].Values[lead] {
			lo = i
		}
		if v >= t.open[hi].Values[lead] || t.open[hi].Values[lead] != t.open[hi].Values[lead] {
			hi = i
		}
	}
	t.row(t.open[min(lo, hi)])
	if lo != hi {
		t.row(t.open[max(lo, hi)])
	}
	t.open = t.open[:0]
}

// row adds one sample to the block. When nobody collects the block, the oldest
// rows go.
func (t *thinner) row(s stream.Sample) {
	if len(t.out.times) == maxRows {
		t.out.times = slices.Delete(t.out.times, 0, maxRows/2)
		t.out.values = slices.Delete(t.out.values, 0, maxRows/2*t.out.channels)
		t.out.gap = true
	}
	if len(t.out.times) == 0 {
		t.out.gap = t.lost
		t.lost = false
	}
	t.out.times = append(t.out.times, ms(s.At.Sub(t.origin)))
	for k, i := range t.channels {
		v := float32(s.Values[i])
		if t.blind && t.telling[k] {
			v = float32(math.NaN())
		}
		t.out.values = append(t.out.values, v)
	}
}

// take returns what has come since the last call. The block is valid until the
// next call of add.
func (t *thinner) take(now instant.Instant) block {
	if len(t.open) > 0 && now.Sub(t.arrived) > bucketWait {
		t.flush()
	}
	b := t.out
	t.out.times, t.out.values = t.out.times[:0], t.out.values[:0]
	return b
}

// unit returns the unit of a shown channel.
func (t *thinner) unit(name string) string {
	return strings.TrimSpace(t.info.Channels[t.info.Index(name)].Unit)
}

// ms is a duration in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
