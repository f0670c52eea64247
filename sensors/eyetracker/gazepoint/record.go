package gazepoint

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Record is what the driver reads of a REC message.
type Record struct {
	Count  int64   // CNT: number of the record
	TimeUS int64   // TIME in µs, since the tracker started or was last calibrated
	X, Y   float64 // BPOGX, BPOGY: best point of gaze, 0..1 of the screen from the top left
	Valid  bool    // BPOGV
	// Pupil diameters in mm; NaN where not valid or not sent.
	LeftMM, RightMM float64
	// SkinOhm is the resistance that the finger block of the biometrics kit
	// measures (GSR), NaN where not sent; SkinValid is what the tracker says of it.
	SkinOhm   float64
	SkinValid bool
}

const (
	// maxGaze and maxPupilMM bound what can be true. Open Gaze has no checksum, so
	// a damaged digit can only be known by what it does to the value.
	maxGaze    = 10.0 // screens
	maxPupilMM = 20.0
	maxOhm     = 1e9

	// minSkinOhm and maxSkinOhm are the range that the API's description gives for
	// skin. With the finger block unplugged the kit measures its own insides, and
	// may call that valid.
	minSkinOhm, maxSkinOhm = 10e3, 2e6

	microPerUnit = 1e6 // µS = 1e6 / Ω
)

// ParseRecord reads a REC message.
func ParseRecord(m Message) (Record, error) {
	var r Record
	var err error
	if m.count("CNT") > 1 {
		return Record{}, errors.New("gazepoint: two records run into one")
	}
	if r.Count, err = strconv.ParseInt(string(m.Value("CNT")), 10, 64); err != nil || r.Count < 0 {
		return Record{}, field(m, "CNT")
	}
	if r.TimeUS, err = micros(m.Value("TIME")); err != nil {
		return Record{}, field(m, "TIME")
	}
	if r.X, err = number(m.Value("BPOGX"), maxGaze); err != nil {
		return Record{}, field(m, "BPOGX")
	}
	if r.Y, err = number(m.Value("BPOGY"), maxGaze); err != nil {
		return Record{}, field(m, "BPOGY")
	}
	if r.Valid, err = flag(m.Value("BPOGV")); err != nil {
		return Record{}, field(m, "BPOGV")
	}
	if r.LeftMM, err = pupil(m, "LPMM", "LPMMV"); err != nil {
		return Record{}, err
	}
	if r.RightMM, err = pupil(m, "RPMM", "RPMMV"); err != nil {
		return Record{}, err
	}
	if r.SkinOhm, r.SkinValid, err = skin(m); err != nil {
		return Record{}, err
	}
	return r, nil
}

// skin reads the finger block's resistance, which most trackers do not have.
func skin(m Message) (ohm float64, valid bool, err error) {
	if m.Value("GSR") == nil && m.Value("GSRV") == nil {
		return math.NaN(), false, nil
	}
	if ohm, err = number(m.Value("GSR"), maxOhm); err != nil {
		return 0, false, field(m, "GSR")
	}
	if valid, err = flag(m.Value("GSRV")); err != nil {
		return 0, false, field(m, "GSRV")
	}
	return ohm, valid, nil
}

func field(m Message, name string) error {
	if v := m.Value(name); v != nil {
		return fmt.Errorf("gazepoint: record with %s=%q", name, v)
	}
	return fmt.Errorf("gazepoint: record without %s", name)
}

// pupil reads one eye's diameter, which older trackers do not send.
func pupil(m Message, name, valid string) (float64, error) {
	if m.Value(name) == nil && m.Value(valid) == nil {
		return math.NaN(), nil
	}
	ok, err := flag(m.Value(valid))
	if err != nil {
		return 0, field(m, valid)
	}
	mm, err := number(m.Value(name), maxPupilMM)
	if err != nil || ok && mm < 0 {
		return 0, field(m, name)
	}
	if !ok {
		return math.NaN(), nil
	}
	return mm, nil
}

var errSyntax = errors.New("gazepoint: not a number of the expected kind")

// number reads a decimal number of at most bound in size.
func number(b []byte, bound float64) (float64, error) {
	for _, c := range b { // keeps out "inf", "nan" and hexadecimal
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, errSyntax
		}
	}
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(x) > bound {
		return 0, errSyntax
	}
	return x, nil
}

func flag(b []byte) (bool, error) {
	switch string(b) {
	case "0":
		return false, nil
	case "1":
		return true, nil
	}
	return false, errSyntax
}

// maxSeconds bounds TIME: three years, and its microseconds fit many times.
const maxSeconds = 100_000_000

// micros reads seconds as whole microseconds, digit by digit: a float64 would
// round the last ones away after some hours. Digits beyond the sixth are cut.
func micros(b []byte) (int64, error) {
	var us, scale int64 = 0, 1_000_000
	digits, point := 0, false
	for _, c := range b {
		switch {
		case c == '.' && !point:
			point = true
		case c < '0' || c > '9':
			return 0, errSyntax
		case !point:
			us = us*10 + int64(c-'0')*1_000_000
			digits++
			if us > maxSeconds*1_000_000 {
				return 0, errSyntax
			}
		default:
			scale /= 10
			us += int64(c-'0') * scale
			digits++
		}
	}
	if digits == 0 {
		return 0, errSyntax
	}
	return us, nil
}
