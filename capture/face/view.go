//go:build !nocv

package face

import (
	"errors"
	"image"
	"math"

	"gocv.io/x/gocv"
)

const (
	// viewSide is the longer side of the face in the patch that is measured, in
	// px: as large as the nets see it, for what they cannot see does not matter. A
	// smaller face is not enlarged.
	viewSide = 112
	// thumbSide is the longer side of the frame in the picture that its light is
	// taken from, px.
	thumbSide = 64
	// aroundGap is how much larger than the face's box, in parts of it, the part
	// of the frame is that does not count as its surroundings: hair and neck.
	aroundGap = 1.6
)

// view measures how well the camera sees the face. The zero value is ready for
// use; it must be closed. It is not safe for concurrent use.
type view struct {
	thumb, half, quarter, small gocv.Mat // reused from frame to frame
	ready                       bool     // they have been made
	grey, halfGrey              []float64
	mouth                       mouth
}

// Close frees the pictures.
func (v *view) Close() error {
	if !v.ready {
		return nil
	}
	v.ready = false
	return errors.Join(v.thumb.Close(), v.half.Close(), v.quarter.Close(), v.small.Close())
}

// measure fills in r.View from the picture and what was found in it.
func (v *view) measure(picture gocv.Mat, r *Result) {
	if !v.ready {
		v.thumb, v.half, v.quarter, v.small = gocv.NewMat(), gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
		v.ready = true
	}
	r.View = View{LumaAround: v.around(picture, r)}
	if !r.Found {
		return
	}
	x0, y0, x1, y1, ok := r.Box.clip(picture.Cols(), picture.Rows())
	if !ok {
		r.View = View{
			LumaFace: math.NaN(), LumaAround: r.View.LumaAround,
			Clipped: math.NaN(), Sharpness: math.NaN(), MouthCover: math.NaN(),
		}
		return
	}
	p := v.crop(picture, image.Rect(x0, y0, x1, y1))
	lit := p.light(&v.grey)
	r.View.LumaFace, r.View.Clipped = lit.mean, lit.clipped
	// Half the size that the nets see: what is sharp there serves them, and the
	// noise of the camera is a quarter of its power.
	r.View.Sharpness = sharpness(halve(v.grey, p.w, p.h, &v.halfGrey))
	r.View.MouthCover = math.NaN()
	if lit.colour >= colourLeast {
		r.View.MouthCover = v.mouth.cover(&p, &r.Landmarks)
	}
}

// crop returns a part of the picture, made smaller to viewSide: by halves, which
// takes the mean of every four pixels, and the rest by interpolation. Together
// that is a tenth of the time of the mean over parts of pixels at once.
func (v *view) crop(picture gocv.Mat, part image.Rectangle) patch {
	halvings := 0
	for max(part.Dx(), part.Dy())>>(halvings+1) >= viewSide {
		halvings++
	}
	if block := 1 << halvings; min(part.Dx(), part.Dy()) >= block {
		part.Max.X -= part.Dx() % block
		part.Max.Y -= part.Dy() % block
	}
	from := picture.Region(part)
	defer from.Close()
	last, next, spare := &from, &v.half, &v.quarter
	for range halvings {
		gocv.Resize(*last, next, image.Pt(max(1, last.Cols()/2), max(1, last.Rows()/2)), 0, 0, gocv.InterpolationArea)
		last, next, spare = next, spare, next
	}
	w, h := shrink(last.Cols(), last.Rows(), viewSide)
	gocv.Resize(*last, &v.small, image.Pt(w, h), 0, 0, gocv.InterpolationLinear)
	return patch{
		pix: bytesOf(v.small), w: w, h: h, x: float64(part.Min.X), y: float64(part.Min.Y),
		stepX: float64(part.Dx()) / float64(w), stepY: float64(part.Dy()) / float64(h),
	}
}

// around returns the mean luma of the picture outside the face; of all of it
// where there is no face, or nothing else.
func (v *view) around(picture gocv.Mat, r *Result) float64 {
	w, h := shrink(picture.Cols(), picture.Rows(), thumbSide)
	gocv.Resize(picture, &v.thumb, image.Pt(w, h), 0, 0, gocv.InterpolationNearestNeighbor)
	pix := bytesOf(v.thumb)
	keep := r.Box.enlarge(aroundGap)
	stepX, stepY := float64(picture.Cols())/float64(w), float64(picture.Rows())/float64(h)
	var n, sum, all float64
	for y := range h {
		for x := range w {
			i := 3 * (y*w + x)
			l := luma(float64(pix[i]), float64(pix[i+1]), float64(pix[i+2]))
			all += l
			px, py := (float64(x)+.5)*stepX, (float64(y)+.5)*stepY
			if r.Found && px >= keep.X && px < keep.X+keep.W && py >= keep.Y && py < keep.Y+keep.H {
				continue
			}
			n++
			sum += l
		}
	}
	if n == 0 {
		return all / float64(w*h)
	}
	return sum / n
}

// shrink returns a size of the same shape whose longer side is at most side.
func shrink(w, h, side int) (int, int) {
	if max(w, h) <= side {
		return w, h
	}
	scale := float64(side) / float64(max(w, h))
	return max(1, int(math.Round(float64(w)*scale))), max(1, int(math.Round(float64(h)*scale)))
}

// bytesOf returns the pixels of an 8-bit picture in place. They are valid until
// it is written to or closed.
func bytesOf(m gocv.Mat) []byte {
	pix, err := m.DataPtrUint8()
	if err != nil { // of a picture of another kind only, which Resize does not make of one of bytes
		return nil
	}
	return pix
}
