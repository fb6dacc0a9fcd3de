package rbm

import (
	"fmt"

	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// checkObserved panics unless observed is nil or says of n rows of nv units which
// are observed.
func checkObserved(observed *Bits, n, nv int) {
	if observed != nil && (observed.rows != n && observed.rows != 1 || observed.cols != nv) {
		panic(fmt.Sprintf("rbm: observed is %d×%d, want %d×%d or 1×%d", observed.rows, observed.cols, n, nv, nv))
	}
}

// mask returns which units of row r are observed, or nil if none is.
func (b *Bits) mask(r int) []uint64 {
	if b == nil {
		return nil
	}
	return b.row(min(r, b.rows-1))
}

// observes reports whether unit i of row r is observed.
func (b *Bits) observes(r, i int) bool {
	return b != nil && b.mask(r)[i/wordBits]>>(i%wordBits)&1 == 1
}

// known returns v with zeros in place of missing values.
func known(v mat.Matrix, observed *Bits) mat.Matrix {
	b, ok := v.(*Bits)
	if !ok || observed == nil {
		return masked{v, observed}
	}
	return knownBits(b, observed, nil)
}

func knownBits(b, observed *Bits, until *stop.Signal) *Bits {
	dst := NewBits(b.rows, b.cols)
	for r := range b.rows {
		until.Look()
		observe(dst.row(r), b.row(r), observed.mask(r))
	}
	return dst
}

// observe sets the words of a row to the words of v where they are observed.
func observe(row, v, mask []uint64) {
	for t, m := range mask {
		row[t] = v[t]&m | row[t]&^m
	}
}

// masked is a matrix with zeros in place of missing values, which it does not read.
type masked struct {
	mat.Matrix
	observed *Bits
}

func (a masked) At(i, j int) float64 {
	if !a.observed.observes(i, j) {
		return 0
	}
	return a.Matrix.At(i, j)
}

func (a masked) T() mat.Matrix { return mat.Transpose{Matrix: a} }
