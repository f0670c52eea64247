package gazepoint

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func message(t *testing.T, text string) Message {
	t.Helper()
	var s Scanner
	m, _, ok := s.Next([]byte(text))
	if !ok {
		t.Fatalf("no message in %s", text)
	}
	return m
}

// vendorResult is the example of the API's description, with a second end as it
// is printed there.
const vendorResult = `<CAL ID="CALIB_RESULT" CALX1="0.50000" CALY1="0.50000" ` +
	`LX1="0.50229" LY1="0.50279" LV1="1" RX1="0.51467" RY1="0.50870" RV1="1" ` +
	`CALX2="0.85000" CALY2="0.15000" LX2="0.84943" LY2="0.14930" LV2="1" ` +
	`RX2="0.84600" RY2="0.14763" RV2="1" CALX3="0.85000" CALY3="0.85000" ` +
	`LX3="0.84942" LY3="0.84929" LV3="1" RX3="0.84627" RY3="0.84779" RV3="1" ` +
	`CALX4="0.15000" CALY4="0.85000" LX4="0.14943" LY4="0.84930" LV4="1" ` +
	`RX4="0.14616" RY4="0.84772" RV4="1" CALX5="0.15000" CALY5="0.15000" ` +
	`LX5="0.14944" LY5="0.14931" LV5="1" RX5="0.14689" RY5="0.14815" RV5="1" />>` + "\r\n"

func TestParseCalibration(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want calRecord
	}{
		"start":                 {`<CAL ID="CALIB_START_PT" PT="1" CALX="0.5000" CALY="0.5000" />`, calRecord{step: Step{1, Target{.5, .5}, true}}},
		"start, blank in front": {`<CAL ID=" CALIB_START_PT" PT="2" CALX="0.8500" CALY="0.1500" />`, calRecord{step: Step{2, Target{.85, .15}, true}}},
		"end, no blanks":        {`<CAL ID=" CALIB_RESULT_PT"PT="5"CALX="0.1500"CALY="0.1500" />`, calRecord{step: Step{5, Target{.15, .15}, false}}},
		"end, two ends":         {`<CAL ID="CALIB_RESULT_PT" PT="1" CALX="0.5000" CALY="0.5000" />>`, calRecord{step: Step{1, Target{.5, .5}, false}}},
		"result": {vendorResult, calRecord{result: []PointResult{
			{Target{.5, .5}, EyeResult{.50229, .50279, true}, EyeResult{.51467, .5087, true}},
			{Target{.85, .15}, EyeResult{.84943, .1493, true}, EyeResult{.846, .14763, true}},
			{Target{.85, .85}, EyeResult{.84942, .84929, true}, EyeResult{.84627, .84779, true}},
			{Target{.15, .85}, EyeResult{.14943, .8493, true}, EyeResult{.14616, .84772, true}},
			{Target{.15, .15}, EyeResult{.14944, .14931, true}, EyeResult{.14689, .14815, true}},
		}}},
		"result of one eye": {`<CAL ID="CALIB_RESULT" CALX1="0.5" CALY1="0.5" LX1="-0.1" LY1="1.2" LV1="0" RX1="0.5" RY1="0.5" RV1="1" />`,
			calRecord{result: []PointResult{{Target{.5, .5}, EyeResult{-.1, 1.2, false}, EyeResult{.5, .5, true}}}}},
	} {
		got, err := parseCalibration(message(t, c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(calRecord{})); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestParseCalibrationRefuses(t *testing.T) {
	for _, c := range [][2]string{
		{`LV3="1"`, `LV3="2"`}, {`LV3="1"`, ``}, {`RX2="0.84600"`, `RX2="nan"`}, {`CALY5="0.15000"`, ``}, {`CALX1="0.50000"`, `CALX1="1.5"`},
		{`CALX1="0.50000"`, ``}, {`ID="CALIB_RESULT"`, `ID="CALIB_RESULTS"`}, {`ID="CALIB_RESULT"`, ``}, {`ID="CALIB_RESULT"`, `ID="CALIB_START_PT"`},
	} {
		if r, err := parseCalibration(message(t, strings.Replace(vendorResult, c[0], c[1], 1))); !errors.Is(err, errCalibration) {
			t.Errorf("%s for %s: %+v, %v, want an error", c[1], c[0], r, err)
		}
	}
}

func TestParseSummary(t *testing.T) {
	px, n, err := parseSummary(message(t, `<ACK ID="CALIBRATE_RESULT_SUMMARY" AVE_ERROR="19.43" VALID_POINTS="5" />`))
	if px != 19.43 || n != 5 || err != nil {
		t.Errorf("%v, %v, %v", px, n, err)
	}
	for _, text := range []string{
		`<ACK ID="CALIBRATE_RESULT_SUMMARY" AVE_ERROR="19.4x" VALID_POINTS="5" />`,
		`<ACK ID="CALIBRATE_RESULT_SUMMARY" AVE_ERROR="19.43" VALID_POINTS="-5" />`,
		`<ACK ID="CALIBRATE_RESULT_SUMMARY" />`,
	} {
		if px, n, err := parseSummary(message(t, text)); err == nil || !math.IsNaN(px) || n != -1 {
			t.Errorf("%s: %v, %v, %v, want an error", text, px, n, err)
		}
	}
}

func TestParseProduct(t *testing.T) {
	for text, want := range map[string]product{
		`<ACK ID="PRODUCT_ID" VALUE="GP3" BUS="USB2" RATE="60" />`:    {"GP3", "USB2", 60},
		`<ACK ID="PRODUCT_ID" VALUE="GP3HD" BUS="USB3" RATE="150" />`: {"GP3HD", "USB3", 150},
		`<ACK ID="PRODUCT_ID" VALUE="NONE" BUS="USB2" RATE="0" />`:    {"", "USB2", 0},
		`<ACK ID="PRODUCT_ID" VALUE="GP3" RATE="9999999999999" />`:    {"GP3", "", 0},
		`<ACK ID="PRODUCT_ID" />`:                                     {},
	} {
		if got := parseProduct(message(t, text)); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func TestRecognise(t *testing.T) {
	for heard, want := range map[string]string{
		"<ACK ID=\"PRODUCT_ID\" VALUE=\"GP3\" BUS=\"USB2\" RATE=\"60\" />\r\n":             "Gazepoint GP3 on USB2, 60 records a second",
		"\xff\x00x\r\n<ACK ID=\"PRODUCT_ID\" VALUE=\"GP3HD\" BUS=\"USB3\" RATE=\"150\" />": "Gazepoint GP3HD on USB3, 150 records a second",
		full:                              "Open Gaze tracker, sending already",
		"<GET ID=\"PRODUCT_ID\" />\r\n":   "", // our own echo
		"<NACK ID=\"PRODUCT_ID\" />\r\n":  "",
		"OK\r\n":                          "",
		"<REC CNT=\"12\" TIME=\"4\" />":   "",
		"<ACK ID=\"PRODUCT_ID\" VALUE=\"": "",
	} {
		got, ok := recognise([]byte(heard))
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", heard, got, ok, want)
		}
	}
}

func FuzzCalibration(f *testing.F) {
	f.Add([]byte(vendorResult))
	f.Add([]byte(`<CAL ID=" CALIB_RESULT_PT"PT="5"CALX="0.1500"CALY="0.1500" />>`))
	f.Add([]byte(`<ACK ID="CALIBRATE_RESULT_SUMMARY" AVE_ERROR="19.43" VALID_POINTS="5" />`))
	f.Fuzz(func(t *testing.T, in []byte) {
		recognise(in)
		var s Scanner
		for p := in; len(p) > 0; {
			m, rest, ok := s.Next(p)
			p = rest
			if !ok {
				continue
			}
			if px, n, err := parseSummary(m); err == nil && (math.IsNaN(px) || n < 0) {
				t.Fatalf("impossible summary %v, %v", px, n)
			}
			c, err := parseCalibration(m)
			if err != nil {
				continue
			}
			if len(c.result) > maxAttrs || c.step.Point < 0 || math.Abs(c.step.X) > 1 {
				t.Fatalf("impossible record %+v", c)
			}
			if c.result != nil {
				resultMark(c.result)
			}
		}
	})
}
