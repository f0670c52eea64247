package shimmer3

const (
	checksumPoly = 0x1021 // CCITT, most significant bit first
	checksumInit = 0xB0CA
	checksumSize = 2 // bytes after each message in mode 2
)

// checksum is what a Shimmer appends to each of its messages, low byte first,
// once it was asked to. A message of odd length is padded with one zero, because
// the firmware's CRC unit takes words.
//
// Source: shimmer_crc.c of ShimmerResearch/log-and-stream-common.
func checksum(message []byte) uint16 {
	crc := uint16(checksumInit)
	for _, b := range message {
		crc = checksumByte(crc, b)
	}
	if len(message)%2 == 1 {
		crc = checksumByte(crc, 0)
	}
	return crc
}

func checksumByte(crc uint16, b byte) uint16 {
	crc ^= uint16(b) << 8
	for range 8 {
		if crc&0x8000 != 0 {
			crc = crc<<1 ^ checksumPoly
		} else {
			crc <<= 1
		}
	}
	return crc
}

// sealed tells whether the two bytes after message are its checksum.
func sealed(message, trailer []byte) bool {
	crc := checksum(message)
	return trailer[0] == byte(crc) && trailer[1] == byte(crc>>8)
}

// seal appends the checksum of the whole message, or its first bytes.
func seal(message []byte, size int) []byte {
	crc := checksum(message)
	return append(message, []byte{byte(crc), byte(crc >> 8)}[:size]...)
}
