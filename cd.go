package rbm

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// CD is the Sampler of contrastive divergence (Hinton, 2002): chains that start
// from the data of the positive phase and move by K sweeps. Its gradient is
// biased towards the data, less so for a larger K.
type CD struct {
	K      int     // sweeps, from 1 to 2²⁴
	Chains *Chains // restarted by every call
}

var _ Sampler = (*CD)(nil)

// NewCD returns CD-k, seeded by src. It panics if k is not between 1 and 2²⁴ or src
// is nil.
func NewCD(k int, src rand.Source) *CD {
	checkK(k)
	return &CD{K: k, Chains: NewChains(src)}
}

// Sample returns the states, n×nv, that K sweeps of m reach from the n rows of
// data, with nil weights. A value of data between 0 and 1 stands in the first
// half sweep as it is: h ~ p(h|data). It panics if K is out of range, Chains is
// nil, the sizes do not fit, or a row has not exactly one unit of a group of
// Chains on.
func (s *CD) Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	s.check()
	nv, _ := m.Dims()
	n := checkBatch("data", data, nv)
	defer s.Chains.guard.Take("CD").Release()
	m.call.keeps(s.Chains)
	p := &s.Chains.model
	p.load(m, 2*s.K*n)
	defer p.done()
	p.sweep = m.untilSweep()
	s.start(p, data)
	return s.finish(p)
}

// groups returns the groups of visible units among which s samples.
func (s *CD) groups() []group {
	s.check()
	return s.Chains.groups()
}

// startsFromData says that each row that is sampled comes from one of data.
func (s *CD) startsFromData() {}

// start draws the hidden units of the first sweep, given the rows of data.
func (s *CD) start(p *model, data mat.Matrix) {
	c := s.Chains
	n, _ := data.Dims()
	for r0 := 0; r0 < n; r0 += blockRows {
		c.in.read("data", data, r0, min(n, r0+blockRows))
		c.restart("data", &c.in, n, r0, p.team.Until)
		c.pass.run(&p.team, &p.hidden, &c.in, c.first(p, n, r0))
	}
}

func (s *CD) check() {
	checkNil("CD", s)
	checkK(s.K)
	if s.Chains == nil {
		panic("rbm: CD has no Chains, want those of NewChains")
	}
}

// finish moves the chains on, the hidden units of the first sweep being drawn.
func (s *CD) finish(p *model) (v mat.Matrix, weights []float64) {
	c := s.Chains
	c.clock++ // as a start does, so that CD is Start and Gibbs
	c.visible(p)
	c.sweeps(p, s.K-1)
	return c.Visible(), nil
}

// PCD is the Sampler of persistent contrastive divergence, also known as
// stochastic maximum likelihood (Younes, 1989; Tieleman, 2008): chains that go
// on, by K sweeps, from where the previous call left them. As long as the model
// changes slowly they follow its distribution.
type PCD struct {
	K      int     // sweeps, from 1 to 2²⁴
	Chains *Chains // PCD continues them if they have been started

	n int // chains to start
}

var _ Sampler = (*PCD)(nil)

// NewPCD returns PCD-k with n chains, seeded by src. The first call of Sample
// starts them from the visible biases of its model, as [Chains.StartRandom]
// does. It panics if n is not between 1 and 2²², k is not between 1 and 2²⁴, or src
// is nil.
func NewPCD(n, k int, src rand.Source) *PCD {
	checkChains(n, 1)
	checkK(k)
	return &PCD{K: k, Chains: NewChains(src), n: n}
}

// Sample returns the states, n×nv for n chains, after K further sweeps of m, with
// nil weights. Data is not used. It panics if K is out of range, Chains is nil or
// has not been started by anyone, or the sizes do not fit.
func (s *PCD) Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	s.check()
	defer s.Chains.guard.Take("PCD").Release()
	p := &s.Chains.model
	p.load(m, 2*s.K*s.start(m))
	defer p.done()
	p.sweep = m.untilSweep()
	return s.finish(p)
}

// Visible returns the states of the chains, as [Chains.Visible] does, or nil if they
// have not been started, as before the first call of Sample.
func (s *PCD) Visible() *Bits {
	checkNil("PCD", s)
	if s.Chains == nil {
		return nil
	}
	return s.Chains.v.orNil()
}

// groups returns the groups of visible units among which s samples.
func (s *PCD) groups() []group {
	s.check()
	return s.Chains.groups()
}

func (s *PCD) check() {
	checkNil("PCD", s)
	checkK(s.K)
	if s.Chains == nil {
		panic("rbm: PCD has no Chains, want those of NewChains")
	}
}

// start starts the chains if they have not been, and returns how many they are.
func (s *PCD) start(m *RBM) int {
	if s.n > 0 && s.Chains.v.rows == 0 {
		s.Chains.startRandom(m, s.n)
	}
	s.Chains.check(m)
	m.call.keeps(s.Chains)
	return s.Chains.v.rows
}

func (s *PCD) finish(p *model) (v mat.Matrix, weights []float64) {
	s.Chains.sweeps(p, s.K)
	return s.Chains.Visible(), nil
}
