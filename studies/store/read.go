package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

// summary is the query for the list of sessions; rest is its WHERE or ORDER BY.
func summary(rest string) string {
	return `SELECT s.id, s.participant, s.plan_row, s.run, s.state, s.started_utc, s.simulated, s.reason, s.usable, s.usable_why,
	(SELECT count(*) FROM segment g WHERE g.session_id = s.id),
	(SELECT coalesce(sum(coalesce(g.until_ns, (` + lastArrival("g") + `)) - g.start_ns), 0) FROM segment g WHERE g.session_id = s.id),
	(SELECT count(*) FROM trace_row r WHERE r.session_id = s.id AND r.derivation = s.trace_derivation),
	coalesce((SELECT path FROM export e WHERE e.session_id = s.id AND e.stale = '' ORDER BY n DESC LIMIT 1), ''),
	` + erasedAt(Traces) + `, ` + erasedAt(FaceVideos) + `
	FROM session s ` + rest
}

// erasedAt returns the SQL for when a class of a session's data was erased; empty: it was not.
func erasedAt(c Class) string {
	return "coalesce((SELECT max(at_utc) FROM audit a WHERE a.session_id = s.id AND a.action = '" + erased + "' AND a.detail = '" + string(c) + "'), '')"
}

// Sessions lists the sessions in the order in which they began.
func (s *Store) Sessions(ctx context.Context) ([]session.Summary, error) {
	rows, err := s.read.QueryContext(ctx, summary("ORDER BY s.started_utc, s.id"))
	if err != nil {
		return nil, fmt.Errorf("store: list sessions: %w", explain(err))
	}
	defer rows.Close()
	var out []session.Summary
	for rows.Next() {
		one, err := scanSummary(rows)
		if err != nil {
			return nil, fmt.Errorf("store: list sessions: %w", err)
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// scanner is a row of *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

func scanSummary(row scanner) (session.Summary, error) {
	var v session.Summary
	var started, traces, video string
	var ns int64
	var usable sql.NullBool
	if err := row.Scan(&v.ID, &v.Participant, &v.Row, &v.Run, &v.State, &started, &v.Simulated, &v.Reason, &usable, &v.UsableWhy,
		&v.Segments, &ns, &v.Frames, &v.Bundle, &traces, &video); err != nil {
		return v, err
	}
	for _, gone := range []struct {
		at   string
		into *time.Time
	}{{traces, &v.TracesErased}, {video, &v.VideoErased}} {
		if gone.at == "" {
			continue
		}
		var err error
		if *gone.into, err = parseWall(gone.at); err != nil {
			return v, err
		}
	}
	v.Duration = time.Duration(ns)
	if usable.Valid {
		v.Usable = &usable.Bool
	}
	var err error
	v.Started, err = parseWall(started)
	return v, err
}

// Detail is all that is known of one session but its samples.
type Detail struct {
	session.Summary
	Software      string         `json:"software"`
	Ended         time.Time      `json:"ended,omitzero"` // wall time; zero while it records
	Reached       int            `json:"reached_step"`   // the last step that began, -1 before the first
	JudgedBy      string         `json:"judged_by"`      // "rules", "person"; "" = nobody
	Plan          study.Plan     `json:"plan"`
	Study         Study          `json:"study"`
	Segments      []Segment      `json:"segments"`
	Presentations []Presentation `json:"presentations"`
	Derivations   []Derivation   `json:"derivations"`
	Calibrations  []Calibration  `json:"calibrations"` // of all derivations
	Decisions     []Decision     `json:"decisions"`    // what was made of calibrations, validations and checks
	Consents      []Consent      `json:"consents"`
	Videos        []Video        `json:"videos"` // files of kept face video
	Gaps          []Gap          `json:"gaps"`
}

// Study is the study file that a session was made with.
type Study struct {
	Hash      string     `json:"hash"`
	ID        string     `json:"id"`
	Title     string     `json:"title"`
	Seed      string     `json:"seed"`    // decimal
	Version   int        `json:"version"` // from 1; see SCHEMA.md
	Canonical []byte     `json:"-"`       // the file itself: in the table study, and in every bundle
	Stimuli   []Stimulus `json:"stimuli"`
	// Rules say which sessions are usable; nil of files that were made before there were any.
	Rules *study.Rules `json:"rules"`
}

// Stimulus is one video of a study, as it was when the session was made.
type Stimulus struct {
	ID       string        `json:"id"`
	File     string        `json:"file"`
	Brand    string        `json:"brand"`
	Tags     []string      `json:"tags"`
	SHA256   string        `json:"sha256"`
	Width    int           `json:"width_px"`
	Height   int           `json:"height_px"`
	Duration time.Duration `json:"duration_ns"`
	Frames   int           `json:"frames"`
	Role     string        `json:"role"`   // "filler"; "" = to be analysed
	FPS      float64       `json:"fps_hz"` // 0 = not known
}

// Segment is one uninterrupted run of a session, with its streams in the lab's
// order. Of two of one kind the trace is joined from the first.
type Segment struct {
	session.Segment
	Until   instant.Instant `json:"until_ns"`   // the latest arrival; Start while nothing has been closed
	First   int             `json:"first_step"` // the step of the plan that it began with
	Streams []Stream        `json:"streams"`
}

// Stream is one stream of a segment. Statement and Usable are zero until the
// session is sealed.
type Stream struct {
	stream.Info
	FramesOf  string          `json:"frames_of,omitempty"` // made later from kept video: the stream whose frames it reads again; "" = recorded
	Rows      int64           `json:"rows"`                // samples kept
	Statement align.Statement `json:"statement"`           // of the current derivation
	Usable    Share           `json:"usable_share"`        // of the expected samples that are there and valid; NaN where nobody can expect any (light, trigger)
}

// Share is a share, 0 to 1. NaN, which JSON has as null: there is none to be told.
type Share float64

// MarshalJSON writes the share.
func (s Share) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(s)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(s))
}

// Presentation is one showing of a stimulus in a session's plan.
type Presentation struct {
	Number   int    `json:"number"`
	Step     int    `json:"step"`
	Stimulus string `json:"stimulus"`
	Again    int    `json:"again,omitempty"` // the presentation that is shown once more with it; 0 = a first showing
}

// Derivation says how derived rows were made.
type Derivation struct {
	Name       string          `json:"name"`
	Algorithm  string          `json:"algorithm"`
	Version    string          `json:"version"`
	Parameters json.RawMessage `json:"parameters"`
	FaceStream string          `json:"face_stream"` // whose samples it is made from, from Parameters
	Model      string          `json:"model"`       // the nets that made those, from Parameters
	// Realigned tells that the clocks were fitted for it once more: the instants in the
	// tables of samples are those of Final, its own are in what was derived.
	Realigned bool      `json:"realigned"`
	Software  string    `json:"software"`
	Created   time.Time `json:"created"`
	Current   bool      `json:"current"` // whether the view trace shows it
}

// Gap is a hole in a stream.
type Gap struct {
	Segment int             `json:"segment"`
	Stream  string          `json:"stream"`
	From    instant.Instant `json:"from_ns"`
	Until   instant.Instant `json:"until_ns"` // meaningful when Closed
	Closed  bool            `json:"closed"`   // false: the device did not come back in that segment
	Lost    int64           `json:"lost"`     // samples missing by their numbers
	Reason  string          `json:"reason"`   // "lost", "disconnected"
	Detail  string          `json:"detail"`
}

// Session returns everything known of one session but its samples.
func (s *Store) Session(ctx context.Context, id string) (Detail, error) {
	d, err := s.detail(ctx, id)
	if err != nil {
		return Detail{}, fmt.Errorf("store: session %s: %w", id, explain(err))
	}
	return d, nil
}

func (s *Store) detail(ctx context.Context, id string) (Detail, error) {
	d := Detail{ // lists that are empty are not null in JSON
		Segments: []Segment{}, Presentations: []Presentation{}, Derivations: []Derivation{},
		Calibrations: []Calibration{}, Gaps: []Gap{},
	}
	var err error
	if d.Summary, err = scanSummary(s.read.QueryRowContext(ctx, summary("WHERE s.id = ?"), id)); err != nil {
		return d, missing(err)
	}
	var plan, canonical, current, rules string
	var ended sql.NullString
	err = s.read.QueryRowContext(ctx, `SELECT s.software, s.ended_utc, s.reached_step, s.plan, s.trace_derivation,
		s.judged_by, y.hash, y.id, y.title, y.seed, y.canonical, y.version, y.rules FROM session s JOIN study y ON y.hash = s.study_hash WHERE s.id = ?`, id).
		Scan(&d.Software, &ended, &d.Reached, &plan, &current,
			&d.JudgedBy, &d.Study.Hash, &d.Study.ID, &d.Study.Title, &d.Study.Seed, &canonical, &d.Study.Version, &rules)
	if err != nil {
		return d, err
	}
	d.Study.Canonical = []byte(canonical)
	if rules != "" {
		d.Study.Rules = new(study.Rules)
		if err := json.Unmarshal([]byte(rules), d.Study.Rules); err != nil {
			return d, fmt.Errorf("read the rules of its study: %w", err)
		}
	}
	if err := json.Unmarshal([]byte(plan), &d.Plan); err != nil {
		return d, fmt.Errorf("read its plan: %w", err)
	}
	if ended.Valid {
		if d.Ended, err = parseWall(ended.String); err != nil {
			return d, err
		}
	}
	for _, load := range []func(context.Context, *Detail) error{
		s.loadStimuli, s.loadSegments, s.loadStreams, s.loadPresentations, s.loadCalibrations, s.loadDecisions, s.loadConsents, s.loadGaps,
	} {
		if err := load(ctx, &d); err != nil {
			return d, err
		}
	}
	return d, s.loadDerivations(ctx, &d, current)
}

// each runs a query and hands every row to f.
func (s *Store) each(ctx context.Context, query string, args []any, f func(row scanner) error) error {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *Store) loadStimuli(ctx context.Context, d *Detail) error {
	return s.each(ctx, `SELECT id, file, brand, tags, sha256, width_px, height_px, duration_ns, frames, role, coalesce(fps_hz, 0)
		FROM stimulus WHERE study_hash = ? ORDER BY id`, []any{d.Study.Hash}, func(row scanner) error {
		var m Stimulus
		var tags string
		var ns int64
		if err := row.Scan(&m.ID, &m.File, &m.Brand, &tags, &m.SHA256, &m.Width, &m.Height, &ns, &m.Frames, &m.Role, &m.FPS); err != nil {
			return err
		}
		m.Duration = time.Duration(ns)
		d.Study.Stimuli = append(d.Study.Stimuli, m)
		return json.Unmarshal([]byte(tags), &d.Study.Stimuli[len(d.Study.Stimuli)-1].Tags)
	})
}

func (s *Store) loadSegments(ctx context.Context, d *Detail) error {
	return s.each(ctx, `SELECT number, boot, start_ns, coalesce(until_ns, start_ns), start_utc, first_step,
		coalesce(screen_w_mm, 0), coalesce(screen_h_mm, 0), coalesce(screen_distance_mm, 0), coalesce(screen_assumed, 0)
		FROM segment WHERE session_id = ? ORDER BY number`, []any{d.ID}, func(row scanner) error {
		var g Segment
		var began string
		if err := row.Scan(&g.Number, &g.Boot, &g.Start, &g.Until, &began, &g.First,
			&g.Screen.WidthMM, &g.Screen.HeightMM, &g.Screen.DistanceMM, &g.ScreenAssumed); err != nil {
			return err
		}
		var err error
		g.Wall, err = parseWall(began)
		d.Segments = append(d.Segments, g)
		return err
	})
}

func (s *Store) loadStreams(ctx context.Context, d *Detail) error {
	for i := range d.Segments {
		g := &d.Segments[i]
		err := s.each(ctx, `SELECT t.id, t.kind, t.device, t.serial, t.port, t.clock, t.tick_hz, t.rate_hz, t.channels, t.simulated, t.model, t.frames_of,
			t.shift_ns, coalesce(t.shift_err_ns, 0), t.calibration,
			coalesce(q.method, ''), coalesce(q.drift_ppm, 0), coalesce(q.jitter_ms, 0), coalesce(q.bound_ms, 0),
			coalesce(q.samples, 0), coalesce(q.lost, 0), coalesce(q.epochs, 0), coalesce(q.pings, 0), q.usable_share, q.method IS NULL
			FROM stream t JOIN session s ON s.id = t.session_id
			LEFT JOIN quality q ON q.session_id = t.session_id AND q.derivation = `+clocked+` AND q.segment = t.segment AND q.stream = t.id
			WHERE t.session_id = ? AND t.segment = ? ORDER BY t.place, t.id`, []any{d.ID, g.Number}, func(row scanner) error {
			var t Stream
			var channels, calibration string
			var by sql.NullInt64 // not measured
			var within time.Duration
			var share sql.NullFloat64
			var open bool // not sealed yet
			if err := row.Scan(&t.ID, &t.Kind, &t.Device, &t.Serial, &t.Port, &t.Clock, &t.TickHz, &t.Rate, &channels, &t.Simulated, &t.Model, &t.FramesOf,
				&by, &within, &calibration,
				&t.Statement.Method, &t.Statement.DriftPPM, &t.Statement.JitterMs, &t.Statement.BoundMs,
				&t.Statement.Samples, &t.Statement.Lost, &t.Statement.Epochs, &t.Statement.Pings, &share, &open); err != nil {
				return err
			}
			if by.Valid {
				t.Shift = &stream.Shift{By: time.Duration(by.Int64), Within: within}
				if calibration != "" {
					t.Shift.Calibration = json.RawMessage(calibration)
				}
			}
			if !open {
				t.Usable = Share(float(share))
			}
			g.Streams = append(g.Streams, t)
			return json.Unmarshal([]byte(channels), &g.Streams[len(g.Streams)-1].Channels)
		})
		if err != nil {
			return err
		}
		for k := range g.Streams {
			if err := s.countRows(ctx, d.ID, g.Number, &g.Streams[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// countRows counts the rows of one stream. Of the trace it counts the live
// rows: the final ones are counted in the summary.
func (s *Store) countRows(ctx context.Context, id string, segment int, t *Stream) error {
	tab, err := tableOf(t.Kind)
	if err != nil {
		return err
	}
	key, of := tab.lead()[1], t.ID
	if tab.trace {
		of = Live
	}
	return s.read.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE session_id = ? AND %s = ? AND segment = ?", tab.name, key),
		id, of, segment).Scan(&t.Rows)
}

func (s *Store) loadPresentations(ctx context.Context, d *Detail) error {
	return s.each(ctx, "SELECT number, step, stimulus, again FROM presentation WHERE session_id = ? ORDER BY number", []any{d.ID}, func(row scanner) error {
		var p Presentation
		err := row.Scan(&p.Number, &p.Step, &p.Stimulus, &p.Again)
		d.Presentations = append(d.Presentations, p)
		return err
	})
}

func (s *Store) loadGaps(ctx context.Context, d *Detail) error {
	return s.each(ctx, `SELECT segment, stream, from_ns, coalesce(until_ns, from_ns), until_ns IS NOT NULL, lost, reason, detail
		FROM gap WHERE session_id = ? ORDER BY segment, from_ns, stream, n`, []any{d.ID}, func(row scanner) error {
		var g Gap
		err := row.Scan(&g.Segment, &g.Stream, &g.From, &g.Until, &g.Closed, &g.Lost, &g.Reason, &g.Detail)
		d.Gaps = append(d.Gaps, g)
		return err
	})
}

func (s *Store) loadDerivations(ctx context.Context, d *Detail, current string) error {
	return s.each(ctx, `SELECT name, algorithm, version, parameters, software, created_utc
		FROM derivation WHERE session_id = ? ORDER BY created_utc, name`, []any{d.ID}, func(row scanner) error {
		var v Derivation
		var parameters, created string
		if err := row.Scan(&v.Name, &v.Algorithm, &v.Version, &parameters, &v.Software, &created); err != nil {
			return err
		}
		v.Parameters, v.Current = json.RawMessage(parameters), v.Name == current
		var of struct {
			FaceStream string `json:"face_stream"`
			Model      string `json:"model"`
			Clocks     string `json:"align"`
			Shown      string `json:"shown"` // since version 4; before it no derivation but final fitted clocks, and all said so
		}
		if err := json.Unmarshal(v.Parameters, &of); err != nil {
			return fmt.Errorf("read the parameters of %s: %w", v.Name, err)
		}
		v.FaceStream, v.Model = of.FaceStream, of.Model
		v.Realigned = of.Clocks == fittedClocks && of.Shown != "" && v.Name != Final
		var err error
		v.Created, err = parseWall(created)
		d.Derivations = append(d.Derivations, v)
		return err
	})
}
