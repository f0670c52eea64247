package store

import (
	"context"
	"database/sql"
	"fmt"

	"emolab/fusion/align"
	"emolab/fusion/eda"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
)

// finalVersion names the present way of deriving the final trace. It changes
// whenever the same observations would give other rows.
const finalVersion = "1"

// finalDerivation says how the final rows are made.
func finalDerivation() derivation {
	return derivation{
		Name:      Final,
		Algorithm: "emolab trace, two-sided",
		Version:   finalVersion,
		Parameters: map[string]any{
			"align": "fusion/align Fit",
			"eda":   "fusion/eda Analyze, default options",
			"join":  "fusion/trace Join",
		},
	}
}

// final is all that sealing derives of one segment.
type final struct {
	segment   int
	streams   []aligned
	responses []eda.Response
	info      stream.Info // of the trace
	trace     []stream.Sample
}

// finish aligns and joins the streams of one segment.
func (s *Store) finish(ctx context.Context, id string, g Segment, steps *counter) (final, error) {
	f := final{segment: g.Number, info: trace.Info()}
	probes, err := s.Probes(ctx, id)
	if err != nil {
		return f, err
	}
	for _, t := range g.Streams {
		steps.next("aligning " + t.ID)
		if t.Kind == stream.Trace {
			continue // the live trace stays as it is; the final one is joined below
		}
		var pings []align.Ping
		for _, p := range probes {
			if p.Segment == g.Number && p.Stream == t.ID {
				pings = append(pings, p.Ping)
			}
		}
		a, err := s.align(ctx, id, g.Number, t.Info, pings)
		if err != nil {
			return f, fmt.Errorf("stream %s: %w", t.ID, err)
		}
		f.streams = append(f.streams, a)
	}
	steps.next("deriving the trace")
	f.join()
	return f, nil
}

// join derives the skin-conductance responses and the final trace. Of two
// streams of one kind the first by id is taken.
func (f *final) join() {
	var in trace.Streams
	if a := f.first(stream.Face); a != nil {
		in.Face, in.FaceInfo = samplesOf(a.rows), a.info
	}
	if a := f.first(stream.Gaze); a != nil {
		in.Gaze, in.GazeInfo = samplesOf(a.rows), a.info
	}
	if a := f.first(stream.Stimulus); a != nil {
		in.Stimulus, in.StimulusInfo = samplesOf(a.rows), a.info
	}
	if a := f.first(stream.EDA); a != nil {
		in.EDA, in.EDAInfo = samplesOf(a.rows), a.info
		at, us := make([]instant.Instant, len(a.rows)), make([]float64, len(a.rows))
		column := a.info.Index("eda_us")
		for i, r := range a.rows {
			at[i], us[i] = r.At, r.Values[column]
		}
		in.Analysis = eda.Analyze(at, us, eda.Options{Rate: a.info.Rate})
		f.responses = in.Analysis.Responses
	}
	f.trace = trace.Join(in)
}

// first returns the first stream of a kind, or nil.
func (f *final) first(k stream.Kind) *aligned {
	for i := range f.streams {
		if f.streams[i].info.Kind == k {
			return &f.streams[i]
		}
	}
	return nil
}

func samplesOf(rows []Row) []stream.Sample {
	out := make([]stream.Sample, len(rows))
	for i, r := range rows {
		out[i] = r.Sample
	}
	return out
}

// writeResponses writes a segment's skin-conductance responses.
func writeResponses(ctx context.Context, tx *sql.Tx, id string, f final) error {
	for n, r := range f.responses {
		if _, err := tx.ExecContext(ctx, `INSERT INTO eda_response (session_id, derivation, segment, n, onset_ns, peak_ns, amplitude_us, rise_s, half_recovery_s)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, Final, f.segment, n+1, int64(r.Onset), int64(r.Peak), r.AmplitudeUS, number(r.RiseS), number(r.HalfRecoveryS)); err != nil {
			return fmt.Errorf("write skin-conductance response %d: %w", n+1, err)
		}
	}
	return nil
}

// writeTrace writes a segment's final trace.
func writeTrace(ctx context.Context, tx *sql.Tx, id string, f final) error {
	l, err := layoutOf(f.info)
	if err != nil {
		return err
	}
	err = inRuns(ctx, tx, l.insert, f.trace, func(args []any, rows []stream.Sample) []any {
		args = append(args, id, Final, f.segment)
		for _, row := range rows {
			args = l.bind(args, 0, row)
		}
		return args
	})
	if err != nil {
		return fmt.Errorf("write the final trace: %w", err)
	}
	return nil
}
