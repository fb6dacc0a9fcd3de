package rbm

import (
	"math"
	"math/bits"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// A clamp is the sink that draws visible units that are not all free: some keep their
// states, the units of a group depend on each other, or the inputs belong to other
// temperatures.
type clamp struct {
	observed *Bits      // units that keep their states, or nil
	sum      *mat.Dense // to add the probabilities of the others to, or nil

	draws *draws
	layer *layer
	heat  *tempering
	rows  int
	kept  []float64 // of each row: the random numbers and inputs of split groups
	until *stop.Signal
}

// release makes all units free again.
func (s *clamp) release() { s.observed, s.sum = nil, nil }

// sink returns the sink that draws the units of layer l by d, for the given number of rows:
// d itself if all units are free, else the clamp. Finish must follow.
func (s *clamp) sink(d *draws, l *layer, rows int, heat *tempering) sink {
	s.draws, s.layer, s.rows, s.heat = d, l, rows, heat
	if len(l.groups) == 0 && s.observed == nil && s.sum == nil && heat == nil {
		return d
	}
	s.kept = grow(s.kept, rows*l.kept)
	return s
}

// take draws the units of word t that are in no group, and the groups that lie in it.
func (s *clamp) take(t, r0, n int, x tile) {
	groups, grouped := s.layer.groupsOf(t)
	var u [wordBits]uint32
	var y [panelsOfWord]product.Line
	for r := r0; r < r0+n; r++ {
		in := x.row(r-r0, n)
		if s.heat != nil {
			in = s.heat.visible(&y, in, s.layer.units-t*wordBits, t, r)
		}
		s.draws.random(&u, t, in.N*product.Lanes, r)
		s.drawFree(r, t, grouped, in, &u)
		if grouped != 0 {
			s.drawGroups(r, t, groups, in, &u)
		}
	}
}

// drawFree draws the units of word t that are neither observed nor in a group, and adds
// their probabilities to the sum.
func (s *clamp) drawFree(r, t int, grouped uint64, in logistic.Inputs, u *[wordBits]uint32) {
	free := ^grouped
	if s.observed != nil {
		free &^= s.observed.mask(r)[t]
	}
	var drawn uint64
	if s.sum != nil {
		var p [wordBits]float64
		drawn = in.DrawProbs(p[:], 1, u)
		sum := s.sum.RawRowView(r)[t*wordBits:]
		for i := range min(wordBits, len(sum)) {
			if free>>i&1 != 0 {
				sum[i] += p[i]
			}
		}
	} else if free&within(t, 0, s.layer.units) != 0 {
		drawn = in.Draw(u)
	}
	word := s.draws.word(r, t)
	*word = *word&^free | drawn&free
}

// drawGroups draws the groups that lie in word t, and keeps what the word tells of
// the others.
func (s *clamp) drawGroups(r, t int, groups []group, in logistic.Inputs, u *[wordBits]uint32) {
	var lines [panelsOfWord]product.Line
	x := wordInputs(&lines, in)
	word := s.draws.word(r, t)
	open := ^uint64(0) // the first units of the groups to draw
	if len(groups) > 0 && (groups[0].split() || groups[len(groups)-1].split() || s.observed != nil) {
		open = s.openGroups(r, t, groups, x, u)
	}
	logistic.Exps(x)
	var drawn, closed uint64
	for _, g := range groups {
		first := g.from - t*wordBits
		if first < 0 || g.to > (t+1)*wordBits || open>>first&1 == 0 {
			continue
		}
		closed |= (1<<(g.to-g.from) - 1) << first
		weights := x[first:][:g.to-g.from]
		k := s.choose(r, g, weights, float64(u[first]))
		if k < 0 {
			k = s.chooseOfLarge(r, t, g, in, float64(u[first]))
		}
		drawn |= 1 << (first + k)
	}
	*word = *word&^closed | drawn
}

// openGroups returns the first units of the groups in word t that are to be drawn, and
// keeps what the word tells of the split ones. The inputs of observed units become -Inf.
func (s *clamp) openGroups(r, t int, groups []group, x []float64, u *[wordBits]uint32) (open uint64) {
	for _, g := range groups {
		first, end := max(0, g.from-t*wordBits), min(wordBits, g.to-t*wordBits)
		switch {
		case g.split():
			number, kept := s.keptOf(r, g)
			if g.from/wordBits == t {
				*number = float64(u[first])
			}
			copy(kept[t*wordBits+first-g.from:], x[first:end])
		case s.isOpen(r, g, x[first:end]):
			open |= 1 << first
		}
	}
	return open
}

// chooseOfLarge is choose for a group in word t whose exponentials have a sum that is
// too large or too small: it takes them up to a factor.
func (s *clamp) chooseOfLarge(r, t int, g group, in logistic.Inputs, number float64) int {
	var inputs [wordBits]float64
	x := inputs[:g.to-g.from]
	for k := range x {
		x[k] = in.At(g.from + k - t*wordBits)
	}
	s.isOpen(r, g, x)
	return s.chooseInputs(r, g, x, number)
}

// chooseInputs is choose, given the inputs of a group, which it overwrites. If their
// probabilities are NaN, it is the first unit that is not observed.
func (s *clamp) chooseInputs(r int, g group, x []float64, number float64) int {
	subtractTop(x)
	logistic.Exps(x)
	if k := s.choose(r, g, x, number); k >= 0 {
		return k
	}
	if s.sum != nil {
		dst := s.sum.RawRowView(r)[g.from:g.to]
		for k := range dst {
			dst[k] = math.NaN()
		}
	}
	first := 0
	for s.observed.observes(r, g.from+first) {
		first++
	}
	return first
}

// keptOf returns the random number and the inputs that are kept of a group of row r.
func (s *clamp) keptOf(r int, g group) (number *float64, x []float64) {
	kept := s.kept[r*s.layer.kept+g.kept:][:1+g.to-g.from]
	return &kept[0], kept[1:]
}

// finish draws the groups that lie in several words.
func (s *clamp) finish(team *parallel.Team) {
	size := s.layer.kept
	if size > 0 {
		parts := (s.rows + finishRows - 1) / finishRows
		s.until = team.Until
		team.Run(team.Workers(parts, s.rows*10*size), parts, s)
		s.until = nil
	}
	s.layer, s.heat = nil, nil
}

// Do is the job that draws the split groups of some rows.
func (s *clamp) Do(_, part int) {
	s.drawSplit(part*finishRows, min(s.rows, (part+1)*finishRows))
}

func (s *clamp) drawSplit(r0, r1 int) {
	for _, g := range s.layer.groups {
		if !g.split() {
			continue
		}
		for r := r0; r < r1; r++ {
			s.until.Look()
			number, x := s.keptOf(r, g)
			if !s.isOpen(r, g, x) {
				continue
			}
			for t := g.from / wordBits; t*wordBits < g.to; t++ {
				*s.draws.word(r, t) &^= within(t, g.from, g.to)
			}
			on := g.from + s.chooseInputs(r, g, x, *number)
			*s.draws.word(r, on/wordBits) |= 1 << (on % wordBits)
		}
	}
}

// isOpen reports whether a group of row r is to be drawn, as no unit of it that is on
// is observed. Then it sets the inputs of the observed units to -Inf.
func (s *clamp) isOpen(r int, g group, inputs []float64) bool {
	mask := s.observed.mask(r)
	if mask == nil {
		return true
	}
	for t := g.from / wordBits; t*wordBits < g.to; t++ {
		known := mask[t] & within(t, g.from, g.to)
		if *s.draws.word(r, t)&known != 0 {
			return false
		}
		for ; known != 0; known &= known - 1 {
			inputs[t*wordBits+bits.TrailingZeros64(known)-g.from] = math.Inf(-1)
		}
	}
	return true
}

// choose returns which unit of a group of row r is on, given the exponentials of their
// inputs, which it overwrites, by the random number of the first: the number of units
// whose probabilities have a sum no larger than it, each added to those before. It
// returns -1 if the sum of all is not one to divide by.
func (s *clamp) choose(r int, g group, weights []float64, number float64) int {
	if s.sum != nil {
		s.addProbs(r, g, weights)
	}
	var total float64
	for k, w := range weights {
		total += w
		weights[k] = total
	}
	if !(1/largeSum <= total && total <= largeSum) {
		return -1
	}
	// As no sum is negative, their bits are in their order: a comparison without a branch,
	// which nothing could predict.
	rest := int64(math.Float64bits((number + 0.5) * 0x1p-32 * total))
	below := len(weights)
	for _, sum := range weights {
		below -= int(uint64(rest-int64(math.Float64bits(sum))) >> 63)
	}
	return below
}

// largeSum is what a sum of exponentials may be, and its inverse: far from overflow, and
// from where exponentials lose digits.
const largeSum = 1e250

// addProbs adds the probabilities of a group of row r to the sum, given the exponentials of
// its inputs, unless choose cannot use them.
func (s *clamp) addProbs(r int, g group, weights []float64) {
	var total float64
	for _, w := range weights {
		total += w
	}
	if !(1/largeSum <= total && total <= largeSum) {
		return
	}
	dst := s.sum.RawRowView(r)[g.from:g.to]
	for k, w := range weights {
		dst[k] += w / total
	}
}

// A tempering is the inputs of units at inverse temperatures β, given their inputs x
// at β = 1: βx for hidden units and (1-β)a + βx for visible ones, a being the visible
// biases of a base model.
type tempering struct {
	betas []float64
	level []int     // of each row, the number of its β; nil: the first for all
	base  []float64 // a, filled up to whole words

	// Of each row, the number of its base model, where there are several: their biases
	// follow one another in base.
	model  []int
	stride int
}

func (h *tempering) beta(r int) float64 { return h.betas[h.levelOf(r)] }

func (h *tempering) levelOf(r int) int {
	if h.level == nil {
		return 0
	}
	return h.level[r]
}

// visible returns the inputs of the visible units of word t for row r, in y or where
// they are. So many units exist.
func (h *tempering) visible(y *[panelsOfWord]product.Line, in logistic.Inputs, units, t, r int) logistic.Inputs {
	base := h.base
	if h.model != nil {
		base = base[h.model[r]*h.stride:]
	}
	return tempered(y, in, units, h.beta(r), base[t*wordBits:])
}

// scaled returns the inputs of the first units times beta, in y. Times 0 an infinite input
// is 0; the input of a unit that does not exist stays -Inf.
func scaled(y *[panelsOfWord]product.Line, in logistic.Inputs, units int, beta float64) logistic.Inputs {
	for q := range in.N {
		x, y := &in.X[q*in.Stride], &y[q]
		for l := range y {
			y[l] = beta * x[l]
		}
		if beta != 0 {
			continue
		}
		for l := range y {
			switch {
			case q*product.Lanes+l >= units:
				y[l] = math.Inf(-1)
			case math.IsInf(x[l], 0):
				y[l] = 0
			}
		}
	}
	return logistic.Inputs{X: y[:], Stride: 1, N: in.N}
}

// tempered returns the inputs of the first units times beta, plus (1-beta)·base, in y. The
// base of units that do not exist does not matter.
func tempered(y *[panelsOfWord]product.Line, in logistic.Inputs, units int, beta float64, base []float64) logistic.Inputs {
	if beta == 1 {
		return in // also if base is infinite
	}
	in = scaled(y, in, units, beta)
	rest := 1 - beta
	for q := range in.N {
		y, base := &y[q], (*product.Line)(base[q*product.Lanes:])
		for l := range y {
			y[l] += float64(rest * base[l])
		}
	}
	return in
}
