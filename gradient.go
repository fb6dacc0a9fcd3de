package rbm

import (
	"fmt"
	"math"

	"github.com/gorbm/rbm/internal/logistic"
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"gonum.org/v1/gonum/mat"
)

// Gradient is a derivative with respect to the parameters of an RBM, part by
// part, and the memory needed to compute it. The zero value is ready to use;
// used again for models and batches of the same size, it allocates nothing.
type Gradient struct {
	W *mat.Dense    // nh×nv
	B *mat.VecDense // nv
	C *mat.VecDense // nh

	model model
	stats statistics
}

// Gradient sets dst to the gradient of the mean log-likelihood of the rows of v
// (n×nv), the direction in which to move the parameters:
//
//	∂⟨log p⟩/∂W = ⟨ĥvᵀ⟩data - ⟨ĥvᵀ⟩model    ∂/∂b = ⟨v⟩data - ⟨v⟩model    ∂/∂c = ⟨ĥ⟩data - ⟨ĥ⟩model
//
// with ĥ = p(h=1|v). The first mean is over the rows of v, the second over what
// s samples, by its weights; each is normalised by its own total. With [Exact]
// the gradient is exact; with [CD] and [PCD] it is an estimate.
//
// It panics if the sizes do not fit, or if weights of s are negative, not finite
// or all zero. If a parameter is NaN, so is all of the gradient.
func (m *RBM) Gradient(dst *Gradient, v mat.Matrix, s Sampler) {
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	if s == nil {
		panic("rbm: sampler is nil")
	}
	dst.reset(m)
	p, stats := &dst.model, &dst.stats

	// The samplers of this package start from the loaded model, and CD from
	// the positive phase's inputs of the hidden units.
	var weights []float64
	var sample mat.Matrix
	switch s := s.(type) {
	case *CD:
		s.check()
		stats.add(p, "v", v, nil, 1/float64(n), s.Chains)
		sample, weights = s.finish(p)
	case *PCD:
		s.start(m)
		stats.add(p, "v", v, nil, 1/float64(n), nil)
		sample, weights = s.finish(p)
	case *Exact:
		s.start(m)
		stats.add(p, "v", v, nil, 1/float64(n), nil)
		sample, weights = s.finish(p)
	default:
		stats.add(p, "v", v, nil, 1/float64(n), nil)
		sample, weights = s.Sample(m, v)
	}
	n = checkBatch("sample", sample, nv)
	total := float64(n)
	if weights != nil {
		least := 0.0
		if p.nan {
			least = math.NaN() // and so may the weights be
		}
		checkWeights(weights, n, least)
		total = product.Sum(weights)
		if total == 0 || total > math.MaxFloat64 {
			panic(fmt.Sprintf("rbm: weights of the sample have sum %v, want a positive finite number", total))
		}
	}
	stats.add(p, "sample", sample, weights, -1/total, nil)
	dst.store()
}

// FreeEnergyGradient sets dst to the gradient of Σᵣ wᵣF(vᵣ), a weighted sum of
// the free energies of the rows of v (n×nv):
//
//	∂/∂W = -Σᵣ wᵣĥᵣvᵣᵀ    ∂/∂b = -Σᵣ wᵣvᵣ    ∂/∂c = -Σᵣ wᵣĥᵣ
//
// Nil weights are 1/n each; others are n finite numbers of either sign. It
// panics if the sizes do not fit or a weight is not finite. If a parameter is
// NaN, so is all of the gradient.
func (m *RBM) FreeEnergyGradient(dst *Gradient, v mat.Matrix, weights []float64) {
	nv, _ := m.Dims()
	n := checkBatch("v", v, nv)
	scale := -1.0
	if weights == nil {
		scale = -1 / float64(n)
	} else {
		checkWeights(weights, n, -math.MaxFloat64)
	}
	dst.reset(m)
	dst.stats.add(&dst.model, "v", v, weights, scale, nil)
	dst.store()
}

// checkWeights panics unless there are n weights, finite and not below least; if
// that is NaN, their values are not checked.
func checkWeights(weights []float64, n int, least float64) {
	if len(weights) != n {
		panic(fmt.Sprintf("rbm: weights have length %d, want %d", len(weights), n))
	}
	for i, w := range weights {
		if least == least && !(least <= w && w <= math.MaxFloat64) {
			panic(fmt.Sprintf("rbm: weights[%d] is %v, want a finite number of at least %v", i, w, least))
		}
	}
}

// reset makes g ready to add statistics of m.
func (g *Gradient) reset(m *RBM) {
	nv, nh := m.Dims()
	if g == nil {
		panic("rbm: gradient is nil")
	}
	if g.W == nil {
		g.W = new(mat.Dense)
	}
	if g.B == nil {
		g.B = new(mat.VecDense)
	}
	if g.C == nil {
		g.C = new(mat.VecDense)
	}
	if g.W.IsEmpty() {
		g.W.ReuseAs(nh, nv)
	}
	if g.B.IsEmpty() {
		g.B.ReuseAsVec(nv)
	}
	if g.C.IsEmpty() {
		g.C.ReuseAsVec(nh)
	}
	g.check("gradient", nv, nh)
	g.model.load(m)
	g.stats.reset(nv, nh)
}

// check panics unless g has the parts of a gradient for nv and nh units.
func (g *Gradient) check(name string, nv, nh int) {
	if g.W == nil || g.B == nil || g.C == nil {
		panic(fmt.Sprintf("rbm: %s is empty, want nv=%d, nh=%d", name, nv, nh))
	}
	if r, c := g.W.Dims(); r != nh || c != nv {
		panic(fmt.Sprintf("rbm: %s has W of %d×%d, want %d×%d", name, r, c, nh, nv))
	}
	if n := g.B.Len(); n != nv {
		panic(fmt.Sprintf("rbm: %s has B of length %d, want %d", name, n, nv))
	}
	if n := g.C.Len(); n != nh {
		panic(fmt.Sprintf("rbm: %s has C of length %d, want %d", name, n, nh))
	}
}

// store sets the parts of g to what has been added.
func (g *Gradient) store() {
	g.stats.flush(g)
	if !g.model.nan {
		return
	}
	for j := range g.C.Len() {
		row := g.W.RawRowView(j)
		for i := range row {
			row[i] = math.NaN()
		}
		g.C.SetVec(j, math.NaN())
	}
	for i := range g.B.Len() {
		g.B.SetVec(i, math.NaN())
	}
}

// statistics accumulates, over rows of any number of batches,
//
//	Σᵣ sᵣ (ĥᵣ, 1)(vᵣ, 1)ᵀ
//
// whose parts are ⟨ĥvᵀ⟩, ⟨v⟩ and ⟨ĥ⟩ for a scale s that sums to one. Rows of bits
// wait until there are enough of them to be worth a product.
type statistics struct {
	nv, nh int
	acc    []product.Line // panels of (ĥ, 1) × (nv+1)
	begun  bool           // acc holds something

	p      []product.Line // s·(ĥ, 1) of the waiting rows: words of units × room × tileLines
	room   int            // rows, a multiple of 64
	rows   int            // that wait, a multiple of 64
	bits   []uint64       // (v, 1) of the waiting rows, transposed: (nv+1) × room
	lists  product.Lists
	real   product.Weights // or (v, 1) itself, if it is not bits
	isReal bool

	pass    pass
	in      batch
	base    int // where the rows of the current pass go
	scale   []float64
	chains  *draws
	dst     *Gradient // to store in, if the current product is the last
	scratch [][]product.Line
}

const maxRoom = 1024

func (s *statistics) reset(nv, nh int) {
	s.nv, s.nh, s.begun, s.rows = nv, nh, false, 0
	s.room = maxRoom
	s.p = growLines(s.p, (nh/wordBits+1)*s.room*tileLines)
	s.acc = growLines(s.acc, s.panels()*(nv+1))
	s.bits = grow(s.bits, (nv+1)*s.room/wordBits)
}

// panels returns the number of panels of (ĥ, 1).
func (s *statistics) panels() int { return s.nh/product.Lanes + 1 }

func growLines(s []product.Line, n int) []product.Line {
	if cap(s) < n {
		return product.Lines(n)
	}
	return s[:n]
}

// add adds the rows of v, called name, each scaled by scale and its weight. If
// chains are given, their hidden units are drawn on the way.
func (s *statistics) add(p *model, name string, v mat.Matrix, weights []float64, scale float64, chains *Chains) {
	n, _ := v.Dims()
	for r0 := 0; r0 < n; r0 += blockRows {
		r1 := min(n, r0+blockRows)
		s.in.read(name, v, r0, r1)
		rows := (s.in.rows + wordBits - 1) / wordBits * wordBits
		if s.in.bits == nil || s.rows+rows > s.room {
			s.flush(nil)
		}
		s.base = s.rows
		s.scale = grow(s.scale, s.in.rows)
		for r := range s.scale {
			s.scale[r] = scale
			if weights != nil {
				s.scale[r] = float64(scale * weights[r0+r])
			}
		}
		s.chains = nil
		if chains != nil {
			s.chains = chains.restart(p, n, r0)
		}
		s.pass.run(&p.hidden, &s.in, s)
		s.rows += rows
		if s.in.bits == nil {
			s.isReal = true
			s.real = product.Weights{Rows: s.nv + 1, Cols: s.in.rows, Row: 1, Col: s.nv + 1, Data: s.in.real}
			s.flush(nil)
			continue
		}
		s.transpose()
	}
}

// take is the sink of the positive and the negative phase.
func (s *statistics) take(_, t, width, r0 int, x []product.Line) {
	var u [wordBits]uint32
	for r := range len(x) / tileLines {
		scale := s.scale[r0+r]
		row := s.base + r0 + r
		x := product.Floats(x[r*tileLines:][:tileLines])[:width]
		p := product.Floats(s.p[(t*s.room+row)*tileLines:][:tileLines])[:width]
		if s.chains != nil {
			s.chains.random(&u, t, width, r0+r)
			*s.chains.word(r0+r, t) = logistic.DrawProbs(p, x, scale, &u)
		} else {
			logistic.Probs(p, x, scale)
		}
		if t == (s.nh-1)/wordBits {
			s.p[(s.nh/wordBits*s.room+row)*tileLines+s.nh%wordBits/product.Lanes][s.nh%product.Lanes] = scale
		}
	}
}

// transpose appends the rows of the batch to the waiting bits.
func (s *statistics) transpose() {
	side := s.in.bits.side()
	stride := s.room / wordBits
	for r0 := 0; r0 < s.in.rows; r0 += wordBits {
		w := (s.base + r0) / wordBits
		product.Transpose(s.bits[w:], stride, side, r0)
		s.bits[s.nv*stride+w] = ^uint64(0) >> (wordBits - min(wordBits, s.in.rows-r0))
	}
}

// flush adds the products of the waiting rows to acc, and stores acc in dst
// unless it is nil.
func (s *statistics) flush(dst *Gradient) {
	if s.rows == 0 && dst == nil {
		return
	}
	s.dst = dst
	if !s.isReal {
		s.lists.Build(product.Bits{Rows: s.nv + 1, Cols: s.rows, Stride: s.room / wordBits, Words: s.bits}, s.nv+1)
	}
	work := s.panels() * (s.nv + 1) * (s.rows/8 + 8)
	workers := parallel.Workers(s.panels(), work)
	for len(s.scratch) < workers {
		s.scratch = append(s.scratch, product.Lines(product.TableLines))
	}
	s.pass.team.Run(workers, s.panels(), (*flushing)(s))
	s.rows, s.isReal, s.begun, s.dst = 0, false, true, nil
}

// flushing is the job of flush, one panel of (ĥ, 1) a part.
type flushing statistics

func (s *flushing) Do(worker, q int) {
	acc := s.acc[q*(s.nv+1):][:s.nv+1]
	if !s.begun {
		clear(acc)
	}
	if s.rows > 0 {
		p := product.Panel{
			Data:   product.Floats(s.p[q/tileLines*s.room*tileLines+q%tileLines:]),
			Stride: wordBits,
			Rows:   s.rows,
		}
		if s.isReal {
			s.real.Mul(acc, 1, p, 0, s.nv+1)
		} else {
			s.lists.Mul(acc, 1, p, s.scratch[worker], 0, s.nv+1)
		}
	}
	if s.dst == nil {
		return
	}
	w := s.dst.W.RawMatrix()
	n := min(product.Lanes, s.nh-q*product.Lanes)
	product.Unpack(acc[:s.nv], q, n, w.Stride, w.Data)
	for l := range n {
		s.dst.C.SetVec(q*product.Lanes+l, acc[s.nv][l])
	}
	if n < product.Lanes {
		for i := range s.nv {
			s.dst.B.SetVec(i, acc[i][n])
		}
	}
}
