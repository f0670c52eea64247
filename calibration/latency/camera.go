package latency

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// Picture is what a frame of a camera shows of the flashes: how much light there
// is in each of some cells of it, in any unit that is proportional to light.
type Picture struct {
	At    instant.Instant // the frame's stamp, as alignment has it
	Light []float64       // as many cells in every picture
}

const (
	// cameraUntil is the largest latency that is looked for: a network camera
	// compresses what it sends.
	cameraUntil = time.Second
	// fewestPictures is how many frames a second are needed: the shortest flash,
	// of 200 ms, must have two that begin and end within it.
	fewestPictures = 10
	// longestState is how long the patch stays as it is at most, but before the
	// first edge and after the last.
	longestState = 500 * time.Millisecond
)

// FitCamera finds by how much the stamps of a camera's frames are later than the
// middle of their exposure. stated are the edges of the light on the glass, seen
// the camera's frames in order of time, of which fewest must show an edge each (0
// means 10). cells are those of the picture that show the flashes.
//
// First the latency is sought, and the cells with it, at which the light of a cell
// goes best with the flashes. Then every edge limits the latency (see spans): an
// exposure that ended before the edge shows nothing of it, one that began after it
// all, and one in the midst of which it fell as much as was left. The latency is
// the one whose distances to these limits have the least sum, which for limits of
// no width is their median. What of it the edges leave open, because they all fell
// between exposures, is part of ClockMs; a residual is an edge's distance from its
// limits. How much the stamps jitter is also seen from frame to frame, as a camera
// exposes evenly; where that is more than the residuals show it is in ClockMs too.
//
// In a camera that exposes row by row it is the middle of the cells' rows that is
// measured.
func FitCamera(stated []Edge, seen []Picture, fewest int) (m Measured, cells []int, err error) {
	if fewest == 0 {
		fewest = fewestMatched
	}
	m = Measured{Kind: Camera}
	if len(stated) == 0 {
		return m, nil, errNotShown
	}
	if stated, err = wellKnown(stated); err != nil {
		return m, nil, err
	}
	m.Flashes = len(stated)
	seen = around(seen, stated)
	period := periodOf(seen)
	if period <= 0 || period > time.Second/fewestPictures {
		return m, nil, fmt.Errorf("latency: the camera gave %d frames while %d flashes were shown, and at least %d a second are needed: give it more light, or a smaller picture", len(seen), len(stated), fewestPictures)
	}
	rough, cells, err := follow(stated, seen, period)
	if err != nil {
		return m, nil, err
	}
	changes, noise := changesOf(stated, lightOf(seen, cells), rough, period)
	m.Matched = len(changes)
	if len(changes) < fewest || float64(len(changes)) < enough*float64(len(stated)) {
		return m, cells, fmt.Errorf("latency: the camera showed only %d of %d flashes clearly: bring it closer to the screen, or darken the room", len(changes), len(stated))
	}
	m.fit(changes, period, noise, jitterOf(seen, period))
	return m, cells, nil
}

// around returns the pictures that may show the edges.
func around(seen []Picture, stated []Edge) []Picture {
	from := stated[0].At.Add(searchFrom - longestState)
	until := stated[len(stated)-1].At.Add(cameraUntil + longestState)
	i, _ := slices.BinarySearchFunc(seen, from, func(p Picture, at instant.Instant) int { return cmp.Compare(p.At, at) })
	j, _ := slices.BinarySearchFunc(seen, until, func(p Picture, at instant.Instant) int { return cmp.Compare(p.At, at) })
	return seen[i:max(i, j)]
}

// periodOf is the usual time from one picture to the next.
func periodOf(seen []Picture) time.Duration {
	if len(seen) < 2 {
		return 0
	}
	steps := make([]time.Duration, len(seen)-1)
	for i := range steps {
		steps[i] = seen[i+1].At.Sub(seen[i].At)
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// jitterWindow is over how many frames to either side a camera exposes evenly.
const jitterWindow = 15

// jitterOf is what 99 of 100 stamps stay in around the straight lines through their
// neighbours, ms.
func jitterOf(seen []Picture, period time.Duration) float64 {
	number := make([]float64, len(seen)) // of the frame, those that are missing included
	for i := 1; i < len(seen); i++ {
		number[i] = number[i-1] + max(1, math.Round(float64(seen[i].At.Sub(seen[i-1].At))/float64(period)))
	}
	away := make([]float64, len(seen))
	for i, p := range seen {
		from, until := max(0, i-jitterWindow), min(len(seen), i+jitterWindow+1)
		n := float64(until - from)
		var x, y, xx, xy float64
		for j := from; j < until; j++ {
			dx, dy := number[j]-number[i], inMs(seen[j].At.Sub(p.At))
			x, y, xx, xy = x+dx/n, y+dy/n, xx+dx*dx/n, xy+dx*dy/n
		}
		away[i] = math.Abs(y - x*(xy-x*y)/(xx-x*x)) // the line at this frame
	}
	slices.Sort(away)
	return quantile(away, held)
}
