package filter_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"emolab/fusion/filter"
)

// fixture is what testdata/make.py wrote.
type fixture struct {
	Rate      float64   `json:"rate"`
	X         []float64 `json:"x"`
	ZeroPhase []struct {
		Order int       `json:"order"`
		Hz    float64   `json:"hz"`
		High  bool      `json:"high"`
		Y     []float64 `json:"y"`
	} `json:"zero_phase"`
	Peaks       []int                `json:"peaks"`
	Troughs     []int                `json:"troughs"`
	Prominences []float64            `json:"prominences"`
	Median      map[string][]float64 `json:"median"`
	Windows     map[string][]float64 `json:"windows"`
	Welch       struct {
		Hz      []float64 `json:"hz"`
		Density []float64 `json:"density"`
	} `json:"welch"`
}

func load(t *testing.T) fixture {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "scipy.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// same compares with scipy's numbers, to rounding.
func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= 1e-9) {
			t.Errorf("%s: value %d is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

func TestAgreesWithSciPy(t *testing.T) {
	f := load(t)
	x := slices.Clone(f.X)
	for _, z := range f.ZeroPhase {
		sections := filter.Butterworth(z.Order, z.Hz, f.Rate, filter.Band(z.High))
		same(t, fmt.Sprintf("order %d at %v Hz", z.Order, z.Hz), filter.ZeroPhase(sections, x), z.Y)
	}
	if d := cmp.Diff(f.Peaks, filter.Peaks(x)); d != "" {
		t.Errorf("peaks (-scipy +ours):\n%s", d)
	}
	if d := cmp.Diff(f.Troughs, filter.Troughs(x)); d != "" {
		t.Errorf("troughs (-scipy +ours):\n%s", d)
	}
	same(t, "prominences", filter.Prominences(x, f.Peaks), f.Prominences)
	for key, want := range f.Median {
		same(t, "median "+key, filter.Median(x, number(t, key)), want)
	}
	for key, want := range f.Windows {
		same(t, "Blackman's window of "+key, filter.Blackman(number(t, key)), want)
	}
	hz, density := filter.Welch(x, filter.Blackman(64), f.Rate)
	same(t, "Welch's frequencies", hz, f.Welch.Hz)
	same(t, "Welch's density", density, f.Welch.Density)
	if !slices.Equal(x, f.X) {
		t.Error("the input was changed")
	}
}

func number(t *testing.T, key string) int {
	t.Helper()
	n, err := strconv.Atoi(key)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPeaks(t *testing.T) {
	tests := []struct {
		x    []float64
		want string
	}{
		{nil, "[]"},
		{[]float64{1, 2, 1}, "[1]"},
		{[]float64{3, 2, 1}, "[]"},
		{[]float64{1, 2, 2, 1}, "[1]"},
		{[]float64{1, 2, 2, 2, 1, 4, 0}, "[2 5]"},
		{[]float64{1, 2, 2, 3, 3}, "[]"},
		{[]float64{2, 2, 1, 3, 1}, "[3]"},
	}
	for _, tt := range tests {
		if got := fmt.Sprint(filter.Peaks(tt.x)); got != tt.want {
			t.Errorf("peaks of %v at %s, want %s", tt.x, got, tt.want)
		}
		down := make([]float64, len(tt.x))
		for i, v := range tt.x {
			down[i] = -v
		}
		if got := fmt.Sprint(filter.Troughs(down)); got != tt.want {
			t.Errorf("troughs of %v at %s, want %s", down, got, tt.want)
		}
	}
}

// signals are anything, with values often equal.
func signals(least int) *rapid.Generator[[]float64] {
	return rapid.SliceOfN(rapid.Map(rapid.IntRange(-20, 20), func(i int) float64 { return float64(i) / 4 }), least, 120)
}

// The linear walk of Prominences is held against the definition.
func TestProminencesByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := signals(0).Draw(t, "x")
		peaks := filter.Peaks(x)
		got := filter.Prominences(x, peaks)
		for k, p := range peaks {
			low := [2]float64{x[p], x[p]}
			for i := p; i >= 0 && x[i] <= x[p]; i-- {
				low[0] = min(low[0], x[i])
			}
			for i := p; i < len(x) && x[i] <= x[p]; i++ {
				low[1] = min(low[1], x[i])
			}
			if want := x[p] - max(low[0], low[1]); got[k] != want {
				t.Fatalf("the peak at %d stands out by %v, want %v", p, got[k], want)
			}
		}
	})
}

func TestMedianByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := signals(0).Draw(t, "x")
		half := rapid.IntRange(0, 80).Draw(t, "half")
		for i, got := range filter.Median(x, 2*half+1) {
			var window []float64
			for j := i - half; j <= i+half; j++ {
				if j < 0 || j >= len(x) {
					window = append(window, 0)
				} else {
					window = append(window, x[j])
				}
			}
			slices.Sort(window)
			if got != window[half] {
				t.Fatalf("sample %d: %v, want %v", i, got, window[half])
			}
		}
	})
}

// A filter without delay that lets a constant pass must keep it, however short the
// signal; one that does not must leave nothing of it.
func TestConstantPasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 90).Draw(t, "n")
		x := make([]float64, n)
		for i := range x {
			x[i] = 7
		}
		order := rapid.IntRange(1, 7).Draw(t, "order")
		hz := rapid.Float64Range(1, 40).Draw(t, "hz")
		for i, v := range filter.ZeroPhase(filter.Butterworth(order, hz, 100, filter.Low), x) {
			if math.Abs(v-7) > 1e-6 {
				t.Fatalf("low-pass: sample %d of a constant 7 became %v", i, v)
			}
		}
		for i, v := range filter.ZeroPhase(filter.Butterworth(order, hz, 100, filter.High), x) {
			if math.Abs(v) > 1e-6 {
				t.Fatalf("high-pass: sample %d of a constant became %v", i, v)
			}
		}
	})
}

func TestBlockMean(t *testing.T) {
	x := []float64{1, 2, 3, 4, 5, 6, 7}
	if d := cmp.Diff([]float64{2, 5}, filter.BlockMean(x, 3)); d != "" {
		t.Error(d)
	}
}

func TestImpossibleFiltersPanic(t *testing.T) {
	x := []float64{1, 2, 3}
	for name, f := range map[string]func(){
		"order 0":               func() { filter.Butterworth(0, 1, 10, filter.Low) },
		"a cutoff at half rate": func() { filter.Butterworth(2, 5, 10, filter.Low) },
		"a cutoff of NaN":       func() { filter.Butterworth(2, math.NaN(), 10, filter.Low) },
		"an even median":        func() { filter.Median(x, 2) },
		"blocks of nothing":     func() { filter.BlockMean(x, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
