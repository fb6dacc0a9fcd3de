package spin

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

var shapes = []struct{ nv, nh int }{{1, 1}, {2, 3}, {3, 2}, {5, 4}, {8, 3}, {1, 8}, {8, 1}}

func each(t *testing.T, test func(t *testing.T, nv, nh int)) {
	for _, s := range shapes {
		t.Run(fmt.Sprintf("nv=%d/nh=%d", s.nv, s.nh), func(t *testing.T) { test(t, s.nv, s.nh) })
	}
}

// random returns a model of normal parameters.
func random(nv, nh int, std float64, seed uint64) *rbm.RBM {
	m := rbm.NewRandom(nv, nh, std, rand.NewPCG(seed, 1))
	biases := rbm.NewRandom(nv+nh, 1, std, rand.NewPCG(seed, 2)).W.RawRowView(0)
	m.B.CopyVec(mat.NewVecDense(nv, biases[:nv]))
	m.C.CopyVec(mat.NewVecDense(nh, biases[nv:]))
	return m
}

// spins returns the spins of a configuration, and the same as bits.
func spins(n, number int) (s []float64, bits *rbm.Bits) {
	s, bits = make([]float64, n), rbm.NewBits(1, n)
	for i := range s {
		on := number>>i&1 == 1
		s[i] = -1
		if on {
			s[i] = 1
		}
		bits.SetBit(0, i, on)
	}
	return s, bits
}

// energy is the definition.
func energy(x *RBM, s, t []float64) (e float64) {
	for i := range s {
		e -= x.A.AtVec(i) * s[i]
		for j := range t {
			e -= t[j] * x.W.At(j, i) * s[i]
		}
	}
	for j := range t {
		e -= x.D.AtVec(j) * t[j]
	}
	return e
}

// maxDifference returns the largest difference of E(spins) from E(bits) + constant.
func maxDifference(x *RBM, m *rbm.RBM, constant float64) (most float64) {
	nv, nh := m.Dims()
	for k := range 1 << nv {
		s, v := spins(nv, k)
		for l := range 1 << nh {
			t, h := spins(nh, l)
			most = max(most, math.Abs(energy(x, s, t)-m.Energy(nil, v, h)[0]-constant))
		}
	}
	return most
}

func TestToSpins(t *testing.T) {
	each(t, func(t *testing.T, nv, nh int) {
		m := random(nv, nh, 2, 1)
		x, constant := ToSpins(m)
		if d := maxDifference(x, m, constant); d > 1e-13 {
			t.Errorf("energies differ by up to %g, want at most 1e-13", d)
		}
	})
}

func TestFromSpins(t *testing.T) {
	each(t, func(t *testing.T, nv, nh int) {
		r := random(nv, nh, 2, 2)
		x := &RBM{W: r.W, A: r.B, D: r.C}
		m, constant := FromSpins(x)
		if d := maxDifference(x, m, constant); d > 1e-12 {
			t.Errorf("energies differ by up to %g, want at most 1e-12", d)
		}
	})
}

func TestRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, nv, nh int) {
		m := random(nv, nh, 2, 3)
		x, forth := ToSpins(m)
		got, back := FromSpins(x)
		if !mat.Equal(got.W, m.W) {
			t.Errorf("W is %v, want %v", got.W, m.W)
		}
		if !mat.EqualApprox(got.B, m.B, 1e-14) || !mat.EqualApprox(got.C, m.C, 1e-14) {
			t.Errorf("biases are %v and %v, want %v and %v", got.B, got.C, m.B, m.C)
		}
		if math.Abs(forth-back) > 1e-13 {
			t.Errorf("the constant is %v, want %v", back, forth)
		}
	})

	// Without sums that are rounded, all is exact.
	m := rbm.New(3, 2)
	m.W.Copy(mat.NewDense(2, 3, []float64{1, -2, 0.5, 8, 0.25, -3}))
	m.B.CopyVec(mat.NewVecDense(3, []float64{1, 2, -3.5}))
	m.C.CopyVec(mat.NewVecDense(2, []float64{-1, 0.125}))
	x, forth := ToSpins(m)
	got, back := FromSpins(x)
	if forth != back || !mat.Equal(got.W, m.W) || !mat.Equal(got.B, m.B) || !mat.Equal(got.C, m.C) {
		t.Errorf("back from spins: %v, %v, %v, %v, want %v, %v, %v, %v", got.W, got.B, got.C, back, m.W, m.B, m.C, forth)
	}
}

// A number that is not finite stays where it belongs.
func TestNotFinite(t *testing.T) {
	m := random(3, 2, 1, 4)
	m.W.Set(1, 2, math.NaN())
	x, constant := ToSpins(m)
	back, constant2 := FromSpins(x)
	if !math.IsNaN(constant) || !math.IsNaN(constant2) {
		t.Errorf("constants are %v and %v, want NaN", constant, constant2)
	}
	for i := range 3 {
		for _, a := range []float64{x.A.AtVec(i), back.B.AtVec(i)} {
			if math.IsNaN(a) != (i == 2) {
				t.Errorf("field or bias %d is %v with W[1, 2] = NaN", i, a)
			}
		}
		for j := range 2 {
			if w := x.W.At(j, i); math.IsNaN(w) != (i == 2 && j == 1) {
				t.Errorf("W[%d, %d] is %v with W[1, 2] = NaN", j, i, w)
			}
		}
	}
	for j := range 2 {
		for _, d := range []float64{x.D.AtVec(j), back.C.AtVec(j)} {
			if math.IsNaN(d) != (j == 1) {
				t.Errorf("field or bias %d is %v with W[1, 2] = NaN", j, d)
			}
		}
	}

	large := newRBM(2, 1)
	large.W.Set(0, 0, math.MaxFloat64)
	if got, _ := FromSpins(large); got.W.At(0, 0) != math.Inf(1) || got.W.At(0, 1) != 0 || got.B.AtVec(0) != math.Inf(-1) {
		t.Errorf("a coupling of %v gives %v, %v, want an overflow to infinity", math.MaxFloat64, got.W, got.B)
	}
}

func TestPanics(t *testing.T) {
	grouped := rbm.New(4, 2)
	grouped.OneHot = []rbm.Group{{From: 1, To: 3}}
	huge := rbm.New(2, 2)
	huge.W.Set(1, 0, 1e5)
	for _, test := range []struct {
		name, want string
		call       func()
	}{
		{"groups", "spin: the one-hot units of group [1, 3) have no spin form, want a model without groups", func() { ToSpins(grouped) }},
		{"effective groups", "spin: the one-hot units of group [1, 3) have no spin form, want a model without groups", func() { Effective(grouped) }},
		{"nil", "rbm: model is nil", func() { ToSpins(nil) }},
		{"nil spins", "spin: model is nil", func() { FromSpins(nil) }},
		{"nil field", "spin: W, A or D is nil", func() { FromSpins(&RBM{W: mat.NewDense(1, 1, nil)}) }},
		{"empty", "spin: W is empty", func() { FromSpins(&RBM{new(mat.Dense), new(mat.VecDense), new(mat.VecDense)}) }},
		{"A", "spin: A has length 2, want 3 as W is 2×3", func() {
			FromSpins(&RBM{mat.NewDense(2, 3, nil), mat.NewVecDense(2, nil), mat.NewVecDense(2, nil)})
		}},
		{"D", "spin: D has length 3, want 2 as W is 2×3", func() {
			FromSpins(&RBM{mat.NewDense(2, 3, nil), mat.NewVecDense(3, nil), mat.NewVecDense(3, nil)})
		}},
		{"huge", "spin: the spin weights of hidden unit 1 reach 2.5e+04, want at most 10000: larger ones take too long", func() { Effective(huge) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != test.want {
					t.Errorf("panic: %v, want %q", got, test.want)
				}
			}()
			test.call()
		})
	}
}
