// Package luminance tells how light each frame of a video is: what the pupil
// answers to whatever the picture shows.
package luminance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"emolab/capture/frame"
	"emolab/capture/webcam"
	"emolab/fusion/instant"
)

const (
	// The weights of red, green and blue in relative luminance (ITU-R BT.709).
	red, green, blue = .2126, .7152, .0722
	// enough is how many pixels of a picture are looked at: of those with more than
	// twice as many, every second, third and so on in both directions, so that half of
	// it are left at least (DECISIONS.md has the difference).
	enough = 1 << 16
)

// curve is the linear light, 0 to 1, of each value of a channel.
type curve [256]float64

// newCurve is sRGB's (IEC 61966-2-1), as screens show what browsers draw.
func newCurve() *curve {
	var c curve
	for i := range c {
		v := float64(i) / 255
		if v <= .04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+.055)/1.055, 2.4)
		}
	}
	return &c
}

// The colours that OpenCV decodes are as if coded by ITU-R BT.601's matrix; these
// make of its red and blue differences those of BT.709's.
const (
	redShare, greenShare, blueShare = .299, .587, .114 // in BT.601's luma

	redOfRed    = 1.5748 / 1.402
	blueOfBlue  = 1.8556 / 1.772
	greenOfRed  = -red * 1.5748 / green / 1.402
	greenOfBlue = -blue * 1.8556 / green / 1.772
)

// mean is the mean relative luminance of a picture, 0 black to 1 white. bt709 says
// that its colours were coded by BT.709's matrix. A picture without pixels is black.
func (c *curve) mean(f frame.Frame, bt709 bool) float64 {
	step := 1
	for (f.Width/step)*(f.Height/step) > 2*enough {
		step++
	}
	sum, n := 0., 0
	for y := step / 2; y < f.Height; y += step {
		row := f.Pix[3*y*f.Width : 3*(y+1)*f.Width]
		for x := step / 2; x < f.Width; x += step {
			b, g, r := row[3*x], row[3*x+1], row[3*x+2]
			if bt709 {
				b, g, r = recoded(b, g, r)
			}
			sum += blue*c[b] + green*c[g] + red*c[r]
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return min(sum/float64(n), 1) // the weights add up to 1 but for a rounding
}

// recoded makes of a colour that was decoded by BT.601's matrix what BT.709's would
// have made of it.
func recoded(b, g, r byte) (byte, byte, byte) {
	luma := redShare*float64(r) + greenShare*float64(g) + blueShare*float64(b)
	cb, cr := float64(b)-luma, float64(r)-luma
	whole := func(v float64) byte { return byte(max(0, min(v+.5, 255))) }
	return whole(luma + blueOfBlue*cb), whole(luma + greenOfBlue*cb + greenOfRed*cr), whole(luma + redOfRed*cr)
}

// Video returns the mean relative luminance of each frame of a video file, 0 to 1,
// in the order of the frames. bt709 says that its colours are coded by ITU-R
// BT.709's matrix, not BT.601's. It works as fast as it can; before each frame it asks
// hold, which may make it wait, and ends with hold's error. Without OpenCV it fails
// with webcam.ErrNoOpenCV.
func Video(ctx context.Context, file string, bt709 bool, hold func(context.Context) error) ([]float64, error) {
	film, err := webcam.Open(webcam.Options{Source: file, Pace: webcam.Unpaced}, instant.Monotonic{})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	frames := make(chan frame.Frame)
	ended := make(chan error, 1)
	go func() {
		defer close(frames)
		ended <- film.Run(ctx, frames)
	}()
	c := newCurve()
	var out []float64
	var held error
	for f := range frames {
		if held != nil {
			continue // let the film end
		}
		out = append(out, c.mean(f, bt709))
		if held = hold(ctx); held != nil {
			stop()
		}
	}
	err = <-ended
	switch {
	case held != nil:
		return nil, held
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("luminance: %w", err)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return out, nil
}
