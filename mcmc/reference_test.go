package mcmc_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

func newSource(seed uint64) rand.Source { return rand.NewPCG(seed, 0x9e3779b97f4a7c15) }

func meanOf(x []float64) float64 { return floats.Sum(x) / float64(len(x)) }

// checkNear fails unless |got-want| ≤ tol.
func checkNear(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %v, want %v ± %.2g", name, got, want, tol)
	}
}

// checkMeanNear fails if the mean of independent x lies more than bias and 4.5 standard
// errors away.
func checkMeanNear(t *testing.T, name string, x []float64, want, bias float64) {
	t.Helper()
	mean, std := stat.MeanStdDev(x, nil)
	err := stat.StdErr(std, float64(len(x)))
	if !(math.Abs(mean-want) < bias+4.5*err) {
		t.Errorf("%s = %.4g, want %.4g ± %.2g ± 4.5·%.2g", name, mean, want, bias, err)
	}
}

// wantPanic fails unless call panics with a string that begins with "mcmc: " and contains want.
func wantPanic(t *testing.T, call func(), want string) {
	t.Helper()
	defer func() {
		t.Helper()
		switch p := recover().(type) {
		case nil:
			t.Errorf("no panic, want one with %q", want)
		case string:
			if !strings.HasPrefix(p, "mcmc: ") || !strings.Contains(p, want) {
				t.Errorf("panic %q, want \"mcmc: \" and %q", p, want)
			}
		default:
			t.Errorf("panic with a %T: %v", p, p)
		}
	}()
	call()
}

// opaque hides the concrete type of a matrix.
type opaque struct{ mat.Matrix }

type namedMatrix struct {
	name string
	mat.Matrix
}

// representations returns the values of d in every form that a caller may hold them.
func representations(d *mat.Dense) []namedMatrix {
	return []namedMatrix{
		{"Dense", d},
		{"view", strided(d)},
		{"transposed", mat.DenseCopyOf(d.T()).T()},
		{"custom", opaque{d}},
	}
}

// strided returns d as a view into a larger matrix of NaN.
func strided(d *mat.Dense) *mat.Dense {
	r, c := d.Dims()
	big := mat.NewDense(r+3, c+5, nil)
	big.Apply(func(_, _ int, _ float64) float64 { return math.NaN() }, big)
	view := big.Slice(1, 1+r, 2, 2+c).(*mat.Dense)
	view.Copy(d)
	return view
}

// randomModel returns a model whose parameters are all N(0, std²).
func randomModel(nv, nh int, std float64, seed uint64) *rbm.RBM {
	rnd := rand.New(rand.NewPCG(seed, 1))
	m := rbm.New(nv, nh)
	m.W.Apply(func(_, _ int, _ float64) float64 { return std * rnd.NormFloat64() }, m.W)
	for _, x := range []*mat.VecDense{m.B, m.C} {
		for i := range x.Len() {
			x.SetVec(i, std*rnd.NormFloat64())
		}
	}
	return m
}

// configs returns all binary configurations of n units: column i of row x is bit i of x.
func configs(n int) *mat.Dense {
	a := mat.NewDense(1<<n, n, nil)
	a.Apply(func(x, i int, _ float64) float64 { return float64(x >> i & 1) }, a)
	return a
}

// joint returns p(v,h), with a row for each v and a column for each h.
func joint(m *rbm.RBM) *mat.Dense {
	nv, nh := m.Dims()
	vs, hs := configs(nv), configs(nh)
	p := mat.NewDense(1<<nv, 1<<nh, nil)
	p.Apply(func(x, y int, _ float64) float64 {
		v, h := vs.RowView(x), hs.RowView(y)
		return math.Exp(mat.Inner(h, m.W, v) + mat.Dot(m.B, v) + mat.Dot(m.C, h))
	}, p)
	p.Scale(1/mat.Sum(p), p)
	return p
}

// visible returns p(v) for every row of joint.
func visible(joint *mat.Dense) []float64 {
	r, _ := joint.Dims()
	p := make([]float64, r)
	for x := range p {
		p[x] = floats.Sum(joint.RawRowView(x))
	}
	return p
}

// transition returns the matrix T[x,x'] = p(v'=x'|v=x) of one sweep v→h→v', the sum over h
// of p(h|v)·p(v'|h).
func transition(joint *mat.Dense) *mat.Dense {
	_, c := joint.Dims()
	pv, ph := visible(joint), make([]float64, c)
	for y := range ph {
		ph[y] = mat.Sum(joint.ColView(y))
	}
	var down, up, t mat.Dense
	up.Apply(func(x, _ int, p float64) float64 { return p / pv[x] }, joint)
	down.Apply(func(_, y int, p float64) float64 { return p / ph[y] }, joint)
	t.Mul(&up, down.T())
	return &t
}

// exactRows returns n independent samples of the visible units.
func exactRows(m *rbm.RBM, n int, seed uint64) *rbm.Bits {
	all, p := (&rbm.Exact{}).Sample(m, nil)
	cdf := floats.CumSum(make([]float64, len(p)), p)
	rows := make([]int, n)
	rnd := rand.New(rand.NewPCG(seed, 3))
	for r := range rows {
		rows[r] = sort.SearchFloat64s(cdf[:len(p)-1], rnd.Float64())
	}
	return all.(*rbm.Bits).Gather(nil, rows)
}

// exactTime returns the autocorrelation time of a function with values f of the
// visible configurations, under k sweeps a draw.
func exactTime(m *rbm.RBM, k int, f []float64) float64 {
	joint := joint(m)
	p := visible(joint)
	n := len(p)
	var a mat.Dense
	a.Pow(transition(joint), k)
	a.Apply(func(x, y int, t float64) float64 {
		if x == y {
			return 1 - t + p[y]
		}
		return p[y] - t
	}, &a)
	centered := slices.Clone(f)
	mean := floats.Dot(f, p)
	for x := range centered {
		centered[x] -= mean
	}
	var sum mat.VecDense
	if err := sum.SolveVec(&a, mat.NewVecDense(n, centered)); err != nil {
		panic(err)
	}
	var variance, all float64
	for x := range n {
		variance += p[x] * centered[x] * centered[x]
		all += p[x] * centered[x] * sum.AtVec(x)
	}
	return 2*all/variance - 1
}
