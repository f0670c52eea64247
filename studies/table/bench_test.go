package table_test

import (
	"fmt"
	"strings"
	"testing"

	"emolab/studies/table"
)

// BenchmarkRead reads ten minutes of gaze at 250 Hz.
func BenchmarkRead(b *testing.B) {
	text := rows("t_ms,x_px,y_px,pupil_mm", 150000, func(i int) string {
		return fmt.Sprintf("%d,%.2f,%.2f,3.100", i*4, 500+float64(i%700)/3, 400+float64(i%300)/7)
	})
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := table.Read(strings.NewReader(text), "bench", table.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
