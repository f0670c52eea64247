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
	for name, c := range map[string]struct {
		passes int
		rms    float64 // of the mean
	}{
		"without trend": {-1, 1e-5},
		"with trend":    {0, .01},
	} {
		r := Clean(at, left, nil, Options{Arbitrary: true, Passes: c.passes})
		e := r.Left
		if e.SpeedMedian != want.SpeedMedian || e.SpeedMAD != want.SpeedMAD || e.SpeedLimit != want.SpeedThreshold {
			t.Errorf("%s: speed %v ± %v, limit %v", name, e.SpeedMedian, e.SpeedMAD, e.SpeedLimit)
		}
		if len(at)-e.Count(Missing) != want.Raw || e.Count(TooFast) != want.Rejected {
			t.Errorf("%s: %d too fast of %d, want %d of %d", name, e.Count(TooFast), len(at)-e.Count(Missing), want.Rejected, want.Raw)
		}
		if c.passes < 0 && e.Count(0) != want.Final {
			t.Errorf("%s: %d samples are used, want %d", name, e.Count(0), want.Final)
		}
		mean, sd := moments(r.Size)
		if math.Abs(mean/want.Mean-1) > .005 || math.Abs(sd/want.SD-1) > .02 || math.Abs(1-r.Valid-want.Missing) > .002 {
			t.Errorf("%s: mean %v, sd %v, missing %v, want %v, %v, %v", name, mean, sd, 1-r.Valid, want.Mean, want.SD, want.Missing)
		}
		every := every100ms(at, r.Size)
		var square, n float64
		for k, w := range want.Smoothed {
			if (w == nil) != math.IsNaN(every[k]) {
				t.Errorf("%s: %v at %d ms", name, every[k], 100*k)
			} else if w != nil {
				square += (every[k] - *w) * (every[k] - *w)
				n++
			}
		}
		rms := math.Sqrt(square/n) / want.Mean
		t.Logf("%s: rms %.2g of the mean", name, rms)
		if rms > c.rms {
			t.Errorf("%s: rms %v of the mean", name, rms)
		}
	}
}

// every100ms is the last value not after each tenth of a second.
func every100ms(at []instant.Instant, x []float64) []float64 {
	var y []float64
	i := 0
	for t := at[0]; t <= at[len(at)-1]; t = t.Add(100 * time.Millisecond) {
		for i+1 < len(at) && at[i+1] <= t {
			i++
		}
		y = append(y, x[i])
	}
	return y
}

func moments(x []float64) (mean, sd float64) {
	n := 0.0
	for _, v := range x {
		if !math.IsNaN(v) {
			mean, n = mean+v, n+1
		}
	}
	mean /= n
	for _, v := range x {
		if !math.IsNaN(v) {
			sd += (v - mean) * (v - mean)
		}
	}
	return mean, math.Sqrt(sd / n)
}

// Where the tracker itself saw a blink of the left eye, the gaps are.
func TestBlinksOfTracker(t *testing.T) {
	at, left, _ := recording(t)
	b, err := os.ReadFile(shared(t, "data", "signals", "eye", "eyelink_pupil_41s.json"))
	if err != nil {
		t.Fatal(err)
	}
	var of struct {
		Events struct {
			Blink [][4]any `json:"blink"` // eye, first and last sample in ms, duration
		} `json:"events"`
	}
	if err := json.Unmarshal(b, &of); err != nil {
		t.Fatal(err)
	}
	found := Clean(at, left, nil, Options{Arbitrary: true, LeastBlink: 20 * time.Millisecond}).Blinks
	n := 0
	for _, e := range of.Events.Blink {
		if e[0] != "L" {
			continue
		}
		from, until := e[1].(float64), e[2].(float64)+2 // at 500 Hz, Until is one sample on
		if n >= len(found) || float64(found[n].From)/1e6 != from || float64(found[n].Until)/1e6 != until {
			t.Errorf("blink %d, %v..%v ms, is not in %v", n, from, until, found)
		}
		n++
	}
	if n != len(found) || n != 11 {
		t.Errorf("%d blinks, the tracker saw %d", len(found), n)
	}
}
