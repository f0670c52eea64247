package eda

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// followed is what Live said of a recording.
type followed struct {
	readings  []Reading
	onsets    []instant.Instant // when responses were recognised
	confirmed []Response
	told      []instant.Instant // when they were confirmed
}

func follow(at []instant.Instant, us []float64, o Options) (f followed) {
	live := NewLive(o)
	for i := range us {
		r := live.Add(at[i], us[i])
		f.readings = append(f.readings, r)
		if r.Onset {
			f.onsets = append(f.onsets, at[i])
		}
		for _, x := range r.Confirmed {
			f.confirmed, f.told = append(f.confirmed, x), append(f.told, at[i])
		}
	}
	return f
}

// agree holds what Live said against Analyze: the same responses where both can
// know them, each told in time.
func agree(t *testing.T, name string, at []instant.Instant, us []float64) {
	t.Helper()
	f := follow(at, us, Options{})
	offline := Analyze(at, us, Options{Method: HighPass})
	end := at[len(at)-1].Add(-Delay) // what peaks later is not confirmed
	var want []Response
	for _, r := range offline.Responses {
		if r.Peak < end {
			want = append(want, r)
		}
	}
	var got []Response
	for _, r := range f.confirmed {
		if r.Peak < end {
			got = append(got, r)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d responses live, %d offline:\n%v\n%v", name, len(got), len(want), starts(got, at[0]), starts(want, at[0]))
	}
	for i, g := range got {
		w := want[i]
		if off := g.Onset.Sub(w.Onset).Abs(); off > 120*time.Millisecond {
			t.Errorf("%s: response %d begins %v off", name, i, off)
		}
		if off := g.Peak.Sub(w.Peak).Abs(); off > 120*time.Millisecond {
			t.Errorf("%s: response %d peaks %v off", name, i, off)
		}
		if math.Abs(g.AmplitudeUS-w.AmplitudeUS) > .002+.01*w.AmplitudeUS {
			t.Errorf("%s: response %d has %.4f µS, offline %.4f", name, i, g.AmplitudeUS, w.AmplitudeUS)
		}
	}
	for i, told := range f.told {
		if late := told.Sub(f.confirmed[i].Peak); late > Delay || late < 0 {
			t.Errorf("%s: response %d was told %v after its peak", name, i, late)
		}
	}
	if len(f.onsets) < len(f.confirmed) {
		t.Errorf("%s: %d responses recognised, %d confirmed", name, len(f.onsets), len(f.confirmed))
	}
	for i, r := range f.readings {
		if late := at[i].Sub(r.At); late > Delay || late < 0 {
			t.Fatalf("%s: the reading at sample %d is %v old", name, i, late)
		}
	}
	// The level is that of the offline filter as far as it can be known 1.6 s
	// later: far closer to it than the level of then is to the level of now.
	var square, n, worst float64
	for i, r := range f.readings {
		if at[i].Sub(at[0]) < 10*time.Second || at[i] > end || math.IsNaN(r.Tonic) {
			continue
		}
		k := i
		for k > 0 && at[k] > r.At {
			k--
		}
		d := math.Abs(r.Tonic - offline.Tonic[k])
		square, n, worst = square+d*d, n+1, max(worst, d)
		here := us[k] + (us[k+1]-us[k])*r.At.Sub(at[k]).Seconds()/at[k+1].Sub(at[k]).Seconds()
		if sum := r.Tonic + r.Phasic; math.Abs(sum-here) > .2 {
			t.Fatalf("%s: sample %d of %v µS is parted into %v and %v", name, k, here, r.Tonic, r.Phasic)
		}
	}
	_, sd := moments(us)
	rms := math.Sqrt(square / n)
	t.Logf("%s: %d responses; the level differs by %.3f µS rms, %.3f at most; sd of the signal %.3f µS", name, len(got), rms, worst, sd)
	if rms > .4*sd { // a script has a response every 7 s, of which the level knows too late
		t.Errorf("%s: the level is %.3f µS rms off, the signal's sd is %.3f", name, rms, sd)
	}
}

func starts(r []Response, from instant.Instant) (s []string) {
	for _, x := range r {
		s = append(s, fmt.Sprintf("%.2fs %.3fµS", x.Onset.Sub(from).Seconds(), x.AmplitudeUS))
	}
	return s
}

func TestLiveAgreesWithAnalyzeOnScripts(t *testing.T) {
	for seed := range uint64(6) {
		for _, rate := range []float64{10, 25, 100, 256} {
			at, us := recorded(script.New(seed), rate, .02)
			agree(t, fmt.Sprintf("script %d at %v Hz", seed, rate), at, us)
		}
	}
}

func TestLiveAgreesWithAnalyzeOnRecordings(t *testing.T) {
	for _, stem := range records {
		us, ref := load(t, stem)
		agree(t, stem, regular(len(us), ref.Rate), us)
	}
}

// The level is that of the offline filter over what is known by then, the last
// value held on.
func TestLiveLevelIsTheFiltersOfWhatIsKnown(t *testing.T) {
	s := script.New(2)
	at, us := recorded(s, 100, .001)
	f := follow(at, us, Options{})
	const point = 200 * time.Millisecond // of which the level's are means
	for n := 1000; n < len(us); n++ {
		if off := at[n-1].Sub(at[0]); off%point != point-cell/2 || off/point%7 != 0 {
			continue // no point has just been completed
		}
		known, when := append([]float64(nil), us[:n-1]...), append([]instant.Instant(nil), at[:n-1]...)
		last := 0.0
		for _, v := range us[n-21 : n-1] {
			last += v / 20
		}
		for range 3000 {
			known, when = append(known, last), append(when, when[len(when)-1].Add(10*time.Millisecond))
		}
		r := f.readings[n-1]
		k := 0
		for when[k] < r.At {
			k++
		}
		want := Analyze(when, known, Options{Rate: 100, Method: HighPass}).Tonic[k]
		if math.Abs(r.Tonic-want) > .005 {
			t.Errorf("after %v the level is %.4f µS, want %.4f", at[n-1].Sub(at[0]), r.Tonic, want)
		}
	}
}

// A response is recognised while it rises: within Delay of the time at which it
// has risen by the threshold.
func TestLiveRecognisesScriptedResponses(t *testing.T) {
	s := script.New(6)
	at, us := recorded(s, 100, .02)
	onsets := follow(at, us, Options{}).onsets
	for _, want := range s.Responses {
		n := 0
		for _, o := range onsets {
			if d := o.Sub(at[0]) - want.Onset; d >= 0 && d < Delay+500*time.Millisecond {
				n++
			}
		}
		if n != 1 {
			t.Errorf("the response at %v was recognised %d times", want.Onset, n)
		}
	}
}

func TestLiveBeginsAnew(t *testing.T) {
	live := NewLive(Options{})
	at := instant.Instant(0)
	var r Reading
	feed := func(us float64, d time.Duration) {
		for until := at.Add(d); at < until; at = at.Add(10 * time.Millisecond) {
			r = live.Add(at, us)
		}
	}
	feed(5, time.Second)
	if !math.IsNaN(r.Tonic) || !math.IsNaN(r.Phasic) {
		t.Errorf("after a second Live says %+v: it cannot know yet", r)
	}
	feed(5, time.Second)
	if math.Abs(r.Tonic-5) > 1e-9 || math.Abs(r.Phasic) > 1e-9 {
		t.Errorf("of a constant 5 Live says %+v", r)
	}
	at = at.Add(2 * time.Second) // a gap
	feed(9, 2*time.Second)
	if math.Abs(r.Tonic-9) > 1e-9 || math.Abs(r.Phasic) > 1e-9 || r.Onset {
		t.Errorf("after a gap Live says %+v, want a new beginning at 9", r)
	}
	if r := live.Add(at, math.NaN()); !math.IsNaN(r.Tonic) {
		t.Errorf("a missing value has the level %v", r.Tonic)
	}
	if r := live.Add(at, 1e300); !math.IsNaN(r.Tonic) {
		t.Errorf("what is no conductance has the level %v", r.Tonic)
	}
}

// The offset of a sensor moves the level and nothing else, and time has no origin.
func TestLiveInvariances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := script.New(rapid.Uint64Range(0, 20).Draw(t, "seed"))
		at, us := recorded(s, 50, .02)
		offset := rapid.Float64Range(-3, 30).Draw(t, "offset")
		delay := time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "delay"))
		later, higher := make([]instant.Instant, len(at)), make([]float64, len(us))
		for i := range at {
			later[i], higher[i] = at[i].Add(delay), us[i]+offset
		}
		a, b := follow(at, us, Options{}), follow(later, higher, Options{})
		for i, r := range a.readings {
			v := b.readings[i]
			if math.IsNaN(r.Tonic) != math.IsNaN(v.Tonic) || math.Abs(r.Tonic+offset-v.Tonic) > 1e-9 || math.Abs(r.Phasic-v.Phasic) > 1e-9 {
				t.Fatalf("sample %d: %+v became %+v", i, r, v)
			}
		}
		if len(a.confirmed) != len(b.confirmed) {
			t.Fatalf("%d responses became %d", len(a.confirmed), len(b.confirmed))
		}
		for i, r := range a.confirmed {
			v := b.confirmed[i]
			if r.Onset.Add(delay) != v.Onset || math.Abs(r.AmplitudeUS-v.AmplitudeUS) > 1e-9 {
				t.Fatalf("response %d: %+v became %+v", i, r, v)
			}
		}
	})
}

func BenchmarkLiveHour(b *testing.B) {
	at, us := hour(100)
	for b.Loop() {
		live := NewLive(Options{})
		for i := range us {
			live.Add(at[i], us[i])
		}
	}
}

// hour is an hour of the script.
func hour(rate float64) ([]instant.Instant, []float64) {
	s := script.New(1)
	at := regular(int(3600*rate), rate)
	us := make([]float64, len(at))
	for i := range us {
		us[i] = s.Conductance(at[i].Sub(at[0])) + 1e-3*math.Sin(float64(i*i%997))
	}
	return at, us
}
