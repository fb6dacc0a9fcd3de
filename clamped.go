package rbm

import (
	"fmt"
	"math"
	"math/bits"
	"sort"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// OneHot makes the visible units [from, to) a group of which exactly one is on: a
// variable with as many values as units, also known as a softmax or multinomial
// unit (Salakhutdinov, Mnih & Hinton, 2007), for a label, say (Larochelle &
// Bengio, 2008). Every sweep from now on draws the group as a whole,
//
//	p(vᵢ=1|h) = exp(bᵢ + (Wᵀh)ᵢ) / Σₖ exp(bₖ + (Wᵀh)ₖ)    the sum being over the group
//
// and so do the sweeps of [CD] and [PCD] with these Chains. The chains then have
// the distribution of the model among the configurations with one unit of each
// group on. Functions of an RBM alone, such as [RBM.LogPartition] and [Exact],
// know nothing of groups, and [PT] and [PTT] have none. If the probability of a
// unit is NaN, so are those of its group, of which no unit is on then.
//
// Several groups are made by several calls, in the order of their units. It
// panics if from is negative, to is not larger than from, or from lies before
// the end of an earlier group, or if the chains have states of fewer units; a
// start with fewer units panics later.
func (c *Chains) OneHot(from, to int) {
	defer c.take().Release()
	if wrong := c.clamp.wrong(from, to, c.v.cols); wrong != "" {
		panic("rbm: " + wrong)
	}
	c.clamp.add(from, to)
}

// StartGiven is [Chains.Start] for rows of which a part is known: visible units
// that are not observed are drawn from the biases of m, as [Chains.StartRandom]
// does, whatever v has in their place. V and observed are n×nv, an observed unit
// having a one; observed may also be 1×nv, the same for all rows, or nil, which is
// that nothing is observed.
//
// An observed unit of a group that is on makes the others be off; if none is on,
// the group is drawn among the units that are not observed. It panics if the sizes
// do not fit, if an observed value is outside [0, 1], or if those of a group leave
// no room for exactly one unit that is on.
func (c *Chains) StartGiven(m *RBM, v mat.Matrix, observed *Bits) {
	defer c.take().Release()
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	checkObserved(observed, n, nv)
	if observed == nil {
		c.startRandom(m, n)
		return
	}
	c.clamp.observed = observed
	defer c.clamp.release()
	m.call.keeps(c)
	c.read(known(v, observed), m.until())
	c.drawBiases(m, n)
	c.started()
}

// GibbsGiven is [Chains.Gibbs] with sweeps that leave the observed visible units as
// they are: the chains then have the distribution of the model given these units,
//
//	p(v_missing | v_observed) ∝ exp(-F(v))
//
// in which the hidden units are summed out. Observed is what it is in
// [Chains.StartGiven]; the sweeps of a group keep to what is said there. Where
// nothing is observed they are those of Gibbs, bit for bit. With a chain for each row
// of data, Visible is a minibatch for the gradient of what is observed: [Trainer] does
// so with Observed. It panics for the same reasons as Gibbs, or if observed does not
// have the size of the states.
func (c *Chains) GibbsGiven(m *RBM, k int, observed *Bits) {
	defer c.take().Release()
	c.given(m, k, observed, nil)
}

// MeansGiven moves the chains by k sweeps, as [Chains.GibbsGiven] does, and sets
// dst (n×nv) to an estimate, for each chain, of the means given the observed units,
// E[v | v_observed]: the average over the sweeps of the probabilities with which a
// unit is drawn,
//
//	p(vᵢ=1|h)    or, in a group, that of the softmax over the units that may be on
//
// which varies less than that of the drawn bits does (Gelfand & Smith, 1990). At
// observed units it is their states. Nil observed gives the means of the model.
// Chains that have not yet forgotten their start bias it: let GibbsGiven move them
// before. Means of missing units are NaN if a parameter is. It panics for the same
// reasons, or if dst is of another size.
func (c *Chains) MeansGiven(dst *mat.Dense, m *RBM, k int, observed *Bits) *mat.Dense {
	nv, _ := m.Dims()
	defer c.take().Release()
	n := c.Visible().rows
	dst = checkDense(dst, n, nv)
	dst.Zero()
	c.given(m, k, observed, dst)
	for r := range n {
		for i, sum := range dst.RawRowView(r) {
			if mean := c.model.orNaN(sum / float64(k)); !observed.observes(r, i) {
				dst.Set(r, i, mean)
			} else {
				dst.Set(r, i, c.v.At(r, i))
			}
		}
	}
	return dst
}

// given moves the chains by k sweeps and adds the probabilities to sum, unless it
// is nil.
func (c *Chains) given(m *RBM, k int, observed *Bits, sum *mat.Dense) {
	checkAtLeast("k", k, 1)
	c.check(m)
	checkObserved(observed, c.v.rows, c.v.cols)
	m.call.keeps(c)
	c.model.load(m, 2*k*c.v.rows)
	defer c.model.done()
	c.clamp.observed, c.clamp.sum = observed, sum
	defer c.clamp.release()
	c.sweeps(&c.model, k)
}

// checkObserved panics unless observed is nil or says of n rows of nv units which
// are observed.
func checkObserved(observed *Bits, n, nv int) {
	if observed != nil && (observed.rows != n && observed.rows != 1 || observed.cols != nv) {
		panic(fmt.Sprintf("rbm: observed is %d×%d, want %d×%d or 1×%d", observed.rows, observed.cols, n, nv, nv))
	}
}

// mask returns which units of row r are observed, or nil if none is.
func (b *Bits) mask(r int) []uint64 {
	if b == nil {
		return nil
	}
	return b.row(min(r, b.rows-1))
}

// observes reports whether unit i of row r is observed.
func (b *Bits) observes(r, i int) bool {
	return b != nil && b.mask(r)[i/wordBits]>>(i%wordBits)&1 == 1
}

// known returns v with zeros in place of what is not observed.
func known(v mat.Matrix, observed *Bits) mat.Matrix {
	b, ok := v.(*Bits)
	if !ok || observed == nil {
		return masked{v, observed}
	}
	return knownBits(b, observed, nil)
}

func knownBits(b, observed *Bits, until *stop.Signal) *Bits {
	dst := NewBits(b.rows, b.cols)
	for r := range b.rows {
		until.Look()
		observe(dst.row(r), b.row(r), observed.mask(r))
	}
	return dst
}

// masked is a matrix with zeros in place of what is not observed, which is not
// looked at.
type masked struct {
	mat.Matrix
	observed *Bits
}

func (a masked) At(i, j int) float64 {
	if !a.observed.observes(i, j) {
		return 0
	}
	return a.Matrix.At(i, j)
}

func (a masked) T() mat.Matrix { return mat.Transpose{Matrix: a} }

// A clamp is the sink that draws visible units that are not all free: some are
// observed and those of a group depend on each other.
type clamp struct {
	groups   []group
	observed *Bits      // units that keep their states, or nil
	sum      *mat.Dense // to add the probabilities of the others to, or nil

	draws *draws
	kept  []float64 // of each row: what is kept of groups that lie in several words
	until *stop.Signal
}

// release forgets all but the groups.
func (s *clamp) release() { s.observed, s.sum, s.until = nil, nil, nil }

// A group are the units [from, to). One that lies in several words is drawn once they
// are done: until then, its random number and its inputs are kept, from at on.
type group struct{ from, to, at int }

// split reports whether g lies in several words.
func (g group) split() bool { return g.from/wordBits != (g.to-1)/wordBits }

// size returns how many numbers are kept of a row.
func (s *clamp) size() int {
	if len(s.groups) == 0 {
		return 0
	}
	g := s.groups[len(s.groups)-1]
	if !g.split() {
		return g.at
	}
	return g.at + 1 + g.to - g.from
}

// end returns the first unit behind all groups.
func (s *clamp) end() int {
	if len(s.groups) == 0 {
		return 0
	}
	return s.groups[len(s.groups)-1].to
}

// wrong returns why units [from, to) cannot be the next group of nv units, or of
// a number not known yet if nv is 0.
func (s *clamp) wrong(from, to, nv int) string {
	switch {
	case from < s.end():
		return fmt.Sprintf("group is [%d, %d), want it to begin at %d at the earliest", from, to, s.end())
	case to <= from:
		return fmt.Sprintf("group is [%d, %d), want at least one unit", from, to)
	case nv > 0 && to > nv:
		return fmt.Sprintf("group is [%d, %d), want one of %d units", from, to, nv)
	}
	return ""
}

func (s *clamp) add(from, to int) { s.groups = append(s.groups, group{from, to, s.size()}) }

// fit panics if there are groups that nv units do not have.
func (s *clamp) fit(nv int) {
	if s.end() > nv {
		panic(fmt.Sprintf("rbm: %d visible units, want at least %d as that is where a group ends", nv, s.end()))
	}
}

// check panics unless exactly one unit of each group is on in each row of the
// batch, or may be once those that are not observed are drawn. The rows are those
// from r0 on of what is called name.
func (s *clamp) check(name string, in *batch, r0 int, until *stop.Signal) {
	for r := range in.rows {
		until.Look()
		for _, g := range s.groups {
			on, room := g.on(name, in, r0, r), 0
			if s.observed != nil && ones(s.observed.mask(r0+r), g.from, g.to) < g.to-g.from {
				room = 1
			}
			if on != 1 && on+room != 1 {
				panic(fmt.Sprintf("rbm: row %d of %s has %d units on in the group [%d, %d), want 1", r0+r, name, on, g.from, g.to))
			}
		}
	}
}

// on returns how many units of the group are on in row r of the batch. It panics if a
// value is neither 0 nor 1.
func (g group) on(name string, in *batch, r0, r int) (on int) {
	if !in.real {
		return ones(in.bits.row(r), g.from, g.to)
	}
	for i := g.from; i < g.to; i++ {
		switch x := in.at(r, i); x {
		case 0:
		case 1:
			on++
		default:
			panic(fmt.Sprintf("rbm: %s[%d, %d] is %v, want 0 or 1 in the group [%d, %d)", name, r0+r, i, x, g.from, g.to))
		}
	}
	return on
}

// ones returns how many of the bits [from, to) of a row are set.
func ones(row []uint64, from, to int) (n int) {
	for t := from / wordBits; t*wordBits < to; t++ {
		n += bits.OnesCount64(row[t] & within(t, from, to))
	}
	return n
}

// within returns the bits of word t of a row that are those of units [from, to).
func within(t, from, to int) uint64 {
	first, end := max(0, from-t*wordBits), min(wordBits, to-t*wordBits)
	if first >= end {
		return 0
	}
	return ^uint64(0) >> (wordBits - (end - first)) << first
}

// sink returns the sink that draws visible units by d: d itself if all are free,
// else the clamp. Finish must follow.
func (s *clamp) sink(d *draws) sink {
	s.draws = d
	if len(s.groups) == 0 && s.observed == nil && s.sum == nil {
		return d
	}
	s.kept = grow(s.kept, d.dst.rows*s.size())
	return s
}

// take draws the units of word t that are in no group, and the groups that lie in it.
func (s *clamp) take(t, r0, n int, x tile) {
	groups := s.inWord(t)
	var grouped uint64
	for _, g := range groups {
		grouped |= within(t, g.from, g.to)
	}
	var u [wordBits]uint32
	for r := r0; r < r0+n; r++ {
		in := x.row(r-r0, n)
		s.draws.random(&u, t, in.N*product.Lanes, r)
		s.drawFree(r, t, grouped, in, &u)
		if grouped != 0 {
			s.drawGroups(r, t, groups, in, &u)
		}
	}
}

// drawGroups draws those of the groups that lie in word t, and keeps what is found out
// about the others.
func (s *clamp) drawGroups(r, t int, groups []group, in logistic.Inputs, u *[wordBits]uint32) {
	var lines [panelsOfWord]product.Line
	for q := range in.N {
		lines[q] = in.X[q*in.Stride]
	}
	x := product.Floats(lines[:])
	var open uint64 // the first units of the groups to draw
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
			subtractTop(x[first:end])
			open |= 1 << first
		}
	}
	logistic.ExpNegative(x[:in.N*product.Lanes])
	word := s.draws.word(r, t)
	for _, g := range groups {
		first, size := g.from-t*wordBits, g.to-g.from
		if first < 0 || open>>first&1 == 0 {
			continue
		}
		*word &^= within(t, g.from, g.to)
		if k := s.choose(r, g, x[first:][:size], float64(u[first])); k < size {
			*word |= 1 << (first + k)
		}
	}
}

// inWord returns the groups that have units in word t.
func (s *clamp) inWord(t int) []group {
	first := sort.Search(len(s.groups), func(k int) bool { return s.groups[k].to > t*wordBits })
	groups := s.groups[first:]
	for k, g := range groups {
		if g.from >= (t+1)*wordBits {
			return groups[:k]
		}
	}
	return groups
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
	} else if free&within(t, 0, s.draws.dst.cols) != 0 {
		drawn = in.Draw(u)
	}
	word := s.draws.word(r, t)
	*word = *word&^free | drawn&free
}

// keptOf returns what is kept of a group of row r: its random number and its inputs.
func (s *clamp) keptOf(r int, g group) (number *float64, x []float64) {
	kept := s.kept[r*s.size()+g.at:][:1+g.to-g.from]
	return &kept[0], kept[1:]
}

// finish draws the groups that lie in several words.
func (s *clamp) finish(team *parallel.Team) {
	size := s.size()
	if size == 0 {
		return
	}
	rows := s.draws.dst.rows
	parts := (rows + finishRows - 1) / finishRows
	s.until = team.Until
	team.Run(team.Workers(parts, rows*10*size), parts, s)
}

// Do is the job that draws these groups of some rows.
func (s *clamp) Do(_, part int) {
	s.drawSplit(part*finishRows, min(s.draws.dst.rows, (part+1)*finishRows))
}

func (s *clamp) drawSplit(r0, r1 int) {
	for _, g := range s.groups {
		if !g.split() {
			continue
		}
		for r := r0; r < r1; r++ {
			s.until.Look()
			number, x := s.keptOf(r, g)
			if !s.isOpen(r, g, x) {
				continue
			}
			subtractTop(x)
			logistic.ExpNegative(x)
			row := s.draws.dst.row(r)
			for t := g.from / wordBits; t*wordBits < g.to; t++ {
				row[t] &^= within(t, g.from, g.to)
			}
			if k := s.choose(r, g, x, *number); k < len(x) {
				row[(g.from+k)/wordBits] |= 1 << ((g.from + k) % wordBits)
			}
		}
	}
}

// isOpen reports whether a group of row r is to be drawn, as no unit of it that is on
// is observed. Then it sets the inputs of those to -Inf that are.
func (s *clamp) isOpen(r int, g group, inputs []float64) bool {
	mask := s.observed.mask(r)
	if mask == nil {
		return true
	}
	row := s.draws.dst.row(r)
	for t := g.from / wordBits; t*wordBits < g.to; t++ {
		known := mask[t] & within(t, g.from, g.to)
		if row[t]&known != 0 {
			return false
		}
		for ; known != 0; known &= known - 1 {
			inputs[t*wordBits+bits.TrailingZeros64(known)-g.from] = math.Inf(-1)
		}
	}
	return true
}

// subtractTop subtracts the largest of the inputs of a group from all, so that their
// exponentials are the probabilities up to a factor. All are NaN afterwards if one is,
// or if all are -Inf.
func subtractTop(x []float64) {
	top := math.Inf(-1)
	for _, x := range x {
		top = max(top, x)
	}
	for k := range x {
		if math.IsInf(x[k], 1) {
			x[k] = 0
		} else {
			x[k] -= top
		}
	}
}

// choose returns which unit of a group of row r is on, given their probabilities up to
// a factor, by the random number of the first; their number if they are NaN.
func (s *clamp) choose(r int, g group, weights []float64, number float64) int {
	var total float64
	for _, w := range weights {
		total += w
	}
	rest := (number + 0.5) * 0x1p-32 * total
	if s.sum != nil {
		dst := s.sum.RawRowView(r)[g.from:g.to]
		for k, w := range weights {
			dst[k] += w / total
		}
	}
	var sum float64
	for k, w := range weights {
		if sum += w; sum > rest {
			return k
		}
	}
	return len(weights)
}
