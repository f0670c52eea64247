package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Who has lost the slip, or never got one, is given another code.
func TestReceipt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	takenPart(t, dir, "P7K2")
	code, out, errOut := emolab(t, "session", "receipt", "last", "--data", dir)
	given := regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}`).FindString(out)
	if code != exitFine || given == "" || strings.Count(out, given) != 2 {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	if code, out, errOut := emolab(t, "session", "withdraw", "--code", given, "--yes", "--data", dir); code != exitFine || !strings.Contains(out, "sessions              1") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
}
