package gaze

import (
	"math/rand/v2"
	"time"

	"emolab/fusion/eyemovement"
)

// DefaultRepeats is how often one target is shown again at most.
const DefaultRepeats = 2

// ProcedureOptions of NewProcedure. The zero value is the default.
type ProcedureOptions struct {
	Screen  eyemovement.Screen
	Seed    uint64        // of the order
	Settle  time.Duration // 0 = DefaultSettle
	Repeats int           // per target; 0 = DefaultRepeats, below 0 none
	// First has the first target shown once more after the others, as eye
	// trackers do: at the first one people are still finding out what to do.
	First bool
}

// Procedure decides which target comes next: in random order, so that nobody
// looks ahead, and targets with too little or scattered gaze once more at the
// end. It knows nothing of clocks and screens:
//
//	for {
//		target, more := p.Next()
//		if !more { break }
//		... show it, collect the gaze meanwhile ...
//		p.Add(look)
//	}
type Procedure struct {
	o       ProcedureOptions
	queue   []Point
	showing bool
	repeats map[Point]int
	looks   []Look
}

// NewProcedure makes a procedure over the targets.
func NewProcedure(targets []Point, o ProcedureOptions) *Procedure {
	if o.Settle <= 0 {
		o.Settle = DefaultSettle
	}
	if o.Repeats == 0 {
		o.Repeats = DefaultRepeats
	}
	p := &Procedure{o: o, repeats: map[Point]int{}}
	p.queue = append(p.queue, targets...)
	// not for secrets: the order is a function of the seed
	random := rand.New(rand.NewPCG(o.Seed, uint64(len(targets))))
	random.Shuffle(len(p.queue), func(i, j int) { p.queue[i], p.queue[j] = p.queue[j], p.queue[i] })
	if o.First && len(p.queue) > 1 {
		p.queue = append(p.queue, p.queue[0])
	}
	return p
}

// Next returns the target to show now; false when there is none left. Until Add
// is told of it, it stays the same.
func (p *Procedure) Next() (Point, bool) {
	if len(p.queue) == 0 {
		return Point{}, false
	}
	p.showing = true
	return p.queue[0], true
}

// Add takes the look at the target that Next returned, and returns why it will
// be shown again, or would be if it had not been so too often; "" when it was
// good. Without a Next before it, it does nothing.
func (p *Procedure) Add(l Look) (reason string) {
	if !p.showing || len(p.queue) == 0 {
		return ""
	}
	target := p.queue[0]
	p.queue, p.showing = p.queue[1:], false
	p.looks = append(p.looks, l)
	reason = p.Weak(l)
	if reason != "" && p.repeats[target] < p.o.Repeats {
		p.repeats[target]++
		p.queue = append(p.queue, target)
	}
	return reason
}

// Weak says why a look is not enough to be used; "" when it is. It may be asked
// while the target is still on the screen: a look that lacks only samples can be
// made longer.
func (p *Procedure) Weak(l Look) string {
	step := interval(append(p.looks[:len(p.looks):len(p.looks)], l)...)
	return l.sift(p.o.Screen, p.o.Settle, step).weak(step)
}

// Looks returns all looks so far, also the weak ones: Fit and Validate leave
// those out by the same rule.
func (p *Procedure) Looks() []Look { return p.looks }

// Left is how many showings are to come, as far as is known now, the present
// one included.
func (p *Procedure) Left() int { return len(p.queue) }
