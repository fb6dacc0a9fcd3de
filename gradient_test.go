package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// checkGradient reports every component of g that is not within tol of want.
func checkGradient(t *testing.T, call string, g *rbm.Gradient, want []float64, source string, tol float64) {
	t.Helper()
	m := &rbm.RBM{W: g.W, B: g.B, C: g.C}
	for p, got := range params(m) {
		if !(math.Abs(got-want[p]) <= tol) {
			t.Errorf("%s.%s = %v, want %v (%s)", call, paramName(m, p), got, want[p], source)
		}
	}
}

// naiveGradient is the difference of the statistics of data and of the model's rows.
func naiveGradient(m *rbm.RBM, data, v mat.Matrix, weights []float64) []float64 {
	return naiveWeightedGradient(m, data, nil, v, weights)
}

func naiveWeightedGradient(m *rbm.RBM, data mat.Matrix, dataWeights []float64, v mat.Matrix, weights []float64) []float64 {
	g := naiveStatistics(m, data, dataWeights)
	floats.Sub(g, naiveStatistics(m, v, weights))
	return g
}

// differences returns the central finite differences of f by the parameters of m.
func differences(m *rbm.RBM, f func(*rbm.RBM) float64) []float64 {
	c := m.Clone()
	return fd.Gradient(nil, func(x []float64) float64 {
		setParams(c, x)
		return f(c)
	}, params(m), &fd.Settings{Formula: fd.Central})
}

// randomWeights returns n weights uniform in [0,3), the first of which is 0.
func randomWeights(n int, seed uint64) []float64 {
	rnd := rand.New(rand.NewPCG(seed, 4))
	w := make([]float64, n)
	for r := 1; r < n; r++ {
		w[r] = 3 * rnd.Float64()
	}
	return w
}

func TestGradientIsTheSlopeOfTheLogLikelihood(t *testing.T) {
	t.Parallel()
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		for _, data := range []mat.Matrix{randomBits(7, nv, 0.4, 2), randomReals(7, nv, 3)} {
			var g rbm.Gradient
			m.Gradient(&g, data, new(rbm.Exact))
			want := differences(m, func(m *rbm.RBM) float64 { return naiveMeanLogLikelihood(m, data, nil) })
			checkGradient(t, fmt.Sprintf("Gradient(nv=%d,nh=%d)", nv, nh), &g, want, "fd", 1e-8)
		}
	})
}

// A row that occurs k times counts k times.
func TestGradientOfRepeatedRows(t *testing.T) {
	const nv, nh = 5, 4
	m, data := randomModel(nv, nh, 1, 1), randomBits(4, nv, 0.4, 2)
	var g rbm.Gradient
	m.Gradient(&g, data.Gather(nil, []int{3, 0, 1, 3, 1, 3}), new(rbm.Exact))
	want := differences(m, func(m *rbm.RBM) float64 {
		return naiveMeanLogLikelihood(m, data, []float64{1, 2, 0, 3})
	})
	checkGradient(t, "Gradient", &g, want, "fd", 1e-8)
}

func TestWeightedGradientIsTheSlopeOfTheLogLikelihood(t *testing.T) {
	t.Parallel()
	forShapes(t, func(t *testing.T, nv, nh int) {
		m, w := randomModel(nv, nh, 1, 1), randomWeights(7, 4)
		for _, data := range []mat.Matrix{randomBits(7, nv, 0.4, 2), randomReals(7, nv, 3)} {
			var g rbm.Gradient
			m.WeightedGradient(&g, data, w, new(rbm.Exact))
			want := differences(m, func(m *rbm.RBM) float64 { return naiveMeanLogLikelihood(m, data, w) })
			checkGradient(t, fmt.Sprintf("WeightedGradient(nv=%d,nh=%d)", nv, nh), &g, want, "fd", 1e-8)
		}
	})
}

// Two weights of rows, those of the data and those of the sample, each with its own total.
func TestWeightedGradientIsItsFormula(t *testing.T) {
	t.Parallel()
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		var g rbm.Gradient
		for _, n := range []struct{ data, model int }{{2, 1}, {2, 100}, {100, 2}, {65, 130}, {1100, 60}} {
			w, u := randomWeights(n.data, 4), randomWeights(n.model+1, 5)[1:]
			bits, reals := randomBits(n.data, nv, 0.4, 2), randomReals(n.data, nv, 2)
			v := randomBits(n.model, nv, 0.6, 3)
			for _, data := range []mat.Matrix{bits, reals} {
				call := fmt.Sprintf("WeightedGradient(%d rows of %T, %d rows)", n.data, data, n.model)
				positive := naiveStatistics(m, data, w)
				for _, weights := range [][]float64{u, nil} {
					m.WeightedGradient(&g, data, w, sample{v, weights})
					want := naiveStatistics(m, v, weights)
					checkGradient(t, call, &g, floats.SubTo(want, positive, want), "loop", 1e-13)
				}
			}
		}
	})
}

func TestWeightedGradientOfManyRows(t *testing.T) {
	const nv, nh, n = 5, 4, 5000
	m, w := randomModel(nv, nh, 1, 1), randomWeights(n, 4)
	v := randomBits(300, nv, 0.6, 3)
	for _, data := range []mat.Matrix{randomBits(n, nv, 0.4, 2), randomReals(n, nv, 2)} {
		var g rbm.Gradient
		m.WeightedGradient(&g, data, w, sample{v, nil})
		checkGradient(t, fmt.Sprintf("WeightedGradient(%T)", data), &g, naiveWeightedGradient(m, data, w, v, nil), "loop", 1e-12)
	}
}

// forWeighted calls f with exact gradients, ordinary and centered; of the last model Exact
// enumerates the hidden layer.
func forWeighted(t *testing.T, f func(name string, nv int, gradient func(data mat.Matrix, weights []float64) []float64)) {
	for _, s := range []struct{ nv, nh int }{{5, 4}, {4, 7}, {25, 4}} {
		m := randomModel(s.nv, s.nh, 0.5, 1)
		f(fmt.Sprintf("nv=%d/nh=%d", s.nv, s.nh), s.nv, func(data mat.Matrix, weights []float64) []float64 {
			var g rbm.Gradient
			m.WeightedGradient(&g, data, weights, new(rbm.Exact))
			return gradientValues(&g)
		})
		f(fmt.Sprintf("nv=%d/nh=%d/centered", s.nv, s.nh), s.nv, func(data mat.Matrix, weights []float64) []float64 {
			var g rbm.Gradient
			var c rbm.Centering
			m.WeightedGradient(&g, data, weights, new(rbm.Exact))
			c.Center(&g)
			return append(append(gradientValues(&g), c.V...), c.H...)
		})
	}
}

func checkAllNear(t *testing.T, name string, got, want []float64, tol float64) {
	t.Helper()
	for k := range want {
		checkNear(t, fmt.Sprintf("%s: value %d", name, k), got[k], want[k], tol)
	}
}

func TestWeightedGradientOfIntegersIsThatOfRepeatedRows(t *testing.T) {
	forWeighted(t, func(name string, nv int, gradient func(mat.Matrix, []float64) []float64) {
		data := randomBits(4, nv, 0.4, 2)
		want := gradient(data.Gather(nil, []int{3, 0, 1, 3, 1, 3}), nil)
		checkAllNear(t, name, gradient(data, []float64{1, 2, 0, 3}), want, 1e-12)
	})
}

func TestWeightedGradientOfNoWeightIsThatWithoutTheRow(t *testing.T) {
	forWeighted(t, func(name string, nv int, gradient func(mat.Matrix, []float64) []float64) {
		reals := randomReals(5, nv, 2)
		want := gradient(reals.Slice(1, 4, 0, nv), []float64{0.3, 2, 1})
		checkAllNear(t, name, gradient(reals, []float64{0, 0.3, 2, 1, 0}), want, 1e-14)
	})
}

// Weights that are equal, or nil, or scaled by a power of two, change no bit.
func TestWeightedGradientOfEqualWeights(t *testing.T) {
	t.Parallel()
	const nv, nh, n = 70, 9, 90
	m, bits := randomModel(nv, nh, 0.3, 1), randomBits(n, nv, 0.4, 2)
	constant := func(x float64) []float64 {
		w := make([]float64, n)
		floats.AddConst(x, w)
		return w
	}
	for _, data := range []mat.Matrix{bits, gray(bits, 3)} {
		for _, s := range []func() rbm.Sampler{
			func() rbm.Sampler { return rbm.NewCD(2, newSource(5)) },
			func() rbm.Sampler { return rbm.NewPCD(7, 1, newSource(5)) },
			func() rbm.Sampler { return newPT(7, 1, []float64{0, 1}, newSource(5)) },
			func() rbm.Sampler { return new(rbm.Exact) },
			func() rbm.Sampler { return bare{rbm.NewCD(1, newSource(5))} },
		} {
			var g, got rbm.Gradient
			var c, d rbm.Centering
			m.Gradient(&g, data, s())
			plain := gradientValues(&g)
			m.Gradient(&g, data, s())
			c.Center(&g)
			centered := gradientValues(&g)
			for _, w := range [][]float64{nil, constant(1), constant(0x1p-1074), constant(0x1p1000)} {
				name := fmt.Sprintf("%T and %T with %d weights", data, s(), len(w))
				m.WeightedGradient(&got, data, w, s())
				checkSame(t, name, gradientValues(&got), plain)
				d = rbm.Centering{}
				m.WeightedGradient(&got, data, w, s())
				d.Center(&got)
				checkSame(t, name+", centered", gradientValues(&got), centered)
				checkSame(t, name+", V", d.V, c.V)
				checkSame(t, name+", H", d.H, c.H)
			}
		}
	}
}

// A chain of CD counts as much as the row that it starts from.
func TestWeightedGradientOfCD(t *testing.T) {
	const n, nv, nh = 9, 5, 4
	m, bits, w := randomModel(nv, nh, 1, 1), randomBits(n, nv, 0.4, 2), randomWeights(n, 4)
	for _, data := range []mat.Matrix{bits, randomReals(n, nv, 3)} {
		v, _ := rbm.NewCD(2, newSource(5)).Sample(m, data)
		var g rbm.Gradient
		m.WeightedGradient(&g, data, w, rbm.NewCD(2, newSource(5)))
		checkGradient(t, fmt.Sprintf("WeightedGradient(%T, CD)", data), &g, naiveWeightedGradient(m, data, w, v, w), "loop", 1e-14)
		m.WeightedGradient(&g, data, w, bare{rbm.NewCD(2, newSource(5))})
		checkGradient(t, fmt.Sprintf("WeightedGradient(%T, other)", data), &g, naiveWeightedGradient(m, data, w, v, nil), "loop", 1e-14)
	}
}

// sparseWeights returns n weights of 0, 1 and 2, of which a share is not 0.
func sparseWeights(n int, share float64, seed uint64) []float64 {
	rnd := rand.New(rand.NewPCG(seed, 5))
	w := make([]float64, n)
	for r := range w {
		if rnd.Float64() < share {
			w[r] = float64(1 + rnd.IntN(2))
		}
	}
	w[n-1] = 1
	return w
}

// everywhere is CD of which the chains of all rows move, and count as their rows do.
type everywhere struct {
	cd      *rbm.CD
	weights []float64
}

func (s everywhere) Sample(m *rbm.RBM, data mat.Matrix) (mat.Matrix, []float64) {
	v, _ := s.cd.Sample(m, data)
	return v, s.weights
}

// Rows with a weight of 0 are left out, which changes no bit, and their chains do not move.
func TestWeightedGradientLeavesOut(t *testing.T) {
	const nv, nh = 70, 66
	m := randomModel(nv, nh, 0.3, 1)
	for _, n := range []int{1, 3, 130} {
		for _, share := range []float64{0, 0.02, 0.5, 0.8, 0.9, 0.98} {
			bits := randomBits(n, nv, 0.3, 2)
			for _, data := range []mat.Matrix{bits, randomReals(n, nv, 3)} {
				name := fmt.Sprintf("WeightedGradient(%v of %d rows of %T)", share, n, data)
				var g, want rbm.Gradient
				cd, all := rbm.NewCD(2, newSource(5)), rbm.NewCD(2, newSource(5))
				var w []float64
				for k := range 2 { // the second after other gaps
					w = sparseWeights(n, share, uint64(n+k))
					m.WeightedGradient(&g, data, w, cd)
					m.WeightedGradient(&want, data, w, everywhere{all, w})
					checkSame(t, name, gradientValues(&g), gradientValues(&want))
				}
				for r := range n {
					want := all.Chains.Visible()
					if w[r] == 0 {
						if data != mat.Matrix(bits) {
							continue
						}
						want = bits
					}
					for i := range nv {
						if got, want := cd.Chains.Visible().Bit(r, i), want.Bit(r, i); got != want {
							t.Fatalf("%s: chain %d, unit %d is %v, want %v", name, r, i, got, want)
						}
					}
				}
				m.Gradient(&g, data, cd) // all chains move again
				m.Gradient(&want, data, everywhere{all, nil})
				checkSame(t, "Gradient after "+name, gradientValues(&g), gradientValues(&want))
			}
		}
	}
}

// The sums over rows run over nibbles of all rows, whichever are left out.
func TestGradientIsItsSum(t *testing.T) {
	const nv, nh = 7, 5
	m := randomModel(nv, nh, 1, 1)
	for _, n := range []int{1, 6, 300} {
		for _, share := range []float64{0.02, 0.5, 1} {
			w := sparseWeights(n, share, uint64(n))
			for _, v := range []mat.Matrix{randomBits(n, nv, 0.4, 2), gray(randomBits(n, nv, 0.4, 2), 3)} {
				var g rbm.Gradient
				m.FreeEnergyGradient(&g, v, w)
				h := m.HiddenProbs(nil, v)
				sum := func(term func(r int) float64) (sum float64) {
					for r0 := 0; r0 < n; r0 += 4 {
						part := math.Copysign(0, -1)
						for r := r0; r < min(n, r0+4); r++ {
							part += term(r)
						}
						sum += part
					}
					return sum
				}
				name := fmt.Sprintf("FreeEnergyGradient(%d rows of %T)", n, v)
				for i := range nv {
					if got, want := g.B.AtVec(i), sum(func(r int) float64 { return -w[r] * v.At(r, i) }); got != want {
						t.Errorf("%s.B[%d] = %v, want %v", name, i, got, want)
					}
				}
				for j := range nh {
					if got, want := g.C.AtVec(j), sum(func(r int) float64 { return -w[r] * h.At(r, j) }); got != want {
						t.Errorf("%s.C[%d] = %v, want %v", name, j, got, want)
					}
					for i := range nv {
						want := sum(func(r int) float64 { return float64(v.At(r, i) * (-w[r] * h.At(r, j))) })
						if got := g.W.At(j, i); got != want {
							t.Errorf("%s.W[%d,%d] = %v, want %v", name, j, i, got, want)
						}
					}
				}
			}
		}
	}
}

// Where Exact enumerates the hidden layer no goroutine is left behind; where it cannot,
// nothing is changed.
func TestGradientWithoutSamples(t *testing.T) {
	setProcs(t, 4)
	m, v := randomModel(300, 11, 0.1, 1), randomBits(3000, 300, 0.3, 2)
	before := runtime.NumGoroutine()
	var g, h rbm.Gradient
	for range 3 {
		m.FreeEnergyGradient(&g, v, nil)
		m.WeightedGradient(&h, v, randomWeights(3000, 3), new(rbm.Exact))
	}
	// A goroutine that has reported its last result may still be about to end.
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, before %d", runtime.NumGoroutine(), before)
		}
	}
	var empty rbm.Gradient
	wantPanic(t, "too many units", func() { rbm.New(22, 21).Gradient(&empty, rbm.NewBits(1, 22), new(rbm.Exact)) }, "21×22", "20")
	if empty.W != nil {
		t.Error("too many units: the destination was changed")
	}
}

func TestWeightsAreNotKept(t *testing.T) {
	m, data, w := randomModel(5, 4, 1, 1), randomBits(6, 5, 0.4, 2), randomWeights(6, 4)
	before := append([]float64(nil), w...)
	var g, fresh rbm.Gradient
	m.WeightedGradient(&g, data, w, new(rbm.Exact))
	checkSame(t, "weights", w, before)
	m.Gradient(&g, data, new(rbm.Exact))
	m.Gradient(&fresh, data, new(rbm.Exact))
	checkSame(t, "Gradient after WeightedGradient", gradientValues(&g), gradientValues(&fresh))
}

func TestWrongWeights(t *testing.T) {
	m := randomModel(5, 4, 1, 1)
	nan := m.Clone()
	nan.C.SetVec(1, math.NaN())
	large := rbm.New(25, 3)
	for _, tt := range []struct {
		name    string
		weights []float64
		want    string
	}{
		{"too few", []float64{1, 1}, "data weights have length 2, want 3"},
		{"none", []float64{}, "data weights have length 0, want 3"},
		{"too many", []float64{1, 1, 1, 1}, "data weights have length 4, want 3"},
		{"negative", []float64{5, 9, -7}, "data weights[2] is -7, want a finite number of at least 0"},
		{"NaN", []float64{1, math.NaN(), 1}, "data weights[1] is NaN, want a finite number of at least 0"},
		{"infinite", []float64{math.Inf(1), 1, 1}, "data weights[0] is +Inf, want a finite number of at least 0"},
		{"all zero", []float64{0, 0, 0}, "data weights have sum 0, want a positive finite number"},
		{"infinite sum", []float64{1e308, 1e308, 1e308}, "data weights have sum +Inf, want a positive finite number"},
	} {
		// No sampler moves before.
		pcd, fresh := rbm.NewPCD(3, 1, newSource(1)), rbm.NewPCD(3, 1, newSource(1))
		var g, want rbm.Gradient
		var c rbm.Centering
		data := randomBits(3, 5, 0.5, 2)
		for _, m := range []*rbm.RBM{m, nan} {
			wantPanic(t, tt.name, func() { m.WeightedGradient(&g, data, tt.weights, pcd) }, tt.want)
			wantPanic(t, tt.name, func() { m.WeightedGradient(&g, data, tt.weights, pcd); c.Center(&g) }, tt.want)
		}
		m.Gradient(&g, data, pcd)
		m.Gradient(&want, data, fresh)
		checkSame(t, tt.name, gradientValues(&g), gradientValues(&want))
		if len(c.V) != 0 || len(c.H) != 0 {
			t.Errorf("%s: offsets %v and %v, want none", tt.name, c.V, c.H)
		}
		wantPanic(t, tt.name, func() { large.WeightedGradient(new(rbm.Gradient), rbm.NewBits(3, 25), tt.weights, new(rbm.Exact)) }, tt.want)
	}
	for _, tt := range []struct {
		name    string
		weights []float64
		want    string
	}{
		{"too few", []float64{1, 1}, "sample weights have length 2, want 3"},
		{"negative", []float64{1, 1, -7}, "sample weights[2] is -7, want a finite number of at least 0"},
		{"infinite sum", []float64{1e308, 1e308, 1e308}, "sample weights have sum +Inf, want a positive finite number"},
	} {
		s := sample{rbm.NewBits(3, 5), tt.weights}
		wantPanic(t, tt.name, func() { m.WeightedGradient(new(rbm.Gradient), rbm.NewBits(2, 5), []float64{1, 2}, s) }, tt.want)
	}
}

func TestFreeEnergyGradient(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		const n = 6
		equal := make([]float64, n)
		floats.AddConst(1.0/n, equal)
		for _, tt := range []struct {
			name             string
			weights, factors []float64
		}{
			{"nil", nil, equal},
			{"weights", randomWeights(n, 4), randomWeights(n, 4)},
		} {
			for _, v := range []mat.Matrix{randomBits(n, nv, 0.4, 2), randomReals(n, nv, 3)} {
				var g rbm.Gradient
				m.FreeEnergyGradient(&g, v, tt.weights)
				want := differences(m, func(m *rbm.RBM) float64 {
					sum := 0.0
					for r, w := range tt.factors {
						sum += w * naiveFreeEnergy(m, mat.Row(nil, r, v))
					}
					return sum
				})
				checkGradient(t, "FreeEnergyGradient("+tt.name+")", &g, want, "fd", 1e-8)
			}
		}
	})
}

// Each phase is divided by its own total weight, whatever the two row counts.
func TestGradientOfUnequalRowCounts(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		var g rbm.Gradient
		for _, n := range []struct{ data, model int }{{1, 1}, {1, 100}, {100, 1}, {7, 64}, {64, 7}, {65, 130}} {
			for _, weights := range [][]float64{nil, randomWeights(n.model+1, 4)[1:]} {
				data, v := randomBits(n.data, nv, 0.4, 2), randomBits(n.model, nv, 0.6, 3)
				m.Gradient(&g, data, sample{v, weights})
				call := fmt.Sprintf("Gradient(%d rows, %d rows, %d weights)", n.data, n.model, len(weights))
				checkGradient(t, call, &g, naiveGradient(m, data, v, weights), "loop", 1e-14)
			}
		}
	})
}

func TestGradientOfRealValues(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		reals, bits := randomReals(30, nv, 2), randomBits(20, nv, 0.6, 3)
		w := randomWeights(30, 4)
		var g rbm.Gradient
		m.Gradient(&g, reals, sample{bits, w[:20]})
		checkGradient(t, "Gradient(reals, bits)", &g, naiveGradient(m, reals, bits, w[:20]), "loop", 1e-14)
		m.Gradient(&g, bits, sample{reals, w})
		checkGradient(t, "Gradient(bits, reals)", &g, naiveGradient(m, bits, reals, w), "loop", 1e-14)
	})
}

func TestGradientOfManyRows(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh, data, model int }{
		{5, 4, 3000, 500}, {5, 4, 100, 5000}, {8, 3, 5000, 3001}, {1, 8, 4097, 63}, {8, 1, 1025, 2049}, {70, 3, 1100, 2100},
	} {
		t.Run(fmt.Sprintf("nv=%d/nh=%d/data=%d/model=%d", s.nv, s.nh, s.data, s.model), func(t *testing.T) {
			m := randomModel(s.nv, s.nh, 1, 1)
			data, v, w := randomBits(s.data, s.nv, 0.4, 2), randomBits(s.model, s.nv, 0.6, 3), randomWeights(s.model, 4)
			positive := naiveStatistics(m, data, nil)
			var g rbm.Gradient
			for _, v := range []mat.Matrix{v, randomReals(s.model, s.nv, 3)} {
				m.Gradient(&g, data, sample{v, w})
				want := naiveStatistics(m, v, w)
				checkGradient(t, fmt.Sprintf("Gradient(%T)", v), &g, floats.SubTo(want, positive, want), "loop", 1e-13)
			}
		})
	}
}

func TestGradientOfRowsTwice(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m, data := randomModel(nv, nh, 1, 1), randomBits(50, nv, 0.4, 2)
		var once, twice rbm.Gradient
		m.Gradient(&once, data, new(rbm.Exact))
		m.Gradient(&twice, repeated(data, 2), new(rbm.Exact))
		checkGradient(t, "Gradient([X;X])", &twice, gradientValues(&once), "Gradient(X)", 1e-15)
	})
}

// A visible unit that is always off does not hide a weight that is NaN.
func TestGradientNaN(t *testing.T) {
	const n, nv, nh = 9, 5, 4
	bits := mat.DenseCopyOf(randomBits(n, nv, 0.4, 2))
	for r := range n {
		bits.Set(r, 2, 0)
	}
	cd, pcd := rbm.NewCD(1, newSource(5)), rbm.NewPCD(7, 1, newSource(6))
	m := randomModel(nv, nh, 1, 1)
	x := params(m)
	for p := range x {
		y := append([]float64(nil), x...)
		y[p] = math.NaN()
		setParams(m, y)
		check := func(call string, g *rbm.Gradient) {
			t.Helper()
			for q, got := range gradientValues(g) {
				if !math.IsNaN(got) {
					t.Errorf("%s.%s = %v with %s = NaN, want NaN", call, paramName(m, q), got, paramName(m, p))
				}
			}
		}
		for _, v := range []*mat.Dense{bits, randomReals(n, nv, 3)} {
			var g rbm.Gradient
			m.FreeEnergyGradient(&g, v, randomWeights(n, 4))
			check("FreeEnergyGradient", &g)
			for _, s := range []rbm.Sampler{sample{bits, nil}, new(rbm.Exact), cd, pcd} {
				m.Gradient(&g, v, s)
				check(fmt.Sprintf("Gradient(%T)", s), &g)
				m.Gradient(&g, v, struct{ rbm.Sampler }{s})
				check(fmt.Sprintf("Gradient(%T behind an interface)", s), &g)
				m.WeightedGradient(&g, v, randomWeights(n, 4), s)
				check(fmt.Sprintf("WeightedGradient(%T)", s), &g)
			}
		}
	}
}

func TestGradientOfLargeParameters(t *testing.T) {
	for _, size := range []float64{1e3, 1e6} {
		m := saturated(5, 4, size, 1)
		data, v := randomBits(9, 5, 0.4, 2), randomBits(8, 5, 0.4, 3)
		var g rbm.Gradient
		m.Gradient(&g, data, sample{v, nil})
		checkGradient(t, fmt.Sprintf("Gradient(%v)", size), &g, naiveGradient(m, data, v, nil), "loop", 1e-14*size)
		m.Gradient(&g, data, new(rbm.Exact))
		checkGradient(t, fmt.Sprintf("Gradient(%v)", size), &g, naiveGradient(m, data, configs(5), naiveVisible(m)), "loop", 1e-13*size)
	}
}

// Weights count by their share of the total, however small that is.
func TestGradientOfTinyWeights(t *testing.T) {
	m := randomModel(5, 4, 1, 50)
	data, v := randomBits(3, 5, 0.5, 51), randomBits(2, 5, 0.5, 52)
	var got, want rbm.Gradient
	m.Gradient(&got, data, sample{v, []float64{1e-310, 1e-310}})
	m.Gradient(&want, data, sample{v, []float64{0.5, 0.5}})
	checkSame(t, "Gradient", gradientValues(&got), gradientValues(&want))
	m.WeightedGradient(&got, data, []float64{1e-310, 1e-310, 2e-310}, sample{v, nil})
	m.WeightedGradient(&want, data, []float64{0.25, 0.25, 0.5}, sample{v, nil})
	checkSame(t, "WeightedGradient", gradientValues(&got), gradientValues(&want))
}

// More visible units than a kernel is given at a time, with few rows and with many.
func TestGradientOfManyVisibleUnits(t *testing.T) {
	t.Parallel()
	const nv, nh = 2500, 3
	m := randomModel(nv, nh, 0.05, 1)
	for _, n := range []int{3, 200} {
		data, v := randomBits(n, nv, 0.4, 2), randomBits(n+1, nv, 0.6, 3)
		var g rbm.Gradient
		m.Gradient(&g, data, sample{v, nil})
		checkGradient(t, fmt.Sprintf("Gradient(%d rows)", n), &g, naiveGradient(m, data, v, nil), "loop", 1e-12)
	}
}
