package rbm

import (
	"math"
	"math/bits"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// A layer holds the inputs of its units given the other layer, bias + in·W.
type layer struct {
	units int
	bias  []float64 // filled up to whole words with -Inf: units that are always off
	w     product.Panels

	oneHot // of visible units

	fixed    product.Fixed // w and the biases, if isPacked
	isPacked bool
	abs      []float64 // sums of |w| over some of the weights to each unit, a part after another: whole words
	absParts int

	// The weights, a row a unit, if it is not known yet which of them are NaN. The pass
	// to the layer finds out while it has them near the processor.
	unseen blas64.General
}

// model is an RBM in the form that passes read, for the time of a call, and the
// goroutines that work on the call. A bias is NaN if any parameter of its unit
// is.
type model struct {
	visible, hidden layer
	nan             bool // in any parameter

	src   *RBM
	team  parallel.Team
	sweep *stop.Signal // ends sampling between two sweeps; nil: nothing does
}

// load sets p to m for a call that takes the given number of rows from one layer to the
// other. Done must follow.
func (p *model) load(m *RBM, rows int) {
	nv, nh := m.Dims()
	p.team.Until, p.sweep = m.until(), nil
	p.team.Start(rowsWork(rows, nv, nh) + nv*nh/2)
	loaded := false
	defer func() {
		if !loaded { // a panic
			p.done()
		}
	}()
	p.read(m)
	loaded = true
}

// read is load in a call that has its goroutines elsewhere. Done need not follow.
func (p *model) read(m *RBM) {
	nv, nh := m.Dims()
	w := m.W.RawMatrix()
	p.visible.load(m.B)
	p.visible.oneHot.load(m.OneHot)
	p.hidden.load(m.C)
	p.hidden.oneHot.load(nil) // the layers may have changed places
	p.visible.w.View(nh, nv, w.Stride, w.Data)
	p.hidden.w.ViewT(nv, nh, w.Stride, w.Data)
	p.src = m
	parts := (nh + scanRows - 1) / scanRows
	p.visible.sums(parts)
	p.hidden.sums(1)
	p.team.Run(p.team.Workers(parts, nv*nh/8), parts, (*scanning)(p))
	p.src = nil
	p.nan = product.HasNaN(p.visible.bias) || product.HasNaN(p.hidden.bias)
	if p.nan {
		for j := range nh {
			p.team.Until.Look()
			for i, x := range w.Data[j*w.Stride:][:nv] {
				if math.IsNaN(x) {
					p.visible.bias[i] = x
				}
			}
		}
	}
}

// loadHidden is load for a call that only takes n rows to the hidden layer. For a few rows
// the weights are read once: the pass itself looks for NaN in them, and p.nan is known
// after seen.
func (p *model) loadHidden(m *RBM, n int) {
	if n > smallBatch {
		p.load(m, n)
		return
	}
	nv, nh := m.Dims()
	p.team.Until, p.sweep = m.until(), nil
	p.team.Start(rowsWork(n, nv, nh) + nv*nh/8)
	w := m.W.RawMatrix()
	p.visible.load(m.B)
	p.visible.oneHot.load(m.OneHot)
	p.hidden.load(m.C)
	p.hidden.oneHot.load(nil)
	p.hidden.w.ViewT(nv, nh, w.Stride, w.Data)
	p.hidden.unseen = w
}

// smallBatch is up to how many rows it pays that a pass reads the weights alone.
const smallBatch = 32

// seen notes whether any parameter is NaN, after loadHidden and a pass.
func (p *model) seen() {
	p.nan = product.HasNaN(p.visible.bias) || product.HasNaN(p.hidden.bias)
}

// rowsWork returns about how many nanoseconds it takes to compute the inputs of
// the units of one layer from rows of the other, and what follows from them.
func rowsWork(rows, from, to int) int {
	return int(min(1e9, float64(rows)*float64(to)*(2+float64(from)/48)))
}

// done ends the goroutines of the call and forgets the caller's memory.
func (p *model) done() {
	p.team.Stop()
	p.team.Until, p.sweep = nil, nil
	p.visible.w.Forget()
	p.hidden.w.Forget()
	p.hidden.unseen = blas64.General{}
}

func (l *layer) load(bias *mat.VecDense) {
	l.units, l.isPacked = bias.Len(), false
	l.bias = grow(l.bias, l.words()*wordBits)
	raw := bias.RawVector()
	if raw.Inc == 1 {
		copy(l.bias, raw.Data[:l.units])
	} else {
		for i := range l.units {
			l.bias[i] = raw.Data[i*raw.Inc]
		}
	}
	for i := l.units; i < len(l.bias); i++ {
		l.bias[i] = math.Inf(-1)
	}
}

// isUnseen reports whether the pass to the layer has to look for NaN.
func (l *layer) isUnseen() bool { return l.unseen.Data != nil }

// fixedPanels returns the number of panels that the units fill in fixed point.
func (l *layer) fixedPanels() int { return (l.units + product.FixedLanes - 1) / product.FixedLanes }

// words returns the number of words that the units fill.
func (l *layer) words() int { return (l.units + wordBits - 1) / wordBits }

// sums makes room for sums of |w| in parts.
func (l *layer) sums(parts int) {
	l.absParts = parts
	l.abs = grow(l.abs, parts*len(l.bias))
	clear(l.abs)
}

// scanning is the job that looks for weights that are NaN, and sums the absolute values of
// all, scanRows rows of W a part.
type scanning model

const scanRows = 32

func (p *scanning) Do(_, part int) {
	w, v, h := p.src.W.RawMatrix(), &p.visible, &p.hidden
	abs := v.abs[part*len(v.bias):][:w.Cols]
	for j := part * scanRows; j < min(w.Rows, (part+1)*scanRows) && !p.team.Until.Given(); j++ {
		h.abs[j] = product.AddAbs(abs, w.Data[j*w.Stride:][:w.Cols])
		if math.IsNaN(h.abs[j]) {
			h.bias[j] = math.NaN()
		}
	}
}

// scan makes the biases NaN of those units among [j0, j1) that have a weight that is.
func (l *layer) scan(w blas64.General, j0, j1 int, until *stop.Signal) {
	for j := j0; j < min(w.Rows, j1) && !until.Given(); j++ {
		if product.HasNaN(w.Data[j*w.Stride:][:w.Cols]) {
			l.bias[j] = math.NaN()
		}
	}
}

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
	if p.fixed != nil && p.fixed.takesFixed(t) && s.fixed.begin((*pass)(p), t, r0, n) {
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

// probs is a sink that stores the units' probabilities in the rows of dst from
// row on. Finish must follow.
type probs struct {
	dst   *mat.Dense
	row   int
	layer *layer
	soft  groupProbs
}

func (s *probs) take(t, r0, n int, x tile) {
	var p [wordBits]float64
	for r := range n {
		dst := s.word(t, r0+r)
		in := x.row(r, n)
		if len(dst) >= in.N*product.Lanes {
			in.Probs(dst, 1)
		} else {
			in.Probs(p[:], 1)
			copy(dst, p[:])
		}
		if len(s.layer.groups) > 0 {
			s.layer.oneHot.probs(dst, t, in, 1)
		}
	}
}

// word returns where the units from word t on of row r of the batch are stored.
func (s *probs) word(t, r int) []float64 {
	raw := s.dst.RawMatrix()
	return raw.Data[(s.row+r)*raw.Stride:][:raw.Cols][t*wordBits:]
}

func (s *probs) scaleOf(int) float64 { return 1 }

// softplus is a sink that stores, for each row and word, the sum of softplus
// over the units.
type softplus struct {
	sum   []logistic.Sum // rows×words
	words int
}

func (s *softplus) take(t, r0, n int, x tile) {
	for r := range n {
		s.sum[(r0+r)*s.words+t] = x.row(r, n).Softplus()
	}
}

// total adds sums of 64 terms each, taking one logarithm for every eight.
func total(sums []logistic.Sum) (f float64) {
	for len(sums) > 0 {
		n := min(8, len(sums))
		s := sums[0]
		for _, t := range sums[1:n] {
			s = s.Add(t)
		}
		f += s.Value()
		sums = sums[n:]
	}
	return f
}

// draws is a sink that draws the units of each row into dst.
type draws struct {
	dst     *Bits
	row     int   // of dst, for row 0 of the batch
	numbers []int // of the rows of dst, if they are not 0, 1, …
	seed    uint64
	place   philox.Place // of row number 0
}

func (s *draws) take(t, r0, n int, x tile) {
	var u [wordBits]uint32
	for r := range n {
		in := x.row(r, n)
		s.random(&u, t, in.N*product.Lanes, r0+r)
		*s.word(r0+r, t) = in.Draw(&u)
	}
}

// random sets u to the random numbers of the first n units of word t, for row r
// of the batch.
func (s *draws) random(u *[wordBits]uint32, t, n, r int) {
	place := s.place
	place.Row += uint32(s.number(r))
	philox.Fill(u, n, s.seed, place, t)
}

// number returns the number of the row that row r of the batch is for.
func (s *draws) number(r int) int {
	if s.numbers != nil {
		return s.numbers[s.row+r]
	}
	return s.row + r
}

// word returns where those units are stored.
func (s *draws) word(r, t int) *uint64 { return &s.dst.row(s.row + r)[t] }

// growLines returns n lines, in the memory of s if that is enough.
func growLines(s []product.Line, n int) []product.Line {
	if cap(s) < n {
		return product.Lines(n)
	}
	return s[:n]
}
