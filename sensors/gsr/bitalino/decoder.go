package bitalino

import "emolab/fusion/instant"

// lock is how many frames in a row must have a right checksum and rising sequence
// numbers before any of them is believed. The checksum has 4 bits and passes one
// random frame in 16, so that a few are not enough; random bytes pass eight of
// them once in 2^60.
const lock = 8

// Received is a frame and when its last byte came.
type Received struct {
	Frame
	Arrival instant.Instant
	// Relocked tells that the frame is the first after damage, or the first at
	// all: how many were lost before it is not known.
	Relocked bool
}

// Faults counts what a Decoder could not use.
type Faults struct {
	Checksum int64 // frames with a wrong checksum that ended an unbroken run
	Sequence int64 // frames with a sequence number that is not the next
	Skipped  int64 // bytes that were in no frame
}

// Decoder finds the frames in a stream of bytes. It holds back what it is not
// sure of: at most eight frames.
type Decoder struct {
	channels int
	size     int
	locked   bool
	seq      uint8 // of the next frame, while locked
	faults   Faults

	n    int // bytes held
	held [lock * 8]byte
	at   [lock * 8]instant.Instant // when each came
}

// NewDecoder makes the decoder of a stream with that many channels, 1..6.
func NewDecoder(channels int) *Decoder {
	return &Decoder{channels: channels, size: Size(channels)}
}

// Faults returns what was counted so far.
func (d *Decoder) Faults() Faults { return d.faults }

// Locked tells whether the last frame was believed.
func (d *Decoder) Locked() bool { return d.locked }

// Put takes the bytes that one read brought and appends the frames that are
// complete and believed now.
func (d *Decoder) Put(dst []Received, b []byte, arrival instant.Instant) []Received {
	for _, c := range b {
		d.held[d.n], d.at[d.n] = c, arrival
		d.n++
		dst = d.scan(dst)
	}
	return dst
}

// scan takes out of the held bytes what can be judged.
func (d *Decoder) scan(dst []Received) []Received {
	for d.n >= d.size {
		if d.locked {
			f, ok := Parse(d.held[:d.size], d.channels)
			if ok && f.Seq == d.seq {
				dst = d.pass(dst, f, false)
				continue
			}
			d.locked = false
			if ok {
				d.faults.Sequence++
			} else {
				d.faults.Checksum++
			}
		}
		frames, ok := d.run()
		if !ok {
			d.faults.Skipped++
			d.drop(1)
			continue
		}
		if frames < lock {
			return dst // more must come
		}
		d.locked = true
		for i := range lock {
			f, _ := Parse(d.held[:d.size], d.channels)
			dst = d.pass(dst, f, i == 0)
		}
	}
	return dst
}

// run returns how many whole frames are held, and whether all of them are right
// and follow one another.
func (d *Decoder) run() (frames int, ok bool) {
	var next uint8
	for i := 0; i+d.size <= d.n; i += d.size {
		f, ok := Parse(d.held[i:i+d.size], d.channels)
		if !ok || (i > 0 && f.Seq != next) {
			return frames, false
		}
		next = (f.Seq + 1) % 16
		frames++
	}
	return frames, true
}

func (d *Decoder) pass(dst []Received, f Frame, first bool) []Received {
	dst = append(dst, Received{Frame: f, Arrival: d.at[d.size-1], Relocked: first})
	d.seq = (f.Seq + 1) % 16
	d.drop(d.size)
	return dst
}

func (d *Decoder) drop(n int) {
	copy(d.held[:], d.held[n:d.n])
	copy(d.at[:], d.at[n:d.n])
	d.n -= n
}
