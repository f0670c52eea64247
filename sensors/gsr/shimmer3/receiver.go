package shimmer3

import (
	"bytes"

	"emolab/fusion/instant"
)

// Kind is what a message is.
type Kind int

// The kinds of message.
const (
	Ack      Kind = iota // a command was done, and there is nothing to say
	Nack                 // a command was refused
	Response             // a command was done, and Payload answers it
	Status               // the Shimmer's state changed, unasked; Payload has it
	Data                 // a data packet; Payload is all of it but the checksum
)

// Message is one message of a Shimmer.
type Message struct {
	Kind    Kind
	Payload []byte // valid until the next Feed
	// Arrival is that of the message's last byte.
	Arrival instant.Instant
}

// Faults counts what could not be read.
type Faults struct {
	Checksum int64 // messages that do not fit their checksum
	Stray    int64 // runs of bytes outside of any message
}

// form is what a Shimmer's bytes look like, by what was agreed so far.
type form struct {
	checksum int    // bytes after each message: 0 or 2
	status   int    // bytes of state in a Status
	prefixed bool   // a Status has an acknowledgement in front
	await    *reply // to the command that is out; nil = none is
	layout   Layout // of the data packets
}

// run is how many packets in a row must fit before they are believed where there
// are no checksums.
const run = 3

// Receiver cuts what a Shimmer sends into messages. The bytes have no frames:
// what a message is and where it ends follow from its first byte, from the
// command that is out, and from the inquiry.
//
// With checksums, a message counts when its checksum is right, and the search
// goes on at the next byte when it is not. Without, three packets in a row must
// have ticks one period apart; the line counts as locked then, and each packet
// waits for the beginning of the next message, until a byte is not what must
// follow.
type Receiver struct {
	form   form
	buf    []byte
	head   int    // of buf: up to here it is read
	marks  []mark // when the bytes came
	faults Faults
	clean  bool // the message before ends here
	locked bool // without checksums: the packets are where they seem to be
	tick   uint32
	ticked bool // tick is that of the packet before, which was directly in front
}

// mark is the arrival of the bytes before end.
type mark struct {
	end int
	at  instant.Instant
}

// set changes what is expected. Bytes that were not read yet are kept.
func (r *Receiver) set(f form) {
	if f.layout != r.form.layout || f.checksum != r.form.checksum {
		r.locked, r.ticked = false, false
	}
	r.form = f
}

// reset forgets the bytes that were not read yet.
func (r *Receiver) reset() {
	r.buf, r.marks, r.head = r.buf[:0], r.marks[:0], 0
	r.clean, r.locked, r.ticked = true, false, false
}

// Faults returns the counts so far.
func (r *Receiver) Faults() Faults { return r.faults }

// Feed takes what one read brought.
func (r *Receiver) Feed(b []byte, arrival instant.Instant) {
	if len(b) == 0 {
		return
	}
	r.buf = append(r.buf[:0], r.buf[r.head:]...)
	kept := r.marks[:0]
	for _, m := range r.marks {
		if m.end > r.head {
			kept = append(kept, mark{m.end - r.head, m.at})
		}
	}
	r.buf, r.head = append(r.buf, b...), 0
	r.marks = append(kept, mark{len(r.buf), arrival})
}

// verdict is what can be said of some bytes.
type verdict int

const (
	wrong   verdict = iota // no message begins here
	short                  // one may begin here, and its end is still to come
	corrupt                // one seems to begin here, and does not fit its checksum
	whole
)

// Next returns the next message, and whether there is one.
func (r *Receiver) Next() (Message, bool) {
	for r.head < len(r.buf) {
		m, size, v := r.match(r.buf[r.head:])
		switch v {
		case short:
			return Message{}, false
		case whole:
			r.head += size
			r.clean = true
			m.Arrival = r.arrival(r.head)
			return m, true
		}
		if r.clean {
			if v == corrupt {
				r.faults.Checksum++
			} else {
				r.faults.Stray++
			}
		}
		r.clean, r.locked, r.ticked = false, false, false
		r.head++
	}
	return Message{}, false
}

// arrival returns when the byte before end came.
func (r *Receiver) arrival(end int) instant.Instant {
	for _, m := range r.marks {
		if m.end >= end {
			return m.at
		}
	}
	return r.marks[len(r.marks)-1].at
}

// match tells what message begins at b, and its size.
func (r *Receiver) match(b []byte) (Message, int, verdict) {
	// Without checksums and within data, only what follows data can be believed.
	trusted := r.form.checksum > 0 || r.form.layout.Size == 0 || r.locked || r.form.await != nil
	switch {
	case b[0] == dataPacket && r.form.layout.Size > 0:
		return r.data(b)
	case !trusted:
		return Message{}, 0, wrong
	case b[0] == ack:
		return r.acknowledged(b)
	case b[0] == nack && r.form.await != nil && (r.form.checksum > 0 || len(b) == 1): // nothing comes after it
		m, size, v := r.seen(Nack, b, 1, 1)
		if v == whole {
			r.form.await = nil
		}
		return m, size, v
	case b[0] == instream:
		return r.state(b, 0)
	}
	return Message{}, 0, wrong
}

// acknowledged tells which message begins with an acknowledgement: the answer
// to the command that is out, or a Status with one in front.
func (r *Receiver) acknowledged(b []byte) (Message, int, verdict) {
	await, otherwise := r.form.await, wrong
	if r.form.prefixed {
		m, size, v := r.state(b, 1)
		// A bare acknowledgement may be all there is: it need not wait for more,
		// because what tells the two apart comes in the same piece.
		bare := await != nil && await.code == 0 && len(b) == 1
		if v == whole || v == short && !bare {
			return m, size, v
		}
		if v == corrupt {
			otherwise = corrupt
		}
	}
	if await == nil {
		return Message{}, 0, otherwise
	}
	m, size, v := r.answer(b, await)
	if v == whole {
		r.form.await = nil
	}
	return m, size, v
}

// answer matches the answer to the command that is out.
func (r *Receiver) answer(b []byte, await *reply) (Message, int, verdict) {
	if await.code == 0 {
		return r.seen(Ack, b, 1, 1)
	}
	want := []byte{ack, await.code}
	if await.instream {
		want = []byte{ack, instream, await.code}
	}
	have := min(len(b), len(want))
	if !bytes.Equal(b[:have], want[:have]) {
		return Message{}, 0, wrong
	}
	if have < len(want) {
		return Message{}, 0, short
	}
	size, ok := await.length(b[len(want):])
	if !ok {
		return Message{}, 0, short
	}
	return r.seen(Response, b, len(want), len(want)+size)
}

// state matches a Status that begins after skip bytes.
func (r *Receiver) state(b []byte, skip int) (Message, int, verdict) {
	want := []byte{ack, instream, rspStatus}[1-skip:]
	have := min(len(b), len(want))
	if !bytes.Equal(b[:have], want[:have]) {
		return Message{}, 0, wrong
	}
	return r.seen(Status, b, len(want), len(want)+r.form.status)
}

// seen checks the end of a message of size bytes, whose payload begins at from.
func (r *Receiver) seen(kind Kind, b []byte, from, size int) (Message, int, verdict) {
	all := size + r.form.checksum
	if len(b) < all {
		return Message{}, 0, short
	}
	if r.form.checksum > 0 && !sealed(b[:size], b[size:all]) {
		return Message{}, 0, corrupt
	}
	return Message{Kind: kind, Payload: b[from:size]}, all, whole
}

// data matches a data packet.
func (r *Receiver) data(b []byte) (Message, int, verdict) {
	l := r.form.layout
	if r.form.checksum > 0 {
		return r.seen(Data, b, 0, l.Size)
	}
	if len(b) < headSize {
		return Message{}, 0, short
	}
	if r.locked && r.ticked && !l.next(r.tick, tickOf(b)) {
		// It may be a packet after lost ones, or none at all. Those that follow tell.
		r.locked, r.ticked = false, false
	}
	v := r.fits(b)
	if r.locked {
		v = r.ends(b)
	}
	if v != whole {
		return Message{}, 0, v
	}
	r.locked, r.ticked, r.tick = true, true, tickOf(b)
	return r.seen(Data, b, 0, l.Size)
}

// next tells whether tick b comes one period after tick a.
func (l Layout) next(a, b uint32) bool {
	off := int((b-a)&tickMask) - l.Divider
	return off >= -tickTolerance && off <= tickTolerance
}

// ends tells whether the packet at b ends where the next message begins. If it
// does not, bytes of the packet may be missing, or be those of the next.
func (r *Receiver) ends(b []byte) verdict {
	l := r.form.layout
	if len(b) <= l.Size {
		return short
	}
	next := b[l.Size:]
	if next[0] == dataPacket {
		switch {
		case len(next) < headSize:
			return short
		case l.next(tickOf(b), tickOf(next)):
			return whole
		}
		return wrong
	}
	skip := 0
	if r.form.prefixed {
		skip = 1
	}
	_, _, v := r.state(next, skip)
	return v
}

// fits tells whether a run of packets begins at b.
func (r *Receiver) fits(b []byte) verdict {
	l := r.form.layout
	for i := range run {
		p := b[min(len(b), i*l.Size):]
		if len(p) == 0 {
			return short
		}
		if p[0] != dataPacket {
			return wrong
		}
		if len(p) < headSize {
			return short
		}
		if i > 0 && !l.next(tickOf(b[(i-1)*l.Size:]), tickOf(p)) {
			return wrong
		}
	}
	if len(b) < run*l.Size {
		return short
	}
	return whole
}
