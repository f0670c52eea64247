package console

import (
	"encoding/binary"
	"math"
)

// The binary batch, byte by byte, is described in PROTOCOL.md.
const (
	wireMagic   = "EMOL"
	wireVersion = 1
	wireLive    = 1 // type: live data

	headerBytes = 16
	blockBytes  = 8
	wireAlign   = 8 // every block starts on a multiple, for typed arrays

	// flagGap: observations are missing between the last row that was sent of
	// this stream and the first of this block.
	flagGap = 1 << 0

	// maxRows bounds one block: as much as a page keeps of one stream.
	maxRows = 2048
)

// block is the run of rows of one stream within a batch.
type block struct {
	stream   int       // index in the hello message
	channels int       // values per row
	gap      bool      // see flagGap
	times    []float64 // ms since the console was made, one per row
	values   []float32 // channels per row, row by row
}

// appendBatch appends the batch that says "it is now", in ms, with the blocks
// that have rows.
func appendBatch(dst []byte, now float64, blocks []block) []byte {
	le := binary.LittleEndian
	n := 0
	for _, b := range blocks {
		if len(b.times) > 0 {
			n++
		}
	}
	dst = append(dst, wireMagic...)
	dst = append(dst, wireVersion, wireLive)
	dst = le.AppendUint16(dst, uint16(n))
	dst = le.AppendUint64(dst, math.Float64bits(now))
	for _, b := range blocks {
		if len(b.times) == 0 {
			continue
		}
		var flags byte
		if b.gap {
			flags |= flagGap
		}
		dst = append(dst, byte(b.stream), flags)
		dst = le.AppendUint16(dst, uint16(len(b.times)))
		dst = le.AppendUint16(dst, uint16(b.channels))
		dst = append(dst, 0, 0)
		for _, t := range b.times {
			dst = le.AppendUint64(dst, math.Float64bits(t))
		}
		for _, v := range b.values {
			dst = le.AppendUint32(dst, math.Float32bits(v))
		}
		if len(b.values)%2 == 1 {
			dst = append(dst, 0, 0, 0, 0)
		}
	}
	return dst
}
