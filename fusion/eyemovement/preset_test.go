package eyemovement_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// still is a film at 500 Hz of fixations that follow each other by jumps: each
// is so many degrees to the right, for so many ms.
func still(s eyemovement.Screen, stays ...[2]float64) eyemovement.Gaze {
	var g eyemovement.Gaze
	for _, p := range stays {
		x, y := s.At(p[0], 0)
		for range int(p[1] / 2) {
			g.At = append(g.At, instant.Instant(len(g.At))*instant.Instant(2*time.Millisecond))
			g.X, g.Y = append(g.X, x), append(g.Y, y)
		}
	}
	return g
}

// TestPresets: what Tobii's two filters make of the same gaze.
func TestPresets(t *testing.T) {
	for _, c := range []struct {
		name           string
		gaze           eyemovement.Gaze
		tobii, ocumen  int // fixations
		withoutMerging int // of Tobii2012 with merging off
	}{
		{"two far apart", still(desk, [2]float64{0, 300}, [2]float64{8, 300}), 2, 2, 2},
		{"two degrees apart", still(desk, [2]float64{0, 300}, [2]float64{2, 300}), 2, 1, 2},
		// The samples whose window ends in the spike are fast, those between are not,
		// and are too short to be a fixation by themselves.
		{"a spike of 2 degrees", still(desk, [2]float64{0, 300}, [2]float64{2, 2}, [2]float64{.2, 300}), 1, 1, 2},
		{"one of 80 ms", still(desk, [2]float64{-8, 300}, [2]float64{0, 100}, [2]float64{8, 300}), 3, 2, 3},
		{"one of 30 ms", still(desk, [2]float64{-8, 300}, [2]float64{0, 50}, [2]float64{8, 300}), 2, 2, 2},
	} {
		unmerged := eyemovement.Tobii2012()
		unmerged.MergeGap = eyemovement.Off
		for name, f := range map[string]struct {
			o    eyemovement.IVTOptions
			want int
		}{"Tobii 2012": {eyemovement.Tobii2012(), c.tobii}, "Ocumen": {eyemovement.Ocumen(), c.ocumen}, "zero value": {eyemovement.IVTOptions{}, c.tobii}, "without merging": {unmerged, c.withoutMerging}} {
			if got := len(of(eyemovement.IVT(c.gaze, desk, f.o), eyemovement.Fixation)); got != f.want {
				t.Errorf("%s, %s: %d fixations, want %d", c.name, name, got, f.want)
			}
		}
	}
}

// TestSmoothing: one sample far off is two saccades without noise reduction,
// none with the median, and no less with the mean of three.
func TestSmoothing(t *testing.T) {
	g := still(desk, [2]float64{0, 600})
	g.X[150] += .1
	for how, want := range map[eyemovement.Smoothing]int{eyemovement.Raw: 2, eyemovement.Median3: 0, eyemovement.Mean3: 2} {
		got := eyemovement.IVT(g, desk, eyemovement.IVTOptions{Smoothing: how, MergeGap: eyemovement.Off})
		if n := len(of(got, eyemovement.Saccade)); n != want {
			t.Errorf("smoothing %d: %d saccades, want %d", how, n, want)
		}
	}
	g.X[150] = math.NaN()
	if got := eyemovement.IVT(g, desk, eyemovement.IVTOptions{Smoothing: eyemovement.Mean3, MaxGap: eyemovement.Off, MergeGap: eyemovement.Off}); len(got) != 2 {
		t.Errorf("%d events around a missing sample that is not bridged, want 2", len(got))
	}
}

// TestRowsMissing: missing rows and missing samples are the same.
func TestRowsMissing(t *testing.T) {
	whole := still(desk, [2]float64{0, 400}, [2]float64{6, 400})
	for _, lost := range []int{10, 60} { // 22 ms are bridged, 122 ms are not
		empty := eyemovement.Gaze{At: whole.At, X: append([]float64(nil), whole.X...), Y: whole.Y}
		var short eyemovement.Gaze
		for i := range whole.At {
			if i >= 80 && i < 80+lost {
				empty.X[i] = math.NaN()
				continue
			}
			short.At, short.X, short.Y = append(short.At, whole.At[i]), append(short.X, whole.X[i]), append(short.Y, whole.Y[i])
		}
		o := eyemovement.IVTOptions{MergeGap: eyemovement.Off}
		a, b := eyemovement.IVT(empty, desk, o), eyemovement.IVT(short, desk, o)
		if len(a) != len(b) {
			t.Fatalf("%d lost: %d events, with the rows missing %d", lost, len(a), len(b))
		}
		for i := range a {
			// The velocities beside a hole have one end in it where the rows are
			// missing, none where the samples are.
			if a[i].Class != b[i].Class || a[i].From.Sub(b[i].From).Abs() > 10*time.Millisecond || a[i].Until.Sub(b[i].Until).Abs() > 10*time.Millisecond {
				t.Errorf("%d lost: %+v, with the rows missing %+v", lost, a[i], b[i])
			}
		}
	}
}

func TestCheck(t *testing.T) {
	at := []instant.Instant{1, 2, 2}
	for name, c := range map[string]struct {
		g    eyemovement.Gaze
		want string
	}{
		"lengths": {eyemovement.Gaze{At: at[:2], X: []float64{1}, Y: []float64{1, 2}}, "2 stamps, 1 x and 2 y"},
		"order":   {eyemovement.Gaze{At: at, X: make([]float64, 3), Y: make([]float64, 3)}, "the stamp of sample 2 is not after that of sample 1"},
	} {
		if err := c.g.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (eyemovement.Gaze{}).Check(); err != nil {
		t.Errorf("nothing: %v", err)
	}
	for class, want := range map[eyemovement.Class]string{eyemovement.Fixation: "fixation", eyemovement.Blink: "blink", 77: "undefined"} {
		if got := class.String(); got != want {
			t.Errorf("class %d is %q", class, got)
		}
	}
}
