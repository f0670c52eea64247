package neutral

import (
	"math"

	"emolab/fusion/action"
	"emolab/fusion/expression"
	"emolab/fusion/facial"
	"emolab/fusion/headpose"
)

const (
	// madToSigma makes the median absolute deviation of normal noise its
	// standard deviation.
	madToSigma = 1.4826
	// outlier is how far a frame may be from the median face, in the spreads of
	// the stretch, before it is left out: a frame of the same face is at about 1.
	outlier = 3
)

// fit takes the neutral face from frames, which are not empty. Rejected counts
// those of frames that it left out.
func fit(frames []*facial.Measured) Face {
	rough := typical(frames)
	kept := make([]*facial.Measured, 0, len(frames))
	for _, m := range frames {
		if distance(&m.Features, &rough) <= outlier {
			kept = append(kept, m)
		}
	}
	if len(kept) == 0 { // two faces, half each: keep the median of both
		kept = frames
	}
	f := Face{
		Neutral: typical(kept),
		From:    frames[0].At, Until: frames[len(frames)-1].At,
		Frames: len(kept), Rejected: len(frames) - len(kept),
		Pose: posture(kept),
	}
	var sum float64
	for _, m := range kept {
		f.neutral += probability(m, expression.Neutral) / float64(len(kept))
		for i, v := range m.Features {
			d := v - f.Features[i]
			sum += d * d
		}
	}
	f.Residual = math.Sqrt(sum / float64(len(kept)*action.FeatureCount))
	return f
}

// typical returns the median face and its spread over the frames.
func typical(frames []*facial.Measured) action.Neutral {
	var n action.Neutral
	for i, floor := range action.Floor() {
		n.Features[i] = medianOf(frames, func(m *facial.Measured) float64 { return m.Features[i] })
		mad := medianOf(frames, func(m *facial.Measured) float64 { return math.Abs(m.Features[i] - n.Features[i]) })
		n.Scale[i] = max(madToSigma*mad, floor)
	}
	return n
}

// distance returns how far a face is from another, as the root mean square over
// the measures, each in the other's spread.
func distance(f *action.Features, from *action.Neutral) float64 {
	var sum float64
	for i, v := range f {
		d := (v - from.Features[i]) / from.Scale[i]
		sum += d * d
	}
	return math.Sqrt(sum / action.FeatureCount)
}

// posture returns the median of each part of the pose.
func posture(frames []*facial.Measured) headpose.Pose {
	of := func(part func(*headpose.Pose) float64) float64 {
		return medianOf(frames, func(m *facial.Measured) float64 { return part(&m.Pose) })
	}
	return headpose.Pose{
		YawDeg:   of(func(p *headpose.Pose) float64 { return p.YawDeg }),
		PitchDeg: of(func(p *headpose.Pose) float64 { return p.PitchDeg }),
		RollDeg:  of(func(p *headpose.Pose) float64 { return p.RollDeg }),
		X:        of(func(p *headpose.Pose) float64 { return p.X }),
		Y:        of(func(p *headpose.Pose) float64 { return p.Y }),
		Z:        of(func(p *headpose.Pose) float64 { return p.Z }),
		Residual: of(func(p *headpose.Pose) float64 { return p.Residual }),
	}
}
