package table

import (
	"slices"
	"strings"
	"unicode"
)

// words cuts a name into lower-case words: at blanks, marks and where a capital
// follows a small letter. Micro and Ohm signs become letters.
func words(name string) []string {
	name = strings.NewReplacer("µ", "u", "μ", "u", "Ω", "ohm", "Ω", "ohm", "°", "deg").Replace(readable(name))
	var out []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	var before rune
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
		case unicode.IsUpper(r) && unicode.IsLower(before) && !prefixed(word, r):
			end()
			word = append(word, r)
		default:
			word = append(word, r)
		}
		before = r
	}
	end()
	return out
}

// prefixed tells that a capital after one small letter goes on with a unit: uS,
// nS, kOhm.
func prefixed(word []rune, r rune) bool {
	return len(word) == 1 && (r == 'S' || r == 'O') && strings.ContainsRune("unmkM", word[0])
}

// has tells whether any of some words is among a name's.
func has(name []string, some ...string) bool {
	return slices.ContainsFunc(name, func(w string) bool { return slices.Contains(some, w) })
}

// unit is a unit of measurement and what to multiply by.
type unit struct {
	name   string
	factor float64
}

// timeUnits in seconds.
var timeUnits = map[string]unit{
	"s": {"s", 1}, "sec": {"s", 1}, "secs": {"s", 1}, "second": {"s", 1}, "seconds": {"s", 1},
	"ms": {"ms", 1e-3}, "msec": {"ms", 1e-3}, "millis": {"ms", 1e-3}, "millisecond": {"ms", 1e-3}, "milliseconds": {"ms", 1e-3},
	"us": {"µs", 1e-6}, "usec": {"µs", 1e-6}, "micros": {"µs", 1e-6}, "microsecond": {"µs", 1e-6}, "microseconds": {"µs", 1e-6},
	"ns": {"ns", 1e-9}, "nsec": {"ns", 1e-9}, "nanos": {"ns", 1e-9}, "nanosecond": {"ns", 1e-9}, "nanoseconds": {"ns", 1e-9},
	"min": {"min", 60}, "minute": {"min", 60}, "minutes": {"min", 60},
}

// conductanceUnits in µS. Resistances have the factor of 1/x.
var conductanceUnits = map[string]unit{
	"us": {"µS", 1}, "usiemens": {"µS", 1}, "microsiemens": {"µS", 1}, "microsiemen": {"µS", 1}, "umho": {"µS", 1}, "micromho": {"µS", 1},
	"ns": {"nS", 1e-3}, "nanosiemens": {"nS", 1e-3}, "ms": {"mS", 1e3}, "millisiemens": {"mS", 1e3}, "siemens": {"S", 1e6}, "s": {"S", 1e6},
	"kohm": {"kΩ", 1e3}, "kohms": {"kΩ", 1e3}, "kiloohm": {"kΩ", 1e3}, "ohm": {"Ω", 1e6}, "ohms": {"Ω", 1e6}, "mohm": {"MΩ", 1}, "mohms": {"MΩ", 1},
}

// gazeUnits: the factor is not used.
var gazeUnits = map[string]unit{
	"px": {Pixels, 1}, "pix": {Pixels, 1}, "pixel": {Pixels, 1}, "pixels": {Pixels, 1}, "adcspx": {Pixels, 1}, "mcspx": {Pixels, 1}, "dacspx": {Pixels, 1},
	"norm": {Fractions, 1}, "normalized": {Fractions, 1}, "normalised": {Fractions, 1}, "fraction": {Fractions, 1}, "fractions": {Fractions, 1},
	"deg": {Degrees, 1}, "degs": {Degrees, 1}, "degree": {Degrees, 1}, "degrees": {Degrees, 1}, "dva": {Degrees, 1},
	"mm": {Millimetres, 1}, "dacsmm": {Millimetres, 1}, "adcsmm": {Millimetres, 1},
}

// isUnit tells whether a cell below the header can be a unit.
func isUnit(s string) bool {
	w := strings.Join(words(s), "")
	for _, known := range []map[string]unit{timeUnits, conductanceUnits, gazeUnits} {
		if _, ok := known[w]; ok {
			return true
		}
	}
	return w == "hz" || w == "v" || w == "mv" || w == "au" || w == "c" || w == "degc" || w == "" && s != ""
}

// unitOf returns the last word of a name that is a unit.
func unitOf(name string, known map[string]unit) (unit, bool) {
	w := words(name)
	for i := len(w) - 1; i >= 0; i-- {
		if u, ok := known[w[i]]; ok {
			return u, true
		}
	}
	return unit{}, false
}
