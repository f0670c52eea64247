// Package wire is the protocol between the host and Emolab's own
// microcontroller: framing, checksum and messages. PROTOCOL.md beside this file
// is its specification, byte by byte, for whoever writes the other end.
//
// It is kept small on purpose. The far end is an ATmega328P with 2 KiB of
// memory: one COBS block a frame, fixed payloads, a CRC that needs no table.
package wire

import (
	"bytes"
	"encoding/binary"
)

const (
	// Version is the version of the protocol that this package speaks. Devices
	// state theirs in Hello.
	Version = 2
	// OldestVersion is the earliest version that a host understands. Version 1 had
	// readings without DelayTicks.
	OldestVersion = 2

	// MaxRate is the most samples per second. PROTOCOL.md counts the bytes: the line
	// takes 11520 a second, and beside the samples carries light, pongs and triggers.
	MaxRate = 500

	// DelayTicks is how long before its tick the instant lies for which an EDA
	// reading stands: the reading is the mean of the 20 ms before the tick, over
	// whole mains periods. PROTOCOL.md has the sum.
	DelayTicks = 9875
	// LightDelayTicks is the same for a reading of the photodiode: the converter
	// holds its input 11.5 of its clocks of 8 µs before it is done.
	LightDelayTicks = 92
)

// Type is the first byte of a frame: which message it carries.
type Type uint8

// Messages of the device have the top bit clear, those of the host have it set.
const (
	TypeHello      Type = 0x01
	TypeEDA        Type = 0x02
	TypePong       Type = 0x03
	TypeStatus     Type = 0x04
	TypeLight      Type = 0x05
	TypeTrigger    Type = 0x06
	TypeIdentify   Type = 0x81
	TypeStart      Type = 0x82
	TypeStop       Type = 0x83
	TypeRate       Type = 0x84
	TypePing       Type = 0x85
	TypeLightSet   Type = 0x86
	TypeTriggerSet Type = 0x87
)

const (
	// MaxPayload is the longest payload in bytes. It bounds the device's buffers;
	// the longest message today, Light, has 30.
	MaxPayload = 32

	crcSize = 2
	maxBody = 1 + MaxPayload + crcSize

	// maxEncoded is the longest frame without its delimiter: below 254 bytes COBS
	// adds exactly one.
	maxEncoded = maxBody + 1

	pongSize = 10

	// modelSize is the fixed room for the model's name in Hello.
	modelSize = 8

	// What a payload of version 1 has, where later versions have more.
	helloSizeV1  = 15 + modelSize
	statusSizeV1 = 10
	// What version 2 has.
	helloSize  = helloSizeV1 + 2
	statusSize = statusSizeV1 + 4
	lightSize  = 6 + 2*LightReadings
)

// Message is one frame that passed all checks. Payload points into the
// decoder's buffer and is valid until the next call of Decoder.Next; it is at
// least as long as its type demands, and may be longer when the device speaks a
// later version.
type Message struct {
	Type    Type
	Payload []byte
}

// Cause says why a Hello was sent.
type Cause uint8

// The causes of a Hello.
const (
	Asked   Cause = 0 // the answer to Identify
	Started Cause = 1 // the device has just been powered up or reset
	Hung    Cause = 2 // its watchdog has reset it (from version 2 on)
)

// Fresh tells whether the device has just begun anew.
func (c Cause) Fresh() bool { return c != Asked }

// Capabilities are what the device has beside skin conductance. A device of
// version 1 has none.
type Capabilities uint8

// The capabilities, to be combined.
const (
	HasLight   Capabilities = 1 << 0 // a photodiode
	HasTrigger Capabilities = 1 << 1 // a trigger input
)

// Has tells whether all of want are there.
func (c Capabilities) Has(want Capabilities) bool { return c&want == want }

// Hello is the device's identity.
type Hello struct {
	Protocol uint8
	Cause    Cause
	Model    string // up to 8 ASCII characters
	Firmware [3]uint8
	Serial   uint32
	TickHz   uint32 // nominal ticks per second
	Rate     uint16 // samples per second in force
	Has      Capabilities
	On       Capabilities // of what it has, what is turned on
}

// EDA is one skin-conductance sample. Seq counts the samples since Start, Tick
// is the device's clock when the conversion ended, Raw the oversampled reading
// (65535 = supply voltage).
type EDA struct {
	Seq  uint16
	Tick uint32
	Raw  uint16
}

// Pong answers Ping ID: the ping's last byte came at tick Rx, the pong's first
// byte left at tick Tx.
type Pong struct {
	ID     uint16
	Rx, Tx uint32
}

// Status are the device's own counters since it was powered up. They wrap.
type Status struct {
	Samples   uint32 // taken
	Unsent    uint16 // samples taken but not sent, the transmit buffer being full
	BadFrames uint16 // frames of the host that failed a check
	Overruns  uint16 // bytes of the host that were lost in the receiver
	// From version 2 on; a device of version 1 leaves them 0.
	LightUnsent   uint16 // light messages made but not sent
	TriggerUnsent uint16 // edges of the trigger seen but not sent
}

const (
	// LightReadings is the number of readings in one Light message.
	LightReadings = 12
	// LightTicks is the distance of two readings of one Light message.
	LightTicks = 1000
)

// Light is a run of readings of the photodiode, LightTicks apart. Seq counts the
// light messages since Start, Tick is the device's clock when the first
// conversion ended, Raw has the scale of EDA (65535 = supply voltage).
type Light struct {
	Seq  uint16
	Tick uint32
	Raw  [LightReadings]uint16
}

// Trigger is one edge of the trigger input. Seq counts the edges since Start,
// Tick was latched by the hardware, Level is the line's after the edge.
type Trigger struct {
	Seq   uint16
	Tick  uint32
	Level uint8
}

// LightSetting is the argument of LightSet. Threshold is in the scale of the
// readings; 0 = halfway between the lowest and highest of the last seconds.
type LightSetting struct {
	On        bool
	Threshold uint16
}

// minPayload returns the shortest valid payload of a type and whether the type
// is known.
func minPayload(t Type) (int, bool) {
	switch t {
	case TypeHello:
		return helloSizeV1, true
	case TypeEDA:
		return 8, true
	case TypePong:
		return 10, true
	case TypeStatus:
		return statusSizeV1, true
	case TypeLight:
		return lightSize, true
	case TypeTrigger:
		return 7, true
	case TypeIdentify, TypeStart, TypeStop:
		return 0, true
	case TypeRate, TypePing:
		return 2, true
	case TypeLightSet:
		return 3, true
	case TypeTriggerSet:
		return 1, true
	}
	return 0, false
}

var le = binary.LittleEndian

// Hello reads the payload of a TypeHello message.
func (m Message) Hello() Hello {
	p := m.Payload
	h := Hello{
		Protocol: p[0],
		Cause:    Cause(p[1]),
		Model:    string(bytes.TrimRight(p[2:2+modelSize], "\x00")),
		Firmware: [3]uint8(p[10:13]),
		Serial:   le.Uint32(p[13:]),
		TickHz:   le.Uint32(p[17:]),
		Rate:     le.Uint16(p[21:]),
	}
	if len(p) >= helloSize {
		h.Has = Capabilities(p[helloSizeV1])
		h.On = Capabilities(p[helloSizeV1+1])
	}
	return h
}

// EDA reads the payload of a TypeEDA message.
func (m Message) EDA() EDA {
	p := m.Payload
	return EDA{Seq: le.Uint16(p), Tick: le.Uint32(p[2:]), Raw: le.Uint16(p[6:])}
}

// Pong reads the payload of a TypePong message.
func (m Message) Pong() Pong {
	p := m.Payload
	return Pong{ID: le.Uint16(p), Rx: le.Uint32(p[2:]), Tx: le.Uint32(p[6:])}
}

// Status reads the payload of a TypeStatus message.
func (m Message) Status() Status {
	p := m.Payload
	s := Status{
		Samples:   le.Uint32(p),
		Unsent:    le.Uint16(p[4:]),
		BadFrames: le.Uint16(p[6:]),
		Overruns:  le.Uint16(p[8:]),
	}
	if len(p) >= statusSize {
		s.LightUnsent = le.Uint16(p[10:])
		s.TriggerUnsent = le.Uint16(p[12:])
	}
	return s
}

// Light reads the payload of a TypeLight message.
func (m Message) Light() Light {
	p := m.Payload
	l := Light{Seq: le.Uint16(p), Tick: le.Uint32(p[2:])}
	for i := range l.Raw {
		l.Raw[i] = le.Uint16(p[6+2*i:])
	}
	return l
}

// Trigger reads the payload of a TypeTrigger message.
func (m Message) Trigger() Trigger {
	p := m.Payload
	return Trigger{Seq: le.Uint16(p), Tick: le.Uint32(p[2:]), Level: p[6]}
}

// LightSetting reads the payload of a TypeLightSet message.
func (m Message) LightSetting() LightSetting {
	return LightSetting{On: m.Payload[0] != 0, Threshold: le.Uint16(m.Payload[1:])}
}

// On reads the payload of a TypeTriggerSet message.
func (m Message) On() bool { return m.Payload[0] != 0 }

// Uint16 reads the argument of a TypeRate (samples per second) or TypePing (id)
// message.
func (m Message) Uint16() uint16 { return le.Uint16(m.Payload) }

// AppendHello appends the frame of h to dst. A model name beyond 8 bytes is cut.
// A Hello of version 1 has no capabilities.
func AppendHello(dst []byte, h Hello) []byte {
	var p [helloSize]byte
	p[0], p[1] = h.Protocol, byte(h.Cause)
	copy(p[2:2+modelSize], h.Model)
	copy(p[10:13], h.Firmware[:])
	le.PutUint32(p[13:], h.Serial)
	le.PutUint32(p[17:], h.TickHz)
	le.PutUint16(p[21:], h.Rate)
	if h.Protocol < 2 {
		return appendFrame(dst, TypeHello, p[:helloSizeV1])
	}
	p[helloSizeV1] = byte(h.Has)
	p[helloSizeV1+1] = byte(h.On)
	return appendFrame(dst, TypeHello, p[:])
}

// AppendEDA appends the frame of e to dst.
func AppendEDA(dst []byte, e EDA) []byte {
	var p [8]byte
	le.PutUint16(p[0:], e.Seq)
	le.PutUint32(p[2:], e.Tick)
	le.PutUint16(p[6:], e.Raw)
	return appendFrame(dst, TypeEDA, p[:])
}

// AppendPong appends the frame of q to dst.
func AppendPong(dst []byte, q Pong) []byte {
	var p [10]byte
	le.PutUint16(p[0:], q.ID)
	le.PutUint32(p[2:], q.Rx)
	le.PutUint32(p[6:], q.Tx)
	return appendFrame(dst, TypePong, p[:])
}

// AppendStatus appends the frame of s to dst.
func AppendStatus(dst []byte, s Status) []byte {
	var p [statusSize]byte
	le.PutUint32(p[0:], s.Samples)
	le.PutUint16(p[4:], s.Unsent)
	le.PutUint16(p[6:], s.BadFrames)
	le.PutUint16(p[8:], s.Overruns)
	le.PutUint16(p[10:], s.LightUnsent)
	le.PutUint16(p[12:], s.TriggerUnsent)
	return appendFrame(dst, TypeStatus, p[:])
}

// AppendLight appends the frame of l to dst.
func AppendLight(dst []byte, l Light) []byte {
	var p [lightSize]byte
	le.PutUint16(p[0:], l.Seq)
	le.PutUint32(p[2:], l.Tick)
	for i, raw := range l.Raw {
		le.PutUint16(p[6+2*i:], raw)
	}
	return appendFrame(dst, TypeLight, p[:])
}

// AppendTrigger appends the frame of t to dst.
func AppendTrigger(dst []byte, t Trigger) []byte {
	var p [7]byte
	le.PutUint16(p[0:], t.Seq)
	le.PutUint32(p[2:], t.Tick)
	p[6] = t.Level
	return appendFrame(dst, TypeTrigger, p[:])
}

// AppendIdentify appends the command that asks for a Hello.
func AppendIdentify(dst []byte) []byte { return appendFrame(dst, TypeIdentify, nil) }

// AppendStart appends the command that starts sampling, from Seq 0. A device
// that samples already ignores it.
func AppendStart(dst []byte) []byte { return appendFrame(dst, TypeStart, nil) }

// AppendStop appends the command that stops sampling.
func AppendStop(dst []byte) []byte { return appendFrame(dst, TypeStop, nil) }

// AppendRate appends the command that sets the samples per second.
func AppendRate(dst []byte, hz uint16) []byte {
	return appendFrame(dst, TypeRate, le.AppendUint16(make([]byte, 0, 2), hz))
}

// AppendPing appends the command that asks for a Pong with the same id. It is as
// long as the Pong, so that both take the same time on the line: a host that puts
// the box's stamps in the middle would otherwise be off by half the difference.
func AppendPing(dst []byte, id uint16) []byte {
	var p [pongSize]byte
	le.PutUint16(p[0:], id)
	return appendFrame(dst, TypePing, p[:])
}

// AppendLightSet appends the command that turns the photodiode on or off.
func AppendLightSet(dst []byte, s LightSetting) []byte {
	p := [3]byte{flag(s.On)}
	le.PutUint16(p[1:], s.Threshold)
	return appendFrame(dst, TypeLightSet, p[:])
}

// AppendTriggerSet appends the command that turns the trigger input on or off.
func AppendTriggerSet(dst []byte, on bool) []byte {
	return appendFrame(dst, TypeTriggerSet, []byte{flag(on)})
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// appendFrame appends COBS(type, payload, CRC) and the delimiter.
func appendFrame(dst []byte, t Type, payload []byte) []byte {
	var room [maxBody]byte
	body := append(room[:0], byte(t))
	body = append(body, payload...)
	body = le.AppendUint16(body, crc16(body))
	return append(appendCOBS(dst, body), 0)
}
