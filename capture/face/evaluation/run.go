// Package evaluation measures how well the face nets read labelled pictures:
// accuracy, what is mistaken for what, and how sure one can be of the figures.
package evaluation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"emolab/capture/face"
	"emolab/capture/frame"
	"emolab/fusion/expression"
)

// Reader reads a picture; face.Analyzer is one. It is used by one goroutine at
// a time.
type Reader interface {
	// Reset forgets the picture before, so that each is read by itself.
	Reset()
	Analyze(frame.Frame) (face.Result, error)
}

// Outcome is what became of one picture.
type Outcome struct {
	Labelled
	Err        error // the file could not be read; the rest is zero
	Found      bool  // a face was found in it
	Expression expression.Probabilities
}

// Run reads every picture of the set, as many at once as there are readers, and
// returns the outcomes in the set's order. A file that cannot be loaded is an
// outcome; a reader that fails is an error. progress, where not nil, is told
// after each picture, from several goroutines.
func Run(ctx context.Context, set Set, readers []Reader, load func(file string) (frame.Frame, error), progress func(done, total int)) ([]Outcome, error) {
	if len(readers) == 0 {
		return nil, errors.New("evaluation: no readers")
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	outcomes := make([]Outcome, len(set.Pictures))
	var next, done atomic.Int64
	var running sync.WaitGroup
	for _, r := range readers {
		running.Go(func() {
			for ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= len(set.Pictures) {
					return
				}
				o, err := read(r, set.Pictures[n], load)
				if err != nil {
					stop(fmt.Errorf("evaluation: %s: %w", o.File, err))
					return
				}
				outcomes[n] = o
				if d := done.Add(1); progress != nil {
					progress(int(d), len(set.Pictures))
				}
			}
		})
	}
	running.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return outcomes, nil
}

// read reads one picture.
func read(r Reader, l Labelled, load func(string) (frame.Frame, error)) (Outcome, error) {
	o := Outcome{Labelled: l}
	f, err := load(l.File)
	if err != nil {
		o.Err = err
		return o, nil
	}
	r.Reset()
	result, err := r.Analyze(f)
	if err != nil {
		return o, err
	}
	o.Found, o.Expression = result.Found, result.Expression
	return o, nil
}
