package rbm

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Energy returns E(v,h) of the rows of v (n×nv) and h (n×nh), in dst (n).
func (m *RBM) Energy(dst []float64, v, h mat.Matrix) []float64 {
	nv, nh := m.Dims()
	n := checkBatch("v", v, nv)
	if nr := checkBatch("h", h, nh); nr != n {
		panic(fmt.Sprintf("rbm: h is %d×%d, want %d×%d as v is %d×%d", nr, nh, n, nh, n, nv))
	}
	dst = checkDst(dst, n)
	p := newWorkspace()
	defer p.done()
	p.loadHidden(m, n)
	in, sum := &p.in, &p.joint
	in.each("v", v, n, func(r0 int) {
		p.visible.oneHot.check("v", in, r0, nil, p.team.Until)
		p.hiddenRows.read("h", h, r0, r0+in.rows)
		sum.reset(&p.hiddenRows, &p.hidden)
		p.pass.run(&p.team, &p.hidden, in, sum)
		p.seen()
		for r := range in.rows {
			dst[r0+r] = p.orNaN(-sum.row(r) - in.dot(r, p.visible.bias))
		}
	})
	p.keep(v)
	return dst
}

// FreeEnergy returns F(v) = -log Σ_h exp(-E(v,h)) for each row of v (n×nv) in dst (n).
// Differences are log-likelihood ratios; log p(v) = -F(v) - log Z.
func (m *RBM) FreeEnergy(dst []float64, v mat.Matrix) []float64 {
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	dst = checkDst(dst, n)
	p := newWorkspace()
	defer p.done()
	p.loadHidden(m, n)
	p.in.each("v", v, n, func(r0 int) {
		p.visible.oneHot.check("v", &p.in, r0, nil, p.team.Until)
		p.marginal.energies(&p.team, dst[r0:], &p.in, &p.visible, &p.hidden)
		p.seen()
		for r := range p.in.rows {
			dst[r0+r] = p.orNaN(dst[r0+r])
		}
	})
	p.keep(v)
	return dst
}

// HiddenProbs returns the features p(hⱼ=1|v) of v (n×nv) in dst (n×nh).
func (m *RBM) HiddenProbs(dst *mat.Dense, v mat.Matrix) *mat.Dense {
	// One call with many rows is better than many calls.
	// To read W takes as long as about twenty rows of a long batch.
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	p := newWorkspace()
	defer p.done()
	p.loadHidden(m, n)
	return p.allProbs(dst, "v", v, n, &p.hidden)
}

// VisibleProbs returns p(vᵢ=1|h) of the rows of h (n×nh) in dst (n×nv).
func (m *RBM) VisibleProbs(dst *mat.Dense, h mat.Matrix) *mat.Dense {
	_, nh := m.Dims()
	n := checkBatch("h", h, nh)
	p := newWorkspace()
	defer p.done()
	p.load(m, n)
	return p.allProbs(dst, "h", h, n, &p.visible)
}

// allProbs sets dst to the probabilities of a layer given the n rows of the other layer,
// called name.
func (w *workspace) allProbs(dst *mat.Dense, name string, a mat.Matrix, n int, to *layer) *mat.Dense {
	dst = checkDense(dst, n, to.units)
	w.in.each(name, a, n, func(r0 int) {
		w.probs.dst, w.probs.row, w.probs.layer = dst, r0, to
		w.pass.run(&w.team, to, &w.in, &w.probs)
		w.probs.soft.finish(&to.oneHot, w.in.rows, &w.probs)
	})
	w.keep(a)
	return dst
}

// orNaN returns x, or NaN if a parameter is NaN.
func (p *model) orNaN(x float64) float64 {
	if p.nan {
		return math.NaN()
	}
	return x
}
