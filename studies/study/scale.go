package study

import (
	"slices"
	"strconv"
)

const (
	maxScales = 50
	// samPoints is the manikin with figures between its five, as it is used most.
	samPoints = 9
	// defaultGrid is the affect grid as published (Russell, Weiss and Mendelsohn 1989).
	defaultGrid = 9
)

// scale is one page of ratings about a stimulus.
type scale struct {
	id     string
	kind   FieldType
	dims   []string // of a SAM
	points int      // of a SAM, a Likert scale and an affect grid
	low    Text     // of a Likert scale and a VAS: nil = built-in words
	high   Text
	items  []item // of a Likert scale, a VAS and free text
	// required says that the page goes on only when all of it is answered.
	required bool
}

// item is one thing to be rated on a scale.
type item struct {
	id  string
	ask Text
}

// dimensions are those that the manikin has figures for.
func dimensions() []string { return []string{"valence", "arousal", "dominance"} }

func (d *document) readScales(n node) error {
	return n.entries(func(id string, at, value node) error {
		if !answerWord.MatchString(id) {
			return at.fail("%q is no id of a scale: use letters, digits and _ (at most 32, a letter first)", id)
		}
		if len(d.scales) == maxScales {
			return at.fail("is scale number %d; at most %d are possible", maxScales+1, maxScales)
		}
		s, err := readScale(id, value)
		d.scales = append(d.scales, s)
		return err
	})
}

func readScale(id string, n node) (scale, error) {
	s := scale{id: id}
	required := true
	given := map[string]bool{}
	note := func(key string, read func(node) error) field {
		return field{key, func(n node) error {
			given[key] = true
			return read(n)
		}}
	}
	err := n.mapping(
		field{"type", func(n node) error {
			t, err := n.oneOf(string(SAM), string(AffectGrid), string(Likert), string(VAS), string(FreeText))
			s.kind = FieldType(t)
			return err
		}},
		note("dims", func(n node) error {
			return n.each(len(dimensions()), func(n node) error {
				dim, err := n.oneOf(dimensions()...)
				if err == nil && slices.Contains(s.dims, dim) {
					err = n.fail("%s comes twice", dim)
				}
				s.dims = append(s.dims, dim)
				return err
			})
		}),
		note("points", func(n node) (err error) {
			s.points, err = n.count(fewestPoints, mostPoints)
			return err
		}),
		note("size", func(n node) (err error) {
			s.points, err = n.count(fewestPoints, mostPoints)
			return err
		}),
		note("low", into(&s.low, node.wording)),
		note("high", into(&s.high, node.wording)),
		note("items", into(&s.items, node.items)),
		field{"required", func(n node) (err error) {
			given["required"] = true
			required, err = n.truth()
			return err
		}},
	)
	if err != nil {
		return s, err
	}
	if s.kind == "" {
		return s, n.fail("the key type is missing: %s, %s, %s, %s or %s", SAM, AffectGrid, Likert, VAS, FreeText)
	}
	for _, key := range []string{"dims", "points", "size", "low", "high", "items"} {
		if given[key] && !slices.Contains(s.kind.keys(), key) {
			return s, n.fail("has the key %s, which a scale of type %s has no use for", key, s.kind)
		}
	}
	s.required = required && (given["required"] || s.kind != FreeText)
	switch s.kind {
	case SAM:
		if s.dims == nil {
			s.dims = dimensions()[:2]
		}
		if s.points == 0 {
			s.points = samPoints
		}
		if !slices.Contains([]int{5, 7, 9}, s.points) {
			return s, n.fail("has %d points; the manikin has five figures, and so 5, 7 or 9 points", s.points)
		}
	case AffectGrid:
		if s.points == 0 {
			s.points = defaultGrid
		}
	case Likert:
		if s.points == 0 {
			s.points = defaultPoints
		}
	}
	if slices.Contains(s.kind.keys(), "items") && s.items == nil {
		return s, n.fail("the key items is missing: what is to be rated?  items: [{id: liked, ask: \"I liked this video\"}]")
	}
	return s, nil
}

// keys are those that a scale of this type has use for.
func (t FieldType) keys() []string {
	switch t {
	case SAM:
		return []string{"dims", "points"}
	case AffectGrid:
		return []string{"size", "points"}
	case Likert:
		return []string{"points", "low", "high", "items"}
	case VAS:
		return []string{"low", "high", "items"}
	}
	return []string{"items"}
}

func (n node) items() ([]item, error) {
	var all []item
	err := n.each(maxQuestions, func(n node) error {
		var i item
		err := n.mapping(
			field{"id", into(&i.id, node.answerWord)},
			field{"ask", into(&i.ask, node.wording)},
		)
		switch {
		case err != nil:
			return err
		case i.id == "" || i.ask == nil:
			return n.fail("needs both id and ask")
		case slices.ContainsFunc(all, func(b item) bool { return b.id == i.id }):
			return n.fail("the id %q comes twice", i.id)
		}
		all = append(all, i)
		return nil
	})
	return all, err
}

func (s scale) canonical() string {
	pairs := []string{"type", string(s.kind)}
	if s.kind == SAM {
		pairs = append(pairs, "dims", flowList(s.dims))
	}
	if s.points > 0 {
		key := "points"
		if s.kind == AffectGrid {
			key = "size"
		}
		pairs = append(pairs, key, strconv.Itoa(s.points))
	}
	return flowMap(append(pairs, "low", s.low.canonical(), "high", s.high.canonical(),
		"items", optional(each(s.items, func(i item) string {
			return flowMap("id", quote(i.id), "ask", i.ask.canonical())
		})), "required", strconv.FormatBool(s.required))...)
}
