package rbm

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

const (
	maxExact     = 20 // units of the enumerated layer in Exact and LogPartitionGradient
	maxPartition = 30 // in LogPartition
	exactUnits   = 20 // in LogLikelihood
)

// LogPartition returns log Z exactly: of 784×20 units in half a second. It enumerates at
// most 2³⁰ configurations, in O(2^min(nv,nh) · max(nv,nh)).
func (m *RBM) LogPartition() float64 {
	// The half second is on two cores; 784×30 takes a thousand times as long.
	m.checkEnumeration(maxPartition, "; LogLikelihood takes an estimate of log Z")
	return m.logPartition()
}

// logPartition is LogPartition within the call that m is in.
//
// It enumerates the hidden layer, or the visible one if that has as many configurations or
// fewer, and sums out the other. It takes several times as long where there are groups, and
// where sums of exponentials may overflow: where a unit of the larger layer has weights and
// a bias whose absolute values sum to about 700 or more.
func (m *RBM) logPartition() float64 {
	var p model
	p.load(m, m.enumerated(maxPartition))
	defer p.done()
	z := partition{model: &p, from: &p.visible, out: &p.hidden, total: m.enumerated(maxPartition)}
	if m.enumeratesHidden() {
		z.from, z.out = z.out, z.from
	}
	return z.sum(m)
}

// enumeratesHidden reports whether the hidden layer has fewer configurations than the
// visible one.
func (m *RBM) enumeratesHidden() bool {
	_, nh := m.Dims()
	return nh < bits.UintSize-2 && m.visibleCount(1<<nh) > 1<<nh
}

// enumerated returns how many configurations the smaller layer has, at most 2^most.
func (m *RBM) enumerated(most int) int {
	_, nh := m.Dims()
	most = 1 << min(nh, most)
	return min(most, m.visibleCount(most))
}

// checkEnumeration panics if the smaller layer has more than 2^most configurations. The
// panic names another way, if there is one.
func (m *RBM) checkEnumeration(most int, other string) {
	nv, nh := m.Dims()
	if nh <= most || m.visibleCount(1<<most) <= 1<<most {
		return
	}
	if len(m.OneHot) > 0 {
		panic(fmt.Sprintf("rbm: W is %d×%d, want at most %d rows or 2^%d visible configurations to enumerate%s", nh, nv, most, most, other))
	}
	panic(fmt.Sprintf("rbm: W is %d×%d, want at most %d rows or columns to enumerate%s", nh, nv, most, other))
}

// visibleCount returns how many visible configurations m has, or most+1 if there are more.
func (m *RBM) visibleCount(most int) int {
	free, _ := m.Dims()
	n := 1
	times := func(size int) {
		if n > most/size {
			n = most + 1
		} else {
			n *= size
		}
	}
	for _, g := range m.OneHot {
		times(g.To - g.From)
		free -= g.To - g.From
	}
	for ; free > 0 && n <= most; free-- {
		times(2)
	}
	return n
}

// LogPartitionGradient returns log Z and sets dst to its gradient, ⟨hvᵀ⟩, ⟨v⟩ and ⟨h⟩ under
// the model. It enumerates at most 2²⁰ configurations.
func (m *RBM) LogPartitionGradient(dst *Gradient) (logZ float64) {
	// If a parameter is NaN, so are log Z and all of the gradient; the gradient also is if
	// log Z is infinite.
	// It takes several times as long as LogPartition, and 8 bytes per configuration.
	m.checkEnumeration(maxExact, "")
	total := m.enumerated(maxExact)
	defer dst.take().Release()
	dst.reset(m, total, 3*total)
	p, to := &dst.model, store(dst)
	defer p.done()
	if m.enumeratesHidden() { // and adds rows of h, with p(v=1|h) in place of ĥ
		p.visible, p.hidden = p.hidden, p.visible
		dst.stats.reset(p.visible.units, p.hidden.units, total)
		to = (*exchanged)(dst)
	}
	z := partition{model: p, from: &p.visible, out: &p.hidden, total: total, logp: make([]float64, total)}
	logZ = z.sum(m)
	weights := z.logp
	for x, logp := range weights {
		weights[x] = logistic.Exp(logp - logZ)
	}
	sum := product.Sum(weights) // not quite 1 where log Z is large, and so is its rounding
	var all enumeration
	for start := 0; start < total; start += blockRows {
		in := all.block(&p.visible, start, min(blockRows, total-start))
		dst.stats.add(p, ofProbs{}, "configuration", in.bits, weights[start:], sum, nil)
	}
	dst.finish(dst, to)
	return logZ
}

// A partition is the sum of exp(-E) over all configurations of one layer, with
// the other summed out. It is also the job that sums them block by block.
type partition struct {
	model     *model
	from, out *layer
	total     int       // configurations
	logp      []float64 // of each, up to log Z, if it is not nil

	sums    []float64 // log of the sum of each block of blockRows configurations
	factors factors
	blocks  [][]float64 // of each worker, where logp is nil
}

// sum returns log Z of m, which the model is loaded from.
func (z *partition) sum(m *RBM) float64 {
	z.sums = make([]float64, (z.total+blockRows-1)/blockRows)
	workers := z.model.team.Workers(len(z.sums), rowsWork(z.total, 0, z.out.units))
	z.blocks = make([][]float64, workers)
	free := len(z.from.groups) == 0 && len(z.out.groups) == 0
	switch {
	case z.model.nan:
	case free && z.from.units > blockUnits && z.factors.load(m, z.from, z.out, workers, z.model.team.Until):
		z.model.team.Run(workers, len(z.sums), z)
	default:
		z.sumInputs()
	}
	return z.model.orNaN(logistic.LogSumExp(z.sums))
}

// Do sums a block.
func (z *partition) Do(worker, k int) {
	logp := z.block(worker, k)
	z.factors.weigh(logp, k, worker)
	z.sums[k] = logistic.LogSumExp(logp)
}

// sumInputs sums all blocks without factors.
func (z *partition) sumInputs() {
	var f marginal
	var all enumeration
	for k := range z.sums {
		logp := z.block(0, k)
		in := all.block(z.from, k*blockRows, len(logp))
		f.energies(&z.model.team, logp, in, z.from, z.out)
		for r := range logp {
			logp[r] = -logp[r]
		}
		z.sums[k] = logistic.LogSumExp(logp)
	}
}

// block returns where a worker stores block k of logp.
func (z *partition) block(worker, k int) []float64 {
	start := k * blockRows
	n := min(blockRows, z.total-start)
	if z.logp != nil {
		return z.logp[start:][:n]
	}
	z.blocks[worker] = grow(z.blocks[worker], n)
	return z.blocks[worker]
}

// Exact is the Sampler that returns every visible configuration, at most 2²⁰, with its
// probability as weight, so that [RBM.Gradient] is exact. With an *Exact itself,
// gradients take more if there are at most 20 hidden units.
type Exact struct {
	model    model
	marginal marginal
	all      enumeration
	weights  []float64
	log      Gradient // of log Z, for models that are too large for Sample
	guard    parallel.Guard
}

var _ Sampler = (*Exact)(nil)

// Sample returns the visible configurations that fit the groups, and their probabilities.
// Without groups, number x has unit i on if bit i of x is set.
func (e *Exact) Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	// A group is one digit of x, which counts its units. Where log Z is NaN or infinite,
	// all probabilities are NaN.
	defer e.take().Release()
	if e.isAnalytic(m) {
		nv, _ := m.Dims()
		if len(m.OneHot) > 0 {
			panic(fmt.Sprintf("rbm: %d visible units in %d groups have more than 2^%d configurations, too many to enumerate", nv, len(m.OneHot), maxExact))
		}
		panic(fmt.Sprintf("rbm: %d visible units, want at most %d to enumerate", nv, maxExact))
	}
	return sample(e, &e.model, m, data, 0)
}

func (e *Exact) itself() Sampler { return e }

// hasNoState says that calls do not depend on earlier ones.
func (e *Exact) hasNoState() {}

func (e *Exact) take() *parallel.Guard {
	checkNil("Exact", e)
	return e.guard.Take("Exact")
}

func (e *Exact) begin(m *RBM, _ int) (samples, passes int) {
	if e.isAnalytic(m) {
		m.checkEnumeration(maxExact, "")
		return 0, 0
	}
	n := m.visibleCount(1 << maxExact)
	return n, n
}

func (e *Exact) draw(p *model, m *RBM, _ mat.Matrix) (v mat.Matrix, weights []float64) {
	n := m.visibleCount(1 << maxExact)
	e.weights = grow(e.weights, n)
	var in batch
	all := e.all.block(&p.visible, 0, n)
	for r0 := 0; r0 < n; r0 += blockRows {
		in.read("v", all.bits, r0, min(n, r0+blockRows))
		e.marginal.energies(&p.team, e.weights[r0:], &in, &p.visible, &p.hidden)
	}
	for r := range e.weights {
		e.weights[r] = -e.weights[r]
	}
	logZ := logistic.LogSumExp(e.weights)
	if math.IsInf(logZ, 1) {
		logZ = math.NaN() // so are all probabilities, not only those that are Inf/Inf
	}
	for r, x := range e.weights {
		e.weights[r] = p.orNaN(logistic.Exp(x - logZ))
	}
	return all.bits, e.weights
}

// isAnalytic reports whether m has too many configurations to be sampled.
func (e *Exact) isAnalytic(m *RBM) bool { return m.visibleCount(1<<maxExact) > 1<<maxExact }

func (e *Exact) slope(m *RBM) *Gradient {
	if nv, nh := m.Dims(); e.log.W != nil && (e.log.B.Len() != nv || e.log.C.Len() != nh) {
		e.log = Gradient{}
	}
	m.LogPartitionGradient(&e.log)
	return &e.log
}

// An enumeration lists the configurations of a layer. The units in no group and the
// groups are its digits, the first of which counts fastest. Without groups, number x
// has unit i on if bit i of x is set.
type enumeration struct {
	bits Bits
	in   batch
}

// block returns n configurations of the layer from number start on.
func (e *enumeration) block(l *layer, start, n int) *batch {
	e.bits.reset(n, l.units)
	for r := range n {
		if len(l.groups) == 0 {
			e.bits.words[r] = uint64(start + r)
		} else {
			l.configuration(e.bits.row(r), l.units, start+r)
		}
	}
	e.in.rows, e.in.cols, e.in.bits = n, l.units, &e.bits
	return &e.in
}
