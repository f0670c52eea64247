package store

import (
	"context"
	"fmt"
	"time"

	"emolab/studies/session"
	"emolab/studies/study"
)

// Due is data of one session that is kept beyond its date.
type Due struct {
	Session string        `json:"session"`
	State   session.State `json:"state"`
	Class   Class         `json:"class"`
	Until   time.Time     `json:"until"` // it was to be kept until then
}

// Due lists what is kept beyond its date, session by session, of what is still there.
// What runs is never due.
func (s *Store) Due(ctx context.Context, now time.Time, retain study.Retain) ([]Due, error) {
	out := []Due{}
	err := s.each(ctx, `SELECT id, state, ended_utc, EXISTS (SELECT 1 FROM video WHERE session_id = id),
		EXISTS (SELECT 1 FROM stream WHERE session_id = id) OR EXISTS (SELECT 1 FROM answer WHERE session_id = id) OR EXISTS (SELECT 1 FROM step WHERE session_id = id)
		FROM session WHERE ended_utc IS NOT NULL AND state NOT IN ('prepared', 'recording') ORDER BY ended_utc, id`, nil, func(row scanner) error {
		var v Due
		var ended string
		var video, traces bool
		if err := row.Scan(&v.Session, &v.State, &ended, &video, &traces); err != nil {
			return err
		}
		end, err := parseWall(ended)
		if err != nil {
			return err
		}
		for _, class := range []struct {
			name  Class
			there bool
			keep  time.Duration
		}{{FaceVideos, video, retain.FaceVideo}, {Traces, traces, retain.Traces}} {
			v.Class, v.Until = class.name, end.Add(class.keep)
			if class.there && class.keep > 0 && v.Until.Before(now) {
				out = append(out, v)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: list what is kept beyond its date: %w", explain(err))
	}
	return out, nil
}
