package rbm_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/philox"
	"gonum.org/v1/gonum/mat"
)

// slopes returns the derivative of f by each parameter of m.
func slopes(m *rbm.RBM, f func(m *rbm.RBM) float64) *rbm.Gradient {
	const h = 1e-5
	slope := func(at func(m *rbm.RBM, d float64)) float64 {
		up, down := m.Clone(), m.Clone()
		at(up, h)
		at(down, -h)
		return (f(up) - f(down)) / (2 * h)
	}
	nv, nh := m.Dims()
	g := &rbm.Gradient{W: mat.NewDense(nh, nv, nil), B: mat.NewVecDense(nv, nil), C: mat.NewVecDense(nh, nil)}
	for j := range nh {
		for i := range nv {
			g.W.Set(j, i, slope(func(m *rbm.RBM, d float64) { m.W.Set(j, i, m.W.At(j, i)+d) }))
		}
		g.C.SetVec(j, slope(func(m *rbm.RBM, d float64) { m.C.SetVec(j, m.C.AtVec(j)+d) }))
	}
	for i := range nv {
		g.B.SetVec(i, slope(func(m *rbm.RBM, d float64) { m.B.SetVec(i, m.B.AtVec(i)+d) }))
	}
	return g
}

// penaltyOf returns what s adds to a gradient of m on v.
func penaltyOf(m *rbm.RBM, v mat.Matrix, weights []float64, single bool, s *rbm.Sparsity) *rbm.Gradient {
	var plain rbm.Gradient
	with := rbm.Gradient{Single: single}
	plain.Single = single
	m.WeightedGradient(&plain, v, weights, rbm.NewPCD(7, 1, newSource(5)))
	m.WeightedGradient(&with, v, weights, rbm.NewPCD(7, 1, newSource(5)))
	s.Penalize(&with)
	with.W.Sub(with.W, plain.W)
	with.B.SubVec(with.B, plain.B)
	with.C.SubVec(with.C, plain.C)
	return &with
}

// Of rows that are alike, the penalty is the slope of a cross entropy.
func TestSparsityIsASlope(t *testing.T) {
	const nv, nh, n, target, cost = 5, 3, 4, 0.15, 0.7
	m := randomModel(nv, nh, 1, 1)
	row := gray(randomBits(1, nv, 0.5, 2), 3)
	v := mat.NewDense(n, nv, nil)
	for r := range n {
		v.SetRow(r, mat.Row(nil, 0, row))
	}
	want := slopes(m, func(m *rbm.RBM) (f float64) {
		for _, q := range mat.Row(nil, 0, m.HiddenProbs(nil, row)) {
			f += cost * (target*math.Log(q) + (1-target)*math.Log(1-q))
		}
		return f
	})
	got := penaltyOf(m, v, nil, false, &rbm.Sparsity{Target: target, Cost: cost, Rate: 1})
	checkGradient(t, "penalty", got, gradientValues(want), "finite differences", 1e-9)
}

// Of any rows and weights, it is the slope of the mean total inputs times Cost·(Target - q),
// where q is a moving average.
func TestSparsityIsItsFormula(t *testing.T) {
	for _, s := range []struct{ nv, nh, n int }{{5, 3, 4}, {9, 17, 70}, {70, 65, 33}, {3, 2, 3000}} {
		for _, v := range []namedMatrix{{"bits", randomBits(s.n, s.nv, 0.3, 1)}, {"gray", gray(randomBits(s.n, s.nv, 0.3, 1), 2)}} {
			for _, weights := range [][]float64{nil, randomWeights(s.n+1, 5)[1:]} {
				for _, rate := range []float64{0, 0.25, 1} {
					for _, single := range []bool{false, true} {
						sparsity := rbm.Sparsity{Target: 0.1, Cost: 0.5, Rate: rate}
						var q []float64
						for step := range 3 {
							m := randomModel(s.nv, s.nh, 0.5, uint64(step))
							meanV, meanH := columnMeans(v, weights), columnMeans(m.HiddenProbs(nil, v), weights)
							switch {
							case step == 0:
								q = meanH
							case rate == 0:
								rate = 0.1
								fallthrough
							default:
								for j := range q {
									q[j] += rate * (meanH[j] - q[j])
								}
							}
							want := rbm.Gradient{W: mat.NewDense(s.nh, s.nv, nil), B: mat.NewVecDense(s.nv, nil), C: mat.NewVecDense(s.nh, nil)}
							for j := range q {
								x := 0.5 * (0.1 - q[j])
								want.C.SetVec(j, x)
								for i, mean := range meanV {
									want.W.Set(j, i, x*mean)
								}
							}
							tol := 1e-12 * float64(s.nv+s.nh)
							if single {
								tol = 1e-4
							}
							name := fmt.Sprintf("%dx%d/n=%d/%s/weights=%d/rate=%v/single=%v/step %d", s.nh, s.nv, s.n, v.name, len(weights), rate, single, step)
							checkGradient(t, name, penaltyOf(m, v, weights, single, &sparsity), gradientValues(&want), "formula", tol)
							for j := range q {
								checkNear(t, name+": H", sparsity.H[j], q[j], tol)
							}
						}
					}
				}
			}
		}
	}
}

// Centered, the penalty on W is by the centered units, and the offsets are those without it.
func TestCenteredSparsity(t *testing.T) {
	const nv, nh, n = 7, 4, 30
	for _, enhanced := range []bool{false, true} {
		m, v := randomModel(nv, nh, 1, 1), randomBits(n, nv, 0.3, 2)
		var plain, g rbm.Gradient
		a, b := rbm.Centering{Enhanced: enhanced, Rate: 0.3}, rbm.Centering{Enhanced: enhanced, Rate: 0.3}
		s := rbm.Sparsity{Target: 0.1, Cost: 0.5}
		for step := range 3 {
			m.Gradient(&plain, v, rbm.NewCD(1, newSource(uint64(step))))
			a.Center(&plain)
			m.Gradient(&g, v, rbm.NewCD(1, newSource(uint64(step))))
			s.Penalize(&g)
			b.Center(&g)
			for i, x := range a.V {
				checkNear(t, "V", b.V[i], x, 1e-14)
			}
			for j, x := range a.H {
				checkNear(t, "H", b.H[j], x, 1e-14)
			}
			// With x = c + W·μ fixed in place of c, and b + Wᵀλ in place of b.
			mean := columnMeans(v, nil)
			down := make([]float64, nv)
			for j := range nh {
				slope, c := 0.5*(0.1-s.H[j]), 0.5*(0.1-s.H[j])
				for i := range nv {
					w := slope * (mean[i] - a.V[i])
					checkNear(t, "W", g.W.At(j, i)-plain.W.At(j, i), w, 1e-13)
					c -= w * a.V[i]
					down[i] += w * a.H[j]
				}
				checkNear(t, "C", g.C.AtVec(j)-plain.C.AtVec(j), c, 1e-13)
			}
			for i, x := range down {
				checkNear(t, "B", g.B.AtVec(i)-plain.B.AtVec(i), -x, 1e-13)
			}
			v = randomBits(n, nv, 0.3, uint64(10+step))
		}
	}
}

// In training the activities come near the target, each of them.
func TestTrainerSparsity(t *testing.T) {
	for _, centered := range []bool{false, true} {
		var furthest [2]float64
		for k, cost := range []float64{0, 3} {
			data := bars(4, 10)
			_, nv := data.Dims()
			tr := rbm.NewTrainer(randomModel(nv, 8, 0.1, 1), data, rbm.NewPCD(50, 1, newSource(2)), newSource(3))
			tr.BatchSize, tr.SGD.Rate = 20, 0.05
			tr.Sparsity = &rbm.Sparsity{Target: 0.2, Cost: cost}
			if !centered {
				tr.Centering = nil
			}
			trainFor(t, tr, 100)
			for _, q := range columnMeans(tr.Model.HiddenProbs(nil, data), nil) {
				furthest[k] = max(furthest[k], math.Abs(q-0.2))
			}
		}
		if furthest[1] > 0.1 || furthest[0] < 0.2 {
			t.Errorf("centered=%v: activities are up to %.3f from the target, and without cost %.3f", centered, furthest[1], furthest[0])
		}
	}
}

// A Trainer with a penalty and frozen parameters is the loop, and goes on from bytes, bit for bit.
func TestTrainerSparsityAndFrozenGoOn(t *testing.T) {
	const n, nv, nh = 60, 9, 5
	data := randomBits(n, nv, 0.3, 1)
	start := func() *rbm.Trainer {
		tr := rbm.NewTrainer(randomModel(nv, nh, 0.5, 2), data, rbm.NewPCD(10, 1, newSource(3)), newSource(4))
		tr.BatchSize, tr.SGD.Rate, tr.SGD.Momentum = 20, 0.01, 0.5
		return tr
	}
	whole := start()
	whole.Sparsity = &rbm.Sparsity{Target: 0.1, Cost: 0.5}
	whole.Frozen = &rbm.Frozen{W: randomBits(nh, nv, 0.3, 5), B: make([]bool, nv)}
	whole.Frozen.B[2] = true
	trainFor(t, whole, 2)
	middle := saved(t, whole)
	trainFor(t, whole, 4)
	for _, had := range []bool{false, true} {
		half := start()
		var s *rbm.Sparsity
		if had {
			s = &rbm.Sparsity{H: make([]float64, nh)}
			half.Sparsity, half.Frozen = s, new(rbm.Frozen)
		}
		if err := half.UnmarshalBinary(middle); err != nil {
			t.Fatal(err)
		}
		if had && half.Sparsity != s {
			t.Error("Sparsity is another one")
		}
		trainFor(t, half, 4)
		if !bytes.Equal(saved(t, half), saved(t, whole)) {
			t.Error("the state differs in the end")
		}
	}

	m, sampler := randomModel(nv, nh, 0.5, 2), rbm.NewPCD(10, 1, newSource(3))
	s, c, sgd := rbm.Sparsity{Target: 0.1, Cost: 0.5}, rbm.Centering{}, rbm.SGD{Rate: 0.01, Momentum: 0.5}
	g := rbm.Gradient{Frozen: whole.Frozen}
	src := philox.NewSource(newSource(4).Uint64())
	for range 4 {
		for batch := range rbm.Minibatches(data, 20, src) {
			m.Gradient(&g, batch, sampler)
			s.Penalize(&g)
			c.Center(&g)
			sgd.Step(m, &g)
		}
	}
	checkSame(t, "the loop", params(whole.Model), params(m))
	if !slices.Equal(whole.Sparsity.H, s.H) {
		t.Error("H is not that of the loop")
	}
}

func TestSparsityMisuse(t *testing.T) {
	m := rbm.New(3, 2)
	computed := func() *rbm.Gradient {
		var g rbm.Gradient
		m.Gradient(&g, rbm.NewBits(4, 3), rbm.NewCD(1, newSource(1)))
		return &g
	}
	for _, tt := range []struct {
		want string
		s    rbm.Sparsity
	}{
		{"rbm: target of sparsity is 1.5, want one in [0, 1]", rbm.Sparsity{Target: 1.5}},
		{"rbm: target of sparsity is NaN, want one in [0, 1]", rbm.Sparsity{Target: math.NaN()}},
		{"rbm: rate of sparsity is -1, want one in [0, 1]", rbm.Sparsity{Rate: -1}},
		{"rbm: cost of sparsity is -1, want a finite number of at least 0", rbm.Sparsity{Cost: -1}},
		{"rbm: H of sparsity has length 3, want 2", rbm.Sparsity{H: make([]float64, 3)}},
	} {
		wantPanic(t, tt.want, func() { tt.s.Penalize(computed()) }, tt.want)
	}
	wantPanic(t, "nothing", func() { new(rbm.Sparsity).Penalize(new(rbm.Gradient)) }, "rbm: gradient is empty")
	g := computed()
	new(rbm.Centering).Center(g)
	wantPanic(t, "centered", func() { new(rbm.Sparsity).Penalize(g) }, "rbm: gradient has no means of data")
}

// Of a Classifier the means are over the rows with their labels.
func TestSparsityOfClassifier(t *testing.T) {
	const n, nx, classes, nh = 30, 6, 3, 4
	c := &rbm.Classifier{Model: randomModel(nx+classes, nh, 0.5, 1), Classes: classes, Discriminative: 1}
	c.Model.OneHot = []rbm.Group{{From: nx, To: nx + classes}}
	x, labels := randomBits(n, nx, 0.4, 2), make([]int, n)
	rows := rbm.NewBits(n, nx+classes)
	for r := range n {
		labels[r] = r * r % classes
		rows.SetBit(r, nx+labels[r], true)
		for i := range nx {
			rows.SetBit(r, i, x.Bit(r, i))
		}
	}
	var plain, g rbm.Gradient
	c.Gradient(&plain, x, labels, nil)
	c.Gradient(&g, x, labels, nil)
	s := rbm.Sparsity{Target: 0.1, Cost: 0.5}
	s.Penalize(&g)
	meanV := columnMeans(rows, nil)
	for j, q := range columnMeans(c.Model.HiddenProbs(nil, rows), nil) {
		checkNear(t, "H", s.H[j], q, 1e-12)
		checkNear(t, "C", g.C.AtVec(j)-plain.C.AtVec(j), 0.5*(0.1-q), 1e-12)
		for i, v := range meanV {
			checkNear(t, "W", g.W.At(j, i)-plain.W.At(j, i), 0.5*(0.1-q)*v, 1e-12)
		}
	}

	start := func() *rbm.Trainer {
		m := randomModel(nx+classes, nh, 0.5, 1)
		m.OneHot = c.Model.OneHot
		tr := rbm.NewTrainer(m, rows, rbm.NewCD(1, newSource(3)), newSource(4))
		tr.Classifier = &rbm.Classifier{Model: m, Classes: classes, Discriminative: 1}
		tr.BatchSize, tr.SGD.Rate = 7, 0.1
		tr.Sparsity, tr.Frozen = &rbm.Sparsity{Target: 0.1, Cost: 0.5}, &rbm.Frozen{W: randomBits(nh, nx+classes, 0.3, 5)}
		return tr
	}
	whole, half := start(), start()
	before := params(whole.Model)
	trainFor(t, whole, 2)
	b := saved(t, whole)
	trainFor(t, whole, 3)
	if err := half.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	trainFor(t, half, 3)
	checkSame(t, "from bytes", params(half.Model), params(whole.Model))
	checkFrozen(t, "Classifier", params(whole.Model), before, marks(whole.Frozen, nx+classes, nh))
}
