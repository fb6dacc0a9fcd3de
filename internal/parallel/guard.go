package parallel

import (
	"fmt"
	"sync/atomic"
)

// A Guard tells when two goroutines use at once what belongs to one at a time. The
// zero value is ready. It may be copied between uses.
//
//	defer x.guard.Take("name of x").Release()
type Guard struct{ taken uint32 }

// Take begins a use of what is called name, and returns g. It panics if another use
// has not ended. Release must follow, whatever panics in between.
func (g *Guard) Take(name string) *Guard {
	if !atomic.CompareAndSwapUint32(&g.taken, 0, 1) {
		panic(fmt.Sprintf("rbm: %s is used by two goroutines at once, or inside a call that uses it, want one for each", name))
	}
	return g
}

// Release ends a use.
func (g *Guard) Release() { atomic.StoreUint32(&g.taken, 0) }
