package console

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// batchesPerSecond: above 20 a strip moves smoothly, above 30 the messages
	// cost more than what is in them.
	batchesPerSecond = 25
	batchPeriod      = time.Second / batchesPerSecond
	// feedDepth is how many chunks may wait for the hub; a lab with five streams
	// sends some 150 a second.
	feedDepth = 256
	// history is how much of the past a page gets when it opens: the 20 s of its
	// strips and a little more.
	history = 21 * time.Second

	// statePeriod is how often the state is looked at; it is sent when something
	// in it changed, and at least every reportPeriod.
	statePeriod  = 100 * time.Millisecond
	reportPeriod = 500 * time.Millisecond
)

// hub feeds all viewers: one subscription to the bus, one batch for everybody.
type hub struct {
	operator Operator
	clock    instant.Clock
	origin   instant.Instant
	thinners []*thinner          // by index on the wire; used by the goroutine of live only
	byID     map[string]*thinner // stream id -> its thinner
	since    instant.Instant     // what is older is not shown; 0 = nothing is. Likewise
	blind    bool                // nothing that tells of an emotion is shown. Likewise
	hello    hello
	hidden   []string // names that a blind console is not told
	pen      *pen
	nudged   chan struct{} // holds one token when the state is to be looked at now
	waits    waits         // of the viewers that come

	unseen atomic.Int64 // chunks that the bus dropped because the hub was too slow

	mu      sync.Mutex
	closed  bool
	viewers map[*viewer]struct{}
	present sync.WaitGroup // viewers between join and leave
	past    []moment
	report  []byte // the latest
	skipped int64  // batches that viewers had lost who are gone
}

// moment is one batch that was sent, and when. The bytes are immutable.
type moment struct {
	at    instant.Instant
	batch []byte
}

func newHub(operator Operator, clock instant.Clock, streams []stream.Info, hidden []string) *hub {
	h := &hub{
		operator: operator,
		clock:    clock,
		hidden:   hidden,
		pen:      newPen(),
		origin:   clock.Now(),
		byID:     make(map[string]*thinner),
		nudged:   make(chan struct{}, 1),
		waits:    waits{write: writeWait, answer: answerWait},
		viewers:  make(map[*viewer]struct{}),
	}
	for _, info := range streams {
		if t := newThinner(len(h.thinners), info, h.origin); t != nil {
			h.thinners = append(h.thinners, t)
			h.byID[info.ID] = t
		}
	}
	h.hello = newHello(h.thinners)
	return h
}

// run feeds the viewers until ctx ends, then sends them away and waits for them.
func (h *hub) run(ctx context.Context, sub *bus.Subscription) {
	var loops sync.WaitGroup
	loops.Go(func() { h.live(ctx, sub) })
	loops.Go(func() { h.watchState(ctx) }) // apart: a busy operator must not stop the strips
	loops.Wait()

	h.mu.Lock()
	h.closed = true
	for v := range h.viewers {
		v.dismiss()
	}
	h.mu.Unlock()
	h.present.Wait()
}

// live turns chunks into batches.
func (h *hub) live(ctx context.Context, sub *bus.Subscription) {
	tick := time.NewTicker(batchPeriod)
	defer tick.Stop()
	chunks := sub.C()
	for {
		select {
		case <-ctx.Done():
			return
		case c, ok := <-chunks:
			if !ok {
				chunks = nil // the bus was closed: nothing more comes, the state still does
				continue
			}
			if t := h.byID[c.Stream]; t != nil {
				h.turn()
				t.add(c)
			}
		case <-tick.C:
			h.unseen.Store(sub.Dropped())
			h.send()
		}
	}
}

// send hands the batch of this tick to every viewer. An empty one is sent too:
// it carries the lab's time, by which the strips move.
func (h *hub) send() {
	now := h.clock.Now()
	blocks := make([]block, len(h.thinners))
	rows := 0
	for i, t := range h.thinners {
		blocks[i] = t.take(now)
		rows += len(blocks[i].times)
	}
	if h.turn() {
		blocks, rows = nil, 0 // of what was recorded before, or of nobody's
	}
	batch := appendBatch(nil, ms(now.Sub(h.origin)), blocks)

	h.mu.Lock()
	defer h.mu.Unlock()
	if rows > 0 {
		old := 0
		for old < len(h.past) && now.Sub(h.past[old].at) > history {
			old++
		}
		h.past = append(h.past[old:], moment{now, batch})
	}
	for v := range h.viewers {
		v.out.putBatch(batch)
	}
}

// turn asks whether samples are recorded and whether the console is blind, and tells
// whether that has changed: then all that was shown is forgotten, here and on every page,
// and only what arrives from the beginning of the recording on is shown. It is asked after
// the rows of a batch are taken, so that they came before the answer.
func (h *hub) turn() bool {
	since, blind := h.operator.RecordingSince(), h.operator.Blinded()
	if since == h.since && blind == h.blind {
		return false
	}
	h.since, h.blind = since, blind
	for _, t := range h.thinners {
		t.begin(since, blind)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.past = nil
	for v := range h.viewers {
		v.out.forget()
	}
	return true
}

// watchState sends the state when it changes, and now and then.
func (h *hub) watchState(ctx context.Context) {
	tick := time.NewTicker(statePeriod)
	defer tick.Stop()
	var last []byte // what must not change without being told
	var sent instant.Instant
	for {
		status := masked(finite(h.operator.Status()), h.hidden)
		now := h.clock.Now()
		essence := essential(status, h.pen.state())
		if changed := !bytes.Equal(essence, last); changed || now.Sub(sent) >= reportPeriod {
			h.publish(h.newReport(now, status))
			last, sent = essence, now
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-h.nudged:
		}
	}
}

// nudge has the state looked at now, because a command was carried out.
func (h *hub) nudge() {
	select {
	case h.nudged <- struct{}{}:
	default: // it is about to be looked at anyway
	}
}

func (h *hub) publish(r report) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.Viewers, r.Pen = len(h.viewers), h.pen.state()
	b, err := json.Marshal(r)
	if err != nil {
		// A screen that cannot be filled must not end a recording: it says so.
		b = faultNote("the state cannot be shown: " + err.Error())
	}
	h.report = b
	for v := range h.viewers {
		v.out.putReport(b)
	}
}

// admit adds a viewer under the name that it goes by, or under another one where a page of
// that name is there: a browser gives a tab that is duplicated the name of the first, and
// both would hold the pen. A page that does not answer has lost its line; then this is the
// same page, which has come back before that was noticed. It is refused once the hub has
// ended. Every admission needs a leave.
func (h *hub) admit(v *viewer) bool {
	for {
		v.out = newOutbox(h.hello.to(v.console, v.who))
		namesake, ok := h.join(v)
		switch {
		case namesake == nil:
			return ok
		case namesake.answers():
			v.console = newConsoleID()
		default:
			namesake.dismiss()
		}
	}
}

// join adds a viewer, with the state and the recent past waiting for it, unless there is
// another of its name, which it returns, or the hub has ended.
func (h *hub) join(v *viewer) (namesake *viewer, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, false
	}
	for other := range h.viewers {
		if other.console == v.console && !other.dismissed() {
			return other, false
		}
	}
	h.viewers[v] = struct{}{}
	h.present.Add(1)
	h.pen.opened(v.console, v.who)
	if h.report != nil {
		v.out.putReport(h.report)
	}
	v.out.replay(h.recent())
	return nil, true
}

// rewind gives a viewer that was paused the recent past, and live data again.
func (h *hub) rewind(v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v.out.replay(h.recent())
}

// recent is the past as batches; h.mu is held.
func (h *hub) recent() [][]byte {
	list := make([][]byte, len(h.past))
	for i, m := range h.past {
		list[i] = m.batch
	}
	return list
}

func (h *hub) leave(v *viewer) {
	h.mu.Lock()
	delete(h.viewers, v)
	h.skipped += v.out.lost()
	h.mu.Unlock()
	h.pen.closed(v.console)
	h.present.Done()
}
