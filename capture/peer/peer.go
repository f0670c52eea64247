// Package peer is the lab's half of WebRTC: the participant live in any number of
// consoles (Picture), and the camera of another browser as a source of frames
// (Remote).
//
// Offers come in and answers go out whole, over whatever brings them; pictures travel
// encrypted by UDP between the two ends and by nobody else's server.
package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v3"

	"emolab/capture/vp8"
)

// Reach tells of an address of this machine whether browsers may connect there.
type Reach func(net.IP) bool

// ThisMachine lets in browsers that run beside this program.
func ThisMachine(at net.IP) bool { return at.IsLoopback() }

// Network lets in those of other machines too, by all addresses of this one.
func Network(net.IP) bool { return true }

// Through lets in those of other machines by one address only.
func Through(address net.IP) Reach {
	return func(at net.IP) bool { return at.IsLoopback() || at.Equal(address) }
}

const (
	// payloadType is the number by which both ends call VP8.
	payloadType = 96
	// silence is after how long without a word an end has gone: a wireless network may be
	// away for a second or two. Both ends connect again by themselves.
	silence = 4 * time.Second
	// alive is how often an end says that it is there.
	alive = time.Second
	// connecting is how long a browser may take from the answer to the first packet.
	connecting = 20 * time.Second

	// captureTime is the header in which a browser says when it took a frame.
	captureTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
)

// vp8Codec is the one codec that is spoken.
var vp8Codec = webrtc.RTPCodecCapability{
	MimeType: webrtc.MimeTypeVP8, ClockRate: vp8.ClockRate,
	RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "goog-remb"}},
}

// newAPI makes what connections are made of.
func newAPI(reach Reach) (*webrtc.API, error) {
	var settings webrtc.SettingEngine
	settings.SetIPFilter(reach)
	return apiOf(settings)
}

// apiOf adds to settings what all connections have in common.
func apiOf(settings webrtc.SettingEngine) (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: vp8Codec, PayloadType: payloadType}, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	if err := media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: captureTime}, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	// The usual ones: lost packets are sent again, and both ends report what came.
	registry := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(media, registry); err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	// What goes wrong is seen in the connection's state; the library's own words are for
	// its authors.
	settings.LoggerFactory = &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled) // names nobody here has to find
	settings.SetICETimeouts(silence, silence, alive)
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings)), nil
}

// ErrOffer is the answer to something that is no offer of a video.
var ErrOffer = errors.New("this is no offer of WebRTC that can be answered: the browser has to speak VP8")

// complete answers an offer, with all addresses in the answer.
func complete(ctx context.Context, pc *webrtc.PeerConnection, offer string) (string, error) {
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", fmt.Errorf("%w (%w)", ErrOffer, err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w (%w)", ErrOffer, err)
	}
	if err := pc.SetLocalDescription(answer); err != nil {
		return "", fmt.Errorf("peer: %w", err)
	}
	select {
	case <-gathered:
		return pc.LocalDescription().SDP, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// ended is closed once a connection is over, or has not come about in time. begun is
// called when it has, and must not wait.
func ended(pc *webrtc.PeerConnection, begun func()) <-chan struct{} {
	over := make(chan struct{})
	end := sync.OnceFunc(func() { close(over) })
	late := time.AfterFunc(connecting, end)
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			late.Stop()
			begun()
		case webrtc.PeerConnectionStateDisconnected, webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			late.Stop()
			end()
		}
	})
	return over
}
