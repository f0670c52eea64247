package console

import (
	"fmt"
	"testing"
)

func texts(list [][]byte) []string {
	var out []string
	for _, b := range list {
		out = append(out, string(b))
	}
	return out
}

func TestOutboxSkipsToTheLatestAndCounts(t *testing.T) {
	o := newOutbox([]byte("hello"))
	for i := range outboxDepth + 3 {
		o.putBatch(fmt.Append(nil, i))
	}
	o.putReport([]byte("old"))
	o.putReport([]byte("new"))
	p := o.take()
	if string(p.hello) != "hello" || string(p.report) != "new" {
		t.Errorf("hello %q, report %q: want the hello and only the latest report", p.hello, p.report)
	}
	if p.skipped != outboxDepth {
		t.Errorf("skipped %d, want %d", p.skipped, outboxDepth)
	}
	if got, want := fmt.Sprint(texts(p.batches)), fmt.Sprint([]int{outboxDepth, outboxDepth + 1, outboxDepth + 2}); got != want {
		t.Errorf("batches %s, want %s", got, want)
	}
	o.putBatch([]byte("next"))
	if p := o.take(); p.skipped != 0 || p.hello != nil || p.report != nil || len(p.batches) != 1 {
		t.Errorf("second parcel %+v: want the next batch alone", p)
	}
}

func TestOutboxPauseAndReplay(t *testing.T) {
	o := newOutbox(nil)
	o.putBatch([]byte("seen"))
	o.pause()
	o.putBatch([]byte("unseen"))
	if p := o.take(); len(p.batches) != 0 || p.replays {
		t.Errorf("a paused page was sent %v", texts(p.batches))
	}
	var past [][]byte
	for i := range 10 * outboxDepth { // the past may be longer than the queue
		past = append(past, fmt.Append(nil, i))
	}
	o.replay(past)
	o.putBatch([]byte("live"))
	p := o.take()
	if !p.replays || len(p.batches) != len(past)+1 || string(p.batches[len(past)]) != "live" || p.skipped != 0 {
		t.Errorf("replay %v, %d batches, %d skipped; want the past, then live", p.replays, len(p.batches), p.skipped)
	}
	o.replay(nil)
	if p := o.take(); !p.replays {
		t.Error("an empty past was not told: the page would keep what it had")
	}
}

func TestOutboxWakesItsReader(t *testing.T) {
	o := newOutbox([]byte("hello"))
	<-o.ready // the hello
	o.take()
	select {
	case <-o.ready:
		t.Fatal("ready although there is nothing")
	default:
	}
	o.putBatch([]byte("b"))
	o.putReport([]byte("r"))
	<-o.ready
	if p := o.take(); p.report == nil || len(p.batches) != 1 {
		t.Errorf("parcel %+v", p)
	}
}
