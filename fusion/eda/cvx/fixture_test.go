package cvx

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// What a general solver makes of a signal that was made up for it; testdata says
// how.
func TestAgreesWithCVXOPT(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "cvxopt.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Rate         float64   `json:"rate_hz"`
		US           []float64 `json:"us"`
		Objective    float64   `json:"objective"`
		Phasic       []float64 `json:"phasic_us"`
		Tonic        []float64 `json:"tonic_us"`
		LegacyPhasic []float64 `json:"legacy_phasic_us"`
		LegacyTonic  []float64 `json:"legacy_tonic_us"`
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name          string
		legacy        bool
		phasic, tonic []float64
	}{
		{"as since 2025", false, want.Phasic, want.Tonic},
		{"as until 2024", true, want.LegacyPhasic, want.LegacyTonic},
	} {
		got, err := Decompose(context.Background(), want.US, want.Rate, Options{Legacy: tt.legacy})
		if err != nil || !got.Converged {
			t.Fatalf("%s: %v, gap %g", tt.name, err, got.Gap)
		}
		if !tt.legacy && math.Abs(got.Objective-want.Objective) > 1e-8*want.Objective {
			t.Errorf("objective %.12g, want %.12g", got.Objective, want.Objective)
		}
		if len(tt.phasic) != len(want.US) || len(tt.tonic) != len(want.US) {
			t.Fatalf("%s: %d and %d values for %d samples", tt.name, len(tt.phasic), len(tt.tonic), len(want.US))
		}
		for i := range want.US {
			if p, l := math.Abs(got.Phasic[i]-tt.phasic[i]), math.Abs(got.Tonic[i]-tt.tonic[i]); p > 2e-5*got.SD+1e-6 || l > 2e-5*got.SD+1e-6 {
				t.Fatalf("%s: sample %d: phasic off by %g µS, tonic by %g", tt.name, i, p, l)
			}
		}
	}
}
