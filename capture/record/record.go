// Package record keeps the video of the participant's face, where the
// participant has allowed it: a Tap stands between a camera and the analysis,
// lets every frame pass untouched, and between Begin and End also writes it to
// Matroska files of at most 2 s, with a table that says which frame is which.
// Read gives the frames back. Whether it is allowed is not decided here.
//
// With the build tag nocv there is no encoder, and Begin says so.
package record

import (
	"fmt"
	"path/filepath"
	"time"

	"emolab/capture/frame"
	"emolab/fusion/instant"
)

const (
	// maxLength of a file. A process that is killed loses at most the file that
	// was open; a shorter one would spend more on its key frame and its closing.
	maxLength = 2 * time.Second
	// waiting is how many frames may wait for the encoder: a third of a second at
	// 30 Hz, ten times as long as closing one file and opening the next takes. At
	// 1280x720 px they hold 28 MB.
	waiting = 10

	// Nobody but the account that Emolab runs under may look at a face.
	folderMode = 0o700
	fileMode   = 0o600
)

// File is one finished file of video.
type File struct {
	Path        string          // the folder that Begin was given, and the name in it
	From, Until instant.Instant // capture of its first and of its last frame
	Frames      int64
	Bytes       int64
	SHA256      string // hex
}

// Kept is a frame read back: the picture as it was encoded, with the number and
// the instants that it had when it was taken. Seq is that of the face stream's
// sample of the same frame.
type Kept struct {
	Segment int // the number that Begin was given
	Epoch   int // how often the camera had been opened again
	frame.Frame
}

// tablePath is the frame table of a segment.
func tablePath(dir string, segment int) string {
	return filepath.Join(dir, fmt.Sprintf("segment-%02d.csv", segment))
}

// videoPath is file n of a segment.
func videoPath(dir string, segment, n int) string {
	return filepath.Join(dir, fmt.Sprintf("segment-%02d-%05d.mkv", segment, n))
}
