package gazepoint

import "slices"

// line is what a calibration adds to one axis: offset + stretch times the distance
// from the middle of the screen. The zero value adds nothing.
type line struct{ offset, stretch float64 }

func (l line) apply(v float64) float64 { return v + l.offset + l.stretch*(v-.5) }

// fitLine is the line by which what was seen comes nearest to the targets, by least
// squares. Where the eyes stayed in one place it is an offset alone.
func fitLine(looks []look, axis func(Target) float64) line {
	n := float64(len(looks))
	var mean, miss float64
	for _, k := range looks {
		mean += axis(k.at) / n
		miss += (axis(k.target) - axis(k.at)) / n
	}
	var along, square float64
	for _, k := range looks {
		d := axis(k.at) - mean
		along += d * (axis(k.target) - axis(k.at) - miss)
		square += d * d
	}
	if square < stayed*stayed*n {
		return line{offset: miss}
	}
	stretch := along / square
	return line{offset: miss - stretch*(mean-.5), stretch: stretch}
}

// stayed is how far eyes that look at one place scatter, in screens.
const stayed = .02

// median is the middle value of one axis, of at least one target.
func median(all []Target, axis func(Target) float64) float64 {
	values := make([]float64, len(all))
	for i, t := range all {
		values[i] = axis(t)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
