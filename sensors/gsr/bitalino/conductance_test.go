package bitalino

import (
	"math"
	"testing"
)

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		sensor  Sensor
		reading uint16
		want    float64
	}{
		{R2, 0, 0}, {R2, 1, .0244}, {R2, 512, 12.5}, {R2, 1023, 24.976},
		{R1, 0, 1}, {R1, 512, 2}, {R1, 768, 4}, {R1, 1022, 512},
	} {
		if got := c.sensor.Convert(c.reading); math.Abs(got-c.want) > .0005 {
			t.Errorf("%s, reading %d: %v µS, want %v", c.sensor, c.reading, got, c.want)
		}
	}
}

func TestEndsOfTheRangeAreNoMeasurements(t *testing.T) {
	for _, s := range []Sensor{R1, R2} {
		for reading := range uint16(2000) {
			ends := reading == 0 || reading >= 1023
			if us := s.Microsiemens(reading); math.IsNaN(us) != ends {
				t.Errorf("%s, reading %d: %v µS", s, reading, us)
			}
		}
	}
}

func TestReadingIsTheInverse(t *testing.T) {
	for _, s := range []Sensor{R1, R2} {
		for reading := range uint16(1023) {
			if got := s.Reading(s.Convert(reading)); got != reading {
				t.Errorf("%s: reading %d came back as %d", s, reading, got)
			}
		}
		if got := s.Reading(1e6); got != 1023 {
			t.Errorf("%s: 1 S reads %d, want the end of the range", s, got)
		}
		if got := s.Reading(0); got != 0 {
			t.Errorf("%s: 0 µS reads %d", s, got)
		}
	}
}
