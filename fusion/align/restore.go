package align

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A device without sequence numbers is counted by what arrives, so that each sample
// it loses makes all later ones seem late by one period, for good. The instants of
// its samples still lie on a lattice: one phase, one period, whole numbers. So the
// period is found for which the freshest arrivals keep to such a lattice, and what
// they skip of it are the samples that are missing.

const (
	// leastPeriod is the shortest period of a device whose losses are found one by
	// one: a period must stand out from the jitter of the freshest arrivals.
	leastPeriod = 3 * time.Millisecond
	// latticeBlock is how much of a run the period is sought in at once. Half a
	// percent of a period's phase is then a few parts per million.
	latticeBlock = 30 * time.Second
	// phaseWidth is how far from its phase a freshest arrival may lie and still keep to
	// the lattice, as a part of the period.
	phaseWidth = 0.125
	// latticeSteps refine the period between two that were tried first, which differ
	// by half of phaseWidth over a block.
	latticeSteps = 8
	// latticeWander is by how much the period of a block may differ from that of the
	// one before.
	latticeWander = 60e-6
	// leastGrip is how well the freshest arrivals must keep to a lattice that is to be
	// believed. At random it would be phaseWidth.
	leastGrip = 0.22
	// leastStretches is of how many half seconds a lattice must be seen: a few lie on one
	// by chance.
	leastStretches = 8
	// usualStall is how long arrivals are watched, at the least, to see whether they
	// are late by missing samples or were held up by the host: afterwards those are in
	// time again.
	usualStall = 5 * time.Second
	// polishes is how often the count is corrected by the timeline that was fitted to it.
	polishes = 4
	// certain is the logarithm of the odds at which the place of a missing sample is
	// taken for sure: a thousand to one.
	certain = 6.9
)

// inCount puts the stamps of a counted clock in the order of their numbers, each
// number once, with its first arrival.
func inCount(stamps []Stamp) []Stamp {
	ordered := true
	for i := 1; i < len(stamps) && ordered; i++ {
		ordered = stamps[i-1].Seq < stamps[i].Seq
	}
	if ordered {
		return stamps
	}
	stamps = slices.Clone(stamps)
	slices.SortStableFunc(stamps, func(a, b Stamp) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Arrival, b.Arrival))
	})
	return slices.CompactFunc(stamps, func(a, b Stamp) bool { return a.Seq == b.Seq })
}

// lattice is what a part of a run keeps to.
type lattice struct {
	period float64 // ns
	phase  float64 // of number 0 of the run, ns from the run's first arrival
}

// skips counts the numbers of a lattice that are skipped before each of some samples,
// from how late they are by their own numbers, in periods.
//
// The first sample after which all come too late for the number that is due, itself
// included, is the earliest that a number can be missing before. Those that follow may
// as well have been held up, as in a batch that lost its last. The number is given to
// be missing where the delays that result are the likeliest, and samples around it, of
// which that is not sure, are told.
//
// Too few samples follow the last of a run to tell whether those were held up. They go
// on as before, and more tells how many numbers may be missing besides: all that their
// delays leave room for.
func (m method) skips(late []float64) (missing, more []int64, unsure []bool) {
	missing, more, unsure = make([]int64, len(late)), make([]int64, len(late)), make([]bool, len(late))
	n := m.heard()
	for i, v := range leastAhead(late, n) {
		missing[i] = int64(math.Floor(v + phaseWidth))
		if few := i+n > len(late); few && i > 0 {
			room := missing[i]
			missing[i] = missing[i-1]
			more[i] = max(room-missing[i], 0)
		}
	}
	m.outlive(missing, late)
	var seen delays
	for i, v := range late {
		seen.add(v - float64(missing[i]))
	}
	seen.weigh()
	for i := 1; i < len(late); i++ {
		before, after := missing[i-1], missing[i]
		if after <= before {
			continue
		}
		from, end := i, i
		for end < min(i+m.heard(), len(late)) && missing[end] == after {
			end++
		}
		// gain is by how much likelier than at i the step is at each sample.
		gain, most, at := 0.0, 0.0, from
		for k := from; k < end; k++ {
			v := late[k]
			gain += seen.logLikelihood(v-float64(before)) - seen.logLikelihood(v-float64(after))
			if gain > most {
				most, at = gain, k+1
			}
			if gain < most-certain {
				end = k + 1
			}
		}
		for k := from; k < end; k++ {
			unsure[k] = true
		}
		for k := from; k < at; k++ {
			missing[k] = before
		}
		i = max(i, at)
	}
	return missing, more, unsure
}

// delays is how often samples are how late, in periods.
type delays struct {
	weight [delayClasses]float64
	n      float64
}

const (
	// delayClasses classes of 1/16 period, from phaseWidth before time on.
	delayClasses = 128
	perPeriod    = 16
)

func (d *delays) class(v float64) int {
	return min(max(int((v+phaseWidth)*perPeriod), 0), delayClasses-1)
}

func (d *delays) add(v float64) {
	d.weight[d.class(v)]++
	d.n++
}

// weigh turns counts into logarithms of likelihoods. One more of each is counted, for
// what was not seen.
func (d *delays) weigh() {
	for i := range d.weight {
		d.weight[i] = math.Log((d.weight[i] + 1) / (d.n + delayClasses))
	}
}

func (d *delays) logLikelihood(v float64) float64 {
	if v < -phaseWidth {
		return -math.MaxFloat32 // before it was taken
	}
	return d.weight[d.class(v)]
}

// restore tells by how many periods each sample of a run is late by its own number.
// False where no lattice explains the arrivals.
func (m method) restore(run []Stamp) (late []float64, ok bool) {
	if m.nsPerTick < float64(leastPeriod) || len(run) < leastStretches*m.heard() {
		return nil, false
	}
	block := max(int(float64(latticeBlock)/m.nsPerTick), 2*leastStretches*m.heard())
	late = make([]float64, len(run))
	period, around := m.nsPerTick, maxDrift // the middle of what is sought, and how far beside it
	var before lattice
	for from := 0; from < len(run); {
		until := from + block
		if len(run)-until < block/2 {
			until = len(run)
		}
		l, kept := m.seek(run, from, until, period, around)
		if kept < leastGrip {
			return nil, false
		}
		if from > 0 {
			// The same lattice goes on, with as many numbers skipped as bring it nearest.
			first := run[from].Seq - run[0].Seq
			l.phase += l.period * math.Round((before.at(first)-l.at(first))/l.period)
		}
		for i, s := range run[from:until] {
			late[from+i] = (float64(s.Arrival-run[0].Arrival) - l.at(s.Seq-run[0].Seq)) / l.period
		}
		before, period, around, from = l, l.period, latticeWander, until
	}
	return late, true
}

// at is the lab clock, from the run's first arrival, of a number of the run.
func (l lattice) at(number int64) float64 { return l.phase + l.period*float64(number) }

// seek finds the lattice of the samples [from, until) of a run, of a period within a
// share around the given one. kept is the share of the freshest arrivals that keep to it.
func (m method) seek(run []Stamp, from, until int, period, around float64) (_ lattice, kept float64) {
	part := run[from:until]
	arrived := func(i int, p float64) float64 {
		return float64(part[i].Arrival-run[0].Arrival) - p*float64(part[i].Seq-run[0].Seq)
	}
	n := m.heard()
	freshest := make([]float64, len(part)/n)
	var phase float64
	// grip is how well the freshest arrival of each half second keeps to one phase: 1
	// for all of them at the same, 0 for none near it. Those that are later than one to
	// come by whole periods were held up, or the period is too long: batches in step
	// with the samples keep to a lattice of their own, and it would have samples made up.
	grip := func(p float64) float64 {
		for w := range freshest {
			freshest[w] = math.Inf(1)
			for i := w * n; i < (w+1)*n; i++ {
				freshest[w] = min(freshest[w], arrived(i, p))
			}
		}
		phase = usualPhase(freshest, p)
		sum, least := 0.0, math.Inf(1)
		for _, v := range slices.Backward(freshest) {
			if number := math.Round((v - phase) / p); number <= least {
				least = number
				sum += max(0, 1-math.Abs(beside(v, phase, p))/(phaseWidth*p))
			}
		}
		return sum / float64(len(freshest))
	}
	l := lattice{period: period}
	try := func(p float64) {
		if g := grip(p); g > kept {
			l.period, kept = p, g
		}
	}
	try(period)
	length := min(max(period*float64(part[len(part)-1].Seq-part[0].Seq), period), 2*float64(latticeBlock))
	step := phaseWidth / 2 * period * period / length
	for p := period * (1 - around); p <= period*(1+around); p += step {
		try(p)
	}
	coarse := l.period
	for k := -latticeSteps; k <= latticeSteps; k++ {
		try(coarse + step*float64(k)/latticeSteps)
	}
	grip(l.period)
	l.phase = phase
	return l, kept
}

// usualPhase is where on a circle of the given length the most values lie together.
func usualPhase(vs []float64, length float64) float64 {
	const bins = 2 / phaseWidth
	var count [bins]int
	for _, v := range vs {
		count[min(int((v/length-math.Floor(v/length))*bins), bins-1)]++
	}
	most, at := 0, 0
	for i := range count {
		if n := count[i] + count[(i+1)%bins]; n > most {
			most, at = n, i
		}
	}
	centre := float64(at+1) / bins * length
	near := vs[:0:0]
	for _, v := range vs {
		if d := beside(v, centre, length); math.Abs(d) <= length/bins {
			near = append(near, d)
		}
	}
	return centre + inTime(near)
}

// inTime is where the arrivals that nothing held up are, of the freshest of many
// stretches: not the least, which may be counted wrongly.
func inTime(freshest []float64) float64 {
	if len(freshest) == 0 {
		return 0
	}
	slices.Sort(freshest)
	return freshest[len(freshest)/10]
}

// beside is how far a value lies from a phase on a circle, at most half of it.
func beside(v, phase, length float64) float64 {
	d := (v - phase) / length
	return (d - math.Round(d)) * length
}

// outlive takes back what seemed to be missing only because the host stalled: what is
// missing stays so. It looks ahead to the end of the longest stall there was, which
// shows by how far the lateness, in periods, fell at its end.
func (m method) outlive(missing []int64, late []float64) {
	latest, longest := late[0], float64(usualStall)/m.nsPerTick
	for _, v := range late {
		latest = max(latest, v)
		longest = max(longest, latest-v)
	}
	vs := make([]float64, len(missing))
	for i, n := range missing {
		vs[i] = float64(n)
	}
	ahead := int(min(longest, float64(len(late)))) + m.heard()
	for i, v := range leastAhead(vs, ahead) {
		missing[i] = int64(v)
	}
}

// fitRestored fits a run whose numbers do not count what is missing: first it
// restores the count, then it fits that as any other, and corrects it by what the
// fit shows. The knots are in numbers as they were. lost is how many samples are
// missing; false where the count could not be restored.
func (m method) fitRestored(o origin, run []Stamp) (ks []knot, lost int64, ok bool) {
	late, ok := m.restore(run)
	if !ok {
		return nil, 0, false
	}
	missing, more, unsure := m.skips(late)
	for range polishes {
		var sure []Stamp // one that was counted too high would drag the wall down
		for i, s := range run {
			if !unsure[i] {
				s.Seq += missing[i]
				sure = append(sure, s)
			}
		}
		ks = m.newFitter(o, sure, nil, rate{}).knots()
		late = m.behind(run, o.pieces(0, ks), missing)
		before := missing
		missing, more, unsure = m.skips(late)
		if slices.Equal(before, missing) {
			break
		}
	}
	return m.uncounted(o, run, missing, more, ks), missing[len(missing)-1] - missing[0], true
}

// behind tells how many periods later than by its own number, missing ones left out,
// each sample of a run arrived. It is measured from where the freshest arrivals usually
// are, not from the wall that was fitted: a single sample that is counted too high
// drags that down to itself.
func (m method) behind(run []Stamp, fitted []Piece, missing []int64) []float64 {
	t := Timeline{method: m, epochs: map[int][]Piece{0: fitted}}
	late := make([]float64, len(run))
	for i, s := range run {
		at, _ := t.At(0, s.Seq+missing[i])
		late[i] = float64(s.Arrival.Sub(at))
	}
	n := m.heard()
	block := max(int(float64(latticeBlock)/m.nsPerTick), n)
	for from := 0; from < len(late); from += block {
		part := late[from:min(from+block, len(late))]
		var freshest []float64
		for window := range slices.Chunk(part, n) {
			freshest = append(freshest, slices.Min(window))
		}
		usual := inTime(freshest)
		for i := range part {
			part[i] = (part[i]-usual)/m.nsPerTick + float64(missing[from+i])
		}
	}
	return late
}

// uncounted puts knots, which are in full numbers, at the numbers of a run that
// leaves out the missing ones. Their bounds hold what may be missing besides.
func (m method) uncounted(o origin, run []Stamp, missing, more []int64, full []knot) []knot {
	var ks []knot
	var doubt float64
	put := func(k knot, missing int64) {
		shift := m.nsPerTick * float64(missing)
		k.x, k.y, k.err = k.x-shift, k.y+shift, k.err+doubt
		ks = append(ks, k)
	}
	next, wrong := 0, int64(0)
	for i := 0; i < len(run); {
		if i == 0 || missing[i] != missing[i-1] {
			wrong = misplaced(missing, i)
		}
		j := i
		for j+1 < len(run) && missing[j+1] == missing[i] && more[j+1] == more[i] {
			j++
		}
		doubt = m.nsPerTick * float64(wrong+more[i])
		from, until := o.x(run[i].Seq+missing[i]), o.x(run[j].Seq+missing[i])
		put(along(full, from), missing[i])
		for next < len(full) && full[next].x < until {
			if full[next].x > from {
				put(full[next], missing[i])
			}
			next++
		}
		if j > i {
			put(along(full, until), missing[i])
		}
		i = j + 1
	}
	return ks
}

// misplaced is by how many numbers a sample between two losses may be wrong, from is the
// first between them: it may be on the wrong side of one, and in a stall of several.
func misplaced(missing []int64, from int) int64 {
	most := int64(1)
	if from > 0 {
		most = max(most, missing[from]-missing[from-1])
	}
	for _, n := range missing[from:] {
		if n != missing[from] {
			return max(most, n-missing[from])
		}
	}
	return most
}

// along is the mapping between knots, which are in order of x.
func along(ks []knot, x float64) knot {
	i, found := slices.BinarySearchFunc(ks, x, func(k knot, x float64) int { return cmp.Compare(k.x, x) })
	switch {
	case found:
		return ks[i]
	case i == 0 || i == len(ks):
		k := ks[min(i, len(ks)-1)]
		return knot{x, k.y + k.slope*(x-k.x), k.err, k.slope}
	}
	a, b := ks[i-1], ks[i]
	slope := (b.y - a.y) / (b.x - a.x)
	return knot{x, a.y + slope*(x-a.x), max(a.err, b.err), slope}
}
