package store

import (
	"context"
	"errors"

	"emolab/fusion/stream"
	"emolab/studies/session"
	"emolab/studies/study"
)

var errLater = errors.New("store: not kept by this schema")

// Record begins the recording.
func (r *recorder) Record(context.Context, session.Segment, []stream.Info) error { return errLater }

// Decline ends a prepared session.
func (r *recorder) Decline(context.Context, string) error { return errLater }

// Answer keeps an answer.
func (r *recorder) Answer(context.Context, session.Answer) error { return errLater }

// Withdrawable keeps the hash of a withdrawal code.
func (r *recorder) Withdrawable(context.Context, string) error { return errLater }

// Cohort tells how far the study has come.
func (s *Store) Cohort(context.Context, study.Quota) (session.Cohort, error) {
	return session.Cohort{}, errLater
}

// Move gives a session to another participant.
func (s *Store) Move(context.Context, string, string, string) error { return errLater }

// Judge says whether a session is usable.
func (s *Store) Judge(context.Context, string, bool, string) error { return errLater }
