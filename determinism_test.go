package rbm_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// checkSame fails unless got and want are the same numbers, bit for bit.
func checkSame(t *testing.T, name string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", name, len(got), len(want))
		return
	}
	bad := 0
	for i := range got {
		if got[i] != want[i] {
			if bad == 0 {
				t.Errorf("%s: value %d = %v, want %v", name, i, got[i], want[i])
			}
			bad++
		}
	}
	if bad > 1 {
		t.Errorf("%s: %d of %d values differ", name, bad, len(got))
	}
}

func values(a mat.Matrix) []float64 { return mat.DenseCopyOf(a).RawMatrix().Data }

// gradientValues returns all of g, in the order of params.
func gradientValues(g *rbm.Gradient) []float64 {
	return params(&rbm.RBM{W: g.W, B: g.B, C: g.C})
}

// train returns the parameters after three steps from m, and the last gradient.
func train(m *rbm.RBM, v mat.Matrix, s rbm.Sampler) []float64 {
	m = m.Clone()
	var g rbm.Gradient
	o := rbm.SGD{Rate: 0.1, Momentum: 0.5, L2: 0.01}
	for range 3 {
		m.Gradient(&g, v, s)
		o.Step(m, &g)
	}
	return append(params(m), gradientValues(&g)...)
}

// rowwise are the functions that have a value of their own for every row.
var rowwise = []struct {
	name string
	of   func(m *rbm.RBM, v mat.Matrix) []float64
}{
	{"FreeEnergy", func(m *rbm.RBM, v mat.Matrix) []float64 { return m.FreeEnergy(nil, v) }},
	{"HiddenProbs", func(m *rbm.RBM, v mat.Matrix) []float64 { return values(m.HiddenProbs(nil, v)) }},
	{"VisibleProbs", func(m *rbm.RBM, v mat.Matrix) []float64 { return values(transposed(m).VisibleProbs(nil, v)) }},
	{"Energy", func(m *rbm.RBM, v mat.Matrix) []float64 {
		h, err := rbm.Binarize(m.HiddenProbs(nil, v), 0.5)
		if err != nil {
			panic(err)
		}
		return m.Energy(nil, v, h)
	}},
	{"Energy of real h", func(m *rbm.RBM, v mat.Matrix) []float64 {
		return m.Energy(nil, v, m.HiddenProbs(nil, v))
	}},
	{"Energy, layers changed", func(m *rbm.RBM, v mat.Matrix) []float64 {
		return transposed(m).Energy(nil, m.HiddenProbs(nil, v), v)
	}},
	{"PseudoLogLikelihood", func(m *rbm.RBM, v mat.Matrix) []float64 { return m.PseudoLogLikelihood(nil, v) }},
	{"UnitProbs", func(m *rbm.RBM, v mat.Matrix) []float64 { return values(m.UnitProbs(nil, v)) }},
	{"LogProbs", func(m *rbm.RBM, v mat.Matrix) []float64 { return values(classifierOf(m, 5).LogProbs(nil, v)) }},
	{"MeansGiven", func(m *rbm.RBM, v mat.Matrix) []float64 {
		return values(m.MeansGiven(nil, v, someMissing(1, m.B.Len(), 3)))
	}},
}

// wholesale are the functions of a batch as a whole.
var wholesale = []struct {
	name string
	of   func(m *rbm.RBM, v mat.Matrix) []float64
}{
	{"FreeEnergyGradient", func(m *rbm.RBM, v mat.Matrix) []float64 {
		var g rbm.Gradient
		m.FreeEnergyGradient(&g, v, nil)
		return gradientValues(&g)
	}},
	{"FreeEnergyGradient with weights", func(m *rbm.RBM, v mat.Matrix) []float64 {
		var g rbm.Gradient
		n, _ := v.Dims()
		m.FreeEnergyGradient(&g, v, values(randomReals(1, n, 3)))
		return gradientValues(&g)
	}},
	{"Phases", func(m *rbm.RBM, v mat.Matrix) []float64 {
		var c rbm.Centering
		var p, sum rbm.Phases
		var g, centered rbm.Gradient
		pcd := rbm.NewPCD(77, 2, newSource(2))
		n, _ := v.Dims()
		m.Phases(&p, v, nil, pcd)
		sum.Add(&p)
		m.Phases(&p, v, values(randomReals(1, n, 3)), pcd)
		sum.Add(&p)
		sum.Gradient(&g)
		sum.Gradient(&centered)
		c.Center(&centered)
		return slices.Concat(phasesValues(&sum), gradientValues(&g), gradientValues(&centered))
	}},
	{"CD", func(m *rbm.RBM, v mat.Matrix) []float64 { return train(m, v, rbm.NewCD(2, newSource(1))) }},
	{"PCD", func(m *rbm.RBM, v mat.Matrix) []float64 { return train(m, v, rbm.NewPCD(77, 2, newSource(2))) }},
	{"PT", func(m *rbm.RBM, v mat.Matrix) []float64 {
		return train(m, v, newPT(13, 2, []float64{0, 0.5, 0.8, 1}, newSource(2)))
	}},
	{"Centering with weights", func(m *rbm.RBM, v mat.Matrix) []float64 {
		var c rbm.Centering
		var g rbm.Gradient
		n, _ := v.Dims()
		m.WeightedGradient(&g, v, values(randomReals(1, n, 3)), rbm.NewCD(1, newSource(6)))
		c.Center(&g)
		return slices.Concat(gradientValues(&g), c.V, c.H)
	}},
	{"SGD with all it has", func(m *rbm.RBM, v mat.Matrix) []float64 {
		m = m.Clone()
		var g rbm.Gradient
		m.FreeEnergyGradient(&g, v, nil)
		o := rbm.SGD{Rate: 0.1, Momentum: 0.5, L2: 0.01, L1: 0.1, MaxNorm: 1}
		o.Step(m, &g)
		o.Step(m, &g)
		return params(m)
	}},
	{"PTT", func(m *rbm.RBM, v mat.Matrix) []float64 {
		nv, _ := m.Dims()
		s := rbm.NewPTT(60, 3, []*rbm.RBM{rbm.New(nv, 3)}, newSource(2))
		s.MinSwapRate = 0.999
		x := train(m, v, s)
		for _, m := range s.Models() { // more than one
			x = append(x, params(m)...)
		}
		return x
	}},
	{"Gibbs", func(m *rbm.RBM, v mat.Matrix) []float64 {
		c := rbm.NewChains(newSource(3))
		c.Start(v)
		c.Gibbs(m, 3)
		return values(c.Visible())
	}},
	{"OneHot", func(m *rbm.RBM, v mat.Matrix) []float64 {
		n, nv := v.Dims()
		c := rbm.NewChains(newSource(3))
		m = m.Clone()
		m.OneHot = []rbm.Group{{From: 0, To: 1}, {From: nv / 2, To: nv - 1}}
		c.StartRandom(m, n)
		c.Gibbs(m, 2)
		return values(c.Visible())
	}},
	{"MeansGiven", func(m *rbm.RBM, v mat.Matrix) []float64 {
		n, nv := v.Dims()
		c := rbm.NewChains(newSource(3))
		m = m.Clone()
		m.OneHot = []rbm.Group{{From: nv / 2, To: nv - 1}}
		observed := randomBits(n, nv, 0.5, 4)
		for r := range n {
			for i := nv / 2; i < nv-1; i++ {
				observed.SetBit(r, i, false)
			}
		}
		c.StartGiven(m, v, observed)
		c.GibbsGiven(m, 2, observed)
		return slices.Concat(values(c.MeansGiven(nil, m, 2, observed)), values(c.Visible()))
	}},
	{"Centering", func(m *rbm.RBM, v mat.Matrix) []float64 {
		c, cd := rbm.Centering{Rate: 0.3, Enhanced: true}, rbm.NewCD(1, newSource(6))
		var g rbm.Gradient
		m.Gradient(&g, v, cd)
		c.Center(&g)
		m.Gradient(&g, v, cd)
		c.Center(&g)
		return slices.Concat(gradientValues(&g), c.V, c.H)
	}},
	{"AIS", func(m *rbm.RBM, v mat.Matrix) []float64 {
		a := rbm.NewAIS(50, 4, newSource(4))
		a.Base = vec(values(randomReals(1, m.B.Len(), 5)))
		forward, _ := a.Run(context.Background(), m)
		back, _ := a.Reverse(context.Background(), m, v)
		return slices.Concat(forward.LogWeights, back.LogWeights, []float64{forward.Mean, forward.StdErr, forward.ESS, back.Mean, back.StdErr, back.ESS})
	}},
	{"Classifier", func(m *rbm.RBM, v mat.Matrix) []float64 {
		const classes = 3
		c := weighted(classifierOf(m, classes), 1, 0.5, 0.2)
		n, _ := v.Dims()
		cd, pcd := rbm.NewCD(1, newSource(6)), rbm.NewPCD(33, 2, newSource(7))
		var g, h rbm.Gradient
		c.Gradient(&g, v, cycle(n, classes, 4), cd)
		c.Gradient(&h, v, cycle(n, classes, 2), pcd)
		return append(gradientValues(&g), gradientValues(&h)...)
	}},
	{"FitVisibleBias", func(m *rbm.RBM, v mat.Matrix) []float64 {
		m = m.Clone()
		m.FitVisibleBias(v)
		return params(m)
	}},
}

var everything = slices.Concat(rowwise, wholesale)

// gray returns b with about every third row drawn from (0,1).
func gray(b *rbm.Bits, seed uint64) *mat.Dense {
	n, nv := b.Dims()
	d := mat.DenseCopyOf(b)
	for r := 1; r < n; r += 3 {
		d.SetRow(r, values(randomReals(1, nv, seed+uint64(r))))
	}
	return d
}

// setProcs sets GOMAXPROCS until the end of the test, which must not be parallel: nor may a
// test be that chooses instruction sets or counts allocations, bytes or goroutines. The
// others are, if they take a tenth of a second.
func setProcs(t *testing.T, n int) {
	old := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(old) })
}

var procs = []int{2, 3, 7, 16}

func TestSameForEveryGOMAXPROCS(t *testing.T) {
	procs := procs
	if testing.Short() {
		procs = procs[1:2]
	}
	for _, s := range []struct{ nv, nh, n int }{{5, 4, 3}, {9, 8, 1100}, {130, 70, 90}, {784, 64, 130}, {70, 500, 20}} {
		m := randomModel(s.nv, s.nh, 0.1, 1)
		bits := randomBits(s.n, s.nv, 0.2, 2)
		for _, v := range []namedMatrix{{"bits", bits}, {"gray", gray(bits, 3)}} {
			if s.nv*s.nh*s.n > 5e6 && (v.name == "gray" || testing.Short()) {
				continue // slow, and smaller shapes are split as well
			}
			t.Run(fmt.Sprintf("nv=%d/nh=%d/n=%d/%s", s.nv, s.nh, s.n, v.name), func(t *testing.T) {
				setProcs(t, 1)
				want := make([][]float64, len(everything))
				for k, f := range everything {
					want[k] = f.of(m, v.Matrix)
				}
				for _, p := range procs {
					runtime.GOMAXPROCS(p)
					for k, f := range everything {
						checkSame(t, fmt.Sprintf("%s with GOMAXPROCS = %d", f.name, p), f.of(m, v.Matrix), want[k])
					}
				}
			})
		}
	}
}

func TestGOMAXPROCSMayChange(t *testing.T) {
	const nv, nh, n = 200, 70, 130
	v := randomBits(n, nv, 0.2, 40)
	run := func(procs ...int) []float64 {
		m := randomModel(nv, nh, 0.1, 41)
		cd := rbm.NewCD(2, newSource(42))
		var g rbm.Gradient
		o := rbm.SGD{Rate: 0.1, Momentum: 0.5}
		for _, p := range procs {
			runtime.GOMAXPROCS(p)
			m.Gradient(&g, v, cd)
			o.Step(m, &g)
		}
		return params(m)
	}
	setProcs(t, 1)
	checkSame(t, "training", run(3, 1, 16, 2), run(1, 1, 1, 1))
}

func TestExactSameForEveryGOMAXPROCS(t *testing.T) {
	small, tall, wide := randomModel(3, 2, 1, 4), randomModel(11, 90, 0.2, 5), randomModel(300, 11, 0.2, 6)
	for _, tt := range []struct {
		name string
		of   func() []float64
	}{
		{"LogPartition small", func() []float64 { return []float64{small.LogPartition()} }},
		{"LogPartition nh=90", func() []float64 { return []float64{tall.LogPartition()} }},
		{"LogPartition nv=300", func() []float64 { return []float64{wide.LogPartition()} }},
		{"training small", func() []float64 { return train(small, randomBits(5, 3, 0.5, 7), new(rbm.Exact)) }},
		{"training nh=90", func() []float64 { return train(tall, randomBits(100, 11, 0.5, 8), new(rbm.Exact)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			setProcs(t, 1)
			want := tt.of()
			for _, p := range procs {
				runtime.GOMAXPROCS(p)
				checkSame(t, fmt.Sprintf("GOMAXPROCS = %d", p), tt.of(), want)
			}
		})
	}
}

func TestRowDoesNotDependOnItsBatch(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh, n int }{{5, 4, 1100}, {130, 70, 130}} {
		n := s.n
		m := randomModel(s.nv, s.nh, 0.3, 1)
		bits := randomBits(n, s.nv, 0.3, 2)
		for _, v := range []*mat.Dense{mat.DenseCopyOf(bits), gray(bits, 3)} {
			for _, f := range rowwise {
				t.Run(fmt.Sprintf("nv=%d/nh=%d/%s", s.nv, s.nh, f.name), func(t *testing.T) {
					all := f.of(m, v)
					w := len(all) / n
					for _, size := range []int{1, 3, 10, 65, 1030} {
						for r := 0; r < n; r += max(size, n/rbm.Fewer(150)) { // not every row of many by itself
							k := min(r+size, n)
							checkSame(t, fmt.Sprintf("rows [%d, %d)", r, k), f.of(m, v.Slice(r, k, 0, s.nv)), all[r*w:k*w])
						}
					}

					var reversed mat.Dense
					reversed.CloneFrom(v)
					for r := range n {
						reversed.SetRow(r, v.RawRowView(n-1-r))
					}
					got := f.of(m, &reversed)
					for r := range n {
						checkSame(t, fmt.Sprintf("row %d in reverse", r), got[(n-1-r)*w:(n-r)*w], all[r*w:(r+1)*w])
					}
				})
			}
		}
	}
}

// A row of bits is worth the same whether or not other rows make its batch a real one.
func TestBitsAmongRealRows(t *testing.T) {
	const nv, nh, n = 130, 70, 40
	m := randomModel(nv, nh, 0.3, 4)
	bits := randomBits(n, nv, 0.3, 5)
	mixed := gray(bits, 6)
	for _, f := range rowwise {
		t.Run(f.name, func(t *testing.T) {
			want, got := f.of(m, bits), f.of(m, mixed)
			w := len(want) / n
			for r := 0; r < n; r += 3 {
				checkSame(t, fmt.Sprintf("row %d", r), got[r*w:(r+1)*w], want[r*w:(r+1)*w])
			}
		})
	}
}

func TestSameForEveryRepresentation(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh, n int }{{5, 4, 3}, {9, 8, 530}, {130, 70, 67}} {
		m := randomModel(s.nv, s.nh, 0.3, 7)
		bits := randomBits(s.n, s.nv, 0.3, 8)
		tall := rbm.NewBits(s.n+2, s.nv)
		for r := range s.n {
			for i := range s.nv {
				tall.SetBit(r+1, i, bits.Bit(r, i))
			}
		}
		flipped, err := rbm.BitsOf(bits.T())
		if err != nil {
			t.Fatal(err)
		}
		packed := []namedMatrix{{"Slice of Bits", tall.Slice(1, s.n+1)}, {"T of Bits", flipped.T()}, {"custom Bits", opaque{bits}}}
		real := gray(bits, 9)
		for _, f := range everything {
			t.Run(fmt.Sprintf("nv=%d/nh=%d/%s", s.nv, s.nh, f.name), func(t *testing.T) {
				want := f.of(m, bits)
				for _, a := range append(packed, representations(mat.DenseCopyOf(bits))...) {
					checkSame(t, a.name, f.of(m, a.Matrix), want)
				}
				want = f.of(m, real)
				for _, a := range representations(real)[1:] {
					checkSame(t, "gray "+a.name, f.of(m, a.Matrix), want)
				}
				checkSame(t, "views in the model", f.of(stridedModel(m), bits), f.of(m, bits))
			})
		}
	}
}

// bare shows nothing of a Sampler but its method.
type bare struct{ rbm.Sampler }

func TestGradientThroughTheInterfaceAlone(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh, n int }{{5, 4, 3}, {130, 70, 67}, {11, 3, 20}} {
		m := randomModel(s.nv, s.nh, 0.3, 10)
		bits := randomBits(s.n, s.nv, 0.3, 11)
		for _, v := range []namedMatrix{{"bits", bits}, {"gray", gray(bits, 12)}} {
			for _, tt := range []struct {
				name string
				make func() rbm.Sampler
			}{
				{"CD", func() rbm.Sampler { return rbm.NewCD(2, newSource(13)) }},
				{"PCD", func() rbm.Sampler { return rbm.NewPCD(20, 2, newSource(13)) }},
				{"PT", func() rbm.Sampler { return newPT(9, 2, []float64{0, 0.4, 1}, newSource(13)) }},
				{"PTT", func() rbm.Sampler { return rbm.NewPTT(9, 2, nil, newSource(13)) }},
				{"Exact", func() rbm.Sampler { return new(rbm.Exact) }},
			} {
				if tt.name == "Exact" && s.nv > 11 {
					continue
				}
				name := fmt.Sprintf("nv=%d/nh=%d/%s/%s", s.nv, s.nh, tt.name, v.name)
				checkSame(t, name, train(m, v, bare{tt.make()}), train(m, v, tt.make()))
			}
		}
	}
}

func TestReusedDestinations(t *testing.T) {
	const nv, nh = 130, 70
	m := randomModel(nv, nh, 0.3, 14)
	old := []float64{math.NaN(), 1e300}
	var g rbm.Gradient
	for _, n := range []int{50, 7, 64, 1, 200} {
		v, h := randomBits(n, nv, 0.3, uint64(n)), randomBits(n, nh, 0.3, uint64(n))
		vector := func() []float64 { return slices.Repeat(old, n)[:n] }
		matrix := func(c int) *mat.Dense { return mat.NewDense(n, c, slices.Repeat(old, n*c)[:n*c]) }
		for _, tt := range []struct {
			name        string
			reused, new []float64
		}{
			{"Energy", m.Energy(vector(), v, h), m.Energy(nil, v, h)},
			{"FreeEnergy", m.FreeEnergy(vector(), v), m.FreeEnergy(nil, v)},
			{"PseudoLogLikelihood", m.PseudoLogLikelihood(vector(), v), m.PseudoLogLikelihood(nil, v)},
			{"UnitProbs", values(m.UnitProbs(matrix(nv), v)), values(m.UnitProbs(nil, v))},
			{"UnitProbs in a view", values(m.UnitProbs(strided(matrix(nv)), v)), values(m.UnitProbs(&mat.Dense{}, v))},
			{"HiddenProbs", values(m.HiddenProbs(matrix(nh), v)), values(m.HiddenProbs(nil, v))},
			{"HiddenProbs in a view", values(m.HiddenProbs(strided(matrix(nh)), v)), values(m.HiddenProbs(&mat.Dense{}, v))},
			{"VisibleProbs", values(m.VisibleProbs(matrix(nv), h)), values(m.VisibleProbs(nil, h))},
			{"VisibleProbs in a view", values(m.VisibleProbs(strided(matrix(nv)), h)), values(m.VisibleProbs(&mat.Dense{}, h))},
		} {
			checkSame(t, fmt.Sprintf("n=%d %s", n, tt.name), tt.reused, tt.new)
		}

		var fresh rbm.Gradient
		m.Gradient(&fresh, v, rbm.NewCD(1, newSource(15)))
		m.Gradient(&g, v, rbm.NewCD(1, newSource(15)))
		checkSame(t, fmt.Sprintf("n=%d Gradient", n), gradientValues(&g), gradientValues(&fresh))

		m.FreeEnergyGradient(&g, v, nil)
		m.FreeEnergyGradient(&fresh, v, nil)
		checkSame(t, fmt.Sprintf("n=%d FreeEnergyGradient", n), gradientValues(&g), gradientValues(&fresh))
	}
}

func TestDestinationIsReturned(t *testing.T) {
	const nv, nh, n = 5, 4, 3
	m := randomModel(nv, nh, 1, 16)
	v, h := randomBits(n, nv, 0.5, 17), randomBits(n, nh, 0.5, 18)
	x, hp, vp := make([]float64, n), mat.NewDense(n, nh, nil), mat.NewDense(n, nv, nil)
	for _, tt := range []struct {
		name string
		same bool
	}{
		{"Energy", &m.Energy(x, v, h)[0] == &x[0]},
		{"FreeEnergy", &m.FreeEnergy(x, v)[0] == &x[0]},
		{"PseudoLogLikelihood", &m.PseudoLogLikelihood(x, v)[0] == &x[0]},
		{"HiddenProbs", m.HiddenProbs(hp, v) == hp},
		{"VisibleProbs", m.VisibleProbs(vp, h) == vp},
		{"UnitProbs", m.UnitProbs(vp, v) == vp},
	} {
		if !tt.same {
			t.Errorf("%s did not return its destination", tt.name)
		}
	}
}

func TestGradientIntoViews(t *testing.T) {
	const nv, nh, n = 70, 9, 20
	m := randomModel(nv, nh, 1, 19)
	v := randomBits(n, nv, 0.5, 20)
	view, around := surrounded(rbm.New(nv, nh))
	dst := rbm.Gradient{W: view.W, B: view.B, C: view.C}
	var want rbm.Gradient
	m.Gradient(&dst, v, rbm.NewCD(1, newSource(21)))
	m.Gradient(&want, v, rbm.NewCD(1, newSource(21)))
	if dst.W != view.W || dst.B != view.B || dst.C != view.C {
		t.Error("Gradient replaced its destination")
	}
	checkSame(t, "Gradient into views", gradientValues(&dst), gradientValues(&want))
	checkSurroundings(t, nv, nh, around)
}

func TestProbsIntoViews(t *testing.T) {
	const nv, nh, n = 70, 9, 20
	m := randomModel(nv, nh, 1, 22)
	big := mat.NewDense(n+2, nh+7, nil)
	m.HiddenProbs(big.Slice(1, n+1, 3, nh+3).(*mat.Dense), randomBits(n, nv, 0.5, 23))
	positive := 0
	for _, x := range values(big) {
		if x > 0 {
			positive++
		}
	}
	if positive != n*nh {
		t.Errorf("%d values written, want %d", positive, n*nh)
	}
}

func TestArgumentsAreNotChanged(t *testing.T) {
	const nv, nh, n = 70, 9, 20
	m := randomModel(nv, nh, 1, 24)
	before := params(m)
	bits := randomBits(n, nv, 0.5, 25)
	for _, v := range []mat.Matrix{bits, mat.DenseCopyOf(bits), gray(bits, 26)} {
		want := values(v)
		for _, f := range everything {
			f.of(m, v)
			checkSame(t, f.name+": v", values(v), want)
			checkSame(t, f.name+": m", params(m), before)
		}
	}
}

// Readers share one model; every goroutine has its own destination and sampler.
func TestConcurrentReaders(t *testing.T) {
	const nv, nh, n = 130, 12, 67
	m := randomModel(nv, nh, 0.3, 27)
	setProcs(t, 4)
	bits := randomBits(n, nv, 0.3, 28)
	batches := []mat.Matrix{bits, gray(bits, 29)}
	result := func() (x []float64) {
		for _, v := range batches {
			for _, f := range everything {
				x = append(x, f.of(m, v)...)
			}
		}
		return append(x, m.LogPartition())
	}
	want := result()
	var got [4][]float64
	var wg sync.WaitGroup
	for i := range got {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got[i] = result()
		}()
	}
	wg.Wait()
	for i, x := range got {
		checkSame(t, fmt.Sprintf("goroutine %d", i), x, want)
	}
}

func TestNoGoroutineIsLeftBehind(t *testing.T) {
	m := randomModel(200, 11, 0.3, 30)
	v := randomBits(300, 200, 0.3, 31)
	setProcs(t, 4)
	before := runtime.NumGoroutine()
	for range 2 {
		for _, f := range everything {
			f.of(m, v)
		}
		m.LogPartition()
		for range rbm.Minibatches(v, 10, newSource(32)) {
			break
		}
	}
	// A goroutine that has reported its last result may still be about to end.
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, before %d", runtime.NumGoroutine(), before)
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	const nv, nh, n = 784, 64, 100
	m := randomModel(nv, nh, 0.1, 33)
	bits := randomBits(n, nv, 0.2, 34)
	dense, real := mat.DenseCopyOf(bits), gray(bits, 35)
	var g rbm.Gradient
	o := rbm.SGD{Rate: 1e-3, Momentum: 0.5, L2: 1e-4}
	step := func(s rbm.Sampler, batches ...mat.Matrix) func() {
		return func() {
			for _, v := range batches {
				m.Gradient(&g, v, s)
				o.Step(m, &g)
			}
		}
	}
	chains := rbm.NewChains(newSource(37))
	chains.StartRandom(m, n)
	inGroups := m.Clone()
	inGroups.OneHot = []rbm.Group{{From: 60, To: 70}}
	grouped := rbm.NewChains(newSource(37))
	grouped.StartRandom(inGroups, n)
	observed, means := randomBits(n, nv, 0.5, 36), mat.NewDense(n, nv, nil)
	cd := rbm.NewCD(1, newSource(39))
	centering := rbm.Centering{Rate: 0.1}
	sparsity, frozen := rbm.Sparsity{Target: 0.1, Cost: 0.1}, &rbm.Frozen{W: randomBits(nh, nv, 0.01, 43), B: make([]bool, nv)}
	weights := randomWeights(n, 40)
	var part, sum rbm.Phases
	all := rbm.SGD{Rate: 1e-3, Momentum: 0.5, L2: 1e-4, L1: 1e-4, MaxNorm: 2}
	ptt := rbm.NewPTT(10, 2, []*rbm.RBM{rbm.New(nv, 1), m}, newSource(38))
	ptt.MinSwapRate = 0
	c := weighted(classifierOf(m, 10), 1, 0.1, 0.1)
	labels := cycle(n, 10, 4)
	labeled := rbm.NewCD(1, newSource(41))
	pcd := rbm.NewPCD(50, 1, newSource(42))
	var cg rbm.Gradient
	hybrid := func(s rbm.Sampler, v mat.Matrix) func() { return func() { c.Gradient(&cg, v, labels, s) } }
	for _, tt := range []struct {
		name string
		step func()
	}{
		{"CD on Bits", step(rbm.NewCD(1, newSource(36)), bits)},
		{"CD on 0 and 1 in a Dense", step(rbm.NewCD(1, newSource(36)), dense)},
		{"CD on real values", step(rbm.NewCD(1, newSource(36)), real)},
		{"CD on batches of two sizes", step(rbm.NewCD(1, newSource(36)), bits, bits.Slice(0, 30))},
		{"PCD", step(rbm.NewPCD(50, 1, newSource(38)), bits)},
		{"WeightedGradient", func() { m.WeightedGradient(&g, bits, weights, cd) }},
		{"Phases", func() {
			m.Phases(&part, bits, weights, cd)
			sum.Add(&part)
			sum.Gradient(&g)
			sum.Gradient(&g)
			centering.Center(&g)
		}},
		{"SGD with all it has", func() { all.Step(m, &g) }},
		{"Gibbs", func() { chains.Gibbs(m, 2) }},
		{"Gibbs with a group", func() { grouped.Gibbs(inGroups, 2) }},
		{"GibbsGiven", func() { grouped.GibbsGiven(inGroups, 2, observed) }},
		{"MeansGiven", func() { grouped.MeansGiven(means, inGroups, 2, observed) }},
		{"PT", step(newPT(10, 1, []float64{0, 0.4, 1}, newSource(38)), bits)},
		{"PTT", step(ptt, bits)},
		{"Centering", func() { m.Gradient(&g, bits, cd); centering.Center(&g) }},
		{"Sparsity", func() { m.Gradient(&g, bits, cd); sparsity.Penalize(&g); centering.Center(&g) }},
		{"Frozen", func() {
			m.Gradient(&g, bits, cd)
			g.Frozen = frozen
			centering.Center(&g)
			all.Step(m, &g)
			g.Frozen = nil
		}},
		{"Classifier of Bits", hybrid(labeled, bits)},
		{"Classifier of real values", hybrid(labeled, real)},
		{"Classifier with PCD", hybrid(pcd, bits)},
	} {
		tt.step()
		tt.step()
		if got := testing.AllocsPerRun(4, tt.step); got != 0 {
			t.Errorf("%s: %v allocations a step", tt.name, got)
		}
	}
}

// A batch of more rows than are worked off at a time.
func TestRowsOfALongBatch(t *testing.T) {
	t.Parallel()
	const nv, nh, n = 5, 4, 4200
	m := randomModel(nv, nh, 0.3, 60)
	bits := randomBits(n, nv, 0.3, 61)
	for _, v := range []*mat.Dense{mat.DenseCopyOf(bits), gray(bits, 62)} {
		for _, f := range rowwise {
			all := f.of(m, v)
			w := len(all) / n
			for r := 0; r < n; r += 1000 {
				k := min(r+1000, n)
				checkSame(t, fmt.Sprintf("%s of rows [%d, %d)", f.name, r, k), f.of(m, v.Slice(r, k, 0, nv)), all[r*w:k*w])
			}
		}
	}
}
