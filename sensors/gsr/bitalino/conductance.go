package bitalino

import "math"

const (
	// top is one more than the largest reading of the 10-bit converter.
	top = 1 << 10

	// The sensor of the (r)evolution board puts out 0.132 V for each µS, of a
	// supply of 3.3 V: 0 to 25 µS (PLUX, data sheet of the EDA sensor).
	supplyV   = 3.3
	voltPerUS = 0.132
)

// Sensor is a generation of the board's EDA sensor.
type Sensor string

// The sensors.
const (
	R1 Sensor = "r1" // of the first board: R in MΩ = 1 - reading/1024
	R2 Sensor = "r2" // of the (r)evolution: G in µS = reading/1024 · 3.3 / 0.132
)

// Convert returns the conductance in µS that a reading stands for, by the
// vendor's transfer function.
func (s Sensor) Convert(reading uint16) float64 {
	share := float64(reading) / top
	if s == R1 {
		return 1 / (1 - share)
	}
	return share * supplyV / voltPerUS
}

// Microsiemens returns the conductance of a reading in µS, or NaN at both ends of
// the converter's range. 0 is less than a step: no skin, the electrodes are open
// (R1: 1 µS or less, which it cannot tell from open). The largest is saturation.
func (s Sensor) Microsiemens(reading uint16) float64 {
	if reading == 0 || reading >= top-1 {
		return math.NaN()
	}
	return s.Convert(reading)
}

// Reading returns the reading that a conductance in µS gives: the inverse of
// Convert, within the converter's range.
func (s Sensor) Reading(us float64) uint16 {
	share := us * voltPerUS / supplyV
	if s == R1 {
		share = 1 - 1/us
	}
	return uint16(max(0, min(top-1, math.Round(share*top))))
}
