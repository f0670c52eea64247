package table

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// kind of a cell.
type kind uint8

const (
	missing kind = iota
	number
	clock // a date or time of day
	text
)

// missingWords say that there is no value. A single point is EyeLink's.
var missingWords = [...]string{"na", "n/a", "nan", "null", "none", "nil", "inf", "-inf", "+inf", "infinity", "-", ".", "-nan", "#n/a", "1.#qnan", "-1.#ind"}

// read reads one cell. The value of a clock is in seconds: since 1970 for dates,
// since midnight for times of day.
func (d dialect) read(s string) (float64, kind) {
	s = strings.TrimSpace(s)
	if s == "" {
		return math.NaN(), missing
	}
	if v, ok := d.number(s); ok {
		return v, number
	}
	for _, w := range missingWords {
		if strings.EqualFold(s, w) {
			return math.NaN(), missing
		}
	}
	if v, ok := readClock(s, d.comma); ok {
		return v, clock
	}
	return math.NaN(), text
}

// maxNumber is more characters than any number that a program writes.
const maxNumber = 64

// number reads a decimal number, with a point or, in a dialect that has it, a
// comma. A number too large for a float64 is none.
func (d dialect) number(s string) (float64, bool) {
	if len(s) > maxNumber {
		return 0, false
	}
	commas := 0
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case '0' <= b && b <= '9', b == '-', b == '+', b == '.', b == 'e', b == 'E':
		case b == ',' && d.comma:
			commas++
		default:
			return 0, false
		}
	}
	if commas > 0 {
		if commas > 1 || strings.Contains(s, ".") || strings.HasSuffix(s, ",") {
			return 0, false
		}
		s = strings.Replace(s, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

var dateLayouts = [...]string{
	"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00",
	"2006/01/02 15:04:05",
}

// readClock reads a date with time or a time of day, with any fraction of a
// second. Dates whose order of day and month differs by country are not read.
func readClock(s string, comma bool) (float64, bool) {
	const longest = 40 // with nanoseconds and zone
	if len(s) < len("0:00:00") || len(s) > longest || !strings.Contains(s, ":") {
		return 0, false
	}
	if comma {
		s = strings.Replace(s, ",", ".", 1)
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return float64(t.Unix()) + float64(t.Nanosecond())/1e9, true
		}
	}
	part := strings.Split(s, ":")
	if len(part) != 3 {
		return 0, false
	}
	h, errH := strconv.ParseUint(part[0], 10, 16)
	m, errM := strconv.ParseUint(part[1], 10, 8)
	sec, errS := strconv.ParseFloat(part[2], 64)
	if errH != nil || errM != nil || errS != nil || m > 59 || !(sec >= 0 && sec < 61) {
		return 0, false
	}
	return float64(h)*3600 + float64(m)*60 + sec, true
}
