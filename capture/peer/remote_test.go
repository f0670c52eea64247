//go:build !nocv

package peer

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"

	"emolab/capture/frame"
	"emolab/capture/vp8"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// farClock is how far the clock of the test's browser is from the host's: µs.
const farClock = 3_600_000_000

// farTicks is an instant on the clock of the test's browser.
func farTicks(at instant.Instant) int64 { return int64(at)/1000 + farClock }

// filming is a browser that shows its camera until the test ends, and answers clock pings.
// Pictures are grey 0, 5, 10, and so on; leave tells which are not sent.
func filming(t *testing.T, b browser, leave func(n int) bool) {
	t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(vp8Codec, "camera", "camera")
	if err != nil {
		t.Fatal(err)
	}
	sender, err := b.pc.AddTrack(track)
	if err != nil {
		t.Fatal(err)
	}
	clock, err := b.pc.CreateDataChannel(clockLabel, nil)
	if err != nil {
		t.Fatal(err)
	}
	clock.OnMessage(func(m webrtc.DataChannelMessage) {
		rx := farTicks(instant.Monotonic{}.Now())
		var ping said
		if json.Unmarshal(m.Data, &ping) != nil || ping.Type != "ping" {
			t.Errorf("asked %q", m.Data)
		}
		pong, _ := json.Marshal(said{Type: "pong", ID: ping.ID, Rx: rx, Tx: farTicks(instant.Monotonic{}.Now())})
		_ = clock.SendText(string(pong)) // the end of the test may have come
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	asked := make(chan struct{}, 1)
	go func() {
		for {
			packets, _, err := sender.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				if asksForKey(p) {
					select {
					case asked <- struct{}{}:
					default:
					}
				}
			}
		}
	}()
	go func() {
		defer close(ended)
		roll(t, ctx, sender, track, asked, leave)
	}()
	t.Cleanup(func() { stop(); <-ended })
}

// roll sends pictures 30 times a second.
func roll(t *testing.T, ctx context.Context, sender *webrtc.RTPSender, track *webrtc.TrackLocalStaticRTP, asked <-chan struct{}, leave func(n int) bool) {
	encoder, err := vp8.NewEncoder(64, 48)
	if err != nil {
		t.Error(err)
		return
	}
	defer encoder.Close()
	packets := rtp.NewPacketizer(mtu, payloadType, 1, &codecs.VP8Payloader{EnablePictureID: true}, rtp.NewRandomSequencer(), vp8.ClockRate)
	tick := time.NewTicker(time.Second / 30)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f := plain(64, 48, byte(5*(n%50)))
		key := false
		select {
		case <-asked:
			key = true
		default:
		}
		ticks := farTicks(f.At)
		data, err := encoder.Encode(f.Pix, int64(n)*3000, key)
		if err != nil {
			t.Error(err)
			return
		}
		all := packets.Packetize(data, 3000)
		if leave(n) {
			continue
		}
		for i, p := range all {
			for _, e := range sender.GetParameters().HeaderExtensions {
				if e.URI != captureTime || i < len(all)-1 {
					continue
				}
				var stated [16]byte
				us := uint64(ticks) % TickHz
				binary.BigEndian.PutUint64(stated[:], uint64(ticks/TickHz+ntpEpoch)<<32|us<<32/TickHz)
				if err := p.SetExtension(uint8(e.ID), stated[:]); err != nil {
					t.Error(err)
				}
			}
			if track.WriteRTP(p) != nil {
				return
			}
		}
	}
}

func newTestRemote(t *testing.T) *Remote {
	t.Helper()
	r, err := NewRemote(instant.Monotonic{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func offer(t *testing.T, r *Remote, b browser) error {
	t.Helper()
	return b.call(func(sdp string) (string, error) { return r.Answer(within(t), sdp, "Test\x00 camera  of\nGo") })
}

// open waits for the camera.
func open(t *testing.T, r *Remote) *Camera {
	t.Helper()
	var cam *Camera
	waitFor(t, "a browser shows its camera", func() (ok bool) {
		var err error
		cam, err = r.Open()
		return err == nil
	})
	return cam
}

// A browser's frames come with the times at which they were taken, by its own clock, and
// with what relates that to the lab's.
func TestABrowsersCamera(t *testing.T) {
	r := newTestRemote(t)
	if _, err := r.Open(); !errors.Is(err, ErrNobody) {
		t.Errorf("a camera where there is none: %v", err)
	}
	b := newBrowser(t)
	var leave atomic.Bool // out the next frame
	filming(t, b, func(int) bool { return leave.CompareAndSwap(true, false) })
	if err := offer(t, r, b); err != nil {
		t.Fatal(err)
	}
	cam := open(t, r)
	if err := offerOnce(t, r); !errors.Is(err, ErrTaken) {
		t.Errorf("a second camera: %v", err)
	}

	frames, ran := make(chan frame.Frame), make(chan error, 1)
	go func() { ran <- cam.Run(t.Context(), frames) }()
	last := frame.Frame{Seq: -1}
	holes := 0
	for n := range 90 {
		var f frame.Frame
		select {
		case f = <-frames:
		case err := <-ran:
			t.Fatal(err)
		case <-time.After(deadline):
			t.Fatalf("frame %d does not come", n)
		}
		if n == 0 && f.Seq != 0 || f.Seq <= last.Seq || f.Tick <= last.Tick || f.Width != 64 || len(f.Pix) != 3*64*48 {
			t.Fatalf("frame %d after %d, at tick %d after %d, of %dx%d", f.Seq, last.Seq, f.Tick, last.Tick, f.Width, f.Height)
		}
		holes += int(f.Seq - last.Seq - 1)
		if took := farTicks(f.Arrival) - f.Tick; took < 0 || took > 5*TickHz {
			t.Fatalf("frame %d came %d µs after it was taken", n, took)
		}
		if f.At > f.Arrival {
			t.Fatalf("frame %d was taken %v after it came", n, f.At.Sub(f.Arrival))
		}
		last = f
		if n == 30 {
			leave.Store(true)
		}
	}
	if holes < 1 {
		t.Error("a frame that was never sent is not missing")
	}
	if p := <-r.Probes(); p.T3 < p.T0 || p.Rx < farTicks(p.T0) || p.Tx > farTicks(p.T3) {
		t.Errorf("the probe %+v is of another clock", p)
	}
	if e := <-r.Events(); e.Kind != stream.Marker || !strings.Contains(e.Detail, "Test camera of Go") || !strings.Contains(e.Detail, string(perFrame)) {
		t.Errorf("it is said: %+v", e)
	}

	// It goes away, and another may come.
	b.close()
	select {
	case err := <-ran:
		if !errors.Is(err, ErrGone) {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(deadline):
		t.Fatal("nobody noticed that the browser has gone")
	}
	waitFor(t, "the place is free", func() bool { return !errors.Is(offerOnce(t, r), ErrTaken) })
}

// offerOnce offers something that is no camera.
func offerOnce(t *testing.T, r *Remote) error {
	_, err := r.Answer(within(t), "v=0", "none")
	return err
}

func TestNamed(t *testing.T) {
	for device, want := range map[string]string{
		"FaceTime HD, Chrome 151 on Mac": "FaceTime HD, Chrome 151 on Mac",
		"\x1b[31m\x00\xff":               "[31m", "": "unnamed camera",
		strings.Repeat("é", 500): strings.Repeat("é", maxDevice),
	} {
		if got := named(device); got != want {
			t.Errorf("%q is called %q, want %q", device, got, want)
		}
	}
}
