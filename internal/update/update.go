// Package update is the element-wise part of a step of gradient ascent.
package update

import "math"

// Plain sets w to w + rate·(g - decay·w). The slices have the same length.
func Plain(w, g []float64, rate, decay float64) { plain(w, g[:len(w)], rate, decay) }

// Momentum sets d to momentum·d + rate·(g - decay·w) and then w to w + d. The
// slices have the same length.
func Momentum(w, d, g []float64, rate, decay, momentum float64) {
	withMomentum(w, d[:len(w)], g[:len(w)], rate, decay, momentum)
}

// Center subtracts lambda·b + c·mu from w, then adds lambda·w to down, and returns
// the dot product of w and mu: eight sums, of the elements i with the same i mod
// 8, are added by halves. The slices have the same length.
func Center(w, b, mu, down []float64, lambda, c float64) float64 {
	var sums [8]float64
	center(w, b[:len(w)], mu[:len(w)], down[:len(w)], lambda, c, &sums)
	return halve(&sums)
}

// Shrink moves each element of w by t ≥ 0 towards 0, which none passes, and adds
// what it moves by to d, which is nil or as long as w. A NaN stays one.
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

// Clip scales w to the Euclidean length most if it is longer, and adds what each
// element moves by to d, which is nil or as long as w. It leaves w as it is if an
// element is NaN or infinite. The squares are added as in Center.
func Clip(w, d []float64, most float64) {
	var top uint64 // bits of the largest absolute value
	for _, x := range w {
		top = max(top, math.Float64bits(x)&^(1<<63))
	}
	exponent := top >> 52
	if exponent == 0x7ff {
		return
	}
	// A power of two is exact, and with it no square overflows, nor does that of
	// the largest element vanish.
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

// halve adds the sums by halves.
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
