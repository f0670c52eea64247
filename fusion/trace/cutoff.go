package trace

import (
	"math"

	"emolab/fusion/stream"
)

// MarkCutOff finds the showings of a stimulus that were cut off (by a reloaded
// page, a killed program) and repeated from the beginning under the same
// presentation number, and takes their rows out of the presentation: quality
// CutOff, and no presentation, frame or media time. So a sum over a presentation
// holds its last showing only. What was displayed when stays in the stimulus
// stream.
//
// segments are the final rows of a session's segments, in order. The rows are
// changed in place. A showing ends with its segment, or where the media time
// goes back.
func MarkCutOff(segments ...[]stream.Sample) {
	type showing struct {
		segment, from, until int     // rows [from, until) of a segment
		media                float64 // of the latest of them whose frame is known
	}
	last := map[float64]showing{} // by presentation
	for g, rows := range segments {
		for i, r := range rows {
			p := r.Values[presentation]
			if !(p > 0) {
				continue
			}
			s, shown := last[p]
			again := shown && (s.segment != g || r.Values[mediaNs] < s.media)
			if again {
				cutOff(segments[s.segment][s.from:s.until], p)
			}
			if !shown || again {
				s = showing{segment: g, from: i}
			}
			s.until = i + 1
			if m := r.Values[mediaNs]; !math.IsNaN(m) {
				s.media = m
			}
			last[p] = s
		}
	}
}

// cutOff takes the rows of a showing of presentation p out of it.
func cutOff(rows []stream.Sample, p float64) {
	for _, r := range rows {
		if r.Values[presentation] != p {
			continue
		}
		r.Values[presentation], r.Values[frame], r.Values[mediaNs] = math.NaN(), math.NaN(), math.NaN()
		r.Values[quality] = float64(Quality(r.Values[quality]) | CutOff)
	}
}
