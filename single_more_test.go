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

func gradientParams(g *rbm.Gradient) []float64 {
	return params(&rbm.RBM{W: g.W, B: g.B, C: g.C})
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
				{"own", bits, func(r int) float64 { return float64(r % 5) }, greyRows},
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
				want := gradientParams(&double)
				center := rbm.Centering{Enhanced: true}
				center.Center(&double)
				var first []float64
				for _, procs := range goroutines {
					cpu.Each(func(name string) {
						setProcs(t, procs)
						single := rbm.Gradient{Single: true}
						m.WeightedGradient(&single, tt.data, weights, tt.s())
						got := gradientParams(&single)
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
						got = slices.Concat(got, gradientParams(&single), c.V, c.H)
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
	checkSame(t, "gradient", gradientParams(&all), gradientParams(&few))
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
		checkSame(t, "gradient", gradientParams(&single), gradientParams(&double))
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
			want := gradientParams(&double)
			for i, x := range gradientParams(&single) {
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
		checkSame(t, "after "+name, gradientParams(&used), gradientParams(&fresh))
	}
}
