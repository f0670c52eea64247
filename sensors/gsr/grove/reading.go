package grove

import "math"

// reading returns the reading of a line, and whether it has one: a whole number
// that the converter can give.
func (o Options) reading(line Line) (x float64, ok bool) {
	place := o.Column
	if place == 0 {
		place = len(line.Columns)
	}
	if !line.Believed || place > len(line.Columns) || o.Millis > len(line.Columns) || place == o.Millis {
		return 0, false
	}
	x = line.Columns[place-1]
	return x, x == math.Trunc(x) && x >= 0 && x < o.fullScale()
}

func (o Options) fullScale() float64 { return math.Ldexp(1, o.Bits) }

// Microsiemens returns the skin conductance in µS of a reading x. The maker gives
// the resistance of the skin in ohms as (1024 + 2x) · 10000 / (512 - x) for 10 bits
// and (4096 + 2x) · 10000 / (2048 - x) for 12 (Seeed Studio, wiki of the Grove GSR
// sensor), where 512 and 2048 are the readings without skin, as the trimmer sets it.
//
// It returns NaN where the reading is that without skin or above: electrodes open;
// and for 0: the amplifier is saturated.
func (o Options) Microsiemens(x float64) float64 {
	if x <= 0 || x >= o.Cal {
		return math.NaN()
	}
	return 100 * (o.Cal - x) / (o.fullScale() + 2*x)
}

// Reading returns the reading that a conductance in µS gives: the inverse of
// Microsiemens, within the converter's range.
func (o Options) Reading(us float64) float64 {
	x := math.Round((100*o.Cal - us*o.fullScale()) / (100 + 2*us))
	return max(0, min(o.fullScale()-1, x))
}
