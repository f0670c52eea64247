package align

import (
	"time"

	"emolab/fusion/stream"
)

// Unseen is what the bounds of a stream hold for a latency that its clock cannot
// tell and that nobody has measured: from the browser's display time to the light,
// from a camera to a stamp taken here, from an exposure to another computer's stamp. It is 0 where the latency was measured, and
// where there is none.
func Unseen(info stream.Info) time.Duration {
	m, err := methodOf(info)
	if err != nil || info.Shift != nil {
		return 0
	}
	return m.within
}
