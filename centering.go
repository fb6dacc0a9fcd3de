package rbm

import (
	"fmt"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/stop"
	"github.com/gorbm/rbm/internal/update"
	"gonum.org/v1/gonum/mat"
)

// Centering computes the centred gradient (Melchior, Fischer & Wiskott, 2016;
// Montavon & Müller, 2012). With offsets μ of the visible and λ of the hidden
// units it is, of the ordinary gradient ∂,
//
//	W̃ = ∂W - λ·∂bᵀ - ∂c·μᵀ    b̃ = ∂b - W̃ᵀλ    c̃ = ∂c - W̃μ
//
// which is the ordinary one of the same model written in v-μ and h-λ. Offsets
// near the means of the units make learning faster, and independent of which of
// the two states of a unit is called 1. The zero value is ready to use. A Centering
// belongs to one goroutine at a time and must not be copied after its first use.
type Centering struct {
	// Rate is the weight of a batch in the moving average that the offsets are,
	// (1-Rate)·offset + Rate·mean; 0 stands for 0.01. Where there are no offsets yet
	// the first batch counts fully.
	//
	// With 1 they are the means of each batch, which depend on its rows and so bias
	// the gradient: of n rows they take away 1/n of what these tell about W, and of a
	// single row all.
	Rate float64

	// Enhanced takes the means half-way between data and model in place of those
	// of the data: the enhanced gradient (Cho, Raiko & Ilin, 2013).
	Enhanced bool

	V, H []float64 // the offsets μ (nv) and λ (nh), once there are any

	state *centeringState
}

type centeringState struct {
	guard parallel.Guard
	means means
	job   centering
	team  parallel.Team

	kept struct{ v, h []float64 } // see call
}

// Gradient sets dst to the centred gradient, as [RBM.Gradient] does to the
// ordinary one, after it has moved the offsets by the means of this batch. It
// panics for the same reasons, if Rate is not between 0 and 1, or if there are
// offsets of another size.
func (c *Centering) Gradient(dst *Gradient, m *RBM, v mat.Matrix, s Sampler) {
	c.WeightedGradient(dst, m, v, nil, s)
}

// WeightedGradient is Gradient for rows that count differently, as
// [RBM.WeightedGradient] is: the means of the data that move the offsets have the
// same weights. It panics for the same reasons, too.
func (c *Centering) WeightedGradient(dst *Gradient, m *RBM, v mat.Matrix, weights []float64, s Sampler) {
	defer c.take().Release()
	c.check(m.Dims())
	defer dst.take().Release()
	means := &c.state.means
	m.gradient(dst, v, weights, s, means, nil)
	m.call.keeps(c)
	c.center(dst, means, m.until())
}

// note remembers the offsets.
func (c *Centering) note() {
	k := &c.state.kept
	k.v, k.h = append(k.v[:0], c.V...), append(k.h[:0], c.H...)
}

// back goes back to them.
func (c *Centering) back() {
	k := &c.state.kept
	if len(k.v) == 0 { // there were none
		c.V, c.H = nil, nil
		return
	}
	copy(c.V, k.v)
	copy(c.H, k.h)
}

// PhasesGradient is [Centering.WeightedGradient] where its rows and samples are
// given as their [Phases]. It panics as [Phases.Gradient] does, if Rate is not
// between 0 and 1, or if there are offsets of another size.
func (c *Centering) PhasesGradient(dst *Gradient, p *Phases) {
	p.check()
	nv, nh := p.Data.B.Len(), p.Data.C.Len()
	defer c.take().Release()
	c.check(nv, nh)
	means := &c.state.means
	means.reset(nv, nh)
	for i := range means.v {
		means.v[i] = p.Data.B.AtVec(i) / p.DataWeight
	}
	for j := range means.h {
		means.h[j] = p.Data.C.AtVec(j) / p.DataWeight
	}
	p.Gradient(dst)
	c.center(dst, means, nil)
}

// check panics unless c can compute a gradient for nv and nh units.
func (c *Centering) check(nv, nh int) {
	if !(0 <= c.Rate && c.Rate <= 1) {
		panic(fmt.Sprintf("rbm: rate of centering is %v, want one in [0, 1]", c.Rate))
	}
	checkOffsets("V", c.V, nv)
	checkOffsets("H", c.H, nh)
}

// take begins a use.
func (c *Centering) take() *parallel.Guard {
	checkNil("Centering", c)
	if c.state == nil {
		c.state = new(centeringState)
	}
	return c.state.guard.Take("Centering")
}

// center moves the offsets by the means of the data and makes the centred gradient
// of g, the ordinary one.
func (c *Centering) center(g *Gradient, means *means, until *stop.Signal) {
	c.V = c.move(c.V, means.v, g.B)
	c.H = c.move(c.H, means.h, g.C)
	c.state.job.apply(&c.state.team, g, c.V, c.H, until)
}

// Transform makes the centred gradient of an ordinary one, g, with the offsets that
// there are, V and H: for gradients from elsewhere, as that of [Classifier]. It
// panics if V and H do not have the lengths of g.B and g.C.
func (c *Centering) Transform(g *Gradient) {
	checkNil("gradient", g)
	if g.B == nil || g.C == nil {
		panic("rbm: gradient is empty, want one that has been computed")
	}
	nv, nh := g.B.Len(), g.C.Len()
	g.check("gradient", nv, nh)
	defer c.take().Release()
	for _, offsets := range []struct {
		name   string
		got, n int
	}{{"V", len(c.V), nv}, {"H", len(c.H), nh}} {
		if offsets.got != offsets.n {
			panic(fmt.Sprintf("rbm: %s of centering has length %d, want %d", offsets.name, offsets.got, offsets.n))
		}
	}
	c.state.job.apply(&c.state.team, g, c.V, c.H, nil)
}

func checkOffsets(name string, offsets []float64, n int) {
	if len(offsets) != 0 && len(offsets) != n {
		panic(fmt.Sprintf("rbm: %s of centering has length %d, want %d", name, len(offsets), n))
	}
}

// move returns the offsets moved by the means of the data, or half-way to those of
// the model, which are less by the gradient g.
func (c *Centering) move(offset, mean []float64, g *mat.VecDense) []float64 {
	rate := c.Rate
	if len(offset) == 0 {
		offset, rate = make([]float64, len(mean)), 1
	}
	if rate == 0 {
		rate = 0.01
	}
	for i, x := range mean {
		if c.Enhanced {
			x -= g.AtVec(i) / 2
		}
		offset[i] = float64((1-rate)*offset[i]) + float64(rate*x)
	}
	return offset
}

// centering is the job that turns an ordinary gradient into the centred one, some
// columns of W a part.
type centering struct {
	g     *Gradient
	v, h  []float64 // offsets
	b, c  []float64 // the gradient's
	parts int
	down  []float64 // W̃ᵀλ
	dot   []float64 // of each row of W̃ and part: its part of W̃μ
}

const centeringColumns = 64

func (s *centering) apply(team *parallel.Team, g *Gradient, v, h []float64, until *stop.Signal) {
	nv, nh := len(v), len(h)
	s.g, s.v, s.h = g, v, h
	s.b, s.c = grow(s.b, nv), grow(s.c, nh)
	for i := range s.b {
		s.b[i] = g.B.AtVec(i)
	}
	for j := range s.c {
		s.c[j] = g.C.AtVec(j)
	}
	s.parts = (nv + centeringColumns - 1) / centeringColumns
	s.down, s.dot = grow(s.down, nv), grow(s.dot, nh*s.parts)
	work := nv * nh / 3
	team.Until = until
	team.Call(work, s.parts, s)
	for i, x := range s.down {
		g.B.SetVec(i, s.b[i]-x)
	}
	for j, x := range s.c {
		var sum float64
		for _, x := range s.dot[j*s.parts:][:s.parts] {
			sum += x
		}
		g.C.SetVec(j, x-sum)
	}
	s.g, s.v, s.h = nil, nil, nil
}

func (s *centering) Do(_, part int) {
	i0 := part * centeringColumns
	i1 := min(len(s.v), i0+centeringColumns)
	down := s.down[i0:i1]
	clear(down)
	for j, lambda := range s.h {
		w := s.g.W.RawRowView(j)[i0:i1]
		s.dot[j*s.parts+part] = update.Center(w, s.b[i0:i1], s.v[i0:i1], down, lambda, s.c[j])
	}
}

// means are those of the visible units and of ĥ over the rows of a batch.
type means struct {
	v, h []float64
	p    []float64 // h, filled up to whole words
}

// reset makes s zero.
func (s *means) reset(nv, nh int) {
	s.p = grow(s.p, (nh+wordBits-1)/wordBits*wordBits)
	s.v, s.h = grow(s.v, nv), s.p[:nh]
	clear(s.v)
	clear(s.p)
}

// add adds the rows of the current pass of stats, times their scale.
func (s *means) add(stats *statistics) {
	until := stats.until
	for t := range len(s.p) / wordBits {
		until.Look()
		sum := (*[wordBits]float64)(s.p[t*wordBits:])
		for r := range stats.in.rows {
			p := (*[wordBits]float64)(stats.row(t, r))
			for l := range sum {
				sum[l] += p[l]
			}
		}
	}
	for r, scale := range stats.scale {
		until.Look()
		stats.in.addTo(s.v, r, scale)
	}
}
