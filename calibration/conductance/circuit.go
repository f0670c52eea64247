// Package conductance turns the readings of a skin-conductance amplifier into
// microsiemens: by the nominal values of its parts (Circuit), and corrected by
// what it reads on known resistors (Calibration).
package conductance

import "math"

// Circuit is the amplifier in front of the converter: non-inverting, with a
// constant voltage across the electrodes, its skin in the lower arm. The output
// is Vref·(1 + Rf·G), so that G = (V/Vref - 1) / Rf.
//
// Constant voltage (0.5 V) is the recommendation of Boucsein et al., "Publication
// recommendations for electrodermal measurements", Psychophysiology 49, 2012.
type Circuit struct {
	VrefMV float64 // across the electrodes, mV
	RfKohm float64 // feedback resistor, kΩ
	VccMV  float64 // supply, and the converter's full scale, mV
	Bits   int     // of the reading: 2^Bits - 1 stands for VccMV
}

// topStep is the share of the range below full scale that counts as saturated:
// one step of the 10-bit converter from which the reading is oversampled.
const topStep = 1.0 / 1024

// Emobox is the circuit of Emolab's own box: 0 to 90 µS in steps of 0.0015 µS.
func Emobox() Circuit {
	return Circuit{VrefMV: 500, RfKohm: 100, VccMV: 5000, Bits: 16}
}

func (c Circuit) fullScale() float64 { return math.Ldexp(1, c.Bits) - 1 }

// Microsiemens returns the conductance of a reading in µS, or NaN where the
// reading says nothing: electrodes open (output at Vref or below) or amplifier
// saturated.
func (c Circuit) Microsiemens(raw uint16) float64 {
	share := float64(raw) / c.fullScale()
	mv := share * c.VccMV
	if share >= 1-topStep || mv <= c.VrefMV {
		return math.NaN()
	}
	return (mv/c.VrefMV - 1) / c.RfKohm * 1000 // 1/kΩ = 1000 µS
}

// Raw returns the reading that a conductance in µS gives, clipped to the
// converter's range: the inverse of Microsiemens.
func (c Circuit) Raw(us float64) uint16 {
	mv := c.VrefMV * (1 + us*c.RfKohm/1000)
	raw := math.Round(mv / c.VccMV * c.fullScale())
	return uint16(max(0, min(c.fullScale(), raw)))
}
