package neutral

import (
	"fmt"
	"math"
	"slices"
	"time"

	"emolab/fusion/facial"
	"emolab/fusion/instant"
	"emolab/fusion/visibility"
)

const (
	// spoils are the faults of a view that make its frame useless here. Those of
	// the light and of the camera's place are not among them: they last as long
	// as the recording, and the face at rest is then best taken under them too.
	spoils = visibility.TurnedAway | visibility.OutOfFrame | visibility.MouthCovered
	// maxTurn is how far, in degrees, yaw and pitch may lie from the person's
	// usual posture: within it Frontal brings the landmarks back to less than
	// their own wobble.
	maxTurn = 10
	// blinkDip is the part of the eyes' usual opening that a frame may lack
	// before it counts as part of a blink. The landmark net shows a closed eye
	// as four fifths open or more, and wobbles by 2 %.
	blinkDip = .08
	// hold is the longest that a frame stands for the time after it: the
	// interval of 10 frames a second. What is longer is a gap.
	hold = 100 * time.Millisecond
	// slowest is the longest interval between frames that can cover a window.
	slowest = hold * 100 / minCover
	// enough is the number of frames that are looked at to learn how the person
	// looks most of the time; more would not change a median.
	enough = 10_000
)

// request is what to ask of the participant.
const request = `ask the participant to look at the cross with a relaxed face and closed mouth for 3 s, then fit again`

// sifted is the frames that can be used.
type sifted struct {
	frames []*facial.Measured
	time   time.Duration // that they cover
	// Why the others cannot.
	faceless, unposed, spoilt, turned, blinking int
}

// sift takes out the frames in which the face is not seen as at rest: none
// there, no pose, turned, covered, in a blink.
func sift(frames []facial.Measured) sifted {
	var s sifted
	seen := make([]*facial.Measured, 0, len(frames))
	for i := range frames {
		m := &frames[i]
		switch {
		case !m.Found:
			s.faceless++
		case !m.Posed || !m.Features.Known():
			s.unposed++
		case m.View&spoils != 0:
			s.spoilt++
		default:
			seen = append(seen, m)
		}
	}
	yaw := medianOf(seen, func(m *facial.Measured) float64 { return m.Pose.YawDeg })
	pitch := medianOf(seen, func(m *facial.Measured) float64 { return m.Pose.PitchDeg })
	open := medianOf(seen, openness)
	s.frames = seen[:0]
	for _, m := range seen {
		switch {
		case math.Abs(m.Pose.YawDeg-yaw) > maxTurn || math.Abs(m.Pose.PitchDeg-pitch) > maxTurn:
			s.turned++
		case openness(m) < (1-blinkDip)*open:
			s.blinking++
		default:
			s.frames = append(s.frames, m)
		}
	}
	for i := range s.frames {
		s.time += s.lasts(i)
	}
	return s
}

// openness is the mean eye aspect ratio of both eyes.
func openness(m *facial.Measured) float64 { return (m.EARRight + m.EARLeft) / 2 }

// lasts returns how long frame i stands for the face.
func (s *sifted) lasts(i int) time.Duration {
	switch {
	case i+1 < len(s.frames):
		return min(max(0, s.frames[i+1].At.Sub(s.frames[i].At)), hold)
	case i > 0:
		return min(max(0, s.frames[i].At.Sub(s.frames[i-1].At)), hold)
	default:
		return 0
	}
}

// interval returns the median time between frames.
func (s *sifted) interval() time.Duration {
	var apart []float64
	for i := 1; i < len(s.frames); i++ {
		apart = append(apart, float64(s.between(i-1, i)))
	}
	if len(apart) == 0 {
		return 0
	}
	return time.Duration(median(apart))
}

// complaint says why too little is left.
func (s *sifted) complaint(least time.Duration) string {
	n := len(s.frames) + s.faceless + s.unposed + s.spoilt + s.turned + s.blinking
	if n == 0 {
		return "there are no frames; record the participant's face first"
	}
	return fmt.Sprintf("only %v of %d frames can be used, %v are needed (%d show no face, in %d the landmarks make no face, %d are turned away, cut off or covered, %d far from the usual posture, %d in blinks); %s",
		s.time.Round(10*time.Millisecond), n, least, s.faceless, s.unposed, s.spoilt, s.turned, s.blinking, request)
}

// between returns the frames from from to until, both included.
func between(frames []facial.Measured, from, until instant.Instant) []facial.Measured {
	order := func(m facial.Measured, at instant.Instant) int {
		switch {
		case m.At < at:
			return -1
		case m.At > at:
			return 1
		}
		return 0
	}
	first, _ := slices.BinarySearchFunc(frames, from, order)
	end, _ := slices.BinarySearchFunc(frames, until+1, order)
	return frames[first:max(first, end)]
}

// medianOf returns the median of a value over the frames, or over enough of
// them spread evenly; NaN of none.
func medianOf(frames []*facial.Measured, value func(*facial.Measured) float64) float64 {
	step := max(1, len(frames)/enough)
	values := make([]float64, 0, len(frames)/step+1)
	for i := 0; i < len(frames); i += step {
		values = append(values, value(frames[i]))
	}
	return median(values)
}

// median returns the middle of the values, which it sorts; NaN of none.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// probability is what the expression net says of a frame; 0 where it says
// nothing, so that a stream without expressions still has a calmest stretch.
func probability(m *facial.Measured, expression int) float64 {
	if p := m.Expression[expression]; !math.IsNaN(p) {
		return p
	}
	return 0
}
