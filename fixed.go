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

const (
	// packRows is how many rows a layer must take for it to pay that its weights are packed.
	packRows = 64

	// mostPacked is how many weights are packed at most: in both directions they take as much
	// memory as W, which is 256 MB then.
	mostPacked = 1 << 25
)

// canPack reports whether the weights to the layer are few enough to be packed.
func (l *layer) canPack() bool { return l.units <= mostPacked/l.w.Rows() }

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

// begin makes w ready for rows of a batch that have most ones at most. It reports whether the
// inputs in fixed point are within limit of the inputs in float64.
func (w *fixedWord) begin(to *layer, in *batch, t, r0, n, most int, limit float64) bool {
	w.layer, w.in, w.t, w.r0, w.n = to, in, t, r0, n
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

// draw draws the units of row r by the rule and the random numbers u.
func (w *fixedWord) draw(r int, u *[wordBits]uint32) uint64 {
	word, open := w.rule.Draw(w.inputs(r), u)
	return w.decide(word, open, r, u)
}

// inputs returns the inputs of row r.
func (w *fixedWord) inputs(r int) logistic.FixedInputs {
	return logistic.FixedInputs{X: w.x[r:], Stride: w.n}
}

// decide draws the open units of row r in float64, and returns the word with them.
func (w *fixedWord) decide(word, open uint64, r int, u *[wordBits]uint32) uint64 {
	for ; open != 0; open &= open - 1 {
		i := bits.TrailingZeros64(open)
		word |= logistic.DrawOne(w.input(r, i), u[i]) << i
		w.opened++
	}
	return word
}

// input returns the input in float64 of unit i of row r.
func (w *fixedWord) input(r, i int) float64 {
	at := w.t*wordBits + i
	if at >= w.layer.units {
		return math.Inf(-1)
	}
	return w.layer.w.Input(w.layer.bias[at], w.in.bits.row(w.r0+r), at)
}
