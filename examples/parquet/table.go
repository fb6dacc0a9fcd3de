package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/gorbm/rbm"
	"github.com/gorbm/rbm/bitio"
)

// A block is the rows of a record batch.
type block struct {
	bits     *rbm.Bits
	observed *rbm.Bits // nil: nothing is missing
	missing  int       // values
	first    int       // the number of its first row in the file
}

func newBlock(rows, cols, first int) *block {
	return &block{bits: rbm.NewBits(rows, cols), observed: rbm.NewBits(rows, cols), missing: rows * cols, first: first}
}

// A number is the value of a column of integers.
type number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// set sets a value that is known. The error has the number of the row.
func set[T number](b *block, r, j int, x T) error {
	if x != 0 && x != 1 {
		return fmt.Errorf("row %d is %d, want 0 or 1", b.first+r, x)
	}
	b.bits.SetBit(r, j, x == 1)
	b.observed.SetBit(r, j, true)
	b.missing--
	return nil
}

// A source has the blocks of a file.
type source struct {
	names  []string // of the columns
	blocks iter.Seq2[*block, error]
}

// read returns all rows of a file, without the columns to skip.
func read(path string, skip []string) (*bitio.Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := open(f, skip)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	n, missing := 0, 0
	var all []*block
	for b, err := range s.blocks {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		r, _ := b.bits.Dims()
		n += r
		missing += b.missing
		all = append(all, b)
	}
	if n == 0 {
		return nil, fmt.Errorf("%s: there are no rows", path)
	}
	t := &bitio.Table{Bits: rbm.NewBits(n, len(s.names)), Columns: s.names}
	if missing > 0 {
		t.Observed = rbm.NewBits(n, len(s.names))
	}
	for _, b := range all {
		n, _ := b.bits.Dims()
		for r := range n {
			copy(t.Bits.RawRow(b.first+r), b.bits.RawRow(r))
			if missing > 0 {
				copy(t.Observed.RawRow(b.first+r), b.observed.RawRow(r))
			}
		}
	}
	return t, nil
}

// open returns the blocks of a file, without the columns to skip.
func open(f *os.File, skip []string) (*source, error) {
	start := make([]byte, 6)
	if _, err := f.ReadAt(start, 0); err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case string(start[:4]) == "PAR1":
		return openParquet(f, skip)
	case string(start) == "ARROW1":
		return openArrow(f, skip, memory.DefaultAllocator)
	}
	return nil, fmt.Errorf("it begins with %q, want PAR1 of a Parquet file or ARROW1 of an Arrow IPC file", start)
}

// choose returns the numbers of the columns that are not to skip, and their names.
func choose(all, skip []string) (chosen []int, names []string, err error) {
	for _, name := range skip {
		if !slices.Contains(all, name) {
			return nil, nil, fmt.Errorf("there is no column %q to skip", name)
		}
	}
	for i, name := range all {
		if !slices.Contains(skip, name) {
			chosen, names = append(chosen, i), append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, nil, errors.New("there are no columns but those to skip")
	}
	return chosen, names, nil
}

// wrongType is the error of a column that has no bits.
func wrongType(name string, of any) error {
	return fmt.Errorf("column %q is of type %v, want bool or an integer: leave it out with -skip", name, of)
}
