package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// The references below are the formulas as literal loops over all configurations.

var shapes = []struct{ nv, nh int }{{1, 1}, {2, 3}, {3, 2}, {5, 4}, {8, 3}, {1, 8}, {8, 1}}

// forShapes runs f as a subtest for every shape.
func forShapes(t *testing.T, f func(t *testing.T, nv, nh int)) {
	for _, s := range shapes {
		t.Run(fmt.Sprintf("nv=%d/nh=%d", s.nv, s.nh), func(t *testing.T) { f(t, s.nv, s.nh) })
	}
}

// randomModel returns a model whose parameters are all N(0, std²).
func randomModel(nv, nh int, std float64, seed uint64) *rbm.RBM {
	rnd := rand.New(rand.NewPCG(seed, 1))
	m := rbm.New(nv, nh)
	x := params(m)
	for p := range x {
		x[p] = std * rnd.NormFloat64()
	}
	setParams(m, x)
	return m
}

// randomBits returns r×c independent bits that are 1 with probability p.
func randomBits(r, c int, p float64, seed uint64) *rbm.Bits {
	rnd := rand.New(rand.NewPCG(seed, 2))
	b := rbm.NewBits(r, c)
	for i := range r {
		for j := range c {
			b.SetBit(i, j, rnd.Float64() < p)
		}
	}
	return b
}

// randomReals returns r×c values uniform in [0,1).
func randomReals(r, c int, seed uint64) *mat.Dense {
	rnd := rand.New(rand.NewPCG(seed, 3))
	a := mat.NewDense(r, c, nil)
	a.Apply(func(_, _ int, _ float64) float64 { return rnd.Float64() }, a)
	return a
}

// saturated returns a model whose parameters are ±size.
func saturated(nv, nh int, size float64, seed uint64) *rbm.RBM {
	m := randomModel(nv, nh, 1, seed)
	x := params(m)
	for p := range x {
		x[p] = math.Copysign(size, x[p])
	}
	setParams(m, x)
	return m
}

// repeated returns the rows of a, each n times in succession.
func repeated(a mat.Matrix, n int) *mat.Dense {
	r, c := a.Dims()
	d := mat.NewDense(r*n, c, nil)
	for i := range r * n {
		d.SetRow(i, mat.Row(nil, i/n, a))
	}
	return d
}

// configs returns all binary configurations of n units: column i of row x is bit i of x.
func configs(n int) *mat.Dense {
	data := make([]float64, n<<n)
	for k := range data {
		data[k] = float64(k / n >> (k % n) & 1)
	}
	return mat.NewDense(1<<n, n, data)
}

// params returns the parameters W (row by row), b, c of m in one slice.
func params(m *rbm.RBM) []float64 {
	nv, nh := m.Dims()
	var x []float64
	for j := range nh {
		x = append(x, mat.Row(nil, j, m.W)...)
	}
	for i := range nv {
		x = append(x, m.B.AtVec(i))
	}
	for j := range nh {
		x = append(x, m.C.AtVec(j))
	}
	return x
}

// setParams sets the parameters of m to x, in the order of params.
func setParams(m *rbm.RBM, x []float64) {
	nv, nh := m.Dims()
	for j := range nh {
		for i := range nv {
			m.W.Set(j, i, x[j*nv+i])
		}
	}
	for i := range nv {
		m.B.SetVec(i, x[nh*nv+i])
	}
	for j := range nh {
		m.C.SetVec(j, x[nh*nv+nv+j])
	}
}

// magnitude is the sum of the absolute parameters: no |E| is larger.
func magnitude(m *rbm.RBM) float64 { return floats.Norm(params(m), 1) }

// paramName names the parameter params(m)[p].
func paramName(m *rbm.RBM, p int) string {
	nv, nh := m.Dims()
	switch {
	case p < nh*nv:
		return fmt.Sprintf("W[%d,%d]", p/nv, p%nv)
	case p < nh*nv+nv:
		return fmt.Sprintf("B[%d]", p-nh*nv)
	default:
		return fmt.Sprintf("C[%d]", p-nh*nv-nv)
	}
}

// transposed returns the model in which the layers have changed places.
func transposed(m *rbm.RBM) *rbm.RBM {
	return &rbm.RBM{W: mat.DenseCopyOf(m.W.T()), B: mat.VecDenseCopyOf(m.C), C: mat.VecDenseCopyOf(m.B)}
}

// naiveEnergy is E(v,h) = −hᵀWv − bᵀv − cᵀh.
func naiveEnergy(m *rbm.RBM, v, h []float64) float64 {
	e := 0.0
	for j := range h {
		for i, w := range m.W.RawRowView(j) {
			e -= h[j] * w * v[i]
		}
	}
	for i := range v {
		e -= m.B.AtVec(i) * v[i]
	}
	for j := range h {
		e -= m.C.AtVec(j) * h[j]
	}
	return e
}

// naiveFreeEnergy is F(v) = −log Σ_h exp(−E(v,h)).
func naiveFreeEnergy(m *rbm.RBM, v []float64) float64 {
	_, nh := m.Dims()
	hs := configs(nh)
	neg := make([]float64, 1<<nh)
	for y := range neg {
		neg[y] = -naiveEnergy(m, v, hs.RawRowView(y))
	}
	return -floats.LogSumExp(neg)
}

// naiveLogZ is log Σ_v exp(−F(v)).
func naiveLogZ(m *rbm.RBM) float64 {
	nv, _ := m.Dims()
	vs := configs(nv)
	neg := make([]float64, 1<<nv)
	for x := range neg {
		neg[x] = -naiveFreeEnergy(m, vs.RawRowView(x))
	}
	return floats.LogSumExp(neg)
}

// naiveMeanLogLikelihood is Σ_r w_r log p(v_r) / Σ_r w_r; nil weights are equal.
func naiveMeanLogLikelihood(m *rbm.RBM, data mat.Matrix, weights []float64) float64 {
	n, _ := data.Dims()
	sum, total := 0.0, 0.0
	for r := range n {
		w := 1.0
		if weights != nil {
			w = weights[r]
		}
		sum -= w * naiveFreeEnergy(m, mat.Row(nil, r, data))
		total += w
	}
	return sum/total - naiveLogZ(m)
}

// naiveVisible returns p(v) for every row of configs(nv).
func naiveVisible(m *rbm.RBM) []float64 {
	nv, _ := m.Dims()
	vs, logZ := configs(nv), naiveLogZ(m)
	p := make([]float64, 1<<nv)
	for x := range p {
		p[x] = math.Exp(-naiveFreeEnergy(m, vs.RawRowView(x)) - logZ)
	}
	return p
}

// naiveHiddenProbs returns p(h_j=1|v), summed over the configurations h with h_j = 1.
func naiveHiddenProbs(m *rbm.RBM, v []float64) []float64 {
	_, nh := m.Dims()
	hs, f := configs(nh), naiveFreeEnergy(m, v)
	p := make([]float64, nh)
	for y := range 1 << nh {
		h := hs.RawRowView(y)
		floats.AddScaled(p, math.Exp(f-naiveEnergy(m, v, h)), h)
	}
	return p
}

// naivePseudoLogLikelihood is Σ_i log p(v_i|v_−i), with p(v_i|v_−i) = p(v)/(p(v)+p(v with
// v_i flipped)). A real v_i weights the two outcomes.
func naivePseudoLogLikelihood(m *rbm.RBM, v []float64) float64 {
	sum := 0.0
	for i, x := range v {
		w := append([]float64(nil), v...)
		w[i] = 1
		on := -naiveFreeEnergy(m, w)
		w[i] = 0
		off := -naiveFreeEnergy(m, w)
		sum += x*on + (1-x)*off - floats.LogSumExp([]float64{on, off})
	}
	return sum
}

// naiveStatistics returns the weighted means of ĥvᵀ, v and ĥ over the rows of v, in the
// order of params.
func naiveStatistics(m *rbm.RBM, v mat.Matrix, weights []float64) []float64 {
	n, nv := v.Dims()
	_, nh := m.Dims()
	s := make([]float64, nh*nv+nv+nh)
	total := 0.0
	for r := range n {
		w := 1.0
		if weights != nil {
			w = weights[r]
		}
		total += w
		x := mat.Row(nil, r, v)
		p := naiveHiddenProbs(m, x)
		for j := range nh {
			for i := range nv {
				s[j*nv+i] += w * p[j] * x[i]
			}
		}
		for i := range nv {
			s[nh*nv+i] += w * x[i]
		}
		for j := range nh {
			s[nh*nv+nv+j] += w * p[j]
		}
	}
	floats.Scale(1/total, s)
	return s
}

func anything(int) bool { return true }

// sweepAmong returns the distribution of v' after one sweep v→h→v' over the rows of configs(nv), of
// which v' is one that is allowed.
func sweepAmong(m *rbm.RBM, v []float64, allowed func(x int) bool) []float64 {
	nv, nh := m.Dims()
	vs, hs, f := configs(nv), configs(nh), naiveFreeEnergy(m, v)
	p := make([]float64, 1<<nv)
	for y := range 1 << nh {
		h := hs.RawRowView(y)
		ph := math.Exp(f - naiveEnergy(m, v, h)) // p(h|v)
		neg := make([]float64, 1<<nv)
		for x := range neg {
			neg[x] = math.Inf(-1)
			if allowed(x) {
				neg[x] = -naiveEnergy(m, vs.RawRowView(x), h)
			}
		}
		log := floats.LogSumExp(neg)
		for x := range p {
			p[x] += ph * math.Exp(neg[x]-log)
		}
	}
	return p
}

// transition returns the matrix T[x,x'] = p(v'=x'|v=x) of one sweep.
func transition(m *rbm.RBM) *mat.Dense { return transitionAmong(m, anything) }

// transitionAmong is transition if v' is one of the allowed rows.
func transitionAmong(m *rbm.RBM, allowed func(x int) bool) *mat.Dense {
	nv, _ := m.Dims()
	vs := configs(nv)
	a := mat.NewDense(1<<nv, 1<<nv, nil)
	for x := range 1 << nv {
		a.SetRow(x, sweepAmong(m, vs.RawRowView(x), allowed))
	}
	return a
}

// visibleAmong returns p(v) for every row of configs(nv), if v is one of the allowed ones.
func visibleAmong(m *rbm.RBM, allowed func(x int) bool) []float64 {
	p := naiveVisible(m)
	for x := range p {
		if !allowed(x) {
			p[x] = 0
		}
	}
	floats.Scale(1/floats.Sum(p), p)
	return p
}

// column returns a copy of x with an increment of 3, between elements that are NaN.
func column(x mat.Vector) *mat.VecDense {
	big := mat.NewDense(x.Len(), 3, nil)
	big.Apply(func(_, _ int, _ float64) float64 { return math.NaN() }, big)
	view := big.ColView(1).(*mat.VecDense)
	view.CopyVec(x)
	return view
}

// stridedModel returns a copy of m whose parameters are views of larger matrices.
func stridedModel(m *rbm.RBM) *rbm.RBM {
	return &rbm.RBM{W: strided(m.W), B: column(m.B), C: column(m.C)}
}

// checkNear reports an error unless |got-want| ≤ tol.
func checkNear(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %v, want %v ± %.2g", name, got, want, tol)
	}
}
