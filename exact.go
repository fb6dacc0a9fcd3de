package rbm

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm/internal/logistic"
	"gonum.org/v1/gonum/mat"
)

const (
	maxExact     = 20 // visible units of Exact
	maxPartition = 30 // units of the smaller layer in LogPartition
)

// LogPartition returns log Z, exactly, in nats: the log of the sum of
// exp(-E(v,h)) over all configurations. It enumerates the smaller layer, at
// most 30 units, and sums the other out, so that its time is proportional to
// 2^min(nv,nh) · nv · nh. It panics if both layers are larger.
func (m *RBM) LogPartition() float64 {
	nv, nh := m.Dims()
	var p model
	if min(nv, nh) > maxPartition {
		panic(fmt.Sprintf("rbm: W is %d×%d, want at most %d rows or columns to enumerate", nh, nv, maxPartition))
	}
	p.load(m, 1<<min(nv, nh))
	defer p.done()
	if p.nan {
		return math.NaN()
	}
	from, out := &p.visible, &p.hidden
	if nh < nv {
		from, out = out, from
	}
	var f marginal
	var all enumeration
	var sums []float64 // of the blocks
	var block []float64
	total := 1 << from.units
	for start := 0; start < total; start += blockRows {
		in := all.block(from.units, start, min(blockRows, total-start))
		block = grow(block, in.rows)
		f.energies(&p.team, block, in, from, out)
		for r := range block {
			block[r] = -block[r]
		}
		sums = append(sums, logistic.LogSumExp(block))
	}
	return logistic.LogSumExp(sums)
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
// of the log-likelihood. It is for models of at most 20 visible units, to check
// and to compare with: time and memory are proportional to 2ⁿᵛ. The zero value is
// ready to use.
type Exact struct {
	model    model
	marginal marginal
	all      enumeration
	weights  []float64
}

var _ Sampler = (*Exact)(nil)

// Sample returns the configurations, 2ⁿᵛ×nv, and their probabilities under m.
// Configuration x has visible unit i on if bit i of x is set. It panics if m has
// more than 20 visible units.
func (e *Exact) Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
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
	for r, x := range e.weights {
		e.weights[r] = p.orNaN(logistic.Exp(x - logZ))
	}
	return all.bits, e.weights
}
