package rbm

import (
	"fmt"
	"math/rand/v2"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// A Sampler supplies the negative phase of [RBM.Gradient].
//
// One that wraps a sampler of this package should embed it, as *PCD in a struct, and
// not the interface: then it is taken for what it is where groups of units, weights
// of rows, swap rates, states of chains and checkpoints are concerned. Sample is
// always the wrapper's own.
type Sampler interface {
	// Sample returns visible configurations drawn from m, one a row of v, with
	// non-negative weights, one a row; nil weights are equal. V has nv columns
	// and any number of rows. Data is the minibatch of the positive phase,
	// n×nv. Sample must not change m or data. The results belong to the
	// Sampler and are valid until its next call.
	Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64)
}

// What a Sampler tells about itself, as do all of this package, and whatever embeds
// one of them.
type (
	// grouped samples among configurations with one unit of each group on.
	grouped interface{ groups() []group }

	// fromData starts each row of its sample, if it has as many, from that of data.
	fromData interface{ startsFromData() }

	// stateless goes on in the same way, whatever was before.
	stateless interface{ hasNoState() }
)

// Chains are Markov chains over the configurations of an RBM, which move by
// block Gibbs sampling (Geman & Geman, 1984): a sweep draws all hidden units
// given the visible ones and then all visible units given the hidden ones.
//
// Each chain has random numbers of its own, determined by the seed, the chain's
// row, the number of sweeps and starts before, and the unit. A unit is drawn
// with its probability to a precision of 2⁻³²; one whose probability is NaN is
// off, as a bit cannot be NaN.
//
// Chains are made by NewChains; the zero value has seed 0. They have no states
// until Start or StartRandom. Burn-in and thinning are loops of the caller's over
// Gibbs; whether there were enough sweeps, [Diagnose] can say.
type Chains struct {
	sealed

	seed  uint64
	clock uint64 // sweeps and starts so far
	v, h  Bits
	next  Bits // states to start from

	model model
	pass  pass
	draws draws
	clamp clamp
	in    batch
	guard parallel.Guard

	kept struct { // see call
		clock uint64
		v     Bits
	}

	// Of the chains that move, if not all of them do, while CD has rows with a weight
	// of 0: the numbers of those that v and h hold.
	numbers []int
}

// The phases of a sweep, which have different random numbers.
const (
	drawHidden = iota
	drawVisible
	drawStart
	drawSwap
)

// NewChains returns chains without states, seeded by src. It panics if src is
// nil.
func NewChains(src rand.Source) *Chains { return &Chains{seed: seed(src)} }

// Start sets the visible states to the rows of v, one chain for each. A value
// strictly between 0 and 1 is the probability with which the bit is drawn. It
// panics if v has no rows, or a row has not exactly one unit of a group on.
func (c *Chains) Start(v mat.Matrix) {
	checkNil("v", v)
	defer c.take().Release()
	c.start(v, nil)
}

// take begins a use.
func (c *Chains) take() *parallel.Guard {
	checkNil("Chains", c)
	return c.guard.Take("Chains")
}

func (c *Chains) start(v mat.Matrix, until *stop.Signal) {
	c.read(v, until)
	c.started()
}

// read sets the next states to the rows of v.
func (c *Chains) read(v mat.Matrix, until *stop.Signal) {
	n, nv := v.Dims()
	checkSize("v", n, nv, (nv-1)/wordBits+1)
	c.clamp.fit(nv)
	c.next.reset(n, nv) // v may be a view of the states
	in := batch{team: &parallel.Team{Until: until}}
	in.each("v", v, n, func(r0 int) {
		c.clamp.check("v", &in, r0, until)
		for r := range in.rows {
			until.Look()
			states := c.next.row(r0 + r)
			if !in.real {
				copy(states, in.bits.row(r))
				continue
			}
			var u [wordBits]uint32
			for i := range nv {
				if i%wordBits == 0 {
					philox.Fill(&u, wordBits, c.seed, c.place(r0+r), i/wordBits)
				}
				if (float64(u[i%wordBits])+0.5)*0x1p-32 < in.at(r, i) {
					states[i/wordBits] |= 1 << (i % wordBits)
				}
			}
		}
	})
}

// StartRandom sets n chains to states drawn from the visible biases of m alone,
// p(vᵢ=1) = σ(bᵢ), and in a group p(vᵢ=1) ∝ exp(bᵢ). It panics if n is less than
// 1.
func (c *Chains) StartRandom(m *RBM, n int) {
	defer c.take().Release()
	c.startRandom(m, n)
}

func (c *Chains) startRandom(m *RBM, n int) {
	nv, _ := m.Dims()
	checkAtLeast("n", n, 1)
	checkSize("v", n, nv, (nv-1)/wordBits+1)
	c.clamp.fit(nv)
	m.call.keeps(c)
	c.next.reset(n, nv)
	c.drawBiases(m, n)
	c.started()
}

// drawBiases draws the next states of n chains from the visible biases.
func (c *Chains) drawBiases(m *RBM, n int) {
	var visible layer
	visible.load(m.B)
	c.draws = draws{dst: &c.next, seed: c.seed, place: c.place(0)}
	out := c.clamp.sink(&c.draws)
	room := make(tile, panelsOfWord*min(n, product.ShareRows))
	for t := range visible.words() {
		for r0 := 0; r0 < n; r0 += product.ShareRows {
			m.until().Look()
			rows := min(n-r0, product.ShareRows)
			x := room[:panelsOfWord*rows]
			for i := range x {
				x[i] = product.Line(visible.bias[t*wordBits+i/rows*product.Lanes:])
			}
			out.take(t, r0, rows, x)
		}
	}
	c.clamp.until = m.until()
	c.clamp.drawSplit(0, n)
	c.clamp.until = nil
}

// started makes the next states the current ones.
func (c *Chains) started() {
	c.v, c.next = c.next, c.v
	c.clock++
}

// Gibbs moves every chain by k sweeps of m. Two calls with k₁ and k₂ give the
// same states as one with k₁+k₂. It panics if k is less than 1, if the chains
// have not been started, or if their states do not have the size of m.
func (c *Chains) Gibbs(m *RBM, k int) {
	checkAtLeast("k", k, 1)
	defer c.take().Release()
	c.check(m)
	c.gibbs(m, k)
}

func (c *Chains) gibbs(m *RBM, k int) {
	m.call.keeps(c)
	c.model.load(m, 2*k*c.v.rows)
	defer c.model.done()
	c.sweeps(&c.model, k)
}

// note remembers the states and the clock.
func (c *Chains) note() {
	c.kept.clock = c.clock
	c.kept.v.resize(c.v.rows, c.v.cols)
	copy(c.kept.v.words, c.v.words)
}

// back goes back to them.
func (c *Chains) back() {
	c.clock = c.kept.clock
	c.v, c.kept.v = c.kept.v, c.v
}

// Visible returns the visible states, one chain a row. They are the chains' own
// memory: the next call moves them, and setting a bit sets the chain's state. It
// panics if the chains have not been started.
func (c *Chains) Visible() *Bits {
	checkNil("Chains", c)
	if c.v.rows == 0 {
		panic("rbm: chains have not been started, want Start or StartRandom first")
	}
	return &c.v
}

// unstarted reports whether Visible would panic.
func (c *Chains) unstarted() bool { return c.v.rows == 0 }

// groups returns the groups of visible units.
func (c *Chains) groups() []group { return c.clamp.groups }

// check panics if the states do not have the size of m.
func (c *Chains) check(m *RBM) {
	nv, _ := m.Dims()
	if v := c.Visible(); v.cols != nv {
		panic(fmt.Sprintf("rbm: chains are %d×%d, want n×%d", v.rows, v.cols, nv))
	}
}

// place is where the random numbers of a starting chain stand.
func (c *Chains) place(row int) philox.Place {
	return philox.Place{Row: uint32(row), Sweep: c.clock, Phase: drawStart}
}

// sweeps moves every chain by k sweeps, or by fewer if p.sweep is given.
func (c *Chains) sweeps(p *model, k int) {
	for range k {
		if p.sweep.Given() {
			return
		}
		c.in.read("v", &c.v, 0, c.v.rows)
		c.pass.run(&p.team, &p.hidden, &c.in, c.hidden(p, c.clock, c.v.rows, 0))
		c.visible(p)
	}
}

// hidden returns the sink that draws the hidden units of a sweep of n chains,
// for those from row r0 on.
func (c *Chains) hidden(p *model, sweep uint64, n, r0 int) *draws {
	c.h.resize(n, p.hidden.units)
	c.draws = draws{dst: &c.h, row: r0, numbers: c.numbers, seed: c.seed, place: philox.Place{Sweep: sweep, Phase: drawHidden}}
	return &c.draws
}

// restart makes ready for n chains that start from the rows of a matrix, called name,
// of which it is given those from r0 on.
func (c *Chains) restart(name string, in *batch, n, r0 int, until *stop.Signal) {
	c.clamp.fit(in.cols)
	c.clamp.check(name, in, r0, until)
	if c.numbers != nil { // what does not move stays here
		c.next.resize(n, in.cols)
		for r := range in.rows {
			copy(c.next.row(r0+r), in.bits.row(r))
		}
	}
}

// first is hidden for the first sweep of n chains that have been restarted, of which
// those that move are counted from r0 on. The pass is up to the caller; visible must
// follow.
func (c *Chains) first(p *model, n, r0 int) *draws {
	if c.numbers != nil {
		n = len(c.numbers)
	}
	return c.hidden(p, c.clock+1, n, r0)
}

// settle puts chains that have moved alone to those that have not.
func (c *Chains) settle() {
	for k, r := range c.numbers {
		copy(c.next.row(r), c.v.row(k))
	}
	c.v, c.next = c.next, c.v
}

// all lets all chains move again.
func (c *Chains) all() { c.numbers = nil }

// visible draws the visible units given the hidden ones, which ends a sweep.
func (c *Chains) visible(p *model) {
	c.v.resize(c.h.rows, p.visible.units)
	c.in.read("h", &c.h, 0, c.h.rows)
	c.draws = draws{dst: &c.v, numbers: c.numbers, seed: c.seed, place: philox.Place{Sweep: c.clock, Phase: drawVisible}}
	c.pass.run(&p.team, &p.visible, &c.in, c.clamp.sink(&c.draws))
	c.clamp.finish(&p.team)
	c.clock++
}
