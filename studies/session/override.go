package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// Override is a gate that was passed although something was missing.
type Override struct {
	Gate    string          `json:"gate"`    // AtStart or AtBegin
	Missing []Readiness     `json:"missing"` // what was
	Reason  string          `json:"reason"`  // of whoever operates
	At      instant.Instant `json:"at_ns"`
}

// String says it in one line.
func (o Override) String() string {
	var missing []string
	for _, c := range o.Missing {
		missing = append(missing, c.Text)
	}
	when := map[string]string{AtStart: "start", AtBegin: "beginning of the recording"}[o.Gate]
	return fmt.Sprintf("at the %s, although: %s; because: %s", when, strings.Join(missing, "; "), o.Reason)
}

var (
	// ErrNotConfirmed is returned by Begin for what is not the end of the code. It does
	// not tell the right one: it is to be read where the participant sits.
	ErrNotConfirmed = errors.New("these are not the last two characters of this participant's code: compare it with their slip")
	errLongReason   = fmt.Errorf("the reason has more than %d bytes: say it in fewer words", maxReason)
)

// confirmBy is how many of the last characters of the code whoever operates types.
const confirmBy = 2

// confirms tells whether what was typed are the last characters of a code.
func confirms(typed, code string) bool {
	return Alike(strings.TrimSpace(typed), code[max(0, len(code)-confirmBy):])
}

// pass lets through a gate where nothing is missing, or what is missing is overridden. What
// was overridden at the gate before is so here.
func pass(gate string, checks []Readiness, reason string, now instant.Instant) (*Override, error) {
	reason = strings.TrimSpace(reason)
	if len(reason) > maxReason {
		return nil, errLongReason
	}
	missing := slices.DeleteFunc(slices.Clone(checks), func(c Readiness) bool {
		return c.Level != ReadyMissing && c.Level != ReadyWaiting
	})
	switch {
	case len(missing) == 0:
		return nil, nil
	case reason == "":
		return nil, &NotReadyError{Gate: gate, Checks: missing}
	}
	return &Override{Gate: gate, Missing: missing, Reason: reason, At: now}, nil
}

// excused makes what was overridden before something to be looked at.
func excused(checks []Readiness, overrides []Override) []Readiness {
	for i := range checks {
		for _, o := range overrides {
			same := func(c Readiness) bool { return c.ID == checks[i].ID }
			if checks[i].Level == ReadyMissing && slices.ContainsFunc(o.Missing, same) {
				checks[i].Level = ReadyAttention
				checks[i].Text += "; overridden: " + o.Reason
			}
		}
	}
	return checks
}

// remarks are the overrides of a run among its marks, at the instant at which its
// recording begins.
func remarks(overrides []Override, since instant.Instant) []stream.Chunk {
	if len(overrides) == 0 {
		return nil
	}
	c := stream.Chunk{Stream: MarksID}
	for _, o := range overrides {
		c.Events = append(c.Events, stream.Event{Kind: stream.Marker, At: since, Detail: "overridden " + o.String()})
	}
	return []stream.Chunk{c}
}

// keepOverrides keeps those of a gate.
func keepOverrides(ctx context.Context, rec Recorder, overrides []Override, gate string) error {
	for _, o := range overrides {
		if o.Gate != gate {
			continue
		}
		if err := rec.Override(ctx, o); err != nil {
			return err
		}
	}
	return nil
}
