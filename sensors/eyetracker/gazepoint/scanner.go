package gazepoint

import "bytes"

const (
	// maxMessage is the longest message in bytes. A record with every field
	// enabled has about 1,500; a calibration result of 9 points less.
	maxMessage = 4096
	// maxAttrs is the most attributes in a message; a full record has about 110.
	maxAttrs = 192
)

// Attr is one NAME="value" of a message, the value without outer blanks.
type Attr struct{ Name, Value []byte }

// Message is one tag with its attributes, in the order they came. All of it
// points into the scanner and is valid until the next call of Scanner.Next.
type Message struct {
	Tag   []byte
	Attrs []Attr
}

// Value returns the value of an attribute, nil where the message has none.
func (m Message) Value(name string) []byte {
	for _, a := range m.Attrs {
		if string(a.Name) == name {
			return a.Value
		}
	}
	return nil
}

// count returns how many attributes have the name.
func (m Message) count(name string) int {
	n := 0
	for _, a := range m.Attrs {
		if string(a.Name) == name {
			n++
		}
	}
	return n
}

// clone returns a copy that outlives the next call of Scanner.Next.
func (m Message) clone() Message {
	c := Message{Tag: bytes.Clone(m.Tag), Attrs: make([]Attr, len(m.Attrs))}
	for i, a := range m.Attrs {
		c.Attrs[i] = Attr{bytes.Clone(a.Name), bytes.Clone(a.Value)}
	}
	return c
}

// Faults counts what a scanner could not read.
type Faults struct {
	Stray      int64 // runs of bytes outside of any message
	Broken     int64 // messages cut off, or not of the form <TAG NAME="value" ... />
	TooLong    int64 // messages beyond the limits of length or attributes
	UnknownTag int64 // whole messages with a tag that Open Gaze does not have
}

// Scanner turns bytes, in pieces of any size, into the messages of Open Gaze. It
// is not an XML parser, because the protocol is not quite XML: servers leave out
// the blank between attributes, put one before a value or an equals sign, end a
// message with ">" alone or add another. A message begins at '<' and ends at '>' outside of quotes
// or at the end of the line; whatever damage there is ends at the next '<'. The
// zero value is ready.
type Scanner struct {
	buf    [maxMessage]byte
	n      int
	attrs  [maxAttrs]Attr
	state  state
	quoted bool // inside a value
	stray  bool // the present run of bytes outside is counted already
	faults Faults
}

type state uint8

const (
	outside  state = iota // before a '<'
	inside                // after it
	skipping              // in the rest of a message that is too long
)

// Faults returns the counts since the scanner was made.
func (s *Scanner) Faults() Faults { return s.faults }

// Next consumes bytes of p up to the end of the next good message. It returns
// that message and the bytes after it; ok is false when p was used up without one.
func (s *Scanner) Next(p []byte) (m Message, rest []byte, ok bool) {
	for i, b := range p {
		if s.push(b) {
			if m, ok := s.finish(); ok {
				return m, p[i+1:], true
			}
		}
	}
	return Message{}, nil, false
}

// push takes one byte and tells whether a message ended with it.
func (s *Scanner) push(b byte) bool {
	if b == '<' {
		if s.state == inside {
			s.faults.Broken++
		}
		s.state, s.n, s.quoted, s.stray = inside, 0, false, false
		return false
	}
	switch s.state {
	case outside:
		if !s.stray && b != '\r' && b != '\n' && b != ' ' && b != '>' {
			s.stray = true
			s.faults.Stray++
		}
		return false
	case skipping:
		if b == '\n' {
			s.state, s.stray = outside, false
		}
		return false
	}
	switch {
	case b == '\r' || b == '\n': // a message never spans lines
		s.state, s.stray = outside, false
		return true
	case b == '>' && !s.quoted:
		s.state, s.stray = outside, false
		return true
	case s.n == len(s.buf):
		s.state = skipping
		s.faults.TooLong++
		return false
	case b == '"':
		s.quoted = !s.quoted
	}
	s.buf[s.n] = b
	s.n++
	return false
}

// finish takes the collected message apart.
func (s *Scanner) finish() (Message, bool) {
	body := bytes.TrimRight(s.buf[:s.n], " /")
	tag, body := word(body)
	if len(tag) == 0 {
		s.faults.Broken++
		return Message{}, false
	}
	n := 0
	for {
		if body = bytes.TrimLeft(body, " \t"); len(body) == 0 {
			break
		}
		a, rest, ok := attribute(body)
		if !ok {
			s.faults.Broken++
			return Message{}, false
		}
		if n == len(s.attrs) {
			s.faults.TooLong++
			return Message{}, false
		}
		s.attrs[n] = a
		n++
		body = rest
	}
	if !known(tag) {
		s.faults.UnknownTag++
		return Message{}, false
	}
	return Message{Tag: tag, Attrs: s.attrs[:n]}, true
}

// attribute splits off the NAME="value" that p begins with, with or without
// blanks around the equals sign.
func attribute(p []byte) (a Attr, rest []byte, ok bool) {
	name, p := word(p)
	p, equals := bytes.CutPrefix(bytes.TrimLeft(p, " "), []byte("="))
	p, opened := bytes.CutPrefix(bytes.TrimLeft(p, " "), []byte(`"`))
	value, rest, closed := bytes.Cut(p, []byte(`"`))
	return Attr{name, bytes.Trim(value, " ")}, rest, len(name) > 0 && equals && opened && closed
}

// word splits off the letters, digits and underscores that p begins with.
func word(p []byte) (name, rest []byte) {
	i := 0
	for i < len(p) && (p[i] == '_' || '0' <= p[i] && p[i] <= '9' || 'A' <= p[i] && p[i] <= 'Z' || 'a' <= p[i] && p[i] <= 'z') {
		i++
	}
	return p[:i], p[i:]
}

// known tells whether Open Gaze has the tag.
func known(tag []byte) bool {
	switch string(tag) {
	case "GET", "SET", "ACK", "NACK", "CAL", "REC", "UPDATE":
		return true
	}
	return false
}
