package iscan

// enough is how many frames in a row make it sure how many outputs there are.
const enough = 8

// census finds out how many outputs the frames of an unknown tracker hold.
type census struct {
	framers [maxOutputs]*Framer // of 1, 2, ... outputs
	frames  [maxOutputs]int     // in a row
}

func newCensus() *census {
	var c census
	for i := range c.framers {
		c.framers[i] = NewFramer(i + 1)
	}
	return &c
}

// take consumes bytes and tells, when it is sure, how many outputs there are; 0
// while it is not. Of lengths that are multiples of each other the least is right.
func (c *census) take(p []byte) (outputs int) {
	for i, r := range c.framers {
		slips := r.Faults().Slips
		for b := p; len(b) > 0; {
			_, rest, ok := r.Next(b, 0)
			if now := r.Faults().Slips; now > slips {
				slips, c.frames[i] = now, 0
			}
			if ok {
				c.frames[i]++
			}
			b = rest
		}
		if c.frames[i] >= enough {
			return i + 1
		}
	}
	return 0
}
