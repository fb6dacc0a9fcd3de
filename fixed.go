package rbm

import (
	"math"
	"math/bits"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
)

// Drawing in fixed point.
//
// A unit is on if its random number is below its probability. Sums of int32s take half the
// time of sums of float64s, and their error has a bound: so they decide all draws but the
// few whose random numbers are within the bound of the probability. These units are
// computed again in float64. The bits are those of the definition in float64, always.
//
// For a unit with the bias b and k weights that are on, with q = w/unit + δ, |δ| ≤ ½, of the
// weights in fixed point, and a partial sum of at most Σ|w| + |b| ≤ 2³⁰·unit:
//
//	|unit·(q₀ + Σq) - (b + Σw)| ≤ unit·(k+1)/2        of k+1 roundings
//	|x - (b + Σw)| ≤ 2k·2⁻⁵³·2³⁰·unit                 of at most 2k additions that give x
//
// and so x is within unit·(k+1)·(½ + 2⁻²²) of the sum in fixed point, the second bound
// being doubled for its terms of second order. See [logistic.Rule] for the rest.

// A fixedSink can take inputs in fixed point, for words that it chooses.
type fixedSink interface {
	sink
	takesFixed(t int) bool
	takeFixed(w *fixedWord)

	// always reports whether the result shows that the inputs are in fixed point. Then they
	// are wherever they can be, whatever other rows there are.
	always() bool
}

// A fixedWord is the inputs in fixed point of the units of word t, for n rows from r0 on.
type fixedWord struct {
	t, r0, n int

	x      []product.FixedLine // row r of panel q is x[q·n+r]
	layer  *layer
	in     *batch
	slack  [wordBits]float64 // how far each input is from the input in float64
	rule   logistic.Rule
	opened int // units that were computed in float64, so far
}

// packRows is how many rows a layer must take for it to pay that its weights are packed.
const packRows = 64

// pack makes sure that the weights to the layer are there in fixed point.
func (l *layer) pack(team *parallel.Team) {
	if l.isPacked {
		return
	}
	from := l.w.Rows()
	l.fixed.Reset(from, l.units)
	team.Run(team.Workers(l.words(), from*l.units/2), l.words(), (*packing)(l))
	l.isPacked = true
}

// packing is the job of pack, the units of a word a part. It may begin again where a call has
// been ended.
type packing layer

func (l *packing) Do(_, t int) {
	var sums [wordBits]float64
	for part := range l.absParts {
		for i, x := range l.abs[part*len(l.bias)+t*wordBits:][:wordBits] {
			sums[i] += x
		}
	}
	l.fixed.Pack(t, &l.w, l.bias, &sums)
}

// begin makes w ready for rows of a pass. It reports whether the inputs in fixed point are
// near enough to the inputs in float64.
func (w *fixedWord) begin(p *pass, t, r0, n int) bool {
	w.layer, w.in, w.t, w.r0, w.n = p.to, p.in, t, r0, n
	most, limit := p.lists.MaxOnes(), logistic.MaxSlack/4
	if p.fixed.always() {
		most, limit = w.in.cols, singleSlack
	}
	rest := float64(most+1) * (0.5 + 0x1p-22)
	for i, unit := range w.layer.fixed.Units[t*wordBits:][:wordBits] {
		slack := rest * unit
		if !(slack <= limit) {
			return false
		}
		w.slack[i] = slack
	}
	return true
}

// plain makes the rule of the units.
//
// The float32 of a sum is rounded, by at most 24·2⁻²⁴ where |x| ≤ 24. The product with a
// unit, a power of two, is exact.
func (w *fixedWord) plain() {
	for i, unit := range w.layer.fixed.Units[w.t*wordBits:][:wordBits] {
		w.rule.Scale[i], w.rule.Shift[i] = float32(unit), 0
		w.rule.Certain(i, w.slack[i]+24*0x1p-24)
	}
}

// tempered makes the rule of the units at the inverse temperature β ≤ 1, where their inputs
// are βx + (1-β)a, |a| ≤ maxBase.
//
// In float32 there are the roundings of the sum, of unit·β, of their product y, of a' = (1-β)a,
// and of y + a'. Where |y + a'| ≤ 24, |y| is at most 24 + |a'|, and the roundings are at most
// 3·2⁻²⁴·|y| + 2⁻²⁴·|a'| + 24·2⁻²⁴ ≤ 2⁻²⁴·(96 + 4|a'|).
func (w *fixedWord) tempered(beta float64, base []float64) {
	if beta == 1 {
		w.plain()
		return
	}
	f := &w.layer.fixed
	for i, unit := range f.Units[w.t*wordBits:][:wordBits] {
		at := w.t*wordBits + i
		scale, shift := beta*unit, (1-beta)*base[at]
		b := w.layer.bias[at]
		if at >= w.layer.units || math.IsNaN(b) || beta != 0 && math.IsInf(b, 0) {
			scale, shift = unit, 0 // as it is at every temperature
		}
		w.rule.Scale[i], w.rule.Shift[i] = float32(scale), float32(shift)
		w.rule.Certain(i, w.slack[i]+0x1p-24*(96+4*math.Abs(shift)))
	}
}

// maxBase bounds the biases of a base model, so that the slack stays small.
const maxBase = 1000

// draw draws the units of row r by the rule and the random numbers u, at a temperature of
// heat unless that is nil.
func (w *fixedWord) draw(r int, u *[wordBits]uint32, heat *tempering) uint64 {
	word, open := w.rule.Draw(w.inputs(r), u)
	return w.decide(word, open, r, u, heat)
}

// inputs returns the inputs of row r.
func (w *fixedWord) inputs(r int) logistic.FixedInputs {
	return logistic.FixedInputs{X: w.x[r:], Stride: w.n}
}

// decide draws the open units of row r in float64, and returns the word with them.
func (w *fixedWord) decide(word, open uint64, r int, u *[wordBits]uint32, heat *tempering) uint64 {
	for ; open != 0; open &= open - 1 {
		i := bits.TrailingZeros64(open)
		word |= logistic.DrawOne(w.input(r, i, heat), u[i]) << i
		w.opened++
	}
	return word
}

// input returns the input in float64 of unit i of row r.
func (w *fixedWord) input(r, i int, heat *tempering) float64 {
	l := w.layer
	at := w.t*wordBits + i
	if at >= l.units {
		return math.Inf(-1)
	}
	x := l.w.Input(l.bias[at], w.in.bits.row(w.r0+r), at)
	if heat == nil {
		return x
	}
	var lines, y [panelsOfWord]product.Line
	lines[i/product.Lanes][i%product.Lanes] = x
	in := logistic.Inputs{X: lines[:], Stride: 1, N: panelsOfWord}
	return heat.visible(&y, in, l.units-w.t*wordBits, w.t, w.r0+r).At(i)
}

func (s *draws) takesFixed(int) bool { return true }

func (s *draws) always() bool { return false }

func (s *draws) takeFixed(w *fixedWord) {
	w.plain()
	var u [wordBits]uint32
	for r := range w.n {
		s.random(&u, w.t, wordBits, w.r0+r)
		*s.word(w.r0+r, w.t) = w.draw(r, &u, nil)
	}
}

// takesFixed reports whether word t has units to draw, of which no more than the bits are
// asked for.
func (s *clamp) takesFixed(t int) bool {
	if _, grouped := s.layer.groupsOf(t); grouped != 0 || s.sum != nil {
		return false
	}
	if s.heat != nil {
		for _, a := range s.heat.base[t*wordBits : min(s.layer.units, (t+1)*wordBits)] {
			if !(math.Abs(a) <= maxBase) {
				return false
			}
		}
	}
	return true
}

func (s *clamp) always() bool { return false }

func (s *clamp) takeFixed(w *fixedWord) {
	w.plain()
	level := -1 // of the rule
	exist := within(w.t, 0, s.layer.units)
	var u [wordBits]uint32
	for r := range w.n {
		row := w.r0 + r
		if s.heat != nil {
			if k := s.heat.levelOf(row); k != level {
				level = k
				w.tempered(s.heat.betas[k], s.heat.base)
			}
		}
		free := ^uint64(0)
		if s.observed != nil {
			if free = ^s.observed.mask(row)[w.t]; free&exist == 0 {
				continue
			}
		}
		s.draws.random(&u, w.t, wordBits, row)
		word := s.draws.word(row, w.t)
		*word = *word&^free | w.draw(r, &u, s.heat)&free
	}
}
