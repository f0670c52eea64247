package face

import (
	"math"

	"emolab/fusion/landmark"
)

// patch is a small colour picture of a face and where it lies in the frame.
type patch struct {
	pix  []byte // blue, green, red; row by row, without gaps
	w, h int
	x, y float64 // of its top left corner in the frame, px
	// stepX and stepY are how many frame pixels one of its pixels covers.
	stepX, stepY float64
}

// place returns where a point of the frame lies in the patch, in pixels from
// the middle of its first one.
func (p *patch) place(q landmark.Point) landmark.Point {
	return landmark.Point{X: (q.X-p.x)/p.stepX - .5, Y: (q.Y-p.y)/p.stepY - .5}
}

// at returns the colour at a place of the patch, mixed from the four pixels
// around it; false outside.
func (p *patch) at(x, y float64) (blue, green, red float64, ok bool) {
	if !(x >= 0 && y >= 0 && x < float64(p.w-1) && y < float64(p.h-1)) {
		return 0, 0, 0, false
	}
	column, row := int(x), int(y)
	u, v := x-float64(column), y-float64(row)
	top := p.pix[3*(row*p.w+column):]
	bottom := top[3*p.w:]
	mix := func(i int) float64 {
		return (float64(top[i])*(1-u)+float64(top[i+3])*u)*(1-v) +
			(float64(bottom[i])*(1-u)+float64(bottom[i+3])*u)*v
	}
	return mix(0), mix(1), mix(2), true
}

// luma returns the brightness of a colour as the eye weighs it (ITU-R BT.601),
// 0..255.
func luma(blue, green, red float64) float64 { return .114*blue + .587*green + .299*red }

// white is the luma from which on a pixel counts as overexposed. It is less than
// 255 because the patch is a mean over pixels, and coded video is not exact.
const white = 250

// light is how a face is lit.
type light struct {
	mean    float64 // luma, 0..255
	clipped float64 // share of the pixels that are white
	colour  float64 // mean difference of red and green in parts of the luma: 0 of a grey picture
}

// light measures the ellipse that the patch encloses: its corners are hair and
// background. It leaves the luma of all pixels in grey, which it makes larger
// when need be.
func (p *patch) light(grey *[]float64) light {
	g := (*grey)[:0]
	for i := 0; i+2 < len(p.pix); i += 3 {
		g = append(g, luma(float64(p.pix[i]), float64(p.pix[i+1]), float64(p.pix[i+2])))
	}
	*grey = g
	var n, sum, over, colour float64
	for y := range p.h {
		from, to := ellipse(y, p.w, p.h)
		for i := y*p.w + from; i < y*p.w+to; i++ {
			n++
			sum += g[i]
			if g[i] >= white {
				over++
			}
			colour += math.Abs(float64(p.pix[3*i+2]) - float64(p.pix[3*i+1]))
		}
	}
	if n == 0 || sum == 0 {
		return light{}
	}
	return light{mean: sum / n, clipped: over / n, colour: colour / sum}
}

// ellipse returns the first column of row y within the ellipse that fills a
// picture of w x h, and the one behind the last.
func ellipse(y, w, h int) (from, to int) {
	v := (2*float64(y)+1)/float64(h) - 1
	half := float64(w) / 2 * math.Sqrt(1-v*v)
	return int(math.Round(float64(w)/2 - half)), int(math.Round(float64(w)/2 + half))
}

// halve returns a picture of a quarter of the pixels, the means of four each,
// in half, which it makes larger when need be.
func halve(grey []float64, w, h int, half *[]float64) ([]float64, int, int) {
	small := (*half)[:0]
	for y := 0; y+1 < h; y += 2 {
		upper, lower := grey[y*w:(y+1)*w], grey[(y+1)*w:(y+2)*w]
		for x := 0; x+1 < w; x += 2 {
			small = append(small, (upper[x]+upper[x+1]+lower[x]+lower[x+1])/4)
		}
	}
	*half = small
	return small, w / 2, h / 2
}

// sharpness returns how much finest detail there is in a face beside that of
// twice the size: the mean square of second differences between neighbours over
// that between points two apart, along rows or along columns, whichever is less.
// Natural pictures have much the same at all sizes, so this depends neither on
// light and contrast nor on the size of the face; blur takes the finest detail
// first, and that of a movement in one direction only. From 1/16 of a picture
// without any to 1 of noise; 0 where there is nothing at all.
func sharpness(grey []float64, w, h int) float64 {
	var fineX, coarseX, fineY, coarseY float64
	for y := 2; y < h-2; y++ {
		from, to := ellipse(y, w, h)
		for x := max(2, from); x < min(w-2, to); x++ {
			i := y*w + x
			middle := 2 * grey[i]
			d := grey[i-1] + grey[i+1] - middle
			fineX += d * d
			d = grey[i-2] + grey[i+2] - middle
			coarseX += d * d
			d = grey[i-w] + grey[i+w] - middle
			fineY += d * d
			d = grey[i-2*w] + grey[i+2*w] - middle
			coarseY += d * d
		}
	}
	if coarseX == 0 || coarseY == 0 {
		return 0
	}
	return min(fineX/coarseX, fineY/coarseY)
}
