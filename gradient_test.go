package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

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
	g := naiveStatistics(m, data, nil)
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
	for _, s := range []struct{ nv, nh, data, model int }{
		{5, 4, 3000, 500}, {5, 4, 100, 5000}, {8, 3, 5000, 3001}, {1, 8, 4097, 63}, {8, 1, 1025, 2049}, {70, 3, 1100, 2100},
	} {
		t.Run(fmt.Sprintf("nv=%d/nh=%d/data=%d/model=%d", s.nv, s.nh, s.data, s.model), func(t *testing.T) {
			m := randomModel(s.nv, s.nh, 1, 1)
			data, v, w := randomBits(s.data, s.nv, 0.4, 2), randomBits(s.model, s.nv, 0.6, 3), randomWeights(s.model, 4)
			var g rbm.Gradient
			m.Gradient(&g, data, sample{v, w})
			checkGradient(t, "Gradient(bits)", &g, naiveGradient(m, data, v, w), "loop", 1e-13)
			reals := randomReals(s.model, s.nv, 3)
			m.Gradient(&g, data, sample{reals, w})
			checkGradient(t, "Gradient(reals)", &g, naiveGradient(m, data, reals, w), "loop", 1e-13)
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
	checkSame(t, "Gradient", got.W.RawMatrix().Data, want.W.RawMatrix().Data)
	checkSame(t, "Gradient", got.C.RawVector().Data, want.C.RawVector().Data)
}

// More visible units than a kernel is given at a time, with few rows and with many.
func TestGradientOfManyVisibleUnits(t *testing.T) {
	const nv, nh = 2500, 3
	m := randomModel(nv, nh, 0.05, 1)
	for _, n := range []int{3, 200} {
		data, v := randomBits(n, nv, 0.4, 2), randomBits(n+1, nv, 0.6, 3)
		var g rbm.Gradient
		m.Gradient(&g, data, sample{v, nil})
		checkGradient(t, fmt.Sprintf("Gradient(%d rows)", n), &g, naiveGradient(m, data, v, nil), "loop", 1e-12)
	}
}
