// Package picture reads still pictures from files as frames: JPEG, PNG and GIF,
// turned upright as their camera noted. Go's own decoders do it, since they
// answer a broken file with an error where OpenCV may end the process.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	_ "image/gif" // formats that image.Decode knows
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"strings"

	"emolab/capture/frame"
)

// MaxPixels is the largest picture that is read: more than most phones take. While
// one of that size is unpacked it takes 1.5 GB, with 16 bits a colour 2 GB. A few
// bytes of a broken file can claim any size.
const MaxPixels = 128 << 20

// ErrFormat is the answer to a file that is no picture of a known format.
var ErrFormat = errors.New("no JPEG, PNG or GIF picture")

// Known tells whether a file's name ends like that of a picture Read can read.
func Known(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".gif":
		return true
	}
	return false
}

// Read reads a file. Of an animation it reads the first picture; what is
// transparent becomes black. The frame's instants are zero.
func Read(name string) (frame.Frame, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return frame.Frame{}, fmt.Errorf("picture: %w", err)
	}
	f, err := Decode(data)
	if err != nil {
		return frame.Frame{}, fmt.Errorf("picture: %s: %w", name, err)
	}
	return f, nil
}

// Decode is Read of the bytes of a file.
func Decode(data []byte) (frame.Frame, error) {
	if len(data) == 0 {
		return frame.Frame{}, errors.New("the file is empty")
	}
	head, _, err := image.DecodeConfig(bytes.NewReader(data))
	if errors.Is(err, image.ErrFormat) {
		return frame.Frame{}, ErrFormat
	}
	if err != nil {
		return frame.Frame{}, fmt.Errorf("broken picture: %w", err)
	}
	if head.Width < 1 || head.Height < 1 || head.Width > MaxPixels/head.Height {
		return frame.Frame{}, fmt.Errorf("a picture of %dx%d: at most %d million pixels are read", head.Width, head.Height, MaxPixels>>20)
	}
	decoded, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return frame.Frame{}, fmt.Errorf("broken picture: %w", err)
	}
	area := decoded.Bounds()
	if area.Empty() {
		return frame.Frame{}, errors.New("the picture has no pixels")
	}
	rgba := image.NewRGBA(image.Rect(0, 0, area.Dx(), area.Dy()))
	draw.Draw(rgba, rgba.Bounds(), decoded, area.Min, draw.Src)
	return upright(rgba, orientation(data)), nil
}

// upright packs a picture as BGR, turned and mirrored as its orientation asks.
func upright(m *image.RGBA, o turn) frame.Frame {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	f := frame.Frame{Width: w, Height: h, Pix: make([]byte, 0, 3*w*h)}
	if o.swaps() {
		f.Width, f.Height = h, w
	}
	for y := range f.Height {
		for x := range f.Width {
			sx, sy := o.source(x, y, w, h)
			p := m.Pix[sy*m.Stride+4*sx:]
			f.Pix = append(f.Pix, p[2], p[1], p[0])
		}
	}
	return f
}
