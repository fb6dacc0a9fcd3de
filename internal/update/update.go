// Package update is the element-wise part of a step of gradient ascent.
package update

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
