package store

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func known[T any](v T) *T { return &v }

func TestStimulusMeasure(t *testing.T) {
	t.Parallel()
	s := open(t)
	if m, err := s.StimulusMeasure(t.Context(), "aa"); err != nil || m != nil {
		t.Fatalf("of a video that was not measured: %+v, %v", m, err)
	}
	seen := StimulusMeasure{SHA256: "aa", FPS: known(30000. / 1001), Luminance: known(.25), Cuts: []float64{1.5, 2.25}, Sound: known(true),
		Codec: known("H.264, AAC"), Flashes: known(4), FlashesAt: known(.5), With: "emolab 1"}
	heard := StimulusMeasure{SHA256: "aa", Loudness: known(-23.1), TruePeak: known(-1.2), With: "emolab 2, ffmpeg 5"}
	other := StimulusMeasure{SHA256: "bb", Sound: known(false), Cuts: []float64{}, With: "emolab 1"}
	for _, m := range []StimulusMeasure{seen, other, heard} {
		if err := s.PutStimulusMeasure(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	both := seen
	both.Loudness, both.TruePeak, both.With = heard.Loudness, heard.TruePeak, heard.With
	for _, want := range []StimulusMeasure{both, other} {
		got, err := s.StimulusMeasure(t.Context(), want.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if age := time.Since(got.At); age < 0 || age > time.Hour {
			t.Errorf("measured at %s", got.At)
		}
		got.At = time.Time{}
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("video %s (-want +got):\n%s", want.SHA256, diff)
		}
	}
}

func TestStimulusMeasureThatIsNoNumber(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, v := range []float64{math.NaN(), math.Inf(-1)} {
		for _, m := range []StimulusMeasure{{TruePeak: &v}, {Loudness: &v}, {FPS: &v}, {Luminance: &v}, {FlashesAt: &v}, {Cuts: []float64{v}}} {
			m.SHA256 = "aa"
			if err := s.PutStimulusMeasure(t.Context(), m); err == nil || !strings.Contains(err.Error(), "video aa") {
				t.Errorf("%+v: %v", m, err)
			}
		}
	}
	if m, err := s.StimulusMeasure(t.Context(), "aa"); err != nil || m != nil {
		t.Errorf("kept %+v, %v", m, err)
	}
}

func TestDamagedStimulusMeasure(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := s.PutStimulusMeasure(t.Context(), StimulusMeasure{SHA256: "aa", Cuts: []float64{1}}); err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{`cuts = '{}'`, `cuts = NULL, at_utc = 'yesterday'`} {
		if err := byHand(s, "UPDATE stimulus_measure SET "+change); err != nil {
			t.Fatal(err)
		}
		if _, err := s.StimulusMeasure(t.Context(), "aa"); err == nil || !strings.Contains(err.Error(), "video aa") {
			t.Errorf("%s: %v", change, err)
		}
	}
}
