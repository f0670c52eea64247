package main

import (
	"path"
	"path/filepath"

	"emolab/capture/record"
	"emolab/studies/session"
)

// videoDir is where the face video of a session is kept, below the data folder.
func videoDir(dir, sessionID string) string { return filepath.Join(dir, "video", sessionID) }

// film keeps the video of the rig's camera in a data folder. It is the
// session.Film of a lab that has a camera.
type film struct {
	*record.Tap
	dir string
	id  string // of the session that is kept
}

// Begin keeps the frames from now on.
func (f *film) Begin(sessionID string, segment int) error {
	f.id = sessionID
	return f.Tap.Begin(videoDir(f.dir, sessionID), segment)
}

// End stops keeping and names the files, relative to the data folder.
func (f *film) End() ([]session.Video, error) {
	files, err := f.Tap.End()
	videos := make([]session.Video, 0, len(files))
	for _, v := range files {
		videos = append(videos, session.Video{
			File: path.Join("video", f.id, filepath.Base(v.Path)),
			From: v.From, Until: v.Until, Frames: v.Frames, Bytes: v.Bytes, SHA256: v.SHA256,
		})
	}
	return videos, err
}
