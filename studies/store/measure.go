package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// StimulusMeasure is what was measured of a video's file. What is not known is nil.
type StimulusMeasure struct {
	SHA256    string
	FPS       *float64 // Hz, mean
	Loudness  *float64 // LUFS, integrated (EBU R 128)
	TruePeak  *float64 // dBTP; unknown of silence, which has none
	Luminance *float64 // mean of the frames', 0 black to 1 white
	// Cuts are when each shot after the first begins, s of the media; nil = not known,
	// empty = there is none.
	Cuts  []float64
	Sound *bool   // whether it has a sound track
	Codec *string // of picture and sound
	// Flashes is how many there are in the worst second (WCAG 2.2, 2.3.1), and FlashesAt
	// when that begins, s of the media; unknown where nothing flashes.
	Flashes   *int
	FlashesAt *float64

	With string    // program and versions that measured last
	At   time.Time // when that was
}

// PutStimulusMeasure keeps what was measured of a video, and stamps it with now. What m
// does not know stays as it is, so that loudness can be added to a video whose light is
// known, and the other way about.
func (s *Store) PutStimulusMeasure(ctx context.Context, m StimulusMeasure) error {
	for name, v := range map[string]*float64{
		"frame rate": m.FPS, "loudness": m.Loudness, "true peak": m.TruePeak, "luminance": m.Luminance, "time of the flashes": m.FlashesAt,
	} {
		if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
			return fmt.Errorf("store: measures of video %s: its %s is %v, which is no number", m.SHA256, name, *v)
		}
	}
	var cuts *string
	if m.Cuts != nil {
		b, err := json.Marshal(m.Cuts)
		if err != nil {
			return fmt.Errorf("store: measures of video %s: its cuts: %w", m.SHA256, err)
		}
		text := string(b)
		cuts = &text
	}
	err := s.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO stimulus_measure
			(sha256, fps_hz, loudness_lufs, true_peak_dbtp, luminance_mean, cuts, audio, codec, flashes, flashes_at_s, measured_with, at_utc)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, `+utcNow+`)
			ON CONFLICT (sha256) DO UPDATE SET
				fps_hz = coalesce(excluded.fps_hz, fps_hz),
				loudness_lufs = coalesce(excluded.loudness_lufs, loudness_lufs),
				true_peak_dbtp = coalesce(excluded.true_peak_dbtp, true_peak_dbtp),
				luminance_mean = coalesce(excluded.luminance_mean, luminance_mean),
				cuts = coalesce(excluded.cuts, cuts),
				audio = coalesce(excluded.audio, audio),
				codec = coalesce(excluded.codec, codec),
				flashes = coalesce(excluded.flashes, flashes),
				flashes_at_s = coalesce(excluded.flashes_at_s, flashes_at_s),
				measured_with = excluded.measured_with, at_utc = excluded.at_utc`,
			m.SHA256, m.FPS, m.Loudness, m.TruePeak, m.Luminance, cuts, m.Sound, m.Codec, m.Flashes, m.FlashesAt, m.With)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: keep the measures of video %s: %w", m.SHA256, err)
	}
	return nil
}

// StimulusMeasure returns what was measured of a video, by the SHA-256 of its file
// (hex); nil where nothing was.
func (s *Store) StimulusMeasure(ctx context.Context, sha256 string) (*StimulusMeasure, error) {
	var out *StimulusMeasure
	err := s.each(ctx, `SELECT sha256, fps_hz, loudness_lufs, true_peak_dbtp, luminance_mean, cuts, audio, codec, flashes, flashes_at_s, measured_with, at_utc
		FROM stimulus_measure WHERE sha256 = ?`, []any{sha256}, func(row scanner) error {
		var m StimulusMeasure
		var cuts *string
		var at string
		if err := row.Scan(&m.SHA256, &m.FPS, &m.Loudness, &m.TruePeak, &m.Luminance, &cuts, &m.Sound, &m.Codec, &m.Flashes, &m.FlashesAt, &m.With, &at); err != nil {
			return err
		}
		if cuts != nil {
			if err := json.Unmarshal([]byte(*cuts), &m.Cuts); err != nil {
				return fmt.Errorf("its cuts: %w", err)
			}
		}
		var err error
		m.At, err = parseWall(at)
		out = &m
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: read the measures of video %s: %w", sha256, explain(err))
	}
	return out, nil
}
