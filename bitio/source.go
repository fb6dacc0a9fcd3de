package bitio

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gorbm/rbm"
)

const wordBits = 64

// wordsOf returns how many words a row has.
func wordsOf(cols int) int { return (cols-1)/wordBits + 1 }

// A row is what a source sets.
type row struct {
	v, missing []uint64 // column j is bit j%64 of word j/64; zeros, for a source to set
	some       bool     // some value is missing
	name       string
}

func newRow(cols int) *row {
	w := make([]uint64, 2*wordsOf(cols))
	return &row{v: w[:len(w)/2], missing: w[len(w)/2:]}
}

func (r *row) reset() {
	clear(r.v)
	if r.some {
		clear(r.missing)
	}
	r.some, r.name = false, ""
}

// set sets column j.
func (r *row) set(j int, x value) {
	switch x {
	case one:
		r.v[j/wordBits] |= 1 << (j % wordBits)
	case missing:
		r.missing[j/wordBits] |= 1 << (j % wordBits)
		r.some = true
	}
}

// A source has the rows of a file: a table, or rows to read one by one.
type source struct {
	table *Table

	cols  int
	names []string              // of the columns, or nil
	named func() bool           // whether rows have names; nil: they have none
	next  func(row *row) error  // sets a row of zeros to the next one; io.EOF behind the last one
	where func() (place string) // of the row that was read last
}

// name gives the columns the names of Options.Columns, if the file has none.
func (s *source) name(columns []string) error {
	cols, names := s.cols, &s.names
	if s.table != nil {
		_, cols = s.table.Bits.Dims()
		names = &s.table.Columns
	}
	if columns == nil || *names != nil {
		return nil
	}
	if len(columns) != cols {
		return fmt.Errorf("there are %d columns, want %d: %s", cols, len(columns), list(columns))
	}
	*names = slices.Clone(columns)
	return nil
}

var errNoRows = errors.New("there are no rows")

// collect returns all rows.
func (s *source) collect() (*Table, error) {
	var v, unknown words
	var names []string
	row := newRow(s.cols)
	n := 0
	for ; ; n++ {
		row.reset()
		err := s.next(row)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		v.add(n, row.v)
		if row.some {
			unknown.add(n, row.missing)
		}
		if s.named != nil && s.named() {
			names = append(names, row.name)
		}
	}
	if n == 0 {
		return nil, errNoRows
	}
	t := &Table{Bits: v.bits(n, s.cols), Columns: s.names, Rows: names}
	if unknown.blocks != nil {
		t.Observed = unknown.bits(n, s.cols)
		invert(t.Observed)
	}
	return t, nil
}

// invert turns ones to zeros and zeros to ones.
func invert(b *rbm.Bits) {
	n, c := b.Dims()
	for r := range n {
		row := b.RawRow(r)
		for w := range row {
			row[w] = ^row[w]
		}
		row[len(row)-1] &= ^uint64(0) >> ((wordBits - c%wordBits) % wordBits)
	}
}

// words are rows that grow without being copied.
type words struct {
	per    int // rows of a block
	blocks [][]uint64
}

const blockWords = 1 << 13

// add sets row n, which is not before an older one; those between are zeros.
func (w *words) add(n int, row []uint64) {
	if w.per == 0 {
		w.per = max(1, blockWords/len(row))
	}
	for n/w.per >= len(w.blocks) {
		w.blocks = append(w.blocks, nil)
	}
	b := &w.blocks[n/w.per]
	at := n % w.per * len(row)
	if cap(*b) < at+len(row) { // the first block grows, as it may be the only one
		size := w.per * len(row)
		if len(w.blocks) == 1 {
			size = min(size, 2*(at+len(row)))
		}
		*b = append(make([]uint64, 0, size), *b...)
	}
	*b = (*b)[:at+len(row)]
	copy((*b)[at:], row)
}

// bits returns the first n rows and forgets them.
func (w *words) bits(n, cols int) *rbm.Bits {
	b := rbm.NewBits(n, cols)
	k := wordsOf(cols)
	for i, block := range w.blocks {
		for r := 0; r < len(block)/k; r++ {
			copy(b.RawRow(i*w.per+r), block[r*k:])
		}
		w.blocks[i] = nil
	}
	return b
}

// ragged returns the error of a row of n values.
func ragged(what string, n, want int, first string) error {
	return fmt.Errorf("has %d %s, want %d as %s has", n, what, want, first)
}
