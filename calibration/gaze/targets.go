package gaze

// margin is how far calibration targets stay from the edges of the screen, as a
// share of it: what lies further out is outside the range of most trackers.
const margin = .1

// Targets returns the calibration targets: 5 (centre and corners), 9 (a grid)
// or 13 (the grid and the middles of its squares). nil for another number. To five
// no more than an affine map is fitted, to 13 the cubic one at most (see Model).
func Targets(n int) []Point {
	const low, high = margin, 1 - margin
	const quarter = (low + .5) / 2
	centre := Point{.5, .5}
	corners := []Point{{low, low}, {high, low}, {low, high}, {high, high}}
	sides := []Point{{.5, low}, {low, .5}, {high, .5}, {.5, high}}
	middles := []Point{{quarter, quarter}, {1 - quarter, quarter}, {quarter, 1 - quarter}, {1 - quarter, 1 - quarter}}
	switch n {
	case 5:
		return append([]Point{centre}, corners...)
	case 9:
		return append(append([]Point{centre}, corners...), sides...)
	case 13:
		return append(append(append([]Point{centre}, corners...), sides...), middles...)
	}
	return nil
}

// ValidationTargets returns the targets of a validation: 4, 5 or 9. All lie
// elsewhere than any calibration target, at least a tenth of the screen away,
// because the error at the points that were fitted says too little. nil for
// another number.
func ValidationTargets(n int) []Point {
	all := []Point{
		{.35, .2}, {.8, .35}, {.65, .8}, {.2, .65}, // a square, turned
		{.4, .5},                               // the middle
		{.2, .1}, {.9, .2}, {.8, .9}, {.1, .8}, // the rim
	}
	if n != 4 && n != 5 && n != 9 {
		return nil
	}
	return all[:n]
}
