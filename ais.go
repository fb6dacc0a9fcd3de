package rbm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// AIS estimates log Z by annealed importance sampling (Neal, 2001; Salakhutdinov &
// Murray, 2008) from a weightless base model, for [RBM.LogLikelihood], which calls Run
// and Reverse. Sweeps are at
//
//	log p*(v; β) = ((1-β)a + βb)·v + Σⱼ softplus(β(cⱼ + Wⱼ·v))
//
// The mean weight of Run estimates Z without bias, so its log tends to be too low. The
// mean weight of Reverse estimates 1/Z, so minus its log tends to be too high. If they
// agree, and neither depends on a few runs, both are close.
type AIS struct {
	sealed

	Runs     int                 // runs of Run, at least 1
	Betas    []float64           // inverse temperatures β, rising from 0 to 1
	Base     *mat.VecDense       // visible biases a of the base model (nv); nil: B of the model, or fitted to the data by LogLikelihood
	Ladder   *PTT                // whose LogZ LogLikelihood takes where AIS is not believable; nil: none
	Progress func(done, all int) // called after every temperature, unless nil

	chains *Chains
	done   int // temperatures, in a call
}

// NewAIS returns AIS with the n+1 Betas of Salakhutdinov & Murray (2008).
func NewAIS(runs, n int, src rand.Source) *AIS {
	checkAtLeast("runs", runs, 1)
	return &AIS{Runs: runs, Betas: annealingBetas(n), chains: NewChains(src)}
}

// annealingBetas returns 0 and n inverse temperatures that rise to 1, spaced as the 14,500 of
// Salakhutdinov & Murray (2008): evenly, 1/29 of them up to 0.5, 8/29 from there to 0.9,
// and 20/29 from there to 1.
func annealingBetas(n int) []float64 {
	if n < 1 {
		panic(fmt.Sprintf("rbm: n is %d, want at least 1 temperature", n))
	}
	betas := make([]float64, n+1)
	for k := range betas {
		switch t := 29 * float64(k) / float64(n); {
		case t <= 1:
			betas[k] = t / 2
		case t <= 9:
			betas[k] = 0.5 + (t-1)/20
		default:
			betas[k] = 0.9 + (t-9)/200
		}
	}
	betas[n] = 1
	return betas
}

// LogZ is an estimate of log Z, in nats, by [AIS].
type LogZ struct {
	Mean       float64   // the estimate: the log of the mean weight, negated for reverse runs
	StdErr     float64   // standard error of Mean, by the jackknife; blind to modes that no run has visited
	ESS        float64   // effective number of runs, (Σw)²/Σw², from 1, where one run decides, to all
	LogWeights []float64 // log w of each run; the mean of w estimates Z, or 1/Z for reverse runs
}

// GobEncode returns an error: encoding/gob would lose the seed.
func (a AIS) GobEncode() ([]byte, error) {
	return nil, errors.New("rbm: gob would lose the seed of AIS: encode Runs, Betas and Base")
}

// Run estimates log Z of m, at about the cost of a Gibbs sweep per temperature.
func (a *AIS) Run(ctx context.Context, m *RBM) (LogZ, error) {
	base := a.check(ctx, m)
	checkAtLeast("runs", a.Runs, 1)
	defer a.chains.guard.Take("AIS").Release()
	return a.within(ctx, m, func(m *RBM) LogZ { return a.run(m, base) })
}

// Reverse is Run from start (n×nv), samples of m, to the base model.
func (a *AIS) Reverse(ctx context.Context, m *RBM, start mat.Matrix) (LogZ, error) {
	base := a.check(ctx, m)
	checkBatch("start", start, base.Len())
	defer a.chains.guard.Take("AIS").Release()
	return a.within(ctx, m, func(m *RBM) LogZ { return a.reverse(m, base, start) })
}

// within returns f(m), or an error with the chains back where they were.
func (a *AIS) within(ctx context.Context, m *RBM, f func(m *RBM) LogZ) (e LogZ, err error) {
	c := newCall(ctx)
	a.done = 0
	if c.run(func() { e = f(m.in(c)) }) {
		return LogZ{}, fmt.Errorf("rbm: after %d of %d temperatures: %w", a.done, len(a.Betas)-1, ctx.Err())
	}
	return e, nil
}

func (a *AIS) run(m *RBM, base *mat.VecDense) LogZ {
	start := New(base.Len(), 1)
	start.B, start.OneHot = base, m.OneHot
	a.chains.startRandom(start.as(m), a.Runs)
	return a.estimate(m, base, false)
}

func (a *AIS) reverse(m *RBM, base *mat.VecDense, start mat.Matrix) LogZ {
	m.call.keeps(a.chains)
	visible := &a.chains.model.visible
	visible.oneHot.load(m.OneHot)
	a.chains.read("start", start, visible, m.until())
	a.chains.started()
	return a.estimate(m, base, true)
}

// check returns the visible biases of the base model.
func (a *AIS) check(ctx context.Context, m *RBM) (base *mat.VecDense) {
	if a == nil {
		panic("rbm: AIS is nil, want that of NewAIS")
	}
	checkNil("ctx", ctx)
	m.Dims()
	if a.chains == nil {
		a.chains = new(Chains)
	}
	n := len(a.Betas)
	if n < 2 || a.Betas[0] != 0 || a.Betas[n-1] != 1 {
		panic(fmt.Sprintf("rbm: betas are %v, want them to rise from 0 to 1", a.Betas))
	}
	checkRise(a.Betas)
	return baseOf(m, a.Base)
}

// checkRise panics unless betas rise.
func checkRise(betas []float64) {
	for k := range len(betas) - 1 {
		if !(betas[k] < betas[k+1]) {
			panic(fmt.Sprintf("rbm: betas[%d] is %v and betas[%d] is %v, want them to rise", k, betas[k], k+1, betas[k+1]))
		}
	}
}

// baseOf returns the visible biases of the base model: base or, if it is nil, a copy of
// the biases of m.
func baseOf(m *RBM, base *mat.VecDense) *mat.VecDense {
	if base == nil {
		return mat.VecDenseCopyOf(m.B)
	}
	nv, _ := m.Dims()
	checkBase(base, nv)
	return base
}

// checkBase panics unless base has nv finite biases.
func checkBase(base *mat.VecDense, nv int) {
	if base.Len() != nv {
		panic(fmt.Sprintf("rbm: base has length %d, want %d", base.Len(), nv))
	}
	if i := firstNotFinite(base); i >= 0 {
		panic(fmt.Sprintf("rbm: base[%d] is %v, want a finite number", i, base.AtVec(i)))
	}
}

// estimate takes the chains from where they are to the other end of the betas.
func (a *AIS) estimate(m *RBM, base *mat.VecDense, reverse bool) LogZ {
	return logZOf(a.anneal(m, []*mat.VecDense{base}, nil, reverse), reverse)
}

// logZOf returns the estimate by the logs of weights.
func logZOf(logw []float64, reverse bool) LogZ {
	e := LogZ{Mean: logMeanExp(logw), StdErr: jackknife(logw), ESS: effective(logw), LogWeights: logw}
	if reverse {
		e.Mean = -e.Mean
	}
	return e
}

// anneal takes the chains from where they are to the other end of the betas, and returns the
// logs of their weights. Of several base models, of gives the number of each chain's.
func (a *AIS) anneal(m *RBM, bases []*mat.VecDense, of []int, reverse bool) []float64 {
	c := a.chains
	n, steps := c.v.rows, len(a.Betas)-1
	logw := make([]float64, n)
	p := &c.model
	p.load(m, 2*n*min(steps, 1000))
	defer p.done()
	_, nh := m.Dims()
	logBase := make([]float64, len(bases)) // log Z of the base models
	for k, base := range bases {
		logBase[k] = logZOfBiases(float64(nh)*math.Ln2, mat.Col(nil, 0, base), m.OneHot)
	}
	s := newAnnealing(c, bases, of)
	if p.nan {
		steps = 0
	}
	for k := range steps {
		m.call.look()
		from, to := a.Betas[k], a.Betas[k+1]
		if reverse {
			from, to = a.Betas[steps-k], a.Betas[steps-k-1]
		}
		c.pass.ahead = steps - 1 - k
		s.step(logw, from, to)
		a.done = k + 1
		if a.Progress != nil {
			a.Progress(k+1, steps)
		}
	}
	for r := range logw {
		x := logBase[s.model(r)]
		if reverse {
			x = -x
		}
		logw[r] = p.orNaN(logw[r] + x)
	}
	return logw
}

// annealing is a sweep of chains between two temperatures.
type annealing struct {
	c     *Chains
	diff  [][]float64 // b - a, of each base model
	words int         // of hidden units
	from  []logistic.Sum
	to    []logistic.Sum

	betaFrom float64
	heat     tempering // to
}

func newAnnealing(c *Chains, bases []*mat.VecDense, of []int) *annealing {
	s := &annealing{c: c, words: c.model.hidden.words()}
	size := len(c.model.visible.bias)
	s.heat = tempering{betas: make([]float64, 1), base: make([]float64, len(bases)*size), model: of, stride: size}
	for k, base := range bases {
		diff := make([]float64, base.Len())
		for i := range diff {
			s.heat.base[k*size+i] = base.AtVec(i)
			diff[i] = difference(c.model.visible.bias[i], base.AtVec(i))
		}
		s.diff = append(s.diff, diff)
	}
	s.from = make([]logistic.Sum, c.v.rows*s.words)
	s.to = make([]logistic.Sum, c.v.rows*s.words)
	return s
}

// model returns the number of the base model of chain r.
func (s *annealing) model(r int) int {
	if s.heat.model == nil {
		return 0
	}
	return s.heat.model[r]
}

// difference returns b - a, 0 where both are the same infinity.
func difference(b, a float64) float64 {
	if a == b {
		return 0
	}
	return b - a
}

// step adds log p*(v; to) - log p*(v; from) to the weight of each chain, and then
// moves the chains by a sweep at the temperature to, unless that is the base
// model.
func (s *annealing) step(logw []float64, from, to float64) {
	c := s.c
	p := &c.model
	n := c.v.rows
	s.betaFrom, s.heat.betas[0] = from, to
	c.hiddenHalf(&p.team, p, 0, n, s)
	for r := range logw {
		p.team.Until.Look()
		logw[r] += float64((to-from)*product.SumBits(c.v.row(r), s.diff[s.model(r)])) +
			(total(s.to[r*s.words:][:s.words]) - total(s.from[r*s.words:][:s.words]))
	}
	if to == 0 {
		return
	}
	c.visibleHalf(&p.team, p, 0, n, &s.heat)
	c.clock++
}

// take is the sink of the hidden units: it sums their softplus at both
// temperatures and draws them at the second.
func (s *annealing) take(t, r0, n int, x tile) {
	var u [wordBits]uint32
	var y [panelsOfWord]product.Line
	for r := range n {
		in := x.row(r, n)
		at := (r0+r)*s.words + t
		units := s.c.h.cols - t*wordBits
		s.from[at] = scaled(&y, in, units, s.betaFrom).Softplus()
		in = scaled(&y, in, units, s.heat.betas[0])
		s.to[at] = in.Softplus()
		d := &s.c.draws
		d.random(&u, t, in.N*product.Lanes, r0+r)
		*d.word(r0+r, t) = in.Draw(&u)
	}
}

// logMeanExp returns the log of the mean of exp(x[i]), without overflow. It is
// -Inf if there are none.
func logMeanExp(x []float64) float64 {
	if len(x) == 0 {
		return math.Inf(-1)
	}
	return logistic.LogSumExp(x) - logistic.Log(float64(len(x)))
}

// jackknife returns the standard error of logMeanExp, from its values without each element
// of x in turn.
func jackknife(x []float64) float64 {
	n := len(x)
	if n < 2 {
		return math.Inf(1)
	}
	all := logistic.LogSumExp(x)
	logs := make([]float64, n) // of the sums without each, less all
	for i := range x {
		if w := logistic.Exp(x[i] - all); w < 0.5 {
			logs[i] = -logistic.Log1p(w / (1 - w))
		} else { // the difference would cancel
			rest := append(append([]float64(nil), x[:i]...), x[i+1:]...)
			logs[i] = logistic.LogSumExp(rest) - all
		}
	}
	return jackknifeErr(logs)
}

// jackknifeErr returns the standard error of an estimate that is larger by moves without each
// of its parts in turn.
func jackknifeErr(moves []float64) float64 {
	n := float64(len(moves))
	var mean, sum float64
	for _, x := range moves {
		mean += x / n
	}
	for _, x := range moves {
		sum += float64((x - mean) * (x - mean))
	}
	return math.Sqrt(sum * (n - 1) / n)
}

// effective returns (Σw)²/Σw².
func effective(logw []float64) float64 {
	twice := make([]float64, len(logw))
	for i, x := range logw {
		twice[i] = 2 * x
	}
	return logistic.Exp(2*logistic.LogSumExp(logw) - logistic.LogSumExp(twice))
}
