package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"sort"

	"emolab/calibration/conductance"
	"emolab/fusion/eda"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// response is a skin-conductance response and the stream it was found in.
type response struct {
	stream string
	eda.Response
}

// analyse tells level and responses of a skin conductance apart.
func analyse(ctx context.Context, a aligned) (eda.Result, error) {
	at, us := a.conductance()
	return eda.AnalyzeContext(ctx, at, us, eda.Options{Rate: a.info.Rate})
}

// conductance is what a stream of skin conductance measured, in µS, NaN = missing.
func (a *aligned) conductance() (at []instant.Instant, us []float64) {
	at, us = make([]instant.Instant, len(a.samples)), make([]float64, len(a.samples))
	column := a.info.Index("eda_us")
	for i, s := range a.samples {
		at[i], us[i] = s.At, s.Values[column]
	}
	return at, us
}

// skinWords says how skin conductance was analysed, and where it could not be.
func (d *derived) skinWords() string {
	words := []string{fmt.Sprintf("fusion/eda Analyze: %s, responses %s of at least %g µS", eda.DefaultMethod, eda.TroughToPeak, eda.DefaultThresholdUS)}
	for _, f := range d.segments {
		words = append(words, f.unlike...)
	}
	return distinct(words)
}

// checkSkin judges the skin conductance of a segment at each cue to breathe in, as was
// done while it was recorded.
func (f *final) checkSkin(targets []Target) {
	a := f.first(stream.EDA)
	_, _, cues := rounds(targets, f.segment)
	if a == nil || len(cues) == 0 {
		return
	}
	at, us := a.conductance()
	for _, cue := range cues {
		from, until := conductance.Stretch(f.start, cue.From) // what lies before is not in the file
		first := sort.Search(len(at), func(i int) bool { return at[i] >= from })
		last := max(first, sort.Search(len(at), func(i int) bool { return at[i] >= until }))
		row := shown{segment: f.segment, step: cue.Step, round: cue.Round}.row(kindConductance, []Target{cue})
		row.Stream, row.From, row.Until = a.info.ID, from, until
		row.set(conductance.Check(at[first:last], us[first:last], cue.From, conductance.Range{}), math.NaN())
		f.calibrations = append(f.calibrations, row)
	}
}

// writeResponses writes a segment's skin-conductance responses.
func writeResponses(ctx context.Context, tx *sql.Tx, id, name string, f *final) error {
	for n, r := range f.responses {
		if _, err := tx.ExecContext(ctx, `INSERT INTO eda_response (session_id, derivation, segment, n, stream, onset_ns, peak_ns, amplitude_us, rise_s, half_recovery_s, slope_us_s, flags)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, name, f.segment, n+1, r.stream, int64(r.Onset), int64(r.Peak), r.AmplitudeUS, number(r.RiseS), number(r.HalfRecoveryS), number(r.SlopeUSS), int64(r.Flags)); err != nil {
			return fmt.Errorf("write skin-conductance response %d: %w", n+1, err)
		}
	}
	return nil
}
