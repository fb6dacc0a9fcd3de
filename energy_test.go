package rbm_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// A reading is what a method of RBM returns for a batch, one row a row.
type reading struct {
	name   string
	values *mat.Dense
}

// readings applies every reading method of m to the rows of v and h.
func readings(m *rbm.RBM, v, h mat.Matrix) []reading {
	n, _ := v.Dims()
	return []reading{
		{"Energy", mat.NewDense(n, 1, m.Energy(nil, v, h))},
		{"FreeEnergy", mat.NewDense(n, 1, m.FreeEnergy(nil, v))},
		{"HiddenProbs", m.HiddenProbs(nil, v)},
		{"VisibleProbs", m.VisibleProbs(nil, h)},
		{"PseudoLogLikelihood", mat.NewDense(n, 1, m.PseudoLogLikelihood(nil, v))},
	}
}

func naiveReadings(m *rbm.RBM, v, h mat.Matrix) []reading {
	n, nv := v.Dims()
	_, nh := h.Dims()
	e, f, pll := mat.NewDense(n, 1, nil), mat.NewDense(n, 1, nil), mat.NewDense(n, 1, nil)
	ph, pv := mat.NewDense(n, nh, nil), mat.NewDense(n, nv, nil)
	for r := range n {
		vr, hr := mat.Row(nil, r, v), mat.Row(nil, r, h)
		e.Set(r, 0, naiveEnergy(m, vr, hr))
		f.Set(r, 0, naiveFreeEnergy(m, vr))
		ph.SetRow(r, naiveHiddenProbs(m, vr))
		pv.SetRow(r, naiveHiddenProbs(transposed(m), hr))
		pll.Set(r, 0, naivePseudoLogLikelihood(m, vr))
	}
	return []reading{{"Energy", e}, {"FreeEnergy", f}, {"HiddenProbs", ph}, {"VisibleProbs", pv}, {"PseudoLogLikelihood", pll}}
}

// checkReadings reports every element of got that is not within tol of want.
func checkReadings(t *testing.T, got, want []reading, tol float64) {
	t.Helper()
	for k, w := range want {
		rows, cols := w.values.Dims()
		for r := range rows {
			for i := range cols {
				checkNear(t, fmt.Sprintf("%s[%d,%d]", w.name, r, i), got[k].values.At(r, i), w.values.At(r, i), tol)
			}
		}
	}
}

func TestReadingsOfBits(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		v, h := randomBits(40, nv, 0.5, 1), randomBits(40, nh, 0.5, 2)
		for _, std := range []float64{0.1, 1, 5} {
			m := randomModel(nv, nh, std, 3)
			checkReadings(t, readings(m, v, h), naiveReadings(m, v, h), 1e-14*(10+magnitude(m)))
		}
	})
}

func TestReadingsOfRealValues(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		v, h := randomReals(40, nv, 1), randomReals(40, nh, 2)
		for _, std := range []float64{0.1, 1, 5} {
			m := randomModel(nv, nh, std, 3)
			checkReadings(t, readings(m, v, h), naiveReadings(m, v, h), 1e-14*(10+magnitude(m)))
		}
	})
}

func TestReadingsOfLargeParameters(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		v, h := randomBits(40, nv, 0.5, 1), randomBits(40, nh, 0.5, 2)
		for _, size := range []float64{1e3, 1e6} {
			m := saturated(nv, nh, size, 3)
			checkReadings(t, readings(m, v, h), naiveReadings(m, v, h), 1e-14*magnitude(m))
		}
	})
}

// The product of 1+exp(c) over so many units overflows.
func TestFreeEnergyOfManyUnits(t *testing.T) {
	for _, c := range []float64{-1e6, -800, -1e-9, 0, 1e-9, 30, 800, 1e6} {
		const nv, nh = 3, 5000
		m := rbm.New(nv, nh)
		for j := range nh {
			m.C.SetVec(j, c)
		}
		want := -nh * (math.Max(c, 0) + math.Log1p(math.Exp(-math.Abs(c))))
		got := m.FreeEnergy(nil, randomBits(1, nv, 0.5, 1))[0]
		checkNear(t, fmt.Sprintf("FreeEnergy with c = %v", c), got, want, 1e-13*math.Abs(want))
	}
}

func TestEnergySign(t *testing.T) {
	const i, j = 2, 1
	m := rbm.New(5, 4)
	m.W.Set(j, i, 3)
	v, h := rbm.NewBits(4, 5), rbm.NewBits(4, 4)
	for r := range 4 {
		v.SetBit(r, i, r&1 == 1)
		h.SetBit(r, j, r&2 == 2)
	}
	checkSame(t, "Energy with W[1,2] = 3", m.Energy(nil, v, h), []float64{0, 0, 0, -3})
	m.W.Zero()
	m.B.SetVec(i, 5)
	m.C.SetVec(j, 7)
	checkSame(t, "Energy with B[2] = 5, C[1] = 7", m.Energy(nil, v, h), []float64{0, -5, -7, -12})
}

// Flipping v_i turns the sign of b_i and of column i of W and adds that column to c.
func TestFlippedVisibleUnit(t *testing.T) {
	t.Parallel()
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		v, i := configs(nv), nv/2
		flipped, w := m.Clone(), configs(nv)
		flipped.B.SetVec(i, -m.B.AtVec(i))
		for j := range nh {
			flipped.W.Set(j, i, -m.W.At(j, i))
			flipped.C.SetVec(j, m.C.AtVec(j)+m.W.At(j, i))
		}
		for r := range 1 << nv {
			w.Set(r, i, 1-v.At(r, i))
		}
		want, got := m.FreeEnergy(nil, v), flipped.FreeEnergy(nil, w)
		for r := range want {
			checkNear(t, fmt.Sprintf("log p(v_%d)", r), -got[r]-flipped.LogPartition(), -want[r]-m.LogPartition(), 1e-13)
		}
	})
}

func TestPermutedHiddenUnits(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		reversed := m.Clone()
		for j := range nh {
			reversed.W.SetRow(j, m.W.RawRowView(nh-1-j))
			reversed.C.SetVec(j, m.C.AtVec(nh-1-j))
		}
		want, got := m.FreeEnergy(nil, configs(nv)), reversed.FreeEnergy(nil, configs(nv))
		for r := range want {
			checkNear(t, fmt.Sprintf("F(v_%d)", r), got[r], want[r], 1e-13)
		}
	})
}

// At W = 0 the units are independent of each other.
func TestReadingsWithoutWeights(t *testing.T) {
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	const nv, nh = 5, 4
	m := randomModel(nv, nh, 1, 1)
	m.W.Zero()
	v := randomBits(6, nv, 0.5, 2)
	f, pll := m.FreeEnergy(nil, v), m.PseudoLogLikelihood(nil, v)
	ph, pv := m.HiddenProbs(nil, v), m.VisibleProbs(nil, randomBits(6, nh, 0.5, 3))
	for r := range 6 {
		wantF, wantPLL := 0.0, 0.0
		for j := range nh {
			c := m.C.AtVec(j)
			wantF -= math.Log(1 + math.Exp(c))
			checkNear(t, fmt.Sprintf("HiddenProbs[%d,%d]", r, j), ph.At(r, j), logistic(c), 1e-15)
		}
		for i := range nv {
			b := m.B.AtVec(i)
			wantF -= b * v.At(r, i)
			wantPLL += math.Log(logistic((2*v.At(r, i) - 1) * b))
			checkNear(t, fmt.Sprintf("VisibleProbs[%d,%d]", r, i), pv.At(r, i), logistic(b), 1e-15)
		}
		checkNear(t, fmt.Sprintf("FreeEnergy[%d]", r), f[r], wantF, 1e-14)
		checkNear(t, fmt.Sprintf("PseudoLogLikelihood[%d]", r), pll[r], wantPLL, 1e-14)
	}
}

// A parameter that is NaN makes NaN of what depends on it, also where a bit of 0 multiplies
// it, and of nothing else.
func TestReadingsNaN(t *testing.T) {
	t.Parallel()
	const n, nv, nh = 8, 5, 4
	dependsOn := func(name string, p, unit int) bool {
		switch name {
		case "HiddenProbs":
			return p < nh*nv && p/nv == unit || p == nh*nv+nv+unit
		case "VisibleProbs":
			return p < nh*nv && p%nv == unit || p == nh*nv+unit
		}
		return true
	}
	for _, tt := range []struct {
		name string
		v, h mat.Matrix
	}{
		{"zeros", rbm.NewBits(n, nv), rbm.NewBits(n, nh)},
		{"bits", randomBits(n, nv, 0.5, 1), randomBits(n, nh, 0.5, 2)},
		{"a row of zeros", rbm.NewBits(1, nv), rbm.NewBits(1, nh)},
		{"few bits", randomBits(3, nv, 0.5, 1), randomBits(3, nh, 0.5, 2)},
		{"few reals", randomReals(2, nv, 1), randomReals(2, nh, 2)},
		{"many rows of few ones", randomBits(300, nv, 0.1, 1), randomBits(300, nh, 0.1, 2)},
		{"reals", randomReals(n, nv, 1), randomReals(n, nh, 2)},
	} {
		m := randomModel(nv, nh, 1, 3)
		clean := readings(m, tt.v, tt.h)
		x := params(m)
		for p := range x {
			y := append([]float64(nil), x...)
			y[p] = math.NaN()
			setParams(m, y)
			for k, got := range readings(m, tt.v, tt.h) {
				_, units := got.values.Dims()
				for e, x := range got.values.RawMatrix().Data {
					want := clean[k].values.RawMatrix().Data[e]
					if dependsOn(got.name, p, e%units) {
						want = math.NaN()
					}
					if x != want && !(math.IsNaN(x) && math.IsNaN(want)) {
						t.Errorf("%s: %s[%d,%d] = %v with %s = NaN, want %v", tt.name, got.name, e/units, e%units, x, paramName(m, p), want)
					}
				}
			}
		}
	}
}

func TestEmptyDestinations(t *testing.T) {
	m := randomModel(5, 4, 1, 3)
	v, h := randomBits(6, 5, 0.5, 1), randomBits(6, 4, 0.5, 2)
	empty := []float64{}
	checkSame(t, "Energy", m.Energy(empty, v, h), m.Energy(nil, v, h))
	checkSame(t, "FreeEnergy", m.FreeEnergy(empty, v), m.FreeEnergy(nil, v))
	checkSame(t, "PseudoLogLikelihood", m.PseudoLogLikelihood(empty, v), m.PseudoLogLikelihood(nil, v))
	hidden, visible := new(mat.Dense), new(mat.Dense)
	if got := m.HiddenProbs(hidden, v); got != hidden || !mat.Equal(hidden, m.HiddenProbs(nil, v)) {
		t.Errorf("HiddenProbs of an empty destination = %v", mat.Formatted(got))
	}
	if got := m.VisibleProbs(visible, h); got != visible || !mat.Equal(visible, m.VisibleProbs(nil, h)) {
		t.Errorf("VisibleProbs of an empty destination = %v", mat.Formatted(got))
	}
}
