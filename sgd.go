package rbm

import (
	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/update"
	"gonum.org/v1/gonum/mat"
)

// SGD climbs a stochastic gradient with momentum and weight decay:
//
//	Δ = μΔ + ε(g - λθ)    θ = θ + Δ
//
// for each parameter θ with gradient g; the biases do not decay, λ is 0 for
// them. The zero value of a field switches its feature off. An SGD must not be
// copied after its first step.
type SGD struct {
	Rate     float64 // ε, the learning rate
	Momentum float64 // μ, the share of the previous step Δ that is repeated; Δ is 0 until the first step with μ ≠ 0
	Decay    float64 // λ, of L2 regularisation

	state *sgdState
}

type sgdState struct {
	velocity Gradient // Δ, once there is momentum
	job      step
	team     parallel.Team
}

// Step moves the parameters of m along g. It panics if the sizes do not fit, or
// if an earlier step with momentum had a model of another size.
func (o *SGD) Step(m *RBM, g *Gradient) {
	nv, nh := m.Dims()
	if g == nil {
		panic("rbm: gradient is nil")
	}
	g.check("gradient", nv, nh)
	if o.state == nil {
		o.state = new(sgdState)
	}
	s, d := o.state, &o.state.velocity
	if o.Momentum != 0 && d.W == nil {
		d.W, d.B, d.C = mat.NewDense(nh, nv, nil), mat.NewVecDense(nv, nil), mat.NewVecDense(nh, nil)
	}
	if d.W != nil {
		d.check("velocity", nv, nh)
	}
	s.job = step{o: o, m: m, g: g}
	work := nv * nh / 4
	s.team.Start(work)
	s.team.Run(s.team.Workers(nh, work), nh, &s.job)
	s.team.Stop()
	s.job = step{}
	o.vector(m.B, g.B, d.B)
	o.vector(m.C, g.C, d.C)
}

// step is the job that moves the weights, one row a part.
type step struct {
	o *SGD
	m *RBM
	g *Gradient
}

func (s *step) Do(_, j int) {
	w, g := s.m.W.RawRowView(j), s.g.W.RawRowView(j)
	if d := s.o.state.velocity.W; d == nil {
		update.Plain(w, g, s.o.Rate, s.o.Decay)
	} else {
		update.Momentum(w, d.RawRowView(j), g, s.o.Rate, s.o.Decay, s.o.Momentum)
	}
}

// vector moves biases.
func (o *SGD) vector(x, g, d *mat.VecDense) {
	for i := range x.Len() {
		delta := float64(o.Rate * g.AtVec(i))
		if d != nil {
			delta += float64(o.Momentum * d.AtVec(i))
			d.SetVec(i, delta)
		}
		x.SetVec(i, x.AtVec(i)+delta)
	}
}
