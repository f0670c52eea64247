package main

import (
	"path/filepath"

	"emolab/capture/record"
	"emolab/studies/replay"
)

// keptFaces gives the kept video of faces in a data folder to the replay, picture by picture.
type keptFaces struct {
	dir    string
	stills record.Stills
}

// Frames lists the pictures that are kept of a session.
func (f *keptFaces) Frames(sessionID string) ([]replay.FaceFrame, error) {
	kept, err := record.List(videoDir(f.dir, sessionID))
	if err != nil {
		return nil, err
	}
	out := make([]replay.FaceFrame, len(kept))
	for i, k := range kept {
		out[i] = replay.FaceFrame{Segment: k.Segment, Seq: k.Seq, At: k.At, File: k.File, Place: k.Place}
	}
	return out, nil
}

// JPEG returns one of them.
func (f *keptFaces) JPEG(sessionID string, frame replay.FaceFrame) ([]byte, error) {
	return f.stills.JPEG(filepath.Join(videoDir(f.dir, sessionID), frame.File), frame.Place)
}
