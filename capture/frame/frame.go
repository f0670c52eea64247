// Package frame is one camera picture with the instant it was taken.
package frame

import (
	"emolab/fusion/instant"
)

// Frame is immutable once sent: consumers share Pix and must not write to it.
type Frame struct {
	// Seq counts the camera's frames from 0, those it dropped included.
	Seq int64
	// At is the capture instant as the camera gives it; Arrival is when this
	// process had the picture.
	At, Arrival instant.Instant
	// Tick is the capture instant on the camera's own clock, where it has one that is
	// not the host's; At is then what was known of it when the frame came.
	Tick int64
	// Width and Height are in pixels; Pix is BGR, 8 bits a channel, row by row
	// without padding: len(Pix) == 3*Width*Height.
	Width, Height int
	Pix           []byte
}
