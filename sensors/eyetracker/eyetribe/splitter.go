package eyetribe

const (
	// maxMessage is the longest message in bytes. A frame has about 450, the
	// status less; a calibration's result of 16 points, which the driver never asks
	// for, some 6,000.
	maxMessage = 16 * 1024

	// opening is how every message begins. It is found nowhere inside of one.
	opening = `{"category"`
)

// Faults counts what a splitter could not read.
type Faults struct {
	Stray   int64 // runs of bytes outside of any message
	Broken  int64 // messages cut off by the end of the line or by the next one
	TooLong int64 // messages beyond the limit
}

// Splitter turns bytes, in pieces of any size, into JSON objects. An object
// begins at '{' and ends where its braces, outside of strings, balance: servers
// put each on a line, but the protocol does not promise a delimiter. Whatever
// damage there is ends at the end of the line, and where there are no lines at
// the opening of the next message. The zero value is ready.
type Splitter struct {
	buf     [maxMessage]byte
	n       int
	state   state
	depth   int  // open braces
	quoted  bool // inside a string
	escaped bool // after its backslash
	match   int  // how much of opening the latest bytes are
	stray   bool // the present run of bytes outside is counted already
	faults  Faults
}

type state uint8

const (
	outside  state = iota // before a '{'
	inside                // after it
	skipping              // in the rest of a message that is too long
)

// Faults returns the counts since the splitter was made.
func (s *Splitter) Faults() Faults { return s.faults }

// Next consumes bytes of p up to the end of the next object. It returns that
// object, which is valid until the next call, and the bytes after it; ok is false
// when p was used up without one. That the object is JSON is not checked.
func (s *Splitter) Next(p []byte) (object, rest []byte, ok bool) {
	for i, b := range p {
		if s.push(b) {
			return s.buf[:s.n], p[i+1:], true
		}
	}
	return nil, nil, false
}

// push takes one byte and tells whether an object ended with it.
func (s *Splitter) push(b byte) bool {
	if b == opening[s.match] {
		s.match++
	} else if s.match = 0; b == opening[0] {
		s.match = 1
	}
	opened := s.match == len(opening)
	if opened {
		s.match = 0
	}
	switch {
	case b == '\n' || b == '\r': // a message never spans lines
		if s.state == inside {
			s.faults.Broken++
		}
		s.state, s.stray = outside, false
		return false
	case opened && s.state == skipping:
		s.begin(opening)
		return false
	case opened && s.state == inside && s.n >= len(opening): // not the one it began with
		s.faults.Broken++
		s.begin(opening)
		return false
	case s.state == inside:
		return s.take(b)
	case s.state == outside && b == '{':
		s.begin("{")
	case s.state == outside && !s.stray && b != ' ' && b != '\t':
		s.stray = true
		s.faults.Stray++
	}
	return false
}

// begin starts an object with its first bytes.
func (s *Splitter) begin(first string) {
	s.state, s.depth, s.quoted, s.escaped, s.stray = inside, 1, false, false, false
	s.n = copy(s.buf[:], first)
}

// take adds a byte to the object and tells whether it is whole.
func (s *Splitter) take(b byte) bool {
	if s.n == len(s.buf) {
		s.state = skipping
		s.faults.TooLong++
		return false
	}
	s.buf[s.n] = b
	s.n++
	switch {
	case s.escaped:
		s.escaped = false
	case s.quoted && b == '\\':
		s.escaped = true
	case b == '"':
		s.quoted = !s.quoted
	case s.quoted:
	case b == '{':
		s.depth++
	case b == '}':
		s.depth--
	}
	if s.depth > 0 {
		return false
	}
	s.state = outside
	return true
}
