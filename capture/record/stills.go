package record

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"emolab/fusion/instant"
)

const (
	// stillQuality is that of JPEG pictures, 1 to 100: above it they only grow.
	stillQuality = 85
	// stillsKept is how long a file stays decoded that nobody asks for: whoever steps from
	// picture to picture asks sooner, and whose face it is may withdraw.
	stillsKept = 10 * time.Second
	// lowest is the niceness of whoever takes what of the computer nobody else wants.
	lowest = 19
)

// Still is a kept frame that can be shown on its own.
type Still struct {
	Segment int
	Seq     int64           // that of the face stream's sample
	At      instant.Instant // as in the table
	File    string          // name of its file in the folder
	Place   int             // in that file, from 0
}

// List lists the frames that are kept in dir by their tables, in the order in which they
// were taken, without reading a video. A folder that is not there has none.
func List(dir string) ([]Still, error) {
	segments, err := segments(dir)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	var out []Still
	for _, s := range segments {
		entries, err := readTable(tablePath(dir, s))
		if err != nil {
			return nil, fmt.Errorf("record: %w", err)
		}
		for _, e := range entries {
			out = append(out, Still{s, e.seq, e.at, filepath.Base(videoPath(dir, s, e.file)), int(e.frame)})
		}
	}
	return out, nil
}

// Stills shows single kept frames. The latest file is kept decoded while it is asked for,
// so that stepping through it is quick: two seconds of 1280x720 are some 80 MB. It is safe
// for concurrent use and decodes one file at a time.
type Stills struct {
	mu       sync.Mutex
	path     string // of the file that is decoded
	pictures []*image.YCbCr
	idle     *time.Timer // forgets them
}

// JPEG returns a frame of the video at path as a JPEG picture.
func (s *Stills) JPEG(path string, place int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == nil {
		s.idle = time.AfterFunc(stillsKept, s.forget)
	}
	s.idle.Reset(stillsKept)
	if s.path != path {
		s.path, s.pictures = "", nil
		var pictures []*image.YCbCr
		var err error
		modestly(func() { pictures, err = decode(path) })
		if err != nil {
			return nil, fmt.Errorf("record: %w", err)
		}
		s.path, s.pictures = path, pictures
	}
	if place < 0 || place >= len(s.pictures) {
		return nil, fmt.Errorf("record: %s holds %d frames: there is no frame %d", path, len(s.pictures), place)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, s.pictures[place], &jpeg.Options{Quality: stillQuality}); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return b.Bytes(), nil
}

// forget lets go of the pictures.
func (s *Stills) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.path, s.pictures = "", nil
}

// modestly does work on a thread that gives way to all others: a session may be recorded
// meanwhile, and its own video encoded.
func modestly(work func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with this function
		// 0 is the calling thread, and those that it starts. Refused, it is as busy as others.
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, lowest)
		work()
	}()
	<-done
}

// decode reads all frames of a file.
func decode(path string) (pictures []*image.YCbCr, err error) {
	d, err := newDecoder(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	for {
		pix, w, h, err := d.read()
		if errors.Is(err, io.EOF) {
			return pictures, nil
		}
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, ofBGR(pix, w, h))
	}
}

// ofBGR makes of a frame's pixels the form that JPEG is made of, which takes half the
// room: a colour for each four pixels.
func ofBGR(pix []byte, w, h int) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for y := range h {
		row := pix[3*w*y : 3*w*(y+1)]
		for x := range w {
			luma, cb, cr := color.RGBToYCbCr(row[3*x+2], row[3*x+1], row[3*x])
			img.Y[y*img.YStride+x] = luma
			if x%2 == 0 && y%2 == 0 {
				c := y/2*img.CStride + x/2
				img.Cb[c], img.Cr[c] = cb, cr
			}
		}
	}
	return img
}
