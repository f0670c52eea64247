package console

import (
	"encoding/binary"
	"math"

	"emolab/studies/replay"
)

// The columns of a stream on the wire. PROTOCOL.md describes every byte.
const (
	rowsMagic      = "EMOR"
	rowsVersion    = 1
	rowsHeaderSize = 16
	rowsThinned    = 1 << 0
)

// rowsMessage writes columns: a header, the times, then column after column.
func rowsMessage(r replay.Rows) []byte {
	n := len(r.Times)
	b := make([]byte, 0, rowsHeaderSize+8*n+4*n*len(r.Columns))
	b = append(b, rowsMagic...)
	b = append(b, rowsVersion, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(r.Columns)))
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	var flags uint32
	if r.Thinned {
		flags |= rowsThinned
	}
	b = binary.LittleEndian.AppendUint32(b, flags)
	for _, v := range r.Times {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	for _, column := range r.Columns {
		for _, v := range column {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	}
	return b
}
