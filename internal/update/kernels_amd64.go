//go:build amd64 && !purego

package update

import "github.com/gorbm/rbm/internal/cpu"

//go:generate go run -C ../_asm . -kernels update -out ../update/kernels_amd64.s -stubs ../update/stubs_amd64.go -pkg update

func plain(w, g []float64, rate, decay float64) {
	n := 0
	if cpu.AVX2 && len(w) >= 4 {
		n = len(w) &^ 3
		plainAVX2(&w[0], &g[0], n, rate, decay)
	}
	plainGo(w[n:], g[n:], rate, decay)
}

func withMomentum(w, d, g []float64, rate, decay, momentum float64) {
	n := 0
	if cpu.AVX2 && len(w) >= 4 {
		n = len(w) &^ 3
		withMomentumAVX2(&w[0], &d[0], &g[0], n, rate, decay, momentum)
	}
	withMomentumGo(w[n:], d[n:], g[n:], rate, decay, momentum)
}
