package bitalino

// MaxChannels is how many analogue inputs the board has, A1 to A6.
const MaxChannels = 6

// Frame is one sample of all enabled inputs.
type Frame struct {
	Seq     uint8 // 0..15, rises by one with each frame
	Digital uint8 // I1, I2, O1, O2 in bits 3..0
	// Analog holds the readings of the enabled inputs, lowest number first. The
	// first four have 10 bits, the fifth and the sixth 6.
	Analog [MaxChannels]uint16
}

// Size returns the length in bytes of a frame with that many channels, 1..6.
func Size(channels int) int { return [...]int{3, 4, 6, 7, 8, 8}[channels-1] }

// Parse reads a frame of Size(channels) bytes. ok is false where the checksum is
// wrong. Its fields are packed from the end: the last byte has the sequence number
// and the checksum, the one before it the digital lines and the top of A1.
func Parse(b []byte, channels int) (f Frame, ok bool) {
	last := len(b) - 1
	if checksum(b) != b[last]&0xF {
		return Frame{}, false
	}
	at := func(back int) uint16 { return uint16(b[last-back]) }
	f.Seq, f.Digital = b[last]>>4, b[last-1]>>4
	f.Analog[0] = at(1)&0xF<<6 | at(2)>>2
	if channels > 1 {
		f.Analog[1] = at(2)&0x3<<8 | at(3)
	}
	if channels > 2 {
		f.Analog[2] = at(4)<<2 | at(5)>>6
	}
	if channels > 3 {
		f.Analog[3] = at(5)&0x3F<<4 | at(6)>>4
	}
	if channels > 4 {
		f.Analog[4] = at(6)&0xF<<2 | at(7)>>6
	}
	if channels > 5 {
		f.Analog[5] = at(7) & 0x3F
	}
	return f, true
}

// Append appends the bytes of f: the inverse of Parse.
func Append(dst []byte, f Frame, channels int) []byte {
	size := Size(channels)
	var frame [8]byte
	b := frame[:size]
	last := size - 1
	put := func(back int, bits uint16) { b[last-back] |= byte(bits) }
	b[last], b[last-1] = f.Seq<<4, f.Digital<<4
	put(1, f.Analog[0]>>6&0xF)
	put(2, f.Analog[0]&0x3F<<2)
	if channels > 1 {
		put(2, f.Analog[1]>>8&0x3)
		put(3, f.Analog[1]&0xFF)
	}
	if channels > 2 {
		put(4, f.Analog[2]>>2&0xFF)
		put(5, f.Analog[2]&0x3<<6)
	}
	if channels > 3 {
		put(5, f.Analog[3]>>4&0x3F)
		put(6, f.Analog[3]&0xF<<4)
	}
	if channels > 4 {
		put(6, f.Analog[4]>>2&0xF)
		put(7, f.Analog[4]&0x3<<6)
	}
	if channels > 5 {
		put(7, f.Analog[5]&0x3F)
	}
	b[last] |= checksum(b)
	return append(dst, b...)
}

// checksum is the CRC with the polynomial x⁴+x+1 over the frame's bits, those of
// the checksum itself taken as 0. It starts at 0: a frame of zeros has the
// checksum 0, and so has a line that is stuck at 0.
func checksum(b []byte) byte {
	var x byte
	for _, c := range b[:len(b)-1] {
		x = shift(shift(x)^c>>4) ^ c&0xF
	}
	return shift(shift(x) ^ b[len(b)-1]>>4)
}

// shift takes the remainder x on by four bits that are 0: times x⁴, which is x+1.
func shift(x byte) byte {
	x ^= x << 1
	if x&0x10 != 0 {
		x ^= 0x13
	}
	return x
}
