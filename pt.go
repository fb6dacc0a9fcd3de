package rbm

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// PT is the [Sampler] of parallel tempering (Desjardins et al., 2010; Cho, Raiko & Ilin,
// 2010): persistent chains, each with a replica at every β of
//
//	p(v,h; β) ∝ exp(((1-β)a + βb)·v + β(c·h + hᵀWv))
//
// Each sweep, neighbors swap states, even and odd pairs in turn, so that states cross at
// low β where they cannot at 1.
type PT struct {
	sealed

	K     int           // sweeps per call, from 1 to 2²⁴
	Betas []float64     // inverse temperatures, rising from at least 0 to 1; the first call of Sample fixes their number
	Base  *mat.VecDense // visible biases a of the base model (nv); nil: B of the model

	n      int     // chains
	chains *Chains // the replicas, row by row
	level  []int   // the temperature of each row
	row    []int   // of each chain and temperature, the row
	sample Bits    // the states at β = 1
	tried  []int   // exchanges of each temperature with the next
	done   []int   // those that took place

	heat  tempering
	diff  []float64 // b - a
	words int       // of hidden units
	field []float64 // of each row and word of hidden units, its part of h·x

	kept struct { // see call
		level, row, tried, done []int
	}
}

var _ Sampler = (*PT)(nil)

// NewPT returns PT of n chains by k sweeps per call at the given number of levels, Betas
// spaced evenly from 0 to 1, with at most 2²² replicas in all.
func NewPT(n, k, levels int, src rand.Source) *PT {
	// The first call of Sample starts all replicas from the visible biases of its model.
	checkK(k)
	checkAtLeast("levels", levels, 1)
	checkChains(n, levels)
	betas := make([]float64, levels)
	for i := range betas {
		betas[i] = float64(i) / float64(levels-1)
	}
	betas[levels-1] = 1
	return &PT{K: k, Betas: betas, n: n, chains: NewChains(src)}
}

// Sample returns the states at β = 1 (n×nv) after K more sweeps.
func (s *PT) Sample(m *RBM, data mat.Matrix) (v mat.Matrix, weights []float64) {
	defer s.take().Release()
	return sample(s, &s.chains.model, m, data, 0)
}

// Visible returns the states that Sample returned last, or nil before that.
func (s *PT) Visible() *Bits {
	checkNil("PT", s)
	return s.sample.orNil()
}

// SwapRates returns the acceptance rate of the swaps between each temperature and the next
// since Adapt, or NaN. A rate near 0 cuts off those below.
func (s *PT) SwapRates() []float64 {
	s.checkMade()
	rates := make([]float64, len(s.Betas)-1)
	for k := range rates {
		rates[k] = math.NaN()
		if len(s.tried) > 0 && s.tried[k] > 0 {
			rates[k] = float64(s.done[k]) / float64(s.tried[k])
		}
	}
	return rates
}

// Adapt moves the inner Betas to where all neighbors should swap at one rate (Syed et al.,
// 2022). It waits until all have tried; the states stay.
func (s *PT) Adapt() {
	rates := s.SwapRates()
	rejected := make([]float64, len(s.Betas)) // summed up to each temperature
	for k, rate := range rates {
		if math.IsNaN(rate) {
			return
		}
		// A pair that always exchanges keeps some distance all the same.
		rejected[k+1] = rejected[k] + max(1-rate, 1e-3)
	}
	old := slices.Clone(s.Betas)
	k := 0
	last := len(old) - 1
	for i := 1; i < last; i++ {
		want := rejected[last] * float64(i) / float64(last)
		for rejected[k+1] < want {
			k++
		}
		s.Betas[i] = old[k] + float64((old[k+1]-old[k])*((want-rejected[k])/(rejected[k+1]-rejected[k])))
	}
	clear(s.tried)
	clear(s.done)
}

func (s *PT) itself() Sampler { return s }

func (s *PT) take() *parallel.Guard {
	s.checkMade()
	return s.chains.guard.Take("PT")
}

// checkMade panics unless s was made by NewPT.
func (s *PT) checkMade() {
	checkNil("PT", s)
	if s.chains == nil {
		panic("rbm: PT is empty, want that of NewPT")
	}
}

// wrong says which setting is out of range, or returns "".
func (s *PT) wrong() string {
	levels := len(s.Betas)
	if levels < 1 || !(s.Betas[0] >= 0) || s.Betas[levels-1] != 1 {
		return fmt.Sprintf("betas are %v, want them to rise from at least 0 to 1", s.Betas)
	}
	for k := range levels - 1 {
		if !(s.Betas[k] <= s.Betas[k+1]) { // Adapt may round neighbors to the same number
			return fmt.Sprintf("betas[%d] is %v and betas[%d] is %v, want them to rise", k, s.Betas[k], k+1, s.Betas[k+1])
		}
	}
	if most := maxChains / levels; s.n > most {
		return fmt.Sprintf("number of chains is %d, want at most %d at %d temperatures", s.n, most, levels)
	}
	if replicas := len(s.level); replicas > 0 && replicas != s.n*levels {
		return fmt.Sprintf("betas are %d, want %d as at the first call of Sample", levels, replicas/s.n)
	}
	return ""
}

func (s *PT) begin(m *RBM, _ int) (samples, passes int) {
	checkK(s.K)
	if wrong := s.wrong(); wrong != "" {
		panic("rbm: " + wrong)
	}
	if s.Base != nil {
		baseOf(m, s.Base) // panics
	}
	levels := len(s.Betas)
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
	return s.n, 2 * s.K * len(s.level)
}

// note remembers which replica is where, and the counts of swaps.
func (s *PT) note() {
	k := &s.kept
	k.level, k.row = append(k.level[:0], s.level...), append(k.row[:0], s.row...)
	k.tried, k.done = append(k.tried[:0], s.tried...), append(k.done[:0], s.done...)
}

// back restores them, after the chains are back.
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

func (s *PT) draw(p *model, _ *RBM, _ mat.Matrix) (v mat.Matrix, weights []float64) {
	s.chains.checkStates(p)
	s.heat.betas, s.heat.level = s.Betas, s.level
	s.heat.base, s.diff = grow(s.heat.base, len(p.visible.bias)), grow(s.diff, len(p.visible.bias))
	for i := range p.visible.units {
		s.heat.base[i] = p.visible.bias[i]
		if s.Base != nil {
			s.heat.base[i] = s.Base.AtVec(i)
		}
		s.diff[i] = difference(p.visible.bias[i], s.heat.base[i])
	}
	s.words = p.hidden.words()
	s.field = grow(s.field, len(s.level)*s.words)
	for i := range s.K {
		if p.sweep.Given() {
			break
		}
		s.chains.pass.ahead = s.K - 1 - i
		s.sweep(p)
	}
	s.collect()
	return &s.sample, nil
}

// collect sets the sample to the states at β = 1.
func (s *PT) collect() {
	levels := len(s.Betas)
	s.sample.resize(s.n, s.chains.v.cols)
	for i := range s.n {
		copy(s.sample.row(i), s.chains.v.row(s.row[i*levels+levels-1]))
	}
}

// sweep draws all hidden units, exchanges states, and draws all visible units.
func (s *PT) sweep(p *model) {
	c := s.chains
	n := c.v.rows
	c.hiddenHalf(&p.team, p, 0, n, (*temperedHidden)(s))
	s.exchange(p.team.Until)
	c.visibleHalf(&p.team, p, 0, n, &s.heat)
	c.clock++
}

// exchange lets the replicas of each chain change temperatures.
//
// With U = -∂ log p/∂β, states at β and β' change places with probability
// min(1, exp((β-β')(U-U'))).
func (s *PT) exchange(until *stop.Signal) {
	c, words, levels := s.chains, s.words, len(s.Betas)
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
			ratio := float64((s.Betas[k] - s.Betas[k+1]) * (energy(rows[k]) - energy(rows[k+1])))
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
		word := scaled(&y, in, s.chains.h.cols-t*wordBits, s.Betas[s.level[r0+r]]).Draw(&u)
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

var _ marshaler = (*PT)(nil)

// AppendBinary appends the settings, replicas and counts of swaps to b.
func (s *PT) AppendBinary(b []byte) ([]byte, error) { return encode(b, "PT", s) }

// MarshalBinary is AppendBinary to nil.
func (s *PT) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (s *PT) UnmarshalBinary(data []byte) error {
	return set(s.decode(data))
}

func (s *PT) decode(data []byte) (d decoded, err error) {
	checkNil("PT", s)
	x, err := decode(data, "PT", readPT)
	d.nv = x.chains.v.cols
	if x.Base != nil {
		d.nv = max(d.nv, x.Base.Len())
	}
	d.set = func() {
		s.K, s.Base, s.Betas, s.n, s.chains = x.K, x.Base, x.Betas, x.n, restored(s.chains, x.chains)
		s.level, s.row, s.tried, s.done = x.level, x.row, x.tried, x.done
		if s.sample = (Bits{}); s.chains.v.rows > 0 {
			s.collect()
		}
	}
	return d, err
}

func (s *PT) bytes() int {
	s.checkMade()
	size := 8*(4+len(s.Betas)+len(s.level)+len(s.tried)+len(s.done)) + s.chains.bytes()
	if s.Base != nil {
		size += 8 * s.Base.Len()
	}
	return size
}

func (s *PT) write(b []byte) []byte {
	s.checkMade()
	checkK(s.K)
	if wrong := s.wrong(); wrong != "" {
		panic("rbm: " + wrong)
	}
	var base []float64
	if s.Base != nil {
		checkBase(s.Base, cmp.Or(s.chains.v.cols, s.Base.Len(), 1))
		base = mat.Col(nil, 0, s.Base)
	}
	b = wire.AppendInt(wire.AppendInt(b, s.K), s.n)
	b = wire.AppendList(wire.AppendList(b, base), s.Betas)
	b = s.chains.write(b)
	return wire.AppendInts(wire.AppendInts(wire.AppendInts(b, s.level), s.tried), s.done)
}

func readPT(d *wire.Decoder) PT {
	s := PT{K: d.Range("K", 1, maxSweeps), n: d.Range("number of chains", 1, maxChains)}
	base := d.List("Base")
	s.Betas, s.chains = d.List("betas"), readChains(d)
	if !d.OK() {
		return s
	}
	if len(base) > 0 {
		s.Base = mat.NewVecDense(len(base), base)
		if i := firstNotFinite(s.Base); i >= 0 {
			d.Failf("Base[%d] is %v, want a finite number", i, base[i])
		}
	}
	if wrong := s.wrong(); wrong != "" {
		d.Failf("%s", wrong)
		return s
	}
	levels := len(s.Betas)
	rows, nv := s.chains.v.rows, s.chains.v.cols
	if rows == 0 || !d.OK() {
		return s
	}
	if s.Base != nil && len(base) != nv {
		d.Failf("Base has length %d, want %d", len(base), nv)
	}
	if rows%levels != 0 || rows/levels != s.n {
		d.Failf("replicas are %d, want those of %d chains at %d temperatures", rows, s.n, levels)
	}
	s.level = d.Ints("levels", rows)
	s.tried, s.done = d.Ints("exchanges tried", levels-1), d.Ints("exchanges done", levels-1)
	if !d.OK() {
		return s
	}
	for k, n := range s.done {
		if s.tried[k] > maxCount {
			d.Failf("exchanges tried of level %d are %d, want at most %d", k, s.tried[k], maxCount)
		}
		if n > s.tried[k] {
			d.Failf("exchanges done of level %d are %d, want at most %d, those tried", k, n, s.tried[k])
		}
	}
	s.row = make([]int, rows)
	for r := range s.row {
		s.row[r] = -1
	}
	for r, k := range s.level {
		if k >= levels {
			d.Failf("level of row %d is %d, want less than %d", r, k, levels)
			break
		}
		at := &s.row[r/levels*levels+k]
		if *at >= 0 {
			d.Failf("rows %d and %d of a chain have the same level %d", *at, r, k)
			break
		}
		*at = r
	}
	return s
}
