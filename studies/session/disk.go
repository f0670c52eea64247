package session

import (
	"context"
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// DiskWarn and DiskStop are the free bytes at which the console warns, and
	// at which a running session is closed cleanly while that is still possible.
	DiskWarn = 5 << 30
	DiskStop = 1 << 30
	// TypicalBytesPerHour of a lab with camera, eye tracker and EDA at 30, 60 and
	// 100 Hz, the database and the bundle together, measured by `emolab bench
	// record`; it turns free bytes into hours.
	TypicalBytesPerHour = 460 << 20

	// watchEvery is how often a running session looks at the disk.
	watchEvery = time.Second
)

// RecordingHours is for how long a session can be recorded into so many free bytes
// before it would be closed for lack of room. filmed: participants may allow the video of
// their face, and the hours hold if they do.
func RecordingHours(free int64, filmed bool) float64 {
	perHour := float64(TypicalBytesPerHour)
	if filmed {
		perHour += TypicalVideoBytesPerHour
	}
	return max(0, float64(free-DiskStop)) / perHour
}

// inHours are hours as a person reads them, never more than there are.
func inHours(h float64) string {
	if h >= 10 {
		return fmt.Sprintf("%.0f", math.Floor(h))
	}
	return fmt.Sprintf("%.1f", math.Floor(10*h)/10)
}

// DiskFree returns the bytes that an ordinary user can still write below dir.
func DiskFree(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("ask how much room %s has: %w", dir, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// watchDisk returns an error when the disk is nearly full, so that the session
// is closed while there is room to close it.
func (m *Manager) watchDisk(ctx context.Context) error {
	for {
		if err := wait(ctx, watchEvery); err != nil {
			return err
		}
		free, err := m.o.DiskFree(m.o.Dir)
		if err != nil {
			return err
		}
		if free < DiskStop {
			return fmt.Errorf("%w: %d MB left in %s", errDiskFull, free>>20, m.o.Dir)
		}
	}
}
