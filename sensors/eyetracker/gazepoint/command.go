package gazepoint

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

const (
	// answerWithin is how long an answer may take before the command is repeated:
	// many times what a tracker needs, through a slow bridge.
	answerWithin = 500 * time.Millisecond
	// attempts per command, before the line is given up as not a tracker's.
	attempts = 8
	// optionalAttempts are enough for what the driver can do without: a line that
	// damages one message in ten loses all of them once in a hundred times.
	optionalAttempts = 3
	// maxAnswers bounds the answers that wait to be looked at.
	maxAnswers = 64

	productID  = "PRODUCT_ID"
	enableData = "ENABLE_SEND_DATA"
)

// command is something said to the tracker that it answers with ACK or NACK.
type command struct {
	id       string
	text     []byte
	optional bool // a tracker that refuses or ignores it is still of use
}

// setUp are the commands that start the records, sent one by one, each after the
// other's answer.
func setUp(o Options) []command {
	all := []command{
		get(productID),
		enable("ENABLE_SEND_COUNTER"),
		enable("ENABLE_SEND_TIME"),
		enable("ENABLE_SEND_POG_BEST"),
		enable("ENABLE_SEND_PUPILMM"),
	}
	all[0].optional, all[4].optional = true, true
	if o.Biometrics {
		all = append(all, enable("ENABLE_SEND_GSR"))
	}
	return append(all, enable(enableData))
}

func get(id string) command {
	return command{id: id, text: fmt.Appendf(nil, "<GET ID=%q />\r\n", id)}
}

func enable(id string) command { return set(id, "STATE", "1") }

func disable(id string) command { return set(id, "STATE", "0") }

// set makes the command that sets the values, given as name, value, name, value.
func set(id string, values ...string) command {
	text := fmt.Appendf(nil, "<SET ID=%q", id)
	for i := 0; i < len(values); i += 2 {
		text = fmt.Appendf(text, " %s=%q", values[i], values[i+1])
	}
	return command{id: id, text: append(text, " />\r\n"...)}
}

// decimal writes x as the tracker reads it: no exponent, no digits too many.
func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// answer is what the tracker said to a command.
type answer struct {
	id     string
	ok     bool    // ACK
	values Message // of the answer; a copy
}

// ask sends a command until it is answered, and returns the answer. Of an
// optional command, no answer is the answer {}.
func (d *dialogue) ask(ctx context.Context, w io.Writer, c command) (answer, error) {
	tries := attempts
	if c.optional {
		tries = optionalAttempts
	}
	for range tries {
		if _, err := w.Write(c.text); err != nil {
			return answer{}, err
		}
		if a, ok := d.answered(ctx, c.id); ok {
			return a, nil
		}
		if err := ctx.Err(); err != nil {
			return answer{}, err
		}
	}
	if c.optional {
		return answer{}, nil
	}
	return answer{}, fmt.Errorf("gazepoint: no answer to %s: check that this is the tracker's port and that its server runs", c.id)
}

// answered waits for the answer to the command id, for as long as one may take.
func (d *dialogue) answered(ctx context.Context, id string) (answer, bool) {
	late := time.NewTimer(answerWithin)
	defer late.Stop()
	for {
		select {
		case a := <-d.answers:
			if a.id == id {
				return a, true
			}
		case <-late.C:
			return answer{}, false
		case <-ctx.Done():
			return answer{}, false
		}
	}
}

// demand asks for something without which there is no going on.
func (d *dialogue) demand(ctx context.Context, w io.Writer, c command) (answer, error) {
	a, err := d.ask(ctx, w, c)
	if err == nil && !a.ok && !c.optional {
		err = fmt.Errorf("gazepoint: the tracker refuses %s: it needs the part that this is for, and software with Open Gaze API 2.4 or later", c.id)
	}
	return a, err
}
