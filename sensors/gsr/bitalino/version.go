package bitalino

import (
	"fmt"
	"regexp"
	"strconv"
)

// Version is what a board says of itself.
type Version struct{ Major, Minor int }

// greeting is the answer to askVersion: "BITalino_v5.2\n", with "V" before the
// number in old ones.
var greeting = regexp.MustCompile(`BITalino[ -~]{0,32}?[vV](\d{1,3})\.(\d{1,3})[ -~]{0,32}\r?\n`)

// longestGreeting bounds what must be kept to find one.
const longestGreeting = 96

// ParseVersion finds the answer to a question for the version in what was heard.
func ParseVersion(heard []byte) (Version, bool) {
	m := greeting.FindSubmatch(heard)
	if m == nil {
		return Version{}, false
	}
	major, err1 := strconv.Atoi(string(m[1]))
	minor, err2 := strconv.Atoi(string(m[2]))
	return Version{major, minor}, err1 == nil && err2 == nil
}

// Sensor returns the EDA sensor that came with the board: the (r)evolution has
// firmware 4.2 or later.
func (v Version) Sensor() Sensor {
	if v.Major > 4 || (v.Major == 4 && v.Minor >= 2) {
		return R2
	}
	return R1
}

// String names the board as a person would.
func (v Version) String() string {
	if v.Sensor() == R1 {
		return fmt.Sprintf("BITalino, firmware %d.%d", v.Major, v.Minor)
	}
	return fmt.Sprintf("BITalino (r)evolution, firmware %d.%d", v.Major, v.Minor)
}
