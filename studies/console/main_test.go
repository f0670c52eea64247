package console

import (
	"os"
	"testing"

	"emolab/studies/browsertest"
)

// chromium is the browser that the tests of this package have in common.
var chromium browsertest.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	chromium.Close()
	os.Exit(code)
}
