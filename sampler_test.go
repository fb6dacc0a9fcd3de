package rbm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

func newSource(seed uint64) rand.Source { return rand.NewPCG(seed, 0x9e3779b97f4a7c15) }

// countingSource counts how often it is read.
type countingSource struct {
	rand.Source
	reads int
}

func (s *countingSource) Uint64() uint64 {
	s.reads++
	return s.Source.Uint64()
}

// repeat returns n rows that all hold configuration x.
func repeat(n, nv, x int) *rbm.Bits {
	b := rbm.NewBits(n, nv)
	for r := range n {
		for i := range nv {
			b.SetBit(r, i, x>>i&1 == 1)
		}
	}
	return b
}

// configuration returns the x with which row r of b is row x of configs.
func configuration(b mat.Matrix, r int) int {
	_, nv := b.Dims()
	x := 0
	for i := range nv {
		x |= int(b.At(r, i)) << i
	}
	return x
}

func countRows(b mat.Matrix) []float64 {
	n, nv := b.Dims()
	counts := make([]float64, 1<<nv)
	for r := range n {
		counts[configuration(b, r)]++
	}
	return counts
}

// checkFrequencies fails if Pearson's statistic of counts lies above its 1-1e-4 quantile under p,
// cells that expect fewer than five counts taken as one.
func checkFrequencies(t *testing.T, name string, counts, p []float64) {
	t.Helper()
	var n, rest, restWant, stat float64
	for _, k := range counts {
		n += k
	}
	cells := 0
	for x, k := range counts {
		want := n * p[x]
		if want < 5 {
			rest += k
			restWant += want
			continue
		}
		stat += (k - want) * (k - want) / want
		cells++
	}
	if restWant >= 1 {
		stat += (rest - restWant) * (rest - restWant) / restWant
		cells++
	} else if rest > 8 {
		t.Errorf("%s: %v draws where %.2g are expected", name, rest, restWant)
	}
	if cells < 2 {
		t.Fatalf("%s: %d cells test nothing", name, cells)
	}
	if limit := (distuv.ChiSquared{K: float64(cells - 1)}).Quantile(1 - 1e-4); stat > limit {
		t.Errorf("%s: chi-square = %.1f over %d cells, want < %.1f\ncounts   %v\nexpected %.1f", name, stat, cells, limit, counts, scaled(n, p))
	}
}

func scaled(f float64, p []float64) []float64 {
	q := make([]float64, len(p))
	for i, x := range p {
		q[i] = f * x
	}
	return q
}

// checkMean fails if k successes in n draws of probability p lie 4.5 standard errors away.
func checkMean(t *testing.T, name string, k, n, p float64) {
	t.Helper()
	if z := (k - n*p) / math.Sqrt(n*p*(1-p)); !(math.Abs(z) < 4.5) {
		t.Errorf("%s: %v of %v draws, want %v: %.1f standard errors", name, k, n, n*p, z)
	}
}

// rowsFrom returns n rows drawn from p, which is over the rows of configs(nv).
func rowsFrom(p []float64, n, nv int, seed uint64) *rbm.Bits {
	dist := distuv.NewCategorical(p, newSource(seed))
	v := rbm.NewBits(n, nv)
	for r := range n {
		x := int(dist.Rand())
		for i := range nv {
			v.SetBit(r, i, x>>i&1 == 1)
		}
	}
	return v
}

func agreements(a, b mat.Matrix) (k float64) {
	n, nv := a.Dims()
	for r := range n {
		for i := range nv {
			if a.At(r, i) == b.At(r, i) {
				k++
			}
		}
	}
	return k
}

func TestTransitionIsStationary(t *testing.T) {
	t.Parallel()
	forShapes(t, func(t *testing.T, nv, nh int) {
		m := randomModel(nv, nh, 1, 1)
		p := mat.NewVecDense(1<<nv, naiveVisible(m))
		T := transition(m)
		var next mat.VecDense
		next.MulVec(T.T(), p)
		for x := range p.Len() {
			if d := math.Abs(next.AtVec(x) - p.AtVec(x)); !(d < 1e-14) {
				t.Errorf("πT[%d] = %v, π[%d] = %v", x, next.AtVec(x), x, p.AtVec(x))
			}
			for y := range x {
				forth, back := p.AtVec(x)*T.At(x, y), p.AtVec(y)*T.At(y, x)
				if d := math.Abs(forth - back); !(d < 1e-14) {
					t.Errorf("π[%d]T[%d,%d] = %v, π[%d]T[%d,%d] = %v", x, x, y, forth, y, y, x, back)
				}
			}
		}
	})
}

// A sampler that never moves is stationary too: the transitions themselves must be right.
func TestGibbsTransitions(t *testing.T) {
	t.Parallel()
	const n = 10000
	for _, s := range []struct{ nv, nh int }{{2, 3}, {3, 2}, {1, 4}, {4, 1}} {
		for _, k := range []int{1, 2} {
			t.Run(fmt.Sprintf("nv=%d/nh=%d/k=%d", s.nv, s.nh, k), func(t *testing.T) {
				m := randomModel(s.nv, s.nh, 1, 2)
				var T mat.Dense
				T.Pow(transition(m), k)
				c := rbm.NewChains(newSource(3))
				for x := range 1 << s.nv {
					c.Start(repeat(n, s.nv, x))
					c.Gibbs(m, k)
					checkFrequencies(t, fmt.Sprintf("from %d", x), countRows(c.Visible()), T.RawRowView(x))
				}
			})
		}
	}
}

func TestGibbsLongRun(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ nv, nh int }{{5, 4}, {3, 5}} {
		t.Run(fmt.Sprintf("nv=%d/nh=%d", s.nv, s.nh), func(t *testing.T) {
			m := randomModel(s.nv, s.nh, 0.7, 4)
			c := rbm.NewChains(newSource(5))
			c.StartRandom(m, 10000)
			c.Gibbs(m, 50)
			checkFrequencies(t, "after 50 sweeps", countRows(c.Visible()), naiveVisible(m))
		})
	}
}

func TestGibbsKeepsTheModelDistribution(t *testing.T) {
	const n, nv, nh = 20000, 4, 3
	m := randomModel(nv, nh, 2, 6)
	p := naiveVisible(m)
	c := rbm.NewChains(newSource(8))
	c.Start(rowsFrom(p, n, nv, 7))
	for k := range 3 {
		c.Gibbs(m, 1)
		checkFrequencies(t, fmt.Sprintf("sweep %d", k), countRows(c.Visible()), p)
	}
}

// Two chains from one state move as the product of their transitions, near each other or not.
func TestChainsAreIndependent(t *testing.T) {
	const n, nv, nh = 16384, 2, 3
	m := randomModel(nv, nh, 1, 9)
	row := transition(m).RawRowView(1)
	var p []float64
	for _, a := range row {
		p = append(p, scaled(a, row)...)
	}
	c := rbm.NewChains(newSource(10))
	c.Start(repeat(n, nv, 1))
	c.Gibbs(m, 1)
	for _, apart := range []int{1, 2, 4, 64, 4096, n / 2} {
		counts := make([]float64, len(p))
		for r := range n {
			if r&apart == 0 {
				counts[configuration(c.Visible(), r)<<nv|configuration(c.Visible(), r|apart)]++
			}
		}
		checkFrequencies(t, fmt.Sprintf("%d rows apart", apart), counts, p)
	}
}

func TestUnitsAreIndependent(t *testing.T) {
	t.Parallel()
	const n, nv, nh = 2000, 130, 3
	m := rbm.New(nv, nh)
	half := mat.NewDense(n, nv, nil)
	half.Apply(func(_, _ int, _ float64) float64 { return 0.5 }, half)
	c := rbm.NewChains(newSource(11))
	for _, tt := range []struct {
		name string
		step func()
	}{
		{"Start", func() { c.Start(half) }},
		{"StartRandom", func() { c.StartRandom(m, n) }},
		{"Gibbs", func() { c.Gibbs(m, 1) }},
	} {
		tt.step()
		var both mat.Dense // in how many rows units i and j are on
		v := mat.DenseCopyOf(c.Visible())
		both.Mul(v.T(), v)
		for i := range nv {
			on := both.At(i, i)
			checkMean(t, fmt.Sprintf("%s: unit %d", tt.name, i), on, n, 0.5)
			for j := range i {
				k := n - on - both.At(j, j) + 2*both.At(i, j) // rows in which they agree
				if z := (k - n/2) / math.Sqrt(n/4); !(math.Abs(z) < 5.5) {
					t.Errorf("%s: units %d and %d agree in %v of %d rows: %.1f standard errors", tt.name, i, j, k, n, z)
				}
			}
		}
	}
}

func TestSweepsAreIndependent(t *testing.T) {
	const n, nv, nh = 200, 130, 3
	m := rbm.New(nv, nh)
	c := rbm.NewChains(newSource(12))
	start := randomBits(n, nv, 0.5, 13)
	c.Start(start)
	var past []*mat.Dense
	for _, step := range []func(){
		func() { c.Gibbs(m, 1) },
		func() { c.Gibbs(m, 1) },
		func() { c.Gibbs(m, 2) },
		func() { c.Start(start); c.Gibbs(m, 1) },
		func() { c.Start(start); c.Gibbs(m, 1) },
		func() { c.StartRandom(m, n) },
		func() { c.StartRandom(m, n) },
	} {
		step()
		for i, v := range past {
			checkMean(t, fmt.Sprintf("steps %d and %d agree", i, len(past)), agreements(v, c.Visible()), n*nv, 0.5)
		}
		past = append(past, mat.DenseCopyOf(c.Visible()))
	}
}

func TestGibbsComposes(t *testing.T) {
	for _, s := range []struct{ nv, nh, n int }{{3, 2, 1}, {2, 5, 3}, {64, 65, 2}, {130, 70, 100}, {70, 130, 33}} {
		t.Run(fmt.Sprintf("nv=%d/nh=%d/n=%d", s.nv, s.nh, s.n), func(t *testing.T) {
			m := randomModel(s.nv, s.nh, 0.5, 14)
			a, b := rbm.NewChains(newSource(15)), rbm.NewChains(newSource(15))
			a.StartRandom(m, s.n)
			b.StartRandom(m, s.n)
			a.Gibbs(m, 2)
			a.Gibbs(m, 3)
			b.Gibbs(m, 5)
			if !mat.Equal(a.Visible(), b.Visible()) {
				t.Errorf("Gibbs(2), Gibbs(3) differs from Gibbs(5)")
			}
			a.Gibbs(m, 1)
			if s.nv > 60 && mat.Equal(a.Visible(), b.Visible()) {
				t.Errorf("a sixth sweep changed nothing")
			}
		})
	}
}

func TestChainsDependOnTheSeed(t *testing.T) {
	m := randomModel(130, 70, 0.5, 16)
	run := func(src rand.Source) *rbm.Bits {
		c := rbm.NewChains(src)
		c.StartRandom(m, 5)
		c.Gibbs(m, 2)
		return c.Visible()
	}
	first := run(newSource(1))
	if !mat.Equal(first, run(newSource(1))) {
		t.Error("the same seed gave other chains")
	}
	if mat.Equal(first, run(newSource(2))) {
		t.Error("another seed gave the same chains")
	}
}

func TestChainDoesNotDependOnOtherRows(t *testing.T) {
	const nv, nh = 130, 70
	m := randomModel(nv, nh, 0.5, 17)
	bits := mat.DenseCopyOf(randomBits(100, nv, 0.3, 18))
	var gray mat.Dense
	gray.Apply(func(i, j int, x float64) float64 { return (x + float64((i+j)%3)) / 4 }, bits)
	for _, tt := range []struct {
		name  string
		start func(c *rbm.Chains, n int)
	}{
		{"bits", func(c *rbm.Chains, n int) { c.Start(bits.Slice(0, n, 0, nv)) }},
		{"gray", func(c *rbm.Chains, n int) { c.Start(gray.Slice(0, n, 0, nv)) }},
		{"random", func(c *rbm.Chains, n int) { c.StartRandom(m, n) }},
	} {
		all := rbm.NewChains(newSource(19))
		tt.start(all, 100)
		for _, n := range []int{1, 7, 64} {
			few := rbm.NewChains(newSource(19))
			tt.start(few, n)
			for k := range 4 {
				if k > 0 {
					few.Gibbs(m, k)
				}
				if want := chainAfter(m, tt.start, k*(k+1)/2); !mat.Equal(few.Visible(), want.Slice(0, n)) {
					t.Fatalf("%s: %d chains differ from the first of 100 after %d sweeps", tt.name, n, k*(k+1)/2)
				}
			}
		}
	}
}

func chainAfter(m *rbm.RBM, start func(*rbm.Chains, int), k int) *rbm.Bits {
	c := rbm.NewChains(newSource(19))
	start(c, 100)
	if k > 0 {
		c.Gibbs(m, k)
	}
	return c.Visible()
}

func TestStartKeepsBits(t *testing.T) {
	m := randomModel(65, 3, 0.5, 20)
	v := randomBits(9, 65, 0.5, 21)
	want := rbm.NewChains(newSource(22))
	want.Start(v)
	if !mat.Equal(want.Visible(), v) {
		t.Fatal("Visible after Start differs from the data")
	}
	want.Gibbs(m, 3)
	if mat.Equal(want.Visible(), v) {
		t.Fatal("Gibbs did not move")
	}
	for _, a := range representations(mat.DenseCopyOf(v)) {
		c := rbm.NewChains(newSource(22))
		c.Start(a.Matrix)
		if !mat.Equal(c.Visible(), v) {
			t.Errorf("%s: Visible after Start differs from the data", a.name)
		}
		c.Gibbs(m, 3)
		if !mat.Equal(c.Visible(), want.Visible()) {
			t.Errorf("%s: chains differ from those started on Bits", a.name)
		}
	}
}

func TestStartDoesNotHoldItsArgument(t *testing.T) {
	v := ones(3, 65)
	c := rbm.NewChains(newSource(23))
	c.Start(v)
	v.SetBit(1, 64, false)
	if !mat.Equal(c.Visible(), ones(3, 65)) {
		t.Error("a change of the data after Start reached the chains")
	}
	c.Gibbs(randomModel(65, 2, 1, 24), 1)
	v.SetBit(1, 64, true)
	if !mat.Equal(v, ones(3, 65)) {
		t.Error("Gibbs changed the data")
	}
}

func TestStartDrawsRealValues(t *testing.T) {
	const n = 20000
	p := []float64{0, 0.001, 0.1, 0.5, 0.75, 0.999, 1}
	v := repeated(mat.NewDense(1, len(p), p), n)
	c := rbm.NewChains(newSource(25))
	c.Start(v)
	first := mat.DenseCopyOf(c.Visible())
	c.Start(v)
	for i, p := range p {
		if p == 0 || p == 1 {
			if got := mat.Sum(first.ColView(i)); got != n*p {
				t.Errorf("p = %v: %v of %d draws are 1", p, got, n)
			}
			continue
		}
		checkMean(t, fmt.Sprintf("p = %v", p), mat.Sum(first.ColView(i)), n, p)
		checkMean(t, fmt.Sprintf("p = %v, two starts agree", p),
			agreements(first.ColView(i), mat.DenseCopyOf(c.Visible()).ColView(i)), n, p*p+(1-p)*(1-p))
	}
}

func TestStartRandom(t *testing.T) {
	for _, nv := range widths {
		m := rbm.New(nv, 2)
		c := rbm.NewChains(newSource(26))
		c.StartRandom(m, 7)
		if r, cols := c.Visible().Dims(); r != 7 || cols != nv {
			t.Errorf("StartRandom(m, 7) with nv = %d made %d×%d states", nv, r, cols)
		}
		c.Gibbs(m, 1)
		if r, cols := c.Visible().Dims(); r != 7 || cols != nv {
			t.Errorf("after Gibbs with nv = %d the states are %d×%d", nv, r, cols)
		}
	}
}

// Chains that are more than a block have states all the same.
func TestStartRandomOfManyChains(t *testing.T) {
	const nv, n = 70, 2*4096 + 3
	m := rbm.New(nv, 1)
	for i := range nv {
		m.B.SetVec(i, 40) // p is 1 to a precision of 2⁻³²
	}
	m.OneHot = []rbm.Group{{From: 3, To: 5}}
	c := rbm.NewChains(newSource(1))
	c.StartRandom(m, n)
	v := c.Visible()
	for r := range n {
		for i := range nv {
			if want := i != 3 && i != 4; v.Bit(r, i) != want && (want || v.Bit(r, 3) == v.Bit(r, 4)) {
				t.Fatalf("chain %d has unit %d as %t", r, i, v.Bit(r, i))
			}
		}
	}
}

func TestStartRandomDrawsFromTheVisibleBiases(t *testing.T) {
	const nv, nh, n = 5, 3, 20000
	m := randomModel(nv, nh, 1, 46)
	c := rbm.NewChains(newSource(47))
	c.StartRandom(m, n)
	for i := range nv {
		k := mat.Sum(mat.DenseCopyOf(c.Visible()).ColView(i))
		checkMean(t, fmt.Sprintf("unit %d", i), k, n, 1/(1+math.Exp(-m.B.AtVec(i))))
	}
}

func TestRestart(t *testing.T) {
	const nv, nh = 130, 70
	m := randomModel(nv, nh, 0.5, 48)
	v := randomBits(50, nv, 0.5, 49)
	run := func(sizes ...int) *rbm.Bits {
		c := rbm.NewChains(newSource(50))
		for _, n := range sizes {
			c.Start(v.Slice(0, n))
			c.Gibbs(m, 2)
		}
		return c.Visible()
	}
	want := run(5, 5, 5)
	for _, got := range []*rbm.Bits{run(50, 5, 5), run(1, 50, 5), run(5, 1, 5)} {
		if !mat.Equal(got, want) {
			t.Error("five chains depend on how many there were before")
		}
	}
}

func TestStartFromOwnStates(t *testing.T) {
	v := randomBits(9, 130, 0.5, 51)
	for _, tt := range []struct {
		name string
		rows func(b *rbm.Bits) mat.Matrix
		want mat.Matrix
	}{
		{"all", func(b *rbm.Bits) mat.Matrix { return b }, v},
		{"first rows", func(b *rbm.Bits) mat.Matrix { return b.Slice(0, 4) }, v.Slice(0, 4)},
		{"last rows", func(b *rbm.Bits) mat.Matrix { return b.Slice(5, 9) }, v.Slice(5, 9)},
		{"transposed", func(b *rbm.Bits) mat.Matrix { return b.T() }, v.T()},
	} {
		c := rbm.NewChains(newSource(52))
		c.Start(v)
		c.Start(tt.rows(c.Visible()))
		if !mat.Equal(c.Visible(), tt.want) {
			t.Errorf("%s: Start from the chains' own states lost them", tt.name)
		}
	}
}

// Feeding CD its own sample continues its chains.
func TestCDFromItsOwnSample(t *testing.T) {
	const nv, nh, n = 130, 70, 20
	m := randomModel(nv, nh, 0.5, 53)
	data := randomBits(n, nv, 0.3, 54)
	a, b := rbm.NewCD(1, newSource(55)), rbm.NewCD(1, newSource(55))
	v, _ := a.Sample(m, data)
	got, _ := a.Sample(m, v)
	v, _ = b.Sample(m, data)
	want, _ := b.Sample(m, mat.DenseCopyOf(v))
	if !mat.Equal(got, want) {
		t.Error("CD from its own sample differs from CD from a copy of it")
	}
}

// Visible may be used like any other Bits: nothing stands beside its units.
func TestVisibleIsValid(t *testing.T) {
	for _, nv := range widths {
		m := randomModel(nv, 3, 0.1, 27)
		c := rbm.NewChains(newSource(28))
		c.StartRandom(m, 9)
		for k := range 3 {
			want := m.HiddenProbs(nil, mat.DenseCopyOf(c.Visible()))
			if got := m.HiddenProbs(nil, c.Visible()); !mat.Equal(got, want) {
				t.Errorf("nv = %d, step %d: HiddenProbs of Visible and of its copy differ", nv, k)
			}
			c.Gibbs(m, 1)
		}
	}
}

func TestSaturatedUnits(t *testing.T) {
	const nv, nh, n = 70, 66, 50
	want := rbm.NewBits(n, nv)
	visible, hidden := randomModel(nv, nh, 1, 29), rbm.New(nv, nh)
	for i := range nv {
		on := i%3 == 0
		sign := -1.0
		if on {
			sign = 1
		}
		visible.B.SetVec(i, 1e6*sign)
		// The last unit is always on, the one before it never, and its weights would win.
		hidden.W.Set(nh-1, i, 1e6*sign)
		hidden.W.Set(nh-2, i, -1e7*sign)
		for r := range n {
			want.SetBit(r, i, on)
		}
	}
	hidden.C.SetVec(nh-1, 1e9)
	hidden.C.SetVec(nh-2, -1e9)
	for _, tt := range []struct {
		name string
		m    *rbm.RBM
	}{{"visible", visible}, {"hidden", hidden}} {
		c := rbm.NewChains(newSource(30))
		c.StartRandom(tt.m, n)
		for k := range 20 {
			c.Gibbs(tt.m, 1)
			if !mat.Equal(c.Visible(), want) {
				t.Fatalf("%s: sweep %d left the only possible state", tt.name, k)
			}
		}
	}
}

func TestSourceIsReadInConstructors(t *testing.T) {
	m := randomModel(5, 4, 1, 31)
	v := mat.NewDense(2, 5, []float64{0, 1, 0, 1, 0, 0.5, 0.5, 0.1, 0.1, 0})
	for _, tt := range []struct {
		name string
		make func(src rand.Source) (use func())
	}{
		{"NewChains", func(src rand.Source) func() {
			c := rbm.NewChains(src)
			return func() { c.Start(v); c.Gibbs(m, 2); c.StartRandom(m, 3); c.Gibbs(m, 1) }
		}},
		{"NewCD", func(src rand.Source) func() {
			s := rbm.NewCD(2, src)
			return func() { s.Sample(m, v); m.Gradient(new(rbm.Gradient), v, s) }
		}},
		{"NewPCD", func(src rand.Source) func() {
			s := rbm.NewPCD(3, 2, src)
			return func() { s.Sample(m, v); m.Gradient(new(rbm.Gradient), v, s) }
		}},
	} {
		src := &countingSource{Source: newSource(32)}
		use := tt.make(src)
		reads := src.reads
		if reads == 0 {
			t.Errorf("%s did not read its source", tt.name)
		}
		use()
		if src.reads != reads {
			t.Errorf("%s: the source was read %d times after construction", tt.name, src.reads-reads)
		}
	}
}

func TestCDStartsFromTheData(t *testing.T) {
	const nv, nh, n = 130, 70, 1500
	m := randomModel(nv, nh, 0.5, 33)
	cd := rbm.NewCD(2, newSource(34))
	chains := rbm.NewChains(newSource(34))
	for batch := range uint64(3) {
		data := randomBits(n>>batch, nv, 0.3, 35+batch)
		got, weights := cd.Sample(m, data)
		chains.Start(data)
		chains.Gibbs(m, 2)
		if weights != nil || !mat.Equal(got, chains.Visible()) {
			t.Errorf("batch %d: CD differs from two sweeps from the data", batch)
		}
	}
}

func TestCDFromRealValues(t *testing.T) {
	const nv, nh, n = 3, 2, 20000
	m := randomModel(nv, nh, 2, 36)
	row := []float64{0.5, 0.1, 0.8}
	v := repeated(mat.NewDense(1, nv, row), n)
	want := make([]float64, 1<<nv)
	hidden, visible := configs(nh), configs(nv)
	for h := range 1 << nh {
		ph := bernoulli(hidden.RawRowView(h), m.W, row, m.C)
		for x := range want {
			want[x] += ph * bernoulli(visible.RawRowView(x), m.W.T(), hidden.RawRowView(h), m.B)
		}
	}
	got, _ := rbm.NewCD(1, newSource(37)).Sample(m, v)
	checkFrequencies(t, "CD-1", countRows(got), want)
}

// bernoulli returns Π_j p(x_j) with p(x_j=1) = σ(bias_j + (w·given)_j).
func bernoulli(x []float64, w mat.Matrix, given []float64, bias mat.Vector) float64 {
	var a mat.VecDense
	a.MulVec(w, mat.NewVecDense(len(given), given))
	a.AddVec(&a, bias)
	p := 1.0
	for j, x := range x {
		p /= 1 + math.Exp((1-2*x)*a.AtVec(j))
	}
	return p
}

func TestPCDContinuesItsChains(t *testing.T) {
	const nv, nh = 130, 70
	m := randomModel(nv, nh, 0.5, 38)
	chains, mine := rbm.NewChains(newSource(39)), rbm.NewChains(newSource(39))
	start := randomBits(7, nv, 0.5, 40)
	chains.Start(start)
	mine.Start(start)
	pcd := &rbm.PCD{K: 2, Chains: mine}
	for call := range 3 {
		got, weights := pcd.Sample(m, randomBits(5, nv, 0.5, 41))
		chains.Gibbs(m, 2)
		if weights != nil || !mat.Equal(got, chains.Visible()) {
			t.Errorf("call %d: PCD differs from %d sweeps of its chains", call, 2*(call+1))
		}
	}
}

func TestNewPCDKeepsItsNumberOfChains(t *testing.T) {
	m := randomModel(5, 4, 1, 42)
	pcd := rbm.NewPCD(9, 1, newSource(43))
	for _, n := range []int{3, 20} {
		v, _ := pcd.Sample(m, randomBits(n, 5, 0.5, 44))
		if r, c := v.Dims(); r != 9 || c != 5 {
			t.Errorf("NewPCD(9, 1, src) sampled %d×%d beside %d rows of data, want 9×5", r, c, n)
		}
	}
}

func TestChainsMisuse(t *testing.T) {
	m := rbm.New(5, 4)
	started := rbm.NewChains(newSource(45))
	started.StartRandom(m, 3)
	for _, tt := range []struct {
		name string
		call func()
		want []string
	}{
		{"nil source", func() { rbm.NewChains(nil) }, []string{"nil"}},
		{"Gibbs before Start", func() { rbm.NewChains(newSource(1)).Gibbs(m, 1) }, []string{"started"}},
		{"no chains", func() { rbm.NewChains(newSource(1)).StartRandom(m, 0) }, []string{"0"}},
		{"negative number of chains", func() { rbm.NewChains(newSource(1)).StartRandom(m, -3) }, []string{"-3"}},
		{"k = 0", func() { started.Gibbs(m, 0) }, []string{"0"}},
		{"k = -2", func() { started.Gibbs(m, -2) }, []string{"-2"}},
		{"another model", func() { started.Gibbs(rbm.New(6, 4), 1) }, []string{"3×5", "6"}},
		{"Start on nothing", func() { started.Start(&mat.Dense{}) }, []string{"0×0"}},
		{"NewCD k", func() { rbm.NewCD(0, newSource(1)) }, []string{"0"}},
		{"NewCD source", func() { rbm.NewCD(1, nil) }, []string{"nil"}},
		{"NewPCD n", func() { rbm.NewPCD(0, 1, newSource(1)) }, []string{"0"}},
		{"NewPCD k", func() { rbm.NewPCD(1, -1, newSource(1)) }, []string{"-1"}},
		{"NewPCD source", func() { rbm.NewPCD(1, 1, nil) }, []string{"nil"}},
		{"CD.K", func() { (&rbm.CD{K: 0, Chains: started}).Sample(m, rbm.NewBits(3, 5)) }, []string{"0"}},
		{"CD without chains", func() { (&rbm.CD{K: 1}).Sample(m, rbm.NewBits(3, 5)) }, []string{"Chains"}},
		{"CD.K in Gradient", func() { m.Gradient(new(rbm.Gradient), rbm.NewBits(3, 5), &rbm.CD{K: 0, Chains: started}) }, []string{"0"}},
		{"CD without chains in Gradient", func() { m.Gradient(new(rbm.Gradient), rbm.NewBits(3, 5), &rbm.CD{K: 1}) }, []string{"Chains"}},
		{"PCD.K", func() { (&rbm.PCD{K: 0, Chains: started}).Sample(m, rbm.NewBits(3, 5)) }, []string{"0"}},
		{"PCD without chains", func() { (&rbm.PCD{K: 1}).Sample(m, rbm.NewBits(3, 5)) }, []string{"Chains"}},
		{"PCD with another model", func() { (&rbm.PCD{K: 1, Chains: started}).Sample(rbm.New(6, 4), rbm.NewBits(3, 6)) }, []string{"3×5", "6"}},
	} {
		wantPanic(t, tt.name, tt.call, tt.want...)
	}
}

// Bits of earlier states do not show through the draws of real values.
func TestStartDrawsRealValuesAfresh(t *testing.T) {
	const nv, n = 70, 9
	zeros := mat.NewDense(n, nv, nil)
	zeros.Set(0, 0, 0.5) // real values, nearly all 0
	c := rbm.NewChains(newSource(1))
	for range 3 {
		c.Start(ones(n, nv))
	}
	c.Start(zeros)
	if k := mat.Sum(c.Visible()); k > 1 {
		t.Errorf("%v bits are 1, want at most one", k)
	}
}
