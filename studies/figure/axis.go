package figure

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ticks are about n labels at round numbers. Where down is not 0 the axis shows
// down minus its value: it counts from the top.
type ticks struct {
	n    int
	down float64
}

// Ticks lists them. It is called by plot.Axis.
func (t ticks) Ticks(low, high float64) []plot.Tick {
	shown := func(v float64) float64 { return v }
	if t.down != 0 {
		low, high = t.down-high, t.down-low
		shown = func(v float64) float64 { return t.down - v }
	}
	step := round((high - low) / float64(t.n))
	if !(step > 0) || math.IsInf(step, 1) {
		return nil
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	first, last := math.Ceil(low/step-1e-9), math.Floor(high/step+1e-9)
	var out []plot.Tick
	for k := first; k <= last && len(out) <= 3*t.n; k++ {
		out = append(out, plot.Tick{Value: shown(k * step), Label: strconv.FormatFloat(k*step+0, 'f', decimals, 64)})
	}
	return out
}

// round is the next larger of 1, 2 and 5 times a power of ten.
func round(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, m := range [...]float64{1, 2, 5} {
		if m*power >= step*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// grid draws faint lines at the labels, behind everything.
func grid() *plotter.Grid {
	style := draw.LineStyle{Color: faint, Width: vg.Points(0.5)}
	return &plotter.Grid{Vertical: style, Horizontal: style}
}
