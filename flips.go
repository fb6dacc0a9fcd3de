package rbm

import (
	"math"
	"slices"

	"github.com/gorbm/rbm/internal/flip"
	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// flipAll flips each unit of the n rows of v, and finishes each row.
func (s *pseudo) flipAll(m *RBM, v mat.Matrix, n int) {
	var p model
	p.load(m, flipWork*n)
	defer p.done()
	s.p = &p
	most := max(1, min(partRows, partUnits/p.hidden.units))
	s.flips.load(&p, n > most || len(p.visible.groups) > 0)
	in := batch{team: &p.team}
	var pass pass
	for r0 := 0; r0 < n; r0 += pseudoRows {
		in.read("v", v, r0, min(n, r0+pseudoRows))
		p.visible.oneHot.check("v", &in, r0, nil, p.team.Until)
		s.reset(&in, r0)
		pass.run(&p.team, &p.hidden, &in, s)
		if s.flips.e == nil {
			s.runFew()
			break
		}
		workers := s.workers(in.rows, min(most, n))
		s.rows = min(most, (in.rows+workers-1)/workers)
		parts := (in.rows + s.rows - 1) / s.rows
		p.team.Run(workers, parts, s)
	}
}

const (
	flipWork = 8 // to flip the units of a row takes as long as so many passes

	pseudoRows = product.ShareRows // that are worked off at a time

	// partRows is how many rows of a part go through the exponentials of W, which
	// do not stay near the processor, at a time. If there are no more, the
	// exponentials of a panel are used as soon as they are computed, and not kept.
	partRows = 32

	// partUnits is how many rows times hidden units there are at most, if there is
	// more than a row, as nothing ends a part where it flips eight units.
	partUnits = 1 << 21
)

// flips holds what it takes to flip each visible unit, panel by panel, and is the
// job that computes it.
type flips struct {
	w     *product.Panels
	ones  []product.Line // or the weights of a Prepared: of each unit a row, in whole panels
	nh    int
	e     [][]product.Line // of each panel nh × 2: eᵂ and e⁻ᵂ, if they are kept
	chunk []int            // of flip.Mul, or 0 if the weights are too large for it
	pair  []int            // of flip.Mul where the weights of two units of a group are added
}

func (f *flips) load(p *model, keep bool) {
	f.w, f.nh = &p.visible.w, p.hidden.units
	panels := f.w.Count()
	f.chunk, f.pair = make([]int, panels), make([]int, panels)
	if keep {
		f.e = make([][]product.Line, panels)
		p.team.Run(p.team.Workers(panels, p.visible.units*f.nh*2), panels, f)
	}
}

func (f *flips) Do(_, q int) {
	f.e[q] = product.Lines(f.nh * 2)
	f.fill(f.e[q], q)
}

// fill sets e to the exponentials of the weights of panel q.
func (f *flips) fill(e []product.Line, q int) {
	w := f.w.Panel(q)
	flip.Table(e, w.Data, w.Stride)
	f.measure(q, w)
}

// measure sets what is known of the size of the weights w of panel q.
func (f *flips) measure(q int, w product.Panel) {
	most := largest(w)
	f.chunk[q], f.pair[q] = flip.Chunk(most), flip.Chunk(2*most)
}

// column returns the weights to visible unit i: that of hidden unit j is w[j·stride].
func (f *flips) column(i int) (w []float64, stride int) {
	if f.ones != nil {
		return rowOf(f.ones, i, f.nh), 1
	}
	panel := f.w.Panel(i / product.Lanes)
	return panel.Data[i%product.Lanes:], panel.Stride
}

// largest returns the largest magnitude of a panel, or NaN if there is one.
func largest(w product.Panel) float64 {
	bits := func(x float64) uint64 { return math.Float64bits(x) << 1 } // of magnitudes, in their order
	var a, b, c, d uint64
	for j := range w.Rows {
		x := w.Line(j)
		a, b = max(a, bits(x[0]), bits(x[4])), max(b, bits(x[1]), bits(x[5]))
		c, d = max(c, bits(x[2]), bits(x[6])), max(d, bits(x[3]), bits(x[7]))
	}
	return math.Float64frombits(max(a, b, c, d) >> 1)
}

// pseudo is the sink that keeps the inputs of the hidden units, and then the job
// that sets dst to the pseudo-log-likelihoods of some rows a part, or units to the
// probabilities of their units.
type pseudo struct {
	p       *model
	flips   flips
	in      *batch
	dst     []float64
	units   *mat.Dense     // nil: dst is wanted
	first   int            // row of dst or units, for row 0 of the batch
	rows    int            // of a part
	panels  int            // of hidden units
	x       []product.Line // rows×panels
	scratch []pseudoScratch
}

// pseudoScratch is what a worker needs for the rows of a part.
type pseudoScratch struct {
	p, q     []float64 // p(1|v) and p(0|v) of the hidden units, filled up to whole panels
	on       []uint8   // the bits of a panel of visible units
	products []flip.Product
	z        [][]product.Line // of each row panels of visible units: log p(v with vᵢ flipped) - log p(v)

	x      []product.Line // inputs of the hidden units for one row
	hidden [2][]logistic.Sum
	sum    []logistic.Sum // over visible units

	e     []product.Line // the exponentials of a panel, if none are kept
	w     []product.Line // its weights, and its number from 1: see exponentials
	panel int

	moved []float64 // of p, for a row without its unit of a group
	logs  []float64 // of a group
	probs []float64 // of the visible units of a row
}

func newPseudoScratch(p *model, rows int) pseudoScratch {
	panels := p.hidden.panels()
	z := make([][]product.Line, rows)
	for r := range z {
		p.team.Until.Look()
		z[r] = make([]product.Line, p.visible.panels())
	}
	return pseudoScratch{
		p:        make([]float64, rows*panels*product.Lanes),
		q:        make([]float64, rows*panels*product.Lanes),
		on:       make([]uint8, rows),
		products: make([]flip.Product, rows),
		z:        z,
		x:        make([]product.Line, panels),
		hidden:   [2][]logistic.Sum{make([]logistic.Sum, p.hidden.words()), make([]logistic.Sum, p.hidden.words())},
		sum:      make([]logistic.Sum, p.visible.words()),
	}
}

// reset makes s ready for a batch, whose row 0 is the given row of all.
func (s *pseudo) reset(in *batch, first int) {
	s.in, s.first = in, first
	s.panels = s.p.hidden.panels()
	s.x = growLines(s.x, in.rows*s.panels)
}

func (s *pseudo) take(t, r0, n int, x tile) {
	for r := range n {
		for q := range len(x) / n {
			s.x[(r0+r)*s.panels+t*panelsOfWord+q] = x[q*n+r]
		}
	}
}

// workers returns how many workers the parts deserve, with the memory that each takes.
func (s *pseudo) workers(parts, rows int) int {
	workers := s.p.team.Workers(parts, rowsWork(flipWork*s.in.rows, s.p.visible.units, s.flips.nh))
	for len(s.scratch) < workers {
		s.scratch = append(s.scratch, newPseudoScratch(s.p, rows))
	}
	return workers
}

// runFew sets dst for the rows of a batch, no more than partRows.
func (s *pseudo) runFew() {
	panels, n := len(s.flips.chunk), s.in.rows
	workers := s.workers(max(panels, n), n)
	s.probs(&s.scratch[0], 0, n)
	s.p.team.Run(min(workers, panels), panels, (*flipping)(s))
	s.p.team.Run(min(workers, n), n, (*finishing)(s))
}

// flipping is the job that sets z in the first scratch for all rows, a panel a part.
type flipping pseudo

func (s *flipping) Do(worker, q int) {
	t := &s.scratch[worker]
	if t.e == nil {
		t.e = product.Lines(s.flips.nh * 2)
	}
	s.flips.fill(t.e, q)
	(*pseudo)(s).flip(&s.scratch[0], t, t.e, q, 0, s.in.rows)
}

// finishing is the job that then finishes the rows, a row a part.
type finishing pseudo

func (s *finishing) Do(worker, r int) {
	(*pseudo)(s).finish(&s.scratch[worker], s.scratch[0].z[r], r, r)
}

func (s *pseudo) Do(worker, part int) {
	r0 := part * s.rows
	n := min(s.rows, s.in.rows-r0)
	c := &s.scratch[worker]
	s.probs(c, r0, n)
	panels := len(s.flips.chunk)
	for q := range panels {
		s.p.team.Until.Look()
		s.flip(c, c, s.flips.e[q], q, r0, n)
	}
	for r := range n {
		s.finish(c, c.z[r], r0+r, r)
	}
}

// finish sets what is wanted of row r, whose z is given, and which is row k of the scratch.
func (s *pseudo) finish(c *pseudoScratch, z tile, r, k int) {
	if s.units != nil {
		s.unitRow(s.units.RawRowView(s.first+r), c, z, r, k)
		return
	}
	s.dst[s.first+r] = s.p.orNaN(s.row(c, z, r, k))
}

// probs sets p and q for n rows from r0 on.
func (s *pseudo) probs(c *pseudoScratch, r0, n int) {
	stride := s.panels * product.Lanes
	for r := range n {
		x := s.inputs(r0 + r)
		x.row(0, 1).Probs(c.p[r*stride:], 1)
		for i, line := range x {
			for l, x := range line {
				c.x[i][l] = -x
			}
		}
		tile(c.x).row(0, 1).Probs(c.q[r*stride:], 1)
	}
}

// inputs returns the inputs of the hidden units for row r.
func (s *pseudo) inputs(r int) tile { return s.x[r*s.panels:][:s.panels] }

// flip sets z of c for the units of panel q, whose exponentials are given, for n rows
// from r0 on, with the rest of the scratch t. That of units whose weights are too large
// has no meaning.
func (s *pseudo) flip(c, t *pseudoScratch, e []product.Line, q, r0, n int) {
	for r := range n {
		t.on[r] = s.on(r0+r, q)
	}
	flip.Mul(t.products[:n], e, c.p, c.q, s.panels*product.Lanes, t.on, s.flips.chunk[q])
	bias := (*product.Line)(s.p.visible.bias[q*product.Lanes:])
	for r := range n {
		z := &c.z[r][q]
		for l := range z {
			z[l] = t.products[r].Log(l)
			if t.on[r]>>l&1 != 0 {
				z[l] -= bias[l]
			} else {
				z[l] += bias[l]
			}
		}
	}
}

// on returns the bits of the units of panel q in row r.
func (s *pseudo) on(r, q int) (bits uint8) {
	if !s.in.real {
		return uint8(s.in.bits.row(r)[q/panelsOfWord] >> (q % panelsOfWord * product.Lanes))
	}
	i := q * product.Lanes
	for l := range min(product.Lanes, s.in.cols-i) {
		if s.in.at(r, i+l) == 1 {
			bits |= 1 << l
		}
	}
	return bits
}

// row returns the pseudo-log-likelihood of row r, whose z is given, and which is row k of
// the scratch.
func (s *pseudo) row(c *pseudoScratch, z tile, r, k int) (pll float64) {
	groups := s.p.visible.groups
	for i := 0; i < s.in.cols; i++ {
		if len(groups) > 0 && groups[0].from == i {
			pll += s.group(c, groups[0], r, k)
			for ; i < groups[0].to; i++ {
				z[i/product.Lanes][i%product.Lanes] = math.Inf(-1) // whose softplus is 0
			}
			i--
			groups = groups[1:]
			continue
		}
		v := s.in.at(r, i)
		if s.flips.chunk[i/product.Lanes] > 0 && (v == 0 || v == 1) {
			continue
		}
		s.p.team.Until.Look()
		// -v·softplus(-a) - (1-v)·softplus(a), of which one is softplus(-|a|) + |a|
		a := s.logOdds(c, r, i, v)
		z[i/product.Lanes][i%product.Lanes] = -math.Abs(a)
		if a < 0 {
			v = 1 - v
		}
		if v != 1 {
			pll -= float64((1 - v) * math.Abs(a))
		}
	}
	z.softplus(c.sum)
	return pll - total(c.sum)
}

// group returns log p(group|rest) for row r. With the unit k that is on, it is minus the
// log of the sum over the units i of the group of
//
//	p(v with i on in place of k) / p(v) = exp(bᵢ - bₖ + logsᵢ)
func (s *pseudo) group(c *pseudoScratch, g group, r, row int) float64 {
	k := s.move(c, g, r, row)
	bias := s.p.visible.bias
	for i := g.from; i < g.to; i++ {
		c.logs[i-g.from] += difference(bias[i], bias[k])
	}
	return -logistic.LogSumExp(c.logs)
}

// move sets logs of c, for row r and each unit i of the group, to how much log p(v) changes
// if i is on in place of the unit k that is, apart from their biases:
//
//	logsᵢ = log Πⱼ (q + p·e⁻ʷᵏ·eʷⁱ)
//
// the product being over the hidden units j, with q = p(0|v), p = p(1|v) and the weights
// w of k and i. It returns k.
func (s *pseudo) move(c *pseudoScratch, g group, r, row int) (k int) {
	s.p.team.Until.Look()
	k = g.unitOn(s.in.bits.row(r))
	first, end := g.from/product.Lanes, (g.to-1)/product.Lanes+1 // panels
	c.logs = grow(c.logs, g.to-g.from)
	if chunk := slices.Min(s.flips.pair[first:end]); chunk > 0 {
		stride := s.panels * product.Lanes
		c.moved = grow(c.moved, stride)
		e, l := s.exponentials(c, k/product.Lanes), k%product.Lanes
		for j, p := range c.p[row*stride:][:s.flips.nh] {
			c.moved[j] = p * e[2*j+1][l]
		}
		c.on[0] = 0
		for q := first; q < end; q++ {
			flip.Mul(c.products[:1], s.exponentials(c, q), c.moved, c.q[row*stride:], stride, c.on, chunk)
			for i := max(g.from, q*product.Lanes); i < min(g.to, (q+1)*product.Lanes); i++ {
				c.logs[i-g.from] = c.products[0].Log(i % product.Lanes)
			}
		}
	} else {
		for i := g.from; i < g.to; i++ {
			c.logs[i-g.from] = s.moveOn(c, r, k, i)
		}
	}
	c.logs[k-g.from] = 0
	return k
}

// exponentials returns those of panel q. If they are not kept, they are in c until the next
// call.
func (s *pseudo) exponentials(c *pseudoScratch, q int) []product.Line {
	if s.flips.e != nil {
		return s.flips.e[q]
	}
	if c.panel != q+1 {
		c.panel = q + 1
		w := panelOf(c.w, s.flips.ones, q)
		flip.Table(c.e, w.Data, w.Stride)
	}
	return c.e
}

// moveOn returns by how much the sum of softplus over the hidden units grows for row r
// if visible unit i is on in place of k, for weights of any size.
func (s *pseudo) moveOn(c *pseudoScratch, r, k, i int) float64 {
	from, to := c.hidden[0], c.hidden[1]
	s.inputs(r).softplus(from)
	copy(c.x, s.inputs(r))
	x := product.Floats(c.x)
	on, stride := s.flips.column(i)
	off, offStride := s.flips.column(k)
	for j := range s.flips.nh {
		x[j] += on[j*stride] - off[j*offStride]
	}
	tile(c.x).softplus(to)
	return total(to) - total(from)
}

// logOdds returns log p(1|v₋ᵢ) - log p(0|v₋ᵢ) for any value v of visible unit i,
// and for weights of any size.
func (s *pseudo) logOdds(c *pseudoScratch, r, i int, v float64) float64 {
	on, off := c.hidden[0], c.hidden[1]
	s.moved(c, r, i, 1-v).softplus(on)
	s.moved(c, r, i, -v).softplus(off)
	return s.p.visible.bias[i] + total(on) - total(off)
}

// moved returns the inputs of the hidden units for row r with visible unit i
// changed by d.
func (s *pseudo) moved(c *pseudoScratch, r, i int, d float64) tile {
	base := s.inputs(r)
	if d == 0 {
		return base
	}
	copy(c.x, base)
	x := product.Floats(c.x)
	w, stride := s.flips.column(i)
	for j := range s.flips.nh {
		x[j] += float64(d * w[j*stride])
	}
	return c.x
}

// softplus sets dst to the sums of softplus, word by word.
func (x tile) softplus(dst []logistic.Sum) {
	for t := range dst {
		dst[t] = x[t*panelsOfWord:min(len(x), (t+1)*panelsOfWord)].row(0, 1).Softplus()
	}
}

// unitRow sets dst to the probabilities of the units of row r, whose z is given, and which
// is row k of the scratch.
func (s *pseudo) unitRow(dst []float64, c *pseudoScratch, z tile, r, k int) {
	if product.HasNaN(product.Floats(s.inputs(r))) {
		for i := range dst {
			dst[i] = math.NaN()
		}
		return
	}
	groups := s.p.visible.groups
	for i := 0; i < len(dst); i++ {
		if len(groups) > 0 && groups[0].from == i {
			i = groups[0].to - 1
			groups = groups[1:]
			continue
		}
		v, x := s.in.at(r, i), &z[i/product.Lanes][i%product.Lanes]
		switch {
		case s.flips.chunk[i/product.Lanes] == 0 || v != 0 && v != 1:
			s.p.team.Until.Look()
			*x = s.logOdds(c, r, i, v)
		case v == 1:
			*x = -*x
		}
	}
	c.probs = grow(c.probs, len(z)*product.Lanes)
	z.row(0, 1).Probs(c.probs, 1)
	copy(dst, c.probs)
	for _, g := range s.p.visible.groups {
		s.move(c, g, r, k)
		for i := g.from; i < g.to; i++ {
			c.logs[i-g.from] += s.p.visible.bias[i]
		}
		softmax(c.logs, 1)
		copy(dst[g.from:], c.logs)
	}
}

// rowOf returns the weights of visible unit i to nh hidden units.
func rowOf(w []product.Line, i, nh int) []float64 {
	panels := (nh + product.Lanes - 1) / product.Lanes
	return product.Floats(w[i*panels:][:panels])[:nh]
}

// panelOf copies panel q of visible units to lines, one for each hidden unit.
func panelOf(lines, w []product.Line, q int) product.Panel {
	nh := len(lines)
	stride := (nh + product.Lanes - 1) / product.Lanes * product.Lanes
	data := product.Floats(lines)
	product.TransposeRows(data, product.Lanes, product.Floats(w)[q*product.Lanes*stride:], stride, nh)
	return product.Panel{Data: data, Stride: product.Lanes, Rows: nh}
}
