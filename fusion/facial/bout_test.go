package facial

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/expression"
	"emolab/fusion/instant"
)

// acted is a recording at 20 frames a second, one letter a frame: n neutral, h
// happy, s sad, all with probability .8; - no face; _ no frame.
func acted(letters string) []Measured {
	var frames []Measured
	for i, l := range letters {
		m := Measured{At: instant.Instant(time.Hour).Add(time.Duration(i) * 50 * ms), Found: true, EARRight: nan, EARLeft: nan}
		for k := range m.Expression {
			m.Expression[k] = .2 / 6
		}
		switch l {
		case 'n':
			m.Expression[expression.Neutral] = .8
		case 'h':
			m.Expression[expression.Happy] = .8
		case 's':
			m.Expression[expression.Sad] = .8
		case '-':
			m.Found = false
			for k := range m.Expression {
				m.Expression[k] = nan
			}
		case '_':
			continue
		}
		frames = append(frames, m)
	}
	return frames
}

func TestBouts(t *testing.T) {
	type bout struct {
		label    string
		from, to float64 // frames
	}
	for _, tc := range []struct {
		name, frames string
		o            Options
		want         []bout
	}{
		{"one", "nnnnhhhhhhhhnnnn", Options{}, []bout{{"happy", 3.5, 11.5}}},
		{"neutral is none", "nnnnnnnnnnnnnnnn", Options{}, nil},
		{"too short", "nnnnhhhhhhnnnnnn", Options{}, nil}, // 289 ms
		{"just long enough", "nnnnhhhhhhhnnnnnn", Options{}, []bout{{"happy", 3.5, 10.5}}},
		{"shorter ones wanted", "nnnnhhhhhnnnnnnn", Options{Least: 200 * ms}, []bout{{"happy", 3.5, 8.5}}},
		{"single frames misread", "nnnnhhhnhhhhnnnnhnnn", Options{}, []bout{{"happy", 3.5, 11.5}}},
		{"not smoothed", "nnnnhhhnhhhhnnnnhnnn", Options{Smooth: 1}, []bout{{"happy", 3.5, 11.5}}},
		{"gap bridged", "nnnhhhhnnnhhhhhhhnnn", Options{}, []bout{{"happy", 2.5, 16.5}}},
		{"gap too long", "nnnhhhhhhhnnnnhhhhhhhhnnn", Options{}, []bout{{"happy", 2.5, 9.5}, {"happy", 13.5, 21.5}}},
		{"longer gap bridged", "nnnhhhhhhhnnnnhhhhhhhhnnn", Options{Merge: 300 * ms}, []bout{{"happy", 2.5, 21.5}}},
		{"one after the other", "nnnhhhhhhhsssssssnnn", Options{}, []bout{{"happy", 2.5, 9.5}, {"sad", 9.5, 16.5}}},
		{"face lost for a moment", "nnnhhhh--hhhhhnnn", Options{}, []bout{{"happy", 2.5, 13.5}}},
		{"face lost", "nnnhhhhhhh-----hhhhhhhhnnn", Options{}, []bout{{"happy", 2.5, 9}, {"happy", 15, 22.5}}},
		{"frames lost", "nnnhhhhhhh_____hhhhhhhhnnn", Options{}, []bout{{"happy", 2.5, 9}, {"happy", 15, 22.5}}},
		{"from beginning to end", "hhhhhhhhhh", Options{}, []bout{{"happy", 0, 9}}},
		{"threshold above", "nnnnhhhhhhhhnnnn", Options{Threshold: .9}, nil},
		{"nothing", "", Options{}, nil},
	} {
		d := Derive(acted(tc.frames), nil, tc.o)
		if len(d.Events) != len(tc.want) {
			t.Errorf("%s: %d events, want %d: %+v", tc.name, len(d.Events), len(tc.want), d.Events)
			continue
		}
		for i, e := range d.Events {
			w := tc.want[i]
			from, to := float64(e.Onset-instant.Instant(time.Hour))/50e6, float64(e.Offset-instant.Instant(time.Hour))/50e6
			// Between .8 and .033 the threshold is passed at .39 of the way.
			if e.Kind != Bout || e.Label != w.label || math.Abs(from-w.from) > .15 || math.Abs(to-w.to) > .15 {
				t.Errorf("%s: %s %s from frame %.2f to %.2f, want %+v", tc.name, e.Kind, e.Label, from, to, w)
			}
			if math.Abs(e.Peak-.8) > 1e-9 || !(e.Mean > .5 && e.Mean <= e.Peak+1e-9) {
				t.Errorf("%s: peak %v, mean %v", tc.name, e.Peak, e.Mean)
			}
		}
	}
}

// Onset and peak of a ramp, to the time between the frames.
func TestBoutPassesTheThreshold(t *testing.T) {
	frames := acted("nnnnnnnnnnnnnnnnnnnnnnnnn")
	for i := range frames { // up from frame 5 to 13, down again from there
		p := 1 - math.Abs(float64(i)-13)/8
		frames[i].Expression = expression.Probabilities{}
		frames[i].Expression[expression.Angry] = max(0, p)
		frames[i].Expression[expression.Neutral] = 1 - max(0, p)
	}
	d := Derive(frames, nil, Options{Threshold: .55, Smooth: 1})
	if len(d.Events) != 1 {
		t.Fatalf("%+v", d.Events)
	}
	e := d.Events[0]
	// .55 is passed 3.6 frames before and after the peak.
	if on, off := e.Onset.Sub(frames[0].At), e.Offset.Sub(frames[0].At); (on-470*ms).Abs() > ms || (off-830*ms).Abs() > ms || e.Peak != 1 {
		t.Errorf("from %v until %v with peak %v", on, off, e.Peak)
	}
	if want := (1 + 2*(.875+.75+.625)) / 7; math.Abs(e.Mean-want) > 1e-9 {
		t.Errorf("mean %v, want %v", e.Mean, want)
	}
}

// Whatever the probabilities: bouts are long enough, apart, in order and within
// the recording.
func TestBoutsKeepTheirRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.StringOfN(rapid.SampledFrom([]rune("nnhhhhss-_")), 0, 200, -1).Draw(t, "letters")
		frames := acted(letters)
		o := Options{Smooth: rapid.IntRange(1, 7).Draw(t, "smooth")}
		last := map[string]instant.Instant{}
		var before instant.Instant
		for _, e := range Derive(frames, nil, o).Events {
			if e.Kind != Bout || e.Offset.Sub(e.Onset) < boutLeast || e.Onset < frames[0].At || e.Offset > frames[len(frames)-1].At {
				t.Fatalf("%+v", e)
			}
			if end, ok := last[e.Label]; ok && e.Onset.Sub(end) < boutMerge {
				t.Fatalf("%s goes on %v after it ended", e.Label, e.Onset.Sub(end))
			}
			if e.Onset < before {
				t.Fatalf("%+v comes too late", e)
			}
			last[e.Label], before = e.Offset, e.Onset
			if !(e.Peak >= boutThreshold && e.Peak <= 1 && e.Mean > 0 && e.Mean <= e.Peak+1e-9) {
				t.Fatalf("%+v", e)
			}
		}
	})
}
