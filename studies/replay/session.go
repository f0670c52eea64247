package replay

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/store"
	"emolab/studies/study"
)

// Session is all of a session that a page shows but its samples. Times are in ms on its
// axis.
type Session struct {
	Session     string        `json:"session"`
	Participant string        `json:"participant"`
	State       session.State `json:"state"`
	Study       string        `json:"study"` // its title
	StudyID     string        `json:"study_id"`
	Version     int           `json:"study_version"`
	DurationMs  float64       `json:"duration_ms"`
	Simulated   bool          `json:"simulated"`

	Segments      []Segment      `json:"segments"`
	Presentations []Presentation `json:"presentations"`
	Steps         []Step         `json:"steps"`
	Streams       []Stream       `json:"streams"`
	Gaps          []Gap          `json:"gaps"`
	Bands         []Band         `json:"bands"` // where a modality is not usable
	Markers       []Marker       `json:"markers"`
	Annotations   []Annotation   `json:"annotations"`
	Face          *Film          `json:"face"` // nil: no video of the face is kept
	Usable        []store.Usable `json:"usable"`
	Derivation    string         `json:"derivation"`
	Calibration   string         `json:"calibration"` // how far the gaze can be trusted, in words
}

// Segment is one uninterrupted run of a session.
type Segment struct {
	Number  int     `json:"number"`
	FromMs  float64 `json:"from_ms"`
	UntilMs float64 `json:"until_ms"`
}

// Presentation is one showing of a stimulus, from its first frame to its last. One that
// was never on the screen is not among them.
type Presentation struct {
	Presentation int     `json:"presentation"`
	Stimulus     string  `json:"stimulus"`
	Brand        string  `json:"brand"`
	Title        string  `json:"title"` // of the video: its file's name
	Again        int     `json:"again"` // the presentation that is shown once more; 0 = a first showing
	Filler       bool    `json:"filler"`
	FromMs       float64 `json:"from_ms"`
	UntilMs      float64 `json:"until_ms"`
	Width        int     `json:"width_px"`
	Height       int     `json:"height_px"`
	DurationMs   float64 `json:"duration_ms"` // of the video
	FPS          float64 `json:"fps_hz"`      // 0 = not known
	// Clip is where the lab plays the video; "" = it has not got that file any more.
	Clip string `json:"clip"`
}

// Step is a step of the plan as it began.
type Step struct {
	Step   int          `json:"step"`
	Action study.Action `json:"action"`
	Words  string       `json:"words"`
	FromMs float64      `json:"from_ms"`
}

// Stream is one device, or the trace that is joined from them.
type Stream struct {
	ID        string      `json:"id"`
	Kind      stream.Kind `json:"kind"`
	Device    string      `json:"device"`
	Rate      float64     `json:"rate_hz"` // 0 = irregular
	Simulated bool        `json:"simulated"`
	BoundMs   float64     `json:"bound_ms"` // on the error of its instants, the worst segment's; 0 = not known
	Columns   []Column    `json:"columns"`
}

// Gap is a hole in a stream; without one, in the session.
type Gap struct {
	Stream  string  `json:"stream"`
	FromMs  float64 `json:"from_ms"`
	UntilMs float64 `json:"until_ms"`
	Why     string  `json:"why"`
}

// Marker is something that was said while the session ran.
type Marker struct {
	AtMs   float64 `json:"at_ms"`
	Kind   string  `json:"kind"`
	Text   string  `json:"text"`
	Source string  `json:"source"`
}

// Film is the kept video of the face.
type Film struct {
	Frames  int64   `json:"frames"`
	FromMs  float64 `json:"from_ms"`
	UntilMs float64 `json:"until_ms"`
}

// Session tells all of a session but its samples.
func (p *Player) Session(ctx context.Context, id string) (Session, error) {
	var out Session
	err := p.with(ctx, id, func(o *opened) error {
		out = Session{
			Session: o.ID, Participant: o.Participant, State: o.State, Simulated: o.Simulated, DurationMs: o.axis.duration(),
			Study: o.Detail.Study.Title, StudyID: o.Detail.Study.ID, Version: o.Detail.Study.Version,
			Segments: o.segments(), Streams: o.streams(), Gaps: o.gaps(),
			Derivation: o.derivation(), Calibration: o.calibration(),
		}
		for _, read := range []func(context.Context, *opened, *Session) error{
			p.readPresentations, p.readSteps, p.readBands, p.readMarkers, p.readUsable, p.readAnnotations, p.readFilm,
		} {
			if err := read(ctx, o, &out); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func (o *opened) segments() []Segment {
	out := []Segment{}
	for _, s := range o.axis {
		out = append(out, Segment{s.number, s.ms(s.start), s.ms(s.until)})
	}
	return out
}

func (o *opened) streams() []Stream {
	out := []Stream{}
	for _, g := range o.Segments {
		for _, t := range g.Streams {
			k := slices.IndexFunc(out, func(s Stream) bool { return s.ID == t.ID })
			if k < 0 {
				k = len(out)
				out = append(out, Stream{ID: t.ID, Kind: t.Kind, Device: t.Device, Rate: t.Rate, Columns: []Column{}})
				if of := o.columnsOf(t.ID); of != nil {
					out[k].Columns = of
				}
			}
			out[k].Simulated = out[k].Simulated || t.Simulated
			out[k].BoundMs = max(out[k].BoundMs, t.Statement.BoundMs)
		}
	}
	return out
}

// gaps are the holes in the streams and those between the segments.
func (o *opened) gaps() []Gap {
	out := []Gap{}
	for i := 1; i < len(o.axis); i++ {
		before, s := o.axis[i-1], o.axis[i]
		out = append(out, Gap{FromMs: before.ms(before.until), UntilMs: s.ms(s.start), Why: "nothing was recorded: the session was cut off, and continued"})
	}
	for _, g := range o.Gaps {
		s, _ := o.axis.of(g.Segment)
		until := s.until
		if g.Closed {
			until = g.Until
		}
		why := g.Detail
		switch {
		case why != "":
		case g.Reason == "disconnected":
			why = "the device was gone"
		default:
			why = fmt.Sprintf("%d samples are missing", g.Lost)
		}
		out = append(out, Gap{g.Stream, s.ms(g.From), s.ms(until), why})
	}
	return out
}

func (o *opened) derivation() string {
	for _, v := range o.Derivations {
		if v.Current {
			return strings.TrimSpace(v.Name + ", version " + v.Version + ", " + v.Software)
		}
	}
	return o.current
}

// calibration says in words what is known of the error of the gaze.
func (o *opened) calibration() string {
	var said []string
	all := o.validations()
	for i, c := range all {
		if i+1 < len(all) && *all[i+1].Step == *c.Step {
			continue // it was done again
		}
		words := fmt.Sprintf("gaze off by %.2g degrees on average (step %d", c.Residual, 1+*c.Step)
		if c.Used {
			words += ", corrected"
		}
		var v struct {
			Precision *float64 `json:"rms_s2s_deg"`
			Loss      float64  `json:"loss"`
		}
		if json.Unmarshal(c.Value, &v) == nil && v.Precision != nil {
			words += fmt.Sprintf("; precision %.2g degrees, %.0f %% of the samples lost", *v.Precision, 100*v.Loss)
		}
		said = append(said, words+")")
	}
	if len(said) == 0 {
		return "how far the gaze is off was not measured"
	}
	return strings.Join(said, "; ")
}

// gazeValidation is the kind of such a row.
const gazeValidation = "gaze-validation"

// validations are what the eye tracker's error was found to be, for the derivation that is
// shown.
func (o *opened) validations() []store.Calibration {
	var out []store.Calibration
	for _, c := range o.Calibrations {
		if c.Derivation == o.current && c.Kind == gazeValidation && c.Step != nil && !math.IsNaN(c.Residual) {
			out = append(out, c)
		}
	}
	return out
}

// showing is when a presentation was on the screen, and which of its frames.
type showing struct {
	from, until float64 // ms on the axis
	frames      []Shown
}

// showings reads what was on the screen, once: an hour has a hundred thousand frames. What
// was cut off and began anew does not count, as in the trace.
func (p *Player) showings(ctx context.Context, o *opened) (map[int]*showing, error) {
	if o.shows != nil {
		return o.shows, nil
	}
	shows := map[int]*showing{}
	for v, err := range p.store.Displayed(ctx, o.ID) {
		if err != nil {
			return nil, err
		}
		if v.Presentation == 0 || v.CutOff {
			continue
		}
		s, _ := o.axis.of(v.Segment)
		from, until := s.ms(v.From), s.ms(min(v.Until, s.until))
		w := shows[v.Presentation]
		if w == nil {
			w = &showing{from: from, until: until, frames: []Shown{}}
			shows[v.Presentation] = w
		}
		w.from, w.until = min(from, w.from), max(until, w.until)
		if v.Known {
			w.frames = append(w.frames, Shown{from, v.Frame, float64(v.Media) / 1e6})
		}
	}
	o.shows = shows
	return shows, nil
}

// readPresentations finds when each presentation was on the screen.
func (p *Player) readPresentations(ctx context.Context, o *opened, out *Session) error {
	shows, err := p.showings(ctx, o)
	if err != nil {
		return err
	}
	out.Presentations = []Presentation{}
	for _, v := range o.Detail.Presentations {
		on, ok := shows[v.Number]
		if !ok {
			continue
		}
		w := Presentation{Presentation: v.Number, Stimulus: v.Stimulus, Title: v.Stimulus, Again: v.Again, FromMs: on.from, UntilMs: on.until}
		if m, ok := o.stimulus(v.Stimulus); ok {
			w.Brand, w.Title, w.Filler, w.Width, w.Height, w.FPS = m.Brand, m.File, m.Role == "filler", m.Width, m.Height, m.FPS
			w.DurationMs = m.Duration.Seconds() * 1000
			w.Clip = p.clip(m)
		}
		out.Presentations = append(out.Presentations, w)
	}
	return nil
}

// has tells whether a device of that kind took part.
func (o *opened) has(kind stream.Kind) bool {
	return slices.ContainsFunc(o.Segments, func(g store.Segment) bool {
		return slices.ContainsFunc(g.Streams, func(t store.Stream) bool { return t.Kind == kind })
	})
}

// stimulus finds a stimulus of the study that the session was made with.
func (o *opened) stimulus(id string) (store.Stimulus, bool) {
	i := slices.IndexFunc(o.Detail.Study.Stimuli, func(m store.Stimulus) bool { return m.ID == id })
	if i < 0 {
		return store.Stimulus{}, false
	}
	return o.Detail.Study.Stimuli[i], true
}

// clip is where the lab plays a video: under that of its stimuli that is the same file.
func (p *Player) clip(m store.Stimulus) string {
	if p.study == nil {
		return ""
	}
	for _, now := range p.study.Stimuli {
		if now.SHA256 == m.SHA256 && now.ID == m.ID {
			return "/stage/stimuli/" + now.ID
		}
	}
	return ""
}

func (p *Player) readSteps(ctx context.Context, o *opened, out *Session) error {
	steps, err := p.store.Steps(ctx, o.ID)
	if err != nil {
		return err
	}
	out.Steps = []Step{}
	for _, v := range steps {
		if v.Segment < 0 || v.At == 0 { // before the recording, or nobody knows when
			continue
		}
		words := string(v.Action)
		if i := slices.IndexFunc(o.Plan.Steps, func(s study.Step) bool { return s.Index == v.Step }); i >= 0 {
			words = strings.Join(strings.Fields(words+" "+o.Plan.Steps[i].Sheet+" "+o.Plan.Steps[i].Stimulus), " ")
		}
		out.Steps = append(out.Steps, Step{v.Step, v.Action, words, o.axis.ms(v.Segment, v.At)})
	}
	return nil
}

// readMarkers reads what was said while the session ran, by people and programs with its
// kind and source, by devices in plain words.
func (p *Player) readMarkers(ctx context.Context, o *opened, out *Session) error {
	events, err := p.store.Events(ctx, o.ID)
	if err != nil {
		return err
	}
	out.Markers = []Marker{}
	for _, e := range events {
		if e.Kind != stream.Marker {
			continue
		}
		m := Marker{AtMs: o.axis.ms(e.Segment, e.At), Kind: "device", Text: e.Detail, Source: e.Stream}
		if said, ok := session.ReadMark(e.Detail); ok && e.Stream == session.MarksID {
			m.Kind, m.Text, m.Source = string(said.Kind), said.Text, said.Source
		} else if e.Stream == session.MarksID && strings.HasPrefix(e.Detail, "overridden ") {
			m.Kind = "override" // what was missing when somebody went on, and why
		}
		out.Markers = append(out.Markers, m)
	}
	slices.SortStableFunc(out.Markers, func(a, b Marker) int { return cmp.Compare(a.AtMs, b.AtMs) })
	return nil
}

func (p *Player) readUsable(ctx context.Context, o *opened, out *Session) (err error) {
	out.Usable, err = p.store.Usability(ctx, o.ID)
	return err
}

// Shown is one frame of a video that was on the screen from AtMs on, until the next.
type Shown struct {
	AtMs    float64 `json:"at_ms"`
	Frame   int64   `json:"frame"`
	MediaMs float64 `json:"media_ms"`
}

// Shown tells which frame of a presentation was on the screen when.
func (p *Player) Shown(ctx context.Context, id string, presentation int) ([]Shown, error) {
	out := []Shown{}
	err := p.with(ctx, id, func(o *opened) error {
		if !slices.ContainsFunc(o.Detail.Presentations, func(v store.Presentation) bool { return v.Number == presentation }) {
			return refuse(Absent, fmt.Sprintf("session %s has no presentation %d", id, presentation))
		}
		shows, err := p.showings(ctx, o)
		if w := shows[presentation]; w != nil {
			out = w.frames
		}
		return err
	})
	return out, err
}
