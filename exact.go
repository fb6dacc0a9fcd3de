package rbm

import (
	"context"
	"fmt"
	"math"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

const (
	maxExact     = 20 // units of the enumerated layer in Exact and LogPartitionGradient
	maxPartition = 30 // in LogPartition
)

// LogPartition returns log Z, exactly, in nats: the log of the sum of
// exp(-E(v,h)) over all configurations. It enumerates the smaller layer, at
// most 30 units, and sums the other out, so that its time is proportional to
// 2^min(nv,nh) · max(nv,nh): less than half a second for 784×20 units on two
// cores, and a thousand times that for 784×30. It is several times as long
// where sums of exponentials may overflow: where a unit of the larger layer has
// weights and a bias whose absolute values have a sum of about 700 or more. It
// panics if both layers have more than 30 units.
func (m *RBM) LogPartition() float64 {
	logZ, _ := m.LogPartitionContext(context.Background()) // which is never done
	return logZ
}

// LogPartitionContext is [RBM.LogPartition], bit for bit, until ctx is done: then
// it returns NaN and an error that wraps the one of ctx.
func (m *RBM) LogPartitionContext(ctx context.Context) (float64, error) {
	checkNil("ctx", ctx)
	n := checkEnumeration(m, maxPartition, "; LogLikelihood takes an estimate of log Z")
	logZ := math.NaN()
	if c := newCall(ctx); c.run(func() { logZ = m.in(c).logPartition() }) {
		return math.NaN(), fmt.Errorf("rbm: sum over 2^%d configurations: %w", n, ctx.Err())
	}
	return logZ, nil
}

// logPartition is LogPartition inside of the call that m is in.
func (m *RBM) logPartition() float64 {
	nv, nh := m.Dims()
	var p model
	p.load(m, 1<<min(nv, nh))
	defer p.done()
	z := partition{model: &p, from: &p.visible, out: &p.hidden}
	if p.hidden.units < p.visible.units {
		z.from, z.out = z.out, z.from
	}
	return z.sum(m)
}

// checkEnumeration returns how many units the smaller layer of m has. It panics if
// they are too many, and then names another way, if there is one.
func checkEnumeration(m *RBM, most int, other string) int {
	nv, nh := m.Dims()
	n := min(nv, nh)
	if n > most {
		panic(fmt.Sprintf("rbm: W is %d×%d, want at most %d rows or columns to enumerate%s", nh, nv, most, other))
	}
	return n
}

// LogPartitionGradient returns log Z as [RBM.LogPartition] does, and sets dst to
// its gradient, the exact means of the model:
//
//	∂log Z/∂W = ⟨hvᵀ⟩model    ∂log Z/∂b = ⟨v⟩model    ∂log Z/∂c = ⟨h⟩model
//
// It enumerates the smaller layer, at most 20 units, and takes several times as
// long as LogPartition, and 8 bytes for each configuration. It panics if both
// layers have more than 20 units, if dst is nil, or if the sizes do not fit. If a
// parameter is NaN, so are log Z and all of the gradient; the gradient also is where
// log Z is infinite.
func (m *RBM) LogPartitionGradient(dst *Gradient) (logZ float64) {
	n := checkEnumeration(m, maxExact, "")
	total := 1 << n
	defer dst.take().Release()
	dst.reset(m, total, 3*total)
	p := &dst.model
	defer p.done()
	if p.hidden.units < p.visible.units {
		dst.exchange(total)
	}
	z := partition{model: p, from: &p.visible, out: &p.hidden, logp: make([]float64, total)}
	logZ = z.sum(m)
	weights := z.logp
	for x, logp := range weights {
		weights[x] = logistic.Exp(logp - logZ)
	}
	sum := product.Sum(weights) // not quite 1 where log Z is large, and so is its rounding
	var all enumeration
	for start := 0; start < total; start += blockRows {
		in := all.block(n, start, min(blockRows, total-start))
		dst.stats.add(p, "configuration", in.bits, weights[start:], sum, nil, nil)
	}
	dst.finish(dst)
	return logZ
}

// A partition is the sum of exp(-E) over all configurations of one layer, with
// the other summed out. It is also the job that sums them block by block.
type partition struct {
	model     *model
	from, out *layer
	logp      []float64 // of each configuration, up to log Z, if it is not nil

	sums    []float64 // log of the sum of each block of blockRows configurations
	factors factors
	blocks  [][]float64 // of each worker, where logp is nil
}

// sum returns log Z of m, which the model is loaded from.
func (z *partition) sum(m *RBM) float64 {
	total := 1 << z.from.units
	z.sums = make([]float64, (total+blockRows-1)/blockRows)
	workers := z.model.team.Workers(len(z.sums), rowsWork(total, 0, z.out.units))
	z.blocks = make([][]float64, workers)
	switch {
	case z.model.nan:
	case z.from.units > blockUnits && z.factors.load(m, z.from, z.out, workers, z.model.team.Until):
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
		in := all.block(z.from.units, k*blockRows, len(logp))
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
	n := min(blockRows, 1<<z.from.units-start)
	if z.logp != nil {
		return z.logp[start:][:n]
	}
	z.blocks[worker] = grow(z.blocks[worker], n)
	return z.blocks[worker]
}

// An enumeration lists configurations: number x has unit i on if bit i of x is
// set.
type enumeration struct {
	bits Bits
	in   batch
}

// block returns n configurations of up to 64 units from number start on.
func (e *enumeration) block(units, start, n int) *batch {
	e.bits.reset(n, units)
	for r := range n {
		e.bits.words[r] = uint64(start + r)
	}
	e.in.rows, e.in.cols, e.in.bits = n, units, &e.bits
	return &e.in
}

// Exact is a Sampler without error: it returns all 2ⁿᵛ visible configurations,
// weighted by their probabilities, so that [RBM.Gradient] is the exact gradient
// of the log-likelihood. It is for small models, to check and to compare with:
// time and memory are proportional to 2ⁿᵛ. The zero value is ready to use.
//
// Sample is for at most 20 visible units. Gradient with an *Exact, itself and not
// inside another Sampler, also takes models of more visible and at most 20 hidden
// units: it then has the negative phase from [RBM.LogPartitionGradient].
type Exact struct {
	model    model
	marginal marginal
	all      enumeration
	weights  []float64
	slope    Gradient // of log Z, for models that are too large for Sample
	guard    parallel.Guard
}

var _ Sampler = (*Exact)(nil)

// groups says that there are none.
func (e *Exact) groups() []group { return nil }

// hasNoState says that calls do not depend on those before.
func (e *Exact) hasNoState() {}

// Sample returns the configurations, 2ⁿᵛ×nv, and their probabilities under m.
// Configuration x has visible unit i on if bit i of x is set. Where log Z is NaN or
// infinite, all probabilities are NaN. It panics if m has more than 20 visible units.
func (e *Exact) Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	checkNil("Exact", e)
	defer e.guard.Take("Exact").Release()
	e.model.load(m, e.start(m))
	defer e.model.done()
	return e.finish(&e.model)
}

// start returns the number of configurations. It panics if m is too large.
func (e *Exact) start(m *RBM) int {
	nv, _ := m.Dims()
	if nv > maxExact {
		panic(fmt.Sprintf("rbm: %d visible units, want at most %d to enumerate", nv, maxExact))
	}
	return 1 << nv
}

// finish returns what Sample does, of the loaded model.
func (e *Exact) finish(p *model) (v mat.Matrix, weights []float64) {
	nv := p.visible.units
	n := 1 << nv
	e.weights = grow(e.weights, n)
	var in batch
	all := e.all.block(nv, 0, n)
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
