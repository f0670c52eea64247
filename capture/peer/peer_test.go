//go:build !nocv

package peer

import (
	"context"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"emolab/capture/frame"
	"emolab/capture/vp8"
	"emolab/fusion/instant"
)

// deadline ends a test that waits for something which does not come.
const deadline = 30 * time.Second

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	return ctx
}

// browser is the other end, without a browser.
type browser struct {
	t  *testing.T
	pc *webrtc.PeerConnection
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	api, err := newAPI(ThisMachine)
	if err != nil {
		t.Fatal(err)
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	b := browser{t, pc}
	t.Cleanup(b.close)
	return b
}

func (b browser) close() {
	if err := b.pc.GracefulClose(); err != nil {
		b.t.Error(err)
	}
}

// call makes an offer, has it answered, and connects.
func (b browser) call(answer func(offer string) (string, error)) error {
	b.t.Helper()
	gathered := webrtc.GatheringCompletePromise(b.pc)
	offer, err := b.pc.CreateOffer(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.pc.SetLocalDescription(offer); err != nil {
		b.t.Fatal(err)
	}
	<-gathered
	sdp, err := answer(b.pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	if err := b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
		b.t.Fatal(err)
	}
	return nil
}

// decoded is a picture that came, and the RTP time that it came with.
type decoded struct {
	vp8.Picture
	rtp uint32
}

// grey is the mean of a square around a place of the picture.
func (d decoded) grey(x, y int) int {
	sum := 0
	for dy := -2; dy <= 2; dy++ {
		for dx := -2; dx <= 2; dx++ {
			at := 3 * ((y+dy)*d.Width + x + dx)
			sum += int(d.Pix[at]) + int(d.Pix[at+1]) + int(d.Pix[at+2])
		}
	}
	return sum / 75
}

// watch shows the pictures that come until the browser is closed; nobody has to take
// them.
func (b browser) watch() <-chan decoded {
	b.t.Helper()
	if _, err := b.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		b.t.Fatal(err)
	}
	pictures := make(chan decoded, 1000)
	b.pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		decoder, err := vp8.NewDecoder()
		if err != nil {
			b.t.Error(err)
			return
		}
		defer decoder.Close()
		a := newAssembler()
		var asked time.Time // for a key frame
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			for _, f := range a.push(packet{*p, instant.Monotonic{}.Now()}) {
				picture, shown, err := decoder.Decode(f.data)
				if err != nil || !shown {
					b.t.Errorf("a picture that cannot be decoded: shown %v, %v", shown, err)
					continue
				}
				select {
				case pictures <- decoded{picture, f.rtp}:
				default:
				}
			}
			if a.needKey && time.Since(asked) > 100*time.Millisecond {
				asked = time.Now()
				if b.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: p.SSRC}}) != nil {
					return
				}
			}
		}
	})
	return pictures
}

// plain is a frame of one grey, taken now.
func plain(width, height int, grey byte) frame.Frame {
	now := instant.Monotonic{}.Now()
	f := frame.Frame{At: now, Arrival: now, Width: width, Height: height, Pix: make([]byte, 3*width*height)}
	for i := range f.Pix {
		f.Pix[i] = grey
	}
	return f
}
