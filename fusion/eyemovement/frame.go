package eyemovement

// Frame is where the stimulus lies on the screen: its upper left corner and its
// size, in fractions of the screen. The zero value is the whole screen.
type Frame struct{ X, Y, Width, Height float64 }

// FitFrame returns the frame of a stimulus that is shown as large as it fits, in the
// middle: both sizes in pixels, or any unit.
func FitFrame(stimulusWidth, stimulusHeight, screenWidth, screenHeight float64) Frame {
	if !(stimulusWidth > 0) || !(stimulusHeight > 0) || !(screenWidth > 0) || !(screenHeight > 0) {
		return Frame{}
	}
	scale := min(screenWidth/stimulusWidth, screenHeight/stimulusHeight)
	w, h := scale*stimulusWidth/screenWidth, scale*stimulusHeight/screenHeight
	return Frame{(1 - w) / 2, (1 - h) / 2, w, h}
}

// Inside turns a place on the screen into one on the stimulus, both in
// fractions.
func (f Frame) Inside(x, y float64) (float64, float64) {
	if f == (Frame{}) {
		return x, y
	}
	return (x - f.X) / f.Width, (y - f.Y) / f.Height
}

// OnScreen is the inverse of Inside.
func (f Frame) OnScreen(x, y float64) (float64, float64) {
	if f == (Frame{}) {
		return x, y
	}
	return f.X + x*f.Width, f.Y + y*f.Height
}
