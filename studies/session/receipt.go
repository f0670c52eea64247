package session

import (
	"slices"
	"time"
)

// Identity is the class of name and contact, which are kept apart, if at all.
const Identity = "identity"

// Receipt is what the last page gives the participant.
type Receipt struct {
	Code    string   `json:"code"`    // by which everything can be withdrawn; "" = none was given out
	Study   string   `json:"study"`   // title
	Session string   `json:"session"` // id
	Scopes  []string `json:"scopes"`  // that were granted
	Refused []string `json:"refused"` // that were not
	Until   []Limit  `json:"until"`
}

// Limit is until when a class of data is kept.
type Limit struct {
	Class string    `json:"class"` // Traces, FaceVideo, Identity
	Until time.Time `json:"until"` // zero = no limit is stated, or AfterPayment
	// AfterPayment is how many days after a payment whose day is not known; 0 = Until counts.
	AfterPayment int `json:"after_payment_days"`
}

// Codes makes the codes by which participants withdraw. The code itself is never kept.
type Codes interface {
	New() (code, hash string, err error)
}

// receipt is what the last page says.
func (v *visit) receipt() Receipt {
	s := v.m.o.Study
	r := Receipt{Study: s.TitleIn(v.language), Session: v.cur.id, Scopes: v.granted, Refused: v.refused}
	r.Code = v.code
	if s.Retain.Identity > 0 { // the vault is beside the sessions: who is in it is not known here
		r.Until = append(r.Until, Limit{Class: Identity, AfterPayment: int(s.Retain.Identity / (24 * time.Hour))})
	}
	if !v.recording() {
		return r // only the answers are kept
	}
	for _, class := range []struct {
		name string
		keep time.Duration
	}{{Traces, s.Retain.Traces}, {FaceVideo, s.Retain.FaceVideo}} {
		if class.name == FaceVideo && !slices.Contains(v.granted, FaceVideo) {
			continue
		}
		l := Limit{Class: class.name}
		if class.keep > 0 {
			l.Until = time.Now().Add(class.keep)
		}
		r.Until = append(r.Until, l)
	}
	return r
}
