package webcam

import (
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// faultPause is how often the pictures that could not be used are told.
const faultPause = time.Second

// faults counts pictures that could not be used, and tells of them.
type faults struct {
	to    chan<- stream.Event // nil: nobody listens
	count int64               // since they were last told
	last  error
	told  instant.Instant
	ever  bool // told is set
}

// add notes one, and tells of it unless that was done within the last second.
func (f *faults) add(at instant.Instant, err error) {
	f.count, f.last = f.count+1, err
	if !f.ever || at.Sub(f.told) >= faultPause {
		f.flush(at)
	}
}

// flush tells what has not been told, if there is room for it.
func (f *faults) flush(at instant.Instant) {
	if f.count == 0 {
		return
	}
	select {
	case f.to <- stream.Event{Kind: stream.Fault, At: at, Count: f.count, Detail: "frames not delivered: " + f.last.Error()}:
		f.count, f.told, f.ever = 0, at, true
	default:
	}
}
