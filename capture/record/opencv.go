//go:build !nocv

package record

import (
	"errors"
	"fmt"
	"io"
	"runtime"

	"gocv.io/x/gocv"

	"emolab/capture/frame"
)

// codec is MPEG-4 part 2; DECISIONS.md says why.
const codec = "mp4v"

// errUnreadable is a file that holds no video that can be read.
var errUnreadable = errors.New("no video can be read from it")

// canEncode tells why no video can be written, if so.
func canEncode() error { return nil }

// writer is OpenCV's video writer on its FFmpeg.
type writer struct {
	video         *gocv.VideoWriter
	width, height int
}

func newEncoder(path string, rate float64, width, height int) (encoder, error) {
	w, err := gocv.VideoWriterFile(path, codec, rate, width, height, true)
	if err != nil {
		return nil, err
	}
	if !w.IsOpened() {
		return nil, errors.Join(fmt.Errorf("OpenCV cannot write %s in Matroska: install its videoio module with FFmpeg", codec), w.Close())
	}
	return &writer{w, width, height}, nil
}

func (w *writer) write(f frame.Frame) error {
	if f.Width != w.width || f.Height != w.height || len(f.Pix) != 3*f.Width*f.Height {
		return fmt.Errorf("frame %d: %d bytes are no %dx%d picture of 3 channels", f.Seq, len(f.Pix), w.width, w.height)
	}
	// The Mat looks at the frame's own bytes; the pin keeps them in place.
	var pin runtime.Pinner
	pin.Pin(&f.Pix[0])
	defer pin.Unpin()
	m, err := gocv.NewMatFromBytes(f.Height, f.Width, gocv.MatTypeCV8UC3, f.Pix)
	if err != nil {
		return err
	}
	return errors.Join(w.video.Write(m), m.Close())
}

func (w *writer) close() error { return w.video.Close() }

// reader is OpenCV's video reader.
type reader struct {
	video *gocv.VideoCapture
	mat   gocv.Mat
}

func newDecoder(path string) (decoder, error) {
	v, err := gocv.VideoCaptureFileWithAPI(path, gocv.VideoCaptureFFmpeg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errUnreadable)
	}
	if !v.IsOpened() {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, errUnreadable), v.Close())
	}
	return &reader{v, gocv.NewMat()}, nil
}

func (r *reader) read() (pix []byte, width, height int, err error) {
	if !r.video.Read(&r.mat) || r.mat.Empty() {
		return nil, 0, 0, io.EOF
	}
	if r.mat.Type() != gocv.MatTypeCV8UC3 {
		return nil, 0, 0, fmt.Errorf("a picture of type %v, want 8 bits and 3 channels", r.mat.Type())
	}
	return r.mat.ToBytes(), r.mat.Cols(), r.mat.Rows(), nil
}

func (r *reader) close() error { return errors.Join(r.mat.Close(), r.video.Close()) }
