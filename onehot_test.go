package rbm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gorbm/rbm"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Models with groups, everywhere in rows and words. Units that are neither in a group nor
// free have a bias that keeps them off, so that few configurations are left.
var oneHotModels = []struct {
	nv, nh int
	groups groups
	free   []int // nil: all that are in no group
}{
	{3, 5, groups{{0, 3}}, nil},
	{5, 3, groups{{0, 1}, {2, 5}}, nil},
	{6, 2, groups{{1, 3}, {3, 6}}, nil},
	{6, 9, groups{{0, 6}}, nil},
	{7, 4, groups{{2, 5}}, nil},
	{9, 5, groups{{1, 4}, {5, 9}}, nil},
	{70, 3, groups{{60, 68}, {68, 70}}, []int{0, 59}},
	{70, 11, groups{{0, 60}, {60, 68}, {68, 70}}, nil},
	{130, 4, groups{{63, 65}, {126, 130}}, []int{62, 65, 129}},
	{130, 9, groups{{0, 64}, {64, 66}, {66, 130}}, nil},
}

// forOneHot runs f as a subtest for the models, of weights of about std, with up to most
// visible units.
func forOneHot(t *testing.T, std float64, most int, f func(t *testing.T, m *rbm.RBM)) {
	for _, s := range oneHotModels {
		if s.nv > most {
			continue
		}
		t.Run(fmt.Sprintf("nv=%d/nh=%d/groups=%v", s.nv, s.nh, s.groups), func(t *testing.T) {
			m := s.groups.of(randomModel(s.nv, s.nh, std, 3))
			for i := range s.nv {
				if s.free != nil && groupAt(m, i) < 0 && !slices.Contains(s.free, i) {
					m.B.SetVec(i, -1000)
				}
			}
			f(t, m)
		})
	}
}

// groupAt returns the number of the group of unit i, or -1.
func groupAt(m *rbm.RBM, i int) int {
	return slices.IndexFunc(m.OneHot, func(g rbm.Group) bool { return g.From <= i && i < g.To })
}

// allowedRows returns all configurations with one unit of each group on, and those units
// off that a bias keeps off.
func allowedRows(m *rbm.RBM) (rows [][]float64) {
	nv, _ := m.Dims()
	v := make([]float64, nv)
	var from func(i int)
	from = func(i int) {
		switch k := -1; {
		case i == nv:
			rows = append(rows, slices.Clone(v))
			return
		default:
			if k = groupAt(m, i); k >= 0 {
				for on := i; on < m.OneHot[k].To; on++ {
					v[on] = 1
					from(m.OneHot[k].To)
					v[on] = 0
				}
				return
			}
		}
		from(i + 1)
		if m.B.AtVec(i) > -500 {
			v[i] = 1
			from(i + 1)
			v[i] = 0
		}
	}
	from(0)
	return rows
}

// hiddenInputs returns c + Wv.
func hiddenInputs(m *rbm.RBM, v []float64) []float64 {
	x := make([]float64, m.C.Len())
	for j := range x {
		x[j] = m.C.AtVec(j) + floats.Dot(m.W.RawRowView(j), v)
	}
	return x
}

// minusFree returns -F(v).
func minusFree(m *rbm.RBM, v []float64) (sum float64) {
	for i, v := range v {
		if v != 0 {
			sum += m.B.AtVec(i) * v
		}
	}
	for _, x := range hiddenInputs(m, v) {
		sum += softplus(x)
	}
	return sum
}

// allowedProbs returns the allowed rows, their probabilities, and log Z.
func allowedProbs(m *rbm.RBM) (rows [][]float64, p []float64, logZ float64) {
	rows = allowedRows(m)
	p = make([]float64, len(rows))
	for r, v := range rows {
		p[r] = minusFree(m, v)
	}
	logZ = floats.LogSumExp(p)
	for r := range p {
		p[r] = math.Exp(p[r] - logZ)
	}
	return rows, p, logZ
}

// momentsOf returns the means of ĥvᵀ, v and ĥ over rows of weights p, in the order of params.
func momentsOf(m *rbm.RBM, rows [][]float64, p []float64) []float64 {
	nv, nh := m.Dims()
	s := make([]float64, nh*nv+nv+nh)
	for r, v := range rows {
		for j, x := range hiddenInputs(m, v) {
			h := p[r] / (1 + math.Exp(-x))
			floats.AddScaled(s[j*nv:][:nv], h, v)
			s[nh*nv+nv+j] += h
		}
		floats.AddScaled(s[nh*nv:][:nv], p[r], v)
	}
	return s
}

// drawnRows returns n rows drawn from p.
func drawnRows(rows [][]float64, p []float64, n int, seed uint64) *mat.Dense {
	dist := distuv.NewCategorical(p, newSource(seed))
	v := mat.NewDense(n, len(rows[0]), nil)
	for r := range n {
		v.SetRow(r, rows[int(dist.Rand())])
	}
	return v
}

// allowedSample returns n rows drawn from m.
func allowedSample(m *rbm.RBM, n int, seed uint64) *mat.Dense {
	rows, p, _ := allowedProbs(m)
	return drawnRows(rows, p, n, seed)
}

func bitRows(t testing.TB, v mat.Matrix) *rbm.Bits {
	t.Helper()
	b, err := rbm.BitsOf(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func rowsOf(v *mat.Dense) (rows [][]float64) {
	n, _ := v.Dims()
	for r := range n {
		rows = append(rows, v.RawRowView(r))
	}
	return rows
}

func checkParams(t *testing.T, name string, m *rbm.RBM, got, want []float64, tol float64) {
	t.Helper()
	for p := range want {
		checkNear(t, name+" "+paramName(m, p), got[p], want[p], tol)
	}
}

func TestOneHotLogPartition(t *testing.T) {
	forOneHot(t, 0.8, 200, func(t *testing.T, m *rbm.RBM) {
		rows, p, logZ := allowedProbs(m)
		checkNear(t, "log Z", m.LogPartition(), logZ, 1e-12*(10+math.Abs(logZ)))
		var g rbm.Gradient
		checkNear(t, "log Z of LogPartitionGradient", m.LogPartitionGradient(&g), logZ, 1e-12*(10+math.Abs(logZ)))
		checkParams(t, "∂log Z/∂", m, gradientValues(&g), momentsOf(m, rows, p), 1e-11)
	})
}

// Models with groups of more than 70 units have too many visible configurations to sample,
// so that both ways of Exact are here.
func TestOneHotGradientWithExact(t *testing.T) {
	forOneHot(t, 0.8, 200, func(t *testing.T, m *rbm.RBM) {
		rows, p, _ := allowedProbs(m)
		data := drawnRows(rows, p, 7, 4)
		equal := slices.Repeat([]float64{1. / 7}, 7)
		want := momentsOf(m, rowsOf(data), equal)
		floats.Sub(want, momentsOf(m, rows, p))
		var g rbm.Gradient
		m.Gradient(&g, data, new(rbm.Exact))
		checkParams(t, "gradient of", m, gradientValues(&g), want, 1e-11)
		if nv, _ := m.Dims(); nv > 9 {
			return
		}
		mean := func(x []float64) (sum float64) {
			n := m.Clone()
			setParams(n, x)
			_, _, logZ := allowedProbs(n)
			for _, v := range rowsOf(data) {
				sum += (minusFree(n, v) - logZ) / 7
			}
			return sum
		}
		x := params(m)
		for k := range x {
			const d = 1e-5
			at := x[k]
			x[k] = at + d
			up := mean(x)
			x[k] = at - d
			down := mean(x)
			x[k] = at
			checkNear(t, "slope of "+paramName(m, k), gradientValues(&g)[k], (up-down)/(2*d), 1e-8)
		}
	})
}

func TestOneHotExactSample(t *testing.T) {
	forOneHot(t, 0.8, 200, func(t *testing.T, m *rbm.RBM) {
		if nv, _ := m.Dims(); nv == 70 && len(m.OneHot) == 2 || nv == 130 && len(m.OneHot) == 2 {
			wantPanic(t, "Sample", func() { new(rbm.Exact).Sample(m, nil) }, "too many to enumerate")
			return
		}
		rows, p, _ := allowedProbs(m)
		want := make(map[string]float64)
		for r, v := range rows {
			want[fmt.Sprint(v)] = p[r]
		}
		v, weights := new(rbm.Exact).Sample(m, nil)
		n, _ := v.Dims()
		if n != len(rows) || len(weights) != n {
			t.Fatalf("%d configurations and %d weights, want %d", n, len(weights), len(rows))
		}
		for r := range n {
			name := fmt.Sprint(mat.Row(nil, r, v))
			p, ok := want[name]
			if !ok {
				t.Fatalf("configuration %d, %s, is not allowed or there twice", r, name)
			}
			delete(want, name)
			checkNear(t, "p of "+name, weights[r], p, 1e-12)
		}
		checkNear(t, "sum", floats.Sum(weights), 1, 1e-12)
	})
}

func TestOneHotFreeEnergy(t *testing.T) {
	forOneHot(t, 0.8, 200, func(t *testing.T, m *rbm.RBM) {
		v := allowedSample(m, 6, 5)
		for r, f := range m.FreeEnergy(nil, v) {
			checkNear(t, fmt.Sprintf("free energy of row %d", r), f, naiveFreeEnergy(m, v.RawRowView(r)), 1e-10)
		}
	})
}

func TestOneHotVisibleProbs(t *testing.T) {
	forOneHot(t, 2, 200, func(t *testing.T, m *rbm.RBM) {
		nv, nh := m.Dims()
		for _, h := range []mat.Matrix{randomBits(9, nh, 0.5, 6), randomReals(9, nh, 6)} {
			got := m.VisibleProbs(nil, h)
			for r := range 9 {
				x := make([]float64, nv)
				for i := range x {
					x[i] = m.B.AtVec(i)
					for j := range nh {
						x[i] += m.W.At(j, i) * h.At(r, j)
					}
				}
				for i := range x {
					want := 1 / (1 + math.Exp(-x[i]))
					if k := groupAt(m, i); k >= 0 {
						want = math.Exp(x[i] - floats.LogSumExp(x[m.OneHot[k].From:m.OneHot[k].To]))
					}
					checkNear(t, fmt.Sprintf("unit %d of row %d", i, r), got.At(r, i), want, 1e-13)
				}
			}
		}
	})
}

// pseudoByDefinition is Σ log p(vᵢ|rest) + Σ log p(group|rest).
func pseudoByDefinition(m *rbm.RBM, v []float64) (sum float64) {
	w := slices.Clone(v)
	for i, x := range v {
		if groupAt(m, i) >= 0 {
			continue
		}
		w[i] = 1
		on := minusFree(m, w)
		w[i] = 0
		off := minusFree(m, w)
		w[i] = x
		if x > 0 {
			sum += x * -softplus(off-on)
		}
		if x < 1 {
			sum += (1 - x) * -softplus(on-off)
		}
	}
	for _, g := range m.OneHot {
		var logs []float64
		for i := g.From; i < g.To; i++ {
			clear(w[g.From:g.To])
			w[i] = 1
			logs = append(logs, minusFree(m, w)-minusFree(m, v))
		}
		copy(w, v)
		sum -= floats.LogSumExp(logs)
	}
	return sum
}

func checkGroupedPseudo(t *testing.T, name string, m *rbm.RBM, v *mat.Dense) {
	t.Helper()
	for r, got := range m.PseudoLogLikelihood(nil, v) {
		want := pseudoByDefinition(m, v.RawRowView(r))
		checkNear(t, fmt.Sprintf("%s: row %d", name, r), got, want, 1e-11*(10+math.Abs(want)))
	}
}

func TestOneHotPseudoLogLikelihood(t *testing.T) {
	forOneHot(t, 0.8, 200, func(t *testing.T, m *rbm.RBM) {
		nv, nh := m.Dims()
		checkGroupedPseudo(t, "one row", m, allowedSample(m, 1, 7))
		v := allowedSample(m, 40, 8)
		checkGroupedPseudo(t, "rows", m, v)
		real := mat.DenseCopyOf(v)
		values := randomReals(40, nv, 9)
		for r := range 40 {
			for i := range nv {
				if r%3 != 0 && groupAt(m, i) < 0 && m.B.AtVec(i) > -500 {
					real.Set(r, i, values.At(r, i))
				}
			}
		}
		checkGroupedPseudo(t, "real values", m, real)
		checkGroupedPseudo(t, "a row of real values", m, real.Slice(1, 2, 0, nv).(*mat.Dense))

		for _, size := range []float64{30, 299, 301, 450, 700} { // 300 and 600 are the limits of the fast ways
			large := m.Clone()
			for j := range nh {
				for i := range nv {
					large.W.Set(j, i, math.Copysign(size, m.W.At(j, i)))
				}
			}
			name := fmt.Sprintf("weights of ±%v", size)
			checkGroupedPseudo(t, name, large, v)
			checkGroupedPseudo(t, name+", real values", large, real)
			checkGroupedPseudo(t, name+", a row", large, v.Slice(3, 4, 0, nv).(*mat.Dense))
		}

		// A unit that cannot be on, and one that must be.
		infinite := m.Clone()
		g := m.OneHot[len(m.OneHot)-1]
		infinite.B.SetVec(g.To-1, math.Inf(1))
		for r := range 40 {
			clear(v.RawRowView(r)[g.From:g.To])
			v.Set(r, g.To-1, 1)
		}
		got := infinite.PseudoLogLikelihood(nil, v)
		finite := m.Clone()
		finite.B.SetVec(g.To-1, 1e6)
		for r, want := range finite.PseudoLogLikelihood(nil, v) {
			checkNear(t, fmt.Sprintf("bias Inf: row %d", r), got[r], want, 1e-11*(10+math.Abs(want)))
		}
		if g.To-g.From == 1 {
			return
		}
		infinite.B.SetVec(g.To-1, m.B.AtVec(g.To-1))
		infinite.B.SetVec(g.From, math.Inf(-1))
		checkGroupedPseudo(t, "bias -Inf", infinite, v)
		for r := range 40 {
			clear(v.RawRowView(r)[g.From:g.To])
			v.Set(r, g.From, 1)
		}
		for r, x := range infinite.PseudoLogLikelihood(nil, v) {
			if !math.IsInf(x, -1) {
				t.Errorf("pseudo-log-likelihood of row %d, which is impossible, = %v, want -Inf", r, x)
			}
		}
	})
}

// someGiven returns a mask for each row, by which groups are observed in part: the unit
// that is on, some that are off, all but one, all that are off, none, or all.
func someGiven(m *rbm.RBM, v *mat.Dense) *rbm.Bits {
	n, nv := v.Dims()
	rnd := rand.New(rand.NewPCG(12, 1))
	mask := rbm.NewBits(n, nv)
	for r := range n {
		for i := range nv {
			mask.SetBit(r, i, groupAt(m, i) < 0 && (m.B.AtVec(i) < -500 || rnd.IntN(3) == 0))
		}
		for k, g := range m.OneHot {
			leave := g.From + rnd.IntN(g.To-g.From)
			for i := g.From; i < g.To; i++ {
				on := v.At(r, i) == 1
				mask.SetBit(r, i, []bool{on, !on && rnd.IntN(2) == 0, i != leave, !on, false, true}[(r+2*k)%6])
			}
		}
	}
	return mask
}

func TestOneHotConditional(t *testing.T) {
	forOneHot(t, 1, 200, func(t *testing.T, m *rbm.RBM) {
		const n = 18
		nv, _ := m.Dims()
		rows, p, _ := allowedProbs(m)
		v := drawnRows(rows, p, n, 13)
		observed := someGiven(m, v)
		logp := m.LogProbGiven(nil, v, observed)
		means := m.MeansGiven(nil, v, observed)
		all, weights := m.CompletionsGiven(v, observed)
		first := 0
		for r := range n {
			var given []int // numbers of the rows that agree
			var total float64
			for k, w := range rows {
				agree := true
				for i := range w {
					agree = agree && (!observed.Bit(r, i) || w[i] == v.At(r, i))
				}
				if agree {
					given = append(given, k)
					total += p[k]
				}
			}
			want := make([]float64, nv)
			logs := make(map[string]float64)
			for _, k := range given {
				floats.AddScaled(want, p[k]/total, rows[k])
				logs[fmt.Sprint(rows[k])] = math.Log(p[k] / total)
			}
			checkNear(t, fmt.Sprintf("log p of row %d", r), logp[r], logs[fmt.Sprint(v.RawRowView(r))], 1e-10)
			for i := range nv {
				checkNear(t, fmt.Sprintf("mean of unit %d of row %d", i, r), means.At(r, i), want[i], 1e-11)
			}
			for x := range given {
				name := fmt.Sprint(mat.Row(nil, first+x, all))
				log, ok := logs[name]
				if !ok {
					t.Fatalf("completion %d of row %d, %s, is not allowed or there twice", x, r, name)
				}
				delete(logs, name)
				checkNear(t, "p of "+name, weights[first+x], math.Exp(log), 1e-11)
			}
			first += len(given)
		}
		if len(weights) != first {
			t.Errorf("%d completions, want %d", len(weights), first)
		}
		if nv <= 9 {
			for r, got := range m.LogProbGiven(nil, v, nil) {
				_, _, logZ := allowedProbs(m)
				checkNear(t, fmt.Sprintf("log p of row %d, nothing given", r), got, minusFree(m, v.RawRowView(r))-logZ, 1e-10)
			}
		}
	})
}

// checkUnbiased fails unless exp(logw) has a mean of exp(want), within 4 standard errors.
func checkUnbiased(t *testing.T, name string, logw []float64, want float64) {
	t.Helper()
	w := make([]float64, len(logw))
	for r, x := range logw {
		w[r] = math.Exp(x - want)
	}
	mean, std := meanStd(w)
	checkNear(t, name+": mean weight for its expectation", mean, 1, 4*std/math.Sqrt(float64(len(w)))+1e-12)
	if std > 10 {
		t.Errorf("%s: weights have deviation %v, which tests nothing", name, std)
	}
}

func TestOneHotAIS(t *testing.T) {
	t.Parallel()
	const runs = 1500
	forOneHot(t, 0.7, 70, func(t *testing.T, m *rbm.RBM) {
		rows, p, logZ := allowedProbs(m)
		start := bitRows(t, drawnRows(rows, p, runs, 14))
		fitted := m.FittedBias(start, nil, nil)
		for i, b := range m.B.RawVector().Data {
			if b < -500 { // else states that no run comes to have a share of the weight
				fitted.SetVec(i, b)
			}
		}
		for _, tt := range []struct {
			name string
			base *mat.VecDense
		}{{"nil", nil}, {"fitted", fitted}} {
			a := rbm.NewAIS(runs, 12, newSource(15))
			a.Base = tt.base
			e, err := a.Run(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			checkUnbiased(t, "Run, base "+tt.name, e.LogWeights, logZ)
			if e, err = a.Reverse(context.Background(), m, start); err != nil {
				t.Fatal(err)
			}
			checkUnbiased(t, "Reverse, base "+tt.name, e.LogWeights, -logZ)
		}
		m.W.Zero()
		_, _, logZ = allowedProbs(m)
		a := rbm.NewAIS(3, 5, newSource(16))
		e, err := a.Run(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		checkNear(t, "log Z without weights", e.Mean, logZ, 1e-11)
		if e, err = a.Reverse(context.Background(), m, start); err != nil {
			t.Fatal(err)
		}
		checkNear(t, "log Z without weights, in reverse", e.Mean, logZ, 1e-11)
	})
}

func TestOneHotLogLikelihood(t *testing.T) {
	forOneHot(t, 0.8, 200, func(t *testing.T, m *rbm.RBM) {
		rows, p, logZ := allowedProbs(m)
		data := drawnRows(rows, p, 9, 17)
		var want float64
		for _, v := range rowsOf(data) {
			want += (minusFree(m, v) - logZ) / 9
		}
		l := logLikelihood(t, m, bitRows(t, data), nil)
		if !l.Exact || !l.Believable() {
			t.Errorf("%v, want it to be exact", l)
		}
		checkNear(t, "log-likelihood", l.Mean, want, 1e-11*(10+math.Abs(logZ)))
	})
}

// A model that is too large to enumerate, but for the test: most hidden units have no weights.
func TestOneHotLogLikelihoodByAIS(t *testing.T) {
	t.Parallel()
	const nv, nh, coupled = 70, 21, 4
	m := groups{{0, 5}, {20, 30}, {30, 33}, {60, 68}}.of(randomModel(nv, nh, 0.4, 18))
	for j := coupled; j < nh; j++ {
		clear(m.W.RawRowView(j))
	}
	hs := configs(coupled)
	logs := make([]float64, 1<<coupled)
	for y := range logs {
		h := append(mat.Row(nil, y, hs), make([]float64, nh-coupled)...)
		logs[y] = floats.Dot(m.C.RawVector().Data, h)
		x := make([]float64, nv)
		for i := range x {
			x[i] = m.B.AtVec(i) + floats.Dot(mat.Col(nil, i, m.W), h)
			if groupAt(m, i) < 0 {
				logs[y] += softplus(x[i])
			}
		}
		for _, g := range m.OneHot {
			logs[y] += floats.LogSumExp(x[g.From:g.To])
		}
		for j := coupled; j < nh; j++ {
			logs[y] += softplus(m.C.AtVec(j))
		}
	}
	logZ := floats.LogSumExp(logs)
	c := rbm.NewChains(newSource(19))
	c.StartRandom(m, 100)
	c.Gibbs(m, 200)
	var want float64
	for _, v := range rowsOf(mat.DenseCopyOf(c.Visible())) {
		want += (minusFree(m, v) - logZ) / 100
	}
	l := logLikelihood(t, m, c.Visible(), rbm.NewAIS(60, 200, newSource(20)))
	if l.Exact || !l.Believable() || !(l.Low <= want && want <= l.High) || l.High-l.Low > 1 {
		t.Errorf("%v, want %v and to believe it", l, want)
	}
}

func TestOneHotStationarySamplers(t *testing.T) {
	t.Parallel()
	n := rbm.Fewer(2000)
	forGroups(t, func(t *testing.T, m *rbm.RBM, g groups) {
		nv, nh := m.Dims()
		m = g.of(randomModel(nv, nh, 1.2, 21))
		p := visibleAmong(m, g.allow)
		start := rowsFrom(visibleAmong(rbm.New(nv, nh), g.allow), n, nv, 22)
		half := m.Clone()
		half.W.Scale(0.5, m.W)
		base := g.of(rbm.New(nv, 1))
		pt := rbm.NewPT(n, 20, 3, newSource(23))
		pt.Base = mat.NewVecDense(nv, nil)
		for _, tt := range []struct {
			name string
			s    rbm.Sampler
		}{
			{"CD", rbm.NewCD(30, newSource(24))},
			{"PCD", rbm.NewPCD(n, 30, newSource(25))},
			{"PT", rbm.NewPT(n, 20, 3, newSource(26))},
			{"PT with a base", pt},
			{"PTT", rbm.NewPTT(n, 20, []*rbm.RBM{base, half}, newSource(27))},
			{"PTT with a ladder of its own", rbm.NewPTT(n, 20, nil, newSource(28))},
		} {
			v, weights := tt.s.Sample(m, start)
			if weights != nil {
				t.Errorf("%s: weights are %v, want nil", tt.name, weights)
			}
			g.check(t, tt.name, v.(*rbm.Bits))
			checkFrequencies(t, tt.name, countRows(v), p)
		}
	})
}

// With FittedBias the model without weights has the means of the data and half a row more
// of each value.
func TestOneHotFittedBias(t *testing.T) {
	forOneHot(t, 0.8, 200, func(t *testing.T, m *rbm.RBM) {
		const n = 12
		nv, _ := m.Dims()
		data := allowedSample(m, n, 29)
		weights := make([]float64, n)
		mask := ones(n, nv)
		for r := range n {
			weights[r] = float64(1 + r%4)
			for i := range nv { // as a whole, if in a group
				k := groupAt(m, i)
				mask.SetBit(r, i, (k < 0 && (r+i)%3 > 0) || (k >= 0 && (r+k)%4 > 0))
			}
		}
		for _, tt := range []struct {
			name     string
			weights  []float64
			observed *rbm.Bits
		}{
			{"all", nil, nil},
			{"weights", weights, nil},
			{"mask", nil, mask},
			{"weights and mask", weights, mask},
		} {
			bias := m.FittedBias(data, tt.weights, tt.observed)
			for i := range nv {
				sum, total, mean := 0., 0., 1.
				if tt.weights != nil {
					mean = meanOf(tt.weights)
				}
				for r := range n {
					w := 1.
					if tt.weights != nil {
						w = tt.weights[r] / mean
					}
					if tt.observed == nil || tt.observed.Bit(r, i) {
						sum += w * data.At(r, i)
						total += w
					}
				}
				got, want := 1/(1+math.Exp(-bias.AtVec(i))), (sum+0.5)/(total+1)
				if k := groupAt(m, i); k >= 0 {
					g := m.OneHot[k]
					b := bias.RawVector().Data[g.From:g.To]
					got = math.Exp(bias.AtVec(i) - floats.LogSumExp(b))
					want = (sum + 0.5) / (total + 0.5*float64(len(b)))
					checkNear(t, fmt.Sprintf("%s: log of the sum of group %v", tt.name, g), floats.LogSumExp(b), 0, 1e-12)
				}
				checkNear(t, fmt.Sprintf("%s: mean of unit %d", tt.name, i), got, want, 1e-12)
			}
		}
	})
}

// forOneHotClassifiers runs f as a subtest for classifiers with groups among the inputs.
func forOneHotClassifiers(t *testing.T, f func(t *testing.T, c *rbm.Classifier)) {
	for _, s := range []struct {
		nv, nh int
		groups groups
	}{
		{7, 3, groups{{1, 4}, {4, 7}}},
		{8, 4, groups{{0, 1}, {2, 5}, {6, 8}}},
		{70, 3, groups{{0, 2}, {2, 62}, {62, 66}, {66, 70}}},
	} {
		t.Run(fmt.Sprintf("nv=%d/groups=%v", s.nv, s.groups), func(t *testing.T) {
			label := s.groups[len(s.groups)-1]
			f(t, &rbm.Classifier{Model: s.groups.of(randomModel(s.nv, s.nh, 0.8, 30)), Classes: label[1] - label[0]})
		})
	}
}

func TestOneHotClassifierLogProbs(t *testing.T) {
	forOneHotClassifiers(t, func(t *testing.T, c *rbm.Classifier) {
		nv, _ := c.Model.Dims()
		nx := nv - c.Classes
		rows, p, _ := allowedProbs(c.Model)
		x := drawnRows(rows, p, 9, 31).Slice(0, 9, 0, nx).(*mat.Dense)
		got := c.LogProbs(nil, x)
		for r := range 9 {
			logs := make([]float64, c.Classes)
			for k, v := range rows {
				if slices.Equal(v[:nx], mat.Row(nil, r, x)) {
					logs[slices.Index(v[nx:], 1)] = math.Log(p[k])
				}
			}
			total := floats.LogSumExp(logs)
			for y, log := range logs {
				checkNear(t, fmt.Sprintf("log p of class %d of row %d", y, r), got.At(r, y), log-total, 1e-11)
			}
		}
	})
}

func TestOneHotClassifierGradientIsTheSlope(t *testing.T) {
	forOneHotClassifiers(t, func(t *testing.T, c *rbm.Classifier) {
		nv, nh := c.Model.Dims()
		if nv > 10 {
			return
		}
		nx := nv - c.Classes
		x := allowedSample(c.Model, 8, 32).Slice(0, 8, 0, nx)
		labels := cycle(8, c.Classes, 3)
		for _, w := range [][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0.7, 0.4, 0.3}} {
			c := weighted(c, w[0], w[1], w[2])
			objective := func(p []float64) (sum float64) {
				m := c.Model.Clone()
				setParams(m, p)
				_, _, logZ := allowedProbs(m)
				labeled, unlabeled := 0., 0.
				for _, y := range labels {
					if y == rbm.NoLabel {
						unlabeled++
					} else {
						labeled++
					}
				}
				for r, y := range labels {
					logs := make([]float64, c.Classes)
					for k := range logs {
						v := append(mat.Row(nil, r, x), make([]float64, c.Classes)...)
						v[nx+k] = 1
						logs[k] = minusFree(m, v)
					}
					total := floats.LogSumExp(logs)
					if y == rbm.NoLabel {
						sum += w[2] * (total - logZ) / unlabeled
					} else {
						sum += (w[0]*(logs[y]-total) + w[1]*(logs[y]-logZ)) / labeled
					}
				}
				return sum
			}
			var g rbm.Gradient
			c.Gradient(&g, x, labels, new(rbm.Exact))
			got, p := gradientValues(&g), params(c.Model)
			for k := range nh*nv + nv + nh {
				const d = 1e-5
				at := p[k]
				p[k] = at + d
				up := objective(p)
				p[k] = at - d
				down := objective(p)
				p[k] = at
				checkNear(t, fmt.Sprintf("weights %v: slope of %s", w, paramName(c.Model, k)), got[k], (up-down)/(2*d), 1e-8)
			}
		}
	})
}

// shifted returns m with a constant added to the biases of each group.
func shifted(m *rbm.RBM) *rbm.RBM {
	m = m.Clone()
	for k, g := range m.OneHot {
		for i := g.From; i < g.To; i++ {
			m.B.SetVec(i, m.B.AtVec(i)+[]float64{3, -20, 0.7}[k%3])
		}
	}
	return m
}

// figures are the results of functions with groups that do not change if all biases of a
// group grow alike.
var figures = []struct {
	name string
	of   func(t *testing.T, m *rbm.RBM, v *rbm.Bits) []float64
}{
	{"LogLikelihood", func(t *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 {
		return []float64{logLikelihood(t, m, v, nil).Mean}
	}},
	{"PseudoLogLikelihood", func(_ *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 { return m.PseudoLogLikelihood(nil, v) }},
	{"UnitProbs", func(_ *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 { return values(m.UnitProbs(nil, v)) }},
	{"LogProbGiven", func(_ *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 {
		return m.LogProbGiven(nil, v, someGiven(m, mat.DenseCopyOf(v)))
	}},
	{"MeansGiven", func(_ *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 {
		return values(m.MeansGiven(nil, v, someGiven(m, mat.DenseCopyOf(v))))
	}},
	{"CompletionsGiven", func(_ *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 {
		rows, weights := m.CompletionsGiven(v, someGiven(m, mat.DenseCopyOf(v)))
		return append(values(rows), weights...)
	}},
	{"VisibleProbs", func(_ *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 {
		return values(m.VisibleProbs(nil, m.HiddenProbs(nil, v)))
	}},
	{"LogProbs", func(_ *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 {
		nv, _ := m.Dims()
		n, _ := v.Dims()
		last := m.OneHot[len(m.OneHot)-1]
		if last.To < nv || last.From == 0 {
			return nil // no label
		}
		c := &rbm.Classifier{Model: m, Classes: last.To - last.From}
		return values(c.LogProbs(nil, mat.DenseCopyOf(v).Slice(0, n, 0, last.From)))
	}},
	{"FreeEnergyGap", func(_ *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 {
		return []float64{m.FreeEnergyGap(v.Slice(0, 5), v)}
	}},
	{"Gradient with Exact", func(_ *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 {
		var g rbm.Gradient
		m.Gradient(&g, v, new(rbm.Exact))
		return gradientValues(&g)
	}},
	{"chains", func(_ *testing.T, m *rbm.RBM, v *rbm.Bits) []float64 {
		c := rbm.NewChains(newSource(33))
		c.StartRandom(m, 20)
		c.Gibbs(m, 3)
		drawn := values(c.Visible())
		mask := someGiven(m, mat.DenseCopyOf(v))
		c.StartGiven(m, v, mask)
		c.GibbsGiven(m, 2, mask)
		return slices.Concat(drawn, values(c.MeansGiven(nil, m, 2, mask)), values(c.Visible()))
	}},
	{"PT", func(_ *testing.T, m *rbm.RBM, _ *rbm.Bits) []float64 {
		v, _ := rbm.NewPT(9, 3, 3, newSource(34)).Sample(m, nil)
		return values(v)
	}},
	{"PTT", func(_ *testing.T, m *rbm.RBM, _ *rbm.Bits) []float64 {
		v, _ := rbm.NewPTT(9, 3, nil, newSource(35)).Sample(m, nil)
		return values(v)
	}},
}

func TestOneHotBiasesOfAGroupShift(t *testing.T) {
	forOneHot(t, 0.8, 200, func(t *testing.T, m *rbm.RBM) {
		v := bitRows(t, allowedSample(m, 12, 36))
		for _, f := range figures {
			want, got := f.of(t, m, v), f.of(t, shifted(m), v)
			if len(got) != len(want) {
				t.Errorf("%s: %d values, want %d", f.name, len(got), len(want))
				continue
			}
			for k := range want {
				checkNear(t, fmt.Sprintf("%s: value %d", f.name, k), got[k], want[k], 1e-9)
			}
		}
	})
}

func TestOneHotSameForEveryGOMAXPROCS(t *testing.T) {
	setProcs(t, 1)
	for _, s := range []struct {
		nv, nh, n int
		groups    groups
	}{
		{14, 70, 300, groups{{0, 3}, {4, 9}, {9, 14}}},
		{200, 10, 150, groups{{10, 12}, {60, 70}, {70, 140}, {190, 200}}},
	} {
		m := s.groups.of(randomModel(s.nv, s.nh, 0.2, 37))
		c := rbm.NewChains(newSource(38))
		c.StartRandom(m, s.n)
		v := c.Visible()
		all := func() (x [][]float64) {
			for _, f := range figures {
				if s.nv == 200 && slices.Contains([]string{"LogProbGiven", "MeansGiven", "CompletionsGiven"}, f.name) {
					x = append(x, nil) // too many missing units
					continue
				}
				x = append(x, f.of(t, m, v))
			}
			a := rbm.NewAIS(70, 5, newSource(39))
			run, err := a.Run(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			reverse, err := a.Reverse(context.Background(), m, v)
			if err != nil {
				t.Fatal(err)
			}
			var g rbm.Gradient
			logZ := m.LogPartitionGradient(&g)
			return append(x, run.LogWeights, reverse.LogWeights, append(gradientValues(&g), logZ), m.FittedBias(v, nil, nil).RawVector().Data)
		}
		runtime.GOMAXPROCS(1)
		want := all()
		for _, p := range []int{2, 7} {
			runtime.GOMAXPROCS(p)
			for k, got := range all() {
				checkSame(t, fmt.Sprintf("nv=%d, GOMAXPROCS = %d, result %d", s.nv, p, k), got, want[k])
			}
		}
	}
}

func TestOneHotOfCopies(t *testing.T) {
	forOneHot(t, 0.8, 70, func(t *testing.T, m *rbm.RBM) {
		want := slices.Clone(m.OneHot)
		check := func(name string, got *rbm.RBM) {
			t.Helper()
			if !slices.Equal(got.OneHot, want) {
				t.Errorf("%s: groups are %v, want %v", name, got.OneHot, want)
			}
			checkSame(t, name, params(got), params(m))
		}
		clone := m.Clone()
		check("Clone", clone)
		clone.OneHot[0] = rbm.Group{From: 7, To: 5}
		check("the model, its clone having other groups", m)

		var b bytes.Buffer
		if _, err := m.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		read := new(rbm.RBM)
		if _, err := read.ReadFrom(&b); err != nil {
			t.Fatal(err)
		}
		check("ReadFrom", read)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		read = new(rbm.RBM)
		if err := json.Unmarshal(text, read); err != nil {
			t.Fatal(err)
		}
		check("UnmarshalJSON", read)
	})
}

// What is too large to enumerate, and rows and files that are wrong, are told in words.
func TestGroupsThatCannotBe(t *testing.T) {
	m := rbm.New(40, 40)
	for i := 0; i < 40; i += 2 {
		m.OneHot = append(m.OneHot, rbm.Group{From: i, To: i + 2})
	}
	wide := rbm.New(60, 40)
	for i := 0; i < 60; i += 3 {
		wide.OneHot = append(wide.OneHot, rbm.Group{From: i, To: i + 3})
	}
	v := rbm.NewBits(1, 40)
	for i := 0; i < 40; i += 2 {
		v.SetBit(0, i, true)
	}
	wantPanic(t, "LogPartition", func() { wide.LogPartition() }, "W is 40×60, want at most 30 rows or 2^30 visible configurations")
	wantPanic(t, "Exact", func() { new(rbm.Exact).Sample(wide, nil) }, "60 visible units in 20 groups have more than 2^20 configurations")
	wantPanic(t, "CompletionsGiven", func() { m.CompletionsGiven(v, nil) }, "row 0 has more than 2^16 completions")
	if got, want := m.LogPartition(), 20*math.Ln2+40*math.Ln2; math.Abs(got-want) > 1e-9 { // 2²⁰ configurations of 40 units
		t.Errorf("LogPartition = %v, want %v", got, want)
	}
	reals := mat.NewDense(1, 40, nil)
	reals.Set(0, 3, 2)
	if err := m.CheckRows(reals); err == nil || !strings.Contains(err.Error(), "v[0, 3] is 2, want a value in [0, 1]") {
		t.Errorf("CheckRows: error %v", err)
	}
	for _, groups := range []string{"[[0.5,2]]", "[[1]]", "[[0,2],[1,3]]"} {
		var got rbm.RBM
		data := `{"W":[[1,2,3]],"B":[1,2,3],"C":[1],"OneHot":` + groups + `}`
		if err := got.UnmarshalJSON([]byte(data)); err == nil || !strings.HasPrefix(err.Error(), "rbm: RBM: ") {
			t.Errorf("%s: error %v", groups, err)
		}
	}
}
