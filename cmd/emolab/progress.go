package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows the progress of long work on a terminal, and nothing elsewhere, so
// that logs stay readable. It writes to standard error only, so that results
// can be piped.
type bar struct{ p *progressbar.ProgressBar }

func newBar(w io.Writer, total int, doing string) *bar {
	return &bar{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(isTerminal(w)),
		progressbar.OptionSetDescription(doing),
		progressbar.OptionSetWidth(30),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionShowCount(),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSetPredictTime(true),
	)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// set shows done of total. A bar that cannot be drawn is no reason to stop.
func (b *bar) set(done, total int, doing string) {
	b.p.ChangeMax(total)
	b.p.Describe(doing)
	_ = b.p.Set(done)
}

func (b *bar) finish() { _ = b.p.Finish() }

// sayEvery is how long nothing is said at most where there is no terminal for a bar: long
// enough for a log, and short enough that nobody takes the program for dead.
const sayEvery = 8 * time.Second

// recordingBegins is said once for each person who is recorded.
const recordingBegins = "the recording begins"

// teller says in lines how far long work is, where there is no terminal for a bar.
type teller struct {
	w           io.Writer // nil = a bar tells
	began, last time.Time
}

func newTeller(w io.Writer) *teller {
	now := time.Now()
	t := &teller{began: now, last: now}
	if !isTerminal(w) {
		t.w = w
	}
	return t
}

// tell says what goes on at a time, if nothing was said for a while.
func (t *teller) tell(now time.Time, doing string) {
	if now.Sub(t.last) >= sayEvery {
		t.say(now, doing)
	}
}

// say says what is worth a line of its own.
func (t *teller) say(now time.Time, what string) {
	if t.w == nil {
		return
	}
	t.last = now
	fmt.Fprintf(t.w, "  %3.0f s  %s\n", now.Sub(t.began).Seconds(), what)
}
