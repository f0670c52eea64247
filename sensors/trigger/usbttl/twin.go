package usbttl

import (
	"context"

	"emolab/sensors/trigger"
	"emolab/sensors/virtual"
)

// Twin is a virtual module whose lines can be looked at.
type Twin struct{ trigger.Lines }

// Twin makes a virtual module. It plays nobody: it only takes codes.
func (o *Options) Twin(virtual.TwinOptions) virtual.Device { return &Twin{} }

// Run is one life of the module.
func (t *Twin) Run(ctx context.Context, _ *virtual.Alarm, in <-chan virtual.Arrived, _ func([]byte)) {
	var d decoder
	for {
		select {
		case got := <-in:
			for _, b := range got.Bytes {
				if code, ok := d.take(b); ok {
					t.Set(code, got.At)
				}
			}
		case <-ctx.Done():
			return
		}
	}
}

// decoder reads what a host writes. It takes nothing but pairs of capital digits
// and RR; half a pair is dropped for what does not complete it.
type decoder struct {
	first byte // 0 = none yet
}

func (d *decoder) take(b byte) (code uint8, ok bool) {
	first := d.first
	d.first = 0
	high, isHigh := digit(first)
	low, isLow := digit(b)
	switch {
	case first == 'R' && b == 'R':
		return 0, true
	case isHigh && isLow:
		return high<<4 | low, true
	case isLow || b == 'R':
		d.first = b
	}
	return 0, false
}

func digit(b byte) (value uint8, ok bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}
