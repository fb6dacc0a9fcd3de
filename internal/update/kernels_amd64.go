//go:build amd64 && !purego

package update

import (
	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/spec"
)

//go:generate go run -C ../_asm . -kernels update -out ../update/kernels_amd64.s -stubs ../update/stubs_amd64.go -pkg update

// callLen is the largest number of elements of a call of assembly, which cannot be
// preempted.
const callLen = 1 << 14

func plain(w, g []float64, rate, decay float64) {
	for cpu.AVX2 && len(w) >= spec.PlainStep {
		n := min(len(w)&^(spec.PlainStep-1), callLen)
		plainAVX2(&w[0], &g[0], n, rate, decay)
		w, g = w[n:], g[n:]
	}
	plainGo(w, g, rate, decay)
}

func withMomentum(w, d, g []float64, rate, decay, momentum float64) {
	for cpu.AVX2 && len(w) >= spec.PlainStep {
		n := min(len(w)&^(spec.PlainStep-1), callLen)
		withMomentumAVX2(&w[0], &d[0], &g[0], n, rate, decay, momentum)
		w, d, g = w[n:], d[n:], g[n:]
	}
	withMomentumGo(w, d, g, rate, decay, momentum)
}

func center(w, b, mu, down []float64, lambda, c float64, sums *[8]float64) {
	for cpu.AVX2 && len(w) >= spec.CenterStep {
		n := min(len(w)&^(spec.CenterStep-1), callLen)
		centerAVX2(&w[0], &b[0], &mu[0], &down[0], n, lambda, c, sums)
		w, b, mu, down = w[n:], b[n:], mu[n:], down[n:]
	}
	centerGo(w, b, mu, down, lambda, c, sums)
}
