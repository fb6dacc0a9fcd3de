package rbm

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/update"
	"github.com/gorbm/rbm/internal/wire"
	"gonum.org/v1/gonum/mat"
)

// SGD climbs a stochastic gradient g by momentum and weight decay, and shrinks W. Set
// Rate, and call Step after each gradient:
//
//	Δ = μΔ + ε(g - λθ)    θ = θ + Δ
//	w = sign(w)·max(|w| - ε·L1, 0)    Wⱼ = Wⱼ·min(1, MaxNorm/‖Wⱼ‖)
//
// Δ includes the second line (Ochs, Chen, Brox & Pock, 2014). L2, L1 and MaxNorm leave
// the biases alone. A zero field is off. Do not copy an SGD in use.
type SGD struct {
	Rate     float64 // ε, the learning rate
	Momentum float64 // μ, in [0, 1); Δ is 0 until the first step with μ ≠ 0
	L2       float64 // λ, L2 regularization or weight decay
	L1       float64 // L1 regularization, by a proximal step
	MaxNorm  float64 // largest Euclidean norm of a row of W, the weights of a hidden unit (Srebro & Shraibman, 2005)

	state *sgdState
}

type sgdState struct {
	velocity Gradient  // Δ, once there is momentum
	held     []float64 // W, of which the frozen weights come back, once there are any
	job      step
	team     parallel.Team
	guard    parallel.Guard
}

// Step moves the parameters of m along g. NaN stays NaN. It panics if the size of m has
// changed since a step with momentum.
func (o *SGD) Step(m *RBM, g *Gradient) {
	checkNil("SGD", o)
	o.step(m, g, o.Rate)
}

// step is Step at another rate.
func (o *SGD) step(m *RBM, g *Gradient, rate float64) {
	defer o.take(rate).Release()
	nv, nh := m.Dims()
	checkNil("gradient", g)
	g.check("gradient", nv, nh)
	g.Frozen.check(nv, nh)
	o.ready(nv, nh, g.Frozen)
	s := o.state
	s.job = step{o: o, m: m, g: g, rate: rate}
	work := nv * nh / 4
	s.team.Call(work, nh, &s.job)
	s.job = step{}
	o.visible(m, g, rate)
	for j := range nh {
		o.bias(m.C, s.velocity.C, j, g.C.AtVec(j), rate, g.Frozen.c(j))
	}
}

// take begins a use at a rate.
func (o *SGD) take(rate float64) *parallel.Guard {
	o.check()
	checkFactor("rate of SGD", rate)
	if o.state == nil {
		o.state = new(sgdState)
	}
	return o.state.guard.Take("SGD")
}

// ready makes the velocity of nv and nh units if there is momentum, and panics if it is that
// of others.
func (o *SGD) ready(nv, nh int, f *Frozen) {
	if f != nil && f.W != nil {
		o.state.held = grow(o.state.held, nv*nh)
	}
	d := &o.state.velocity
	if o.Momentum != 0 && d.W == nil {
		d.W, d.B, d.C = mat.NewDense(nh, nv, nil), mat.NewVecDense(nv, nil), mat.NewVecDense(nh, nil)
	}
	if d.W != nil {
		d.check("velocity", nv, nh)
	}
}

// check panics if a setting makes no sense.
func (o *SGD) check() {
	checkNil("SGD", o)
	if wrong := o.wrong(); wrong != "" {
		panic("rbm: " + wrong)
	}
}

// wrong says which setting makes no sense, or returns "".
func (o *SGD) wrong() string {
	if !(0 <= o.Momentum && o.Momentum < 1) {
		return fmt.Sprintf("momentum of SGD is %v, want one in [0, 1)", o.Momentum)
	}
	return cmp.Or(
		wrongFactor("rate of SGD", o.Rate),
		wrongFactor("L2 of SGD", o.L2),
		wrongFactor("L1 of SGD", o.L1),
		wrongFactor("MaxNorm of SGD", o.MaxNorm),
	)
}

// step is the job that moves the weights, one row a part.
type step struct {
	o *SGD
	m *RBM
	g *Gradient

	rate float64
}

func (s *step) Do(_, j int) { s.o.row(s.m, j, s.g.W.RawRowView(j), s.rate, s.g.Frozen) }

// row moves row j of the weights of m along g. As the corrections are a part of Δ, momentum
// repeats the way that the weights really went: where the ascent comes to rest,
// |∂ - λw| = L1 for a weight other than 0, whatever the momentum.
func (o *SGD) row(m *RBM, j int, g []float64, rate float64, f *Frozen) {
	w, frozen := m.W.RawRowView(j), f.row(j)
	var d, held []float64
	if frozen != nil {
		held = o.state.held[j*len(w):][:len(w)]
		copy(held, w)
	}
	if velocity := o.state.velocity.W; velocity == nil {
		update.Plain(w, g, rate, o.L2)
	} else {
		d = velocity.RawRowView(j)
		update.Momentum(w, d, g, rate, o.L2, o.Momentum)
	}
	eachOne(frozen, func(i int) { // is no part of the norm
		w[i] = 0
		if d != nil {
			d[i] = 0
		}
	})
	if o.L1 != 0 {
		update.Shrink(w, d, rate*o.L1)
	}
	if o.MaxNorm != 0 {
		update.Clip(w, d, o.MaxNorm)
	}
	eachOne(frozen, func(i int) { w[i] = held[i] })
}

// visible moves the visible biases of m along g.
func (o *SGD) visible(m *RBM, g *Gradient, rate float64) {
	for i := range m.B.Len() {
		o.bias(m.B, o.state.velocity.B, i, g.B.AtVec(i), rate, g.Frozen.b(i))
	}
}

// bias moves element i of x along its gradient g, unless it is frozen. Its velocity is in d,
// unless that is nil.
func (o *SGD) bias(x, d *mat.VecDense, i int, g, rate float64, frozen bool) {
	if frozen {
		if d != nil {
			d.SetVec(i, 0)
		}
		return
	}
	delta := float64(rate * g)
	if d != nil {
		delta += float64(o.Momentum * d.AtVec(i))
		d.SetVec(i, delta)
	}
	x.SetVec(i, x.AtVec(i)+delta)
}

var _ marshaler = (*SGD)(nil)

// AppendBinary appends the settings and the momentum of earlier steps to b.
func (o *SGD) AppendBinary(b []byte) ([]byte, error) { return encode(b, "SGD", o) }

// MarshalBinary is AppendBinary to nil.
func (o *SGD) MarshalBinary() ([]byte, error) { return o.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (o *SGD) UnmarshalBinary(data []byte) error {
	checkNil("SGD", o)
	x, err := decode(data, "SGD", readSGD)
	if err == nil {
		*o = x
	}
	return err
}

func (o *SGD) bytes() int {
	o.check()
	size := 5*8 + 1
	if o.moves() {
		size += o.state.velocity.bytes()
	}
	return size
}

func (o *SGD) write(b []byte) []byte {
	b = wire.AppendFloats(b, []float64{o.Rate, o.Momentum, o.L2, o.L1, o.MaxNorm})
	if b = wire.AppendBool(b, o.moves()); o.moves() {
		b = o.state.velocity.write(b)
	}
	return b
}

// moves reports whether there is a velocity.
func (o *SGD) moves() bool { return o.state != nil && o.state.velocity.W != nil }

func readSGD(d *wire.Decoder) SGD {
	o := SGD{Rate: d.Float64(), Momentum: d.Float64(), L2: d.Float64(), L1: d.Float64(), MaxNorm: d.Float64()}
	if wrong := o.wrong(); d.OK() && wrong != "" {
		d.Failf("%s", wrong)
	}
	if d.Bool("velocity") {
		o.state = new(sgdState)
		o.state.velocity.read(d)
	}
	return o
}

// fits sets an error unless the velocity, if there is one, is of so many units.
func (o *SGD) fits(d *wire.Decoder, nv, nh int) {
	if o.state != nil {
		v := &o.state.velocity
		(&RBM{W: v.W, B: v.B, C: v.C}).fits(d, "velocity", nv, nh)
	}
}

// MarshalJSON returns the settings, or an error if there is momentum to lose.
func (o SGD) MarshalJSON() ([]byte, error) {
	// A struct in which an SGD is embedded has this method too, and so no JSON of its other
	// fields: there, give the SGD a name.
	if o.moves() {
		return nil, errSealed
	}
	type settings SGD // has no methods
	return json.Marshal(settings(o))
}
