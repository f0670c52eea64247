package peer

import (
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"

	"emolab/capture/vp8"
	"emolab/fusion/instant"
)

const (
	// holdFor is how long a missing packet is waited for, which has been asked for
	// again: some ways there and back in a wireless network.
	holdFor = 150 * time.Millisecond
	// holdMost is how many packets are kept meanwhile: a second of them.
	holdMost = 256
	// maxFrame bounds a frame, in bytes: as large as a picture of 1920x1080 is before it is
	// encoded. Somebody could send parts of one for ever.
	maxFrame = 3 << 20
)

// encodedFrame is one frame as it came, whole.
type encodedFrame struct {
	data    []byte
	number  int64 // of the frame among those that were sent, growing; 0 = the first that came
	rtp     uint32
	arrival instant.Instant // of its last packet
}

// packet is a packet of a frame.
type packet struct {
	rtp.Packet
	arrival instant.Instant
}

// assembler makes frames of packets. A frame of which a packet is missing is left out,
// and so is what builds on it: all up to the next key frame.
type assembler struct {
	held  map[uint16]packet
	next  uint16          // the packet that is due
	begun bool            // one has come
	stuck instant.Instant // since when the one that is due is missing; 0 = it is not

	frame   []byte // so far
	open    bool   // its first packet was there, and all since
	needKey bool   // frames are left out until a key frame
	numbers pictureNumbers
}

func newAssembler() *assembler {
	return &assembler{held: make(map[uint16]packet), needKey: true}
}

// push takes a packet and returns the frames that are complete with it.
func (a *assembler) push(p packet) []encodedFrame {
	if !a.begun {
		a.begun, a.next = true, p.SequenceNumber
	}
	if int16(p.SequenceNumber-a.next) < 0 {
		return nil // it comes twice, or too late
	}
	a.held[p.SequenceNumber] = p
	frames := a.drain(nil)
	if len(a.held) == 0 {
		a.stuck = 0
		return frames
	}
	if a.stuck == 0 {
		a.stuck = p.arrival
	}
	if p.arrival.Sub(a.stuck) < holdFor && len(a.held) < holdMost {
		return frames
	}
	a.giveUp()
	return a.drain(frames)
}

// giveUp goes on without the packet that is due.
func (a *assembler) giveUp() {
	a.open, a.needKey, a.stuck = false, true, 0
	for a.next++; ; a.next++ {
		if _, here := a.held[a.next]; here {
			return
		}
	}
}

// drain takes the packets that are due, and appends the frames that they complete.
func (a *assembler) drain(frames []encodedFrame) []encodedFrame {
	for {
		p, here := a.held[a.next]
		if !here {
			return frames
		}
		delete(a.held, a.next)
		a.next++
		if f, whole := a.take(p); whole {
			frames = append(frames, f)
		}
	}
}

// take adds one packet to its frame.
func (a *assembler) take(p packet) (f encodedFrame, whole bool) {
	var part codecs.VP8Packet
	data, err := part.Unmarshal(p.Payload)
	if err != nil {
		if len(p.Payload) > 0 { // padding, with which a browser tries the line, is no frame
			a.open, a.needKey = false, true
		}
		return f, false
	}
	if part.S == 1 && part.PID == 0 {
		a.frame, a.open = nil, true
		a.numbers.count(part, p.Payload)
	}
	if !a.open {
		return f, false
	}
	if len(a.frame)+len(data) > maxFrame {
		a.frame, a.open, a.needKey = nil, false, true
		return f, false
	}
	a.frame = append(a.frame, data...)
	if !p.Marker {
		return f, false
	}
	a.open = false
	if a.needKey && !vp8.IsKey(a.frame) {
		return f, false
	}
	a.needKey = false
	return encodedFrame{data: a.frame, number: a.numbers.last, rtp: p.Timestamp, arrival: p.arrival}, true
}

// pictureNumbers counts the frames that were sent, by the number that the browser gives
// each of them; by those that came where it gives none.
type pictureNumbers struct {
	begun bool
	last  int64
	id    uint16
}

func (n *pictureNumbers) count(p codecs.VP8Packet, payload []byte) {
	step := uint16(1)
	if p.I == 1 {
		bits := uint16(1<<7 - 1)
		if payload[2]&0x80 != 0 { // unmarshalled, so it is there
			bits = 1<<15 - 1
		}
		if n.begun {
			step = (p.PictureID - n.id) & bits
		}
		n.id = p.PictureID
	}
	if n.begun {
		n.last += int64(step)
	}
	n.begun = true
}
