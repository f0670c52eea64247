package face

import (
	"math"
	"slices"

	"emolab/fusion/landmark"
)

// The landmark net puts a mouth somewhere in every face, so its points do not
// tell whether there is one to be seen. The colour of the picture there does,
// without any memory of the participant: lips are redder than the skin around
// them, and lips, teeth and tongue together are unlike it; hands, cups and masks
// are there what they are beside. Both are looked for in the right and in the
// left half of the mouth, and the half that has less decides, because a hand
// often hides one corner only. DECISIONS.md of fusion/visibility has what else
// was tried and how well it tells.
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
	// lipLeast and skinLeast are how many points of lip and of skin each half must
	// have: a head turned far aside has not.
	lipLeast, skinLeast = 5, 10
	// colourLeast is the mean difference of red and green in parts of the luma
	// below which a picture is as good as grey and does not show what lips are.
	colourLeast = .03
	// chromaFloor keeps the noise of the red and green of dark pixels small (luma).
	chromaFloor = 8
	// Skin has nine tenths of its redness below reddestSkin and one in twenty
	// below palestSkin; what lies outside is unlike it.
	reddestSkin, palestSkin = .9, .05
)

// Weights of the logistic function of the two measures, fitted to the faces of 25
// people, each as it is and with hands, masks, cups and phones before the mouth.
const (
	weightRedder = -3.77
	weightUnlike = -4.33
	weightOffset = 3.24
)

// mouth looks at the lower part of faces. It holds what is used again from frame
// to frame, and is not safe for concurrent use.
type mouth struct {
	red    [mouthSide * mouthSide]float64 // log of red over green
	seen   [mouthSide * mouthSide]bool    // within the patch
	lips   [mouthSide * mouthSide]bool    // with all between them
	inner  [mouthSide * mouthSide]bool    // between the lips: teeth, tongue
	lower  [mouthSide * mouthSide]bool    // the face below the nose
	near   [mouthSide * mouthSide]bool    // within lipGap of the lips
	around [mouthSide * mouthSide]bool    // within lipRing of them
	skin   []float64                      // redness around one half of the mouth
}

// cover returns how likely something hides the mouth of the face in p, 0..1, of
// which f are the landmarks in the frame; NaN when too little of it is seen.
func (m *mouth) cover(p *patch, f *landmark.Face) float64 {
	redder, unlike, ok := m.lipness(p, f)
	if !ok {
		return math.NaN()
	}
	return 1 / (1 + math.Exp(-(weightRedder*redder + weightUnlike*unlike + weightOffset)))
}

// lipness returns how much the lips differ from the skin around them in redness,
// and the mouth in whole (see half), in the half of the mouth that does so
// less; false when too little is seen.
func (m *mouth) lipness(p *patch, f *landmark.Face) (redder, unlike float64, ok bool) {
	shape, ok := m.sample(p, f)
	if !ok {
		return 0, 0, false
	}
	const (
		outer, outerEnd = 48, 60
		between, end    = 60, 68
		middle          = 62 // of the upper lip's inner edge
	)
	fill(&m.lips, shape[outer:outerEnd])
	fill(&m.inner, shape[between:end])
	m.fillLower(&shape)
	grow(&m.near, &m.lips, lipGap)
	grow(&m.around, &m.lips, lipRing)
	split := min(max(0, int(math.Round(shape[middle].X))), mouthSide)
	redRight, unlikeRight, okRight := m.half(0, split)
	redLeft, unlikeLeft, okLeft := m.half(split, mouthSide)
	return min(redRight, redLeft), min(unlikeRight, unlikeLeft), okRight && okLeft
}

// half measures the columns from..to. Redder is the correlation of redness with
// being lip, over the lips and the skin around them, both weighing the same: near
// 1 where the lips stand out, near 0 where there are none. Unlike is the share of
// the mouth that is redder or paler than the skin around it.
func (m *mouth) half(from, to int) (redder, unlike float64, ok bool) {
	m.skin = m.skin[:0]
	var lip, skin sums
	for r := range mouthSide {
		for i := r*mouthSide + from; i < r*mouthSide+to; i++ {
			switch {
			case !m.seen[i]:
			case m.lips[i] && !m.inner[i]:
				lip.add(m.red[i])
			case m.lower[i] && m.around[i] && !m.near[i]:
				skin.add(m.red[i])
				m.skin = append(m.skin, m.red[i])
			}
		}
	}
	if lip.n < lipLeast || skin.n < skinLeast {
		return 0, 0, false
	}
	slices.Sort(m.skin)
	palest := m.skin[int(palestSkin*float64(len(m.skin)))]
	reddest := m.skin[int(reddestSkin*float64(len(m.skin)))]
	var outside, all float64
	for r := range mouthSide {
		for i := r*mouthSide + from; i < r*mouthSide+to; i++ {
			if m.seen[i] && m.lips[i] {
				all++
				if m.red[i] > reddest || m.red[i] < palest {
					outside++
				}
			}
		}
	}
	apart := (lip.mean() - skin.mean()) / 2
	// Evenly coloured skin has a variance of some 1e-3; below this it is rounding.
	const rounding = 1e-5
	return apart / math.Sqrt((lip.variance()+skin.variance())/2+apart*apart+rounding), outside / all, true
}

// sums are those of some numbers and their squares.
type sums struct{ n, sum, squares float64 }

func (s *sums) add(x float64) {
	s.n++
	s.sum += x
	s.squares += x * x
}

func (s *sums) mean() float64 { return s.sum / s.n }

func (s *sums) variance() float64 { return max(0, s.squares/s.n-s.mean()*s.mean()) }

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
			_, green, red, ok := p.at(q.X, q.Y)
			i := r*mouthSide + c
			m.seen[i] = ok
			m.red[i] = math.Log((red + chromaFloor) / (green + chromaFloor))
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
