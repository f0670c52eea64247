package gazepoint

import (
	"fmt"
	"strconv"
)

// product is what the tracker says of itself.
type product struct {
	model string // "GP3"; "" = not said
	bus   string
	rate  int // records per second; 0 = not said
}

// maxRate bounds the stated rate: more than twice that of the fastest model.
const maxRate = 400

// parseProduct reads the answer to PRODUCT_ID. Some trackers say NONE or 0 where
// they do not know.
func parseProduct(m Message) product {
	p := product{model: string(m.Value("VALUE")), bus: string(m.Value("BUS"))}
	if p.model == "NONE" || p.model == "0" {
		p.model = ""
	}
	if hz, err := strconv.Atoi(string(m.Value("RATE"))); err == nil && hz > 0 && hz <= maxRate {
		p.rate = hz
	}
	return p
}

// String describes the tracker as a person would.
func (p product) String() string {
	model := p.model
	if model == "" {
		model = "tracker of unknown model"
	}
	if p.bus != "" {
		model += " on " + p.bus
	}
	if p.rate != 0 {
		model += fmt.Sprintf(", %d records a second", p.rate)
	}
	return model
}

// recognise finds a tracker's answer to PRODUCT_ID in what was heard, or the
// records that it sends already. An echo of the question is a GET, and is neither.
func recognise(heard []byte) (string, bool) {
	var s Scanner
	found := ""
	for len(heard) > 0 {
		m, rest, ok := s.Next(heard)
		heard = rest
		if !ok {
			break
		}
		switch string(m.Tag) {
		case "ACK":
			if string(m.Value("ID")) == productID {
				return "Gazepoint " + parseProduct(m).String(), true
			}
		case "REC":
			if _, err := ParseRecord(m); err == nil {
				found = "Open Gaze tracker, sending already"
			}
		}
	}
	return found, found != ""
}
