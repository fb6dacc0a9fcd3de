//go:build !amd64 || purego

package update

func plain(w, g []float64, rate, decay float64) { plainGo(w, g, rate, decay) }

func withMomentum(w, d, g []float64, rate, decay, momentum float64) {
	withMomentumGo(w, d, g, rate, decay, momentum)
}
