package shimmer3

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// at is a packet that arrives when it is due: n periods after the first.
func at(n int) packet {
	return packet{raw: uint32(1000+n*period) & tickMask, arrival: due(n), word: newWord(1, 1000+n)}
}

func due(n int) instant.Instant {
	return instant.Instant(0).Add(time.Duration(n) * period * time.Second / tickHz)
}

func TestSequence(t *testing.T) {
	moved := func(p packet, ticks int) packet {
		p.raw = uint32(int(p.raw)+ticks) & tickMask
		return p
	}
	for _, c := range []struct {
		name string
		in   []packet
		want string // tick, +lost, R for rebased
		bad  int64
	}{
		{"in order", []packet{at(0), at(1), at(2)}, "1000 1640 2280", 0},
		{"the first is not believed alone", []packet{at(0)}, "", 0},
		{"lost", []packet{at(0), at(1), at(5)}, "1000 1640 4200+3", 0},
		{"one tick off", []packet{at(0), moved(at(1), 1), moved(at(2), 2), moved(at(3), 1)}, "1000 1641 2282 2921", 0},
		{"came twice", []packet{at(0), at(1), at(1), at(2)}, "1000 1640 2280", 1},
		{"some came twice", []packet{at(0), at(1), at(2), at(0), at(1), at(2), at(3)}, "1000 1640 2280 2920", 3},
		{"damaged tick", []packet{at(0), at(1), moved(at(2), 1<<16), at(3)}, "1000 1640 2920+1", 1},
		{"two damaged ticks", []packet{at(0), at(1), moved(at(2), 70_000), moved(at(3), 5), at(4)}, "1000 1640 3560+2", 2},
		{"wrong first", []packet{moved(at(0), 90_001), at(1), at(2)}, "1640 2280", 1},
		{"a jump that is confirmed", []packet{at(0), at(1), moved(at(10), 100), moved(at(11), 100)}, "1000 1640 7500+8 8140", 0},
		{"zero is no tick", []packet{at(0), at(1), {raw: 0, arrival: due(2)}, at(3)}, "1000 1640 2920+1", 1},
		{"a clock that was set", []packet{at(0), at(1), moved(at(2), 1<<23), moved(at(3), 1<<23)}, "1000 1640 8390888R 8391528", 0},
		{"too far ahead for the time", []packet{at(0), at(1), moved(at(2), 4*tickHz/period*period), at(3)}, "1000 1640 2920+1", 1},
		{"late and all at once", func() []packet {
			all := []packet{at(0), at(1), at(2)}
			for n := range 60 {
				p := at(3 + n)
				p.arrival = due(2)
				all = append(all, p)
			}
			return all
		}(), strings.Join(func() (s []string) {
			for n := range 63 {
				s = append(s, fmt.Sprint(1000+n*period))
			}
			return s
		}(), " "), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := sequence{divider: period}
			var got []string
			var bad int64
			for _, p := range c.in {
				placed, n, damaged := q.take(p)
				bad += damaged
				for _, p := range placed[:n] {
					s := fmt.Sprint(p.tick)
					if p.lost > 0 {
						s += fmt.Sprintf("+%d", p.lost)
					}
					if p.rebased {
						s += "R"
					}
					got = append(got, s)
				}
			}
			if s := strings.Join(got, " "); s != c.want || bad != c.bad {
				t.Errorf("%s, %d damaged, want %s, %d", s, bad, c.want, c.bad)
			}
		})
	}
}

// Through many rounds of the counter, with losses: ticks are those that were
// sent, and all is either received or lost.
func TestSequenceAcrossWraps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	q := sequence{divider: period}
	const all = 200_000 // 65 minutes, 7 rounds
	var received, lost int64
	last := int64(-1)
	for n := range all {
		if n > 2 && n < all-2 && r.IntN(50) < 2 {
			continue
		}
		placed, k, damaged := q.take(at(n))
		if damaged != 0 {
			t.Fatalf("packet %d is called damaged", n)
		}
		for _, p := range placed[:k] {
			received++
			lost += p.lost
			if last >= 0 && p.tick != 1000+(received+lost-1)*period {
				t.Fatalf("packet %d has tick %d, want %d", n, p.tick, 1000+(received+lost-1)*period)
			}
			last = p.tick
		}
	}
	if received+lost != all {
		t.Errorf("%d received, %d lost of %d", received, lost, all)
	}
}

// shown runs words through the plateau and returns them with a * where they are
// held to be repeated; lost ones are given as -1.
func shown(p *plateau, divider int, words []Word, lost []int) string {
	var got []string
	enter := func(s packet, repeated bool) {
		w := fmt.Sprintf("%d:%d", s.word.Range(), s.word.ADC())
		if repeated {
			w += "*"
		}
		got = append(got, w)
	}
	missing := int64(0)
	for i, w := range words {
		if slices.Contains(lost, i) {
			missing++
			continue
		}
		p.take(packet{tick: int64(i * divider), word: w, lost: missing}, enter)
		missing = 0
	}
	p.flush(enter)
	return strings.Join(got, " ")
}

func TestPlateau(t *testing.T) {
	a, b, c, d := newWord(1, 1500), newWord(1, 1480), newWord(2, 2100), newWord(2, 2110)
	for _, x := range []struct {
		name  string
		words []Word
		lost  []int
		want  string
	}{
		{"four repeats", []Word{a, b, b, b, b, b, c, d}, nil, "1:1500 1:1480 1:1480* 1:1480* 1:1480* 1:1480* 2:2100 2:2110"},
		{"flat skin is none", []Word{a, a, a, a, a, a, a, a}, nil, strings.TrimSpace(strings.Repeat("1:1500 ", 8))},
		{"flat skin, then another reading", []Word{a, a, a, b}, nil, "1:1500 1:1500 1:1500 1:1480"},
		{"flat before the switch", []Word{b, b, b, b, b, b, b, b, c}, nil, "1:1480 1:1480 1:1480 1:1480* 1:1480* 1:1480* 1:1480* 1:1480* 2:2100"},
		{"two switches in a row", []Word{a, a, a, a, a, c, c, c, c, c, newWord(3, 3000)}, nil,
			"1:1500 1:1500* 1:1500* 1:1500* 1:1500* 2:2100 2:2100* 2:2100* 2:2100* 2:2100* 3:3000"},
		{"the reading that is repeated is lost", []Word{a, b, b, b, b, b, c}, []int{1}, "1:1500 1:1480* 1:1480* 1:1480* 1:1480* 2:2100"},
		{"repeats are lost", []Word{a, b, b, b, b, b, c}, []int{3, 4}, "1:1500 1:1480 1:1480* 1:1480* 2:2100"},
		{"the new range's first are lost", []Word{a, b, b, b, b, b, c, d, d}, []int{6, 7}, "1:1500 1:1480 1:1480* 1:1480* 1:1480* 1:1480* 2:2110"},
		{"lost, and nothing of it", []Word{a, b, a, b, a}, []int{1}, "1:1500 1:1500 1:1480 1:1500"},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := newPlateau(period)
			if got := shown(&p, period, x.words, x.lost); got != x.want {
				t.Errorf("%s\nwant %s", got, x.want)
			}
		})
	}
	none := newPlateau(3200) // 10.24 Hz: a period is longer than the settling
	if got := shown(&none, 3200, []Word{b, b, b, c}, nil); got != "1:1480 1:1480 1:1480 2:2100" {
		t.Errorf("%s, want no repeats", got)
	}
	none.take(packet{tick: 0, word: b}, func(packet, bool) {})
	none.take(packet{tick: 3200, word: b}, func(packet, bool) {})
	if len(none.held) != 0 {
		t.Error("packets are held back although there are no repeats")
	}
}

// What the twin's amplifier repeats is found, whatever it measures: no repeated
// word passes as a reading, unless packets are lost that hide both a switch and
// the one back, and at most two readings a switch are taken for repeated words.
func TestPlateauFindsAllRepeats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		divider := rapid.SampledFrom([]int{32, 128, 256, 640, 1000, 2621, 3200}).Draw(t, "divider")
		seed := rapid.Uint64().Draw(t, "seed")
		noise := rapid.SampledFrom([]float64{0, .5, 3}).Draw(t, "noise")
		losses := rapid.IntRange(0, 10).Draw(t, "percent lost")
		r := rand.New(rand.NewPCG(seed, 1))
		a, p := newAmplifier(autoRange, divider), newPlateau(divider)
		fresh := map[int64]bool{} // by tick: it was measured
		ranges, switches, wrong, passed, hidden := -1, 0, 0, 0, 0
		shown, away := -1, false
		entered := int64(-1)
		enter := func(s packet, repeated bool) {
			if s.tick <= entered {
				t.Fatalf("tick %d entered after %d", s.tick, entered)
			}
			entered = s.tick
			if repeated && fresh[s.tick] {
				wrong++
			}
			if !repeated && !fresh[s.tick] {
				passed++
			}
		}
		missing := int64(0)
		us := 5.0
		for n := range 2000 {
			us = max(.1, min(30, us*(1+.02*r.NormFloat64()*math.Sqrt(float64(divider)/period))))
			measured := a.settles == 0 && a.number == a.before
			w := a.read(func(number int) int {
				return int(max(0, min(fullScale, math.Round(reading(us, number)+noise*r.NormFloat64()))))
			})
			if w.Range() != ranges {
				ranges = w.Range()
				switches++
			}
			if n >= ignored && r.IntN(100) < losses {
				missing++
				away = away || w.Range() != shown
				continue
			}
			if away && w.Range() == shown {
				hidden++
			}
			shown, away = w.Range(), false
			tick := int64(n * divider)
			fresh[tick] = measured || n < ignored || settling/divider == 0
			p.take(packet{tick: tick, word: w, lost: missing}, enter)
			missing = 0
			if late := tick - entered; late > p.span+int64(divider)*12 {
				t.Fatalf("held for %d ticks", late)
			}
		}
		if passed > hidden*(settling/divider+1) {
			t.Fatalf("%d repeated words passed as readings, with %d hidden switches", passed, hidden)
		}
		if wrong > 2*switches {
			t.Errorf("%d readings were taken for repeated words at %d switches", wrong, switches)
		}
	})
}
