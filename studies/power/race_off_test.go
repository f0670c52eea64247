//go:build !race

package power

// raced tells that the race detector watches, which slows the simulations tenfold.
const raced = false
