package device

import "time"

// Greeting is how a device is recognised on a port of which nothing is known. It
// must be harmless to any other device: a query, never a setting.
type Greeting struct {
	Baud int // the speed at which it is asked
	// Bluetooth devices are asked on Bluetooth ports (rfcomm) and nowhere else;
	// the others on all other ports.
	Bluetooth bool
	// Ask is sent in turn, Pause apart, and again for some seconds until the device
	// answers. None: the device speaks unasked, nothing is sent, and Within is how
	// long it must be heard to be recognised.
	Ask    [][]byte
	Pause  time.Duration
	Within time.Duration
	// Recognise judges all that was heard since the port was opened at this speed.
	// It returns the model as a person says it. What was asked may come back as
	// an echo, and must not be taken for an answer.
	Recognise func(heard []byte) (model string, ok bool)
	// Bye leaves the device as it was found. It is sent when it was recognised, and
	// when nothing was: a question may have started something in a device that did
	// not answer.
	Bye []byte
}

// Can tells whether the device can be recognised at all.
func (g Greeting) Can() bool { return g.Recognise != nil }
