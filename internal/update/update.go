// Package update is the element-wise part of a step of gradient ascent.
package update

// Plain sets w to w + rate·(g - decay·w). The slices have the same length.
func Plain(w, g []float64, rate, decay float64) { plain(w, g[:len(w)], rate, decay) }

// Momentum sets d to momentum·d + rate·(g - decay·w) and then w to w + d. The
// slices have the same length.
func Momentum(w, d, g []float64, rate, decay, momentum float64) {
	withMomentum(w, d[:len(w)], g[:len(w)], rate, decay, momentum)
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
