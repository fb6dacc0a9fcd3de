package update

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm/internal/cpu"
)

// Every implementation gives the bits of the plain Go one, for every length, and
// writes nothing beside.
func TestImplementations(t *testing.T) {
	cpu.Each(func(name string) { t.Run(name, testImplementation) })
}

func testImplementation(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	const guard = 1e100
	vector := func(n int) (x, y []float64) {
		x, y = make([]float64, n+2), make([]float64, n+2)
		for i := range x {
			x[i] = rnd.NormFloat64()
		}
		x[0], x[n+1] = guard, guard
		copy(y, x)
		return x, y
	}
	for n := range 70 {
		w, wantW := vector(n)
		d, wantD := vector(n)
		g, _ := vector(n)
		rate, decay, momentum := rnd.Float64(), rnd.Float64(), rnd.Float64()
		Plain(w[1:n+1], g[1:n+1], rate, decay)
		plainGo(wantW[1:n+1], g[1:n+1], rate, decay)
		same(t, "Plain", w, wantW)
		Momentum(w[1:n+1], d[1:n+1], g[1:n+1], rate, decay, momentum)
		withMomentumGo(wantW[1:n+1], wantD[1:n+1], g[1:n+1], rate, decay, momentum)
		same(t, "Momentum: w", w, wantW)
		same(t, "Momentum: d", d, wantD)
		mu, _ := vector(n)
		c := rnd.NormFloat64()
		sum := Center(w[1:n+1], g[1:n+1], mu[1:n+1], d[1:n+1], rate, c)
		var sums [8]float64
		centerGo(wantW[1:n+1], g[1:n+1], mu[1:n+1], wantD[1:n+1], rate, c, &sums)
		same(t, "Center: w", w, wantW)
		same(t, "Center: down", d, wantD)
		same(t, "Center: sum", []float64{0, sum, 0}, []float64{0, ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7])), 0})
		if w[0] != guard || w[n+1] != guard || d[0] != guard || d[n+1] != guard {
			t.Errorf("n=%d: memory beside the vectors was overwritten", n)
		}
	}
}

func same(t *testing.T, name string, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
			t.Errorf("n=%d: %s[%d] = %v, want %v", len(want)-2, name, i-1, got[i], want[i])
		}
	}
}
