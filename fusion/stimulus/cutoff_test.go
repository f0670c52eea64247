package stimulus

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/fusion/stream"
)

// letters has one letter a showing: k kept, c cut off, - no stimulus, ? not known at
// all.
func letters(course []Showing) string {
	out := ""
	for _, s := range course {
		switch {
		case s.CutOff:
			out += "c"
		case s.Presentation > 0:
			out += "k"
		case s.Known:
			out += "-"
		default:
			out += "?"
		}
	}
	return out
}

func TestCutOff(t *testing.T) {
	for _, c := range []struct {
		name     string
		segments [][]stream.Sample
		want     []string
	}{
		{"played through", [][]stream.Sample{{blank(0), frame(100*ms, 1, 0, 1), frame(140*ms, 1, 1, 2), blank(180 * ms), frame(300*ms, 2, 0, 1), frame(340*ms, 2, 1, 2)}}, []string{"-kk-kk"}},
		{"reloaded", [][]stream.Sample{{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), blank(80 * ms), frame(200*ms, 1, 0, 1), frame(240*ms, 1, 1, 2), frame(280*ms, 1, 2, 3)}}, []string{"cc-kkk"}},
		{"reloaded in the first frame", [][]stream.Sample{{frame(0, 1, 0, 1), blank(80 * ms), frame(200*ms, 1, 0, 1), frame(240*ms, 1, 1, 2)}}, []string{"c-kk"}},
		{"reloaded twice", [][]stream.Sample{{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), frame(80*ms, 1, 0, 1), frame(120*ms, 1, 1, 2), blank(160 * ms), frame(200*ms, 1, 0, 1)}}, []string{"cccc-k"}},
		{"another between", [][]stream.Sample{{frame(0, 1, 0, 1), frame(40*ms, 2, 0, 1), frame(80*ms, 1, 0, 1)}}, []string{"ckk"}},
		{"cut off with a frame that was not told", [][]stream.Sample{{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), frame(160*ms, 1, 3, 4), blank(200 * ms), frame(300*ms, 1, 0, 1)}}, []string{"cccc-k"}},
		{"continued", [][]stream.Sample{{frame(0, 1, 0, 1), frame(40*ms, 2, 0, 1)}, {blank(0), frame(40*ms, 2, 0, 1)}}, []string{"kc", "-k"}},
		{"continued twice", [][]stream.Sample{{frame(0, 1, 0, 1)}, {blank(0)}, {frame(0, 1, 0, 1), blank(40 * ms), frame(80*ms, 1, 0, 1)}}, []string{"c", "-", "c-k"}},
		{"not repeated", [][]stream.Sample{{frame(0, 1, 0, 1)}, nil}, []string{"k", ""}},
		{"hidden for a while", [][]stream.Sample{{frame(0, 1, 0, 1), unknown(40 * ms), frame(80*ms, 1, 2, 3)}}, []string{"k?k"}},
		{"hidden for a while, without a count", [][]stream.Sample{{frame(0, 1, 0, 0), unknown(40 * ms), frame(80*ms, 1, 2, 0)}}, []string{"k?k"}},
		{"reloaded, without a count", [][]stream.Sample{{frame(0, 1, 0, 0), frame(40*ms, 1, 1, 0), blank(80 * ms), frame(120*ms, 1, 0, 0)}}, []string{"cc-k"}},
		{"sought backwards", [][]stream.Sample{{frame(0, 1, 7, 8), frame(40*ms, 1, 2, 9)}}, []string{"kk"}},
		{"told twice", [][]stream.Sample{{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), frame(60*ms, 1, 1, 2), frame(80*ms, 1, 2, 3)}}, []string{"kkkk"}},
		{"a count gone wrong", [][]stream.Sample{{frame(0, 1, 0, 1), frame(40*ms, 1, 1, 2), frame(80*ms, 1, 2, 1), frame(120*ms, 1, 3, 2)}}, []string{"kkkk"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var courses [][]Showing
			for _, rows := range c.segments {
				courses = append(courses, Course(info(), rows, nil))
			}
			MarkCutOff(courses...)
			var got []string
			for _, course := range courses {
				got = append(got, letters(course))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(- want, + got):\n%s", d)
			}
		})
	}
}

// Whatever happens to the page: what is not cut off of a presentation is the last time
// that it was shown, without a frame twice, and is not empty.
func TestWhatIsNotCutOffCountsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := play(t), play(t)
		courses := [][]Showing{Course(info(), a.told, a.away), Course(info(), b.told, b.away)}
		MarkCutOff(courses...)
		latest := map[int]int64{} // the frame of a presentation that was kept last
		all := map[int]bool{}
		for _, course := range courses {
			for _, s := range course {
				if s.Presentation == 0 {
					if s.CutOff {
						t.Fatalf("no stimulus was cut off: %+v", s)
					}
					continue
				}
				all[s.Presentation] = true
				if s.CutOff || !s.Known {
					continue
				}
				if before, ok := latest[s.Presentation]; ok && s.Frame <= before {
					t.Fatalf("frame %d of presentation %d is kept after frame %d", s.Frame, s.Presentation, before)
				}
				latest[s.Presentation] = s.Frame
			}
		}
		if len(latest) != len(all) {
			t.Fatalf("%d presentations were shown, of %d something is kept", len(all), len(latest))
		}
	})
}
