package script

import (
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

func TestTwelvePeople(t *testing.T) {
	for seed := range uint64(50) {
		people := People(12, seed)
		if !reflect.DeepEqual(people, People(12, seed)) {
			t.Fatalf("seed %d gave two groups", seed)
		}
		faults := map[Fault]int{}
		languages, video, flat, pauses, swipes, slips := map[int]int{}, 0, 0, 0, 0, 0
		for i, p := range people {
			if p.Number != i+1 {
				t.Errorf("seed %d: person %d is number %d", seed, i, p.Number)
			}
			faults[p.Fault]++
			languages[p.Language%2]++
			for _, c := range []struct {
				is    bool
				count *int
			}{{p.Video, &video}, {!p.Responsive, &flat}, {p.Pauses, &pauses}, {p.Swipes, &swipes}, {p.Slips, &slips}} {
				if c.is {
					*c.count++
				}
			}
		}
		want := map[Fault]int{NoFault: 7, DropsOut: 2, Withdraws: 1, ScreenedOut: 1, DeviceDies: 1}
		if !reflect.DeepEqual(faults, want) {
			t.Errorf("seed %d: %v, want %v", seed, faults, want)
		}
		if languages[0] < 4 || languages[1] < 4 || video < 4 || video > 8 {
			t.Errorf("seed %d: languages %v, %d allow video; want about half of each", seed, languages, video)
		}
		if flat != 1 || pauses != 1 || swipes != 1 || slips != 1 {
			t.Errorf("seed %d: %d with skin that does not respond, %d pause, %d swipe, %d slip; want one each", seed, flat, pauses, swipes, slips)
		}
	}
}

// Whatever the number, the first and the last go through, nobody has two faults, and
// everything is within its range.
func TestPeople(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 80).Draw(t, "n")
		people := People(n, rapid.Uint64().Draw(t, "seed"))
		if len(people) != n {
			t.Fatalf("%d people, want %d", len(people), n)
		}
		faults := 0
		for _, p := range people {
			if p.Fault != NoFault {
				faults++
				if p.Pauses || p.Swipes || p.Slips || !p.Responsive {
					t.Errorf("%+v: what else they do hides the fault", p)
				}
			}
			if p.Expressiveness < leastExpressive || p.Expressiveness > 1 || p.At < 0 || p.At >= 1 || p.Pace <= 0 {
				t.Errorf("%+v", p)
			}
		}
		if people[0].Fault != NoFault || people[n-1].Fault != NoFault {
			t.Error("the first or the last has a fault")
		}
		if n < 5 && faults > 0 {
			t.Errorf("%d faults among %d people", faults, n)
		}
		if faults > n/2 {
			t.Errorf("%d of %d people have a fault", faults, n)
		}
	})
}

// The only person of a single session is the participant of the script itself.
func TestOnePersonPlaysTheScript(t *testing.T) {
	p := People(1, 9)[0]
	if !reflect.DeepEqual(p.Script(), New(9)) {
		t.Error("the first person plays another script than the seed's")
	}
}

func TestPersonsScript(t *testing.T) {
	p := Person{Seed: 3, Expressiveness: .5}
	s, full := p.Script(), New(3)
	peak := s.Expressions[0].From + Ramp
	name, intensity := s.Expression(peak)
	if want, _ := full.Expression(peak); name != want || intensity != .5 {
		t.Errorf("at its height the expression is %s %.2f, want %s .5", name, intensity, want)
	}
	if len(s.Responses) > 0 {
		t.Error("skin that does not respond responds")
	}
	if from, until := 2*time.Second, 12*time.Second; s.Felt(from, until) != full.Felt(from, until) {
		t.Error("who shows less feels less")
	}

	truth := NewTruth(full, 0)
	truth.Sit(s)
	truth.Breathe(instant.Instant(20e9))
	if got := truth.Conductance(instant.Instant(24e9)); math.Abs(got-s.Conductance(24e9)) > 1e-9 {
		t.Errorf("%.3f µS after a deep breath, want %.3f: this skin does not respond", got, s.Conductance(24e9))
	}
	r := truth.Record()
	if r.Script != s {
		t.Error("the record is of somebody else")
	}
	if got := r.Responses(0, instant.Instant(time.Minute), nil); got != (ResponseScore{}) {
		t.Errorf("responses are asked for that nobody had: %+v", got)
	}
	var seen []Seen
	for at := time.Duration(0); at < s.Period; at += 33 * time.Millisecond {
		seen = append(seen, Seen{instant.Instant(at), "neutral"})
	}
	for _, g := range r.Expressions(seen) {
		if g.Class != "neutral" {
			t.Errorf("%+v is asked for, at half its strength", g)
		}
	}
}

// What people say goes with what they felt, and not wholly.
func TestWhatPeopleSayFollowsWhatTheyFelt(t *testing.T) {
	var felt, said []float64
	for _, p := range People(12, 5) {
		s := p.Script()
		for occasion := range 8 {
			from := time.Duration(occasion) * 10 * time.Second
			f := s.Felt(from, from+6*time.Second)
			felt, said = append(felt, f.Valence), append(said, p.Valence(f, "sam.valence", occasion))
			if p.Valence(f, "sam.valence", occasion) != said[len(said)-1] {
				t.Fatal("the same question on the same occasion was answered twice differently")
			}
		}
	}
	if r := correlation(felt, said); r < .6 || r > .98 {
		t.Errorf("what is said correlates with what was felt by %.2f", r)
	}
	happy := Feeling{Valence: .5}
	sad := Feeling{Valence: -.5}
	p := Person{Seed: 1}
	if p.Valence(happy, "q", 1) <= p.Valence(sad, "q", 1) {
		t.Error("somebody says of what was sad that it was better than what was happy")
	}
}

func correlation(x, y []float64) float64 {
	var mx, my, sxy, sxx, syy float64
	for i := range x {
		mx, my = mx+x[i]/float64(len(x)), my+y[i]/float64(len(y))
	}
	for i := range x {
		sxy += (x[i] - mx) * (y[i] - my)
		sxx += (x[i] - mx) * (x[i] - mx)
		syy += (y[i] - my) * (y[i] - my)
	}
	return sxy / math.Sqrt(sxx*syy)
}
