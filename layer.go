package rbm

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// A layer holds the inputs of its units given the other layer, bias + in·W.
type layer struct {
	units int
	bias  []float64 // filled up to whole words with -Inf: units that are always off
	w     product.Panels
}

// model is an RBM in the form that passes read. A bias is NaN if any parameter
// of its unit is.
type model struct {
	visible, hidden layer
	nan             bool // in any parameter

	src  *RBM
	team parallel.Team
}

// load sets p to m.
func (p *model) load(m *RBM) {
	nv, nh := m.Dims()
	w := m.W.RawMatrix()
	p.visible.load(m.B)
	p.hidden.load(m.C)
	p.visible.w.View(nh, nv, w.Stride, w.Data)
	p.hidden.w.Reset(nv, nh)
	p.src = m
	parts := p.hidden.w.Count()
	p.team.Run(parallel.Workers(parts, nv*nh), parts, (*packing)(p))
	p.src = nil
	p.nan = hasNaN(p.visible.bias) || hasNaN(p.hidden.bias)
	if p.nan {
		for j := range nh {
			for i, x := range w.Data[j*w.Stride:][:nv] {
				if math.IsNaN(x) {
					p.visible.bias[i] = x
				}
			}
		}
	}
}

func (l *layer) load(bias *mat.VecDense) {
	l.units = bias.Len()
	l.bias = grow(l.bias, l.words()*wordBits)
	raw := bias.RawVector()
	for i := range l.bias {
		if i < l.units {
			l.bias[i] = raw.Data[i*raw.Inc]
		} else {
			l.bias[i] = math.Inf(-1)
		}
	}
}

// words returns the number of words that the units fill.
func (l *layer) words() int { return (l.units + wordBits - 1) / wordBits }

func hasNaN(x []float64) bool {
	for _, x := range x {
		if math.IsNaN(x) {
			return true
		}
	}
	return false
}

// packing is the job that lays out the columns of Wᵀ, one panel a part.
type packing model

func (p *packing) Do(_, q int) {
	w := p.src.W.RawMatrix()
	if !p.hidden.w.Pack(q, w.Stride, w.Data) {
		return
	}
	for j := q * product.Lanes; j < min(w.Rows, (q+1)*product.Lanes); j++ {
		if hasNaN(w.Data[j*w.Stride:][:w.Cols]) {
			p.hidden.bias[j] = math.NaN()
		}
	}
}

// A sink takes the inputs of a layer's units: those of units [64t, 64t+width)
// and rows [r0, r0+len(x)/8), 64 to a row. It may be called for different rows
// or tiles at the same time, with different workers.
type sink interface {
	take(worker, t, width, r0 int, x []product.Line)
}

// A pass computes the inputs of one layer from a batch of the other, in tiles of
// 64 units × some rows, and hands them to a sink. The zero value is ready.
type pass struct {
	team    parallel.Team
	lists   product.Lists
	scratch []scratch // of each worker

	in    *batch
	to    *layer
	out   sink
	tiles int
	rows  int // of a part
}

type scratch struct {
	x, tab []product.Line
}

const (
	tileLines = wordBits / product.Lanes
	blockRows = 1024 // a long batch is worked off in blocks of so many rows
	partRows  = 256  // at most so many go through a part at a time
)

// run hands the inputs of layer to, given the batch, to a sink.
func (p *pass) run(to *layer, in *batch, out sink) {
	p.in, p.to, p.out = in, to, out
	p.tiles = to.words()
	// An addition takes a quarter of a nanosecond, a sigmoid and a draw twenty.
	work := in.rows * to.units * (20 + in.cols/16)
	workers := parallel.Workers(in.rows*p.tiles, work)
	// Rows are split as well where there are too few tiles to go round.
	split := (2*workers + p.tiles - 1) / p.tiles
	p.rows = min(partRows, (in.rows+split-1)/split)
	parts := p.tiles * ((in.rows + p.rows - 1) / p.rows)
	if in.bits != nil {
		p.lists.Build(in.bits.side(), p.rows)
	}
	for len(p.scratch) < workers {
		p.scratch = append(p.scratch, scratch{tab: product.Lines(product.TableLines)})
	}
	p.team.Run(workers, parts, (*tiles)(p))
	p.in, p.to, p.out = nil, nil, nil
}

// side returns b as the bit side of a product.
func (b *Bits) side() product.Bits {
	return product.Bits{Rows: b.rows, Cols: b.cols, Stride: b.stride, Words: b.words}
}

// tiles is the job of a pass.
type tiles pass

func (p *tiles) Do(worker, part int) {
	t, r0 := part%p.tiles, part/p.tiles*p.rows
	r1 := min(p.in.rows, r0+p.rows)
	s := &p.scratch[worker]
	if n := (r1 - r0) * tileLines; cap(s.x) < n {
		s.x = product.Lines(n)
	}
	x := s.x[:(r1-r0)*tileLines]
	bias := p.to.bias[t*wordBits:][:wordBits]
	panels := min(tileLines, p.to.w.Count()-t*tileLines)
	for i := range x {
		x[i] = product.Line(bias[i%tileLines*product.Lanes:])
	}
	for q := range panels {
		panel := p.to.w.Panel(t*tileLines + q)
		if p.in.bits != nil {
			p.lists.Mul(x[q:], tileLines, panel, s.tab, r0, r1)
		} else {
			w := p.in.weights()
			w.Mul(x[q:], tileLines, panel, r0, r1)
		}
	}
	p.out.take(worker, t, panels*product.Lanes, r0, x)
}

// weights returns the entries of b as weights.
func (b *batch) weights() product.Weights {
	return product.Weights{Rows: b.rows, Cols: b.cols, Row: b.cols + 1, Col: 1, Data: b.real}
}

// eachBlock reads the n rows of a matrix, called name, block by block.
func eachBlock(name string, a mat.Matrix, n int, f func(in *batch, r0 int)) {
	var in batch
	for r0 := 0; r0 < n; r0 += blockRows {
		in.read(name, a, r0, min(n, r0+blockRows))
		f(&in, r0)
	}
}

// probs is a sink that stores the units' probabilities in the rows of dst from
// row on.
type probs struct {
	dst *mat.Dense
	row int
}

func (s *probs) take(_, t, _, r0 int, x []product.Line) {
	raw := s.dst.RawMatrix()
	n := min(wordBits, raw.Cols-t*wordBits)
	for r := range len(x) / tileLines {
		dst := raw.Data[(s.row+r0+r)*raw.Stride+t*wordBits:][:n]
		logistic.Probs(dst, product.Floats(x[r*tileLines:][:tileLines])[:n], 1)
	}
}

// softplus is a sink that stores, for each row and tile, the sum of softplus
// over the units.
type softplus struct {
	sum   []logistic.Sum // rows×tiles
	tiles int
}

func (s *softplus) take(_, t, width, r0 int, x []product.Line) {
	for r := range len(x) / tileLines {
		s.sum[(r0+r)*s.tiles+t] = logistic.SoftplusSum(product.Floats(x[r*tileLines:][:tileLines])[:width])
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
	dst   *Bits
	row   int // of dst, for row 0 of the batch
	seed  uint64
	place philox.Place // of row 0 of dst
}

func (s *draws) take(_, t, width, r0 int, x []product.Line) {
	var u [wordBits]uint32
	for r := range len(x) / tileLines {
		s.random(&u, t, width, r0+r)
		*s.word(r0+r, t) = logistic.Draw(product.Floats(x[r*tileLines:][:tileLines])[:width], &u)
	}
}

// random sets u to the random numbers of units [64t, 64t+width) for row r of the
// batch.
func (s *draws) random(u *[wordBits]uint32, t, width, r int) {
	place := s.place
	place.Row += uint32(s.row + r)
	philox.Fill(u, width, s.seed, place, t)
}

// word returns where those units are stored.
func (s *draws) word(r, t int) *uint64 { return &s.dst.row(s.row + r)[t] }

// checkBatch returns the number of rows of v, called name, and panics unless it
// has rows of n columns.
func checkBatch(name string, v mat.Matrix, n int) int {
	if v == nil {
		panic(fmt.Sprintf("rbm: %s is nil", name))
	}
	r, c := v.Dims()
	if r < 1 || c != n {
		panic(fmt.Sprintf("rbm: %s is %d×%d, want n×%d", name, r, c, n))
	}
	return r
}
