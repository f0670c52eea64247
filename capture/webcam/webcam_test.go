package webcam

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"emolab/fusion/instant"
)

func TestLocate(t *testing.T) {
	for source, want := range map[string]place{
		"0":                   {Device, "/dev/video0", 0},
		"12":                  {Device, "/dev/video12", 12},
		"/dev/video3":         {Device, "/dev/video3", 3},
		"film.mp4":            {File, "film.mp4", 0},
		"-1":                  {File, "-1", 0},
		"rtsp://cam/1":        {Address, "rtsp://cam/1", 0},
		"http://cam:81/v.mjp": {Address, "http://cam:81/v.mjp", 0},
	} {
		if got, err := locate(source); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", source, got, err, want)
		}
	}
	for _, source := range []string{"", "/dev/nothing", "/dev/videoX"} {
		if p, err := locate(source); err == nil {
			t.Errorf("%q is taken for %+v", source, p)
		}
	}
}

func TestPasswordsStayPrivate(t *testing.T) {
	for address, want := range map[string]string{
		"rtsp://ann:secret@cam/1": "rtsp://ann:xxxxx@cam/1",
		"rtsp://cam/1":            "rtsp://cam/1",
		"rtsp://ann:sec ret@%zz/": "rtsp://...",
	} {
		if got := public(address); got != want {
			t.Errorf("%q is shown as %q, want %q", address, got, want)
		}
	}
}

func TestCheckDeviceSaysWhatToDo(t *testing.T) {
	if err := checkDevice("/dev/video-none"); err == nil || !strings.Contains(err.Error(), "there is no camera /dev/video-none") {
		t.Errorf("a missing device: %v", err)
	}
	if os.Getuid() == 0 {
		t.Skip("the permission error cannot be seen as root")
	}
	locked := filepath.Join(t.TempDir(), "video0")
	if err := os.WriteFile(locked, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := checkDevice(locked); err == nil || !strings.Contains(err.Error(), "usermod -aG") {
		t.Errorf("a locked device: %v", err)
	}
}

func TestCadence(t *testing.T) {
	for name, tc := range map[string]struct {
		intervals []int // ms
		lost      int64 // in all
	}{
		"steady":                {repeat(33, 60), 0},
		"jitter of 15 %":        {interleave(28, 38, 60), 0},
		"one lost":              {append(repeat(33, 20), 67), 1},
		"thirty lost":           {append(repeat(33, 20), 33*31), 30},
		"too early to tell":     {[]int{33, 33, 67, 33}, 0},
		"slower from now on":    {append(repeat(33, 31), repeat(66, 40)...), 16}, // until half the window is slow,
		"no time passes at all": {repeat(0, 40), 0},
		"faster":                {append(repeat(33, 31), repeat(16, 8)...), 0},
	} {
		var c cadence
		at := instant.Instant(1e9)
		lost := c.next(at)
		for _, d := range tc.intervals {
			at = at.Add(ms(d))
			lost += c.next(at)
		}
		if lost != tc.lost {
			t.Errorf("%s: %d lost, want %d", name, lost, tc.lost)
		}
	}
}

func repeat(d, n int) []int { return interleave(d, d, n) }

func interleave(a, b, n int) []int {
	var all []int
	for i := range n {
		all = append(all, []int{a, b}[i%2])
	}
	return all
}

// TestFilmTimeGrows feeds a film arbitrary file times, as broken files have.
func TestFilmTimeGrows(t *testing.T) {
	grows := func(times []int16, fps uint8) bool {
		var f film
		last := instant.Instant(-1)
		for i, p := range times {
			at := f.at(float64(p), float64(fps), 1000)
			if at <= last && i > 0 {
				return false
			}
			last = at
			if p%7 == 0 {
				f.wrap(float64(fps))
			}
		}
		return true
	}
	if err := quick.Check(grows, nil); err != nil {
		t.Error(err)
	}
	if got := period(0); got != time.Second/defaultFPS {
		t.Errorf("a file without a rate has a period of %v", got)
	}
}
