package rbm_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// columnMeans returns the weighted means of the columns of a; nil weights are equal.
func columnMeans(a mat.Matrix, weights []float64) []float64 {
	_, c := a.Dims()
	mean := make([]float64, c)
	for i := range mean {
		mean[i] = stat.Mean(mat.Col(nil, i, a), weights)
	}
	return mean
}

// The centered gradient against its formula, with the means taken from the data.
func TestCenteringIsItsFormula(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh, n int }{{1, 1, 1}, {5, 3, 4}, {9, 17, 70}, {130, 70, 33}, {64, 64, 64}, {3, 2, 9000}} {
		for _, v := range []namedMatrix{{"bits", randomBits(s.n, s.nv, 0.3, 1)}, {"gray", gray(randomBits(s.n, s.nv, 0.3, 1), 2)}} {
			for _, tt := range []struct {
				enhanced bool
				weights  []float64
			}{{false, nil}, {true, nil}, {false, randomWeights(s.n+1, 5)[1:]}, {true, randomWeights(s.n+1, 5)[1:]}} {
				enhanced, weights := tt.enhanced, tt.weights
				t.Run(fmt.Sprintf("nv=%d/nh=%d/n=%d/%s/enhanced=%v/weights=%d", s.nv, s.nh, s.n, v.name, enhanced, len(weights)), func(t *testing.T) {
					m := randomModel(s.nv, s.nh, 0.5, 3)
					c := rbm.Centering{Rate: 0.25, Enhanced: enhanced}
					centered, plain := rbm.NewCD(1, newSource(4)), rbm.NewCD(1, newSource(4))
					var got, g rbm.Gradient
					var mu, lambda []float64
					for step := range 3 {
						m.WeightedGradient(&got, v, weights, centered)
						c.Center(&got)
						m.WeightedGradient(&g, v, weights, plain)
						meanV, meanH := columnMeans(v, weights), columnMeans(m.HiddenProbs(nil, v), weights)
						if step == 0 {
							mu, lambda = make([]float64, s.nv), make([]float64, s.nh)
						}
						rate := map[bool]float64{true: 1, false: 0.25}[step == 0]
						for i := range mu {
							if enhanced {
								meanV[i] -= g.B.AtVec(i) / 2
							}
							mu[i] += rate * (meanV[i] - mu[i])
						}
						for j := range lambda {
							if enhanced {
								meanH[j] -= g.C.AtVec(j) / 2
							}
							lambda[j] += rate * (meanH[j] - lambda[j])
						}
						tol := 1e-12 * float64(s.nv+s.nh)
						want := rbm.Gradient{W: mat.NewDense(s.nh, s.nv, nil), B: mat.VecDenseCopyOf(g.B), C: mat.VecDenseCopyOf(g.C)}
						for j, l := range lambda {
							checkNear(t, fmt.Sprintf("step %d: H[%d]", step, j), c.H[j], l, tol)
							for i, u := range mu {
								w := g.W.At(j, i) - l*g.B.AtVec(i) - g.C.AtVec(j)*u
								want.W.Set(j, i, w)
								want.B.SetVec(i, want.B.AtVec(i)-w*l)
								want.C.SetVec(j, want.C.AtVec(j)-w*u)
							}
						}
						for i, u := range mu {
							checkNear(t, fmt.Sprintf("step %d: V[%d]", step, i), c.V[i], u, tol)
						}
						checkGradient(t, fmt.Sprintf("step %d: WeightedGradient", step), &got, gradientValues(&want), "formula", tol)
					}
				})
			}
		}
	}
}

// With the offsets that there are, a gradient without means is centered as one with them.
func TestCenterWithoutMeans(t *testing.T) {
	const nv, nh, n = 70, 9, 30
	m, v := randomModel(nv, nh, 0.5, 1), randomBits(n, nv, 0.3, 2)
	var want, got rbm.Gradient
	var c rbm.Centering
	m.Gradient(&want, v, rbm.NewCD(1, newSource(3)))
	c.Center(&want)
	m.Gradient(&got, v, rbm.NewCD(1, newSource(3)))
	given := rbm.Centering{V: c.V, H: c.H}
	got = rbm.Gradient{W: got.W, B: got.B, C: got.C} // without the means
	given.Center(&got)
	if !mat.Equal(got.W, want.W) || !mat.Equal(got.B, want.B) || !mat.Equal(got.C, want.C) {
		t.Error("the ordinary gradient, transformed, is not the centered one")
	}
	m.Gradient(&want, v, rbm.NewCD(1, newSource(3)))
	if mat.Equal(got.W, want.W) {
		t.Error("the centered gradient is the ordinary one")
	}
	for _, c := range []*rbm.Centering{{}, {V: given.V}, {H: given.H}, {V: given.H, H: given.V}} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, " of centering has length ") {
					t.Errorf("offsets of %d and %d units: panic %q", len(c.V), len(c.H), got)
				}
			}()
			c.Center(&got)
		}()
	}
	allocs := testing.AllocsPerRun(10, func() { given.Center(&got) })
	if allocs != 0 {
		t.Errorf("Center allocates %v times", allocs)
	}
}

// flipVisible returns the model that gives 1-v the probability that m gives v.
func flipVisible(m *rbm.RBM) *rbm.RBM {
	nv, nh := m.Dims()
	f := m.Clone()
	f.W.Scale(-1, m.W)
	f.B.ScaleVec(-1, m.B)
	for j := range nh {
		for i := range nv {
			f.C.SetVec(j, f.C.AtVec(j)+m.W.At(j, i))
		}
	}
	return f
}

// It makes no difference which of the states of the visible units are called 1:
// training on 1-v gives the same likelihood. It does with the ordinary gradient.
func TestCenteringOfFlippedBits(t *testing.T) {
	for _, s := range []struct{ nv, nh int }{{7, 4}, {25, 5}} {
		for _, centered := range []bool{true, false} {
			m := randomModel(s.nv, s.nh, 0.5, 5)
			data, flipped := randomBits(20, s.nv, 0.2, 6), rbm.NewBits(20, s.nv)
			for r := range 20 {
				for i := range s.nv {
					flipped.SetBit(r, i, !data.Bit(r, i))
				}
			}
			models := []*rbm.RBM{m, flipVisible(m)}
			var likelihoods [2]float64
			for k, rows := range []*rbm.Bits{data, flipped} {
				c, sgd := rbm.Centering{Rate: 0.5}, rbm.SGD{Rate: 0.5, Momentum: 0.5}
				var g rbm.Gradient
				for range 10 {
					if centered {
						models[k].Gradient(&g, rows, new(rbm.Exact))
						c.Center(&g)
					} else {
						models[k].Gradient(&g, rows, new(rbm.Exact))
					}
					sgd.Step(models[k], &g)
				}
				likelihoods[k] = logLikelihood(t, models[k], rows, nil).Mean
			}
			diff := math.Abs(likelihoods[0] - likelihoods[1])
			if centered && diff > 1e-10 || !centered && diff < 1e-3 {
				t.Errorf("nv=%d/nh=%d/centered=%v: likelihoods %v and %v", s.nv, s.nh, centered, likelihoods[0], likelihoods[1])
			}
		}
	}
}

// The means are those of the data also where Exact enumerates the hidden layer.
func TestCenteringMeansWithExact(t *testing.T) {
	m := randomModel(25, 4, 0.5, 7)
	v := randomBits(30, 25, 0.3, 8)
	var c rbm.Centering
	var g rbm.Gradient
	m.Gradient(&g, v, new(rbm.Exact))
	c.Center(&g)
	meanV, meanH := columnMeans(v, nil), columnMeans(m.HiddenProbs(nil, v), nil)
	for i, want := range meanV {
		if !(math.Abs(c.V[i]-want) <= 1e-12) {
			t.Errorf("V[%d] = %v, want %v", i, c.V[i], want)
		}
	}
	for j, want := range meanH {
		if !(math.Abs(c.H[j]-want) <= 1e-12) {
			t.Errorf("H[%d] = %v, want %v", j, c.H[j], want)
		}
	}
}

func TestCenteringMisuse(t *testing.T) {
	m := rbm.New(3, 2)
	for _, tt := range []struct {
		want string
		c    *rbm.Centering
	}{
		{"rbm: rate of centering is 1.5, want one in [0, 1]", &rbm.Centering{Rate: 1.5}},
		{"rbm: rate of centering is NaN, want one in [0, 1]", &rbm.Centering{Rate: math.NaN()}},
		{"rbm: V of centering has length 2, want 3", &rbm.Centering{V: make([]float64, 2)}},
		{"rbm: H of centering has length 3, want 2", &rbm.Centering{H: make([]float64, 3)}},
	} {
		func() {
			defer func() {
				if got := recover(); got != tt.want {
					t.Errorf("panic %q, want %q", got, tt.want)
				}
			}()
			var g rbm.Gradient
			m.Gradient(&g, rbm.NewBits(4, 3), rbm.NewCD(1, newSource(1)))
			tt.c.Center(&g)
		}()
	}
}

func TestCenteringByDefault(t *testing.T) {
	m, cd := randomModel(5, 3, 0.5, 1), rbm.NewCD(1, newSource(2))
	var zero rbm.Centering
	same := rbm.Centering{Rate: 0.01}
	other := rbm.NewCD(1, newSource(2))
	var g, h rbm.Gradient
	for n := range 3 {
		v := randomBits(4, 5, 0.4, uint64(3+n))
		m.Gradient(&g, v, cd)
		zero.Center(&g)
		m.Gradient(&h, v, other)
		same.Center(&h)
		checkSame(t, "gradient", gradientValues(&g), gradientValues(&h))
		checkSame(t, "V", zero.V, same.V)
	}
}
