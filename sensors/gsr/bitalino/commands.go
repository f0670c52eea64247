package bitalino

import "slices"

// The board's commands are single bytes.
const (
	stop       = 0x00 // while it streams; idle, the same byte sets the battery threshold to its lowest, 3.4 V
	idle       = 0xFF // (r)evolution: stop whatever it does
	askVersion = 0x07
	live       = 0x01 // start, with the mask of the inputs in bits 7..2
	rate       = 0x03 // with the rate's code in bits 7..6
)

// rates are the samples per second that the board can take; a rate's code is its
// place in the list.
func rates() [4]int { return [4]int{1, 10, 100, 1000} }

// rateCommand sets one of the rates.
func rateCommand(hz int) byte {
	all := rates()
	code := max(0, slices.Index(all[:], hz)) // Open refuses other rates
	return byte(code)<<6 | rate
}

// startCommand starts the streaming of one input, 1..6.
func startCommand(input int) byte { return 1<<(input-1)<<2 | live }
