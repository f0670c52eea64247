package xid

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// Lengths of what a device says, in bytes.
const (
	keyLength     = 6 // 'k', parameters, time
	inputLength   = 9 // 'o', port, key, '1' or '0', time, 0
	timerLength   = 7 // "_e5", time
	helloLength   = 5 // "_xid", mode
	maxFrame      = inputLength
	invalidParams = 0x0C // bits of a 'k' frame's parameters that are never set
	pressedBit    = 0x10
)

// response is what a device says unasked: a key, a light sensor, an input line.
type response struct {
	Port    byte // 0 are the keys of a response pad; StimTracker: a letter
	Key     uint8
	Pressed bool
	Ms      uint32 // of the device's timer
}

func (r response) String() string {
	did := "released"
	if r.Pressed {
		did = "pressed"
	}
	port := fmt.Sprint(r.Port)
	if r.Port >= 'A' && r.Port <= 'Z' {
		port = string(rune(r.Port))
	}
	return fmt.Sprintf("port %s, key %d %s at %d ms of the device's timer", port, r.Key, did, r.Ms)
}

// answers is what the device is asked for at the moment. What nobody asked for is
// not looked for: so nothing else can pass for it.
type answers struct {
	mode     bool   // to "_c1"
	timer    bool   // to "_e5"
	identity string // to "_d2" and "_d4", one byte with no frame around it: what it can be
}

// found is one thing that a parser has found.
type found struct {
	kind  byte // one of the constants below
	value uint32
	key   response
}

// What can be found.
const (
	foundMode     = 'm' // value: the mode, a digit
	foundTimer    = 't' // value: ms
	foundIdentity = 'i' // value: the byte
	foundResponse = 'r'
)

// parser finds frames in what a device says. They have no checksum; a response is
// believed when the time in it is possible. A frame begins wherever it fits, also
// within another, which may have been cut or be none: so damage costs only itself.
type parser struct {
	wide bool // responses have 9 bytes and begin with 'o'
	// possible tells whether the device's timer can show ms now. nil: it is not
	// known, and responses cannot be told from garbage.
	possible func(ms uint32) bool

	buffer  []byte // the latest, fewer than the longest frame has
	fresh   int    // so many of them, the last, belong to nothing yet
	skipped int64  // bytes that belong to nothing
}

// take adds a byte and returns what ends with it.
func (p *parser) take(b byte, asked answers) (found, bool) {
	if asked.identity != "" {
		if strings.IndexByte(asked.identity, b) >= 0 {
			return found{kind: foundIdentity, value: uint32(b)}, true
		}
		p.skipped++
		return found{}, false
	}
	p.buffer = append(p.buffer, b)
	p.fresh++
	f, length := p.last(asked)
	if length > 0 {
		p.skipped += int64(max(0, p.fresh-length))
		p.fresh = 0
	}
	if len(p.buffer) == maxFrame { // the first is too old to begin a frame
		p.buffer = append(p.buffer[:0], p.buffer[1:]...)
		if p.fresh == maxFrame {
			p.fresh--
			p.skipped++
		}
	}
	return f, length > 0
}

// last looks for a frame at the end of the buffer and returns its length, or 0.
func (p *parser) last(asked answers) (found, int) {
	if m := p.end(helloLength); asked.mode && bytes.HasPrefix(m, []byte("_xid")) {
		return found{kind: foundMode, value: uint32(m[4])}, helloLength
	}
	if m := p.end(timerLength); asked.timer && bytes.HasPrefix(m, []byte("_e5")) {
		return found{kind: foundTimer, value: binary.LittleEndian.Uint32(m[3:])}, timerLength
	}
	if p.possible == nil {
		return found{}, 0
	}
	r, length := p.narrow()
	if p.wide {
		r, length = p.broad()
	}
	if length == 0 || !p.possible(r.Ms) {
		return found{}, 0
	}
	return found{kind: foundResponse, key: r}, length
}

// narrow reads the response of a response pad.
func (p *parser) narrow() (response, int) {
	m := p.end(keyLength)
	if m == nil || m[0] != 'k' || m[1]&invalidParams != 0 {
		return response{}, 0
	}
	r := response{Port: m[1] & 0x0F, Key: m[1] >> 5, Pressed: m[1]&pressedBit != 0, Ms: binary.LittleEndian.Uint32(m[2:])}
	if r.Key == 0 {
		r.Key = 8
	}
	return r, keyLength
}

// broad reads the response of a StimTracker of the second generation.
func (p *parser) broad() (response, int) {
	m := p.end(inputLength)
	if m == nil || m[0] != 'o' || (m[3] != '0' && m[3] != '1') || m[8] != 0 {
		return response{}, 0
	}
	return response{Port: m[1], Key: m[2], Pressed: m[3] == '1', Ms: binary.LittleEndian.Uint32(m[4:])}, inputLength
}

// end returns the last n bytes, or nil.
func (p *parser) end(n int) []byte {
	if len(p.buffer) < n {
		return nil
	}
	return p.buffer[len(p.buffer)-n:]
}

// appendResponse adds a response as a device sends it.
func appendResponse(b []byte, r response, wide bool) []byte {
	if wide {
		pressed := byte('0')
		if r.Pressed {
			pressed = '1'
		}
		b = binary.LittleEndian.AppendUint32(append(b, 'o', r.Port, r.Key, pressed), r.Ms)
		return append(b, 0)
	}
	params := r.Port&^invalidParams&0x0F | r.Key<<5
	if r.Pressed {
		params |= pressedBit
	}
	return binary.LittleEndian.AppendUint32(append(b, 'k', params), r.Ms)
}
