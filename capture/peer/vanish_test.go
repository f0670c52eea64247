//go:build !nocv

package peer

import (
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/pion/logging"
	"github.com/pion/webrtc/v3"

	"emolab/capture/face"
	"emolab/capture/frame"
	"emolab/fusion/instant"
)

// cut connects a browser by a socket that can be closed under it: it vanishes without a
// word, as a tablet does whose battery is empty.
func cut(t *testing.T) (b browser, vanish func()) {
	t.Helper()
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var settings webrtc.SettingEngine
	quiet := logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled}
	mux := webrtc.NewICEUDPMux(quiet.NewLogger("mux"), socket)
	settings.SetICEUDPMux(mux)
	api, err := apiOf(settings)
	if err != nil {
		t.Fatal(err)
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	b = browser{t, pc}
	t.Cleanup(func() {
		_ = pc.GracefulClose() // its socket has gone
		_ = mux.Close()
	})
	return b, func() { _ = socket.Close() }
}

// Who vanishes without a word is forgotten, and nothing of them stays behind.
func TestWhoVanishesLeavesNothing(t *testing.T) {
	var g gates
	g.since.Store(1)
	p := newTestPicture(t, &g)
	r := newTestRemote(t)
	film(t, p, func() (frame.Frame, face.Result) { return plain(320, 240, light), face.Result{} })
	before := runtime.NumGoroutine()
	t.Run("vanishing", func(t *testing.T) { // the other end's own work is over with it
		viewer, viewerVanishes := cut(t)
		pictures := viewer.watch()
		if err := viewer.call(func(offer string) (string, error) { return p.Answer(within(t), offer, string(Clear), always) }); err != nil {
			t.Fatal(err)
		}
		until(t, "of the person", pictures, isPerson, nil)
		camera, cameraVanishes := cut(t)
		filming(t, camera, func(int) bool { return false })
		if err := offer(t, r, camera); err != nil {
			t.Fatal(err)
		}
		cam := open(t, r)
		frames, ran := make(chan frame.Frame, 1000), make(chan error, 1)
		go func() { ran <- cam.Run(t.Context(), frames) }()
		select {
		case <-frames:
		case err := <-ran:
			t.Fatal(err)
		}
		gone := instant.Monotonic{}.Now()
		viewerVanishes()
		cameraVanishes()
		waitFor(t, "the viewer is forgotten", func() bool { return p.watched.Load() == 0 })
		if err := <-ran; err == nil || !strings.Contains(err.Error(), "has gone") {
			t.Errorf("the camera ended with %v", err)
		}
		waitFor(t, "the camera's place is free", func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.link == nil
		})
		if took := (instant.Monotonic{}).Now().Sub(gone); took > 4*silence {
			t.Errorf("it took %v to notice", took)
		}
	})
	waitFor(t, "as much goes on as before", func() bool { return runtime.NumGoroutine() <= before })
}

// Browsers are told no address but those at which they may connect, and nobody else is
// asked for one.
func TestOnlyAddressesThatAreServed(t *testing.T) {
	candidates := func(reach Reach) (at []net.IP) {
		p, err := NewPicture((&gates{}).gate(), instant.Monotonic{}, reach)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		b := newBrowser(t)
		b.watch()
		err = b.call(func(offer string) (string, error) {
			answer, err := p.Answer(within(t), offer, string(Clear), always)
			for line := range strings.Lines(answer) {
				if f := strings.Fields(line); strings.HasPrefix(line, "a=candidate:") {
					at = append(at, net.ParseIP(f[4]))
					if kind := f[7]; kind != "host" {
						t.Errorf("an address of kind %s: %s", kind, line)
					}
				}
			}
			return answer, err
		})
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	here := candidates(ThisMachine)
	if len(here) == 0 {
		t.Fatal("nobody can connect")
	}
	for _, ip := range here {
		if !ip.IsLoopback() {
			t.Errorf("this machine's browsers are told %v", ip)
		}
	}
	all := candidates(Network)
	for _, one := range all {
		if one.IsLoopback() {
			continue
		}
		for _, ip := range candidates(Through(one)) {
			if !ip.IsLoopback() && !ip.Equal(one) {
				t.Errorf("served at %v, browsers are told %v", one, ip)
			}
		}
	}
	if len(all) < len(here) {
		t.Errorf("%v in the network, %v here", all, here)
	}
}
