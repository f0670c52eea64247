package eyemovement

import (
	"math"
	"slices"
	"time"
)

const (
	// trackBreak is the longest time without any sample that is walked over;
	// what lies beyond is sorted by itself.
	trackBreak = time.Second
	// offScreen is how far beyond its edges, in screens, a place is taken for
	// what a tracker says while the lid moves, not for a place looked at.
	offScreen = 0.25
)

// BlinkOptions say what is a blink. The zero value is the default.
type BlinkOptions struct {
	// Min and Max are how long samples are missing in a blink: 30 ms (the lid
	// covers the pupil wholly; three intervals at least) and 1 s. What is missing
	// for longer is Undefined.
	Min, Max time.Duration
	// Join is how close two such runs belong to one blink, if half of it all is
	// missing: 100 ms.
	Join time.Duration
	// Beside a blink the lid cuts into the pupil and the gaze seems to dive. The
	// blink is stretched over what is faster than LidDegS (20 °/s), by Before (60 ms)
	// and After (120 ms) at most.
	LidDegS       float64
	Before, After time.Duration
}

func (o BlinkOptions) withDefaults() BlinkOptions {
	set(&o.Min, 30*time.Millisecond)
	set(&o.Max, time.Second)
	set(&o.Join, 100*time.Millisecond)
	set(&o.LidDegS, 20)
	set(&o.Before, 60*time.Millisecond)
	set(&o.After, 120*time.Millisecond)
	return o
}

// Of a blink these are always its own: the lid is under way there.
const (
	lidBefore = 10 * time.Millisecond
	lidAfter  = 30 * time.Millisecond
)

// track is a stretch of a recording on a regular grid, in degrees. Cells without
// a sample hold the straight line between their neighbours.
type track struct {
	first int     // index of its first sample in the recording
	cell  []int   // of each of its samples
	rate  float64 // cells per second
	right []float64
	down  []float64
	gone  []bool  // nothing was measured there
	class []Class // Undefined where nothing is said yet; Blink comes first

	// Of the rapid movements:
	vx, vy   []float64 // short velocity less the slow movement, deg/s
	fast     []float64 // its length
	broad    []float64 // the same over a longer window
	unusable bool      // less than two samples
}

// grid is the step of the grid for samples that are step apart.
func grid(step time.Duration) time.Duration { return max(step, time.Second/fastest) }

// onScreen tells whether somebody can have looked there.
func onScreen(x, y float64) bool {
	return math.Abs(x-.5) <= .5+offScreen && math.Abs(y-.5) <= .5+offScreen
}

// plausible returns the gaze without places that nobody can have looked at: they
// are missing.
func plausible(g Gaze) Gaze {
	out := g
	for i := range g.Len() {
		if !g.Valid(i) || onScreen(g.X[i], g.Y[i]) {
			continue
		}
		if &out.X[0] == &g.X[0] {
			out.X, out.Y = slices.Clone(g.X), slices.Clone(g.Y)
		}
		out.X[i], out.Y[i] = math.NaN(), math.NaN()
	}
	return out
}

// tracks puts a recording on grids, one for each stretch without a break, marks
// its blinks and reckons its velocities.
func tracks(g Gaze, s Screen, step time.Duration, o BlinkOptions) []*track {
	step = grid(step)
	var all []*track
	for first := 0; first < g.Len(); {
		end := first + 1
		for end < g.Len() && g.At[end].Sub(g.At[end-1]) <= trackBreak {
			end++
		}
		t := newTrack(g, s, first, end, step)
		t.blinks(o)
		t.split()
		all = append(all, t)
		first = end
	}
	return all
}

func newTrack(g Gaze, s Screen, first, end int, step time.Duration) *track {
	t := &track{first: first, cell: make([]int, end-first), rate: float64(time.Second) / float64(step)}
	for i := range t.cell {
		t.cell[i] = int((g.At[first+i].Sub(g.At[first]) + step/2) / step)
	}
	n := t.cell[len(t.cell)-1] + 1
	t.right, t.down = make([]float64, n), make([]float64, n)
	t.gone, t.class = slices.Repeat([]bool{true}, n), make([]Class, n)
	count := make([]float64, n)
	for i, c := range t.cell {
		x, y := g.X[first+i], g.Y[first+i]
		if g.Valid(first+i) && onScreen(x, y) {
			right, down := s.Direction(x, y)
			count[c]++
			t.right[c] += (right - t.right[c]) / count[c]
			t.down[c] += (down - t.down[c]) / count[c]
			t.gone[c] = false
		}
	}
	t.unusable = !t.bridge(t.gone)
	return t
}

// bridge draws straight lines over the given cells. It tells whether two others
// are there.
func (t *track) bridge(over []bool) bool {
	last, found := -1, 0
	fill := func(from, until int) { // cells between two that are there
		for k := max(from, -1) + 1; k < until; k++ {
			switch {
			case from < 0:
				t.right[k], t.down[k] = t.right[until], t.down[until]
			case until == len(over):
				t.right[k], t.down[k] = t.right[from], t.down[from]
			default:
				u := float64(k-from) / float64(until-from)
				t.right[k] = t.right[from] + u*(t.right[until]-t.right[from])
				t.down[k] = t.down[from] + u*(t.down[until]-t.down[from])
			}
		}
	}
	for i, no := range over {
		if no {
			continue
		}
		found++
		if last < i-1 {
			fill(last, i)
		}
		last = i
	}
	if last >= 0 {
		fill(last, len(over))
	}
	return found >= 2
}

// cells is how many cells a time has.
func (t *track) cells(d time.Duration) int { return int(math.Round(d.Seconds() * t.rate)) }

// blinks marks blinks, and as Undefined other losses: with what the lid does
// beside them.
func (t *track) blinks(o BlinkOptions) {
	if t.unusable {
		return
	}
	half := t.half(lidWindow)
	fast := func(i, from, until int) bool {
		return math.Hypot(slope(t.right, i, half, from, until, t.rate), slope(t.down, i, half, from, until, t.rate)) > o.LidDegS
	}
	lost := make([]bool, len(t.gone))
	goesOn := -1 // the cell up to which a loss goes on that was too long for a blink
	for a := 0; a < len(t.gone); a++ {
		if !t.gone[a] {
			continue
		}
		b, class, bridged := t.loss(a, o, a <= goesOn)
		if !bridged {
			from, until := a, b
			for from > 0 && from > a-t.cells(o.Before) && fast(from-1, 0, a) {
				from--
			}
			for until < len(t.gone) && until < b+t.cells(o.After) && fast(until, b, len(t.gone)) {
				until++
			}
			from = max(0, min(from, a-t.cells(lidBefore)))
			until = min(len(t.gone), max(until, b+t.cells(lidAfter)))
			for k := from; k < until; k++ {
				lost[k], t.class[k] = true, class
			}
			if class == Undefined {
				goesOn = b + t.cells(o.Join)
			}
		}
		a = b
	}
	t.gone = lost
	t.unusable = !t.bridge(t.gone)
}

// loss judges the loss that begins at cell a: b is the first cell after it. One
// that is too short for a blink is bridged. goesOn says that it belongs to one
// that is too long for a blink.
func (t *track) loss(a int, o BlinkOptions, goesOn bool) (b int, class Class, bridged bool) {
	b, missing := t.lossFrom(a, t.cells(o.Join), t.cells(o.Max))
	if 2*missing < b-a { // more is there than not
		if missing >= max(poorCells, t.cells(poorLoss)) && float64(missing) >= poorShare*float64(b-a) {
			return b, Undefined, false
		}
		b, missing = t.lossFrom(a, 0, 0)
	}
	switch {
	case missing < max(t.cells(o.Min), 3):
		return b, Undefined, true
	case b-a > t.cells(o.Max) || goesOn:
		return b, Undefined, false
	}
	return b, Blink, false
}

// lossFrom returns the first cell after the loss that begins at a, with the
// losses at most join behind it, and how many cells of that are missing. One that
// is longer than longest is cut off at the first cell after that is there: what
// loses a sample now and then must not be walked to its end from each of them.
func (t *track) lossFrom(a, join, longest int) (end, missing int) {
	end = a
	for k := a; k < len(t.gone) && k <= end+join; k++ {
		switch {
		case t.gone[k]:
			missing++
			end = k + 1
		case k > a+longest+join:
			return end, missing
		}
	}
	return end, missing
}

// A tracker that loses one sample in seven, and 10 ms or four samples of them, is
// losing the eye: what it says between is not to be trusted.
const (
	poorShare = 0.15
	poorLoss  = 10 * time.Millisecond
	poorCells = 4
)

// lidWindow is the window of the speed that the lid's traces are known by.
const lidWindow = 20 * time.Millisecond

// half is how many cells a window has on either side of its middle.
func (t *track) half(window time.Duration) int { return max(1, t.cells(window)/2) }

// slope is the least-squares slope of x around i per second, over half cells on
// either side within from to until: the first derivative by Savitzky and Golay
// (1964), of order 1 or 2 where the window is whole.
func slope(x []float64, i, half, from, until int, rate float64) float64 {
	a, b := max(from, i-half), min(until-1, i+half)
	if a >= b {
		return 0
	}
	middle := float64(a+b) / 2
	var num, den float64
	for k := a; k <= b; k++ {
		u := float64(k) - middle
		num += u * x[k]
		den += u * u
	}
	return num / den * rate
}

// write copies the classes of the cells to the samples of the recording.
func (t *track) write(labels []Class) {
	for i, c := range t.cell {
		labels[t.first+i] = t.class[c]
	}
}
