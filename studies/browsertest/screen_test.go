package browsertest

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"
)

// What Chromium draws is found in the framebuffer, at the place where it was drawn.
func TestScreenShowsThePage(t *testing.T) {
	s := StartScreen(t, 640, 360)
	page := StartOn(t, s).Show(t)
	page.Go(`data:text/html,<style>html{background:black}div{position:fixed;left:100px;top:50px;width:40px;height:30px;background:lime}</style><div></div>`)
	page.Until(fmt.Sprintf(`String([innerWidth, innerHeight, screen.width, screen.height, devicePixelRatio]) === "%d,%d,%d,%d,1"`,
		s.Width-1, s.Height-1, s.Width, s.Height))
	// A window that nothing was drawn into yet is white all over, and a frame comes in pieces.
	for _, c := range []struct {
		x, y int
		want uint8
	}{
		{0, 0, 0}, {120, 65, 255}, {100, 50, 255}, {139, 79, 255}, {99, 65, 0}, {140, 65, 0}, {120, 49, 0}, {120, 80, 0}, {639, 359, 0},
	} {
		await(t, fmt.Sprintf("pixel %d, %d at %d", c.x, c.y, c.want), func() bool { return s.Pixel(c.x, c.y) == c.want })
	}
	Value[bool](page, `(document.querySelector("div").remove(), true)`)
	await(t, "the square's end", func() bool { return s.Pixel(120, 65) == 0 })
}

// await looks until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(patience)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-timeout:
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// dump is a window dump of 2 x 2 px with a name of 4 bytes and one colour.
func dump(change func(word func(i int, v uint32))) []byte {
	const header = 4*headerWords + 4
	b := make([]byte, header+bytesAColour+2*2*bytesAPixel)
	word := func(i int, v uint32) { binary.BigEndian.PutUint32(b[4*i:], v) }
	for i, v := range map[int]uint32{
		wordHeaderSize: header, wordVersion: xwdVersion, wordWidth: 2, wordHeight: 2,
		wordBitsPerPixel: 32, wordBytesPerLine: 8, wordGreenMask: greenOfRGB, wordColours: 1,
	} {
		word(i, v)
	}
	change(word)
	return b
}

func TestReadLayout(t *testing.T) {
	l, err := readLayout(dump(func(func(int, uint32)) {}))
	if want := (layout{width: 2, height: 2, start: 116, line: 8, green: 1}); err != nil || l != want {
		t.Errorf("%+v, %v; want %+v", l, err, want)
	}
	for name, change := range map[string]struct {
		word int
		to   uint32
	}{
		"another version": {wordVersion, 6}, "two bytes a pixel": {wordBitsPerPixel, 16},
		"more lines than there are": {wordHeight, 3}, "a line shorter than its pixels": {wordBytesPerLine, 7},
		"nothing": {wordWidth, 0}, "colours beyond the end": {wordColours, 1 << 31}, "green elsewhere": {wordGreenMask, 0xff},
	} {
		if l, err := readLayout(dump(func(word func(int, uint32)) { word(change.word, change.to) })); err == nil {
			t.Errorf("%s: read as %+v", name, l)
		}
	}
	if l, err := readLayout(make([]byte, 99)); err == nil {
		t.Errorf("99 bytes: read as %+v", l)
	}
}

func FuzzReadLayout(f *testing.F) {
	f.Add(dump(func(func(int, uint32)) {}))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := readLayout(b)
		if err == nil {
			_ = b[l.pixel(0, 0)+l.green] + b[l.pixel(l.width-1, l.height-1)+l.green]
		}
	})
}
