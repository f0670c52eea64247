package face

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"emolab/fusion/landmark"
)

// facePoints is a frontal face of average proportions, in parts of the distance
// between its eyes, the middle between which is the origin.
func facePoints() landmark.Face {
	var f landmark.Face
	for i := range 17 { // the jaw: half an ellipse
		a := math.Pi * float64(i) / 16
		f[i] = landmark.Point{X: -1.1 * math.Cos(a), Y: .1 + 1.7*math.Sin(a)}
	}
	for i := range 5 {
		f[17+i] = landmark.Point{X: -.85 + .15*float64(i), Y: -.35}
		f[22+i] = landmark.Point{X: .25 + .15*float64(i), Y: -.35}
	}
	for i := range 4 {
		f[27+i] = landmark.Point{Y: .2 * float64(i)}
	}
	for i := range 5 {
		f[31+i] = landmark.Point{X: -.2 + .1*float64(i), Y: .7}
	}
	oval := func(first, n int, x, y, rx, ry float64) {
		for i := range n { // from the participant's right over the top
			a := 2 * math.Pi * float64(i) / float64(n)
			f[first+i] = landmark.Point{X: x - rx*math.Cos(a), Y: y - ry*math.Sin(a)}
		}
	}
	oval(36, 6, -.5, 0, .22, .08)
	oval(42, 6, .5, 0, .22, .08)
	oval(48, 12, 0, 1.1, .4, .15)
	oval(60, 8, 0, 1.1, .33, .02)
	return f
}

// drawn is a face drawn into a patch: skin, and lips when they are not covered.
func drawn(turn, eyes float64, lips bool) (patch, landmark.Face) {
	const side = 112
	p := patch{pix: make([]byte, 3*side*side), w: side, h: side, stepX: 1, stepY: 1}
	shape := facePoints()
	sin, cos := math.Sincos(turn)
	var f landmark.Face
	for i, q := range shape {
		f[i] = landmark.Point{X: side/2 + eyes*(q.X*cos-q.Y*sin), Y: side/3 + eyes*(q.X*sin+q.Y*cos)}
	}
	for y := range side {
		for x := range side {
			dx, dy := (float64(x)+.5-side/2)/eyes, (float64(y)+.5-side/3)/eyes
			u, v := dx*cos+dy*sin, -dx*sin+dy*cos
			colour := [3]byte{110, 130, 190} // skin
			m := math.Hypot(u/.4, (v-1.1)/.15)
			switch {
			case lips && math.Hypot(u/.33, (v-1.1)/.02) < 1:
				colour = [3]byte{30, 30, 60}
			case lips && m < 1:
				colour = [3]byte{90, 90, 190}
			}
			copy(p.pix[3*(y*side+x):], colour[:])
		}
	}
	return p, f
}

// A mouth with lips is free, one without is covered, however the head is tilted
// and whatever its size.
func TestCover(t *testing.T) {
	var m mouth
	rapid.Check(t, func(t *rapid.T) {
		turn := rapid.Float64Range(-.5, .5).Draw(t, "turn")
		eyes := rapid.Float64Range(25, 38).Draw(t, "px between the eyes")
		p, f := drawn(turn, eyes, true)
		if got := m.cover(&p, &f); !(got < .2) {
			t.Fatalf("lips to be seen: %.2f", got)
		}
		p, f = drawn(turn, eyes, false)
		if got := m.cover(&p, &f); !(got > .8) {
			t.Fatalf("nothing but skin: %.2f", got)
		}
	})
}

func TestCoverOfWhatIsNotSeen(t *testing.T) {
	var m mouth
	p, f := drawn(0, 35, true)
	outside := f
	for i := range outside {
		outside[i].X += 500
	}
	unknown := f
	unknown[51].X = math.NaN()
	for name, shape := range map[string]landmark.Face{
		"outside the patch": outside, "one point not known": unknown, "all in one point": {},
	} {
		if got := m.cover(&p, &shape); !math.IsNaN(got) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Whatever the landmarks, the answer is a share or not known.
func TestCoverIsAShare(t *testing.T) {
	var m mouth
	p, _ := drawn(.2, 35, true)
	rapid.Check(t, func(t *rapid.T) {
		var f landmark.Face
		for i := range f {
			f[i] = landmark.Point{X: rapid.Float64Range(-50, 150).Draw(t, "x"), Y: rapid.Float64Range(-50, 150).Draw(t, "y")}
		}
		if got := m.cover(&p, &f); !(math.IsNaN(got) || got >= 0 && got <= 1) {
			t.Fatalf("%v", got)
		}
	})
}

// fill marks the points that lie within the polygon by the winding of the
// crossings, reckoned point by point.
func TestFill(t *testing.T) {
	// Off the points, for which a rounding would do on an edge.
	coordinate := rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-140, 420).Draw(t, "sevenths"))/7 + .01 })
	rapid.Check(t, func(t *rapid.T) {
		polygon := make([]landmark.Point, rapid.IntRange(3, 12).Draw(t, "corners"))
		for i := range polygon {
			polygon[i] = landmark.Point{X: coordinate.Draw(t, "x"), Y: coordinate.Draw(t, "y")}
		}
		var mask [mouthSide * mouthSide]bool
		fill(&mask, polygon)
		for i, got := range mask {
			x, y := float64(i%mouthSide), float64(i/mouthSide)
			want := false
			for k := range polygon {
				a, b := polygon[k], polygon[(k+1)%len(polygon)]
				if (a.Y <= y) != (b.Y <= y) && x >= a.X+(b.X-a.X)*(y-a.Y)/(b.Y-a.Y) {
					want = !want
				}
			}
			if got != want {
				t.Fatalf("point %v, %v: %v, want %v", x, y, got, want)
			}
		}
	})
}

func TestGrow(t *testing.T) {
	var from, to [mouthSide * mouthSide]bool
	from[10*mouthSide+20], from[mouthSide*mouthSide-1] = true, true
	grow(&to, &from, 2)
	for i, got := range to {
		r, c := i/mouthSide, i%mouthSide
		want := max(abs(r-10), abs(c-20)) <= 2 || min(r, c) >= mouthSide-3
		if got != want {
			t.Fatalf("row %d, column %d: %v", r, c, got)
		}
	}
}

func abs(i int) int { return max(i, -i) }
