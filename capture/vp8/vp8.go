// Package vp8 encodes and decodes pictures as VP8, by libvpx. Pictures go in and
// come out as capture/frame has them: BGR, 8 bits a channel, without padding.
//
// With the build tag nocv the package builds without libvpx, and NewEncoder and
// NewDecoder say so.
package vp8

import "errors"

// ClockRate is how many of a frame's time stamps make a second, as RTP has it.
const ClockRate = 90000

// maxSide is the longest side of a picture that VP8 can hold: 14 bits.
const maxSide = 1<<14 - 1

// maxPixels bounds what is decoded: a stranger's first bytes say how large a picture is,
// and memory is taken for all of it.
const maxPixels = 4096 * 2304

// sizeOf is the size that a key frame says it has; false where it says none.
func sizeOf(key []byte) (width, height int, ok bool) {
	const header = 10 // tag, start code, width, height
	if len(key) < header {
		return 0, 0, false
	}
	return (int(key[6]) | int(key[7])<<8) & maxSide, (int(key[8]) | int(key[9])<<8) & maxSide, true
}

// ErrClosed is the answer of a codec that was closed.
var ErrClosed = errors.New("vp8: the codec is closed")

// Picture is a decoded picture: BGR, row by row without padding.
type Picture struct {
	Width, Height int
	Pix           []byte
}

// IsKey tells whether an encoded frame can be decoded without those before it.
func IsKey(encoded []byte) bool { return len(encoded) > 0 && encoded[0]&1 == 0 }
