package iscan

import "emolab/fusion/instant"

const (
	// mark is the byte that stands twice at the beginning of a frame.
	mark = 0x44
	// maxOutputs is how many parameters the tracker can be told to send.
	maxOutputs = 6
	// inRow is how many beginnings at the distance of a frame make a lock.
	inRow = 3
	// twice is how many in a row make another place suspicious.
	twice = 2
)

// Frame is what one camera field brought: the words of the outputs that are
// selected at the tracker.
type Frame struct {
	Words   [maxOutputs]uint16 // as many as there are outputs, the rest 0
	Arrival instant.Instant    // of its last byte
	// Lost is how many frames before it were damaged beyond finding. It is known
	// where the bytes between two frames are a whole number of frames: then bytes
	// were changed and not removed. Frames of which no byte came are not seen.
	Lost int64
}

// Faults counts what a framer could not read.
type Faults struct {
	Slips     int64 // beginnings that were missing where they were due
	Ambiguous int64 // times that 44 44 stood three times in a row at a place, but at others as well, so that none could be trusted
	Strange   int64 // bytes that came while no frame was found
}

// Framer finds frames by their beginnings alone, all that the protocol has: 44 44
// at the distance of a frame, three times in a row. A frame is given out when the
// next one has begun.
//
// 44 44 can stand elsewhere too, above all where the first word's low byte is 44:
// then it begins one byte late as well. So the framer counts the beginnings in a
// row at each place of a frame's length, and locks to a place only when no other
// has two, except those that follow it directly.
//
// A last word whose high byte is 44 makes 44 44 one byte early, which looks the
// same: that cannot be known, and PROTOCOL.md says what becomes of it.
type Framer struct {
	size    int                // of a frame, bytes
	window  [16]byte           // the last size+2 bytes
	arrival [3]instant.Instant // of the last three
	place   int                // of the byte before the last, within a frame's length
	row     [14]int            // beginnings in a row at each place
	locked  bool
	at      int   // the place that is locked to
	bytes   int64 // taken so far
	end     int64 // of the last frame given out, in bytes; 0 = none yet
	faults  Faults
}

// NewFramer makes a framer for frames of a number of outputs, 1 to 6.
func NewFramer(outputs int) *Framer { return &Framer{size: 2 + 2*outputs} }

// Faults returns the counts since the framer was made.
func (r *Framer) Faults() Faults { return r.faults }

// Locked tells whether the beginning of the next frame is known.
func (r *Framer) Locked() bool { return r.locked }

// Next consumes bytes of p, which arrived at an instant, up to the beginning of
// the frame after a good one, and returns that and the bytes that are left. ok is
// false when p was used up without one.
func (r *Framer) Next(p []byte, arrival instant.Instant) (f Frame, rest []byte, ok bool) {
	for i, b := range p {
		if r.push(b, arrival) {
			return r.frame(), p[i+1:], true
		}
	}
	return Frame{}, nil, false
}

// push takes one byte and tells whether it completes the beginning that proves
// the frame before.
func (r *Framer) push(b byte, arrival instant.Instant) bool {
	r.bytes++
	last := r.size + 1
	copy(r.window[:last], r.window[1:last+1])
	r.window[last] = b
	r.arrival = [3]instant.Instant{r.arrival[1], r.arrival[2], arrival}
	place := r.place
	r.place = (r.place + 1) % r.size
	if !r.locked {
		r.faults.Strange++
	}
	if b == mark && r.window[last-1] == mark {
		r.row[place] = min(r.row[place]+1, inRow)
	} else {
		r.row[place] = 0
	}
	switch {
	case r.locked && place == r.at:
		if r.locked = r.row[place] > 0; !r.locked {
			r.faults.Slips++
		}
		return r.locked
	case r.locked || r.row[place] < inRow:
		return false
	case !r.first(place):
		r.faults.Ambiguous++
		return false
	}
	r.locked, r.at = true, place
	return true
}

// first tells whether a place is the only one where frames may begin, or the
// first of some that follow each other.
func (r *Framer) first(place int) bool {
	run := 1
	for run < r.size && r.row[(place+run)%r.size] >= twice {
		run++
	}
	for k := run; k < r.size; k++ {
		if r.row[(place+k)%r.size] >= twice {
			return false
		}
	}
	return run < r.size // a line of nothing but 44 has no beginning
}

// frame returns the frame that lies before the beginning just seen.
func (r *Framer) frame() Frame {
	f := Frame{Arrival: r.arrival[0]}
	end := r.bytes - 2
	if between := end - int64(r.size) - r.end; r.end > 0 && between%int64(r.size) == 0 {
		f.Lost = between / int64(r.size)
	}
	r.end = end
	for i := range (r.size - 2) / 2 {
		f.Words[i] = uint16(r.window[2+2*i]) | uint16(r.window[3+2*i])<<8
	}
	return f
}

// AppendFrame appends the bytes of a frame of the given words.
func AppendFrame(dst []byte, words ...uint16) []byte {
	dst = append(dst, mark, mark)
	for _, w := range words {
		dst = append(dst, byte(w), byte(w>>8))
	}
	return dst
}
