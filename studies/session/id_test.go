package session

import (
	"regexp"
	"testing"
	"time"
)

func TestIDsSayWhenAndNotWhose(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^20261122-091503-[0-9a-f]{6}$`)
	at := time.Date(2026, 11, 22, 10, 15, 3, 0, time.FixedZone("CET", 3600))
	first, second := NewID(at), NewID(at)
	if !form.MatchString(first) || first == second {
		t.Errorf("ids of one second are %s and %s", first, second)
	}
}
