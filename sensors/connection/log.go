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
// conversation, the sequence number and the epoch, and cuts the entries into
// chunks. It is used by one goroutine at a time.
type Log struct {
	stream string
	seq    int64 // of the next sample
	epoch  int   // -1 before the first connection

	connected bool
	trouble   string // the last reason given for being disconnected

	faults   map[string]int64 // not reported yet, by what they are
	reported instant.Instant
	ever     bool // whether faults were reported before

	open   stream.Chunk
	closed []stream.Chunk
}

func newLog(id string) *Log {
	return &Log{stream: id, epoch: -1, faults: map[string]int64{}, open: stream.Chunk{Stream: id}}
}

// Connected enters that the device answers: a new epoch begins.
func (l *Log) Connected(at instant.Instant, detail string) {
	l.connected, l.trouble = true, ""
	l.nextEpoch()
	l.event(stream.Event{Kind: stream.Connected, At: at, Detail: detail})
}

// Rebase begins a new epoch because the device's clock began anew, while its
// samples go on.
func (l *Log) Rebase(at instant.Instant, detail string) {
	l.nextEpoch()
	l.event(stream.Event{Kind: stream.Marker, At: at, Detail: detail})
}

// Sample enters one sample; it gets the next sequence number.
func (l *Log) Sample(tick int64, arrival instant.Instant, values []float64) {
	l.open.Samples = append(l.open.Samples, stream.Sample{Seq: l.seq, Tick: tick, Arrival: arrival, Values: values})
	l.seq++
}

// Lost enters that n samples are missing before the next one.
func (l *Log) Lost(at instant.Instant, n int64) {
	l.seq += n
	l.event(stream.Event{Kind: stream.Lost, At: at, Count: n, Detail: "samples missing by their sequence numbers"})
}

// Probe enters a clock ping that was answered.
func (l *Log) Probe(p stream.Probe) { l.open.Probes = append(l.open.Probes, p) }

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
	l.event(stream.Event{Kind: stream.Disconnected, At: at, Detail: why})
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
	l.event(stream.Event{Kind: stream.Fault, At: at, Count: total, Detail: strings.Join(words, ", ")})
}

func (l *Log) event(e stream.Event) { l.open.Events = append(l.open.Events, e) }

func (l *Log) nextEpoch() {
	l.cut()
	l.epoch++
	l.open.Epoch = l.epoch
}

// cut closes the open chunk, if anything is in it.
func (l *Log) cut() {
	c := l.open
	if len(c.Samples)+len(c.Probes)+len(c.Events) > 0 {
		l.closed = append(l.closed, c)
	}
	l.open = stream.Chunk{Stream: l.stream, Epoch: max(0, l.epoch)}
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
