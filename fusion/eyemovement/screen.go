package eyemovement

import "math"

// Screen is what turns places on a screen into visual angle: its visible size
// and the distance of the eyes from its centre, all in millimetres. The line
// from the eyes to the centre is taken to be upright on the screen.
type Screen struct {
	WidthMM    float64 `json:"width_mm"`
	HeightMM   float64 `json:"height_mm"`
	DistanceMM float64 `json:"distance_mm"`
}

// Valid tells whether all three lengths are finite and above 0.
func (s Screen) Valid() bool {
	ok := func(x float64) bool { return x > 0 && !math.IsInf(x, 1) }
	return ok(s.WidthMM) && ok(s.HeightMM) && ok(s.DistanceMM)
}

// Direction returns where the point lies as seen by the eyes, in degrees to the
// right of and below the centre of the screen.
func (s Screen) Direction(x, y float64) (right, down float64) {
	return degrees(math.Atan((x - .5) * s.WidthMM / s.DistanceMM)), degrees(math.Atan((y - .5) * s.HeightMM / s.DistanceMM))
}

// At is the inverse of Direction: the point, in fractions of the screen, that
// lies so many degrees to the right of and below the centre.
func (s Screen) At(right, down float64) (x, y float64) {
	return .5 + math.Tan(right*math.Pi/180)*s.DistanceMM/s.WidthMM, .5 + math.Tan(down*math.Pi/180)*s.DistanceMM/s.HeightMM
}

// Degrees returns the visual angle in degrees between two points given in
// fractions of the screen: the angle between the two lines of sight.
func (s Screen) Degrees(x0, y0, x1, y1 float64) float64 {
	a := [3]float64{(x0 - .5) * s.WidthMM, (y0 - .5) * s.HeightMM, s.DistanceMM}
	b := [3]float64{(x1 - .5) * s.WidthMM, (y1 - .5) * s.HeightMM, s.DistanceMM}
	cx := a[1]*b[2] - a[2]*b[1]
	cy := a[2]*b[0] - a[0]*b[2]
	cz := a[0]*b[1] - a[1]*b[0]
	dot := a[0]*b[0] + a[1]*b[1] + a[2]*b[2]
	return degrees(math.Atan2(math.Sqrt(cx*cx+cy*cy+cz*cz), dot))
}

// Flat returns how many degrees one screen width and one screen height are
// where every millimetre counts as much as one at the centre: the flat factor
// by which several published programs convert (pixels times one number). Away
// from the centre it gives more degrees than Degrees.
func (s Screen) Flat() (perWidth, perHeight float64) {
	perMM := degrees(math.Atan2(s.WidthMM/2, s.DistanceMM)) / (s.WidthMM / 2)
	return perMM * s.WidthMM, perMM * s.HeightMM
}

func degrees(rad float64) float64 { return rad * 180 / math.Pi }
