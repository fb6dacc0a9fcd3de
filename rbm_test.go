package rbm_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

func TestNewIsZero(t *testing.T) {
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := rbm.New(nv, nh)
		if v, h := m.Dims(); v != nv || h != nh {
			t.Errorf("Dims() = %d, %d, want %d, %d", v, h, nv, nh)
		}
		if r, c := m.W.Dims(); r != nh || c != nv {
			t.Errorf("W is %d×%d, want %d×%d", r, c, nh, nv)
		}
		if m.B.Len() != nv || m.C.Len() != nh {
			t.Errorf("len(B), len(C) = %d, %d, want %d, %d", m.B.Len(), m.C.Len(), nv, nh)
		}
		for p, x := range params(m) {
			if x != 0 {
				t.Errorf("%s = %v, want 0", paramName(m, p), x)
			}
		}
	})
}

func TestNewRandomMoments(t *testing.T) {
	const nv, nh, std = 300, 200, 0.25
	m := rbm.NewRandom(nv, nh, std, newSource(1))
	for _, tt := range []struct {
		name           string
		power          float64
		mean, variance float64 // of zᵖ for z ~ N(0, 1)
	}{
		{"W/std", 1, 0, 1},
		{"(W/std)²", 2, 1, 2},
		{"(W/std)³", 3, 0, 15},
		{"(W/std)⁴", 4, 3, 96},
	} {
		sum := 0.0
		for _, w := range params(m)[:nv*nh] {
			sum += math.Pow(w/std, tt.power)
		}
		got, stderr := sum/(nv*nh), math.Sqrt(tt.variance/(nv*nh))
		if !(math.Abs(got-tt.mean) <= 5*stderr) {
			t.Errorf("mean of %s = %v, want %v ± %v", tt.name, got, tt.mean, 5*stderr)
		}
	}
}

func TestNewRandomBiasesAreZero(t *testing.T) {
	m := rbm.NewRandom(5, 4, 1, newSource(1))
	for p, x := range params(m) {
		if isWeight := p < 5*4; isWeight == (x == 0) {
			t.Errorf("%s = %v", paramName(m, p), x)
		}
	}
}

func TestNewRandomReproducible(t *testing.T) {
	w := func(seed uint64) *mat.Dense { return rbm.NewRandom(5, 4, 1, newSource(seed)).W }
	if !mat.Equal(w(1), w(1)) {
		t.Error("equal seeds give different weights")
	}
	if mat.Equal(w(1), w(2)) {
		t.Error("different seeds give equal weights")
	}
}

func TestNewMisuse(t *testing.T) {
	src := newSource(1)
	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"New(0, 3)", func() { rbm.New(0, 3) }, []string{"0"}},
		{"New(3, 0)", func() { rbm.New(3, 0) }, []string{"0"}},
		{"New(-1, 3)", func() { rbm.New(-1, 3) }, []string{"-1"}},
		{"New overflow", func() { rbm.New(math.MaxInt, math.MaxInt) }, nil},
		{"NewRandom(0, 3)", func() { rbm.NewRandom(0, 3, 1, src) }, []string{"0"}},
		{"NewRandom nil source", func() { rbm.NewRandom(2, 3, 1, nil) }, []string{"nil"}},
	} {
		wantPanic(t, tt.name, tt.call, tt.want...)
	}
}

func TestClone(t *testing.T) {
	for _, tt := range []struct {
		name string
		m    *rbm.RBM
	}{
		{"packed", randomModel(5, 4, 1, 1)},
		{"strided", stridedModel(randomModel(5, 4, 1, 1))},
	} {
		want := params(tt.m)
		c := tt.m.Clone()
		checkSame(t, tt.name+": Clone()", params(c), want)
		setParams(c, make([]float64, len(want)))
		checkSame(t, tt.name+": the original after the clone changed", params(tt.m), want)
	}
}

// columnsOfOnes returns n×(n+1) bits; column k has k ones.
func columnsOfOnes(n int) *rbm.Bits {
	b := rbm.NewBits(n, n+1)
	for r := range n {
		for k := range n + 1 {
			b.SetBit(r, k, r < k)
		}
	}
	return b
}

func TestFitVisibleBiasIncreasesWithTheMean(t *testing.T) {
	const n = 10
	m := rbm.New(n+1, 3)
	m.FitVisibleBias(columnsOfOnes(n))
	for i := range n + 1 {
		b := m.B.AtVec(i)
		if math.IsInf(b, 0) || math.IsNaN(b) {
			t.Errorf("B[%d] = %v, want finite", i, b)
		}
		if i > 0 && !(b > m.B.AtVec(i-1)) {
			t.Errorf("B[%d] = %v, want more than B[%d] = %v", i, b, i-1, m.B.AtVec(i-1))
		}
		if mirror := m.B.AtVec(n - i); !(math.Abs(b+mirror) <= 1e-14) {
			t.Errorf("B[%d] = %v, want -B[%d] = %v", i, b, n-i, -mirror)
		}
	}
}

func TestFitVisibleBiasIsNearTheLogOdds(t *testing.T) {
	const n = 100000
	data := randomBits(n, 3, 0.2, 1)
	m := rbm.New(3, 2)
	m.FitVisibleBias(data)
	for i := range 3 {
		mean := mat.Sum(mat.NewVecDense(n, mat.Col(nil, i, data))) / n
		if got, want := m.B.AtVec(i), math.Log(mean/(1-mean)); !(math.Abs(got-want) <= 1e-3) {
			t.Errorf("B[%d] = %v, want about %v", i, got, want)
		}
	}
}

func TestFitVisibleBiasOfRealValues(t *testing.T) {
	reals, bits := rbm.New(2, 3), rbm.New(2, 3)
	reals.FitVisibleBias(mat.NewDense(4, 2, []float64{0.25, 0.5, 0.25, 1, 0.25, 0.75, 0.25, 0.75}))
	bits.FitVisibleBias(mat.NewDense(4, 2, []float64{1, 1, 0, 1, 0, 1, 0, 0}))
	for i := range 2 {
		if got, want := reals.B.AtVec(i), bits.B.AtVec(i); !(math.Abs(got-want) <= 1e-15) {
			t.Errorf("B[%d] = %v, want %v as for bits of the same mean", i, got, want)
		}
	}
}

func TestFitVisibleBiasLeavesTheRest(t *testing.T) {
	m := stridedModel(randomModel(5, 4, 1, 1))
	w, c := mat.DenseCopyOf(m.W), mat.VecDenseCopyOf(m.C)
	m.FitVisibleBias(randomBits(10, 5, 0.5, 2))
	if !mat.Equal(m.W, w) || !mat.Equal(m.C, c) {
		t.Error("FitVisibleBias changed W or C")
	}
	packed := rbm.New(5, 4)
	packed.FitVisibleBias(randomBits(10, 5, 0.5, 2))
	if !mat.Equal(m.B, packed.B) {
		t.Errorf("B with an increment = %v, want %v", mat.Formatted(m.B.T()), mat.Formatted(packed.B.T()))
	}
}

func TestFitVisibleBiasMisuse(t *testing.T) {
	m := rbm.New(3, 2)
	wantPanic(t, "columns", func() { m.FitVisibleBias(mat.NewDense(2, 4, nil)) }, "2×4", "3")
	wantPanic(t, "no rows", func() { m.FitVisibleBias(&mat.Dense{}) }, "0×0", "3")
}

// Neighboring weights are independent of each other, the two numbers of a polar draw among them.
func TestNewRandomNeighbours(t *testing.T) {
	const nv, nh = 300, 200
	w := params(rbm.NewRandom(nv, nh, 1, newSource(1)))[:nv*nh]
	for _, apart := range []int{1, 2, nv} {
		for first := range 2 {
			var sum, squares, n float64
			for i := first; i+apart < len(w); i += 2 {
				sum += w[i] * w[i+apart]
				squares += (w[i]*w[i] - 1) * (w[i+apart]*w[i+apart] - 1)
				n++
			}
			if z := sum / math.Sqrt(n); !(math.Abs(z) < 5) {
				t.Errorf("correlation of weights %d apart: %.1f standard errors", apart, z)
			}
			if z := squares / math.Sqrt(4*n); !(math.Abs(z) < 5) {
				t.Errorf("correlation of squares of weights %d apart: %.1f standard errors", apart, z)
			}
		}
	}
}

// vec returns x as a vector.
func vec(x []float64) *mat.VecDense { return mat.NewVecDense(len(x), x) }

// newPT returns parallel tempering at the given inverse temperatures.
func newPT(n, k int, betas []float64, src rand.Source) *rbm.PT {
	pt := rbm.NewPT(n, k, len(betas), src)
	pt.Betas = betas
	return pt
}
