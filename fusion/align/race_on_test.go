//go:build race

package align_test

// raced tells that the race detector watches, which slows everything tenfold.
const raced = true
