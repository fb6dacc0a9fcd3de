//go:build !amd64 || purego

package update

func plain(w, g []float64, rate, decay float64) { plainGo(w, g, rate, decay) }

func withMomentum(w, d, g []float64, rate, decay, momentum float64) {
	withMomentumGo(w, d, g, rate, decay, momentum)
}

func center(w, b, mu, down []float64, lambda, c float64, sums *[8]float64) {
	centerGo(w, b, mu, down, lambda, c, sums)
}
