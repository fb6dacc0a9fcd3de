package parallel

import (
	"fmt"
	"sync/atomic"
)

// A Guard detects that a value is used by two goroutines at once, where only one at a time
// may use it. The zero value is ready. It may be copied between uses.
//
//	defer x.guard.Take("name of x").Release()
type Guard struct{ taken uint32 }

// Take begins a use of the value that g guards, and returns g. Release must follow, even if
// something panics in between. Take panics with the name of the value if another use has
// not ended.
func (g *Guard) Take(name string) *Guard {
	if !atomic.CompareAndSwapUint32(&g.taken, 0, 1) {
		panic(fmt.Sprintf("rbm: %s is used by two goroutines at once, or inside a call that uses it: each needs its own", name))
	}
	return g
}

// Release ends a use.
func (g *Guard) Release() { atomic.StoreUint32(&g.taken, 0) }
