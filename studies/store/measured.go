package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"emolab/fusion/eda"
	"emolab/fusion/instant"
	"emolab/fusion/stimulus"
	"emolab/fusion/stream"
	"emolab/fusion/usable"
)

// Measured tells for how much of each presentation a session was measured in its segments
// before one, by the rules of sealing. The instants are those of live alignment, and skin
// conductance is taken apart by a filter, which is quick: usable.Live says what that makes.
func (s *Store) Measured(ctx context.Context, id string, before int) ([]usable.Now, error) {
	d, err := s.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	var faceConf float64 // any face
	if r := d.Study.Rules; r != nil {
		faceConf = r.FaceConf
	}
	var all derived
	var courses [][]stimulus.Showing
	for _, g := range d.Segments {
		if g.Number >= before {
			continue
		}
		f, err := s.told(ctx, &d, g)
		if err != nil {
			return nil, fmt.Errorf("store: session %s: look for what is usable: %w", id, explain(err))
		}
		all.segments, courses = append(all.segments, f), append(courses, f.course)
	}
	stimulus.MarkCutOff(courses...)
	for _, f := range all.segments {
		f.sumSkin()
		f.sumUsable(faceConf)
	}
	var out []usable.Now
	for _, u := range all.usables() {
		k := slices.IndexFunc(out, func(n usable.Now) bool { return n.Presentation == u.Presentation })
		if k < 0 {
			k = len(out)
			out = append(out, usable.Now{Presentation: u.Presentation, Lasted: seconds(u.Seconds), Over: true, Usable: map[Modality]time.Duration{}})
		}
		out[k].Usable[u.Modality] = seconds(u.UsableS)
	}
	slices.SortFunc(out, func(a, b usable.Now) int { return cmp.Compare(a.Presentation, b.Presentation) })
	return out, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// told reads of a segment what was on the screen, and of the first stream of each modality
// the channels that tell whether it measured.
func (s *Store) told(ctx context.Context, d *Detail, g Segment) (*final, error) {
	f := &final{segment: g.Number, start: g.Start}
	for _, t := range g.Streams {
		info := t.Info
		switch t.Kind {
		case stream.Stimulus:
		case stream.Face:
			info.Channels = named(info, "face_found", "face_confidence")
		case stream.Gaze:
			info.Channels = named(info, "gaze_valid")
		case stream.EDA:
			info.Channels = named(info, "eda_us")
		default:
			continue
		}
		if f.first(t.Kind) != nil {
			continue
		}
		a, err := s.plain(ctx, d.ID, g.Number, t, info)
		if err != nil {
			return nil, err
		}
		a.samples = slices.DeleteFunc(a.samples, func(v stream.Sample) bool { return v.At == 0 }) // nobody knows when
		switch t.Kind {
		case stream.Stimulus:
			f.course = stimulus.Course(a.info, a.samples, d.away(g.Number, t.ID))
		case stream.EDA:
			var last instant.Instant
			a.samples = slices.DeleteFunc(a.samples, func(v stream.Sample) bool { // a new epoch that begins before the old one ended
				back := v.At < last
				last = max(last, v.At)
				return back
			})
			at, us := a.conductance()
			if a.skin, err = eda.AnalyzeContext(ctx, at, us, eda.Options{Rate: t.Rate, Method: eda.HighPass}); err != nil {
				return nil, err
			}
		}
		f.streams = append(f.streams, a)
	}
	return f, nil
}

// named are those of a stream's channels that have one of the names.
func named(info stream.Info, names ...string) []stream.Channel {
	return slices.DeleteFunc(slices.Clone(info.Channels), func(c stream.Channel) bool { return !slices.Contains(names, c.Name) })
}
