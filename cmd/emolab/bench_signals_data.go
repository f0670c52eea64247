package main

import (
	"math"
	"math/rand/v2"
	"time"

	"emolab/fusion/eyemovement"
	"emolab/fusion/instant"
	"emolab/fusion/script"
)

// The rates of the simulated signals, Hz.
const (
	edaHz  = 100.0
	gazeHz = 250.0
)

// simulated is a recording of all signals. Its gaze and pupils share their
// instants.
type simulated struct {
	eda struct {
		at []instant.Instant
		us []float64
	}
	screen      eyemovement.Screen
	gaze        eyemovement.Gaze
	left, right []float64 // pupils, mm
}

// simulate makes a recording of the virtual participant. Its skin and pupils
// follow the script; its eyes rest for 0.2 to 0.5 s and move for 30 to 60 ms,
// with the noise of a good tracker and a blink every 4 s or so. The same length
// gives the same recording.
func simulate(length time.Duration) simulated {
	const seed = 7
	s, r := script.New(seed), rand.New(rand.NewPCG(seed, 0))
	out := simulated{screen: eyemovement.Screen{WidthMM: 531, HeightMM: 299, DistanceMM: 650}}
	at := func(i int, rate float64) (time.Duration, instant.Instant) {
		elapsed := time.Duration(math.Round(float64(i) / rate * 1e9))
		return elapsed, instant.Instant(time.Second) + instant.Instant(elapsed)
	}
	for i := range int(length.Seconds() * edaHz) {
		elapsed, now := at(i, edaHz)
		out.eda.at = append(out.eda.at, now)
		out.eda.us = append(out.eda.us, s.Conductance(elapsed)+.002*r.NormFloat64())
	}

	n := int(length.Seconds() * gazeHz)
	x, y := make([]float64, n), make([]float64, n)
	fromX, fromY, toX, toY := .5, .5, .5, .5
	for i := 0; i < n; {
		rest, move := 50+r.IntN(75), 8+r.IntN(7)
		fromX, fromY, toX, toY = toX, toY, .1+.8*r.Float64(), .1+.8*r.Float64()
		for k := 0; k < rest+move && i < n; k++ {
			u := max(0, float64(k-rest+1)/float64(move))
			u = u * u * u * (10 - 15*u + 6*u*u) // the smoothest way from rest to rest
			x[i], y[i] = fromX+u*(toX-fromX), fromY+u*(toY-fromY)
			i++
		}
	}
	const noiseMM = .3
	for i := range n {
		elapsed, now := at(i, gazeHz)
		out.gaze.At = append(out.gaze.At, now)
		x[i] += noiseMM / out.screen.WidthMM * r.NormFloat64()
		y[i] += noiseMM / out.screen.HeightMM * r.NormFloat64()
		size := s.PupilMM(elapsed)
		out.left = append(out.left, size+.01*r.NormFloat64())
		out.right = append(out.right, size+.05+.01*r.NormFloat64())
	}
	for i := 600; i < n; i += 700 + r.IntN(600) {
		for k := i; k < min(i+30+r.IntN(30), n); k++ { // a blink
			x[k], y[k], out.left[k], out.right[k] = math.NaN(), math.NaN(), math.NaN(), math.NaN()
		}
	}
	out.gaze.X, out.gaze.Y = x, y
	return out
}
