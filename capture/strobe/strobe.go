// Package strobe counts the flashes of a video that may harm people with
// photosensitive epilepsy, as WCAG 2.2 defines them (success criterion 2.3.1,
// "general flash and red flash thresholds").
package strobe

import (
	"time"
)

// Across is into how many parts a picture is divided, across and down. Flashes count
// from a quarter of any 10 degrees of the visual field, which WCAG takes to be a third of
// the screen in width and height: a quarter of its ninth is one of 36 parts, where the
// video fills the screen.
const Across = 6

// Limit is how many flashes within one second are too many when exceeded.
const Limit = 3

const (
	// swing is the change in relative luminance that makes half a flash, where the
	// darker of the two pictures is below dark.
	swing = .10
	dark  = .80
	// redSwing is the change in R-G-B, of 320 units, that makes half a red flash, where
	// one of the two pictures is a saturated red: R is at least saturated of R+G+B.
	redSwing  = 20. / 320
	saturated = .8
	// faint is the sum R+G+B below which a colour is too dark to be called red.
	faint = 1e-3
	// within is the time in which flashes are counted.
	within = time.Second
)

// Colour is the mean of a part of a picture in linear light, 0 to 1 each.
type Colour struct{ Red, Green, Blue float64 }

// luminance is the relative luminance (ITU-R BT.709).
func (c Colour) luminance() float64 { return .2126*c.Red + .7152*c.Green + .0722*c.Blue }

// red is how red a colour is beyond all else, and whether it is a saturated red.
func (c Colour) red() (value float64, full bool) {
	sum := c.Red + c.Green + c.Blue
	return max(0, c.Red-c.Green-c.Blue), sum > faint && c.Red >= saturated*sum
}

// Cells are the colours of a picture's parts, row by row.
type Cells [Across * Across]Colour

// Worst is the second with the most flashes.
type Worst struct {
	Flashes int
	From    time.Duration // of the media; where that second begins
	Red     bool          // whether they are flashes of saturated red
}

// Counter counts the flashes of one video. The zero value is ready.
type Counter struct {
	light, red [Across * Across]course
	worst      Worst
}

// Add adds the next picture, shown at t.
func (c *Counter) Add(t time.Duration, cells *Cells) {
	for i, colour := range cells {
		light := colour.luminance()
		if n, from := c.light[i].add(t, light, false, func(low, _ side) bool { return low.value < dark }, swing); n > c.worst.Flashes {
			c.worst = Worst{Flashes: n, From: from}
		}
		red, full := colour.red()
		if n, from := c.red[i].add(t, red, full, func(low, high side) bool { return low.marked || high.marked }, redSwing); n > c.worst.Flashes {
			c.worst = Worst{Flashes: n, From: from, Red: true}
		}
	}
}

// Worst is the worst second so far, the first of several; the zero value where nothing
// flashed.
func (c *Counter) Worst() Worst { return c.worst }

// side is one end of a swing.
type side struct {
	value  float64
	marked bool
}

// course follows one value up and down.
type course struct {
	begun     bool
	low, high side // the turning points since the last swing, or the beginning
	rising    int  // of the last swing: 1 up, -1 down, 0 = there was none
	// swings are the times of those in the last second, oldest first.
	swings []time.Duration
}

// add follows the value to t and returns how many flashes, pairs of opposite swings,
// there were within the second that ends there, and the first swing of them. A swing is
// a change of least or more between two turning points of which counts holds.
func (c *course) add(t time.Duration, value float64, marked bool, counts func(low, high side) bool, least float64) (flashes int, from time.Duration) {
	now := side{value, marked}
	if !c.begun {
		c.begun, c.low, c.high = true, now, now
		return 0, 0
	}
	if value < c.low.value {
		c.low = now
	}
	if value > c.high.value {
		c.high = now
	}
	up := value-c.low.value >= least && counts(c.low, now)
	down := c.high.value-value >= least && counts(now, c.high)
	switch {
	case up && c.rising != 1:
		c.rising = 1
	case down && c.rising != -1:
		c.rising = -1
	default:
		return 0, 0
	}
	c.low, c.high = now, now
	old := 0
	for old < len(c.swings) && t-c.swings[old] >= within {
		old++
	}
	c.swings = append(c.swings[:0], c.swings[old:]...)
	c.swings = append(c.swings, t)
	return len(c.swings) / 2, c.swings[0]
}
