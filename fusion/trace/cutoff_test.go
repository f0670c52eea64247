package trace

import (
	"math"
	"testing"

	"emolab/fusion/stream"
)

// shown makes rows of a presentation with media times in ms.
func shown(p float64, media ...float64) []stream.Sample {
	var rows []stream.Sample
	for _, ms := range media {
		v := make([]float64, channelCount)
		v[presentation], v[mediaNs] = p, ms*1e6
		if p == 0 {
			v[mediaNs] = math.NaN()
		}
		rows = append(rows, stream.Sample{Values: v})
	}
	return rows
}

func joined(runs ...[]stream.Sample) (rows []stream.Sample) {
	for _, r := range runs {
		rows = append(rows, r...)
	}
	return rows
}

func TestMarkCutOff(t *testing.T) {
	for _, c := range []struct {
		name     string
		segments [][]stream.Sample
		want     string // one letter a row: k kept, c cut off, - no stimulus
	}{
		{"played through", [][]stream.Sample{joined(shown(0, 0), shown(1, 0, 33, 66), shown(0, 0), shown(2, 0, 33))}, "-kkk-kk"},
		{"a frame shown longer", [][]stream.Sample{shown(1, 0, 33, 33, 66)}, "kkkk"},
		{"page reloaded", [][]stream.Sample{joined(shown(1, 0, 33, 66), shown(0, 0, 0), shown(1, 0, 33, 66, 99))}, "ccc--kkkk"},
		{"reloaded twice", [][]stream.Sample{joined(shown(1, 0, 33), shown(1, 0, 33), shown(1, 0))}, "cccck"},
		{"continued", [][]stream.Sample{joined(shown(1, 0, 33), shown(2, 0, 33)), joined(shown(0, 0), shown(2, 0, 33, 66))}, "kkcc-kkk"},
		{"cut off in a frame that was not told", [][]stream.Sample{joined(shown(1, 33, 66, math.NaN()), shown(1, 0, 33))}, "ccckk"},
		{"a frame that was not told", [][]stream.Sample{shown(1, 0, 33, math.NaN(), 66)}, "kkkk"},
		{"not repeated", [][]stream.Sample{shown(1, 0, 33), {}}, "kk"},
	} {
		MarkCutOff(c.segments...)
		got := ""
		for _, rows := range c.segments {
			for _, r := range rows {
				switch {
				case Quality(r.Values[quality])&CutOff != 0 && math.IsNaN(r.Values[presentation]) && math.IsNaN(r.Values[mediaNs]):
					got += "c"
				case r.Values[presentation] == 0:
					got += "-"
				case r.Values[presentation] > 0 && Quality(r.Values[quality]) == 0:
					got += "k"
				default:
					got += "?"
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
