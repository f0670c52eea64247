package study

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// tracesScope allows recording numbers; without it there is nothing to take part in.
	tracesScope = "traces"
	// maxScopes bounds what one page can ask for.
	maxScopes = 20

	day = 24 * time.Hour
	// longestKept bounds how long data are kept: beyond fifty years it is a slip.
	longestKept = 50 * 365 * day
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

func (d *document) readRetain(n node) error {
	kept := func(dst *time.Duration, suffix string) func(node) error {
		return func(n node) (err error) {
			*dst, err = n.kept(suffix)
			return err
		}
	}
	return n.mapping(
		field{FaceVideoScope, kept(&d.retain.FaceVideo, "")},
		field{tracesScope, kept(&d.retain.Traces, "")},
		field{"identity", kept(&d.retain.Identity, afterPayment)},
	)
}

var keptForm = regexp.MustCompile(`^([1-9][0-9]{0,4})([dwmy])$`)

// kept reads how long something is kept: 30d, 6w, 24m, 2y. A suffix that says from when
// may follow.
func (n node) kept(suffix string) (time.Duration, error) {
	s, err := n.text()
	if err != nil {
		return 0, n.fail("is a number and a unit, such as 30d or 24m")
	}
	m := keptForm.FindStringSubmatch(strings.TrimSuffix(s, suffix))
	if m == nil {
		return 0, n.fail("%q is no time to keep data: write a number and d, w, m or y (days, weeks, months, years), such as 30d or 24m", s)
	}
	k, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, n.fail("%q: %v", s, err)
	}
	switch m[2] {
	case "w":
		k *= 7
	case "m":
		k = k * 365 / 12 // 24m are two years
	case "y":
		k *= 365
	}
	d := time.Duration(k) * day
	if d > longestKept {
		return 0, n.fail("%s is longer than fifty years", s)
	}
	return d, nil
}

func (d document) canonicalConsent() string {
	var scopes []string
	for _, s := range d.scopes {
		scopes = append(scopes, s.name, flowMap("required", strconv.FormatBool(s.required), "ask", s.ask.canonical()))
	}
	return flowMap("text", files(d.texts, "consent"), "ai_notice", files(d.texts, "notice"),
		"scopes", flowMap(scopes...), "retain", d.retain.canonical())
}

func (r Retain) canonical() string {
	var pairs []string
	for _, k := range []struct {
		key    string
		kept   time.Duration
		suffix string
	}{{FaceVideoScope, r.FaceVideo, ""}, {tracesScope, r.Traces, ""}, {"identity", r.Identity, afterPayment}} {
		if k.kept > 0 {
			pairs = append(pairs, k.key, days(k.kept)+k.suffix)
		}
	}
	if pairs == nil {
		return ""
	}
	return flowMap(pairs...)
}
