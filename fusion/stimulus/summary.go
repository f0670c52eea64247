package stimulus

import (
	"slices"
	"time"

	"emolab/fusion/instant"
)

// repeated is how many nominal durations a frame must have stayed to count as
// displayed again: half a frame more than its own time, which no refresh rate that
// is not a multiple of the frame rate reaches by itself.
const repeated = 1.5

// Summary counts what became of the frames of a course.
type Summary struct {
	Displayed  int64 `json:"displayed"`  // told
	Unreported int64 `json:"unreported"` // displayed and not told
	Skipped    int64 `json:"skipped"`    // never displayed
	// Repeated counts the frames that stayed for more than one and a half of their
	// nominal time, the last of a presentation apart: what ended that is no frame.
	Repeated int64 `json:"repeated"`
	// UnknownS is for how long it was not known what was on the screen, in seconds.
	UnknownS float64 `json:"unknown_s"`
}

// Sum counts a course up to an instant, the end of its segment.
func Sum(course []Showing, until instant.Instant) Summary {
	var s Summary
	nominal := nominals(course)
	for i, f := range course {
		s.Unreported += f.Unreported
		s.Skipped += f.Skipped
		if !f.Known {
			s.UnknownS += since(f.From, min(f.Until, until)).Seconds()
			continue
		}
		if f.Presentation == 0 {
			continue
		}
		s.Displayed++
		if next := i + 1; next < len(course) && course[next].Known && course[next].Presentation == f.Presentation {
			if n := nominal[f.Presentation]; n > 0 && float64(since(f.From, f.Until)) > repeated*float64(n) {
				s.Repeated++
			}
		}
	}
	return s
}

// nominals is how long a frame of each presentation is to stay: the median step of
// the media time from one frame to the next.
func nominals(course []Showing) map[int]time.Duration {
	steps := map[int][]time.Duration{}
	for i := 1; i < len(course); i++ {
		a, b := course[i-1], course[i]
		if !a.Known || !b.Known || a.Presentation == 0 || a.Presentation != b.Presentation {
			continue
		}
		if frames := b.Frame - a.Frame; frames > 0 && b.Media > a.Media {
			steps[a.Presentation] = append(steps[a.Presentation], (b.Media-a.Media)/time.Duration(frames))
		}
	}
	out := map[int]time.Duration{}
	for p, all := range steps {
		slices.Sort(all)
		out[p] = all[len(all)/2]
	}
	return out
}
