package console

import "sync"

// outboxDepth is how many batches wait for one viewer at most: two seconds'
// worth, more than any hiccup of a healthy network.
const outboxDepth = 2 * batchesPerSecond

// outbox is what waits to be sent to one viewer. Putting never blocks. A viewer
// that does not keep up loses what it has not fetched and goes on with the
// latest; how much it lost is counted and told to it.
type outbox struct {
	ready chan struct{} // holds one token while there is something to take

	mu      sync.Mutex
	hello   []byte   // sent first
	report  []byte   // the latest state only: an older one is of no use
	past    [][]byte // the recent past, oldest first; replaces what the page has
	replays bool     // past is to be sent, although it may be empty
	batches [][]byte // live data after it, oldest first
	paused  bool     // the page is hidden and wants no batches
	skipped int64    // batches lost to this viewer since it came
	told    int64    // of them, how many it has been told of
}

func newOutbox(hello []byte) *outbox {
	o := &outbox{ready: make(chan struct{}, 1), hello: hello}
	o.wake()
	return o
}

func (o *outbox) wake() {
	select {
	case o.ready <- struct{}{}:
	default: // a token is there already
	}
}

// putReport replaces the state that waits to be sent.
func (o *outbox) putReport(b []byte) {
	o.mu.Lock()
	o.report = b
	o.mu.Unlock()
	o.wake()
}

// putBatch adds a batch. When the queue is full, it replaces all that is in it.
func (o *outbox) putBatch(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.paused {
		return
	}
	if len(o.batches) >= outboxDepth {
		o.skipped += int64(len(o.batches))
		o.batches = nil
	}
	o.batches = append(o.batches, b)
	o.wake()
}

// lost is how many batches the viewer has lost since it came.
func (o *outbox) lost() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.skipped
}

// pause stops batches until replay.
func (o *outbox) pause() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.paused, o.replays, o.past, o.batches = true, false, nil, nil
}

// replay puts the recent past in place of what waits, and goes on from there.
func (o *outbox) replay(past [][]byte) {
	o.mu.Lock()
	o.paused, o.replays, o.past, o.batches = false, true, past, nil
	o.mu.Unlock()
	o.wake()
}

// forget drops what waits, and has the page forget what it has. Live data go on, if
// they are wanted.
func (o *outbox) forget() {
	o.mu.Lock()
	o.replays, o.past, o.batches = !o.paused, nil, nil
	o.mu.Unlock()
	o.wake()
}

// parcel is what one take returns; its parts are sent in this order.
type parcel struct {
	hello, report []byte
	skipped       int64 // 0 when there is nothing new to tell
	replays       bool
	batches       [][]byte
}

// take empties the outbox.
func (o *outbox) take() parcel {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := parcel{hello: o.hello, report: o.report, replays: o.replays, batches: append(o.past, o.batches...)}
	if o.skipped != o.told {
		p.skipped, o.told = o.skipped, o.skipped
	}
	o.hello, o.report, o.replays, o.past, o.batches = nil, nil, false, nil, nil
	return p
}
