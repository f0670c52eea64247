// Package webcam delivers the frames of a camera, a video file or a network
// stream, each with the instant it was taken.
//
// The pictures come from OpenCV (opencv.go); all that concerns time, loss and
// pace is here and in its neighbours and knows nothing of OpenCV. With the
// build tag nocv the package builds without it and Open says so.
package webcam

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"emolab/fusion/stream"
)

// Pace says when the frames of a file are delivered.
type Pace int

const (
	// Realtime delivers each frame when it is due by the file's own time.
	Realtime Pace = iota
	// Unpaced delivers frames as fast as they are taken, and never drops one:
	// for analysis after the fact.
	Unpaced
)

// Options say which camera, and what is wished of it.
type Options struct {
	// Source is a device ("/dev/video0", a link to one, or "0"), the name of a
	// video file, or an address ("rtsp://...", "http://...").
	Source string
	// Width, Height (px) and FPS are asked of a device, which may give another
	// mode; Describe tells. 0 leaves its own. Files and addresses ignore them.
	Width, Height int
	FPS           float64
	// Loop begins a file again at its end, its time going on. Devices and
	// addresses have no end and ignore it.
	Loop bool
	// Pace is for files only too.
	Pace Pace
	// Events, where set, is told of pictures that could not be used, once a
	// second at most. The camera does not wait for its reader: what finds no
	// room is told, with its count, the next time.
	Events chan<- stream.Event
}

// Kind says what a source is.
type Kind string

// The kinds of source.
const (
	Device  Kind = "device"
	File    Kind = "file"
	Address Kind = "url"
)

// Stamps says where the capture instants come from. It is decided when a camera
// is opened, and kept to for its life: two kinds of stamps in one recording would
// be a jump in time.
type Stamps string

const (
	// DriverStamps are the kernel's, on the lab clock already: for a USB camera
	// when the frame's first packet reached the host.
	DriverStamps Stamps = "driver"
	// ArrivalStamps are read when the picture reached this program, because the
	// source gives none that can be used. They are late by the camera's and the
	// driver's delay, tens of milliseconds or more.
	ArrivalStamps Stamps = "arrival"
	// FileStamps are the file's own time since its first frame.
	FileStamps Stamps = "file"
)

// Description is what is known of an open camera.
type Description struct {
	Device        string // its name, as a person says it
	Kind          Kind
	Port          string  // the device file, the file or the address, without a password
	Width, Height int     // px
	FPS           float64 // nominal; 0 = not known
	Frames        int64   // of a file, as it announces itself; 0 = not known
	Stamps        Stamps
}

// Clock is what the stamps count, in the terms of a stream.
func (s Stamps) Clock() stream.ClockKind {
	if s == ArrivalStamps {
		return stream.ArrivalClock
	}
	return stream.HostClock
}

// Expected is what is known of a source that is not there: its kind, and the stamps
// that such a source mostly has.
func Expected(source string) Description {
	d := Description{Kind: KindOf(source), Stamps: DriverStamps}
	switch d.Kind {
	case File:
		d.Stamps = FileStamps
	case Address:
		d.Stamps = ArrivalStamps
	}
	return d
}

// Mode is what else a camera's latency depends on, as a person says it: its size,
// its rate, and what stamps it. Exposure is not known here.
func (d Description) Mode() string {
	return fmt.Sprintf("%dx%d, %.4g frames a second, %s stamps", d.Width, d.Height, d.FPS, d.Stamps)
}

// Succeeds tells why a camera that was opened again cannot go on with the stream
// that it began as before; nil when it can. What the stream states of its clock
// would no longer be true of other stamps.
func (d Description) Succeeds(before Description) error {
	if d.Stamps.Clock() == before.Stamps.Clock() {
		return nil
	}
	return fmt.Errorf("webcam: %s has come back with %s stamps, and this recording began with %s stamps, whose error is another: end the session and start emolab again",
		d.Port, d.Stamps, before.Stamps)
}

// Counts are of a camera's whole life.
type Counts struct {
	Frames   int64 // delivered
	Dropped  int64 // lost by the camera, unreadable, or given up because the consumer was slow
	Repeated int64 // pictures equal to the one before; those with its stamp too are not delivered
}

// ErrGone says that a device that worked does so no longer.
var ErrGone = errors.New("the camera has gone: was it unplugged?")

// ErrStamps says that a driver's stamps were usable and are so no longer.
var ErrStamps = errors.New("the driver's stamps have become unusable")

// devicePrefix is where Video4Linux has its devices.
const devicePrefix = "/dev/video"

// place is a source, told apart.
type place struct {
	kind  Kind
	port  string // as OpenCV takes it
	index int    // of /dev/videoN, for a device
}

// KindOf tells what kind of source a name means, whether it is there or not.
func KindOf(source string) Kind {
	p, err := locate(source)
	if err != nil {
		return Device // "/dev/..." that is no camera now
	}
	return p.kind
}

// locate tells what kind of source is meant.
func locate(source string) (place, error) {
	switch {
	case source == "":
		return place{}, errors.New("webcam: no camera is named: give a device (/dev/video0), a video file or an address")
	case strings.Contains(source, "://"):
		return place{kind: Address, port: source}, nil
	}
	if n, err := strconv.Atoi(source); err == nil && n >= 0 {
		return place{Device, devicePrefix + strconv.Itoa(n), n}, nil
	}
	if !strings.HasPrefix(source, "/dev/") {
		return place{kind: File, port: source}, nil
	}
	// Links such as those in /dev/v4l/by-id name a camera for good; what they
	// point at is opened.
	target := source
	if t, err := filepath.EvalSymlinks(source); err == nil {
		target = t
	}
	n, err := strconv.Atoi(strings.TrimPrefix(target, devicePrefix))
	if err != nil || n < 0 {
		return place{}, deviceMissing(source)
	}
	return place{Device, target, n}, nil
}
