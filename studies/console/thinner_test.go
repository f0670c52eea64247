package console

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
	"emolab/fusion/stream"
)

// fast is a stream of one channel at 1 kHz.
func fast() stream.Info {
	return stream.Info{ID: "eda", Kind: stream.EDA, Rate: 1000, Channels: channels("eda_us")}
}

func sampleAt(at instant.Instant, values ...float64) stream.Sample {
	return stream.Sample{At: at, Arrival: at, Values: values}
}

// begun is a thinner of a stream that is recorded.
func begun(index int, info stream.Info, origin instant.Instant) *thinner {
	th := newThinner(index, info, origin)
	th.begin(-1, false)
	return th
}

// What came before the recording is not let through, nor what was held when it ended.
func TestThinnerLetsThroughWhatIsRecorded(t *testing.T) {
	for name, info := range map[string]stream.Info{"whole": gazeInfo(), "thinned": fast()} {
		t.Run(name, func(t *testing.T) {
			th := newThinner(0, info, 0)
			row := func(at instant.Instant) stream.Chunk {
				values := []float64{float64(at), 0, 1, 3, 3}
				return stream.Chunk{Samples: []stream.Sample{sampleAt(at, values[:len(info.Channels)]...)}}
			}
			late := instant.Instant(time.Hour) // whatever was held is let through by then
			th.add(row(1000))
			if b := th.take(late); len(b.times) != 0 {
				t.Errorf("let through while nothing is recorded: %v", b.values)
			}
			th.begin(2000, false)
			th.add(row(1999)) // on its way as it began
			behind := row(1998)
			behind.Samples[0].Arrival = 2000 // as a frame that was in the nets
			th.add(behind)
			th.add(row(2000))
			if b := th.take(late); len(b.times) != 1 || b.values[0] != 2000 {
				t.Errorf("let through: %v, want what came at 2000", b.values)
			}
			th.add(row(2001))
			th.begin(0, false)
			th.add(row(2002))
			if b := th.take(late); len(b.times) != 0 {
				t.Errorf("let through after the end: %v", b.values)
			}
		})
	}
}

func TestThinnerKeepsWithinTheScreenAndKeepsPeaks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		th := begun(0, fast(), 0)
		n := rapid.IntRange(1, 3000).Draw(t, "samples")
		peak := rapid.IntRange(0, n-1).Draw(t, "peak")
		down := rapid.Bool().Draw(t, "down")
		batch := rapid.IntRange(1, 200).Draw(t, "batch")
		seen := map[float64]float32{} // time in ms -> value
		var times []float64
		var c stream.Chunk
		for i := range n {
			at := instant.Instant(i) * instant.Instant(time.Millisecond)
			v := 5 + math.Sin(float64(i)/50)
			if i == peak {
				v = 100
				if down {
					v = -100
				}
			}
			c.Samples = append(c.Samples, sampleAt(at, v))
			seen[float64(i)] = float32(v)
			if len(c.Samples) == batch || i == n-1 {
				c.Stream = "eda"
				th.add(c)
				c = stream.Chunk{}
				b := th.take(at)
				times = append(times, slices.Clone(b.times)...)
				for k, tm := range b.times {
					if seen[tm] != b.values[k] {
						t.Fatalf("row at %v ms is %v, observed was %v", tm, b.values[k], seen[tm])
					}
				}
			}
		}
		b := th.take(instant.Instant(n)*instant.Instant(time.Millisecond) + instant.Instant(time.Second))
		times = append(times, b.times...)
		if !slices.IsSorted(times) {
			t.Fatal("rows out of order")
		}
		if !slices.Contains(times, float64(peak)) {
			t.Fatalf("the peak at %d ms is not shown", peak)
		}
		// Two rows a bucket, one bucket begun at each end.
		if most := screenRate*float64(n)/1000 + 4; float64(len(times)) > most {
			t.Fatalf("%d rows for %d ms: more than %.0f", len(times), n, most)
		}
	})
}

func TestThinnerShowsSlowStreamsWhole(t *testing.T) {
	th := begun(3, gazeInfo(), 1000)
	var c stream.Chunk
	for i := range 30 {
		c.Samples = append(c.Samples, sampleAt(instant.Instant(1000+i*16_666_667), .5, .5, float64(i%2), 3, math.NaN()))
	}
	th.add(c)
	b := th.take(0)
	if len(b.times) != 30 || len(b.values) != 150 || b.stream != 3 || b.channels != 5 {
		t.Fatalf("%d rows, %d values of block %+v; want 30 and 150", len(b.times), len(b.values), b.stream)
	}
	if b.times[0] != 0 || math.Abs(b.times[29]-29*16.666667) > 1e-9 {
		t.Errorf("times %v .. %v ms: not counted from the origin", b.times[0], b.times[29])
	}
	if again := th.take(0); len(again.times) != 0 {
		t.Error("rows were given twice")
	}
}

// A stream that holds its last value (the stimulus) must show that value though
// nothing follows it.
func TestThinnerDoesNotKeepTheLastRow(t *testing.T) {
	info := stream.Info{ID: "stimulus", Kind: stream.Stimulus, Channels: channels("presentation", "frame", "media_ns", "rect_x", "rect_y", "rect_w", "rect_h")}
	th := begun(0, info, 0)
	nan := math.NaN()
	at := instant.Instant(time.Second)
	th.add(stream.Chunk{Samples: []stream.Sample{
		sampleAt(at, 1, 239, 4e9, .3, 0, .3, 1),
		sampleAt(at.Add(time.Millisecond), 0, nan, nan, nan, nan, nan, nan),
	}})
	if b := th.take(at.Add(bucketWait / 2)); len(b.times) != 0 {
		t.Errorf("the bucket was closed while more could come: %v", b.times)
	}
	b := th.take(at.Add(2 * bucketWait))
	if len(b.times) != 2 || b.values[0] != 1 || b.values[7] != 0 {
		t.Fatalf("rows %v %v; want the last frame and the blank after it", b.times, b.values)
	}
}

func TestThinnerWithoutAMeasuredLead(t *testing.T) {
	th := begun(0, fast(), 0)
	var c stream.Chunk
	for i := range 10 {
		v := math.NaN()
		if i == 4 {
			v = 7
		}
		c.Samples = append(c.Samples, sampleAt(instant.Instant(i+1)*instant.Instant(time.Millisecond), v))
	}
	th.add(c)
	b := th.take(instant.Instant(time.Second))
	if !slices.Contains(b.values, 7) {
		t.Errorf("the one measured value is not among %v", b.values)
	}
}

func TestThinnerTellsOfGaps(t *testing.T) {
	th := begun(0, gazeInfo(), 0)
	row := []stream.Sample{sampleAt(1, .1, .2, 1, 3, 3)}
	steps := []struct {
		what string
		c    stream.Chunk
		gap  bool
	}{
		{"nothing missing", stream.Chunk{Samples: row}, false},
		{"samples lost", stream.Chunk{Samples: row, Events: []stream.Event{{Kind: stream.Lost, Count: 3}}}, true},
		{"after it", stream.Chunk{Samples: row}, false},
		{"unplugged, nothing yet", stream.Chunk{Events: []stream.Event{{Kind: stream.Disconnected}}}, false},
		{"back", stream.Chunk{Samples: row}, true},
		{"a new epoch", stream.Chunk{Epoch: 1, Samples: row}, true},
		{"within it", stream.Chunk{Epoch: 1, Samples: row}, false},
	}
	for _, s := range steps {
		th.add(s.c)
		if b := th.take(0); b.gap != s.gap && len(b.times) > 0 {
			t.Errorf("%s: gap %v, want %v", s.what, b.gap, s.gap)
		}
	}
}

func TestThinnerIsBoundedWhenNobodyTakes(t *testing.T) {
	th := begun(0, gazeInfo(), 0)
	for i := range 5 * maxRows {
		th.add(stream.Chunk{Samples: []stream.Sample{sampleAt(instant.Instant(i+1), float64(i), 0, 1, 3, 3)}})
	}
	b := th.take(0)
	if len(b.times) > maxRows || len(b.values) != 5*len(b.times) {
		t.Fatalf("%d rows, %d values", len(b.times), len(b.values))
	}
	if last := b.values[len(b.values)-5]; last != 5*maxRows-1 || !b.gap {
		t.Errorf("the latest row is %v, gap %v; want the newest kept and the loss told", last, b.gap)
	}
}

func TestThinnerLeavesOutWhatIsNotShown(t *testing.T) {
	face := stream.Info{ID: "face", Kind: stream.Face, Rate: 30, Channels: channels("face_found", "lm00_x_px", "lm00_y_px", "valence")}
	if th := newThinner(0, face, 0); !slices.Equal(th.names, []string{"face_found", "valence"}) {
		t.Errorf("shown: %v", th.names)
	}
	if th := newThinner(0, stream.Info{ID: "x", Kind: "temperature", Channels: channels("celsius")}, 0); th != nil {
		t.Error("a stream that the page does not know is sent")
	}
}
