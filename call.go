package rbm

import (
	"context"
	"slices"
	"sync"

	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// A call is one that a context may end in its middle. For its time the model knows of
// it, so that whatever works on the model looks at the context, however deep in the
// call it is. What has moved by then goes back to where it was.
type call struct {
	ctx    context.Context
	signal stop.Signal

	mu    sync.Mutex // samplers may move on goroutines of a Sampler's own
	moved []mover
}

// A mover is what a call moves.
type mover interface {
	note() // remembers where it is
	back() // goes back there
}

// lookEvery is after how many rows a loop looks that does little for each.
const lookEvery = 1 << 12

// newCall returns a call that ctx may end.
func newCall(ctx context.Context) *call {
	c := new(call)
	c.begin(ctx)
	return c
}

// begin makes c a call that ctx may end.
func (c *call) begin(ctx context.Context) {
	c.ctx = ctx
	c.signal.Watch(ctx)
}

// end makes c a call that nothing ends any more.
func (c *call) end() {
	c.ctx = nil
	c.signal.Forget()
}

// run calls f, and reports whether the context has ended it. Then all that has moved
// is where it was.
func (c *call) run(f func()) (ended bool) {
	if c == nil {
		f()
		return false
	}
	defer c.settle()
	if ended = c.signal.Catch(f); ended {
		c.back()
	}
	return ended
}

// keeps notes where x is, unless that has been done since the last settle.
func (c *call) keeps(x mover) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.moved, x) {
		x.note()
		c.moved = append(c.moved, x)
	}
}

// back lets all go back that has moved, and settles it.
func (c *call) back() {
	for _, x := range c.moved {
		x.back()
	}
	c.settle()
}

// settle leaves all that has moved where it is.
func (c *call) settle() {
	clear(c.moved)
	c.moved = c.moved[:0]
}

// until returns what ends the call, or nil if nothing does.
func (c *call) until() *stop.Signal {
	if c == nil {
		return nil
	}
	return &c.signal
}

// look ends the call if the context is done.
func (c *call) look() { c.until().Look() }

// in returns m for work inside of a call.
func (m *RBM) in(c *call) *RBM { return &RBM{W: m.W, B: m.B, C: m.C, OneHot: m.OneHot, call: c} }

// as returns m for work inside of the call that n is in, if it is in one.
func (m *RBM) as(n *RBM) *RBM {
	return &RBM{W: m.W, B: m.B, C: m.C, OneHot: m.OneHot, call: n.call, lent: n.lent}
}

// until returns what ends work on m in its middle, or nil if nothing does.
func (m *RBM) until() *stop.Signal {
	if m.lent {
		return nil
	}
	return m.call.until()
}

// untilSweep returns what ends the sampling of m between two sweeps, or nil if nothing
// does. It is not nil either while m is lent.
func (m *RBM) untilSweep() *stop.Signal { return m.call.until() }

// lend returns what a Sampler, which may be the user's own, samples from m.
//
// The user's code must never see half of a result, nor be unwound, so that only the
// samplers of this package that it calls look at the context: between sweeps. If one
// has ended early, so does the call. If not, the call is left alone from here on, as
// what a Sampler has done to itself cannot be undone.
func (m *RBM) lend(s Sampler, data mat.Matrix) (v mat.Matrix, weights []float64) {
	if m.call == nil {
		return s.Sample(m, data)
	}
	m.lent = true
	defer func() { m.lent = false }()
	v, weights = s.Sample(m, data)
	if m.call.signal.Seen() {
		m.call.signal.Look()
	}
	m.call = nil
	return v, weights
}
