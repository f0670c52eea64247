package eyemovement_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"emolab/fusion/eyemovement"
)

// hour is an hour of gaze at 250 Hz: fixations of .2 to .5 s, with noise.
func hour() eyemovement.Gaze {
	r := rand.New(rand.NewPCG(1, 1))
	var s script
	for now := time.Duration(0); now < time.Hour; {
		now += time.Duration(200+r.IntN(300)) * time.Millisecond
		s = append(s, stay{r.Float64()*24 - 12, r.Float64()*16 - 8, now})
		now += 50 * time.Millisecond
	}
	return s.film(desk, 250, .05, 1)
}

func BenchmarkHour(b *testing.B) {
	g := hour()
	for name, find := range methods() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				find(g, desk)
			}
		})
	}
}
