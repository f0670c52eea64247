package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// encoded returns the bytes that encode writes.
func encoded(t testing.TB, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, m) })
}

func TestDecodeEveryKindOfPixel(t *testing.T) {
	area := image.Rect(0, 0, 3, 2)
	colour := color.NRGBA{R: 200, G: 100, B: 50, A: 255}
	fill := func(m interface {
		image.Image
		Set(x, y int, c color.Color)
	}) image.Image {
		for y := range 2 {
			for x := range 3 {
				m.Set(x, y, colour)
			}
		}
		return m
	}
	for name, tc := range map[string]struct {
		data []byte
		want [3]byte // blue, green, red
		near int
	}{
		"colours":            {pngOf(t, fill(image.NewNRGBA(area))), [3]byte{50, 100, 200}, 0},
		"grey":               {pngOf(t, fill(image.NewGray(area))), [3]byte{124, 124, 124}, 1},
		"16 bits":            {pngOf(t, fill(image.NewNRGBA64(area))), [3]byte{50, 100, 200}, 0},
		"wholly transparent": {pngOf(t, image.NewNRGBA(area)), [3]byte{0, 0, 0}, 0},
		"palette": {encoded(t, func(b *bytes.Buffer) error {
			return gif.Encode(b, fill(image.NewPaletted(area, color.Palette{color.Black, colour})), nil)
		}), [3]byte{50, 100, 200}, 0},
		"JPEG": {encoded(t, func(b *bytes.Buffer) error {
			return jpeg.Encode(b, fill(image.NewRGBA(area)), &jpeg.Options{Quality: 100})
		}), [3]byte{50, 100, 200}, 3},
	} {
		f, err := Decode(tc.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Width != 3 || f.Height != 2 || len(f.Pix) != 18 {
			t.Errorf("%s: %dx%d, %d bytes", name, f.Width, f.Height, len(f.Pix))
			continue
		}
		for i, v := range f.Pix {
			if d := int(v) - int(tc.want[i%3]); d > tc.near || d < -tc.near {
				t.Errorf("%s: byte %d is %d, want %d", name, i, v, tc.want[i%3])
			}
		}
	}
}

// withOrientation puts an EXIF part with that orientation into a JPEG.
func withOrientation(jpeg []byte, order binary.ByteOrder, orientation uint16) []byte {
	tiff := []byte("II*\x00")
	if order == binary.BigEndian {
		tiff = []byte("MM\x00*")
	}
	put16 := func(v uint16) { b := make([]byte, 2); order.PutUint16(b, v); tiff = append(tiff, b...) }
	put32 := func(v uint32) { b := make([]byte, 4); order.PutUint32(b, v); tiff = append(tiff, b...) }
	put32(8)
	put16(2)
	put16(0x010f) // Make, in front of it
	put16(2)
	put32(2)
	put32(0)
	put16(0x0112)
	put16(3)
	put32(1)
	put16(orientation)
	put16(0)
	put32(0)
	part := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, jpeg[:2]...)
	out = append(out, 0xff, 0xe1, byte((len(part)+2)>>8), byte(len(part)+2))
	return append(append(out, part...), jpeg[2:]...)
}

func TestPicturesStandUpright(t *testing.T) {
	// White, black, grey and dark grey in the corners, in blocks large enough to
	// survive JPEG: as seen upright, row by row.
	const block = 16
	white, black, grey, dark := byte(255), byte(0), byte(170), byte(85)
	upright := [2][3]byte{{white, black, grey}, {dark, grey, black}} // two rows of three
	for o := uint16(1); o <= 8; o++ {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			w, h := 3, 2
			if turn(o).swaps() {
				w, h = 2, 3
			}
			stored := image.NewGray(image.Rect(0, 0, w*block, h*block))
			// Turned by hand: where EXIF says that the 0th row and the 0th column
			// of the stored picture stand in the upright one.
			for y := range 2 {
				for x := range 3 {
					var col, row int
					switch o {
					case 1: // row 0 is the top, column 0 the left
						col, row = x, y
					case 2: // top, right
						col, row = 2-x, y
					case 3: // bottom, right
						col, row = 2-x, 1-y
					case 4: // bottom, left
						col, row = x, 1-y
					case 5: // left, top
						col, row = y, x
					case 6: // right, top
						col, row = y, 2-x
					case 7: // right, bottom
						col, row = 1-y, 2-x
					case 8: // left, bottom
						col, row = 1-y, x
					}
					for i := range block * block {
						stored.SetGray(col*block+i%block, row*block+i/block, color.Gray{Y: upright[y][x]})
					}
				}
			}
			data := encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, stored, &jpeg.Options{Quality: 95}) })
			f, err := Decode(withOrientation(data, order, o))
			if err != nil {
				t.Fatal(err)
			}
			if filled := slices.Insert(withOrientation(data, order, o), 2, 0xff, 0xff); orientation(filled) != turn(o) {
				t.Errorf("orientation %d is %d behind bytes that fill", o, orientation(filled))
			}
			if f.Width != 3*block || f.Height != 2*block {
				t.Fatalf("orientation %d: %dx%d", o, f.Width, f.Height)
			}
			for y := range 2 {
				for x := range 3 {
					at := 3 * ((y*block+block/2)*f.Width + x*block + block/2)
					if d := int(f.Pix[at]) - int(upright[y][x]); d > 6 || d < -6 {
						t.Errorf("orientation %d, %v: the block at %d, %d is %d, want %d", o, order, x, y, f.Pix[at], upright[y][x])
					}
				}
			}
		}
	}
}

func TestBrokenPictures(t *testing.T) {
	good := pngOf(t, image.NewGray(image.Rect(0, 0, 40, 40)))
	huge := bytes.Clone(good) // a header that claims 2^31 - 1 pixels a side
	copy(huge[16:24], []byte{0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff})
	large := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	copy(large[16:24], []byte{0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff})
	// The checksum of the header, so that only its claim is wrong.
	binary.BigEndian.PutUint32(large[29:], crc32.ChecksumIEEE(large[12:29]))
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("this is no picture at all"), "cut off": good[:len(good)/2],
		"a broken header": huge, "a picture of 65535x65535": large, "a JPEG's first bytes": {0xff, 0xd8, 0xff},
	} {
		if _, err := Decode(data); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Decode(large); err == nil || !strings.Contains(err.Error(), "65535x65535") {
		t.Errorf("a picture that is too large: %v, want its size named", err)
	}
	if _, err := Decode([]byte("text")); !errors.Is(err, ErrFormat) {
		t.Errorf("text: %v, want ErrFormat", err)
	}
	name := filepath.Join(t.TempDir(), "broken.png")
	if err := os.WriteFile(name, good[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(name); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("%v: does not name the file", err)
	}
	if _, err := Read(name + ".gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestKnown(t *testing.T) {
	for name, want := range map[string]bool{"a.jpg": true, "B.JPEG": true, "c.png": true, "d.gif": true, "e.webp": false, "jpg": false, "f.mp4": false} {
		if Known(name) != want {
			t.Errorf("Known(%q) is %v", name, !want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	small := image.NewGray(image.Rect(0, 0, 9, 5))
	j := encoded(f, func(b *bytes.Buffer) error { return jpeg.Encode(b, small, nil) })
	f.Add(withOrientation(j, binary.LittleEndian, 6))
	f.Add(withOrientation(j, binary.BigEndian, 8)[:40])
	f.Add(pngOf(f, small))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := orientation(data); o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
		if head, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && head.Width*head.Height > 1<<20 {
			t.Skip("large: slow, and no other")
		}
		p, err := Decode(data)
		if err == nil && (p.Width < 1 || p.Height < 1 || len(p.Pix) != 3*p.Width*p.Height) {
			t.Fatalf("%dx%d with %d bytes", p.Width, p.Height, len(p.Pix))
		}
	})
}
