package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// Names of the derivations that a session's trace can come from.
const (
	Live  = "live"  // causal, written while the session ran
	Final = "final" // two-sided, written at sealing
)

// Begin opens a session: its study, plan and participant. One whose plan has a Begin
// step is prepared until Record; any other has its first segment and streams at once,
// and a stream whose channels do not fit its table is refused.
func (s *Store) Begin(ctx context.Context, h session.Header) (session.Recorder, error) {
	r := &recorder{store: s, id: h.ID, segment: none, plan: h.Plan, software: h.Software}
	first := h.Plan.Recorded() < 0
	if first {
		var err error
		if r.lanes, err = lanesOf(h.Streams); err != nil {
			return nil, fmt.Errorf("store: begin session %s: %w", h.ID, err)
		}
	}
	err := s.change(ctx, func(tx *sql.Tx) error {
		if err := addStudy(ctx, tx, h.Study, h.Segment.Wall); err != nil {
			return err
		}
		if err := addSession(ctx, tx, h); err != nil {
			return err
		}
		if err := note(ctx, tx, h.ID, "begin", fmt.Sprintf("row %d", h.Plan.Row)); err != nil || !first {
			return err
		}
		return r.record(ctx, tx, h.Segment, h.Streams, 0)
	})
	if err != nil {
		return nil, fmt.Errorf("store: begin session %s: %w", h.ID, err)
	}
	return r, s.ready(ctx, r)
}

// ready prepares a recorder. A session that cannot be recorded after all is left
// as recovered, to be continued or sealed.
func (s *Store) ready(ctx context.Context, r *recorder) error {
	if !r.recording() {
		return nil
	}
	err := r.prepare(ctx)
	if err == nil {
		return nil
	}
	r.close()
	return errors.Join(err, s.release(ctx, r.id, err.Error()))
}

// Resume opens a recovered session for a further segment. The segment's number
// follows the last one, whatever seg says. One that had not begun to record is prepared
// again, and has no segment until Record. studyHash is that of the study which
// is loaded now: with other clips or another order the rest of the session would
// not belong to its beginning, so it must be the session's own.
func (s *Store) Resume(ctx context.Context, id, studyHash string, seg session.Segment, streams []stream.Info) (session.Recorder, session.Resumption, error) {
	r, back, err := s.resume(ctx, id, studyHash, seg, streams)
	if err != nil {
		return nil, session.Resumption{}, fmt.Errorf("store: continue session %s: %w", id, err)
	}
	return r, back, s.ready(ctx, r)
}

func (s *Store) resume(ctx context.Context, id, studyHash string, seg session.Segment, streams []stream.Info) (r *recorder, back session.Resumption, err error) {
	r = &recorder{store: s, id: id, segment: none}
	if r.lanes, err = lanesOf(streams); err != nil {
		return r, back, err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		var state session.State
		var plan, hash, reason string
		row := tx.QueryRowContext(ctx, `SELECT state, participant, study_hash, plan, max(reached_step, 0), software, reason,
			(SELECT max(number) + 1 FROM segment WHERE session_id = id) FROM session WHERE id = ?`, id)
		var next sql.NullInt64
		if err := row.Scan(&state, &back.Participant, &hash, &plan, &back.From, &r.software, &reason, &next); err != nil {
			return missing(err)
		}
		if state != session.Recovered {
			return fmt.Errorf("it is %s; only a recovered session can be continued", state)
		}
		if hash != studyHash {
			return errors.New("the study or one of its clips has been changed since: put back what it was, or seal the session as it is")
		}
		if err := json.Unmarshal([]byte(plan), &back.Plan); err != nil {
			return fmt.Errorf("read its plan: %w", err)
		}
		r.plan = back.Plan
		if back.Consents, err = consentsSoFar(ctx, tx, id); err != nil {
			return err
		}
		if back.Answers, err = answersSoFar(ctx, tx, id); err != nil {
			return err
		}
		if back.Again, err = againSoFar(ctx, tx, id); err != nil {
			return err
		}
		if back.Judged, err = inForce(ctx, tx, id); err != nil {
			return err
		}
		if back.Blind, err = blindSoFar(ctx, tx, id); err != nil {
			return err
		}
		if session.StoppedForGood(reason) {
			back.Stopped = reason
		} // any other reason why it could not go on is gone
		if _, err := tx.ExecContext(ctx, "UPDATE session SET state = ?, reason = ?, ended_utc = NULL WHERE id = ?", session.Prepared, back.Stopped, id); err != nil {
			return err
		}
		if !next.Valid {
			back.Segment, r.lanes = none, nil
			return note(ctx, tx, id, "continue", fmt.Sprintf("before the recording, from step %d", back.From))
		}
		back.Segment = int(next.Int64)
		seg.Number = back.Segment
		if err := note(ctx, tx, id, "continue", fmt.Sprintf("segment %d from step %d", seg.Number, back.From)); err != nil {
			return err
		}
		return r.record(ctx, tx, seg, streams, back.From)
	})
	return r, back, err
}

// addSession writes the session's own row and its plan's presentations. It is prepared.
func addSession(ctx context.Context, tx *sql.Tx, h session.Header) error {
	began := wall(h.Segment.Wall)
	if _, err := tx.ExecContext(ctx, "INSERT INTO participant (code, first_utc) VALUES (?, ?) ON CONFLICT DO NOTHING",
		h.Participant, began); err != nil {
		return err
	}
	plan, err := json.Marshal(h.Plan)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO session
		(id, study_hash, participant, plan_row, plan, reached_step, state, reason, simulated, trace_derivation, software, started_utc, run)
		VALUES (?1, ?2, ?3, ?4, ?5, -1, ?6, '', ?7, ?8, ?9, ?10, `+nextRun+`)`,
		h.ID, h.Study.Hash, h.Participant, h.Plan.Row, string(plan), session.Prepared, simulated(h.Streams), Live, h.Software, began)
	if err != nil {
		return err
	}
	for _, p := range h.Plan.Steps {
		if p.Action != study.Play || p.Again { // what is shown again has its row when it is asked for
			continue
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO presentation (session_id, number, step, stimulus) VALUES (?, ?, ?, ?)",
			h.ID, p.Presentation, p.Index, p.Stimulus); err != nil {
			return err
		}
	}
	return nil
}

// nextRun is the SQL for the number of the next session of participant ?3. Those of which
// nothing was recorded do not count.
const nextRun = "(SELECT coalesce(max(run), 0) + 1 FROM session WHERE participant = ?3 AND state <> '" + string(session.Declined) + "')"

// simulated tells whether any of the streams is: then the session is.
func simulated(streams []stream.Info) bool {
	return slices.ContainsFunc(streams, func(i stream.Info) bool { return i.Simulated })
}

// liveVersion names the present way of deriving live rows, as finalVersion does
// that of final ones. Version 3 corrects gaze by the calibration that was accepted
// while it ran, and looks for responses 2 s behind.
const liveVersion = "3"

// liveDerivation says how the rows are made that come in while a session runs.
func liveDerivation(streams []stream.Info) derivation {
	d := derivation{Name: Live, Algorithm: "emolab trace, causal", Version: liveVersion, Parameters: map[string]any{}}
	for _, k := range joined() { // of several of one kind the first
		if i := slices.IndexFunc(streams, func(info stream.Info) bool { return info.Kind == k }); i >= 0 {
			d.Parameters[string(k)+"_stream"] = streams[i].ID
			if k == stream.Face {
				d.Parameters["model"] = streams[i].Model
			}
		}
	}
	return d
}

// addSegment writes a segment and the streams that it records.
func addSegment(ctx context.Context, tx *sql.Tx, id string, seg session.Segment, first int, streams []stream.Info) error {
	var w, h, far, assumed any // not known
	if seg.Screen.Valid() {
		w, h, far, assumed = seg.Screen.WidthMM, seg.Screen.HeightMM, seg.Screen.DistanceMM, seg.ScreenAssumed
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO segment (session_id, number, boot, start_ns, start_utc, first_step, screen_w_mm, screen_h_mm, screen_distance_mm, screen_assumed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, seg.Number, seg.Boot, int64(seg.Start), wall(seg.Wall), first, w, h, far, assumed); err != nil {
		return err
	}
	for place, info := range streams {
		if err := addStreamRow(ctx, tx, id, seg.Number, place, info, ""); err != nil {
			return err
		}
	}
	return nil
}

// derivation says how derived rows were made.
type derivation struct {
	Name, Algorithm, Version string
	Parameters               map[string]any
}

func addDerivation(ctx context.Context, tx *sql.Tx, id, software string, d derivation) error {
	parameters, err := json.Marshal(d.Parameters)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO derivation (session_id, name, algorithm, version, parameters, software, created_utc)
		VALUES (?, ?, ?, ?, ?, ?, `+utcNow+`)`, id, d.Name, d.Algorithm, d.Version, string(parameters), software)
	return err
}

// utcNow is the wall time in wallFormat, for rows that say when the file was
// worked on. Nothing is measured with it.
const utcNow = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

// note writes a row of the audit.
func note(ctx context.Context, tx *sql.Tx, id, action, detail string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO audit (at_utc, session_id, action, detail) VALUES ("+utcNow+", ?, ?, ?)",
		id, action, detail)
	return err
}

// lanesOf makes the bookkeeping of a segment's streams.
func lanesOf(streams []stream.Info) (map[string]*lane, error) {
	lanes := make(map[string]*lane, len(streams))
	var wrong []string
	for _, info := range streams {
		l, err := layoutOf(info)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		if lanes[info.ID] != nil {
			wrong = append(wrong, fmt.Sprintf("two streams have the id %q", info.ID))
		}
		lanes[info.ID] = &lane{info: info, layout: l, tally: tally{open: none, closed: none}}
	}
	if len(wrong) > 0 {
		return nil, errors.New(strings.Join(wrong, "; "))
	}
	return lanes, nil
}

// missing makes ErrNoSession of a query for one session that found no row.
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNoSession
	}
	return err
}
