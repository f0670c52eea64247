package eda

import (
	"math"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// Drifting stamps, lost samples and holes must not move what is found.
func TestScriptedResponsesAreFound(t *testing.T) {
	s := script.New(3)
	at, us := recorded(s, 100.2, .02)
	got := Analyze(at, us, Options{Rate: 100})
	if len(got.Responses) < len(s.Responses) {
		t.Fatalf("%d responses found, %d scripted", len(got.Responses), len(s.Responses))
	}
	for _, want := range s.Responses {
		found := false
		for _, r := range got.Responses {
			if d := r.Onset.Sub(at[0]) - want.Onset; d.Abs() < 400*time.Millisecond {
				found = true
				if math.Abs(r.AmplitudeUS-want.AmplitudeUS) > .15*want.AmplitudeUS {
					t.Errorf("the response at %v has %.3f µS, scripted %.3f", want.Onset, r.AmplitudeUS, want.AmplitudeUS)
				}
			}
		}
		if !found {
			t.Errorf("the response at %v was not found", want.Onset)
		}
	}
}

// Where the level rises there is no trough before a response: its onset is the
// bend, and its amplitude no more than the rise within it.
func TestResponsesOnARisingLevel(t *testing.T) {
	s := script.New(3)
	at, us := recorded(s, 100, .02)
	const slope = .06 // µS/s, more than a response's tail loses
	for i := range us {
		us[i] += slope * at[i].Sub(at[0]).Seconds()
	}
	got := Analyze(at, us, Options{Rate: 100}).Responses
	for _, want := range s.Responses {
		n := 0
		for _, r := range got {
			if d := r.Onset.Sub(at[0]) - want.Onset; d.Abs() < 600*time.Millisecond {
				n++
				if over := r.AmplitudeUS - want.AmplitudeUS; over > slope*r.RiseS+.02 || over < -.2*want.AmplitudeUS {
					t.Errorf("the response at %v has %.3f µS, scripted %.3f", want.Onset, r.AmplitudeUS, want.AmplitudeUS)
				}
			}
		}
		if n != 1 {
			t.Errorf("the response at %v was found %d times: %+v", want.Onset, n, got)
		}
	}
	for i := range us {
		us[i] = 5 + slope*at[i].Sub(at[0]).Seconds()
	}
	if got := Analyze(at, us, Options{Rate: 100}).Responses; len(got) != 0 {
		t.Errorf("%d responses in a rising level", len(got))
	}
}

// recorded samples the script's second period with every 1/loss-th sample lost.
// The level hardly moves, so that amplitudes can be compared.
func recorded(s *script.Script, rate, loss float64) (at []instant.Instant, us []float64) {
	each := int(1 / loss)
	s.LevelUS = .1
	for i := range int(s.Period.Seconds() * rate) {
		if i%each == each/2 {
			continue
		}
		off := time.Duration(float64(i) / rate * 1e9)
		at = append(at, instant.Instant(5e9).Add(off))
		us = append(us, 5+s.Conductance(s.Period+off))
	}
	return at, us
}

func TestPiecesAreSeparate(t *testing.T) {
	s := script.New(4)
	at, us := recorded(s, 100, .01)
	cut := len(at) / 2
	whole := Analyze(at[:cut], us[:cut], Options{Rate: 100})

	// After a hole of 2 s the level is another one: nothing of it may leak back.
	joined := append([]instant.Instant(nil), at...)
	other := append([]float64(nil), us...)
	for i := cut; i < len(at); i++ {
		joined[i] = joined[i].Add(2 * time.Second)
		other[i] += 10
	}
	both := Analyze(joined, other, Options{Rate: 100})
	for i := range cut {
		if both.Tonic[i] != whole.Tonic[i] || both.Phasic[i] != whole.Phasic[i] {
			t.Fatalf("sample %d before the hole changed with what came after it", i)
		}
	}
	for _, r := range both.Responses {
		if r.Onset < joined[cut-1] && r.Peak > joined[cut-1] {
			t.Errorf("a response of %.2f µS straddles the hole", r.AmplitudeUS)
		}
	}
}

func TestMissingValues(t *testing.T) {
	s := script.New(5)
	at, us := recorded(s, 100, .01)
	holes := append([]float64(nil), us...)
	for i := 1000; i < 1040; i++ { // 0.4 s: bridged
		holes[i] = math.NaN()
	}
	a, b := Analyze(at, us, Options{Rate: 100}), Analyze(at, holes, Options{Rate: 100})
	for i := range us {
		gone := i >= 1000 && i < 1040
		if math.IsNaN(b.Tonic[i]) != gone || math.IsNaN(b.Phasic[i]) != gone {
			t.Fatalf("sample %d: tonic %v, phasic %v", i, b.Tonic[i], b.Phasic[i])
		}
		if !gone && math.Abs(a.Tonic[i]-b.Tonic[i]) > .01 {
			t.Fatalf("sample %d: tonic %v, with the hole %v", i, a.Tonic[i], b.Tonic[i])
		}
	}
}

func TestSamplesOfDifferentLengthPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Analyze(make([]instant.Instant, 2), make([]float64, 3), Options{})
}
