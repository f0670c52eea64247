package expression

import (
	"math"
	"testing"
)

func TestAffect(t *testing.T) {
	for name, tc := range map[string]struct {
		p                Probabilities
		valence, arousal float64
	}{
		"neutral":             {Probabilities{Neutral: 1}, 0, 0},
		"happy":               {Probabilities{Happy: 1}, .87, .38},
		"sad":                 {Probabilities{Sad: 1}, -.65, -.55},
		"angry":               {Probabilities{Angry: 1}, -.63, .23},
		"fearful":             {Probabilities{Fearful: 1}, -.52, .29},
		"disgusted":           {Probabilities{Disgusted: 1}, -.42, 0},
		"surprised":           {Probabilities{Surprised: 1}, 0, .39},
		"half happy":          {Probabilities{Neutral: .5, Happy: .5}, .435, .19},
		"happy and surprised": {Probabilities{Happy: .25, Surprised: .75}, .2175, .3875},
	} {
		v, a := Affect(tc.p)
		if math.Abs(v-tc.valence) > 1e-12 || math.Abs(a-tc.arousal) > 1e-12 {
			t.Errorf("%s: valence %g, arousal %g, want %g, %g", name, v, a, tc.valence, tc.arousal)
		}
	}
}

func TestTop(t *testing.T) {
	if got := (Probabilities{.1, .2, .3, .25, .15}).Top(); got != Sad {
		t.Errorf("got %d, want %d", got, Sad)
	}
}
