package bundle

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"emolab/studies/store"
)

// BenchmarkExport exports an hour of a session and reports the seconds that it
// takes, those of verifying it, and its size. Run it with -benchtime 1x.
func BenchmarkExport(b *testing.B) {
	for b.Loop() {
		s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "study.db"))
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		if err := record(b, s, "s1", time.Hour).Seal(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		path, err := NewExporter(s, b.TempDir()).Export(b.Context(), "s1", nil)
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
