package session

import (
	"fmt"
	"math"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/stream"
)

// measures names, for the kinds of stream whose latency a calibration tells, the
// thing that is late and the command that measures it.
var measures = map[stream.Kind][2]string{
	stream.Stimulus: {"display", "emolab calibrate display"},
	stream.Face:     {"camera", "emolab calibrate camera"},
}

// latency says in words what is known of a stream's latency, and what the bounds
// hold for it, in ms, where it was not measured; "" and 0 of a stream that has none.
func latency(info stream.Info) (words string, unseenMs float64) {
	of, ok := measures[info.Kind]
	if !ok {
		return "", 0
	}
	if s := info.Shift; s != nil {
		return fmt.Sprintf("%s measured: %+.1f ms, within ±%.1f ms", of[0], inMs(s.By), inMs(s.Within)), 0
	}
	if unseenMs = inMs(align.Unseen(info)); unseenMs == 0 {
		return "", 0
	}
	if info.Kind == stream.Face && info.Clock == stream.PingedClock {
		return fmt.Sprintf("another computer's camera: ±%.0f ms for its exposure and its stamps", math.Ceil(unseenMs)), unseenMs
	}
	return fmt.Sprintf("%s not measured: ±%.0f ms; run %s", of[0], math.Ceil(unseenMs), of[1]), unseenMs
}

// inMs is a duration in milliseconds.
func inMs(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
