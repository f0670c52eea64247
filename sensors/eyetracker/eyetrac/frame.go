package eyetrac

// frameSize is the length of a frame with all four items, in bytes.
const frameSize = 12

// statusGood is the first byte of a frame in which the tracker found nothing
// wrong. All first bytes, and no others, have bit 7 set.
const statusGood = 0x80

// Frame is what one camera field brought.
type Frame struct {
	Status     uint8
	Number     uint16 // of the field, wraps
	Pupil      uint16 // diameter, in the tracker's unit
	Horizontal int16  // point of gaze, in units of the scene
	Vertical   int16
}

// Valid tells whether the frame states a point of gaze.
func (f Frame) Valid() bool { return f.Status == statusGood && f.Pupil != 0 }

// ParseFrame decodes the 12 bytes of a frame. ok is false where they cannot be
// one.
//
// Bit 7 of every byte after the first is taken out, so that it can mark the
// beginning: each group of seven bytes is followed by one whose bit k is the bit
// 7 of the group's byte k. The first group holds the status, whose bit 7 stays.
func ParseFrame(b [frameSize]byte) (f Frame, ok bool) {
	const (
		firstOver, secondOver = 7, 11
		unusedOfFirst         = 1<<0 | 1<<5 | 1<<7 // the status, the empty byte, and the mark itself
		unusedOfSecond        = ^byte(1<<0 | 1<<1 | 1<<2)
	)
	if b[0]&0x80 == 0 || b[5] != 0 || b[firstOver]&unusedOfFirst != 0 || b[secondOver]&unusedOfSecond != 0 {
		return Frame{}, false
	}
	for _, c := range b[1:] {
		if c&0x80 != 0 {
			return Frame{}, false
		}
	}
	first := func(i int) uint16 { return uint16(b[i] | b[firstOver]>>i<<7) }
	second := func(i int) uint16 { return uint16(b[i] | b[secondOver]>>(i-firstOver-1)<<7) }
	return Frame{
		Status:     b[0],
		Number:     first(1)<<8 | first(2),
		Pupil:      first(3)<<8 | first(4),
		Horizontal: int16(first(6)<<8 | second(8)),
		Vertical:   int16(second(9)<<8 | second(10)),
	}, true
}

// AppendFrame appends the bytes of a frame, as the tracker sends them.
func AppendFrame(dst []byte, f Frame) []byte {
	first := [7]byte{f.Status, byte(f.Number >> 8), byte(f.Number), byte(f.Pupil >> 8), byte(f.Pupil), 0, byte(uint16(f.Horizontal) >> 8)}
	second := [3]byte{byte(f.Horizontal), byte(uint16(f.Vertical) >> 8), byte(f.Vertical)}
	dst = append(dst, first[0])
	dst = appendGroup(dst, first[1:], 1)
	return appendGroup(dst, second[:], 0)
}

// appendGroup appends bytes without their bit 7, and then the byte that holds
// those bits, that of the first one as bit from.
func appendGroup(dst, group []byte, from int) []byte {
	var over byte
	for i, b := range group {
		dst = append(dst, b&0x7F)
		over |= b >> 7 << (from + i)
	}
	return append(dst, over)
}
