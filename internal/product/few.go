package product

import (
	"math/bits"
	"slices"

	"github.com/gorbm/rbm/internal/stop"
)

// Few holds a few rows of bits or weights, as lists of the nibbles that are not 0. Its
// product with a transpose reads the matrix where it stands. For up to FewRows rows that
// is faster than tables, or than a copy. The zero value is ready.
type Few struct {
	Until *stop.Signal // ends Mul early, with a useless result; may be nil

	groups  []int32
	weights []quad
	rows    []int // for each row, where its nibbles end
}

// FewRows is the largest number of rows for which Few is the fastest.
const FewRows = 3

// A quad is the four weights of a nibble.
type quad = [group]float64

// Reset removes all rows, and makes room for a number of rows whatever their bits are:
// Add allocates nothing until there are more.
func (f *Few) Reset(rows, cols int) {
	n := rows * ((cols + group - 1) / group)
	f.groups = slices.Grow(f.groups[:0], n)
	f.weights = slices.Grow(f.weights[:0], n)
	f.rows = slices.Grow(f.rows[:0], rows)
}

// Add appends a row, given its bits and the weights that stand in place of ones. If the
// weights are nil, they are 1.
func (f *Few) Add(words []uint64, weights []float64) {
	for w, word := range words {
		for low := lowest(word); low != 0; low &= low - 1 {
			k := bits.TrailingZeros64(low)
			var of quad
			for b := range of {
				if i := k + b; word>>i&1 != 0 {
					of[b] = 1
					if weights != nil {
						of[b] = weights[w*wordBits+i]
					}
				}
			}
			f.groups = append(f.groups, int32(w*nibbles+k/group))
			f.weights = append(f.weights, of)
		}
	}
	f.rows = append(f.rows, len(f.groups))
}

// Mul adds the product of the rows and panels [q0, q1) of a transpose, at most a word of
// columns, to x. There are n rows: the sum of row i and panel q0+j is x[j·n+i]. Mul returns
// the columns that have a NaN, even one that is multiplied by 0, as bits counted from
// column 8·q0.
//
//	for each four columns of the transpose, which are rows of the matrix in memory:
//		search them for NaN
//		for each row r:
//			x of r += the products of the four with the weights of r
//
// What makes it fast: the matrix is read from memory once. Four rows are in the cache when
// their products follow the search for NaN.
func (f *Few) Mul(x []Line, p *Panels, q0, q1 int) (nan uint64) {
	for j := q0 * Lanes; j < min(p.cols, q1*Lanes); j += group {
		if f.Until.Given() {
			return nan
		}
		n := min(group, p.cols-j)
		src := p.data[j*p.stride:][:(n-1)*p.stride+p.rows]
		if p.stride > p.rows || HasNaN(src) { // all rows at once if they can be
			for l := range n {
				if HasNaN(src[l*p.stride:][:p.rows]) {
					nan |= 1 << (j - q0*Lanes + l)
				}
			}
		}
		start := 0
		for r, end := range f.rows {
			x := &x[(j/Lanes-q0)*len(f.rows)+r]
			f.add(x[j%Lanes:][:n], src, p, f.groups[start:end], f.weights[start:end])
			start = end
		}
	}
	return nan
}

// add adds the products of up to four rows of src and one row of weights to x. The last
// nibble may have fewer than four columns.
func (f *Few) add(x, src []float64, p *Panels, groups []int32, weights []quad) {
	whole := int32(p.rows / group)
	n := len(groups)
	if n > 0 && groups[n-1] == whole { // the last nibble has fewer columns
		n--
	}
	addColumns(x, src, p.stride, groups[:n], weights[:n])
	for ; n < len(groups); n++ {
		for l := range x {
			part := minusZero[0]
			for b, v := range src[l*p.stride:][whole*group : p.rows] {
				if w := weights[n][b]; w != 0 {
					part += float64(w * v)
				}
			}
			x[l] += part
		}
	}
}
