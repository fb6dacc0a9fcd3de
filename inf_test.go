package rbm_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// infinities are models with an infinite parameter.
var infinities = []struct {
	name string
	set  func(m *rbm.RBM)

	// limit makes a model that has the same probabilities, but for rounding; nil where
	// log Z is infinite or NaN.
	limit func(m *rbm.RBM)
}{
	{"B[1] is -Inf", func(m *rbm.RBM) { m.B.SetVec(1, math.Inf(-1)) }, func(m *rbm.RBM) { m.B.SetVec(1, -1e5) }},
	{"C[2] is -Inf", func(m *rbm.RBM) { m.C.SetVec(2, math.Inf(-1)) }, func(m *rbm.RBM) { m.C.SetVec(2, -1e5) }},
	{"W[2,1] is -Inf", func(m *rbm.RBM) { m.W.Set(2, 1, math.Inf(-1)) }, func(m *rbm.RBM) { m.W.Set(2, 1, -1e5) }},
	{"B[1] is +Inf", func(m *rbm.RBM) { m.B.SetVec(1, math.Inf(1)) }, nil},
	{"C[2] is +Inf", func(m *rbm.RBM) { m.C.SetVec(2, math.Inf(1)) }, nil},
	{"W[2,1] is +Inf", func(m *rbm.RBM) { m.W.Set(2, 1, math.Inf(1)) }, nil},
	{"W[2,1] is -Inf and B[1] is +Inf", func(m *rbm.RBM) { m.W.Set(2, 1, math.Inf(-1)); m.B.SetVec(1, math.Inf(1)) }, nil},
	{"energies overflow", func(m *rbm.RBM) { m.C.SetVec(2, 1.5e308); m.W.Set(2, 1, 1.5e308) }, nil},
}

// An infinite parameter gives what is right where it only makes states impossible, and
// NaN of all, but no panic, where log Z is infinite or nothing at all.
func TestInfiniteParameters(t *testing.T) {
	for _, tt := range infinities {
		for _, s := range []struct{ nv, nh int }{{5, 4}, {3, 6}, {25, 3}} {
			m := randomModel(s.nv, s.nh, 0.5, 1)
			limit := m.Clone()
			tt.set(m)
			if tt.limit != nil {
				tt.limit(limit)
			}
			data := randomBits(6, s.nv, 0.5, 2)
			weights := []float64{1, 2, 0, 1, 3, 1}
			for _, f := range []struct {
				name string
				of   func(m *rbm.RBM) []float64
			}{
				{"Gradient", func(m *rbm.RBM) []float64 {
					var g rbm.Gradient
					m.Gradient(&g, data, new(rbm.Exact))
					return gradientValues(&g)
				}},
				{"WeightedGradient", func(m *rbm.RBM) []float64 {
					var g rbm.Gradient
					m.WeightedGradient(&g, data, weights, new(rbm.Exact))
					return gradientValues(&g)
				}},
				{"LogPartitionGradient", func(m *rbm.RBM) []float64 {
					var g rbm.Gradient
					m.LogPartitionGradient(&g)
					return gradientValues(&g)
				}},
				{"Phases", func(m *rbm.RBM) []float64 {
					var p rbm.Phases
					var g rbm.Gradient
					m.Phases(&p, data, weights, new(rbm.Exact))
					p.Gradient(&g)
					return append(gradientValues(&g), gradientValues(&p.Model)...)
				}},
				{"Centering", func(m *rbm.RBM) []float64 {
					var g rbm.Gradient
					m.Gradient(&g, data, new(rbm.Exact))
					new(rbm.Centering).Center(&g)
					return gradientValues(&g)
				}},
				{"Exact within another Sampler", func(m *rbm.RBM) []float64 {
					if s.nv > 20 {
						return nil
					}
					var g rbm.Gradient
					m.Gradient(&g, data, struct{ rbm.Sampler }{new(rbm.Exact)})
					return gradientValues(&g)
				}},
				{"Sample", func(m *rbm.RBM) []float64 {
					if s.nv > 20 {
						return nil
					}
					_, p := new(rbm.Exact).Sample(m, nil)
					return p
				}},
			} {
				got := f.of(m)
				if tt.limit == nil {
					for k, x := range got {
						if !math.IsNaN(x) {
							t.Errorf("%s, nv=%d, nh=%d: value %d of %s is %v, want NaN", tt.name, s.nv, s.nh, k, f.name, math.Inf(1))
						}
					}
					continue
				}
				for k, want := range f.of(limit) {
					if !(math.Abs(got[k]-want) < 1e-12) {
						t.Errorf("%s, nv=%d, nh=%d: value %d of %s is %v, want %v as of the limit", tt.name, s.nv, s.nh, k, f.name, got[k], want)
					}
				}
			}
		}
	}
}

// What the limits above are compared with is what the definition says.
func TestInfiniteParametersByEnumeration(t *testing.T) {
	m := randomModel(5, 4, 0.5, 1)
	m.B.SetVec(1, math.Inf(-1))
	small := rbm.New(4, 4) // without visible unit 1
	for i, from := range []int{0, 2, 3, 4} {
		small.B.SetVec(i, m.B.AtVec(from))
		for j := range 4 {
			small.W.Set(j, i, m.W.At(j, from))
		}
	}
	small.C.CopyVec(m.C)
	var g rbm.Gradient
	if got, want := m.LogPartitionGradient(&g), naiveLogZ(small); math.Abs(got-want) > 1e-12 {
		t.Errorf("log Z is %v, want %v", got, want)
	}
	want := loopMoments(small)
	for i, from := range []int{0, 2, 3, 4} {
		for j := range 4 {
			if got, want := g.W.At(j, from), want[4*j+i]; math.Abs(got-want) > 1e-12 {
				t.Errorf("W[%d,%d] is %v, want %v", j, from, got, want)
			}
		}
	}
	if g.B.AtVec(1) != 0 || mat.Norm(g.W.ColView(1), 1) != 0 {
		t.Error("the unit that is off has a mean")
	}
}

// A Trainer's error names the parameter.
func TestTrainerWithInfiniteParameters(t *testing.T) {
	for _, tt := range infinities {
		for _, nv := range []int{5, 25} {
			m := randomModel(nv, 4, 0.5, 1)
			tt.set(m)
			tr := rbm.NewTrainer(m, randomBits(6, nv, 0.5, 2), new(rbm.Exact), newSource(1))
			tr.SGD.Momentum = 0.5
			tr.Centering = nil
			want, _, _ := strings.Cut(tt.name, " is ") // the parameter; a step makes NaN of W
			if want == "energies overflow" {
				want = "the gradient"
			}
			want += " is "
			if err := tr.Train(context.Background(), 2); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, nv=%d: error %v, want %q", tt.name, nv, err, want)
			}
		}
	}
}

// AIS of a model with a hidden unit that is always off, or off if a visible one is on,
// and with a visible unit that is always off.
func TestAISOfInfiniteParameters(t *testing.T) {
	for _, tt := range infinities {
		if tt.limit == nil {
			continue
		}
		m := randomModel(5, 4, 0.3, 1)
		tt.set(m)
		for _, base := range []*mat.VecDense{nil, mat.NewVecDense(5, nil)} {
			a := rbm.NewAIS(1000, 20, newSource(1))
			a.Base = base
			e, err := a.Run(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			if want := m.LogPartition(); !(math.Abs(e.Mean-want) < 4*e.StdErr) || !(e.StdErr < 0.05) {
				t.Errorf("%s, base %v: log Z is %v ± %v, want %v", tt.name, base, e.Mean, e.StdErr, want)
			}
		}
	}
}

// A unit whose bias is +Inf is on at every temperature, and one whose bias is -Inf off;
// where the base model has the same bias, states are exchanged as without them.
func TestPTOfInfiniteBiases(t *testing.T) {
	const nv, n, sweeps = 70, 20, 5
	m := randomModel(nv, 3, 0.1, 1)
	for _, i := range []int{0, 69} {
		m.B.SetVec(i, math.Inf(1))
	}
	m.B.SetVec(64, math.Inf(-1))
	for _, base := range []*mat.VecDense{nil, mat.NewVecDense(nv, nil)} {
		pt := newPT(n, 1, []float64{0, 0.5, 1}, newSource(2))
		pt.Base = base
		for range sweeps {
			v, _ := pt.Sample(m, nil)
			for r := range n {
				for i, want := range map[int]float64{0: 1, 69: 1, 64: 0} {
					if v.At(r, i) != want {
						t.Fatalf("base %v: unit %d of row %d is %v, want %v", base, i, r, v.At(r, i), want)
					}
				}
			}
		}
		if base == nil {
			for k, rate := range pt.SwapRates() {
				if !(rate > 0.5) {
					t.Errorf("swap rate %d is %v, want more than 0.5 of a model of small weights", k, rate)
				}
			}
		}
	}
}
