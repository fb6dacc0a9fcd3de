package rbm

import (
	"iter"
	"math/rand/v2"

	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// Minibatches returns one pass over the rows of data in random order, n at a time; the last
// minibatch may be shorter. Each is valid until the next. Src is read once, so that ranging
// again repeats the pass. It panics if data is empty or n is less than 1.
func Minibatches[M *Bits | *mat.Dense](data M, n int, src rand.Source) iter.Seq[M] {
	checkNil("data", data)
	rows, _ := any(data).(mat.Matrix).Dims()
	if rows == 0 {
		panic("rbm: data is 0×0, want at least 1×1")
	}
	checkAtLeast("n", n, 1)
	key := seed(src)
	return func(yield func(M) bool) {
		order := make([]int, rows)
		permute(order, philox.NewSource(key), nil)
		var full M
		for ; len(order) >= n; order = order[n:] {
			if full = gatherAny(full, data, order[:n]); !yield(full) {
				return
			}
		}
		if len(order) > 0 {
			yield(gatherAny(nil, data, order))
		}
	}
}

// gatherAny copies the rows of data with the given numbers to dst, unless that is nil, and
// returns them.
func gatherAny[M *Bits | *mat.Dense](dst, data M, rows []int) M {
	var got any
	switch data := any(data).(type) {
	case *Bits:
		got = data.Gather(any(dst).(*Bits), rows)
	case *mat.Dense:
		to := any(dst).(*mat.Dense)
		if to == nil {
			to = mat.NewDense(len(rows), data.RawMatrix().Cols, nil)
		}
		for k, r := range rows {
			copy(to.RawRowView(k), data.RawRowView(r))
		}
		got = to
	}
	return got.(M)
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
