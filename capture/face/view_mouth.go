package face

import (
	"math"

	"emolab/fusion/landmark"
)

// The landmark net puts a mouth somewhere in every face, so its points do not
// tell whether there is one to be seen. Two things in the picture do, without
// any memory of the participant:
//
//   - lips are redder than the skin around them, and hands, cups and masks where
//     lips should be are not;
//   - the edges of the lower face (lips, teeth, the dark line between them, the
//     chin) run across it, those of fingers and of objects as much along it.
//
// DECISIONS.md has what was tried and how well they tell.
const (
	// mouthSide is the side of the square of the lower face that is looked at, in
	// points, and mouthScale how many of them there are to the distance between
	// the eyes: the lips are then some 5 points thick.
	mouthSide  = 40
	mouthScale = 24
	// mouthTop is where the square begins below the eyes, in parts of the distance
	// between them: it reaches from the middle of the nose to below the chin.
	mouthTop = .2
	// lipGap and lipRing are the distances from the lips, in points, between which
	// the skin is compared with them: off their soft edge, and within their shadow
	// and beard.
	lipGap, lipRing = 1, 5
	// lipLeast is how many points of lip and of skin it takes.
	lipLeast = 8
	// colourLeast is the mean difference of red and green in parts of the luma
	// below which a picture is as good as grey and does not show what lips are.
	colourLeast = .03
	// chromaFloor keeps the noise of the blue and red of dark pixels small (luma).
	chromaFloor = 8
)

// Weights of the logistic function of the two measures. They were fitted to
// faces of 25 people, each as it is and with hands, masks, cups and phones put
// before the mouth, and tried on people who were left out; the offset is chosen
// for one in twenty of the free mouths at .5.
const (
	weightRedness = -6.60
	weightAcross  = -8.82
	weightOffset  = 3.73
)

// mouth looks at the lower part of faces. It holds what is used again from frame
// to frame, and is not safe for concurrent use.
type mouth struct {
	red    [mouthSide * mouthSide]float64 // log of red over green
	bright [mouthSide * mouthSide]float64 // log of luma
	seen   [mouthSide * mouthSide]bool    // within the patch
	lips   [mouthSide * mouthSide]bool
	inner  [mouthSide * mouthSide]bool // between the lips: teeth, tongue
	lower  [mouthSide * mouthSide]bool // the face below the nose
	near   [mouthSide * mouthSide]bool // within lipGap of the lips
	around [mouthSide * mouthSide]bool // within lipRing of them
}

// cover returns how likely something hides the mouth of the face in p, 0..1, of
// which f are the landmarks in the frame; NaN when too little of it is seen.
func (m *mouth) cover(p *patch, f *landmark.Face) float64 {
	shape, ok := m.sample(p, f)
	if !ok {
		return math.NaN()
	}
	fill(&m.lips, shape[48:60])
	fill(&m.inner, shape[60:68])
	m.fillLower(&shape)
	grow(&m.near, &m.lips, lipGap)
	grow(&m.around, &m.lips, lipRing)
	red, ok := m.redness()
	if !ok {
		return math.NaN()
	}
	return 1 / (1 + math.Exp(-(weightRedness*red + weightAcross*m.across() + weightOffset)))
}

// sample lays the square upright below the eyes, reads the picture there, and
// returns the landmarks in its points; false when there are no eyes.
func (m *mouth) sample(p *patch, f *landmark.Face) (shape landmark.Face, ok bool) {
	right := f.Centre(landmark.EyeRightFirst, landmark.EyeRightLast)
	left := f.Centre(landmark.EyeLeftFirst, landmark.EyeLeftLast)
	lips := f.Centre(landmark.LipsFirst, landmark.LipsLast)
	apart := landmark.Distance(right, left)
	middle := landmark.Point{X: (right.X + left.X) / 2, Y: (right.Y + left.Y) / 2}
	// A head turned aside has its eyes close together, but its mouth no higher.
	const eyesToMouth = .85 // at least, of the distance between the eyes, of a frontal face
	unit := max(apart, eyesToMouth*landmark.Distance(middle, lips))
	if !(apart > 0) || !f.Known() {
		return shape, false
	}
	ux, uy := (left.X-right.X)/apart, (left.Y-right.Y)/apart // along the eyes; (-uy, ux) is down
	for i, q := range f {
		dx, dy := (q.X-middle.X)/unit, (q.Y-middle.Y)/unit
		shape[i] = landmark.Point{
			X: (dx*ux+dy*uy)*mouthScale + mouthSide/2 - .5,
			Y: (dy*ux-dx*uy-mouthTop)*mouthScale - .5,
		}
	}
	step := unit / mouthScale
	for r := range mouthSide {
		down := (float64(r)+.5)*step + mouthTop*unit
		for c := range mouthSide {
			along := (float64(c) + .5 - mouthSide/2) * step
			q := p.place(landmark.Point{X: middle.X + along*ux - down*uy, Y: middle.Y + along*uy + down*ux})
			blue, green, red, ok := p.at(q.X, q.Y)
			i := r*mouthSide + c
			m.seen[i] = ok
			m.red[i] = math.Log((red + chromaFloor) / (green + chromaFloor))
			m.bright[i] = math.Log(luma(blue, green, red) + chromaFloor)
		}
	}
	return shape, true
}

// fillLower marks the face below the nose: within the line of the jaw, which is
// closed over the bridge of the nose.
func (m *mouth) fillLower(shape *landmark.Face) {
	const jawFrom, jawTo, bridge = 2, 14, 29
	var outline [jawTo - jawFrom + 2]landmark.Point
	copy(outline[:], shape[jawFrom:jawTo+1])
	outline[len(outline)-1] = shape[bridge]
	fill(&m.lower, outline[:])
	const underNose = 33
	for r := 0; r < mouthSide && float64(r) <= shape[underNose].Y; r++ {
		clear(m.lower[r*mouthSide : (r+1)*mouthSide])
	}
}

// redness returns the correlation of redness with being lip, over the lips and
// the skin around them, both weighing the same: near 1 where the lips stand out,
// near 0 where there are none. False when too little is seen.
func (m *mouth) redness() (float64, bool) {
	var n, sum, squares [2]float64
	for i, red := range m.red {
		k := 0
		switch {
		case !m.seen[i]:
			continue
		case m.lips[i] && !m.inner[i]:
			k = 1
		case !m.lower[i] || m.near[i] || !m.around[i]:
			continue
		}
		n[k]++
		sum[k] += red
		squares[k] += red * red
	}
	if n[0] < lipLeast || n[1] < lipLeast {
		return 0, false
	}
	skin, lip := sum[0]/n[0], sum[1]/n[1]
	mean := (skin + lip) / 2
	variance := (squares[0]/n[0]+squares[1]/n[1])/2 - mean*mean
	// Evenly coloured skin has a variance of some 1e-3; below this it is rounding.
	const rounding = 1e-5
	return (lip - skin) / 2 / math.Sqrt(variance+rounding), true
}

// across returns how much more the edges of the lower face run across it than
// along it: -1 none across, 0 as many, 1 all.
func (m *mouth) across() float64 {
	const least = 1 // keeps the answer near 0 where there are no edges: noise has no direction
	var across, along float64 = least, least
	for r := 1; r < mouthSide-1; r++ {
		for c := 1; c < mouthSide-1; c++ {
			i := r*mouthSide + c
			if !m.lower[i] || !m.whole(i) {
				continue
			}
			// Sobel's operator: differences, smoothed across them.
			b := &m.bright
			dx := b[i-mouthSide+1] + 2*b[i+1] + b[i+mouthSide+1] - b[i-mouthSide-1] - 2*b[i-1] - b[i+mouthSide-1]
			dy := b[i+mouthSide-1] + 2*b[i+mouthSide] + b[i+mouthSide+1] - b[i-mouthSide-1] - 2*b[i-mouthSide] - b[i-mouthSide+1]
			across += math.Abs(dy)
			along += math.Abs(dx)
		}
	}
	return (across - along) / (across + along)
}

// whole tells whether a point and its eight neighbours are seen.
func (m *mouth) whole(i int) bool {
	for _, row := range [...]int{i - mouthSide, i, i + mouthSide} {
		if !m.seen[row-1] || !m.seen[row] || !m.seen[row+1] {
			return false
		}
	}
	return true
}

// fill marks the points within a polygon: those to whose left an odd number of
// its edges pass.
func fill(mask *[mouthSide * mouthSide]bool, polygon []landmark.Point) {
	clear(mask[:])
	before := polygon[len(polygon)-1]
	for _, p := range polygon {
		a, b := before, p
		before = p
		if a.Y > b.Y {
			a, b = b, a
		}
		for r := max(0, int(math.Ceil(a.Y))); r < mouthSide && float64(r) < b.Y; r++ {
			x := a.X + (b.X-a.X)*(float64(r)-a.Y)/(b.Y-a.Y)
			for c := max(0, int(math.Ceil(x))); c < mouthSide; c++ {
				mask[r*mouthSide+c] = !mask[r*mouthSide+c]
			}
		}
	}
}

// grow marks the points within by rows and columns of those marked in from.
func grow(to, from *[mouthSide * mouthSide]bool, by int) {
	clear(to[:])
	for r := range mouthSide {
		for c := range mouthSide {
			if !from[r*mouthSide+c] {
				continue
			}
			for y := max(0, r-by); y <= min(mouthSide-1, r+by); y++ {
				row := to[y*mouthSide:]
				for x := max(0, c-by); x <= min(mouthSide-1, c+by); x++ {
					row[x] = true
				}
			}
		}
	}
}
