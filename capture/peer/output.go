package peer

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"

	"emolab/capture/vp8"
	"emolab/fusion/instant"
)

const (
	// mtu is the size of a packet: what passes everywhere, with room for encryption.
	mtu = 1200
	// keyPause is the least time between two key frames that were asked for. They are
	// several times as large as others, and one serves all who ask.
	keyPause = 400 * time.Millisecond
)

// codecErr tells why this build has no codec.
func codecErr() error {
	e, err := vp8.NewEncoder(2, 2)
	if err != nil {
		return err
	}
	e.Close()
	return nil
}

// output is one look, encoded once for all who watch it. Only viewers and wanted are
// used by others than Picture.run.
type output struct {
	track   *webrtc.TrackLocalStaticRTP
	viewers atomic.Int32
	wanted  atomic.Bool // a key frame, by somebody

	packets       rtp.Packetizer
	encoder       *vp8.Encoder // nil while nobody watches
	width, height int          // of its pictures
	key           instant.Instant
	last          int64 // RTP time of the last picture
}

func newOutput(look Look) (*output, error) {
	track, err := webrtc.NewTrackLocalStaticRTP(vp8Codec, "participant", string(look))
	if err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	// The number of the source is another for each viewer; the track puts it in.
	packets := rtp.NewPacketizer(mtu, payloadType, rand.Uint32(), &codecs.VP8Payloader{EnablePictureID: true},
		rtp.NewRandomSequencer(), vp8.ClockRate)
	return &output{track: track, packets: packets}, nil
}

// restart has the next picture encoded without any before it.
func (o *output) restart() {
	if o.encoder != nil {
		o.encoder.Close()
		o.encoder = nil
	}
}

// encode encodes a picture that is shown at an instant; empty where that failed, or where
// the encoder leaves it out. A picture that cannot be encoded costs a session nothing:
// the page says that none comes.
func (o *output) encode(c *canvas, at instant.Instant) []byte {
	if o.encoder == nil || o.width != c.width || o.height != c.height {
		o.restart()
		encoder, err := vp8.NewEncoder(c.width, c.height)
		if err != nil {
			return nil
		}
		o.encoder, o.width, o.height, o.key = encoder, c.width, c.height, 0
	}
	rtpTime := int64(at) / int64(time.Millisecond) * (vp8.ClockRate / 1000)
	key := o.key == 0 || at.Sub(o.key) >= keyPause && o.wanted.Swap(false)
	b, err := o.encoder.Encode(c.pix, rtpTime, key)
	if err != nil || len(b) == 0 {
		if key {
			o.wanted.Store(true)
		}
		return nil
	}
	if vp8.IsKey(b) {
		o.key = at
	}
	o.packets.SkipSamples(uint32(rtpTime - o.last)) // wraps, as RTP's time does
	o.last = rtpTime
	return b
}

// send sends an encoded picture to all who watch. Writing to a socket does not wait; to
// whom it fails will be found to have gone.
func (o *output) send(encoded []byte) {
	for _, p := range o.packets.Packetize(encoded, 0) {
		_ = o.track.WriteRTP(p)
	}
}
