package session

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A disk that fills up while a session is recorded ends it while there is still room to
// close it: it is sealed, says why, and no other one begins.
func TestADiskThatFillsUp(t *testing.T) {
	t.Parallel()
	var free atomic.Int64
	free.Store(100 << 30)
	b := newBench(t, func(o *Options) { o.DiskFree = func(string) (int64, error) { return free.Load(), nil } })
	id, err := b.Start(t.Context(), Request{Participant: "P1"})
	if err != nil {
		t.Fatal(err)
	}
	b.until(t, "the recording", func(s Status) bool { return s.Live })
	b.beats(t, 3)
	free.Store(DiskStop - 1)
	out := waitFor(t, b)
	if out.State != Sealed || out.Error != "" || !strings.HasPrefix(out.Reason, errDiskFull.Error()) || StoppedForGood(out.Reason) {
		t.Errorf("outcome %+v", out)
	}
	if tape := b.archive.find(id); tape.state != Sealed || tape.reason != out.Reason || tape.samples["eda"] != 3 {
		t.Errorf("kept are %+v", tape)
	}
	if _, err := b.Start(t.Context(), Request{Participant: "P2", Override: "no time"}); err == nil || !strings.Contains(err.Error(), "move old bundles away") {
		t.Errorf("another one begins: %v", err)
	}
	free.Store(100 << 30)
	if _, err := b.Start(t.Context(), Request{Participant: "P2"}); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}

// Of the hours that are left as many are told as there are, and no more.
func TestHoursAreNotRoundedUp(t *testing.T) {
	t.Parallel()
	for hours, want := range map[float64]string{55.9: "55", 10: "10", 9.99: "9.9", 3.96: "3.9", 0.04: "0.0", 0: "0.0"} {
		if got := inHours(hours); got != want {
			t.Errorf("%g hours are told as %s, want %s", hours, got, want)
		}
	}
}

func TestTheRoomInAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if free, err := DiskFree(dir); err != nil || free < 0 {
		t.Errorf("%d bytes, %v", free, err)
	}
	if _, err := DiskFree(filepath.Join(dir, "nothing")); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("of a folder that is not there: %v", err)
	}
}
