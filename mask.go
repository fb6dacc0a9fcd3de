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

// known returns v with zeros in place of what is not observed.
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
