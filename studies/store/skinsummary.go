package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"emolab/fusion/eda"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/usable"
)

// SkinSummary is what is said of a stream of skin conductance over a stretch of time.
type SkinSummary struct {
	Segment      int
	Stream       string
	Presentation int // 0 = the whole segment
	From, Until  instant.Instant
	eda.Summary  // of that stretch; From, Until, Artefacts and what Rate does not hold here are not kept
	// Related is what followed the first frame of the presentation; nil of a segment.
	Related *eda.Related
}

// Summaries returns what is said of the skin conductance by the session's current
// derivation: segment by segment, of each stream the whole and then its presentations.
func (s *Store) Summaries(ctx context.Context, id string) ([]SkinSummary, error) {
	return list(ctx, s, id, `SELECT e.segment, e.stream, e.presentation, e.from_ns, e.until_ns, e.valid_s, e.valid_share, e.enough, e.scl_us, e.scl_outside_us,
		e.responses, e.per_minute, e.amplitude_us, e.fine_responses, e.fine_per_minute, e.area_us_s, e.edasymp_us2, e.edasymp_share, e.non_responder,
		e.related, e.related_latency_s, e.related_first_us, e.related_sum_us, e.related_max_us
		FROM eda_summary e JOIN session s ON s.id = e.session_id AND s.trace_derivation = e.derivation
		WHERE e.session_id = ? ORDER BY e.segment, e.stream, e.presentation`,
		func(row scanner, v *SkinSummary) error {
			var n [14]sql.NullFloat64
			var related sql.NullInt64
			err := row.Scan(&v.Segment, &v.Stream, &v.Presentation, &v.From, &v.Until, &n[0], &n[1], &v.Enough, &n[2], &n[3],
				&v.Responses.N, &n[4], &n[5], &v.Fine.N, &n[6], &n[7], &n[8], &n[9], &v.NonResponder,
				&related, &n[10], &n[11], &n[12], &n[13])
			v.ValidS, v.Valid, v.SCLUS, v.SCLOutsideUS = float(n[0]), float(n[1]), float(n[2]), float(n[3])
			v.Responses.PerMinute, v.Responses.AmplitudeUS, v.Fine.PerMinute, v.AreaUSS = float(n[4]), float(n[5]), float(n[6]), float(n[7])
			v.Sympathetic = eda.Sympathetic{PowerUS2: float(n[8]), Normalised: float(n[9])}
			if related.Valid {
				v.Related = &eda.Related{Event: v.From, N: int(related.Int64), LatencyS: float(n[10]), FirstUS: float(n[11]), SumUS: float(n[12]), MaxUS: float(n[13])}
			}
			return err
		})
}

// unlike says which stretches of a skin conductance were not split as asked for, and
// why the first of them was not.
func unlike(a *aligned) []string {
	type stretches struct {
		n    int
		long time.Duration
		why  string
	}
	by := map[eda.Method]stretches{}
	for _, p := range a.skin.Pieces {
		if p.Err == "" {
			continue
		}
		v := by[p.Method]
		if v.n == 0 {
			v.why = p.Err
		}
		v.n, v.long = v.n+1, v.long+p.Until.Sub(p.From)
		by[p.Method] = v
	}
	var words []string
	for _, m := range slices.Sorted(maps.Keys(by)) {
		words = append(words, fmt.Sprintf("otherwise in %d stretches of %s, %.0f s together: %s", by[m].n, a.info.ID, by[m].long.Seconds(), by[m].why))
	}
	return words
}

// sumSkin sums up every stream of skin conductance of a segment.
func (f *final) sumSkin() {
	for i := range f.streams {
		a := &f.streams[i]
		if a.info.Kind != stream.EDA || len(a.samples) == 0 {
			continue
		}
		f.unlike = append(f.unlike, unlike(a)...)
		shown := usable.Presentations(f.course, a.samples[len(a.samples)-1].At)
		onsets := make([]instant.Instant, len(shown))
		for k, p := range shown {
			onsets[k] = p.From
		}
		add := func(presentation int, w eda.Stretch, related *eda.Related) {
			v := SkinSummary{Segment: f.segment, Stream: a.info.ID, Presentation: presentation, Summary: a.skin.Summary(w), Related: related}
			v.From, v.Until = v.Summary.From, v.Summary.Until
			f.summaries = append(f.summaries, v)
		}
		add(0, eda.Stretch{Events: onsets}, nil)
		related := a.skin.Related(onsets, eda.EventWindow())
		seen := map[int]bool{}
		for k, p := range shown {
			if seen[p.Number] { // the clock went back: the first counts
				continue
			}
			seen[p.Number] = true
			add(p.Number, eda.Stretch{From: p.From, Until: p.Until, Events: onsets[k : k+1]}, &related[k])
		}
	}
}

// writeSummaries writes what was said of the skin conductance of a segment.
func writeSummaries(ctx context.Context, tx *sql.Tx, id, name string, f *final) error {
	for _, v := range f.summaries {
		args := []any{id, name, f.segment, v.Stream, v.Presentation, int64(v.From), int64(v.Until), number(v.ValidS), number(v.Valid), v.Enough,
			number(v.SCLUS), number(v.SCLOutsideUS), v.Responses.N, number(v.Responses.PerMinute), number(v.Responses.AmplitudeUS),
			v.Fine.N, number(v.Fine.PerMinute), number(v.AreaUSS), number(v.Sympathetic.PowerUS2), number(v.Sympathetic.Normalised), v.NonResponder}
		if r := v.Related; r != nil && r.Flags&eda.Invalid == 0 {
			args = append(args, r.N, number(r.LatencyS), number(r.FirstUS), number(r.SumUS), number(r.MaxUS))
		} else {
			args = append(args, nil, nil, nil, nil, nil)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO eda_summary (session_id, derivation, segment, stream, presentation, from_ns, until_ns, valid_s, valid_share, enough,
			scl_us, scl_outside_us, responses, per_minute, amplitude_us, fine_responses, fine_per_minute, area_us_s, edasymp_us2, edasymp_share, non_responder,
			related, related_latency_s, related_first_us, related_sum_us, related_max_us)
			VALUES `+tuples(1, len(args)), args...); err != nil {
			return fmt.Errorf("write the summary of the skin conductance: %w", err)
		}
	}
	return nil
}
