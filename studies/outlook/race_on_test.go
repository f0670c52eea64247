//go:build race

package outlook

// raced tells that the race detector watches, which slows the simulations tenfold.
const raced = true
