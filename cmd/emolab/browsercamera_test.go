//go:build !nocv

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"emolab/capture/face"
	"emolab/capture/frame"
	"emolab/capture/record"
	"emolab/capture/vp8"
	"emolab/capture/webcam"
	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/access"
	"emolab/studies/browsertest"
	"emolab/studies/console"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

const (
	filmWidth, filmHeight = 640, 480
	// filmStripe is how many lines at the top of the film have one colour, so that a picture
	// of it is found again in bytes that nobody encoded.
	filmStripe = 48
	// filmFrames is how many pictures of a clip are taken into the film, there and back.
	filmFrames = 60
)

var filmColour = color.RGBA{R: 40, G: 90, B: 200, A: 255}

// faceFilm makes a film of a clip for a browser's fake camera, and returns its file.
func faceFilm(t *testing.T, clip string) string {
	t.Helper()
	cam, err := webcam.Open(webcam.Options{Source: clip, Pace: webcam.Unpaced}, instant.Monotonic{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, enough := context.WithCancel(t.Context())
	frames, ended := make(chan frame.Frame), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(frames)
		_ = cam.Run(ctx, frames) // it ends with the clip, or because there are enough
	}()
	var pictures [][]byte
	for f := range frames {
		if len(pictures) == filmFrames {
			enough()
			continue
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, onFilm(f), nil); err != nil {
			t.Error(err)
		}
		pictures = append(pictures, b.Bytes())
	}
	enough()
	<-ended
	if err := cam.Close(); err != nil {
		t.Error(err)
	}
	if len(pictures) == 0 {
		t.Fatalf("%s has no pictures", clip)
	}
	back := slices.Clone(pictures)
	slices.Reverse(back) // so that the face does not jump
	path := filepath.Join(t.TempDir(), "face.mjpeg")
	if err := os.WriteFile(path, bytes.Join(slices.Concat(pictures, back), nil), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// onFilm is a frame of the clip below the stripe.
func onFilm(f frame.Frame) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, filmWidth, filmHeight))
	scale := min(float64(filmWidth)/float64(f.Width), float64(filmHeight-filmStripe)/float64(f.Height))
	for y := range filmHeight {
		for x := range filmWidth {
			img.SetRGBA(x, y, filmColour)
			if sx, sy := int(float64(x)/scale), int(float64(y-filmStripe)/scale); y >= filmStripe && sx < f.Width && sy < f.Height {
				p := f.Pix[3*(sy*f.Width+sx):]
				img.SetRGBA(x, y, color.RGBA{R: p[2], G: p[1], B: p[0], A: 255})
			}
		}
	}
	return img
}

// browserLab is a lab whose camera is a browser's.
type browserLab struct {
	*appliance
	t   *testing.T
	dir string

	mu   sync.Mutex
	last frame.Frame // that was analysed
}

const filmedStudy = `
id: filmed
languages: [en]
consent:
  scopes: {traces: {required: true}, face_video: {required: false}}
  retain: {traces: 24m, face_video: 30d}
devices: {camera: {required: true}}
thresholds: {max_sync_error_ms: 2000} # on a busy machine, too
stimuli: {folder: stimuli, list: [{id: silk}]}
flow:
  - consent
  - block: {trial: [play, rest: 1s]}
`

// openBrowserLab starts what serve --virtual --camera browser starts.
func openBrowserLab(t *testing.T) *browserLab {
	t.Helper()
	home := t.TempDir()
	if _, err := study.WriteExample(home); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "filmed.yaml")
	if err := os.WriteFile(file, []byte(filmedStudy), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := study.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := virtualRig(t.Context(), virtualFlags{Seed: 1, DriftPPM: 500, Batch: 4 * time.Millisecond, Devices: []string{"emobox"}},
		browserCamera, detectorFlags{Detector: face.DetectorTiny})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	token, err := access.NewToken()
	if err != nil {
		t.Fatal(err)
	}
	l := &browserLab{t: t, dir: t.TempDir()}
	l.appliance, err = assemble(t.Context(), applianceOptions{
		dir: l.dir, study: st, rig: r, listen: "127.0.0.1:0", token: token,
		log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	shown := r.seen
	r.seen = func(f frame.Frame, found face.Result) {
		l.mu.Lock()
		l.last = f
		l.mu.Unlock()
		if shown != nil {
			shown(f, found)
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- l.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l
}

// records sends a participant through a session, who allows the video of their face or does
// not. It calls during again and again while it goes on, and returns the session's id.
func (l *browserLab) records(p reader, participant string, video bool, during func()) string {
	l.t.Helper()
	id, err := l.manager.Start(l.t.Context(), session.Request{Participant: participant})
	if err != nil {
		l.t.Fatal(err)
	}
	over := make(chan session.Outcome, 1)
	go func() {
		out, err := l.manager.Wait(context.WithoutCancel(l.t.Context()))
		if err != nil {
			l.t.Error(err)
		}
		over <- out
	}()
	p.confirms()
	p.to("notice")
	p.goes(1)
	p.to("consent")
	p.tick("traces", "")
	if video {
		p.tick(study.FaceVideoScope, "")
	}
	p.goes(1)
	p.hears()
	for look := time.Tick(pollEvery); ; {
		select {
		case out := <-over:
			if out.State != session.Sealed || out.Error != "" {
				l.t.Fatalf("the session of %s ended as %+v", participant, out)
			}
			return id
		case <-look:
			during()
			if s := l.manager.Status(); s.Ready && s.State != session.Recording {
				// Refused in the moment in which it has begun.
				_ = l.manager.Begin(session.Beginning{Confirm: participant, Override: "what a busy machine lacks is no matter here"})
			}
			// What there is to be read is read, until the page waits for somebody else.
			browsertest.Value[bool](p.Page, `document.body.dataset.view !== "sheet" || (document.querySelector("#sheet .buttons button:nth-child(1)")?.click(), true)`)
		}
	}
}

// faceRow is a frame's row, and whether a face was found.
type faceRow struct {
	store.Row
	found bool
}

// faceRows reads the rows of a session's faces, and holds their times against each other.
func faceRows(t *testing.T, s *store.Store, id string) map[int64]faceRow {
	t.Helper()
	found := slices.IndexFunc(face.Channels(), func(c stream.Channel) bool { return c.Name == "face_found" })
	if found < 0 {
		t.Fatalf("no channel says whether a face was found: %v", face.Channels())
	}
	info := stream.Info{Kind: stream.Face, Clock: stream.PingedClock, TickHz: 1e6, Rate: browserFPS}
	rows := map[int64]faceRow{}
	var last instant.Instant
	faces := 0
	for row, err := range s.Samples(t.Context(), id, "face") {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case row.Err < align.Unseen(info) || row.Err > 5*time.Second:
			t.Fatalf("frame %d: its time is known within %v", row.Seq, row.Err)
		case row.At > row.Arrival.Add(row.Err):
			t.Fatalf("frame %d was taken %v after it came, within %v", row.Seq, row.At.Sub(row.Arrival), row.Err)
		case row.At < last:
			t.Fatalf("frame %d was taken before the one before it", row.Seq)
		}
		last = row.At
		rows[row.Seq] = faceRow{row, row.Values[found] > 0}
		if row.Values[found] > 0 {
			faces++
		}
	}
	if len(rows) < 20 || faces < len(rows)/2 {
		t.Errorf("%d rows, %d of them with a face", len(rows), faces)
	}
	return rows
}

// lostOf is how many frames of a session's camera are counted as lost.
func lostOf(t *testing.T, s *store.Store, id string) (lost int64) {
	t.Helper()
	d, err := s.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range d.Segments[len(d.Segments)-1].Streams {
		if v.Kind == stream.Face {
			lost += v.Statement.Lost
		}
	}
	return lost
}

// ofFilm tells whether bytes hold a picture of the film: encoded for the way from the
// browser, or not encoded, when the stripe has a long run of one colour.
func ofFilm(b []byte) bool {
	key := []byte{0x9d, 0x01, 0x2a} // begins a key frame of VP8, and its size follows
	key = binary.LittleEndian.AppendUint16(key, filmWidth)
	key = binary.LittleEndian.AppendUint16(key, filmHeight)
	if bytes.Contains(b, key) {
		return true
	}
	const long, alike, colourful = 3 * filmWidth * 3 / 4, 4, 60
	run := 0
	for i := 3; i < len(b); i++ {
		if d := int(b[i]) - int(b[i-3]); d > alike || d < -alike {
			run = 0
			continue
		}
		if run++; run >= long {
			p := b[i-2 : i+1]
			if int(slices.Max(p))-int(slices.Min(p)) >= colourful {
				return true
			}
		}
	}
	return false
}

// kept lists the files of the data folder in which there is a picture.
func (l *browserLab) kept() []string {
	l.t.Helper()
	return append(picturesBelow(l.t, l.dir), below(l.t, l.dir, func(_ string, b []byte) bool { return ofFilm(b) })...)
}

// Whole sessions whose camera is a browser's, with a face before it: rows with the times at
// which pictures were taken and how well those are known. Of whom does not allow the video
// no picture is ever in the data folder; of whom does, the video lies there, and each of its
// frames belongs to a row.
func TestASessionFilmedByABrowser(t *testing.T) {
	needModels(t) // and the processor for itself: two pages, one of which encodes a film
	film := faceFilm(t, sharedFile(t, "face/single_face.mp4"))
	l := openBrowserLab(t)
	browser := browsertest.StartCamera(t, film)
	camera := browser.Open(t, 600, 800, "ERR_CONNECTION_REFUSED")
	camera.Go(l.address() + "/camera?token=" + console.CameraToken(l.token))
	camera.Until(`document.body.dataset.state === "live"`)
	stage := browser.Open(t, 1280, 720, "ERR_CONNECTION_REFUSED")
	stage.Go(l.stageURL())
	stage.Until(`document.body.innerText.includes("Please wait")`)
	stage.Press(" ") // the gate: any key
	p := reader{stage, t, l.study, "en"}
	if err := waitReady(t.Context(), l.manager, settleTime); err != nil {
		t.Fatalf("%v; the camera's page says: %s", err, browsertest.Value[string](camera, `document.body.innerText`))
	}

	without := l.records(p, "P1", false, func() {
		if found := l.kept(); len(found) > 0 {
			t.Errorf("while somebody is recorded who said no, there are pictures in %q", found)
		}
	})
	if found := l.kept(); len(found) > 0 {
		t.Errorf("of somebody who said no, there are pictures in %q", found)
	}
	l.provesSomething()

	filming := false
	with := l.records(p, "P2", true, func() {
		filming = filming || l.manager.Status().Video
	})
	if !filming {
		t.Error("the console was never told that the face was filmed")
	}
	if len(l.kept()) == 0 {
		t.Error("nothing is found of whom allowed the video: the search above proves nothing")
	}

	s, err := store.View(t.Context(), databasePath(l.dir, "filmed"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if rows := faceRows(t, s, without); len(rows) > 0 {
		t.Logf("without video: %d rows", len(rows))
	}
	videos, err := s.Videos(t.Context(), without)
	if err != nil || len(videos) > 0 || exists(videoDir(l.dir, without)) {
		t.Errorf("of who said no there is video: %+v, %v", videos, err)
	}
	rows := faceRows(t, s, with)
	if videos, err = s.Videos(t.Context(), with); err != nil || len(videos) == 0 {
		t.Fatalf("of who said yes there is no video: %v", err)
	}
	var said, pictures int64
	for _, v := range videos {
		said += v.Frames
	}
	var bounds []time.Duration
	unanalysed := int64(0) // between the first row and the last: skipped by the analysis, and counted as lost
	numbers := slices.Sorted(maps.Keys(rows))
	if len(numbers) == 0 {
		t.Fatal("no frame was analysed")
	}
	first, last := numbers[0], numbers[len(numbers)-1]
	for k, err := range record.Read(videoDir(l.dir, with)) {
		if err != nil {
			t.Fatal(err)
		}
		pictures++
		if p := k.Pix[3*(filmStripe/2*k.Width+k.Width/2):]; p[0] < 150 || p[2] > 90 {
			t.Fatalf("frame %d shows something else at its top: %v", k.Seq, p[:3])
		}
		row, ok := rows[k.Seq]
		if !ok {
			if k.Seq > first && k.Seq < last {
				unanalysed++
			}
			continue
		}
		if row.Epoch != k.Epoch || row.Arrival != k.Arrival {
			t.Fatalf("frame %d of the video came at %v, its row's at %v", k.Seq, k.Arrival, row.Arrival)
		}
		if apart := k.At.Sub(row.At).Abs(); apart > row.Err {
			t.Fatalf("frame %d: the video says that it was taken %v from when its row says, which is known within %v", k.Seq, apart, row.Err)
		}
		bounds = append(bounds, row.Err)
	}
	if pictures != said || pictures < 20 || len(bounds) < 20 {
		t.Errorf("%d frames of video, %d by the file, %d with a row", pictures, said, len(bounds))
	}
	if lost := lostOf(t, s, with); unanalysed > lost {
		t.Errorf("%d frames of the video have no row, and %d are counted as lost", unanalysed, lost)
	}
	slices.Sort(bounds)
	if len(bounds) > 0 {
		t.Logf("with video: %d rows, %d frames of video (%d not analysed); taken within %v (median) and %v (most)",
			len(rows), pictures, unanalysed, bounds[len(bounds)/2].Round(time.Millisecond), bounds[len(bounds)-1].Round(time.Millisecond))
	}
	for id, want := range map[string]int64{without: 0, with: said} {
		if got := l.framesInManifest(id); got != want {
			t.Errorf("the bundle of %s says that %d frames were written, want %d", id, got, want)
		}
	}
}

// provesSomething puts a frame into the data folder, and looks for it, as it is and encoded.
func (l *browserLab) provesSomething() {
	t := l.t
	t.Helper()
	l.mu.Lock()
	f := l.last
	l.mu.Unlock()
	encoder, err := vp8.NewEncoder(f.Width, f.Height)
	if err != nil {
		t.Fatal(err)
	}
	defer encoder.Close()
	encoded, err := encoder.Encode(f.Pix, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	for what, b := range map[string][]byte{"as it is": f.Pix, "encoded": encoded} {
		path := filepath.Join(l.dir, "left")
		if err := os.WriteFile(path, append([]byte("some words"), b...), 0o600); err != nil {
			t.Fatal(err)
		}
		if len(l.kept()) == 0 {
			t.Errorf("a frame of %dx%d, %s, is not found: the search proves nothing", f.Width, f.Height, what)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// framesInManifest is how many pictures of the participant a session's bundle says were written.
func (l *browserLab) framesInManifest(id string) int64 {
	t := l.t
	t.Helper()
	bundles, err := filepath.Glob(filepath.Join(bundleDir(l.dir), "*.zip"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range bundles {
		z, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		f, err := z.Open("manifest.json")
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Session string `json:"session"`
			Frames  *int64 `json:"face_frames_written"`
		}
		if err := json.NewDecoder(f).Decode(&m); err != nil {
			t.Fatal(err)
		}
		if m.Session == id && m.Frames != nil {
			return *m.Frames
		}
	}
	t.Fatalf("no bundle of %s says how many pictures were written: %q", id, bundles)
	return 0
}
