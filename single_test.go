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
		checkSame(t, "phase", gradientValues(got), gradientValues(want))
	}
}

// Single precision keeps its bound, and its bits on any processors, in several flushes, with
// any weights, and with rows and samples of numbers among those of bits.
func TestSingleOfManyRows(t *testing.T) {
	const nv = 40
	hidden, goroutines := []int{15, 64, 129}, []int{1, 3}
	if testing.Short() {
		hidden, goroutines = hidden[:1], goroutines[1:]
	}
	for _, nh := range hidden {
		m := randomModel(nv, nh, 0.3, 5)
		for _, n := range []int{500, 6000} {
			bits := randomBits(n, nv, 0.4, uint64(n))
			mixed := mat.DenseCopyOf(bits)
			mixed.Set(n/2, 3, 0.5)
			mixed.Set(n-1, 4, 0.25)
			for _, tt := range []struct {
				name   string
				data   mat.Matrix
				weight func(r int) float64
				s      func() rbm.Sampler
			}{
				{"plain", bits, nil, newCD(1)},
				{"mixed", mixed, nil, func() rbm.Sampler { return rbm.NewPCD(10, 1, newSource(3)) }},
				{"many chains", bits.Gather(rbm.NewBits(20, nv), make([]int, 20)), nil, func() rbm.Sampler { return rbm.NewPCD(n, 1, newSource(3)) }},
				{"huge ratios", bits, func(r int) float64 { return []float64{1e300, 1e-300, 0, 1}[r*7%4] }, newCD(1)},
				{"one heavy", bits, func(r int) float64 { return map[bool]float64{true: 1e5, false: 1e-3}[r == n/3] }, newCD(1)},
				{"mostly 0", bits, func(r int) float64 { return map[bool]float64{true: 1}[r%97 == 3] }, newCD(2)},
				{"own", bits, func(r int) float64 { return float64(r % 5) }, grayRows},
				{"own of bits", bits, nil, func() rbm.Sampler {
					return sampling(func(*rbm.RBM, mat.Matrix) (mat.Matrix, []float64) { return bits, randomWeights(n, 3) })
				}},
			} {
				var weights []float64
				if tt.weight != nil {
					for r := range n {
						weights = append(weights, tt.weight(r))
					}
				}
				var double rbm.Gradient
				m.WeightedGradient(&double, tt.data, weights, tt.s())
				want := gradientValues(&double)
				center := rbm.Centering{Enhanced: true}
				center.Center(&double)
				var first []float64
				for _, procs := range goroutines {
					cpu.Each(func(name string) {
						setProcs(t, procs)
						single := rbm.Gradient{Single: true}
						m.WeightedGradient(&single, tt.data, weights, tt.s())
						got := gradientValues(&single)
						worst := 0.0
						for i, x := range got {
							worst = max(worst, math.Abs(x-want[i]))
						}
						if !(worst <= 1e-6) {
							t.Errorf("%s nh=%d n=%d %s: error %.2g", tt.name, nh, n, name, worst)
						}
						c := rbm.Centering{Enhanced: true}
						c.Center(&single)
						for i, x := range c.V {
							if math.Abs(x-center.V[i]) > 1e-6 {
								t.Errorf("%s nh=%d n=%d %s: V %v want %v", tt.name, nh, n, name, x, center.V[i])
							}
						}
						for i, x := range c.H {
							if math.Abs(x-center.H[i]) > 1e-6 {
								t.Errorf("%s nh=%d n=%d %s: H %v want %v", tt.name, nh, n, name, x, center.H[i])
							}
						}
						got = slices.Concat(got, gradientValues(&single), c.V, c.H)
						if first == nil {
							first = got
						}
						checkSame(t, fmt.Sprintf("%s nh=%d n=%d %s procs=%d", tt.name, nh, n, name, procs), got, first)
					})
				}
			}
		}
	}
}

// Rows of weight 0 leave no trace in a gradient in single precision.
func TestSingleLeavesRowsOut(t *testing.T) {
	const nv, nh, n = 40, 65, 4000
	m := randomModel(nv, nh, 0.3, 5)
	bits := randomBits(n, nv, 0.4, 1)
	var rows []int
	weights := make([]float64, n)
	for r := range n {
		if r%7 == 3 {
			weights[r] = float64(r%3 + 1)
			rows = append(rows, r)
		}
	}
	own := func() rbm.Sampler {
		return sampling(func(*rbm.RBM, mat.Matrix) (mat.Matrix, []float64) { return randomBits(99, nv, 0.2, 3), nil })
	}
	all, few := rbm.Gradient{Single: true}, rbm.Gradient{Single: true}
	m.WeightedGradient(&all, bits, weights, own())
	m.WeightedGradient(&few, bits.Gather(rbm.NewBits(len(rows), nv), rows), chosenWeights(weights, rows), own())
	checkSame(t, "gradient", gradientValues(&all), gradientValues(&few))
}

// So many rows are in double precision.
func TestSingleOfTooManyRows(t *testing.T) {
	const nv, nh, n = 5, 3, 70_000
	m := randomModel(nv, nh, 0.3, 5)
	bits := randomBits(n, nv, 0.4, 1)
	few := randomBits(20, nv, 0.4, 1)
	for _, tt := range []struct {
		data *rbm.Bits
		s    func() rbm.Sampler
	}{
		{bits, func() rbm.Sampler { return rbm.NewPCD(10, 1, newSource(3)) }},
		{few, func() rbm.Sampler { return rbm.NewPCD(n, 1, newSource(3)) }},
		{bits, newCD(1)},
	} {
		double, single := rbm.Gradient{}, rbm.Gradient{Single: true}
		m.WeightedGradient(&double, tt.data, nil, tt.s())
		m.WeightedGradient(&single, tt.data, nil, tt.s())
		checkSame(t, "gradient", gradientValues(&single), gradientValues(&double))
	}
}

// A word with a unit whose error may be too large is in double precision, for rows with few
// ones as well: the result of a row does not depend on the others.
func TestSingleOfCoarseUnits(t *testing.T) {
	const nv, nh, n = 15, 70, 40
	const unit = 0x1p-14 // and the slack is 8 units, 2⁻¹¹
	m := rbm.New(nv, nh)
	for j := range nh {
		for i := range nv - 1 {
			m.W.Set(j, i, 0.49*unit)
		}
		m.W.Set(j, nv-1, 0x1p29*unit)
	}
	data := rbm.NewBits(n, nv)
	for r := range n {
		for i := range r % nv {
			data.SetBit(r, i, i < nv-1)
		}
	}
	off := func() rbm.Sampler {
		return sampling(func(*rbm.RBM, mat.Matrix) (mat.Matrix, []float64) { return rbm.NewBits(1, nv), nil })
	}
	for _, s := range []func() rbm.Sampler{off, newCD(1)} {
		for _, rows := range []int{2, n} {
			double, single := rbm.Gradient{}, rbm.Gradient{Single: true}
			m.Gradient(&double, data.Slice(0, rows), s())
			m.Gradient(&single, data.Slice(0, rows), s())
			want := gradientValues(&double)
			for i, x := range gradientValues(&single) {
				if math.Abs(x-want[i]) > n*0x1p-30 {
					t.Fatalf("%T, %d rows: element %d is %v, want %v", s(), rows, i, x, want[i])
				}
			}
		}
	}
}

// A Gradient in single precision keeps nothing of the models that it has been used for.
func TestSingleOfAUsedGradient(t *testing.T) {
	data := randomBits(60, 70, 0.4, 1)
	small := randomModel(70, 70, 0.3, 1)
	var fresh, used rbm.Gradient
	fresh.Single, used.Single = true, true
	small.Gradient(&fresh, data, rbm.NewCD(1, newSource(1)))
	for name, m := range fixedModels(70, 120) {
		used.W, used.B, used.C = nil, nil, nil
		m.Gradient(&used, data, rbm.NewCD(1, newSource(1)))
		used.W, used.B, used.C = nil, nil, nil
		small.Gradient(&used, data, rbm.NewCD(1, newSource(1)))
		checkSame(t, "after "+name, gradientValues(&used), gradientValues(&fresh))
	}
}
