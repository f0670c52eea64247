package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
)

// AddLuminance keeps how light each frame of a video is: its mean relative luminance,
// 0 black to 1 white, in the order of its frames. The video is known by the SHA-256 of
// its file (hex), so that this can be told once and before any session. What is kept
// of it already stays as it is.
func (s *Store) AddLuminance(ctx context.Context, sha256 string, frames []float64) error {
	for i, v := range frames {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("store: luminance of video %s: frame %d has %v, which is not between 0 and 1", sha256, i, v)
		}
	}
	err := s.change(ctx, func(tx *sql.Tx) error {
		n := 0
		return inRuns(ctx, tx, insertLuminance, frames, func(args []any, run []float64) []any {
			for _, v := range run {
				args = append(args, sha256, n, v)
				n++
			}
			return args
		})
	})
	if err != nil {
		return fmt.Errorf("store: keep the luminance of video %s: %w", sha256, err)
	}
	return nil
}

// insertLuminance is the statement that inserts n frames.
func insertLuminance(n int) string {
	return "INSERT INTO stimulus_luminance (sha256, frame, luminance) VALUES " + tuples(n, 3) + " ON CONFLICT DO NOTHING"
}

// Luminance returns how light each frame of a video is, by the SHA-256 of its file
// (hex); nil where that was not told, NaN for a frame that was left out.
func (s *Store) Luminance(ctx context.Context, sha256 string) ([]float64, error) {
	var out []float64
	err := s.each(ctx, "SELECT frame, luminance FROM stimulus_luminance WHERE sha256 = ? AND frame >= 0 ORDER BY frame", []any{sha256}, func(row scanner) error {
		var frame int
		var v float64
		if err := row.Scan(&frame, &v); err != nil {
			return err
		}
		if frame > mostFrames {
			return fmt.Errorf("it has a frame %d, which no stimulus has", frame)
		}
		for len(out) < frame {
			out = append(out, math.NaN())
		}
		out = append(out, v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: read the luminance of video %s: %w", sha256, explain(err))
	}
	return out, nil
}

// mostFrames bounds what one row can make Luminance ask for: four hours at 60 a second.
const mostFrames = 4 * 3600 * 60
