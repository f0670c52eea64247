package landmark

// Mirror returns, for each point, the one on the other side of the face; points
// on the middle line are their own. A face seen in a mirror has its points in
// this order.
func Mirror() [Count]int {
	var partner [Count]int
	// Each run of points is traversed the other way round on the other side.
	for _, run := range [...]struct{ first, last, other int }{
		{JawFirst, JawLast, JawLast},
		{BrowRightFirst, BrowRightLast, BrowLeftLast},
		{27, NoseTip, 0}, // the ridge, on the middle line
		{31, NoseLast, NoseLast},
		{EyeRightOuter, EyeRightInner, EyeLeftOuter},
		{40, EyeRightLast, EyeLeftLast}, // lower lids
		{MouthRightCorner, MouthLeftCorner, MouthLeftCorner},
		{55, 59, 59}, // lower edge of the lower lip
		{60, 64, 64}, // inner lips, upper
		{65, LipsLast, LipsLast},
	} {
		for i := run.first; i <= run.last; i++ {
			j := i
			if run.other > 0 {
				j = run.other - (i - run.first)
			}
			partner[i], partner[j] = j, i
		}
	}
	return partner
}

// Mirrored returns the face as a mirror shows it: flipped about x = 0, with its
// points in their order again.
func (f *Face) Mirrored() Face {
	var out Face
	for i, j := range Mirror() {
		out[i] = Point{-f[j].X, f[j].Y}
	}
	return out
}
