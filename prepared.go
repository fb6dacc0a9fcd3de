package rbm

import (
	"sync"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// Prepared is a copy of an RBM, by [RBM.Prepare], for one row at a time, or a few: for
// serving. Its results are those of the RBM, bit for bit, and so are its panics: check the
// width of rows from outside, and [RBM.CheckRows]. Many rows at once are faster by the RBM
// itself. It takes the memory of W once more.
//
// A Prepared never changes, and does not follow the RBM: call Prepare again. Any number
// of goroutines may use it. Its methods start none, and with a dst allocate nothing in
// the long run.
type Prepared struct {
	sealed

	model model          // its biases and groups
	w     []product.Line // of each visible unit its weights to all panels of hidden units; whole panels of visible units
	flips flips
	pool  sync.Pool
}

// Prepare returns a copy of m as it is now, for one row at a time.
func (m *RBM) Prepare() *Prepared {
	nv, nh := m.Dims()
	p := new(Prepared)
	visible, hidden := &p.model.visible, &p.model.hidden
	visible.load(m.B)
	visible.oneHot.load(m.OneHot)
	hidden.load(m.C)
	raw := m.W.RawMatrix()
	hidden.scan(raw, 0, nh, m.until())
	p.model.nan = product.HasNaN(visible.bias) || product.HasNaN(hidden.bias)

	panels := hidden.panels()
	p.w = product.Lines(visible.panels() * product.Lanes * panels)
	to := product.Floats(p.w)
	for q := range nh / product.Lanes {
		m.until().Look()
		product.TransposeRows(to[q*product.Lanes:], panels*product.Lanes, raw.Data[q*product.Lanes*raw.Stride:], raw.Stride, nv)
	}
	for j := nh &^ (product.Lanes - 1); j < nh; j++ {
		for i, x := range raw.Data[j*raw.Stride:][:nv] {
			to[i*panels*product.Lanes+j] = x
		}
	}

	f := &p.flips
	f.ones, f.nh = p.w, nh
	f.chunk, f.pair = make([]int, visible.panels()), make([]int, visible.panels())
	lines := product.Lines(nh)
	for q := range f.chunk {
		m.until().Look()
		f.measure(q, panelOf(lines, p.w, q))
	}
	p.pool.New = func() any { return p.newScratch() }
	return p
}

// preparedRows is how many rows UnitProbs takes at a time. They share the exponentials of
// the weights.
const preparedRows = 8

// preparedScratch is the memory of a call.
type preparedScratch struct {
	x, z []product.Line // inputs of the hidden units
	sum  []logistic.Sum
	in   batch

	units pseudo // for UnitProbs, once it has been called
	flips []pseudoScratch
}

func (p *Prepared) newScratch() *preparedScratch {
	panels := p.model.hidden.panels()
	return &preparedScratch{
		x:   product.Lines(panels),
		z:   product.Lines(panels),
		sum: make([]logistic.Sum, p.model.hidden.words()),
	}
}

// Dims returns the numbers of visible and hidden units.
func (p *Prepared) Dims() (nv, nh int) {
	checkNil("Prepared", p)
	if p.w == nil {
		panic("rbm: Prepared is empty, want the result of RBM.Prepare")
	}
	return p.model.visible.units, p.model.hidden.units
}

// begin checks the rows of v, called name, and returns memory for a call that reads them.
// It must be given back to the pool.
func (p *Prepared) begin(name string, v *Bits, groups []group) *preparedScratch {
	s := p.pool.Get().(*preparedScratch)
	s.in.read(name, v, 0, v.rows)
	if len(groups) > 0 {
		(&oneHot{groups: groups}).check(name, &s.in, 0, nil, nil)
	}
	return s
}

// end gives the memory of a call back.
func (p *Prepared) end(s *preparedScratch) {
	s.in.view = Bits{}
	s.units.units = nil
	p.pool.Put(s)
}

// inputs sets x to the inputs of the hidden units for a row.
func (p *Prepared) inputs(x []product.Line, row []uint64) {
	copy(product.Floats(x), p.model.hidden.bias)
	product.AddOnes(x, p.w, row)
}

// FreeEnergy returns F(v) of v (n×nv) in dst (n), as [RBM.FreeEnergy].
func (p *Prepared) FreeEnergy(dst []float64, v *Bits) []float64 {
	nv, _ := p.Dims()
	dst = checkDst(dst, checkBatch("v", v, nv))
	s := p.begin("v", v, p.model.visible.groups)
	for r := range dst {
		row := v.row(r)
		p.inputs(s.x, row)
		tile(s.x).softplus(s.sum)
		dst[r] = p.model.orNaN(-product.SumBits(row, p.model.visible.bias) - total(s.sum))
	}
	p.end(s)
	return dst
}

// HiddenProbs returns p(hⱼ=1|v) of v (n×nv) in dst (n×nh), as [RBM.HiddenProbs].
func (p *Prepared) HiddenProbs(dst *mat.Dense, v *Bits) *mat.Dense {
	nv, nh := p.Dims()
	n := checkBatch("v", v, nv)
	dst = checkDense(dst, n, nh)
	s := p.begin("v", v, nil)
	for r := range n {
		p.inputs(s.x, v.row(r))
		probs := product.Floats(s.z)
		tile(s.x).row(0, 1).Probs(probs, 1)
		copy(dst.RawRowView(r), probs)
	}
	p.end(s)
	return dst
}

// UnitProbs returns p(vᵢ=1 | all other units) of v (n×nv) in dst (n×nv), as [RBM.UnitProbs].
// Up to eight rows at once share most of the work.
func (p *Prepared) UnitProbs(dst *mat.Dense, v *Bits) *mat.Dense {
	// For a row of 784 units and 500 hidden ones it takes about a hundred times as long as
	// FreeEnergy (BenchmarkPrepared), nearly all for the exponentials of W.
	nv, nh := p.Dims()
	n := checkBatch("v", v, nv)
	dst = checkDense(dst, n, nv)
	s := p.begin("v", v, p.model.visible.groups)
	if len(s.flips) == 0 {
		s.units = pseudo{p: &p.model, flips: p.flips, x: product.Lines(preparedRows * len(s.x)), panels: len(s.x)}
		s.flips = append(s.flips, newPseudoScratch(&p.model, preparedRows))
		s.flips[0].e, s.flips[0].w = product.Lines(nh*2), product.Lines(nh)
	}
	u, c := &s.units, &s.flips[0]
	u.in, u.units = &s.in, dst
	for r0 := 0; r0 < n; r0 += preparedRows {
		u.first = r0
		rows := min(preparedRows, n-r0)
		s.in.read("v", v, r0, r0+rows)
		for r := range rows {
			p.inputs(u.inputs(r), v.row(r0+r))
		}
		u.probs(c, 0, rows)
		for q := range p.flips.chunk {
			u.flip(c, c, u.exponentials(c, q), q, 0, rows)
		}
		for r := range rows {
			u.finish(c, c.z[r], r, r)
		}
	}
	p.end(s)
	return dst
}

// LogProbs returns log p(y|x) of x (n×nx) in dst (n×classes), as [Classifier.LogProbs]. The
// last visible units are the classes.
func (p *Prepared) LogProbs(dst *mat.Dense, x *Bits, classes int) *mat.Dense {
	nv, _ := p.Dims()
	checkClasses(classes, nv)
	nx := nv - classes
	n := checkBatch("x", x, nx)
	dst = checkDense(dst, n, classes)
	s := p.begin("x", x, groupsWithin(p.model.visible.groups, nx))
	for r := range n {
		p.inputs(s.x, x.row(r))
		logp := dst.RawRowView(r)
		for y := range logp {
			w := p.w[(nx+y)*len(s.x):]
			for q := range s.z {
				addLines(&s.z[q], &s.x[q], &w[q])
			}
			tile(s.z).softplus(s.sum)
			logp[y] = p.model.visible.bias[nx+y] + total(s.sum)
		}
		normalize(logp, p.model.nan)
	}
	p.end(s)
	return dst
}
