package console

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

func TestABlindStatusNamesNoClip(t *testing.T) {
	var s session.Status
	s.Blind = true
	s.Plan.Steps = []study.Step{
		{Index: 0, Action: study.Play, Stimulus: "dior-2", Block: "dior", Presentation: 1},
		{Index: 1, Action: study.Play, Stimulus: "dior", Block: "dior", Presentation: 2, If: "liked_dior == 'yes'"},
		{Index: 2, Action: study.Play, Stimulus: "dior-2", Block: "dior", Presentation: 3},
	}
	s.Usable = []session.UsableNow{{Presentation: 2, Stimulus: "dior"}}
	s.Marks = []session.Mark{{Text: "dior-2 is shown again: gaze 31 %"}}
	s.Alarms = nil
	before, _ := json.Marshal(s)
	got := masked(s, nil)
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "dior") {
		t.Errorf("the brand is still there: %s", b)
	}
	if got.Plan.Steps[0].Stimulus != "clip 1" || got.Plan.Steps[1].Stimulus != "clip 2" || got.Plan.Steps[2].Stimulus != "clip 1" {
		t.Errorf("clips are %q, %q and %q", got.Plan.Steps[0].Stimulus, got.Plan.Steps[1].Stimulus, got.Plan.Steps[2].Stimulus)
	}
	if got.Usable[0].Stimulus != "clip 2" || got.Marks[0].Text != "clip 1 is shown again: gaze 31 %" {
		t.Errorf("usable %q, mark %q", got.Usable[0].Stimulus, got.Marks[0].Text)
	}
	if after, _ := json.Marshal(s); string(after) != string(before) {
		t.Error("the status itself was changed")
	}
	if s.Blind = false; masked(s, nil).Plan.Steps[0].Stimulus != "dior-2" {
		t.Error("a console that sees is told no names")
	}
}

func TestABlindThinnerHidesWhatTellsOfAnEmotion(t *testing.T) {
	info := stream.Info{ID: "face", Kind: stream.Face, Rate: 30, Channels: channels("face_found", "face_confidence", "p_happy", "valence")}
	th := newThinner(0, info, 0)
	for _, blind := range []bool{false, true} {
		th.begin(1, blind)
		th.add(stream.Chunk{Stream: "face", Samples: []stream.Sample{{Arrival: 5, At: 5, Values: []float64{1, .9, .7, .4}}}})
		b := th.take(5)
		if len(b.values) != 4 || b.values[0] != 1 || b.values[1] != .9 {
			t.Fatalf("blind %t: quality is %v", blind, b.values)
		}
		for _, v := range b.values[2:] {
			if math.IsNaN(float64(v)) != blind {
				t.Errorf("blind %t: an emotion is %v", blind, v)
			}
		}
	}
}
