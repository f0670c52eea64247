package wire

// Consistent Overhead Byte Stuffing: Cheshire and Baker, "Consistent Overhead
// Byte Stuffing", IEEE/ACM Transactions on Networking 7(2), 1999. It takes the
// zeros out of a block, so that a zero on the line is always a frame's end.

// maxRun is the code byte of a block of 254 bytes that no zero follows.
const maxRun = 0xFF

// appendCOBS appends the encoding of src to dst, without a delimiter.
func appendCOBS(dst, src []byte) []byte {
	code := len(dst) // where the code byte of the open block stands
	dst = append(dst, 1)
	for i, b := range src {
		if b == 0 {
			code = len(dst)
			dst = append(dst, 1)
			continue
		}
		dst = append(dst, b)
		dst[code]++
		if dst[code] == maxRun && i < len(src)-1 {
			code = len(dst)
			dst = append(dst, 1)
		}
	}
	return dst
}

// decodeCOBS decodes src in place and returns the decoded part. It fails when a
// block runs past the end or a zero stands inside.
func decodeCOBS(src []byte) ([]byte, bool) {
	w := 0
	for r := 0; r < len(src); {
		code := int(src[r])
		if code == 0 || r+code > len(src) {
			return nil, false
		}
		for _, b := range src[r+1 : r+code] {
			if b == 0 {
				return nil, false
			}
			src[w] = b
			w++
		}
		r += code
		if code < maxRun && r < len(src) {
			src[w] = 0
			w++
		}
	}
	return src[:w], true
}

// crc16 is CRC-16/CCITT-FALSE (also called IBM-3740): polynomial 0x1021, most
// significant bit first, start value 0xFFFF, no final exclusive or. Bit by bit:
// at 100 frames a second a table would buy nothing, and the device does the same.
func crc16(p []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range p {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
