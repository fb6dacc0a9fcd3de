package parallel

import (
	"fmt"
	"sync/atomic"
)

// A Guard tells when two goroutines use at once what belongs to one at a time. The
// zero value is ready. It finds what overlaps, but does not make it safe.
type Guard struct{ taken atomic.Bool }

// Take begins a use of what is called name. It panics if one has not ended yet.
// Release must follow, also after a panic of what is done in between.
func (g *Guard) Take(name string) {
	if !g.taken.CompareAndSwap(false, true) {
		panic(fmt.Sprintf("rbm: %s is used by two goroutines at once, or inside a call that uses it, want one for each", name))
	}
}

// Release ends a use.
func (g *Guard) Release() { g.taken.Store(false) }
