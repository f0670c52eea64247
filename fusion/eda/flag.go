package eda

import "strings"

// Flag is a set of things that are wrong with a sample or a response. The bits are
// stored: new ones come last.
type Flag uint16

const (
	// Missing: there is no value, or none that a conductance can have.
	Missing Flag = 1 << iota
	// OutOfRange, Steep, Temperature and Near are the rules of Kleckner et al.
	// (2018): outside 0.05..60 µS; a slope beyond 10 µS/s either way; the skin
	// outside 30..40 °C; within 5 s of a sample that breaks one of these.
	OutOfRange
	Steep
	Temperature
	Near
	// Flat: nothing moves, as when the electrodes are off.
	Flat
	// Saturated: at the end of the sensor's range.
	Saturated
	// Loss: a fall of more than a fifth within a second, and what follows until it
	// has recovered, 5 s at most.
	Loss
	// Undecomposed: split by HighPass, because CVX or CDA could not be asked.
	Undecomposed
	// Unsplit: no tonic and no phasic value.
	Unsplit
	// Bridged, of a response: samples are missing within it.
	Bridged
	// NoOnset, of a response: it began before the record.
	NoOnset
	// Jump: a slope beyond 10 µS/s that lasts so short a time that the low-pass
	// before Steep hides it, as of an electrode that is touched.
	Jump

	// Invalid are the flags of samples that measures leave out.
	Invalid = Missing | OutOfRange | Steep | Temperature | Near | Flat | Saturated | Loss | Jump
)

var flags = [...]string{
	"missing", "out of range", "steep", "temperature", "near", "flat", "saturated", "loss",
	"undecomposed", "unsplit", "bridged", "no onset", "jump",
}

// Names lists the flags that are set.
func (f Flag) Names() []string {
	var names []string
	for i, name := range flags {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (f Flag) String() string { return strings.Join(f.Names(), ", ") }

// EveryFlag lists the flags that a sample can have, in the order of their bits.
func EveryFlag() []Flag {
	return []Flag{Missing, OutOfRange, Steep, Temperature, Near, Flat, Saturated, Loss, Undecomposed, Unsplit, Jump}
}
