package rbm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// PT is the Sampler of parallel tempering (Desjardins et al., 2010; Cho, Raiko &
// Ilin, 2010): persistent chains, each with a replica at every inverse
// temperature β of
//
//	p(v,h; β) ∝ exp(((1-β)a + βb)·v + β(c·h + hᵀWv))
//
// where a are the visible biases of a base model. Replicas of neighbouring
// temperatures exchange their states once a sweep, those of even and of odd
// number in turn, so that what the chains at β = 1 cannot cross, states cross at
// lower β. All replicas move in one batch.
//
// PT is made by NewPT. It belongs to one goroutine at a time.
type PT struct {
	sealed

	K    int       // sweeps, from 1 to 2²⁴
	Base []float64 // the nv visible biases a of the base model; nil: those of the model

	betas  []float64 // rise to 1
	n      int       // chains
	chains *Chains   // the replicas, row by row
	level  []int     // the temperature of each row
	row    []int     // of each chain and temperature, the row
	sample Bits      // the states at β = 1
	tried  []int     // exchanges of each temperature with the next
	done   []int     // those that took place

	base, diff []float64 // a, b - a
	words      int       // of hidden units
	field      []float64 // of each row and word of hidden units, its part of h·x

	kept struct { // see call
		level, row, tried, done []int
	}
}

var _ Sampler = (*PT)(nil)

// NewPT returns parallel tempering of n chains by k sweeps a call, with a replica
// at each of betas, which rise from at least 0 to 1. The first call of Sample
// starts all replicas from the visible biases of its model. It panics if k is not
// between 1 and 2²⁴, n is less than 1 or makes more than 2²² replicas, betas are not
// as described, or src is nil.
func NewPT(n, k int, betas []float64, src rand.Source) *PT {
	checkK(k)
	if n := len(betas); n < 1 || !(betas[0] >= 0) || betas[n-1] != 1 {
		panic(fmt.Sprintf("rbm: betas are %v, want them to rise from at least 0 to 1", betas))
	}
	checkRise(betas)
	checkChains(n, len(betas))
	return &PT{K: k, betas: slices.Clone(betas), n: n, chains: NewChains(src)}
}

// Sample returns the states of the chains at β = 1, n×nv, after K further sweeps
// of m, with nil weights. Data is not used. It panics if K is out of range, or if
// the sizes do not fit.
func (s *PT) Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	s.checkMade()
	defer s.chains.guard.Take("PT").Release()
	replicas := s.start(m)
	p := &s.chains.model
	p.load(m, 2*s.K*replicas)
	defer p.done()
	p.sweep = m.untilSweep()
	return s.finish(p)
}

// Visible returns the states of the chains at β = 1, n×nv, which are what Sample
// returned last, or nil before the first call of Sample.
func (s *PT) Visible() *Bits {
	checkNil("PT", s)
	return s.sample.orNil()
}

// groups says that there are none.
func (s *PT) groups() []group { return nil }

// Betas returns a copy of the inverse temperatures.
func (s *PT) Betas() []float64 {
	checkNil("PT", s)
	return slices.Clone(s.betas)
}

// SwapRates returns which share of the exchanges tried between each temperature
// and the next took place since the first call of Sample, or the last of Adapt;
// NaN where none was tried. A rate near 0 separates the temperatures below from
// those above.
func (s *PT) SwapRates() []float64 {
	s.checkMade()
	rates := make([]float64, len(s.betas)-1)
	for k := range rates {
		rates[k] = math.NaN()
		if len(s.tried) > 0 && s.tried[k] > 0 {
			rates[k] = float64(s.done[k]) / float64(s.tried[k])
		}
	}
	return rates
}

// Adapt moves the temperatures between the first and the last to where all
// neighbours should exchange their states at the same rate (Syed et al., 2022),
// by the rates since the last call. The states stay. It does nothing where no
// exchange was tried yet between some neighbours.
func (s *PT) Adapt() {
	rates := s.SwapRates()
	rejected := make([]float64, len(s.betas)) // summed up to each temperature
	for k, rate := range rates {
		if math.IsNaN(rate) {
			return
		}
		// A pair that always exchanges keeps some distance all the same.
		rejected[k+1] = rejected[k] + max(1-rate, 1e-3)
	}
	old := slices.Clone(s.betas)
	k := 0
	last := len(old) - 1
	for i := 1; i < last; i++ {
		want := rejected[last] * float64(i) / float64(last)
		for rejected[k+1] < want {
			k++
		}
		s.betas[i] = old[k] + float64((old[k+1]-old[k])*((want-rejected[k])/(rejected[k+1]-rejected[k])))
	}
	clear(s.tried)
	clear(s.done)
}

// checkMade panics unless s was made by NewPT.
func (s *PT) checkMade() {
	checkNil("PT", s)
	if s.chains == nil {
		panic("rbm: PT is empty, want that of NewPT")
	}
}

// start starts the replicas if they have not been, and returns how many they are.
func (s *PT) start(m *RBM) int {
	checkK(s.K)
	if s.Base != nil {
		baseOf(m, s.Base) // panics
	}
	levels := len(s.betas)
	m.Dims()
	m.call.keeps(s.chains)
	m.call.keeps(s)
	if s.level == nil {
		s.chains.startRandom(m, s.n*levels)
		s.level, s.row = make([]int, s.n*levels), make([]int, s.n*levels)
		for r := range s.level {
			s.level[r], s.row[r] = r%levels, r
		}
		s.tried, s.done = make([]int, levels-1), make([]int, levels-1)
	}
	s.chains.check(m)
	return len(s.level)
}

// note remembers which replica is where, and the exchanges.
func (s *PT) note() {
	k := &s.kept
	k.level, k.row = append(k.level[:0], s.level...), append(k.row[:0], s.row...)
	k.tried, k.done = append(k.tried[:0], s.tried...), append(k.done[:0], s.done...)
}

// back goes back to them, the chains being back.
func (s *PT) back() {
	k := &s.kept
	if len(k.level) == 0 { // they had not been started
		s.level, s.row, s.tried, s.done, s.sample = nil, nil, nil, nil, Bits{}
		return
	}
	s.level, k.level = k.level, s.level
	s.row, k.row = k.row, s.row
	s.tried, k.tried = k.tried, s.tried
	s.done, k.done = k.done, s.done
	s.collect()
}

func (s *PT) finish(p *model) (v mat.Matrix, weights []float64) {
	nv := p.visible.units
	s.base, s.diff = grow(s.base, len(p.visible.bias)), grow(s.diff, len(p.visible.bias))
	for i := range nv {
		s.base[i] = p.visible.bias[i]
		if s.Base != nil {
			s.base[i] = s.Base[i]
		}
		s.diff[i] = difference(p.visible.bias[i], s.base[i])
	}
	s.words = p.hidden.words()
	s.field = grow(s.field, len(s.level)*s.words)
	for range s.K {
		if p.sweep.Given() {
			break
		}
		s.sweep(p)
	}
	s.collect()
	return &s.sample, nil
}

// collect sets the sample to the states at β = 1.
func (s *PT) collect() {
	levels := len(s.betas)
	s.sample.resize(s.n, s.chains.v.cols)
	for i := range s.n {
		copy(s.sample.row(i), s.chains.v.row(s.row[i*levels+levels-1]))
	}
}

// sweep draws all hidden units, exchanges states, and draws all visible units.
func (s *PT) sweep(p *model) {
	c := s.chains
	n := c.v.rows
	c.in.read("v", &c.v, 0, n)
	c.hidden(p, c.clock, n, 0)
	c.pass.run(&p.team, &p.hidden, &c.in, (*temperedHidden)(s))
	s.exchange(p.team.Until)
	c.in.read("h", &c.h, 0, n)
	c.draws = draws{dst: &c.v, seed: c.seed, place: philox.Place{Sweep: c.clock, Phase: drawVisible}}
	c.pass.run(&p.team, &p.visible, &c.in, (*temperedVisible)(s))
	c.clock++
}

// exchange lets the replicas of each chain change temperatures.
//
// With U = -∂ log p/∂β, states at β and β' change places with probability
// min(1, exp((β-β')(U-U'))).
func (s *PT) exchange(until *stop.Signal) {
	c, words, levels := s.chains, s.words, len(s.betas)
	energy := func(r int) float64 {
		return -product.Sum(s.field[r*words:][:words]) - product.SumBits(c.v.row(r), s.diff)
	}
	for i := range s.n {
		until.Look()
		rows := s.row[i*levels:][:levels]
		for k := int(c.clock % 2); k < levels-1; k += 2 {
			s.tried[k]++
			var u [wordBits]uint32
			philox.Fill(&u, 1, c.seed, philox.Place{Row: uint32(i*levels + k), Sweep: c.clock, Phase: drawSwap}, 0)
			ratio := float64((s.betas[k] - s.betas[k+1]) * (energy(rows[k]) - energy(rows[k+1])))
			if logistic.Log((float64(u[0])+0.5)*0x1p-32) < ratio {
				s.done[k]++
				rows[k], rows[k+1] = rows[k+1], rows[k]
				s.level[rows[k]], s.level[rows[k+1]] = k, k+1
			}
		}
	}
}

// temperedHidden is the sink that draws the hidden units at the temperatures of
// their rows, and notes what they add to the energy.
type temperedHidden PT

func (s *temperedHidden) take(t, r0, n int, x tile) {
	var u [wordBits]uint32
	var y [panelsOfWord]product.Line
	d := &s.chains.draws
	for r := range n {
		in := x.row(r, n)
		d.random(&u, t, in.N*product.Lanes, r0+r)
		word := scaled(&y, in, s.chains.h.cols-t*wordBits, s.betas[s.level[r0+r]]).Draw(&u)
		*d.word(r0+r, t) = word
		var field float64
		for i := range in.N * product.Lanes {
			if word>>i&1 != 0 {
				field += in.At(i)
			}
		}
		s.field[(r0+r)*s.words+t] = field
	}
}

// temperedVisible is the sink that draws the visible units so.
type temperedVisible PT

func (s *temperedVisible) take(t, r0, n int, x tile) {
	var u [wordBits]uint32
	var y [panelsOfWord]product.Line
	d := &s.chains.draws
	for r := range n {
		in := x.row(r, n)
		in = tempered(&y, in, s.chains.v.cols-t*wordBits, s.betas[s.level[r0+r]], s.base[t*wordBits:])
		d.random(&u, t, in.N*product.Lanes, r0+r)
		*d.word(r0+r, t) = in.Draw(&u)
	}
}
