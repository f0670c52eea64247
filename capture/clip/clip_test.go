//go:build !nocv

package clip

import (
	"context"
	"errors"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// rate is the frames a second of the films of these tests.
const rate = 25

// draw draws a film with ffmpeg's filters.
func draw(t *testing.T, filter string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", filter,
		"-c:v", "libx264", "-preset", "ultrafast", "-qp", "1", "-pix_fmt", "yuv420p", "-color_range", "tv", path).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("ffmpeg is not installed")
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// frames are the times of n frames.
func frames(n int) []time.Duration {
	var out []time.Duration
	for i := range n {
		out = append(out, time.Duration(i)*time.Second/rate)
	}
	return out
}

func measure(t *testing.T, filter string, n int) Measures {
	t.Helper()
	held := 0
	m, err := Measure(t.Context(), draw(t, filter), false, frames(n), func(_ context.Context, done int) error {
		if held++; done != held {
			t.Errorf("asked the %dth time after %d frames", held, done)
		}
		return nil
	})
	if err != nil || held != n {
		t.Fatalf("asked %d times of %d frames, %v", held, n, err)
	}
	return m
}

// fade is a film of two seconds that goes from black to white in equal steps of its values.
const fade = "color=black:s=320x240:r=25:d=2,format=yuv420p,geq=lum='16+219*N/49':cb=128:cr=128"

func TestLightOfAFade(t *testing.T) {
	t.Parallel()
	const n = 50
	m := measure(t, fade, n)
	sum := 0.
	for i, v := range m.Luminance {
		sum += v
		// sRGB's curve; the first two frames lie in its straight part, near black.
		if want := math.Pow((float64(i)/(n-1)+.055)/1.055, 2.4); math.Abs(v-want) > .02 {
			t.Errorf("frame %d is %.3f light, want %.3f", i, v, want)
		}
	}
	if len(m.Luminance) != n || math.Abs(m.Mean()-sum/n) > 1e-9 || len(m.Cuts) != 0 || m.Flashes.Flashes != 0 {
		t.Errorf("%d frames, mean %v, cuts %v, flashes %+v", len(m.Luminance), m.Mean(), m.Cuts, m.Flashes)
	}
}

func TestCutsOfJoinedShots(t *testing.T) {
	t.Parallel()
	// Three shots, of 1 s, .8 s and 1.2 s.
	m := measure(t, "testsrc=s=320x240:r=25:d=1[a];mandelbrot=s=320x240:r=25,trim=duration=0.8[b];smptebars=s=320x240:r=25:d=1.2[c];[a][b][c]concat=n=3,format=yuv420p", 75)
	if want := []time.Duration{time.Second, 1800 * time.Millisecond}; !slices.Equal(m.Cuts, want) {
		t.Errorf("cuts at %v, want %v", m.Cuts, want)
	}
}

func TestFlashesOfAFilm(t *testing.T) {
	t.Parallel()
	// In its second second the upper left quarter flashes five times.
	m := measure(t, "color=gray:s=320x240:r=25:d=3,drawbox=w=160:h=120:t=fill:color=white:enable='gte(t,1)*lt(t,2)*lt(mod(t,.2),.1)'", 75)
	if m.Flashes.Flashes != 5 || m.Flashes.Red || m.Flashes.From < 900*time.Millisecond || m.Flashes.From > 1100*time.Millisecond {
		t.Errorf("%+v", m.Flashes)
	}
	if len(m.Cuts) != 0 {
		t.Errorf("cuts at %v in a flickering still", m.Cuts)
	}
}

func TestMeasureIsGivenUp(t *testing.T) {
	t.Parallel()
	film, enough, times := draw(t, fade), errors.New("enough"), frames(50)
	if _, err := Measure(t.Context(), film, false, times, func(_ context.Context, done int) error {
		if done == 3 {
			return enough
		}
		return nil
	}); !errors.Is(err, enough) {
		t.Errorf("%v, want what hold said", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Measure(ctx, film, false, times, func(context.Context, int) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	free := func(context.Context, int) error { return nil }
	if _, err := Measure(t.Context(), filepath.Join(t.TempDir(), "none.mp4"), false, times, free); err == nil {
		t.Error("a film that is not there was read")
	}
	for _, n := range []int{49, 51} {
		if _, err := Measure(t.Context(), film, false, frames(n), free); err == nil || !strings.Contains(err.Error(), "50 could be read") {
			t.Errorf("%d times for 50 frames: %v", n, err)
		}
	}
}
