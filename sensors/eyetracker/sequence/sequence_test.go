package sequence

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// counter is a device of 60 frames a second whose frame number has 16 bits.
var counter = Clock{TickHz: 60, Rate: 60, Modulus: 1 << 16}

// at is when frame n arrives.
func at(n int) instant.Instant {
	return instant.Instant(time.Hour).Add(time.Duration(n) * time.Second / 60)
}

// take feeds the frames of the given numbers, frame i with number numbers[i] at
// the time of the frame times[i] (nil: i), and returns what is believed.
func take(j *Judge[int], numbers, times []int) (all []Placed[int], damaged int64) {
	for i, n := range numbers {
		when := i
		if times != nil {
			when = times[i]
		}
		got, bad := j.Take(int64(n&0xFFFF), at(when), n)
		all, damaged = append(all, got...), damaged+bad
	}
	return all, damaged
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name           string
		numbers, times []int
		believed       []int
		lost, damaged  int64
		rebased        int
	}{
		{"in order", []int{5, 6, 7, 8}, nil, []int{5, 6, 7, 8}, 0, 0, 0},
		{"over the wrap", []int{65534, 65535, 65536, 65537}, nil, []int{65534, 65535, 65536, 65537}, 0, 0, 0},
		{"three lost", []int{5, 6, 10, 11}, []int{0, 1, 5, 6}, []int{5, 6, 10, 11}, 3, 0, 0},
		{"lost over the wrap", []int{65534, 65535, 65540, 65541}, []int{0, 1, 6, 7}, []int{65534, 65535, 65540, 65541}, 4, 0, 0},
		{"damaged number", []int{5, 6, 5000, 8, 9}, nil, []int{5, 6, 8, 9}, 1, 1, 0},
		{"number damaged by little", []int{5, 6, 15, 8, 9}, nil, []int{5, 6, 8, 9}, 1, 1, 0},
		{"number damaged to an earlier one", []int{5, 6, 4, 8, 9}, nil, []int{5, 6, 8, 9}, 1, 1, 0},
		{"number damaged and the next one lost", []int{50, 51, 32, 54, 55}, []int{0, 1, 2, 4, 5}, []int{50, 51, 54, 55}, 2, 1, 0},
		{"restart and loss", []int{5000, 5001, 0, 2, 3}, []int{0, 1, 2, 4, 5}, []int{5000, 5001, 2, 3}, 0, 1, 1},
		{"sent twice", []int{5, 6, 6, 7, 8}, []int{0, 1, 1, 2, 3}, []int{5, 6, 7, 8}, 0, 1, 0},
		{"first one damaged", []int{5000, 6, 7, 8}, nil, []int{6, 7, 8}, 0, 1, 0},
		{"restart", []int{5000, 5001, 0, 1, 2}, nil, []int{5000, 5001, 0, 1, 2}, 0, 0, 1},
		{"a stalled reader", []int{5, 6, 7, 8}, []int{0, 200, 200, 200}, []int{5, 6, 7, 8}, 0, 0, 0},
		{"a stalled reader and a full buffer", []int{4, 5, 6, 7, 8, 400, 401}, []int{0, 1, 395, 395, 395, 395, 396}, []int{4, 5, 6, 7, 8, 400, 401}, 391, 0, 0},
		{"a loss while the reader is stalled", []int{4, 5, 6, 8, 9}, []int{0, 1, 200, 200, 200}, []int{4, 5, 6, 8, 9}, 1, 0, 0},
		{"half of them lost", []int{5, 7, 9, 11, 13, 15}, []int{0, 2, 4, 6, 8, 10}, []int{5, 7, 9, 11, 13, 15}, 5, 0, 0},
		{"ten minutes of silence", []int{5, 6, 36006, 36007}, []int{0, 1, 36001, 36002}, []int{5, 6, 36006, 36007}, 35999, 0, 0},
	} {
		got, damaged := take(NewJudge[int](counter), c.numbers, c.times)
		var lost int64
		rebased := 0
		for i, p := range got {
			lost += p.Lost
			if p.Rebased {
				rebased++
			}
			if i < len(c.believed) && p.Frame != c.believed[i] {
				t.Errorf("%s: frame %d is %d, want %d", c.name, i, p.Frame, c.believed[i])
			}
			if i > 0 && !p.Rebased && p.Tick != got[i-1].Tick+p.Lost+1 {
				t.Errorf("%s: tick %d after %d with %d lost", c.name, p.Tick, got[i-1].Tick, p.Lost)
			}
		}
		if len(got) != len(c.believed) || lost != c.lost || damaged != c.damaged || rebased != c.rebased {
			t.Errorf("%s: %d believed, %d lost, %d damaged, %d rebased; want %d, %d, %d, %d",
				c.name, len(got), lost, damaged, rebased, len(c.believed), c.lost, c.damaged, c.rebased)
		}
	}
}

// Stamps in microseconds jitter, and a period is no whole number of them.
func TestJudgeOfStamps(t *testing.T) {
	j := NewJudge[int](Clock{TickHz: 1e6, Rate: 60})
	var lost, n int64
	for i := range 600 {
		if i%50 == 7 || i%50 == 8 {
			continue
		}
		us := int64(i)*1_000_000/60 + int64(i*i%3000) - 1500
		got, damaged := j.Take(us, at(i), i)
		for _, p := range got {
			lost += p.Lost
			n++
		}
		if damaged != 0 {
			t.Fatalf("frame %d: damage where there is none", i)
		}
	}
	if n != 600-24 || lost != 24 {
		t.Errorf("%d believed and %d lost, want 576 and 24", n, lost)
	}
}

// Whatever is lost and whichever numbers are damaged, what is believed is in
// order, and after two good frames in a row the next is believed at once.
func TestJudgeProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := NewJudge[int](counter)
		start := rapid.IntRange(0, 70000).Draw(t, "start")
		good := 0
		tick := int64(-1)
		for i := range 300 {
			n := start + i
			switch rapid.SampledFrom([]string{"good", "good", "good", "lost", "damaged"}).Draw(t, "fate") {
			case "lost":
				good = 0
				continue
			case "damaged":
				good = 0
				n ^= 1 << rapid.IntRange(0, 15).Draw(t, "bit")
			default:
				good++
			}
			got, _ := j.Take(int64(n&0xFFFF), at(i), n)
			for _, p := range got {
				if p.Rebased {
					tick = -1
				}
				if tick >= 0 && p.Tick <= tick {
					t.Fatalf("tick %d after %d", p.Tick, tick)
				}
				tick = p.Tick
			}
			if good > 2 && (len(got) != 1 || got[0].Frame != n) {
				t.Fatalf("good frame %d in a row: believed %+v", good, got)
			}
		}
	})
}

// A single damaged number, whatever it says and however many frames are missing
// after it, is no restart: ticks go on, and frames and losses add up.
func TestDamageIsNoRestart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const before, after = 5, 5
		start := rapid.IntRange(0, 70000).Draw(t, "start")
		missing := rapid.IntRange(0, 100).Draw(t, "missing")
		numbers, times := []int{}, []int{}
		for i := range before {
			numbers, times = append(numbers, start+i), append(times, i)
		}
		// Near the true one or anywhere.
		wrong := start + before + rapid.OneOf(rapid.IntRange(-200, 200), rapid.IntRange(-1<<15, 1<<15)).Draw(t, "off")
		numbers, times = append(numbers, wrong), append(times, before)
		for i := range after {
			n := before + 1 + missing + i
			numbers, times = append(numbers, start+n), append(times, n)
		}
		got, _ := take(NewJudge[int](counter), numbers, times)
		for i, p := range got {
			if p.Rebased || i > 0 && p.Tick != got[i-1].Tick+p.Lost+1 {
				t.Fatalf("frame %d: %+v after %+v", i, p, got[max(i-1, 0)])
			}
		}
		first, last := got[0], got[len(got)-1]
		if made := int64(before + missing + after); last.Frame != numbers[len(numbers)-1] || last.Tick-first.Tick != made {
			t.Fatalf("%d ticks to number %d, want %d", last.Tick-first.Tick, last.Frame, made)
		}
	})
}

func TestPace(t *testing.T) {
	for _, c := range []struct {
		stated, real float64
		ok           bool
	}{{60, 60, true}, {60, 59.94, true}, {240, 240, true}, {60, 120, false}, {120, 60, false}, {360, 240, false}, {240, 360, false}} {
		p := Pace{Rate: c.stated}
		ok := true
		var measured float64
		for i := 0; i < int(10*c.real) && ok; i++ {
			measured, ok = p.Take(1, instant.Instant(0).Add(time.Duration(float64(i)/c.real*1e9)))
		}
		if ok != c.ok {
			t.Errorf("stated %v, real %v: ok %v", c.stated, c.real, ok)
		}
		if !ok && (measured < c.real*.98 || measured > c.real*1.02) {
			t.Errorf("stated %v, real %v: counted %v", c.stated, c.real, measured)
		}
	}
}

// A reader that stalls for a second and then catches up is no wrong rate.
func TestPaceForgivesAStall(t *testing.T) {
	p := Pace{Rate: 60}
	for i := range 1200 {
		when := i
		if i >= 300 && i < 360 {
			when = 360
		}
		if _, ok := p.Take(1, at(when)); !ok {
			t.Fatalf("frame %d: the rate is called wrong", i)
		}
	}
}
