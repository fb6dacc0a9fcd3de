package rbm_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
)

// Groups are the units [from, to) of each.
type groups [][2]int

// of returns m with the groups.
func (g groups) of(m *rbm.RBM) *rbm.RBM {
	m.OneHot = nil
	for _, g := range g {
		m.OneHot = append(m.OneHot, rbm.Group{From: g[0], To: g[1]})
	}
	return m
}

// allow reports whether exactly one unit of each group is on in configuration x.
func (g groups) allow(x int) bool {
	for _, g := range g {
		if bits.OnesCount(uint(x>>g[0]&(1<<(g[1]-g[0])-1))) != 1 {
			return false
		}
	}
	return true
}

// check fails unless exactly one unit of each group is on in each row.
func (g groups) check(t *testing.T, name string, v *rbm.Bits) {
	t.Helper()
	n, _ := v.Dims()
	for r := range n {
		for _, g := range g {
			on := 0
			for i := g[0]; i < g[1]; i++ {
				on += int(v.At(r, i))
			}
			if on != 1 {
				t.Fatalf("%s: %d units of [%d, %d) are on in row %d, want 1", name, on, g[0], g[1], r)
			}
		}
	}
}

var grouped = []struct {
	nv, nh int
	groups groups
}{
	{3, 2, groups{{0, 3}}},
	{4, 3, groups{{1, 3}}},
	{5, 2, groups{{0, 1}, {2, 5}}},
	{4, 5, groups{{0, 2}, {2, 4}}},
	{2, 3, groups{{1, 2}}},
}

func forGroups(t *testing.T, f func(t *testing.T, m *rbm.RBM, g groups)) {
	for _, s := range grouped {
		t.Run(fmt.Sprintf("nv=%d/nh=%d/groups=%v", s.nv, s.nh, s.groups), func(t *testing.T) {
			f(t, s.groups.of(randomModel(s.nv, s.nh, 1, 2)), s.groups)
		})
	}
}

func TestOneHotTransitions(t *testing.T) {
	t.Parallel()
	const n = 5000
	forGroups(t, func(t *testing.T, m *rbm.RBM, g groups) {
		nv, _ := m.Dims()
		c := rbm.NewChains(newSource(3))
		for _, k := range []int{1, 2} {
			var T mat.Dense
			T.Pow(transitionAmong(m, g.allow), k)
			for x := range 1 << nv {
				if g.allow(x) {
					c.Start(repeat(n, nv, x))
					c.Gibbs(m, k)
					checkFrequencies(t, fmt.Sprintf("%d sweeps from %d", k, x), countRows(c.Visible()), T.RawRowView(x))
				}
			}
		}
	})
}

func TestOneHotKeepsTheDistribution(t *testing.T) {
	t.Parallel()
	const n = 20000
	forGroups(t, func(t *testing.T, m *rbm.RBM, g groups) {
		nv, nh := m.Dims()
		m = g.of(randomModel(nv, nh, 2, 6))
		p := visibleAmong(m, g.allow)
		c := rbm.NewChains(newSource(8))
		c.Start(rowsFrom(p, n, nv, 7))
		for k := range 3 {
			c.Gibbs(m, 1)
			checkFrequencies(t, fmt.Sprintf("sweep %d", k), countRows(c.Visible()), p)
		}
	})
}

func TestOneHotStartRandom(t *testing.T) {
	forGroups(t, func(t *testing.T, m *rbm.RBM, g groups) {
		nv, nh := m.Dims()
		biases := g.of(rbm.New(nv, nh))
		biases.B.CopyVec(m.B)
		c := rbm.NewChains(newSource(9))
		c.StartRandom(m, 10000)
		checkFrequencies(t, "StartRandom", countRows(c.Visible()), visibleAmong(biases, g.allow))
	})
}

// A group across words: all hidden units are on, so that the softmax is known.
func TestOneHotAcrossWords(t *testing.T) {
	t.Parallel()
	const nv, nh, n = 140, 3, 5000
	g := groups{{0, 1}, {2, 60}, {60, 70}, {71, 135}, {139, 140}}
	m := randomModel(nv, nh, 1, 10)
	for j := range nh {
		m.C.SetVec(j, 1e6)
	}
	plain := m
	m = g.of(m.Clone())
	free := rbm.NewChains(newSource(11))
	c := rbm.NewChains(newSource(11))
	free.StartRandom(plain, n)
	c.StartRandom(m, n)
	g.check(t, "StartRandom", c.Visible())
	free.Gibbs(plain, 1)
	c.Gibbs(m, 1)
	g.check(t, "Gibbs", c.Visible())
	for _, i := range []int{1, 70, 135, 136, 137, 138} {
		for r := range n {
			if c.Visible().Bit(r, i) != free.Visible().Bit(r, i) {
				t.Fatalf("unit %d of row %d, which is in no group, differs from that of chains without groups", i, r)
			}
		}
	}
	v := mat.DenseCopyOf(c.Visible())
	for _, g := range g {
		size := g[1] - g[0]
		p, counts := make([]float64, size), make([]float64, size)
		total := 0.0
		for k := range p {
			p[k] = math.Exp(m.B.AtVec(g[0]+k) + mat.Sum(m.W.ColView(g[0]+k)))
			total += p[k]
			counts[k] = mat.Sum(v.ColView(g[0] + k))
		}
		if size > 1 {
			checkFrequencies(t, fmt.Sprintf("group %v", g), counts, scaled(1/total, p))
		}
	}
}

// Two groups of a row, and a group of two rows, are drawn independently.
func TestOneHotGroupsAreIndependent(t *testing.T) {
	t.Parallel()
	const n, nv = 20000, 67
	all := groups{{0, 3}, {3, 6}, {64, 67}}
	c := rbm.NewChains(newSource(12))
	m := all.of(rbm.New(nv, 2))
	c.StartRandom(m, n)
	before := mat.DenseCopyOf(c.Visible())
	c.Gibbs(m, 1)
	third := func(a mat.Matrix, r, g int) int {
		i := all[g][0]
		return slices.Index([]float64{a.At(r, i), a.At(r, i+1), a.At(r, i+2)}, 1)
	}
	uniform := scaled(1.0/9, slices.Repeat([]float64{1}, 9))
	groups, rows, sweeps := make([]float64, 9), make([]float64, 9), make([]float64, 9)
	for r := range n {
		groups[3*third(c.Visible(), r, 0)+third(c.Visible(), r, 2)]++
		sweeps[3*third(c.Visible(), r, 1)+third(before, r, 1)]++
		if r%2 == 1 {
			rows[3*third(c.Visible(), r, 0)+third(c.Visible(), r-1, 0)]++
		}
	}
	checkFrequencies(t, "two groups", groups, uniform)
	checkFrequencies(t, "two rows", rows, uniform)
	checkFrequencies(t, "two sweeps", sweeps, uniform)
}

func TestOneHotComposes(t *testing.T) {
	const nv, nh, n = 130, 70, 200
	m := randomModel(nv, nh, 0.5, 14)
	g := groups{{3, 80}, {81, 130}}
	g.of(m)
	a, b, few := rbm.NewChains(newSource(15)), rbm.NewChains(newSource(15)), rbm.NewChains(newSource(15))
	a.StartRandom(m, n)
	b.StartRandom(m, n)
	few.StartRandom(m, 7)
	a.Gibbs(m, 2)
	a.Gibbs(m, 3)
	b.Gibbs(m, 5)
	few.Gibbs(m, 5)
	if !mat.Equal(a.Visible(), b.Visible()) {
		t.Error("Gibbs(2), Gibbs(3) differs from Gibbs(5)")
	}
	if !mat.Equal(few.Visible(), b.Visible().Slice(0, 7)) {
		t.Errorf("7 chains differ from the first of %d", n)
	}
}

func TestOneHotCD(t *testing.T) {
	t.Parallel()
	const reps = 8000
	forGroups(t, func(t *testing.T, m *rbm.RBM, g groups) {
		nv, nh := m.Dims()
		m = g.of(randomModel(nv, nh, 1.5, 1))
		uniform := visibleAmong(rbm.New(nv, nh), g.allow)
		data := rowsFrom(uniform, 3, nv, 2)
		for _, k := range []int{1, 3} {
			want, stderr := expectedCD(m, data, k, reps, g.allow)
			var got rbm.Gradient
			m.Gradient(&got, repeated(data, reps), &rbm.CD{K: k, Chains: rbm.NewChains(newSource(4))})
			checkExpectation(t, m, gradientValues(&got), want, stderr, 3*reps)
		}
	})
}

// CD is Start and Gibbs, and PCD is StartRandom and Gibbs, with groups too.
func TestOneHotSamplers(t *testing.T) {
	const nv, nh, n = 130, 70, 150
	m := randomModel(nv, nh, 0.5, 33)
	g := groups{{0, 10}, {60, 70}}
	g.of(m)
	source := rbm.NewChains(newSource(34))
	source.StartRandom(m, n)
	data := source.Visible()
	cd, inGradient, chains := &rbm.CD{K: 2, Chains: rbm.NewChains(newSource(35))}, &rbm.CD{K: 2, Chains: rbm.NewChains(newSource(35))}, rbm.NewChains(newSource(35))
	var gradient rbm.Gradient
	for range 2 {
		chains.Start(data)
		chains.Gibbs(m, 2)
		m.Gradient(&gradient, data, inGradient)
		if got, _ := cd.Sample(m, data); !mat.Equal(got, chains.Visible()) {
			t.Error("CD differs from two sweeps from the data")
		}
		if !mat.Equal(inGradient.Chains.Visible(), chains.Visible()) {
			t.Error("CD in Gradient differs from two sweeps from the data")
		}
	}
	g.check(t, "CD", chains.Visible())
	pcd, twin := rbm.NewPCD(n, 2, newSource(36)), rbm.NewChains(newSource(36))
	twin.StartRandom(m, n)
	twin.Gibbs(m, 2)
	if got, _ := pcd.Sample(m, nil); !mat.Equal(got, twin.Visible()) {
		t.Error("PCD differs from StartRandom and Gibbs")
	}
}

func TestOneHotSaturated(t *testing.T) {
	const nv, nh, n = 70, 3, 40
	g := groups{{0, 5}, {60, 68}}
	c := rbm.NewChains(newSource(1))
	m := g.of(saturated(nv, nh, 1e6, 1))
	m.W.Zero()
	m.B.SetVec(2, 2e6)
	m.B.SetVec(66, math.Inf(1))
	m.B.SetVec(67, math.Inf(-1))
	c.StartRandom(m, n)
	for range 3 {
		c.Gibbs(m, 1)
		for r := range n {
			if !c.Visible().Bit(r, 2) || !c.Visible().Bit(r, 66) {
				t.Fatalf("row %d has not the only possible state", r)
			}
		}
		g.check(t, "saturated", c.Visible())
	}
	m.B.SetVec(61, math.NaN())
	m.B.SetVec(66, 3e6)
	c.Gibbs(m, 1)
	for r := range n {
		for i := 60; i < 68; i++ {
			if c.Visible().Bit(r, i) != (i == 60) {
				t.Fatalf("unit %d is %v beside one that is NaN, want the first to be on", i, i != 60)
			}
		}
	}
	g[:1].check(t, "NaN elsewhere", c.Visible())
}

// What is written goes on as what was not, groups included.
func TestOneHotState(t *testing.T) {
	const nv, nh, n = 70, 9, 20
	m := randomModel(nv, nh, 0.5, 1)
	g := groups{{1, 2}, {30, 66}}
	g.of(m)
	chains := rbm.NewChains(newSource(1))
	chains.StartRandom(m, n)
	data := mat.DenseCopyOf(chains.Visible())
	pcd := &rbm.PCD{K: 1, Chains: rbm.NewChains(newSource(2))}
	pcd.Chains.Start(data)
	cd := &rbm.CD{K: 1, Chains: rbm.NewChains(newSource(3))}
	cd.Sample(m, data)
	for _, tt := range []struct {
		name  string
		x, y  state
		visit func(x state) *rbm.Bits
	}{
		{"Chains", chains, rbm.NewChains(newSource(4)), func(x state) *rbm.Bits {
			x.(*rbm.Chains).Gibbs(m, 2)
			return x.(*rbm.Chains).Visible()
		}},
		{"PCD", pcd, &rbm.PCD{K: 1, Chains: rbm.NewChains(newSource(5))}, func(x state) *rbm.Bits {
			v, _ := x.(*rbm.PCD).Sample(m, nil)
			return v.(*rbm.Bits)
		}},
		{"CD", cd, &rbm.CD{K: 1, Chains: rbm.NewChains(newSource(6))}, func(x state) *rbm.Bits {
			v, _ := x.(*rbm.CD).Sample(m, data)
			return v.(*rbm.Bits)
		}},
	} {
		if err := tt.y.UnmarshalBinary(saved(t, tt.x)); err != nil {
			t.Fatal(err)
		}
		got, want := tt.visit(tt.y), tt.visit(tt.x)
		if !mat.Equal(got, want) {
			t.Errorf("%s goes on in another way", tt.name)
		}
		g.check(t, tt.name, got)
		if !bytes.Equal(saved(t, tt.x), saved(t, tt.y)) {
			t.Errorf("%s is written in another way", tt.name)
		}
	}
}

func TestOneHotMisuse(t *testing.T) {
	g := groups{{1, 4}}
	m := g.of(rbm.New(5, 4))
	rows := func(on ...int) *rbm.Bits {
		v := rbm.NewBits(3, 5)
		for r := range 3 {
			v.SetBit(r, 2, true)
		}
		v.SetBit(1, 2, false)
		for _, i := range on {
			v.SetBit(1, i, true)
		}
		return v
	}
	soft := mat.DenseCopyOf(rows(1))
	soft.Set(1, 3, 0.25)
	soft.Set(1, 0, 0.5)
	gibbs := func(v mat.Matrix) func() {
		return func() {
			c := rbm.NewChains(newSource(1))
			c.Start(v)
			c.Gibbs(m, 1)
		}
	}
	dims := func(g groups) func() { return func() { g.of(rbm.New(5, 4)).Dims() } }
	good := rbm.NewBits(3, 5)
	for r := range 3 {
		good.SetBit(r, 1+r, true)
	}
	labels := []float64{1, 1, 1}
	ais := rbm.NewAIS(2, 2, newSource(1))
	var gradient rbm.Gradient
	cd := func() *rbm.CD { return &rbm.CD{K: 1, Chains: rbm.NewChains(newSource(1))} }
	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"negative", dims(groups{{-1, 2}}), []string{"group is [-1, 2)", "at 0"}},
		{"empty", dims(groups{{2, 2}}), []string{"group is [2, 2)", "at least one unit"}},
		{"backwards", dims(groups{{2, 1}}), []string{"group is [2, 1)", "at least one unit"}},
		{"overlap", dims(groups{{0, 3}, {2, 4}}), []string{"group is [2, 4)", "at 3"}},
		{"order", dims(groups{{3, 5}, {0, 2}}), []string{"group is [0, 2)", "at 5"}},
		{"twice", dims(groups{{3, 5}, {3, 5}}), []string{"group is [3, 5)", "at 5"}},
		{"beyond", dims(groups{{3, 6}}), []string{"group is [3, 6)", "5 units"}},
		{"none on", gibbs(rows()), []string{"row 1 of the chains has 0 units on in the group [1, 4), want 1"}},
		{"two on", gibbs(rows(1, 3)), []string{"row 1 of the chains has 2 units on in the group [1, 4), want 1"}},
		{"CD", func() { cd().Sample(m, rows()) }, []string{"row 1 of data has 0 units on"}},
		{"CD soft", func() { cd().Sample(m, soft) }, []string{"data[1, 3] is 0.25, want 0 or 1 in the group [1, 4)"}},
		{"CD in Gradient", func() { m.Gradient(&gradient, rows(1, 3), cd()) }, []string{"row 1 of v has 2 units on"}},
		{"PCD in Gradient", func() { m.Gradient(&gradient, rows(), rbm.NewPCD(3, 1, newSource(1))) }, []string{"row 1 of v has 0 units on"}},
		{"PT in Gradient", func() { m.Gradient(&gradient, rows(), rbm.NewPT(3, 1, 2, newSource(1))) }, []string{"row 1 of v has 0 units on"}},
		{"PTT in Gradient", func() { m.Gradient(&gradient, soft, rbm.NewPTT(3, 1, nil, newSource(1))) }, []string{"v[1, 3] is 0.25"}},
		{"Exact in Gradient", func() { m.Gradient(&gradient, rows(), new(rbm.Exact)) }, []string{"row 1 of v has 0 units on"}},
		{"sample", func() { m.Gradient(&gradient, good, sample{rows(), nil}) }, []string{"row 1 of sample has 0 units on"}},
		{"Phases", func() { m.Phases(new(rbm.Phases), rows(), labels, cd()) }, []string{"row 1 of v has 0 units on"}},
		{"FreeEnergyGradient", func() { m.FreeEnergyGradient(&gradient, rows(), nil) }, []string{"row 1 of v has 0 units on"}},
		{"Energy", func() { m.Energy(nil, rows(), rbm.NewBits(3, 4)) }, []string{"row 1 of v has 0 units on"}},
		{"FreeEnergy", func() { m.FreeEnergy(nil, rows()) }, []string{"row 1 of v has 0 units on"}},
		{"FreeEnergyGap", func() { m.FreeEnergyGap(good, rows(1, 2)) }, []string{"has 2 units on"}},
		{"PseudoLogLikelihood", func() { m.PseudoLogLikelihood(nil, rows()) }, []string{"row 1 of v has 0 units on"}},
		{"UnitProbs", func() { m.UnitProbs(nil, rows()) }, []string{"row 1 of v has 0 units on"}},
		{"FitVisibleBias", func() { m.FitVisibleBias(rows()) }, []string{"row 1 of data has 0 units on"}},
		{"LogProbGiven", func() { m.LogProbGiven(nil, rows(1, 3), nil) }, []string{"row 1 of v has 2 units on"}},
		{"CompletionsGiven", func() { m.CompletionsGiven(rows(1, 3), ones(1, 5)) }, []string{"row 1 of v has 2 units on"}},
		{"Reverse", func() { ais.Reverse(context.Background(), m, rows()) }, []string{"row 1 of start has 0 units on"}},
		{"PTT of other groups", func() { rbm.NewPTT(3, 1, []*rbm.RBM{rbm.New(5, 1)}, newSource(1)).Sample(m, nil) }, []string{"groups [[1, 4)], want []"}},
		{"ladder of other groups", func() { rbm.NewPTT(3, 1, []*rbm.RBM{m, rbm.New(5, 1)}, newSource(1)) }, []string{"models[1] has the groups [], want [[1, 4)]"}},
	} {
		wantPanic(t, tt.name, tt.call, tt.want...)
	}
	mixed := mat.DenseCopyOf(rows(3))
	mixed.Set(1, 0, 0.5)
	if _, err := m.LogLikelihood(context.Background(), rows(), nil); err == nil || !strings.Contains(err.Error(), "row 1 of data has 0 units on in the group [1, 4), want 1") {
		t.Errorf("LogLikelihood: error %v", err)
	}
	for _, v := range []mat.Matrix{rows(), rows(1, 3), soft} {
		if err := m.CheckRows(v); err == nil || !strings.Contains(err.Error(), "in the group [1, 4)") {
			t.Errorf("CheckRows: error %v", err)
		}
	}
	if err := m.CheckRows(good); err != nil {
		t.Error(err)
	}
	c := rbm.NewChains(newSource(1))
	c.Start(mixed)
	g.check(t, "Start on real values elsewhere", c.Visible())
}

// agreeing returns which configurations agree with row r of v where it is observed, and
// have one unit of each group on.
func agreeing(g groups, v, observed mat.Matrix, r int) func(x int) bool {
	_, nv := v.Dims()
	return func(x int) bool {
		for i := range nv {
			if observed.At(r, i) == 1 && v.At(r, i) != float64(x>>i&1) {
				return false
			}
		}
		return g.allow(x)
	}
}

// givens are masks and observed states, among groups or not.
var givens = []struct {
	nv, nh   int
	groups   groups
	v        []float64
	observed []float64
}{
	{4, 3, nil, []float64{1, 0, 0, 1}, []float64{1, 1, 0, 0}},
	{5, 2, nil, []float64{0, 1, 0, 0, 1}, []float64{0, 1, 0, 0, 1}},
	{3, 4, nil, []float64{0, 1, 1}, []float64{0, 0, 0}},
	{5, 3, groups{{1, 4}}, []float64{1, 0, 0, 1, 0}, []float64{1, 0, 1, 0, 0}}, // one that is off
	{5, 3, groups{{1, 4}}, []float64{1, 0, 1, 0, 0}, []float64{0, 0, 1, 0, 0}}, // the one that is on
	{6, 2, groups{{0, 3}, {3, 6}}, []float64{0, 0, 1, 0, 1, 0}, []float64{1, 1, 0, 0, 0, 0}},
	{4, 3, groups{{0, 3}}, []float64{0, 1, 0, 1}, []float64{1, 1, 1, 0}},
}

func forGivens(t *testing.T, f func(t *testing.T, m *rbm.RBM, g groups, v, observed *rbm.Bits)) {
	for _, s := range givens {
		t.Run(fmt.Sprintf("nv=%d/groups=%v/v=%v/observed=%v", s.nv, s.groups, s.v, s.observed), func(t *testing.T) {
			f(t, s.groups.of(randomModel(s.nv, s.nh, 1.5, 2)), s.groups, bitsOf(t, s.nv, s.v), bitsOf(t, s.nv, s.observed))
		})
	}
}

// bitsOf returns the values as bits, c in a row.
func bitsOf(t testing.TB, c int, x []float64) *rbm.Bits {
	t.Helper()
	b, err := rbm.BitsOf(mat.NewDense(len(x)/c, c, x))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGibbsGivenTransitions(t *testing.T) {
	t.Parallel()
	const n = 5000
	forGivens(t, func(t *testing.T, m *rbm.RBM, g groups, v, observed *rbm.Bits) {
		nv, nh := m.Dims()
		allowed := agreeing(g, v, observed, 0)
		for _, k := range []int{1, 2} {
			var T mat.Dense
			T.Pow(transitionAmong(m, allowed), k)
			for x := range 1 << nv {
				if allowed(x) {
					c := rbm.NewChains(newSource(uint64(3 + x)))
					c.Start(repeat(n, nv, x))
					c.GibbsGiven(m, k, observed)
					checkFrequencies(t, fmt.Sprintf("%d sweeps from %d", k, x), countRows(c.Visible()), T.RawRowView(x))
				}
			}
		}
		c := rbm.NewChains(newSource(4))
		biases := g.of(rbm.New(nv, nh))
		biases.B.CopyVec(m.B)
		c.StartGiven(m, repeated(v, n), observed)
		checkFrequencies(t, "StartGiven", countRows(c.Visible()), visibleAmong(biases, allowed))
		p := visibleAmong(m, allowed)
		c.Start(rowsFrom(p, 10000, nv, 7))
		for k := range 3 {
			c.GibbsGiven(m, 1, observed)
			checkFrequencies(t, fmt.Sprintf("stationary, sweep %d", k), countRows(c.Visible()), p)
		}
	})
}

// The expected mean over k sweeps is that of the distributions after each, and its spread
// shows in the chains.
func TestMeansGiven(t *testing.T) {
	t.Parallel()
	const n, k = 4000, 3
	forGivens(t, func(t *testing.T, m *rbm.RBM, g groups, v, observed *rbm.Bits) {
		nv, _ := m.Dims()
		allowed := agreeing(g, v, observed, 0)
		T, vs := transitionAmong(m, allowed), configs(nv)
		for x := range 1 << nv {
			if !allowed(x) {
				continue
			}
			want := make([]float64, nv)
			var power mat.Dense
			power.CloneFrom(T)
			for range k {
				for y := range 1 << nv {
					for i := range nv {
						want[i] += power.At(x, y) * vs.At(y, i) / k
					}
				}
				power.Mul(&power, T)
			}
			c, twin := rbm.NewChains(newSource(5)), rbm.NewChains(newSource(5))
			c.Start(repeat(n, nv, x))
			twin.Start(c.Visible())
			got := c.MeansGiven(nil, m, k, observed)
			twin.GibbsGiven(m, k, observed)
			if !mat.Equal(c.Visible(), twin.Visible()) {
				t.Error("MeansGiven moves the chains in another way than GibbsGiven")
			}
			for i := range nv {
				mean, std := meanStd(mat.Col(nil, i, got))
				checkNear(t, fmt.Sprintf("mean of unit %d from %d", i, x), mean, want[i], 4.5*std/math.Sqrt(n)+1e-12)
				if observed.Bit(0, i) && (mean != v.At(0, i) || std != 0) {
					t.Errorf("unit %d, which is observed, has mean %v and deviation %v, want %v and 0", i, mean, std, v.At(0, i))
				}
				if p := want[i]; !observed.Bit(0, i) && p > 1e-9 && p < 1-1e-9 && std > 0.95*math.Sqrt(p*(1-p)) {
					t.Errorf("unit %d has deviation %v, as much as bits", i, std)
				}
			}
		}
	})
}

func meanStd(x []float64) (mean, std float64) {
	mean = meanOf(x)
	for _, x := range x {
		std += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(std / float64(len(x)))
}

func TestGibbsGivenComposes(t *testing.T) {
	const nv, nh, n = 140, 70, 150
	m := randomModel(nv, nh, 0.5, 1)
	v := randomBits(n, nv, 0.5, 2)
	all := ones(n, nv)
	for _, g := range []groups{nil, {{0, 1}, {50, 130}}} {
		g.of(m)
		source := rbm.NewChains(newSource(3))
		source.StartRandom(m, n)
		if g != nil {
			v = source.Visible()
		}
		observed := randomBits(n, nv, 0.6, 4)
		start := func() *rbm.Chains {
			c := rbm.NewChains(newSource(5))
			c.StartGiven(m, v, observed)
			return c
		}
		check := func(name string, c *rbm.Chains, want mat.Matrix) {
			t.Helper()
			if !mat.Equal(c.Visible(), want) {
				t.Errorf("%s, groups %v: the states differ", name, g)
			}
		}
		a, b := start(), start()
		a.GibbsGiven(m, 2, observed)
		a.GibbsGiven(m, 3, observed)
		b.GibbsGiven(m, 5, observed)
		check("2 sweeps and 3", a, b.Visible())
		g.check(t, "GibbsGiven", b.Visible())
		moved := 0
		for r := range n {
			for i := range nv {
				if b.Visible().Bit(r, i) != v.Bit(r, i) {
					moved++
					if observed.Bit(r, i) {
						t.Fatalf("observed unit %d of row %d has moved", i, r)
					}
				}
			}
		}
		if moved == 0 {
			t.Error("no unit has moved")
		}

		before := mat.DenseCopyOf(a.Visible())
		a.GibbsGiven(m, 2, all)
		check("all observed", a, before)
		a.GibbsGiven(m, 2, ones(1, nv))
		check("all observed, one row", a, before)

		want, none := start(), start()
		want.Gibbs(m, 2)
		none.GibbsGiven(m, 2, nil)
		check("nil", none, want.Visible())
		none = start()
		none.GibbsGiven(m, 2, rbm.NewBits(n, nv))
		check("nothing observed", none, want.Visible())
		none = start()
		none.MeansGiven(nil, m, 2, rbm.NewBits(1, nv))
		check("nothing observed, one row", none, want.Visible())
		want.Gibbs(m, 1)
		none.Gibbs(m, 1)
		check("Gibbs after GibbsGiven", none, want.Visible())

		one, many := start(), start()
		row := randomBits(1, nv, 0.5, 6)
		many.GibbsGiven(m, 2, gathered(row, n))
		one.GibbsGiven(m, 2, row)
		check("one row for all", one, many.Visible())

		few := rbm.NewChains(newSource(5))
		few.StartGiven(m, v.Slice(0, 7), observed.Slice(0, 7))
		few.GibbsGiven(m, 5, observed.Slice(0, 7))
		check("the first 7 rows", few, b.Visible().Slice(0, 7))

		random, given := rbm.NewChains(newSource(5)), rbm.NewChains(newSource(5))
		random.StartRandom(m, n)
		given.StartGiven(m, v, nil)
		check("StartGiven of nothing", given, random.Visible())
		given = rbm.NewChains(newSource(5))
		given.StartGiven(m, v, rbm.NewBits(1, nv))
		check("StartGiven of a row of nothing", given, random.Visible())
		given.StartGiven(m, v, all)
		check("StartGiven of everything", given, v)
		if g == nil {
			real := gray(v, 7)
			started := rbm.NewChains(newSource(6))
			started.Start(real)
			given := rbm.NewChains(newSource(6))
			given.StartGiven(m, real, all)
			check("StartGiven of real values", given, started.Visible())
		}
	}
}

// gathered returns n rows that are all the first of b.
func gathered(b *rbm.Bits, n int) *rbm.Bits { return b.Gather(nil, make([]int, n)) }

// What stands in the place of missing values does not matter.
func TestStartGivenDoesNotReadTheMissing(t *testing.T) {
	const nv, nh, n = 70, 9, 40
	m := randomModel(nv, nh, 1, 1)
	v, observed := randomBits(n, nv, 0.5, 2), randomBits(n, nv, 0.5, 3)
	nan := mat.DenseCopyOf(v)
	for r := range n {
		for i := range nv {
			if !observed.Bit(r, i) {
				nan.Set(r, i, []float64{math.NaN(), 7, math.Inf(1), -1}[(r+i)%4])
			}
		}
	}
	want := rbm.NewChains(newSource(4))
	want.StartGiven(m, v, observed)
	for _, a := range representations(nan) {
		c := rbm.NewChains(newSource(4))
		c.StartGiven(m, a.Matrix, observed)
		if !mat.Equal(c.Visible(), want.Visible()) {
			t.Errorf("%s: states differ", a.name)
		}
	}
	want.StartGiven(m, want.Visible(), ones(1, nv))
	before := mat.DenseCopyOf(want.Visible())
	want.StartGiven(m, want.Visible(), ones(n, nv))
	if !mat.Equal(want.Visible(), before) {
		t.Error("StartGiven from the chains' own states lost them")
	}
}

// Rows of some blocks, of which the last alone misses its group.
func TestStartGivenOfManyRows(t *testing.T) {
	const nv, n = 6, 4500
	m := randomModel(nv, 3, 1, 1)
	g := groups{{1, 4}}
	g.of(m)
	v, observed := rbm.NewBits(n, nv), ones(n, nv)
	for r := range n - 1 {
		v.SetBit(r, 1+r%3, true)
	}
	for i := range nv {
		observed.SetBit(n-1, i, false)
	}
	c := rbm.NewChains(newSource(2))
	c.StartGiven(m, v, observed)
	if !mat.Equal(c.Visible().Slice(0, n-1), v.Slice(0, n-1)) {
		t.Error("observed units have moved")
	}
	g.check(t, "StartGiven", c.Visible())
	observed.SetBit(n-1, 3, true)
	v.SetBit(n-1, 3, true)
	observed.SetBit(n-1, 2, true)
	v.SetBit(n-1, 2, true)
	wantPanic(t, "two on", func() { c.StartGiven(m, v, observed) }, "row 4499 of v has 2 units on in the group [1, 4)")
}

func TestGivenNaN(t *testing.T) {
	const nv, nh, n = 5, 3, 4
	observed := bitsOf(t, nv, []float64{1, 0, 1, 0, 0})
	for _, g := range []groups{nil, {{3, 5}}} {
		for p := range params(rbm.New(nv, nh)) {
			m := g.of(randomModel(nv, nh, 1, 1))
			x := params(m)
			x[p] = math.NaN()
			setParams(m, x)
			c := rbm.NewChains(newSource(1))
			c.StartGiven(m, rbm.NewBits(n, nv), observed)
			got := c.MeansGiven(nil, m, 2, observed)
			for i := range nv {
				if x := got.At(2, i); math.IsNaN(x) == observed.Bit(0, i) {
					t.Errorf("%s is NaN: mean of unit %d = %v, observed %v", paramName(m, p), i, x, observed.Bit(0, i))
				}
			}
		}
	}
}

func TestGivenMisuse(t *testing.T) {
	m := rbm.New(5, 4)
	c := rbm.NewChains(newSource(1))
	c.StartRandom(m, 3)
	grouped := groups{{1, 4}}.of(rbm.New(5, 4))
	rows := func(x ...float64) *rbm.Bits { return bitsOf(t, 5, x) }
	bad := mat.NewDense(2, 5, nil)
	bad.Set(1, 3, math.NaN())
	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"GibbsGiven rows", func() { c.GibbsGiven(m, 1, rbm.NewBits(2, 5)) }, []string{"observed is 2×5, want 3×5 or 1×5"}},
		{"GibbsGiven columns", func() { c.GibbsGiven(m, 1, rbm.NewBits(3, 4)) }, []string{"observed is 3×4, want 3×5 or 1×5"}},
		{"GibbsGiven empty", func() { c.GibbsGiven(m, 1, &rbm.Bits{}) }, []string{"observed is 0×0"}},
		{"GibbsGiven k", func() { c.GibbsGiven(m, 0, nil) }, []string{"k is 0"}},
		{"GibbsGiven model", func() { c.GibbsGiven(rbm.New(6, 4), 1, nil) }, []string{"3×5", "6"}},
		{"GibbsGiven before a start", func() { rbm.NewChains(newSource(1)).GibbsGiven(m, 1, nil) }, []string{"started"}},
		{"MeansGiven before a start", func() { rbm.NewChains(newSource(1)).MeansGiven(nil, m, 1, nil) }, []string{"started"}},
		{"MeansGiven k", func() { c.MeansGiven(nil, m, -1, nil) }, []string{"k is -1"}},
		{"MeansGiven dst", func() { c.MeansGiven(mat.NewDense(3, 4, nil), m, 1, nil) }, []string{"dst is 3×4, want 3×5"}},
		{"MeansGiven observed", func() { c.MeansGiven(nil, m, 1, rbm.NewBits(4, 5)) }, []string{"observed is 4×5, want 3×5 or 1×5"}},
		{"StartGiven v", func() { c.StartGiven(m, rbm.NewBits(2, 4), nil) }, []string{"v is 2×4, want n×5"}},
		{"StartGiven observed", func() { c.StartGiven(m, rbm.NewBits(2, 5), rbm.NewBits(3, 5)) }, []string{"observed is 3×5, want 2×5 or 1×5"}},
		{"StartGiven nil", func() { c.StartGiven(m, nil, nil) }, []string{"v is nil"}},
		{"StartGiven value", func() { c.StartGiven(m, bad, ones(1, 5)) }, []string{"v[1, 3] is NaN"}},
		{"two on", func() { rbm.NewChains(newSource(1)).StartGiven(grouped, rows(0, 1, 1, 0, 0), rows(0, 1, 1, 0, 0)) }, []string{"row 0 of v has 2 units on in the group [1, 4), want 1"}},
		{"all off", func() { rbm.NewChains(newSource(1)).StartGiven(grouped, rbm.NewBits(1, 5), rows(0, 1, 1, 1, 0)) }, []string{"row 0 of v has 0 units on in the group [1, 4), want 1"}},
		{"GibbsGiven of others", func() {
			c := rbm.NewChains(newSource(1))
			c.Start(rbm.NewBits(2, 5))
			c.GibbsGiven(grouped, 1, nil)
		}, []string{"row 0 of the chains has 0 units on in the group [1, 4)"}},
	} {
		wantPanic(t, tt.name, tt.call, tt.want...)
	}
	before := mat.DenseCopyOf(c.Visible())
	c.GibbsGiven(m, 1, ones(1, 5))
	if !mat.Equal(c.Visible(), before) {
		t.Error("a call that panicked has left a trace")
	}
	c.Gibbs(m, 2)
	if mat.Equal(c.Visible(), before) {
		t.Error("units stay observed after the call")
	}
}
