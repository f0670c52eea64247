package shimmer3

import (
	"errors"
	"fmt"
)

const (
	tickHz   = 32768
	tickBits = 24 // of the packets' tick: it comes round every 512 s
	tickMask = 1<<tickBits - 1
	headSize = 4 // of a data packet: 00 and the tick

	channelGSR         = 0x1C
	channelTemperature = 0x1A
)

// Layout is the form of the data packets, which do not tell it themselves. The
// zero value: no packets are expected.
type Layout struct {
	Divider int // ticks between two packets
	Size    int // bytes of a packet without checksum; 0 = no packets
	GSR     int // where in it the reading is
}

// word returns the reading of a packet.
func (l Layout) word(packet []byte) Word {
	return Word(packet[l.GSR]) | Word(packet[l.GSR+1])<<8
}

// tickOf returns the tick of a packet.
func tickOf(packet []byte) uint32 {
	return uint32(packet[1]) | uint32(packet[2])<<8 | uint32(packet[3])<<16
}

// Inquiry is how a Shimmer is set.
type Inquiry struct {
	Divider  int    // ticks between two packets
	Range    int    // 0..3, or 4: the firmware switches by itself
	Channels []byte // in the order of the packets
}

// parseInquiry reads the payload of the answer to inquiry.
func parseInquiry(h hardware, b []byte) Inquiry {
	config := b[2 : 2+h.config()]
	return Inquiry{
		Divider:  int(b[0]) | int(b[1])<<8,
		Range:    int(config[rangeConfig] >> 1 & 7),
		Channels: append([]byte(nil), b[2+len(config)+2:]...),
	}
}

// appendInquiry is the inverse of parseInquiry.
func appendInquiry(b []byte, h hardware, q Inquiry) []byte {
	config := make([]byte, h.config())
	config[rangeConfig] = byte(q.Range << 1)
	b = append(b, byte(q.Divider), byte(q.Divider>>8))
	b = append(b, config...)
	const bufferSize = 1
	b = append(b, byte(len(q.Channels)), bufferSize)
	return append(b, q.Channels...)
}

// layout returns the form of the packets. It fails where there is no GSR among
// the channels, or one whose size is not known: the packets have no lengths, and
// a guess would make all that follows it wrong.
func (q Inquiry) layout(h hardware) (Layout, error) {
	if len(q.Channels) > maxChannels {
		return Layout{}, fmt.Errorf("the Shimmer lists %d channels, the most there are is %d: connect again", len(q.Channels), maxChannels)
	}
	if q.Divider == 0 {
		return Layout{}, errors.New("the Shimmer says that it has no sampling rate: connect again")
	}
	l := Layout{Divider: q.Divider, Size: headSize}
	for _, id := range q.Channels {
		size, known := channelSize(h, id)
		if !known {
			return Layout{}, fmt.Errorf("the Shimmer's packets contain a channel %02X that this driver does not know: switch its other sensors off with the vendor's software", id)
		}
		if id == channelGSR {
			l.GSR = l.Size
		}
		l.Size += size
	}
	if l.GSR == 0 {
		return Layout{}, errors.New("the Shimmer sends no skin conductance: check that it has a GSR+ board, and that no other program has set it")
	}
	return l, nil
}

// channelSize returns the bytes of a channel.
//
// Source: the table of channels in docs/SHIMMER3_STREAMING_DATA_FORMAT.md of
// ShimmerResearch/log-and-stream-common.
func channelSize(h hardware, id byte) (int, bool) {
	switch {
	case id <= 0x19: // inertial sensors, battery, converters
		return 2, true
	case id == channelTemperature:
		if h == shimmer3R {
			return 3, true
		}
		return 2, true
	case id == 0x1B: // pressure
		return 3, true
	case id == channelGSR:
		return 2, true
	case id == 0x1D, id == 0x20: // ExG status
		return 1, true
	case id == 0x1E, id == 0x1F, id == 0x21, id == 0x22: // ExG, 24 bits
		return 3, true
	case id <= 0x28: // ExG, 16 bits, bridge
		return 2, true
	}
	return 0, false
}
