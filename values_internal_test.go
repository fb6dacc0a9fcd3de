package rbm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// drawnValues returns n rows of values, drawn one after the other.
func drawnValues(n, nv int, seed uint64, x func(r, i int, rnd *rand.Rand) float64) *mat.Dense {
	rnd := rand.New(rand.NewPCG(seed, 9))
	a := mat.NewDense(n, nv, nil)
	a.Apply(func(r, i int, _ float64) float64 { return x(r, i, rnd) }, a)
	return a
}

// Values that are bits have the dependence of the bits.
func TestDependenceOfValuesThatAreBits(t *testing.T) {
	for _, tt := range []struct {
		n, nv  int
		groups []Group
		p      func(r, i int, rnd *rand.Rand) float64
	}{
		{300, 9, nil, func(r, i int, _ *rand.Rand) float64 { return 0.2 + 0.6*float64(r%2) }},
		{2000, 5, nil, func(r, i int, _ *rand.Rand) float64 { return 0.01 + 0.3*float64(r%10/9) }},
		{500, 70, nil, func(r, i int, _ *rand.Rand) float64 { return float64(i%3) / 2 }},
		{500, 30, nil, func(r, i int, _ *rand.Rand) float64 { return float64(i%4+1) / 5 }},
		{400, 9, []Group{{1, 4}, {5, 9}}, func(r, i int, _ *rand.Rand) float64 { return 0.3 + 0.4*float64(r%2) }},
	} {
		b := drawnBits(tt.n, tt.nv, 1, tt.p)
		got, want := dependenceOfValues(mat.DenseCopyOf(b), tt.groups, nil), b.dependence(tt.groups, nil)
		if !(math.Abs(got-want) <= 1e-10*want) {
			t.Errorf("%d×%d: %v nats, want %v", tt.n, tt.nv, got, want)
		}
	}
}

// Of values it is the sum of squared correlations by the definition, each by the share of the
// variance of bits that values have.
func TestDependenceOfValues(t *testing.T) {
	const n, nv = 300, 6
	a := drawnValues(n, nv, 1, func(r, i int, rnd *rand.Rand) float64 {
		if i == 4 {
			return 0.3 // constant
		}
		return (0.5*float64(r%2) + rnd.Float64()) / float64(i+2)
	})
	groups := []Group{{0, 2}}
	share := func(i int) float64 {
		if i < 2 {
			return 0.5
		}
		return 1
	}
	var want float64
	column := func(i int) []float64 { return mat.Col(nil, i, a) }
	for i := range nv {
		for j := range i {
			if i == 4 || j == 4 || i == 1 {
				continue
			}
			r := stat.Correlation(column(i), column(j), nil)
			var of float64 // of the variance of bits
			for _, k := range []int{i, j} {
				mean, variance := stat.PopMeanVariance(column(k), nil)
				of += variance / (mean * (1 - mean)) / 2
			}
			want += share(i) * share(j) * of * (r*r - 1./(n-1))
		}
	}
	if got := dependenceOfValues(a, groups, nil); !(math.Abs(got-want) < 1e-10*want) {
		t.Errorf("%v nats, want %v", got, want)
	}
	// Of many columns those count that vary most.
	wide := drawnValues(40, dependentColumns+100, 1, func(r, i int, _ *rand.Rand) float64 {
		if i < 100 {
			return 0.5 + 0.1*float64(r%2)
		}
		return float64(r % 2)
	})
	const pairs = dependentColumns * (dependentColumns - 1) / 2
	if got, want := dependenceOfValues(wide, nil, nil), pairs*(1-1./39); !(math.Abs(got-want) < 1e-9*want) {
		t.Errorf("wide: %v nats, want %v", got, want)
	}
}

// What chance makes of independent columns is no dependence, whatever their distribution.
func TestDependenceOfIndependentValues(t *testing.T) {
	for _, tt := range []struct{ n, nv int }{{1, 5}, {2, 30}, {20, 2}, {20, 200}, {100, 1}, {60, 100}, {500, 30}} {
		for name, x := range map[string]func(r, i int, rnd *rand.Rand) float64{
			"even": func(_, _ int, rnd *rand.Rand) float64 { return rnd.Float64() },
			"rare": func(_, _ int, rnd *rand.Rand) float64 { return math.Pow(rnd.Float64(), 100) },
			"once": func(_, _ int, rnd *rand.Rand) float64 { return math.Pow(rnd.Float64(), 2000) },
			"bits": func(_, i int, rnd *rand.Rand) float64 { return math.Round(rnd.Float64() * float64(i%4+2) / 4) },
			"same": func(_, _ int, _ *rand.Rand) float64 { return 1. / 3 },
		} {
			for seed := range uint64(10) {
				if got := dependenceOfValues(drawnValues(tt.n, tt.nv, seed, x), nil, nil); got != 0 {
					t.Errorf("%d×%d, %s: %v nats, want 0", tt.n, tt.nv, name, got)
				}
			}
		}
	}
}

// The spread of values is what bits drawn with these probabilities have in the mean.
func TestSpreadOfValues(t *testing.T) {
	const n, nv = 9, 5
	a := drawnValues(n, nv, 1, func(_, _ int, rnd *rand.Rand) float64 { return rnd.Float64() })
	var want float64
	for r := range n {
		for s := range r {
			for i := range nv {
				x, y := a.At(r, i), a.At(s, i)
				want += (x*(1-y) + y*(1-x)) / (n * (n - 1) / 2 * nv)
			}
		}
	}
	if got := spreadOf(a, nil); !(math.Abs(got-want) < 1e-14) {
		t.Errorf("spread is %v, want %v", got, want)
	}
	b := drawnBits(30, 70, 2, func(_, _ int, _ *rand.Rand) float64 { return 0.3 })
	if got, want := spreadOf(mat.DenseCopyOf(b), nil), b.spread(nil); got != want || spreadOf(b, nil) != want {
		t.Errorf("spread of bits is %v, want %v", got, want)
	}
	if got := spreadOf(mat.NewDense(1, 3, []float64{0.5, 0.5, 0.5}), nil); got != 0 {
		t.Errorf("spread of one row is %v, want 0", got)
	}
}

// Dependence is found by rows that are spread evenly over those that were chosen.
func TestColumnsOfValues(t *testing.T) {
	const n, nv = 3*dependentValues + 1, 4
	a := drawnValues(n, nv, 1, func(r, i int, rnd *rand.Rand) float64 { return (float64(r%2) + rnd.Float64()) / 2 })
	some, at := make([]int, n), make([]int, dependentValues)
	for r := range some {
		some[r] = r
	}
	for k := range at {
		at[k] = k * n / dependentValues
	}
	c, err := readValueColumns(a, nil, some, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := mat.NewDense(dependentValues, nv, nil)
	for k, r := range at {
		rows.SetRow(k, a.RawRowView(r))
	}
	if want := dependenceOfValues(rows, nil, nil); c.dependence != want || want == 0 {
		t.Errorf("dependence is %v, want %v", c.dependence, want)
	}
	want := New(nv, 1).FittedBias(a, nil, nil)
	for i, b := range c.biases {
		if b != want.AtVec(i) {
			t.Errorf("biases %v, want %v", c.biases, want.RawVector().Data)
			break
		}
	}
	if got := fmt.Sprint(c.constant()); got != "[]" {
		t.Errorf("constant columns %s", got)
	}
}
