package headpose

import "emolab/fusion/landmark"

// Head is the 68 points in space, in mm: x to the picture's right, y down, z
// away from the camera when the head faces it; origin midway between the eyes.
// A head must not be flat: its depth is what tells a turn.
type Head [landmark.Count]struct{ X, Y, Z float64 }

// Generic returns a head of average proportions, exactly symmetric, whose eyes
// are 63 mm apart.
func Generic() Head {
	// The half on the picture's left, and the middle line.
	var h Head
	for _, part := range [...]struct {
		first  int
		points [][3]float64
	}{
		{landmark.JawFirst, [][3]float64{
			{-76, -2, 46}, {-74.5, 18.5, 43}, {-71, 37.5, 41}, {-67.5, 55, 40}, {-61, 73, 37},
			{-50, 88, 29}, {-37.5, 98.5, 17}, {-22, 107.5, 3}, {0, 112.5, -6},
		}},
		{landmark.BrowRightFirst, [][3]float64{
			{-58, -17.5, 10}, {-49.5, -23, 0}, {-37.5, -24.5, -8}, {-27, -22.5, -14}, {-18, -19, -15},
		}},
		{landmark.NoseFirst, [][3]float64{
			{0, 2, -15}, {0, 15, -23}, {0, 27, -31}, {0, 38, -38},
			{-12.5, 43, -19}, {-7, 45, -22}, {0, 46.5, -25},
		}},
		{landmark.EyeRightFirst, [][3]float64{
			{-43.2, -1, 4}, {-36.7, -3.7, -2}, {-27.2, -3.4, -4}, {-19.2, 1, -4}, {-26.5, 3.3, -3}, {-36.2, 3, -1},
		}},
		{landmark.MouthRightCorner, [][3]float64{
			{-26, 67.5, -4}, {-16.5, 63, -14}, {-5.5, 59.5, -21}, {0, 61, -23},
		}},
		{57, [][3]float64{{0, 76.5, -20}, {-8, 75.5, -18}, {-16, 72.5, -13}}}, // below the lower lip
		{60, [][3]float64{{-24, 67, -6}, {-7.5, 66, -16}, {0, 66, -20}}},      // the upper lip's lower edge
		{66, [][3]float64{{0, 68, -17}, {-7.5, 67.5, -14}}},                   // the lower lip's upper edge
	} {
		for i, p := range part.points {
			h[part.first+i].X, h[part.first+i].Y, h[part.first+i].Z = p[0], p[1], p[2]
		}
	}
	for i, j := range landmark.Mirror() {
		if h[i].X < 0 {
			h[j] = h[i]
			h[j].X = -h[i].X
		}
	}
	return h
}

// eyeDistance returns the distance between the centres of the eyes in mm.
func (h *Head) eyeDistance() float64 {
	var f landmark.Face
	for i, p := range h[landmark.EyeRightFirst : landmark.EyeLeftLast+1] {
		f[landmark.EyeRightFirst+i] = landmark.Point{X: p.X, Y: p.Y}
	}
	return f.EyeDistance()
}

// The trust in a landmark: one over the variance, in mm², that remained when
// real faces were turned back to the front. What expressions move counts little;
// mouth and chin, which speech moves most, do not count at all.
const (
	trustCorner  = .9  // corners of the eyes
	trustRidge   = .7  // of the nose, with its tip
	trustNostril = .3  // the nose's base, which a smile widens and lifts
	trustLid     = .2  // they blink
	trustTemple  = .2  // the jaw's contour above the mouth
	trustCheek   = .05 // the jaw's contour beside the mouth
	trustBrow    = .03 // they rise and frown
)

// trust returns how much each landmark counts in the search for a pose.
func trust() [landmark.Count]float64 {
	var w [landmark.Count]float64
	set := func(first, last int, to float64) {
		for i := first; i <= last; i++ {
			w[i] = to
		}
	}
	for i := range 6 {
		w[landmark.JawFirst+i], w[landmark.JawLast-i] = trustCheek, trustCheek
	}
	for i := range 3 {
		w[landmark.JawFirst+i], w[landmark.JawLast-i] = trustTemple, trustTemple
	}
	set(landmark.BrowRightFirst, landmark.BrowLeftLast, trustBrow)
	set(landmark.NoseFirst, landmark.NoseTip, trustRidge)
	set(landmark.NoseTip+1, landmark.NoseLast, trustNostril)
	set(landmark.EyeRightFirst, landmark.EyeLeftLast, trustLid)
	for _, i := range [...]int{landmark.EyeRightOuter, landmark.EyeRightInner, landmark.EyeLeftInner, landmark.EyeLeftOuter} {
		w[i] = trustCorner
	}
	return w
}
