package shimmer3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// What can become of a command. Test with errors.Is.
var (
	errRefused = errors.New("the Shimmer refuses it")
	errSilent  = errors.New("no answer")
)

// talk is the speaking half of a dialogue, up to the start of the stream.
type talk struct {
	*dialogue
	w    io.Writer
	form form // of what comes, but for the answer that is awaited
}

// begin leaves the Shimmer streaming, or returns why it cannot.
func (t *talk) begin(ctx context.Context) error {
	if err := t.stop(ctx); err != nil {
		return err
	}
	t.form = form{status: 1, prefixed: true}
	kind, run, err := t.identify(ctx)
	if err != nil {
		return err
	}
	t.form.status = statusSize(kind, run)
	if run.instreamAck() {
		if _, err := t.ask(ctx, setInstreamAck(ackPrefixOff), attempts); err == nil {
			t.form.prefixed = false
		} else if !errors.Is(err, errRefused) {
			return err
		}
	}
	if err := t.checksums(ctx); err != nil {
		return err
	}
	about := fmt.Sprintf("%v, %v", kind, run)
	const tries = 2 // it is only said to people
	switch m, err := t.ask(ctx, getBattery(), tries); {
	case err == nil:
		about += fmt.Sprintf(", battery %.2f V", volts(m.Payload))
	case !errors.Is(err, errRefused) && !errors.Is(err, errSilent):
		return err
	}
	if t.form.layout, err = t.configure(ctx, kind); err != nil {
		return err
	}
	about += fmt.Sprintf(", %.4g Hz, range %v", tickHz/float64(t.form.layout.Divider), t.o.Range)
	if t.form.checksum == 0 {
		about += ", without checksums"
	}
	_, err = t.exchange(ctx, start(), attempts, about)
	if errors.Is(err, errRefused) || errors.Is(err, errSilent) {
		return fmt.Errorf("%w: check that it is not in its dock, and that it is charged", err)
	}
	t.listen(&stance{form: t.form, about: about})
	return err
}

// stop ends a stream that an earlier conversation left, and turns checksums off:
// they outlive a connection whose end the Shimmer has not seen. The answers have
// a form that is not known, and are not looked at.
func (t *talk) stop(ctx context.Context) error {
	deadline := time.NewTimer(t.pace.within)
	defer deadline.Stop()
	for {
		t.listen(&stance{deaf: true})
		if _, err := t.w.Write([]byte{cmdStop}); err != nil {
			return err
		}
		switch done, err := t.hush(ctx, t.pace.stopped, t.pace.stopped); {
		case err != nil:
			return err
		case done:
			if _, err := t.w.Write(setChecksum(checksumOff).bytes); err != nil {
				return err
			}
			_, err := t.hush(ctx, t.pace.quiet, t.pace.within)
			return err
		}
		select {
		case <-deadline.C:
			return fmt.Errorf("what is on this port has not stopped sending after %v: check that it is the Shimmer's port, and that no other program talks to it", t.pace.within)
		default:
		}
	}
}

// hush waits until nothing has come for a time, but not longer than most, and
// tells whether it is quiet.
func (t *talk) hush(ctx context.Context, calm, most time.Duration) (bool, error) {
	still := time.NewTimer(calm)
	defer still.Stop()
	late := time.NewTimer(most + calm)
	defer late.Stop()
	for {
		select {
		case <-t.heard:
			still.Reset(calm)
		case <-still.C:
			return true, nil
		case <-late.C:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// identify asks what is there, and refuses what this driver does not speak with.
func (t *talk) identify(ctx context.Context) (hardware, firmware, error) {
	m, err := t.ask(ctx, getDevice(), attempts)
	if errors.Is(err, errSilent) {
		return 0, firmware{}, fmt.Errorf("%w: check that this is the Shimmer's port, that it is on and near, and not in its dock", err)
	}
	if err != nil {
		return 0, firmware{}, fmt.Errorf("%w: check that this is the Shimmer's port; it may be set to synchronise its card recordings with others: switch that off with the vendor's software", err)
	}
	kind := hardware(m.Payload[0])
	if !kind.known() {
		return 0, firmware{}, fmt.Errorf("this is a Shimmer of %v, need a Shimmer3 (%d) or Shimmer3R (%d)", kind, shimmer3, shimmer3R)
	}
	if m, err = t.ask(ctx, getFirmware(), attempts); err != nil {
		return 0, firmware{}, err
	}
	run := parseFirmware(m.Payload)
	if run.kind != logAndStream || !run.longTicks() {
		return 0, firmware{}, fmt.Errorf("the Shimmer runs %v, need LogAndStream 0.5.4 or later: install it with the vendor's software", run)
	}
	return kind, run, nil
}

// checksums turns them on where they are wanted and the firmware has them.
func (t *talk) checksums(ctx context.Context) error {
	if !t.o.CRC {
		return nil
	}
	const tries = 2 // the second for an answer that was lost
	t.form.checksum = checksumSize
	_, err := t.ask(ctx, setChecksum(checksumTwo), tries)
	if err == nil || !errors.Is(err, errSilent) && !errors.Is(err, errRefused) {
		return err
	}
	// Its answer did not have one. Make sure that none will.
	t.form.checksum = 0
	t.listen(&stance{deaf: true})
	if _, err := t.w.Write(setChecksum(checksumOff).bytes); err != nil {
		return err
	}
	_, err = t.hush(ctx, t.pace.quiet, t.pace.within)
	return err
}

// configure sets the sensors, the rate and the range, and returns the form of the
// packets. What counts is what the Shimmer says in the end: one that is
// recording on its card refuses to be set, but may be set right already.
func (t *talk) configure(ctx context.Context, kind hardware) (Layout, error) {
	refused := ""
	divider := t.o.divider()
	for _, c := range []command{setSensors(), setRate(uint16(divider)), setRange(t.o.Range.code())} {
		_, err := t.ask(ctx, c, attempts)
		if err != nil && !errors.Is(err, errRefused) {
			return Layout{}, err
		}
		if err != nil {
			refused = "; it refuses to be set, probably because it is recording on its card: stop that"
		}
	}
	m, err := t.ask(ctx, inquiry(kind), attempts)
	if err != nil {
		return Layout{}, err
	}
	q := parseInquiry(kind, m.Payload)
	if q.Divider != divider {
		return Layout{}, fmt.Errorf("the Shimmer takes a sample each %d ticks instead of %d%s", q.Divider, divider, refused)
	}
	if q.Range != int(t.o.Range.code()) {
		return Layout{}, fmt.Errorf("the Shimmer's range is %d instead of %d (4 is auto)%s", q.Range, t.o.Range.code(), refused)
	}
	l, err := q.layout(kind)
	if err != nil {
		return Layout{}, fmt.Errorf("%w%s", err, refused)
	}
	return l, nil
}

// ask puts a command until it is answered, and returns the answer. It fails with
// errRefused, errSilent, the context's error or that of the port.
func (t *talk) ask(ctx context.Context, c command, tries int) (Message, error) {
	return t.exchange(ctx, c, tries, "")
}

func (t *talk) exchange(ctx context.Context, c command, tries int, about string) (Message, error) {
	wait := t.pace.patience
	for range tries {
		select {
		case <-t.replies: // to nothing that is still out
		default:
		}
		f := t.form
		f.await = &c.reply
		t.listen(&stance{form: f, about: about})
		if _, err := t.w.Write(c.bytes); err != nil {
			return Message{}, err
		}
		late := time.NewTimer(wait)
		select {
		case m := <-t.replies:
			late.Stop()
			if m.Kind == Nack {
				return Message{}, fmt.Errorf("asked for %s: %w", c.name, errRefused)
			}
			return m, nil
		case <-ctx.Done():
			late.Stop()
			return Message{}, ctx.Err()
		case <-late.C:
		}
		wait *= 2
		if about != "" {
			continue // data may be coming, and do not become quiet
		}
		t.listen(&stance{deaf: true})
		if _, err := t.hush(ctx, t.pace.quiet, t.pace.within); err != nil {
			return Message{}, err
		}
	}
	return Message{}, fmt.Errorf("asked for %s: %w", c.name, errSilent)
}

// listen tells the hearing half what to expect.
func (t *talk) listen(s *stance) { t.now.Store(s) }
