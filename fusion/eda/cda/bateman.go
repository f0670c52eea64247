package cda

import "math"

const (
	// kernelEnd is the share of the kernel's sum at which its tail is cut off.
	kernelEnd = 1e-5
	// leadS is the longest that a signal is led in to, s.
	leadS = 30.0
	// The flank that leads in to the first sample: a slow response, rounded.
	leadOnsetS, leadTau1, leadTau2, leadSigmaS = 5.0, 2.0, 40.0, 0.4
)

// bateman is the response to one impulse, sampled: exp(-t/tau2) - exp(-t/tau1),
// which is the impulse response of a recursion of order two, cut where it has
// faded and scaled to the sum 1.
//
// As the cut kernel is the whole one minus a delayed copy of it, both convolving
// with it and dividing by it take a handful of operations a sample, whatever its
// length. The results are those of the long division, but for rounding.
type bateman struct {
	a1, a2      float64 // response: b[k] = a1 b[k-1] - a2 b[k-2]
	first       float64 // b[1]
	tail, tail2 float64 // b[n+1] and a2 b[n]: what the cut takes away
	n           int     // length
}

func newBateman(tau1, tau2, rate float64) bateman {
	fast, slow := math.Exp(-1/(rate*tau1)), math.Exp(-1/(rate*tau2))
	value := func(k int) float64 { return math.Pow(slow, float64(k)) - math.Pow(fast, float64(k)) }
	whole := slow/(1-slow) - fast/(1-fast)
	peak := math.Log(tau2/tau1) * tau1 * tau2 / (tau2 - tau1) * rate
	n := int(math.Ceil(max(peak, 1)))
	for value(n+1) >= kernelEnd*whole {
		n++
	}
	b := bateman{a1: fast + slow, a2: fast * slow, n: n}
	sum := whole - math.Pow(slow, float64(n+1))/(1-slow) + math.Pow(fast, float64(n+1))/(1-fast)
	b.first, b.tail, b.tail2 = value(1)/sum, value(n+1)/sum, b.a2*value(n)/sum
	return b
}

// values are the kernel.
func (b bateman) values() []float64 {
	v := make([]float64, b.n)
	v[0] = b.first
	for k := 1; k < b.n; k++ {
		v[k] = b.a1 * v[k-1]
		if k > 1 {
			v[k] -= b.a2 * v[k-2]
		}
	}
	return v
}

// divide appends to x the driver of y, before which nothing was.
func (b bateman) divide(y, x []float64) []float64 {
	for i, v := range y {
		if i > 0 {
			v -= b.a1 * y[i-1]
		}
		if i > 1 {
			v += b.a2 * y[i-2]
		}
		if i >= b.n {
			v += b.tail * x[i-b.n]
		}
		if i > b.n {
			v -= b.tail2 * x[i-b.n-1]
		}
		x = append(x, v/b.first)
	}
	return x
}

// convolve fills y[from:until] with the response to x, of which the first value
// lasted for ever before.
func (b bateman) convolve(kernel, x, y []float64, from, until int) {
	before := func(i int) float64 { return x[max(i, 0)] }
	at := func(i int) float64 {
		if i <= 0 {
			return x[0]
		}
		sum := 0.0
		for k, v := range kernel {
			sum += v * before(i-k)
		}
		return sum
	}
	y1, y2 := at(from-1), at(from-2)
	for i := from; i < until; i++ {
		v := b.a1*y1 - b.a2*y2 + b.first*x[i] - b.tail*before(i-b.n) + b.tail2*before(i-b.n-1)
		y[i] = v
		y1, y2 = v, y1
	}
}

// leadIn is the rising flank of a slow response, up to the level 1 of its peak.
func leadIn(rate float64) []float64 {
	n := int(math.Ceil(leadS * rate))
	x := make([]float64, n)
	for i := range x {
		if t := float64(i)/rate - leadOnsetS; t > 0 {
			x[i] = math.Exp(-t/leadTau2) - math.Exp(-t/leadTau1)
		}
	}
	reach := int(4 * leadSigmaS * rate)
	x = smooth(x, gaussian(reach, leadSigmaS*rate), nil)
	peak := 0
	for i, v := range x {
		if v > x[peak] {
			peak = i
		}
	}
	begin := 0
	for x[begin] == 0 {
		begin++
	}
	flank := x[begin : peak+1]
	top := x[peak]
	for i := range flank {
		flank[i] /= top
	}
	return flank
}

// gaussian is a window of 2 reach + 1 samples with the sum 1.
func gaussian(reach int, sigma float64) []float64 {
	w := make([]float64, 2*reach+1)
	sum := 0.0
	for i := range w {
		d := float64(i-reach) / sigma
		w[i] = math.Exp(-d * d / 2)
		sum += w[i]
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

// smooth weighs x with a window of odd length; the values at the ends go on
// beyond them. It writes into out where that is long enough.
func smooth(x, window, out []float64) []float64 {
	if cap(out) < len(x) {
		out = make([]float64, len(x))
	}
	out = out[:len(x)]
	reach := len(window) / 2
	for i := range x {
		sum := 0.0
		if i >= reach && i+reach < len(x) {
			part := x[i-reach : i+reach+1]
			for k, w := range window {
				sum += w * part[k]
			}
		} else {
			for k, w := range window {
				sum += w * x[min(max(i+k-reach, 0), len(x)-1)]
			}
		}
		out[i] = sum
	}
	return out
}
