package rbm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gorbm/rbm/internal/logistic"
	"gonum.org/v1/gonum/mat"
)

// temperedProbs returns p(v; β) of every visible configuration, by its definition.
func temperedProbs(m *RBM, base []float64, beta float64) []float64 {
	nv, nh := m.Dims()
	p := make([]float64, 1<<nv)
	var z float64
	for x := range p {
		in := make([]float64, nh)
		for j := range in {
			in[j] = m.C.AtVec(j)
		}
		for i := range nv {
			if x>>i&1 == 0 {
				continue
			}
			p[x] += (1-beta)*base[i] + beta*m.B.AtVec(i)
			for j := range in {
				in[j] += m.W.At(j, i)
			}
		}
		p[x] = math.Exp(p[x])
		for _, in := range in {
			p[x] *= 1 + math.Exp(beta*in)
		}
		z += p[x]
	}
	for x := range p {
		p[x] /= z
	}
	return p
}

// Replicas that are distributed as they should be stay so, at every temperature.
func TestPTIsStationary(t *testing.T) {
	t.Parallel()
	const sweeps = 3
	n := fewer(20000)
	for _, s := range []struct {
		nv, nh int
		std    float64
		based  bool
	}{{4, 3, 1, false}, {3, 5, 2, true}, {5, 2, 3, true}} {
		m := NewRandom(s.nv, s.nh, s.std, rand.NewPCG(1, 1))
		rnd := rand.New(rand.NewPCG(2, 2))
		base := make([]float64, s.nv)
		for i := range base {
			m.B.SetVec(i, rnd.NormFloat64())
			base[i] = m.B.AtVec(i)
			if s.based {
				base[i] = rnd.NormFloat64()
			}
		}
		for j := range s.nh {
			m.C.SetVec(j, rnd.NormFloat64())
		}
		betas := []float64{0, 0.3, 0.7, 1}
		pt := newPT(n, sweeps, betas, rand.NewPCG(3, 3))
		if s.based {
			pt.Base = vec(base)
		}
		pt.begin(m, 0)
		var probs [][]float64
		for k, beta := range betas {
			p := temperedProbs(m, base, beta)
			probs = append(probs, p)
			for i := range n {
				x := 0
				for u := rnd.Float64() - p[0]; u > 0 && x < len(p)-1; u -= p[x] {
					x++
				}
				pt.chains.v.row(pt.row[i*len(betas)+k])[0] = uint64(x)
			}
		}
		sample, _ := pt.Sample(m, nil)
		for k := range betas {
			count := make([]int, 1<<s.nv)
			for i := range n {
				r := pt.row[i*len(betas)+k]
				if pt.level[r] != k {
					t.Fatalf("row %d is at temperature %d, want %d", r, pt.level[r], k)
				}
				x := pt.chains.v.row(r)[0]
				if k == len(betas)-1 && sample.(*Bits).row(i)[0] != x {
					t.Fatalf("sample %d is %b, want %b", i, sample.(*Bits).row(i)[0], x)
				}
				count[x]++
			}
			// The sum is χ² distributed, but for configurations too rare to count.
			var chi2, df float64
			for x, p := range probs[k] {
				if want := float64(n) * p; want > 5 {
					chi2 += (float64(count[x]) - want) * (float64(count[x]) - want) / want
					df++
				}
			}
			if !(math.Abs(chi2-df) <= 5*math.Sqrt(2*df)) {
				t.Errorf("nv=%d/nh=%d: at β=%v χ² is %.1f of %.0f configurations", s.nv, s.nh, betas[k], chi2, df)
			}
		}
		for k, rate := range pt.SwapRates() {
			if want := temperedSwapRate(m, base, betas[k], betas[k+1]); !(math.Abs(rate-want) <= 0.02) {
				t.Errorf("nv=%d/nh=%d: swap rate %d is %v, want %v", s.nv, s.nh, k, rate, want)
			}
		}
	}
}

// Exchanges of several pairs of temperatures, of several chains and sweeps do not
// depend on each other: each takes place with probability ½ here.
func TestPTExchangesAreIndependent(t *testing.T) {
	const n, levels = 2000, 6
	pt := newPT(n, 1, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}, rand.NewPCG(1, 2))
	pt.begin(New(3, 2), 0)
	pt.diff, pt.words, pt.field = make([]float64, wordBits), 1, make([]float64, n*levels)
	var events [][]float64 // of the sweeps, by chain and pair: 1 or -1
	for pt.chains.clock = 2; pt.chains.clock < 8; pt.chains.clock++ {
		for r, k := range pt.level {
			pt.field[r] = 5 * math.Ln2 * float64(k)
		}
		before := slices.Clone(pt.row)
		pt.exchange(nil)
		var event []float64
		for i := range n {
			first := int(pt.chains.clock % 2)
			for k := range levels {
				stays := pt.row[i*levels+k] == before[i*levels+k]
				switch {
				case k < first || k == levels-1 && first == 1:
					if !stays {
						t.Fatalf("sweep %d: the replica at temperature %d has moved", pt.chains.clock, k)
					}
				case (k-first)%2 == 0 && stays:
					event = append(event, -1)
				case (k-first)%2 == 0:
					event = append(event, 1)
				}
			}
		}
		events = append(events, event)
	}
	for a, x := range events {
		for b, y := range events[:a+1] {
			for lag := range 8 {
				if a == b && lag == 0 {
					continue
				}
				m := min(len(x)-lag, len(y))
				var sum float64
				for k := range m {
					sum += x[k+lag] * y[k]
				}
				if z := sum / math.Sqrt(float64(m)); !(math.Abs(z) < 4.5) {
					t.Errorf("sweeps %d and %d, %d exchanges apart: correlated by %.1f standard errors", a, b, lag, z)
				}
			}
		}
		var sum float64
		for _, x := range x {
			sum += x
		}
		if z := sum / math.Sqrt(float64(len(x))); !(math.Abs(z) < 4.5) {
			t.Errorf("sweep %d: exchanges are %.1f standard errors from one half", a, z)
		}
	}
}

// temperedSwapRate returns the probability that independent replicas at two
// temperatures change places, by sampling over all joint configurations.
func temperedSwapRate(m *RBM, base []float64, beta0, beta1 float64) float64 {
	nv, nh := m.Dims()
	joint := func(beta float64) (p, u []float64) {
		for x := range 1 << nv {
			for y := range 1 << nh {
				var field, own float64
				for i := range nv {
					if x>>i&1 == 0 {
						continue
					}
					field += m.B.AtVec(i) - base[i]
					own += base[i]
					for j := range nh {
						if y>>j&1 != 0 {
							field += m.W.At(j, i)
						}
					}
				}
				for j := range nh {
					if y>>j&1 != 0 {
						field += m.C.AtVec(j)
					}
				}
				p, u = append(p, own+beta*field), append(u, -field)
			}
		}
		logZ := logistic.LogSumExp(p)
		for i := range p {
			p[i] = math.Exp(p[i] - logZ)
		}
		return p, u
	}
	p0, u0 := joint(beta0)
	p1, u1 := joint(beta1)
	var rate float64
	for a := range p0 {
		for b := range p1 {
			rate += p0[a] * p1[b] * min(1, math.Exp((beta0-beta1)*(u0[a]-u1[b])))
		}
	}
	return rate
}

// twoModes returns a model of two far modes, of which a Gibbs chain leaves
// neither, with twice as much probability in one.
func twoModes() *RBM {
	const nv, nh = 10, 8
	m := New(nv, nh)
	for j := range nh {
		for i := range nv {
			m.W.Set(j, i, 1.5)
		}
		m.C.SetVec(j, -1.5*nv/2)
	}
	for i := range nv {
		m.B.SetVec(i, -1.5*nh/2+math.Ln2/nv)
	}
	return m
}

func TestPTCrossesBetweenModes(t *testing.T) {
	t.Parallel()
	m := twoModes()
	p := temperedProbs(m, make([]float64, 10), 1)
	want := 0.
	for x, p := range p {
		if bitsSet(x) > 5 {
			want += p
		}
	}
	upper := func(s Sampler) float64 {
		var sum, total float64
		for call := range 60 {
			v, _ := s.Sample(m, nil)
			n, nv := v.Dims()
			for r := range n {
				if call >= 10 {
					total++
					if mat.Sum(v.(*Bits).Slice(r, r+1)) > float64(nv)/2 {
						sum++
					}
				}
			}
		}
		return sum / total
	}
	low := NewBits(50, 10)
	pcd := &PCD{K: 10, Chains: NewChains(rand.NewPCG(1, 1))}
	pcd.Chains.Start(low)
	pt := newPT(50, 10, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}, rand.NewPCG(1, 1))
	pt.Base = vec(make([]float64, 10))
	pt.begin(m, 0)
	pt.chains.Start(NewBits(300, 10)) // all in the lesser mode
	if got := upper(pcd); math.Abs(got-want) < 0.1 {
		t.Errorf("PCD finds %v of the probability in the upper mode, want less than the %v there are", got, want)
	}
	if got := upper(pt); !(math.Abs(got-want) <= 0.05) {
		t.Errorf("PT finds %v of the probability in the upper mode, want %v", got, want)
	}
}

func bitsSet(x int) (n int) {
	for ; x != 0; x &= x - 1 {
		n++
	}
	return n
}

func TestPTAdapt(t *testing.T) {
	t.Parallel()
	m := NewRandom(30, 20, 1, rand.NewPCG(1, 1))
	pt := newPT(100, 50, []float64{0, 0.01, 0.02, 0.03, 0.5, 1}, rand.NewPCG(2, 2))
	pt.Adapt() // nothing to go by yet
	if got := fmt.Sprint(pt.Betas); got != "[0 0.01 0.02 0.03 0.5 1]" {
		t.Errorf("betas are %v before any exchange", got)
	}
	spread := func() float64 {
		rates := pt.SwapRates()
		low, high := 1., 0.
		for _, r := range rates {
			low, high = min(low, r), max(high, r)
		}
		return high - low
	}
	pt.Sample(m, nil)
	before := spread()
	for range 4 {
		pt.Adapt()
		pt.Sample(m, nil)
	}
	if after := spread(); after > before/3 {
		t.Errorf("swap rates differ by %v after Adapt, by %v before: %v at %v", after, before, pt.SwapRates(), pt.Betas)
	}
	checkRise(pt.Betas)
	pt.Adapt()
	if rates := pt.SwapRates(); !math.IsNaN(rates[0]) {
		t.Errorf("swap rates are %v after Adapt, want none", rates)
	}
	if b := pt.Betas; b[0] != 0 || b[len(b)-1] != 1 {
		t.Errorf("betas are %v, want them from 0 to 1", b)
	}
}

func TestPTMisuse(t *testing.T) {
	src := rand.NewPCG(1, 1)
	at := func(betas []float64) func() {
		return func() {
			pt := NewPT(1, 1, 1, src)
			pt.Betas = betas
			pt.Sample(New(3, 2), nil)
		}
	}
	for _, tt := range []struct {
		want string
		f    func()
	}{
		{"rbm: n is 0, want at least 1", func() { newPT(0, 1, []float64{1}, src) }},
		{"rbm: k is 0, want at least 1", func() { newPT(1, 0, []float64{1}, src) }},
		{"rbm: levels is 0, want at least 1", func() { NewPT(1, 1, 0, src) }},
		{"rbm: betas are [], want them to rise from at least 0 to 1", at(nil)},
		{"rbm: betas are [-0.1 1], want them to rise from at least 0 to 1", at([]float64{-0.1, 1})},
		{"rbm: betas are [0 0.9], want them to rise from at least 0 to 1", at([]float64{0, 0.9})},
		{"rbm: betas[0] is 0.6 and betas[1] is 0.5, want them to rise", at([]float64{0.6, 0.5, 1})},
		{"rbm: betas are 3, want 2 as at the first call of Sample", func() {
			pt := NewPT(2, 1, 2, src)
			pt.Sample(New(3, 2), nil)
			pt.Betas = []float64{0, 0.5, 1}
			pt.Sample(New(3, 2), nil)
		}},
		{"rbm: base has length 2, want 3", func() {
			pt := newPT(1, 1, []float64{1}, src)
			pt.Base = vec(make([]float64, 2))
			pt.Sample(New(3, 2), nil)
		}},
		{"rbm: base[2] is NaN, want a finite number", func() {
			pt := newPT(1, 1, []float64{1}, src)
			pt.Base = vec([]float64{0, 0, math.NaN()})
			pt.Sample(New(3, 2), nil)
		}},
		{"rbm: PT is empty, want that of NewPT", func() { (&PT{K: 1}).Sample(New(3, 2), nil) }},
		{"rbm: PT is empty, want that of NewPT", func() { new(PT).SwapRates() }},
		{"rbm: PT is empty, want that of NewPT", func() { new(PT).Adapt() }},
		{"rbm: chains are 4×3, want n×5", func() {
			pt := newPT(2, 1, []float64{0, 1}, src)
			pt.Sample(New(3, 2), nil)
			pt.Sample(New(5, 2), nil)
		}},
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

// newPT returns parallel tempering at the given inverse temperatures.
func newPT(n, k int, betas []float64, src rand.Source) *PT {
	pt := NewPT(n, k, len(betas), src)
	pt.Betas = betas
	return pt
}

// vec returns x as a vector.
func vec(x []float64) *mat.VecDense { return mat.NewVecDense(len(x), x) }
