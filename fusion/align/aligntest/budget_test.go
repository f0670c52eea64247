package aligntest

import (
	"strings"
	"testing"
	"time"
)

// The budgets hold: a selection of `emolab bench sync`, on recordings that are
// short, which is harder, because beginnings and resets make more of them.
func TestBudgets(t *testing.T) {
	const length = 2 * time.Minute
	for _, name := range []string{
		"box 0 ppm",
		"box 2000 ppm, 16 ms, 2 % loss",
		"box 2000 ppm, 16 ms, 2 % loss, resets",
		"box 2000 ppm, 16 ms, 2 % loss, loaded",
		"box 5000 ppm, 16 ms, 2 % loss, resets, loaded",
		"box host stalls", "box pauses", "box duplicates", "box reordered", "box warming up",
		"tracker 20 ppm, 1 ms",
		"tracker 2000 ppm, 16 ms, 2 % loss",
		"tracker 5000 ppm, 16 ms, 2 % loss, loaded",
		"tracker host stalls", "tracker pauses", "tracker duplicates", "tracker reordered", "tracker warming up",
		"numbered 2000 ppm, 16 ms, 2 % loss",
		"numbered 5000 ppm, 16 ms, 2 % loss, loaded",
		"numbered pauses", "numbered duplicates", "numbered reordered", "numbered warming up",
		"counted 60 Hz 2000 ppm, 16 ms",
		"counted 60 Hz 2000 ppm, 16 ms, 2 % loss",
		"counted 60 Hz 2000 ppm, 16 ms, 2 % loss, resets",
		"counted 120 Hz 20 ppm, 2 % loss",
		"counted 120 Hz 2000 ppm, 16 ms, 2 % loss, loaded",
		"counted 60 Hz pauses", "counted 60 Hz warming up",
		"browser 20 ppm", "browser 20 ppm, reloads, loaded", "browser 0 ppm, display not measured, loaded",
		"camera stamped by its driver, 2 % loss, latency measured, loaded",
		"camera with arrivals only, loaded",
		"camera with arrivals only, 2 % loss, latency measured, loaded",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := named(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Run(length)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("live p95 %v, final p95 %v, bounds true for %.2f and %.2f %%", r.Live.P95, r.Final.P95, 100*r.LiveCovered, 100*r.FinalCovered)
			if missed := r.Failures(); len(missed) > 0 {
				t.Error(strings.Join(missed, "; "))
			}
		})
	}
}
