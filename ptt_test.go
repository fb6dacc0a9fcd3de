package rbm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
)

// normal returns a model of normally distributed parameters, the weights with the
// standard deviation std.
func normal(nv, nh int, std float64, rnd *rand.Rand) *RBM {
	m := NewRandom(nv, nh, std, rnd)
	for i := range nv {
		m.B.SetVec(i, rnd.NormFloat64())
	}
	for j := range nh {
		m.C.SetVec(j, rnd.NormFloat64())
	}
	return m
}

// trajectory returns four models, of which the first has no weights and not all
// have the same number of hidden units.
func trajectory(nv, nh int, std float64, rnd *rand.Rand) []*RBM {
	return []*RBM{
		normal(nv, 1, 0, rnd),
		normal(nv, nh, std/4, rnd),
		normal(nv, nh+1, std/2, rnd),
		normal(nv, nh, std, rnd),
	}
}

// freeEnergies returns F(v) of every visible configuration, by its definition.
func freeEnergies(m *RBM) []float64 {
	nv, nh := m.Dims()
	f := make([]float64, 1<<nv)
	for x := range f {
		for i := range nv {
			if x>>i&1 != 0 {
				f[x] -= m.B.AtVec(i)
			}
		}
		for j := range nh {
			in := m.C.AtVec(j)
			for i := range nv {
				if x>>i&1 != 0 {
					in += m.W.At(j, i)
				}
			}
			f[x] -= math.Log1p(math.Exp(in))
		}
	}
	return f
}

// swapProbs returns the probability that configurations x of a and y of b change
// places, as element x<<nv|y.
func swapProbs(a, b *RBM) []float64 {
	fa, fb := freeEnergies(a), freeEnergies(b)
	var p []float64
	for x := range fa {
		for y := range fb {
			pa, pb := math.Exp(-fa[x]), math.Exp(-fb[y]) // now
			qa, qb := math.Exp(-fa[y]), math.Exp(-fb[x]) // then
			p = append(p, min(1, qa*qb/(pa*pb)))
		}
	}
	return p
}

// gibbsFrom returns the probability of every visible configuration after a sweep
// from x.
func gibbsFrom(m *RBM, x int) []float64 {
	nv, nh := m.Dims()
	p := make([]float64, 1<<nv)
	for y := range 1 << nh {
		ph := 1.
		for j := range nh {
			in := m.C.AtVec(j)
			for i := range nv {
				if x>>i&1 != 0 {
					in += m.W.At(j, i)
				}
			}
			ph *= bernoulliProb(in, y>>j&1)
		}
		for z := range p {
			pv := ph
			for i := range nv {
				in := m.B.AtVec(i)
				for j := range nh {
					if y>>j&1 != 0 {
						in += m.W.At(j, i)
					}
				}
				pv *= bernoulliProb(in, z>>i&1)
			}
			p[z] += pv
		}
	}
	return p
}

func bernoulliProb(in float64, bit int) float64 {
	if bit == 0 {
		in = -in
	}
	return 1 / (1 + math.Exp(-in))
}

// checkCounts fails unless counts of n draws are as probable as p, by χ² of the
// configurations that are not too rare to count, and of those that are together.
func checkCounts(t *testing.T, name string, count []int, p []float64) {
	t.Helper()
	var n, rareCount int
	for _, c := range count {
		n += c
	}
	var chi2, df, rare float64
	for x, p := range p {
		want := float64(n) * p
		if want < 5 {
			rare += want
			rareCount += count[x]
			continue
		}
		chi2 += (float64(count[x]) - want) * (float64(count[x]) - want) / want
		df++
	}
	if !(math.Abs(chi2-df) <= 5*math.Sqrt(2*df)) {
		t.Errorf("%s: χ² is %.1f of %.0f configurations", name, chi2, df)
	}
	if !(math.Abs(float64(rareCount)-rare) <= 5*math.Sqrt(rare+1)) {
		t.Errorf("%s: %d rare ones, want %.1f", name, rareCount, rare)
	}
}

// Replicas that are distributed as they should be, and independent, stay so at
// every model of the ladder.
func TestPTTIsStationary(t *testing.T) {
	t.Parallel()
	n := fewer(20000)
	for _, s := range []struct {
		nv, nh, sweeps int
		std            float64
	}{{3, 5, 4, 2}, {4, 2, 3, 3}, {2, 1, 1, 2}} {
		rnd := rand.New(rand.NewPCG(1, uint64(s.nv)))
		models := trajectory(s.nv, s.nh, s.std, rnd)
		m := models[3]
		ptt := NewPTT(n, s.sweeps, models[:3], rand.NewPCG(2, 2))
		ptt.MinSwapRate = 0
		ptt.begin(m, 0)
		var probs [][]float64
		for k, model := range models {
			p := temperedProbs(model, make([]float64, s.nv), 1)
			probs = append(probs, p)
			for i := range n {
				x := 0
				for u := rnd.Float64() - p[0]; u > 0 && x < len(p)-1; u -= p[x] {
					x++
				}
				ptt.chains.v.row(k*n + i)[0] = uint64(x)
			}
		}
		ptt.Sample(m, nil)
		for k, p := range probs {
			count := make([]int, 1<<s.nv)
			for i := range n {
				count[ptt.chains.v.row(k*n + i)[0]]++
			}
			checkCounts(t, fmt.Sprintf("nv=%d/nh=%d: model %d", s.nv, s.nh, k), count, p)
			if k == 0 {
				continue
			}
			count = make([]int, 1<<(2*s.nv))
			joint := make([]float64, len(count))
			for i := range n {
				count[ptt.chains.v.row((k-1)*n + i)[0]<<s.nv|ptt.chains.v.row(k*n + i)[0]]++
			}
			for x, px := range probs[k-1] {
				for y, py := range p {
					joint[x<<s.nv|y] = px * py
				}
			}
			checkCounts(t, fmt.Sprintf("nv=%d/nh=%d: models %d and %d", s.nv, s.nh, k-1, k), count, joint)
			var want, square float64
			for xy, alpha := range swapProbs(models[k-1], models[k]) {
				want += joint[xy] * alpha
				square += joint[xy] * alpha * alpha
			}
			rate := ptt.SwapRates()[k-1]
			if s.sweeps == 1 && k != 2 { // the first sweep is that of odd pairs
				if !math.IsNaN(rate) {
					t.Errorf("nv=%d/nh=%d: swap rate %d is %v before any exchange", s.nv, s.nh, k-1, rate)
				}
				continue
			}
			if stderr := math.Sqrt((square - want*want) / float64(n)); !(math.Abs(rate-want) <= 4*stderr) {
				t.Errorf("nv=%d/nh=%d: swap rate %d is %v, want %v ± %v", s.nv, s.nh, k-1, rate, want, stderr)
			}
		}
	}
}

// One sweep takes replicas where exchanges and Gibbs sweeps of their definition do.
func TestPTTTransition(t *testing.T) {
	t.Parallel()
	const nv, nh = 3, 2
	n := fewer(40000)
	models := trajectory(nv, nh, 2, rand.New(rand.NewPCG(5, 5)))
	for clock := range uint64(2) {
		for _, x := range [][4]int{{0, 7, 2, 5}, {6, 1, 4, 3}} {
			ptt := NewPTT(n, 1, models[:3], rand.NewPCG(6, clock))
			ptt.MinSwapRate = 0
			ptt.begin(models[3], 0)
			ptt.chains.clock = 10 + clock
			for k, x := range x {
				for i := range n {
					ptt.chains.v.row(k*n + i)[0] = uint64(x)
				}
			}
			ptt.Sample(models[3], nil)
			for k := range models {
				partner := k ^ 1
				if clock == 1 {
					partner = (k + 1) ^ 1 - 1 // of 1 and 2
				}
				want := gibbsFrom(models[k], x[k])
				if partner >= 0 && partner < len(models) {
					low, high := min(k, partner), max(k, partner)
					alpha := swapProbs(models[low], models[high])[x[low]<<nv|x[high]]
					for y, p := range gibbsFrom(models[k], x[partner]) {
						want[y] += alpha * (p - want[y])
					}
				}
				count := make([]int, 1<<nv)
				for i := range n {
					count[ptt.chains.v.row(k*n + i)[0]]++
				}
				checkCounts(t, fmt.Sprintf("clock %d, from %v: model %d", clock, x, k), count, want)
			}
		}
	}
}

// swapped returns which chains exchange the visible configurations x and y of the
// models k and k+1, at the given time.
func swapped(ptt *PTT, m *RBM, k int, clock uint64, x, y *Bits) []bool {
	c := ptt.chains
	c.model.load(m, c.v.rows)
	defer c.model.done()
	ptt.top = &c.model
	c.clock = clock
	for i := range ptt.n {
		copy(c.v.row(k*ptt.n+i), x.row(i))
		copy(c.v.row((k+1)*ptt.n+i), y.row(i))
	}
	ptt.exchange(k)
	took := make([]bool, ptt.n)
	for i := range took {
		took[i] = slices.Equal(c.v.row(k*ptt.n+i), y.row(i)) && slices.Equal(c.v.row((k+1)*ptt.n+i), x.row(i))
		if !took[i] && !(slices.Equal(c.v.row(k*ptt.n+i), x.row(i)) && slices.Equal(c.v.row((k+1)*ptt.n+i), y.row(i))) {
			panic("neither swapped nor left")
		}
	}
	return took
}

// Whether one exchange takes place says nothing of another, be it of other models or
// of another sweep.
func TestPTTExchangesAreIndependent(t *testing.T) {
	const n, nv = 10000, 3
	m := normal(nv, 4, 1, rand.New(rand.NewPCG(7, 7)))
	base := New(nv, 1)
	x, y := NewBits(n, nv), NewBits(n, nv)
	for i := range n {
		x.row(i)[0], y.row(i)[0] = 6, 1
	}
	alpha := swapProbs(base, m)[6<<nv|1]
	if alpha == 1 {
		x, y = y, x
		alpha = swapProbs(base, m)[1<<nv|6]
	}
	if alpha < 0.05 || alpha > 0.95 {
		t.Fatalf("exchanges take place with probability %v, which tells nothing", alpha)
	}
	ptt := NewPTT(n, 1, []*RBM{base, m, base}, rand.NewPCG(8, 8))
	ptt.begin(m, 0)
	sets := [][]bool{
		swapped(ptt, m, 0, 10, x, y),
		swapped(ptt, m, 2, 10, x, y),
		swapped(ptt, m, 0, 12, x, y),
	}
	for a := range sets {
		for b := range a + 1 {
			want := alpha * alpha
			if a == b {
				want = alpha
			}
			var both float64
			for i := range n {
				if sets[a][i] && sets[b][i] {
					both += 1. / n
				}
			}
			if stderr := math.Sqrt(want * (1 - want) / n); !(math.Abs(both-want) <= 4*stderr) {
				t.Errorf("sets %d and %d: exchanges of %v of the chains, want %v ± %v", a, b, both, want, stderr)
			}
		}
	}
}

// Between equal models every exchange takes place, of the whole configuration.
func TestPTTExchangesWholeRows(t *testing.T) {
	const n, nv = 20, 130
	rnd := rand.New(rand.NewPCG(9, 9))
	m := normal(nv, 7, 0.3, rnd)
	x, y := NewBits(n, nv), NewBits(n, nv)
	for i := range n {
		for j := range nv {
			x.SetBit(i, j, rnd.IntN(2) == 1)
			y.SetBit(i, j, rnd.IntN(2) == 1)
		}
	}
	ptt := NewPTT(n, 1, []*RBM{m}, rand.NewPCG(8, 8))
	ptt.begin(m, 0)
	for i, took := range swapped(ptt, m, 0, 10, x, y) {
		if !took {
			t.Errorf("chain %d did not exchange", i)
		}
	}
}

// Chains that start in one mode find the weights of both.
func TestPTTCrossesBetweenModes(t *testing.T) {
	t.Parallel()
	const n, calls, nv = 200, 60, 10
	m := twoModes()
	var want float64
	for x, p := range temperedProbs(m, make([]float64, nv), 1) {
		if bitsSet(x) > nv/2 {
			want += p
		}
	}
	upper := func(s Sampler) (mean, stderr float64) {
		in := make([]float64, n) // of each chain, how often it was in the upper mode
		for call := range calls {
			v, _ := s.Sample(m, nil)
			for i := range n {
				if call >= 10 && mat.Sum(v.(*Bits).Slice(i, i+1)) > nv/2 {
					in[i] += 1. / (calls - 10)
				}
			}
		}
		var square float64
		for _, x := range in {
			mean += x / n
			square += x * x / n
		}
		return mean, math.Sqrt((square - mean*mean) / (n - 1))
	}
	pcd := &PCD{K: 5, Chains: NewChains(rand.NewPCG(1, 1))}
	pcd.Chains.Start(NewBits(n, nv)) // all in the lesser mode
	if got, _ := upper(pcd); got > want/4 {
		t.Errorf("PCD finds %v of the probability in the upper mode, want next to nothing of the %v there are", got, want)
	}
	var models []*RBM
	for k := range 6 {
		step := m.Clone()
		scale := float64(k) / 6
		step.W.Scale(scale, step.W)
		step.B.ScaleVec(scale, step.B)
		step.C.ScaleVec(scale, step.C)
		models = append(models, step)
	}
	ptt := NewPTT(n, 5, models, rand.NewPCG(1, 1))
	ptt.begin(m, 0)
	ptt.chains.Start(NewBits(n*7, nv))
	if got, stderr := upper(ptt); !(math.Abs(got-want) <= 4*stderr) || stderr > 0.02 {
		t.Errorf("PTT finds %v ± %v of the probability in the upper mode, want %v", got, stderr, want)
	}
	if got := len(ptt.Models()); got != 6 {
		t.Errorf("ladder has grown to %d models at swap rates %v", got, ptt.SwapRates())
	}
}

// barsAndStripes returns the 2·2ˢ patterns of s×s pixels whose rows or whose
// columns are uniform; the two uniform patterns occur twice.
func barsAndStripes(s int) *Bits {
	data := NewBits(2<<s, s*s)
	for x := range 1 << s {
		for i := range s {
			for j := range s {
				data.SetBit(2*x, i*s+j, x>>i&1 != 0)
				data.SetBit(2*x+1, i*s+j, x>>j&1 != 0)
			}
		}
	}
	return data
}

func meanLogLikelihood(m *RBM, data *Bits) float64 {
	return -m.meanFreeEnergy("data", data) - m.LogPartition()
}

func TestPTTTraining(t *testing.T) {
	t.Parallel()
	const steps = 1500
	data := barsAndStripes(3)
	train := func(s Sampler) (*RBM, float64) {
		m := NewRandom(9, 12, 0.05, rand.NewPCG(1, 1))
		m.FitVisibleBias(data)
		var g Gradient
		var c Centering
		var o SGD
		for step := range steps {
			o.Rate = 0.4 * (1 - float64(step)/steps)
			m.Gradient(&g, data, s)
			c.Center(&g)
			o.Step(m, &g)
		}
		return m, meanLogLikelihood(m, data)
	}
	ptt := NewPTT(100, 1, nil, rand.NewPCG(2, 2))
	_, want := train(new(Exact))
	m, got := train(ptt)
	if !(math.Abs(got-want) <= 0.1) {
		t.Errorf("log-likelihood is %v, that by the exact gradient %v", got, want)
	}
	models := ptt.Models()
	if n := len(models); n < 3 || n > 20 {
		t.Errorf("ladder has %d models", n)
	}
	if first := mat.Norm(models[0].W, 1); first != 0 {
		t.Errorf("first model has weights of norm %v", first)
	}
	for k, rate := range ptt.SwapRates() {
		if !(rate > 0.1) {
			t.Errorf("swap rates are %v at the end: the ladder is broken at %d", ptt.SwapRates(), k)
		}
	}

	// The ladder of the training serves to sample what was trained.
	again := NewPTT(400, 50, models, rand.NewPCG(3, 3))
	again.MinSwapRate = 0
	again.Sample(m, nil)
	v, _ := again.Sample(m, nil)
	count := make([]int, 1<<9)
	for i := range 400 {
		count[v.(*Bits).row(i)[0]]++
	}
	var distance, noise float64
	for x, p := range temperedProbs(m, make([]float64, 9), 1) {
		distance += math.Abs(float64(count[x])/400-p) / 2
		noise += math.Sqrt(p*(1-p)/400*2/math.Pi) / 2 // its mean for independent rows
	}
	if distance > 1.3*noise {
		t.Errorf("total variation of 400 rows is %v, want about %v", distance, noise)
	}
}

func TestPTTGrows(t *testing.T) {
	const n, nv, nh = 60, 70, 5
	rnd := rand.New(rand.NewPCG(1, 1))
	m := normal(nv, nh, 0.5, rnd)
	ptt := NewPTT(n, 3, nil, rand.NewPCG(2, 2))
	if rates := ptt.SwapRates(); len(rates) != 0 {
		t.Errorf("swap rates are %v before the first call", rates)
	}
	ptt.Sample(m, nil) // one exchange of 60 chains: too few to tell
	first := ptt.Models()
	if len(first) != 1 || !mat.Equal(first[0].B, m.B) || mat.Norm(first[0].W, 1) != 0 {
		t.Fatalf("%d models at first, want the biases of that sampled", len(first))
	}
	ptt.MinSwapRate = 0
	ptt.Sample(m, nil)
	ptt.Sample(m, nil)
	if rates := ptt.SwapRates(); len(rates) != 1 || !(rates[0] < 0.2) {
		t.Fatalf("swap rates are %v, want one under 0.2", rates)
	}
	ptt.MinSwapRate = 0.25
	v, _ := ptt.Sample(m, nil)
	if r, c := v.Dims(); r != n || c != nv {
		t.Fatalf("sample is %d×%d, want %d×%d", r, c, n, nv)
	}
	if r, _ := ptt.chains.v.Dims(); r != 3*n {
		t.Fatalf("%d replicas, want %d", r, 3*n)
	}
	for i := range n {
		for t0, word := range ptt.chains.v.row(n + i) {
			if top := ptt.chains.v.row(2*n + i)[t0]; top != word || v.(*Bits).row(i)[t0] != word {
				t.Fatalf("states of chain %d at the new model are %x, at the one sampled %x", i, word, top)
			}
		}
	}
	models := ptt.Models()
	if len(models) != 2 || !mat.Equal(models[1].W, m.W) || !mat.Equal(models[1].B, m.B) || !mat.Equal(models[1].C, m.C) {
		t.Fatalf("%d models, want two, the second that sampled", len(models))
	}
	if rates := ptt.SwapRates(); !(rates[0] < 0.2) || !math.IsNaN(rates[1]) {
		t.Errorf("swap rates are %v, want the second NaN", rates)
	}

	// Neither is m kept, nor do others get hold of the ladder.
	want := m.W.At(1, 2)
	m.W.Set(1, 2, 5)
	models[1].W.Set(1, 2, 7)
	if got := ptt.Models()[1].W.At(1, 2); got != want {
		t.Errorf("weight of a saved model is %v, want %v", got, want)
	}
	given := NewPTT(n, 1, models, rand.NewPCG(3, 3))
	if given.MinSwapRate != 0.25 {
		t.Errorf("MinSwapRate is %v, want 0.25", given.MinSwapRate)
	}
	models[1].W.Set(1, 2, 9)
	if got := given.Models()[1].W.At(1, 2); got != 7 {
		t.Errorf("weight of a given model is %v, want 7", got)
	}
	m.W.Set(1, 2, want)
	for range 10 {
		ptt.Sample(m, nil)
	}
	if got, rates := len(ptt.Models()), ptt.SwapRates(); got != 2 || !(rates[1] > 0.999) {
		t.Errorf("ladder has %d models at the same model, swap rates %v", got, rates)
	}
}

func TestPTTDoesNotSaveNaN(t *testing.T) {
	for _, spoil := range []func(m *RBM){
		func(m *RBM) { m.W.Set(1, 2, math.NaN()) },
		func(m *RBM) { m.B.SetVec(0, math.NaN()) },
		func(m *RBM) { m.C.SetVec(1, math.NaN()) },
	} {
		m := normal(4, 2, 5, rand.New(rand.NewPCG(1, 1)))
		first := New(4, 1)
		first.B.SetVec(0, -100) // off, so that its energies do not show that the bias is NaN
		ptt := NewPTT(200, 2, []*RBM{first}, rand.NewPCG(2, 2))
		ptt.MinSwapRate = 0.99
		spoil(m)
		ptt.Sample(m, nil)
		if n, rates := len(ptt.Models()), ptt.SwapRates(); n != 1 || !math.IsNaN(rates[0]) {
			t.Errorf("%d models, swap rates %v, want one and NaN", n, rates)
		}
	}
}

// The goroutines that get a large model ready end with the call.
func TestPTTLeavesNoGoroutine(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	before := runtime.NumGoroutine()
	ptt := NewPTT(2, 1, []*RBM{New(1000, 400), New(1000, 500)}, rand.NewPCG(1, 1))
	ptt.Sample(New(1000, 400), nil)
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, before %d", runtime.NumGoroutine(), before)
		}
	}
}

func TestPTTMisuse(t *testing.T) {
	src := rand.NewPCG(1, 1)
	for _, tt := range []struct {
		want string
		f    func()
	}{
		{"rbm: n is 0, want at least 1", func() { NewPTT(0, 1, nil, src) }},
		{"rbm: k is 0, want at least 1", func() { NewPTT(1, 0, nil, src) }},
		{"rbm: source is nil", func() { NewPTT(1, 1, nil, nil) }},
		{"rbm: model is nil", func() { NewPTT(1, 1, []*RBM{nil}, src) }},
		{"rbm: models[1] has 4 visible units, want 3", func() { NewPTT(1, 1, []*RBM{New(3, 2), New(4, 2)}, src) }},
		{"rbm: MinSwapRate is 1, want one in [0, 1)", func() { (&PTT{K: 1, MinSwapRate: 1}).Sample(New(3, 2), nil) }},
		{"rbm: MinSwapRate is NaN, want one in [0, 1)", func() { (&PTT{K: 1, MinSwapRate: math.NaN()}).Sample(New(3, 2), nil) }},
		{"rbm: PTT is empty, want that of NewPTT", func() { (&PTT{K: 1}).Sample(New(3, 2), nil) }},
		{"rbm: k is 0, want at least 1", func() {
			ptt := NewPTT(1, 1, nil, src)
			ptt.K = 0
			ptt.Sample(New(3, 2), nil)
		}},
		{"rbm: chains are 4×3, want n×5", func() {
			ptt := NewPTT(2, 1, nil, src)
			ptt.Sample(New(3, 2), nil)
			ptt.Sample(New(5, 2), nil)
		}},
		{"rbm: chains are 4×3, want n×5", func() { NewPTT(2, 1, []*RBM{New(3, 2)}, src).Sample(New(5, 2), nil) }},
	} {
		func() {
			defer func() {
				if got := recover(); got != tt.want {
					t.Errorf("panic %q, want %q", got, tt.want)
				}
			}()
			tt.f()
		}()
	}
}
