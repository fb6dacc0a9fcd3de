package rbm

import (
	"fmt"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/stop"
	"github.com/gorbm/rbm/internal/update"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// Centering computes the centered gradient (Melchior, Fischer & Wiskott, 2016; Montavon &
// Müller, 2012), the gradient of the model written in v-μ and h-λ:
//
//	W̃ = ∂W - λ·∂bᵀ - ∂c·μᵀ    b̃ = ∂b - W̃ᵀλ    c̃ = ∂c - W̃μ
//
// Near the means of the units, offsets speed up learning, whichever state of a unit is
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

// Center moves the offsets toward the means of the data of g, and centers g. The gradient
// of a [Classifier] moves none, and must find V and H set.
func (c *Centering) Center(g *Gradient) { c.center(g, nil) }

func (c *Centering) center(g *Gradient, m *RBM) {
	checkNil("gradient", g)
	if g.B == nil || g.C == nil {
		panic("rbm: gradient is empty, want one that has been computed")
	}
	nv, nh := g.B.Len(), g.C.Len()
	g.check("gradient", nv, nh)
	defer c.take().Release()
	defer g.guard.Take("Gradient").Release()
	c.check(nv, nh)
	if m != nil {
		m.call.keeps(c)
	}
	if g.hasMeans {
		g.hasMeans = false
		if g.stats.dataRows > 0 {
			g.means.addWaiting(&g.stats)
		}
		c.V = c.move(c.V, g.means.v, g.B)
		c.H = c.move(c.H, g.means.h, g.C)
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

// note remembers the offsets.
func (c *Centering) note() {
	k := &c.state.kept
	k.v, k.h = append(k.v[:0], c.V...), append(k.h[:0], c.H...)
}

// back restores them.
func (c *Centering) back() {
	k := &c.state.kept
	if len(k.v) == 0 { // there were none
		c.V, c.H = nil, nil
		return
	}
	copy(c.V, k.v)
	copy(c.H, k.h)
}

// check panics unless c can center a gradient of nv and nh units.
func (c *Centering) check(nv, nh int) {
	if !(0 <= c.Rate && c.Rate <= 1) {
		panic(fmt.Sprintf("rbm: rate of centering is %v, want one in [0, 1]", c.Rate))
	}
	if len(c.V) > 0 {
		checkOffsets("V", c.V, nv)
	}
	if len(c.H) > 0 {
		checkOffsets("H", c.H, nh)
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

// move returns the offsets moved toward the means of the data or, if Enhanced, toward the
// points halfway to the means of the model. The means of the model are less by the gradient
// g.
func (c *Centering) move(offset, mean []float64, g *mat.VecDense) []float64 {
	// With a rate of 1 the offsets are the means of each batch, which depend on its rows
	// and so bias the gradient: n rows lose 1/n of what they tell about W, a single row all.
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

// centering is the job that turns an ordinary gradient into the centered one, some columns
// of W per part.
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
	if !(0 <= c.Rate && c.Rate <= 1) {
		panic(fmt.Sprintf("rbm: rate of centering is %v, want one in [0, 1]", c.Rate))
	}
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
