//go:build !nocv

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"emolab/capture/face"
	"emolab/capture/frame"
	"emolab/capture/peer"
	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/browsertest"
	"emolab/studies/console"
	"emolab/studies/session"
)

const (
	peerToken = "a-token-for-the-tests-only"
	// patternBits are the bits of the number that is drawn in each picture, as squares of
	// patternSide px in its first row.
	patternBits, patternSide = 16, 32
	// picturesTaken is how many pictures a measurement takes.
	picturesTaken = 90
)

// picturePage mounts the console's own panel and reads the number of each picture that
// the browser shows, with the time at which it does.
const picturePage = `<!doctype html><html lang="en"><title>picture</title><link rel="icon" href="/console/favicon.svg"><div id="host"></div><script type="module">
import { mount } from "/console/panels/picture.js";
const host = document.getElementById("host");
window.panel = mount(host);
window.seen = [];
const video = host.querySelector("video");
const canvas = document.createElement("canvas");
const ctx = canvas.getContext("2d", { willReadFrequently: true });
const look = () => {
  const at = performance.timeOrigin + performance.now();
  canvas.width = video.videoWidth;
  canvas.height = %[2]d;
  ctx.drawImage(video, 0, 0);
  const row = ctx.getImageData(0, %[2]d / 2, canvas.width, 1).data;
  let n = 0;
  for (let i = 0; i < %[1]d; i++) if (row[4 * (i * %[2]d + %[2]d / 2)] > 127) n += 2 ** i;
  window.seen.push([n, at]);
  video.requestVideoFrameCallback(look);
};
video.requestVideoFrameCallback(look);
</script></html>`

// idle is a lab in which nothing happens. What it does not say here nobody asks it.
type idle struct{ console.Operator }

func (idle) Status() session.Status                              { return session.Status{Step: -1} }
func (idle) Sessions(context.Context) ([]session.Summary, error) { return nil, nil }

// numbered is a frame that shows its number.
func numbered(n int) frame.Frame {
	const width, height = 640, 480
	f := frame.Frame{Seq: int64(n), Width: width, Height: height, Pix: make([]byte, 3*width*height)}
	for i := range f.Pix {
		f.Pix[i] = byte(60 + (i/3%width+i/3/width+3*n)/8%100)
	}
	for bit := range patternBits {
		v := byte(20 + 215*(n>>bit&1))
		for y := range patternSide {
			row := f.Pix[3*(y*width+bit*patternSide):]
			for i := range 3 * patternSide {
				row[i] = v
			}
		}
	}
	return f
}

// TestPictureInABrowser has Chromium show the live picture by the console's own panel, and
// measures how late each picture is from the frame's coming to the browser's showing it.
func TestPictureInABrowser(t *testing.T) {
	clock := instant.Monotonic{}
	gate := peer.Gate{Since: func() instant.Instant { return 1 }, Blind: func() bool { return false }}
	picture, err := peer.NewPicture(gate, clock, peer.ThisMachine)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := picture.Close(); err != nil {
			t.Error(err)
		}
	})
	lab := console.New(console.Options{Operator: idle{}, Clock: clock, Token: peerToken, Picture: picture}).Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/picture":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, picturePage, patternBits, patternSide)
		case "/favicon.ico": // Chromium may ask for it, because a script has no icon of its own
			w.WriteHeader(http.StatusNoContent)
		default:
			lab.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)

	shown := make(map[int]time.Time) // when each number came
	var mu sync.Mutex
	ctx, stop := context.WithCancel(t.Context())
	var filming sync.WaitGroup
	filming.Go(func() {
		tick := time.NewTicker(time.Second / 30)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			f := numbered(n % (1 << patternBits))
			mu.Lock()
			shown[n] = time.Now()
			mu.Unlock()
			f.At = clock.Now()
			f.Arrival = f.At
			picture.Show(f, face.Result{})
		}
	})
	t.Cleanup(func() { stop(); filming.Wait() })

	page := browsertest.Start(t).Open(t, 800, 700)
	page.Go(server.URL + "/console/dom.js?token=" + peerToken) // the token becomes a cookie
	page.Go(server.URL + "/picture")
	page.Until(`document.getElementById("host").dataset.state === "live"`)
	browsertest.Value[int](page, `(window.seen.length = 0)`)
	page.Until(fmt.Sprintf(`window.seen.length >= %d`, picturesTaken))
	seen := browsertest.Value[[][2]float64](page, `window.seen`)
	page.Screenshot("picture-panel.png")

	var late []time.Duration
	mu.Lock()
	for _, s := range seen {
		if at, ok := shown[int(s[0])]; ok {
			late = append(late, time.Duration(s[1]*1e6)-time.Duration(at.UnixNano()))
		}
	}
	mu.Unlock()
	if len(late) < picturesTaken*9/10 {
		t.Fatalf("%d of %d pictures show a number that was drawn", len(late), len(seen))
	}
	slices.Sort(late)
	rate := float64(len(seen)-1) / (seen[len(seen)-1][1] - seen[0][1]) * 1e3
	t.Logf("%.1f pictures a second; from the frame to the screen: median %v, p95 %v, most %v", rate,
		late[len(late)/2].Round(time.Millisecond), late[len(late)*95/100].Round(time.Millisecond), late[len(late)-1].Round(time.Millisecond))
	if median := late[len(late)/2]; median < 0 || median > 2*time.Second {
		t.Errorf("the median is %v late", median)
	}

	// Hidden, nothing is asked of the server; and it comes back.
	browsertest.Value[bool](page, `(panel.next(), panel.next(), true)`)
	page.Until(`document.getElementById("host").dataset.state === "hidden"`)
	browsertest.Value[bool](page, `(panel.next(), true)`)
	page.Until(`document.getElementById("host").dataset.state === "live"`)
	browsertest.Value[bool](page, `(panel.unmount(), true)`)
}

// TestBrowserAsCamera has Chromium bring its camera, and the face pipeline behind it.
func TestBrowserAsCamera(t *testing.T) {
	r, err := realRig(labFile{Camera: cameraEntry{Source: browserCamera}}, detectorFlags{Detector: face.DetectorTiny}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(console.New(console.Options{Operator: idle{}, Clock: instant.Monotonic{}, Token: peerToken, Camera: r.remote}).Handler())
	t.Cleanup(server.Close)

	ctx, stop := context.WithCancel(t.Context())
	chunks, ran := make(chan stream.Chunk, 16), make(chan error, 1)
	go func() { ran <- r.sources[0].Run(ctx, chunks) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})

	page := browsertest.StartCamera(t).Open(t, 600, 800, "409") // while the lab does not know yet that the page before has gone
	page.Go(server.URL + "/camera?token=" + console.CameraToken(peerToken))
	page.Until(`document.body.dataset.state === "live"`)

	info := r.sources[0].Info()[0]
	var stamps []align.Stamp
	var pings []align.Ping
	var remarks []string
	live := align.NewLive(info)
	collect := func(enough func() bool) {
		t.Helper()
		for late := time.After(readyLimit); !enough(); {
			select {
			case c := <-chunks:
				stamps, pings = align.Stamps(stamps, c), align.Pings(pings, c)
				for _, e := range c.Events {
					remarks = append(remarks, string(e.Kind)+": "+e.Detail)
				}
				for _, s := range live.Align(c).Samples {
					if s.At > s.Arrival {
						t.Errorf("frame %d: taken %v after it came", s.Seq, s.At.Sub(s.Arrival))
					}
				}
			case <-late:
				t.Fatalf("%d frames and %d pings came; it is said: %q", len(stamps), len(pings), remarks)
			}
		}
	}
	collect(func() bool { return len(stamps) >= picturesTaken && len(pings) >= 16 })
	page.Screenshot("camera-page.png")

	line, err := align.Fit(info, stamps, pings)
	if err != nil {
		t.Fatal(err)
	}
	var delays []time.Duration
	for i, s := range stamps {
		at, bound := line.At(s.Epoch, line.Tick(s))
		if at > s.Arrival.Add(bound) {
			t.Errorf("frame %d was taken %v after it came", i, at.Sub(s.Arrival))
		}
		delays = append(delays, s.Arrival.Sub(at))
	}
	slices.Sort(delays)
	st := line.Statement()
	t.Logf("%d frames, %d lost, %d pings: taken within ±%.1f ms (%s); they came %v after (median), %v at least, %v at most",
		st.Samples, st.Lost, st.Pings, st.BoundMs, st.Method, delays[len(delays)/2], delays[0], delays[len(delays)-1])
	if delays[len(delays)/2] > 2*time.Second {
		t.Errorf("frames seem to take %v to come", delays[len(delays)/2])
	}
	if st.BoundMs < 1000./browserFPS || st.BoundMs > 500 {
		t.Errorf("the stated error is %.1f ms", st.BoundMs)
	}
	t.Logf("it is said: %q", remarks)

	// The page goes, and comes back: another run of its clock.
	page.Go(server.URL + "/camera")
	collect(func() bool { return len(stamps) > 0 && stamps[len(stamps)-1].Epoch >= 2 })
}

// fakedCamera lets a test say what becomes of whoever asks for the camera: mood is the name
// of the browser's error, "" for the camera itself.
const fakedCamera = `
globalThis.mood = "NotAllowedError";
const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (ask) navigator.mediaDevices.getUserMedia = async (wish) => {
	if (globalThis.mood) throw new DOMException("no camera", globalThis.mood);
	globalThis.taken = await ask(wish);
	return globalThis.taken;
};`

// The camera's page says what is wrong and what to do, looks again by itself where nobody
// has refused, and the lab is told when the camera is away.
func TestCameraPageSaysWhatIsWrong(t *testing.T) {
	remote, err := peer.NewRemote(instant.Monotonic{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := remote.Close(); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(console.New(console.Options{Operator: idle{}, Clock: instant.Monotonic{}, Token: peerToken, Camera: remote}).Handler())
	t.Cleanup(server.Close)
	at := browsertest.StartCamera(t).Open(t, 600, 800, "409")
	at.Before(fakedCamera)
	at.Go(server.URL + "/camera?token=" + console.CameraToken(peerToken))
	says := func(words string) {
		t.Helper()
		at.Until(fmt.Sprintf(`document.body.innerText.includes(%q)`, words))
	}
	do := func(script string) {
		t.Helper()
		browsertest.Value[bool](at, "("+script+", true)")
	}
	here := func(want bool) {
		t.Helper()
		for late := time.Now().Add(readyLimit); ; time.Sleep(pollEvery) {
			_, err := remote.Open()
			if (err == nil) == want {
				return
			}
			if time.Now().After(late) {
				t.Fatalf("the camera is here: want %v, got %v", want, err)
			}
		}
	}

	says("The camera was not allowed.")
	says("Allow it in the browser's settings")
	at.Screenshot("camera-refused.png")
	here(false)
	do(`mood = "NotFoundError"`)
	at.Do(chromedp.Click("#again"))
	says("There is no camera on this device.")
	do(`mood = ""`)
	do(`navigator.mediaDevices.dispatchEvent(new Event("devicechange"))`) // it is plugged in
	at.Until(`document.body.dataset.state === "live" && document.getElementById("again").hidden`)
	here(true)

	do(`mood = "NotReadableError"`)
	do(`taken.getTracks().forEach((track) => track.stop())`) // and pulled out
	says("Another program has the camera.")
	here(false)
	do(`mood = ""`) // nobody presses anything
	at.Until(`document.body.dataset.state === "live"`)
	here(true)

	do(`Object.defineProperty(taken.getVideoTracks()[0], "muted", { configurable: true, get: () => true })`)
	says("The camera gives no pictures.")
	do(`delete taken.getVideoTracks()[0].muted`)
	at.Until(`document.body.dataset.state === "live" && document.body.dataset.dim === undefined`)

	// Whoever sits there must not watch themselves, and the preview goes on telling the time.
	at.Until(`document.body.dataset.dim === "true" && getComputedStyle(document.getElementById("preview")).opacity === "0"`)
	browsertest.Value[bool](at, `new Promise((on) => document.getElementById("preview").requestVideoFrameCallback(() =>
		document.getElementById("preview").requestVideoFrameCallback(() => on(true))))`)
	at.Do(chromedp.Click("h1"))
	at.Until(`document.body.dataset.dim === undefined`)
}
