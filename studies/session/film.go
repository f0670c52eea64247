package session

import (
	"context"
	"errors"
	"slices"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
	"emolab/studies/alarm"
	"emolab/studies/study"
)

// Film keeps the video of the face. It is asked only under consent; without a
// Begin nothing of any picture is written.
type Film interface {
	// Begin keeps the frames that were taken from since on, for that segment of a
	// session. Those on their way from the camera may be older.
	Begin(sessionID string, segment int, since instant.Instant) error
	// Pause keeps no frame that was taken from that instant on, as far as they have not
	// come yet; Resume keeps those again that were taken from that instant on.
	Pause(at instant.Instant)
	Resume(at instant.Instant)
	// Closed names, in their order, the files that are whole and have not been
	// named yet; none when nothing is kept.
	Closed() []Video
	// End stops keeping, waits until the files are closed, and names those that
	// Closed has not. Files that are whole are named even with an error.
	End() ([]Video, error)
	// Err tells why frames are no longer kept although End was not called; nil
	// while all is well.
	Err() error
}

// Video is one finished file of kept face video.
type Video struct {
	File   string          `json:"file"`     // relative to the folder of the database, with slashes
	From   instant.Instant `json:"from_ns"`  // capture of its first frame
	Until  instant.Instant `json:"until_ns"` // and of its last
	Frames int64           `json:"frames"`
	Bytes  int64           `json:"bytes"`
	SHA256 string          `json:"sha256"` // of the file, hex
}

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

// endFilm ends the video of the face in a run, and returns when its files are noted. The
// desk is open.
func (m *Manager) endFilm(cur *run) {
	cur.ending.Lock()
	defer cur.ending.Unlock()
	for _, f := range m.dropFilm(cur) {
		_ = cur.desk.keep("note the video "+f.File, func(ctx context.Context, rec Recorder) error {
			return rec.Video(ctx, f)
		}) // a desk that is shut means that the session is being closed
	}
}

// unanswered returns the step from which a session goes on: a sheet that has been
// answered is not shown again.
func (m *Manager) unanswered(r Resumption) int {
	if r.From >= len(r.Plan.Steps) || r.Plan.Steps[r.From].Action != study.Fill {
		return r.From
	}
	sheet, _ := m.o.Study.Sheet(r.Plan.Steps[r.From].Sheet)
	asked := slices.ContainsFunc(sheet.Fields, func(f study.Field) bool { return f.Type == study.ScopeField })
	missing := func(f study.Field) bool {
		return f.Type == study.ScopeField && !slices.ContainsFunc(r.Consents, func(c Consent) bool { return c.Scope == f.ID })
	}
	if asked && !slices.ContainsFunc(sheet.Fields, missing) ||
		slices.ContainsFunc(r.Answers, func(a Answer) bool { return a.Step == r.From }) {
		return r.From + 1
	}
	return r.From
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
	m.mu.Lock()
	no := cur.film.on || cur.over != 0 // asked twice, agreed twice; or agreed on the last pages
	m.mu.Unlock()
	if no {
		return
	}
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

// dropFilm closes the film of a run, if it has one, and names the files that have not
// been noted. run.ending is held.
func (m *Manager) dropFilm(cur *run) []Video {
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
	return videos
}

// showFilm adds to a status how the film stands, and returns what is wrong with it. m.mu
// is held.
func (m *Manager) showFilm(cur *run, s *Status) (wrong []alarm.Condition) {
	err := cur.film.err
	if cur.film.on {
		err = m.o.Film.Err()
	}
	if err != nil {
		wrong = append(wrong, alarm.Condition{ID: "video/failed", Severity: Major, Panel: panelPicture,
			Text:   "The video of the face is not being kept: " + err.Error(),
			Advice: "The session is complete without it; look at it before the next participant."})
	}
	s.Video = cur.film.on && err == nil && !cur.paused
	return wrong
}
