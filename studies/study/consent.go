package study

import (
	"slices"
	"strconv"
	"strings"
)

const (
	// tracesScope allows recording numbers; without it there is nothing to take part in.
	tracesScope = "traces"
	// maxScopes bounds what one page can ask for.
	maxScopes = 20

	// afterPayment marks the one limit that is counted from the payment.
	afterPayment = "_after_payment"
)

// knownScopes are the scopes for which there are built-in words.
func knownScopes() []string {
	return []string{tracesScope, FaceVideoScope, "publish_aggregates", "publish_clips"}
}

func (d *document) readConsent(n node) error {
	var texts, notices []reference
	err := n.mapping(
		field{"text", func(n node) (err error) {
			texts, err = n.files("consent")
			return err
		}},
		field{"ai_notice", func(n node) (err error) {
			notices, err = n.files("notice")
			return err
		}},
		field{"scopes", d.readScopes},
		field{"retain", d.readRetain},
	)
	d.texts = append(append(d.texts, texts...), notices...)
	slices.SortFunc(d.texts, byKey)
	return err
}

func (d *document) readScopes(n node) error {
	given := []scope{}
	err := n.entries(func(name string, at, value node) error {
		if !answerWord.MatchString(name) {
			return at.fail("%q is no name of a scope: use letters, digits and _ (at most 32, a letter first)", name)
		}
		s := scope{name: name, required: name == tracesScope}
		err := value.mapping(
			field{"required", into(&s.required, node.truth)},
			field{"ask", into(&s.ask, node.wording)},
		)
		switch {
		case err != nil:
			return err
		case name == tracesScope && !s.required:
			return value.fail("cannot be left to choose: without it nothing is recorded, and there is no session; who does not agree declines")
		case s.ask == nil && !slices.Contains(knownScopes(), name):
			return value.fail("needs the key ask: what does the participant agree to? Built-in words there are for %s", strings.Join(knownScopes(), ", "))
		case len(given) == maxScopes:
			return value.fail("is scope number %d; at most %d can be asked", maxScopes+1, maxScopes)
		}
		given = append(given, s)
		return nil
	})
	if !slices.ContainsFunc(given, func(s scope) bool { return s.name == tracesScope }) {
		given = append([]scope{{name: tracesScope, required: true}}, given...)
	}
	d.scopes = given
	return err
}

// retention is Retain as a study file says it.
type retention struct {
	faceVideo, traces period // from the end of the session
	identity          period // from the payment of the participant
}

func (r retention) lengths() Retain {
	return Retain{FaceVideo: r.faceVideo.length(), Traces: r.traces.length(), Identity: r.identity.length()}
}

func (d *document) readRetain(n node) error {
	kept := func(dst *period, suffix string) func(node) error {
		return func(n node) (err error) {
			*dst, err = n.period(suffix)
			return err
		}
	}
	return n.mapping(
		field{FaceVideoScope, kept(&d.retain.faceVideo, "")},
		field{tracesScope, kept(&d.retain.traces, "")},
		field{"identity", kept(&d.retain.identity, afterPayment)},
	)
}

// period reads how long something is kept: 30d, 6w, 24m, 2y. A suffix that says from when
// may follow.
func (n node) period(suffix string) (period, error) {
	s, err := n.text()
	if err != nil {
		return period{}, n.fail("is a number and a unit, such as 30d or 24m")
	}
	p, ok := parsePeriod(strings.TrimSuffix(s, suffix))
	switch {
	case !ok:
		return p, n.fail("%q is no time to keep data: write a number and d, w, m or y (days, weeks, months, years), such as 30d or 24m", s)
	case p.length() > longestKept:
		return p, n.fail("%s is longer than fifty years", s)
	}
	return p, nil
}

func (d document) canonicalConsent() string {
	var scopes []string
	for _, s := range d.scopes {
		scopes = append(scopes, s.name, flowMap("required", strconv.FormatBool(s.required), "ask", s.ask.canonical()))
	}
	return flowMap("text", files(d.texts, "consent"), "ai_notice", files(d.texts, "notice"),
		"scopes", flowMap(scopes...), "retain", d.retain.canonical())
}

func (r retention) canonical() string {
	identity := r.identity.String()
	if identity != "" {
		identity += afterPayment
	}
	if r == (retention{}) {
		return ""
	}
	return flowMap(FaceVideoScope, r.faceVideo.String(), tracesScope, r.traces.String(), "identity", identity)
}
