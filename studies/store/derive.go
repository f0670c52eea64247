package store

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"emolab/fusion/action"
	"emolab/fusion/align"
	"emolab/fusion/eda"
	"emolab/fusion/eyemovement"
	"emolab/fusion/facial"
	"emolab/fusion/headpose"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/fusion/trace"
	"emolab/fusion/visibility"
	"emolab/studies/session"
)

// finalVersion names the present way of deriving the final trace. It changes
// whenever the same observations would give other rows. Version 2 added what the
// landmarks tell: head pose, action units, blinks and bouts. Version 3 finds
// responses in every stream of skin conductance, and bridges readings that the
// device only repeated. Version 4 corrects by measured latencies, and takes what was
// on the screen from fusion/stimulus. Version 5 fits the calibration of the gaze again
// and corrects by it, and tells what the eyes did and how wide the pupils were. Version 6
// measures the face at rest where the participant was asked for it, and says for how much
// of each presentation anything was measured.
const finalVersion = "6"

// joined are the kinds of stream that a trace is joined from. A derivation's
// parameters name the stream of each: "eda_stream".
func joined() []stream.Kind {
	return []stream.Kind{stream.Face, stream.Stimulus, stream.Gaze, stream.EDA}
}

// derived is all that is derived of one session.
type derived struct {
	segments []*final
	clocks   string // where the instants come from
	rest     *rest  // nil where the participant's neutral face is not known
	why      string // why it is not
	where    string // the face at rest was measured, in words
}

// final is what is derived of one segment.
type final struct {
	segment   int
	start     instant.Instant
	screen    eyemovement.Screen // the participant's
	assumed   bool               // nobody has measured it
	streams   []aligned
	others    []aligned          // streams that nothing is derived from: their clocks
	course    []stimulus.Showing // what was on the screen when
	responses []response
	face      facial.Derived
	trace     []stream.Sample

	corrections  corrections   // what the gaze is corrected with, from when on
	calibrations []Calibration // what was found of gaze and skin conductance
	summaries    []SkinSummary
	usable       []Usable
	unlike       []string // stretches of skin conductance that were not split as usual, and why
}

// derivation says how the rows were made.
func (d *derived) derivation(name string) derivation {
	p := map[string]any{
		"align": d.clocks,
		"eda":   d.skinWords(),
		"face":  strings.Join([]string{"fusion/facial Derive", facial.Version, headpose.Version, action.Version, visibility.Version, "default options"}, ", "),
		"shown": "fusion/stimulus Course",
		"join":  "fusion/trace Join",
	}
	var models []string
	of := map[stream.Kind][]string{}
	for _, f := range d.segments {
		for _, k := range joined() {
			if a := f.first(k); a != nil {
				of[k] = append(of[k], a.info.ID)
			}
		}
		if a := f.first(stream.Face); a != nil {
			models = append(models, a.info.Model)
		}
	}
	for k, ids := range of {
		p[string(k)+"_stream"] = distinct(ids)
	}
	if len(models) > 0 {
		p["model"] = distinct(models)
	}
	var used corrections
	var screens, pupils []string
	for _, f := range d.segments {
		if f.first(stream.Gaze) == nil {
			continue
		}
		used = append(used, f.corrections...)
		screens, pupils = append(screens, f.screenWords()), append(pupils, f.first(stream.Gaze).seen.pupil)
	}
	if len(screens) > 0 {
		p["gaze_calibration"], p["screen"] = used.words(), distinct(screens)
		p["eyes"], p["pupil"] = eyeWords(), distinct(pupils)
	}
	switch {
	case d.rest == nil:
		p["neutral"] = "none: " + d.why
	default:
		p["neutral"] = d.rest.Version + ", " + d.rest.Method + d.where
	}
	return derivation{Name: name, Algorithm: "emolab trace, two-sided", Version: finalVersion, Parameters: p}
}

// screenWords says what degrees were reckoned from.
func (f *final) screenWords() string {
	words := fmt.Sprintf("%g x %g mm at %g mm", f.screen.WidthMM, f.screen.HeightMM, f.screen.DistanceMM)
	if f.assumed {
		words += ", assumed"
	}
	return words
}

// distinct lists different words once, in their order.
func distinct(words []string) string {
	var out []string
	for _, w := range words {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return strings.Join(out, "; ")
}

// reader reads one stream of a segment for a derivation.
type reader func(ctx context.Context, id string, segment int, t Stream, pings []align.Ping) (aligned, error)

// Where the instants of a derivation come from.
const (
	fittedClocks = "fusion/align Fit"
	storedClocks = "as stored: those of " + Final
)

// derive reads the given streams of a session's segments and derives the trace
// of each. Streams are read, and segments derived, beside each other: SQLite has
// several readers, and the machine several cores.
func (s *Store) derive(ctx context.Context, d Detail, read reader, at stretch, steps *counter) (derived, error) {
	var out derived
	probes, err := s.Probes(ctx, d.ID)
	if err != nil {
		return out, err
	}
	targets, err := s.Targets(ctx, d.ID)
	if err != nil {
		return out, err
	}
	work, reading := errgroup.WithContext(ctx)
	work.SetLimit(readers)
	for _, g := range d.Segments {
		f := &final{segment: g.Number, start: g.Start, screen: g.Screen, assumed: g.ScreenAssumed}
		if !f.screen.Valid() { // recorded before it was asked for
			f.screen, f.assumed = session.AssumedScreen(), true
		}
		recorded := slices.DeleteFunc(slices.Clone(g.Streams), func(t Stream) bool {
			return t.Kind == stream.Trace // the live trace stays as it is; another is joined below
		})
		f.streams = make([]aligned, len(recorded))
		for i, t := range recorded {
			work.Go(func() error {
				steps.next("reading " + t.ID)
				a, err := read(reading, d.ID, f.segment, t, pingsOf(probes, f.segment, t.clockOf()))
				if err != nil {
					return fmt.Errorf("segment %d, stream %s: %w", f.segment, t.ID, err)
				}
				if t.Kind == stream.EDA {
					if a.skin, err = analyse(reading, a); err != nil {
						return fmt.Errorf("segment %d, stream %s: %w", f.segment, t.ID, err)
					}
				}
				inOrder(a.frames)
				a.epochs = nil
				if !slices.Contains(joined(), t.Kind) {
					a.samples = nil // it was read for its clock
				}
				f.streams[i] = a
				return nil
			})
		}
		out.segments = append(out.segments, f)
	}
	if err := work.Wait(); err != nil {
		return out, err
	}
	courses := make([][]stimulus.Showing, len(out.segments))
	for i, f := range out.segments {
		if a := f.first(stream.Stimulus); a != nil {
			f.course = stimulus.Course(a.info, a.samples, d.away(f.segment, a.info.ID))
			courses[i] = f.course
		}
		for k := range f.streams {
			if a := &f.streams[k]; a.info.Kind == stream.Stimulus {
				a.samples = nil // the course has what they say
			}
		}
	}
	stimulus.MarkCutOff(courses...)
	steps.next("calibrating the gaze")
	var held correction
	for _, f := range out.segments {
		f.calibrateGaze(&d, targets, held)
		held = f.corrections.last()
		f.checkSkin(targets)
	}
	light, err := s.light(ctx, &d)
	if err != nil {
		return out, err
	}
	steps.next("looking for the neutral face")
	began, err := s.Steps(ctx, d.ID)
	if err != nil {
		return out, err
	}
	out.findNeutral(at, d.asked(began))
	if at.given() && out.rest == nil {
		return out, fmt.Errorf("the given stretch cannot serve as the neutral face: %s", out.why)
	}
	runtime.GC()         // each step leaves as much behind as it reads; unasked, Go looks only when the heap has doubled
	var faceConf float64 // any face
	if r := d.Study.Rules; r != nil {
		faceConf = r.FaceConf
	}
	var joining sync.WaitGroup
	for _, f := range out.segments {
		steps.next("deriving the trace")
		if err := context.Cause(ctx); err != nil {
			return out, err
		}
		joining.Go(func() {
			f.lookAt(light)
			runtime.GC()
			f.join(out.rest, faceConf)
		})
	}
	joining.Wait()
	return out, nil
}

// inOrder puts frames that are stamped before the one in front of them at its
// instant: a camera may lie about time, and what is derived of a course needs one.
// The rows of the trace keep their own instants.
func inOrder(frames []facial.Measured) {
	for i := 1; i < len(frames); i++ {
		frames[i].At = max(frames[i].At, frames[i-1].At)
	}
}

// join derives what the face did and joins the trace. Of two streams of one kind
// the first in the lab's order is taken, as the live trace does; responses are told
// of every stream of skin conductance. A face counts as seen from a confidence of
// faceConf. What the trace is joined from is let go.
func (f *final) join(n *rest, faceConf float64) {
	in := trace.Streams{Shown: f.course}
	if a := f.first(stream.Face); a != nil {
		in.Face, in.FaceInfo = a.samples, a.info
		f.face = facial.Derive(a.frames, n.neutral(), facial.Options{})
		a.frames, in.Facial = nil, f.face
	}
	if a := f.first(stream.Gaze); a != nil {
		in.Gaze, in.GazeInfo, in.Eyes = a.samples, a.info, a.seen.eyes
	}
	if a := f.first(stream.EDA); a != nil {
		in.EDA, in.EDAInfo, in.Analysis = a.samples, a.info, a.skin
	}
	for _, a := range f.streams {
		for _, r := range a.skin.Responses {
			if r.Flags&eda.NoOnset == 0 { // of one that began before the record nobody knows how large it was
				f.responses = append(f.responses, response{a.info.ID, r})
			}
		}
	}
	f.sumSkin()
	f.sumUsable(faceConf)
	f.trace = trace.Join(in)
	f.face.Rows = nil
	for i := range f.streams {
		f.streams[i].release()
	}
}

// pingsOf picks one stream's clock pings.
func pingsOf(all []Probe, segment int, id string) []align.Ping {
	var out []align.Ping
	for _, p := range all {
		if p.Segment == segment && p.Stream == id {
			out = append(out, p.Ping)
		}
	}
	return out
}

// clocked are all streams whose clocks were fitted.
func (f *final) clocked() []aligned { return slices.Concat(f.streams, f.others) }

// first returns the first stream of a kind in the lab's order, or nil.
func (f *final) first(k stream.Kind) *aligned {
	for i := range f.streams {
		if f.streams[i].info.Kind == k {
			return &f.streams[i]
		}
	}
	return nil
}

// writeDerived writes the rows of one derivation, which must be there already.
func writeDerived(ctx context.Context, tx *sql.Tx, id, name, software string, d *derived) error {
	for _, f := range d.segments {
		if err := writeResponses(ctx, tx, id, name, f); err != nil {
			return err
		}
		if err := writeSummaries(ctx, tx, id, name, f); err != nil {
			return err
		}
		if err := writeFaceEvents(ctx, tx, id, name, f); err != nil {
			return err
		}
		if err := writeEyeEvents(ctx, tx, id, name, f); err != nil {
			return err
		}
		if err := writeDisplayed(ctx, tx, id, name, f); err != nil {
			return err
		}
		if err := writeTrace(ctx, tx, id, name, f); err != nil {
			return err
		}
	}
	if err := writeUsable(ctx, tx, id, name, d); err != nil {
		return err
	}
	return writeCalibrations(ctx, tx, id, name, software, d.calibrations())
}

// calibrations are what the derivation was measured from, and judged by.
func (d *derived) calibrations() []Calibration {
	var all []Calibration
	if d.rest != nil {
		all = append(all, d.rest.calibration())
	}
	for _, f := range d.segments {
		all = append(all, f.calibrations...)
	}
	return all
}

// writeTrace writes a segment's final trace.
func writeTrace(ctx context.Context, tx *sql.Tx, id, name string, f *final) error {
	l, err := layoutOf(trace.Info())
	if err != nil {
		return err
	}
	err = inRuns(ctx, tx, l.insert, f.trace, func(args []any, rows []stream.Sample) []any {
		args = append(args, id, name, f.segment)
		for _, row := range rows {
			args = l.bind(args, 0, row)
		}
		return args
	})
	if err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	return nil
}
