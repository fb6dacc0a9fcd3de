package rbm_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/internal/cpu"
)

// A gradient in single precision is within its bound of the gradient, and mostly much nearer;
// the samplers draw the same.
func TestSingle(t *testing.T) { cpu.Each(func(name string) { t.Run(name, testSingle) }) }

func testSingle(t *testing.T) {
	sizes := [][2]int{{63, 16}, {17, 130}, {100, 70}, {200, 15}}
	if testing.Short() {
		sizes = sizes[:2]
	}
	for _, size := range sizes {
		nv, nh := size[0], size[1]
		for name, m := range fixedModels(nv, nh) {
			for _, n := range []int{1, 7, 150} {
				data := randomBits(n, nv, 0.4, uint64(n))
				var weights []float64
				if n == 7 {
					weights = []float64{0, 1, 2, 0, 0.5, 3, 0.25}
				}
				for _, s := range []struct {
					name string
					make func() rbm.Sampler
				}{
					{"CD", func() rbm.Sampler { return rbm.NewCD(2, newSource(1)) }},
					{"PCD", func() rbm.Sampler { return rbm.NewPCD(30, 1, newSource(2)) }},
				} {
					double, single := new(rbm.Gradient), &rbm.Gradient{Single: true}
					one, two := s.make(), s.make()
					for range 2 {
						m.WeightedGradient(double, data, weights, one)
						m.WeightedGradient(single, data, weights, two)
					}
					if !sameChains(chainsOf(one), chainsOf(two)) {
						t.Fatalf("%s of %s, %d×%d, %d rows: other states", s.name, name, nh, nv, n)
					}
					got, want := params(&rbm.RBM{W: single.W, B: single.B, C: single.C}), params(&rbm.RBM{W: double.W, B: double.B, C: double.C})
					bound, worst := 0x1p-12+float64(max(n, 30))*0x1p-30, 0.
					for i, x := range got {
						if math.IsNaN(x) != math.IsNaN(want[i]) {
							t.Fatalf("%s of %s: element %d is %v, want %v", s.name, name, i, x, want[i])
						}
						worst = max(worst, math.Abs(x-want[i]))
					}
					if worst > bound || name == "ordinary" && worst > 1e-6 {
						t.Errorf("%s of %s, %d×%d, %d rows: error %.2g, want at most %.2g", s.name, name, nh, nv, n, worst, bound)
					}
					if name == "ordinary" && worst == 0 {
						t.Errorf("%s, %d×%d, %d rows: no error, as if in double precision", s.name, nh, nv, n)
					}
				}
			}
		}
	}
}

func chainsOf(s rbm.Sampler) *rbm.Chains {
	switch s := s.(type) {
	case *rbm.CD:
		return s.Chains
	case *rbm.PCD:
		return s.Chains
	}
	panic(fmt.Sprintf("%T", s))
}

// Phases are sums, not means, and no integer need hold them: they are in double precision.
func TestPhasesAreNotSingle(t *testing.T) {
	m := randomModel(50, 20, 0.3, 5)
	data := randomBits(100, 50, 0.4, 3)
	var want, got rbm.Phases
	got.Data.Single, got.Model.Single = true, true
	m.Phases(&want, data, nil, rbm.NewCD(1, newSource(1)))
	m.Phases(&got, data, nil, rbm.NewCD(1, newSource(1)))
	for _, g := range [][2]*rbm.Gradient{{&got.Data, &want.Data}, {&got.Model, &want.Model}} {
		got, want := g[0], g[1]
		checkSame(t, "phase", params(&rbm.RBM{W: got.W, B: got.B, C: got.C}), params(&rbm.RBM{W: want.W, B: want.B, C: want.C}))
	}
}
