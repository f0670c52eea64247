package aligntest

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// The pictures are whole XML, and hold a dot for every sample that is to be shown.
func TestPictures(t *testing.T) {
	pictures, err := Pictures(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for name, series := range map[string]int{"error.svg": 4, "bound.svg": len(boundScenarios)} {
		svg := string(pictures[name])
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if strings.Contains(svg, "NaN") {
			t.Errorf("%s: a dot is nowhere", name)
		}
		if n := strings.Count(svg, "h0"); n != series*(dots+1) {
			t.Errorf("%s: %d dots, want %d of each of %d series and its label's", name, n, dots, series)
		}
	}
}

func TestScales(t *testing.T) {
	log := scale{.1, 100, math.Log10}
	both := scale{-300, 300, symmetricLog}
	for _, tt := range []struct {
		s       scale
		v, want float64
	}{{log, .1, 0}, {log, 100, 1}, {log, 1, 1. / 3}, {log, 0, 0}, {log, 1e9, 1}, {both, 0, .5}, {both, -1e9, 0}, {both, 300, 1}} {
		if got := tt.s.part(tt.v); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%v stands at %v, want %v", tt.v, got, tt.want)
		}
	}
	for v := -300.0; v < 300; v += .25 {
		if symmetricLog(v+.25) <= symmetricLog(v) {
			t.Fatalf("%v does not rise", v)
		}
	}
}
