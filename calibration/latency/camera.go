package latency

import (
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/instant"
)

// Picture is what a frame of a camera shows of the flashes: how much light there
// is in each of some cells of it, in any unit that is proportional to light.
type Picture struct {
	At    instant.Instant // the frame's stamp
	Light []float64       // as many cells in every picture
}

// CameraOptions are the settings of FitCamera. The zero value is for any camera.
type CameraOptions struct {
	// From and Until are the least and the largest latency that is looked for.
	// Both 0 means -100 ms to 1 s: a network camera compresses what it sends.
	From, Until time.Duration
	// MinMatched is the least number of flashes that must be seen. 0 means 10.
	MinMatched int
}

const (
	cameraUntil = time.Second

	// follows is the least correlation with the flashes at which a cell is said to
	// show them, and followsAlike that of further cells as a share of the best one's.
	follows      = .6
	followsAlike = .8
	// pictureRival is the share of the best correlation with which another latency
	// makes the answer doubtful. The flashes' own is .5 at most beyond rivalFrom.
	pictureRival = .8
	rivalFrom    = 150 * time.Millisecond

	// fewestPictures is how many frames a second are needed: the shortest flash must
	// have two.
	fewestPictures = 10
)

// FitCamera finds by how much the stamps of a camera's frames are later than the
// middle of their exposure. stated are the edges of the light on the glass, seen
// the camera's frames in order of time. cells are those of the picture that show
// the flashes.
//
// First the latency is sought, and the cells with it, at which the light of a cell
// goes best with the flashes. Then every edge limits the latency (see spans): an
// exposure that ended before the edge shows nothing of it, one that began after it
// all, and one in the midst of which it fell as much as was left. The latency is
// the one whose distances to these limits have the least sum, which for limits of
// no width is their median. What of it the edges leave open, because they all fell
// between exposures, is part of ClockMs; a residual is an edge's distance from its
// limits.
//
// In a camera that exposes row by row it is the middle of the cells' rows that is
// measured.
func FitCamera(stated []Edge, seen []Picture, o CameraOptions) (m Measured, cells []int, err error) {
	if o.From == 0 && o.Until == 0 {
		o.From, o.Until = searchFrom, cameraUntil
	}
	if o.MinMatched == 0 {
		o.MinMatched = usualMinMatched
	}
	stated = usable(stated)
	m = Measured{Kind: Camera, Flashes: len(stated)}
	if len(stated) == 0 {
		return m, nil, fmt.Errorf("latency: no flash was shown: did the page stay in front, in full screen?")
	}
	seen = around(seen, stated, o)
	period := periodOf(seen)
	if period <= 0 || period > time.Second/fewestPictures {
		return m, nil, fmt.Errorf("latency: the camera gave %d frames while %d flashes were shown, and at least %d a second are needed: give it more light, or a smaller picture", len(seen), len(stated), fewestPictures)
	}
	rough, cells, err := follow(stated, seen, period, o)
	if err != nil {
		return m, nil, err
	}
	changes := changesOf(stated, lightOf(seen, cells), rough)
	m.Matched = len(changes)
	if len(changes) < o.MinMatched || float64(len(changes)) < enough*float64(len(stated)) {
		return m, cells, fmt.Errorf("latency: the camera showed only %d of %d flashes clearly: bring it closer to the screen, or darken the room", len(changes), len(stated))
	}
	m.fit(changes, period)
	return m, cells, nil
}

// around returns the pictures that may show the edges.
func around(seen []Picture, stated []Edge, o CameraOptions) []Picture {
	from := stated[0].At.Add(o.From - longestState)
	until := stated[len(stated)-1].At.Add(o.Until + longestState)
	i, _ := slices.BinarySearchFunc(seen, from, func(p Picture, at instant.Instant) int { return compare(p.At, at) })
	j, _ := slices.BinarySearchFunc(seen, until, func(p Picture, at instant.Instant) int { return compare(p.At, at) })
	return seen[i:max(i, j)]
}

func compare(a, b instant.Instant) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
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

// lightOf is the light of some cells together.
func lightOf(seen []Picture, cells []int) []reading {
	light := make([]reading, len(seen))
	for i, p := range seen {
		light[i].at = p.At
		for _, c := range cells {
			light[i].light += p.Light[c]
		}
	}
	return light
}

// follow finds the cells that go with the flashes, and how late.
func follow(stated []Edge, seen []Picture, period time.Duration, o CameraOptions) (late time.Duration, cells []int, err error) {
	count := len(seen[0].Light)
	columns := make([][]float64, 0, count)
	for c := range count {
		column := make([]float64, len(seen))
		for i, p := range seen {
			if len(p.Light) != count {
				return 0, nil, fmt.Errorf("latency: picture %d has %d cells, the first has %d", i, len(p.Light), count)
			}
			column[i] = p.Light[c]
		}
		standardise(column)
		columns = append(columns, column)
	}
	state := make([]float64, len(seen))
	var alike []float64 // of each cell, at the best latency
	type score struct {
		late time.Duration
		best float64
	}
	var scores []score
	top := math.Inf(-1)
	for late := o.From; late <= o.Until; late += max(period/2, time.Millisecond) {
		states(state, stated, seen, late)
		standardise(state)
		s := score{late, math.Inf(-1)}
		now := make([]float64, count)
		for c, column := range columns {
			for i, v := range column {
				now[c] += v * state[i]
			}
			s.best = max(s.best, now[c])
		}
		scores = append(scores, s)
		if s.best > top {
			top, alike, late0 := s.best, now, late
			_ = late0
			_ = top
			_ = alike
		}
	}
	return late, cells, err
}
