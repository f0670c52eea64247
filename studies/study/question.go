package study

import (
	"slices"
	"strconv"
	"strings"

	"emolab/studies/study/expr"
)

const (
	maxQuestions = 50
	maxOptions   = 100
	maxBands     = 50
	// farthest bounds whole numbers that are asked for, in both directions.
	farthest = 1_000_000_000
	// defaultPoints is a Likert scale of which none is said: the usual one.
	defaultPoints = 7
	// fewestPoints and mostPoints bound all scales in points.
	fewestPoints, mostPoints = 2, 11
)

// screeningTypes and formTypes are what may be asked where.
func screeningTypes() []FieldType { return []FieldType{Integer, Choice, YesNo} }
func formTypes() []FieldType {
	return []FieldType{Integer, Choice, YesNo, Likert, VAS, AffectGrid, FreeText}
}

// readField reads a question of the screening or of a form. more are the keys that it
// may have besides.
func readField(n node, types []FieldType, more ...field) (Field, error) {
	f := Field{}
	required, low, high, points := "", false, false, false
	err := n.mapping(append([]field{
		{"id", into(&f.ID, node.answerWord)},
		{"ask", into(&f.Ask, node.wording)},
		{"type", func(n node) error {
			s, err := n.oneOf(each(types, func(t FieldType) string { return string(t) })...)
			f.Type = FieldType(s)
			return err
		}},
		{"choices", into(&f.Options, node.options)},
		{"points", func(n node) (err error) {
			points = true
			f.Points, err = n.count(fewestPoints, mostPoints)
			return err
		}},
		{"low", into(&f.Low, node.wording)},
		{"high", into(&f.High, node.wording)},
		{"min", func(n node) (err error) {
			low = true
			f.Min, err = n.count(-farthest, farthest)
			return err
		}},
		{"max", func(n node) (err error) {
			high = true
			f.Max, err = n.count(-farthest, farthest)
			return err
		}},
		{"required", func(n node) error {
			v, err := n.truth()
			required = strconv.FormatBool(v)
			return err
		}},
	}, more...)...)
	if err != nil {
		return f, err
	}
	if f.Type == "" {
		if f.Type = YesNo; f.Options != nil {
			f.Type = Choice
		}
	}
	f.Required = required == "true" || required == "" && f.Type != FreeText
	switch {
	case f.ID == "":
		return f, n.fail("the key id is missing: give the question a short name")
	case f.Ask == nil:
		return f, n.fail("the key ask is missing: what is the question?")
	case f.Type == Choice && f.Options == nil:
		return f, n.fail("the key choices is missing: what can be chosen?")
	case f.Type != Choice && f.Options != nil:
		return f, n.fail("has choices, but its type is %s: leave out one of the two", f.Type)
	case (low || high) && f.Type != Integer:
		return f, n.fail("has min or max, but its type is %s, not %s", f.Type, Integer)
	case points && f.Type != Likert && f.Type != AffectGrid:
		return f, n.fail("has points, but its type is %s, not %s or %s", f.Type, Likert, AffectGrid)
	case (f.Low != nil || f.High != nil) && f.Type != Likert && f.Type != VAS:
		return f, n.fail("has words for its ends, but its type is %s, not %s or %s", f.Type, Likert, VAS)
	}
	switch {
	case f.Type == Integer && !high:
		f.Max = farthest
	case f.Type == Likert && !points:
		f.Points = defaultPoints
	case f.Type == AffectGrid && !points:
		f.Points = defaultGrid
	}
	if f.Type == Integer && f.Min >= f.Max {
		return f, n.fail("min %d is not below max %d", f.Min, f.Max)
	}
	return f, nil
}

// options reads what can be chosen: words, or {value, label} with a label by language.
func (n node) options() ([]Option, error) {
	var all []Option
	err := n.each(maxOptions, func(n node) error {
		var o Option
		if s, err := n.name(); err == nil {
			o = Option{Value: s, Label: Text{"": s}}
		} else if err := n.mapping(
			field{"value", into(&o.Value, node.name)},
			field{"label", into(&o.Label, node.wording)},
		); err != nil {
			return err
		}
		switch {
		case o.Value == "":
			return n.fail("has no value")
		case slices.ContainsFunc(all, func(b Option) bool { return b.Value == o.Value }):
			return n.fail("%q comes twice", o.Value)
		case o.Label == nil:
			o.Label = Text{"": o.Value}
		}
		all = append(all, o)
		return nil
	})
	return all, err
}

func (o Option) canonical() string {
	return flowMap("value", quote(o.Value), "label", o.Label.canonical())
}

// pairs are the keys and values of a field in a study file.
func (f Field) pairs() []string {
	p := []string{"id", quote(f.ID), "ask", f.Ask.canonical(), "type", string(f.Type), "required", strconv.FormatBool(f.Required)}
	if f.Type == Choice {
		p = append(p, "choices", flowList(each(f.Options, Option.canonical)))
	}
	if f.Type == Integer {
		p = append(p, "min", strconv.Itoa(f.Min), "max", strconv.Itoa(f.Max))
	}
	if f.Points > 0 {
		p = append(p, "points", strconv.Itoa(f.Points))
	}
	return append(p, "low", f.Low.canonical(), "high", f.High.canonical())
}

func (d *document) readScreening(n node) error {
	return n.each(maxQuestions, func(n node) error {
		q, err := readQuestion(n)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(d.screening, func(b Question) bool { return b.ID == q.ID }) {
			return n.fail("the id %q is already that of another question", q.ID)
		}
		d.screening = append(d.screening, q)
		return nil
	})
}

// What may be kept of an answer.
const (
	keepBand = "band"
	keepPass = "pass_only"
)

func readQuestion(n node) (Question, error) {
	var q Question
	keep := ""
	var err error
	q.Field, err = readField(n, screeningTypes(),
		field{"pass", func(n node) error {
			var err error
			if q.Pass, err = n.text(); err == nil {
				err = n.condition(q.Pass)
			}
			return err
		}},
		field{"keep", func(n node) (err error) {
			keep, err = n.oneOf(keepBand, keepPass)
			return err
		}},
		field{"bands", into(&q.Bands, node.bands)},
		field{"override", into(&q.Override, node.text)},
	)
	switch {
	case err != nil:
		return q, err
	case !q.Required:
		return q, n.fail("cannot be optional: who takes part depends on it; ask it in a form instead")
	case q.Bands != nil && q.Type != Integer:
		return q, n.fail("has bands, but its type is %s: bands are ranges of whole numbers", q.Type)
	case keep == keepPass && q.Bands != nil:
		return q, n.fail("has bands, but keep: %s keeps none: leave out one of the two", keepPass)
	case keep == keepBand && q.Type == Integer && q.Bands == nil:
		return q, n.fail("keeps a band, but there are no bands: add  bands: [18-24, 25-34]")
	}
	if keep == keepBand && q.Type != Integer {
		for i, value := range q.values() {
			q.Bands = append(q.Bands, Band{Name: value, Min: i, Max: i})
		}
	}
	return q, nil
}

// values are all answers that a choice can have; nil for whole numbers.
func (f Field) values() []string {
	switch f.Type {
	case YesNo, ScopeField:
		return []string{Yes, No}
	case Choice:
		return each(f.Options, func(o Option) string { return o.Value })
	}
	return nil
}

// condition refuses what is no condition.
func (n node) condition(text string) error {
	if text == "" {
		return n.fail("is empty: leave the key out, or write a condition such as  18 <= age < 35")
	}
	if _, err := expr.Parse(text); err != nil {
		return n.fail("%v", err)
	}
	return nil
}

func (q Question) canonical() string {
	p := append(q.pairs(), "pass", quotedOrNone(q.Pass))
	switch {
	case q.Bands == nil:
		p = append(p, "keep", keepPass)
	case q.Type == Integer:
		p = append(p, "keep", keepBand, "bands", flowList(each(q.Bands, func(b Band) string { return quote(b.Name) })))
	default:
		p = append(p, "keep", keepBand)
	}
	return flowMap(append(p, "override", quotedOrNone(q.Override))...)
}

// bands reads ranges: 18-24, 5-10k, <18, >50k, 65+.
func (n node) bands() ([]Band, error) {
	var all []Band
	err := n.each(maxBands, func(n node) error {
		name, err := n.name()
		if err != nil {
			return err
		}
		b, ok := parseBand(name)
		switch {
		case !ok:
			return n.fail("%q is no range of numbers: write 18-24, 5-10k, <18, >50k or 65+", name)
		case slices.ContainsFunc(all, func(o Band) bool { return o.Name == b.Name }):
			return n.fail("%q comes twice", name)
		}
		all = append(all, b)
		return nil
	})
	return all, err
}

// parseBand makes a range of its name. A k or M at the upper end of "5-10k" holds for
// the lower one too.
func parseBand(name string) (Band, bool) {
	b := Band{Name: name, Min: -farthest, Max: farthest}
	text := strings.ReplaceAll(name, " ", "")
	ok := true
	switch {
	case strings.HasPrefix(text, "<="):
		b.Max, ok = amount(text[2:])
	case strings.HasPrefix(text, ">="):
		b.Min, ok = amount(text[2:])
	case strings.HasPrefix(text, "<"):
		b.Max, ok = amount(text[1:])
		b.Max--
	case strings.HasPrefix(text, ">"):
		b.Min, ok = amount(text[1:])
		b.Min++
	case strings.HasSuffix(text, "+"):
		b.Min, ok = amount(strings.TrimSuffix(text, "+"))
	default:
		low, high, two := strings.Cut(text, "-")
		if !two {
			low, high = text, text
		}
		lower, okLow := amount(low)
		upper, okHigh := amount(high)
		if scaled, same := amount(low + strings.TrimLeft(high, "0123456789.")); same && scaled <= upper {
			lower, okLow = scaled, true
		}
		b.Min, b.Max, ok = lower, upper, okLow && okHigh
	}
	return b, ok && b.Min <= b.Max
}

// amount reads a number such as 18, 5k, 1.5M.
func amount(s string) (int, bool) {
	factor := 1.
	switch {
	case strings.HasSuffix(s, "k"), strings.HasSuffix(s, "K"):
		factor, s = 1e3, s[:len(s)-1]
	case strings.HasSuffix(s, "M"):
		factor, s = 1e6, s[:len(s)-1]
	}
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v*factor > farthest || v*factor != float64(int(v*factor)) {
		return 0, false
	}
	return int(v * factor), true
}
