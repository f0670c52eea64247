package bundle

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"emolab/fusion/align"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/store"
)

// source is the session that a bundle is made of.
type source struct {
	store     *store.Store
	detail    store.Detail
	extract   string       // where the session's own SQLite file is made
	extracted func() error // waits until it is

	courses map[int][]stimulus.Showing // what was on the screen when, by segment
	shown   map[int]string             // stimulus by presentation
	answers []store.Answer             // in the order in which they were given
	texts   []store.Text               // that the participant read
	sheets  store.Sheets               // of the study, with what is asked on them
}

// sheet is a table of the bundle: a member with columns.
type sheet struct {
	path, about string
	columns     []column
	fill        func(ctx context.Context, t *table) error
}

func (s sheet) member() member {
	return member{s.path, s.about, func(ctx context.Context, w io.Writer) (int64, error) {
		t := newTable(w, s.columns)
		if err := s.fill(ctx, t); err != nil {
			return 0, err
		}
		return t.close()
	}}
}

// members lists the bundle's files in their order, without the manifest.
func (s *source) members() ([]member, error) {
	sheets, err := s.tables()
	if err != nil {
		return nil, err
	}
	alignment, err := indented(s.alignment())
	if err != nil {
		return nil, err
	}
	calibrations, err := indented(s.calibrations())
	if err != nil {
		return nil, err
	}
	decisions, err := indented(s.decisions())
	if err != nil {
		return nil, err
	}
	versions, err := s.versions()
	if err != nil {
		return nil, err
	}
	texts, err := indented(s.readings())
	if err != nil {
		return nil, err
	}
	out := []member{
		{"README.txt", "What this is and how to open it in Python, R and SQL.", contents([]byte(readme(s.detail, s.realigned()+s.latencies())))},
		{"study.yaml", "The study file in canonical form.", contents(s.detail.Study.Canonical)},
		{"texts.json", "What the participant read, word for word, by the SHA-256 that consents.csv and answers.csv name, and what was asked on each page, item by item.", contents(texts)},
		{"alignment.json", "How each stream was put on the lab clock, and how well.", contents(alignment)},
		{"calibrations.json", "What derived values were measured from, or are judged by: the participant's face at rest, calibrations and validations of the gaze, its drift, the check of the skin conductance.", contents(calibrations)},
		{"decisions.json", "What became of each calibration, validation and check during the session, why, and who decided.", contents(decisions)},
		{"versions.json", "The programs that recorded and exported the session.", contents(versions)},
	}
	for _, sh := range append(sheets, codebook(sheets)) {
		out = append(out, sh.member())
	}
	return append(out, member{"session.sqlite", "The whole session as an SQLite file, for plain SQL.", s.sqlite}), nil
}

// streamName is what an id must be like to name a file.
var streamName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// tables lists the tables.
func (s *source) tables() ([]sheet, error) {
	out := []sheet{s.stimuli(), s.measures(), s.luminance(), s.presentations(), s.steps(), s.items(), s.answered(), s.ratings(), s.usable(), s.trace(), s.displayed()}
	seen := map[string]bool{}
	for _, g := range s.detail.Segments {
		for _, t := range g.Streams {
			if t.Kind == stream.Trace || t.Kind == stream.Mark || seen[t.ID] {
				continue // a mark is an event
			}
			if !streamName.MatchString(t.ID) {
				return nil, fmt.Errorf("stream id %q cannot name a file", t.ID)
			}
			seen[t.ID] = true
			out = append(out, s.samples(t))
		}
	}
	return append(out, s.responses(), s.summaries(), s.eyeEvents(), s.gazeTargets(), s.faceEvents(), s.consents(), s.events(), s.gaps(), s.probes(), s.models()), nil
}

// sqlite writes the session's own database.
func (s *source) sqlite(_ context.Context, w io.Writer) (int64, error) {
	if err := s.extracted(); err != nil {
		return 0, err
	}
	f, err := os.Open(s.extract)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return 0, err
}

// start is when a segment began.
func (s *source) start(segment int) instant.Instant {
	for _, g := range s.detail.Segments {
		if g.Number == segment {
			return g.Start
		}
	}
	return 0
}

// statement is one stream's line of alignment.json.
type statement struct {
	Segment int              `json:"segment"`
	Stream  string           `json:"stream"`
	Clock   stream.ClockKind `json:"clock"`
	align.Statement
	Usable store.Share `json:"usable_share"`
	// Shift is the measured latency that the times were corrected by; null = none
	// is known.
	Shift *stream.Shift `json:"shift"`
	// Displayed counts the frames of the stimulus stream that the trace follows.
	Displayed *stimulus.Summary `json:"displayed,omitempty"`
}

func (s *source) alignment() []statement {
	out := []statement{}
	for _, g := range s.detail.Segments {
		counted := false // of two stimulus streams the first is followed
		for _, t := range g.Streams {
			if t.Kind == stream.Trace {
				continue
			}
			v := statement{Segment: g.Number, Stream: t.ID, Clock: t.Clock, Statement: t.Statement, Usable: t.Usable, Shift: s.shift(t.Info)}
			if t.Kind == stream.Stimulus && !counted {
				v.Displayed, counted = s.summary(g), true
			}
			out = append(out, v)
		}
	}
	return out
}

// versions says what made the session and the bundle.
func (s *source) versions() ([]byte, error) {
	schema, err := store.Schema()
	if err != nil {
		return nil, err
	}
	type derivation struct {
		Name       string          `json:"name"`
		Algorithm  string          `json:"algorithm"`
		Version    string          `json:"version"`
		Parameters json.RawMessage `json:"parameters"`
		Model      string          `json:"model"` // nets that read the face
		Current    bool            `json:"current"`
	}
	type device struct {
		Segment   int    `json:"segment"`
		Stream    string `json:"stream"`
		Device    string `json:"device"`
		Serial    string `json:"serial"`
		Model     string `json:"model"`     // nets that made the samples; empty = none did
		FramesOf  string `json:"frames_of"` // made later from kept video of that stream; empty = recorded
		Simulated bool   `json:"simulated"`
	}
	v := struct {
		Format      string       `json:"format"`
		Software    string       `json:"software"`
		Go          string       `json:"go"`
		SQLite      string       `json:"sqlite"`
		Schema      int          `json:"schema"`
		Derivations []derivation `json:"derivations"`
		Devices     []device     `json:"devices"`
	}{Format: Format, Software: s.detail.Software, Go: runtime.Version(), SQLite: store.SQLite(), Schema: schema}
	for _, d := range s.detail.Derivations {
		v.Derivations = append(v.Derivations, derivation{d.Name, d.Algorithm, d.Version, d.Parameters, d.Model, d.Current})
	}
	for _, g := range s.detail.Segments {
		for _, t := range g.Streams {
			v.Devices = append(v.Devices, device{g.Number, t.ID, t.Device, t.Serial, t.Model, t.FramesOf, t.Simulated})
		}
	}
	return indented(v)
}

// codebook is the table of all columns of the other tables and of its own.
func codebook(sheets []sheet) sheet {
	c := sheet{path: "codebook.csv", about: "Every column of every table: its unit and its meaning.", columns: []column{
		{"file", "", "Table of this bundle."},
		{"column", "", "Name of the column."},
		{"unit", "", "Unit; 1 = a ratio, a count or a code; empty = words."},
		{"description", "", "What the column holds."},
	}}
	all := append(append([]sheet{}, sheets...), c)
	c.fill = func(_ context.Context, t *table) error {
		for _, s := range all {
			for _, col := range s.columns {
				t.text(s.path)
				t.text(col.name)
				t.text(col.unit)
				t.text(col.about)
				t.end()
			}
		}
		return nil
	}
	return c
}

// readme is README.txt.
func readme(d store.Detail, latencies string) string {
	kind := "recorded"
	if d.Simulated {
		kind = "recorded, at least in part from SIMULATED devices,"
	}
	incomplete := ""
	if d.Reason != "" {
		begun, steps := d.Plan.Place(d.Reached)
		incomplete = fmt.Sprintf("\nINCOMPLETE: %s. %d of the plan's %d steps began; see presentations.csv.\n", d.Reason, begun, steps)
	}
	return strings.NewReplacer("{latencies}", latencies, "{video}", pictures(d), "{incomplete}", incomplete, "{id}", d.ID, "{participant}", d.Participant, "{study}", d.Study.ID, "{kind}", kind, "{software}", d.Software).Replace(
		`Session {id} of participant {participant} in study {study}, {kind} by {software}.
{incomplete}
trace.csv is the place to begin: one row per camera frame with the stimulus that
was on the screen, the expression, the gaze on the stimulus and the skin
conductance. codebook.csv explains every column of every table. An empty cell
means that the value was not measured. t_s counts seconds from the start of the
segment; a session that was interrupted has more than one segment.

Python   import pandas as pd
         trace, shown = pd.read_csv("trace.csv"), pd.read_csv("presentations.csv")
         trace = trace[trace.presentation.isin(shown[(shown.role == "main") & (shown.again == 0)].presentation)]
         trace.groupby(["stimulus", trace.media_ns // 10**9]).valence.mean()

R        trace <- read.csv("trace.csv"); shown <- read.csv("presentations.csv")
         trace <- trace[trace$presentation %in% shown$presentation[shown$role == "main" & shown$again == 0], ]
         aggregate(valence ~ stimulus + floor(media_ns / 1e9), trace, mean)

SQL      sqlite3 session.sqlite
         SELECT stimulus, CAST(media_s AS INT) AS second, AVG(valence), COUNT(*)
         FROM trace WHERE media_s >= 0 AND face_found = 1
         AND presentation NOT IN (SELECT number FROM presentation WHERE again > 0)
         AND stimulus NOT IN (SELECT id FROM stimulus WHERE role = 'filler') GROUP BY 1, 2;

Fillers were shown to distract: role in stimuli.csv, presentations.csv, ratings.csv
and usable.csv tells them from the others, and the lines above leave them out. A video
of which too little was measured may have been shown once more at the end of its block:
the column again names the presentation that is repeated. The second time is another
experience, so the lines above leave that out too.

alignment.json states for every stream how it was put on the common clock and
bounds the error. manifest.json lists every file with its SHA-256; to check the
whole bundle: emolab bundle verify BUNDLE.zip

displayed.csv says what was on the screen when, frame by frame, and for how long
nobody can know. The samples of the devices (streams/) stand beside what was on the
screen at their instant. An instant nearer to a change than the bounds may belong
to the frame on its other side.
{latencies}
Gaze stands in trace.csv and eye_events.csv corrected by the calibration that held
at that instant, and in streams/ as the tracker gave it. How far off it was, at which
points, and what was decided about it is in calibrations.json and decisions.json.

eda_summaries.csv has two kinds of responses: the column responses counts the non-specific ones
alone, which do not begin 1 to 4 s after the first frame of a presentation; those that
do are in related. eda_responses.csv has all of them.

ratings.csv has what the participant said about each presentation, answers.csv every
answer beside the page it was given on, texts.json what stood on the pages. items.csv
says of each answer what was asked, its range, and what the ends mean. Free text
is as it was typed: read it before you give it on, for it may name people.

Expressions and action units (au01 to au45) are estimates of a computer program
from the visible face. They are not a statement about what a person felt. Action
units are measured from the participant's face at rest (calibrations.json); the
codebook states how far each can be trusted.

{video}
`)
}

// pictures says what became of the participant's pictures.
func pictures(d store.Detail) string {
	var allowed, holds bool // whether any answer, and the latest, was yes
	for _, c := range d.Consents {
		if c.Scope == session.FaceVideo {
			allowed, holds = allowed || c.Granted, c.Granted
		}
	}
	switch n := facesWritten(d); {
	case !d.VideoErased.IsZero() && n == 0:
		return fmt.Sprintf("Face video was kept with the participant's consent (consents.csv) in the study's\nfolder, up to the date that the study had promised, and erased on %s.\nNo picture was ever part of a bundle.", d.VideoErased.UTC().Format(time.DateOnly))
	case n > 0 && !holds:
		return fmt.Sprintf("%d frames of face video were kept in the study's folder, with the participant's\nconsent, which was taken back later (consents.csv): what is left of them must be\ndeleted. They are NOT part of this bundle.", n)
	case n > 0:
		return fmt.Sprintf("With the participant's consent (consents.csv) %d frames of face video were kept\nin the study's folder. They are NOT part of this bundle.", n)
	case allowed:
		return "The participant agreed to the keeping of face video (consents.csv). No file of it\nis noted: it was erased since, or the recording was cut off and\nthere may be unfinished ones in the study's folder. No picture is part of this bundle."
	}
	return "No picture of the participant was ever written to a disk."
}
