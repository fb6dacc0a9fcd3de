package rbm_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/cpu"
	"gonum.org/v1/gonum/mat"
)

// pseudoByFreeEnergies is the pseudo-log-likelihood of each row by its definition: from the
// free energies with every unit on and off.
func pseudoByFreeEnergies(m *rbm.RBM, v mat.Matrix) []float64 {
	n, nv := v.Dims()
	pll := make([]float64, n)
	flips := mat.NewDense(2*nv, nv, nil)
	for r := range n {
		row := mat.Row(nil, r, v)
		for i := range nv {
			for on := range 2 {
				flips.SetRow(2*i+on, row)
				flips.Set(2*i+on, i, float64(on))
			}
		}
		f := m.FreeEnergy(nil, flips)
		for i := range nv {
			a, x := f[2*i]-f[2*i+1], v.At(r, i)
			if x != 0 {
				pll[r] -= x * softplus(-a)
			}
			if x != 1 {
				pll[r] -= (1 - x) * softplus(a)
			}
		}
	}
	return pll
}

// checkPseudo compares the pseudo-log-likelihood of each row with the definition.
func checkPseudo(t *testing.T, name string, m *rbm.RBM, v mat.Matrix, absolute, relative float64) {
	t.Helper()
	got := m.PseudoLogLikelihood(nil, v)
	for r, want := range pseudoByFreeEnergies(m, v) {
		checkNear(t, fmt.Sprintf("%s: row %d", name, r), got[r], want, absolute+relative*math.Abs(want))
	}
}

func TestPseudoLogLikelihood(t *testing.T) {
	cpu.Each(func(name string) {
		for _, s := range []struct{ nv, nh, n int }{
			{1, 1, 3}, {1, 9, 3}, {9, 1, 3}, {7, 5, 10}, {8, 16, 7}, {9, 17, 9}, {16, 7, 40},
			{63, 65, 5}, {64, 64, 34}, {65, 129, 5}, {200, 8, 5}, {5, 300, 9},
		} {
			bits := randomBits(s.n, s.nv, 0.3, 1)
			for _, std := range []float64{1e-3, 0.1, 1} {
				m := randomModel(s.nv, s.nh, std, 2)
				title := fmt.Sprintf("%s/nv=%d/nh=%d/std=%v", name, s.nv, s.nh, std)
				checkPseudo(t, title+"/bits", m, bits, 0, 1e-12)
				checkPseudo(t, title+"/gray", m, gray(bits, 3), 0, 1e-12)
			}
		}
	})
}

func TestPseudoLogLikelihoodOfManyWeights(t *testing.T) {
	t.Parallel()
	const nv, nh, n = 784, 500, 2
	m, bits := randomModel(nv, nh, 0.05, 14), randomBits(n, nv, 0.2, 15)
	checkPseudo(t, "bits", m, bits, 1e-10, 0)
	checkPseudo(t, "gray", m, gray(bits, 16), 1e-10, 0)
}

// Weights of any size, also beside small ones, among them those that reach as far as products can.
func TestPseudoLogLikelihoodOfLargeParameters(t *testing.T) {
	t.Parallel()
	forShapes(t, func(t *testing.T, nv, nh int) {
		bits := randomBits(20, nv, 0.5, 1)
		for _, size := range []float64{30, 599, 600, 600.5, 1e3, 1e6} {
			single := randomModel(nv, nh, 0.5, 4)
			single.W.Set(nh/2, nv/2, -size)
			for _, m := range []*rbm.RBM{saturated(nv, nh, size, 3), single} {
				for _, v := range []namedMatrix{{"bits", bits}, {"gray", gray(bits, 5)}} {
					got := m.PseudoLogLikelihood(nil, v)
					for r := range got {
						want := naivePseudoLogLikelihood(m, mat.Row(nil, r, v))
						checkNear(t, fmt.Sprintf("size=%v/%s: row %d", size, v.name, r), got[r], want, 1e-14*(10+magnitude(m)))
					}
				}
			}
		}
	})
	// More panels than one, of which one has a large weight.
	bits := randomBits(20, 21, 0.5, 7)
	for i := 8; i < 16; i++ {
		m := randomModel(21, 9, 0.5, 6)
		m.W.Set(4, i, 2000)
		checkPseudo(t, fmt.Sprintf("weight of unit %d large/bits", i), m, bits, 1e-11, 1e-12)
		checkPseudo(t, fmt.Sprintf("weight of unit %d large/gray", i), m, gray(bits, 8), 1e-11, 1e-12)
	}
}

// The hidden units are all alike, and their number, weights and inputs such that products
// would overflow.
func TestPseudoLogLikelihoodOfManyUnits(t *testing.T) {
	const nv, nh = 3, 3000
	for _, c := range []float64{-1e6, -800, -40, 0, 40, 800, 1e6} {
		for _, w := range []float64{-600, -30, -1e-9, 1e-9, 9.4, 300} {
			m := rbm.New(nv, nh)
			for j := range nh {
				m.C.SetVec(j, c)
				for i := range nv {
					m.W.Set(j, i, w)
				}
			}
			v := configs(nv)
			got := m.PseudoLogLikelihood(nil, v)
			for r := range got {
				want, x := 0., c
				for i := range nv {
					x += w * v.At(r, i)
				}
				for i := range nv {
					d := 1 - 2*v.At(r, i)
					want -= softplus(nh * (softplus(x+d*w) - softplus(x)))
				}
				checkNear(t, fmt.Sprintf("c=%v/w=%v: row %d", c, w, r), got[r], want, 1e-11+1e-12*math.Abs(want)+1e-16*nh*math.Abs(c))
			}
		}
	}
}

// A hidden unit that is always off is no unit; one that is always on is a bias. A visible
// unit with an infinite bias is what it is.
func TestPseudoLogLikelihoodOfInfiniteBiases(t *testing.T) {
	const nv, nh = 9, 4
	m := randomModel(nv, nh, 1, 9)
	v := randomBits(10, nv, 0.5, 10)
	less := rbm.New(nv, nh-1)
	less.W.Copy(m.W)
	less.B.CopyVec(m.B)
	less.C.CopyVec(m.C.SliceVec(0, nh-1))
	for _, c := range []float64{math.Inf(-1), math.Inf(1)} {
		m.C.SetVec(nh-1, c)
		if c > 0 {
			less.B.AddVec(m.B, m.W.RowView(nh-1))
		}
		got := m.PseudoLogLikelihood(nil, v)
		for r, want := range less.PseudoLogLikelihood(nil, v) {
			checkNear(t, fmt.Sprintf("C[%d]=%v: row %d", nh-1, c, r), got[r], want, 1e-13)
		}
	}
	less.B.SetVec(2, math.Inf(1))
	for r, got := range less.PseudoLogLikelihood(nil, v) {
		if on := v.Bit(r, 2); math.IsNaN(got) || math.IsInf(got, -1) == on {
			t.Errorf("B[2]=+Inf: row %d, with v[2] = %v: %v", r, v.At(r, 2), got)
		}
	}
}

// Inputs that are not a number, of parameters that are, do not make a plausible one.
func TestPseudoLogLikelihoodOfOppositeInfinities(t *testing.T) {
	m := randomModel(30, 4, 1, 17)
	m.W.Set(1, 2, math.Inf(1))
	m.W.Set(1, 20, math.Inf(-1))
	v := rbm.NewBits(1, 30)
	v.SetBit(0, 2, true)
	v.SetBit(0, 20, true)
	cpu.Each(func(name string) {
		if got := m.PseudoLogLikelihood(nil, v)[0]; !math.IsNaN(got) {
			t.Errorf("%s: %v, want NaN", name, got)
		}
	})
}

func TestPseudoLogLikelihoodSameForEveryInstructionSet(t *testing.T) {
	for _, s := range []struct{ nv, nh, n int }{{5, 4, 3}, {130, 70, 33}, {70, 300, 600}} {
		m := randomModel(s.nv, s.nh, 0.3, 11)
		m.W.Set(0, 0, 700)
		bits := randomBits(s.n, s.nv, 0.3, 12)
		var want []float64
		cpu.Each(func(name string) {
			got := slices.Concat(m.PseudoLogLikelihood(nil, bits), m.PseudoLogLikelihood(nil, gray(bits, 13)))
			if want == nil {
				want = got
			}
			checkSame(t, fmt.Sprintf("nv=%d/nh=%d/n=%d/%s", s.nv, s.nh, s.n, name), got, want)
		})
	}
}

// A visible unit of infinite bias is certain, also beside weights that are too
// large for products, and costs nothing.
func TestPseudoLogLikelihoodOfCertainUnits(t *testing.T) {
	for _, bias := range []float64{math.Inf(1), math.Inf(-1)} {
		m := rbm.New(2, 1)
		m.W.Set(0, 0, 700)
		m.B.SetVec(0, bias)
		v := rbm.NewBits(1, 2)
		v.SetBit(0, 0, bias > 0)
		if got := m.PseudoLogLikelihood(nil, v)[0]; !(math.Abs(got+math.Ln2) <= 1e-12) {
			t.Errorf("bias %v: %v, want -log 2, of the other unit", bias, got)
		}
	}
}
