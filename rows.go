package rbm

import (
	"fmt"
	"iter"

	"github.com/gorbm/rbm/internal/stop"
)

// Rows is a source of observations, one per row, that need not fit in memory: [Bits], a
// file of package bitfile, or a source of your own.
type Rows interface {
	// Dims returns the number of rows and columns, which must not change.
	Dims() (r, c int)

	// ReadRows sets every entry of dst, which has c columns, to rows i, i+1, … of the source,
	// all of which exist. It does not keep dst or assign to *dst. A row is the same whenever
	// it is read.
	ReadRows(dst *Bits, i int) error
}

var _ Rows = (*Bits)(nil)

// Blocks returns one pass over rows in their order, n at a time; the last block may be
// shorter. A block is valid until the next, and must not be changed. An error of ReadRows,
// wrapped with the numbers of the rows, comes with a nil block and ends the pass. It panics
// if n is less than 1.
func Blocks(rows Rows, n int) iter.Seq2[*Bits, error] {
	if isNil(rows) {
		panic("rbm: rows are nil")
	}
	checkAtLeast("n", n, 1)
	return func(yield func(*Bits, error) bool) {
		total, cols := rows.Dims()
		var block Bits
		for i := 0; i < total; {
			k := min(n, total-i)
			if b, ok := rows.(*Bits); ok {
				b.slice(&block, i, i+k)
			} else if err := readRows(&block, k, cols, rows, i); err != nil {
				yield(nil, err)
				return
			}
			if !yield(&block, nil) {
				return
			}
			i += k
		}
	}
}

// readRows makes dst rows [i, i+n) of a source of c columns, in the memory it has if
// that is enough.
func readRows(dst *Bits, n, c int, rows Rows, i int) error {
	dst.reset(n, c) // also the bits behind the last column, which a source may not know of
	words := dst.words
	if err := rows.ReadRows(dst, i); err != nil {
		return fmt.Errorf("rbm: rows [%d, %d): %w", i, i+n, err)
	}
	if !overlap(dst.words, words) {
		panic(fmt.Sprintf("rbm: ReadRows of %T assigned to *dst, want its %d×%d entries set", rows, n, c))
	}
	return nil
}

// gatherRows makes dst the rows of a source with the given numbers, one by one.
func gatherRows(dst *Bits, rows Rows, numbers []int, until *stop.Signal) error {
	_, c := rows.Dims()
	dst.resize(len(numbers), c)
	if b, ok := rows.(*Bits); ok {
		for r, i := range numbers {
			until.Look()
			copy(dst.row(r), b.row(i))
		}
		return nil
	}
	var row Bits
	for r, i := range numbers {
		until.Look()
		dst.slice(&row, r, r+1)
		if err := readRows(&row, 1, c, rows, i); err != nil {
			return err
		}
	}
	return nil
}

// passBlock returns how many rows of so many columns to take at a time in a pass
// over all: about a megabyte, and a multiple of 4.
func passBlock(cols int) int { return max(1, 1<<15/(cols/wordBits+1)) * 4 }

// countOnes returns how many rows have each bit, and the sums of their weights, which
// are 1 where they are nil.
func countOnes(rows Rows, weights []float64, until *stop.Signal) (ones []int, sums []float64, err error) {
	_, c := rows.Dims()
	ones, sums = make([]int, c), make([]float64, c)
	i := 0 // of the first row of a block
	for block, err := range Blocks(rows, passBlock(c)) {
		if err != nil {
			return nil, nil, err
		}
		until.Look()
		block.addOnes(ones, until)
		if weights != nil {
			in := batch{rows: block.rows, cols: c, bits: block}
			for r := range block.rows {
				in.addTo(sums, r, weights[i+r])
			}
		}
		i += block.rows
	}
	if weights == nil {
		for i, k := range ones {
			sums[i] = float64(k)
		}
	}
	return ones, sums, nil
}
