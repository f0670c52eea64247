package session

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// drawn is how many bytes of an id are drawn: two that begin within the same second are
// the same once in 17 million times, and then the second is refused.
const drawn = 3

// NewID makes the id of a session that begins at that time: date and time in UTC, and
// six digits that were drawn, such as "20261122-091503-3f9a1c". It names files, bundles
// and folders, so it does not say whose session it is: that may change, and files lie
// about when it has.
func NewID(wall time.Time) string {
	var b [drawn]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return wall.UTC().Format("20060102-150405-") + hex.EncodeToString(b[:])
}
