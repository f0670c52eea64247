package shimmer3

import "math"

// The amplifier puts 0.5 V across the electrodes and is read by a converter of
// 12 bits and 3 V: V = ADC·3/4095 and G = (V/0.5 - 1)/Rf.
//
// Source: GSR/gsr.c and docs/SHIMMER3_GSR_AUTORANGE.md of
// ShimmerResearch/log-and-stream-common; the limits: SensorGSR.java of
// ShimmerEngineering/Shimmer-Java-Android-API.
const (
	fullScale  = 4095
	referenceV = 3.0
	electrodeV = 0.5
	// lastOpen is the highest reading at or below the electrodes' voltage: there
	// is no current, so the electrodes are open.
	lastOpen = 682
)

// span is one feedback resistor of the amplifier and the skin it is meant for.
type span struct {
	rfKohm       float64
	minUS, maxUS float64 // the vendor's limits, µS
}

// maxUS is what 8 kΩ conduct, the least resistance that the vendor answers for.
const maxUS = 1000 / 8.0

// spans returns the ranges by their number.
func spans() [4]span {
	return [4]span{
		{40.2, 1000 / 63.0, maxUS},
		{287, 1000 / 220.0, 1000 / 63.0},
		{1000, 1000 / 680.0, 1000 / 220.0},
		{3300, 1000 / 4700.0, 1000 / 680.0},
	}
}

// Word is one reading as it is sent: the number of the range that it was taken
// in, and the converter's count. Between the two lie two bits that are zero.
type Word uint16

// rangeShift is where the range's two bits begin.
const rangeShift = 14

// Range is the number of the amplifier's range, 0 (40.2 kΩ) to 3 (3.3 MΩ).
func (w Word) Range() int { return int(w >> rangeShift) }

// ADC is the converter's count, 0 to 4095.
func (w Word) ADC() int { return int(w & (1<<rangeShift - 1)) }

// newWord is the inverse of Range and ADC.
func newWord(number, adc int) Word { return Word(number<<rangeShift | adc) }

// Microsiemens returns the conductance of a reading in µS, or NaN where the
// reading says nothing: electrodes open, amplifier saturated. In a fixed range it
// is cut at the limits of that range, as the vendor's software does; with the
// range switching by itself at 125 µS.
func Microsiemens(w Word, fixed bool) float64 {
	adc := w.ADC()
	if adc <= lastOpen || adc >= fullScale {
		return math.NaN()
	}
	s := spans()[w.Range()]
	v := float64(adc) * referenceV / fullScale
	us := 1000 * (v/electrodeV - 1) / s.rfKohm // 1/kΩ = 1000 µS
	if fixed {
		return max(s.minUS, min(s.maxUS, us))
	}
	return min(maxUS, us)
}

// reading returns the count that a conductance in µS gives in a range, with a
// fraction, and also beyond what the converter has.
func reading(us float64, number int) float64 {
	v := electrodeV * (1 + us*spans()[number].rfKohm/1000)
	return v / referenceV * fullScale
}
