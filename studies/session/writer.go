package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"emolab/fusion/bus"
	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

const (
	// flushEvery and flushSamples bound one transaction: what a killed process
	// loses at most, and how large a write may grow in a burst. Twice as often as
	// the 50 ms of the design: a camera frame has been on its way through the nets
	// for some 50 ms when it gets here, and no more than 100 may be lost. A commit
	// takes half a millisecond.
	flushEvery   = 25 * time.Millisecond
	flushSamples = 512
	// backlog is how many chunks may wait for the disk: some 20 s of a full lab.
	// Beyond it the lab is held up, which stallLimit turns into a failure.
	backlog = 4096
	// stallLimit is how long a write may take before the session is declared
	// failed, rather than let the devices' own buffers overflow unseen.
	stallLimit = 10 * time.Second
)

// errStalled is the reason of a session whose disk did not answer.
var errStalled = errors.New("the disk did not take the data within " + stallLimit.String() +
	": what was written until then is safe; check the disk before you continue")

// write carries chunks from the bus to the recorder until the subscription
// ends, one transaction per flushEvery or flushSamples. Steps of the plan, answers of
// the participant, targets and decisions come in between, on reached, answers and
// notes. Files of
// video are noted as they close, so that a killed process leaves none that nobody
// knows of. first is written before anything else. It is the only user of rec while
// it runs.
func write(ctx context.Context, rec Recorder, first []stream.Chunk, sub *bus.Subscription, reached <-chan arrival, answers <-chan answer, notes <-chan note, closed func() []Video) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	batch, samples := first, 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := timely(ctx, func(ctx context.Context) error { return rec.Append(ctx, batch) }); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		batch, samples = nil, 0
		return nil
	}
	for {
		select {
		case c, open := <-sub.C():
			if !open {
				return flush()
			}
			batch = append(batch, c)
			samples += len(c.Samples)
			if samples < flushSamples {
				continue
			}
		case a := <-reached:
			if err := timely(ctx, func(ctx context.Context) error { return rec.Reached(ctx, a.step, a.at) }); err != nil {
				return fmt.Errorf("note step %d: %w", a.step, err)
			}
			continue
		case a := <-answers:
			if err := timely(ctx, func(ctx context.Context) error { return rec.Consent(ctx, a.Consent) }); err != nil {
				return fmt.Errorf("keep the answer about %s: %w", a.Scope, err)
			}
			close(a.kept)
			continue
		case n := <-notes:
			if err := timely(ctx, n.keep(rec)); err != nil {
				return fmt.Errorf("keep what was shown or decided: %w", err)
			}
			continue
		case <-tick.C:
			for _, v := range closed() {
				if err := timely(ctx, func(ctx context.Context) error { return rec.Video(ctx, v) }); err != nil {
					return fmt.Errorf("note the video %s: %w", v.File, err)
				}
			}
		}
		if err := flush(); err != nil {
			return err
		}
	}
}

// arrival is a step of the plan that has begun.
type arrival struct {
	step int
	at   instant.Instant
}

// answer is a consent to be written; kept is closed when it is.
type answer struct {
	Consent
	kept chan<- struct{}
}

// keep returns what writes the note to rec.
func (n note) keep(rec Recorder) func(context.Context) error {
	return func(ctx context.Context) error {
		if n.target != nil {
			return rec.Target(ctx, *n.target)
		}
		return rec.Decision(ctx, *n.decision)
	}
}

// timely writes within stallLimit; later, the error is errStalled.
func timely(ctx context.Context, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stallLimit, errStalled)
	defer cancel()
	err := write(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}
