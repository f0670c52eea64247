package main

import (
	"strings"
	"testing"
	"time"
)

// Where there is no terminal, something is said now and then, and not all the time.
func TestTeller(t *testing.T) {
	var out strings.Builder
	told := newTeller(&out)
	for s := range 20 {
		told.tell(told.began.Add(time.Duration(s)*time.Second), "play silk")
	}
	if got, want := out.String(), "    8 s  play silk\n   16 s  play silk\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
