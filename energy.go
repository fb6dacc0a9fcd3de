package rbm

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// Energy returns the energy of each pair of configurations, row r of v (n×nv)
// with row r of h (n×nh), in nats:
//
//	E(v,h) = -hᵀWv - bᵀv - cᵀh
//
// The result is stored in dst, n long. It panics if the sizes do not fit.
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

// FreeEnergy returns the free energy of each row of v (n×nv), in nats:
//
//	F(v) = -log Σ_h exp(-E(v,h)) = -bᵀv - Σⱼ softplus(cⱼ + Wⱼ·v)
//
// The result is stored in dst, n long. Differences of free energies are
// log-likelihood ratios; -F(v) - [RBM.LogPartition] is the log-likelihood of v.
// It panics if the sizes do not fit.
func (m *RBM) FreeEnergy(dst []float64, v mat.Matrix) []float64 {
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	dst = checkDst(dst, n)
	p := newWorkspace()
	defer p.done()
	p.loadHidden(m, n)
	p.in.each("v", v, n, func(r0 int) {
		p.marginal.energies(&p.team, dst[r0:], &p.in, &p.visible, &p.hidden)
		p.seen()
		for r := range p.in.rows {
			dst[r0+r] = p.orNaN(dst[r0+r])
		}
	})
	p.keep(v)
	return dst
}

// A marginal sums one layer out of the joint distribution.
type marginal struct {
	pass pass
	soft softplus

	dst   []float64
	in    *batch
	from  *layer
	until *stop.Signal
}

// energies sets dst to the energies of configurations of one layer with the
// other summed out.
func (f *marginal) energies(team *parallel.Team, dst []float64, in *batch, from, out *layer) {
	f.soft.words = out.words()
	f.soft.sum = grow(f.soft.sum, in.rows*f.soft.words)
	f.pass.run(team, out, in, &f.soft)
	f.dst, f.in, f.from, f.until = dst, in, from, team.Until
	parts := (in.rows + finishRows - 1) / finishRows
	team.Run(team.Workers(parts, in.rows*(20+in.cols/8)), parts, f)
}

// forget ends the references to memory of others.
func (f *marginal) forget() { f.dst, f.in, f.from, f.until = nil, nil, nil, nil }

const finishRows = 128

// Do is the job that adds up what has been found out about some rows.
func (f *marginal) Do(_, part int) {
	for r := part * finishRows; r < min(f.in.rows, (part+1)*finishRows) && !f.until.Given(); r++ {
		f.dst[r] = -f.in.dot(r, f.from.bias) - total(f.soft.sum[r*f.soft.words:][:f.soft.words])
	}
}

// HiddenProbs returns p(hⱼ=1|v) = σ(cⱼ + Wⱼ·v) for each row of v (n×nv): the
// features that the model sees. The result is stored in dst, n×nh. Each call reads
// all of W, which takes as long as some twenty rows of a long batch do: better one
// call with many rows than many calls. It panics if the sizes do not fit.
func (m *RBM) HiddenProbs(dst *mat.Dense, v mat.Matrix) *mat.Dense {
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	p := newWorkspace()
	defer p.done()
	p.loadHidden(m, n)
	return p.allProbs(dst, "v", v, n, &p.hidden)
}

// VisibleProbs returns p(vᵢ=1|h) = σ(bᵢ + (Wᵀh)ᵢ) for each row of h (n×nh). The
// result is stored in dst, n×nv. It panics if the sizes do not fit.
func (m *RBM) VisibleProbs(dst *mat.Dense, h mat.Matrix) *mat.Dense {
	_, nh := m.Dims()
	n := checkBatch("h", h, nh)
	p := newWorkspace()
	defer p.done()
	p.load(m, n)
	return p.allProbs(dst, "h", h, n, &p.visible)
}

// allProbs sets dst to the probabilities of a layer given the n rows of the other
// one, called name.
func (p *workspace) allProbs(dst *mat.Dense, name string, a mat.Matrix, n int, to *layer) *mat.Dense {
	dst = checkDense(dst, n, to.units)
	p.in.each(name, a, n, func(r0 int) {
		p.probs = probs{dst: dst, row: r0}
		p.pass.run(&p.team, to, &p.in, &p.probs)
	})
	p.keep(a)
	return dst
}

// orNaN returns x, or NaN if a parameter is NaN.
func (p *model) orNaN(x float64) float64 {
	if p.nan {
		return math.NaN()
	}
	return x
}
