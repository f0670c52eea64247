package study

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Invalid says which answer on a sheet cannot be, and why.
type Invalid struct {
	Key string // of the answer
	Why string
}

func (e *Invalid) Error() string { return e.Key + ": " + e.Why }

// Check looks whether the answers are such as the sheet asks for: all that is required,
// nothing else, each of its kind. The error is an *Invalid. A consent that was declined
// is not to be checked.
func (s Sheet) Check(a Answers) error {
	asked := map[string]bool{}
	for _, f := range s.Fields {
		for _, key := range f.Keys() {
			asked[key] = true
			value, given := a[key]
			switch {
			case given && value != "":
				if why := f.refuse(value); why != "" {
					return &Invalid{key, why}
				}
			case given:
				return &Invalid{key, "is empty: leave out what was not answered"}
			case f.Required:
				return &Invalid{key, "has not been answered"}
			}
			if f.Type == ScopeField && f.Required && value != Yes {
				return &Invalid{key, "is required: who does not agree to it declines"}
			}
		}
		if f.Type == AffectGrid && (a[f.ID+GridValence] == "") != (a[f.ID+GridArousal] == "") {
			return &Invalid{f.ID, "has only one of its two answers"}
		}
	}
	for _, key := range sortedKeys(a) {
		if !asked[key] {
			return &Invalid{key, "is not asked on the page " + s.ID}
		}
	}
	return nil
}

// refuse says why a value cannot answer the field; "" if it can.
func (f Field) refuse(value string) string {
	switch f.Type {
	case ScopeField, YesNo:
		if value != Yes && value != No {
			return fmt.Sprintf("is %s or %s", Yes, No)
		}
	case Choice:
		if !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == value }) {
			return "is not among what can be chosen"
		}
	case Integer:
		return within(value, f.Min, f.Max)
	case Likert, SAM, AffectGrid:
		return within(value, 1, f.Points)
	case VAS:
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(v) || v < 0 || v > VASHigh || strings.Trim(value, "0123456789.") != "" {
			return fmt.Sprintf("is a number from 0 to %d", VASHigh)
		}
	case FreeText:
		if !utf8.ValidString(value) {
			return "is not text"
		}
		if utf8.RuneCountInString(value) > MaxText {
			return fmt.Sprintf("has more than %d characters", MaxText)
		}
	default:
		return fmt.Sprintf("cannot be answered: its type is %q", f.Type)
	}
	return ""
}

// within refuses what is no whole number, written the plain way, from low to high.
func within(value string, low, high int) string {
	v, err := strconv.Atoi(value)
	if err != nil || strconv.Itoa(v) != value || v < low || v > high {
		return fmt.Sprintf("is a whole number from %d to %d", low, high)
	}
	return ""
}
