package rbm

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
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
	var p model
	p.load(m)
	var pass pass
	var hidden batch
	var sum joint
	eachBlock("v", v, n, func(in *batch, r0 int) {
		hidden.read("h", h, r0, r0+in.rows)
		sum.reset(&hidden, &p.hidden)
		pass.run(&p.hidden, in, &sum)
		for r := range in.rows {
			dst[r0+r] = p.orNaN(-sum.row(r) - in.dot(r, p.visible.bias))
		}
	})
	return dst
}

// joint is a sink that sums the inputs of the hidden units that are on.
type joint struct {
	h     *batch
	tiles int
	sum   []float64 // rows×tiles
}

func (s *joint) reset(h *batch, to *layer) {
	s.h, s.tiles = h, to.words()
	s.sum = grow(s.sum, h.rows*s.tiles)
}

func (s *joint) take(_, t, width, r0 int, x []product.Line) {
	n := min(wordBits, s.h.cols-t*wordBits)
	for r := range len(x) / tileLines {
		var sum float64
		for j, x := range product.Floats(x[r*tileLines:][:tileLines])[:n] {
			if h := s.h.at(r0+r, t*wordBits+j); h != 0 {
				sum += float64(h * x)
			}
		}
		s.sum[(r0+r)*s.tiles+t] = sum
	}
}

func (s *joint) row(r int) float64 { return product.Sum(s.sum[r*s.tiles:][:s.tiles]) }

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
	var p model
	p.load(m)
	var f marginal
	eachBlock("v", v, n, func(in *batch, r0 int) {
		f.energies(dst[r0:], in, &p.visible, &p.hidden)
		for r := range in.rows {
			dst[r0+r] = p.orNaN(dst[r0+r])
		}
	})
	return dst
}

// A marginal sums one layer out of the joint distribution.
type marginal struct {
	pass pass
	soft softplus
}

// energies sets dst to the energies of configurations of one layer with the
// other summed out.
func (f *marginal) energies(dst []float64, in *batch, from, out *layer) {
	f.soft.tiles = out.words()
	f.soft.sum = grow(f.soft.sum, in.rows*f.soft.tiles)
	f.pass.run(out, in, &f.soft)
	for r := range in.rows {
		dst[r] = -in.dot(r, from.bias) - total(f.soft.sum[r*f.soft.tiles:][:f.soft.tiles])
	}
}

// HiddenProbs returns p(hⱼ=1|v) = σ(cⱼ + Wⱼ·v) for each row of v (n×nv): the
// features that the model sees. The result is stored in dst, n×nh. It panics if
// the sizes do not fit.
func (m *RBM) HiddenProbs(dst *mat.Dense, v mat.Matrix) *mat.Dense {
	var p model
	p.load(m)
	return p.probs(dst, "v", v, &p.visible, &p.hidden)
}

// VisibleProbs returns p(vᵢ=1|h) = σ(bᵢ + (Wᵀh)ᵢ) for each row of h (n×nh). The
// result is stored in dst, n×nv. It panics if the sizes do not fit.
func (m *RBM) VisibleProbs(dst *mat.Dense, h mat.Matrix) *mat.Dense {
	var p model
	p.load(m)
	return p.probs(dst, "h", h, &p.hidden, &p.visible)
}

func (p *model) probs(dst *mat.Dense, name string, a mat.Matrix, from, to *layer) *mat.Dense {
	n := checkBatch(name, a, from.units)
	if dst == nil {
		dst = new(mat.Dense)
	}
	if dst.IsEmpty() {
		dst.ReuseAs(n, to.units)
	}
	if r, c := dst.Dims(); r != n || c != to.units {
		panic(fmt.Sprintf("rbm: dst is %d×%d, want %d×%d", r, c, n, to.units))
	}
	var pass pass
	eachBlock(name, a, n, func(in *batch, r0 int) {
		pass.run(to, in, &probs{dst: dst, row: r0})
	})
	return dst
}

// PseudoLogLikelihood returns the pseudo-log-likelihood (Besag, 1975) of each
// row of v (n×nv), in nats:
//
//	Σᵢ log p(vᵢ|v₋ᵢ) = -Σᵢ softplus(F(v) - F(v with vᵢ flipped))
//
// It is exact, no unit is sampled, and needs no partition function; it takes as
// long as nv free energies of each row. A value between 0 and 1 counts as so
// much of each outcome: v·log p(1|v₋ᵢ) + (1-v)·log p(0|v₋ᵢ). The result is stored
// in dst, n long. It panics if the sizes do not fit.
func (m *RBM) PseudoLogLikelihood(dst []float64, v mat.Matrix) []float64 {
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	dst = checkDst(dst, n)
	var p model
	p.load(m)
	var pass pass
	job := pseudo{p: &p}
	eachBlock("v", v, n, func(in *batch, r0 int) {
		job.in, job.dst = in, dst[r0:]
		job.inputs.reset(in.rows, &p.hidden)
		pass.run(&p.hidden, in, &job.inputs)
		workers := parallel.Workers(in.rows, in.rows*nv*p.hidden.units*10)
		job.x = grow(job.x, workers*p.hidden.words()*wordBits)
		job.sum = grow(job.sum, workers*2*p.hidden.words())
		pass.team.Run(workers, in.rows, &job)
	})
	return dst
}

// inputs is a sink that stores what it takes.
type inputs struct {
	x     []float64 // rows×words×64
	width int
}

func (s *inputs) reset(rows int, to *layer) {
	s.width = to.words() * wordBits
	s.x = grow(s.x, rows*s.width)
}

func (s *inputs) take(_, t, width, r0 int, x []product.Line) {
	for r := range len(x) / tileLines {
		copy(s.x[(r0+r)*s.width+t*wordBits:], product.Floats(x[r*tileLines:][:tileLines])[:width])
	}
}

// pseudo is the job that sets dst[r] to the pseudo-log-likelihood of row r.
type pseudo struct {
	p      *model
	in     *batch
	dst    []float64
	inputs inputs
	x      []float64      // of a worker
	sum    []logistic.Sum // of a worker, on and off
}

func (s *pseudo) Do(worker, r int) {
	words := s.p.hidden.words()
	width := s.inputs.width
	base := s.inputs.x[r*width:][:width]
	x := s.x[worker*width:][:width]
	on, off := s.sum[worker*2*words:][:words], s.sum[(worker*2+1)*words:][:words]
	s.sums(off, base)
	s.sums(on, base)
	var pll float64
	for i := range s.in.cols {
		v := s.in.at(r, i)
		// The inputs with vᵢ at 1 and at 0, one of which base is if v is a bit.
		if v != 1 {
			s.shift(x, base, i, 1-v)
			s.sums(on, x)
		} else {
			s.sums(on, base)
		}
		if v != 0 {
			s.shift(x, base, i, -v)
			s.sums(off, x)
		} else {
			s.sums(off, base)
		}
		a := s.p.visible.bias[i] + total(on) - total(off)
		if v != 0 {
			pll -= float64(v * logistic.Softplus(-a))
		}
		if v != 1 {
			pll -= float64((1 - v) * logistic.Softplus(a))
		}
	}
	s.dst[r] = s.p.orNaN(pll)
}

// shift sets x to base + d·Wᵢ, the weights of visible unit i.
func (s *pseudo) shift(x, base []float64, i int, d float64) {
	copy(x, base)
	for q := range s.p.hidden.w.Count() {
		w := s.p.hidden.w.Panel(q).Line(i)
		for l, w := range w {
			x[q*product.Lanes+l] += float64(d * w)
		}
	}
}

// sums sets dst to the sums of softplus over the words of x.
func (s *pseudo) sums(dst []logistic.Sum, x []float64) {
	for t := range dst {
		n := min(wordBits, s.p.hidden.w.Count()*product.Lanes-t*wordBits)
		dst[t] = logistic.SoftplusSum(x[t*wordBits:][:n])
	}
}

// dot returns the sum of x over the units that are on in row r.
func (b *batch) dot(r int, x []float64) (sum float64) {
	for i := range b.cols {
		if v := b.at(r, i); v != 0 {
			sum += float64(v * x[i])
		}
	}
	return sum
}

// orNaN returns x, or NaN if a parameter is NaN.
func (p *model) orNaN(x float64) float64 {
	if p.nan {
		return math.NaN()
	}
	return x
}

// checkDst returns dst, allocated if it is nil or empty, and panics if it does
// not have length n.
func checkDst(dst []float64, n int) []float64 {
	if len(dst) == 0 {
		return make([]float64, n)
	}
	if len(dst) != n {
		panic(fmt.Sprintf("rbm: dst has length %d, want %d", len(dst), n))
	}
	return dst
}
