//go:build !race

package portrait_test

// raced tells that the race detector watches, which slows the drawing tenfold.
const raced = false
