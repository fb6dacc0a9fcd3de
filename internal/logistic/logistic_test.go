package logistic

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm/internal/cpu"
	"github.com/gorbm/rbm/internal/twin"
)

// each runs a test with each set of kernels.
func each(t *testing.T, test func(t *testing.T)) {
	cpu.Each(func(name string) { t.Run(name, test) })
}

const prec = 256 // bits; 1+1e-30 takes 100

func bigFloat(x float64) *big.Float { return new(big.Float).SetPrec(prec).SetFloat64(x) }

// bigExp returns eˣ by the Taylor series of x/2²⁰, squared 20 times. For |x| < 2¹⁰ its
// error is below 2⁻²⁰⁰.
func bigExp(x *big.Float) *big.Float {
	r := new(big.Float).SetPrec(prec).SetMantExp(x, -20)
	sum, term := bigFloat(1), bigFloat(1)
	for n := 1; n < 20; n++ {
		term.Mul(term, r)
		term.Quo(term, bigFloat(float64(n)))
		sum.Add(sum, term)
	}
	for range 20 {
		sum.Mul(sum, sum)
	}
	return sum
}

// bigLog returns log x by Newton's method on bigExp, from 53 right bits to 106 and 212.
func bigLog(x *big.Float) *big.Float {
	f, _ := x.Float64()
	y := bigFloat(math.Log(f))
	for range 3 {
		e := bigExp(new(big.Float).Neg(y))
		e.Mul(e, x)
		e.Sub(e, bigFloat(1)) // x·e^-y - 1
		y.Add(y, e)
	}
	return y
}

// ulps returns the distance of got from want in units of the last place of want.
func ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	if got == w {
		return 0
	}
	ulp := math.Abs(math.Nextafter(w, math.Inf(1)) - w)
	d := new(big.Float).Sub(bigFloat(got), want)
	f, _ := d.Float64()
	return math.Abs(f) / ulp
}

// samples returns numbers in [lo, hi]: evenly spaced, random, and of all
// magnitudes down to 1e-20.
func samples(lo, hi float64) []float64 {
	rnd := rand.New(rand.NewPCG(1, 1))
	x := []float64{lo, hi}
	for i := range 500 {
		x = append(x, lo+(hi-lo)*float64(i)/500, lo+(hi-lo)*rnd.Float64())
		s := math.Pow(10, -20*rnd.Float64())
		x = append(x, hi*s, max(lo, -hi*s))
	}
	return x
}

func TestAccuracy(t *testing.T) {
	one := bigFloat(1)
	exp := func(x float64) *big.Float { return bigExp(bigFloat(x)) }
	log1p := func(x *big.Float) *big.Float {
		if f, _ := x.Float64(); f < 1e-30 {
			return x // to 1e-30
		}
		return bigLog(new(big.Float).Add(one, x))
	}
	for _, tt := range []struct {
		name   string
		f      func(float64) float64
		want   func(float64) *big.Float
		lo, hi float64
		ulps   float64
	}{
		{"Exp", Exp, exp, -708.7, 709.4, 1},
		{"Log", Log, func(x float64) *big.Float { return bigLog(bigFloat(x)) }, 1e-300, 1e300, 1},
		{"Log near 1", Log, func(x float64) *big.Float { return bigLog(bigFloat(x)) }, 0.5, 2, 1},
		{"Log1p", Log1p, func(x float64) *big.Float { return log1p(bigFloat(x)) }, 0, 1e300, 2},
		{"Log1p of moderate x", Log1p, func(x float64) *big.Float { return log1p(bigFloat(x)) }, 0, 1e20, 2},
		{"Log1p near 0", Log1p, func(x float64) *big.Float { return log1p(bigFloat(x)) }, 0, 4, 2},
		{"Sigmoid", Sigmoid, func(x float64) *big.Float {
			d := new(big.Float).Add(one, exp(-x))
			return d.Quo(one, d)
		}, -700, 700, 3},
		{"Softplus", Softplus, func(x float64) *big.Float {
			y := log1p(exp(-math.Abs(x)))
			return y.Add(y, bigFloat(max(x, 0)))
		}, -700, 1000, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var worst float64
			for k, x := range samples(tt.lo, tt.hi) {
				if testing.Short() && k%4 != k/4%4 {
					continue // one of each four, which are of different kinds
				}
				got := tt.f(x)
				d := ulps(got, tt.want(x))
				if !(d <= tt.ulps) {
					t.Errorf("%s(%v) = %v, off by %.2f ulp, want at most %v", tt.name, x, got, d, tt.ulps)
				}
				worst = max(worst, d)
			}
			t.Logf("worst error %.2f ulp", worst)
		})
	}
}

func TestSpecial(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, tt := range []struct {
		name      string
		f         func(float64) float64
		x, result float64
	}{
		{"Exp", Exp, 0, 1},
		{"Exp", Exp, inf, inf},
		{"Exp", Exp, 1e6, inf},
		{"Exp", Exp, -inf, 0},
		{"Exp", Exp, -1e6, 0},
		{"Exp", Exp, nan, nan},
		{"Log", Log, 1, 0},
		{"Log", Log, 0, -inf},
		{"Log", Log, -1, nan},
		{"Log", Log, inf, inf},
		{"Log", Log, nan, nan},
		{"Log1p", Log1p, 0, 0},
		{"Log1p", Log1p, inf, inf},
		{"Log1p", Log1p, nan, nan},
		{"Sigmoid", Sigmoid, 0, 0.5},
		{"Sigmoid", Sigmoid, 1e6, 1},
		{"Sigmoid", Sigmoid, -1e6, 0},
		{"Sigmoid", Sigmoid, -inf, 0},
		{"Sigmoid", Sigmoid, nan, nan},
		{"Softplus", Softplus, 1e6, 1e6},
		{"Softplus", Softplus, -1e6, 0},
		{"Softplus", Softplus, -inf, 0},
		{"Softplus", Softplus, nan, nan},
	} {
		got := tt.f(tt.x)
		if got != tt.result && !(math.IsNaN(got) && math.IsNaN(tt.result)) {
			t.Errorf("%s(%v) = %v, want %v", tt.name, tt.x, got, tt.result)
		}
	}
}

// inputs returns x, filled up with units that are off.
func inputs(x []float64) Inputs {
	in := Inputs{X: make([][8]float64, 3*((len(x)+7)/8)), Stride: 3, N: (len(x) + 7) / 8}
	for i := range 8 * in.N {
		in.X[i/8*3][i%8] = math.Inf(-1)
		if i < len(x) {
			in.X[i/8*3][i%8] = x[i]
		}
	}
	return in
}

func TestSoftplusSum(t *testing.T) { each(t, testSoftplusSum) }

func testSoftplusSum(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	for _, n := range []int{8, 16, 64, 504} {
		for _, tt := range []struct{ mean, std float64 }{{0, 1}, {0, 100}, {-30, 5}, {-100, 30}, {30, 5}, {0, 1e-9}, {0, 1e6}} {
			t.Run(fmt.Sprintf("n=%d/mean=%v/std=%v", n, tt.mean, tt.std), func(t *testing.T) {
				x := make([]float64, n)
				want := bigFloat(0)
				for i := range x {
					x[i] = tt.mean + tt.std*rnd.NormFloat64()
					want.Add(want, bigFloat(Softplus(x[i])))
				}
				w, _ := want.Float64()
				got := inputs(x).Softplus().Value()
				if math.Abs(got-w) > 1e-14*w {
					t.Errorf("SoftplusSum = %v, want %v", got, w)
				}
			})
		}
	}
	for i := range 8 {
		x := make([]float64, 8)
		x[i] = math.NaN()
		if got := inputs(x).Softplus().Value(); !math.IsNaN(got) {
			t.Errorf("SoftplusSum with NaN at %d = %v, want NaN", i, got)
		}
	}
}

func TestExps(t *testing.T) { each(t, testExps) }

func testExps(t *testing.T) {
	x := append(samples(-800, 800), math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1), -5e-324)
	for _, n := range []int{0, 1, 7, 8, 9, 63, len(x)} {
		for start := 0; start+n <= len(x); start += max(1, n) {
			got := append([]float64{99}, x[start:start+n]...)
			got = append(got, 99)
			Exps(got[1 : 1+n])
			if got[0] != 99 || got[1+n] != 99 {
				t.Fatalf("n=%d: something else has changed", n)
			}
			for i, x := range x[start : start+n] {
				if want := Exp(x); math.Float64bits(got[1+i]) != math.Float64bits(want) && !(math.IsNaN(x) && math.IsNaN(got[1+i])) {
					t.Fatalf("n=%d: Exp(%v) = %v, want %v", n, x, got[1+i], want)
				}
			}
		}
	}
}

// Draw and DrawProbs follow their definition: bit i is set where (u+½)/2³² < σ(x). This is
// checked for the u on either side of the boundary.
func TestDraw(t *testing.T) { each(t, testDraw) }

func testDraw(t *testing.T) {
	for _, x := range []float64{-20, -3, -0.5, 0, 1e-9, 0.7, 4, 20} {
		p := 1 / (1 + math.Exp(-x))
		edge := uint64(math.Round(p * (1 << 32))) // u below it are ones
		for _, tt := range []struct {
			u    uint64
			want uint64
		}{{0, 1}, {edge / 2, 1}, {edge - 2, 1}, {edge + 1, 0}, {math.MaxUint32, 0}} {
			if tt.u > math.MaxUint32 || int64(tt.u) < 0 {
				continue
			}
			var u [64]uint32
			u[3] = uint32(tt.u)
			xs := []float64{math.Inf(-1), math.Inf(-1), math.Inf(-1), x}
			if got := inputs(xs).Draw(&u); got != tt.want<<3 {
				t.Errorf("Draw(x=%v, u=%d) = %b, want %b", x, tt.u, got, tt.want<<3)
			}
			ps := make([]float64, 8)
			if got := inputs(xs).DrawProbs(ps, 0.25, &u); got != tt.want<<3 {
				t.Errorf("DrawProbs(x=%v, u=%d) = %b, want %b", x, tt.u, got, tt.want<<3)
			}
			if want := 0.25 * Sigmoid(x); math.Abs(ps[3]-want) > 1e-15 || ps[0] != 0 {
				t.Errorf("DrawProbs(x=%v): p = %v, want 0 and %v", x, ps, want)
			}
		}
	}
}

// The implementations give the same bits, whatever the input.
func TestImplementations(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	special := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1e6, -1e6, 708, -708, 709, -709,
		709.3, 709.5, 709.7, 709.8, 710, 711, -708.7, -708.8, -709.4, 1e-300, -1e-300, 36.7, -36.7, 745, -745}
	each(t, func(t *testing.T) {
		for n := 1; n <= 8; n++ {
			for range 200 {
				in := Inputs{X: make([][8]float64, 2*n), Stride: 2, N: n}
				var u [64]uint32
				for i := range 8 * n {
					in.X[i/8*2][i%8] = rnd.NormFloat64() * math.Pow(10, 4*rnd.Float64()-1)
					if rnd.IntN(4) == 0 {
						in.X[i/8*2][i%8] = special[rnd.IntN(len(special))]
					}
					u[i] = rnd.Uint32()
				}
				scale := rnd.NormFloat64()
				p, want := make([]float64, 8*n+1), make([]float64, 8*n+1)
				p[8*n], want[8*n] = 1e100, 1e100
				in.Probs(p, scale)
				probsGo(want, in, scale)
				sameBits(t, "Probs", p, want)
				if got, want := in.Draw(&u), drawGo(in, &u); got != want {
					t.Fatalf("Draw = %x, want %x", got, want)
				}
				clear(p[:8*n])
				if got, want := in.DrawProbs(p, scale, &u), drawGo(in, &u); got != want {
					t.Fatalf("DrawProbs = %x, want %x", got, want)
				}
				sameBits(t, "DrawProbs", p, want)
				var sums, wantSums [16]float64
				softplus(&sums, in)
				softplusGo(&wantSums, in)
				sameBits(t, "Softplus", sums[:], wantSums[:])
			}
		}
	})
}

func sameBits(t *testing.T, name string, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
			t.Fatalf("%s: element %d = %v, want %v", name, i, got[i], want[i])
		}
	}
}

func TestLogSumExp(t *testing.T) {
	inf := math.Inf(1)
	for _, tt := range []struct {
		x    []float64
		want float64
	}{
		{nil, -inf},
		{[]float64{3}, 3},
		{[]float64{1e6, 1e6}, 1e6 + math.Ln2},
		{[]float64{-1e6, -1e6, -1e6, -1e6}, -1e6 + 2*math.Ln2},
		{[]float64{0, -800}, 0},
		{[]float64{-inf, 2}, 2},
		{[]float64{-inf, -inf}, -inf},
		{[]float64{inf, 0}, inf},
		{[]float64{0, math.NaN()}, math.NaN()},
	} {
		got := LogSumExp(tt.x)
		if got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
			t.Errorf("LogSumExp(%v) = %v, want %v", tt.x, got, tt.want)
		}
	}
}

func BenchmarkElements(b *testing.B) {
	x, p := make([]float64, 64), make([]float64, 64)
	rnd := rand.New(rand.NewPCG(3, 3))
	for i := range x {
		x[i] = 3 * rnd.NormFloat64()
	}
	var u [64]uint32
	inputs := inputs(x)
	for _, bb := range []struct {
		name string
		f    func()
	}{
		{"Probs", func() { inputs.Probs(p, 1) }},
		{"Draw", func() { inputs.Draw(&u) }},
		{"DrawProbs", func() { inputs.DrawProbs(p, 1, &u) }},
		{"Softplus", func() { inputs.Softplus() }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				bb.f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x)), "ns/element")
		})
	}
}

// Draws that the ½ or the < in their definition decides.
func TestDrawAtTheBoundary(t *testing.T) {
	each(t, func(t *testing.T) {
		check := func(x float64, number uint32, want uint64) {
			t.Helper()
			var u [64]uint32
			u[5] = number
			xs := []float64{math.Inf(-1), math.Inf(-1), math.Inf(-1), math.Inf(-1), math.Inf(-1), x}
			if got := inputs(xs).Draw(&u); got != want<<5 {
				t.Errorf("Draw(x=%v, u=%d) = %b, want %b", x, number, got, want<<5)
			}
			if got := inputs(xs).DrawProbs(make([]float64, 8), 1, &u); got != want<<5 {
				t.Errorf("DrawProbs(x=%v, u=%d) = %b, want %b", x, number, got, want<<5)
			}
		}
		// The least u is ½: units of a probability below 2⁻³³ are never on.
		check(-50, 0, 0)
		check(-800, 0, 0)
		check(50, math.MaxUint32, 1)
		// The product is exactly 2³²: not below.
		equal := 0
		for u := uint32(1 << 31); u < 1<<31+1000; u++ {
			x := -math.Log(1<<32/(float64(u)+0.5) - 1)
			for range 20 {
				if float64((float64(u)+0.5)*(1+Exp(-x))) == 1<<32 {
					check(x, u, 0)
					equal++
					break
				}
				x = math.Nextafter(x, 1)
			}
		}
		if equal == 0 {
			t.Error("no product is 2³²")
		}
	})
}

func BenchmarkTwin(b *testing.B) {
	x, p := make([]float64, 64), make([]float64, 64)
	rnd := rand.New(rand.NewPCG(3, 3))
	for i := range x {
		x[i] = 3 * rnd.NormFloat64()
	}
	var u [64]uint32
	in := inputs(x)
	b.Run("Probs", func(b *testing.B) { twin.Run(b, func() { in.Probs(p, 1) }) })
	b.Run("Draw", func(b *testing.B) { twin.Run(b, func() { in.Draw(&u) }) })
	b.Run("DrawProbs", func(b *testing.B) { twin.Run(b, func() { in.DrawProbs(p, 1, &u) }) })
	b.Run("Softplus", func(b *testing.B) { twin.Run(b, func() { in.Softplus() }) })
	b.Run("Exps", func(b *testing.B) { twin.Run(b, func() { Exps(p) }) })
}
