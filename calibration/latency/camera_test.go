package latency

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emolab/fusion/instant"
)

// flashes returns edges as the flash study shows them, on a screen of 60 Hz: states
// of 200 to 500 ms that do not repeat, in rounds with a pause between.
func flashes(random *rand.Rand, rounds int) []Edge {
	const refresh = time.Second / 60
	at := instant.Instant(100 * time.Second)
	var edges []Edge
	for range rounds {
		for i := range 32 {
			edges = append(edges, Edge{At: at, Err: time.Millisecond, Bright: i%2 == 0})
			at = at.Add(time.Duration(12+2*random.IntN(10)) * refresh)
		}
		at = at.Add(time.Duration(60+random.IntN(30)) * refresh)
	}
	return edges
}

// camera films flashes, as a simulated one whose truth is known.
type camera struct {
	fps      float64
	exposure time.Duration
	latency  time.Duration
	jitter   time.Duration // of the stamps, to either side
	noise    float64       // of a cell's light, of a contrast of 1
	adapts   float64       // share of the contrast by which the rest gets darker when the patch is bright
	loss     float64       // share of frames
	cells    int           // of which the third shows the patch, and the fourth a little of it
}

// film returns the pictures and by how much the stamp of each is late.
func (c camera) film(random *rand.Rand, stated []Edge) (seen []Picture, late []time.Duration) {
	period := time.Duration(float64(time.Second) / c.fps)
	middle := stated[0].At.Add(-time.Second - time.Duration(random.Int64N(int64(period))))
	end := stated[len(stated)-1].At.Add(2 * time.Second)
	for ; middle < end; middle = middle.Add(period) {
		if random.Float64() < c.loss {
			continue
		}
		share := lit(stated, middle.Add(-c.exposure/2), middle.Add(c.exposure/2))
		p := Picture{Light: make([]float64, c.cells)}
		for i := range p.Light {
			p.Light[i] = 3 - c.adapts*share + c.noise*random.NormFloat64()
		}
		p.Light[2] += share
		p.Light[3] += .1 * share
		l := c.latency
		if c.jitter > 0 {
			l += time.Duration((2*random.Float64() - 1) * float64(c.jitter))
		}
		p.At = middle.Add(l)
		if n := len(seen); n > 0 && p.At <= seen[n-1].At {
			continue
		}
		seen, late = append(seen, p), append(late, l)
	}
	return seen, late
}

// lit is for which share of a time the patch was bright.
func lit(stated []Edge, from, until instant.Instant) float64 {
	var bright time.Duration
	for i, e := range stated {
		if !e.Bright {
			continue
		}
		end := stated[i+1].At // they end dark
		if s := min(end, until).Sub(max(e.At, from)); s > 0 {
			bright += s
		}
	}
	return float64(bright) / float64(until.Sub(from))
}

// The latency is found to a quarter of a frame whatever the camera, and what it
// states holds the latency of 99 of 100 frames.
func TestCameraLatency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		c := camera{
			fps:     rapid.Float64Range(15, 60).Draw(t, "fps"),
			latency: time.Duration(rapid.Int64Range(-20, 400).Draw(t, "latency")) * time.Millisecond,
			noise:   rapid.Float64Range(0, .02).Draw(t, "noise"),
			adapts:  rapid.Float64Range(0, .3).Draw(t, "adapts"),
			loss:    rapid.Float64Range(0, .05).Draw(t, "loss"),
			jitter:  time.Duration(rapid.Int64Range(0, 3000).Draw(t, "jitter")) * time.Microsecond,
			cells:   rapid.IntRange(4, 24).Draw(t, "cells"),
		}
		// In step with the screen it can see less: see the test below. At .5 % off
		// every phase comes up within a round.
		for k := 1.; k <= 4; k++ {
			if math.Abs(c.fps*k/60-1) < .005 {
				c.fps *= 1.01
			}
		}
		period := time.Duration(float64(time.Second) / c.fps)
		c.exposure = min(time.Duration(rapid.Int64Range(2, 33).Draw(t, "exposure"))*time.Millisecond, period)
		stated := flashes(random, 3)
		seen, late := c.film(random, stated)
		m, cells, err := FitCamera(stated, seen, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(cells) == 0 || cells[0] != 2 {
			t.Fatalf("cells %v, want 2", cells)
		}
		if off := m.MedianMs - inMs(c.latency); math.Abs(off) > inMs(period)/4 {
			t.Fatalf("%.2f ms instead of %.2f (a quarter frame is %.2f): %+v", m.MedianMs, inMs(c.latency), inMs(period)/4, m)
		}
		inside := 0
		for _, l := range late {
			if math.Abs(inMs(l)-m.MedianMs) <= m.WithinMs() {
				inside++
			}
		}
		if share := float64(inside) / float64(len(late)); share < .99 {
			t.Fatalf("the stated %.2f ms hold for %.1f %% of the frames", m.WithinMs(), 100*share)
		}
		if err := m.Check(Camera); err != nil {
			t.Fatal(err)
		}
	})
}

// A camera that runs in step with the screen shows every edge at the same one or
// two phases. What that leaves open must be stated.
func TestCameraInStepWithTheScreen(t *testing.T) {
	for _, fps := range []float64{15, 20, 30, 60} {
		for _, exposure := range []int{2, 8, 16} {
			t.Run(fmt.Sprintf("%v fps, %d ms", fps, exposure), func(t *testing.T) {
				for seed := range uint64(20) {
					random := rand.New(rand.NewPCG(seed, 2))
					c := camera{fps: fps, exposure: time.Duration(exposure) * time.Millisecond, latency: 70 * time.Millisecond, cells: 6, noise: .01}
					stated := flashes(random, 3)
					if seed%2 == 1 {
						c.noise, c.jitter = .03, 3*time.Millisecond
					}
					seen, _ := c.film(random, stated)
					m, _, err := FitCamera(stated, seen, 0)
					if err != nil {
						t.Fatal(err)
					}
					if off := math.Abs(m.MedianMs - 70); off > m.WithinMs() {
						t.Errorf("%.2f ms and stated to %.2f: the truth is 70", m.MedianMs, m.WithinMs())
					}
					if m.WithinMs() > 1000/fps {
						t.Errorf("stated to %.2f ms only: more than a frame", m.WithinMs())
					}
				}
			})
		}
	}
}

func TestCameraExposureIsTold(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	c := camera{fps: 29.3, exposure: 20 * time.Millisecond, latency: 55 * time.Millisecond, cells: 5, noise: .005}
	stated := flashes(random, 3)
	seen, _ := c.film(random, stated)
	m, _, err := FitCamera(stated, seen, 0)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(m.ExposureMs-20) > 3 || math.Abs(m.MedianMs-55) > 1 || m.OpenMs > 1.5 {
		t.Errorf("exposure %.1f ms, latency %.2f ± %.2f; want 20, 55", m.ExposureMs, m.MedianMs, m.OpenMs)
	}
	if math.Abs(m.RisingMs-m.FallingMs) > 1 {
		t.Errorf("rising %.2f, falling %.2f", m.RisingMs, m.FallingMs)
	}
}

func TestCameraThatSeesNothingIsRefused(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	stated := flashes(random, 2)
	good := camera{fps: 30, exposure: 10 * time.Millisecond, latency: 60 * time.Millisecond, cells: 6, noise: .01}
	film := func(c camera, change func(i int, p *Picture)) []Picture {
		seen, _ := c.film(random, stated)
		for i := range seen {
			change(i, &seen[i])
		}
		return seen
	}
	slow := good
	slow.fps = 6
	for name, tc := range map[string]struct {
		stated []Edge
		seen   []Picture
		want   string
	}{
		"no flashes": {nil, film(good, func(int, *Picture) {}), "no flash was shown"},
		"no frames":  {stated, nil, "0 frames"},
		"too slow":   {stated, film(slow, func(int, *Picture) {}), "at least 10 a second"},
		"the wall": {stated, film(good, func(_ int, p *Picture) {
			for c := range p.Light {
				p.Light[c] = random.Float64()
			}
		}), "point the camera"},
		"another lamp": {stated, film(good, func(i int, p *Picture) {
			for c := range p.Light {
				p.Light[c] = float64(i / 15 % 2)
			}
		}), "point the camera"},
		"negative": {stated, film(good, func(_ int, p *Picture) {
			p.Light[2], p.Light[3] = -p.Light[2], -p.Light[3]
		}), "point the camera"},
		"no number": {stated, film(good, func(_ int, p *Picture) { p.Light[0] = math.NaN() }), "NaN"},
		"no cells":  {stated, film(good, func(_ int, p *Picture) { p.Light = nil }), "no cells"},
		"fewer cells": {stated, film(good, func(i int, p *Picture) {
			if i > 100 {
				p.Light = p.Light[:3]
			}
		}), "3 cells"},
	} {
		if _, _, err := FitCamera(tc.stated, tc.seen, 0); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// Whatever the pictures: no panic, and no figure that is none.
func TestCameraBearsAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stated []Edge
		for range rapid.IntRange(0, 30).Draw(t, "edges") {
			stated = append(stated, Edge{
				At:     instant.Instant(rapid.Int64Range(0, 4e9).Draw(t, "at")),
				Bright: rapid.Bool().Draw(t, "bright"),
			})
		}
		cells := rapid.IntRange(0, 3).Draw(t, "cells")
		var seen []Picture
		var at int64
		for range rapid.IntRange(0, 200).Draw(t, "pictures") {
			at += rapid.Int64Range(0, 1e8).Draw(t, "step")
			p := Picture{At: instant.Instant(at)}
			for range cells {
				p.Light = append(p.Light, rapid.Float64().Draw(t, "light"))
			}
			seen = append(seen, p)
		}
		m, _, err := FitCamera(stated, seen, 1)
		if err == nil {
			for _, v := range []float64{m.MedianMs, m.SDMs, m.ClockMs, m.WithinMs(), m.ExposureMs, m.OpenMs} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%+v", m)
				}
			}
		}
	})
}
