//go:build !nocv

package record

import (
	"bytes"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"emolab/capture/frame"
)

// shown decodes a JPEG picture into a frame's pixels.
func shown(t *testing.T, picture []byte) frame.Frame {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	f := frame.Frame{Width: b.Dx(), Height: b.Dy(), Pix: make([]byte, 3*b.Dx()*b.Dy())}
	for i := range f.Width * f.Height {
		red, green, blue, _ := img.At(i%f.Width, i/f.Width).RGBA()
		f.Pix[3*i], f.Pix[3*i+1], f.Pix[3*i+2] = byte(blue>>8), byte(green>>8), byte(red>>8)
	}
	return f
}

// Every frame that the tables name is the picture that was taken then, in any order.
func TestStills(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s1")
	if kept, err := List(dir); err != nil || len(kept) != 0 {
		t.Errorf("of no folder: %v, %v", kept, err)
	}
	tap := NewTap(30)
	for segment, frames := range []int64{62, 8} { // two files, and one
		if err := tap.Begin(dir, segment, 0); err != nil {
			t.Fatal(err)
		}
		shoot(t, tap, nil, film(int64(100*segment), frames)...)
		if _, err := tap.End(); err != nil {
			t.Fatal(err)
		}
	}
	// What is kept of colours: blue, as the camera gives it first.
	blue := bytes.Repeat([]byte{220, 40, 30}, 64*48)
	if err := tap.Begin(dir, 2, 0); err != nil {
		t.Fatal(err)
	}
	shoot(t, tap, nil, frame.Frame{At: 1e9, Arrival: 1e9, Width: 64, Height: 48, Pix: blue})
	if _, err := tap.End(); err != nil {
		t.Fatal(err)
	}

	kept, err := List(dir)
	if err != nil || len(kept) != 71 {
		t.Fatalf("%d frames are kept, %v", len(kept), err)
	}
	whole := all(t, dir)
	var s Stills
	for _, i := range []int{69, 0, 1, 61, 62, 60, 3} {
		k := kept[i]
		if w := whole[i]; k.Segment != w.Segment || k.Seq != w.Seq || k.At != w.At {
			t.Errorf("frame %d is %+v, read it is segment %d, seq %d at %d", i, k, w.Segment, w.Seq, w.At)
		}
		picture, err := s.JPEG(filepath.Join(dir, k.File), k.Place)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := number(shown(t, picture)), number(whole[i].Frame); got != want || want != int64(i%62+100*(i/62)) {
			t.Errorf("frame %d shows picture %d, want %d", i, got, want)
		}
	}
	last := kept[70]
	path := filepath.Join(dir, last.File)
	picture, err := s.JPEG(path, last.Place)
	if err != nil {
		t.Fatal(err)
	}
	if pix := shown(t, picture).Pix[3*(24*64+32):]; pix[0] < 180 || pix[1] > 80 || pix[2] > 80 {
		t.Errorf("blue became %d %d %d", pix[0], pix[1], pix[2])
	}
	for _, place := range []int{-1, 1} {
		if _, err := s.JPEG(path, place); err == nil || !strings.Contains(err.Error(), "holds 1 frames") {
			t.Errorf("place %d: %v", place, err)
		}
	}
	// Nothing of a face stays in memory when nobody looks any more.
	if s.forget(); s.pictures != nil {
		t.Error("pictures are kept")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.JPEG(path, 0); err == nil {
		t.Error("a file that was erased is shown")
	}
}

// Whoever looks at kept pictures takes nothing from a session that is recorded.
func TestStillsAreModest(t *testing.T) {
	nice := func() int { // as Linux counts it: 20 is usual, 1 gives way to all
		v, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
		if err != nil {
			t.Error(err)
		}
		return v
	}
	before := nice()
	modestly(func() {
		if v := nice(); v != 20-lowest {
			t.Errorf("the priority is %d", v)
		}
	})
	if v := nice(); v != before {
		t.Errorf("after that it is %d, it was %d", v, before)
	}
}
