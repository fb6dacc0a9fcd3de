package rbm

import (
	"math/rand/v2"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// CD is the [Sampler] of contrastive divergence (Hinton, 2002): chains that move by K
// sweeps from the data. The gradient is biased, less so for larger K.
type CD struct {
	K      int     // sweeps per call, from 1 to 2²⁴
	Chains *Chains // restarted by every call
}

var _ Sampler = (*CD)(nil)

// NewCD returns CD-k, with k sweeps from the data.
func NewCD(k int, src rand.Source) *CD {
	checkK(k)
	return &CD{K: k, Chains: NewChains(src)}
}

// Sample returns the states (n×nv) that K sweeps reach from data (n×nv).
func (s *CD) Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	// A value between 0 and 1 stays as it is in the first half sweep: h ~ p(h|data).
	s.check()
	nv, _ := m.Dims()
	n := checkBatch("data", data, nv)
	defer s.take().Release()
	return sample(s, &s.Chains.model, m, data, n)
}

func (s *CD) itself() Sampler { return s }

// startsFromData says that each row of the sample comes from a row of data.
func (s *CD) startsFromData() {}

func (s *CD) take() *parallel.Guard {
	s.check()
	return s.Chains.guard.Take("CD")
}

func (s *CD) begin(m *RBM, n int) (samples, passes int) {
	m.call.keeps(s.Chains)
	moving := n
	if s.Chains.numbers != nil {
		moving = len(s.Chains.numbers)
	}
	return n, 2 * s.K * moving
}

// draw moves the chains from data, or from where the hidden units of the first sweep
// have been drawn.
func (s *CD) draw(p *model, _ *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	c := s.Chains
	if data != nil {
		n, _ := data.Dims()
		for r0 := 0; r0 < n; r0 += blockRows {
			c.in.read("data", data, r0, min(n, r0+blockRows))
			p.visible.oneHot.check("data", &c.in, r0, nil, p.team.Until)
			s.restart(&c.in, n, r0)
			c.pass.run(&p.team, &p.hidden, &c.in, s.first(p, n, r0))
		}
	}
	c.clock++ // as a start does, so that CD is Start and Gibbs
	c.pass.ahead = s.K - 1
	c.visibleHalf(&p.team, p, 0, c.h.rows, nil)
	c.clock++
	c.sweeps(p, s.K-1)
	return c.Visible(), nil
}

func (s *CD) only(numbers []int) { s.Chains.numbers = numbers }

func (s *CD) restart(in *batch, n, r0 int) {
	c := s.Chains
	if c.numbers != nil { // what does not move stays here
		c.next.resize(n, in.cols)
		for r := range in.rows {
			copy(c.next.row(r0+r), in.bits.row(r))
		}
	}
}

func (s *CD) first(p *model, n, r0 int) *draws {
	c := s.Chains
	if c.numbers != nil {
		n = len(c.numbers)
	}
	return c.hidden(p, c.clock+1, n, r0)
}

func (s *CD) settle() {
	c := s.Chains
	for k, r := range c.numbers {
		copy(c.next.row(r), c.v.row(k))
	}
	if c.numbers != nil {
		c.v, c.next = c.next, c.v
		c.numbers = nil
	}
}

func (s *CD) check() {
	checkNil("CD", s)
	checkK(s.K)
	if s.Chains == nil {
		panic("rbm: CD has no Chains, want those of NewChains")
	}
}

var _ marshaler = (*CD)(nil)

// AppendBinary appends K, the seed and the clock to b.
func (s *CD) AppendBinary(b []byte) ([]byte, error) { return encode(b, "CD", s) }

// MarshalBinary is AppendBinary to nil.
func (s *CD) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (s *CD) UnmarshalBinary(data []byte) error {
	return set(s.decode(data))
}

func (s *CD) decode(data []byte) (d decoded, err error) {
	checkNil("CD", s)
	x, err := decode(data, "CD", readCD)
	return decoded{
		set: func() { s.K, s.Chains = x.K, restored(s.Chains, x.Chains) },
	}, err
}

func (s *CD) bytes() int {
	s.check()
	return 3 * 8
}

func (s *CD) write(b []byte) []byte {
	s.check()
	return wire.AppendUint64(wire.AppendUint64(wire.AppendInt(b, s.K), s.Chains.seed), s.Chains.clock)
}

func readCD(d *wire.Decoder) CD { return CD{K: d.Range("K", 1, maxSweeps), Chains: readStream(d)} }

// PCD is the [Sampler] of persistent contrastive divergence (Tieleman, 2008), or
// stochastic maximum likelihood (Younes, 1989): the one to begin with.
type PCD struct {
	K      int     // sweeps per call, from 1 to 2²⁴
	Chains *Chains // continued if they have been started

	n int // chains to start
}

var _ Sampler = (*PCD)(nil)

// NewPCD returns PCD-k with n chains, at most 2²², started by StartRandom.
func NewPCD(n, k int, src rand.Source) *PCD {
	// The first call of Sample starts them as Chains.StartRandom does.
	checkChains(n, 1)
	checkK(k)
	return &PCD{K: k, Chains: NewChains(src), n: n}
}

// Sample returns the states (n×nv) after K more sweeps. Data is not used.
func (s *PCD) Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	defer s.take().Release()
	return sample(s, &s.Chains.model, m, data, 0)
}

// Visible returns the states of the chains, or nil before they are started.
func (s *PCD) Visible() *Bits {
	checkNil("PCD", s)
	if s.Chains == nil {
		return nil
	}
	return s.Chains.v.orNil()
}

func (s *PCD) itself() Sampler { return s }

func (s *PCD) take() *parallel.Guard {
	s.check()
	return s.Chains.guard.Take("PCD")
}

func (s *PCD) check() {
	checkNil("PCD", s)
	checkK(s.K)
	if s.Chains == nil {
		panic("rbm: PCD has no Chains, want those of NewChains")
	}
}

func (s *PCD) begin(m *RBM, _ int) (samples, passes int) {
	// The chains continue from where the previous call left them. As long as the model
	// changes slowly, they follow its distribution.
	c := s.Chains
	if s.n > 0 && c.v.rows == 0 {
		c.startRandom(m, s.n)
	}
	c.check(m)
	m.call.keeps(c)
	return c.v.rows, 2 * s.K * c.v.rows
}

func (s *PCD) draw(p *model, _ *RBM, _ mat.Matrix) (v mat.Matrix, weights []float64) {
	s.Chains.checkStates(p)
	s.Chains.sweeps(p, s.K)
	return s.Chains.Visible(), nil
}

var _ marshaler = (*PCD)(nil)

// AppendBinary appends K and the chains with their states to b.
func (s *PCD) AppendBinary(b []byte) ([]byte, error) { return encode(b, "PCD", s) }

// MarshalBinary is AppendBinary to nil.
func (s *PCD) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (s *PCD) UnmarshalBinary(data []byte) error {
	return set(s.decode(data))
}

func (s *PCD) decode(data []byte) (d decoded, err error) {
	checkNil("PCD", s)
	x, err := decode(data, "PCD", readPCD)
	return decoded{
		nv:  x.Chains.v.cols,
		set: func() { s.K, s.n, s.Chains = x.K, x.n, restored(s.Chains, x.Chains) },
	}, err
}

func (s *PCD) bytes() int {
	s.check()
	return 2*8 + s.Chains.bytes()
}

func (s *PCD) write(b []byte) []byte {
	s.check()
	return s.Chains.write(wire.AppendInt(wire.AppendInt(b, s.K), s.n))
}

func readPCD(d *wire.Decoder) PCD {
	return PCD{K: d.Range("K", 1, maxSweeps), n: d.Range("number of chains", 0, maxChains), Chains: readChains(d)}
}
