package rbm

import (
	"fmt"
	"math/bits"

	"github.com/gorbm/rbm/internal/product"
	"github.com/gorbm/rbm/internal/stop"
	"gonum.org/v1/gonum/mat"
)

// A batch holds rows of a matrix as the products read them.
type batch struct {
	rows, cols int
	bits       *Bits     // the entries that are not 0
	real       bool      // some entry is not 1 either
	values     []float64 // the entries, if real: see value
	view, bin  Bits      // where bits may point
	row        []float64
	until      *stop.Signal // ends read; nil: nothing does
}

// eachBlock reads the n rows of a matrix, called name, block by block.
func eachBlock(name string, a mat.Matrix, n int, until *stop.Signal, f func(in *batch, r0 int)) {
	in := batch{until: until}
	for r0 := 0; r0 < n; r0 += blockRows {
		in.read(name, a, r0, min(n, r0+blockRows))
		f(&in, r0)
	}
}

// read sets b to rows [i, k) of a, which is called name in a panic.
func (b *batch) read(name string, a mat.Matrix, i, k int) {
	_, b.cols = a.Dims()
	b.rows, b.real = k-i, false
	if a, ok := a.(*Bits); ok {
		a.slice(&b.view, i, k)
		b.bits = &b.view
		return
	}
	b.bin.resize(b.rows, b.cols)
	b.bits = &b.bin
	b.row = grow(b.row, b.cols)
	for r := range b.rows {
		b.until.Look()
		row := readRow(b.row, a, i+r)
		if !product.Nonzero(b.bin.row(r), row) && !b.real {
			b.realAfter(r)
		}
		if !b.real {
			continue
		}
		value := b.value(r)
		clear(value[b.cols:])
		if !product.Unit(value[:b.cols], row) {
			for j, x := range row {
				if !(0 <= x && x <= 1) {
					panic(fmt.Sprintf("rbm: %s[%d, %d] is %v, want a value in [0, 1]", name, i+r, j, x))
				}
			}
		}
	}
}

// realAfter makes b one of reals, of which the first n rows are bits.
func (b *batch) realAfter(n int) {
	b.real = true
	b.values = grow(b.values, b.rows*b.stride())
	for r := range n {
		row := b.value(r)
		clear(row)
		for w, word := range b.bits.row(r) {
			for ; word != 0; word &= word - 1 {
				row[w*wordBits+bits.TrailingZeros64(word)] = 1
			}
		}
	}
}

// choose leaves the given rows in b, which are in increasing order, and no others.
func (b *batch) choose(rows []int) {
	if b.bits != &b.bin {
		b.bin.resize(len(rows), b.cols)
	}
	for i, r := range rows {
		copy(b.bin.row(i), b.bits.row(r))
		if b.real {
			copy(b.value(i), b.value(r))
		}
	}
	b.bits, b.rows = &b.bin, len(rows)
	b.bin.resize(b.rows, b.cols)
}

// stride returns how far apart rows of values are: whole nibbles, as products want.
func (b *batch) stride() int { return product.Nibbles(b.cols) }

// value returns row r of the values, with zeros behind the last column.
func (b *batch) value(r int) []float64 { return b.values[r*b.stride():][:b.stride()] }

// weights returns the values as the product wants them.
func (b *batch) weights() product.Weights { return product.Weights{Stride: b.stride(), Data: b.values} }

// at returns the entry at row i, column j.
func (b *batch) at(i, j int) float64 {
	if b.real {
		return b.values[i*b.stride()+j]
	}
	return float64(b.bits.words[i*b.bits.stride+j/wordBits] >> (j % wordBits) & 1)
}

// dot returns the sum of x over the units that are on in row r.
func (b *batch) dot(r int, x []float64) (sum float64) {
	if b.real {
		return product.Dot(b.value(r)[:b.cols], x)
	}
	return product.SumBits(b.bits.row(r), x)
}

// addTo adds row r, times scale, to x.
func (b *batch) addTo(x []float64, r int, scale float64) {
	if b.real {
		for i, v := range b.value(r)[:b.cols] {
			x[i] += float64(scale * v)
		}
		return
	}
	for w, word := range b.bits.row(r) {
		for ; word != 0; word &= word - 1 {
			x[w*wordBits+bits.TrailingZeros64(word)] += scale
		}
	}
}
