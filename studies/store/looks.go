package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
)

// Looks are the fixations on one showing of a stimulus, by the first eye tracker and the
// derivation that is shown.
type Looks struct {
	Session      string
	Participant  string
	Presentation int
	Screen       eyemovement.Screen // zero: not known
	Frame        eyemovement.Frame  // of the picture on the screen; zero: not known
	ErrorDeg     float64            // mean, of the latest validation before; NaN: there was none
	Fixations    []Look
}

// Look is one fixation.
type Look struct {
	Segment     int
	From, Until instant.Instant
	X, Y        float64 // fractions of the stimulus picture
	MediaNS     float64 // time in the video when it began; NaN: not known
}

const looksQuery = `SELECT s.id, s.participant, p.number, e.segment, e.from_ns, e.until_ns, e.stimulus_x, e.stimulus_y, e.media_ns
	FROM session s
	JOIN presentation p ON p.session_id = s.id
	JOIN stimulus m ON m.study_hash = s.study_hash AND m.id = p.stimulus
	JOIN eye_event e ON e.session_id = s.id AND e.derivation = s.trace_derivation AND e.presentation = p.number
	WHERE e.class = 'fixation' AND e.stimulus_x IS NOT NULL AND e.stimulus_y IS NOT NULL
	AND e.stream = (SELECT t.id FROM stream t WHERE t.session_id = s.id AND t.segment = e.segment AND t.kind = 'gaze' ORDER BY t.place, t.id LIMIT 1)
	AND `

// LooksOf returns the fixations on one presentation of a session; none of them if there
// were none.
func (s *Store) LooksOf(ctx context.Context, id string, presentation int) (Looks, error) {
	all, err := s.looks(ctx, "s.id = ?1 AND p.number = ?2 ORDER BY e.segment, e.from_ns", id, presentation)
	if err != nil || len(all) == 0 {
		return Looks{Session: id, Presentation: presentation}, err
	}
	return all[0], nil
}

// LooksAt returns the fixations of everybody whose session is usable on the first showing
// of the video with that hash: of somebody who came more than once, of the first time.
func (s *Store) LooksAt(ctx context.Context, sha256 string) ([]Looks, error) {
	all, err := s.looks(ctx, `s.state = 'sealed' AND s.usable = 1 AND m.sha256 = ?1 AND p.again = 0
		ORDER BY s.started_utc, s.id, p.number, e.segment, e.from_ns`, sha256)
	if err != nil {
		return nil, err
	}
	var out []Looks
	seen := map[string]bool{}
	for _, v := range all {
		if !seen[v.Participant] {
			out = append(out, v)
		}
		seen[v.Participant] = true
	}
	return out, nil
}

func (s *Store) looks(ctx context.Context, which string, args ...any) ([]Looks, error) {
	var out []Looks
	err := s.each(ctx, looksQuery+which, args, func(row scanner) error {
		var v Looks
		var f Look
		var media sql.NullFloat64
		if err := row.Scan(&v.Session, &v.Participant, &v.Presentation, &f.Segment, &f.From, &f.Until, &f.X, &f.Y, &media); err != nil {
			return err
		}
		f.MediaNS = float(media)
		if n := len(out); n == 0 || out[n-1].Session != v.Session || out[n-1].Presentation != v.Presentation {
			out = append(out, v)
		}
		last := &out[len(out)-1]
		last.Fixations = append(last.Fixations, f)
		return nil
	})
	for i := range out {
		if err == nil {
			err = s.seat(ctx, &out[i])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("store: read what was looked at: %w", explain(err))
	}
	return out, nil
}

// seat reads where the picture was on which screen, and how far the gaze was off.
func (s *Store) seat(ctx context.Context, v *Looks) error {
	first := v.Fixations[0]
	err := s.read.QueryRowContext(ctx, `SELECT coalesce(screen_w_mm, 0), coalesce(screen_h_mm, 0), coalesce(screen_distance_mm, 0)
		FROM segment WHERE session_id = ? AND number = ?`, v.Session, first.Segment).Scan(&v.Screen.WidthMM, &v.Screen.HeightMM, &v.Screen.DistanceMM)
	if err != nil {
		return err
	}
	err = s.read.QueryRowContext(ctx, `SELECT rect_x, rect_y, rect_w, rect_h FROM stimulus_frame
		WHERE session_id = ? AND presentation = ? AND rect_w > 0 AND rect_h > 0 LIMIT 1`, v.Session, v.Presentation).
		Scan(&v.Frame.X, &v.Frame.Y, &v.Frame.Width, &v.Frame.Height)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	v.ErrorDeg = math.NaN()
	err = s.read.QueryRowContext(ctx, `SELECT c.residual FROM calibration c JOIN session s ON s.id = c.session_id AND s.trace_derivation = c.derivation
		WHERE c.session_id = ?1 AND c.kind = '`+kindValidation+`' AND c.residual IS NOT NULL AND (c.segment < ?2 OR c.segment = ?2 AND c.until_ns <= ?3)
		ORDER BY c.segment DESC, c.until_ns DESC LIMIT 1`, v.Session, first.Segment, int64(first.From)).Scan(&v.ErrorDeg)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// FaceInstants are the final instants of a segment's camera frames, by their numbers.
func (s *Store) FaceInstants(ctx context.Context, id string, segment int) (map[int64]instant.Instant, error) {
	out := map[int64]instant.Instant{}
	err := s.each(ctx, `SELECT seq, at_ns FROM face_frame WHERE session_id = ?1 AND segment = ?2 AND stream =
		(SELECT id FROM stream WHERE session_id = ?1 AND segment = ?2 AND kind = 'face' AND frames_of = '' ORDER BY place, id LIMIT 1)`,
		[]any{id, segment}, func(row scanner) error {
			var seq int64
			var at instant.Instant
			err := row.Scan(&seq, &at)
			out[seq] = at
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("store: session %s: read when its faces were seen: %w", id, explain(err))
	}
	return out, nil
}
