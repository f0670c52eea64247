// Package order puts the stimuli of a block in sequence: as they are listed, shuffled,
// or by a square that balances where each stimulus stands, and after which. It is a pure
// function of a seed and a row, and the same on every machine.
package order

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
)

// The methods.
const (
	Fixed  = "fixed"  // as listed, for everybody
	Random = "random" // shuffled by seed and row, an order of its own for each row
	Latin  = "latin"  // each stimulus once at each place over the rows
	// Williams is a Latin square in which each stimulus also follows each other one equally
	// often. For an odd number of stimuli it takes two squares.
	//
	// Source: E. J. Williams, Experimental designs balanced for the estimation of residual
	// effects of treatments, Australian Journal of Scientific Research A 2 (1949), 149-168.
	Williams = "williams"
)

// Methods are all methods, the simplest first.
func Methods() []string { return []string{Fixed, Random, Latin, Williams} }

// Rows is how many orders of n stimuli a method has to have been gone through before it
// is balanced: n of a Latin square, n or, for odd n, 2n of Williams squares. It is 0 for
// methods that have no rows to be filled, and for no stimuli.
func Rows(method string, n int) int {
	switch {
	case n <= 0:
		return 0
	case method == Latin:
		return n
	case method == Williams && n > 1 && n%2 == 1:
		return 2 * n
	case method == Williams:
		return n
	}
	return 0
}

// Sequence returns the positions of n stimuli in the order of a row, from 0: a
// permutation of 0 .. n-1. Rows beyond the last of a square begin again with its first.
// The salt tells the blocks of a study apart, which would otherwise all be in the same
// order: the first has none, the others their name.
func Sequence(method string, n int, seed uint64, row int, salt string) ([]int, error) {
	if n < 0 || row < 0 {
		return nil, fmt.Errorf("order: %d stimuli, row %d: neither can be negative", n, row)
	}
	seed ^= salted(salt)
	switch method {
	case Fixed:
		return listed(n), nil
	case Random:
		return shuffled(n, seed, uint64(row)), nil
	case Latin:
		return square(n, seed, row, shuffled(n, seed, places)), nil
	case Williams:
		return williams(n, seed, row), nil
	}
	return nil, fmt.Errorf("order: there is no method %q; use one of %s", method, strings.Join(Methods(), ", "))
}

// The two draws that a square takes from its seed. They are the highest rows, so that no
// random order of the same study has the same numbers.
const (
	labels uint64 = 1<<64 - 1 // which stimulus stands for which number of the square
	places uint64 = 1<<64 - 2 // which column of a cyclic square comes when
)

// square returns a row of the cyclic square whose first row is first: in each next row
// all numbers are one higher, modulo n. Stimuli stand for numbers as the seed draws them.
//
// A Latin square's first row is drawn too. With the numbers as they come, one stimulus
// would follow the same other one in every row but one.
func square(n int, seed uint64, row int, first []int) []int {
	label := shuffled(n, seed, labels)
	sequence := make([]int, n)
	for k, v := range first {
		sequence[k] = label[(v+row%n)%n]
	}
	return sequence
}

// williams returns a row of Williams's squares. The first row of the square, 0, n-1, 1,
// n-2, 2 ..., has each difference between neighbours once (of odd n each twice or not at
// all, in the one direction; the second square is the first one read backwards).
func williams(n int, seed uint64, row int) []int {
	first := make([]int, n)
	for k := range first {
		if first[k] = k / 2; k%2 == 1 {
			first[k] = n - 1 - k/2
		}
	}
	sequence := square(n, seed, row, first)
	if n%2 == 1 && row%(2*n) >= n {
		slices.Reverse(sequence)
	}
	return sequence
}

func listed(n int) []int {
	sequence := make([]int, n)
	for i := range sequence {
		sequence[i] = i
	}
	return sequence
}

// shuffled is a Fisher-Yates shuffle drawn from PCG-DXSM. It is written out, because
// the standard library fixes the generator's output but not what its Shuffle makes of it.
func shuffled(n int, seed, row uint64) []int {
	sequence := listed(n)
	pcg := rand.NewPCG(seed, row)
	for i := n - 1; i > 0; i-- {
		j := below(pcg, uint64(i+1))
		sequence[i], sequence[j] = sequence[j], sequence[i]
	}
	return sequence
}

// below draws a whole number in [0, n) without bias: values beyond the largest
// multiple of n are drawn again.
func below(pcg *rand.PCG, n uint64) uint64 {
	limit := ^uint64(0) - ^uint64(0)%n
	for {
		if v := pcg.Uint64(); v < limit {
			return v % n
		}
	}
}

// salted is the FNV-1a hash of a salt, and 0 of none.
func salted(salt string) uint64 {
	if salt == "" {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(salt)) // never fails
	return h.Sum64()
}
