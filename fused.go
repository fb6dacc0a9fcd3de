package rbm

import (
	"math"

	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/floats"
)

// fused is the job that moves the weights of a model without storing their gradient. A part
// moves the weights of the hidden units of some panels while their statistics are near the
// processor. All has the bits of the gradient, of [Centering.Center] and of [SGD.Step].
type fused struct {
	g         *Gradient // has the statistics, and takes B and C
	m         *RBM
	sgd       *SGD
	centering *Centering // nil: the ordinary gradient
	rate      float64
	factor    float64 // of the gradient

	edges [2][]product.Line // the panels of the first part and of the last
	rows  [][]float64       // of each worker: rows of the gradient of W, as many as a panel has
	rateH float64           // of the offsets of the hidden units
	keeps bool              // prepare for the model to be read again
}

// longestFused is about how many nanoseconds of a processor a fused step may take if a context
// may end the call: once the weights begin to move, nothing ends it. Tests change it.
var longestFused = 1 << 27

// step takes the step after w.sums, with the gradient centered by c, unless that is nil, and
// multiplied by factor. It reports whether it has: not if there is more to the gradient than
// its statistics, if it is NaN, or if that takes long.
//
// If keep is true, nobody may change the model before it is read by the work on a gradient.
func (f *fused) step(w *work, o *SGD, c *Centering, rate, factor float64, keep bool) bool {
	g, m := w.g, w.m
	s, team := &g.stats, &g.model.team
	if w.isAnalytic() || g.model.nan || m.until() != nil && s.flushWork() > longestFused {
		return false
	}
	f.g, f.m, f.sgd, f.centering, f.rate, f.factor = g, m, o, c, rate, factor
	defer func() { f.g, f.m, f.sgd, f.centering, s.dst = nil, nil, nil, nil, nil }()
	nv, nh := m.Dims()
	s.dst = g // no other flush
	workers := s.prepare(team)
	f.grow(workers, nv)
	f.findEdges(workers)
	if c != nil {
		defer c.take().Release()
		c.check(nv, nh)
		m.call.keeps(c)
		g.findMeans()
		c.note()
		c.V = c.move(c.V, g.means.v, g.B, nil)
		c.H, f.rateH = c.start(c.H, nh) // the job moves them
		c.state.job.begin(g, c.V, c.H)
	}
	if math.IsNaN(f.first()) {
		if c != nil {
			c.back()
		}
		return false
	}
	defer o.take(rate).Release()
	team.Until, s.lists.Until = nil, nil // from here on, all is done or nothing
	o.ready(nv, nh, g.Frozen)
	if f.keeps = keep; keep {
		g.model.keep(s.parts())
	}
	team.Run(workers, s.parts(), f)
	if keep {
		g.model.kept = m
	}
	if c != nil {
		c.state.job.finish()
	}
	if factor != 1 {
		g.B.ScaleVec(factor, g.B)
	}
	o.visible(m, g, rate)
	return true
}

// grow makes the memory of the job.
func (f *fused) grow(workers, nv int) {
	for k := range f.edges {
		f.edges[k] = growLines(f.edges[k], flushPanels*(nv+1))
	}
	for len(f.rows) < workers {
		f.rows = append(f.rows, nil)
	}
	for i := range f.rows[:workers] {
		f.rows[i] = grow(f.rows[i], product.Lanes*nv)
	}
}

// findEdges finds the sums of the first part and of the last, and sets B, which is in the last.
func (f *fused) findEdges(workers int) {
	g, s := f.g, &f.g.stats
	edges := min(len(f.edges), s.parts())
	g.model.team.Run(min(workers, edges), edges, (*edging)(f))
	panel := f.edges[edges-1][(s.panels()-1)%flushPanels*(s.nv+1):]
	for i := range s.nv {
		g.B.SetVec(i, panel[i][s.nh%product.Lanes])
	}
}

// edging is the job of findEdges.
type edging fused

func (f *edging) Do(worker, k int) {
	s := &f.g.stats
	s.copySums(f.edges[k], worker, k*(s.parts()-1))
}

// sums returns the panels of a part.
func (f *fused) sums(worker, part int) []product.Line {
	s := &f.g.stats
	switch part {
	case 0:
		return f.edges[0]
	case s.parts() - 1:
		return f.edges[1]
	}
	return s.sums(worker, part)
}

// first returns the first element of C of the gradient, by which a Trainer sees that it is NaN.
func (f *fused) first() float64 {
	nv := f.g.stats.nv
	panel := f.sums(0, 0)[:nv+1]
	x := panel[nv][0]
	if c := f.centering; c != nil && !math.IsNaN(x) { // a frozen bias has a centered gradient of 0
		product.Unpack(panel[:nv], 0, 1, nv, f.rows[0])
		h := c.H[0]
		f.moveOffset(0, x)
		x = c.state.job.row(0, f.rows[0][:nv], x)
		c.H[0] = h
	}
	return x
}

// Do moves the weights of the hidden units of a part.
func (f *fused) Do(worker, part int) {
	s, nh := &f.g.stats, f.g.stats.nh
	n := s.nv + 1 // lines of a panel
	sums, rows := f.sums(worker, part), f.rows[worker]
	first, panels := s.panelsOf(part)
	if c := f.centering; c != nil && part < c.state.job.blocks() {
		clear(c.state.job.block(part))
	}
	for k := range panels {
		panel, j := sums[k*n:][:n], (first+k)*product.Lanes
		units := min(product.Lanes, nh-j)
		product.Unpack(panel[:s.nv], 0, units, s.nv, rows)
		for l := range units {
			f.move(j+l, rows[l*s.nv:][:s.nv], panel[s.nv][l])
		}
	}
	if f.keeps {
		f.g.model.keepRows(part, f.m)
	}
}

// move moves the weights of hidden unit j along w, the row of the ordinary gradient, and its
// bias along x.
func (f *fused) move(j int, w []float64, x float64) {
	if c := f.centering; c != nil {
		f.moveOffset(j, x)
		x = c.state.job.row(j, w, x)
	}
	if f.factor != 1 {
		floats.Scale(f.factor, w)
		x = float64(f.factor * x)
	}
	f.sgd.row(f.m, j, w, f.rate, f.g.Frozen)
	f.sgd.bias(f.m.C, f.sgd.state.velocity.C, j, x, f.rate, f.g.Frozen.c(j))
}

// moveOffset moves the offset of hidden unit j, whose bias has the gradient x.
func (f *fused) moveOffset(j int, x float64) {
	c := f.centering
	c.H[j] = c.toward(c.H[j], f.g.means.h[j], x, f.rateH)
}
