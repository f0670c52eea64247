package store

import (
	"context"
	"encoding/json"
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
	// Noted tells whether rows speak of it. A killed program may have left video that none
	// does: who agreed to it may have some.
	Noted bool `json:"noted"`
}

// Due lists what is kept beyond its date, session by session, of what is still there:
// by the study file that the session was made with, which is what the participant was
// promised. What runs is never due.
func (s *Store) Due(ctx context.Context, now time.Time) ([]Due, error) {
	out := []Due{}
	err := s.each(ctx, `SELECT s.id, s.state, s.ended_utc, y.rules, EXISTS (SELECT 1 FROM video WHERE session_id = s.id),
		EXISTS (SELECT 1 FROM consent WHERE session_id = s.id AND scope = '`+session.FaceVideo+`' AND granted = 1)
		AND NOT EXISTS (SELECT 1 FROM audit WHERE session_id = s.id AND action = '`+erased+`' AND detail = '`+string(FaceVideos)+`'),
		EXISTS (SELECT 1 FROM stream WHERE session_id = s.id) OR EXISTS (SELECT 1 FROM answer WHERE session_id = s.id) OR EXISTS (SELECT 1 FROM step WHERE session_id = s.id)
		FROM session s JOIN study y ON y.hash = s.study_hash
		WHERE s.ended_utc IS NOT NULL AND s.state NOT IN ('prepared', 'recording') ORDER BY s.ended_utc, s.id`, nil, func(row scanner) error {
		var v Due
		var ended, rules string
		var video, allowed, traces bool
		if err := row.Scan(&v.Session, &v.State, &ended, &rules, &video, &allowed, &traces); err != nil {
			return err
		}
		end, err := parseWall(ended)
		if err != nil {
			return err
		}
		retain, err := retainOf(rules)
		if err != nil {
			return err
		}
		for _, class := range []struct {
			name         Class
			there, noted bool
			keep         time.Duration
		}{{FaceVideos, video || allowed, video, retain.FaceVideo}, {Traces, traces, traces, retain.Traces}} {
			v.Class, v.Until, v.Noted = class.name, end.Add(class.keep), class.noted
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

// Promised is how long what is kept by the study file that a session was made with.
func (s *Store) Promised(ctx context.Context, id string) (study.Retain, error) {
	var rules string
	err := s.read.QueryRowContext(ctx, "SELECT y.rules FROM session s JOIN study y ON y.hash = s.study_hash WHERE s.id = ?", id).Scan(&rules)
	if err != nil {
		return study.Retain{}, fmt.Errorf("store: session %s: %w", id, missing(explain(err)))
	}
	return retainOf(rules)
}

// Retain is how long the study keeps what, by the latest version of its file that a
// session was made with. Without one there is no limit.
func (s *Store) Retain(ctx context.Context) (study.Retain, error) {
	rules, err := texts(ctx, s.read, "SELECT rules FROM study ORDER BY version DESC, first_utc DESC LIMIT 1")
	if err != nil || len(rules) == 0 {
		return study.Retain{}, explain(err)
	}
	return retainOf(rules[0])
}

// retainOf reads how long what is kept from the rules of a study; those of files that
// were made before there were any are empty, and state no limit.
func retainOf(rules string) (study.Retain, error) {
	if rules == "" {
		return study.Retain{}, nil
	}
	var p promised
	if err := json.Unmarshal([]byte(rules), &p); err != nil {
		return study.Retain{}, fmt.Errorf("store: read how long the study keeps what: %w", err)
	}
	return study.Retain(p.Retain), nil
}
