package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"emolab/studies/study"
)

// compare holds what was kept of a visitor's answers against what they answered.
func (r *rehearsal) compare(ctx context.Context, out *visit, v *visitor) error {
	kept, err := r.running.store.Answers(ctx, out.Session)
	if err != nil {
		return err
	}
	found := map[int]study.Answers{}
	for _, a := range kept {
		found[a.Step] = a.Values
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, step := range slices.Sorted(maps.Keys(v.said)) {
		said := v.said[step]
		values, there := found[step]
		if wrong := r.differ(said, values, there); wrong != "" {
			out.Wrong = append(out.Wrong, fmt.Sprintf("step %d, %s: %s", step+1, said.sheet.ID, wrong))
		}
	}
	return nil
}

// differ says how what was kept of one sheet differs from what was answered on it; ""
// if it does not.
func (r *rehearsal) differ(said reply, kept study.Answers, there bool) string {
	switch said.sheet.Kind {
	case study.RatingSheet, study.FormSheet:
		switch {
		case !there:
			return "the answers were not kept"
		case !maps.Equal(said.values, kept):
			return fmt.Sprintf("answered %v, kept were %v", said.values, kept)
		}
	case study.ScreeningSheet:
		want := r.study.Judge(said.sheet.ID, said.values).Kept
		if !maps.Equal(want, kept) {
			return fmt.Sprintf("%v should have been kept, and %v was", want, kept)
		}
	}
	return ""
}
