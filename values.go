package rbm

import (
	"errors"
	"fmt"
	"iter"

	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// Values are rows of values in [0, 1], such as gray levels, as Data and HeldOut of a [Trainer]
// and for [RBM.LogLikelihood]. A value v̄ is the probability of a one, and takes the place of
// the bit in the formulas: the positive phase has ĥ = p(h=1|v̄), and CD draws the bits from
// which it starts. Zeros and ones alone are the same rows as Bits, bit for bit.
//
// A value outside [0, 1] is an error when it is read. Values in (0, 1) make reports slow.
type Values struct{ mat.Matrix }

var _ Rows = Values{}

// ReadRows is for functions that read Bits alone: it sets dst to rows i, i+1, …, as many as dst
// has. The error names the first value that is not 0 or 1. It panics as [Bits.ReadRows] does.
func (v Values) ReadRows(dst *Bits, i int) error {
	checkNil("Values", v)
	checkNil("dst", dst)
	r, c := v.Dims()
	if dst.cols != c {
		panic(fmt.Sprintf("rbm: dst is %d×%d, want n×%d", dst.rows, dst.cols, c))
	}
	if i < 0 || i > r-dst.rows {
		panic(fmt.Sprintf("rbm: no rows [%d, %d) in Values of %d×%d", i, i+dst.rows, r, c))
	}
	row := make([]float64, c)
	for k := range dst.rows {
		if product.Nonzero(dst.row(k), readRow(row, v.Matrix, i+k)) {
			continue
		}
		for j := range c {
			if x := v.At(i+k, j); x != 0 && x != 1 {
				return fmt.Errorf("rbm: value at row %d, column %d is %v, want 0 or 1 where values are read as Bits", i+k, j, x)
			}
		}
	}
	return nil
}

// MarshalJSON returns an error: JSON would lose the type of the matrix.
func (Values) MarshalJSON() ([]byte, error) { return nil, errSealed }

// isNil reports whether there is no matrix.
func (v Values) isNil() bool { return isNil(v.Matrix) }

// valuesOf returns the matrix of rows that are Values.
func valuesOf(rows Rows) (a mat.Matrix, ok bool) {
	switch v := rows.(type) {
	case Values:
		return v.Matrix, true
	case *Values:
		return v.Matrix, true
	}
	return nil, false
}

// fractionsOf returns the matrix of Values of which some are not 0 or 1. Others may as well be
// read as Bits.
func fractionsOf(rows Rows, until *stop.Signal) (a mat.Matrix, ok bool) {
	a, ok = valuesOf(rows)
	if !ok {
		return nil, false
	}
	r, c := a.Dims()
	words, row := make([]uint64, (c+wordBits-1)/wordBits), make([]float64, c)
	for i := range r {
		until.Look()
		if !product.Nonzero(words, readRow(row, a, i)) {
			return a, true
		}
	}
	return nil, false
}

// readValues sets dst to row i of Values, called name. The error names the first value that is
// not in [0, 1], or a group that the row does not fit.
func (l *oneHot) readValues(dst []float64, name string, a mat.Matrix, i int) error {
	if !product.Unit(dst, readRow(dst, a, i)) {
		for j := range dst {
			if x := a.At(i, j); !(0 <= x && x <= 1) {
				return fmt.Errorf("rbm: %s[%d, %d] is %v, want a value in [0, 1]", name, i, j, x)
			}
		}
	}
	if wrong := l.wrongValues(name, dst, i, nil); wrong != "" {
		return errors.New("rbm: " + wrong)
	}
	return nil
}

// gather returns the rows of data, called name, with the given numbers: a *Bits, or of Values
// a *mat.Dense.
func (l *oneHot) gather(name string, data Rows, numbers []int, until *stop.Signal) (mat.Matrix, error) {
	a, ok := valuesOf(data)
	if !ok {
		rows := new(Bits)
		return rows, gatherRows(rows, data, numbers, until)
	}
	_, c := a.Dims()
	rows := mat.NewDense(len(numbers), c, nil)
	for k, i := range numbers {
		until.Look()
		if err := l.readValues(rows.RawRowView(k), name, a, i); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// blocks is [Blocks] of data, called name, whose rows fit the groups: a block is a *Bits or, if
// some values are not 0 or 1, a *mat.Dense.
func (l *oneHot) blocks(name string, data Rows, until *stop.Signal) iter.Seq2[mat.Matrix, error] {
	n, c := data.Dims()
	a, ok := fractionsOf(data, until)
	if !ok {
		return l.bitBlocks(name, data, c)
	}
	return func(yield func(mat.Matrix, error) bool) {
		var block mat.Dense
		most := blockOf(a)
		for i := 0; i < n; i += most {
			k := min(most, n-i)
			block.Reset()
			block.ReuseAs(k, c)
			for r := range k {
				until.Look()
				if err := l.readValues(block.RawRowView(r), name, a, i+r); err != nil {
					yield(nil, err)
					return
				}
			}
			if !yield(&block, nil) {
				return
			}
		}
	}
}

// bitBlocks is blocks of zeros and ones.
func (l *oneHot) bitBlocks(name string, data Rows, cols int) iter.Seq2[mat.Matrix, error] {
	return func(yield func(mat.Matrix, error) bool) {
		i := 0
		for block, err := range Blocks(data, passBlock(cols)) {
			if err == nil {
				err = l.checkRows(name, block, i, nil)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(block, nil) {
				return
			}
			i += block.rows
		}
	}
}

// addValues adds the rows of a to sum, each times its weight.
func addValues(sum []float64, a *mat.Dense, weights []float64, until *stop.Signal) {
	n, _ := a.Dims()
	for r := range n {
		until.Look()
		w := weightOf(weights, r)
		for i, x := range a.RawRowView(r) {
			sum[i] += float64(w * x)
		}
	}
}

// rounded returns a with ones where it has at least ½.
func rounded(a *mat.Dense) *Bits {
	n, c := a.Dims()
	b := NewBits(n, c)
	for r := range n {
		row := b.row(r)
		for i, x := range a.RawRowView(r) {
			if x >= 0.5 {
				row[i/wordBits] |= 1 << (i % wordBits)
			}
		}
	}
	return b
}
