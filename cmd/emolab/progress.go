package main

import (
	"io"
	"os"

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
