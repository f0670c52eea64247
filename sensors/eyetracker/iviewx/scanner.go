package iviewx

import "bytes"

// maxLine is the longest message in bytes. A sample of two eyes has about 90, the
// result of a validation less than 200.
const maxLine = 512

// Faults counts what a scanner could not read.
type Faults struct {
	Stray   int64 // lines, or parts of them, that are no message
	TooLong int64 // messages beyond the limit
}

// Scanner finds the messages in a stream of bytes. A message begins with ET_,
// also in the middle of a line that damage has joined, and ends with a carriage
// return, a line feed or both. The zero value is ready.
type Scanner struct {
	line   [maxLine]byte
	n      int
	long   bool // the rest of a message that is too long is skipped
	faults Faults
}

// Faults returns the counts since the scanner was made.
func (s *Scanner) Faults() Faults { return s.faults }

// Next consumes bytes of p up to the end of the next message, and returns that,
// without its end and valid until the next call, and the bytes that are left. ok
// is false when p was used up without one.
func (s *Scanner) Next(p []byte) (message, rest []byte, ok bool) {
	for i, b := range p {
		if b == '\r' || b == '\n' {
			if message, ok := s.End(); ok {
				return message, p[i+1:], true
			}
			continue
		}
		s.push(b)
	}
	return nil, nil, false
}

// push takes one byte of a line.
func (s *Scanner) push(b byte) {
	if s.n == len(s.line) {
		if !s.long {
			s.long = true
			s.faults.TooLong++
		}
		// Only the last bytes can still become the beginning of a message.
		s.n = copy(s.line[:], s.line[len(s.line)-len(beginning):])
	}
	s.line[s.n] = b
	s.n++
}

// beginning is what every message begins with.
const beginning = "ET_"

// End ends the present line, as the end of a datagram does, and returns its
// message if it has one.
func (s *Scanner) End() (message []byte, ok bool) {
	line, long := bytes.Trim(s.line[:s.n], " \t"), s.long
	s.n, s.long = 0, false
	if len(line) == 0 {
		return nil, false
	}
	at := bytes.LastIndex(line, []byte(beginning))
	if at < 0 {
		if !long { // counted already
			s.faults.Stray++
		}
		return nil, false
	}
	if at > 0 && !long {
		s.faults.Stray++
	}
	for _, b := range line[at:] {
		if (b < ' ' || b > '~') && b != '\t' {
			s.faults.Stray++
			return nil, false
		}
	}
	return line[at:], true
}
