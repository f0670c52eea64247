package eda

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"emolab/fusion/filter"
)

// synthetic is what testdata/make.py wrote.
type synthetic struct {
	Rate     float64   `json:"fs_hz"`
	X        []float64 `json:"x"`
	Clean    []float64 `json:"clean_5hz"`
	HighPass splitting `json:"highpass"`
	Median   splitting `json:"smoothmedian"`
	T01      scored    `json:"thr_0.01"`
	T05      scored    `json:"thr_0.05"`
	Power    float64   `json:"edasymp"`
	Share    float64   `json:"edasymp_n"`
}

type splitting struct {
	Tonic  []float64 `json:"tonic_5hz"`
	Phasic []float64 `json:"phasic_5hz"`
	Peaks  peaks     `json:"peaks"`
}

// What the reference recordings prove must also be seen where they are not at
// hand.
func TestAgreesWithNeuroKitOnASyntheticSignal(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "synthetic.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f synthetic
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	at := regular(len(f.X), f.Rate)
	r := Analyze(at, f.X, Options{Rate: f.Rate, Method: HighPass})
	g := grid{from: at[0], rate: f.Rate, us: f.X}
	clean := g.clean()
	kernel := int(medianS*f.Rate) | 1
	tonic := filter.Median(clean, kernel)
	phasic := make([]float64, len(tonic))
	for i := range phasic {
		phasic[i] = clean[i] - tonic[i]
	}
	for name, d := range map[string]float64{
		"clean":             worst(clean, f.Clean, 10),
		"tonic":             worst(r.Tonic, f.HighPass.Tonic, 10),
		"phasic":            worst(r.Phasic, f.HighPass.Phasic, 10),
		"tonic by median":   worst(tonic, f.Median.Tonic, 10),
		"phasic by median":  worst(phasic, f.Median.Phasic, 10),
		"power in the band": math.Abs(r.Summary(Stretch{}).Sympathetic.PowerUS2-f.Power) / f.Power * 1e-3,
		"normalised power":  math.Abs(r.Summary(Stretch{}).Sympathetic.Normalised-f.Share) / f.Share * 1e-3,
	} {
		if !(d <= 1e-6) {
			t.Errorf("%s is off by %g", name, d)
		}
	}
	absolute(t, "at 0.05 µS", r.Responses, at[0], f.Rate, f.T05)
	absolute(t, "at 0.01 µS", r.Fine, at[0], f.Rate, f.T01)
	compare(t, "high-pass", Analyze(at, f.X, Options{Rate: f.Rate, Method: HighPass, Scoring: Relative}).Responses, at[0], f.Rate, f.HighPass.Peaks)
	compare(t, "median", g.relative(phasic), at[0], f.Rate, f.Median.Peaks)
}
