package bundle

import "io"

// behindBlocks is how many blocks may be on their way: one that is written, one that
// waits, one that is filled.
const behindBlocks = 3

// behind is a writer that writes on a goroutine of its own, so that packing goes on
// while the next rows are read. It must be waited for.
type behind struct {
	full, free chan block
	done       chan struct{}
	err        error // of the goroutine; to be read when done is closed
}

// block is a buffer on its way. failed tells, on the way back, that nothing is
// written any more.
type block struct {
	bytes  []byte
	failed error
}

func writeBehind(w io.Writer) *behind {
	b := &behind{full: make(chan block, behindBlocks), free: make(chan block, behindBlocks), done: make(chan struct{})}
	for range behindBlocks {
		b.free <- block{}
	}
	go func() {
		defer close(b.done)
		for next := range b.full {
			if b.err == nil {
				_, b.err = w.Write(next.bytes)
			}
			b.free <- block{next.bytes[:0], b.err} // has room for all
		}
	}()
	return b
}

// Write keeps a copy of p to be written. An error may be that of an earlier call.
func (b *behind) Write(p []byte) (int, error) {
	next := <-b.free
	if next.failed != nil {
		b.free <- next // also the next call is told
		return 0, next.failed
	}
	next.bytes = append(next.bytes, p...)
	b.full <- next
	return len(p), nil
}

// wait ends the writing, and returns its first error.
func (b *behind) wait() error {
	close(b.full)
	<-b.done
	return b.err
}
