package rbm

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
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
	if wrong := c.clamp.wrong(from, to, c.v.cols); wrong != "" {
		panic("rbm: " + wrong)
	}
	c.clamp.add(from, to)
}

// A clamp is the sink that draws visible units that are not all free: those of a
// group depend on each other.
type clamp struct {
	groups []group

	draws *draws
	x     []float64 // inputs of the groups' units: rows × size
}

// A group are the units [from, to). Its inputs stand from at on.
type group struct{ from, to, at int }

// size returns the number of units in groups.
func (s *clamp) size() int {
	if len(s.groups) == 0 {
		return 0
	}
	g := s.groups[len(s.groups)-1]
	return g.at + g.to - g.from
}

// has reports whether units [from, to) are a group.
func (s *clamp) has(from, to int) bool {
	for _, g := range s.groups {
		if g.from == from && g.to == to {
			return true
		}
	}
	return false
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
// batch, the rows from r0 on of what is called name.
func (s *clamp) check(name string, in *batch, r0 int) {
	for r := range in.rows {
		for _, g := range s.groups {
			on := 0
			for i := g.from; i < g.to; i++ {
				switch x := in.at(r, i); x {
				case 0:
				case 1:
					on++
				default:
					panic(fmt.Sprintf("rbm: %s[%d, %d] is %v, want 0 or 1 in the group [%d, %d)", name, r0+r, i, x, g.from, g.to))
				}
			}
			if on != 1 {
				panic(fmt.Sprintf("rbm: row %d of %s has %d units on in the group [%d, %d), want 1", r0+r, name, on, g.from, g.to))
			}
		}
	}
}

// sink returns the sink that draws visible units by d: d itself if all are free,
// else the clamp. Finish must follow.
func (s *clamp) sink(d *draws) sink {
	s.draws = d
	if len(s.groups) == 0 {
		return d
	}
	s.x = grow(s.x, d.dst.rows*s.size())
	return s
}

func (s *clamp) take(t, r0, n int, x tile) {
	s.draws.take(t, r0, n, x)
	for _, g := range s.groups {
		first, end := max(g.from, t*wordBits), min(g.to, (t+1)*wordBits)
		for r := range n {
			in := x.row(r, n)
			inputs := s.inputs(r0+r, g)
			for i := first; i < end; i++ {
				inputs[i-g.from] = in.At(i - t*wordBits)
			}
		}
	}
}

// inputs returns those of the units of a group, for row r.
func (s *clamp) inputs(r int, g group) []float64 { return s.x[r*s.size()+g.at:][:g.to-g.from] }

// finish draws the groups.
func (s *clamp) finish(team *parallel.Team) {
	if len(s.groups) == 0 {
		return
	}
	rows := s.draws.dst.rows
	parts := (rows + finishRows - 1) / finishRows
	team.Run(team.Workers(parts, rows*(30*len(s.groups)+8*s.size())), parts, s)
}

// Do is the job that draws the groups of some rows.
func (s *clamp) Do(_, part int) {
	s.drawRows(part*finishRows, min(s.draws.dst.rows, (part+1)*finishRows))
}

func (s *clamp) drawRows(r0, r1 int) {
	for r := r0; r < r1; r++ {
		for _, g := range s.groups {
			s.draw(r, g)
		}
	}
}

// draw draws a group of row r, by the random number of its first unit.
func (s *clamp) draw(r int, g group) {
	weights := s.inputs(r, g)
	total := softmax(weights)
	var u [wordBits]uint32
	s.draws.random(&u, g.from/wordBits, g.from%wordBits+1, r)
	rest := (float64(u[g.from%wordBits]) + 0.5) * 0x1p-32 * total
	row := s.draws.dst.row(r)
	var sum float64
	drawn := false
	for k, w := range weights {
		i := g.from + k
		row[i/wordBits] &^= 1 << (i % wordBits)
		if sum += w; sum > rest && !drawn {
			row[i/wordBits] |= 1 << (i % wordBits)
			drawn = true
		}
	}
}

// softmax sets each x to exp(x) up to a common factor, with which the largest is
// 1, and returns their sum, which is NaN if an x is.
func softmax(x []float64) (total float64) {
	top := math.Inf(-1)
	for _, x := range x {
		top = max(top, x)
	}
	for k := range x {
		if x[k] == top { // also if that is infinite
			x[k] = 1
		} else {
			x[k] = logistic.Exp(x[k] - top)
		}
		total += x[k]
	}
	return total
}
