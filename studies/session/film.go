package session

import (
	"context"
	"errors"
	"slices"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/study"
)

// TypicalVideoBytesPerHour is what the kept video of the face takes, beside
// TypicalBytesPerHour: a camera of 640x480 px at 30 Hz in an ordinary room.
const TypicalVideoBytesPerHour = 880 << 20

// errNoFilm is why nothing is kept in a lab that was set up without a film.
var errNoFilm = errors.New("this lab keeps no video of its camera")

// film is how the keeping of the face video stands in one run. Its fields are
// guarded by Manager.mu.
type film struct {
	on  bool  // it was begun, and is not yet ended
	err error // why it could not begin, although it was allowed
}

// allowed tells whether the latest answer about scope was yes. Who was not asked
// has not agreed.
func allowed(answers []Consent, scope string) bool {
	for _, c := range slices.Backward(answers) {
		if c.Scope == scope {
			return c.Granted
		}
	}
	return false
}

// unanswered returns the step from which a session goes on: a question that has
// been answered is not asked again.
func (r Resumption) unanswered() int {
	from := r.From
	for from < len(r.Plan.Steps) {
		step := r.Plan.Steps[from]
		if step.Action != study.Consent || !slices.ContainsFunc(r.Consents, func(c Consent) bool { return c.Scope == step.Scope }) {
			break
		}
		from++
	}
	return from
}

// answered keeps an answer of the participant, and begins what it allows when it
// is safely kept. It returns early when ctx ends.
func (m *Manager) answered(ctx context.Context, cur *run, answers chan<- answer, c Consent) {
	if m.void(c) {
		c.Granted = false
		c.How += ", void before a real camera"
	}
	kept := make(chan struct{})
	select {
	case answers <- answer{c, kept}:
	case <-ctx.Done():
		return
	}
	select {
	case <-kept:
	case <-ctx.Done():
		return
	}
	m.o.Log.Info("answered", "session", cur.id, "scope", c.Scope, "granted", c.Granted)
	if c.Scope == FaceVideo && c.Granted {
		m.startFilm(cur, c.At)
	}
}

// void tells whether an answer counts for nothing in this lab: the built-in
// client gave it, and a camera is real.
func (m *Manager) void(c Consent) bool { return c.How == Simulated && !m.simulatedFace() }

// simulatedFace tells whether every camera of the lab is simulated.
func (m *Manager) simulatedFace() bool {
	return !slices.ContainsFunc(m.o.Lab.Streams(), func(i stream.Info) bool { return i.Kind == stream.Face && !i.Simulated })
}

// startFilm keeps the video of the face as it was taken from since on. A film
// that cannot begin is an alarm; the session goes on without it.
func (m *Manager) startFilm(cur *run, since instant.Instant) {
	err := errNoFilm
	if m.o.Film != nil {
		err = m.o.Film.Begin(cur.id, cur.segment.Number, since)
	}
	if err != nil {
		m.o.Log.Error("keep the face video", "session", cur.id, "error", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	cur.film = film{on: err == nil, err: err}
}

// closedFilms names the files of video to be noted while the session records.
func (m *Manager) closedFilms() []Video {
	if m.o.Film == nil {
		return nil
	}
	return m.o.Film.Closed()
}

// endFilm closes the film of a run, if it has one, and notes its last files. rec
// has no other user any more. Only a recorder that refuses is an error: whatever
// became of the film, the rest of the session is whole.
func (m *Manager) endFilm(ctx context.Context, cur *run, rec Recorder) error {
	m.mu.Lock()
	on := cur.film.on
	cur.film.on = false
	m.mu.Unlock()
	if !on {
		return nil
	}
	videos, err := m.o.Film.End()
	if err != nil {
		m.o.Log.Error("the face video is not complete", "session", cur.id, "error", err)
	}
	for _, v := range videos {
		if err := rec.Video(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

// showFilm adds to a status how the film stands. m.mu is held.
func (m *Manager) showFilm(cur *run, s *Status) {
	err := cur.film.err
	if cur.film.on {
		err = m.o.Film.Err()
	}
	if err != nil {
		s.Alarms = append([]Alarm{{"video/failed", Major, "The video of the face is not being kept: " + err.Error(),
			"The session is complete without it; look at it before the next participant."}}, s.Alarms...)
	}
	if s.Video = cur.film.on && err == nil; s.Video {
		s.DiskHours = float64(s.DiskFree) / (TypicalBytesPerHour + TypicalVideoBytesPerHour)
	}
}
