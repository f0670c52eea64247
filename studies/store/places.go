package store

import (
	"encoding/json"
	"regexp"
	"strings"
)

// What stands in a text for a place that was taken out of it.
const (
	somePath    = "[path]"
	someAddress = "[address]"
)

var (
	// addresses are URLs, hosts after the words that package net puts before them,
	// and numbers of hosts with a port.
	addresses = []*regexp.Regexp{
		regexp.MustCompile(`()\b[a-z][a-z0-9+.-]*://[^\s"'(),;]*[^\s"'(),;:]`),
		regexp.MustCompile(`\b((?:dial|read|write|listen) (?:tcp|udp|ip|unix)[46]? |lookup )[^\s"']*[^\s"':,]`),
		regexp.MustCompile(`()(?:\b\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]+(?:%\w+)?\]):\d+\b`),
	}
	// paths begin a word, so that "samples/s" is none.
	paths = regexp.MustCompile(`(^|[\s"'(=:,;<>\[])(?:~|\.{1,2})?/[^\s"'()<>:,;\]]+`)
)

// jsonStrings are the strings of a JSON text, quotes included.
var jsonStrings = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// JSONWithoutPlaces is a JSON text whose strings are WithoutPlaces.
func (s *Store) JSONWithoutPlaces(text string) string {
	return jsonStrings.ReplaceAllStringFunc(text, func(quoted string) string {
		var words string
		if err := json.Unmarshal([]byte(quoted), &words); err != nil {
			return `""` // it was no JSON
		}
		clean := s.WithoutPlaces(words)
		if clean == words {
			return quoted
		}
		b, _ := json.Marshal(clean) // of a string it cannot fail
		return string(b)
	})
}

// WithoutPlaces takes out of a text in words what it tells of the machine: paths, and
// addresses of devices on a network. Events and reasons hold errors as drivers and
// the system said them, with the port they were about; whoever is given one session
// learns nothing from it.
func (s *Store) WithoutPlaces(text string) string {
	text = strings.ReplaceAll(text, s.path, somePath) // may have blanks in it
	for _, a := range addresses {
		text = a.ReplaceAllString(text, "${1}"+someAddress)
	}
	return paths.ReplaceAllString(text, "${1}"+somePath)
}
