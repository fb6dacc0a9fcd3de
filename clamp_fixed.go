package rbm

import (
	"math"
	"math/bits"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
)

// takesFixed reports whether word t has units to draw, of which no more than the bits are
// asked for.
func (s *clamp) takesFixed(t int) bool {
	if _, grouped := s.layer.groupsOf(t); grouped != 0 || s.sum != nil {
		return false
	}
	if s.heat != nil {
		if s.heat.model != nil {
			return false
		}
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
		drawn, open := w.rule.Draw(w.inputs(r), &u)
		for ; open != 0; open &= open - 1 {
			i := bits.TrailingZeros64(open)
			drawn |= logistic.DrawOne(s.input(w, r, i), u[i]) << i
			w.opened++
		}
		*word = *word&^free | drawn&free
	}
}

// input returns the input in float64 of unit i of row r, at the temperature of the row.
func (s *clamp) input(w *fixedWord, r, i int) float64 {
	x := w.input(r, i)
	if s.heat == nil {
		return x
	}
	var lines, y [panelsOfWord]product.Line
	lines[i/product.Lanes][i%product.Lanes] = x
	in := logistic.Inputs{X: lines[:], Stride: 1, N: panelsOfWord}
	return s.heat.visible(&y, in, w.layer.units-w.t*wordBits, w.t, w.r0+r).At(i)
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
