package virtual

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// LabOptions say what virtual lab to build.
type LabOptions struct {
	Dir         string // where the ports appear; made if need be
	Truth       *script.Truth
	Clock       instant.Clock
	Disturbance Disturbance // of both lines
	Box         BoxOptions
	Tracker     TrackerOptions
	Seed        uint64 // of the lines
}

// Lab is a box and an eye tracker, plugged in, playing the same participant.
type Lab struct {
	Box     *Link
	Tracker *Link
}

// OpenLab starts a lab. Close ends it.
func OpenLab(o LabOptions) (*Lab, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("virtual: make the folder of the ports: %w", err)
	}
	box, err := NewLink(filepath.Join(o.Dir, "ttyBOX"), NewEDABox(o.Truth, o.Clock, o.Box), o.Disturbance, o.Seed, o.Clock)
	if err != nil {
		return nil, err
	}
	tracker, err := NewLink(filepath.Join(o.Dir, "ttyEYE"), NewEyeTracker(o.Truth, o.Clock, o.Tracker), o.Disturbance, o.Seed+1, o.Clock)
	if err != nil {
		return nil, fmt.Errorf("%w (box closed: %v)", err, box.Close())
	}
	return &Lab{Box: box, Tracker: tracker}, nil
}

// Close unplugs both devices and waits for them.
func (l *Lab) Close() error { return errors.Join(l.Box.Close(), l.Tracker.Close()) }
