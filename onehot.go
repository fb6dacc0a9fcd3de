package rbm

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"sort"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
)

// Group is a softmax unit (Salakhutdinov, Mnih & Hinton, 2007): [From, To).
type Group struct{ From, To int }

// String returns the interval, as in [3, 6).
func (g Group) String() string { return fmt.Sprintf("[%d, %d)", g.From, g.To) }

// wrongGroups says why groups do not fit nv units, or returns "".
func wrongGroups(groups []Group, nv int) string {
	// A group of the visible units [From, To), of which exactly one is on, is a variable
	// with To-From values, also known as a softmax or multinomial unit.
	end := 0
	for _, g := range groups {
		switch {
		case g.From < end:
			return fmt.Sprintf("group is %v, want it to begin at %d at the earliest", g, end)
		case g.To <= g.From:
			return fmt.Sprintf("group is %v, want at least one unit", g)
		case g.To > nv:
			return fmt.Sprintf("group is %v, want one of %d units", g, nv)
		}
		end = g.To
	}
	return ""
}

// A group is a Group of a layer. The units of one that lies in several words are
// dealt with once all its words have been: until then, a row keeps its random number
// and its inputs, at kept and behind.
type group struct{ from, to, kept int }

// split reports whether g lies in several words.
func (g group) split() bool { return g.from/wordBits != (g.to-1)/wordBits }

// oneHot are the groups of a layer, in the order of their units.
type oneHot struct {
	groups []group
	kept   int // how many numbers the split groups keep of a row
}

// load sets the groups.
func (l *oneHot) load(groups []Group) {
	l.groups, l.kept = l.groups[:0], 0
	for _, g := range groups {
		g := group{g.From, g.To, l.kept}
		l.groups = append(l.groups, g)
		if g.split() {
			l.kept += 1 + g.to - g.from
		}
	}
}

// groupsOf returns the groups that have units in word t, and the bits of all of
// these units.
func (l *oneHot) groupsOf(t int) (groups []group, grouped uint64) {
	if len(l.groups) == 0 {
		return nil, 0
	}
	first := sort.Search(len(l.groups), func(k int) bool { return l.groups[k].to > t*wordBits })
	for _, g := range l.groups[first:] {
		if g.from >= (t+1)*wordBits {
			break
		}
		groups = l.groups[first : first+len(groups)+1]
		grouped |= within(t, g.from, g.to)
	}
	return groups, grouped
}

// within returns the bits of word t of a row that stand for units [from, to).
func within(t, from, to int) uint64 {
	first, end := max(0, from-t*wordBits), min(wordBits, to-t*wordBits)
	if first >= end {
		return 0
	}
	return ^uint64(0) >> (wordBits - (end - first)) << first
}

// ones returns how many of the bits [from, to) of a row are set.
func ones(row []uint64, from, to int) (n int) {
	for t := from / wordBits; t*wordBits < to; t++ {
		n += bits.OnesCount64(row[t] & within(t, from, to))
	}
	return n
}

// unitOn returns which unit of the group is on in a row.
func (g group) unitOn(row []uint64) int {
	for t := g.from / wordBits; ; t++ {
		if on := row[t] & within(t, g.from, g.to); on != 0 {
			return t*wordBits + bits.TrailingZeros64(on)
		}
	}
}

// check panics unless exactly one unit of each group is on in each row of the
// batch, or can be once the units that are not observed are drawn. The rows are rows
// r0, r0+1, … of the matrix called name.
func (l *oneHot) check(name string, in *batch, r0 int, observed *Bits, until *stop.Signal) {
	if len(l.groups) == 0 {
		return
	}
	for r := range in.rows {
		until.Look()
		if wrong := l.wrongRow(name, in, r, r0+r, observed.mask(r0+r)); wrong != "" {
			panic("rbm: " + wrong)
		}
	}
}

// checkRows returns an error unless the rows of b fit the groups. They have these numbers
// in what is called name, or if there are none the numbers from first on.
func (l *oneHot) checkRows(name string, b *Bits, first int, numbers []int) error {
	if len(l.groups) == 0 {
		return nil
	}
	in := batch{rows: b.rows, cols: b.cols, bits: b}
	for r := range b.rows {
		number := first + r
		if numbers != nil {
			number = numbers[r]
		}
		if wrong := l.wrongRow(name, &in, r, number, nil); wrong != "" {
			return errors.New("rbm: " + wrong)
		}
	}
	return nil
}

// wrongRow says why the groups cannot have row r of the batch, which has the given number
// in the matrix called name, or nothing. Nil observed means all.
func (l *oneHot) wrongRow(name string, in *batch, r, number int, observed []uint64) string {
	if in.real {
		return l.wrongValues(name, in.value(r), number, observed)
	}
	for _, g := range l.groups {
		if wrong := g.wrongOnes(name, ones(in.bits.row(r), g.from, g.to), number, observed); wrong != "" {
			return wrong
		}
	}
	return ""
}

// wrongValues is wrongRow of values.
func (l *oneHot) wrongValues(name string, row []float64, number int, observed []uint64) string {
	for _, g := range l.groups {
		on := 0
		for i, x := range row[g.from:g.to] {
			switch x {
			case 0:
			case 1:
				on++
			default:
				return fmt.Sprintf("%s[%d, %d] is %v, want 0 or 1 in the group [%d, %d)", name, number, g.from+i, x, g.from, g.to)
			}
		}
		if wrong := g.wrongOnes(name, on, number, observed); wrong != "" {
			return wrong
		}
	}
	return ""
}

// wrongOnes says why the group cannot have so many units on, or nothing.
func (g group) wrongOnes(name string, on, number int, observed []uint64) string {
	if on == 1 || on == 0 && observed != nil && ones(observed, g.from, g.to) < g.to-g.from {
		return ""
	}
	return fmt.Sprintf("row %d of %s has %d units on in the group [%d, %d), want 1", number, name, on, g.from, g.to)
}

// wordInputs copies the inputs of a word's units to y.
func wordInputs(y *[panelsOfWord]product.Line, in logistic.Inputs) []float64 {
	for q := range in.N {
		y[q] = in.X[q*in.Stride]
	}
	return product.Floats(y[:in.N])
}

// softmax turns the inputs of a group into the probabilities of its units, times
// scale. All are NaN if an input is, or if all are -Inf.
func softmax(x []float64, scale float64) {
	subtractTop(x)
	logistic.Exps(x)
	var total float64
	for _, w := range x {
		total += w
	}
	for k, w := range x {
		x[k] = float64(scale * (w / total))
	}
}

// probs sets the probabilities p of the units of word t, times scale, for groups:
// in a group that lies in the word to the softmax of its inputs, in one that lies in
// several to the inputs, which finish turns into probabilities.
func (l *oneHot) probs(p []float64, t int, in logistic.Inputs, scale float64) {
	groups, _ := l.groupsOf(t)
	if len(groups) == 0 {
		return
	}
	var y [panelsOfWord]product.Line
	x := wordInputs(&y, in)
	for _, g := range groups {
		first, end := max(0, g.from-t*wordBits), min(wordBits, g.to-t*wordBits)
		copy(p[first:end], x[first:end])
		if !g.split() {
			softmax(p[first:end], scale)
		}
	}
}

// groupProbs finishes the probabilities of groups that lie in several words.
type groupProbs struct{ x []float64 }

// finish does so for n rows.
func (s *groupProbs) finish(l *oneHot, n int, dst interface {
	word(t, r int) []float64
	scaleOf(r int) float64
}) {
	for _, g := range l.groups {
		if !g.split() {
			continue
		}
		for r := range n {
			s.x = s.x[:0]
			g.each(func(t, first, end int) { s.x = append(s.x, dst.word(t, r)[first:end]...) })
			softmax(s.x, dst.scaleOf(r))
			rest := s.x
			g.each(func(t, first, end int) { rest = rest[copy(dst.word(t, r)[first:end], rest):] })
		}
	}
}

// each calls f for each word t of the group, with its units [first, end) there.
func (g group) each(f func(t, first, end int)) {
	for t := g.from / wordBits; t*wordBits < g.to; t++ {
		f(t, max(0, g.from-t*wordBits), min(wordBits, g.to-t*wordBits))
	}
}

// subtractTop subtracts the largest of the inputs of a group from all, so that their
// exponentials are the probabilities up to a factor. All are NaN afterward if one is,
// or if all are -Inf.
func subtractTop(x []float64) {
	top := math.Inf(-1)
	for _, x := range x {
		top = max(top, x)
	}
	if math.IsInf(top, 1) {
		for k := range x {
			if math.IsInf(x[k], 1) {
				x[k] = 0
			} else {
				x[k] -= top
			}
		}
		return
	}
	for k := range x {
		x[k] -= top
	}
}

// configuration sets row, which is zero, to configuration number x of the given number of
// units.
func (l *oneHot) configuration(row []uint64, units, x int) {
	groups := l.groups
	for i := 0; i < units; {
		if len(groups) == 0 || groups[0].from != i {
			row[i/wordBits] |= uint64(x&1) << (i % wordBits)
			x >>= 1
			i++
			continue
		}
		size := groups[0].to - i
		on := i + x%size
		row[on/wordBits] |= 1 << (on % wordBits)
		x /= size
		i = groups[0].to
		groups = groups[1:]
	}
}
