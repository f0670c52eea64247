package main

import (
	"path"
	"path/filepath"

	"emolab/capture/record"
	"emolab/fusion/instant"
	"emolab/studies/session"
)

// videoDir is where the face video of a session is kept, below the data folder.
func videoDir(dir, sessionID string) string { return filepath.Join(dir, "video", sessionID) }

// film keeps the video of the rig's camera in a data folder. It is the
// session.Film of a lab that has a camera.
type film struct {
	*record.Tap
	dir string
}

// Begin keeps the frames that are taken from since on.
func (f *film) Begin(sessionID string, segment int, since instant.Instant) error {
	return f.Tap.Begin(videoDir(f.dir, sessionID), segment, since)
}

// Closed names the files that have been closed since it was asked last.
func (f *film) Closed() []session.Video { return videos(f.Tap.Closed()) }

// End stops keeping and names the last files.
func (f *film) End() ([]session.Video, error) {
	files, err := f.Tap.End()
	return videos(files), err
}

// videos names files relative to the data folder.
func videos(files []record.File) []session.Video {
	named := make([]session.Video, 0, len(files))
	for _, v := range files {
		dir, name := filepath.Split(v.Path)
		named = append(named, session.Video{
			File: path.Join("video", filepath.Base(dir), name),
			From: v.From, Until: v.Until, Frames: v.Frames, Bytes: v.Bytes, SHA256: v.SHA256,
		})
	}
	return named
}
