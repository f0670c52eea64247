package eyemovement_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// methods are the published algorithms with their usual parameters.
func methods() map[string]func(g eyemovement.Gaze, s eyemovement.Screen) []eyemovement.Event {
	return map[string]func(g eyemovement.Gaze, s eyemovement.Screen) []eyemovement.Event{
		"IVT": func(g eyemovement.Gaze, s eyemovement.Screen) []eyemovement.Event {
			return eyemovement.IVT(g, s, eyemovement.IVTOptions{})
		},
		"IDT": func(g eyemovement.Gaze, s eyemovement.Screen) []eyemovement.Event {
			return eyemovement.IDT(g, s, eyemovement.IDTOptions{})
		},
		"EngbertKliegl": func(g eyemovement.Gaze, s eyemovement.Screen) []eyemovement.Event {
			return eyemovement.EngbertKliegl(g, s, eyemovement.EKOptions{})
		},
		"live": func(g eyemovement.Gaze, s eyemovement.Screen) []eyemovement.Event {
			return live(g, s, eyemovement.LiveOptions{Rate: 1 / g.Interval().Seconds()})
		},
	}
}

func live(g eyemovement.Gaze, s eyemovement.Screen, o eyemovement.LiveOptions) []eyemovement.Event {
	l := eyemovement.NewLive(s, o)
	var events []eyemovement.Event
	for i := range g.At {
		events = append(events, l.Add(g.At[i], g.X[i], g.Y[i])...)
	}
	return append(events, l.Flush()...)
}

var anyRate = rapid.SampledFrom([]float64{30, 60, 120, 200, 250, 300, 500, 1000})

// TestInvariance: what is found does not depend on when it was recorded, which
// way the screen is mirrored or turned, nor on the unit of length.
func TestInvariance(t *testing.T) {
	for name, find := range methods() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				rate := anyRate.Draw(t, "rate")
				seed := rapid.Uint64().Draw(t, "noise")
				g := drawScript(t, 2).film(desk, rate, .05, seed)
				if rapid.Bool().Draw(t, "damaged") {
					g = damage(g, seed)
				}
				want := find(g, desk)
				by := time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "shift in time"))
				same(t, "shifted in time", find(later(g, by), desk), want, by, 0)
				mirrored := eyemovement.Gaze{At: g.At, X: each(g.X, func(x float64) float64 { return 1 - x }), Y: g.Y}
				same(t, "mirrored", find(mirrored, desk), want, 0, 0)
				k := rapid.Float64Range(.1, 10).Draw(t, "unit of length")
				scaled := eyemovement.Screen{WidthMM: k * desk.WidthMM, HeightMM: k * desk.HeightMM, DistanceMM: k * desk.DistanceMM}
				same(t, "in another unit", find(g, scaled), want, 0, 0)
				if name == "IDT" || name == "EngbertKliegl" {
					return // their flat factor is that of the screen's width
				}
				turned := eyemovement.Gaze{At: g.At, X: g.Y, Y: g.X}
				same(t, "axes changed", find(turned, eyemovement.Screen{WidthMM: desk.HeightMM, HeightMM: desk.WidthMM, DistanceMM: desk.DistanceMM}), want, 0, 0)
			})
		})
	}
}

// TestSmallShift: a tracker that is off by half a degree finds the same events.
func TestSmallShift(t *testing.T) {
	for name, find := range methods() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				g := drawScript(t, 2).film(desk, anyRate.Draw(t, "rate"), .01, 1)
				right := rapid.Float64Range(-.01, .01).Draw(t, "right")
				down := rapid.Float64Range(-.01, .01).Draw(t, "down")
				shifted := eyemovement.Gaze{At: g.At, X: each(g.X, func(x float64) float64 { return x + right }), Y: each(g.Y, func(y float64) float64 { return y + down })}
				same(t, "shifted on the screen", find(shifted, desk), find(g, desk), 0, 1)
			})
		})
	}
}

// same fails unless the events are the same but for a shift in time, with edges
// within that many samples.
func same(t *rapid.T, what string, got, want []eyemovement.Event, by time.Duration, samples int) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d events instead of %d", what, len(got), len(want))
	}
	for i, e := range got {
		w := want[i]
		off := max(e.First-w.First, w.First-e.First, e.Last-w.Last, w.Last-e.Last)
		if e.Class != w.Class || off > samples || samples == 0 && (e.From != w.From.Add(by) || e.Until != w.Until.Add(by)) {
			t.Fatalf("%s: event %d is %+v instead of %+v", what, i, e, w)
		}
		if samples == 0 && !near(e.AmplitudeDeg, w.AmplitudeDeg, 1e-6) {
			t.Fatalf("%s: event %d has an amplitude of %g instead of %g", what, i, e.AmplitudeDeg, w.AmplitudeDeg)
		}
	}
}

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance || math.IsNaN(a) && math.IsNaN(b)
}

func later(g eyemovement.Gaze, by time.Duration) eyemovement.Gaze {
	at := slices.Clone(g.At)
	for i := range at {
		at[i] = at[i].Add(by)
	}
	return eyemovement.Gaze{At: at, X: g.X, Y: g.Y}
}

func each(x []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = f(x[i])
	}
	return out
}

// TestFindsWhatWasLookedAt: I-VT at any rate finds each fixation of the script
// where and when it was.
func TestFindsWhatWasLookedAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Less than 2 degrees within the 67 ms of two steps at 30 Hz stay below the
		// threshold.
		s := drawScript(t, 4)
		for _, rate := range []float64{30, 60, 120, 250, 500, 1000} {
			found := of(eyemovement.IVT(s.film(desk, rate, .02, 7), desk, eyemovement.IVTOptions{}), eyemovement.Fixation)
			if len(found) != len(s) {
				t.Fatalf("%g Hz: %d fixations, want %d", rate, len(found), len(s))
			}
			// The window of velocities, or at low rates two samples, on either side of
			// a saccade whose slow ends count as fixation.
			slack := time.Duration(2.5e9/rate) + 20*time.Millisecond
			for i, f := range found {
				x, y := desk.At(s[i].x, s[i].y)
				if d := desk.Degrees(f.X, f.Y, x, y); d > .25 {
					t.Fatalf("%g Hz: fixation %d is %.2f degrees off", rate, i, d)
				}
				if d := f.Until.Sub(instant.Instant(time.Second) + instant.Instant(s[i].until)); d.Abs() > slack {
					t.Fatalf("%g Hz: fixation %d ends %v off", rate, i, d)
				}
			}
		}
	})
}

// TestGaps: what is lost within a fixation for less than
// MaxGap is bridged; more parts the fixation, and is in no event.
func TestGaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawScript(t, 2)
		g := s.film(desk, 250, .005, 3)
		whole := eyemovement.IVT(g, desk, eyemovement.IVTOptions{MergeGap: eyemovement.Off})
		var f eyemovement.Event
		for _, e := range whole {
			if e.Class == eyemovement.Fixation && e.Last-e.First > f.Last-f.First {
				f = e
			}
		}
		// 4 ms a sample: 17 missing lie 72 ms apart at their ends, 18 lie 76 ms apart.
		n := rapid.IntRange(1, 40).Draw(t, "lost")
		first := rapid.IntRange(f.First+5, max(f.First+5, f.Last-5-n)).Draw(t, "from")
		lost := eyemovement.Gaze{At: g.At, X: slices.Clone(g.X), Y: g.Y}
		for i := first; i < min(first+n, f.Last-4); i++ {
			lost.X[i] = math.NaN()
		}
		missing := min(first+n, f.Last-4) - first
		got := eyemovement.IVT(lost, desk, eyemovement.IVTOptions{MergeGap: eyemovement.Off})
		if missing <= 17 {
			same(t, "short gap", got, whole, 0, 0)
			return
		}
		for i, c := range eyemovement.Labels(got, g.Len()) {
			if i >= first && i < first+missing && c != eyemovement.Undefined {
				t.Fatalf("sample %d of %d missing ones is a %v", i-first, missing, c)
			}
		}
	})
}

// TestLiveIsOffline: Live finds what IVT without merging finds, to the last bit.
func TestLiveIsOffline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := anyRate.Draw(t, "rate")
		seed := rapid.Uint64().Draw(t, "noise")
		// Noise from none to so much that I-VT falls to pieces.
		g := drawScript(t, 2).film(desk, rate, rapid.Float64Range(0, .4).Draw(t, "noise in degrees"), seed)
		if rapid.Bool().Draw(t, "damaged") {
			g = damage(g, seed)
		}
		o := eyemovement.LiveOptions{Rate: rate}
		want := eyemovement.IVT(g, desk, o.IVT())
		if diff := cmp.Diff(want, live(g, desk, o), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("offline -, live +:\n%s", diff)
		}
	})
}

// TestLiveDelay: and it tells it no later than it says.
func TestLiveDelay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := anyRate.Draw(t, "rate")
		g := drawScript(t, 2).film(desk, rate, .1, 1)
		for i := range g.X { // missing samples, but none left out
			if rapid.IntRange(0, 19).Draw(t, "lost") == 0 {
				for k := i; k < min(len(g.X), i+rapid.IntRange(1, 30).Draw(t, "for")); k++ {
					g.Y[k] = math.NaN()
				}
			}
			if i > 150 {
				break
			}
		}
		l := eyemovement.NewLive(desk, eyemovement.LiveOptions{Rate: rate})
		for i, at := range g.At {
			for _, e := range l.Add(at, g.X[i], g.Y[i]) {
				if late := at.Sub(g.At[e.Last]); late > l.Delay() {
					t.Fatalf("%g Hz: %v told %v after its last sample, %v were promised", rate, e.Class, late, l.Delay())
				}
			}
			if f, ok := l.Ongoing(); ok && (f.Class != eyemovement.Fixation || math.IsNaN(f.X) || f.Until.Sub(f.From) < 60*time.Millisecond) {
				t.Fatalf("the fixation going on is %+v", f)
			}
		}
	})
}

// anyNumber is what a damaged file may hold.
var anyNumber = rapid.OneOf(
	rapid.Float64Range(-1, 2),
	rapid.Float64(),
	rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 0, math.Copysign(0, -1), 5e-324}),
)

// TestNonsense: whatever comes, nothing panics, events are in order and within
// the recording, and what is not a number is one because nothing was there.
func TestNonsense(t *testing.T) {
	all := methods()
	all["binocular"] = func(g eyemovement.Gaze, s eyemovement.Screen) []eyemovement.Event {
		return eyemovement.EngbertKlieglBinocular(g, eyemovement.Gaze{At: g.At, X: g.Y, Y: g.X}, s, eyemovement.EKOptions{})
	}
	all["smoothed"] = func(g eyemovement.Gaze, s eyemovement.Screen) []eyemovement.Event {
		return eyemovement.IVT(g, s, eyemovement.IVTOptions{Smoothing: eyemovement.Median3, MaxGap: eyemovement.Off, MinFixation: eyemovement.Off})
	}
	for name, find := range all {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				n := rapid.IntRange(0, 60).Draw(t, "samples")
				g := eyemovement.Gaze{X: rapid.SliceOfN(anyNumber, n, n).Draw(t, "x"), Y: rapid.SliceOfN(anyNumber, n, n).Draw(t, "y")}
				at := instant.Instant(rapid.Int64Range(-1e12, 1e12).Draw(t, "start"))
				for range n {
					at = at.Add(time.Duration(rapid.Int64Range(1, 4e7).Draw(t, "step")))
					g.At = append(g.At, at)
				}
				s := desk
				switch rapid.IntRange(0, 9).Draw(t, "kind") {
				case 0:
					s = eyemovement.Screen{WidthMM: anyNumber.Draw(t, "w"), HeightMM: anyNumber.Draw(t, "h"), DistanceMM: anyNumber.Draw(t, "d")}
				case 1:
					slices.Reverse(g.At)
				case 2:
					g.X = g.X[:n/2]
					if name == "live" || name == "binocular" {
						g.At, g.Y = g.At[:n/2], g.Y[:n/2]
					}
				}
				sound(t, g, s, find(g, s))
			})
		})
	}
}

func sound(t *rapid.T, g eyemovement.Gaze, s eyemovement.Screen, events []eyemovement.Event) {
	t.Helper()
	next := 0
	for i, e := range events {
		if e.First < next || e.Last < e.First || e.Last >= g.Len() || e.Until <= e.From {
			t.Fatalf("event %d is %+v", i, e)
		}
		next = e.Last + 1
		if s.Valid() && (math.IsNaN(e.X) != math.IsNaN(e.Y) || math.IsNaN(e.X) && e.Class == eyemovement.Fixation) {
			t.Fatalf("event %d has no place: %+v", i, e)
		}
	}
}

func ExampleIVT() {
	// Half a second on one place, then on another 8 degrees to the right.
	var g eyemovement.Gaze
	for i := range 100 {
		x := .4
		if i >= 50 {
			x = .57
		}
		g.At = append(g.At, instant.Instant(i)*instant.Instant(10*time.Millisecond))
		g.X, g.Y = append(g.X, x), append(g.Y, .5)
	}
	for _, e := range eyemovement.IVT(g, eyemovement.Screen{WidthMM: 531, HeightMM: 299, DistanceMM: 650}, eyemovement.Tobii2012()) {
		fmt.Printf("%s for %v at %.2f, %.2f\n", e.Class, e.Until.Sub(e.From), e.X, e.Y)
	}
	// Output:
	// fixation for 490ms at 0.40, 0.50
	// saccade for 20ms at 0.48, 0.50
	// fixation for 490ms at 0.57, 0.50
}
