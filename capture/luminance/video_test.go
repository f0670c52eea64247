//go:build !nocv

package luminance

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
)

// fadeFrames is how many frames the film of the test has.
const fadeFrames = 50

// fade makes a film that goes from black to white in equal steps of its values.
func fade(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fade.mp4")
	grey := "geq=lum='16+219*N/49':cb=128:cr=128"
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=black:s=320x240:r=25:d=2,format=yuv420p,"+grey,
		"-c:v", "libx264", "-qp", "1", "-color_range", "tv", path).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("ffmpeg is not installed")
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func TestVideo(t *testing.T) {
	t.Parallel()
	held := 0
	got, err := Video(t.Context(), fade(t), false, func(context.Context) error { held++; return nil })
	if err != nil || len(got) != fadeFrames || held != fadeFrames {
		t.Fatalf("%d frames, asked %d times, %v; want %d", len(got), held, err, fadeFrames)
	}
	c := newCurve()
	for i, v := range got {
		want := c[255*i/(fadeFrames-1)]
		if v < want-.02 || v > want+.02 {
			t.Errorf("frame %d is %.3f light, want %.3f", i, v, want)
		}
	}
}

func TestVideoIsGivenUp(t *testing.T) {
	t.Parallel()
	film, enough := fade(t), errors.New("enough")
	n := 0
	if _, err := Video(t.Context(), film, false, func(context.Context) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	}); !errors.Is(err, enough) {
		t.Errorf("%v, want what hold said", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Video(ctx, film, false, func(context.Context) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if _, err := Video(t.Context(), filepath.Join(t.TempDir(), "none.mp4"), false, nil); err == nil {
		t.Error("a film that is not there was read")
	}
}
