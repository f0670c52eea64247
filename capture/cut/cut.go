// Package cut finds where one shot of a video ends and the next begins.
package cut

import (
	"slices"
	"time"

	"emolab/capture/frame"
)

const (
	// blocks is into how many parts a picture is divided, across and down: shots of one
	// place often have the same colours, but rarely in the same places.
	blocks = 3
	// looked is how many pixels of a block are looked at in either direction, at most.
	looked = 24
	// lumas and chromas are how many quantiles are kept of a block's brightness and of
	// each of its two differences of colour.
	lumas, chromas = 8, 4
	perBlock       = lumas + 2*chromas
)

// Look is how a picture looks: the quantiles of brightness and colour in each of its
// ninths. The mean distance of two distributions' quantiles is how far one has to be
// carried to become the other (Wasserstein's), so that a slow change of light is a
// series of small distances, unlike with the bins of a histogram, where it is none and
// then all at once.
type Look [blocks * blocks * perBlock]uint8

// Of returns how a picture looks. One without pixels is black.
func Of(f frame.Frame) Look {
	var l Look
	for by := range blocks {
		for bx := range blocks {
			part := l[(by*blocks+bx)*perBlock:][:perBlock]
			block(part, f, bx*f.Width/blocks, (bx+1)*f.Width/blocks, by*f.Height/blocks, (by+1)*f.Height/blocks)
		}
	}
	return l
}

// block fills in the quantiles of the pixels of a rectangle.
func block(part []uint8, f frame.Frame, x0, x1, y0, y1 int) {
	var luma, blue, red [256]int
	n := 0
	dx, dy := max((x1-x0)/looked, 1), max((y1-y0)/looked, 1)
	for y := y0 + dy/2; y < y1; y += dy {
		for x := x0 + dx/2; x < x1; x += dx {
			p := f.Pix[3*(y*f.Width+x):][:3]
			b, g, r := int(p[0]), int(p[1]), int(p[2])
			v := (114*b + 587*g + 299*r) / 1000
			luma[v]++
			blue[128+(b-v)/2]++
			red[128+(r-v)/2]++
			n++
		}
	}
	if n == 0 {
		return
	}
	quantiles(part[:lumas], &luma, n)
	quantiles(part[lumas:lumas+chromas], &blue, n)
	quantiles(part[lumas+chromas:], &red, n)
}

// quantiles fills q with the values in the middle of each of len(q) equal parts of n
// counted ones.
func quantiles(q []uint8, counts *[256]int, n int) {
	value, below := 0, counts[0]
	for i := range q {
		for rank := n * (2*i + 1) / (2 * len(q)); below <= rank; {
			value++
			below += counts[value]
		}
		q[i] = uint8(value)
	}
}

// Distance is how different two pictures look: 0 the same, 1 as black and white, which
// differ in their brightness alone; colours may add half as much.
func Distance(a, b *Look) float64 {
	sum := 0
	for i := range a {
		d := int(a[i]) - int(b[i])
		sum += max(d, -d)
	}
	return float64(sum) / (blocks * blocks * lumas * 255)
}

const (
	// least is the distance from one frame to the next below which there is no cut,
	// however still the picture is otherwise.
	least = .06
	// outstanding is how many times the median distance of the frames around it a cut
	// has: a film that moves fast changes much with every frame.
	outstanding = 4
	// around is how far these reach before and after.
	around = 500 * time.Millisecond
	// brief is how long a shot lasts at least: what is shorter is a flash or an effect. A
	// picture that comes back within this time was interrupted, not cut.
	brief = 200 * time.Millisecond
	// backShare is how near to the picture before an interruption the one after it is,
	// as a share of the distance to the interruption.
	backShare = .5
)

// Find returns the numbers of the frames that begin a new shot, of the frames' looks
// and times, in order. The first frame of all is not among them, nor is a dissolve or a
// fade: where one shot becomes the next little by little there is no frame to name. It
// panics if there are not as many times as looks.
func Find(looks []Look, times []time.Duration) []int {
	if len(looks) != len(times) {
		panic("cut: looks and times differ in number")
	}
	steps := make([]float64, len(looks)) // from the frame before
	for i := 1; i < len(looks); i++ {
		steps[i] = Distance(&looks[i-1], &looks[i])
	}
	var cuts []int
	for i := 1; i < len(looks); i++ {
		if steps[i] < least || steps[i] < outstanding*usual(steps, times, i) || interrupted(looks, times, i) {
			continue
		}
		if n := len(cuts); n > 0 && times[i]-times[cuts[n-1]] < brief {
			continue // the flash in which one shot became the next, or a mixture of both
		}
		cuts = append(cuts, i)
	}
	return cuts
}

// usual is the median step of the frames around frame i.
func usual(steps []float64, times []time.Duration, i int) float64 {
	from, _ := slices.BinarySearch(times, times[i]-around)
	until, _ := slices.BinarySearch(times, times[i]+around)
	from = max(from, 1)
	others := append(slices.Clone(steps[from:i]), steps[i+1:max(until, i+1)]...)
	if len(others) == 0 {
		return 0
	}
	slices.Sort(others)
	return others[len(others)/2]
}

// interrupted tells whether the picture before frame i is soon back, or whether frame i
// itself brings back one that was there a moment ago.
func interrupted(looks []Look, times []time.Duration, i int) bool {
	before, now := &looks[i-1], &looks[i]
	back := backShare * Distance(before, now)
	for k := i + 1; k < len(looks) && times[k]-times[i] < brief; k++ {
		if Distance(before, &looks[k]) < back {
			return true
		}
	}
	for k := i - 2; k >= 0 && times[i-1]-times[k] < brief; k-- {
		if Distance(&looks[k], now) < back {
			return true
		}
	}
	return false
}
