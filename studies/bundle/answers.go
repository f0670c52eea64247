package bundle

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"emolab/fusion/instant"
	"emolab/studies/store"
	"emolab/studies/study"
)

// readAnswers reads what the participant read and answered.
func (s *source) readAnswers(ctx context.Context) (err error) {
	if s.answers, err = s.store.Answers(ctx, s.detail.ID); err != nil {
		return err
	}
	if s.texts, err = s.store.Texts(ctx, s.detail.ID); err != nil {
		return err
	}
	s.sheets, err = s.store.Sheets(ctx, s.detail.ID)
	return err
}

// answeredColumns say where and when something was answered.
func answeredColumns() []column {
	return []column{
		{"t_s", "s", "Seconds from the start of the segment to the answer; empty before the recording, and where the instant is not known."},
		{"at_ns", "ns", "The same on the lab clock."},
		{"at_utc", "", "The same as wall time."},
		{"segment", "1", "Segment that it was given in; empty before the recording."},
	}
}

// when writes an instant of a segment that may be none: what comes before the recording
// has neither.
func (s *source) when(t *table, segment int, at instant.Instant) {
	if at == 0 || segment < 0 {
		t.empty()
		t.empty()
		return
	}
	t.seconds(s.start(segment), at)
	t.int(int64(at))
}

// segment writes the number of a segment; none is empty.
func (t *table) segment(n int) {
	if n < 0 {
		t.empty()
		return
	}
	t.int(int64(n))
}

// answered is every answer as it was kept: of a screening the bands.
func (s *source) answered() sheet {
	columns := append(answeredColumns(), []column{
		{"step", "1", "Step of the plan, from 0. What was answered twice, because the step began anew, is here twice; the later one counts."},
		{"sheet", "", "Id of the page that was filled in."},
		{"kind", "", "What the page was for: notice, consent, screening, rating, form, debrief, receipt, leave or exit."},
		{"item", "", "What was answered, as in items.csv, which says what it means; empty for a page without questions, or without answers."},
		{"value", "", "The answer. Of a screening it is the band, or pass, fail or override. Free text is as it was typed: read it before you give it on, for it may name people."},
		{"declined", "1", "1 where the page was left by the button that declines."},
		{"stimulus", "", "Id of the video that it is about; empty for none."},
		{"presentation", "1", "Presentation that it is about; empty for none."},
		{"response_ms", "ms", "From when the page came up to the last change of this answer."},
		{"language", "", "Language of the page."},
		{"text_sha256", "", "SHA-256 of the words on the page, which are in texts.json."},
		{"how", "", "Who gave the answer, and where."},
	}...)
	return sheet{"answers.csv", "What the participant answered on each page.", columns, func(_ context.Context, t *table) error {
		for _, a := range s.answers {
			items := slices.Sorted(maps.Keys(a.Values))
			if len(items) == 0 {
				items = []string{""}
			}
			for _, item := range items {
				s.answer(t, a, item)
			}
		}
		return nil
	}}
}

// answer writes one value of a page, or a page without values.
func (s *source) answer(t *table, a store.Answer, item string) {
	s.when(t, a.Segment, a.At)
	t.text(a.Wall.UTC().Format(wallFormat))
	t.segment(a.Segment)
	t.int(int64(a.Step))
	t.text(a.Sheet)
	t.text(string(a.Kind))
	t.text(item)
	t.text(a.Values[item])
	t.bool(a.Declined)
	t.text(a.Stimulus)
	if a.Presentation > 0 {
		t.int(int64(a.Presentation))
	} else {
		t.empty()
	}
	t.optional(a.ResponseMs, item)
	t.text(a.Language)
	t.text(a.TextSHA256)
	t.text(a.How)
	t.end()
}

// optional writes a number that may not be there.
func (t *table) optional(values map[string]float64, key string) {
	v, there := values[key]
	if !there {
		t.empty()
		return
	}
	t.float(v)
}

// rated is what was said about one presentation, by the item.
type rated struct {
	values study.Answers
	ms     map[string]float64
}

// aNumber is an answer that is one.
var aNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// ratings is what the participant said about each presentation, one row for each: the
// table for statistics. Of a page that was filled in again the later answers count.
func (s *source) ratings() sheet {
	latest := map[int]store.Answer{} // by the step
	for _, a := range s.answers {
		if a.Kind == study.RatingSheet && a.Presentation > 0 {
			latest[a.Step] = a
		}
	}
	about := map[int]rated{}
	pages, numeric := map[string]string{}, map[string]bool{}
	var items []string // in the order in which they were asked
	for _, step := range slices.Sorted(maps.Keys(latest)) {
		a := latest[step]
		r, known := about[a.Presentation]
		if !known {
			r = rated{study.Answers{}, map[string]float64{}}
			about[a.Presentation] = r
		}
		maps.Copy(r.values, a.Values)
		maps.Copy(r.ms, a.ResponseMs)
		for _, item := range slices.Sorted(maps.Keys(a.Values)) {
			if pages[item] == "" {
				items, pages[item], numeric[item] = append(items, item), a.Sheet, true
			}
			numeric[item] = numeric[item] && aNumber.MatchString(a.Values[item])
		}
	}
	columns := []column{
		{"presentation", "1", "Number of the presentation in the session, from 1."},
		{"stimulus", "", "Id of the video."},
		roleColumn(),
		againColumn(),
	}
	means := map[string]string{}
	for _, i := range s.asked() {
		means[i.key] = i.about()
	}
	for _, item := range items {
		unit := ""
		if numeric[item] {
			unit = "1"
		}
		columns = append(columns,
			column{item, unit, means[item] + "Answer on the page " + pages[item] + "; empty where it was not asked, or not answered."},
			column{item + "_ms", "ms", "From when the page came up to the last change of that answer."})
	}
	return sheet{"ratings.csv", "What the participant said about each presentation, a row for each.", columns, func(_ context.Context, t *table) error {
		for _, p := range s.detail.Presentations {
			t.int(int64(p.Number))
			t.text(p.Stimulus)
			t.text(s.roleOf(p))
			t.int(int64(p.Again))
			for _, item := range items {
				t.text(about[p.Number].values[item])
				t.optional(about[p.Number].ms, item)
			}
			t.end()
		}
		return nil
	}}
}

// steps says when each step of the plan began.
func (s *source) steps() sheet {
	columns := []column{
		{"t_s", "s", "Seconds from the start of the segment to the beginning of the step; empty before the recording, and where it is not known."},
		{"at_ns", "ns", "The same on the lab clock."},
		{"segment", "1", "Segment that it began in; empty before the recording."},
		{"step", "1", "Step of the plan, from 0. One that began anew, after a pause or a reload, is here once more; one that was passed over is not."},
		{"action", "", "What the screen did."},
		{"sheet", "", "Page that was filled in; empty for none."},
		{"stimulus", "", "Video that the step belongs to; empty for none."},
		{"presentation", "1", "Number of the presentation, of the steps that show a video."},
		{"block", "", "Block of the study file; empty outside of one."},
	}
	return sheet{"steps.csv", "Which step of the plan began when.", columns, func(ctx context.Context, t *table) error {
		begun, err := s.store.Steps(ctx, s.detail.ID)
		for _, b := range begun {
			var step study.Step
			if b.Step >= 0 && b.Step < len(s.detail.Plan.Steps) {
				step = s.detail.Plan.Steps[b.Step]
			}
			s.when(t, b.Segment, b.At)
			t.segment(b.Segment)
			t.int(int64(b.Step))
			t.text(string(b.Action))
			t.text(step.Sheet)
			t.text(step.Stimulus)
			if step.Presentation > 0 {
				t.int(int64(step.Presentation))
			} else {
				t.empty()
			}
			t.text(step.Block)
			t.end()
		}
		return err
	}}
}

// usable says for how much of each presentation each modality was measured, which the
// rules of the study judge the session by.
func (s *source) usable() sheet {
	columns := []column{
		{"presentation", "1", "Number of the presentation in the session, from 1."},
		{"stimulus", "", "Id of the video."},
		roleColumn(),
		againColumn(),
		{"modality", "", "face, gaze or eda; one without a device has no row."},
		{"seconds", "s", "For how long the video was on the screen."},
		{"usable_s", "s", "For how long of that there was a face of the confidence that the study asks for, valid gaze, or valid skin conductance."},
		{"share", "1", "usable_s of seconds."},
	}
	return sheet{"usable.csv", "For how much of each presentation each modality was measured.", columns, func(ctx context.Context, t *table) error {
		all, err := s.store.Usability(ctx, s.detail.ID)
		roles := map[int]string{}
		for _, p := range s.detail.Presentations {
			roles[p.Number] = s.roleOf(p)
		}
		for _, u := range all {
			t.int(int64(u.Presentation))
			t.text(s.shown[u.Presentation])
			t.text(roles[u.Presentation])
			t.int(s.again(u.Presentation))
			t.text(string(u.Modality))
			t.float(u.Seconds)
			t.float(u.UsableS)
			t.float(u.Share)
			t.end()
		}
		return err
	}}
}
