// Package update takes the element-wise part of a step of gradient ascent.
//
// What makes it fast: Plain, Momentum and Center go through their slices once, four
// elements to a register, and no branch depends on an element.
package update

import "math"

// Plain takes a step with the gradient g and decay. The slices have the same length.
//
//	w[i] += rate·(g[i] - decay·w[i])
func Plain(w, g []float64, rate, decay float64) { plain(w, g[:len(w)], rate, decay) }

// Momentum takes a step with the gradient g, decay and momentum; d is the step before,
// and is replaced by this one. The slices have the same length.
//
//	d[i] = momentum·d[i] + rate·(g[i] - decay·w[i])
//	w[i] += d[i]
func Momentum(w, d, g []float64, rate, decay, momentum float64) {
	withMomentum(w, d[:len(w)], g[:len(w)], rate, decay, momentum)
}

// Center turns w, a row of the gradient of the weights, into a row of the centered
// gradient. It returns the dot product of the new w and mu. The slices have the same
// length.
//
//	w[i] -= lambda·b[i] + c·mu[i]
//	sums[i mod 8] += w[i]·mu[i]
//	down[i] += lambda·w[i]
//
// The eight sums are added by halves: 4 to 4, 2 to 2, 1 to 1. What makes it fast: they
// are two registers, whose additions do not wait for each other.
func Center(w, b, mu, down []float64, lambda, c float64) float64 {
	var sums [8]float64
	center(w, b[:len(w)], mu[:len(w)], down[:len(w)], lambda, c, &sums)
	return halve(&sums)
}

// Shrink moves each element of w by t ≥ 0 toward 0, and no further. It adds the moves to
// d, which is nil or as long as w. A NaN stays NaN.
func Shrink(w, d []float64, t float64) {
	for i, x := range w {
		switch {
		case x > t:
			w[i] = x - t
		case x < -t:
			w[i] = x + t
		case !math.IsNaN(x):
			w[i] = 0
		}
		if d != nil {
			d[i] += w[i] - x
		}
	}
}

// Clip scales w to the Euclidean length most if it is longer. It adds the change of each
// element to d, which is nil or as long as w. If an element is NaN or infinite, w stays as
// it is. The squares are added in the order of Center.
func Clip(w, d []float64, most float64) {
	var top uint64 // bits of the largest absolute value
	for _, x := range w {
		top = max(top, math.Float64bits(x)&^(1<<63))
	}
	exponent := top >> 52
	if exponent == 0x7ff {
		return
	}
	// A power of two is exact. With this one no square overflows, and the largest one
	// does not underflow.
	scale := math.Float64frombits((2046 - min(exponent, 2045)) << 52)
	var sums [8]float64
	for i, x := range w {
		x *= scale
		sums[i%8] += float64(x * x)
	}
	length := math.Sqrt(halve(&sums))
	if most *= scale; !(length > most) {
		return
	}
	factor := most / length
	for i, x := range w {
		w[i] = float64(x * factor)
		if d != nil {
			d[i] += w[i] - x
		}
	}
}

// halve returns the sum of the eight sums, added by halves.
func halve(sums *[8]float64) float64 {
	for h := 4; h > 0; h /= 2 {
		for l := range h {
			sums[l] += sums[l+h]
		}
	}
	return sums[0]
}

func plainGo(w, g []float64, rate, decay float64) {
	for i, g := range g {
		w[i] += float64(rate * (g - float64(decay*w[i])))
	}
}

func withMomentumGo(w, d, g []float64, rate, decay, momentum float64) {
	for i, g := range g {
		d[i] = float64(momentum*d[i]) + float64(rate*(g-float64(decay*w[i])))
		w[i] += d[i]
	}
}

func centerGo(w, b, mu, down []float64, lambda, c float64, sums *[8]float64) {
	for i := range w {
		w[i] -= float64(lambda*b[i]) + float64(c*mu[i])
		sums[i%8] += float64(w[i] * mu[i])
		down[i] += float64(lambda * w[i])
	}
}
