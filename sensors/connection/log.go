package connection

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// reportEvery is the least time between two reports of faults: a noisy line
// makes hundreds a second, which say no more than their number.
const reportEvery = time.Second

// Log is where a driver enters what it hears. It carries on what must outlive a
// conversation, the sequence numbers and the epoch, and cuts the entries into
// chunks. It is used by one goroutine at a time.
//
// A device that measures several things has a Track for each; all share its
// clock. The methods of Log itself are for the first one, which is the only one
// of most devices.
type Log struct {
	tracks []*Track
	epoch  int // -1 before the first connection

	connected bool
	trouble   string // the last reason given for being disconnected

	faults   map[string]int64 // not reported yet, by what they are
	reported instant.Instant
	ever     bool // whether faults were reported before

	closed []stream.Chunk
}

// Track is one stream of a device.
type Track struct {
	stream string
	seq    int64 // of the next sample
	open   stream.Chunk
}

func newLog(ids ...string) *Log {
	l := &Log{epoch: -1, faults: map[string]int64{}}
	for _, id := range ids {
		l.tracks = append(l.tracks, &Track{stream: id, open: stream.Chunk{Stream: id}})
	}
	return l
}

// Track returns the device's stream number i, in the order of Keeper.Streams.
func (l *Log) Track(i int) *Track { return l.tracks[i] }

// Connected enters that the device answers: a new epoch begins.
func (l *Log) Connected(at instant.Instant, detail string) {
	l.connected, l.trouble = true, ""
	l.nextEpoch()
	l.all(stream.Event{Kind: stream.Connected, At: at, Detail: detail})
}

// Rebase begins a new epoch because the device's clock began anew, while its
// samples go on.
func (l *Log) Rebase(at instant.Instant, detail string) {
	l.nextEpoch()
	l.all(stream.Event{Kind: stream.Marker, At: at, Detail: detail})
}

// Mark enters something that the device said and that is no sample: the result
// of a calibration, a key pressed.
func (l *Log) Mark(at instant.Instant, detail string) {
	l.tracks[0].event(stream.Event{Kind: stream.Marker, At: at, Detail: detail})
}

// Sample enters one sample of the first stream; it gets the next sequence number.
func (l *Log) Sample(tick int64, arrival instant.Instant, values []float64) {
	l.tracks[0].Sample(tick, arrival, values)
}

// Lost enters that n samples of the first stream are missing before the next one.
func (l *Log) Lost(at instant.Instant, n int64) { l.tracks[0].Lost(at, n) }

// Sample enters one sample; it gets the next sequence number.
func (t *Track) Sample(tick int64, arrival instant.Instant, values []float64) {
	t.open.Samples = append(t.open.Samples, stream.Sample{Seq: t.seq, Tick: tick, Arrival: arrival, Values: values})
	t.seq++
}

// Lost enters that n samples are missing before the next one.
func (t *Track) Lost(at instant.Instant, n int64) {
	t.seq += n
	t.event(stream.Event{Kind: stream.Lost, At: at, Count: n, Detail: "samples missing by their sequence numbers"})
}

// Probe enters a clock ping that was answered. It holds for all streams.
func (l *Log) Probe(p stream.Probe) {
	for _, t := range l.tracks {
		t.open.Probes = append(t.open.Probes, p)
	}
}

// Fault enters n things that could not be understood. They are reported as
// events at most once a second, each kind with its number.
func (l *Log) Fault(n int64, what string) {
	if n > 0 {
		l.faults[what] += n
	}
}

// disconnected enters that the device is gone or still absent, once for each
// reason.
func (l *Log) disconnected(at instant.Instant, why string) {
	l.reportFaults(at, true)
	if !l.connected && why == l.trouble {
		return
	}
	l.connected, l.trouble = false, why
	l.all(stream.Event{Kind: stream.Disconnected, At: at, Detail: why})
}

// reportFaults turns the faults collected so far into one event, when it is time
// or when now is true.
func (l *Log) reportFaults(at instant.Instant, now bool) {
	if len(l.faults) == 0 || (!now && l.ever && at.Sub(l.reported) < reportEvery) {
		return
	}
	var words []string
	var total int64
	for what, n := range l.faults {
		words = append(words, fmt.Sprintf("%d × %s", n, what))
		total += n
	}
	sort.Strings(words)
	clear(l.faults)
	l.reported, l.ever = at, true
	// The line is one: its faults are entered once, not for each stream.
	l.tracks[0].event(stream.Event{Kind: stream.Fault, At: at, Count: total, Detail: strings.Join(words, ", ")})
}

func (t *Track) event(e stream.Event) { t.open.Events = append(t.open.Events, e) }

// all enters an event that concerns every stream of the device.
func (l *Log) all(e stream.Event) {
	for _, t := range l.tracks {
		t.event(e)
	}
}

func (l *Log) nextEpoch() {
	l.cut()
	l.epoch++
	for _, t := range l.tracks {
		t.open.Epoch = l.epoch
	}
}

// cut closes the open chunks that have something in them.
func (l *Log) cut() {
	for _, t := range l.tracks {
		c := t.open
		if len(c.Samples)+len(c.Probes)+len(c.Events) > 0 {
			l.closed = append(l.closed, c)
		}
		t.open = stream.Chunk{Stream: t.stream, Epoch: max(0, l.epoch)}
	}
}

// send delivers what was entered since the last send, and tells whether ctx
// still lasts.
func (l *Log) send(ctx context.Context, out chan<- stream.Chunk) bool {
	l.cut()
	for _, c := range l.closed {
		if !stream.Send(ctx, out, c) {
			return false
		}
	}
	l.closed = nil
	return true
}
