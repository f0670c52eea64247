//go:build !nocv

package vp8

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// leastLike is how like a moving picture at the encoder's rate is to what it shows, in
// dB; 31 was the least that was seen, and a wrong plane is below 20.
const leastLike = 28.

// scene draws a picture of soft shapes in all colours, moved by n.
func scene(width, height, n int) []byte {
	pix := make([]byte, 0, 3*width*height)
	for y := range height {
		for x := range width {
			a, b := float64(x+2*n)/40, float64(y+n)/30
			pix = append(pix, byte(128+90*math.Sin(a)), byte(128+90*math.Sin(b)), byte(128+90*math.Cos(a+b)))
		}
	}
	return pix
}

// psnr is how like two pictures are, in dB.
func psnr(a, b []byte) float64 {
	var sum float64
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}

func TestThereAndBack(t *testing.T) {
	for _, size := range []struct{ w, h int }{{640, 480}, {161, 91}, {2, 2}, {1, 1}} {
		enc, err := NewEncoder(size.w, size.h)
		if err != nil {
			t.Fatal(err)
		}
		defer enc.Close()
		dec, err := NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		defer dec.Close()
		for n := range 10 {
			want := scene(size.w, size.h, n)
			// Times that stand still are no trouble.
			b, err := enc.Encode(want, int64(n/2)*lasts, n == 7)
			if err != nil {
				t.Fatal(err)
			}
			if key := n == 0 || n == 7; len(b) == 0 || IsKey(b) != key {
				t.Fatalf("%v, frame %d: %d bytes, a key frame: %v, want %v", size, n, len(b), IsKey(b), key)
			}
			got, shown, err := dec.Decode(b)
			if err != nil || !shown {
				t.Fatalf("%v, frame %d: shown %v, %v", size, n, shown, err)
			}
			if got.Width != size.w || got.Height != size.h || len(got.Pix) != len(want) {
				t.Fatalf("%v came back as %dx%d of %d bytes", size, got.Width, got.Height, len(got.Pix))
			}
			if like := psnr(got.Pix, want); size.w > 100 && like < leastLike {
				t.Errorf("%v, frame %d: %.1f dB, want %v at least", size, n, like, leastLike)
			}
		}
	}
}

// The planes alone lose only what half the colour's resolution loses.
func TestColours(t *testing.T) {
	for _, c := range [][3]byte{{0, 0, 0}, {255, 255, 255}, {255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {118, 140, 190}} {
		want := bytes.Repeat(c[:], 3*5)
		p := newPlanes(3, 5)
		p.from(want)
		for i, v := range p.bgr() {
			if d := int(v) - int(want[i]); d < -3 || d > 3 {
				t.Errorf("%v came back as %v", c, p.bgr()[:3])
				break
			}
		}
	}
}

func TestWhatIsNoPicture(t *testing.T) {
	if _, err := NewEncoder(0, 480); err == nil {
		t.Error("an encoder of pictures without a width")
	}
	if _, err := NewEncoder(maxSide+1, 480); err == nil || !strings.Contains(err.Error(), "16383") {
		t.Errorf("an encoder of pictures of 16384: %v", err)
	}
	enc, err := NewEncoder(64, 48)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := enc.Encode(make([]byte, 5), 0, false); err == nil {
		t.Error("5 bytes were encoded")
	}
	dec, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 { // whatever comes from the network is an error and no more
		b := make([]byte, r.IntN(300))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if len(b) > 10 {
			b[0] |= 1                         // no key frame: those tell a size,
			copy(b[6:10], []byte{8, 0, 8, 0}) // and this is a small one
		}
		if _, shown, err := dec.Decode(b); err == nil && shown {
			t.Fatalf("%d bytes of noise became a picture before any key frame", len(b))
		}
	}
	enc.Close()
	dec.Close()
	enc.Close()
	if _, err := enc.Encode(scene(64, 48, 0), 0, true); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed encoder: %v", err)
	}
	if _, _, err := dec.Decode([]byte{1, 2, 3}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed decoder: %v", err)
	}
}

// A few bytes can claim a picture of a gigabyte: nobody makes room for it.
func TestHugePictures(t *testing.T) {
	d, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	key := []byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f, 0, 0}
	if _, _, err := d.Decode(key); err == nil || !strings.Contains(err.Error(), "16383x16383") {
		t.Error(err)
	}
}

func TestSharedAndClosedUnderWay(t *testing.T) {
	enc, err := NewEncoder(64, 48)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			for n := range 50 {
				if _, err := enc.Encode(scene(64, 48, n), int64(n), i == 0); err != nil && !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
			}
			enc.Close()
		})
	}
	all.Wait()
}

func BenchmarkEncode640x480(b *testing.B) {
	enc, err := NewEncoder(640, 480)
	if err != nil {
		b.Fatal(err)
	}
	defer enc.Close()
	var noisy [8][]byte
	for n := range noisy {
		noisy[n] = scene(640, 480, n)
		for i := range noisy[n] {
			noisy[n][i] += byte(rand.IntN(5))
		}
	}
	n := 0
	for b.Loop() {
		if _, err := enc.Encode(noisy[n%len(noisy)], int64(n)*lasts, false); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkDecode640x480(b *testing.B) {
	enc, err := NewEncoder(640, 480)
	if err != nil {
		b.Fatal(err)
	}
	defer enc.Close()
	dec, err := NewDecoder()
	if err != nil {
		b.Fatal(err)
	}
	defer dec.Close()
	key, err := enc.Encode(scene(640, 480, 0), 0, true)
	if err != nil {
		b.Fatal(err)
	}
	next, err := enc.Encode(scene(640, 480, 1), lasts, false)
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := dec.Decode(key); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := dec.Decode(next); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkToI420(b *testing.B) {
	p, pix := newPlanes(640, 480), scene(640, 480, 0)
	for b.Loop() {
		p.from(pix)
	}
}

func BenchmarkFromI420(b *testing.B) {
	p := newPlanes(640, 480)
	p.from(scene(640, 480, 0))
	for b.Loop() {
		p.bgr()
	}
}
