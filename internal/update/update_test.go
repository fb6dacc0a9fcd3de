package update

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/twin"
)

// Every implementation gives the bits of plain Go, for every length, and writes to nothing
// else.
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

// Shrink and Clip follow their formulas, with and without d, and write to nothing else.
func TestShrinkAndClip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 1))
	const guard = 1e100
	for n := range 40 {
		for _, size := range []float64{1, 0x1p-1060, 0x1p1020} { // a power of two changes no bit
			w, d := make([]float64, n+2), make([]float64, n+2)
			number := func() float64 {
				x := rnd.NormFloat64()
				if size < 1 {
					x = math.Round(64*x) / 64 // few bits, which a subnormal number can hold
				}
				return size * x
			}
			for i := range w {
				w[i], d[i] = number(), number()
			}
			w[0], w[n+1], d[0], d[n+1] = guard, guard, guard, guard
			for name, update := range map[string]func(w, d []float64){
				"Shrink": func(w, d []float64) { Shrink(w, d, 0.75*size) },
				"Clip":   func(w, d []float64) { Clip(w, d, 0.75*size) },
			} {
				want, wantD := append([]float64(nil), w...), append([]float64(nil), d...)
				var sums [8]float64
				for i := range n {
					sums[i%8] += float64(w[i+1] / size * (w[i+1] / size))
				}
				length := math.Sqrt(((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7])))
				for i := 1; i <= n; i++ {
					if name == "Shrink" {
						want[i] = math.Copysign(max(math.Abs(w[i])-0.75*size, 0), w[i]) + 0 // without -0
					} else if length > 0.75 {
						want[i] = w[i] * (0.75 / length)
					}
					wantD[i] += want[i] - w[i]
				}
				got, gotD, alone := append([]float64(nil), w...), append([]float64(nil), d...), append([]float64(nil), w...)
				update(got[1:n+1], gotD[1:n+1])
				update(alone[1:n+1], nil)
				same(t, name+": w", got, want)
				same(t, name+": d", gotD, wantD)
				same(t, name+": w without d", alone, want)
			}
		}
	}
}

func TestShrinkAndClipSpecialValues(t *testing.T) {
	nan, inf, zero := math.NaN(), math.Inf(1), math.Copysign(0, -1)
	for _, tt := range []struct {
		name    string
		update  func(w []float64)
		w, want []float64
	}{
		{"Shrink", func(w []float64) { Shrink(w, nil, 1) }, []float64{nan, inf, -inf, 1, -1, zero, 0.5, -1.5}, []float64{nan, inf, -inf, 0, 0, 0, 0, -0.5}},
		{"Shrink by infinity", func(w []float64) { Shrink(w, nil, inf) }, []float64{nan, 1, -1e300}, []float64{nan, 0, 0}},
		{"Shrink by 0", func(w []float64) { Shrink(w, nil, 0) }, []float64{nan, 1, -5e-324}, []float64{nan, 1, -5e-324}},
		{"Clip NaN", func(w []float64) { Clip(w, nil, 1) }, []float64{nan, 3, -4}, []float64{nan, 3, -4}},
		{"Clip infinity", func(w []float64) { Clip(w, nil, 1) }, []float64{3, -inf, 4}, []float64{3, -inf, 4}},
		{"Clip zeros", func(w []float64) { Clip(w, nil, 1) }, []float64{0, zero}, []float64{0, zero}},
		{"Clip zeros, tiny bound", func(w []float64) { Clip(w, nil, 5e-324) }, []float64{0, zero}, []float64{0, zero}},
		{"Clip at the bound", func(w []float64) { Clip(w, nil, 5) }, []float64{3, -4}, []float64{3, -4}},
		{"Clip the largest", func(w []float64) { Clip(w, nil, math.MaxFloat64/2) }, []float64{-math.MaxFloat64}, []float64{-math.MaxFloat64 / 2}},
		{"Clip the smallest", func(w []float64) { Clip(w, nil, 0x1p-1074) }, []float64{-0x1p-1072}, []float64{-0x1p-1074}},
	} {
		tt.update(tt.w)
		for i, want := range tt.want {
			if got := tt.w[i]; math.Float64bits(got) != math.Float64bits(want) {
				t.Errorf("%s: w[%d] = %v, want %v", tt.name, i, got, want)
			}
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

func BenchmarkTwin(b *testing.B) {
	const n = 784
	w, d, g, mu := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	b.Run("Plain", func(b *testing.B) { twin.Run(b, func() { Plain(w, g, 0.1, 0.1) }) })
	b.Run("Momentum", func(b *testing.B) { twin.Run(b, func() { Momentum(w, d, g, 0.1, 0.1, 0.9) }) })
	b.Run("Center", func(b *testing.B) { twin.Run(b, func() { Center(w, g, mu, d, 0.1, 0.1) }) })
}
