package bundle

import (
	"context"
	"strconv"
	"strings"
)

// measures is what was measured of the videos when they were imported.
func (s *source) measures() sheet {
	columns := []column{
		{"stimulus", "", "Id of the video in the study."},
		{"sha256", "", "SHA-256 of the file, hex."},
		{"fps_hz", "Hz", "Frames a second, mean."},
		{"loudness_lufs", "LUFS", "Loudness over the whole file (EBU R 128)."},
		{"true_peak_dbtp", "dBTP", "True peak; empty for silence, which has none."},
		{"luminance_mean", "1", "Mean luminance of all frames, 0 black to 1 white."},
		{"cuts_s", "s", "When each shot after the first begins, parted by semicolons; empty for none, or where it was not measured."},
		{"cuts", "1", "How many there are; empty where it was not measured."},
		{"sound", "1", "1 with a sound track, 0 without."},
		{"codec", "", "Codecs of picture and sound."},
		{"flashes", "1", "Most flashes within one second (WCAG 2.2, 2.3.1)."},
		{"flashes_at_s", "s", "When that second begins."},
		{"measured_with", "", "Programs and versions that measured."},
		{"at_utc", "", "When that was."},
	}
	return sheet{"stimulus_measures.csv", "What was measured of the videos; those that never were are left out.", columns, func(ctx context.Context, t *table) error {
		for _, v := range s.detail.Study.Stimuli {
			m, err := s.store.StimulusMeasure(ctx, v.SHA256)
			if err != nil {
				return err
			}
			if m == nil {
				continue
			}
			t.text(v.ID)
			t.text(v.SHA256)
			for _, number := range []*float64{m.FPS, m.Loudness, m.TruePeak, m.Luminance} {
				t.perhaps(number)
			}
			cuts := make([]string, len(m.Cuts))
			for i, at := range m.Cuts {
				cuts[i] = strconv.FormatFloat(at, 'g', -1, 64)
			}
			t.text(strings.Join(cuts, ";"))
			if m.Cuts != nil {
				t.int(int64(len(m.Cuts)))
			} else {
				t.empty()
			}
			if m.Sound != nil {
				t.bool(*m.Sound)
			} else {
				t.empty()
			}
			if m.Codec != nil {
				t.text(*m.Codec)
			} else {
				t.empty()
			}
			if m.Flashes != nil {
				t.int(int64(*m.Flashes))
			} else {
				t.empty()
			}
			t.perhaps(m.FlashesAt)
			t.text(m.With)
			t.text(m.At.UTC().Format(wallFormat))
			t.end()
		}
		return nil
	}}
}

// perhaps writes a number that may not be known.
func (t *table) perhaps(v *float64) {
	if v == nil {
		t.empty()
		return
	}
	t.float(*v)
}
