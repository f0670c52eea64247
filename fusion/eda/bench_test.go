package eda

import (
	"fmt"
	"testing"
)

func BenchmarkAnalyzeHour(b *testing.B) {
	for _, rate := range []float64{25, 100} {
		at, us := hour(rate)
		for _, m := range []Method{HighPass, Median, CVX, CDA} {
			b.Run(fmt.Sprintf("%s/%gHz", m, rate), func(b *testing.B) {
				for b.Loop() {
					Analyze(at, us, Options{Rate: rate, Method: m})
				}
			})
		}
	}
}
