package main

import (
	"fmt"
	"io"
	"net"

	"emolab/capture/face"
	"emolab/capture/peer"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/console"
	"emolab/studies/session"
)

const (
	// browserCamera stands for a camera's name where the camera is that of a browser.
	browserCamera = "browser"
	// browserFPS is what a browser is asked for.
	browserFPS = 30
)

// addBrowser puts the face pipeline behind the camera of whichever browser opens the
// camera's page. Its frames are stamped by that browser's clock, which is asked for.
func (r *rig) addBrowser(entry cameraEntry) error {
	remote, err := peer.NewRemote(instant.Monotonic{})
	if err != nil {
		return err
	}
	r.remote = remote
	r.closers = append(r.closers, remote)
	info := face.SourceInfo{
		Device: "browser's camera", Port: "/camera", Rate: browserFPS,
		Clock: stream.PingedClock, TickHz: peer.TickHz,
		Probes: remote.Probes(), Events: remote.Events(),
		Reopen: func() (face.Camera, error) { return remote.Open() },
	}
	if entry.FPS > 0 {
		info.Rate = entry.FPS
	}
	return r.addCamera(absent{peer.ErrNobody}, info)
}

// reach is where browsers may connect: where the pages are served.
func (o applianceOptions) reach() peer.Reach {
	if o.secure == nil {
		return peer.ThisMachine
	}
	if loopback, err := isLoopback(o.secure.listen); loopback || err != nil {
		return peer.ThisMachine
	}
	host, _, _ := net.SplitHostPort(o.secure.listen) // isLoopback has split it
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		return peer.Through(ip)
	}
	return peer.Network
}

// newPicture makes the live picture of the lab's camera; nil where there is none to show.
func newPicture(o applianceOptions, m *session.Manager, clock instant.Clock) (*peer.Picture, error) {
	if o.rig.tap == nil || peer.Err() != nil {
		return nil, nil
	}
	picture, err := peer.NewPicture(peer.Gate{Since: m.RecordingSince, Blind: m.Blinded}, clock, o.reach())
	if err != nil {
		return nil, err
	}
	o.rig.seen = picture.Show
	return picture, nil
}

// printCamera prints what a person opens on the device whose camera is the lab's, at an
// address of the pages.
func (a *appliance) printCamera(out io.Writer, address string) {
	if a.remote != nil {
		fmt.Fprintf(out, "  camera       %s/camera?token=%s\n", address, console.CameraToken(a.token))
	}
}
