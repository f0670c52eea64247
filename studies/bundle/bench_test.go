package bundle

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"emolab/studies/store"
)

// long is a value with all the digits that a measured one has.
func long(seq int64, k int) float64 { return 300 + 100*math.Sin(float64(seq)*0.37+float64(k)) }

// BenchmarkExport exports an hour of a session and reports the seconds that
// sealing, exporting and verifying take, and its size. Run it with -benchtime 1x.
func BenchmarkExport(b *testing.B) {
	for b.Loop() {
		s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "study.db"))
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		r := record(b, s, "20261122-091503-P7K2", time.Hour, long)
		began := time.Now()
		if err := r.Seal(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/seal")
		began = time.Now()
		path, err := NewExporter(s, b.TempDir()).Export(b.Context(), "20261122-091503-P7K2", nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/export")
		began = time.Now()
		if _, err := Verify(path); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/verify")
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size()), "bytes")
	}
}
