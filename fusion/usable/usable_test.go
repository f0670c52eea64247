package usable

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
)

// origin is when recordings of tests begin.
const origin = instant.Instant(100 * time.Second)

// A presentation lasts from its first frame to its last; one that was cut off and began
// anew is not counted twice, and one that is still up lasts to the end.
func TestPresentationsOfACourse(t *testing.T) {
	t.Parallel()
	ms := func(n int) instant.Instant { return instant.Instant(n) * instant.Instant(time.Millisecond) }
	got := Presentations([]stimulus.Showing{
		{From: ms(0), Until: ms(10)},
		{From: ms(10), Until: ms(20), Presentation: 1, CutOff: true},
		{From: ms(20), Until: ms(30)},
		{From: ms(30), Until: ms(40), Presentation: 1}, {From: ms(40), Until: ms(50), Presentation: 1},
		{From: ms(50), Until: stimulus.Open, Presentation: 2},
	}, ms(90))
	want := []Shown{{1, ms(30), ms(50)}, {2, ms(50), ms(90)}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%v, want %v", got, want)
	}
}

// What is measured of a presentation is what samples stand for that are good: never more
// than it lasted, and what a naive count of small steps gives.
func TestMeasuredIsWhatSamplesStandFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const tick = instant.Instant(time.Millisecond)
		var readings []Reading
		at := origin
		for range rapid.IntRange(0, 60).Draw(t, "samples") {
			at += tick * instant.Instant(rapid.SampledFrom([]int{10, 10, 10, 10, 11, 35, 200}).Draw(t, "gap"))
			readings = append(readings, Reading{at, rapid.Bool().Draw(t, "good")})
		}
		var shown []Shown
		from := origin
		for n := range rapid.IntRange(0, 4).Draw(t, "presentations") {
			from += tick * instant.Instant(rapid.IntRange(0, 150).Draw(t, "pause"))
			until := from + tick*instant.Instant(rapid.IntRange(0, 300).Draw(t, "long"))
			shown = append(shown, Shown{n + 1, from, until})
			from = until
		}
		got := Measured(readings, shown)
		longest := staying * usualInterval(readings)
		for _, p := range shown {
			want := time.Duration(0)
			for at := p.From; at < p.Until; at += tick {
				held := -1
				for i, s := range readings {
					if s.At <= at {
						held = i
					}
				}
				if held >= 0 && readings[held].Good && at.Sub(readings[held].At) < longest {
					want += time.Duration(tick)
				}
			}
			if got[p.Number] != want || got[p.Number] > p.Until.Sub(p.From) {
				t.Fatalf("of presentation %d, %v long, %v are measured, want %v", p.Number, p.Until.Sub(p.From), got[p.Number], want)
			}
		}
	})
}
