package replay

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"emolab/studies/store"
)

const (
	// A label is a word or two that one counts by; a text is a remark.
	maxLabel = 60   // characters
	maxText  = 1000 // characters
	// maxAnnotations bounds those of a session: a page has to draw them all.
	maxAnnotations = 5000
)

// Annotation is something said of a session when it was over, of an instant or a stretch.
type Annotation struct {
	ID         int       `json:"id"` // in the session, from 1
	FromMs     float64   `json:"from_ms"`
	UntilMs    *float64  `json:"until_ms"` // nil: of an instant
	Label      string    `json:"label"`
	Text       string    `json:"text"`
	By         string    `json:"by"`
	MadeUTC    time.Time `json:"made_utc"`
	RemovedBy  string    `json:"removed_by,omitempty"`
	RemovedUTC time.Time `json:"removed_utc,omitzero"`
}

// Remark is an annotation that is to be made.
type Remark struct {
	FromMs  float64  `json:"from_ms"`
	UntilMs *float64 `json:"until_ms"`
	Label   string   `json:"label"`
	Text    string   `json:"text"`
}

func (p *Player) readAnnotations(ctx context.Context, o *opened, out *Session) error {
	all, err := p.annotations(ctx, o)
	out.Annotations = []Annotation{}
	for _, a := range all {
		if a.RemovedUTC.IsZero() {
			out.Annotations = append(out.Annotations, a)
		}
	}
	return err
}

// annotations are all of a session, those that were removed included.
func (p *Player) annotations(ctx context.Context, o *opened) ([]Annotation, error) {
	kept, err := p.store.Annotations(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	out := []Annotation{}
	for _, a := range kept {
		out = append(out, o.place(a))
	}
	return out, nil
}

// place puts an annotation on the axis.
func (o *opened) place(a store.Annotation) Annotation {
	out := Annotation{ID: a.N, FromMs: o.axis.ms(a.Segment, a.From), Label: a.Label, Text: a.Text,
		By: a.By, MadeUTC: a.Made, RemovedBy: a.RemovedBy, RemovedUTC: a.Removed}
	if a.Until != 0 {
		until := o.axis.ms(a.Segment, a.Until)
		out.UntilMs = &until
	}
	return out
}

// Annotate keeps an annotation that somebody makes.
func (p *Player) Annotate(ctx context.Context, id string, r Remark, by string) (Annotation, error) {
	var out Annotation
	err := p.with(ctx, id, func(o *opened) error {
		a, err := o.check(r)
		if err != nil {
			return err
		}
		before, err := p.store.Annotations(ctx, id)
		if err != nil {
			return err
		}
		if len(before) >= maxAnnotations {
			return refuse(Conflict, fmt.Sprintf("session %s has %d annotations: no more are taken", id, len(before)))
		}
		a.By = by
		if a, err = p.store.Annotate(ctx, id, a); err != nil {
			return err
		}
		out = o.place(a)
		return nil
	})
	return out, err
}

// check refuses what cannot be an annotation, and finds its segment.
func (o *opened) check(r Remark) (store.Annotation, error) {
	a := store.Annotation{Label: strings.TrimSpace(r.Label), Text: strings.TrimSpace(r.Text)}
	bad := func(words string, args ...any) (store.Annotation, error) {
		return a, refuse(Unfit, fmt.Sprintf(words, args...))
	}
	switch {
	case a.Label == "" && a.Text == "":
		return bad("say something: a label, a text or both")
	case !utf8.ValidString(a.Label) || !utf8.ValidString(a.Text):
		return bad("label and text are UTF-8")
	case utf8.RuneCountInString(a.Label) > maxLabel:
		return bad("the label has %d characters: at most %d", utf8.RuneCountInString(a.Label), maxLabel)
	case utf8.RuneCountInString(a.Text) > maxText:
		return bad("the text has %d characters: at most %d", utf8.RuneCountInString(a.Text), maxText)
	case strings.ContainsFunc(a.Label, func(r rune) bool { return r < ' ' }):
		return bad("the label is one line")
	}
	var ok bool
	if a.Segment, a.From, ok = o.axis.at(r.FromMs); !ok {
		return bad("%s", o.nothingAt(r.FromMs))
	}
	if r.UntilMs == nil {
		return a, nil
	}
	if *r.UntilMs < r.FromMs {
		return bad("until_ms %.0f is before from_ms %.0f", *r.UntilMs, r.FromMs)
	}
	segment, until, ok := o.axis.at(*r.UntilMs)
	switch {
	case !ok:
		return bad("%s", o.nothingAt(*r.UntilMs))
	case segment != a.Segment:
		return bad("the session was cut off between %.0f and %.0f ms: make one annotation before the hole and one behind it", r.FromMs, *r.UntilMs)
	}
	a.Until = until
	return a, nil
}

// nothingAt says in words why there is nothing at a place of the axis.
func (o *opened) nothingAt(ms float64) string {
	if end := o.axis.duration(); !(ms >= 0 && ms <= end) {
		return fmt.Sprintf("nothing was recorded at %.0f ms: the session lasts to %.0f ms", ms, math.Floor(end))
	}
	return fmt.Sprintf("nothing was recorded at %.0f ms: the session was cut off there, and continued later", ms)
}

// RemoveAnnotation takes an annotation away: it stays in the study's file as removed.
func (p *Player) RemoveAnnotation(ctx context.Context, id string, n int, by string) error {
	return p.with(ctx, id, func(o *opened) error {
		all, err := p.store.Annotations(ctx, id)
		if err != nil {
			return err
		}
		for _, a := range all {
			switch {
			case a.N != n:
			case !a.Removed.IsZero():
				return refuse(Conflict, fmt.Sprintf("annotation %d has been removed already", n))
			default:
				return p.store.RemoveAnnotation(ctx, id, n, by)
			}
		}
		return refuse(Absent, fmt.Sprintf("session %s has no annotation %d", id, n))
	})
}

// Annotations lists all of a session's annotations, those that were removed included.
func (p *Player) Annotations(ctx context.Context, id string) ([]Annotation, error) {
	var out []Annotation
	err := p.with(ctx, id, func(o *opened) (err error) {
		out, err = p.annotations(ctx, o)
		return err
	})
	return out, err
}
