package session

import (
	"slices"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/visibility"
)

// Health is how one stream is doing.
type Health struct {
	Info      stream.Info `json:"info"`
	Connected bool        `json:"connected"`
	Rate      float64     `json:"rate_hz"` // measured over the last two seconds; 0 of a stream without a nominal one
	Samples   int64       `json:"samples"` // since the lab started
	Lost      int64       `json:"lost"`
	Faults    int64       `json:"faults"`
	// AgeMs is the time since the latest sample, UsableAgeMs since the latest
	// that is of use (a face in the picture, a valid gaze, a closed skin
	// circuit). Before the first they count from when the device was there, and
	// are -1 if it has not been. UsableAgeMs is -1 unless Status.Live.
	AgeMs       float64         `json:"age_ms"`
	UsableAgeMs float64         `json:"usable_age_ms"`
	Remark      string          `json:"remark"` // the latest event in words; a Marker only while Status.Live
	About       string          `json:"about"`  // what the device said of itself as it connected last, beyond its name, such as its battery; "" = nothing
	Advice      string          `json:"advice"` // of a camera: what hinders it to see the face, and what to do; "" = nothing
	Clock       align.Statement `json:"clock"`  // live alignment
	// Latency says in words whether the latency of a screen or a camera is measured;
	// "" of any other device. UnseenMs is what the bounds hold for it where it is not.
	Latency  string  `json:"latency"`
	UnseenMs float64 `json:"unseen_ms"`

	marked    bool    // the remark is a Marker
	lostShare float64 // of the samples of the latest lossWindow
	outsideMs float64 // for how long every sample has lain beyond what it should
}

const (
	// rateWindow is how far back Health.Rate looks: long enough for a batch of
	// Bluetooth data, short enough to see a stall.
	rateWindow = 2 * time.Second
	rateBucket = 100 * time.Millisecond
	// lossWindow is how far back losses are looked at together.
	lossWindow = 10 * time.Second
	lossBucket = time.Second

	// beside is how far out of the screen gaze is still taken for its edge, as a share of
	// the screen: a tracker errs by so much there.
	beside = .1
)

// telling names, for each kind of stream, the channel that tells whether a
// sample is of use. A sample is usable when it is neither NaN nor 0 there.
var telling = map[stream.Kind]string{
	stream.Face: "face_found",
	stream.Gaze: "gaze_valid",
	stream.EDA:  "eda_us",
}

// meter measures one stream's health from its chunks. It is not safe for
// concurrent use.
type meter struct {
	health     Health
	usable     int // index of the channel, -1 = every sample is usable
	buckets    [int(rateWindow/rateBucket) + 1]bucket
	there      instant.Instant // when the device first showed itself, 0 = not yet
	first      instant.Instant // arrival of the first sample, 0 before it
	last       instant.Instant // and of the latest
	lastUsable instant.Instant
	watch      visibility.Watch // of a camera: how well it sees the face
	losses     [int(lossWindow / lossBucket)]loss
	outside    func(values []float64) bool // whether a sample lies beyond what it should; nil = nothing does
	inside     instant.Instant             // the latest that does not
}

// loss counts the samples that came, and those that were lost, in one lossBucket of time.
type loss struct {
	slot       int64
	came, lost int64
}

// lossAt is the bucket of an instant.
func (m *meter) lossAt(at instant.Instant) *loss {
	slot := int64(at) / int64(lossBucket)
	b := &m.losses[slot%int64(len(m.losses))]
	if b.slot != slot {
		*b = loss{slot: slot}
	}
	return b
}

// lostShare is the share of the samples of the latest lossWindow that were lost.
func (m *meter) lostShare(now instant.Instant) float64 {
	oldest := int64(now)/int64(lossBucket) - int64(len(m.losses)) + 1
	var came, lost int64
	for _, b := range m.losses {
		if b.slot >= oldest {
			came, lost = came+b.came, lost+b.lost
		}
	}
	if lost == 0 {
		return 0
	}
	return float64(lost) / float64(came+lost)
}

// bucket counts the samples that arrived in one rateBucket of time.
type bucket struct {
	slot  int64
	count int
}

func newMeter(info stream.Info) *meter {
	m := &meter{usable: -1}
	m.health.Info = info
	m.health.Latency, m.health.UnseenMs = latency(info)
	if name, ok := telling[info.Kind]; ok {
		m.usable = info.Index(name)
	}
	if x, y := info.Index("gaze_x"), info.Index("gaze_y"); info.Kind == stream.Gaze && x >= 0 && y >= 0 {
		out := func(v float64) bool { return v < -beside || v > 1+beside } // NaN: the eyes are shut
		m.outside = func(v []float64) bool { return out(v[x]) || out(v[y]) }
	}
	return m
}

// add counts a chunk.
func (m *meter) add(c stream.Chunk) {
	for _, s := range c.Samples {
		m.health.Samples++
		m.health.Connected = true
		if m.first == 0 {
			m.first = s.Arrival
		}
		m.appear(s.Arrival)
		m.last = s.Arrival
		if m.usable < 0 || s.Values[m.usable] > 0 || s.Values[m.usable] < 0 {
			m.lastUsable = s.Arrival
		}
		if m.outside == nil || !m.outside(s.Values) {
			m.inside = s.Arrival
		}
		m.lossAt(s.Arrival).came++
		slot := int64(s.Arrival) / int64(rateBucket)
		b := &m.buckets[slot%int64(len(m.buckets))]
		if b.slot != slot {
			*b = bucket{slot: slot}
		}
		b.count++
	}
	for _, e := range c.Events {
		switch e.Kind {
		case stream.Connected:
			m.health.Connected = true
			switch e.Detail {
			case awake:
			case m.health.Info.Device: // as a camera says
				m.health.About = ""
			default:
				m.health.About = e.Detail
			}
			m.appear(e.At)
		case stream.Disconnected:
			m.health.Connected = false
		case stream.Lost:
			m.health.Lost += e.Count
			m.lossAt(e.At).lost += e.Count
		case stream.Fault:
			m.health.Faults += e.Count
		}
		if e.Detail != "" {
			m.health.Remark, m.health.marked = e.Detail, e.Kind == stream.Marker
		}
	}
}

// see takes in how well a camera saw the faces of its last chunk.
func (m *meter) see(faces []facial.Measured) {
	for i := range faces {
		m.watch.Add(faces[i].At, faces[i].Found, faces[i].View)
	}
}

// appear notes that the device is there.
func (m *meter) appear(at instant.Instant) {
	if m.there == 0 {
		m.there = at
	}
}

// read returns the health at an instant.
func (m *meter) read(now instant.Instant) Health {
	h := m.health
	if h.Info.Rate > 0 || h.Info.Kind == stream.Stimulus { // of bursts and single codes a rate says nothing
		h.Rate = m.rate(now)
	}
	h.AgeMs, h.UsableAgeMs = age(now, max(m.last, m.there)), age(now, max(m.lastUsable, m.there))
	if m.last != 0 {
		h.lostShare, h.outsideMs = m.lostShare(now), inMs(m.last.Sub(max(m.inside, m.there)))
	}
	if h.Connected && h.AgeMs <= silentAfterMs { // what a dead camera saw last is of no use
		h.Advice = m.watch.Advice()
	}
	return h
}

// rate counts the full buckets of the window before now; a stream younger than
// the window is measured over its own life.
func (m *meter) rate(now instant.Instant) float64 {
	if m.first == 0 {
		return 0
	}
	slot := int64(now) / int64(rateBucket)
	oldest := max(slot-int64(len(m.buckets))+1, int64(m.first)/int64(rateBucket)+1)
	if slot <= oldest {
		return 0
	}
	count := 0
	for _, b := range m.buckets {
		if b.slot >= oldest && b.slot < slot {
			count += b.count
		}
	}
	return float64(count) / (time.Duration(slot-oldest) * rateBucket).Seconds()
}

func age(now, then instant.Instant) float64 {
	if then == 0 {
		return -1
	}
	return inMs(now.Sub(then))
}

// sortedHealth puts streams in the order in which the lab lists them.
func sortedHealth(order []stream.Info, meters map[string]*meter, now instant.Instant) []Health {
	out := make([]Health, 0, len(order))
	for _, info := range order {
		if m, ok := meters[info.ID]; ok {
			out = append(out, m.read(now))
		}
	}
	return slices.Clip(out)
}
