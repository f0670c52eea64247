package withdrawal

import (
	"context"
	"slices"

	"emolab/studies/session"
)

var _ session.Custody = (*Eraser)(nil)

// Holder tells whose a code is, as people type it, and what there is of them. Errors are
// those of Session.
func (e *Eraser) Holder(ctx context.Context, typed string) (session.Holder, error) {
	id, err := e.Session(ctx, typed)
	if err != nil {
		return session.Holder{}, err
	}
	held, err := e.store.Held(ctx, id)
	if err != nil {
		return session.Holder{}, err
	}
	h := session.Holder{SessionID: id, Participant: held.Participant, Sessions: len(held.Sessions), Bundles: len(held.Exports), Recipients: []string{}}
	for _, x := range held.Exports {
		if x.Recipient != "" && !slices.Contains(h.Recipients, x.Recipient) {
			h.Recipients = append(h.Recipients, x.Recipient)
		}
	}
	return h, nil
}

// Overdue lists what is past its date now.
func (e *Eraser) Overdue(ctx context.Context) ([]session.Overdue, error) {
	due, err := e.Due(ctx, e.wall())
	if err != nil {
		return nil, err
	}
	out := make([]session.Overdue, 0, len(due))
	for _, d := range due {
		out = append(out, session.Overdue{Session: d.Session, What: d.Words(), Until: d.Until, Files: d.Files, Bytes: d.Bytes})
	}
	return out, nil
}

// PurgeOverdue erases what is past its date now, if it is so many items, and keeps a
// report.
func (e *Eraser) PurgeOverdue(ctx context.Context, items int, progress session.Progress) (session.Purge, error) {
	due, err := e.Due(ctx, e.wall())
	if err != nil {
		return session.Purge{}, err
	}
	if len(due) != items {
		return session.Purge{}, session.ErrOtherOverdue
	}
	done, err := e.Purge(ctx, due, progress)
	p := session.Purge{Recipients: done.Recipients, Beside: done.Beside}
	for _, c := range done.Classes {
		p.Items, p.Files = p.Items+c.Sessions, p.Files+c.Files
	}
	if p.Items == 0 {
		return p, err
	}
	var keeping error
	if p.Report, keeping = e.KeepReport(done); err == nil {
		err = keeping
	}
	return p, err
}
