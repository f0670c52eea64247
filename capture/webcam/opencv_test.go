//go:build !nocv

package webcam

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"emolab/capture/frame"
	"emolab/fusion/instant"
)

const (
	filmFrames = 12
	filmFPS    = 25
)

// newFilm writes a short video, each frame brighter than the one before, and
// returns its name.
func newFilm(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "film.avi")
	w, err := gocv.VideoWriterFile(name, "MJPG", filmFPS, 64, 48, true)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range filmFrames {
		// Blue, so that an exchange of channels is seen.
		m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(float64(60+15*i), 20, 20, 0), 48, 64, gocv.MatTypeCV8UC3)
		err := w.Write(m)
		m.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return name
}

func TestFileUnpaced(t *testing.T) {
	var hand instant.Hand
	hand.Advance(time.Hour)
	c, err := Open(Options{Source: newFilm(t), Pace: Unpaced}, &hand)
	if err != nil {
		t.Fatal(err)
	}
	d := c.Describe()
	if d.Kind != File || d.Device != "film.avi" || d.Width != 64 || d.Height != 48 || d.FPS != filmFPS || d.Stamps != FileStamps {
		t.Errorf("described as %+v", d)
	}
	got, err := collect(t, c, 0)
	if !errors.Is(err, io.EOF) {
		t.Errorf("Run returned %v, want io.EOF", err)
	}
	if len(got) != filmFrames {
		t.Fatalf("%d frames, want %d", len(got), filmFrames)
	}
	for i, f := range got {
		if want := instant.Instant(time.Hour).Add(ms(40 * i)); f.At != want || f.Seq != int64(i) {
			t.Errorf("frame %d: number %d at %d, want at %d", i, f.Seq, f.At, want)
		}
		if len(f.Pix) != 3*64*48 {
			t.Fatalf("frame %d has %d bytes", i, len(f.Pix))
		}
		if blue, red := int(f.Pix[0]), int(f.Pix[2]); blue < 50+15*i || blue > 70+15*i || red > 40 {
			t.Errorf("frame %d: blue %d, red %d", i, blue, red)
		}
	}
}

func TestFileInRealtime(t *testing.T) {
	c, err := Open(Options{Source: newFilm(t)}, instant.Monotonic{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := collect(t, c, 0)
	if !errors.Is(err, io.EOF) {
		t.Errorf("Run returned %v, want io.EOF", err)
	}
	if n := c.Counts(); n.Frames != int64(len(got)) || n.Frames+n.Dropped != filmFrames {
		t.Errorf("counts %+v do not add up to %d", n, filmFrames)
	}
	first := got[0]
	for _, f := range got {
		if want := first.At.Add(time.Duration(f.Seq-first.Seq) * ms(40)); f.At != want {
			t.Errorf("frame %d at %d, want %d", f.Seq, f.At, want)
		}
		if f.Arrival < f.At {
			t.Errorf("frame %d was delivered %v before it was due", f.Seq, f.At.Sub(f.Arrival))
		}
	}
}

func TestFileLoops(t *testing.T) {
	var hand instant.Hand
	c, err := Open(Options{Source: newFilm(t), Pace: Unpaced, Loop: true}, &hand)
	if err != nil {
		t.Fatal(err)
	}
	got, err := collect(t, c, 2*filmFrames+3)
	if err != nil {
		t.Fatalf("Run returned %v", err)
	}
	for i, f := range got {
		if f.At.Sub(got[0].At) != ms(40*i) || f.Seq != int64(i) {
			t.Errorf("frame %d: number %d, %v after the first", i, f.Seq, f.At.Sub(got[0].At))
		}
	}
	if a, b := got[1].Pix[0], got[1+filmFrames].Pix[0]; a != b {
		t.Errorf("the second round shows %d where the first showed %d", b, a)
	}
}

func TestPicturesOfOtherChannels(t *testing.T) {
	for name, tc := range map[string]struct {
		kind  gocv.MatType
		pixel gocv.Scalar
		want  []byte // of one pixel; nil for an error
	}{
		"colour":          {gocv.MatTypeCV8UC3, gocv.NewScalar(10, 20, 30, 0), []byte{10, 20, 30}},
		"grey":            {gocv.MatTypeCV8UC1, gocv.NewScalar(77, 0, 0, 0), []byte{77, 77, 77}},
		"with a fourth":   {gocv.MatTypeCV8UC4, gocv.NewScalar(10, 20, 30, 99), []byte{10, 20, 30}},
		"16 bits":         {gocv.MatTypeCV16UC1, gocv.NewScalar(1000, 0, 0, 0), nil},
		"two channels":    {gocv.MatTypeCV8UC2, gocv.NewScalar(1, 2, 0, 0), nil},
		"floating points": {gocv.MatTypeCV32FC3, gocv.NewScalar(.1, .2, .3, 0), nil},
	} {
		m := gocv.NewMatWithSizeFromScalar(tc.pixel, 5, 7, tc.kind)
		pix, err := bgr(m)
		m.Close()
		if tc.want == nil {
			if err == nil || !strings.Contains(err.Error(), "8 bits") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || len(pix) != 3*5*7 || !bytes.Equal(pix[:3], tc.want) || !bytes.Equal(pix[len(pix)-3:], tc.want) {
			t.Errorf("%s: %d bytes, %v, %v", name, len(pix), pix[:min(3, len(pix))], err)
		}
	}
}

func TestRunStopsAtOnce(t *testing.T) {
	c, err := Open(Options{Source: newFilm(t), Loop: true}, instant.Monotonic{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out := make(chan frame.Frame)
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, out) }()
	receive(t, out)
	cancel() // with nobody taking the next frame
	if err := wait(t, done); err != nil {
		t.Errorf("Run returned %v, want nil", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "none.mp4")
	empty := filepath.Join(t.TempDir(), "empty.mp4")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		o    Options
		want string
	}{
		"no source":          {Options{}, "no camera is named"},
		"a missing file":     {Options{Source: text}, "none.mp4"},
		"a missing device":   {Options{Source: "/dev/video-none"}, "there is no camera"},
		"a file of no video": {Options{Source: "opencv_test.go"}, "no video that OpenCV can read"},
		"an empty file":      {Options{Source: empty}, "is empty"},
	} {
		c, err := Open(tc.o, instant.Monotonic{})
		if err == nil {
			c.Close()
			t.Errorf("%s: opened", name)
		} else if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: the error %q does not say %q", name, err, tc.want)
		}
	}
}
