package gazepoint

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func parse(t *testing.T, text string) (Record, error) {
	t.Helper()
	var s Scanner
	m, _, ok := s.Next([]byte(text))
	if !ok {
		t.Fatalf("no message in %s", text)
	}
	return ParseRecord(m)
}

const full = `<REC CNT="34" TIME="1.234567" BPOGX="-0.25" BPOGY="0.5" BPOGV="1" LPMM="3.5" LPMMV="1" RPMM="3.25" RPMMV="0" />`

func TestParseRecord(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		text string
		want Record
	}{
		{full, Record{34, 1_234_567, -.25, .5, true, 3.5, nan, nan, false}},
		{`<REC CNT="0" TIME="7" BPOGX="1e-3" BPOGY="0" BPOGV="0" />`, Record{0, 7_000_000, .001, 0, false, nan, nan, nan, false}},
	} {
		got, err := parse(t, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
		if d := cmp.Diff(c.want, got, cmpopts.EquateNaNs()); d != "" {
			t.Error(d)
		}
	}
}

func TestParseRecordRefuses(t *testing.T) {
	for _, c := range [][2]string{
		{`CNT="34"`, `CNT="3x"`}, {`CNT="34"`, `CNT="-3"`}, {`CNT="34"`, ``},
		{`TIME="1.234567"`, `TIME="1.23.4"`}, {`TIME="1.234567"`, `TIME="-1"`}, {`TIME="1.234567"`, `TIME="."`},
		{`BPOGX="-0.25"`, `BPOGX="nan"`}, {`BPOGX="-0.25"`, `BPOGX="Inf"`}, {`BPOGX="-0.25"`, `BPOGX="0x10"`},
		{`BPOGX="-0.25"`, `BPOGX="25"`}, {`BPOGV="1"`, `BPOGV="2"`}, {`BPOGY="0.5"`, ``},
		{`LPMM="3.5"`, `LPMM="35"`}, {`LPMM="3.5"`, `LPMM="-3.5"`}, {`LPMMV="1"`, `LPMMV=""`}, {`RPMM="3.25"`, ``},
	} {
		if r, err := parse(t, strings.Replace(full, c[0], c[1], 1)); err == nil {
			t.Errorf("%s for %s: %+v, want an error", c[1], c[0], r)
		}
	}
}

func TestMicros(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1.5": 1_500_000, ".25": 250_000, "3.": 3_000_000, "1.2345678": 1_234_567, "99999999.999999": 99_999_999_999_999,
	} {
		if got, err := micros([]byte(text)); err != nil || got != want {
			t.Errorf("micros(%s) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".", "1e5", "-1", "1,5", "999999999999999999999"} {
		if got, err := micros([]byte(text)); err == nil {
			t.Errorf("micros(%s) = %d, want an error", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Int64Range(0, 1e13).Draw(t, "us")
		got, err := micros(fmt.Appendf(nil, "%d.%06d", want/1e6, want%1e6))
		if err != nil || got != want {
			t.Fatalf("%d, %v, want %d", got, err, want)
		}
	})
}
