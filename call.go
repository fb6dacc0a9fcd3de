package rbm

import (
	"context"
	"slices"
	"sync"

	"github.com/gorbm/rbm/internal/stop"
)

// A call is one that a context may end midway. While it lasts the model knows of it, so
// that all work on the model looks at the context, however deep in the call. When the
// context ends the call, whatever has moved goes back to where it was.
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

// end makes c a call that nothing ends.
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

// back moves back all that has moved, and settles it.
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

// until returns the signal that ends the call, or nil if there is none.
func (c *call) until() *stop.Signal {
	if c == nil {
		return nil
	}
	return &c.signal
}

// look ends the call if the context is done.
func (c *call) look() { c.until().Look() }
