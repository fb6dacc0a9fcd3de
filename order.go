package rbm

import (
	"reflect"

	"github.com/gorbm/rbm/internal/philox"
	"github.com/gorbm/rbm/internal/stop"
)

// epochOrder is the order of the rows in an epoch: blocks of rows, in random order,
// each with its rows in random order. It knows the order inside of one block only,
// and holds the rows of one, so that it needs no more memory for more blocks than a
// number each.
type epochOrder struct {
	seed    uint64
	epoch   int
	n, size int     // rows in all, and of a block
	weight  float64 // mean

	blocks []int // the numbers of the blocks, in their order
	short  int   // where in it the last block of Data stands, which may have fewer rows
	at     int   // where the block stands whose rows follow, or -1
	rows   []int // their numbers, in their order

	source Rows // of the block that is held, if it is not in memory anyway
	held   Bits
	first  int // number of its first row, or -1 if none is held
}

// start prepares the order of an epoch, in blocks of so many rows, or 0 for one of all.
// With one block it is the order of Minibatches with a source that has been read once for
// each epoch before.
func (o *epochOrder) start(data Rows, weights []float64, block int, seed uint64, epoch int, until *stop.Signal) {
	n, _ := data.Dims()
	size := n
	if block > 0 {
		size = min(block, n)
	}
	if o.n == n && o.size == size && o.seed == seed && o.epoch == epoch {
		return
	}
	checkWeights("Weights", weights, until)
	o.weight = mean(weights, until)
	if o.size != size {
		o.first = -1
	}
	o.seed, o.epoch, o.n, o.size, o.at = seed, epoch, 0, size, -1
	o.blocks = grow(o.blocks, (n-1)/size+1)
	src := sourceOf(seed, uint64(epoch), orderBlocks, 0)
	permute(o.blocks, &src, until)
	for at, b := range o.blocks {
		if b == len(o.blocks)-1 {
			o.short = at
		}
	}
	o.n = n
}

// from returns the numbers of the rows from place p of the epoch on, as far as they are
// in the same block.
func (o *epochOrder) from(p int, until *stop.Signal) []int {
	last := o.n - (len(o.blocks)-1)*o.size // rows of the last block of Data
	at, size := p/o.size, o.size
	if before := o.short * o.size; p >= before+last {
		p -= last
		at = p/o.size + 1
		p %= o.size
	} else if p >= before {
		at, size = o.short, last
		p -= before
	} else {
		p %= o.size
	}
	if o.at != at {
		b := o.blocks[at]
		o.at, o.rows = -1, grow(o.rows, size)
		src := sourceOf(o.seed, uint64(o.epoch), orderRows, uint32(b))
		permute(o.rows, &src, until)
		for i := range o.rows {
			o.rows[i] += b * o.size
		}
		o.at = at
	}
	return o.rows[p:]
}

// gather makes dst the rows of data with these numbers, which are in the same block. Of a
// source that is not in memory it holds the block, if blocks are not all rows.
func (o *epochOrder) gather(dst *Bits, data Rows, hold bool, rows []int, until *stop.Signal) error {
	if _, ok := data.(*Bits); ok || !hold {
		return gatherRows(dst, data, rows, until)
	}
	first := rows[0] / o.size * o.size
	if o.first != first || !sameRows(o.source, data) {
		o.source, o.first = data, -1
		if err := o.readBlock(data, first, min(o.size, o.n-first), until); err != nil {
			return err
		}
		o.first = first
	}
	dst.resize(len(rows), o.held.cols)
	for r, i := range rows {
		until.Look()
		copy(dst.row(r), o.held.row(i-first))
	}
	return nil
}

// readBlock reads the block of n rows from the first on, or parts of it one by one if
// it is large.
func (o *epochOrder) readBlock(data Rows, first, n int, until *stop.Signal) error {
	_, c := data.Dims()
	o.held.resize(n, c)
	var part Bits
	for i, most := 0, 16*passBlock(c); i < n; i += most {
		until.Look()
		end := min(n, i+most)
		o.held.slice(&part, i, end)
		if err := readRows(&part, end-i, c, data, first+i); err != nil {
			return err
		}
	}
	return nil
}

// sameRows reports whether a and b are the same source, as far as one can tell.
func sameRows(a, b Rows) bool {
	return a != nil && (!reflect.ValueOf(a).Comparable() || a == b)
}

// What the random numbers of a Trainer are for.
const (
	orderRows = iota
	watchData
	watchHeld
	orderBlocks
	startOfMissing
	sweepOfMissing
)

// sourceOf returns the sequence of random numbers for part of the i-th use of a purpose.
func sourceOf(seed, i uint64, purpose, part uint32) philox.Source {
	r0, r1, _, _ := philox.Block(seed, uint32(i), uint32(i>>32), purpose, part)
	return *philox.NewSource(uint64(r1)<<32 | uint64(r0))
}

// chooseRows returns the numbers of k of n rows among those whose weights are not 0, and their
// weights, by selection sampling (Fan, Muller & Rezucha, 1962): each row is taken with the
// probability of those wanted among those left.
func chooseRows(n int, weights []float64, k int, src philox.Source, until *stop.Signal) (chosen []int, w []float64) {
	left := positive(weights, n)
	chosen = make([]int, 0, k)
	for r := range n {
		if r%lookEvery == 0 {
			until.Look()
		}
		if weights != nil && weights[r] == 0 {
			continue
		}
		if src.IntN(left) < k-len(chosen) {
			chosen = append(chosen, r)
			if weights != nil {
				w = append(w, weights[r])
			}
		}
		left--
	}
	return chosen, w
}

// numbers returns 0, 1, …, n-1.
func numbers(n int) []int { return evenly(n, n) }

// evenly returns at most the given number of evenly spaced numbers below n.
func evenly(n, most int) []int {
	most = min(n, most)
	list := make([]int, most)
	for k := range list {
		list[k] = int(int64(k) * int64(n) / int64(most))
	}
	return list
}
