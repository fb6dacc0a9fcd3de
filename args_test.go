package rbm_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// wantPanic fails unless call panics with a string that begins with "rbm: " and contains
// all of want.
func wantPanic(t *testing.T, name string, call func(), want ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		switch p := recover().(type) {
		case nil:
			t.Errorf("%s: no panic", name)
		case string:
			if !strings.HasPrefix(p, "rbm: ") {
				t.Errorf("%s: panic %q does not begin with \"rbm: \"", name, p)
			}
			for _, s := range want {
				if !strings.Contains(p, s) {
					t.Errorf("%s: panic %q lacks %q", name, p, s)
				}
			}
		default:
			t.Errorf("%s: panic with a %T: %v", name, p, p)
		}
	}()
	call()
}

// sample is a Sampler that returns what it holds.
type sample struct {
	v       mat.Matrix
	weights []float64
}

func (s sample) Sample(*rbm.RBM, mat.Matrix) (mat.Matrix, []float64) { return s.v, s.weights }

func TestWrongShapes(t *testing.T) {
	const nv, nh, n = 784, 64, 100
	m := rbm.New(nv, nh)
	v, h := rbm.NewBits(n, nv), rbm.NewBits(n, nh)
	narrow, wide := rbm.NewBits(n, nv-1), mat.NewDense(n, nv+1, nil)
	cd := rbm.NewCD(1, newSource(1))
	var g rbm.Gradient
	m.Gradient(&g, v, cd)
	other := rbm.New(3, 2)

	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"BitsOf nil", func() { rbm.BitsOf(nil) }, []string{"matrix is nil"}},
		{"MaskedBitsOf nil", func() { rbm.MaskedBitsOf(nil) }, []string{"matrix is nil"}},
		{"Binarize nil", func() { rbm.Binarize(nil, 0) }, []string{"matrix is nil"}},
		{"nil model", func() { rbm.NewChains(newSource(1)).Gibbs(nil, 1) }, []string{"rbm: "}},
		{"Dims of nil", func() { (*rbm.RBM)(nil).Dims() }, []string{"model is nil"}},
		{"Start empty", func() { rbm.NewChains(newSource(1)).Start(&rbm.Bits{}) }, []string{"v is 0×0", "1×1"}},
		{"StartRandom 0", func() { rbm.NewChains(newSource(1)).StartRandom(m, 0) }, []string{"n is 0", "1"}},
		{"Energy v", func() { m.Energy(nil, narrow, h) }, []string{"v is 100×783", "784"}},
		{"Energy h", func() { m.Energy(nil, v, rbm.NewBits(n, 63)) }, []string{"h is 100×63", "64"}},
		{"Energy rows", func() { m.Energy(nil, v, rbm.NewBits(99, nh)) }, []string{"h is 99×64", "100"}},
		{"Energy v and h swapped", func() { m.Energy(nil, h, v) }, []string{"100×64", "784"}},
		{"Energy dst", func() { m.Energy(make([]float64, 99), v, h) }, []string{"dst", "99", "100"}},
		{"FreeEnergy v", func() { m.FreeEnergy(nil, narrow) }, []string{"v is 100×783", "n×784"}},
		{"FreeEnergy wide v", func() { m.FreeEnergy(nil, wide) }, []string{"v is 100×785", "n×784"}},
		{"FreeEnergy transposed v", func() { m.FreeEnergy(nil, v.T()) }, []string{"v is 784×100", "n×784"}},
		{"FreeEnergy no rows", func() { m.FreeEnergy(nil, &mat.Dense{}) }, []string{"v is 0×0", "n×784"}},
		{"FreeEnergy dst", func() { m.FreeEnergy(make([]float64, 101), v) }, []string{"dst", "101", "100"}},
		{"HiddenProbs v", func() { m.HiddenProbs(nil, narrow) }, []string{"v is 100×783", "n×784"}},
		{"HiddenProbs dst", func() { m.HiddenProbs(mat.NewDense(100, 63, nil), v) }, []string{"dst is 100×63", "100×64"}},
		{"HiddenProbs dst rows", func() { m.HiddenProbs(mat.NewDense(99, 64, nil), v) }, []string{"dst is 99×64", "100×64"}},
		{"VisibleProbs h", func() { m.VisibleProbs(nil, v) }, []string{"h is 100×784", "n×64"}},
		{"VisibleProbs dst", func() { m.VisibleProbs(mat.NewDense(100, 64, nil), h) }, []string{"dst is 100×64", "100×784"}},
		{"PseudoLogLikelihood v", func() { m.PseudoLogLikelihood(nil, narrow) }, []string{"v is 100×783", "n×784"}},
		{"UnitProbs v", func() { m.UnitProbs(nil, narrow) }, []string{"v is 100×783", "n×784"}},
		{"UnitProbs dst", func() { m.UnitProbs(mat.NewDense(100, 64, nil), v) }, []string{"dst is 100×64", "100×784"}},
		{"PseudoLogLikelihood dst", func() { m.PseudoLogLikelihood(make([]float64, 1), v) }, []string{"dst", "1", "100"}},

		{"Gradient v", func() { m.Gradient(new(rbm.Gradient), narrow, cd) }, []string{"v is 100×783", "n×784"}},
		{"Gradient no rows", func() { m.Gradient(new(rbm.Gradient), &mat.Dense{}, cd) }, []string{"v is 0×0", "n×784"}},
		{"Gradient dst", func() { other.Gradient(&g, rbm.NewBits(1, 3), cd) }, []string{"64×784", "2×3"}},
		{"Gradient dst.W", func() { m.Gradient(&rbm.Gradient{W: mat.NewDense(64, 783, nil)}, v, cd) }, []string{"W", "64×783", "64×784"}},
		{"Gradient dst.B", func() { m.Gradient(&rbm.Gradient{B: mat.NewVecDense(783, nil)}, v, cd) }, []string{"B", "783", "784"}},
		{"Gradient dst.C", func() { m.Gradient(&rbm.Gradient{C: mat.NewVecDense(65, nil)}, v, cd) }, []string{"C", "65", "64"}},
		{"Gradient nil dst", func() { m.Gradient(nil, v, cd) }, []string{"nil"}},
		{"Gradient nil sampler", func() { m.Gradient(new(rbm.Gradient), v, nil) }, []string{"nil"}},
		{"WeightedGradient v", func() { m.WeightedGradient(new(rbm.Gradient), narrow, make([]float64, n), cd) }, []string{"v is 100×783", "n×784"}},
		{"WeightedGradient weights", func() { m.WeightedGradient(new(rbm.Gradient), v, make([]float64, 99), cd) }, []string{"data weights", "99", "100"}},
		{"FreeEnergyGradient v", func() { m.FreeEnergyGradient(new(rbm.Gradient), narrow, nil) }, []string{"v is 100×783", "n×784"}},
		{"FreeEnergyGradient weights", func() { m.FreeEnergyGradient(new(rbm.Gradient), v, make([]float64, 99)) }, []string{"weights", "99", "100"}},
		{"FreeEnergyGradient dst", func() { other.FreeEnergyGradient(&g, rbm.NewBits(1, 3), nil) }, []string{"64×784", "2×3"}},

		{"CD.Sample", func() { cd.Sample(m, narrow) }, []string{"100×783", "784"}},
		{"Exact.Sample on too many units", func() { new(rbm.Exact).Sample(m, v) }, []string{"784"}},
		{"LogPartition on too many units", func() { rbm.New(100, 200).LogPartition() }, []string{"100"}},
	} {
		t.Run(tt.name, func(t *testing.T) { wantPanic(t, tt.name, tt.call, tt.want...) })
	}
}

func TestWrongSamples(t *testing.T) {
	m := rbm.New(5, 4)
	data := rbm.NewBits(2, 5)
	v := rbm.NewBits(3, 5)
	bad := mat.NewDense(3, 5, nil)
	bad.Set(2, 4, 1.5)
	for _, tt := range []struct {
		name string
		s    sample
		want []string
	}{
		{"width", sample{rbm.NewBits(3, 6), nil}, []string{"3×6", "n×5"}},
		{"no rows", sample{&mat.Dense{}, nil}, []string{"0×0", "n×5"}},
		{"nil", sample{nil, nil}, []string{"sample is nil"}},
		{"nil Bits", sample{(*rbm.Bits)(nil), nil}, []string{"sample is nil"}},
		{"number of weights", sample{v, []float64{1, 1}}, []string{"2", "3"}},
		{"negative weight", sample{v, []float64{5, 9, -7}}, []string{"weights[2] is -7"}},
		{"negative sum of weights", sample{v, []float64{1, 1, -7}}, []string{"weights[2] is -7"}},
		{"NaN weight", sample{v, []float64{1, math.NaN(), 1}}, []string{"weights[1] is NaN"}},
		{"infinite weight", sample{v, []float64{1, math.Inf(1), 1}}, []string{"weights[1] is +Inf"}},
		{"weights all zero", sample{v, []float64{0, 0, 0}}, []string{"weights", "0"}},
		{"value", sample{bad, nil}, []string{"[2, 4]", "1.5"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantPanic(t, tt.name, func() { m.Gradient(new(rbm.Gradient), data, tt.s) }, tt.want...)
			if len(tt.s.weights) == 2 {
				nan := m.Clone()
				nan.C.SetVec(1, math.NaN())
				wantPanic(t, "NaN model", func() { nan.Gradient(new(rbm.Gradient), data, tt.s) }, tt.want...)
			}
		})
	}
}

// methods calls every method that reads a model, on nv=3 and nh=2 units.
var methods = []struct {
	name string
	call func(m *rbm.RBM)
}{
	{"Dims", func(m *rbm.RBM) { m.Dims() }},
	{"Clone", func(m *rbm.RBM) { m.Clone() }},
	{"FitVisibleBias", func(m *rbm.RBM) { m.FitVisibleBias(rbm.NewBits(1, 3)) }},
	{"FittedBias", func(m *rbm.RBM) { m.FittedBias(rbm.NewBits(1, 3), nil, nil) }},
	{"CheckRows", func(m *rbm.RBM) { m.CheckRows(rbm.NewBits(1, 3)) }},
	{"Energy", func(m *rbm.RBM) { m.Energy(nil, rbm.NewBits(1, 3), rbm.NewBits(1, 2)) }},
	{"FreeEnergy", func(m *rbm.RBM) { m.FreeEnergy(nil, rbm.NewBits(1, 3)) }},
	{"HiddenProbs", func(m *rbm.RBM) { m.HiddenProbs(nil, rbm.NewBits(1, 3)) }},
	{"VisibleProbs", func(m *rbm.RBM) { m.VisibleProbs(nil, rbm.NewBits(1, 2)) }},
	{"PseudoLogLikelihood", func(m *rbm.RBM) { m.PseudoLogLikelihood(nil, rbm.NewBits(1, 3)) }},
	{"UnitProbs", func(m *rbm.RBM) { m.UnitProbs(nil, rbm.NewBits(1, 3)) }},
	{"Prepare", func(m *rbm.RBM) { m.Prepare() }},
	{"LogPartition", func(m *rbm.RBM) { m.LogPartition() }},
	{"LogPartitionGradient", func(m *rbm.RBM) { m.LogPartitionGradient(new(rbm.Gradient)) }},
	{"Gradient", func(m *rbm.RBM) { m.Gradient(new(rbm.Gradient), rbm.NewBits(1, 3), rbm.NewCD(1, newSource(1))) }},
	{"WeightedGradient", func(m *rbm.RBM) {
		m.WeightedGradient(new(rbm.Gradient), rbm.NewBits(1, 3), []float64{1}, rbm.NewCD(1, newSource(1)))
	}},
	{"Phases", func(m *rbm.RBM) {
		m.Phases(new(rbm.Phases), rbm.NewBits(1, 3), nil, rbm.NewCD(1, newSource(1)))
	}},
	{"LogProbs", func(m *rbm.RBM) { (&rbm.Classifier{Model: m, Classes: 2}).LogProbs(nil, rbm.NewBits(1, 1)) }},
	{"Predict", func(m *rbm.RBM) { (&rbm.Classifier{Model: m, Classes: 2}).Predict(nil, rbm.NewBits(1, 1)) }},
	{"Join", func(m *rbm.RBM) { (&rbm.Classifier{Model: m, Classes: 2}).Join(nil, rbm.NewBits(1, 1), []int{1}) }},
	{"Classifier.Gradient", func(m *rbm.RBM) {
		(&rbm.Classifier{Model: m, Classes: 2, Discriminative: 1}).Gradient(new(rbm.Gradient), rbm.NewBits(1, 1), []int{1}, nil)
	}},
	{"FreeEnergyGradient", func(m *rbm.RBM) { m.FreeEnergyGradient(new(rbm.Gradient), rbm.NewBits(1, 3), nil) }},
	{"Gibbs", func(m *rbm.RBM) {
		c := rbm.NewChains(newSource(1))
		c.Start(rbm.NewBits(1, 3))
		c.Gibbs(m, 1)
	}},
	{"StartGiven", func(m *rbm.RBM) { rbm.NewChains(newSource(1)).StartGiven(m, rbm.NewBits(1, 3), rbm.NewBits(1, 3)) }},
	{"GibbsGiven", func(m *rbm.RBM) {
		c := rbm.NewChains(newSource(1))
		c.Start(rbm.NewBits(1, 3))
		c.GibbsGiven(m, 1, rbm.NewBits(1, 3))
	}},
	{"MeansGiven", func(m *rbm.RBM) {
		c := rbm.NewChains(newSource(1))
		c.Start(rbm.NewBits(1, 3))
		c.MeansGiven(nil, m, 1, nil)
	}},
	{"LogProbGiven", func(m *rbm.RBM) { m.LogProbGiven(nil, rbm.NewBits(1, 3), nil) }},
	{"MeansGiven", func(m *rbm.RBM) { m.MeansGiven(nil, rbm.NewBits(1, 3), nil) }},
	{"Completions", func(m *rbm.RBM) { m.CompletionsGiven(rbm.NewBits(1, 3), nil) }},
	{"StartRandom", func(m *rbm.RBM) { rbm.NewChains(newSource(1)).StartRandom(m, 1) }},
	{"CD", func(m *rbm.RBM) { rbm.NewCD(1, newSource(1)).Sample(m, rbm.NewBits(1, 3)) }},
	{"PCD", func(m *rbm.RBM) { rbm.NewPCD(1, 1, newSource(1)).Sample(m, rbm.NewBits(1, 3)) }},
	{"PT", func(m *rbm.RBM) { newPT(1, 1, []float64{0, 1}, newSource(1)).Sample(m, rbm.NewBits(1, 3)) }},
	{"PTT", func(m *rbm.RBM) { rbm.NewPTT(1, 1, nil, newSource(1)).Sample(m, rbm.NewBits(1, 3)) }},
	{"NewPTT", func(m *rbm.RBM) { rbm.NewPTT(1, 1, []*rbm.RBM{m}, newSource(1)) }},
	{"Exact", func(m *rbm.RBM) { new(rbm.Exact).Sample(m, rbm.NewBits(1, 3)) }},
	{"Step", func(m *rbm.RBM) {
		g := rbm.New(3, 2)
		new(rbm.SGD).Step(m, &rbm.Gradient{W: g.W, B: g.B, C: g.C})
	}},
}

func TestMethodsOnAGoodModel(t *testing.T) {
	for _, tt := range methods {
		tt.call(rbm.New(3, 2))
	}
}

func TestInconsistentModels(t *testing.T) {
	w, b, c := mat.NewDense(2, 3, nil), mat.NewVecDense(3, nil), mat.NewVecDense(2, nil)
	for _, tt := range []struct {
		name string
		m    *rbm.RBM
		want []string
	}{
		{"zero value", &rbm.RBM{}, []string{"W, B or C is nil"}},
		{"no W", &rbm.RBM{B: b, C: c}, []string{"W, B or C is nil"}},
		{"no B", &rbm.RBM{W: w, C: c}, []string{"W, B or C is nil"}},
		{"no C", &rbm.RBM{W: w, B: b}, []string{"W, B or C is nil"}},
		{"empty W", &rbm.RBM{W: &mat.Dense{}, B: b, C: c}, []string{"W"}},
		{"empty B", &rbm.RBM{W: w, B: &mat.VecDense{}, C: c}, []string{"B", "0", "3"}},
		{"short B", &rbm.RBM{W: w, B: mat.NewVecDense(1, nil), C: c}, []string{"B", "1", "3"}},
		{"long C", &rbm.RBM{W: w, B: b, C: mat.NewVecDense(7, nil)}, []string{"C", "7", "2"}},
		{"B and C swapped", &rbm.RBM{W: w, B: c, C: b}, []string{"W is 2×3, want 3×2 as B has length 2 and C has length 3: W is transposed, or B and C are swapped"}},
		{"W transposed", &rbm.RBM{W: mat.NewDense(3, 2, nil), B: b, C: c}, []string{"W is 3×2, want 2×3 as B has length 3 and C has length 2: W is transposed"}},
		{"B as long as C", &rbm.RBM{W: w, B: c, C: c}, []string{"B has length 2, want 3 as W is 2×3"}},
		{"C as long as B", &rbm.RBM{W: w, B: b, C: b}, []string{"C has length 3, want 2 as W is 2×3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, method := range methods {
				wantPanic(t, method.name, func() { method.call(tt.m) }, tt.want...)
			}
		})
	}
}

func TestValuesOutsideTheUnitInterval(t *testing.T) {
	const nv, nh, n = 40, 35, 20
	m := rbm.New(nv, nh)
	reals := func(n, c int) *mat.Dense { return randomReals(n, c, 1) }
	for _, tt := range []struct {
		name   string
		values *mat.Dense
		use    func(a mat.Matrix)
	}{
		{"Energy v", reals(n, nv), func(a mat.Matrix) { m.Energy(nil, a, rbm.NewBits(n, nh)) }},
		{"Energy h", reals(n, nh), func(a mat.Matrix) { m.Energy(nil, rbm.NewBits(n, nv), a) }},
		{"FreeEnergy", reals(n, nv), func(a mat.Matrix) { m.FreeEnergy(nil, a) }},
		{"FreeEnergy of bits", mat.NewDense(n, nv, nil), func(a mat.Matrix) { m.FreeEnergy(nil, a) }},
		{"FreeEnergy of many rows", mat.NewDense(2000, nv, nil), func(a mat.Matrix) { m.FreeEnergy(nil, a) }},
		{"HiddenProbs", reals(n, nv), func(a mat.Matrix) { m.HiddenProbs(nil, a) }},
		{"VisibleProbs", reals(n, nh), func(a mat.Matrix) { m.VisibleProbs(nil, a) }},
		{"PseudoLogLikelihood", mat.NewDense(n, nv, nil), func(a mat.Matrix) { m.PseudoLogLikelihood(nil, a) }},
		{"UnitProbs", mat.NewDense(n, nv, nil), func(a mat.Matrix) { m.UnitProbs(nil, a) }},
		{"FitVisibleBias", reals(n, nv), func(a mat.Matrix) { m.Clone().FitVisibleBias(a) }},
		{"FreeEnergyGradient", reals(n, nv), func(a mat.Matrix) { m.FreeEnergyGradient(new(rbm.Gradient), a, nil) }},
		{"Gradient CD", reals(n, nv), func(a mat.Matrix) { m.Gradient(new(rbm.Gradient), a, rbm.NewCD(1, newSource(1))) }},
		{"Gradient PCD", reals(n, nv), func(a mat.Matrix) { m.Gradient(new(rbm.Gradient), a, rbm.NewPCD(1, 1, newSource(1))) }},
		{"CD.Sample", reals(n, nv), func(a mat.Matrix) { rbm.NewCD(1, newSource(1)).Sample(m, a) }},
		{"LogProbs", reals(n, nv), func(a mat.Matrix) { classifierOf(m, 3).LogProbs(nil, a) }},
		{"Classifier.Gradient", reals(n, nv), func(a mat.Matrix) {
			weighted(classifierOf(m, 3), 1, 0, 0).Gradient(new(rbm.Gradient), a, cycle(n, 3, 0), nil)
		}},
		{"Chains.Start", reals(n, nv), func(a mat.Matrix) { rbm.NewChains(newSource(1)).Start(a) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, c := tt.values.Dims()
			r, c = r-3, c-9
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -0.25, 1.5, math.Nextafter(1, 2)} {
				tt.values.Set(r, c, bad)
				for _, a := range representations(tt.values) {
					wantPanic(t, a.name, func() { tt.use(a.Matrix) }, fmt.Sprintf("[%d, %d]", r, c), fmt.Sprint(bad))
				}
			}
		})
	}
}

// A call that panicked leaves the destination usable.
func TestPanicLeavesNoTrace(t *testing.T) {
	const nv, nh = 65, 9
	m := randomModel(nv, nh, 1, 1)
	good := randomBits(30, nv, 0.5, 2)
	bad := mat.DenseCopyOf(good)
	bad.Set(29, 64, 2)
	var used, fresh rbm.Gradient
	m.Gradient(&fresh, good, rbm.NewCD(1, newSource(3)))
	for range 2 {
		wantPanic(t, "Gradient", func() { m.Gradient(&used, bad, rbm.NewCD(1, newSource(3))) }, "[29, 64]")
		m.Gradient(&used, good, rbm.NewCD(1, newSource(3)))
		checkSame(t, "Gradient after a panic", gradientValues(&used), gradientValues(&fresh))
	}
}
