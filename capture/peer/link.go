package peer

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"

	"emolab/capture/vp8"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// waitingFrames is how many frames may wait to be decoded. When they are too many, all
	// up to the next key frame are left out.
	waitingFrames = 8
	// askPause is the least time between two requests for a key frame.
	askPause = 500 * time.Millisecond
)

// link is the connection to a browser that offers its camera.
type link struct {
	clock  instant.Clock
	pc     *webrtc.PeerConnection
	device string
	over   chan struct{} // closed when it is
	taken  atomic.Bool   // a track has come: of several the first counts
	asking atomic.Bool   // a clock channel has come; likewise

	frames chan encodedFrame
	probes chan stream.Probe
	pages  chan int64 // when frames were taken, by the page's clock

	work sync.WaitGroup

	mu      sync.Mutex
	ended   bool
	live    bool // packets come
	watched bool // somebody takes the frames
	needKey bool // none is given before a key frame
	asked   instant.Instant
	ssrc    webrtc.SSRC
	stamps  stamps
	pings   pings
}

func newLink(clock instant.Clock, pc *webrtc.PeerConnection, device string) *link {
	return &link{
		clock: clock, pc: pc, device: device, over: make(chan struct{}),
		frames: make(chan encodedFrame, waitingFrames),
		probes: make(chan stream.Probe, waitingProbes), pages: make(chan int64, waitingProbes),
	}
}

// listen takes what the browser sends, from when it is connected until end.
func (l *link) listen() {
	l.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		if track.Kind() != webrtc.RTPCodecTypeVideo || l.taken.Swap(true) {
			return
		}
		l.start(func() { l.read(track, receiver) })
		l.start(func() { l.reports(receiver) })
	})
	l.pc.OnDataChannel(func(d *webrtc.DataChannel) {
		if d.Label() != clockLabel || l.asking.Swap(true) {
			return
		}
		d.OnMessage(func(m webrtc.DataChannelMessage) {
			l.hear(m.Data, l.clock.Now()) // first thing
		})
		d.OnOpen(func() { l.start(func() { l.ping(d) }) })
	})
}

// start does work that end waits for, unless it is the end.
func (l *link) start(work func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.work.Go(work)
	}
}

// end closes the connection and waits for all that listens to it.
func (l *link) end() {
	l.mu.Lock()
	l.ended, l.live = true, false
	l.mu.Unlock()
	close(l.over)
	_ = l.pc.GracefulClose() // it is over, whatever its end was like
	l.work.Wait()
}

// here tells whether pictures come.
func (l *link) here() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.live
}

// read takes the packets of the camera's track until it ends.
func (l *link) read(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	var header uint8 // in which capture times are stated; 0 = in none
	for _, e := range receiver.GetParameters().HeaderExtensions {
		if e.URI == captureTime {
			header = uint8(e.ID)
		}
	}
	a := newAssembler()
	for {
		p, _, err := track.ReadRTP()
		arrival := l.clock.Now()
		if err != nil {
			return
		}
		l.came(p.SSRC)
		if header != 0 {
			if ntp, ok := statedTime(p.GetExtension(header)); ok {
				l.state(perFrame, ntp, p.Timestamp)
			}
		}
		for _, f := range a.push(packet{*p, arrival}) {
			l.offer(f)
		}
		if a.needKey {
			l.askKey()
		}
	}
}

func (l *link) came(ssrc uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live, l.ssrc = true, webrtc.SSRC(ssrc)
}

// reports reads when the browser says that frames were taken, in its reports.
func (l *link) reports(receiver *webrtc.RTPReceiver) {
	for {
		packets, _, err := receiver.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			if report, ok := p.(*rtcp.SenderReport); ok && report.NTPTime != 0 {
				l.state(perReport, report.NTPTime, report.RTPTime)
			}
		}
	}
}

func (l *link) state(from origin, ntp uint64, rtp uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stamps.state(from, ntp, rtp)
}

// tick is when a frame was taken, by the browser's clock, and how that is known.
func (l *link) tick(rtp uint32) (tick int64, from origin) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stamps.at(rtp), l.stamps.origin
}

// offer hands a frame to whoever takes them. It does not wait.
func (l *link) offer(f encodedFrame) {
	if l.handOn(f) {
		return
	}
	l.askKey()
}

// handOn tells whether the frame was handed on, or nobody wants it.
func (l *link) handOn(f encodedFrame) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.watched {
		l.needKey = true
		return true
	}
	if l.needKey && !vp8.IsKey(f.data) {
		return false
	}
	select {
	case l.frames <- f:
		l.needKey = false
		return true
	default:
		l.needKey = true
		return false
	}
}

// watch begins or ends the handing on of frames.
func (l *link) watch(on bool) {
	l.mu.Lock()
	l.watched, l.needKey = on, true
	l.mu.Unlock()
	if on {
		l.askKey()
	}
}

// askKey asks the browser for a key frame, but not too often.
func (l *link) askKey() {
	l.mu.Lock()
	now, ssrc := l.clock.Now(), l.ssrc
	soon := ssrc == 0 || l.asked != 0 && now.Sub(l.asked) < askPause
	if !soon {
		l.asked = now
	}
	l.mu.Unlock()
	if !soon {
		// If it is lost the next frame that cannot be used asks again.
		_ = l.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(ssrc)}})
	}
}

// hear takes what the page says over its clock channel; t3 is when that came. What makes
// no sense is passed over: it costs a probe.
func (l *link) hear(text []byte, t3 instant.Instant) {
	var m said
	if len(text) > maxSaid || json.Unmarshal(text, &m) != nil {
		return
	}
	switch m.Type {
	case "pong":
		l.mu.Lock()
		probe, asked := l.pings.answered(m, t3)
		l.mu.Unlock()
		if asked {
			keep(l.probes, probe)
		}
	case "captured":
		keep(l.pages, m.At)
	}
}

// keep leaves v in c, if there is room.
func keep[T any](c chan T, v T) {
	select {
	case c <- v:
	default: // nobody takes them at present, and there will be others
	}
}

// ping asks the page for its clock until the connection is over.
func (l *link) ping(d *webrtc.DataChannel) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		select {
		case <-l.over:
			return
		case <-wait.C:
		}
		l.mu.Lock()
		text, pause := l.pings.ask(l.clock.Now()) // the last thing before it goes
		l.mu.Unlock()
		if d.SendText(text) != nil {
			return
		}
		wait.Reset(pause)
	}
}
