package eyetrac

import "emolab/fusion/instant"

// Faults counts what a framer could not read.
type Faults struct {
	Stray  int64 // runs of bytes outside of any frame
	Cut    int64 // frames cut off by the beginning of another
	Broken int64 // frames of the right length that cannot be one
}

// Framer finds the frames in a stream of bytes. A frame is given out when the
// next one has begun: only then is it known that nothing was inserted in it. The
// zero value is ready.
type Framer struct {
	b       [frameSize]byte
	n       int             // bytes of the present frame, 0 before the first
	arrival instant.Instant // of its last byte so far
	stray   bool            // the present run of stray bytes is counted already
	faults  Faults
}

// Faults returns the counts since the framer was made.
func (r *Framer) Faults() Faults { return r.faults }

// Next consumes bytes of p, which arrived at an instant, up to the beginning of
// the frame after a good one. It returns the good one, the arrival of its last
// byte, and the bytes that are left; ok is false when p was used up without one.
func (r *Framer) Next(p []byte, arrival instant.Instant) (f Frame, at instant.Instant, rest []byte, ok bool) {
	for i, c := range p {
		if f, ok := r.push(c, arrival); ok {
			return f, r.arrival, p[i+1:], true
		}
	}
	return Frame{}, 0, nil, false
}

// push takes one byte, and returns a frame when the byte begins the next one.
func (r *Framer) push(c byte, arrival instant.Instant) (f Frame, ok bool) {
	if c&0x80 != 0 {
		switch {
		case r.n == frameSize:
			if f, ok = ParseFrame(r.b); !ok {
				r.faults.Broken++
			}
		case r.n > 0:
			r.faults.Cut++
		}
		r.b[0], r.n, r.stray = c, 1, false
		return f, ok
	}
	switch {
	case r.n == frameSize: // no frame is this long
		r.faults.Broken++
		r.n, r.stray = 0, true
	case r.n > 0:
		r.b[r.n] = c
		r.n++
		r.arrival = arrival
	case !r.stray:
		r.faults.Stray++
		r.stray = true
	}
	return Frame{}, false
}
