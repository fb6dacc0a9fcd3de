package rbm

import (
	"iter"
	"math/rand/v2"

	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/stop"
)

// Minibatches returns one pass over the rows of data in random order, n at a time; the last
// minibatch may be shorter. Each is valid until the next. Src is read once, so that ranging
// again repeats the pass. It panics if data is empty or n is less than 1.
func Minibatches(data *Bits, n int, src rand.Source) iter.Seq[*Bits] {
	checkNil("data", data)
	if data.rows == 0 {
		panic("rbm: data is 0×0, want at least 1×1")
	}
	checkAtLeast("n", n, 1)
	key := seed(src)
	return func(yield func(*Bits) bool) {
		order := make([]int, data.rows)
		permute(order, philox.NewSource(key), nil)
		var full Bits
		for ; len(order) >= n; order = order[n:] {
			if !yield(data.Gather(&full, order[:n])) {
				return
			}
		}
		if len(order) > 0 {
			yield(data.Gather(nil, order))
		}
	}
}

// permute sets order to a random one of the numbers below its length (Fisher &
// Yates, 1938; Durstenfeld, 1964).
func permute(order []int, src *philox.Source, until *stop.Signal) {
	for i := range order {
		if i%lookEvery == 0 {
			until.Look()
		}
		j := src.IntN(i + 1)
		order[i] = order[j]
		order[j] = i
	}
}
