//go:build !nocv

package webcam

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gocv.io/x/gocv"

	"emolab/fusion/instant"
)

// largestRaw is the number of pixels up to which USB 2 carries 30 uncompressed
// pictures a second; beyond it a device is asked for Motion JPEG.
const largestRaw = 640 * 480

// Open opens a camera, a file or an address, and looks at the first pictures of
// a device to decide on its stamps. The error says what to do: which group to
// join, which devices there are.
func Open(o Options, clock instant.Clock) (*Camera, error) {
	p, err := locate(o.Source)
	if err != nil {
		return nil, err
	}
	d := Description{Kind: p.kind, Port: p.port, Stamps: ArrivalStamps}
	switch p.kind {
	case Device:
		if err := checkDevice(p.port); err != nil {
			return nil, err
		}
		d.Device, d.Stamps = deviceName(p.index), DriverStamps
	case File:
		info, err := os.Stat(p.port)
		if err != nil {
			return nil, fmt.Errorf("webcam: open the video file: %w", err)
		}
		if info.Size() == 0 {
			return nil, fmt.Errorf("webcam: %s is empty", p.port)
		}
		d.Device, d.Stamps = filepath.Base(p.port), FileStamps
	case Address:
		d.Port = public(p.port)
		d.Device = d.Port
	}

	g := &capture{place: p, mat: gocv.NewMat()}
	if err := g.open(); err != nil {
		return nil, errors.Join(err, g.close())
	}
	if p.kind == Device {
		g.wish(o)
	}
	d.Width = int(g.video.Get(gocv.VideoCaptureFrameWidth))
	d.Height = int(g.video.Get(gocv.VideoCaptureFrameHeight))
	if fps := g.video.Get(gocv.VideoCaptureFPS); fps > 0 && fps < 1000 {
		d.FPS = fps
	}
	if n := g.video.Get(gocv.VideoCaptureFrameCount); p.kind == File && n > 0 {
		d.Frames = int64(n)
	}
	c := newCamera(o, d, g, clock)
	if p.kind == Device {
		if err := c.settle(); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// capture is OpenCV's VideoCapture as a grabber.
type capture struct {
	place place
	video *gocv.VideoCapture
	mat   gocv.Mat // the last picture; reused
}

// open opens the place. Devices go through Video4Linux and nothing else: its
// stamps are on the lab clock, those of other backends are not. Films and
// addresses go through FFmpeg: OpenCV would try others after it, whose times
// differ, and which fill the terminal with what they cannot read.
func (g *capture) open() error {
	var err error
	switch g.place.kind {
	case Device:
		g.video, err = gocv.VideoCaptureDeviceWithAPI(g.place.index, gocv.VideoCaptureV4L2)
		if err != nil {
			err = fmt.Errorf("webcam: %s opens but gives no pictures: it is in use by another program, or is not the camera but its metadata; %s", g.place.port, others())
		}
	case File:
		if g.video, err = gocv.VideoCaptureFileWithAPI(g.place.port, gocv.VideoCaptureFFmpeg); err != nil {
			err = fmt.Errorf("webcam: %s is no video that OpenCV can read", g.place.port)
		}
	case Address:
		if g.video, err = gocv.VideoCaptureFileWithAPI(g.place.port, gocv.VideoCaptureFFmpeg); err != nil {
			err = fmt.Errorf("webcam: %s does not answer, or not with a video", public(g.place.port))
		}
	}
	return err
}

// wish asks a device for a mode. What it cannot do it leaves as it was, and
// says nothing; Description tells what came of it.
func (g *capture) wish(o Options) {
	if o.Width*o.Height > largestRaw {
		// Before the size: a device offers its sizes by format.
		g.video.Set(gocv.VideoCaptureFOURCC, g.video.ToCodec("MJPG"))
	}
	if o.Width > 0 && o.Height > 0 {
		g.video.Set(gocv.VideoCaptureFrameWidth, float64(o.Width))
		g.video.Set(gocv.VideoCaptureFrameHeight, float64(o.Height))
	}
	if o.FPS > 0 {
		g.video.Set(gocv.VideoCaptureFPS, o.FPS)
	}
}

func (g *capture) grab() (picture, bool, error) {
	if !g.video.Read(&g.mat) || g.mat.Empty() {
		return picture{}, false, nil
	}
	pix, err := bgr(g.mat)
	if err != nil {
		return picture{}, false, err
	}
	return picture{
		width: g.mat.Cols(), height: g.mat.Rows(), pix: pix,
		posMs: g.video.Get(gocv.VideoCapturePosMsec),
	}, true, nil
}

// bgr returns a copy of a picture as frames have it: blue, green, red, 8 bits
// each. Some infrared cameras give grey pictures, some grabbers a fourth channel.
func bgr(m gocv.Mat) ([]byte, error) {
	convert := map[gocv.MatType]gocv.ColorConversionCode{
		gocv.MatTypeCV8UC1: gocv.ColorGrayToBGR,
		gocv.MatTypeCV8UC4: gocv.ColorBGRAToBGR,
	}
	code, ok := convert[m.Type()]
	switch {
	case m.Type() == gocv.MatTypeCV8UC3:
		return m.ToBytes(), nil
	case !ok:
		return nil, fmt.Errorf("the pictures have %d channels of OpenCV type %d: want 1, 3 or 4 of 8 bits; choose another format of the camera", m.Channels(), m.Type())
	}
	converted := gocv.NewMat()
	defer converted.Close()
	gocv.CvtColor(m, &converted, code)
	return converted.ToBytes(), nil
}

// rewind opens the file anew. Seeking would be quicker, but lands on a key
// frame that need not be the first frame.
func (g *capture) rewind() error {
	if err := g.video.Close(); err != nil {
		return err
	}
	return g.open()
}

func (g *capture) close() error {
	var err error
	if g.video != nil {
		err = g.video.Close()
		g.video = nil
	}
	return errors.Join(err, g.mat.Close())
}
