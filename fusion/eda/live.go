package eda

import (
	"math"
	"time"

	"emolab/fusion/filter"
	"emolab/fusion/instant"
)

const (
	// Delay is by how much Live's statements lag behind the sample that they come
	// with, at the most: the look ahead of lag cells, the cell that is being filled,
	// and some room for a slow sensor's jitter.
	Delay = 2 * time.Second

	// Live works on means over cells, at 25 Hz: ample for what rises in 0.5 s.
	cell     = 40 * time.Millisecond
	cellRate = float64(time.Second / cell)
	// lag is how many cells Live looks ahead: 1.6 s.
	lag = 40

	// Its level needs fewer points: means of 5 cells, at 5 Hz, and 40 s of them,
	// after which the filter has forgotten all but a thousandth.
	levelCells  = 5
	levelRate   = cellRate / levelCells
	levelPoints = 200
	// levelHold is how long, in points, the last value is taken to go on beyond
	// now: 30 s.
	levelHold = 150
	// levelNewest and the two before it are the places, in points before now, at
	// which the level is read: lag cells ago lies between them.
	levelNewest = 6

	// kept is how many cells of the smoothed signal are at hand: the longest rise,
	// and as much again so that they are seldom moved.
	kept = 2 * int(maxRise/cell)
)

// Reading is what Live says when a sample has come.
type Reading struct {
	// At is the instant that Tonic and Phasic are of: at most Delay before the
	// sample; that of the sample itself where it is missing.
	At instant.Instant
	// Tonic and Phasic are in µS; NaN while nothing was measured, and for the first
	// 1.6 s after a beginning or a gap.
	Tonic, Phasic float64
	// Onset is true at the one sample at which a response is recognised: Delay at
	// the most after the signal has risen by the threshold since its last trough.
	// A rise that goes on for more than 5 s is the level's and is not confirmed.
	Onset bool
	// Confirmed are the responses whose peak has become known with this sample:
	// Delay at the most after it. HalfRecoveryS is not known yet and NaN, and Flags
	// are not told.
	Confirmed []Response
}

// Live follows skin conductance with constant work a sample and constant memory,
// looking 1.6 s ahead. In the signal below 1 Hz it finds the same responses by the
// same rule as Analyze does by TroughToPeak. Its level is that of HighPass as far
// as it can be known by then: the same filter over the last 40 s, with the last
// value held on. Make it with NewLive.
type Live struct {
	threshold float64
	kernel    []float64    // weights of 2*lag+1 cells: the low-pass at responseHz
	reads     [3][]float64 // weights of levelPoints points: the level at levelNewest and before

	past // since the beginning, or the last gap
}

// past is what Live remembers.
type past struct {
	begun bool
	from  instant.Instant // middle of cell 0
	last  instant.Instant // of the latest sample

	cell       int     // that is being filled
	sum, count float64 // of the samples in it

	cells  []float64 // the latest 2*lag+1
	points []float64 // the latest levelPoints
	point  float64   // sum of the cells in the point to come
	levels [3]float64

	completed int // cells

	smooth  []float64 // the smoothed signal, its first value that of cell base
	base    int
	run     int // index in smooth at which the latest value was first reached
	rising  int // 1 after a rise, -1 after a fall, 0 at first
	trough  int // index of the latest, -1 = none
	told    bool
	reading Reading
}

// NewLive makes a Live. Of the options the threshold counts. The rate is not
// needed: every sample's own instant counts.
func NewLive(o Options) *Live {
	l := &Live{threshold: o.threshold()}
	pulse := make([]float64, 4*lag+1)
	pulse[2*lag] = 1
	response := filter.ZeroPhase(filter.Butterworth(responseOrder, responseHz, cellRate, filter.Low), pulse)
	l.kernel = response[lag : 3*lag+1]
	scale(l.kernel)

	split := filter.Butterworth(levelOrder, LevelHz, levelRate, filter.Low)
	for k := range l.reads {
		l.reads[k] = make([]float64, levelPoints)
	}
	for j := range levelPoints {
		x := make([]float64, levelPoints+levelHold)
		x[j] = 1
		if j == levelPoints-1 {
			for i := j; i < len(x); i++ {
				x[i] = 1
			}
		}
		y := filter.ZeroPhase(split, x)
		for k := range l.reads {
			l.reads[k][j] = y[levelPoints-1-levelNewest-k]
		}
	}
	for k := range l.reads {
		scale(l.reads[k])
	}
	return l
}

// scale makes the weights add up to 1, so that cutting them off moves no level.
func scale(weights []float64) {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	for i := range weights {
		weights[i] /= sum
	}
}

// Add takes one sample: us in µS, NaN = missing, in order of time. What no skin
// can have is missing too. After a gap of more than MaxGap it begins anew.
func (l *Live) Add(at instant.Instant, us float64) Reading {
	if !inRange(us) {
		return Reading{At: at, Tonic: math.NaN(), Phasic: math.NaN()}
	}
	if !l.begun || at.Sub(l.last) > MaxGap {
		l.begin(at, us)
	}
	l.last = max(l.last, at)
	l.reading.Onset, l.reading.Confirmed = false, nil
	if now := int((l.last.Sub(l.from) + cell/2) / cell); now > l.cell {
		l.advance(now, us)
	}
	l.sum, l.count = l.sum+us, l.count+1
	return l.reading
}

// begin forgets everything: before the first value there was nothing else.
func (l *Live) begin(at instant.Instant, us float64) {
	l.past = past{
		begun: true, from: at, last: at, trough: -1,
		cells:   append(l.cells[:0], repeat(us, 2*lag+1)...),
		points:  append(l.points[:0], repeat(us, levelPoints)...),
		smooth:  l.smooth[:0],
		levels:  [3]float64{us, us, us},
		reading: Reading{At: at, Tonic: math.NaN(), Phasic: math.NaN()},
	}
}

func repeat(v float64, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}

// advance completes the cell that was being filled and those up to cell now, of
// which us is the first value: a straight line bridges what had no sample.
func (l *Live) advance(now int, us float64) {
	mean := l.sum / l.count
	l.complete(mean)
	for c := l.cell + 1; c < now; c++ {
		l.complete(mean + (us-mean)*float64(c-l.cell)/float64(now-l.cell))
	}
	l.cell, l.sum, l.count = now, 0, 0
}

// complete takes the mean of the next cell, with which the one lag before it
// becomes known.
func (l *Live) complete(us float64) {
	l.completed++
	l.cells = shift(l.cells, us)
	l.point += us
	if l.completed%levelCells == 0 {
		l.points = shift(l.points, l.point/levelCells)
		l.point = 0
		for k := range l.levels {
			l.levels[k] = dot(l.reads[k], l.points)
		}
	}
	known := l.completed - 1 - lag
	if known < 0 {
		return
	}
	smooth := dot(l.kernel, l.cells)
	l.reading.At = l.instant(known)
	l.reading.Tonic = l.level(known)
	l.reading.Phasic = smooth - l.reading.Tonic
	l.follow(smooth)
}

// shift drops the oldest value for a new one.
func shift(x []float64, v float64) []float64 {
	copy(x, x[1:])
	x[len(x)-1] = v
	return x
}

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

func (l *Live) instant(cells int) instant.Instant { return l.from.Add(time.Duration(cells) * cell) }

// level reads between the points, at the middle of a cell.
func (l *Live) level(known int) float64 {
	newest := l.completed/levelCells*levelCells - (levelCells+1)/2 // middle of the newest point
	u := float64(known-newest)/levelCells + levelNewest            // points after the one at levelNewest: -2..0
	k := max(0, min(1, int(math.Ceil(-u))-1))
	u += float64(k + 1) // after the one at levelNewest+k+1: 0..1
	return l.levels[k+1] + u*(l.levels[k]-l.levels[k+1])
}

// follow walks along the smoothed signal from trough to peak and back, by the
// rules of filter.Peaks and of onset.
func (l *Live) follow(v float64) {
	if len(l.smooth) == 2*kept {
		copy(l.smooth, l.smooth[kept:])
		l.smooth = l.smooth[:kept]
		l.base, l.run, l.trough = l.base+kept, max(0, l.run-kept), max(-1, l.trough-kept)
	}
	l.smooth = append(l.smooth, v)
	k := len(l.smooth) - 1
	if k == 0 {
		return
	}
	before := l.smooth[k-1]
	if v != before {
		turn := (l.run + k - 1) / 2 // the middle of the plateau that ends
		switch {
		case v > before && l.rising < 0:
			l.trough, l.told = turn, false
		case v < before && l.rising > 0:
			l.confirm(turn)
		}
		l.rising, l.run = 1, k
		if v < before {
			l.rising = -1
		}
	}
	recent := l.trough >= 0 && k-l.trough <= int(maxRise/cell)
	if !l.told && l.rising > 0 && recent && v-l.smooth[l.trough] >= l.threshold {
		l.told, l.reading.Onset = true, true
	}
}

// confirm tells of the response that ends in the peak p, if there is one.
func (l *Live) confirm(p int) {
	o := onset(l.smooth, l.trough, p, cellRate)
	if o < 0 || l.smooth[p]-l.smooth[o] < l.threshold {
		return
	}
	g := grid{from: l.instant(l.base), rate: cellRate}
	r := g.response(l.smooth, o, p)
	r.fall = nil
	l.reading.Confirmed = append(l.reading.Confirmed, r)
	l.reading.Onset = l.reading.Onset || !l.told
	l.told = true
}
