package rbm

import (
	"fmt"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"github.com/gorbm/rbm/internal/update"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Centering makes learning faster. Call Center before SGD.Step, for the centered gradient
// (Melchior, Fischer & Wiskott, 2016; Montavon & Müller, 2012), the gradient of the model
// written in v-μ and h-λ:
//
//	W̃ = ∂W - λ·∂bᵀ - ∂c·μᵀ    b̃ = ∂b - W̃ᵀλ    c̃ = ∂c - W̃μ
//
// Offsets near the means of the units speed up learning, whichever state of a unit is
// called 1. The zero value is ready to use.
type Centering struct {
	Rate     float64   // weight of a batch in the moving averages V and H; 0: 0.01; 1 biases the gradient
	Enhanced bool      // means halfway between data and model: the enhanced gradient (Cho, Raiko & Ilin, 2013)
	V, H     []float64 // the offsets μ (nv) and λ (nh), once there are any

	state *centeringState
}

type centeringState struct {
	guard parallel.Guard
	job   centering
	team  parallel.Team

	kept struct{ v, h []float64 } // see call
}

// Center moves the offsets toward the means of the data of g, and centers g. Of a
// [Classifier] these are all rows that count, one without a label by p(y|x).
func (c *Centering) Center(g *Gradient) { c.center(g, nil) }

func (c *Centering) center(g *Gradient, m *RBM) {
	nv, nh := g.computed()
	defer c.take().Release()
	defer g.guard.Take("Gradient").Release()
	c.check(nv, nh)
	g.Frozen.check(nv, nh)
	if m != nil {
		m.call.keeps(c)
	}
	if g.hasMeans {
		g.findMeans()
		g.hasMeans = false
		c.V = c.move(c.V, g.means.v, g.B, nil)
		c.H = c.move(c.H, g.means.h, g.C, g.means.penalty)
	} else {
		checkOffsets("V", c.V, nv)
		checkOffsets("H", c.H, nh)
	}
	var until *stop.Signal
	if m != nil {
		until = m.until()
	}
	c.state.job.apply(&c.state.team, g, c.V, c.H, until)
}

// findMeans finds the means of the data of g.
func (g *Gradient) findMeans() {
	if g.stats.dataRows > 0 {
		g.means.addWaiting(&g.stats)
	}
}

// note remembers the offsets.
func (c *Centering) note() {
	k := &c.state.kept
	k.v, k.h = append(k.v[:0], c.V...), append(k.h[:0], c.H...)
}

// back restores them.
func (c *Centering) back() {
	k := &c.state.kept
	c.V, c.H = restoredOffsets(c.V, k.v), restoredOffsets(c.H, k.h)
}

// restoredOffsets returns offsets set to what they were, or nil if there were none.
func restoredOffsets(offsets, kept []float64) []float64 {
	if len(kept) == 0 {
		return nil
	}
	copy(offsets, kept)
	return offsets
}

// check panics unless c can center a gradient of nv and nh units.
func (c *Centering) check(nv, nh int) {
	c.checkRate()
	if len(c.V) > 0 {
		checkOffsets("V", c.V, nv)
	}
	if len(c.H) > 0 {
		checkOffsets("H", c.H, nh)
	}
}

// checkRate panics unless Rate is in [0, 1].
func (c *Centering) checkRate() {
	if !(0 <= c.Rate && c.Rate <= 1) {
		panic(fmt.Sprintf("rbm: rate of centering is %v, want one in [0, 1]", c.Rate))
	}
}

// take begins a use.
func (c *Centering) take() *parallel.Guard {
	checkNil("Centering", c)
	if c.state == nil {
		c.state = new(centeringState)
	}
	return c.state.guard.Take("Centering")
}

func checkOffsets(name string, offsets []float64, n int) {
	if len(offsets) != n {
		panic(fmt.Sprintf("rbm: %s of centering has length %d, want %d", name, len(offsets), n))
	}
}

// move returns the offsets moved toward the means of the data; g is the gradient of the biases,
// of which the penalty, unless nil, is no part of the likelihood's.
func (c *Centering) move(offsets, means []float64, g *mat.VecDense, penalty []float64) []float64 {
	offsets, rate := c.start(offsets, len(means))
	for i, x := range means {
		slope := g.AtVec(i)
		if penalty != nil {
			slope -= penalty[i]
		}
		offsets[i] = c.toward(offsets[i], x, slope, rate)
	}
	return offsets
}

// start returns n offsets, and the rate at which they move: 1 if there have been none.
func (c *Centering) start(offsets []float64, n int) ([]float64, float64) {
	// With a rate of 1 the offsets are the means of each batch, which depend on its rows
	// and so bias the gradient: n rows lose 1/n of what they tell about W, a single row all.
	switch {
	case len(offsets) == 0:
		return make([]float64, n), 1
	case c.Rate == 0:
		return offsets, 0.01
	}
	return offsets, c.Rate
}

// toward returns the offset of a unit moved toward its mean in the data or, if Enhanced,
// toward the point halfway to its mean in the model. The mean in the model is less by g, the
// gradient of the bias.
func (c *Centering) toward(offset, mean, g, rate float64) float64 {
	if c.Enhanced {
		mean -= g / 2
	}
	return float64((1-rate)*offset) + float64(rate*mean)
}

// centering is the job that turns an ordinary gradient into the centered one, a block of
// rows of W a part. The rows of a block are added in order, and so are the blocks.
type centering struct {
	g    *Gradient
	v, h []float64 // offsets
	b    []float64 // the ordinary gradient's
	down []float64 // of each block of rows: its part of W̃ᵀλ
}

// centeringRows are the rows of a block.
const centeringRows = flushPanels * product.Lanes

func (s *centering) apply(team *parallel.Team, g *Gradient, v, h []float64, until *stop.Signal) {
	s.begin(g, v, h)
	team.Until = until
	team.Call(len(v)*len(h)/3, s.blocks(), s)
	s.finish()
}

// begin prepares for the rows of g. Finish must follow.
func (s *centering) begin(g *Gradient, v, h []float64) {
	s.g, s.v, s.h = g, v, h
	s.b = grow(s.b, len(v))
	for i := range s.b {
		s.b[i] = 0
		if !g.Frozen.b(i) {
			s.b[i] = g.B.AtVec(i)
		}
	}
	s.down = grow(s.down, s.blocks()*len(v))
}

// blocks returns the number of blocks of rows.
func (s *centering) blocks() int { return (len(s.h) + centeringRows - 1) / centeringRows }

// block returns W̃ᵀλ of a block of rows.
func (s *centering) block(k int) []float64 { return s.down[k*len(s.v):][:len(s.v)] }

func (s *centering) Do(_, k int) {
	clear(s.block(k))
	for j := k * centeringRows; j < min(len(s.h), (k+1)*centeringRows); j++ {
		s.g.C.SetVec(j, s.row(j, s.g.W.RawRowView(j), s.g.C.AtVec(j)))
	}
}

// row centers w, which is row j of W, adds it to W̃ᵀλ of its block, and returns the centered
// element j of C, which was x.
func (s *centering) row(j int, w []float64, x float64) float64 {
	frozen := s.g.Frozen
	if frozen.c(j) {
		x = 0
	}
	down := s.block(j / centeringRows)
	var dot float64
	if mask := frozen.row(j); mask != nil {
		dot = centerFree(w, s.b, s.v, down, s.h[j], x, mask)
	} else {
		dot = update.Center(w, s.b, s.v, down, s.h[j], x)
	}
	if frozen.c(j) {
		return 0
	}
	return x - dot
}

// centerFree is update.Center where the weights of the ones of mask are constants.
func centerFree(w, b, mu, down []float64, lambda, c float64, mask []uint64) (dot float64) {
	for i := range w {
		if mask[i/wordBits]>>(i%wordBits)&1 == 1 {
			w[i] = 0
			continue
		}
		w[i] -= float64(lambda*b[i]) + float64(c*mu[i])
		dot += float64(w[i] * mu[i])
		down[i] += float64(lambda * w[i])
	}
	return dot
}

// finish centers B after all rows.
func (s *centering) finish() {
	down := s.block(0)
	for k := 1; k < s.blocks(); k++ {
		floats.Add(down, s.block(k))
	}
	for i, x := range down {
		if s.g.Frozen.b(i) {
			x = s.b[i]
		}
		s.g.B.SetVec(i, s.b[i]-x)
	}
	s.g, s.v, s.h = nil, nil, nil
}

var _ marshaler = (*Centering)(nil)

// AppendBinary appends the settings and the offsets to b.
func (c *Centering) AppendBinary(b []byte) ([]byte, error) { return encode(b, "Centering", c) }

// MarshalBinary is AppendBinary to nil.
func (c *Centering) MarshalBinary() ([]byte, error) { return c.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (c *Centering) UnmarshalBinary(data []byte) error {
	checkNil("Centering", c)
	x, err := decode(data, "Centering", readCentering)
	if err == nil {
		c.restore(&x)
	}
	return err
}

// restore sets c to the settings and offsets of x, which it takes over.
func (c *Centering) restore(x *Centering) {
	c.Rate, c.Enhanced, c.V, c.H = x.Rate, x.Enhanced, x.V, x.H
}

func (c *Centering) bytes() int {
	checkNil("Centering", c)
	return 8 + 1 + 8*(2+len(c.V)+len(c.H))
}

func (c *Centering) write(b []byte) []byte {
	c.checkRate()
	b = wire.AppendFloat64(b, c.Rate)
	b = wire.AppendBool(b, c.Enhanced)
	return wire.AppendList(wire.AppendList(b, c.V), c.H)
}

func readCentering(d *wire.Decoder) Centering {
	c := Centering{Rate: d.Float64(), Enhanced: d.Bool("Enhanced"), V: d.List("V"), H: d.List("H")}
	if !(0 <= c.Rate && c.Rate <= 1) {
		d.Failf("Rate is %v, want one in [0, 1]", c.Rate)
	}
	return c
}

// fits sets an error unless c is nil or its offsets, if there are any, are of so many units.
func (c *Centering) fits(d *wire.Decoder, nv, nh int) {
	if c == nil {
		return
	}
	if v, h := len(c.V), len(c.H); v != 0 && v != nv || h != 0 && h != nh {
		d.Failf("offsets are those of %d visible and %d hidden units, want %d and %d", v, h, nv, nh)
	}
}
