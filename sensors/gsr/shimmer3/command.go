package shimmer3

import "fmt"

// What the first byte of a message says.
const (
	dataPacket = 0x00
	instream   = 0x8A // a response that can come between data packets
	nack       = 0xFE
	ack        = 0xFF
)

// Commands. Each is one byte and its arguments, written at once: the firmware
// waits 10 ms for the next byte.
const (
	cmdInquiry        = 0x01
	cmdGetRate        = 0x03
	cmdSetRate        = 0x05
	cmdStart          = 0x07
	cmdSetSensors     = 0x08
	cmdStop           = 0x20
	cmdSetRange       = 0x21
	cmdGetRange       = 0x23
	cmdGetDeviceOld   = 0x24
	cmdGetFirmware    = 0x2E
	cmdGetDevice      = 0x3F
	cmdSetExpPower    = 0x5E
	cmdStartBoth      = 0x70
	cmdGetStatus      = 0x72
	cmdSetName        = 0x79
	cmdGetName        = 0x7B
	cmdSetExperiment  = 0x7C
	cmdGetExperiment  = 0x7E
	cmdSetConfigTime  = 0x85
	cmdGetConfigTime  = 0x87
	cmdSetChecksum    = 0x8B
	cmdSetWorldClock  = 0x8F
	cmdGetWorldClock  = 0x91
	cmdStartLogging   = 0x92
	cmdStopLogging    = 0x93
	cmdGetBattery     = 0x95
	cmdTestConnection = 0x96
	cmdStopBoth       = 0x97
	cmdSetInstreamAck = 0xA3
	cmdDummy          = 0xB5
	rspInquiry        = 0x02
	rspRate           = 0x04
	rspRange          = 0x22
	rspDevice         = 0x25
	rspFirmware       = 0x2F
	rspStatus         = 0x71
	rspName           = 0x7A
	rspExperiment     = 0x7D
	rspConfigTime     = 0x86
	rspWorldClock     = 0x90
	rspBattery        = 0x94
	statusStreaming   = 1 << 4 // bit of the first status byte
	sensorGSR         = 0x04   // in the first byte of the sensor bitmap
	autoRange         = 4      // for cmdSetRange: the firmware switches by itself
	ackPrefixOff      = 0      // for cmdSetInstreamAck
	checksumOff       = 0      // for cmdSetChecksum
	checksumTwo       = checksumSize
	batteryPayload    = 3 // u16 count, u8 state of the charger
	firmwarePayload   = 6 // u16 type, u16 major, u8 minor, u8 release
	batteryDivider    = 1.988
	inquiryConfig     = 4  // configuration bytes of a Shimmer3's inquiry
	inquiryConfigR    = 7  // and of a Shimmer3R's
	rangeConfig       = 3  // which of them has the range
	maxChannels       = 50 // MAX_NUM_CHANNELS of the firmware
	inquiryRest       = 4  // u16 divider, u8 channels, u8 buffer size
)

// command is one question and the form of its answer.
type command struct {
	name  string // as a person says it
	bytes []byte
	reply reply
}

// reply is what answers a command after the acknowledgement. The zero value:
// nothing but the acknowledgement.
type reply struct {
	code     byte // of the response; 0 = none
	instream bool // it has the byte 8A before its code
	size     int  // of what follows the code, bytes
	// counted, if not 0, is where in that there is a number of further bytes.
	counted int
}

// length returns the size of the payload that begins with b, or false where b is
// too short to tell.
func (r reply) length(b []byte) (int, bool) {
	if r.counted == 0 {
		return r.size, true
	}
	if len(b) <= r.counted {
		return 0, false
	}
	return r.size + int(b[r.counted]), true
}

func getDevice() command {
	return command{"what it is", []byte{cmdGetDevice}, reply{code: rspDevice, size: 1}}
}

func getFirmware() command {
	return command{"its firmware's version", []byte{cmdGetFirmware}, reply{code: rspFirmware, size: firmwarePayload}}
}

func getBattery() command {
	return command{"its battery", []byte{cmdGetBattery}, reply{code: rspBattery, instream: true, size: batteryPayload}}
}

// inquiry depends on the hardware: its answer has more configuration bytes on a
// Shimmer3R, and no length of its own.
func inquiry(h hardware) command {
	size := h.config() + inquiryRest
	return command{"its channels", []byte{cmdInquiry}, reply{code: rspInquiry, size: size, counted: size - 2}}
}

func setChecksum(mode byte) command {
	return command{name: "checksums", bytes: []byte{cmdSetChecksum, mode}}
}

func setInstreamAck(on byte) command {
	return command{name: "status messages without acknowledgement", bytes: []byte{cmdSetInstreamAck, on}}
}

// setSensors asks for GSR and nothing else.
func setSensors() command {
	return command{name: "the choice of sensors", bytes: []byte{cmdSetSensors, sensorGSR, 0, 0}}
}

func setRate(divider uint16) command {
	return command{name: "the rate", bytes: []byte{cmdSetRate, byte(divider), byte(divider >> 8)}}
}

func setRange(number byte) command {
	return command{name: "the range", bytes: []byte{cmdSetRange, number}}
}

func start() command { return command{name: "the start", bytes: []byte{cmdStart}} }

// hardware is what a Shimmer says it is.
type hardware byte

// The hardware that this driver knows.
const (
	shimmer3  hardware = 3
	shimmer3R hardware = 10
)

func (h hardware) known() bool { return h == shimmer3 || h == shimmer3R }

func (h hardware) String() string {
	switch h {
	case shimmer3:
		return "Shimmer3"
	case shimmer3R:
		return "Shimmer3R"
	}
	return fmt.Sprintf("hardware %d", byte(h))
}

// config is the number of configuration bytes in its inquiry.
func (h hardware) config() int {
	if h == shimmer3R {
		return inquiryConfigR
	}
	return inquiryConfig
}

// firmware is what a Shimmer runs.
type firmware struct {
	kind, major    uint16
	minor, release uint8
}

// logAndStream is the firmware that this driver speaks with.
const logAndStream = 3

// parseFirmware reads the payload of the answer to getFirmware.
func parseFirmware(b []byte) firmware {
	return firmware{uint16(b[0]) | uint16(b[1])<<8, uint16(b[2]) | uint16(b[3])<<8, b[4], b[5]}
}

func (f firmware) String() string {
	name := fmt.Sprintf("firmware of type %d,", f.kind)
	switch f.kind {
	case 1:
		name = "BtStream"
	case 2:
		name = "SDLog"
	case logAndStream:
		name = "LogAndStream"
	}
	return fmt.Sprintf("%s %d.%d.%d", name, f.major, f.minor, f.release)
}

// atLeast tells whether the version is the given one or later.
func (f firmware) atLeast(major uint16, minor, release uint8) bool {
	if f.major != major {
		return f.major > major
	}
	if f.minor != minor {
		return f.minor > minor
	}
	return f.release >= release
}

// instreamAck tells whether the firmware knows cmdSetInstreamAck.
func (f firmware) instreamAck() bool { return f.atLeast(0, 15, 4) }

// longTicks tells whether its packets have a tick of three bytes. Before, it had
// two, which come round every 2 s.
func (f firmware) longTicks() bool { return f.atLeast(0, 5, 4) }

// statusSize is the number of bytes in a status message.
func statusSize(h hardware, f firmware) int {
	if h == shimmer3R && f.atLeast(1, 0, 24) {
		return 2
	}
	return 1
}

// volts is the battery's voltage, from the payload of the answer to getBattery.
func volts(b []byte) float64 {
	return float64(uint16(b[0])|uint16(b[1])<<8) * referenceV / fullScale * batteryDivider
}
