package study

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"emolab/studies/wording"
)

// period is a time for which something is kept, as it was written: 30d, 6w, 24m, 2y. The
// participant reads it in the same unit. The zero value is no limit.
type period struct {
	count int
	unit  string // one of periodUnits
}

// periodUnits are days, weeks, months and years.
const periodUnits = "dwmy"

// longestKept bounds how long data are kept: beyond fifty years it is a slip.
const longestKept = 50 * 365 * day

const day = 24 * time.Hour

var periodForm = regexp.MustCompile(`^([1-9][0-9]{0,4})([` + periodUnits + `])$`)

// parsePeriod reads a number and a unit.
func parsePeriod(s string) (period, bool) {
	m := periodForm.FindStringSubmatch(s)
	if m == nil {
		return period{}, false
	}
	count, err := strconv.Atoi(m[1])
	return period{count, m[2]}, err == nil
}

// String is the period as a study file has it; "" for no limit.
func (p period) String() string {
	if p.count == 0 {
		return ""
	}
	return strconv.Itoa(p.count) + p.unit
}

// length is what is promised, and never more, whenever the period begins: twelve months
// are 365 days, and further ones 30 each, less two in case that February is among them.
func (p period) length() time.Duration {
	days := p.count
	switch p.unit {
	case "w":
		days *= 7
	case "m":
		days = p.count/12*365 + p.count%12*30
		if p.count%12 > 0 {
			days -= 2
		}
	case "y":
		days *= 365
	}
	return time.Duration(days) * day
}

// in is the period in the words of a language: "24 months".
func (p period) in(words wording.Catalogue) string {
	key := "period." + p.unit
	if p.count == 1 {
		key += ".one"
	}
	return strings.ReplaceAll(words[key], "{n}", strconv.Itoa(p.count))
}
