package wire

// Faults counts what a decoder could not read.
type Faults struct {
	COBS     int64 // frames whose byte stuffing is broken
	CRC      int64 // frames with a wrong checksum
	Unknown  int64 // whole frames of a type that this version does not know
	Short    int64 // whole frames with less payload than their type has
	Oversize int64 // runs of bytes without a delimiter that no frame can have
}

// Decoder turns bytes, in pieces of any size, into messages. After damage it
// finds its way again at the next delimiter. It does not allocate. The zero
// value is ready.
type Decoder struct {
	buf    [maxEncoded]byte
	n      int
	over   bool // the present run is too long to be a frame
	faults Faults
}

// Faults returns the counts since the decoder was made.
func (d *Decoder) Faults() Faults { return d.faults }

// Next consumes bytes of p up to the end of the next good frame. It returns
// that frame's message and the bytes after it; ok is false when p was used up
// without one. The message is valid until the next call.
func (d *Decoder) Next(p []byte) (m Message, rest []byte, ok bool) {
	for i, b := range p {
		if b != 0 {
			d.push(b)
			continue
		}
		if m, ok := d.finish(); ok {
			return m, p[i+1:], true
		}
	}
	return Message{}, nil, false
}

func (d *Decoder) push(b byte) {
	if d.n == len(d.buf) {
		d.over = true
		return
	}
	d.buf[d.n] = b
	d.n++
}

// finish judges the run of bytes before a delimiter and begins the next one. An
// empty run is no fault: senders may begin with a delimiter to end a half frame.
func (d *Decoder) finish() (Message, bool) {
	run, over := d.buf[:d.n], d.over
	d.n, d.over = 0, false
	if over {
		d.faults.Oversize++
		return Message{}, false
	}
	if len(run) == 0 {
		return Message{}, false
	}
	body, ok := decodeCOBS(run)
	if !ok {
		d.faults.COBS++
		return Message{}, false
	}
	end := len(body) - crcSize
	if end < 1 || le.Uint16(body[end:]) != crc16(body[:end]) {
		d.faults.CRC++
		return Message{}, false
	}
	m := Message{Type: Type(body[0]), Payload: body[1:end]}
	least, known := minPayload(m.Type)
	if !known {
		d.faults.Unknown++
		return Message{}, false
	}
	if len(m.Payload) < least {
		d.faults.Short++
		return Message{}, false
	}
	return m, true
}
