// Package stream is the vocabulary that all of Emolab speaks: what a stream is
// (Info), what one observation is (Sample), how observations travel (Chunk) and
// where they come from (Source).
//
// What was observed (Seq, Tick, Arrival, Values) and what was derived from it
// (At, Err) stand side by side in a Sample. Drivers fill the first, fusion/align
// the second. Nothing ever rewrites an observation.
package stream

import (
	"context"
	"encoding/json"
	"time"

	"emolab/fusion/instant"
)

// Kind says what a stream measures. It selects the table that keeps it.
type Kind string

// The kinds of stream.
const (
	EDA      Kind = "eda"      // skin conductance
	Gaze     Kind = "gaze"     // where the eyes look, on the screen
	Face     Kind = "face"     // one sample a camera frame: face, expression
	Stimulus Kind = "stimulus" // one sample a displayed frame of a stimulus
	Light    Kind = "light"    // readings of a photodiode on the screen, in bursts around its edges
	Trigger  Kind = "trigger"  // one sample a code: written by us, or an edge that a device saw
	Trace    Kind = "trace"    // derived: one row a camera frame, all streams joined
	Mark     Kind = "mark"     // no samples: Marker events, what people and programs say of the recording
)

// ClockKind says what Sample.Tick counts, and so how the stream is aligned.
type ClockKind string

// The kinds of clock.
const (
	// HostClock: ticks are nanoseconds of the lab clock already (a V4L2 buffer
	// stamp, a frame that we rendered).
	HostClock ClockKind = "host"
	// PingedClock: ticks of the device's own clock, and Probes relate it to the lab's.
	PingedClock ClockKind = "pinged"
	// TickedClock: ticks of the device's own clock, but nothing to ask it.
	TickedClock ClockKind = "ticked"
	// CountedClock: no clock at all; Tick repeats Seq and Info.Rate is nominal.
	CountedClock ClockKind = "counted"
	// ArrivalClock: ticks are nanoseconds of the lab clock, but only of when
	// something had come all the way into this process (a frame of a camera whose
	// driver stamps none).
	ArrivalClock ClockKind = "arrival"
)

// Channel is one column of a stream.
type Channel struct {
	Name string `json:"name"` // lower case with the unit as suffix where it has one: "eda_us"
	Unit string `json:"unit"` // "µS", "px", "1" for a ratio
	Note string `json:"note"` // one sentence for the codebook
}

// Info is the identity of a stream, frozen when its source is made.
type Info struct {
	ID        string    `json:"id"` // unique in the lab: "eda", "gaze", "face", "stimulus"
	Kind      Kind      `json:"kind"`
	Device    string    `json:"device"`           // model, as a person says it
	Serial    string    `json:"serial,omitempty"` // serial number, where the device has one
	Port      string    `json:"port,omitempty"`   // where it was found: a port, a file, an address
	Model     string    `json:"model,omitempty"`  // the nets that made the samples, with their versions; "" = none did
	Clock     ClockKind `json:"clock"`
	TickHz    float64   `json:"tick_hz"` // nominal ticks per second (CountedClock: Rate)
	Rate      float64   `json:"rate_hz"` // nominal samples per second; 0 = irregular
	Channels  []Channel `json:"channels"`
	Simulated bool      `json:"simulated"` // true for every virtual device, without exception
	// Shift corrects the stream's stamps by a latency that was measured. nil =
	// it was not; alignment then holds what it may be in the bounds.
	Shift *Shift `json:"shift,omitempty"`
}

// Shift is by how much what a stream's stamps speak of really happens later than
// they say: light after the display time that a browser announces (By > 0), an
// exposure before the stamp of its frame (By < 0).
type Shift struct {
	By     time.Duration `json:"by_ns"`     // added to every instant
	Within time.Duration `json:"within_ns"` // by how much it varies: added to every bound
	// Calibration is where it comes from: the fitted value, with its residuals.
	Calibration json.RawMessage `json:"calibration"`
}

// Index returns the position of the named channel in Sample.Values, or -1.
func (i Info) Index(name string) int {
	for k, c := range i.Channels {
		if c.Name == name {
			return k
		}
	}
	return -1
}

// Sample is one observation.
type Sample struct {
	// Seq counts the samples of the stream from 0, those lost on the way
	// included. It never goes back, also when the device does (reset, reconnect):
	// the driver carries it on.
	Seq int64
	// Tick is the device's own stamp, unwrapped, on the clock that Info.Clock
	// names. It may start anywhere in a new epoch.
	Tick int64
	// Arrival is when the bytes reached this process, read first thing after
	// the read returned.
	Arrival instant.Instant

	// At is when the observation was made, on the lab clock. Err bounds
	// |At - truth|. Both are 0 until fusion/align has filled them.
	At  instant.Instant
	Err time.Duration

	// Values has one entry per Info.Channels, in that order. NaN = not measured.
	Values []float64
}

// Probe is one clock ping: asked at T0, received by the device at tick Rx,
// answered at tick Tx, the answer read at T3. Devices that stamp once set
// Tx = Rx.
type Probe struct {
	T0     instant.Instant
	Rx, Tx int64
	T3     instant.Instant
}

// RTT is the round trip without the time that the device held the answer,
// given the length of one tick in nanoseconds.
func (p Probe) RTT(tickNs float64) time.Duration {
	return p.T3.Sub(p.T0) - time.Duration(float64(p.Tx-p.Rx)*tickNs)
}

// EventKind says what happened to a stream.
type EventKind string

// The kinds of event.
const (
	Connected    EventKind = "connected"    // the device answers
	Disconnected EventKind = "disconnected" // cable pulled, device gone, page closed
	Lost         EventKind = "lost"         // samples missing by their sequence numbers: Count
	Fault        EventKind = "fault"        // bytes that could not be read: Count, Detail says which
	Marker       EventKind = "marker"       // something said of the recording: Detail
)

// Event is a remark on a stream: health, faults, markers. Events are recorded
// like samples.
type Event struct {
	Kind   EventKind
	At     instant.Instant // when it was seen; for Lost, the arrival after the hole
	Count  int64           // how many, where it counts something
	Detail string          // in words
}

// Chunk is a run of what one stream delivered. It is immutable once sent, and
// is the unit that crosses goroutines.
type Chunk struct {
	Stream string // Info.ID
	// Epoch numbers the runs of the device's clock: it grows by one at each
	// reconnect or reset. Ticks of two epochs cannot be compared.
	Epoch   int
	Samples []Sample
	Probes  []Probe
	Events  []Event
}

// Source is anything that delivers a stream: a device on a port, the camera
// with the face pipeline behind it, the browser that shows the stimulus.
type Source interface {
	// Info describes the streams that the source delivers: one for most, several
	// for a device that measures more than one thing. It is the same for the
	// source's whole life.
	Info() []Info
	// Run delivers chunks to out until ctx ends, and then returns nil. It owns
	// its goroutines and has waited for them when it returns. A device that is
	// absent or goes away is not an error but an Event: Run keeps looking for it.
	// An error means that the source can never work (a bad setting).
	Run(ctx context.Context, out chan<- Chunk) error
}

// Send delivers c to out unless ctx ends first, and tells whether it did.
func Send(ctx context.Context, out chan<- Chunk, c Chunk) bool {
	select {
	case out <- c:
		return true
	case <-ctx.Done():
		return false
	}
}
