package rbm

import (
	"math"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
)

// A marginal sums one layer out of the joint distribution.
type marginal struct {
	pass pass
	soft softplus
	logs groupLogs // where the layer that is summed out has groups

	dst   []float64
	in    *batch
	from  *layer
	until *stop.Signal
}

// energies sets dst to the energies of configurations of one layer, with the other layer
// summed out.
func (f *marginal) energies(team *parallel.Team, dst []float64, in *batch, from, out *layer) {
	f.soft.words = out.words()
	f.soft.sum = grow(f.soft.sum, in.rows*f.soft.words)
	if len(out.groups) > 0 {
		f.logs.reset(&f.soft, out, in.rows)
		f.pass.run(team, out, in, &f.logs)
	} else {
		f.logs.layer = nil
		f.pass.run(team, out, in, &f.soft)
	}
	f.dst, f.in, f.from, f.until = dst, in, from, team.Until
	parts := (in.rows + finishRows - 1) / finishRows
	team.Run(team.Workers(parts, in.rows*(20+in.cols/8)), parts, f)
}

// forget drops the references to memory of others.
func (f *marginal) forget() { f.dst, f.in, f.from, f.until, f.logs.layer = nil, nil, nil, nil, nil }

const finishRows = 128

// Do is the job that adds up the terms of some rows.
func (f *marginal) Do(_, part int) {
	for r := part * finishRows; r < min(f.in.rows, (part+1)*finishRows) && !f.until.Given(); r++ {
		f.dst[r] = -f.in.dot(r, f.from.bias) - total(f.soft.sum[r*f.soft.words:][:f.soft.words])
		if f.logs.layer != nil {
			f.dst[r] -= f.logs.row(r)
		}
	}
}

// joint is a sink that sums the inputs of the hidden units that are on.
type joint struct {
	h     *batch
	words int
	sum   []float64 // rows×words
}

func (s *joint) reset(h *batch, to *layer) {
	s.h, s.words = h, to.words()
	s.sum = grow(s.sum, h.rows*s.words)
}

func (s *joint) take(t, r0, n int, x tile) {
	for r := range n {
		in := x.row(r, n)
		var sum float64
		for j := range min(wordBits, s.h.cols-t*wordBits) {
			if h := s.h.at(r0+r, t*wordBits+j); h != 0 {
				sum += float64(h * in.At(j))
			}
		}
		s.sum[(r0+r)*s.words+t] = sum
	}
}

func (s *joint) row(r int) float64 { return product.Sum(s.sum[r*s.words:][:s.words]) }

// groupLogs is the sink in place of softplus where units are in groups: a group adds log Σ
// exp of its inputs instead of the softplus of its units.
type groupLogs struct {
	soft  *softplus
	layer *layer
	logs  []float64 // of the groups that lie in the word: rows×words
	kept  []float64 // inputs of the others, row by row, as a clamp keeps them
}

func (s *groupLogs) reset(soft *softplus, l *layer, rows int) {
	s.soft, s.layer = soft, l
	s.logs = grow(s.logs, rows*l.words())
	s.kept = grow(s.kept, rows*l.kept)
}

func (s *groupLogs) take(t, r0, n int, x tile) {
	groups, grouped := s.layer.groupsOf(t)
	var lines [panelsOfWord]product.Line
	for r := r0; r < r0+n; r++ {
		in := x.row(r-r0, n)
		y := wordInputs(&lines, in)
		var sum float64
		for _, g := range groups {
			first, end := max(0, g.from-t*wordBits), min(wordBits, g.to-t*wordBits)
			if g.split() {
				copy(s.keptOf(r, g)[t*wordBits+first-g.from:], y[first:end])
			} else {
				sum += logistic.LogSumExp(y[first:end])
			}
		}
		s.logs[r*s.soft.words+t] = sum
		for i := range y {
			if grouped>>i&1 != 0 {
				y[i] = math.Inf(-1) // whose softplus is 0
			}
		}
		s.soft.sum[r*s.soft.words+t] = logistic.Inputs{X: lines[:], Stride: 1, N: in.N}.Softplus()
	}
}

func (s *groupLogs) keptOf(r int, g group) []float64 {
	return s.kept[r*s.layer.kept+g.kept:][:g.to-g.from]
}

// row returns the sum of all logs of row r.
func (s *groupLogs) row(r int) float64 {
	sum := product.Sum(s.logs[r*s.soft.words:][:s.soft.words])
	for _, g := range s.layer.groups {
		if g.split() {
			sum += logistic.LogSumExp(s.keptOf(r, g))
		}
	}
	return sum
}
