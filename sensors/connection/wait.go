package connection

import (
	"context"
	"time"
)

// Wait lets t pass and tells whether ctx still lasts. It is what a driver's Speak
// waits with.
func Wait(ctx context.Context, t time.Duration) bool {
	if t <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
