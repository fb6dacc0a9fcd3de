package rbm

import (
	"cmp"
	"fmt"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/stop"
	"github.com/gorbm/rbm/internal/update"
	"github.com/gorbm/rbm/internal/wire"
)

// Sparsity draws the mean activity q of each hidden unit to a target (Lee, Ekanadham &
// Ng, 2008; Hinton, 2010): call Penalize after each gradient.
//
//	q = (1-Rate)·q + Rate·⟨ĥ⟩data    ∂c += Cost·(Target - q)    ∂W += Cost·(Target - q)·⟨v⟩dataᵀ
//
// Where all rows are alike and Rate is 1, this is the slope of -Cost times the cross
// entropy of Target and q. The zero value costs nothing.
type Sparsity struct {
	Target float64   // in [0, 1]
	Cost   float64   // in nats: raise it until the activities are near Target
	Rate   float64   // weight of a batch in the moving average; 0: 0.1
	H      []float64 // the moving average q (nh), once there is one

	state *sparsityState
}

type sparsityState struct {
	guard parallel.Guard
	kept  []float64 // see call
}

// Penalize moves H toward the means of the data of g, and adds the penalty to g: before
// [Centering.Center], after which g has no such means and Penalize panics.
func (s *Sparsity) Penalize(g *Gradient) { s.penalize(g, nil) }

func (s *Sparsity) penalize(g *Gradient, m *RBM) {
	_, nh := g.computed()
	defer s.take().Release()
	defer g.guard.Take("Gradient").Release()
	s.check(nh)
	if !g.hasMeans {
		panic("rbm: gradient has no means of data, want that of RBM.Gradient before it is centered")
	}
	var until *stop.Signal
	if m != nil {
		m.call.keeps(s)
		until = m.until()
	}
	g.findMeans()
	rate := s.start(nh)
	for j, h := range g.means.h {
		until.Look()
		s.H[j] = float64((1-rate)*s.H[j]) + float64(rate*h)
		slope := float64(s.Cost * (s.Target - s.H[j]))
		update.Plain(g.W.RawRowView(j), g.means.v, slope, 0)
		g.C.SetVec(j, g.C.AtVec(j)+slope)
		g.means.penalty[j] += slope
	}
}

// start makes H, unless there is one, and returns the rate at which it moves: 1 if there was
// none.
func (s *Sparsity) start(nh int) float64 {
	if len(s.H) == 0 {
		s.H = make([]float64, nh)
		return 1
	}
	return cmp.Or(s.Rate, 0.1)
}

// note remembers the moving average.
func (s *Sparsity) note() { s.state.kept = append(s.state.kept[:0], s.H...) }

// back restores it.
func (s *Sparsity) back() { s.H = restoredOffsets(s.H, s.state.kept) }

// check panics unless s can penalize a gradient of nh hidden units.
func (s *Sparsity) check(nh int) {
	if wrong := s.wrong(); wrong != "" {
		panic("rbm: " + wrong)
	}
	if n := len(s.H); n > 0 && n != nh {
		panic(fmt.Sprintf("rbm: H of sparsity has length %d, want %d", n, nh))
	}
}

// wrong says which setting makes no sense, or returns "".
func (s *Sparsity) wrong() string {
	for _, x := range []struct {
		name  string
		share float64
	}{{"target", s.Target}, {"rate", s.Rate}} {
		if !(0 <= x.share && x.share <= 1) {
			return fmt.Sprintf("%s of sparsity is %v, want one in [0, 1]", x.name, x.share)
		}
	}
	return wrongFactor("cost of sparsity", s.Cost)
}

// take begins a use.
func (s *Sparsity) take() *parallel.Guard {
	checkNil("Sparsity", s)
	if s.state == nil {
		s.state = new(sparsityState)
	}
	return s.state.guard.Take("Sparsity")
}

var _ marshaler = (*Sparsity)(nil)

// AppendBinary appends the settings and H to b.
func (s *Sparsity) AppendBinary(b []byte) ([]byte, error) { return encode(b, "Sparsity", s) }

// MarshalBinary is AppendBinary to nil.
func (s *Sparsity) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary restores what AppendBinary wrote; an error changes nothing.
func (s *Sparsity) UnmarshalBinary(data []byte) error {
	checkNil("Sparsity", s)
	x, err := decode(data, "Sparsity", readSparsity)
	if err == nil {
		s.restore(&x)
	}
	return err
}

// restore sets s to the settings and H of x, which it takes over.
func (s *Sparsity) restore(x *Sparsity) {
	s.Target, s.Cost, s.Rate, s.H = x.Target, x.Cost, x.Rate, x.H
}

func (s *Sparsity) bytes() int {
	checkNil("Sparsity", s)
	return 8 * (3 + 1 + len(s.H))
}

func (s *Sparsity) write(b []byte) []byte {
	if wrong := s.wrong(); wrong != "" {
		panic("rbm: " + wrong)
	}
	return wire.AppendList(wire.AppendFloats(b, []float64{s.Target, s.Cost, s.Rate}), s.H)
}

func readSparsity(d *wire.Decoder) Sparsity {
	s := Sparsity{Target: d.Float64(), Cost: d.Float64(), Rate: d.Float64(), H: d.List("H")}
	if wrong := s.wrong(); d.OK() && wrong != "" {
		d.Failf("%s", wrong)
	}
	return s
}

// fits sets an error unless s is nil or its H, if there is any, is of so many units.
func (s *Sparsity) fits(d *wire.Decoder, nh int) {
	if s != nil && len(s.H) != 0 && len(s.H) != nh {
		d.Failf("H of sparsity has length %d, want %d", len(s.H), nh)
	}
}
