package shimmer3

// settling is how long the firmware repeats the last word after it has switched
// the range by itself: 80 ms. The repeated words have the range of before.
//
// Source: SETTLING_TIME in GSR/gsr.c of ShimmerResearch/log-and-stream-common.
const settling = 2621 // ticks

// plateau finds the words that the firmware repeats after a switch of the range.
// They can be told from readings only by what comes after them: a word of
// another range. So a word that equals the one before is held, for as long as
// settling, until the next different word tells.
type plateau struct {
	divider int64 // ticks between two packets
	span    int64 // ticks for which a word can be a repeated one; 0 = there are none

	held    []packet // all with the same word
	last    packet   // the newest one
	hasLast bool
}

// newPlateau returns the plateau of packets that are divider ticks apart, where
// the firmware switches the range by itself.
func newPlateau(divider int) plateau {
	// The firmware's division of whole numbers rounds down, the vendor's document
	// says that it rounds up. The larger number never passes a repeated word as a
	// reading. Below one period there is none, by the firmware.
	if divider > settling {
		return plateau{}
	}
	periods := (settling + divider - 1) / divider
	return plateau{divider: int64(divider), span: int64(periods * divider)}
}

// take takes the next packet and enters those of which it is known by now whether
// they are repeated ones. They are entered in order.
func (p *plateau) take(next packet, enter func(s packet, repeated bool)) {
	before, known := p.last, p.hasLast
	p.last, p.hasLast = next, true
	switched := known && !next.rebased && next.word.Range() != before.word.Range()
	if switched {
		// The first word of the new range may be among the lost.
		since := next.tick - next.lost*p.divider - p.span - tickTolerance
		for _, s := range p.held {
			enter(s, s.tick >= since)
		}
		p.held = p.held[:0]
	}
	if next.rebased || !known || next.word != before.word {
		p.flush(enter)
	}
	// Too old to be repeated ones.
	old := 0
	for old < len(p.held) && next.tick-p.held[old].tick >= p.span {
		enter(p.held[old], false)
		old++
	}
	p.held = append(p.held[:0], p.held[old:]...)
	// After lost packets, the word that it may repeat may be among them.
	suspect := known && !next.rebased && (next.word == before.word || next.lost > 0)
	if p.span == 0 || !suspect {
		p.flush(enter)
		enter(next, false)
		return
	}
	p.held = append(p.held, next)
}

// flush enters what is held as readings: nothing that follows can tell more.
func (p *plateau) flush(enter func(s packet, repeated bool)) {
	for _, s := range p.held {
		enter(s, false)
	}
	p.held = p.held[:0]
}
