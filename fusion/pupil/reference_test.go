package pupil

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"emolab/fusion/instant"
)

// shared is the folder of the data that several projects share.
func shared(t testing.TB, path ...string) string {
	t.Helper()
	root := os.Getenv("EMOLAB_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	name := filepath.Join(append([]string{root}, path...)...)
	if _, err := os.Stat(name); err != nil {
		t.Skipf("the shared recordings are not here: %v", err)
	}
	return name
}

// recording is eyelink_pupil_41s: both eyes of pypillometry's example at 500 Hz,
// in the tracker's own units of area.
func recording(t testing.TB) (at []instant.Instant, left, right []float64) {
	t.Helper()
	f, err := os.Open(shared(t, "data", "signals", "eye", "eyelink_pupil_41s.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) float64 {
		if s == "" {
			return math.NaN()
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, row := range rows[1:] {
		at = append(at, instant.Instant(number(row[0])*float64(time.Millisecond)))
		left, right = append(left, number(row[3])), append(right, number(row[6]))
	}
	return at, left, right
}

// reference is what a NumPy program of the same steps (without the trend line)
// gave for the left eye.
type reference struct {
	SpeedMedian    float64    `json:"speed_median"`
	SpeedMAD       float64    `json:"speed_mad"`
	SpeedThreshold float64    `json:"speed_threshold"`
	Rejected       int        `json:"n_speed_rejected"`
	Raw            int        `json:"n_valid_raw"`
	Final          int        `json:"n_final"`
	Mean           float64    `json:"mean"`
	SD             float64    `json:"sd"`
	Missing        float64    `json:"missing_fraction"`
	Smoothed       []*float64 `json:"smoothed_every_100ms"`
}

func TestReference(t *testing.T) {
	at, left, _ := recording(t)
	b, err := os.ReadFile(shared(t, "data", "signals", "eye", "pupil_reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want reference
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for _, passes := range []int{-1, 4} {
		r := Clean(at, left, nil, Options{Arbitrary: true, Passes: passes})
		t.Logf("%d passes: speed %v ± %v, limit %v; fast %d, beside %d, trend %d, islands %d, used %d, valid %v", passes, r.Left.SpeedMedian, r.Left.SpeedMAD, r.Left.SpeedLimit,
			r.Left.Count(TooFast), r.Left.Count(BesideGap), r.Left.Count(OffTrend), r.Left.Count(Island), r.Left.Count(0), r.Valid)
		sum, n := 0.0, 0.0
		for _, v := range r.Size {
			if !math.IsNaN(v) {
				sum += v
				n++
			}
		}
		var square, count float64
		for k, w := range want.Smoothed {
			got := r.Size[0]
			for i := range at {
				if at[i] <= instant.Instant(k)*instant.Instant(100*time.Millisecond) {
					got = r.Size[i]
				}
			}
			if (w == nil) != math.IsNaN(got) {
				t.Logf("at %d ms: %v, want %v", 100*k, got, w)
				continue
			}
			if w != nil {
				square += (got - *w) * (got - *w)
				count++
			}
		}
		t.Logf("mean %v want %v; rms %v of %v, n %v", sum/n, want.Mean, math.Sqrt(square/count), want.Mean, count)
	}
	for _, b := range Clean(at, left, nil, Options{Arbitrary: true, LeastBlink: 20 * time.Millisecond, MostBlink: time.Second}).Blinks {
		t.Log(b.From/1e6, b.Until/1e6)
	}
}
