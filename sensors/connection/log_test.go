package connection

import (
	"context"
	"strings"
	"testing"
	"time"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// sent returns the chunks that the log would send now.
func sent(t *testing.T, l *Log) []stream.Chunk {
	t.Helper()
	out := make(chan stream.Chunk, 100)
	if !l.send(context.Background(), out) {
		t.Fatal("send was interrupted")
	}
	close(out)
	var all []stream.Chunk
	for c := range out {
		all = append(all, c)
	}
	return all
}

func TestEpochsCutChunks(t *testing.T) {
	l := newLog("eda")
	l.Connected(1, "first")
	l.Sample(10, 2, []float64{1})
	l.Lost(3, 5)
	l.Sample(20, 3, []float64{2})
	l.Rebase(4, "clock")
	l.Sample(1, 5, []float64{3})
	chunks := sent(t, l)
	if len(chunks) != 2 || chunks[0].Epoch != 0 || chunks[1].Epoch != 1 {
		t.Fatalf("%+v, want one chunk an epoch", chunks)
	}
	var seqs []int64
	for _, c := range chunks {
		for _, s := range c.Samples {
			seqs = append(seqs, s.Seq)
		}
	}
	if len(seqs) != 3 || seqs[0] != 0 || seqs[1] != 6 || seqs[2] != 7 {
		t.Errorf("numbers %v, want 0, 6 and 7", seqs)
	}
	if again := sent(t, l); len(again) != 0 {
		t.Errorf("sent twice: %+v", again)
	}
}

// What came before the first connection is of epoch 0, as the schema wants it.
func TestTroubleBeforeTheFirstConnection(t *testing.T) {
	l := newLog("eda")
	for range 3 {
		l.disconnected(1, "no such port")
	}
	l.disconnected(2, "no permission")
	chunks := sent(t, l)
	if len(chunks) != 1 || chunks[0].Epoch != 0 || len(chunks[0].Events) != 2 {
		t.Fatalf("%+v, want two events in one chunk of epoch 0", chunks)
	}
	l.Connected(3, "")
	l.disconnected(4, "no permission")
	if events := sent(t, l)[0].Events; len(events) != 2 || events[1].Kind != stream.Disconnected {
		t.Errorf("%+v, want Disconnected again after it was connected", events)
	}
}

func TestFaultsAreReportedOnceASecond(t *testing.T) {
	l := newLog("eda")
	l.Connected(0, "")
	at := instant.Instant(0)
	for range 100 { // 3 s, a fault every 30 ms
		at = at.Add(30 * time.Millisecond)
		l.Fault(2, "wrong checksum")
		l.Fault(1, "half frame")
		l.Fault(0, "nothing")
		l.reportFaults(at, false)
	}
	var total int64
	var faults []stream.Event
	for _, c := range sent(t, l) {
		for _, e := range c.Events {
			if e.Kind == stream.Fault {
				total += e.Count
				faults = append(faults, e)
			}
		}
	}
	if len(faults) != 3 {
		t.Errorf("%d reports in 3 s, want 3", len(faults))
	}
	if want := "1 × half frame, 2 × wrong checksum"; faults[0].Detail != want {
		t.Errorf("%q, want %q", faults[0].Detail, want)
	}
	if strings.Contains(faults[1].Detail, "nothing") {
		t.Errorf("%q reports what did not happen", faults[1].Detail)
	}
	l.disconnected(at, "pulled")
	for _, e := range sent(t, l)[0].Events {
		if e.Kind == stream.Fault {
			total += e.Count
		}
	}
	if total != 300 {
		t.Errorf("%d faults reported, want all 300", total)
	}
}
