package rbm

import (
	"reflect"

	"github.com/gorbm/rbm/internal/philox"
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

// startEpoch prepares the order of an epoch. With one block it is that of
// Minibatches with a source that has been read once for each epoch before.
func (t *Trainer) startEpoch(epoch int) *epochOrder {
	o := &t.order
	n, _ := t.Data.Dims()
	size := n
	if t.ShuffleBlock > 0 {
		size = min(t.ShuffleBlock, n)
	}
	if o.n == n && o.size == size && o.seed == t.state.seed && o.epoch == epoch {
		return o
	}
	t.checkWeights()
	o.weight = mean(t.Weights, t.until())
	if o.size != size {
		o.first = -1
	}
	o.seed, o.epoch, o.n, o.size, o.at = t.state.seed, epoch, 0, size, -1
	o.blocks = grow(o.blocks, (n-1)/size+1)
	src := t.source(uint64(epoch), orderBlocks, 0)
	permute(o.blocks, &src, t.until())
	for at, b := range o.blocks {
		if b == len(o.blocks)-1 {
			o.short = at
		}
	}
	o.n = n
	return o
}

// epochRows returns the numbers of the rows from place p of an epoch on, as far as
// they are in the same block.
func (t *Trainer) epochRows(epoch, p int) []int {
	o := t.startEpoch(epoch)
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
		src := t.source(uint64(epoch), orderRows, uint32(b))
		permute(o.rows, &src, t.until())
		for i := range o.rows {
			o.rows[i] += b * o.size
		}
		o.at = at
	}
	return o.rows[p:]
}

// gather makes dst the rows of Data with these numbers, which are in the same block.
func (t *Trainer) gather(dst *Bits, rows []int) error {
	o := &t.order
	if _, ok := t.Data.(*Bits); ok || t.ShuffleBlock == 0 {
		return gatherRows(dst, t.Data, rows, t.until())
	}
	first := rows[0] / o.size * o.size
	if o.first != first || !sameRows(o.source, t.Data) {
		o.source, o.first = t.Data, -1
		if err := t.readBlock(first, min(o.size, o.n-first)); err != nil {
			return err
		}
		o.first = first
	}
	dst.resize(len(rows), o.held.cols)
	for r, i := range rows {
		t.until().Look()
		copy(dst.row(r), o.held.row(i-first))
	}
	return nil
}

// readBlock reads the block of n rows from the first on, or parts of it one by one if
// it is large.
func (t *Trainer) readBlock(first, n int) error {
	_, c := t.Data.Dims()
	t.order.held.resize(n, c)
	var part Bits
	for i, most := 0, 16*passBlock(c); i < n; i += most {
		t.until().Look()
		end := min(n, i+most)
		t.order.held.slice(&part, i, end)
		if err := readRows(&part, end-i, c, t.Data, first+i); err != nil {
			return err
		}
	}
	return nil
}

// sameRows reports whether a and b are the same source, as far as one can tell.
func sameRows(a, b Rows) bool {
	return a != nil && (!reflect.ValueOf(a).Comparable() || a == b)
}

// source returns the sequence of random numbers for part of the i-th use of a
// purpose.
func (t *Trainer) source(i uint64, purpose, part uint32) philox.Source {
	r0, r1, _, _ := philox.Block(t.state.seed, uint32(i), uint32(i>>32), purpose, part)
	return *philox.NewSource(uint64(r1)<<32 | uint64(r0))
}
