package rbm

import (
	"fmt"
	"math/bits"
	"sync/atomic"

	"github.com/gorbm/rbm/internal/parallel"
	"github.com/gorbm/rbm/internal/product"
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

	team    *parallel.Team // reads, and may be ended; nil: the caller does, to the end
	reading reading
}

// blockRows is how many rows of a long batch are worked off at a time.
const blockRows = 4096

// each reads the n rows of a matrix, called name, block by block, and calls f for each
// block, which begins with row r0.
func (b *batch) each(name string, a mat.Matrix, n int, f func(r0 int)) {
	rows := blockOf(a)
	for r0 := 0; r0 < n; r0 += rows {
		b.read(name, a, r0, min(n, r0+rows))
		f(r0)
	}
}

// blockOf returns how many rows of a are read at a time. Numbers stay near the processor.
func blockOf(a mat.Matrix) int {
	if _, ok := a.(*Bits); ok {
		return blockRows
	}
	_, c := a.Dims()
	return max(16, min(512, 1<<19/c))
}

// read sets b to rows [i, k) of a, which is called name in a panic.
func (b *batch) read(name string, a mat.Matrix, i, k int) {
	_, b.cols = a.Dims()
	b.rows, b.real = k-i, false
	if a, ok := a.(*Bits); ok {
		a.slice(&b.view, i, k)
		b.view.checkTails(name, i)
		b.bits = &b.view
		return
	}
	b.bin.resize(b.rows, b.cols)
	b.bits = &b.bin
	b.row = grow(b.row, b.cols)
	r := &b.reading
	r.src, r.first = a, i
	r.isReal.Store(!product.Nonzero(b.bin.row(0), readRow(b.row, a, i)))
	if !r.isReal.Load() {
		b.readAll() // which may find a number
	}
	if r.isReal.Load() {
		b.real = true
		b.values = grow(b.values, b.rows*b.stride())
		r.isBad.Store(false)
		b.readAll()
		if r.isBad.Load() {
			b.panicBad(name)
		}
	}
	r.src = nil
}

// panicBad panics with the first entry of the matrix called name that is not in [0, 1].
func (b *batch) panicBad(name string) {
	for r := b.reading.first; r < b.reading.first+b.rows; r++ {
		for j, x := range readRow(b.row, b.reading.src, r) {
			if !(0 <= x && x <= 1) {
				panic(fmt.Sprintf("rbm: %s[%d, %d] is %v, want a value in [0, 1]", name, r, j, x))
			}
		}
	}
}

// reading is what the job readingRows shares between its parts.
type reading struct {
	src    mat.Matrix
	first  int         // row of src
	isReal atomic.Bool // some entry is neither 0 nor 1
	isBad  atomic.Bool // some entry is not in [0, 1]
}

// readAll reads all rows: their bits and, if b is real, their values.
func (b *batch) readAll() {
	parts := (b.rows + rowsOfPart - 1) / rowsOfPart
	if b.team == nil {
		for part := range parts {
			(*readingRows)(b).Do(0, part)
		}
		return
	}
	workers := 1
	if _, ok := b.reading.src.(*mat.Dense); ok { // others may not be for two goroutines, and b.row is not
		workers = b.team.Workers(parts, b.rows*b.cols)
	}
	b.team.Run(workers, parts, (*readingRows)(b))
}

// readingRows is the job that reads the rows of a batch, rowsOfPart a part.
type readingRows batch

const rowsOfPart = 16

func (b *readingRows) Do(_, part int) {
	p := (*batch)(b)
	for r := part * rowsOfPart; r < min(p.rows, (part+1)*rowsOfPart); r++ {
		if p.team != nil && p.team.Until.Given() {
			return
		}
		row := readRow(p.row, p.reading.src, p.reading.first+r)
		if !product.Nonzero(p.bin.row(r), row) {
			p.reading.isReal.Store(true)
		}
		if !p.real {
			continue
		}
		value := p.value(r)
		clear(value[p.cols:])
		if !product.Unit(value[:p.cols], row) {
			p.reading.isBad.Store(true)
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

// value returns row r of the values, with zeros behind the last column, or nil if the
// rows are bits.
func (b *batch) value(r int) []float64 {
	if !b.real {
		return nil
	}
	return b.values[r*b.stride():][:b.stride()]
}

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
