package rbm

import (
	"math"
	"math/bits"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
)

// A sink takes the inputs of a layer's units: of the units of word t, for
// n rows from r0 on. It may be called for different rows and words at the same
// time.
type sink interface {
	take(t, r0, n int, x tile)
}

// A tile holds inputs panel by panel: row r has x[r], x[r+n], ….
type tile []product.Line

// row returns the inputs of row r of n.
func (x tile) row(r, n int) logistic.Inputs {
	return logistic.Inputs{X: x[r:], Stride: n, N: len(x) / n}
}

// A pass computes the inputs of one layer from a batch of the other, in tiles of
// a word of units × some rows, and hands them to a sink. The zero value is
// ready.
type pass struct {
	lists   lists
	scratch []scratch // of each worker

	in    *batch
	to    *layer
	out   sink
	words int
	rows  int // of a part

	fixed fixedSink // out, if it takes words in fixed point
	ahead int       // how many more times the layer will take as many rows, if that is known

	isFew bool
	few   product.Few // the rows, if they are
}

type scratch struct {
	x, product []product.Line
	fixed      fixedWord
}

// run hands the inputs of layer to, given the batch, to a sink.
func (p *pass) run(team *parallel.Team, to *layer, in *batch, out sink) {
	p.in, p.to, p.out = in, to, out
	p.words = to.words()
	workers := team.Workers(in.rows*p.words, rowsWork(in.rows, in.cols, to.units))
	// The rows are split as well where the words do not go round. All rows in
	// one part are best otherwise, as each part makes tables of its own, and where it
	// looks for NaN too.
	split := 1
	for split < 4 && p.words*split%workers != 0 && p.words*split < 4*workers && !to.isUnseen() {
		split++
	}
	p.rows = min(product.ShareRows, (in.rows+split-1)/split+3) &^ 3 // a multiple of 4
	parts := p.words * ((in.rows + p.rows - 1) / p.rows)
	if p.isFew = in.rows <= product.FewRows && to.isUnseen(); p.isFew {
		p.few.Until = team.Until
		p.few.Reset(in.rows, in.cols)
		for r := range in.rows {
			p.few.Add(in.bits.row(r), in.value(r))
		}
	} else {
		p.lists.build(team, in.bits.side(), p.rows)
	}
	p.fixed = nil
	if s, ok := out.(fixedSink); ok && p.mayFix(s, to, in) {
		to.pack(team)
		p.fixed = s
	}
	for len(p.scratch) < workers {
		p.scratch = append(p.scratch, scratch{})
	}
	for i := range p.scratch[:workers] { // now, not in a part, of which a worker may have the first in any call
		s := &p.scratch[i]
		s.x = growLines(s.x, min(p.rows, in.rows)*panelsOfWord)
		if !p.isFew && s.product == nil {
			s.product = product.Lines(product.ScratchLines)
		}
	}
	team.Run(workers, parts, (*passing)(p))
	p.in, p.to, p.out, p.fixed = nil, nil, nil, nil
	p.lists.Forget()
}

// lists are the lists of a product, and the job that makes them.
type lists struct{ product.Lists }

// build makes the lists of b for products that take share rows at a time.
func (l *lists) build(team *parallel.Team, b product.Bits, share int) {
	l.Until = team.Until
	l.Build(b, share)
	team.Run(team.Workers(l.Parts(), b.Rows*b.Cols/2), l.Parts(), l)
}

func (l *lists) Do(_, part int) { l.Fill(part) }

// passing is the job of a pass.
type passing pass

func (p *passing) Do(worker, part int) {
	t, r0 := part%p.words, part/p.words*p.rows
	r1 := min(p.in.rows, r0+p.rows)
	n := r1 - r0
	s := &p.scratch[worker]
	if p.fixed != nil && p.fixed.takesFixed(t) && (*pass)(p).beginFixed(&s.fixed, t, r0, n) {
		x := product.AsFixed(s.x)[:product.FixedPanels*n]
		p.to.fixed.Begin(x, t, n)
		p.lists.MulFixed(x, &p.to.fixed, t*product.FixedPanels, min((t+1)*product.FixedPanels, p.to.fixedPanels()), s.product, r0, r1)
		s.fixed.x = x
		p.fixed.takeFixed(&s.fixed)
		s.fixed.x, s.fixed.in, s.fixed.layer = nil, nil, nil
		return
	}
	q0 := t * panelsOfWord
	q1 := min(p.to.w.Count(), q0+panelsOfWord)
	x := s.x[:(q1-q0)*n]
	if p.to.isUnseen() && !p.isFew {
		p.to.scan(p.to.unseen, t*wordBits, (t+1)*wordBits, p.lists.Until)
	}
	for q := q0; q < q1; q++ {
		bias := product.Line(p.to.bias[q*product.Lanes:])
		for r := range n {
			x[(q-q0)*n+r] = bias
		}
	}
	switch {
	case p.isFew:
		for nan := p.few.Mul(x, &p.to.w, q0, q1); nan != 0; nan &= nan - 1 {
			i := bits.TrailingZeros64(nan)
			p.to.bias[t*wordBits+i] = math.NaN()
			for r := range n {
				x[i/product.Lanes*n+r][i%product.Lanes] = math.NaN()
			}
		}
	case p.in.real:
		p.lists.MulWeights(x, p.in.weights(), &p.to.w, q0, q1, s.product, r0, r1)
	default:
		p.lists.Mul(x, &p.to.w, q0, q1, s.product, r0, r1)
	}
	p.out.take(t, r0, n, x)
}

// A fixedSink can take inputs in fixed point, for words that it chooses.
type fixedSink interface {
	sink
	takesFixed(t int) bool
	takeFixed(w *fixedWord)

	// always reports whether the result shows that the inputs are in fixed point. Then they
	// are wherever they can be, whatever other rows there are.
	always() bool
}

// mayFix reports whether a pass of the batch to a layer, in float64 otherwise, may be in fixed
// point.
func (p *pass) mayFix(s fixedSink, to *layer, in *batch) bool {
	if in.real || to.isUnseen() || !to.canPack() {
		return false
	}
	return to.isPacked || s.always() || in.rows*(1+p.ahead) >= packRows
}

// beginFixed makes w ready for n rows from r0 on, and reports whether the inputs of word t may
// be in fixed point. Where the result shows it, that depends on no other rows.
func (p *pass) beginFixed(w *fixedWord, t, r0, n int) bool {
	if p.fixed.always() {
		return w.begin(p.to, p.in, t, r0, n, p.in.cols, singleSlack)
	}
	return w.begin(p.to, p.in, t, r0, n, p.lists.MaxOnes(), logistic.MaxSlack/4)
}

// growLines returns n lines, in the memory of s if that is enough.
func growLines(s []product.Line, n int) []product.Line {
	if cap(s) < n {
		return product.Lines(n)
	}
	return s[:n]
}
