package xid

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"emolab/fusion/instant"
	"emolab/sensors/trigger"
	"emolab/sensors/virtual"
)

// Twin is a virtual device whose lines can be looked at and whose keys can be
// pressed.
type Twin struct {
	trigger.Lines
	o        virtual.TwinOptions
	product  byte
	firmware byte
	presses  chan response
}

// NewTwin makes a virtual device: one of the products, of version 1 or 2.
func NewTwin(o virtual.TwinOptions, product byte, firmware int) *Twin {
	return &Twin{o: o, product: product, firmware: byte('0' + firmware), presses: make(chan response)}
}

// Press presses or releases a key; it waits until the device, which must be
// plugged in, has noticed.
func (t *Twin) Press(port byte, key uint8, pressed bool) {
	t.presses <- response{Port: port, Key: key, Pressed: pressed}
}

// Run is one life of the device.
func (t *Twin) Run(ctx context.Context, due *virtual.Alarm, in <-chan virtual.Arrived, send func([]byte)) {
	f := &firmware{Twin: t, send: send, due: due, zero: t.o.Clock.Now()}
	for {
		select {
		case got := <-in:
			f.receive(got)
		case p := <-t.presses:
			p.Ms = f.timer(t.o.Clock.Now())
			send(appendResponse(nil, p, t.product == StimTracker && t.firmware == '2'))
		case <-due.C():
			f.endPulse(t.o.Clock.Now())
		case <-ctx.Done():
			t.Set(0, t.o.Clock.Now()) // without power
			return
		}
	}
}

// firmware is one life of the device.
type firmware struct {
	*Twin
	send  func([]byte)
	due   *virtual.Alarm
	zero  instant.Instant // of its timer
	pulse time.Duration   // 0 = until changed
	until instant.Instant // end of the pulse; 0 = none
	begun []byte          // of a command that has not ended
}

// timer reads the device's own clock.
func (f *firmware) timer(now instant.Instant) uint32 {
	return uint32(float64(now.Sub(f.zero)) * (1 + f.o.DriftPPM*1e-6) / float64(time.Millisecond))
}

// commands are all that the device knows, and how many bytes of data follow each.
func commands() []struct {
	name string
	data int
} {
	return []struct {
		name string
		data int
	}{
		{"_c1", 0}, {"_d2", 0}, {"_d4", 0}, {"_e5", 0}, {"c10", 0}, {"a10", 0}, {"e5", 0},
		{"mp", 4}, {"mh", 2}, {"ah", 2},
	}
}

// receive obeys commands. Bytes that begin none are dropped.
func (f *firmware) receive(got virtual.Arrived) {
	f.begun = append(f.begun, got.Bytes...)
	for len(f.begun) > 0 {
		used := 1
		for _, c := range commands() {
			whole := len(c.name) + c.data
			n := min(len(f.begun), len(c.name))
			if !bytes.Equal(f.begun[:n], []byte(c.name)[:n]) {
				continue
			}
			if len(f.begun) < whole {
				return // the rest is on its way
			}
			f.obey(c.name, f.begun[len(c.name):whole], got.At)
			used = whole
			break
		}
		f.begun = f.begun[used:]
	}
}

func (f *firmware) obey(command string, data []byte, at instant.Instant) {
	byMask := f.product == StimTracker || f.firmware == '2'
	switch command {
	case "_c1":
		f.send([]byte("_xid0"))
	case "_d2":
		f.send([]byte{f.product})
	case "_d4":
		f.send([]byte{f.firmware})
	case "e5":
		f.zero = at
	case "_e5":
		f.send(binary.LittleEndian.AppendUint32([]byte("_e5"), f.timer(at)))
	case "mp":
		f.pulse = time.Duration(binary.LittleEndian.Uint32(data)) * time.Millisecond
	case "mh":
		if byMask {
			f.raise(data[0], at)
		}
	case "ah":
		if !byMask {
			f.Set(^data[0], at)
		}
	}
}

// endPulse takes a code off the lines when its time is over. It may be asked late,
// by a machine that is busy; the pulse ends when it had to.
func (f *firmware) endPulse(now instant.Instant) {
	if f.until != 0 && now >= f.until {
		f.Set(0, f.until)
		f.until = 0
	}
}

// raise puts a code on the lines, for the length of a pulse where one is set.
func (f *firmware) raise(code uint8, at instant.Instant) {
	f.endPulse(at)
	f.Set(code, at)
	f.until = 0
	if code != 0 && f.pulse > 0 {
		f.until = at.Add(f.pulse)
		f.due.After(f.until.Sub(f.o.Clock.Now()))
	}
}
