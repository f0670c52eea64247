package eyemovement

import "time"

// Cut returns the events with each pursuit cut into equal pieces of at most
// longest, each with a centre of its own and touching the next: for measures
// that ask where somebody looked at a time. A pursuit's one centre may lie where
// the eyes never stayed. Events that do not belong to g stay as they are.
func Cut(g Gaze, s Screen, events []Event, longest time.Duration) []Event {
	if g.Check() != nil || !s.Valid() || longest <= 0 {
		return events
	}
	g = plausible(g)
	var speed []float64
	dt := g.Interval()
	var out []Event
	for _, e := range events {
		lasted := e.Until.Sub(e.From)
		samples := e.Last - e.First + 1
		pieces := int(min((lasted+longest-1)/longest, time.Duration(samples)))
		if e.Class != Pursuit || e.First < 0 || e.Last >= g.Len() || pieces < 2 {
			out = append(out, e)
			continue
		}
		if speed == nil {
			speed = windowSpeed(g, s, 1, breaksOver(g, breakLimit(0, dt)))
		}
		for k := range pieces {
			first, last := e.First+samples*k/pieces, e.First+samples*(k+1)/pieces-1
			p := describe(g, s, speed, dt, Pursuit, first, last)
			if p.Until = e.Until; last < e.Last {
				p.Until = g.At[last+1]
			}
			out = append(out, p)
		}
	}
	return out
}
