package shimmer3

import (
	"encoding/binary"

	"emolab/sensors/virtual"
)

// arguments returns how many bytes follow a command, and whether one of them
// tells that there are more.
func arguments(cmd byte) (fixed int, counted, known bool) {
	switch cmd {
	case cmdSetRange, cmdSetExpPower, cmdSetChecksum, cmdSetInstreamAck:
		return 1, false, true
	case cmdSetRate:
		return 2, false, true
	case cmdSetSensors:
		return 3, false, true
	case cmdSetWorldClock:
		return 8, false, true
	case cmdSetName, cmdSetExperiment, cmdSetConfigTime:
		return 1, true, true
	case cmdInquiry, cmdGetRate, cmdStart, cmdStop, cmdGetRange, cmdGetDeviceOld, cmdGetFirmware,
		cmdGetDevice, cmdStartBoth, cmdGetStatus, cmdGetName, cmdGetExperiment, cmdGetConfigTime,
		cmdGetWorldClock, cmdStartLogging, cmdStopLogging, cmdGetBattery, cmdTestConnection,
		cmdStopBoth, cmdDummy:
		return 0, false, true
	}
	return 0, false, false
}

// receive obeys the host's commands.
func (u *unit) receive(got virtual.Arrived) {
	if got.At.Sub(u.commandAt) > byteWithin {
		u.command = u.command[:0]
	}
	u.commandAt = got.At
	u.command = append(u.command, got.Bytes...)
	for len(u.command) > 0 {
		fixed, counted, known := arguments(u.command[0])
		if !known || u.unknown(u.command[0]) {
			u.command = u.command[1:] // ignored without a word
			continue
		}
		size := 1 + fixed
		if len(u.command) < size {
			return
		}
		if counted {
			size += int(u.command[1])
		}
		if len(u.command) < size {
			return
		}
		u.obey(u.command[0], u.command[1:size])
		u.command = u.command[size:]
	}
}

// unknown tells whether this Shimmer's firmware is too old for a command.
func (u *unit) unknown(cmd byte) bool {
	return cmd == cmdSetChecksum && u.q.noChecksums ||
		cmd == cmdSetInstreamAck && !u.q.firmware.instreamAck()
}

// blocked tells whether a command is refused while the sensors are in use.
func blocked(cmd byte) bool {
	switch cmd {
	case cmdSetSensors, cmdSetRate, cmdSetRange, cmdSetExpPower, cmdSetName, cmdSetExperiment, cmdSetConfigTime:
		return true
	}
	return false
}

// obey does one command and answers it.
func (u *unit) obey(cmd byte, args []byte) {
	if cmd == cmdDummy {
		return
	}
	if blocked(cmd) && (u.streaming || u.logging) {
		u.answer([]byte{nack})
		return
	}
	reply := []byte{ack}
	switch cmd {
	case cmdSetSensors:
		u.sensors = [3]byte(args)
	case cmdSetRate:
		u.divider = max(1, int(binary.LittleEndian.Uint16(args)))
	case cmdSetRange:
		u.setting = min(int(args[0]), autoRange)
	case cmdSetExpPower:
		u.expPower = args[0] == 1
	case cmdSetChecksum:
		u.checksum = 0
		if args[0] <= checksumTwo {
			u.checksum = int(args[0])
		}
	case cmdSetInstreamAck:
		u.prefixed = args[0] != 0
	case cmdSetWorldClock:
		u.offset = binary.LittleEndian.Uint64(args) - uint64(u.oscillator.Tick(u.o.Clock.Now()))
	case cmdStart, cmdStartBoth:
		u.logging = u.logging || cmd == cmdStartBoth
		u.begin()
	case cmdStop, cmdStopBoth:
		was := u.streaming
		u.streaming = false
		if cmd == cmdStopBoth {
			u.logging = false
		}
		if was && u.q.noStopAck {
			return
		}
	case cmdStartLogging, cmdStopLogging:
		u.logging = cmd == cmdStartLogging
	case cmdSetName, cmdSetExperiment, cmdSetConfigTime:
		u.names[nameOf(cmd)] = append([]byte(nil), args[1:]...)
	default:
		reply = append(reply, u.told(cmd)...)
	}
	u.answer(reply)
}

// nameOf returns which of the three texts a command is about.
func nameOf(cmd byte) int {
	switch cmd {
	case cmdSetName, cmdGetName:
		return 0
	case cmdSetExperiment, cmdGetExperiment:
		return 1
	}
	return 2
}

// told is what answers a question, without the acknowledgement.
func (u *unit) told(cmd byte) []byte {
	switch cmd {
	case cmdInquiry:
		return appendInquiry([]byte{rspInquiry}, u.q.hardware, Inquiry{u.divider, u.setting, u.channels()})
	case cmdGetRate:
		return []byte{rspRate, byte(u.divider), byte(u.divider >> 8)}
	case cmdGetRange:
		return []byte{rspRange, byte(u.setting)}
	case cmdGetDevice, cmdGetDeviceOld:
		return []byte{rspDevice, byte(u.q.hardware)}
	case cmdGetFirmware:
		f := u.q.firmware
		return []byte{rspFirmware, byte(f.kind), byte(f.kind >> 8), byte(f.major), byte(f.major >> 8), f.minor, f.release}
	case cmdGetStatus:
		return u.status()
	case cmdGetBattery:
		const charged = 0x80
		return []byte{instream, rspBattery, twinBattery & 0xFF, twinBattery >> 8, charged}
	case cmdGetWorldClock:
		return binary.LittleEndian.AppendUint64([]byte{rspWorldClock}, uint64(u.oscillator.Tick(u.o.Clock.Now()))+u.offset)
	case cmdGetName, cmdGetExperiment, cmdGetConfigTime:
		text := u.names[nameOf(cmd)]
		code := map[byte]byte{cmdGetName: rspName, cmdGetExperiment: rspExperiment, cmdGetConfigTime: rspConfigTime}[cmd]
		return append([]byte{code, byte(len(text))}, text...)
	}
	return nil // cmdTestConnection: that it answers is all
}

// answer sends a message, after the time that this Shimmer takes.
func (u *unit) answer(message []byte) {
	message = seal(message, u.checksum)
	if u.q.slow == 0 {
		u.send(message)
		return
	}
	u.answers = append(u.answers, answer{u.o.Clock.Now().Add(u.q.slow), message})
}
